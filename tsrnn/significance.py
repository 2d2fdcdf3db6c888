"""Whether a difference between forecast errors is more than chance. Pure functions; imports nothing of tsrnn."""

from __future__ import annotations

import numpy as np

__all__ = ["long_run_standard_error"]


def long_run_standard_error(differences, lag: int) -> float:
    """Standard error of the mean of a correlated series (Newey-West, Bartlett weights).

    Forecasts `horizon` steps ahead from neighbouring cutoffs share most of what they are about: their errors are
    correlated over horizon - 1 cutoffs, and the usual standard error is far too small.

    Parameters
    ----------
    differences : array-like of shape (n,)
        In the order of time.
    lag : int
        Cutoffs over which to allow for correlation, usually horizon - 1.

    Returns
    -------
    float
        In the unit of the differences; NaN for fewer than two.

    References
    ----------
    Newey & West (1987), "A simple, positive semi-definite, heteroskedasticity and autocorrelation consistent covariance
    matrix", Econometrica 55, equation 5. Diebold & Mariano (1995), "Comparing predictive accuracy", JBES 13.

    Examples
    --------
    >>> round(long_run_standard_error([1.0, -1.0, 1.0, -1.0], lag=0), 3)
    0.5
    """
    d = np.asarray(differences, dtype=float)
    if len(d) < 2:
        return float("nan")
    d = d - d.mean()
    lag = min(lag, len(d) - 1)
    # S = c(0) + 2 sum_j (1 - j / (lag + 1)) c(j), with the autocovariances c(j)
    weights = 1 - np.arange(1, lag + 1) / (lag + 1)
    variance = d @ d + 2 * sum(w * (d[j:] @ d[:-j]) for j, w in enumerate(weights, start=1))
    return float(np.sqrt(max(variance, 0.0)) / len(d))
