"""Errors of forecasts: pure functions of arrays, `metric(y_true, y_pred)`. Imports checks, exceptions and Metric.

A `Metric` is such a function and a line about it, which tells tables of several models what to do with its numbers.

One rule for missing values holds in all: an element whose true value is NaN says nothing about the forecast and is left
out, with its pair; a NaN forecast of a known value is an error, or a model could gain by leaving out the hard steps.
Arrays are compared by position, whatever their index.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import ArrayLike

from ._checks import check_int
from ._metric import Metric
from .exceptions import DataError

__all__ = ["Metric", "coverage", "mae", "mase", "pinball", "rmse", "skill_score", "smape"]


def as_floats(values: ArrayLike, name: str) -> np.ndarray:
    """Return a float64 array that holds no infinity."""
    array = np.asarray(values, dtype=np.float64)
    if np.isinf(array).any():
        raise DataError(f"{name} holds {int(np.isinf(array).sum())} infinite values. Mark missing values with NaN.")
    return array


def known_pairs(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return the pairs whose true value is known, as two flat arrays of equal length, at least 1."""
    truth, forecast = as_floats(y_true, "y_true"), as_floats(y_pred, "y_pred")
    if truth.shape != forecast.shape:
        raise DataError(
            f"y_true has shape {truth.shape} and y_pred {forecast.shape}; they must be equal, since shapes are not "
            "broadcast. Reshape one of them, e.g. y_pred[:, 0]."
        )
    known = ~np.isnan(truth)
    if not known.any():
        raise DataError(f"y_true holds no known value in {truth.size} elements, so there is nothing to score.")
    truth, forecast = truth[known], forecast[known]
    missing = int(np.isnan(forecast).sum())
    if missing:
        raise DataError(
            f"y_pred is NaN in {missing} of {len(truth)} elements whose true value is known. Forecast them."
        )
    return truth, forecast


def exponent_of(values: np.ndarray) -> int:
    """Return the exponent of the smallest power of two above all magnitudes; 0 for zeros and nothing."""
    return int(np.frexp(np.abs(values).max(initial=0.0, where=~np.isnan(values)))[1])


def scaled_pairs(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[np.ndarray, np.ndarray, int]:
    """Return the known pairs in units of a power of two in which all are below 1, and its exponent.

    No bit is lost, and neither a difference nor a square leaves the range of double precision.
    """
    truth, forecast = known_pairs(y_true, y_pred)
    exponent = exponent_of(np.append(truth, forecast))
    return np.ldexp(truth, -exponent), np.ldexp(forecast, -exponent), exponent


def mae(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    r"""Compute the mean absolute error, :math:`\frac1n \sum |y - \hat y|`.

    Parameters
    ----------
    y_true : array-like of any shape
        Observations, in the unit of the series. Elements that are NaN are left out with their forecasts.
    y_pred : array-like of the shape of y_true
        Forecasts, in the same unit.

    Returns
    -------
    float
        In the unit of the series; 0 is best.

    Raises
    ------
    DataError
        A `ValueError`: if the shapes differ, no true value is known, a forecast of a known value is NaN, or a value is
        infinite.

    Examples
    --------
    >>> mae([1.0, 2.0, 3.0], [1.0, 3.0, 5.0])
    1.0
    >>> mae([1.0, float("nan"), 3.0], [1.0, 9.0, 5.0])
    1.0
    """
    truth, forecast, exponent = scaled_pairs(y_true, y_pred)
    return float(np.ldexp(np.mean(np.abs(truth - forecast)), exponent))


def rmse(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    r"""Compute the root mean squared error, :math:`\sqrt{\frac1n \sum (y - \hat y)^2}`.

    Parameters
    ----------
    y_true : array-like of any shape
        Observations, in the unit of the series. Elements that are NaN are left out with their forecasts.
    y_pred : array-like of the shape of y_true
        Forecasts, in the same unit.

    Returns
    -------
    float
        In the unit of the series; 0 is best, and never below `mae`.

    Raises
    ------
    DataError
        As in `mae`.

    Examples
    --------
    >>> rmse([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 8.0])
    2.0
    """
    truth, forecast, exponent = scaled_pairs(y_true, y_pred)
    return float(np.ldexp(np.sqrt(np.mean((truth - forecast) ** 2)), exponent))


def smape(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    r"""Compute the symmetric mean absolute percentage error, :math:`\frac{200}n \sum |y - \hat y| / (|y| + |\hat y|)`.

    Parameters
    ----------
    y_true : array-like of any shape
        Observations, in the unit of the series, on a scale with a true zero. Elements that are NaN are left out with
        their forecasts.
    y_pred : array-like of the shape of y_true
        Forecasts, in the same unit.

    Returns
    -------
    float
        In percent, from 0 (best) to 200. A pair of two zeros counts as 0; a zero on one side only, or a change of
        sign, as 200.

    Raises
    ------
    DataError
        As in `mae`.

    References
    ----------
    .. [1] Makridakis, S. (1993). Accuracy measures: theoretical and practical concerns. International Journal of
           Forecasting 9(4), 527-529.
    .. [2] Makridakis, S., Spiliotis, E. and Assimakopoulos, V. (2020). The M4 Competition: 100,000 time series and 61
           forecasting methods. International Journal of Forecasting 36(1), 54-74.

    Examples
    --------
    >>> smape([100.0, 0.0], [300.0, 0.0])
    50.0
    """
    truth, forecast, _ = scaled_pairs(y_true, y_pred)
    error, size = np.abs(truth - forecast), np.abs(truth) + np.abs(forecast)
    # where both are zero the error is zero too: divide it by 1 instead
    return float(200.0 * np.mean(error / np.where(size == 0, 1.0, size)))


def mase(y_true: ArrayLike, y_pred: ArrayLike, y_train: ArrayLike, season_length: int = 1) -> float:
    r"""Compute the mean absolute scaled error of one series.

    The mean absolute error over that of the seasonal naive forecast inside the training part:

    .. math:: \mathrm{MASE} = \frac{\frac1n \sum |y - \hat y|}{\frac1{T - m} \sum_{t=m+1}^{T} |y_t - y_{t-m}|}

    Parameters
    ----------
    y_true : array-like of any shape
        Observations of one series, in its unit. Elements that are NaN are left out with their forecasts.
    y_pred : array-like of the shape of y_true
        Forecasts, in the same unit.
    y_train : array-like of shape (n_train,)
        The observations that the model was fitted on, in time order and at equal steps; absent stamps must stand as
        NaN. A difference with a NaN on either side is left out.
    season_length : int, default=1
        Steps in a season, m; 1 scales by the naive forecast.

    Returns
    -------
    float
        Dimensionless; below 1 beats the in-sample seasonal naive.

    Raises
    ------
    DataError
        A `ValueError`: as in `mae`; if y_train is not one series longer than a season, holds no two known values one
        season apart, or repeats itself exactly, so that the scale is zero.
    TypeError, ValueError
        If season_length is not an integer, or below 1.

    References
    ----------
    .. [1] Hyndman, R. J. and Koehler, A. B. (2006). Another look at measures of forecast accuracy. International
           Journal of Forecasting 22(4), 679-688, section 3.

    Examples
    --------
    >>> mase([5.0, 6.0], [5.0, 7.0], y_train=[1.0, 3.0, 2.0, 3.0, 4.0])
    0.4
    >>> mase([5.0, 6.0], [5.0, 7.0], y_train=[1.0, 3.0, 2.0, 3.0, 4.0], season_length=2)
    0.5
    """
    return mae(y_true, y_pred) / naive_scale(y_train, season_length)


def naive_scale(y_train: ArrayLike, season_length: int) -> float:
    """Return the mean absolute error of the seasonal naive forecast inside y_train, in its unit, above 0."""
    check_int("season_length", season_length)
    train = as_floats(y_train, "y_train")
    if train.ndim != 1:
        raise DataError(
            f"y_train must be one series, of shape (n_train,), got shape {train.shape}. Score series by series."
        )
    if len(train) <= season_length:
        raise DataError(
            f"y_train has {len(train)} rows, but season_length={season_length} needs at least {season_length + 1}. "
            "Pass more of the training part or a shorter season."
        )
    exponent = exponent_of(train)
    train = np.ldexp(train, -exponent)
    # |y_t - y_{t-m}|, t = m+1..T
    changes = np.abs(train[season_length:] - train[:-season_length])
    changes = changes[~np.isnan(changes)]
    if not len(changes):
        raise DataError(
            f"y_train holds no two known values {season_length} steps apart. Pass a part with fewer missing values or "
            "another season_length."
        )
    scale = float(np.ldexp(changes.mean(), exponent))
    if scale == 0:
        raise DataError(
            f"y_train repeats itself exactly every {season_length} steps, so MASE would divide by zero. Use mae, or "
            "another season_length."
        )
    return scale


def skill_score(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    y_baseline: ArrayLike,
    metric: Callable[[ArrayLike, ArrayLike], float] = mae,
) -> float:
    r"""Compute the share of a baseline's error that a forecast takes away, :math:`1 - E(\hat y) / E(\hat y_0)`.

    Parameters
    ----------
    y_true : array-like of any shape
        Observations, in the unit of the series. Elements that are NaN are left out with their forecasts.
    y_pred : array-like of the shape of y_true
        Forecasts to judge, in the same unit.
    y_baseline : array-like of the shape of y_true
        Forecasts of the baseline, in the same unit.
    metric : callable, default=mae
        Error E, `metric(y_true, y_pred) -> float`, at least 0 and 0 at best.

    Returns
    -------
    float
        Dimensionless; 1 is perfect, 0 no better than the baseline, below 0 worse.

    Raises
    ------
    DataError
        A `ValueError`: as in `mae`, for either forecast, or if the baseline's error is zero.

    References
    ----------
    .. [1] Murphy, A. H. (1988). Skill scores based on the mean square error and their relationships to the correlation
           coefficient. Monthly Weather Review 116(12), 2417-2424.

    Examples
    --------
    >>> skill_score([1.0, 2.0], y_pred=[1.5, 2.5], y_baseline=[0.0, 1.0])
    0.5
    """
    error, baseline = metric(y_true, y_pred), metric(y_true, y_baseline)
    if baseline == 0:
        raise DataError(
            "the baseline's error is zero, so nothing can be better than it. Compare the errors themselves."
        )
    return 1.0 - error / baseline


def pinball(y_true: ArrayLike, y_pred: ArrayLike, quantiles: Mapping[float, ArrayLike]) -> float:
    r"""Compute the mean pinball loss of quantiles.

    .. math:: \frac1{nk} \sum \max(q (y - \hat y_q), (q - 1)(y - \hat y_q))

    Parameters
    ----------
    y_true : array-like of any shape
        Observations, in the unit of the series. Elements that are NaN are left out with their forecasts.
    y_pred : array-like of the shape of y_true
        Point forecasts, which do not count.
    quantiles : dict of float to array-like of the shape of y_true
        Forecasts of each quantile by its level, between 0 and 1, in the same unit; k of them.

    Returns
    -------
    float
        In the unit of the series; 0 is best.

    Raises
    ------
    DataError
        As in `mae`, for any quantile.

    References
    ----------
    .. [1] Koenker, R. and Bassett, G. (1978). Regression quantiles. Econometrica 46(1), 33-50.

    Examples
    --------
    >>> pinball([1.0, 2.0], [1.0, 1.0], quantiles={0.1: [0.0, 1.0], 0.9: [3.0, 1.0]})
    0.325
    """
    losses = []
    for level, forecast in quantiles.items():
        truth, forecast, exponent = scaled_pairs(y_true, forecast)
        error = truth - forecast
        losses.append(np.ldexp(np.mean(np.maximum(level * error, (level - 1) * error)), exponent))
    return float(np.mean(losses))


def coverage(y_true: ArrayLike, y_pred: ArrayLike, quantiles: Mapping[float, ArrayLike]) -> float:
    """Compute the share of observations between the lowest and the highest quantile.

    Parameters
    ----------
    y_true : array-like of any shape
        Observations, in the unit of the series. Elements that are NaN are left out with their forecasts.
    y_pred : array-like of the shape of y_true
        Point forecasts, which do not count.
    quantiles : dict of float to array-like of the shape of y_true
        Forecasts of each quantile by its level, between 0 and 1, in the same unit.

    Returns
    -------
    float
        From 0 to 1; best where it is the distance of the two levels.

    Raises
    ------
    DataError
        As in `mae`, for either quantile.

    Examples
    --------
    >>> coverage([1.0, 2.0], [1.0, 1.0], quantiles={0.1: [0.0, 0.0], 0.9: [3.0, 1.0]})
    0.5
    """
    truth, lower = known_pairs(y_true, quantiles[min(quantiles)])
    _, upper = known_pairs(y_true, quantiles[max(quantiles)])
    return float(np.mean((lower <= truth) & (truth <= upper)))


# ---------------------------------------------------------------------- what tables know of them


def _scaled(y_true: ArrayLike, y_pred: ArrayLike, scale: float) -> float:
    return mae(y_true, y_pred) / scale


def _skill(y_true: ArrayLike, y_pred: ArrayLike, reference: ArrayLike) -> float:
    """`skill_score`, but nothing where the reference is perfect."""
    baseline = mae(y_true, reference)
    return 1 - mae(y_true, y_pred) / baseline if baseline > 0 else np.nan


#: The columns of a comparison unless others are asked for.
USUAL = (
    Metric(mae, "MAE"),
    Metric(rmse, "RMSE"),
    Metric(smape, "sMAPE", unit="%"),
    Metric(_scaled, "MASE", unit="", needs=("scale",)),
    Metric(_skill, "skill", unit="", better="higher", needs=("reference",)),
)
PINBALL = Metric(pinball, "pinball", needs=("quantiles",))
#: The metrics of this module by name, and by the function that has it.
BY_NAME = {metric.name: metric for metric in (*USUAL, PINBALL)}
_FUNCTIONS: tuple[Callable[..., float], ...] = (mae, rmse, smape, mase, skill_score, pinball)
_BY_FUNCTION = dict(zip(_FUNCTIONS, BY_NAME.values(), strict=True))


def coverage_of(percent: str) -> Metric:
    """Return the metric of the share of observations inside an interval of so many per cent."""
    return Metric(coverage, f"coverage_{percent}", unit="share", needs=("quantiles",))


def as_metric(given: object) -> Metric:
    """Return the metric that was meant: one, the name of one of this module, or a function.

    Raises
    ------
    DataError
        If it is none of these.

    Examples
    --------
    >>> as_metric("sMAPE").unit, as_metric(mase).needs
    ('%', ('scale',))
    """
    if isinstance(given, Metric):
        return given
    if isinstance(given, str):
        if given not in BY_NAME:
            raise DataError(f"there is no metric {given!r}. Known by name: {', '.join(BY_NAME)}; or pass a function.")
        return BY_NAME[given]
    if not callable(given):
        raise DataError(f"a metric is a function f(y_true, y_pred), a Metric, or the name of one, got {given!r}.")
    known = [metric for function, metric in _BY_FUNCTION.items() if function is given]
    return known[0] if known else Metric(given)
