"""The losses, in NumPy: what the validation part is scored with, and the oracle of the losses inside programs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from scipy.special import gammaln

from .distributions import freedom_of, scale_of, split

__all__ = ["mean_loss"]

Loss = Callable[[np.ndarray, np.ndarray, Sequence[float]], np.ndarray]


def _huber(parameters: np.ndarray, y: np.ndarray, quantiles: Sequence[float]) -> np.ndarray:
    """Quadratic up to 1, then linear (Huber, 1964)."""
    error = parameters[:, 0] - y
    size = np.abs(error)
    return np.where(size <= 1, 0.5 * np.square(error), size - 0.5)


def _pinball(parameters: np.ndarray, y: np.ndarray, quantiles: Sequence[float]) -> np.ndarray:
    """Mean over the quantiles t of max(t (y - q), (t - 1) (y - q)) (Koenker and Bassett, 1978)."""
    levels = np.asarray(quantiles)[:, None]
    error = y[:, None] - parameters
    return np.maximum(levels * error, (levels - 1) * error).mean(axis=1)


def _gaussian(parameters: np.ndarray, y: np.ndarray, quantiles: Sequence[float]) -> np.ndarray:
    """-log N(y; m, s^2) = 1/2 log 2 pi + log s + z^2 / 2 with z = (m - y) / s."""
    scale = scale_of(parameters[:, 1])
    z = (parameters[:, 0] - y) / scale
    return 0.5 * math.log(2 * math.pi) + np.log(scale) + 0.5 * z**2


def _student_t(parameters: np.ndarray, y: np.ndarray, quantiles: Sequence[float]) -> np.ndarray:
    """-log t_v(z) + log s with z = (m - y) / s, t_v the density with v degrees of freedom (Lange et al., 1989)."""
    scale, v = scale_of(parameters[:, 1]), freedom_of(parameters[:, 2])
    z = (parameters[:, 0] - y) / scale
    norm = gammaln((v + 1) / 2) - gammaln(v / 2) - 0.5 * np.log(math.pi * v) - np.log(scale)
    return (v + 1) / 2 * np.log1p(z**2 / v) - norm


_LOSSES: dict[str, Loss] = {
    "mse": lambda parameters, y, quantiles: np.square(parameters[:, 0] - y),
    "mae": lambda parameters, y, quantiles: np.abs(parameters[:, 0] - y),
    "huber": _huber,
    "pinball": _pinball,
    "gaussian": _gaussian,
    "student_t": _student_t,
}


def mean_loss(
    name: str, y_true: np.ndarray, outputs: np.ndarray, weight: np.ndarray, quantiles: Sequence[float] = ()
) -> float:
    """Weighted mean of the loss of each target over the targets that are not NaN.

    Parameters
    ----------
    name : {"mse", "mae", "huber", "pinball", "gaussian", "student_t"}
        The loss.
    y_true : ndarray of shape (n_windows, n_targets)
        Targets.
    outputs : ndarray of shape (n_windows, n_parameters * n_targets); of a sequence as in `distributions.split`
        Outputs of the network; see `distributions`.
    weight : ndarray of shape (n_windows,)
        Weights of the windows.
    quantiles : sequence of float
        Levels of "pinball".
    """
    known = ~np.isnan(y_true)
    weights = np.where(known, weight[:, None], 0).astype(np.float64)
    parameters = split(name, quantiles, outputs)
    with np.errstate(over="ignore", invalid="ignore"):  # a diverged network is reported by the training loop
        losses = _LOSSES[name](parameters, np.where(known, y_true, 0), quantiles)
        return float(np.where(known, weights * losses, 0).sum() / weights.sum())
