"""Whether a difference between forecast errors is more than chance. Pure functions; imports nothing of tsrnn."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtr, stdtrit

__all__ = ["critical_value", "holm", "long_run_standard_error", "mean_interval", "one_sided_p"]

#: Kiefer & Vogelsang (2005), table 1, Bartlett kernel, at 5 % and at 1 %: a polynomial in the share of the series
#: that the kernel spans.
KERNEL_LEVELS = (0.95, 0.99)
KERNEL_VALUES = ((1.6449, 2.1859, 0.3142, -0.3427), (2.3263, 4.1618, 0.5368, -0.9060))
#: Degrees of freedom of Student's distribution, and how much farther out its 1 % lie than its 5 %.
FREEDOM = np.geomspace(1.0, 1e6, 400)
REACH = stdtrit(FREEDOM, KERNEL_LEVELS[1]) / stdtrit(FREEDOM, KERNEL_LEVELS[0])


def long_run_standard_error(differences: ArrayLike, lag: int) -> float:
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
    # In units of a power of two, which loses no bit, so that no square leaves the range of double precision.
    exponent = int(np.frexp(np.abs(d).max())[1])
    d = np.ldexp(d, -exponent)
    d = d - d.mean()
    lag = min(lag, len(d) - 1)
    # S = c(0) + 2 sum_j (1 - j / (lag + 1)) c(j), with the autocovariances c(j)
    weights = 1 - np.arange(1, lag + 1) / (lag + 1)
    variance = d @ d + 2 * sum(w * (d[j:] @ d[:-j]) for j, w in enumerate(weights, start=1))
    return float(np.ldexp(np.sqrt(max(variance, 0.0)) / len(d), exponent))


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
    return float(_critical_values(n, lag)[0])


def _critical_values(n: int, lag: int) -> np.ndarray:
    """Critical values at 5 % and at 1 %, one-sided."""
    b = min(1.0, (lag + 1) / n)  # share of the series that the kernel spans
    return np.polynomial.polynomial.polyval(b, np.transpose(KERNEL_VALUES))


def _stretched_student(n: int, lag: int) -> tuple[float, float]:
    """Degrees of freedom and stretch of Student's distribution whose 5 % and 1 % are the critical values."""
    at_5, at_1 = _critical_values(n, lag)
    freedom = float(1 / np.interp(at_1 / at_5, REACH[::-1], 1 / FREEDOM[::-1]))
    return freedom, float(at_5 / stdtrit(freedom, KERNEL_LEVELS[0]))


def mean_interval(differences: ArrayLike, lag: int, level: float = 0.05) -> tuple[float, float]:
    """Interval that holds the mean of a correlated series but for this probability.

    It leaves out 0 just where a two-sided test by `one_sided_p` at this level finds a trend to one side.

    Parameters
    ----------
    differences : array-like of shape (n,)
        In the order of time.
    lag : int
        As for `long_run_standard_error`.
    level : float, default=0.05
        Of both sides together.

    Returns
    -------
    tuple of float
        In the unit of the differences; infinite for fewer than two, which prove nothing.

    Examples
    --------
    >>> [round(bound, 2) for bound in mean_interval([1.0, 2.0, 1.5, 0.5, 1.0], lag=0)]
    [0.49, 1.91]
    """
    d = np.asarray(differences, dtype=float)
    n = len(d)
    if n < 2:
        return float("-inf"), float("inf")
    freedom, stretch = _stretched_student(n, lag)
    correlated = stretch * stdtrit(freedom, 1 - level / 2)
    independent = stdtrit(n - 1, 1 - level / 2) * np.sqrt(n / (n - 1))
    reach = max(correlated, independent) * long_run_standard_error(d, lag)
    return float(d.mean() - reach), float(d.mean() + reach)


def one_sided_p(differences: ArrayLike, lag: int) -> float:
    """Probability that the mean of a correlated series without any trend to one side comes out as large as this one.

    Small where the mean is above 0 by more than chance would do. The mean over its `long_run_standard_error` is held
    against Student's distribution, stretched and with the degrees of freedom for which its 5 % and 1 % lie where
    Kiefer and Vogelsang put them; and against the exact one of independent differences, which is wider where these
    are few.

    Parameters
    ----------
    differences : array-like of shape (n,)
        In the order of time.
    lag : int
        As for `long_run_standard_error`.

    Returns
    -------
    float
        From 0 to 1; 0.5 for fewer than two differences, which prove nothing, and where all are 0.

    References
    ----------
    Kiefer & Vogelsang (2005), "A new asymptotic theory for heteroskedasticity-autocorrelation robust tests",
    Econometric Theory 21, table 1 (Bartlett kernel). Diebold & Mariano (1995), "Comparing predictive accuracy",
    JBES 13.

    Examples
    --------
    >>> round(one_sided_p([1.0, 2.0, 1.5, 0.5, 1.0], lag=0), 4), round(one_sided_p([1.0, -1.0, 0.5], lag=0), 2)
    (0.0046, 0.4)
    """
    d = np.asarray(differences, dtype=float)
    n, error = len(d), long_run_standard_error(d, lag)
    if n < 2 or not d.any():
        return 0.5
    if error == 0:  # the same difference each time
        return 0.0 if d.mean() > 0 else 1.0
    statistic = abs(d.mean()) / error
    freedom, stretch = _stretched_student(n, lag)
    correlated = stdtr(freedom, -statistic / stretch)
    independent = stdtr(n - 1, -statistic * np.sqrt((n - 1) / n))  # the standard error divides by n, not n - 1
    tail = float(max(correlated, independent))
    return tail if d.mean() > 0 else 1.0 - tail


def holm(p_values: ArrayLike) -> np.ndarray:
    """Adjust p-values for how many there are: the chance that any of true nulls is rejected stays below the level.

    Parameters
    ----------
    p_values : array-like of shape (n,)

    Returns
    -------
    ndarray of shape (n,)
        In the same order, from 0 to 1. Reject where they are below the level wanted.

    References
    ----------
    Holm (1979), "A simple sequentially rejective multiple test procedure", Scand. J. Statist. 6.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """
    p = np.asarray(p_values, dtype=float)
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)).clip(max=1.0)
    return adjusted
