"""Which hours of the week are open, where nights are no rows: trading sessions, working hours. Learnt from the rows.

A session is a block (weekday, first, last): its first and last row in microseconds since midnight, Monday being 0. The
rows between are one step apart. Times are those of the wall clock. Imports calendar, checks and clock.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
import pandas as pd

from .calendar import NAMES, open_weekdays
from .checks import some
from .clock import DAY, time_of_day

MICROSECONDS = 86_400_000_000  # of a day
#: Smallest step looked at: a week of seconds is a table of 600,000 slots.
SHORTEST_STEP = pd.Timedelta(seconds=1)
#: A slot of the week is closed if it has a row in less than this share of the weeks, in those of the busiest slot.
RARE = 0.1
#: A slot that is open is seen at least this often, in terms of the median; more than `ODD` of others leave it unclear.
SEEN = 0.5
ODD = 0.05
#: Share of the rows that may lie outside all sessions.
OUTSIDE = 0.01
#: Weeks from which on each weekday has hours of its own.
WEEKS = 4

Blocks = tuple[tuple[int, int, int], ...]


class Pattern(NamedTuple):
    """What was learnt: the sessions, none where there is no night, and what is odd where it is not clear."""

    blocks: Blocks = ()
    odd: str = ""


def check_blocks(blocks: Blocks) -> None:
    """Raise ValueError unless these are sessions, in order."""
    ends = [(weekday * MICROSECONDS + first, weekday * MICROSECONDS + last) for weekday, first, last in blocks]
    fine = all(0 <= day < 7 and 0 <= first <= last < MICROSECONDS for day, first, last in blocks)
    if not fine or any(a[1] >= b[0] for a, b in itertools.pairwise(ends)):
        raise ValueError(f"sessions {blocks!r:.100} are not ordered blocks (weekday, first, last)")


def in_words(blocks: Blocks) -> str:
    """Sessions as one reads them: 'Mon 09:30 to 15:55, Tue 09:30 to 15:55'."""
    return some((f"{NAMES[weekday]} {clock_time(first)} to {clock_time(last)}" for weekday, first, last in blocks), 7)


def clock_time(microseconds: int) -> str:
    """Time of day, to the minute."""
    return f"{microseconds // 3_600_000_000:02}:{microseconds // 60_000_000 % 60:02}"


def open_days(blocks: Blocks) -> np.ndarray:
    """Which weekdays have a session, shape (7,)."""
    return np.isin(np.arange(7), [block[0] for block in blocks])


def rows_of_days(blocks: Blocks, step: pd.Timedelta) -> np.ndarray:
    """How many rows each weekday has, shape (7,)."""
    rows = np.zeros(7, dtype=int)
    for weekday, first, last in blocks:
        rows[weekday] += (last - first) // (step // pd.Timedelta(microseconds=1)) + 1
    return rows


def stamps_of(days: pd.DatetimeIndex, blocks: Blocks, step: pd.Timedelta) -> pd.DatetimeIndex:
    """All rows of the sessions of these days, which are midnights.

    Examples
    --------
    >>> stamps_of(pd.DatetimeIndex(["2024-01-01"]), ((0, 34_200_000_000, 41_400_000_000),), pd.Timedelta("1h"))
    DatetimeIndex(['2024-01-01 09:30:00', '2024-01-01 10:30:00', '2024-01-01 11:30:00'], ...)
    """
    parts = [np.empty(0, dtype="M8[us]")]
    each = step // pd.Timedelta(microseconds=1)
    for weekday, first, last in blocks:
        offsets = np.arange(first, last + 1, each).astype("m8[us]")
        midnights = days[days.day_of_week == weekday].to_numpy()
        parts.append((midnights[:, None] + offsets).ravel())
    return pd.DatetimeIndex(np.sort(np.concatenate(parts))).as_unit(days.unit)


def learn_sessions(naive: pd.DatetimeIndex, step: pd.Timedelta) -> Pattern:
    """Find the hours of the week that are open.

    A night, or another closed part of the day or week, is one that hardly ever has a row (`RARE`) though it came often
    enough: twice for nights of six hours and more, five times for shorter breaks. From `WEEKS` weeks on each weekday
    has hours of its own; where there are nights, and only Monday to Friday were seen, the weekend is closed. It is
    unclear where many slots are neither open nor closed, or rows lie outside.

    Parameters
    ----------
    naive : DatetimeIndex of shape (n_rows,)
        Times of the wall clock, sorted.
    step : Timedelta
        Must divide a day; otherwise there are no sessions.
    """
    each = step // pd.Timedelta(microseconds=1)
    if step < SHORTEST_STEP or MICROSECONDS % each or MICROSECONDS // each < 2:
        return Pattern()
    time = time_of_day(naive)
    phases, n_rows = np.unique(time % each, return_counts=True)
    phase = int(phases[n_rows.argmax()])
    midnights, day = np.unique(naive.normalize(), return_inverse=True)
    days = pd.DatetimeIndex(midnights)
    if n_rows.max() < (1 - OUTSIDE) * len(naive) or len(days) < 3:
        return Pattern()
    came, present = count_slots(days, day, (time - phase) // each, MICROSECONDS // each)
    is_open = open_weekdays(days)
    pooled = (days[-1] - days[0]) < WEEKS * 7 * DAY
    share, often = shares(came, present, is_open if pooled else None)
    is_open &= often.max(axis=1) > 0
    closed = share <= RARE * share[is_open].max()
    # The short break needs more evidence: an outage may fall on the same hour twice.
    long = closed[is_open].mean() >= 0.25
    closed &= often >= (2 if long else 5)
    if closed[is_open].any() and (days.day_of_week < 5).all():
        is_open &= np.arange(7) < 5
    is_open = is_open[:, None] & ~closed
    if is_open.all() or not is_open.any():
        return Pattern()
    return Pattern(blocks_of(is_open, each, phase), odd_slots(share, present, is_open, each, phase))


def shares(came: np.ndarray, present: np.ndarray, pool: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """In which share of the weeks each slot has a row, and of how many weeks; one day stands for all of a pool."""
    if pool is not None:
        came, present = (np.where(pool[:, None], table[pool].sum(axis=0), table) for table in (came, present))
    return present / np.maximum(came, 1), came


def count_slots(
    days: pd.DatetimeIndex, day: np.ndarray, slot: np.ndarray, n_slots: int
) -> tuple[np.ndarray, np.ndarray]:
    """How often each slot of the week came on days with rows, and with a row: arrays of shape (7, n_slots)."""
    weekday = days.day_of_week.to_numpy()
    came = np.repeat(np.bincount(weekday, minlength=7)[:, None], n_slots, axis=1)
    came[weekday[0], : slot[0]] -= 1  # the first day begins, and the last one ends, with the data
    came[weekday[-1], slot[-1] + 1 :] -= 1
    present = np.bincount(weekday[day] * n_slots + slot, minlength=7 * n_slots).reshape(7, n_slots)
    return came, present


def blocks_of(is_open: np.ndarray, each: int, phase: int) -> Blocks:
    """Runs of open slots, day by day."""
    blocks = []
    for weekday in range(7):
        edges = np.flatnonzero(np.diff(is_open[weekday].astype(int), prepend=0, append=0))
        blocks += [(weekday, int(a) * each + phase, int(b - 1) * each + phase) for a, b in edges.reshape(-1, 2)]
    return tuple(blocks)


def odd_slots(share: np.ndarray, present: np.ndarray, is_open: np.ndarray, each: int, phase: int) -> str:
    """Say in words what does not fit into sessions; empty where all does."""
    outside = present[~is_open].sum() / present.sum()
    half = is_open & (share < SEEN * np.median(share[is_open]))
    if outside <= OUTSIDE and half.sum() <= ODD * is_open.sum():
        return ""
    table = np.where(is_open, 0.0, share) if outside > OUTSIDE else np.where(half, share, 0.0)
    weekday, slot = np.unravel_index(table.argmax(), table.shape)
    at = clock_time(int(slot) * each + phase)
    return f"{at} on a {NAMES[weekday]} has a row in {table.max():.0%} of the weeks"
