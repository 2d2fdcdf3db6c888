"""By how much series are scaled before a network sees them. Imports nothing of tsrnn."""

from __future__ import annotations

import numpy as np

__all__ = ["fit_scaling", "lonely_values", "observed_mean"]

#: How often farther from its neighbours than 80 % of all values a value is that may be an error code.
LONELY = 100.0
#: Values on each side that count as neighbours, and the largest share of lonely values: more are the series itself.
NEIGHBOURS = 5
MOST_LONELY = 0.01
#: Share of the squared distances from neighbours that lonely values must account for to be left out of the scale.
DOMINANT = 0.9
#: Spread of a column, relative to its mean, below which its values are one and the same but for rounding.
RESOLUTION = 1e-14


def fit_scaling(values: np.ndarray, n_targets: int, block: int, level: str | None) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and scale (n_columns,) of the training rows, missing values left out.

    A target that is forecast relative to its last value is scaled by how far it moves within a block, not by how far
    it wanders over the years: a price path would otherwise shrink its own daily moves to nothing. Values that would
    decide on the scale alone are left out of it, see `lonely_values`.
    """
    values = np.where(lonely_values(values), np.nan, values)
    mean = observed_mean(values)
    scale = np.sqrt(observed_mean((values - mean) ** 2))
    if level == "last":
        targets = values[:, :n_targets]
        moves = [observed_mean((targets[h:] - targets[:-h]) ** 2) for h in {1, (block + 1) // 2, block}]
        moved = np.sqrt(observed_mean(np.array(moves)))
        # Where no two observations lie such steps apart there are no moves to measure.
        scale[:n_targets] = np.where(np.isnan(moved), scale[:n_targets], moved)
    mean = np.nan_to_num(mean)
    # A constant column has no scale but its value.
    moving = np.isfinite(scale) & (scale > RESOLUTION * np.abs(mean))
    return mean, np.where(moving, scale, np.where(mean == 0, 1.0, np.abs(mean)))


def observed_mean(values: np.ndarray) -> np.ndarray:
    """Mean of each column without its missing values; NaN for a column without any value."""
    seen = ~np.isnan(values)
    n = seen.sum(axis=0)
    return np.where(n > 0, np.where(seen, values, 0.0).sum(axis=0) / np.maximum(n, 1), np.nan)


def lonely_values(values: np.ndarray) -> np.ndarray:
    """Which values lie so far from their neighbours that they alone make up the movement of their column.

    An error code, -9999 among values around 1, is one: far from its neighbours and from the range of all others. The
    largest shower of a year is not, nor is a series that is mostly 0.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_columns)
        NaN where nothing was observed.

    Returns
    -------
    ndarray of bool, shape (n_rows, n_columns)

    Examples
    --------
    >>> wave = np.sin(np.arange(200) / 4)[:, None]
    >>> wave[100] = -9999
    >>> np.argwhere(lonely_values(wave)).tolist()
    [[100, 0]]
    """
    out = np.zeros(values.shape, dtype=bool)
    for k, column in enumerate(values.T):
        seen = np.flatnonzero(~np.isnan(column))
        if len(seen) > 2 * NEIGHBOURS:
            out[seen, k] = _lonely(column[seen])
    return out


def _lonely(values: np.ndarray) -> np.ndarray:
    # scipy.ndimage.median_filter corrupts the heap with SciPy 1.15.0 to 1.15.2.
    around = np.lib.stride_tricks.sliding_window_view(np.pad(values, NEIGHBOURS, mode="reflect"), 2 * NEIGHBOURS + 1)
    apart = np.abs(values - np.median(around, axis=1))
    usual = np.quantile(apart, 0.8)
    far = apart > LONELY * usual
    none = np.zeros(len(values), dtype=bool)
    if usual == 0 or not 0 < far.sum() <= max(1, MOST_LONELY * len(values)):
        return none
    low, high = values[~far].min(), values[~far].max()
    outside = np.maximum(low - values, values - high)[far].min() > high - low
    shares = (apart / apart.max()) ** 2
    return far if outside and shares[far].sum() > DOMINANT * shares.sum() else none
