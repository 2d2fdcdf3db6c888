"""Recurrent cells and layers that Keras does not have, written in keras.ops.

They are registered under "tsrnn": a `.keras` file that holds one of them is read where this module was imported.
"""

from __future__ import annotations

from typing import Any

import keras

__all__ = [
    "DeepGRUCell",
    "DeepLSTMCell",
    "DeepSimpleRNNCell",
    "MinGRU",
    "MinLSTM",
    "PeepholeLSTMCell",
    "Shape",
    "Tensor",
]

#: A tensor of the backend, or a symbolic one: they have no type in common.
Tensor = Any
#: None where an axis may have any length.
Shape = tuple[int | None, ...]

register = keras.saving.register_keras_serializable("tsrnn")


#: Base of what stands in front of a cell of Keras, which has no types.
Mixin: Any = object


class _DeepTransition(Mixin):
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

    def __init__(self, units: int, transition_depth: int = 1, **kwargs: Any):
        super().__init__(units, **kwargs)
        self.transition_depth = transition_depth

    def build(self, input_shape: Shape) -> None:
        super().build(input_shape)
        self.transitions = [
            (
                self.add_weight(shape=(self.units, self.units), name=f"transition_kernel_{i}", initializer="zeros"),
                self.add_weight(shape=(self.units,), name=f"transition_bias_{i}", initializer="zeros"),
            )
            for i in range(self.transition_depth - 1)
        ]

    def call(self, inputs: Tensor, states: list[Tensor], training: bool = False) -> tuple[Tensor, list[Tensor]]:
        h, states = super().call(inputs, states, training=training)
        for kernel, bias in self.transitions:
            h = self.activation(keras.ops.matmul(h, kernel) + bias)
        return h, [h, *states[1:]]

    def get_config(self) -> dict[str, Any]:
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


class _PeepholeStep(keras.layers.LSTMCell):
    """LSTM whose gates see the memory cell (Gers, Schraudolph and Schmidhuber, 2002, section 2.2).

    Input and forget gate see the memory before the step, the output gate the one after it.
    """

    def build(self, input_shape: Shape) -> None:
        super().build(input_shape)
        self.peephole = self.add_weight(shape=(3, self.units), name="peephole_kernel", initializer="zeros")

    def call(self, inputs: Tensor, states: list[Tensor], training: bool = False) -> tuple[Tensor, list[Tensor]]:
        h, c = states
        z = keras.ops.matmul(inputs, self.kernel) + self.bias + self._recurrent_product(h, training)
        z_i, z_f, z_c, z_o = keras.ops.split(z, 4, axis=1)
        gate, peep = self.recurrent_activation, self.peephole
        c = gate(z_f + peep[1] * c) * c + gate(z_i + peep[0] * c) * self.activation(z_c)
        h = gate(z_o + peep[2] * c) * self.activation(c)
        return h, [h, c]

    def _recurrent_product(self, h: Tensor, training: bool) -> Tensor:
        masks = self.get_recurrent_dropout_mask(h) if training else None
        if masks is None:
            return keras.ops.matmul(h, self.recurrent_kernel)
        kernels = keras.ops.split(self.recurrent_kernel, 4, axis=1)  # each block drops units of its own, as in Keras
        products = [keras.ops.matmul(h * mask, kernel) for mask, kernel in zip(masks, kernels, strict=True)]
        return keras.ops.concatenate(products, axis=1)


@register
class PeepholeLSTMCell(_DeepTransition, _PeepholeStep):
    """LSTM with peepholes, and a deep transition if it is asked for."""


def _compose_steps(keep: Tensor, add: Tensor) -> tuple[Tensor, Tensor]:
    """Compose each step ``h -> keep * h + add`` with all steps before it, in log2(n_steps) rounds.

    This is the parallel prefix of Hillis and Steele (1986), data parallel algorithms, CACM 29(12). `keras.ops` has
    `associative_scan`, which loses the shape of what it returns in a TensorFlow function.

    Parameters
    ----------
    keep, add : tensors of shape (B, n_steps, units)
        What each step multiplies the state by and adds to it.
    """
    reach = 1
    while reach < keep.shape[1]:
        # Before the first step stands h -> 1 * h + 0.
        before = [(0, 0), (reach, 0), (0, 0)]
        add = add + keep * keras.ops.pad(add[:, :-reach], before)
        keep = keep * keras.ops.pad(keep[:, :-reach], before, constant_values=1)
        reach *= 2
    return keep, add


class _MinimalRNN(keras.layers.Layer):
    """Layer of a cell whose gates depend on the input only (Feng et al., 2024): a linear recurrence in the state.

    All steps ``h_t = (1 - u_t) h_{t-1} + u_t c_t`` are composed by a parallel scan. Subclasses say how the input
    makes u and the candidate c.

    Parameters
    ----------
    units : int
        State size.
    return_sequences : bool
        Give the state after each step, not the last one only.
    go_backwards : bool
        Read the last step first; states come in the order of reading.
    """

    blocks: int  # of `units` columns in the kernel

    def __init__(self, units: int, return_sequences: bool = False, go_backwards: bool = False, **kwargs: Any):
        super().__init__(**kwargs)
        self.units, self.return_sequences, self.go_backwards = units, return_sequences, go_backwards
        self.return_state = self.stateful = False  # asked for by Bidirectional
        self.supports_masking = True

    def build(self, sequences_shape: Shape, initial_state_shape: Any = None) -> None:
        columns = self.blocks * self.units
        self.kernel = self.add_weight(shape=(sequences_shape[-1], columns), name="kernel", initializer="zeros")
        self.bias = self.add_weight(shape=(columns,), name="bias", initializer="zeros")

    def _update_logit(self, gates: list[Tensor]) -> Tensor:
        """Return the logit of u from the columns of the gates."""
        raise NotImplementedError

    def call(self, sequences: Tensor, initial_state: list[Tensor] | None = None, mask: Tensor | None = None) -> Tensor:
        ops = keras.ops
        if self.go_backwards:
            sequences = ops.flip(sequences, axis=1)
            mask = None if mask is None else ops.flip(mask, axis=1)
        *gates, candidate = ops.split(ops.matmul(sequences, self.kernel) + self.bias, self.blocks, axis=-1)
        logit = self._update_logit(gates)
        keep, add = ops.sigmoid(-logit), ops.sigmoid(logit) * candidate
        if mask is not None:  # an empty step leaves the state as it is
            keep = ops.where(mask[..., None], keep, 1.0)
            add = ops.where(mask[..., None], add, 0.0)
        keep, states = _compose_steps(keep, add)
        if initial_state is not None:
            states = states + keep * initial_state[0][:, None]
        return states if self.return_sequences else states[:, -1]

    def compute_mask(self, sequences: Tensor, mask: Tensor | None = None) -> Tensor | None:
        return mask if self.return_sequences else None

    def compute_output_shape(self, sequences_shape: Shape, initial_state_shape: Any = None) -> Shape:
        batch, length = sequences_shape[:2]
        return (batch, length, self.units) if self.return_sequences else (batch, self.units)

    def get_config(self) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in ("units", "return_sequences", "go_backwards")}
        return super().get_config() | own


@register
class MinGRU(_MinimalRNN):
    """Minimal GRU: u is its update gate z (Feng et al., 2024, section 3.1). Columns z, h."""

    blocks = 2

    def _update_logit(self, gates: list[Tensor]) -> Tensor:
        return gates[0]


@register
class MinLSTM(_MinimalRNN):
    """Minimal LSTM: u is the input gate i / (f + i) (Feng et al., 2024, section 3.2). Columns i, f, h."""

    blocks = 3

    def _update_logit(self, gates: list[Tensor]) -> Tensor:
        # logit(i / (f + i)) = log i - log f, which does not divide by zero where both gates are shut
        i, f = gates
        return keras.ops.log_sigmoid(i) - keras.ops.log_sigmoid(f)
