"""Keras models of the networks that read what they gave out before.

One layer holds all weights, and two models share it: one feeds its outputs back, the other, for training, takes the
true targets as well. Where those are all that is fed back, the steps of a dense network do not wait for each other.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import keras
from keras import ops

from ...networks import FeedbackSpec
from ...networks.feedback import NEVER
from .cells import KERAS_CELLS
from .feedback_layers import DecoderLayer, ForcedStep, Output, Step, known_before, run_layers
from .layers import Shape, Tensor, register

__all__ = ["FeedbackNetwork", "TeacherCoin", "build_feedback"]

#: Makes a dropout layer.
Drop = Callable[[], keras.Layer]
#: A network, or what a file says of it.
Given = FeedbackSpec | dict[str, Any]


class TeacherCoin(keras.layers.Layer):
    """Says for each window and step whether the true target is fed back: 1 with a probability that is a variable."""

    def __init__(self, ratio: keras.Variable):
        super().__init__()
        self.ratio = ratio
        self.seed_generator = keras.random.SeedGenerator(0)

    def call(self, shape_of: Tensor) -> Tensor:
        flips = keras.random.uniform(ops.shape(shape_of), seed=self.seed_generator)
        return ops.cast(flips < self.ratio, "float32")


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

    def __init__(self, spec: Given, dropout: Drop | None = None, teacher: TeacherCoin | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        if isinstance(spec, dict):  # as it was read from a file
            read: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in spec.items()}
            spec = FeedbackSpec(**read)
        self.spec = spec
        self.encoder = self._build_encoder() if spec.reads == "encoder" else []
        widths = (spec.n_targets + spec.n_read, *spec.units)
        self.decoder = [DecoderLayer(spec, *pair) for pair in itertools.pairwise(widths)]
        self.output_layer = Output(spec)
        self.step = Step(spec, self.decoder, self.output_layer)
        self.free = keras.layers.RNN(self.step, return_sequences=True)
        self.forced = keras.layers.RNN(ForcedStep(spec, self.decoder), return_sequences=True)
        self.drops = [dropout() for _ in spec.units] if dropout is not None else []
        self.teacher = teacher

    def _build_encoder(self) -> list[Any]:
        spec, width, layers = self.spec, self.spec.n_inputs * self.spec.segment, []
        for units in spec.units:
            options = {"kernel_initializer": "zeros", "recurrent_initializer": "zeros", "seed": 0}
            layer = KERAS_CELLS[spec.cell].make_layer(units, True, True, activation=spec.activation, **options)
            layer.build((None, None, width))
            layers.append(layer)
            width = units
        return layers

    def build(self, *shapes: Any, **named_shapes: Any) -> None:
        self.built = True  # its layers were built with it: their widths are known

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"spec": asdict(self.spec)}

    def compute_output_shape(self, window_shape: Shape, **others: Any) -> Shape:
        return (window_shape[0], *self.spec.output_shape(self.spec.n_steps))

    def call(
        self, window: Tensor, present: Tensor | None = None, targets: Tensor | None = None, training: bool = False
    ) -> Tensor:
        spec = self.spec
        memory, states = self._encode(window, present, training)
        z = self._project(window)
        keep = ops.ones_like(window[:, :1, :1]) * ops.ones((spec.horizon, spec.units[-1]))
        there = keep[..., :1] if spec.reads != "steps" or present is None else ops.cast(present[..., None], "float32")
        keep = self.drops[-1](keep, training=training) if self.drops else keep
        before = None if targets is None else known_before(ops.reshape(targets, (-1, spec.horizon, spec.n_targets)))
        if before is not None and self.teacher is None:
            h = self._run_forced(there, z + self.decoder[0].project(before), states)
            out = self.output_layer(h * keep, *memory)
        else:
            teacher = [] if before is None or self.teacher is None else [before, self.teacher(before[..., :1])]
            out = self._run_free(ops.concatenate([there, keep, z, *teacher], axis=-1), states, memory)
        return self._arrange(out)

    def _encode(
        self, window: Tensor, mask: Tensor | None, training: bool
    ) -> tuple[tuple[Tensor | None, Tensor | None], list[Tensor]]:
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
        absent = None if mask is None else ops.where(mask, 0.0, NEVER)[:, None]
        return (h, absent), states

    def _project(self, window: Tensor) -> Tensor:
        """Return the projection of x(s), with its bias: (B, horizon, columns)."""
        spec, layer, row = self.spec, self.decoder[0], self.spec.n_targets
        z = layer.input_bias + ops.zeros_like(window[:, :1, :1])
        if spec.reads == "steps":
            return z + layer.project(window, row)
        if spec.reads == "window":  # it is the same at all steps
            whole = ops.reshape(window, (-1, 1, spec.n_steps * spec.n_inputs))
            place = ops.reshape(ops.arange(1, spec.horizon + 1, dtype="float32") / spec.horizon, (1, spec.horizon, 1))
            z = z + layer.project(whole, row) + layer.project(place, row + whole.shape[-1])
            row += whole.shape[-1] + 1
        if spec.future:
            ahead = ops.take(window[:, spec.n_steps - spec.horizon :], list(spec.future), axis=-1)
            z = z + layer.project(ahead, row)
        return z + ops.zeros((1, spec.horizon, 1))

    def _run_forced(self, there: Tensor, z: Tensor, states: list[Tensor]) -> Tensor:
        if self.spec.n_states:
            return self.forced(ops.concatenate([there, z], axis=-1), initial_state=states)
        return run_layers(self.spec, self.decoder, z, [])[0]  # all steps at once

    def _run_free(self, inputs: Tensor, states: list[Tensor], memory: tuple[Tensor | None, Tensor | None]) -> Tensor:
        nothing = ops.zeros_like(inputs[:, 0, :1]) * ops.ones(self.spec.width)
        self.step.memory = memory
        try:
            return self.free(inputs, initial_state=[*states, nothing])
        finally:
            self.step.memory = (None, None)

    def _arrange(self, out: Tensor) -> Tensor:
        """Bring (B, S, P * K) into the order of the engine's targets: of a whole window (B, P * S * K)."""
        spec = self.spec
        if spec.reads == "steps":
            return out
        out = ops.reshape(out, (-1, spec.horizon, spec.per_target, spec.n_targets))
        return ops.reshape(ops.transpose(out, (0, 2, 1, 3)), (-1, spec.n_outputs))


def build_feedback(
    spec: FeedbackSpec,
    *,
    ragged: bool = False,
    dropout: Drop | None = None,
    taught: bool = False,
    teacher: TeacherCoin | None = None,
) -> tuple[keras.Model, keras.Model]:
    """Return the model that feeds its outputs back, and the one to train.

    They are the same unless it is `taught`: then the second takes the true targets, flat, as last input. The other
    parameters are as in `build_model` and `FeedbackNetwork`.
    """
    window = keras.Input((spec.n_steps, spec.n_inputs))
    mask = keras.Input((spec.n_segments(spec.n_steps),), dtype="bool") if ragged else None
    network = FeedbackNetwork(spec, dropout, teacher)
    inputs = [window, mask] if ragged else [window]
    free = keras.Model(inputs if ragged else window, network(window, present=mask))
    if not taught:
        return free, free
    targets = keras.Input((spec.horizon * spec.n_targets,))
    return free, keras.Model([*inputs, targets], network(window, present=mask, targets=targets))
