"""Windows in the form that engines read: one series array, start rows, and how many leading steps are empty.

`WindowData` is what a `WindowArray`, a 3-D array, a 2-D array and a list of arrays (`Sequences`) all become; nothing is
copied but the series itself (to float32). Here is also what is known about missing values. Imports windows only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ..windows import WindowArray
from .resolution import check_range, is_small

__all__ = ["Missing", "Sequences", "WindowData", "batches"]

_BLOCK_VALUES = 2**17  # values of a dense block: half a megabyte of float32


@dataclass(frozen=True, eq=False)
class Sequences:
    """Windows of different lengths, one below the other: what a list of 2-D arrays becomes, without padding.

    Attributes
    ----------
    base : ndarray of shape (n_rows, n_features)
        The rows of all windows.
    lengths : ndarray of int, shape (n_windows,)
        Steps of each window, at least 1.
    """

    base: np.ndarray
    lengths: np.ndarray

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def shape(self) -> tuple[int, int, int]:
        """The shape of an array in which the shorter windows are filled up."""
        return len(self.lengths), int(self.lengths.max()), self.base.shape[1]


@dataclass(frozen=True, eq=False)
class WindowData:
    """Windows as rows of one series.

    Attributes
    ----------
    series : ndarray of shape (n_rows, n_features)
        float32; float64 if there is an offset or a scale, so that a small difference of two large numbers keeps its
        digits.
    starts : ndarray of int32, shape (n_windows,)
        First row of each window; rows before the series are empty.
    lead : ndarray of int32, shape (n_windows,)
        Leading steps of each window that hold nothing: a shorter sequence. Its rows may be those of another window.
    n_steps : int
        Steps of a window, empty ones included.
    offset : ndarray of float64, shape (n_windows, n_features), or None
        Subtracted from each step. There is one wherever there is a scale.
    scale : ndarray of float64, shape (n_windows, n_features), or None
        Divides each step, less the offset.
    """

    series: np.ndarray
    starts: np.ndarray
    lead: np.ndarray
    n_steps: int
    offset: np.ndarray | None = None
    scale: np.ndarray | None = None

    @classmethod
    def from_windows(
        cls, X: WindowArray | Sequences | np.ndarray, n_steps: int | None = None, *, masked: bool | np.ndarray = True
    ) -> WindowData:
        """Read a `WindowArray`, a 3-D array or `Sequences`; with `n_steps`, shorter windows are padded on the left.

        Leading steps that are NaN in every feature are empty if they are to be `masked` (one answer, or one for each
        window), otherwise missing values.
        """
        length = X.shape[1]
        offset = scale = None
        if isinstance(X, WindowArray):
            base, starts, offset, scale = X.base, X.starts, X.offset, X.scale
            if scale is not None and offset is None:
                offset = np.zeros_like(scale)
            first = np.maximum(starts, 0)
        elif isinstance(X, Sequences):
            # A window of full length that ends where the sequence ends: its lead lies in the sequences before.
            base, ends = X.base, np.cumsum(X.lengths)
            starts, first = ends - length, ends - X.lengths
        else:
            # (n, T, F) -> (n * T, F): the windows lie one after the other in one long series
            base, starts = X.reshape(-1, X.shape[2]), np.arange(len(X)) * length
            first = starts
        padding = 0 if n_steps is None else n_steps - length
        series = _series(base, np.float32 if offset is None else np.float64)
        full = np.where(masked, _next_full(series)[first], first) if np.any(masked) else first
        lead = padding + np.clip(full - starts, 0, length)
        if offset is not None:
            offset = _series(offset, np.float64, "offset")
            if np.isnan(offset).any():
                raise ValueError("the offset of a WindowArray contains NaN: every window needs a finite level.")
        if scale is not None:
            scale = _series(scale, np.float64, "scale")
        starts, lead = (starts - padding).astype(np.int32), lead.astype(np.int32)
        windows = cls(series, starts, lead, length + padding, offset, scale)
        windows._check_moved()
        return windows

    def _check_moved(self) -> None:
        """Raise if a value less its offset, divided by its scale, is too large for float32."""
        if self.offset is None or not len(self):
            return
        unit = 1.0 if self.scale is None else self.scale.min()
        if is_small(self.series, unit / 2) and is_small(self.offset, unit / 2):
            return
        for _, block in self.blocks(np.float64):
            check_range("X, less its offset and divided by its scale,", block)

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def n_features(self) -> int:
        return self.series.shape[1]

    @property
    def ragged(self) -> bool:
        """Whether some window has empty leading steps."""
        return bool(self.lead.any())

    def take(self, rows: np.ndarray | slice) -> WindowData:
        offset = None if self.offset is None else self.offset[rows]
        scale = None if self.scale is None else self.scale[rows]
        return replace(self, starts=self.starts[rows], lead=self.lead[rows], offset=offset, scale=scale)

    def dense(self, rows: np.ndarray | slice, dtype: type = np.float32) -> np.ndarray:
        """Return the windows of `rows` (n, T, F), by default as float32; empty leading steps are NaN."""
        steps = np.arange(self.n_steps)
        X = self.series[np.maximum(self.starts[rows][:, None] + steps, 0)]
        if self.offset is not None:
            X = X - self.offset[rows][:, None, :]
            X = (X if self.scale is None else X / self.scale[rows][:, None, :]).astype(dtype)
        X[steps < self.lead[rows][:, None]] = np.nan
        return X

    def empty_segments(self, segment: int = 1) -> np.ndarray:
        """Say which segments hold nothing: bool (n_windows, n_segments). Segments end with the window."""
        n_segments = -(-self.n_steps // segment)
        padding = n_segments * segment - self.n_steps
        # A segment counts from the first value in it on; before a full window's first, partial segment is nothing.
        first = np.where(self.lead > 0, (self.lead + padding) // segment, 0)
        return np.arange(n_segments) < first[:, None]

    def blocks(self, dtype: type = np.float32) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield (rows, dense windows), about half a megabyte at a time."""
        size = max(1, _BLOCK_VALUES // (self.n_steps * self.n_features))
        for start in range(0, len(self), size):
            rows = slice(start, start + size)
            yield rows, self.dense(rows, dtype)


def batches(n_windows: int, batch_size: int, rng: np.random.Generator | None, most: int | None = None) -> np.ndarray:
    """Return row numbers (n_steps, batch_size), shuffled if there is an `rng`; -1 fills up the last batch.

    At most so many windows are drawn.
    """
    rows = (np.arange(n_windows) if rng is None else rng.permutation(n_windows))[:most]
    order = np.full(-(-len(rows) // batch_size) * batch_size, -1, dtype=np.int32)
    order[: len(rows)] = rows
    return order.reshape(-1, batch_size)


def _series(values: np.ndarray, dtype: type, name: str = "X") -> np.ndarray:
    check_range(name, values, dtype)
    return np.ascontiguousarray(values, dtype=dtype)


def _next_full(series: np.ndarray) -> np.ndarray:
    """Return, for each row, the first one from it on that holds a value; the number of rows if there is none."""
    empty = np.isnan(series).all(axis=1)
    rows = np.where(empty, len(series), np.arange(len(series)))
    return np.minimum.accumulate(rows[::-1])[::-1]


@dataclass(frozen=True, eq=False)
class Missing:
    """How values that are missing inside a window are filled.

    Attributes
    ----------
    means : ndarray of float32, shape (n_features,)
        What stands in for a missing value.
    indicators : tuple of int
        Features that have a further channel, 1 where the value is missing. Only they may be missing.
    """

    means: np.ndarray
    indicators: tuple[int, ...]

    @classmethod
    def learn(cls, windows: WindowData, weight: np.ndarray, indicators: tuple[int, ...]) -> Missing:
        """Take the weighted mean of each feature over all windows (of their values less the offset)."""
        total = np.zeros(windows.n_features)
        count = np.zeros(windows.n_features)
        if indicators:
            for rows, block in windows.blocks():
                known = ~np.isnan(block)
                row_weight = weight[rows][:, None]
                total += (np.where(known, block, 0).sum(axis=1, dtype=np.float64) * row_weight).sum(axis=0)
                count += (known.sum(axis=1) * row_weight).sum(axis=0)
        means = np.divide(total, count, out=np.zeros_like(total), where=count > 0)
        return cls(means.astype(np.float32), indicators)

    def channels(self, x: np.ndarray) -> np.ndarray:
        """Return what a network reads of values (..., n_features): gaps filled, then the indicators."""
        gaps = np.isnan(x)
        return np.concatenate([np.where(gaps, self.means, x), gaps[..., list(self.indicators)]], axis=-1)


def count_gaps(windows: WindowData) -> np.ndarray | None:
    """Count the missing values inside each window, after its lead: (n_windows, n_features), or None if none can be."""
    missing = np.isnan(windows.series)
    if not missing.any():
        return None
    # before[i]: missing values in the rows before i, so that a window's count is a difference of two entries
    before = np.concatenate([np.zeros((1, windows.n_features), np.int32), missing.cumsum(axis=0, dtype=np.int32)])
    stop = windows.starts + windows.n_steps
    first = np.minimum(windows.starts + windows.lead, stop)
    return before[np.maximum(stop, 0)] - before[np.maximum(first, 0)]


def features_with_gaps(windows: WindowData) -> tuple[int, ...]:
    """Return the features that are missing somewhere inside a window."""
    gaps = count_gaps(windows)
    return () if gaps is None else tuple(int(i) for i in np.flatnonzero(gaps.any(axis=0)))


def check_gaps(windows: WindowData, allowed: tuple[int, ...], names: list[str] | None = None) -> None:
    """Raise if a feature outside `allowed` is missing inside a window."""
    gaps = count_gaps(windows)
    if gaps is None:
        return
    gaps[:, list(allowed)] = 0
    if not gaps.any():
        return
    window, feature = (int(i) for i in np.argwhere(gaps)[0])
    values = windows.dense(np.array([window]))[0, windows.lead[window] :, feature]
    step = int(windows.lead[window]) + int(np.flatnonzero(np.isnan(values))[0])
    name = repr(names[feature]) if names is not None else str(feature)
    raise ValueError(
        f"Input X contains NaN: feature {name} is missing at step {step} of window {window}, and the network has no "
        "missing indicator for this feature. Fit with missing_indicator=True to let every feature be missing, or "
        "fill the gap. (NaN is always allowed in leading steps where every feature is missing: a shorter window.)"
    )
