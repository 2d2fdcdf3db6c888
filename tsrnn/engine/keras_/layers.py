"""Recurrent cells and layers that Keras does not have, written in keras.ops.

They are registered under "tsrnn": a `.keras` file that holds one of them is read where this module was imported.
"""

from __future__ import annotations

import keras

__all__ = ["DEEP_CELLS", "DeepGRUCell", "DeepLSTMCell", "DeepSimpleRNNCell"]

register = keras.saving.register_keras_serializable("tsrnn")


class _DeepTransition:
    """Adds dense layers after the step of a Keras cell, in front of which this class stands among the bases.

    With the cell's own step as the first of `transition_depth` layers, the state becomes
    ``h <- activation(h W_l + b_l)`` for l = 2, ..., transition_depth (Pascanu et al., 2014, eq. 12). An LSTM's memory
    cell is not touched.

    Parameters
    ----------
    units : int
        State size, of the cell and of each further layer.
    transition_depth : int
        Layers from one state to the next.
    **kwargs
        Of the Keras cell.
    """

    def __init__(self, units, transition_depth=1, **kwargs):
        super().__init__(units, **kwargs)
        self.transition_depth = transition_depth

    def build(self, input_shape):
        super().build(input_shape)
        self.transitions = [
            (
                self.add_weight(shape=(self.units, self.units), name=f"transition_kernel_{i}", initializer="zeros"),
                self.add_weight(shape=(self.units,), name=f"transition_bias_{i}", initializer="zeros"),
            )
            for i in range(self.transition_depth - 1)
        ]

    def call(self, inputs, states, training=False):
        h, states = super().call(inputs, states, training=training)
        for kernel, bias in self.transitions:
            h = self.activation(keras.ops.matmul(h, kernel) + bias)
        return h, [h, *states[1:]]

    def get_config(self):
        return super().get_config() | {"transition_depth": self.transition_depth}


@register
class DeepLSTMCell(_DeepTransition, keras.layers.LSTMCell):
    """LSTM with a deep transition."""


@register
class DeepGRUCell(_DeepTransition, keras.layers.GRUCell):
    """GRU with a deep transition."""


@register
class DeepSimpleRNNCell(_DeepTransition, keras.layers.SimpleRNNCell):
    """Elman's network with a deep transition, the DT-RNN of Pascanu et al. (2014)."""


DEEP_CELLS = {"lstm": DeepLSTMCell, "gru": DeepGRUCell, "simple_rnn": DeepSimpleRNNCell}
