"""Whether a difference between forecast errors is more than chance. Pure functions; imports nothing of tsrnn."""

from __future__ import annotations

import numpy as np

__all__ = ["critical_value", "long_run_standard_error"]


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


def critical_value(n: int, lag: int) -> float:
    """Standard errors by which a mean must exceed 0 to do so at the 5 % level (one-sided).

    The standard error of `long_run_standard_error` is itself an estimate, and a poor one where the series is not much
    longer than its lags: 1.64, the value of the normal distribution, would then find differences where there are none.

    Parameters
    ----------
    n : int
        Length of the series.
    lag : int
        As for `long_run_standard_error`.

    Returns
    -------
    float
        1.64 for a long series, up to 3.80 for one that is as short as its lags.

    References
    ----------
    Kiefer & Vogelsang (2005), "A new asymptotic theory for heteroskedasticity-autocorrelation robust tests",
    Econometric Theory 21, table 1 (Bartlett kernel).

    Examples
    --------
    >>> round(critical_value(10_000, lag=0), 2), round(critical_value(100, lag=23), 2)
    (1.65, 2.18)
    """
    b = min(1.0, (lag + 1) / n)  # share of the series that the kernel spans
    return 1.6449 + 2.1859 * b + 0.3142 * b**2 - 0.3427 * b**3
