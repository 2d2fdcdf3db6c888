"""What the outputs of a network mean under each loss: a point forecast, some quantiles, or a distribution.

A target has one or more parameters, which are the outer axis of the outputs: (n_windows, n_parameters * n_targets), of
a sequence (n_windows, n_segments, n_parameters * n_targets_of_a_segment).

============= =========================================================================
mse mae huber the forecast
pinball       one quantile for each level
gaussian      location; scale s = 0.001 + softplus(r + c)
student_t     location; scale as above; degrees of freedom v = 2 + softplus(r + d)
============= =========================================================================

softplus(r) = log(1 + e^r) is r for large r, so that no output overflows. The shifts c and d make s = 1 and v = 5 where
the output r is 0: a network with a head of zeros starts from there. The variance is finite, v > 2, and no single
target that is forecast too well can take over the fit, s > 0.001, in the unit of the scaled targets.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri, stdtrit

__all__ = [
    "FREEDOM_SHIFT",
    "LOSSES",
    "SCALE_FLOOR",
    "SCALE_SHIFT",
    "freedom_of",
    "n_parameters",
    "point_forecast",
    "quantile_forecast",
    "scale_of",
    "split",
]

LOSSES = ("mse", "mae", "huber", "pinball", "gaussian", "student_t")

SCALE_FLOOR = 1e-3
SCALE_SHIFT = math.log(math.expm1(1 - SCALE_FLOOR))
FREEDOM_SHIFT = math.log(math.expm1(3))


def n_parameters(loss: str, quantiles: Sequence[float] = ()) -> int:
    """Return how many numbers a network gives out for each target.

    >>> n_parameters("mse"), n_parameters("student_t"), n_parameters("pinball", (0.1, 0.5, 0.9))
    (1, 3, 3)
    """
    return {"pinball": len(quantiles), "gaussian": 2, "student_t": 3}.get(loss, 1)


def split(loss: str, quantiles: Sequence[float], outputs: np.ndarray) -> np.ndarray:
    """Return the outputs as float64 (n_windows, n_parameters, n_targets).

    Those of a sequence, (n_windows, n_segments, n_parameters * k), have k targets in each segment.
    """
    n = n_parameters(loss, quantiles)
    parts = outputs.astype(np.float64).reshape(*outputs.shape[:-1], n, outputs.shape[-1] // n)
    # (N, S, P, k) -> (N, P, S, k) -> (N, P, S * k)
    return np.moveaxis(parts, -2, 1).reshape(len(outputs), n, math.prod(outputs.shape[1:]) // n)


def scale_of(raw: np.ndarray) -> np.ndarray:
    """Return the scale, above 0.001, that an output stands for."""
    return SCALE_FLOOR + np.logaddexp(0, raw + SCALE_SHIFT)


def freedom_of(raw: np.ndarray) -> np.ndarray:
    """Return the degrees of freedom, above 2, that an output stands for."""
    return 2 + np.logaddexp(0, raw + FREEDOM_SHIFT)


def point_forecast(loss: str, quantiles: Sequence[float], outputs: np.ndarray) -> np.ndarray:
    """Return one number per target, (n_windows, n_targets): the median, which is the location of a distribution.

    A network with a single quantile forecasts that quantile.
    """
    parameters = split(loss, quantiles, outputs)
    if loss == "pinball" and len(quantiles) > 1:
        return quantile_forecast(loss, quantiles, outputs, [0.5])[..., 0]
    return parameters[:, 0]


def quantile_forecast(
    loss: str, quantiles: Sequence[float], outputs: np.ndarray, levels: Sequence[float]
) -> np.ndarray:
    """Return quantiles of each target that do not cross.

    Parameters
    ----------
    loss : {"pinball", "gaussian", "student_t"}
        What the network was trained on.
    quantiles : sequence of float
        Levels that it learnt, increasing; for "pinball".
    outputs : ndarray of shape (n_windows, n_parameters * n_targets)
        What it gives out.
    levels : sequence of float
        Levels asked for, between 0 and 1.

    Returns
    -------
    ndarray of shape (n_windows, n_targets, n_levels)
        In the unit of the targets.

    Raises
    ------
    ValueError
        If the loss is that of a point forecast, or a level was not learnt.

    References
    ----------
    Chernozhukov, Fernandez-Val and Galichon (2010). Quantile and probability curves without crossing. Econometrica
    78(3): quantiles that were learnt one by one are sorted, which brings each nearer to the truth.

    Examples
    --------
    >>> import numpy as np
    >>> crossing = np.array([[2.0, 1.0, 3.0]])  # one window, one target
    >>> quantile_forecast("pinball", (0.1, 0.5, 0.9), crossing, [0.5, 0.9])
    array([[[2., 3.]]])
    """
    wanted = np.asarray(levels, dtype=np.float64)
    parameters = np.moveaxis(split(loss, quantiles, outputs), 1, -1)  # (n, P, K) -> (n, K, P)
    if loss == "pinball":
        return np.sort(parameters, axis=-1)[..., _positions(quantiles, wanted)]
    with np.errstate(invalid="ignore"):  # NaN, at the empty steps of a sequence, stays NaN
        if loss == "gaussian":
            location, raw_scale = np.split(parameters, 2, axis=-1)
            return location + scale_of(raw_scale) * ndtri(wanted)
        if loss == "student_t":
            location, raw_scale, raw_freedom = np.split(parameters, 3, axis=-1)
            return location + scale_of(raw_scale) * stdtrit(freedom_of(raw_freedom), wanted)
    raise ValueError(
        f"loss={loss!r} gives a point forecast without quantiles. Fit with loss='pinball', 'gaussian' or 'student_t'."
    )


def _positions(learnt: Sequence[float], wanted: np.ndarray) -> np.ndarray:
    # A level such as (1 - 0.9) / 2 misses 0.05 by a rounding error.
    same = np.isclose(wanted[:, None], np.asarray(learnt), rtol=0, atol=1e-9)
    unknown = wanted[~same.any(axis=1)]
    if len(unknown):
        raise ValueError(
            f"the network has not learnt the quantile(s) {unknown.tolist()}, only {list(learnt)}. Fit with them in "
            "quantiles=, or with loss='gaussian' or 'student_t', which know all."
        )
    return same.argmax(axis=1)
