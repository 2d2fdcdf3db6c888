"""The training objective in keras.ops: losses, penalties, and the clipping of their gradients."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from keras import ops

from ..distributions import FREEDOM_SHIFT, SCALE_FLOOR, SCALE_SHIFT, n_parameters
from ..program import TrainerKey

__all__ = ["clip", "mean_loss", "penalty"]


def elementwise_loss(trainer: TrainerKey, y: Any, y_pred: Any) -> Any:
    """Return the loss of each target, (B, n_targets), from the outputs, (B, n_parameters * n_targets)."""
    if trainer.loss in _DISTRIBUTIONS:
        # (B, P * K) -> (B, P, K)
        parameters = ops.reshape(y_pred, (-1, n_parameters(trainer.loss, trainer.quantiles), y.shape[1]))
        return _DISTRIBUTIONS[trainer.loss](trainer, y, parameters)
    error = y_pred - y
    if trainer.loss == "mae":
        return ops.abs(error)
    if trainer.loss == "huber":  # quadratic up to 1, then linear (Huber, 1964)
        size = ops.abs(error)
        return ops.where(size <= 1, 0.5 * ops.square(error), size - 0.5)
    return ops.square(error)


def _pinball(trainer: TrainerKey, y: Any, parameters: Any) -> Any:
    """Mean over the quantiles t of max(t (y - q), (t - 1) (y - q)) (Koenker and Bassett, 1978)."""
    levels = np.asarray(trainer.quantiles, np.float32)[:, None]
    error = y[:, None] - parameters
    return ops.mean(ops.where(error >= 0, levels, levels - 1) * error, axis=1)


def _gaussian(trainer: TrainerKey, y: Any, parameters: Any) -> Any:
    """-log N(y; m, s^2) = 1/2 log 2 pi + log s + z^2 / 2 with z = (m - y) / s."""
    scale = _scale(parameters[:, 1])
    z = (parameters[:, 0] - y) / scale
    return 0.5 * math.log(2 * math.pi) + ops.log(scale) + 0.5 * ops.square(z)


def _student_t(trainer: TrainerKey, y: Any, parameters: Any) -> Any:
    """-log t_v(z) + log s with z = (m - y) / s, t_v the density with v degrees of freedom (Lange et al., 1989)."""
    scale = _scale(parameters[:, 1])
    v = 2 + ops.softplus(parameters[:, 2] + FREEDOM_SHIFT)
    z = (parameters[:, 0] - y) / scale
    norm = _log_gamma_ratio(v / 2) - 0.5 * math.log(2 * math.pi) - ops.log(scale)
    return (v + 1) / 2 * ops.log1p(ops.square(z) / v) - norm


_DISTRIBUTIONS = {"pinball": _pinball, "gaussian": _gaussian, "student_t": _student_t}


def _scale(raw: Any) -> Any:
    return SCALE_FLOOR + ops.softplus(raw + SCALE_SHIFT)


def _log_gamma_ratio(x: Any) -> Any:
    """Return log Gamma(x + 1/2) - log Gamma(x) - 1/2 log x for x >= 1; not every backend has log Gamma.

    The recurrence up to x + 4 and from there the difference of two Stirling series (DLMF, eq. 5.5.1 and 5.11.8). Each
    term goes to 0 for large x, so that nothing is lost to rounding there.
    """
    u = 1 / (x + 4)
    ratio = 0.5 * ops.log1p(4 / x) - u * (1 / 8 - u**2 * (1 / 192 - u**2 * (1 / 640 - u**2 * (17 / 14336))))
    return ratio - sum(ops.log1p(0.5 / (x + i)) for i in range(4))


def mean_loss(trainer: TrainerKey, y: Any, w: Any, y_pred: Any) -> tuple[Any, Any]:
    """Return sum_ik w_ik loss_ik / sum_ik w_ik, and sum_ik w_ik.

    Parameters
    ----------
    trainer : TrainerKey
        Names the loss.
    y : tensor of shape (B, n_targets)
        Targets; NaN where not known.
    w : tensor of shape (B,)
        Weights of the windows; 0 for what fills up a batch.
    y_pred : tensor of shape (B, n_outputs)
        Outputs of the network.
    """
    known = ops.logical_not(ops.isnan(y))
    # w_ik: no loss where the target is missing
    w = ops.where(known, w[:, None], 0.0)
    total = ops.sum(w)
    loss = elementwise_loss(trainer, ops.where(known, y, 0.0), y_pred)
    return ops.divide_no_nan(ops.sum(w * loss), total), total


def penalty(kernels: list[Any], l1: Any, l2: Any) -> Any:
    """Return sum l1 |k| + l2 k^2 over all entries of the kernels."""
    return sum(l1 * ops.sum(ops.abs(k)) + l2 * ops.sum(ops.square(k)) for k in kernels)


def clip(gradients: list[Any], clipnorm: Any) -> list[Any]:
    """Scale the gradients g by min(1, clipnorm / |g|), where |g| is the norm of all of them together."""
    norm = ops.sqrt(sum(ops.sum(ops.square(g)) for g in gradients))
    # an infinite norm must show as a loss that is not finite, not vanish here
    scale = ops.where(norm > clipnorm, clipnorm / norm, 1.0)
    return [g * scale for g in gradients]
