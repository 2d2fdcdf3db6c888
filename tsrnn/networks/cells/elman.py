"""Elman's network (1990), and the dense layer of Jordan's (1986), which has no state of its own."""

from __future__ import annotations

import numpy as np

from .base import Cell, Gates, Pulled, Slope, Squash, State, Weights, register

__all__ = ["DENSE", "SIMPLE_RNN", "simple_rnn_step"]


def simple_rnn_step(x: np.ndarray, state: State, weights: Weights, squash: Squash = np.tanh) -> tuple[State, Gates]:
    """One step of Elman's network (1990): h(t) = tanh(b + W h(t-1) + U x(t)). It has no gates.

    Parameters and answers are as in `lstm_step`; the state is (h,), and the kernels are one block.
    """
    kernel, recurrent, bias = weights
    (h,) = state
    return (squash(x @ kernel + h @ recurrent + bias),), {}


def pull_simple_rnn(
    d_state: State, before: State, after: State, gates: Gates, weights: Weights, squash: Squash, slope: Slope
) -> Pulled:
    """Go back through one step; see `Cell.pull`."""
    sums = d_state[0] * slope(after[0])
    return Pulled((), sums, sums, (np.zeros_like(sums),))


def dense_step(x: np.ndarray, state: State, weights: Weights, squash: Squash = np.tanh) -> tuple[State, Gates]:
    """One step of a dense layer, h(t) = tanh(b + U x(t)): parameters and answers are as in `simple_rnn_step`."""
    kernel, bias = weights
    return (squash(x @ kernel + bias),), {}


DENSE = register(Cell("dense", "dense", ("state",), dense_step, states=(), recurrent_kernel=False, in_windows=False))
SIMPLE_RNN = register(Cell("simple_rnn", "SimpleRNN", ("state",), simple_rnn_step, pull_simple_rnn))
