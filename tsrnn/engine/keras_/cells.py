"""What computes each cell of `tsrnn.networks.cells` in Keras, for windows and for the decoder of a feedback network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from .layers import DeepGRUCell, DeepLSTMCell, DeepSimpleRNNCell, MinGRU, MinLSTM, PeepholeLSTMCell, Tensor

__all__ = ["KERAS_CELLS", "KerasCell"]

# (layer, projection of what is read, recurrent product or None, states) -> h and the new states
Advance = Callable[[Any, Tensor, Tensor | None, list[Tensor]], tuple[Tensor, list[Tensor]]]


@dataclass(frozen=True, eq=False)
class KerasCell:
    """How Keras computes a cell.

    Attributes
    ----------
    layer : callable or None
        Makes the layer: (units, return_sequences=..., return_state=..., **options).
    options : dict
        Of the layer, beside those that all of Keras's recurrent layers take.
    deep, peephole : class or None
        The cell with a deep transition, and that with peepholes as well.
    own : bool
        Whether the layer is written here: it takes no further options and gives its states only, the last of which is
        what is carried.
    advance : callable or None
        One step of a decoder's layer.
    """

    layer: Any
    options: tuple[tuple[str, Any], ...] = ()
    deep: Any = None
    peephole: Any = None
    own: bool = False
    advance: Advance | None = None

    def make_layer(self, units: int, whole: bool, carried: bool, **options: Any) -> Any:
        """Return a recurrent layer that gives its state after each step (`whole`), or its states at the end as well."""
        if self.own:
            return self.layer(units, return_sequences=whole)
        return self.layer(units, return_sequences=whole, return_state=carried, **options, **dict(self.options))


def advance_dense(layer: keras.Layer, z: Tensor, recurrent: None, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
    """Jordan's network: it knows its output alone."""
    return layer.activation(z), []


def advance_simple_rnn(
    layer: keras.Layer, z: Tensor, recurrent: Tensor, states: list[Tensor]
) -> tuple[Tensor, list[Tensor]]:
    """Elman's network."""
    h = layer.activation(z + recurrent)
    return h, [h]


def advance_gru(layer: keras.Layer, z: Tensor, recurrent: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
    """The gated recurrent unit, its reset gate after the recurrent product."""
    z, r, g = ops.split(z, 3, axis=-1)
    h_z, h_r, h_g = ops.split(recurrent + layer.bias[1], 3, axis=-1)
    update = ops.sigmoid(z + h_z)
    h = update * states[0] + (1 - update) * layer.activation(g + ops.sigmoid(r + h_r) * h_g)
    return h, [h]


def advance_lstm(layer: keras.Layer, z: Tensor, recurrent: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
    """Long short-term memory."""
    i, f, g, o = ops.split(z + recurrent, 4, axis=-1)
    c = ops.sigmoid(f) * states[1] + ops.sigmoid(i) * layer.activation(g)
    h = ops.sigmoid(o) * layer.activation(c)
    return h, [h, c]


NO_CUDNN = (("use_cudnn", False),)
#: Every cell that Keras computes, by its name.
KERAS_CELLS = {
    "dense": KerasCell(None, advance=advance_dense),
    "simple_rnn": KerasCell(keras.layers.SimpleRNN, deep=DeepSimpleRNNCell, advance=advance_simple_rnn),
    "gru": KerasCell(keras.layers.GRU, NO_CUDNN, DeepGRUCell, advance=advance_gru),
    "lstm": KerasCell(keras.layers.LSTM, NO_CUDNN, DeepLSTMCell, PeepholeLSTMCell, advance=advance_lstm),
    "min_gru": KerasCell(MinGRU, own=True),
    "min_lstm": KerasCell(MinLSTM, own=True),
}
