"""The exact backward pass through the cells, in double precision: what a change of any state or weight would do.

It is written by hand from the equations in `cells`, so that gradients of states can be looked at without an engine of
automatic differentiation. Imports cells and NumPy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from .cells import CELLS, SLOPES, SQUASH, Slope, State
from .spec import NetworkSpec
from .tracing import LayerTrace, Trace, dense, split_weights

__all__ = ["Gradients", "backward"]


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


def backward(spec: NetworkSpec, weights: Sequence[np.ndarray], seen: Trace, d_outputs: np.ndarray) -> Gradients:
    """Go back through what a network did.

    Parameters
    ----------
    spec : NetworkSpec
        The network.
    weights : sequence of ndarray
        Those that `seen` was computed with.
    seen : Trace
        From `tsrnn.networks.tracing.trace`.
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
    >>> from tsrnn.networks.tracing import trace
    >>> spec = NetworkSpec("simple_rnn", units=(1,), n_inputs=1, n_outputs=1)
    >>> weights = [np.ones((1, 1)), np.full((1, 1), 0.5), np.zeros(1), np.ones((1, 1)), np.zeros(1)]
    >>> gradients = backward(spec, weights, trace(spec, weights, np.zeros((4, 1))), np.ones((1, 1)))
    >>> gradients.states[0][0][0].ravel()
    array([0.125, 0.25 , 0.5  , 1.   ])
    """
    d_outputs = np.asarray(d_outputs, dtype=np.float64)
    if d_outputs.shape != seen.outputs.shape:
        raise ValueError(f"d_outputs must have the shape of the outputs, {seen.outputs.shape}, got {d_outputs.shape}.")
    if spec.head == "sequence":
        d_outputs = np.where(seen.empty[..., None], 0.0, d_outputs)
    split = split_weights(spec, [np.asarray(values, dtype=np.float64) for values in weights])
    passed = dense(split.outputs, seen.features, SQUASH[spec.activation])[-1]
    head = _dense_gradients(passed, d_outputs)
    arriving, output_layers = _pull_dense(spec, split.outputs, seen.features, d_outputs @ split.head[0].T)
    states: list[list[State]] = []
    initial: list[list[State]] = []
    layers: list[np.ndarray] = []
    for i in reversed(range(len(spec.units))):
        above, last = arriving, arriving.ndim == 2  # only the state after the last segment was asked for
        pulled = [
            _pull_run(spec, part, run, _at_end(above_run, run) if last else above_run, seen.empty)
            for part, run, above_run in zip(split.layers[i], seen.layers[i], _split(spec, above), strict=True)
        ]
        states.insert(0, [one.states for one in pulled])
        initial.insert(0, [one.initial for one in pulled])
        layers[:0] = [values for one in pulled for values in one.weights]
        arriving = np.sum([one.inputs for one in pulled], axis=0)
        if spec.residual and i > 0:
            through = arriving[:, -1] if last else arriving
            through += above
    arriving, input_layers = _pull_dense(spec, split.inputs, seen.inputs, arriving)
    found = [*_pull_static(spec, seen, initial), *input_layers, *layers, *output_layers, *head]
    return Gradients(states, initial, arriving, found)


def _split(spec: NetworkSpec, arriving: np.ndarray) -> list[np.ndarray]:
    """Undo `merge`: return what reaches each direction."""
    if spec.merge_mode == "concat" or not spec.bidirectional:
        return np.split(arriving, spec.directions, axis=-1)
    return [arriving / 2 if spec.merge_mode == "ave" else arriving] * 2


def _at_end(arriving: np.ndarray, run: LayerTrace) -> np.ndarray:
    """Put the gradient of the last state (n, units) where that state is: (n, S, units)."""
    spread = np.zeros_like(run.states[0])
    spread[np.arange(len(run.ends)), run.ends] = arriving
    return spread


def _pull_dense(
    spec: NetworkSpec, layers: Sequence[Sequence[np.ndarray]], values: np.ndarray, arriving: np.ndarray
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Go back through dense layers that read `values`, and return the gradients of these and of the weights."""
    passed, slope = dense(layers, values, SQUASH[spec.activation]), SLOPES[spec.activation]
    found: list[np.ndarray] = []
    for i, (kernel, _) in reversed(list(enumerate(layers))):
        sums = arriving * slope(passed[i + 1])
        found[:0] = _dense_gradients(passed[i], sums)
        arriving = sums @ kernel.T
    return arriving, found


def _dense_gradients(values: np.ndarray, sums: np.ndarray) -> list[np.ndarray]:
    """Return the gradients of kernel and bias, summed over windows and segments."""
    sums = sums.reshape(-1, sums.shape[-1])
    return [values.reshape(len(sums), -1).T @ sums, sums.sum(axis=0)]


class _PulledRun(NamedTuple):
    states: State
    initial: State
    inputs: np.ndarray
    weights: list[np.ndarray]


def _pull_run(spec: NetworkSpec, weights, run: LayerTrace, arriving: np.ndarray, empty: np.ndarray) -> _PulledRun:
    """Go back through one layer in one direction; `arriving` is the gradient of its h from above (n, S, units)."""
    pull: Any = CELLS[spec.cell].pull
    squash, slope = SQUASH[spec.activation], SLOPES[spec.activation]
    own = weights[: len(weights) - 2 * (spec.transition_depth - 1)]
    # Gradients are added up here until their segment is reached.
    states = (arriving.copy(), *(np.zeros_like(values) for values in run.states[1:]))
    initial = tuple(np.zeros_like(values) for values in run.initial)
    d_inputs = np.zeros_like(run.inputs)
    found = [np.zeros_like(values) for values in weights]
    for t in reversed(run.reading_order):
        skipped, before = empty[:, t, None], run.before(t)
        d_state = tuple(values[:, t] for values in states)
        gates = {name: np.where(skipped, 0.0, values[:, t]) for name, values in run.gates.items()}
        h, *memory = (values[:, t] for values in run.states)
        way = [values for name, values in gates.items() if name.startswith("step_")]
        dh, deep = _pull_transition(weights[len(own) :], [*way, h], np.where(skipped, 0.0, d_state[0]), slope)
        after = ((way or [h])[0], *memory)
        pulled = pull((dh, *d_state[1:]), before, after, gates, own, squash, slope)
        columns, sums = (np.where(skipped, 0.0, values) for values in (pulled.columns, pulled.recurrent))
        for kept, through in zip(states[1:], pulled.memory, strict=True):
            kept[:, t] = np.where(skipped, kept[:, t], through)
        d_inputs[:, t] = columns @ own[0].T
        for total, part in zip(
            found, [*_own_gradients(spec, run.inputs[:, t], before, after, columns, sums), *deep], strict=True
        ):
            total += part
        # An empty segment hands the state on as it was.
        back = [np.where(skipped, stays, through) for stays, through in zip(d_state, pulled.before, strict=True)]
        if CELLS[spec.cell].recurrent_kernel:
            back[0] += sums @ own[1].T
        previous = run.previous(t)
        for k, through in enumerate(back):
            into = initial[k] if previous is None else states[k][:, previous]
            into += through
    return _PulledRun(states, initial, d_inputs, found)


def _pull_transition(weights, way: list[np.ndarray], dh: np.ndarray, slope: Slope) -> tuple[np.ndarray, list]:
    """Go back through a deep transition; `way` is h from the cell's own step on.

    Returns the gradients of the first h and of the weights.
    """
    found: list[np.ndarray] = []
    for i in reversed(range(len(way) - 1)):
        sums = dh * slope(way[i + 1])
        found[:0] = _dense_gradients(way[i], sums)
        dh = sums @ weights[2 * i].T
    return dh, found


def _own_gradients(spec: NetworkSpec, x, before: State, after: State, columns, sums) -> list[np.ndarray]:
    """Return the gradients of the cell's own weights at one step."""
    cell = CELLS[spec.cell]
    found = [x.T @ columns]
    if cell.recurrent_kernel:
        found.append(before[0].T @ sums)
    found.append(cell.bias_gradient(columns, sums))
    if spec.peephole:
        d_input, d_forget, _, d_output = np.split(columns, 4, axis=-1)
        seen = [d_input * before[1], d_forget * before[1], d_output * after[1]]
        found.append(np.stack([values.sum(axis=0) for values in seen]))
    return found


def _pull_static(spec: NetworkSpec, seen: Trace, initial: list[list[State]]) -> list[np.ndarray]:
    """Return the gradients of the dense layer that makes the initial states, if there is one."""
    if not spec.static:
        return []
    flat = np.concatenate([values for layer in initial for direction in layer for values in direction], axis=1)
    flat = np.where(seen.empty[:, -1:], 0.0, flat)
    return [seen.static.T @ flat, flat.sum(axis=0)]
