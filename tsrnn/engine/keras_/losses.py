"""The training objective in keras.ops: losses, penalties, and the clipping of their gradients."""

from __future__ import annotations

from typing import Any

from keras import ops

from ..program import TrainerKey

__all__ = ["clip", "mean_loss", "penalty"]


def elementwise_loss(trainer: TrainerKey, y: Any, y_pred: Any) -> Any:
    """Return the loss of each target, (B, n_targets)."""
    error = y_pred - y
    if trainer.loss == "mae":
        return ops.abs(error)
    if trainer.loss == "huber":  # quadratic up to 1, then linear (Huber, 1964)
        size = ops.abs(error)
        return ops.where(size <= 1, 0.5 * ops.square(error), size - 0.5)
    return ops.square(error)


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
