"""Which grid a time index has. Imports everything else of frames but season."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset

from ..exceptions import DataError
from .calendar import calendar_of, is_day_calendar, longest_holiday, open_range, open_weekdays, too_many_extras
from .checks import read_offset, some
from .clock import DAY, is_clock, span, time_of_day, unskip, wall
from .grid import MICROSECOND, TimeGrid
from .months import day_of_month, month_offset, months_between
from .sessions import learn_sessions
from .sessions import open_days as days_of_sessions

# A grid with more empty slots than this per row is not the frequency of the data.
SPARSEST_GRID = 50
#: Days of which fewer than one in so many have a row are no daily rows with gaps.
SPARSEST_DAYS = 4
#: Stamps off by at most this share of the step are said to jitter.
JITTER = 0.2
YEARLY = ("YS", "YE", "BYS", "BYE", "QS", "QE", "BQS", "BQE")


def infer_grid(index: pd.DatetimeIndex | pd.PeriodIndex, freq=None) -> TimeGrid:
    """Find the step of a time index, gaps allowed.

    Parameters
    ----------
    index : DatetimeIndex or PeriodIndex of shape (n_rows,)
        Sorted and unique. The grid of periods is that of their starts, and gives periods back.
    freq : str or pandas offset, optional
        The step where it is known; found from the index otherwise. Which days and hours are open is learnt all the
        same: with 'B' absent days are holidays, with '5min' nights are no rows if there are clear sessions.

    Returns
    -------
    TimeGrid

    Raises
    ------
    DataError
        If no step is found on which every stamp lies; the message names the stamps.

    Notes
    -----
    Of daily rows, weekdays that hardly ever have one are closed (`calendar.open_weekdays`): what is absent of the
    others is a holiday, up to five in a row, or up to ten where closures of more than five recur. Monthly rows may lie
    on any day of the month, the 31st being the last one. Rows of hours or minutes that leave out the night, or the
    weekend, form sessions (`sessions.learn_sessions`).

    Examples
    --------
    >>> import pandas as pd
    >>> hours = pd.date_range("2024-01-01", periods=48, freq="h")
    >>> infer_grid(hours.delete([5, 6]))
    TimeGrid(freq=<Hour>, calendar=False)
    >>> infer_grid(pd.DatetimeIndex(["2024-01-15", "2024-02-15", "2024-03-15", "2024-05-15"]))
    TimeGrid(freq=<MonthBegin>, calendar=False, day=15)
    """
    if isinstance(index, pd.PeriodIndex):
        return _grid_of_periods(index, freq)
    if freq is not None:
        return check_on_grid(index, _given_grid(index, freq), f"freq={freq!r}")
    if index.freq is not None:
        return _placed(_plain(to_offset(index.freq), wall(index)), index)
    if len(index) < 2:
        raise DataError(f"cannot find the frequency of {len(index)} row(s). Pass freq=, e.g. freq='h' or freq='B'.")
    return check_on_grid(index, _guess_grid(index), "the frequency found")


def _given_grid(index, freq) -> TimeGrid:
    offset = read_offset(freq)
    grid = _plain(offset, wall(index))
    if len(index) < 2:
        return _placed(grid, index)
    if is_day_calendar(grid.freq):
        return _with_holidays(grid, _meant_days(index)[0])
    if is_clock(grid.freq) and (pattern := learn_sessions(wall(index), span(grid.freq))).blocks:
        return grid if pattern.odd else _with_sessions(grid.freq, pattern.blocks, index)
    if is_clock(grid.freq) and not grid.holds(index) and (local := _on_the_wall(index, grid.freq)):
        return local
    return _placed(grid, index)


def _grid_of_periods(index: pd.PeriodIndex, freq) -> TimeGrid:
    """The grid of the starts of periods, which know their frequency."""
    if freq is None and len(index):
        freq = pd.period_range(index[0], periods=4, freq=index.freq).to_timestamp().freq
    return replace(infer_grid(index.to_timestamp(), freq), periods=index.freqstr)


def _plain(offset: pd.offsets.BaseOffset, naive) -> TimeGrid:
    """The grid of an offset. A `DateOffset` of months or days is the frequency that it stands for."""
    if type(offset) is not pd.DateOffset or len(offset.kwds) != 1:
        return TimeGrid(offset)
    unit, n = next(iter(offset.kwds.items()))
    n *= offset.n
    if unit in ("months", "years") and len(naive):
        months = n * (12 if unit == "years" else 1)
        day = day_of_month(naive) or naive[0].day
        return TimeGrid(month_offset(months, naive), day=0 if day == 1 else day)
    names = {"weeks": f"{7 * n}D", "days": f"{n}D", "hours": f"{n}h", "minutes": f"{n}min", "seconds": f"{n}s"}
    return TimeGrid(to_offset(names[unit]) if unit in names else offset)


def _placed(grid: TimeGrid, index) -> TimeGrid:
    """The grid with the time of day of its stamps, where a zone may skip it."""
    if index.tz is None or is_clock(grid.freq) or not len(index):
        return grid
    return replace(grid, time=int(_usual_time(wall(index))))


def _usual_time(naive) -> int:
    times, n_rows = np.unique(time_of_day(naive), return_counts=True)
    return times[n_rows.argmax()]


def _meant_days(index) -> tuple[pd.DatetimeIndex, bool]:
    """Times of the wall clock, those that it skipped put back, and whether all are of one time of day."""
    naive = wall(index)
    time = pd.Timedelta(microseconds=int(_usual_time(naive)))
    meant = unskip(index, naive.normalize() + time)
    return meant, bool((time_of_day(meant) == time // MICROSECOND).all())


def _guess_grid(index: pd.DatetimeIndex) -> TimeGrid:
    days, daily = _meant_days(index)
    if daily and (grid := _guess_days(days)) is not None:
        return _placed(grid, index)
    steps = pd.Series(index[1:] - index[:-1])
    common = steps.mode().iloc[0]
    grid = TimeGrid(to_offset(common))
    pattern = learn_sessions(wall(index), common)
    if pattern.odd and not daily:
        raise DataError(
            f"rows in steps of {grid.freq.freqstr!r} leave out part of the day or week, but not always the same one: "
            f"{pattern.odd}. If it is closed then, convert to the zone whose clock it follows, e.g. "
            "df.tz_localize('UTC').tz_convert('America/New_York'), and leave out rows outside the sessions. If rows "
            f"are missing, pass freq={grid.freq.freqstr!r}."
        )
    if pattern.blocks:
        return _with_sessions(grid.freq, pattern.blocks, index)
    local = _on_the_wall(index, grid.freq)
    if grid.holds(index):
        # Before the clocks change both are right: rows that begin the day at midnight go by the clock that shows it.
        return local if local is not None and _starts_days(wall(index), grid.freq, index.tz_convert(None)) else grid
    local = local or _at_times(index)
    if local is None:
        _explain(index, steps)
    return local or grid


def _starts_days(naive, freq, utc) -> bool:
    """Whether steps of hours start at midnight on the wall clock and not on that of UTC."""
    each = span(freq) // MICROSECOND
    return not (time_of_day(naive) % each).any() and bool((time_of_day(utc) % each).any())


def _guess_days(naive: pd.DatetimeIndex) -> TimeGrid | None:
    """The grid of rows that all have the same time of day, without a zone."""
    gaps = ((naive[1:] - naive[:-1]) // DAY).to_numpy()
    common = int(np.bincount(gaps).argmax())
    days = naive.normalize()
    if common == 1 and (days.day_of_week < 5).all():
        if len(days) <= 5 and (days[-1] - days[0]) < 5 * DAY:
            raise DataError(
                f"{len(days)} weekdays in a row may be daily or business-daily data. Pass freq='D' or freq='B'."
            )
        return _with_holidays(TimeGrid(to_offset("B")), naive)
    if common == 7:
        return TimeGrid(to_offset(f"W-{naive[0].strftime('%a').upper()}"))
    if common >= 28 and (grid := _guess_months(naive)) is not None:
        return grid
    if (gaps % common == 0).all() and common > 1:
        return TimeGrid(to_offset(f"{common}D"))
    is_open = open_weekdays(days) if common < 7 else np.ones(7, dtype=bool)
    if not is_open.all():
        return _with_holidays(TimeGrid(calendar_of(is_open)), naive)
    # Where days are missing at random the usual step is not the smallest.
    smallest = int(np.gcd.reduce(gaps))
    step = smallest if gaps.sum() / smallest <= SPARSEST_DAYS * len(gaps) else common
    return TimeGrid(to_offset(f"{step}D"))


def _guess_months(naive: pd.DatetimeIndex) -> TimeGrid | None:
    """Steps of months: named rules first, the coarsest of them (quarters lie on the monthly grid too), then any day."""
    month = naive[0].strftime("%b").upper()
    weekday, week = naive[0].strftime("%a").upper(), (naive[0].day - 1) // 7 + 1
    nth = [f"WOM-{week}{weekday}"] if week < 5 else []
    names = (*(f"{rule}-{month}" for rule in YEARLY), "MS", "ME", "BMS", "BME", *nth)
    # pandas 2.2 knows no name for it
    last = pd.offsets.LastWeekOfMonth(weekday=naive[0].day_of_week)  # type: ignore[arg-type]
    n = months_between(naive)
    for offset in (*map(to_offset, names), last):
        if naive.isin(pd.date_range(naive[0], naive[-1], freq=offset)).all():
            length = {"Y": 12, "Q": 3, "M": 1}.get(offset.rule_code.lstrip("B")[0], n)
            return TimeGrid(offset * (n // length) if n > length and n % length == 0 else offset)
    day = day_of_month(naive)
    return TimeGrid(month_offset(n, naive), day=0 if day == 1 else day) if day and n else None


def _with_holidays(grid: TimeGrid, naive: pd.DatetimeIndex) -> TimeGrid:
    """A grid of open days with what the rows say of its holidays."""
    days = naive.normalize()
    every = open_range(days[0], days[-1], grid.freq)
    if every.equals(days):
        return grid
    if (extra := ~days.isin(every)).any() and too_many_extras(days, ~extra):
        return grid  # whose check names them
    return replace(grid, calendar=True, holiday=longest_holiday(every, days))


def _with_sessions(freq, blocks, index) -> TimeGrid:
    days = wall(index).normalize().unique()
    every = pd.date_range(days[0], days[-1], freq="D")
    holiday = longest_holiday(every[days_of_sessions(blocks)[every.day_of_week]], days)
    return TimeGrid(freq, calendar=True, holiday=holiday, sessions=blocks)


def _on_the_wall(index, freq) -> TimeGrid | None:
    """Steps of some hours of the wall clock, if all stamps lie on them."""
    if index.tz is None or not is_clock(freq):
        return None
    length = span(freq)
    if DAY % length or length <= pd.Timedelta(hours=1):
        return None
    times, n_rows = np.unique(time_of_day(wall(index)) % (length // MICROSECOND), return_counts=True)
    grid = TimeGrid(freq, wall=True, time=int(times[n_rows.argmax()]))
    return grid if grid.holds(index) else None


def _at_times(index) -> TimeGrid | None:
    """A few times of each day that are not evenly apart: sessions of one row."""
    naive = wall(index)
    time, n_rows = np.unique(time_of_day(naive), return_counts=True)
    step = int(np.gcd.reduce(np.append(np.diff(time), 86_400_000_000)))
    n_days = naive.normalize().nunique()
    if n_days < 5 or n_rows.min() < n_days // 2 or step < pd.Timedelta(minutes=1) // MICROSECOND:
        return None
    pattern = learn_sessions(naive, pd.Timedelta(microseconds=step))
    whole = pattern.blocks and not pattern.odd
    return _with_sessions(to_offset(pd.Timedelta(microseconds=step)), pattern.blocks, index) if whole else None


def _explain(index, steps) -> None:
    """Raise the error of stamps without a grid where its cause is known."""
    naive = wall(index)
    if naive.normalize().is_unique and steps.median() >= pd.Timedelta(hours=20):
        odd = int((naive.time != naive[0].time()).argmax())
        raise DataError(
            f"there is one row a day, but not at one time of day: {some(naive[[0, odd]])}. If they are days of another "
            "time zone, use df.tz_convert('Europe/Berlin'); otherwise keep the dates alone, "
            "df.set_axis(df.index.normalize())."
        )
    for name in ("s", "5s", "10s", "15s", "30s", "min", "5min", "10min", "15min", "30min", "h", "3h", "6h", "12h"):
        step = span(to_offset(name))
        off = abs(index - index.round(name)).max()
        near = abs(steps.median() - step) <= JITTER * step
        if near and off <= JITTER * step and index.round(name).is_unique:
            raise DataError(
                f"timestamps are up to {off} away from steps of {name!r}, e.g. {index[0]}. Round them: "
                f"df.set_axis(df.index.round({name!r}))."
            )


def check_on_grid(index: pd.DatetimeIndex, grid: TimeGrid, what: str) -> TimeGrid:
    """Return the grid if every stamp lies on it and they are not lost in it; raise `DataError` otherwise."""
    if not len(index):
        return grid
    n_slots = int(grid.slots(index, what)[-1]) + 1
    if n_slots > SPARSEST_GRID * len(index):
        raise DataError(
            f"{what} ({grid.name}) would leave {n_slots - len(index)} gaps among {len(index)} rows. Pass "
            "freq=, resample='mean' beside it, or resample the data."
        )
    return grid
