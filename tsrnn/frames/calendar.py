"""Which days of the week are open, and how long a holiday may be: learnt from the days that have rows.

Everything works on midnights without a zone. Imports nothing of tsrnn.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from .clock import DAY

#: This many absent open days in a row are a holiday on every calendar; more are a hole in the data.
LONGEST_HOLIDAY = 5
#: Unless closures of more than `LONGEST_HOLIDAY` open days recur: those of up to two weeks are holidays then.
LONGEST_RECURRENT = 10
#: Weeks that say which days are open today; where they do not tell, as when the weekend was moved, the fewer do.
RECENT_WEEKS = (26, 8)
#: Share of the open days that must have rows: where more are missing, so may those of the days that look closed.
REGULAR = 0.7
NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def is_day_calendar(freq: pd.offsets.BaseOffset) -> bool:
    """Whether the steps are days of which some weekdays are left out."""
    return isinstance(freq, (pd.offsets.BusinessDay, pd.offsets.CustomBusinessDay)) and freq.n == 1


def open_range(first: pd.Timestamp, last: pd.Timestamp, freq: pd.offsets.BaseOffset) -> pd.DatetimeIndex:
    """All open days from `first` to `last`: `date_range`, at a hundredth of its time, without its `freq`."""
    if getattr(freq, "offset", None):  # hours added to each day
        return pd.date_range(first, last, freq=freq)
    days = pd.date_range(first, last, freq="D")
    rule = freq.calendar if isinstance(freq, pd.offsets.CustomBusinessDay) else np.busdaycalendar()
    midnights = days.to_numpy()  # of which an index keeps no steps of days, where every day is open
    return pd.DatetimeIndex(midnights[np.is_busday(midnights.astype("M8[D]"), busdaycal=rule)])


def calendar_of(open_days: np.ndarray) -> pd.offsets.BaseOffset:
    """The offset that steps over these weekdays, Monday first."""
    if (open_days == [1, 1, 1, 1, 1, 0, 0]).all():
        return pd.offsets.BusinessDay()
    mask = " ".join(name for name, is_open in zip(NAMES, open_days, strict=True) if is_open)
    return pd.offsets.CustomBusinessDay(weekmask=mask)


def weekday_counts(days: pd.DatetimeIndex, weeks: int) -> tuple[np.ndarray, np.ndarray]:
    """How often each weekday came, and how often it had a row, in the last weeks: two arrays of shape (7,)."""
    first = max(days[0], days[-1] - weeks * 7 * DAY + DAY)
    came = np.bincount(pd.date_range(first, days[-1], freq="D").day_of_week, minlength=7)
    return came, np.bincount(days[days >= first].day_of_week, minlength=7)


def rare(came: np.ndarray) -> np.ndarray:
    """How many rows a closed weekday may have all the same: one in ten weeks, and one more at the weekend."""
    bonus = (came >= 4) & (np.arange(7) >= 5)
    return came // 10 + bonus


def open_weekdays(days: pd.DatetimeIndex) -> np.ndarray:
    """Learn which weekdays are open.

    A weekday is closed if it came at least twice in the last weeks, and hardly ever with a row (`rare`); open, if at
    least half of the time. Where that does not hold of all seven, or too many rows are missing (`REGULAR`), every day
    is open, and those absent are gaps.

    Parameters
    ----------
    days : DatetimeIndex of shape (n_days,)
        Midnights, sorted and unique.

    Returns
    -------
    ndarray of bool, shape (7,)
        From Monday on.

    Examples
    --------
    >>> days = pd.date_range("2024-01-01", periods=60)
    >>> open_weekdays(days[(days.day_of_week != 4) & (days.day_of_week != 5)])
    array([ True,  True,  True,  True, False, False,  True])
    """
    for weeks in RECENT_WEEKS:
        came, present = weekday_counts(days, weeks)
        closed = (present <= rare(came)) & (came >= 2)
        is_open = (present >= came / 2) & ~closed
        regular = present[is_open].sum() >= REGULAR * came[is_open].sum()
        if (closed | is_open).all() and closed.any() and is_open.sum() >= 2 and regular:
            return is_open
    return np.ones(7, dtype=bool)


def too_many_extras(days: pd.DatetimeIndex, is_open: np.ndarray) -> bool:
    """Whether days that are not open are more than rare extra sessions, lately as well as over half a year."""
    return all(_exceeds(days, is_open, weeks) for weeks in RECENT_WEEKS)


def _exceeds(days: pd.DatetimeIndex, is_open: np.ndarray, weeks: int) -> bool:
    came, _ = weekday_counts(days, weeks)
    recent = days > days[-1] - weeks * 7 * DAY
    extra = np.bincount(days[recent & ~is_open].day_of_week, minlength=7)
    return bool((extra > np.maximum(1, rare(came))).any())


def longest_holiday(open_range: pd.DatetimeIndex, days: pd.DatetimeIndex) -> int:
    """Learn how many absent open days in a row are a holiday: closures of more than a week must recur.

    Examples
    --------
    >>> week = pd.bdate_range("2024-01-01", periods=260)
    >>> longest_holiday(week, week.delete(range(30, 37)))
    5
    >>> longest_holiday(week, week.delete([*range(30, 37), *range(190, 198)]))
    8
    """
    absent = closures(open_range, days)
    long = absent[(absent > LONGEST_HOLIDAY) & (absent <= LONGEST_RECURRENT)]
    return int(long.max()) if len(long) >= 2 else LONGEST_HOLIDAY


def closures(open_range: pd.DatetimeIndex, days: pd.DatetimeIndex) -> np.ndarray:
    """How many open days are absent between each day and the next."""
    return open_range.searchsorted(days[1:]) - open_range.searchsorted(days[:-1], side="right")


def fill_holes(open_range: pd.DatetimeIndex, days: pd.DatetimeIndex, holiday: int) -> pd.DatetimeIndex:
    """The open days in closures that are too long for a holiday."""
    starts = open_range.searchsorted(days[:-1], side="right")
    absent = closures(open_range, days)
    parts = [np.arange(starts[i], starts[i] + absent[i]) for i in np.flatnonzero(absent > holiday)]
    return open_range[np.concatenate(parts)] if parts else open_range[:0]
