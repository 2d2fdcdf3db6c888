"""Steps of months whose stamps lie on one day of the month. Imports nothing of tsrnn."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset


def on_day(starts: pd.DatetimeIndex, day: int) -> pd.DatetimeIndex:
    """The given day of the months that begin so; the last day of those that are shorter."""
    return starts + pd.to_timedelta(np.minimum(day, starts.days_in_month) - 1, unit="D")


def month_start(stamp: pd.Timestamp) -> pd.Timestamp:
    """The first of the month, at the same time of day."""
    return stamp - pd.Timedelta(days=stamp.day - 1)


def day_of_month(index: pd.DatetimeIndex) -> int | None:
    """The day on which all stamps lie, 31 being the last one of each month; None if there is no such day.

    Examples
    --------
    >>> day_of_month(pd.DatetimeIndex(["2024-01-30", "2024-02-29", "2024-03-30"]))
    30
    """
    day = 31 if index.is_month_end.all() else int(index.day.max())
    return day if (index.day == np.minimum(day, index.days_in_month)).all() else None


def months_between(index: pd.DatetimeIndex) -> int:
    """The largest number of months of which all steps are multiples; 0 if two stamps share a month."""
    months = np.asarray(index.year * 12 + index.month)
    return int(np.gcd.reduce(np.diff(months))) if (np.diff(months) > 0).all() else 0


def month_offset(n: int, index: pd.DatetimeIndex) -> pd.offsets.BaseOffset:
    """Steps of n months from the start of the month of the first stamp: 'MS', 'QS-FEB', 'YS-MAY', '2MS'."""
    month = index[0].strftime("%b").upper()
    name = "MS"
    for length, rule in ((12, f"YS-{month}"), (3, f"QS-{month}")):
        if n % length == 0:
            n, name = n // length, rule
            break
    return to_offset(f"{n}{name}")
