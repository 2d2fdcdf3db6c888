"""The losses and their gradients, in NumPy: what validation is scored with, and the oracle of losses in programs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from scipy.special import digamma, expit, gammaln

from .distributions import FREEDOM_SHIFT, SCALE_SHIFT, freedom_of, scale_of, split

__all__ = ["loss_gradient", "mean_loss"]

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


# Gradients by the parameters: (n, P, K) and y (n, K) -> (n, P, K).


def _pinball_gradient(parameters: np.ndarray, y: np.ndarray, quantiles: Sequence[float]) -> np.ndarray:
    levels = np.asarray(quantiles)[:, None]
    error = y[:, None] - parameters
    return (np.where(error > 0, -levels, 1 - levels) * (error != 0)) / len(quantiles)


def _gaussian_gradient(parameters: np.ndarray, y: np.ndarray, quantiles: Sequence[float]) -> np.ndarray:
    scale = scale_of(parameters[:, 1])
    z = (parameters[:, 0] - y) / scale
    by_scale = (1 - z**2) / scale * expit(parameters[:, 1] + SCALE_SHIFT)
    return np.stack([z / scale, by_scale], axis=1)


def _student_t_gradient(parameters: np.ndarray, y: np.ndarray, quantiles: Sequence[float]) -> np.ndarray:
    scale, v = scale_of(parameters[:, 1]), freedom_of(parameters[:, 2])
    z = (parameters[:, 0] - y) / scale
    by_z = (v + 1) * z / (v + z**2)
    by_scale = (1 - z * by_z) / scale * expit(parameters[:, 1] + SCALE_SHIFT)
    by_norm = (digamma(v / 2) - digamma((v + 1) / 2) + 1 / v) / 2
    by_freedom = np.log1p(z**2 / v) / 2 - z * by_z / (2 * v) + by_norm
    return np.stack([by_z / scale, by_scale, by_freedom * expit(parameters[:, 2] + FREEDOM_SHIFT)], axis=1)


_GRADIENTS: dict[str, Loss] = {
    "mse": lambda parameters, y, quantiles: 2 * (parameters - y[:, None]),
    "mae": lambda parameters, y, quantiles: np.sign(parameters - y[:, None]),
    "huber": lambda parameters, y, quantiles: np.clip(parameters - y[:, None], -1, 1),
    "pinball": _pinball_gradient,
    "gaussian": _gaussian_gradient,
    "student_t": _student_t_gradient,
}


def loss_gradient(name: str, y_true: np.ndarray, outputs: np.ndarray, quantiles: Sequence[float] = ()) -> np.ndarray:
    """Gradient of the loss of each window, its mean over the targets that are not NaN, by the outputs.

    Parameters
    ----------
    name : {"mse", "mae", "huber", "pinball", "gaussian", "student_t"}
        The loss.
    y_true : ndarray of shape (n_windows, n_targets)
        Targets.
    outputs : ndarray of shape (n_windows, n_parameters * n_targets)
        Outputs of the network; see `distributions`.
    quantiles : sequence of float
        Levels of "pinball".

    Returns
    -------
    ndarray of the shape of the outputs; 0 for a target that is not known

    Examples
    --------
    >>> import numpy as np
    >>> loss_gradient("mse", np.array([[1.0, 2.0, np.nan]]), np.array([[1.5, 0.0, 9.0]]))
    array([[ 0.5, -2. ,  0. ]])
    """
    known = ~np.isnan(y_true)
    gradient = _GRADIENTS[name](split(name, quantiles, outputs), np.where(known, y_true, 0), quantiles)
    share = known / np.maximum(known.sum(axis=1, keepdims=True), 1)
    return (gradient * share[:, None]).reshape(outputs.shape)
