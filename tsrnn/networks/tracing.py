"""What the cells of a network compute on its way through a window, in double precision.

Engines are fast and give out predictions only; here every state and gate can be looked at. Imports the cells, the
description of the network and NumPy.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np

from .cells import CELLS, SQUASH, Gates, Squash, State
from .spec import NetworkSpec

__all__ = [
    "LayerTrace",
    "SplitWeights",
    "Trace",
    "advance",
    "dense",
    "split_weights",
    "trace",
]


def advance(spec: NetworkSpec, x: np.ndarray, state: State, weights: Sequence[np.ndarray]) -> tuple[State, Gates]:
    """One step of a layer: that of its cell, and the dense layers of a deep transition (Pascanu et al., 2014, eq. 12).

    Parameters and answers are as in `cells.lstm_step`, with the weights of one layer and direction. On its way through
    a deep transition h is kept among the gates: "step_1" is that of the cell.
    """
    squash = SQUASH[spec.activation]
    own = len(weights) - 2 * (spec.transition_depth - 1)
    (h, *memory), gates = CELLS[spec.cell].step(x, state, weights[:own], squash)
    for i, (kernel, bias) in enumerate(zip(weights[own::2], weights[own + 1 :: 2], strict=True), 1):
        gates[f"step_{i}"] = h
        h = squash(h @ kernel + bias)
    return (h, *memory), gates


def dense(layers: Sequence[Sequence[np.ndarray]], values: np.ndarray, squash: Squash) -> list[np.ndarray]:
    """Return the values and what each dense layer after the other makes of them."""
    passed = [values]
    for kernel, bias in layers:
        passed.append(squash(passed[-1] @ kernel + bias))
    return passed


# -- the weights by what they are for --------------------------------------------------------------------------------


class SplitWeights(NamedTuple):
    """The weights of a network by what they are for, in their order."""

    static: list[np.ndarray]  # kernel and bias of the initial states, or none
    inputs: list[list[np.ndarray]]  # by dense layer, kernel and bias
    layers: list[list[list[np.ndarray]]]  # by recurrent layer and direction
    outputs: list[list[np.ndarray]]
    head: list[np.ndarray]


def split_weights(spec: NetworkSpec, weights: Sequence[np.ndarray]) -> SplitWeights:
    """Sort the weights of a network by what they are for."""
    left = iter(weights)

    def take(n: int) -> list[np.ndarray]:
        return list(itertools.islice(left, n))

    per_direction = CELLS[spec.cell].n_arrays + spec.peephole + 2 * (spec.transition_depth - 1)
    return SplitWeights(
        take(2 if spec.static else 0),
        [take(2) for _ in spec.input_layers],
        [[take(per_direction) for _ in range(spec.directions)] for _ in spec.units],
        [take(2) for _ in spec.output_layers],
        take(2),
    )


# -- a network over windows ------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class LayerTrace:
    """What one layer did in one direction. All arrays are in the order of time, also of a layer that reads backward.

    Attributes
    ----------
    backward : bool
        Whether the layer reads from the end of the window.
    inputs : ndarray of shape (n_windows, n_segments, n_inputs)
        What it read.
    initial : tuple of ndarray of shape (n_windows, units)
        State before the first segment that it reads: (h,), of an LSTM (h, c).
    states : tuple of ndarray of shape (n_windows, n_segments, units)
        State after each segment. An empty segment leaves it as it was.
    gates : dict of ndarray of shape (n_windows, n_segments, units)
        Gates by name, see the step functions and `advance`; NaN at empty segments.
    ends : ndarray of int, shape (n_windows,)
        The segment that it reads last.
    dilation : int
        How many segments the state goes back.
    """

    backward: bool
    inputs: np.ndarray
    initial: State
    states: State
    gates: Gates
    ends: np.ndarray
    dilation: int = 1

    def previous(self, segment: int) -> int | None:
        """Return the segment whose state a segment starts from; None for the initial state."""
        previous = segment + self.dilation if self.backward else segment - self.dilation
        return previous if 0 <= previous < self.inputs.shape[1] else None

    def before(self, segment: int) -> State:
        """Return the state that the layer starts from when it reads a segment."""
        previous = self.previous(segment)
        return self.initial if previous is None else tuple(values[:, previous] for values in self.states)

    @property
    def last(self) -> np.ndarray:
        """The hidden state (n_windows, units) after the last segment that was read."""
        return self.states[0][np.arange(len(self.ends)), self.ends]

    @property
    def reading_order(self) -> range:
        n_segments = self.inputs.shape[1]
        return range(n_segments - 1, -1, -1) if self.backward else range(n_segments)


@dataclass(frozen=True, eq=False)
class Trace:
    """What a network did on its way through windows.

    Attributes
    ----------
    layers : list of list of LayerTrace
        By layer, the first first, and direction, forward first.
    inputs : ndarray of shape (n_windows, n_segments, n_inputs)
        What the network reads at each segment.
    features : ndarray of shape (n_windows, width); of a sequence (n_windows, n_segments, width)
        What the recurrent layers give to the dense ones behind them.
    outputs : ndarray of shape (n_windows, n_outputs); of a sequence (n_windows, n_segments, n_outputs)
        What the network gives out; NaN at the empty segments of a sequence.
    empty : ndarray of bool, shape (n_windows, n_segments)
        Segments that hold nothing and are skipped.
    static : ndarray of shape (n_windows, n_static)
        The channels that set the initial states; 0 where a window is empty.
    """

    layers: list[list[LayerTrace]]
    inputs: np.ndarray
    features: np.ndarray
    outputs: np.ndarray
    empty: np.ndarray
    static: np.ndarray


def trace(spec: NetworkSpec, weights: Sequence[np.ndarray], windows: Any, lead: Any = None) -> Trace:
    """Run a network over windows and keep all states and gates; in double precision.

    Parameters
    ----------
    spec : NetworkSpec
        The network.
    weights : sequence of ndarray
        In the order of `spec.weights`.
    windows : array-like of shape (n_windows, n_steps, n_inputs) or (n_steps, n_inputs)
        One window or several, with all gaps filled. The values of empty leading steps do not matter.
    lead : array-like of int, shape (n_windows,), optional
        Empty leading steps of each window; none by default.

    Returns
    -------
    Trace

    Raises
    ------
    ValueError
        If windows or weights do not have the shapes of the network, or it is one whose equations are not here.

    Examples
    --------
    Elman's network that adds up what it reads, for as long as tanh is nearly straight:

    >>> import numpy as np
    >>> spec = NetworkSpec("simple_rnn", units=(1,), n_inputs=1, n_outputs=1)
    >>> weights = [np.ones(weight.shape) for weight in spec.weights[:2]] + [np.zeros(1), np.ones((1, 1)), np.zeros(1)]
    >>> seen = trace(spec, weights, [[0.01], [0.02], [0.03]])
    >>> seen.layers[0][0].states[0].ravel()
    array([0.01, 0.03, 0.06])
    >>> seen.outputs
    array([[0.06]])
    """
    check_known(spec)
    weights = [np.asarray(values, dtype=np.float64) for values in weights]
    _check_shapes(spec, weights)
    windows = _as_windows(spec, windows)
    lead = np.zeros(len(windows), np.int64) if lead is None else np.asarray(lead, dtype=np.int64)
    if lead.shape != (len(windows),):
        raise ValueError(f"lead must have shape {(len(windows),)}, one number per window, got {lead.shape}.")
    split, squash = split_weights(spec, weights), SQUASH[spec.activation]
    inputs, empty = segments(spec, windows, lead)
    nothing = empty[:, -1]  # segments are empty up to the first full one
    static = np.where(nothing[:, None], 0.0, windows[:, -1, list(spec.static)])
    initial = initial_states(spec, split.static, static, nothing)
    layers: list[list[LayerTrace]] = []
    passed = dense(split.inputs, inputs, squash)[-1]
    for i in range(len(spec.units)):
        runs = [
            _run(spec, i, passed, empty, part, start, backward)
            for part, start, backward in zip(split.layers[i], initial[i], (False, True), strict=False)
        ]
        layers.append(runs)
        below, passed = passed, merge(spec, [run.states[0] for run in runs])
        last = merge(spec, [run.last for run in runs])
        if spec.residual and i > 0:
            passed, last = passed + below, last + below[:, -1]
    features = passed if spec.head == "sequence" else last
    kernel, bias = split.head
    outputs = dense(split.outputs, features, squash)[-1] @ kernel + bias
    if spec.head == "sequence":
        outputs[empty] = np.nan
    return Trace(layers, inputs, features, outputs, empty, static)


def merge(spec: NetworkSpec, directions: list[np.ndarray]) -> np.ndarray:
    """Merge what the directions of a layer give, along the last axis."""
    if spec.merge_mode == "concat" or len(directions) == 1:
        return np.concatenate(directions, axis=-1)
    merged = directions[0] + directions[1]
    return merged / 2 if spec.merge_mode == "ave" else merged


def segments(spec: Any, windows: np.ndarray, lead: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what each recurrent step reads (n, S, segment * C), and which of them read nothing (n, S).

    The description says by `inputs`, `segment` and `n_segments` how windows are read.
    """
    n_windows, n_steps, _ = windows.shape
    n_segments = spec.n_segments(n_steps)
    padding = n_segments * spec.segment - n_steps
    known = np.arange(n_steps) >= lead[:, None]
    filled = np.where(known[..., None], windows[:, :, list(spec.inputs)], 0.0)
    filled = np.pad(filled, ((0, 0), (padding, 0), (0, 0)))
    # A segment counts from the first value in it on; before a full window's first, partial segment is nothing.
    first = np.where(lead > 0, (lead + padding) // spec.segment, 0)
    # (n, S * segment, C) -> (n, S, segment * C), time-major
    return filled.reshape(n_windows, n_segments, -1), np.arange(n_segments) < first[:, None]


def initial_states(
    spec: NetworkSpec, weights: Sequence[np.ndarray], static: np.ndarray, nothing: np.ndarray
) -> list[list[State]]:
    """Return the initial state of each layer and direction: from static channels if the network has them, else zero.

    A window that holds `nothing` begins with no state: what its static channels say is not known.
    """
    flat = np.zeros((len(static), sum(spec.state_widths)))
    if weights:
        flat = np.where(nothing[:, None], 0.0, static @ weights[0] + weights[1])
    parts = iter(np.split(flat, np.cumsum(spec.state_widths)[:-1], axis=1))
    n_states = len(CELLS[spec.cell].states)
    return [[tuple(next(parts) for _ in range(n_states)) for _ in range(spec.directions)] for _ in spec.units]


def _run(
    spec: NetworkSpec,
    layer: int,
    inputs: np.ndarray,
    empty: np.ndarray,
    weights: Sequence[np.ndarray],
    initial: State,
    backward: bool,
) -> LayerTrace:
    """Run one layer in one direction."""
    n_windows, n_segments, _ = inputs.shape
    shape = (n_windows, n_segments, spec.units[layer])
    ends = empty.argmin(axis=1) if backward else np.full(n_windows, n_segments - 1)
    dilation = spec.dilation[layer] if spec.dilation else 1
    run = LayerTrace(backward, inputs, initial, tuple(np.empty(shape) for _ in initial), {}, ends, dilation)
    for t in run.reading_order:
        before, skipped = run.before(t), empty[:, t, None]
        after, gates = advance(spec, inputs[:, t], before, weights)
        for kept, new, old in zip(run.states, after, before, strict=True):
            kept[:, t] = np.where(skipped, old, new)
        for name, values in gates.items():
            run.gates.setdefault(name, np.empty(shape))[:, t] = np.where(skipped, np.nan, values)
    return run


# -- checks ----------------------------------------------------------------------------------------------------------


def check_known(spec: Any) -> None:
    """Raise if the equations of this network are not here: a wrong answer would look like a right one."""
    if not isinstance(spec, NetworkSpec):
        raise ValueError(
            f"only the networks of a NetworkSpec can be looked into, got {type(spec).__name__}. A model written in "
            "Keras can be taken apart with keras.Model(model.inputs, layer.output)."
        )
    known = {field.name for field in fields(NetworkSpec)}
    further = [field for field in fields(spec) if field.name not in known]
    unknown = [f"{f.name}={getattr(spec, f.name)!r}" for f in further if getattr(spec, f.name) != f.default]
    unknown += [f"cell={spec.cell!r}"] * (spec.cell not in CELLS)
    unknown += [f"activation={spec.activation!r}"] * (spec.activation not in SQUASH)
    unknown += [f"head={spec.head!r}"] * (spec.head not in ("last", "sequence"))
    if unknown:
        raise ValueError(
            f"networks with {', '.join(unknown)} cannot be looked into: their equations are not in "
            f"tsrnn.networks.cells, which knows the cells {', '.join(CELLS)}. Use one of these without that."
        )


def _check_shapes(spec: NetworkSpec, weights: Sequence[np.ndarray]) -> None:
    got, expected = [values.shape for values in weights], [weight.shape for weight in spec.weights]
    if got != expected:
        raise ValueError(f"weights must have the shapes {expected}, which {spec} has, got {got}.")


def _as_windows(spec: NetworkSpec, windows: Any) -> np.ndarray:
    windows = np.asarray(windows, dtype=np.float64)
    windows = windows[None] if windows.ndim == 2 else windows
    if windows.ndim != 3 or windows.shape[2] != spec.n_inputs or not windows.shape[1]:
        raise ValueError(
            f"windows must have shape (n_windows, n_steps, {spec.n_inputs}) or (n_steps, {spec.n_inputs}), "
            f"got {windows.shape}."
        )
    return windows
