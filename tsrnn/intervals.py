"""Prediction intervals from past errors (split conformal). Pure functions; imports nothing of tsrnn."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["residual_quantiles"]


def residual_quantiles(residuals: np.ndarray, quantiles: ArrayLike) -> np.ndarray:
    """Quantiles of held-out errors, widened for the number of errors they come from.

    With n errors the level q above the median is the error of rank (n + 1) q, rounded up, and below it the mirror
    image, which gives at least the nominal coverage when the errors are exchangeable. Errors of overlapping windows are
    not quite: read the coverage as approximate. Where n is too small to have that rank, the largest error stands in, on
    both sides.

    Parameters
    ----------
    residuals : ndarray of shape (n_errors, steps, n_targets)
        Observation minus forecast, in the unit of the target; NaN where nothing was observed.
    quantiles : ndarray of shape (n_quantiles,)
        Levels between 0 and 1.

    Returns
    -------
    ndarray of shape (steps, n_targets, n_quantiles)
        In the unit of the target.

    References
    ----------
    Lei, G'Sell, Rinaldo, Tibshirani, Wasserman (2018), "Distribution-free predictive inference for regression", JASA
    113, section 2.2.

    Examples
    --------
    >>> import numpy as np
    >>> errors = np.arange(-9.0, 10.0).reshape(-1, 1, 1)
    >>> residual_quantiles(errors, np.array([0.05, 0.5, 0.95])).ravel()
    array([-9.,  0.,  9.])
    """
    quantiles = np.asarray(quantiles)
    out = np.empty((*residuals.shape[1:], len(quantiles)))
    for step, target in np.ndindex(residuals.shape[1:]):
        errors = residuals[:, step, target]
        errors = errors[np.isfinite(errors)]
        if not len(errors):
            out[step, target] = np.nan
            continue
        middle = (len(errors) + 1) / 2
        largest = np.abs(errors).max()
        ordered = np.concatenate([[-largest], np.sort(errors), [largest]])  # ranks 0 .. n + 1
        rank = (len(errors) + 1) * quantiles
        # A level such as (1 - 0.9) / 2 misses its rank by a rounding error.
        low, high = ordered[np.floor(rank + 1e-9).astype(int)], ordered[np.ceil(rank - 1e-9).astype(int)]
        out[step, target] = np.where(rank < middle, low, np.where(rank > middle, high, (low + high) / 2))
    return out
