"""Back-propagation through time of Elman's network, in the notation of the textbooks. Imports NumPy only.

`backward` does the same for every network; here are the equations for one cell and one window, in matrices as they are
printed, to read and to hold other code against.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["ElmanGradients", "elman_gradients", "elman_states"]


class ElmanGradients(NamedTuple):
    """Gradients of the loss by the parameters of Elman's network, each of its parameter's shape.

    `h` is that by the hidden states, of shape (n_steps, units).
    """

    V: np.ndarray
    W: np.ndarray
    U: np.ndarray
    b: np.ndarray
    c: np.ndarray
    h: np.ndarray


def elman_states(U: ArrayLike, W: ArrayLike, b: ArrayLike, x: ArrayLike) -> np.ndarray:
    """Return h(1), ..., h(T) of shape (n_steps, units): h(t) = tanh(b + W h(t-1) + U x(t)), with h(0) = 0.

    Parameters
    ----------
    U : array-like of shape (units, n_inputs)
        Input to hidden. Keras's kernel is its transpose.
    W : array-like of shape (units, units)
        Hidden to hidden. Keras's recurrent kernel is its transpose.
    b : array-like of shape (units,)
        Bias.
    x : array-like of shape (n_steps, n_inputs)
        One window.
    """
    U, W, b, x = (np.asarray(values, dtype=np.float64) for values in (U, W, b, x))
    h, states = np.zeros(len(W)), []
    for inputs in x:
        h = np.tanh(b + W @ h + U @ inputs)
        states.append(h)
    return np.array(states)


def elman_gradients(
    U: ArrayLike, W: ArrayLike, V: ArrayLike, b: ArrayLike, x: ArrayLike, d_outputs: ArrayLike
) -> ElmanGradients:
    """Gradients of a loss of the outputs o(t) = c + V h(t) by all parameters, in closed form.

    With g(t) = d L / d o(t), which is 0 at steps without a target::

        d L / d h(T) = V' g(T)
        d L / d h(t) = W' diag(1 - h(t+1)^2) d L / d h(t+1) + V' g(t)
        d L / d V = sum_t g(t) h(t)'
        d L / d W = sum_t diag(1 - h(t)^2) (d L / d h(t)) h(t-1)'
        d L / d U = sum_t diag(1 - h(t)^2) (d L / d h(t)) x(t)'
        d L / d b = sum_t diag(1 - h(t)^2) (d L / d h(t))
        d L / d c = sum_t g(t)

    Parameters
    ----------
    U : array-like of shape (units, n_inputs)
        Input to hidden.
    W : array-like of shape (units, units)
        Hidden to hidden.
    V : array-like of shape (n_outputs, units)
        Hidden to output.
    b : array-like of shape (units,)
        Bias of the hidden layer. That of the outputs, c, does not matter for the gradients.
    x : array-like of shape (n_steps, n_inputs)
        One window.
    d_outputs : array-like of shape (n_steps, n_outputs)
        g(t), the gradient of the loss by the outputs.

    Returns
    -------
    ElmanGradients

    References
    ----------
    Goodfellow, I., Bengio, Y. and Courville, A. (2016). Deep Learning, equations 10.8-10.11 and 10.17-10.28. MIT Press.

    Examples
    --------
    One unit, two steps, and a loss of the last output, whose gradient is 1:

    >>> import numpy as np
    >>> gradients = elman_gradients([[1.0]], [[0.5]], [[2.0]], [0.0], [[0.3], [0.0]], [[0.0], [1.0]])
    >>> h = np.tanh(0.3), np.tanh(0.5 * np.tanh(0.3))
    >>> bool(np.isclose(gradients.W, 2 * (1 - h[1] ** 2) * h[0]).all())
    True
    >>> bool(np.isclose(gradients.U, 2 * (1 - h[1] ** 2) * 0.5 * (1 - h[0] ** 2) * 0.3).all())
    True
    """
    U, W, V, x, g = (np.asarray(values, dtype=np.float64) for values in (U, W, V, x, d_outputs))
    if g.shape != (len(x), len(V)):
        raise ValueError(f"d_outputs must have shape {(len(x), len(V))}, one row per step of x, got {g.shape}.")
    h = elman_states(U, W, b, x)
    slope = 1 - h**2
    by_h = g @ V
    for t in reversed(range(len(x) - 1)):
        by_h[t] += W.T @ (slope[t + 1] * by_h[t + 1])
    by_sum = slope * by_h  # (T, units): by b + W h(t-1) + U x(t)
    before = np.vstack([np.zeros((1, len(W))), h[:-1]])
    return ElmanGradients(g.T @ h, by_sum.T @ before, by_sum.T @ x, by_sum.sum(axis=0), g.sum(axis=0), by_h)
