"""Networks that read what they gave out before: their description and equations. NumPy only.

They give out one step after the other, and each is fed back as input of the next. In training the true targets may
stand there instead: teacher forcing (Williams and Zipser, 1989). Only the Keras engine trains them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .cells import CELLS, SQUASH, State
from .layer_list import Layer, LayerList
from .spec import WeightedSpec, WeightShape, cell_weights
from .tracing import segments

__all__ = [
    "ATTENTIONS",
    "FEEDBACK_CELLS",
    "NEVER",
    "FeedbackSpec",
    "known_before",
    "run_feedback",
]

FEEDBACK_CELLS = tuple(name for name, cell in CELLS.items() if cell.in_feedback)
ATTENTIONS = ("additive", "dot")
NEVER = -1e9  # score of an empty step; minus infinity would give NaN where all are empty


@dataclass(frozen=True)
class FeedbackSpec(WeightedSpec):
    """A network that gives out its targets step by step, and reads at each step what it gave out at the one before.

    At step s it reads ``[o(s-1), x(s)]``, o(0) = 0. With the cell "dense" that is all it knows: Jordan's network [1]_,
    ``h(s) = tanh(b + W o(s-1) + U x(s))`` and ``o(s) = c + V h(s)``. Other cells have a state of their own as well.

    Parameters
    ----------
    cell : {"dense", "simple_rnn", "gru", "lstm"}
        What computes h: dense layers, or recurrent ones.
    units : tuple of int
        Width of each layer.
    reads : {"steps", "window", "encoder"}
        What x(s) is. "steps": step s of the window, for which there is a target. "window": the whole window, at each of
        `horizon` steps, with s / horizon and the `future` channels. "encoder": the `future` channels alone; the window
        is read by an encoder of the same cell and units, whose last states the decoder starts from [2]_.
    n_steps : int
        Steps of a window.
    n_inputs : int
        Channels of a window step.
    n_targets : int
        Targets at each step; they are what is fed back.
    horizon : int
        Steps to give out; with "steps" those of the window.
    per_target : int
        Numbers for each target: one, or what a distribution takes.
    fed_back : int
        Which of them is fed back.
    activation : {"tanh", "softsign"}
        Of dense layers, and of the candidate of the others.
    segment : int
        Steps of the window that are read together: 1 by "steps", all by "window", as many as wanted by the encoder.
    attention : {"additive", "dot"} or None
        Let the decoder look back at the encoder's states [3]_ [4]_: their mean, weighted by the softmax of the scores
        ``v tanh(h A + e B)`` or ``h e``, goes with h through a dense layer to the head.
    future : tuple of int
        Channels whose value at a step is that of `horizon` steps later: the last `horizon` values of a window are those
        that are known ahead, one for each step.

    References
    ----------
    .. [1] Jordan (1986). Serial order: a parallel distributed processing approach. Goodfellow et al. (2016), Deep
       learning, section 10.2.1.
    .. [2] Sutskever, Vinyals and Le (2014). Sequence to sequence learning with neural networks. NeurIPS.
    .. [3] Bahdanau, Cho and Bengio (2015). Neural machine translation by jointly learning to align and translate. ICLR.
    .. [4] Luong, Pham and Manning (2015). Effective approaches to attention-based neural machine translation. EMNLP,
       section 3.1.

    Examples
    --------
    >>> spec = FeedbackSpec("dense", (8,), "steps", n_steps=5, n_inputs=2, n_targets=1, horizon=5)
    >>> [weight.shape for weight in spec.weights]
    [(3, 8), (8,), (8, 1), (1,)]
    """

    cell: str
    units: tuple[int, ...]
    reads: str
    n_steps: int
    n_inputs: int
    n_targets: int
    horizon: int
    per_target: int = 1
    fed_back: int = 0
    activation: str = "tanh"
    segment: int = 1
    attention: str | None = None
    future: tuple[int, ...] = ()

    def check(self, n_steps: int | None = None) -> None:
        if self.future and self.horizon > self.n_steps:
            raise ValueError(
                f"y has {self.horizon} steps, but windows of {self.n_steps} steps hold that many values of "
                "future_features only. Pass windows that are at least as long as y."
            )
        segments = {"steps": [1], "window": [self.n_steps], "encoder": range(1, self.n_steps + 1)}
        reads = n_steps in (None, self.n_steps) and self.segment in segments.get(self.reads, ())
        if not reads or not set(self.future) <= set(range(self.n_inputs)):
            raise ValueError(f"{self!r:.300} does not read windows of {n_steps} steps")
        if not 0 <= self.fed_back < self.per_target or (self.attention and self.reads != "encoder"):
            raise ValueError(f"{self!r:.300} looks back at what is not there")

    @property
    def inputs(self) -> tuple[int, ...]:
        """The channels that are read at each step of the window."""
        return tuple(range(self.n_inputs))

    @property
    def head(self) -> str:
        return "sequence" if self.reads == "steps" else "last"

    @property
    def width(self) -> int:
        """Numbers that are given out at one step."""
        return self.n_targets * self.per_target

    @property
    def n_outputs(self) -> int:
        return self.width * (1 if self.reads == "steps" else self.horizon)

    def output_shape(self, n_steps: int) -> tuple[int, ...]:
        return (n_steps, self.width) if self.reads == "steps" else (self.n_outputs,)

    @property
    def n_read(self) -> int:
        """Channels of x(s)."""
        widths = {"steps": self.n_inputs, "window": self.n_steps * self.n_inputs + 1 + len(self.future)}
        return widths.get(self.reads, len(self.future))

    def small_steps(self, n_steps: int) -> int:
        return self.horizon * len(self.units)

    def layers(self, n_steps: int) -> list[Layer]:
        """Return the layers as those of a `NetworkSpec`.

        Examples
        --------
        >>> spec = FeedbackSpec("dense", (8,), "steps", n_steps=5, n_inputs=2, n_targets=1, horizon=5)
        >>> spec.layers(5)
        [('dense', (5, 8), 32), ('dense', (5, 1), 9)]
        """
        layers, n_arrays = LayerList(weight.shape for weight in self.weights), self.kind.n_arrays
        encodes = self.reads == "encoder"
        for units in self.units if encodes else ():
            layers.add(f"encoder, {self.cell}", (self.n_segments(self.n_steps), units), n_arrays)
        for units in self.units:
            layers.add("decoder, " * encodes + self.cell, (self.horizon, units), n_arrays)
        if self.attention:
            n_arrays = 5 if self.attention == "additive" else 2
            layers.add(f"{self.attention} attention", (self.horizon, self.units[-1]), n_arrays)
        layers.add("dense", self.output_shape(self.n_steps))
        return layers.rows

    @property
    def n_states(self) -> int:
        """States of a layer."""
        return len(self.kind.states)

    @cached_property
    def weights(self) -> tuple[WeightShape, ...]:
        """The arrays of this network, in Keras's layout: encoder, decoder, attention, head.

        The first rows of the decoder's kernel are those of what is fed back.
        """
        shapes = self._layers(self.n_inputs * self.segment) if self.reads == "encoder" else []
        shapes += self._layers(self.n_targets + self.n_read)
        units = self.units[-1]
        if self.attention == "additive":
            names = ("attention_query_kernel", "attention_key_kernel")
            shapes += [WeightShape(name, (units, units)) for name in names]
            shapes.append(WeightShape("attention_score_kernel", (units, 1)))
        if self.attention:
            shapes += [WeightShape("attention_kernel", (2 * units, units)), WeightShape("attention_bias", (units,))]
        return (*shapes, WeightShape("head_kernel", (units, self.width)), WeightShape("head_bias", (self.width,)))

    def _layers(self, width: int) -> list[WeightShape]:
        """Return the arrays of a stack of layers that reads `width` channels."""
        shapes = []
        for units in self.units:
            shapes += cell_weights(self.kind, width, units)
            width = units
        return shapes


# -- the equations, in double precision --------------------------------------------------------------------------------


def known_before(y: np.ndarray) -> np.ndarray:
    """Return what teacher forcing feeds back: the target of the step before, (n, S, K).

    Where that is NaN the last one that is known stands in, and 0 before the first.
    """
    before = np.concatenate([np.zeros_like(y[:, :1]), y[:, :-1]], axis=1)
    for s in range(1, before.shape[1]):
        before[:, s] = np.where(np.isnan(before[:, s]), before[:, s - 1], before[:, s])
    return before


def run_feedback(
    spec: FeedbackSpec,
    weights: Sequence[np.ndarray],
    windows: np.ndarray,
    lead: np.ndarray | None = None,
    y: np.ndarray | None = None,
) -> np.ndarray:
    """Run a network over windows, in double precision.

    Parameters
    ----------
    spec : FeedbackSpec
        The network.
    weights : sequence of ndarray
        In the order of `spec.weights`.
    windows : array-like of shape (n_windows, n_steps, n_inputs)
        With all gaps filled.
    lead : ndarray of int, shape (n_windows,), optional
        Empty leading steps of each window; none by default.
    y : ndarray of shape (n_windows, horizon, n_targets), optional
        The true targets, to be fed back instead of what the network gave out.

    Returns
    -------
    ndarray of shape (n_windows, horizon, n_targets * per_target)
        NaN at the empty steps of windows that are read step by step.

    Examples
    --------
    Each output is half of the one before, and the input:

    >>> spec = FeedbackSpec("dense", (1,), "steps", n_steps=3, n_inputs=1, n_targets=1, horizon=3)
    >>> weights = [np.array([[0.5], [1.0]]), np.zeros(1), np.ones((1, 1)), np.zeros(1)]
    >>> run_feedback(spec, weights, [[[0.01], [0.0], [0.0]]]).round(4).ravel()
    array([0.01  , 0.005 , 0.0025])
    """
    windows = np.asarray(windows, np.float64)
    lead = np.zeros(len(windows), int) if lead is None else lead
    windows = np.where((np.arange(spec.n_steps) >= lead[:, None])[..., None], windows, 0.0)
    read, empty = segments(spec, windows, lead)
    network = _Equations(spec, weights)
    states, memory = network.start(read, empty)
    inputs = _decoder_inputs(spec, windows, read)
    truth = None if y is None else known_before(np.asarray(y, np.float64))
    outputs = np.empty((len(windows), spec.horizon, spec.width))
    previous = np.zeros((len(windows), spec.n_targets))
    for s in range(spec.horizon):
        skipped = empty[:, s, None] if spec.reads == "steps" else np.zeros((len(windows), 1), bool)
        before = previous if truth is None else truth[:, s]
        h, after = network.step(np.concatenate([before, inputs[:, s]], axis=1), states)
        states = _where_read(skipped, states, after)
        out = network.give_out(h, memory, empty)
        outputs[:, s] = np.where(skipped, np.nan, out)
        previous = np.where(skipped, previous, _fed_back(spec, out))
    return outputs


def _decoder_inputs(spec: FeedbackSpec, windows: np.ndarray, read: np.ndarray) -> np.ndarray:
    """Return x(s), (n_windows, horizon, n_read)."""
    if spec.reads == "steps":
        return read
    ahead = windows[:, spec.n_steps - spec.horizon :, list(spec.future)] if spec.future else None
    parts = [] if ahead is None else [ahead]
    if spec.reads == "window":
        shape = (len(windows), spec.horizon)
        place = np.broadcast_to(np.arange(1, spec.horizon + 1)[:, None] / spec.horizon, (*shape, 1))
        parts = [np.broadcast_to(read, (*shape, read.shape[2])), place, *parts]
    return np.concatenate(parts, axis=2) if parts else np.zeros((len(windows), spec.horizon, 0))


def _where_read(skipped: np.ndarray, before: Sequence[State], after: Sequence[State]) -> list[State]:
    """Return the states after a step; where it was skipped (n_windows, 1), those before it."""
    return [
        tuple(np.where(skipped, old, new) for old, new in zip(*layer, strict=True))
        for layer in zip(before, after, strict=True)
    ]


def _fed_back(spec: FeedbackSpec, out: np.ndarray) -> np.ndarray:
    return out.reshape(-1, spec.per_target, spec.n_targets)[:, spec.fed_back]


class _Equations:
    """The layers of a network over their weights."""

    def __init__(self, spec: FeedbackSpec, weights: Sequence[np.ndarray]):
        self.spec, self.squash = spec, SQUASH[spec.activation]
        parts = iter([np.asarray(values, np.float64) for values in weights])
        n_arrays = spec.kind.n_arrays

        def stack():
            return [[next(parts) for _ in range(n_arrays)] for _ in spec.units]

        self.encoder = stack() if spec.reads == "encoder" else []
        self.decoder = stack()
        self.attention = list(parts)[:-2] if spec.attention else []
        self.head = [np.asarray(values, np.float64) for values in weights[-2:]]

    def start(self, read: np.ndarray, empty: np.ndarray) -> tuple[list[State], np.ndarray]:
        """Return the decoder's first states, and the encoder's states after each of its steps."""
        states = [tuple(np.zeros((len(read), units)) for _ in range(self.spec.n_states)) for units in self.spec.units]
        seen = []
        for t in range(read.shape[1] if self.encoder else 0):
            _, after = self._layers(self.encoder, read[:, t], states)
            states = _where_read(empty[:, t, None], states, after)
            seen.append(states[-1][0])
        return states, np.stack(seen, axis=1) if seen else np.zeros((len(read), 0, 0))

    def step(self, x: np.ndarray, states: Sequence[State]) -> tuple[np.ndarray, list[State]]:
        """Return h of the last layer, and all states."""
        return self._layers(self.decoder, x, states)

    def _layers(self, layers, x, states):
        after = []
        for weights, state in zip(layers, states, strict=True):
            (x, *memory), _ = self.spec.kind.step(x, state, weights, self.squash)
            after.append((x, *memory)[: self.spec.n_states])
        return x, after

    def give_out(self, h: np.ndarray, memory: np.ndarray, empty: np.ndarray) -> np.ndarray:
        if self.attention:
            h = self._attend(h, memory, empty)
        return h @ self.head[0] + self.head[1]

    def _attend(self, h: np.ndarray, memory: np.ndarray, empty: np.ndarray) -> np.ndarray:
        if self.spec.attention == "dot":
            scores = np.einsum("nu,ntu->nt", h, memory)
        else:
            query, key, score = self.attention[:3]
            scores = (np.tanh((h @ query)[:, None] + memory @ key) @ score)[..., 0]
        scores = np.where(empty, NEVER, scores)
        share = np.exp(scores - scores.max(axis=1, keepdims=True))
        share /= share.sum(axis=1, keepdims=True)
        seen = np.einsum("nt,ntu->nu", share, memory)
        kernel, bias = self.attention[-2:]
        return np.tanh(np.concatenate([h, seen], axis=1) @ kernel + bias)
