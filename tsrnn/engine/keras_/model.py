"""Keras models of networks."""

from __future__ import annotations

import keras

from ...networks import NetworkSpec

__all__ = ["VariableDropout", "build_model", "make_model"]

LAYERS = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU, "simple_rnn": keras.layers.SimpleRNN}


class VariableDropout(keras.layers.Layer):
    """Dropout whose rate is a variable, so that a search over rates runs in one program."""

    def __init__(self, rate: keras.Variable):
        super().__init__()
        self.rate = rate
        self.seed_generator = keras.random.SeedGenerator(0)

    def call(self, inputs, training=False):
        if not training:
            return inputs
        keep = keras.random.uniform(keras.ops.shape(inputs), seed=self.seed_generator) >= self.rate
        return keras.ops.where(keep, inputs / (1 - self.rate), 0.0)


def _recurrent_layer(spec: NetworkSpec, units: int, last: bool, recurrent_dropout: float):
    # Zeros and a fixed seed: Keras's defaults would draw from Python's global generator. Weights are loaded later.
    layer = LAYERS[spec.cell](
        units,
        activation=spec.activation,
        return_sequences=not last,
        recurrent_dropout=recurrent_dropout,
        kernel_initializer="zeros",
        recurrent_initializer="zeros",
        seed=0,
        **({} if spec.cell == "simple_rnn" else {"use_cudnn": False}),
    )
    return keras.layers.Bidirectional(layer) if spec.bidirectional else layer


def build_model(spec: NetworkSpec, n_steps: int, *, ragged: bool = False, dropout=None, recurrent_dropout: float = 0.0):
    """Build the Keras model of a network.

    Parameters
    ----------
    spec : NetworkSpec
        The network.
    n_steps : int
        Steps of a window.
    ragged : bool
        Whether the model takes a second input: boolean (n_windows, n_segments), False where a segment is empty.
    dropout : callable or None
        Makes a dropout layer to put after each recurrent layer.
    recurrent_dropout : float
        Dropout rate of the recurrent state.
    """
    n_segments = spec.n_segments(n_steps)
    window = keras.Input((n_steps, spec.n_inputs))
    mask = keras.Input((n_segments,), dtype="bool") if ragged else None
    h = window
    if spec.segment > 1:
        h = keras.layers.ZeroPadding1D((n_segments * spec.segment - n_steps, 0))(h)
        # (B, n_segments * segment, C) -> (B, n_segments, segment * C)
        h = keras.layers.Reshape((n_segments, spec.segment * spec.n_inputs))(h)
    for i, units in enumerate(spec.units):
        layer = _recurrent_layer(spec, units, i == len(spec.units) - 1, recurrent_dropout)
        h = layer(h, mask=mask) if ragged else layer(h)
        h = dropout()(h) if dropout is not None else h
    head = keras.layers.Dense(spec.n_outputs, kernel_initializer="zeros")
    return keras.Model([window, mask] if ragged else window, head(h))


def make_model(spec, n_steps, weights, *, dropout=0.0, recurrent_dropout=0.0):
    """Build a model of Keras's own layers with the given weights; the user's to keep."""
    layer = (lambda: keras.layers.Dropout(dropout, seed=0)) if dropout else None
    model = build_model(spec, n_steps, dropout=layer, recurrent_dropout=recurrent_dropout)
    model.set_weights(weights)
    return model
