"""The exact backward pass through the cells, in double precision: what a change of any state or weight would do.

It is written by hand from the equations in `cells`, so that gradients of states can be looked at without an engine of
automatic differentiation. Imports cells and NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .cells import SQUASH, Gates, LayerTrace, Squash, State, Trace
from .spec import NetworkSpec

__all__ = ["Gradients", "backward"]

Slope = Callable[[np.ndarray], np.ndarray]

#: Slope of each activation, from its value: tanh' = 1 - tanh^2, and softsign'(x) = 1 / (1 + |x|)^2.
SLOPES: dict[str, Slope] = {"tanh": lambda y: 1 - y**2, "softsign": lambda y: (1 - np.abs(y)) ** 2}


@dataclass(frozen=True, eq=False)
class Gradients:
    """Gradients of one number that is a function of a network's outputs, such as a sum of losses.

    Attributes
    ----------
    states : list of list of tuple of ndarray of shape (n_windows, n_segments, units)
        By layer and direction, with respect to (h,), of an LSTM (h, c), after each segment, in the order of time. What
        later segments and higher layers make of a state counts; the memory c of an LSTM acts through the h of its own
        step too.
    initial : list of list of tuple of ndarray of shape (n_windows, units)
        With respect to the initial states.
    inputs : ndarray of shape (n_windows, n_segments, n_inputs)
        With respect to what the first layer reads.
    weights : list of ndarray
        With respect to the weights, in their order, summed over windows.
    """

    states: list[list[State]]
    initial: list[list[State]]
    inputs: np.ndarray
    weights: list[np.ndarray]


class _Pulled(NamedTuple):
    """One step backward: gradients of what was computed in it."""

    state: State  # of the state after the step, everything counted
    columns: np.ndarray  # of the sums of the input product, block by block
    recurrent: np.ndarray  # of the sums of the recurrent product
    before: State  # of the state before the step, less what goes through the recurrent product


def _pull_lstm(d_state: State, before: State, after: State, gates: Gates, weights, squash: Squash, slope: Slope):
    i, f, o, g = (gates[name] for name in ("input", "forget", "output", "candidate"))
    dh, dc = d_state
    s = squash(after[1])
    dc = dc + dh * o * slope(s)  # h = o squash(c)
    columns = [dc * g * i * (1 - i), dc * before[1] * f * (1 - f), dc * i * slope(g), dh * s * o * (1 - o)]
    sums = np.concatenate(columns, axis=-1)
    return _Pulled((dh, dc), sums, sums, (np.zeros_like(dh), dc * f))


def _pull_gru(d_state: State, before: State, after: State, gates: Gates, weights, squash: Squash, slope: Slope):
    z, r, g = (gates[name] for name in ("update", "reset", "candidate"))
    (dh,), (h,) = d_state, before
    units = h.shape[-1]
    product = h @ weights[1][:, 2 * units :] + weights[2][1, 2 * units :]  # what the reset gate lets through
    dz, dg = dh * (h - g) * z * (1 - z), dh * (1 - z) * slope(g)
    dr = dg * product * r * (1 - r)
    return _Pulled((dh,), np.concatenate([dz, dr, dg], axis=-1), np.concatenate([dz, dr, dg * r], axis=-1), (dh * z,))


def _pull_simple_rnn(d_state: State, before: State, after: State, gates: Gates, weights, squash: Squash, slope: Slope):
    sums = d_state[0] * slope(after[0])
    return _Pulled(d_state, sums, sums, (np.zeros_like(sums),))


PULLS = {"lstm": _pull_lstm, "gru": _pull_gru, "simple_rnn": _pull_simple_rnn}


def backward(spec: NetworkSpec, weights: Sequence[np.ndarray], seen: Trace, d_outputs: np.ndarray) -> Gradients:
    """Go back through what a network did.

    Parameters
    ----------
    spec : NetworkSpec
        The network.
    weights : sequence of ndarray
        Those that `seen` was computed with.
    seen : Trace
        From `tsrnn.networks.cells.trace`.
    d_outputs : ndarray of the shape of ``seen.outputs``
        Gradient with respect to the outputs. That of empty segments is ignored.

    Returns
    -------
    Gradients

    References
    ----------
    Werbos, P. (1990). Backpropagation through time: what it does and how to do it. Proceedings of the IEEE 78(10).

    Examples
    --------
    The gradient of Elman's network with W = 1/2 halves with each step, where tanh is straight:

    >>> import numpy as np
    >>> from tsrnn.networks.cells import trace
    >>> spec = NetworkSpec("simple_rnn", units=(1,), n_inputs=1, n_outputs=1)
    >>> weights = [np.ones((1, 1)), np.full((1, 1), 0.5), np.zeros(1), np.ones((1, 1)), np.zeros(1)]
    >>> gradients = backward(spec, weights, trace(spec, weights, np.zeros((4, 1))), np.ones((1, 1)))
    >>> gradients.states[0][0][0].ravel()
    array([0.125, 0.25 , 0.5  , 1.   ])
    """
    weights = [np.asarray(values, dtype=np.float64) for values in weights]
    head, arriving = _pull_head(spec, weights[-2], seen, np.asarray(d_outputs, dtype=np.float64))
    states: list[list[State]] = []
    initial: list[list[State]] = []
    found: list[np.ndarray] = []
    for i in reversed(range(len(spec.units))):
        first = (2 if spec.static else 0) + 3 * spec.directions * i
        layer: list[_PulledRun] = []
        # (n, S, directions * units) -> one part for each direction
        for d, (run, part) in enumerate(zip(seen.layers[i], np.split(arriving, spec.directions, axis=2), strict=True)):
            start = first + 3 * d
            layer.append(_pull_run(spec, weights[start : start + 3], run, part, seen.empty))
        states.insert(0, [pulled.states for pulled in layer])
        initial.insert(0, [pulled.initial for pulled in layer])
        found[:0] = [values for pulled in layer for values in pulled.weights]
        arriving = np.sum([pulled.inputs for pulled in layer], axis=0)
    return Gradients(states, initial, arriving, [*_pull_static(spec, seen, initial), *found, *head])


class _PulledRun(NamedTuple):
    states: State
    initial: State
    inputs: np.ndarray
    weights: list[np.ndarray]


def _pull_run(spec: NetworkSpec, weights, run: LayerTrace, arriving: np.ndarray, empty: np.ndarray) -> _PulledRun:
    """Go back through one layer in one direction; `arriving` is the gradient of its h from above (n, S, units)."""
    kernel, recurrent, _ = weights
    pull, squash, slope = PULLS[spec.cell], SQUASH[spec.activation], SLOPES[spec.activation]
    states = tuple(np.empty_like(values) for values in run.states)
    d_inputs = np.zeros_like(run.inputs)
    found = [np.zeros_like(values) for values in weights]
    carried: State = tuple(np.zeros_like(values) for values in run.initial)
    for t in reversed(run.reading_order):
        skipped, before = empty[:, t, None], run.before(t)
        d_state = (carried[0] + arriving[:, t], *carried[1:])
        after = tuple(values[:, t] for values in run.states)
        gates = {name: values[:, t] for name, values in run.gates.items()}
        pulled = pull(d_state, before, after, gates, weights, squash, slope)
        columns, sums = (np.where(skipped, 0.0, values) for values in (pulled.columns, pulled.recurrent))
        for kept, through, stays in zip(states, pulled.state, d_state, strict=True):
            kept[:, t] = np.where(skipped, stays, through)
        # An empty segment hands the state on as it was.
        carried = tuple(
            np.where(skipped, stays, through) for stays, through in zip(d_state, pulled.before, strict=True)
        )
        carried = (carried[0] + sums @ recurrent.T, *carried[1:])
        d_inputs[:, t] = columns @ kernel.T
        found[0] += run.inputs[:, t].T @ columns
        found[1] += before[0].T @ sums
        # Keras's GRU keeps the biases of the input product and of the recurrent product apart.
        found[2] += np.stack([columns.sum(0), sums.sum(0)]) if spec.cell == "gru" else columns.sum(0)
    return _PulledRun(states, carried, d_inputs, found)


def _pull_head(spec: NetworkSpec, kernel: np.ndarray, seen: Trace, d_outputs: np.ndarray):
    """Return the gradients of the head's weights, and of the states of the last layer (n, S, directions * units)."""
    if d_outputs.shape != seen.outputs.shape:
        raise ValueError(f"d_outputs must have the shape of the outputs, {seen.outputs.shape}, got {d_outputs.shape}.")
    top = seen.layers[-1]
    if spec.head == "sequence":
        d_outputs = np.where(seen.empty[..., None], 0.0, d_outputs)
        states = np.concatenate([run.states[0] for run in top], axis=2)
        kernel_gradient = np.einsum("nsu,nsk->uk", states, d_outputs)
        return [kernel_gradient, d_outputs.sum(axis=(0, 1))], d_outputs @ kernel.T
    last = np.concatenate([run.last for run in top], axis=1)
    arriving = [np.zeros_like(run.states[0]) for run in top]
    for run, values, part in zip(top, arriving, np.split(d_outputs @ kernel.T, spec.directions, axis=1), strict=True):
        values[:, run.reading_order[-1]] = part
    return [last.T @ d_outputs, d_outputs.sum(axis=0)], np.concatenate(arriving, axis=2)


def _pull_static(spec: NetworkSpec, seen: Trace, initial: list[list[State]]) -> list[np.ndarray]:
    """Return the gradients of the dense layer that makes the initial states, if there is one."""
    if not spec.static:
        return []
    flat = np.concatenate([values for layer in initial for direction in layer for values in direction], axis=1)
    flat = np.where(seen.empty[:, -1:], 0.0, flat)
    return [seen.static.T @ flat, flat.sum(axis=0)]
