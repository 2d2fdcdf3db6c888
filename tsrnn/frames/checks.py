"""Validation of time-indexed frames. Imports warnings and exceptions."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Hashable, Iterable, Sequence
from numbers import Integral
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset

from .._warnings import warn_user
from ..exceptions import DataError, DataWarning

__all__ = [
    "as_names",
    "check_columns",
    "check_frame",
    "check_length",
    "check_not_tiny",
    "check_time_index",
    "check_unique_columns",
    "in_zone",
    "is_length",
    "read_offset",
    "some",
    "warn_of_empty_columns",
]

Timed = TypeVar("Timed", pd.DataFrame, pd.Series, pd.DatetimeIndex)

#: Without target=, a column with values in a smaller share of the rows is warned about, if there are so many rows.
MOSTLY, ROWS_FOR_A_SHARE = 0.5, 10
#: Magnitude of values beyond which sums of their squares leave the range of double precision.
LARGEST, SMALLEST = 1e140, 1e-140


def read_offset(freq: Any) -> pd.offsets.BaseOffset:
    """Return the offset that a frequency stands for, or raise `DataError`."""
    try:
        return to_offset(freq)
    except (ValueError, TypeError) as exc:
        raise DataError(f"freq={freq!r} is not a frequency pandas knows: {exc}") from exc


def some(items: Iterable[object], most: int = 5) -> str:
    """List the first few items for a message: '2024-01-01, 2024-01-02, ... (7 in all)'."""
    items = list(items)
    shown = ", ".join(str(item) for item in items[:most])
    return shown if len(items) <= most else f"{shown}, ... ({len(items)} in all)"


def is_length(value: object) -> bool:
    """Whether this is an integer of at least 1; True is none."""
    return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= 1


def check_length(value: Any, name: str) -> int:
    """Return a number of rows as int, or raise `DataError`."""
    if not is_length(value):
        raise DataError(f"{name} must be an integer of at least 1, got {value!r}.")
    return int(value)


def as_names(names: Any, columns: Iterable[Hashable] = ()) -> list[Any]:
    """One name or several or None -> list of names.

    A tuple is several names, unless it is one of the columns or these have several levels: then it is one.

    Examples
    --------
    >>> as_names(("a", "b")), as_names(("Close", "AAPL"), [("Close", "AAPL"), ("Open", "AAPL")])
    (['a', 'b'], [('Close', 'AAPL')])
    """
    if names is None:
        return []
    levels = isinstance(columns, pd.MultiIndex)
    if isinstance(names, tuple) and (names in list(columns) or (levels and not all(map(is_tuple, names)))):
        return [names]
    return [names] if not isinstance(names, (list, tuple, pd.Index)) else list(names)


def is_tuple(name: object) -> bool:
    return isinstance(name, tuple)


def check_columns(frame: pd.DataFrame, names: Sequence[Hashable], what: str = "column") -> None:
    """Raise `DataError`, with the nearest names that exist, unless every name is a column of the frame."""
    known = set(frame.columns)  # of several levels, the first alone would be found in the index itself
    for name in names:
        if name in known:
            continue
        if isinstance(frame.columns, pd.MultiIndex) and not is_tuple(name):
            raise DataError(f"{what} {name!r} is not a column: {_name_all_levels(frame.columns, name)}")
        near = difflib.get_close_matches(str(name), [str(c) for c in frame.columns], n=1)
        hint = f" Did you mean {near[0] if is_tuple(name) else repr(near[0])}?" if near else ""
        raise DataError(f"{what} {name!r} is not in the data.{hint} Columns: {some(frame.columns, 20)}.")


def _name_all_levels(columns: pd.MultiIndex, name: Hashable) -> str:
    """Say how a column of several levels is named."""
    names = [str(level) for level in columns.names if level is not None]
    levels = f"{columns.nlevels} levels{' (' + ', '.join(names) + ')' if names else ''}"
    under = [column for column in columns if name in column] or list(columns)
    return f"the columns have {levels}. Name all of them, as in {under[0]!r}, one of {some(under)}."


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
            f"e.g. df[~df.index.duplicated()] or df.groupby(level=0).mean().{_doubled_hour(index)}"
        )
    if not index.is_monotonic_increasing:
        first = index[1:][index[1:] < index[:-1]][0]
        order = "sorted newest first" if index.is_monotonic_decreasing else "not sorted by time"
        raise DataError(f"{name} is {order} (first step back at {first}). Use df.sort_index().")
    return index


def _doubled_hour(index: pd.DatetimeIndex) -> str:
    """Say so if the duplicates are those of nights on which the clocks go back; begins with a space."""
    twice = index[index.duplicated()].unique()
    nights = twice.normalize().unique()
    autumn = np.isin(nights.month, (9, 10, 11, 3, 4, 5)).all() and nights.to_period("Y").is_unique
    hour = len(twice.hour.unique()) == 1 and (twice.hour < 4).all()
    if index.tz is not None or not (autumn and hour and (index.duplicated(keep=False).sum() == 2 * len(twice))):
        return ""
    return (
        f" If the clocks went back on that night, as the hour from {twice[0]:%H}:00 suggests, keep both and give the "
        "index its zone: df.tz_localize('Europe/Berlin', ambiguous='infer')."
    )


def warn_of_empty_columns(frame: pd.DataFrame) -> None:
    """Warn where nobody named the targets, and some of several have a value in less than half of the rows."""
    share = frame.notna().mean()
    empty = share[share < MOSTLY]
    if len(frame) < ROWS_FOR_A_SHARE or frame.shape[1] < 2 or empty.empty or (share == 0).any():
        return
    columns = some((f"{label!r} ({value:.0%})" for label, value in empty.items()), 10)
    warn_user(
        f"every column is a target, also those that are mostly empty (share of rows observed): {columns}. Name the "
        "targets, e.g. target=['load'], drop these columns, or bring all to one frequency.",
        DataWarning,
    )


def check_unique_columns(frame: pd.DataFrame, name: str = "X") -> None:
    """Raise `DataError` if two columns have the same name."""
    if not frame.columns.is_unique:
        raise DataError(f"{name} has duplicated column names: {some(frame.columns[frame.columns.duplicated()])}.")


def in_zone(data: Timed, tz: dt.tzinfo | None, name: str = "X") -> Timed:
    """Return the frame, series or index in a time zone, or raise `DataError` if one of the two has none."""
    index = pd.DatetimeIndex(data if isinstance(data, pd.DatetimeIndex) else data.index)
    if (index.tz is None) != (tz is None):
        raise DataError(f"{name} has time zone {index.tz}, the data have {tz}. Use tz_localize.")
    return data if tz is None else data.tz_convert(tz)


def check_not_tiny(frame: pd.DataFrame) -> None:
    """Raise `DataError` if a column holds nothing above 1e-140 but zeros: its squares would all be 0."""
    largest = frame.abs().max()
    for column, size in largest[(largest > 0) & (largest < SMALLEST)].items():
        raise DataError(
            f"column {column!r} holds no value larger than {size:g}; at least {SMALLEST:g} is needed, since squares of "
            "less leave the range of double precision. Multiply the column by a power of ten, and divide the forecast "
            "by it."
        )


def check_frame(data: Any, name: str = "X", *, timed: bool = True) -> pd.DataFrame:
    """Return the data as a float64 frame on a clean time index.

    Parameters
    ----------
    data : DataFrame or Series of shape (n_rows,) or (n_rows, n_columns)
        Numeric or boolean columns; NaN marks a missing value.
    name : str
        What the messages call it.
    timed : bool
        Whether the index is looked at; that of a panel holds its stamps several times.

    Returns
    -------
    DataFrame of shape (n_rows, n_columns), float64
        In the units given.

    Raises
    ------
    DataError
        If the index is not time, sorted and unique, or a column is not numeric, holds infinity, or values beyond
        1e140, whose squares leave the range of double precision.

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
    if timed and isinstance(data.index, pd.MultiIndex):
        raise DataError(f"{name} has a MultiIndex. Here one table is taken at a time: select one series first.")
    index = check_time_index(data.index, name) if timed else data.index
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
    if (np.abs(values) > LARGEST).any():
        row, col = np.argwhere(np.abs(values) > LARGEST)[0]
        raise DataError(
            f"column {data.columns[col]!r} holds {values[row, col]:g} (first at {index[row]}); at most {LARGEST:g} is "
            "allowed, since squares of more leave the range of double precision. Divide the column by a power of ten, "
            "and multiply the forecast by it; or replace the value by NaN, if it is a code for missing."
        )
    return pd.DataFrame(values, index=index, columns=data.columns)
