"""Minimal cells (Feng et al., 2024), whose gates and candidate do not read the state."""

from __future__ import annotations

import numpy as np
from scipy.special import expit, log_expit

from .base import Cell, Gates, Pulled, Slope, Squash, State, Weights, register

__all__ = ["MIN_GRU", "MIN_LSTM", "min_gru_step", "min_lstm_step"]


def min_gru_step(x: np.ndarray, state: State, weights: Weights, squash: Squash = np.tanh) -> tuple[State, Gates]:
    """One step of a minimal GRU (Feng et al., 2024, section 3.1): h(t) = (1 - z) h(t-1) + z g, z and g from x(t) only.

    Parameters and answers are as in `lstm_step`, with these differences: the state is (h,); there is no recurrent
    kernel; the blocks of kernel and bias are z, h; the gates are "update" z (1 forgets the state, unlike in a GRU) and
    "candidate" g, which is not squashed.
    """
    kernel, bias = weights
    z, g = np.split(x @ kernel + bias, 2, axis=-1)
    z = expit(z)
    return ((1 - z) * state[0] + z * g,), {"update": z, "candidate": g}


def min_lstm_step(x: np.ndarray, state: State, weights: Weights, squash: Squash = np.tanh) -> tuple[State, Gates]:
    """One step of a minimal LSTM (Feng et al., 2024, section 3.2): h(t) = (f h(t-1) + i g) / (f + i).

    Parameters and answers are as in `min_gru_step`; the blocks are i, f, h and the gates "input" i, "forget" f,
    "update" i / (f + i) and "candidate" g.
    """
    kernel, bias = weights
    i, f, g = np.split(x @ kernel + bias, 3, axis=-1)
    u = expit(log_expit(i) - log_expit(f))  # i / (f + i), also where both gates are shut
    return ((1 - u) * state[0] + u * g,), {"input": expit(i), "forget": expit(f), "update": u, "candidate": g}


def pull_min_gru(
    d_state: State, before: State, after: State, gates: Gates, weights: Weights, squash: Squash, slope: Slope
) -> Pulled:
    """Go back through one step; see `Cell.pull`."""
    z, g = gates["update"], gates["candidate"]
    (dh,), (h,) = d_state, before
    columns = np.concatenate([dh * (g - h) * z * (1 - z), dh * z], axis=-1)
    return Pulled((), columns, columns[..., :0], (dh * (1 - z),))


def pull_min_lstm(
    d_state: State, before: State, after: State, gates: Gates, weights: Weights, squash: Squash, slope: Slope
) -> Pulled:
    """Go back through one step; see `Cell.pull`."""
    i, f, u, g = (gates[name] for name in ("input", "forget", "update", "candidate"))
    (dh,), (h,) = d_state, before
    d_logit = dh * (g - h) * u * (1 - u)  # u = expit(log i - log f)
    columns = np.concatenate([d_logit * (1 - i), -d_logit * (1 - f), dh * u], axis=-1)
    return Pulled((), columns, columns[..., :0], (dh * (1 - u),))


MIN_GRU = register(
    Cell(
        "min_gru",
        "minGRU",
        ("update", "candidate"),
        min_gru_step,
        pull_min_gru,
        recurrent_kernel=False,
        in_feedback=False,
    )
)
MIN_LSTM = register(
    Cell(
        "min_lstm",
        "minLSTM",
        ("input", "forget", "candidate"),
        min_lstm_step,
        pull_min_lstm,
        recurrent_kernel=False,
        in_feedback=False,
    )
)
