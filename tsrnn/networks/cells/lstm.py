"""Long short-term memory (Hochreiter and Schmidhuber, 1997)."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from .base import Cell, Gates, Pulled, Slope, Squash, State, Weights, register

__all__ = ["LSTM", "lstm_step"]


def lstm_step(x: np.ndarray, state: State, weights: Weights, squash: Squash = np.tanh) -> tuple[State, Gates]:
    """One step of long short-term memory (Hochreiter and Schmidhuber, 1997, with the forget gate of Gers et al., 2000).

    Parameters
    ----------
    x : ndarray of shape (..., n_inputs)
        What is read.
    state : tuple of ndarray of shape (..., units)
        Hidden state h and memory cell c before the step.
    weights : sequence of ndarray
        Kernel (n_inputs, 4 units), recurrent kernel (units, 4 units) and bias (4 units,); blocks i, f, c, o. With
        peepholes their weights (3, units) as well, rows i, f, o: the gates see the memory, the output gate the new one
        (Gers et al., 2002).
    squash : callable
        Activation of candidate and output.

    Returns
    -------
    state : tuple of ndarray
        h and c after the step.
    gates : dict of ndarray of shape (..., units)
        "input", "forget" and "output" between 0 and 1, and "candidate", what the input gate lets in.

    Examples
    --------
    All weights 0 but the biases: the input gate is shut and the forget gate open, so the memory stays.

    >>> import numpy as np
    >>> weights = [np.zeros((1, 4)), np.zeros((1, 4)), np.array([-50.0, 50.0, 0.0, 0.0])]
    >>> (h, c), gates = lstm_step(np.ones(1), (np.zeros(1), np.array([0.7])), weights)
    >>> c, gates["forget"]
    (array([0.7]), array([1.]))
    """
    kernel, recurrent, bias, *peephole = weights
    h, c = state
    i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4, axis=-1)
    peep_i, peep_f, peep_o = peephole[0] if peephole else (0.0, 0.0, 0.0)
    i, f, g = expit(i + peep_i * c), expit(f + peep_f * c), squash(g)
    c = f * c + i * g
    o = expit(o + peep_o * c)
    return (o * squash(c), c), {"input": i, "forget": f, "output": o, "candidate": g}


def pull_lstm(
    d_state: State, before: State, after: State, gates: Gates, weights: Weights, squash: Squash, slope: Slope
) -> Pulled:
    """Go back through one step; see `Cell.pull`."""
    i, f, o, g = (gates[name] for name in ("input", "forget", "output", "candidate"))
    peep_i, peep_f, peep_o = weights[3] if len(weights) > 3 else (0.0, 0.0, 0.0)
    dh, dc = d_state
    s = squash(after[1])
    d_output = dh * s * o * (1 - o)
    dc = dc + dh * o * slope(s) + d_output * peep_o  # h = o squash(c)
    d_input, d_forget = dc * g * i * (1 - i), dc * before[1] * f * (1 - f)
    sums = np.concatenate([d_input, d_forget, dc * i * slope(g), d_output], axis=-1)
    return Pulled((dc,), sums, sums, (np.zeros_like(dh), dc * f + d_input * peep_i + d_forget * peep_f))


LSTM = register(
    Cell(
        "lstm",
        "LSTM",
        ("input", "forget", "candidate", "output"),
        lstm_step,
        pull_lstm,
        states=("h", "c"),
        remembers=1,
        peepholes=True,
    )
)
