"""Rows at any times put on the grid of a frequency, by a rule. Imports clock, checks and exceptions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..exceptions import DataError
from .checks import read_offset
from .clock import is_clock, localise, span, wall

__all__ = ["RULES", "bin_starts", "check_bins", "fill_bins"]

#: How the values that fall into a bin become one.
RULES = ("mean", "sum", "last", "first", "max", "min")
HOUR = pd.Timedelta(hours=1)
#: Offsets that step from one start of a period to the next, of which there is one before any time.
STARTS = (
    pd.offsets.BusinessDay,
    pd.offsets.CustomBusinessDay,
    pd.offsets.Week,
    pd.offsets.MonthBegin,
    pd.offsets.BusinessMonthBegin,
    pd.offsets.QuarterBegin,
    pd.offsets.BQuarterBegin,
    pd.offsets.YearBegin,
    pd.offsets.BYearBegin,
)


def check_bins(rule: str, freq: Any) -> pd.offsets.BaseOffset:
    """Return the offset that parts time into bins, or raise `DataError` where it does not say where they start."""
    if rule not in RULES:
        raise DataError(f"resample must be one of {(*RULES, None)}, got {rule!r}.")
    if freq is None:
        raise DataError(f"resample={rule!r} needs freq=, the length of the steps, e.g. freq='h'.")
    offset = read_offset(freq)
    fixed = is_clock(offset) or isinstance(offset, pd.offsets.Day)
    if offset.n < 1 or not (fixed or (isinstance(offset, STARTS) and offset.n == 1)):
        raise DataError(
            f"resample={rule!r} puts rows into bins that are named by their start, and freq={freq!r} does not say "
            "where one starts. Take a span of time such as 'h' or '15min', a number of days, or 'B', 'W', 'MS', 'QS', "
            "'YS'."
        )
    return offset


def bin_starts(index: pd.DatetimeIndex, offset: pd.offsets.BaseOffset) -> pd.DatetimeIndex:
    """Return the start of the bin that each stamp is in.

    Bins are those of the wall clock: days start at midnight, hours at the full hour, 15 minutes at quarters of it.
    Spans that do not divide a day are counted from 1970 on, so that bins are the same whatever the first row is.

    Examples
    --------
    >>> from pandas.tseries.frequencies import to_offset
    >>> index = pd.DatetimeIndex(["2024-01-31 10:59", "2024-02-03 11:00"])
    >>> [str(bin_starts(index, to_offset(freq))[1]) for freq in ("h", "7h", "D", "W", "MS", "B")]  # a Saturday
    ['2024-02-03 11:00:00', '2024-02-03 08:00:00', '2024-02-03 00:00:00', '2024-01-28 00:00:00', '2024-02-01 00:00:00',
    '2024-02-02 00:00:00']
    """
    naive = wall(index)
    if is_clock(offset) and span(offset) <= HOUR:
        return index - (naive - naive.floor(offset))  # which of two hours of one name it is stays as it was
    if is_clock(offset) or isinstance(offset, pd.offsets.Day):
        return localise(naive.floor(offset), index.tz)
    days, inverse = np.unique(naive.normalize(), return_inverse=True)
    starts = pd.DatetimeIndex([offset.rollback(pd.Timestamp(day)) for day in days]).as_unit(naive.unit)
    return localise(starts[inverse], index.tz)


def fill_bins(
    frame: pd.DataFrame, codes: np.ndarray, offset: pd.offsets.BaseOffset, rules: dict[Any, str]
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return one row for each bin of each series that has any, and the series of each.

    Parameters
    ----------
    frame : DataFrame of shape (n_rows, n_columns), float64
        Indexed by stamps; those of each series sorted.
    codes : ndarray of int, shape (n_rows,)
        The series of each row.
    offset : pandas offset
        As `check_bins` gives it.
    rules : dict
        Rule of each column, by its name. Missing values are passed over; a bin without a value is missing.
    """
    starts = bin_starts(pd.DatetimeIndex(frame.index), offset)
    groups = frame.reset_index(drop=True).groupby([codes, starts], sort=True)
    columns = {}
    for name, rule in rules.items():
        columns[name] = groups[name].sum(min_count=1) if rule == "sum" else groups[name].agg(rule)
    keys = groups.size().index
    binned = pd.DataFrame(columns, index=keys, columns=frame.columns).set_axis(
        pd.DatetimeIndex(keys.get_level_values(1))
    )
    return binned, keys.get_level_values(0).to_numpy()
