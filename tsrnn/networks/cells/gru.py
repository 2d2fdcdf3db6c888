"""The gated recurrent unit (Cho et al., 2014), with the reset gate after the recurrent product."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from .base import Cell, Gates, Pulled, Slope, Squash, State, Weights, register

__all__ = ["GRU", "gru_step"]


def gru_step(x: np.ndarray, state: State, weights: Weights, squash: Squash = np.tanh) -> tuple[State, Gates]:
    """One step of a gated recurrent unit (Cho et al., 2014), with the reset gate after the recurrent product.

    Parameters and answers are as in `lstm_step`, with these differences: the state is (h,); the blocks of the kernels
    are z, r, h, and the bias is (2, 3 units), that of the input product and that of the recurrent product; the gates
    are "update" (1 keeps the state as it is), "reset" and "candidate".
    """
    kernel, recurrent, bias = weights
    (h,) = state
    xz, xr, xh = np.split(x @ kernel + bias[0], 3, axis=-1)
    hz, hr, hh = np.split(h @ recurrent + bias[1], 3, axis=-1)
    z, r = expit(xz + hz), expit(xr + hr)
    g = squash(xh + r * hh)
    return (z * h + (1 - z) * g,), {"update": z, "reset": r, "candidate": g}


def pull_gru(
    d_state: State, before: State, after: State, gates: Gates, weights: Weights, squash: Squash, slope: Slope
) -> Pulled:
    """Go back through one step; see `Cell.pull`."""
    z, r, g = (gates[name] for name in ("update", "reset", "candidate"))
    (dh,), (h,) = d_state, before
    units = h.shape[-1]
    product = h @ weights[1][:, 2 * units :] + weights[2][1, 2 * units :]  # what the reset gate lets through
    dz, dg = dh * (h - g) * z * (1 - z), dh * (1 - z) * slope(g)
    dr = dg * product * r * (1 - r)
    return Pulled((), np.concatenate([dz, dr, dg], axis=-1), np.concatenate([dz, dr, dg * r], axis=-1), (dh * z,))


GRU = register(Cell("gru", "GRU", ("update", "reset", "candidate"), gru_step, pull_gru, n_biases=2))
