"""Keras models of the networks that read what they gave out before.

One layer holds all weights, and two models share it: one feeds its outputs back, the other, for training, takes the
true targets as well. Where those are all that is fed back, the steps of a dense network do not wait for each other.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import keras
from keras import ops

from ...networks import FeedbackSpec

__all__ = ["FeedbackNetwork", "build_feedback", "known_before"]

_CELLS = {"lstm": keras.layers.LSTMCell, "gru": keras.layers.GRUCell, "simple_rnn": keras.layers.SimpleRNNCell}
_LAYERS = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU, "simple_rnn": keras.layers.SimpleRNN}
_NEVER = -1e9  # score of an empty step; minus infinity would give NaN where all are

register = keras.saving.register_keras_serializable(package="tsrnn")


class TeacherCoin(keras.layers.Layer):
    """Says for each window and step whether the true target is fed back: 1 with a probability that is a variable."""

    def __init__(self, ratio: keras.Variable):
        super().__init__()
        self.ratio = ratio
        self.seed_generator = keras.random.SeedGenerator(0)

    def call(self, shape_of):
        flips = keras.random.uniform(ops.shape(shape_of), seed=self.seed_generator)
        return ops.cast(flips < self.ratio, "float32")


class _Output(keras.layers.Layer):
    """From the decoder's state, with attention or without, to what is given out."""

    def __init__(self, spec: FeedbackSpec):
        super().__init__()
        self.spec, units = spec, spec.units[-1]
        if spec.attention == "additive":
            self.query, self.key, self.score = _dense(units, units), _dense(units, units), _dense(units, 1)
        if spec.attention:
            self.combine = _dense(2 * units, units, "tanh", use_bias=True)
        self.head = _dense(units, spec.width, use_bias=True)
        self.built = True

    def call(self, h, memory, absent):
        """Map h (B, S, units) to (B, S, width); `absent` (B, 1, T) is added to the scores of `memory` (B, T, units)."""
        if self.spec.attention:
            scores = self._scores(h, memory)
            share = ops.softmax(scores if absent is None else scores + absent, axis=-1)
            h = self.combine(ops.concatenate([h, ops.matmul(share, memory)], axis=-1))
        return self.head(h)

    def _scores(self, h, memory):
        """Return (B, S, T)."""
        if self.spec.attention == "dot":
            return ops.matmul(h, ops.transpose(memory, (0, 2, 1)))
        both = ops.tanh(self.query(h)[:, :, None] + self.key(memory)[:, None])
        return self.score(both)[..., 0]


class _Step(keras.layers.Layer):
    """One step of the decoder, as a cell for `keras.layers.RNN`: its states are those of the layers and the output.

    It reads whether there is anything at a step, what the head's input is multiplied by (dropout), x(s), and, if the
    teacher has a say, the true output before and whether that is fed back.
    """

    def __init__(self, spec: FeedbackSpec, cells, output: _Output):
        super().__init__()
        self.spec, self.cells, self.output_layer = spec, cells, output
        self.state_size = [units for units in spec.units for _ in range(spec.n_states)] + [spec.width]
        self.output_size = spec.width
        self.memory: tuple[Any, Any] = (None, None)  # lent by the network while it runs
        self.built = True

    def call(self, inputs, states):
        spec, end = self.spec, 1 + self.spec.units[-1]
        previous = fed_back(spec, states[-1])
        keep, x, teacher = inputs[:, 1:end], inputs[:, end : end + spec.n_read], inputs[:, end + spec.n_read :]
        if teacher.shape[-1]:
            previous = ops.where(teacher[:, -1:] > 0, teacher[:, :-1], previous)
        h, after = run_cells(spec, self.cells, ops.concatenate([previous, x], axis=-1), states[:-1])
        out = self.output_layer((h * keep)[:, None], *self.memory)[:, 0]
        after = where_present(inputs[:, :1], [*after, out], states)
        return after[-1], after


class _ForcedStep(keras.layers.Layer):
    """One step of the decoder that is told what to read: its states are those of the layers alone.

    It reads whether there is anything at a step, and what.
    """

    def __init__(self, spec: FeedbackSpec, cells):
        super().__init__()
        self.spec, self.cells = spec, cells
        self.state_size = [units for units in spec.units for _ in range(spec.n_states)]
        self.output_size = spec.units[-1]
        self.built = True

    def call(self, inputs, states):
        h, after = run_cells(self.spec, self.cells, inputs[:, 1:], states)
        return h, where_present(inputs[:, :1], after, states)


def _dense(n_inputs: int, units: int, activation: str | None = None, use_bias: bool = False):
    layer = keras.layers.Dense(units, activation, use_bias=use_bias, kernel_initializer="zeros")
    layer.build((None, n_inputs))
    return layer


def _build_cells(spec: FeedbackSpec, width: int) -> list[Any]:
    """Return the layers of a stack that reads `width` channels."""
    cells = []
    for units in spec.units:
        if spec.cell == "dense":
            cell = _dense(width, units, spec.activation, use_bias=True)
        else:
            zeros = {"kernel_initializer": "zeros", "recurrent_initializer": "zeros", "seed": 0}
            cell = _CELLS[spec.cell](units, activation=spec.activation, **zeros)
            cell.build((None, width))
        cells.append(cell)
        width = units
    return cells


def run_cells(spec: FeedbackSpec, cells, x, states):
    """Return h of the last layer, and the states of all."""
    after: list[Any] = []
    for i, cell in enumerate(cells):
        if spec.cell == "dense":
            x = cell(x)
        else:
            x, own = cell(x, list(states[i * spec.n_states : (i + 1) * spec.n_states]))
            after += own
    return x, after


def where_present(present, after, before):
    """Return the states after a step; where there was nothing to read, those before it.

    Keras's masks do this as well, but on JAX only for states that are all of one width.
    """
    return [ops.where(present > 0, new, old) for new, old in zip(after, before, strict=True)]


def fed_back(spec: FeedbackSpec, out):
    """Return what of an output (B, width) is read at the next step, (B, n_targets)."""
    start = spec.fed_back * spec.n_targets
    return out[:, start : start + spec.n_targets]


def known_before(y):
    """Return the target of the step before (B, S, K), where it is NaN the last one known, and 0 before the first."""
    y = ops.pad(y[:, :-1], [(0, 0), (1, 0), (0, 0)])
    reach = 1
    while reach < y.shape[1]:  # each round looks twice as far back
        y = ops.where(ops.isnan(y), ops.pad(y[:, :-reach], [(0, 0), (reach, 0), (0, 0)]), y)
        reach *= 2
    return y


@register
class FeedbackNetwork(keras.layers.Layer):
    """All layers of a network that reads what it gave out before.

    Parameters
    ----------
    spec : FeedbackSpec or dict
        The network.
    dropout : callable or None
        Makes a dropout layer, to put after each layer of the encoder but the last, and before the head.
    teacher : TeacherCoin or None
        Says where the true target is fed back; None: everywhere that targets are given.
    """

    def __init__(self, spec, dropout=None, teacher=None, **kwargs):
        super().__init__(**kwargs)
        if isinstance(spec, dict):  # as it was read from a file
            spec = FeedbackSpec(**{name: tuple(v) if isinstance(v, list) else v for name, v in spec.items()})
        self.spec = spec
        self.encoder = self._build_encoder() if spec.reads == "encoder" else []
        self.cells = _build_cells(spec, spec.n_targets + spec.n_read)
        self.output_layer = _Output(spec)
        self.step = _Step(spec, self.cells, self.output_layer)
        self.free = keras.layers.RNN(self.step, return_sequences=True)
        self.forced = None
        if spec.cell != "dense":
            self.forced = keras.layers.RNN(_ForcedStep(spec, self.cells), return_sequences=True)
        self.drops = [dropout() for _ in spec.units] if dropout is not None else []
        self.teacher = teacher

    def _build_encoder(self) -> list[Any]:
        spec, width, layers = self.spec, self.spec.n_inputs * self.spec.segment, []
        for units in spec.units:
            options = {"kernel_initializer": "zeros", "recurrent_initializer": "zeros", "seed": 0}
            options |= {} if spec.cell == "simple_rnn" else {"use_cudnn": False}
            layer = _LAYERS[spec.cell](
                units, activation=spec.activation, return_sequences=True, return_state=True, **options
            )
            layer.build((None, None, width))
            layers.append(layer)
            width = units
        return layers

    def build(self, *shapes, **named_shapes):
        self.built = True  # its layers were built with it: their widths are known

    def get_config(self):
        return super().get_config() | {"spec": asdict(self.spec)}

    def compute_output_shape(self, window_shape, **others):
        return (window_shape[0], *self.spec.output_shape(self.spec.n_steps))

    def call(self, window, present=None, targets=None, training=False):
        spec = self.spec
        memory, states = self._encode(window, present, training)
        x = self._decoder_inputs(window)
        keep = ops.ones_like(window[:, :1, :1]) * ops.ones((spec.horizon, spec.units[-1]))
        there = keep[..., :1] if spec.reads != "steps" or present is None else ops.cast(present[..., None], "float32")
        keep = self.drops[-1](keep, training=training) if self.drops else keep
        before = None if targets is None else known_before(ops.reshape(targets, (-1, spec.horizon, spec.n_targets)))
        if before is not None and self.teacher is None:
            h = self._run_forced(there, ops.concatenate([before, x], axis=-1), states)
            out = self.output_layer(h * keep, *memory)
        else:
            teacher = [] if before is None else [before, self.teacher(before[..., :1])]
            out = self._run_free(ops.concatenate([there, keep, x, *teacher], axis=-1), states, memory)
        return self._arrange(out)

    def _encode(self, window, mask, training):
        """Return the encoder's states after each step with what is added to their scores, and the first states."""
        spec, h = self.spec, window
        if not self.encoder:
            zeros = ops.zeros_like(window[:, 0, :1])
            return (None, None), [zeros * ops.ones(units) for units in spec.units for _ in range(spec.n_states)]
        n_segments = spec.n_segments(spec.n_steps)
        h = ops.pad(h, [(0, 0), (n_segments * spec.segment - spec.n_steps, 0), (0, 0)])
        # (B, n_segments * segment, C) -> (B, n_segments, segment * C)
        h = ops.reshape(h, (-1, n_segments, spec.segment * spec.n_inputs))
        states: list[Any] = []
        for i, layer in enumerate(self.encoder):
            h, *own = layer(h, mask=mask, training=training)
            states += own
            if self.drops and i < len(self.encoder) - 1:
                h = self.drops[i](h, training=training)
        absent = None if mask is None else ops.where(mask, 0.0, _NEVER)[:, None]
        return (h, absent), states

    def _decoder_inputs(self, window):
        """Return x(s), (B, horizon, n_read)."""
        spec = self.spec
        if spec.reads == "steps":
            return window
        steps = ops.ones((spec.horizon, 1))
        parts = []
        if spec.reads == "window":
            whole = ops.reshape(window, (-1, 1, spec.n_steps * spec.n_inputs))
            place = ops.reshape(ops.arange(1, spec.horizon + 1, dtype="float32") / spec.horizon, (spec.horizon, 1))
            parts = [whole * steps, ops.ones_like(whole[..., :1]) * place]
        if spec.future:
            parts.append(ops.take(window[:, spec.n_steps - spec.horizon :], list(spec.future), axis=-1))
        return ops.concatenate(parts, axis=-1) if parts else ops.zeros_like(window[:, :1, :1])[..., :0] * steps

    def _run_forced(self, there, inputs, states):
        if self.forced is None:
            for cell in self.cells:
                inputs = cell(inputs)
            return inputs
        return self.forced(ops.concatenate([there, inputs], axis=-1), initial_state=states)

    def _run_free(self, inputs, states, memory):
        nothing = ops.zeros_like(inputs[:, 0, :1]) * ops.ones(self.spec.width)
        self.step.memory = memory
        try:
            return self.free(inputs, initial_state=[*states, nothing])
        finally:
            self.step.memory = (None, None)

    def _arrange(self, out):
        """Bring (B, S, P * K) into the order of the engine's targets: of a whole window (B, P * S * K)."""
        spec = self.spec
        if spec.reads == "steps":
            return out
        out = ops.reshape(out, (-1, spec.horizon, spec.per_target, spec.n_targets))
        return ops.reshape(ops.transpose(out, (0, 2, 1, 3)), (-1, spec.n_outputs))


def build_feedback(spec: FeedbackSpec, *, ragged: bool = False, dropout=None, teacher: TeacherCoin | None = None):
    """Return the model that feeds its outputs back, and the one that takes the true targets, flat, as last input.

    Parameters are as in `build_model`; for `teacher` see `FeedbackNetwork`.
    """
    window = keras.Input((spec.n_steps, spec.n_inputs))
    mask = keras.Input((spec.n_segments(spec.n_steps),), dtype="bool") if ragged else None
    targets = keras.Input((spec.horizon * spec.n_targets,))
    network = FeedbackNetwork(spec, dropout, teacher)
    inputs = [window, mask] if ragged else [window]
    free = keras.Model(inputs if ragged else window, network(window, present=mask))
    return free, keras.Model([*inputs, targets], network(window, present=mask, targets=targets))
