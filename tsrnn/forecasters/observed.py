"""Which rows hold the last observation, and what it was. Pure functions on arrays; imports nothing of tsrnn."""

from __future__ import annotations

import numpy as np

__all__ = ["carry_forward", "latest_of_phase", "latest_rows", "rows_since_observed", "take_rows"]


def latest_rows(values: np.ndarray, period: int = 1) -> np.ndarray:
    """For each entry, the last row at or before it that is observed and a whole number of periods away.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_targets)
        NaN where nothing was observed.
    period : int
        1 looks at every row before, a season's length only at rows of the same phase.

    Returns
    -------
    ndarray of int, shape (n_rows, n_targets)
        -1 where there is none.

    Examples
    --------
    >>> latest_rows(np.array([[np.nan], [5.0], [np.nan], [np.nan]]), period=2).ravel()
    array([-1,  1, -1,  1])
    """
    n_rows, n_targets = values.shape
    seasons = -(-n_rows // period)
    rows = np.full((seasons * period, n_targets), -1)
    rows[:n_rows] = np.where(np.isnan(values), -1, np.arange(n_rows)[:, None])
    # (n, K) -> (seasons, period, K): a column of a season's phase holds ascending rows, so their maximum is the latest
    seen = np.maximum.accumulate(rows.reshape(seasons, period, n_targets), axis=0)
    return seen.reshape(-1, n_targets)[:n_rows]


def latest_of_phase(values: np.ndarray, phase: np.ndarray, cutoffs: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The last observed row, up to the cutoff, of the phase that another row has.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_targets)
        NaN where nothing was observed.
    phase : ndarray of int, shape (n_rows,)
        From 0 on.
    cutoffs : ndarray of int, shape (n_cutoffs,)
    rows : ndarray of int, shape (n_cutoffs, steps)
        Rows whose phases are asked for.

    Returns
    -------
    ndarray of int, shape (n_cutoffs, steps, n_targets)
        -1 where there is none.

    Examples
    --------
    >>> values = np.array([[7.0], [8.0], [9.0], [np.nan]])
    >>> latest_of_phase(values, np.array([0, 1, 1, 0]), np.array([2]), np.array([[3]])).ravel()
    array([0])
    """
    n_rows = len(values)
    order = np.lexsort((np.arange(n_rows), phase))
    base = phase[order] * (n_rows + 1)
    seen = np.where(np.isnan(values[order]), 0, order[:, None] + 1) + base[:, None]
    # The bases of later phases are larger than every row of earlier ones: the maximum stays within its phase.
    latest = np.maximum.accumulate(seen, axis=0) - base[:, None] - 1
    at = np.searchsorted(base + order, phase[rows] * (n_rows + 1) + cutoffs[:, None], side="right") - 1
    same = (at >= 0) & (phase[order][at] == phase[rows])
    return np.where(same[..., None], latest[at], -1)


def take_rows(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Pick ``values[rows[..., k], k]`` for each column k; NaN where the row is -1."""
    taken = np.take_along_axis(values, np.maximum(rows, 0).reshape(-1, values.shape[1]), axis=0)
    return np.where(rows < 0, np.nan, taken.reshape(rows.shape))


def carry_forward(values: np.ndarray, cutoffs: np.ndarray) -> np.ndarray:
    """The last observation at or before each cutoff, shape (n_cutoffs, n_targets); NaN where there is none."""
    return take_rows(values, latest_rows(values)[cutoffs])


def rows_since_observed(values: np.ndarray, cutoffs: np.ndarray) -> np.ndarray:
    """How many rows up to each cutoff, and at its end, hold no observation: 0 where the cutoff itself is observed.

    Returns
    -------
    ndarray of int, shape (n_cutoffs, n_targets)
        0 as well where nothing was observed up to the cutoff: there is nothing to measure a distance from.

    Examples
    --------
    >>> rows_since_observed(np.array([[np.nan], [5.0], [np.nan], [np.nan]]), np.array([0, 1, 3])).ravel()
    array([0, 0, 2])
    """
    cutoffs = np.asarray(cutoffs)
    rows = latest_rows(values)[cutoffs]
    return np.where(rows < 0, 0, cutoffs[:, None] - rows)
