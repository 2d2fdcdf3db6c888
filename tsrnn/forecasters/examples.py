"""What a forecaster of windows learns from: windows of one or many series, in the order of time, and what follows them.

Imports windows, validation and exceptions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from ..exceptions import DataError
from ..windows import WindowArray
from .validation import split_in_time

__all__ = ["Examples", "stack_windows"]

#: Windows whose targets are gathered at a time.
CHUNK = 512
#: Windows of many series that are enough to judge by; of more, every k-th is taken.
ENOUGH_HELD = 8_192
Split = tuple[Any, Any]


@dataclass(frozen=True, eq=False)
class Examples:
    """Windows and the scaled targets that follow them.

    Attributes
    ----------
    windows : WindowArray of shape (n_windows, n_steps, n_columns)
    following : WindowArray of shape (n_windows, block, n_targets)
        What comes after each window, gathered when it is asked for.
    gap : int
        Windows to leave out between two parts in time: neighbours share target rows.
    time : ndarray of int, shape (n_windows,), or None
        When each window ends, ascending: times of any unit. None: they follow each other, as many at each time.
    block : int
        Steps that follow a window.
    trivial : callable
        ``trivial(rows)`` returns the trivial forecasts and, for each, the error of the windows of these rows.
    """

    windows: WindowArray
    following: WindowArray
    gap: int
    block: int
    trivial: Callable[[Any], tuple[list[Any], list[np.ndarray]]]
    dtype: Any = np.float64
    time: Any = None

    @cached_property
    def y(self) -> np.ndarray:
        """The targets (n_windows, block * n_targets)."""
        # Some at a time: y is the largest array of a fit, and one of double precision would be twice as large.
        y: np.ndarray = np.empty((len(self.windows), int(np.prod(self.following.shape[1:]))), self.dtype)
        for start in range(0, len(y), CHUNK):
            y[start : start + CHUNK] = np.asarray(self.following[start : start + CHUNK]).reshape(-1, y.shape[1])
        return y

    def split(self, fraction: float, wanted: bool | str = "auto") -> Split:
        """Return the rows of the training part and of the last part in time; None for no such part."""
        training, held = split_in_time(len(self.windows), fraction, self.gap, wanted)
        if self.time is None or held is None:
            return training, held
        times = np.unique(self.time)
        first = int(np.searchsorted(times, self.time[held][0]))
        # What follows a window that is learnt from ends before the first of the held-out ones does.
        stop = np.searchsorted(self.time, times[max(0, first - self.block)], side="right") if first >= self.block else 0
        if not stop:
            return (slice(None), None) if wanted == "auto" else self._too_few(len(times))
        rows = np.arange(np.searchsorted(self.time, times[first]), len(self.time))
        return slice(int(stop)), rows[:: -(-len(rows) // ENOUGH_HELD)]

    def _too_few(self, n_times: int) -> Split:
        raise DataError(
            f"the windows end at {n_times} different times, too few to hold some out after those that are learnt from "
            f"and a gap of {self.block}. Pass more history, a shorter horizon or window, or early_stopping=False."
        )

    def by_time(self, values: np.ndarray, rows: Any) -> tuple[np.ndarray, int]:
        """Return what was measured of the windows of these rows in the order of time, and over how many it correlates.

        What was measured of many series at one time is averaged: series move together.
        """
        known = np.isfinite(values)
        if self.time is None:
            return values[known], self.gap - 1
        _, step = np.unique(self.time[rows][known], return_inverse=True)
        return np.bincount(step, weights=values[known]) / np.bincount(step), self.block - 1


def stack_windows(parts: list[WindowArray]) -> WindowArray:
    """Put windows of the same size over several tables into one array of windows."""
    lengths = np.cumsum([0, *(len(part.base) for part in parts)])
    starts = np.concatenate([part.starts + first for part, first in zip(parts, lengths, strict=False)])
    offset = None if parts[0].offset is None else np.concatenate([part.offset for part in parts])
    return WindowArray(np.concatenate([part.base for part in parts]), starts, parts[0].n_steps, offset)
