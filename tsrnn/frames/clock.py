"""The wall clock of a time zone, and the stamps that it shows twice or never. Imports nothing of tsrnn."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

DAY = pd.Timedelta(days=1)


def is_clock(freq: pd.offsets.BaseOffset) -> bool:
    """Whether a step is a fixed span of seconds. A day is none: it has 23 or 25 hours when the clocks change."""
    return isinstance(freq, pd.offsets.Tick) and not isinstance(freq, pd.offsets.Day)


def span(freq: pd.offsets.BaseOffset) -> pd.Timedelta:
    """The time that a step of the clock takes."""
    return pd.Timedelta(freq)  # type: ignore[arg-type]  # which a day is none of


def wall(index: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """What the clock on the wall shows, without the zone."""
    return index if index.tz is None else index.tz_localize(None)


def localise(naive: pd.DatetimeIndex, tz: dt.tzinfo | str | None, first: bool = True) -> pd.DatetimeIndex:
    """The moments at which the clock of the zone shows these times.

    A time that is skipped is the moment after the gap, as pandas has it: a day without a midnight begins at 01:00. Of
    a time shown twice `first` picks the one or the other.

    Examples
    --------
    >>> localise(pd.DatetimeIndex(["2024-09-08"]), "America/Santiago")[0]
    Timestamp('2024-09-08 01:00:00-0300', tz='America/Santiago')
    """
    if tz is None:
        return naive
    return naive.tz_localize(tz, nonexistent="shift_forward", ambiguous=np.full(len(naive), first))


def existing(naive: pd.DatetimeIndex, tz: dt.tzinfo | str | None) -> pd.DatetimeIndex:
    """The moments at which the clock shows these times, without those that it skips."""
    if tz is None:
        return naive
    stamps = naive.tz_localize(tz, nonexistent="NaT", ambiguous=np.full(len(naive), True))
    return stamps[stamps.notna()]


def unskip(index: pd.DatetimeIndex, floored: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """The times that were meant: `floored`, of the wall clock, where the clock skipped it and shows `index` instead."""
    naive = wall(index)
    odd = np.flatnonzero(floored != naive)
    if index.tz is None or not len(odd):
        return naive
    skipped = localise(floored[odd], index.tz) == index[odd]
    meant = naive.to_numpy().copy()
    meant[odd[skipped]] = floored.to_numpy()[odd[skipped]]
    return pd.DatetimeIndex(meant)


def time_of_day(naive: pd.DatetimeIndex) -> np.ndarray:
    """Microseconds since midnight."""
    return ((naive - naive.normalize()) // pd.Timedelta(microseconds=1)).to_numpy()
