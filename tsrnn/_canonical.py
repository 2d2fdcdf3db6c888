"""The canonical form of a training set: equal rows merged by adding their weights, ordered by a hash of their content.

Training on it makes a weight of 2 and a row given twice the same thing, to the last bit, and the order of the rows
irrelevant, which is what scikit-learn asks of sample weights. Windows are read block by block and never all at once.
Imports nothing of tsrnn.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np

__all__ = ["canonical_rows", "hash_rows"]

_MULTIPLIER_SEED = 20261121  # any fixed number: the order of the rows must be the same on every machine


class _Windows(Protocol):
    def __len__(self) -> int: ...

    def dense(self, rows: np.ndarray | slice) -> np.ndarray: ...

    def blocks(self) -> Iterator[tuple[slice, np.ndarray]]: ...


def _bits(values: np.ndarray) -> np.ndarray:
    """Return the bit patterns of float32 rows, one row per sample, with one pattern for NaN and one for zero."""
    rows = np.ascontiguousarray(values.reshape(len(values), -1), dtype=np.float32)
    rows = rows + np.float32(0)  # -0.0 -> 0.0; also a copy, so that the caller's NaN stay as they are
    rows[np.isnan(rows)] = np.nan
    return rows.view(np.uint32)


def _finalise(values: np.ndarray) -> np.ndarray:
    """Spread every bit over the word: the last step of SplitMix64 (Steele, Lea and Flood, 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _multipliers(length: int, part: int) -> np.ndarray:
    rng = np.random.default_rng([_MULTIPLIER_SEED, part])
    return rng.integers(0, 2**64, size=length, dtype=np.uint64) | np.uint64(1)


def hash_rows(windows: _Windows, y: np.ndarray) -> np.ndarray:
    """Return one uint64 for each pair of a window and its targets; equal pairs have equal hashes."""
    hashes = np.empty(len(windows), dtype=np.uint64)
    y_multipliers = _multipliers(y.shape[1], 1)
    multipliers = None
    for rows, block in windows.blocks():
        if multipliers is None:
            multipliers = _multipliers(block[0].size, 0)
        # sum_j a_j x_j modulo 2**64, over the bits of the window and of its targets
        total = (_bits(block) * multipliers).sum(axis=1, dtype=np.uint64)
        total += (_bits(y[rows]) * y_multipliers).sum(axis=1, dtype=np.uint64)
        hashes[rows] = _finalise(total)
    return hashes


def _same(windows: _Windows, y: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Say for each pair of rows whether they are equal, bit by bit; a few hundred pairs at a time."""
    same = np.empty(len(first), dtype=bool)
    for start in range(0, len(first), 256):
        part = slice(start, start + 256)
        a, b = first[part], second[part]
        same[part] = (_bits(windows.dense(a)) == _bits(windows.dense(b))).all(axis=1) & (
            _bits(y[a]) == _bits(y[b])
        ).all(axis=1)
    return same


def canonical_rows(windows: _Windows, y: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows to keep, in canonical order, and the weight of each with its equals' weights added.

    Parameters
    ----------
    windows : object with `__len__`, `dense(rows)` and `blocks()`
        The windows.
    y : ndarray of shape (n_windows, n_outputs), float32
        Their targets; NaN allowed.
    weight : ndarray of shape (n_windows,)
        Their weights.

    Returns
    -------
    rows : ndarray of int
        One row of each set of equal rows.
    weight : ndarray of float
        Their added weights.
    """
    hashes = hash_rows(windows, y)
    order = np.argsort(hashes, kind="stable")
    candidates = np.flatnonzero(hashes[order[1:]] == hashes[order[:-1]])
    merged = np.zeros(len(order), dtype=bool)
    # Two different rows may share a hash (one in 2**64): they must not be merged.
    merged[candidates + 1] = _same(windows, y, order[candidates], order[candidates + 1])
    groups = np.cumsum(~merged) - 1
    return order[~merged], np.bincount(groups, weights=weight[order])
