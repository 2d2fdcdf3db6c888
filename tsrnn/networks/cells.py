"""The equations of the recurrent cells in double precision, and what they compute on the way through a window.

Engines are fast and give out predictions only; here every state and gate can be looked at. One step function for each
cell, in `STEPS`, and `trace`, which runs a whole network. Imports the description of the network, NumPy and SciPy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from scipy.special import expit

from .spec import NetworkSpec

__all__ = ["SQUASH", "STEPS", "LayerTrace", "Trace", "gru_step", "lstm_step", "simple_rnn_step", "trace"]

State = tuple[np.ndarray, ...]
Gates = dict[str, np.ndarray]
Squash = Callable[[np.ndarray], np.ndarray]


def softsign(x: np.ndarray) -> np.ndarray:
    """Squash x to x / (1 + |x|), which saturates later than tanh (Glorot and Bengio, 2010)."""
    return x / (1 + np.abs(x))


SQUASH: dict[str, Squash] = {"tanh": np.tanh, "softsign": softsign}


# -- one step of each cell -------------------------------------------------------------------------------------------


def lstm_step(
    x: np.ndarray, state: State, weights: Sequence[np.ndarray], squash: Squash = np.tanh
) -> tuple[State, Gates]:
    """One step of long short-term memory (Hochreiter and Schmidhuber, 1997, with the forget gate of Gers et al., 2000).

    Parameters
    ----------
    x : ndarray of shape (..., n_inputs)
        What is read.
    state : tuple of ndarray of shape (..., units)
        Hidden state h and memory cell c before the step.
    weights : sequence of ndarray
        Kernel (n_inputs, 4 units), recurrent kernel (units, 4 units) and bias (4 units,); blocks i, f, c, o.
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
    kernel, recurrent, bias = weights
    h, c = state
    i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4, axis=-1)
    i, f, g, o = expit(i), expit(f), squash(g), expit(o)
    c = f * c + i * g
    return (o * squash(c), c), {"input": i, "forget": f, "output": o, "candidate": g}


def gru_step(
    x: np.ndarray, state: State, weights: Sequence[np.ndarray], squash: Squash = np.tanh
) -> tuple[State, Gates]:
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


def simple_rnn_step(
    x: np.ndarray, state: State, weights: Sequence[np.ndarray], squash: Squash = np.tanh
) -> tuple[State, Gates]:
    """One step of Elman's network (1990): h(t) = tanh(b + W h(t-1) + U x(t)). It has no gates.

    Parameters and answers are as in `lstm_step`; the state is (h,), and the kernels are one block.
    """
    kernel, recurrent, bias = weights
    (h,) = state
    return (squash(x @ kernel + h @ recurrent + bias),), {}


Step = Callable[[np.ndarray, State, Sequence[np.ndarray], Squash], tuple[State, Gates]]
STEPS: dict[str, Step] = {"lstm": lstm_step, "gru": gru_step, "simple_rnn": simple_rnn_step}


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
        Gates by name, see the step functions; NaN at empty segments.
    """

    backward: bool
    inputs: np.ndarray
    initial: State
    states: State
    gates: Gates

    def before(self, segment: int) -> State:
        """Return the state that the layer had before it read a segment."""
        previous = segment + 1 if self.backward else segment - 1
        if 0 <= previous < self.inputs.shape[1]:
            return tuple(values[:, previous] for values in self.states)
        return self.initial

    @property
    def last(self) -> np.ndarray:
        """The hidden state (n_windows, units) after the last segment that was read."""
        return self.states[0][:, 0 if self.backward else -1]

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
    outputs : ndarray of shape (n_windows, n_outputs); of a sequence (n_windows, n_segments, n_outputs)
        What the network gives out; NaN at the empty segments of a sequence.
    empty : ndarray of bool, shape (n_windows, n_segments)
        Segments that hold nothing and are skipped.
    static : ndarray of shape (n_windows, n_static)
        The channels that set the initial states; 0 where a window is empty.
    """

    layers: list[list[LayerTrace]]
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
    cut = 2 if spec.static else 0
    inputs, empty = segments(spec, windows, lead)
    nothing = empty[:, -1]  # segments are empty up to the first full one
    static = np.where(nothing[:, None], 0.0, windows[:, -1, list(spec.static)])
    initial = initial_states(spec, weights[:cut], static, nothing)
    layers: list[list[LayerTrace]] = []
    for i in range(len(spec.units)):
        first = cut + 3 * spec.directions * i
        parts = [weights[k : k + 3] for k in range(first, first + 3 * spec.directions, 3)]
        runs = [
            _run(spec, inputs, empty, part, start, backward)
            for part, start, backward in zip(parts, initial[i], (False, True), strict=False)
        ]
        layers.append(runs)
        inputs = np.concatenate([run.states[0] for run in runs], axis=2)
    return Trace(layers, _head(spec, weights[-2:], layers[-1], inputs, empty), empty, static)


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
    n_states = 2 if spec.cell == "lstm" else 1
    return [[tuple(next(parts) for _ in range(n_states)) for _ in range(spec.directions)] for _ in spec.units]


def _run(
    spec: NetworkSpec,
    inputs: np.ndarray,
    empty: np.ndarray,
    weights: Sequence[np.ndarray],
    initial: State,
    backward: bool,
) -> LayerTrace:
    """Run one layer in one direction."""
    step, squash = STEPS[spec.cell], SQUASH[spec.activation]
    n_windows, n_segments, _ = inputs.shape
    shape = (n_windows, n_segments, len(weights[1]))
    run = LayerTrace(backward, inputs, initial, tuple(np.empty(shape) for _ in initial), {})
    for t in run.reading_order:
        before, skipped = run.before(t), empty[:, t, None]
        after, gates = step(inputs[:, t], before, weights, squash)
        for kept, new, old in zip(run.states, after, before, strict=True):
            kept[:, t] = np.where(skipped, old, new)
        for name, values in gates.items():
            run.gates.setdefault(name, np.empty(shape))[:, t] = np.where(skipped, np.nan, values)
    return run


def _head(spec, weights, runs, states, empty) -> np.ndarray:
    """Map the last state, or that after each segment, to the outputs."""
    kernel, bias = weights
    if spec.head == "last":
        return np.concatenate([run.last for run in runs], axis=1) @ kernel + bias
    return np.where(empty[..., None], np.nan, states @ kernel + bias)


# -- checks ----------------------------------------------------------------------------------------------------------

_KNOWN = (
    "cell",
    "units",
    "n_inputs",
    "n_outputs",
    "activation",
    "bidirectional",
    "segment",
    "head",
    "static",
    "static_to",
)


def check_known(spec: Any) -> None:
    """Raise if the equations of this network are not here: a wrong answer would look like a right one."""
    if not isinstance(spec, NetworkSpec):
        raise ValueError(
            f"only the networks of a NetworkSpec can be looked into, got {type(spec).__name__}. A model written in "
            "Keras can be taken apart with keras.Model(model.inputs, layer.output)."
        )
    further = [field.name for field in fields(spec) if field.name not in _KNOWN]
    unknown = [f"{name}={getattr(spec, name)!r}" for name in further if getattr(spec, name) != _default(spec, name)]
    unknown += [f"cell={spec.cell!r}"] * (spec.cell not in STEPS)
    unknown += [f"activation={spec.activation!r}"] * (spec.activation not in SQUASH)
    unknown += [f"head={spec.head!r}"] * (spec.head not in ("last", "sequence"))
    if unknown:
        raise ValueError(
            f"networks with {', '.join(unknown)} cannot be looked into: their equations are not in "
            f"tsrnn.networks.cells, which knows the cells {', '.join(STEPS)}. Use one of these without that."
        )


def _default(spec: NetworkSpec, name: str) -> Any:
    return next(field.default for field in fields(spec) if field.name == name)


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
