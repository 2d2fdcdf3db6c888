"""Keras models of the networks without recurrence."""

from __future__ import annotations

from collections.abc import Callable

import keras

from ...networks import ConvSpec, FeedForwardSpec, NonRecurrentSpec
from .layers import Tensor

__all__ = ["build_non_recurrent"]


def build_non_recurrent(
    spec: NonRecurrentSpec, n_steps: int, *, ragged: bool = False, dropout: Callable[[], keras.Layer] | None = None
) -> keras.Model:
    """Build the Keras model of a network without recurrence; parameters as in `build_model`.

    Layers that have weights stand in a chain, so that Keras lists their weights in the order of `spec.weights`.
    """
    window = keras.Input((n_steps, spec.n_inputs))
    mask = keras.Input((spec.n_segments(n_steps),), dtype="bool") if ragged else None
    state = _STATES[type(spec)](spec, window, mask, dropout or keras.layers.Identity)
    head = keras.layers.Dense(spec.n_outputs, kernel_initializer="zeros")
    return keras.Model([window, mask] if ragged else window, head(state))


def _feed_forward(
    spec: FeedForwardSpec, window: Tensor, mask: Tensor | None, dropout: Callable[[], keras.Layer]
) -> Tensor:
    """Return the last hidden layer, (B, units)."""
    h = keras.layers.Flatten()(_blank(window, mask))  # (B, T, C) -> (B, T * C), time-major
    for units in spec.units:
        h = keras.layers.Dense(units, spec.activation, kernel_initializer="zeros")(h)
        h = dropout()(h)
    return h


def _convolutions(spec: ConvSpec, window: Tensor, mask: Tensor | None, dropout: Callable[[], keras.Layer]) -> Tensor:
    """Return what the last block gives at the last step, (B, filters).

    Only the steps that it depends on are computed: every 2**i-th in block i, where a dilation of 2**i is one of 1.
    """
    h = _blank(keras.layers.Dense(spec.filters, kernel_initializer="zeros")(window), mask)
    for _ in range(spec.n_blocks):
        inner = dropout()(_blank(_convolution(spec)(h), mask))
        inner = _convolution(spec)(inner)
        h, inner, mask = (part if part is None else _every_second(part) for part in (h, inner, mask))
        inner = dropout()(_blank(inner, mask))
        h = keras.layers.Activation(spec.activation)(keras.layers.Add()([h, inner]))
    return h[:, -1]


def _convolution(spec: ConvSpec) -> keras.Layer:
    return keras.layers.Conv1D(
        spec.filters, spec.kernel_size, padding="causal", activation=spec.activation, kernel_initializer="zeros"
    )


def _every_second(h: Tensor) -> Tensor:
    """Return every second step, counted back from the last."""
    return h[:, (h.shape[1] - 1) % 2 :: 2]


def _blank(h: Tensor, mask: Tensor | None) -> Tensor:
    """Set empty steps to 0: a bias would make them a past that is not there."""
    return h if mask is None else keras.ops.where(mask[..., None], h, 0.0)


_STATES: dict[type[NonRecurrentSpec], Callable] = {FeedForwardSpec: _feed_forward, ConvSpec: _convolutions}
