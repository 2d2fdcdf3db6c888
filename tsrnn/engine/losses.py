"""The losses, in NumPy: what the validation part is scored with, and the oracle of the losses inside programs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["LOSSES", "mean_loss"]


def _huber(error: np.ndarray) -> np.ndarray:
    """Quadratic up to 1, then linear (Huber, 1964)."""
    size = np.abs(error)
    return np.where(size <= 1, 0.5 * np.square(error), size - 0.5)


LOSSES: dict[str, Callable[[np.ndarray], np.ndarray]] = {"mse": np.square, "mae": np.abs, "huber": _huber}


def mean_loss(name: str, y_true: np.ndarray, y_pred: np.ndarray, weight: np.ndarray) -> float:
    """Weighted mean of the elementwise loss over the targets that are not NaN.

    Parameters
    ----------
    name : {"mse", "mae", "huber"}
        The loss.
    y_true, y_pred : ndarray of shape (n_windows, n_outputs)
        Targets and predictions.
    weight : ndarray of shape (n_windows,)
        Weights of the windows.
    """
    known = ~np.isnan(y_true)
    error = np.where(known, y_pred.astype(np.float64) - np.where(known, y_true, 0), 0)
    weights = np.where(known, weight[:, None], 0).astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):  # a diverged network is reported by the training loop
        return float((weights * LOSSES[name](error)).sum() / weights.sum())
