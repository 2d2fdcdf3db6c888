"""Keras models of networks."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import singledispatch
from typing import Any

import keras
import numpy as np

from ...networks import FeedbackSpec, ModelSpec, NetworkSpec, NonRecurrentSpec, Spec
from ..weights import check_weights
from .cells import KERAS_CELLS
from .dilated import run_dilated
from .feedback import build_feedback
from .layers import Tensor
from .user_model import make_user_model
from .without_recurrence import build_non_recurrent

__all__ = ["VariableDropout", "build_model", "build_pair", "make_model"]


class VariableDropout(keras.layers.Layer):
    """Dropout whose rate is a variable, so that a search over rates runs in one program."""

    def __init__(self, rate: keras.Variable):
        super().__init__()
        self.supports_masking = True
        self.rate = rate
        self.seed_generator = keras.random.SeedGenerator(0)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        if not training:
            return inputs
        keep = keras.random.uniform(keras.ops.shape(inputs), seed=self.seed_generator) >= self.rate
        return keras.ops.where(keep, inputs / (1 - self.rate), 0.0)


def _recurrent_layer(
    spec: NetworkSpec, units: int, whole: bool, recurrent_dropout: float, merge_mode: str | None, carried: bool = False
) -> keras.Layer:
    # Zeros and a fixed seed: Keras's defaults would draw from Python's global generator. Weights are loaded later.
    options = {
        "activation": spec.activation,
        "recurrent_dropout": recurrent_dropout,
        "kernel_initializer": "zeros",
        "recurrent_initializer": "zeros",
        "seed": 0,
    }
    layer: keras.layers.Layer
    kind = KERAS_CELLS[spec.cell]
    if spec.transition_depth > 1 or spec.peephole:
        cell = (kind.peephole if spec.peephole else kind.deep)(units, spec.transition_depth, **options)
        layer = keras.layers.RNN(cell, return_sequences=whole, return_state=carried)
    else:
        layer = kind.make_layer(units, whole, carried, **options)
    return keras.layers.Bidirectional(layer, merge_mode=merge_mode) if spec.bidirectional else layer


def _dense_layers(spec: NetworkSpec, widths: tuple[int, ...]) -> list[keras.Layer]:
    return [keras.layers.Dense(width, activation=spec.activation, kernel_initializer="zeros") for width in widths]


def _initial_states(
    spec: NetworkSpec, window: Tensor, mask: Tensor | None = None, carried: Tensor | None = None
) -> list[Any]:
    """Return the initial states of each recurrent layer: a list as the layer takes it, or None if they are zero."""
    if carried is not None:
        return _split_states(spec, carried)
    if not spec.static:
        return [None] * len(spec.units)
    static = keras.ops.take(window[:, -1], list(spec.static), axis=-1)
    # One layer for all states: several would stand in an order that depends on what else the model is made of.
    states = keras.layers.Dense(sum(spec.state_widths), kernel_initializer="zeros")(static)
    if mask is not None:  # an empty window begins with no state; what it ends with would differ between backends
        states = keras.ops.where(mask[:, -1:], states, 0.0)
    if spec.input_layers:
        # Keras orders weights by the distance of their layers from the output: keep this one before the input's.
        states = keras.layers.Identity()(states)
    return _split_states(spec, states)


def _split_states(spec: NetworkSpec, states: Tensor) -> list[list[Tensor]]:
    """Split states that stand side by side into a list for each recurrent layer."""
    ends = list(itertools.accumulate(spec.state_widths))
    states = keras.ops.split(states, ends[:-1], axis=-1) if len(ends) > 1 else [states]
    per_layer = len(states) // len(spec.units)
    return [states[i : i + per_layer] for i in range(0, len(states), per_layer)]


def build_model(
    spec: NetworkSpec,
    n_steps: int,
    *,
    ragged: bool = False,
    carried: bool = False,
    dropout: Callable[[], keras.Layer] | None = None,
    recurrent_dropout: float = 0.0,
) -> keras.Model:
    """Build the Keras model of a network.

    Parameters
    ----------
    spec : NetworkSpec
        The network.
    n_steps : int
        Steps of a window.
    ragged : bool
        Whether the model takes a second input: boolean (n_windows, n_segments), False where a segment is empty.
    carried : bool
        Whether the model takes the initial states of all layers as its last input, and gives their final states as a
        second output: (n_windows, n_states), in the order of `NetworkSpec.state_widths`.
    dropout : callable or None
        Makes a dropout layer to put after each layer but the last.
    recurrent_dropout : float
        Dropout rate of the recurrent state.
    """
    n_segments = spec.n_segments(n_steps)
    window = keras.Input((n_steps, spec.n_inputs))
    mask = keras.Input((n_segments,), dtype="bool") if ragged else None
    h = window if len(spec.inputs) == spec.n_inputs else keras.ops.take(window, list(spec.inputs), axis=-1)
    if spec.segment > 1:
        h = keras.layers.ZeroPadding1D((n_segments * spec.segment - n_steps, 0))(h)
        # (B, n_segments * segment, C) -> (B, n_segments, segment * C)
        h = keras.layers.Reshape((n_segments, spec.segment * len(spec.inputs)))(h)
    if spec.input_layers:
        h = keras.Sequential(_dense_layers(spec, spec.input_layers))(h)
    before = keras.Input((sum(spec.state_widths),)) if carried else None
    after: list = []
    for i, (units, states) in enumerate(zip(spec.units, _initial_states(spec, window, mask, before), strict=True)):
        whole = spec.head == "sequence" or i < len(spec.units) - 1
        below, dilation = h, spec.dilation[i] if spec.dilation else 1
        merge_mode = spec.merge_mode if dilation == 1 else None
        layer = _recurrent_layer(spec, units, whole, recurrent_dropout, merge_mode, carried)
        if dilation > 1:
            h = run_dilated(layer, h, mask, states, dilation, spec.merge_mode)
        else:
            given = {"mask": mask, "initial_state": states}
            h = layer(h, **{name: value for name, value in given.items() if value is not None})
        if carried:
            h, *final = (h, h[:, -1]) if KERAS_CELLS[spec.cell].own else h
            after += final
        h = dropout()(h) if dropout is not None else h
        if spec.residual and i > 0:
            h = keras.layers.Add()([h, below if whole else below[:, -1]])
    for layer in _dense_layers(spec, spec.output_layers):
        h = layer(h)
    head = keras.layers.Dense(spec.n_outputs, kernel_initializer="zeros")
    inputs = [given for given in (window, mask, before) if given is not None]
    outputs = [head(h), keras.ops.concatenate(after, axis=-1)] if carried else head(h)
    return keras.Model(inputs if len(inputs) > 1 else window, outputs)


@singledispatch
def build_pair(spec: Spec, n_steps: int, **how: Any) -> tuple[keras.Model, keras.Model]:
    """Build the model that predicts, and the one that is trained: it may take the targets as last input.

    Parameters
    ----------
    spec : Spec
        The network.
    n_steps : int
        Steps of a window.
    **how
        As for `build_model`; `taught` and `teacher` as for `build_feedback`. What a network does not have is passed
        over.
    """
    raise TypeError(f"Keras does not know how to build {spec!r}.")


@build_pair.register
def _(spec: NetworkSpec, n_steps, *, taught=False, teacher=None, **how):
    return 2 * (build_model(spec, n_steps, **how),)


@build_pair.register
def _(spec: NonRecurrentSpec, n_steps, *, ragged=False, dropout=None, **how):
    return 2 * (build_non_recurrent(spec, n_steps, ragged=ragged, dropout=dropout),)


@build_pair.register
def _(spec: FeedbackSpec, n_steps, *, ragged=False, dropout=None, taught=False, teacher=None, **how):
    return build_feedback(spec, ragged=ragged, dropout=dropout, taught=taught, teacher=teacher)


@build_pair.register
def _(spec: ModelSpec, n_steps, **how):
    return 2 * (make_user_model(spec, n_steps),)


def make_model(
    spec: NetworkSpec | NonRecurrentSpec | FeedbackSpec,
    n_steps: int,
    weights: list[np.ndarray],
    *,
    dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
) -> keras.Model:
    """Build a model of Keras's own layers with the given weights; the user's to keep."""
    layer = (lambda: keras.layers.Dropout(dropout, seed=0)) if dropout else None
    model, _ = build_pair(spec, n_steps, dropout=layer, recurrent_dropout=recurrent_dropout)
    model.set_weights(check_weights(weights, [weight.shape for weight in spec.weights]))
    return model
