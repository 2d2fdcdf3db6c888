"""Validation of time-indexed frames, and the grid on which their time advances.

pandas comes in here and goes out again in the forecasters; everything between works on arrays and row positions.
Imports only exceptions.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset

from .exceptions import DataError

__all__ = ["TimeGrid", "check_columns", "check_frame", "infer_grid", "season_length"]

# On a trading calendar this many absent business days in a row are a hole in the data, fewer are holidays.
LONGEST_HOLIDAY = 5
# A grid with more empty slots than this per row is not the frequency of the data.
SPARSEST_GRID = 50


def some(items: Iterable, most: int = 5) -> str:
    """List the first few items for a message: '2024-01-01, 2024-01-02, ... (7 in all)'."""
    items = list(items)
    shown = ", ".join(str(item) for item in items[:most])
    return shown if len(items) <= most else f"{shown}, ... ({len(items)} in all)"


def as_names(names) -> list:
    """One name or several or None -> list of names."""
    if names is None:
        return []
    return [names] if isinstance(names, str) or not isinstance(names, (list, tuple, pd.Index)) else list(names)


def check_columns(frame: pd.DataFrame, names: Sequence, what: str = "column") -> None:
    """Raise `DataError`, with the nearest names that exist, unless every name is a column of the frame."""
    for name in names:
        if name not in frame.columns:
            near = difflib.get_close_matches(str(name), [str(c) for c in frame.columns], n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise DataError(f"{what} {name!r} is not in the data.{hint} Columns: {some(frame.columns, 20)}.")


def check_time_index(index: pd.Index, name: str = "X") -> pd.DatetimeIndex:
    """Return the index as a sorted, unique `DatetimeIndex`, or raise `DataError` saying what to change."""
    if isinstance(index, pd.PeriodIndex):
        index = index.to_timestamp()
    if not isinstance(index, pd.DatetimeIndex):
        raise DataError(
            f"{name} has no time index (got {type(index).__name__}). A forecaster reads time from the index: use "
            "df.set_index(pd.to_datetime(df['time'])); in a Pipeline, call .set_output(transform='pandas') on the "
            "transformers in front, which otherwise drop it."
        )
    if index.hasnans:
        raise DataError(
            f"{name} has {int(np.sum(index.isna()))} missing timestamps (NaT) in its index. Drop those rows."
        )
    if not index.is_unique:
        raise DataError(
            f"{name} has duplicated timestamps: {some(index[index.duplicated()].unique())}. Keep one row for each, "
            "e.g. df[~df.index.duplicated()] or df.groupby(level=0).mean()."
        )
    if not index.is_monotonic_increasing:
        first = index[1:][index[1:] < index[:-1]][0]
        raise DataError(f"{name} is not sorted by time (first step back at {first}). Use df.sort_index().")
    return index


def check_unique_columns(frame: pd.DataFrame, name: str = "X") -> None:
    """Raise `DataError` if two columns have the same name."""
    if not frame.columns.is_unique:
        raise DataError(f"{name} has duplicated column names: {some(frame.columns[frame.columns.duplicated()])}.")


def in_zone(data, tz, name: str = "X"):
    """Return the frame, series or index in a time zone, or raise `DataError` if one of the two has none."""
    index = data if isinstance(data, pd.DatetimeIndex) else data.index
    if (index.tz is None) != (tz is None):
        raise DataError(f"{name} has time zone {index.tz}, the data have {tz}. Use tz_localize.")
    return data if tz is None else data.tz_convert(tz)


def check_frame(data, name: str = "X") -> pd.DataFrame:
    """Return the data as a float64 frame on a clean time index.

    Parameters
    ----------
    data : DataFrame or Series of shape (n_rows,) or (n_rows, n_columns)
        Numeric or boolean columns; NaN marks a missing value.
    name : str
        What the messages call it.

    Returns
    -------
    DataFrame of shape (n_rows, n_columns), float64
        In the units given.

    Raises
    ------
    DataError
        If the index is not time, sorted and unique, or a column is not numeric or holds infinity.

    Examples
    --------
    >>> import pandas as pd
    >>> check_frame(pd.DataFrame({"a": [1, 2]}))
    Traceback (most recent call last):
    tsrnn.exceptions.DataError: X has no time index (got RangeIndex). ...
    """
    if isinstance(data, pd.Series):
        data = data.to_frame(name="y" if data.name is None else data.name)
    if not isinstance(data, pd.DataFrame):
        raise DataError(
            f"{name} must be a pandas DataFrame or Series with a time index, got {type(data).__name__}. In a Pipeline, "
            "call .set_output(transform='pandas') on the transformers in front."
        )
    if isinstance(data.index, pd.MultiIndex):
        raise DataError(f"{name} has a MultiIndex. Forecasters take one table at a time: select one series first.")
    index = check_time_index(data.index, name)
    check_unique_columns(data, name)
    for column in data.columns:
        if not (pd.api.types.is_numeric_dtype(data[column]) or pd.api.types.is_bool_dtype(data[column])):
            raise DataError(
                f"column {column!r} is not numeric (dtype {data[column].dtype}, first value "
                f"{some(map(repr, data[column].head(1)))}). Convert it with pd.to_numeric, encode it, or leave it out."
            )
    values = data.to_numpy(dtype=np.float64, na_value=np.nan) if data.shape[1] else np.empty(data.shape)
    if np.isinf(values).any():
        row, col = np.argwhere(np.isinf(values))[0]
        raise DataError(
            f"column {data.columns[col]!r} holds infinity (first at {index[row]}). Replace it, e.g. by NaN for missing."
        )
    return pd.DataFrame(values, index=index, columns=data.columns)


@dataclass(frozen=True)
class TimeGrid:
    """How time advances from one row to the next.

    Attributes
    ----------
    freq : pandas offset
        The step. Applied with `pandas.date_range`, so that it is right across daylight saving and month ends.
    calendar : bool
        True for a trading calendar: business days of which some (holidays) are absent. Rows that follow each other
        are then one step apart, whatever the dates between them.
    """

    freq: pd.offsets.BaseOffset
    calendar: bool = False

    def between(self, first, last) -> pd.DatetimeIndex:
        """All stamps of the grid from `first` to `last`, both included."""
        return pd.date_range(first, last, freq=self.freq)

    def future(self, last: pd.Timestamp, steps: int) -> pd.DatetimeIndex:
        """The `steps` stamps that follow `last`."""
        stamps = pd.date_range(last, periods=steps + 1, freq=self.freq)
        return stamps[stamps > last][:steps]

    def slots(self, index: pd.DatetimeIndex, what: str = "the grid of the data") -> np.ndarray:
        """Which slot of the grid each stamp has, from 0 for the first; `DataError` if one lies beside the grid."""
        slots = self.between(index[0], index[-1]).get_indexer(index)
        if (slots < 0).any():
            raise DataError(
                f"timestamps {some(index[slots < 0])} do not lie on {what} ({self.freq.freqstr!r} from {index[0]}). "
                "Pass the right freq=, or put the data on a regular grid, e.g. df.resample('h').mean()."
            )
        return slots

    def positions(self, index: pd.DatetimeIndex, origin: pd.Timestamp) -> np.ndarray:
        """How many steps after `origin` each stamp lies, negative before it. Holidays count, so that weekdays recur."""
        grid = self.between(min(origin, index[0]), max(origin, index[-1]))
        return grid.searchsorted(index) - grid.searchsorted(origin)

    def regularise(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the frame with one row per step: rows of NaN stand where stamps are absent.

        On a trading calendar only holes longer than `LONGEST_HOLIDAY` business days are filled so.
        """
        if len(frame) < 2:
            return frame
        full = self.between(frame.index[0], frame.index[-1])
        if self.calendar:
            known = pd.DatetimeIndex(frame.index)
            holes = np.flatnonzero(~self.follows(known)[1:])
            filled = [full[(full > known[i]) & (full < known[i + 1])] for i in holes.tolist()]
            full = pd.DatetimeIndex(known.append(filled).sort_values()) if filled else known
        return frame if len(full) == len(frame) else frame.reindex(full)

    def follows(self, index: pd.DatetimeIndex) -> np.ndarray:
        """Whether each row comes one step after the row before it: False for the first, and after each gap."""
        if not len(index):
            return np.empty(0, dtype=bool)
        slots = self.slots(index)
        return np.diff(slots, prepend=-(LONGEST_HOLIDAY + 2)) <= (LONGEST_HOLIDAY + 1 if self.calendar else 1)

    def steps_ahead(self, last: pd.Timestamp, stamps: pd.DatetimeIndex) -> np.ndarray:
        """How many steps after `last` each of the later, sorted `stamps` lies, from 1.

        On a trading calendar the stamps given say which days trade: they are consecutive, and the first of them is
        the next one, unless more business days lie between than a holiday explains.
        """
        if not len(stamps):
            return np.empty(0, dtype=int)
        grid = self.between(last, stamps[-1])
        if self.calendar:
            before = int(((grid > last) & (grid < stamps[0])).sum())
            first = 1 if before <= LONGEST_HOLIDAY else before + 1
            return first + np.arange(len(stamps))
        steps = grid.get_indexer(stamps)
        if (steps < 0).any():
            raise DataError(
                f"timestamps {some(stamps[steps < 0])} are not on the grid of the data, which goes on from {last} in "
                f"steps of {self.freq.freqstr!r}."
            )
        return steps


def infer_grid(index: pd.DatetimeIndex, freq=None) -> TimeGrid:
    """Find the step of a time index, gaps allowed.

    Parameters
    ----------
    index : DatetimeIndex of shape (n_rows,)
        Sorted and unique.
    freq : str or pandas offset, optional
        The step where it is known; found from the index otherwise.

    Returns
    -------
    TimeGrid

    Raises
    ------
    DataError
        If no step is found on which every stamp lies; the message names the stamps.

    Examples
    --------
    >>> import pandas as pd
    >>> hours = pd.date_range("2024-01-01", periods=48, freq="h")
    >>> infer_grid(hours.delete([5, 6]))
    TimeGrid(freq=<Hour>, calendar=False)
    """
    if freq is not None:
        try:
            grid = TimeGrid(to_offset(freq))
        except ValueError as exc:
            raise DataError(f"freq={freq!r} is not a frequency pandas knows: {exc}") from exc
        return check_on_grid(index, grid, f"freq={freq!r}")
    if index.freq is not None:
        return TimeGrid(index.freq)
    if len(index) < 2:
        raise DataError(f"cannot find the frequency of {len(index)} row(s). Pass freq=, e.g. freq='h' or freq='B'.")
    return check_on_grid(index, _guess_grid(index), "the frequency found")


def _guess_grid(index: pd.DatetimeIndex) -> TimeGrid:
    steps = pd.Series(index[1:] - index[:-1])
    common = steps.mode().iloc[0]
    day = pd.Timedelta(days=1)
    # Wall-clock days: two midnights are 23 or 25 hours apart when the clock changes.
    daily = (index == index.normalize()).all() or (index.time == index[0].time()).all()
    if daily and common in (day, day - pd.Timedelta(hours=1), day + pd.Timedelta(hours=1)):
        if (index.day_of_week < 5).all():
            if len(index) <= 5 and (index[-1] - index[0]) < 5 * day:
                raise DataError(
                    f"{len(index)} weekdays in a row may be daily or business-daily data. Pass freq='D' or freq='B'."
                )
            grid = TimeGrid(to_offset("B"))
            return TimeGrid(grid.freq, calendar=len(grid.between(index[0], index[-1])) > len(index))
        return TimeGrid(to_offset("D"))
    if daily and common == 7 * day:
        return TimeGrid(to_offset(f"W-{index[0].strftime('%a').upper()}"))
    if daily and common >= pd.Timedelta(days=28):
        # Coarsest first: quarterly stamps lie on the monthly grid as well.
        month = index[0].strftime("%b").upper()
        anchored = ("YS", "YE", "BYS", "BYE", "QS", "QE", "BQS", "BQE")
        for name in (*(f"{rule}-{month}" for rule in anchored), "MS", "ME", "BMS", "BME"):
            if index.isin(pd.date_range(index[0], index[-1], freq=name)).all():
                return TimeGrid(to_offset(name))
    if daily and common % day == pd.Timedelta(0):
        return TimeGrid(to_offset(f"{common // day}D"))
    return TimeGrid(to_offset(common))


def check_on_grid(index: pd.DatetimeIndex, grid: TimeGrid, what: str) -> TimeGrid:
    """Return the grid if every stamp lies on it and they are not lost in it; raise `DataError` otherwise."""
    if not len(index):
        return grid
    n_slots = int(grid.slots(index, what)[-1]) + 1
    if n_slots > SPARSEST_GRID * len(index):
        raise DataError(
            f"{what} ({grid.freq.freqstr!r}) would leave {n_slots - len(index)} gaps among {len(index)} rows. Pass "
            "freq=, or resample the data."
        )
    return grid


def season_length(freq: pd.offsets.BaseOffset) -> int:
    """Steps in the usual season of a frequency: a day below one day, else a week, or a year.

    Examples
    --------
    >>> from pandas.tseries.frequencies import to_offset
    >>> [season_length(to_offset(f)) for f in ("30min", "h", "D", "B", "W-SAT", "MS", "YS")]
    [48, 24, 7, 5, 52, 12, 1]
    """
    name = freq.rule_code.split("-")[0]
    named = {"D": 7, "B": 5, "C": 5, "W": 52, "SMS": 24, "SME": 24, "WOM": 12, "LWOM": 12, "bh": 8, "cbh": 8}
    yearly = {"M": 12, "B": 12, "Q": 4, "Y": 1}
    if name in named:
        return max(1, round(named[name] / freq.n))
    if name.removeprefix("B")[:1] in yearly and name not in ("min", "ms"):
        return max(1, round(yearly[name.removeprefix("B")[:1]] / freq.n))
    seconds = pd.Timedelta(freq.nanos, unit="ns").total_seconds()
    for period in (86_400.0, 7 * 86_400.0, 3_600.0):
        if seconds <= period / 2:
            return round(period / seconds)
    return 1
