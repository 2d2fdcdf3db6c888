"""The usual season of a grid. Imports clock, grid and sessions."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .clock import span
from .grid import TimeGrid
from .sessions import rows_of_days


def season_length(grid: TimeGrid | pd.offsets.BaseOffset) -> int:
    """Steps in the usual season of a grid or a frequency: a day below one day, else a week, or a year.

    Of sessions within a day it is the rows of one day, on a calendar of open days the open days of a week.

    Examples
    --------
    >>> from pandas.tseries.frequencies import to_offset
    >>> [season_length(to_offset(f)) for f in ("30min", "h", "D", "B", "W-SAT", "MS", "YS")]
    [48, 24, 7, 5, 52, 12, 1]
    """
    if isinstance(grid, TimeGrid) and (grid.season or grid.numbered):
        return grid.season or 1
    if isinstance(grid, TimeGrid) and grid.sessions:
        rows = rows_of_days(grid.sessions, span(grid.freq))
        return int(np.bincount(rows[rows > 0]).argmax())
    freq = grid.freq if isinstance(grid, TimeGrid) else grid
    name = freq.rule_code.split("-")[0]
    if isinstance(freq, pd.offsets.CustomBusinessDay):
        return max(1, round(int(freq.calendar.weekmask.sum()) / freq.n))
    named = {"D": 7, "B": 5, "W": 52, "SMS": 24, "SME": 24, "WOM": 12, "LWOM": 12, "bh": 8, "cbh": 8}
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
