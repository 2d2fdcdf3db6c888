"""The layers of a network that reads what it gave out before: one step of its decoder, and what leads to the output."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from ...networks import FeedbackSpec
from .cells import KERAS_CELLS
from .layers import Tensor

__all__ = ["DecoderLayer", "ForcedStep", "Output", "Step", "known_before", "run_layers"]


class DecoderLayer(keras.layers.Layer):
    """One layer of the decoder; weights and equations are those of Keras's cell.

    What does not depend on the step before is multiplied by the kernel for all steps at once, outside of the loop over
    them; only a part of the rows of the first layer's kernel is left for it.
    """

    def __init__(self, spec: FeedbackSpec, width: int, units: int):
        super().__init__()
        self.kind, columns = spec.kind, spec.kind.n_columns(units)
        self._advance: Any = KERAS_CELLS[spec.cell].advance
        self.activation = keras.activations.get(spec.activation)
        self.kernel = self.add_weight(shape=(width, columns), initializer="zeros", name="kernel")
        if self.kind.recurrent_kernel:
            self.recurrent_kernel = self.add_weight(
                shape=(units, columns), initializer="zeros", name="recurrent_kernel"
            )
        self.bias = self.add_weight(shape=self.kind.bias_shape(units), initializer="zeros", name="bias")
        self.built = True

    def project(self, x: Tensor, first: int = 0) -> Tensor:
        """Multiply x by the kernel from its row `first` on."""
        return ops.matmul(x, self.kernel[first : first + x.shape[-1]])

    @property
    def input_bias(self) -> Tensor:
        return self.bias if self.kind.n_biases == 1 else self.bias[0]

    def advance(self, z: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Return h and the new states, z (B, columns) being the projection of what is read, with its bias."""
        recurrent = ops.matmul(states[0], self.recurrent_kernel) if self.kind.recurrent_kernel else None
        return self._advance(self, z, recurrent, states)


class Output(keras.layers.Layer):
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

    def call(self, h: Tensor, memory: Tensor | None, absent: Tensor | None) -> Tensor:
        """Map h (B, S, units) to (B, S, width); `absent` (B, 1, T) is added to the scores of `memory` (B, T, units)."""
        if self.spec.attention:
            scores = self._scores(h, memory)
            share = ops.softmax(scores if absent is None else scores + absent, axis=-1)
            h = self.combine(ops.concatenate([h, ops.matmul(share, memory)], axis=-1))
        return self.head(h)

    def _scores(self, h: Tensor, memory: Tensor) -> Tensor:
        """Return (B, S, T)."""
        if self.spec.attention == "dot":
            return ops.matmul(h, ops.transpose(memory, (0, 2, 1)))
        both = ops.tanh(self.query(h)[:, :, None] + self.key(memory)[:, None])
        return self.score(both)[..., 0]


class Step(keras.layers.Layer):
    """One step of the decoder, as a cell for `keras.layers.RNN`: its states are those of the layers and the output.

    It reads whether there is anything at a step, what the head's input is multiplied by (dropout), the projection of
    x(s), and, if the teacher has a say, the true output before and whether that is fed back.
    """

    def __init__(self, spec: FeedbackSpec, layers: list[DecoderLayer], output: Output):
        super().__init__()
        self.spec, self.layers, self.output_layer = spec, layers, output
        self.n_projected = layers[0].kernel.shape[1]
        self.state_size = [*_state_widths(spec), spec.width]
        self.output_size = spec.width
        self.memory: tuple[Tensor | None, Tensor | None] = (None, None)  # lent by the network while it runs
        self.built = True

    def call(self, inputs: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        start = 1 + self.spec.units[-1]
        end = start + self.n_projected
        previous, teacher = _fed_back(self.spec, states[-1]), inputs[:, end:]
        if teacher.shape[-1]:
            previous = ops.where(teacher[:, -1:] > 0, teacher[:, :-1], previous)
        h, after = run_layers(
            self.spec, self.layers, inputs[:, start:end] + self.layers[0].project(previous), states[:-1]
        )
        out = self.output_layer((h * inputs[:, 1:start])[:, None], *self.memory)[:, 0]
        after = _where_present(inputs[:, :1], [*after, out], states)
        return after[-1], after


class ForcedStep(keras.layers.Layer):
    """One step of the decoder that is told what to read: its states are those of the layers alone.

    It reads whether there is anything at a step, and the projection of all that the first layer reads there.
    """

    def __init__(self, spec: FeedbackSpec, layers: list[DecoderLayer]):
        super().__init__()
        self.spec, self.layers = spec, layers
        self.state_size = _state_widths(spec)
        self.output_size = spec.units[-1]
        self.built = True

    def call(self, inputs: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        h, after = run_layers(self.spec, self.layers, inputs[:, 1:], states)
        return h, _where_present(inputs[:, :1], after, states)


def _state_widths(spec: FeedbackSpec) -> list[int]:
    return [units for units in spec.units for _ in range(spec.n_states)]


def run_layers(
    spec: FeedbackSpec, layers: list[DecoderLayer], z: Tensor, states: list[Tensor]
) -> tuple[Tensor, list[Tensor]]:
    """Return h of the last layer, and the states of all; z is the projection of what the first one reads."""
    h, after = layers[0].advance(z, states[: spec.n_states])
    for i, layer in enumerate(layers[1:], start=1):
        own = states[i * spec.n_states : (i + 1) * spec.n_states]
        h, new = layer.advance(layer.project(h) + layer.input_bias, own)
        after = [*after, *new]
    return h, after


def _where_present(present: Tensor, after: list[Tensor], before: list[Tensor]) -> list[Tensor]:
    """Return the states after a step; where there was nothing to read, those before it.

    Keras's masks do this as well, but on JAX only for states that are all of one width.
    """
    return [ops.where(present > 0, new, old) for new, old in zip(after, before, strict=True)]


def _fed_back(spec: FeedbackSpec, out: Tensor) -> Tensor:
    """Return what of an output (B, width) is read at the next step, (B, n_targets)."""
    start = spec.fed_back * spec.n_targets
    return out[:, start : start + spec.n_targets]


def known_before(y: Tensor) -> Tensor:
    """Return the target of the step before (B, S, K), where it is NaN the last one known, and 0 before the first."""
    y = ops.pad(y[:, :-1], [(0, 0), (1, 0), (0, 0)])
    reach = 1
    while reach < y.shape[1]:  # each round looks twice as far back
        y = ops.where(ops.isnan(y), ops.pad(y[:, :-reach], [(0, 0), (reach, 0), (0, 0)]), y)
        reach *= 2
    return y


def _dense(n_inputs: int, units: int, activation: str | None = None, use_bias: bool = False) -> keras.Layer:
    layer = keras.layers.Dense(units, activation, use_bias=use_bias, kernel_initializer="zeros")
    layer.build((None, n_inputs))
    return layer
