"""The program of Keras's TensorFlow backend.

A training call runs many steps in one TensorFlow function: the outer function loops over the rows of `order` and
gathers each batch from the series, the inner one is the step itself, of fixed shapes, compiled by XLA where that pays.
Data of any length run through the same program.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from ..data import Missing, WindowData
from ..distributions import n_parameters
from ..pieces import Carry
from ..program import ForwardKey, Numbers, ProgramKey, TrainerKey
from .base import PREDICT_ROWS, BaseProgram, blank_empty, data_arrays, read_inputs

__all__ = ["TensorFlowProgram"]

# Each program traces its own functions once, which TensorFlow takes for one function that is traced again and again.
tf.get_logger().addFilter(lambda record: "TensorFlowProgram" not in record.getMessage())


class _Data(NamedTuple):
    """Series, starts, lead, offset, scale and means; with targets, also y and weight; and what is carried."""

    arrays: tuple
    lanes: Any
    carry: Carry

    def states(self) -> Any:
        return tf.constant(self.carry.states)


class TensorFlowProgram(BaseProgram):
    """A Keras model, an optimiser and the functions traced over them. Fills in the `Program` protocol."""

    def __init__(self, key: ProgramKey):
        super().__init__(key)
        carry = [tf.TensorSpec((None,), tf.int32), tf.TensorSpec((None, None), tf.float32)]
        number = tf.TensorSpec((), tf.int32)
        self._predict = tf.function(
            self._predict_chunks,
            input_signature=[*_data_signature(key.forward), *carry, number, number],
            autograph=False,
        )
        if key.trainer is not None:
            self._build_trainer(key.trainer, carry)

    def _build_trainer(self, trainer: TrainerKey, carry: list[tf.TensorSpec]) -> None:
        self._step = tf.function(self._train_step, jit_compile=trainer.compiled, autograph=False)
        n_targets = math.prod(self.key.forward.output_shape) // n_parameters(trainer.loss, trainer.quantiles)
        self._train = tf.function(
            self._train_rows,
            input_signature=[
                *_data_signature(self.key.forward),
                tf.TensorSpec((None, n_targets), tf.float32),
                tf.TensorSpec((None,), tf.float32),
                *carry,
                tf.TensorSpec((None, None if self._keeps_statistics else trainer.batch_size), tf.int32),
                tf.TensorSpec((len(Numbers._fields),), tf.float32),
            ],
            autograph=False,
        )

    # -- calls -------------------------------------------------------------------------------------------------------

    def bind(
        self, windows: WindowData, missing: Missing, y: Any = None, weight: Any = None, carry: Carry | None = None
    ) -> _Data:
        # Data stay in the memory of the CPU even where there is a GPU: batches are small, series may be large.
        carry = Carry.zeros(0, 0, np.zeros(0)) if carry is None else carry
        with tf.device("CPU:0"):
            arrays = tuple(tf.constant(array) for array in data_arrays(windows, missing, y, weight))
            return _Data(arrays, tf.constant(carry.lanes), carry)

    def train_steps(self, data: _Data, order: np.ndarray, numbers: Numbers) -> tuple[float, float]:
        self._rate.assign(numbers.dropout)
        self._forcing.assign(numbers.teacher_forcing)
        loss_sum = weight_sum = 0.0
        for rows in self._calls(order):
            loss, weight, states = self._train(
                *data.arrays, data.lanes, data.states(), tf.constant(rows), tf.constant(numbers, dtype=tf.float32)
            )
            loss_sum, weight_sum = loss_sum + float(loss), weight_sum + float(weight)
            data.carry.states[:] = states.numpy()
        return loss_sum, weight_sum

    def predict(self, data: _Data, start: int = 0, stop: int | None = None) -> np.ndarray:
        stop = len(data.arrays[1]) if stop is None else stop
        outputs, states = self._predict(*data.arrays[:6], data.lanes, data.states(), start, stop)
        data.carry.states[:] = states.numpy()
        return outputs.numpy()

    # -- traced ------------------------------------------------------------------------------------------------------

    def _gather(self, series, starts, lead, offset, scale, rows):
        """Read the windows of `rows` from the series: (B, T, F) float32, and their lead."""
        forward = self.key.forward
        steps = tf.range(forward.n_steps)
        x = tf.gather(series, tf.maximum(tf.gather(starts, rows)[:, None] + steps, 0))
        if forward.centred:
            unit = tf.gather(scale, tf.minimum(rows, tf.shape(scale)[0] - 1))  # one row stands for all
            x = tf.cast((x - tf.gather(offset, rows)[:, None, :]) / unit[:, None, :], tf.float32)
        return tf.ensure_shape(x, (None, forward.n_steps, forward.n_features)), tf.gather(lead, rows)

    # The loops are written with tf.while_loop: AutoGraph, which would turn Python's `for` into it, does not work on
    # every Python version.

    def _predict_chunks(self, series, starts, lead, offset, scale, means, lanes, states, start, stop):
        n_chunks = (stop - start + PREDICT_ROWS - 1) // PREDICT_ROWS
        shape = (PREDICT_ROWS, *self.key.forward.output_shape)

        def predict_chunk(i, out, states):
            # The last chunk is filled up with its last window.
            rows = tf.minimum(start + i * PREDICT_ROWS + tf.range(PREDICT_ROWS), stop - 1)
            x, empty = self._gather(series, starts, lead, offset, scale, rows)
            before, write = self._take_states(lanes, states, rows, rows >= 0)
            inputs = read_inputs(self.key.forward, x, empty, means)
            y, after = self._run(self._model, inputs, before, training=False)
            return i + 1, out.write(i, blank_empty(self.key.forward, inputs, y)), write(after)

        out = tf.TensorArray(tf.float32, size=n_chunks, element_shape=shape)
        _, out, states = tf.while_loop(
            lambda i, *_: i < n_chunks, predict_chunk, (0, out, states), parallel_iterations=1
        )
        return out.concat()[: stop - start], states

    def _take_states(self, lanes, states, rows, used):
        """Return the states that windows start from, and a function that puts what the `used` ones leave into all."""
        if not self.key.forward.carried:
            return (), lambda after: states
        of_rows = tf.gather(lanes, rows)
        before = tf.ensure_shape(tf.gather(states, of_rows), (None, self.key.forward.n_states))

        def write(after):
            return tf.tensor_scatter_nd_update(states, of_rows[used][:, None], after[used])

        return before, write

    def _run(self, model, inputs, before, *, training):
        """Return the outputs of a model, and the states that it leaves: () where none are carried."""
        if not self.key.forward.carried:
            return model(inputs, training=training), ()
        return model([*inputs, before], training=training)

    def _train_rows(self, series, starts, lead, offset, scale, means, y, weight, lanes, states, order, numbers):
        def train_row(i, loss_sum, weight_sum, states):
            used = order[i] >= 0
            rows = tf.maximum(order[i], 0)
            x, empty = self._gather(series, starts, lead, offset, scale, rows)
            # What fills up the batch (-1) has no weight.
            w = tf.where(used, tf.gather(weight, rows), 0.0)
            before, write = self._take_states(lanes, states, rows, used)
            loss, total, after = self._step(x, empty, means, tf.gather(y, rows), w, before, numbers)
            return i + 1, loss_sum + loss * total, weight_sum + total, write(after)

        n_rows = tf.shape(order)[0]
        sums = tf.while_loop(lambda i, *_: i < n_rows, train_row, (0, 0.0, 0.0, states), parallel_iterations=1)
        return sums[1:]

    def _train_step(self, x, lead, means, y, w, before, numbers):
        numbers = Numbers(*tf.unstack(numbers))
        weights = [variable.value for variable in self._weights]
        with tf.GradientTape() as tape:
            inputs = self._training_inputs(x, lead, means, y)
            y_pred, after = self._run(self._taught, inputs, before, training=True)
            objective, loss, total = self._objective(weights, y, w, y_pred, self._taught.losses, numbers)
        self._apply(tape.gradient(objective, weights), numbers)
        return loss, total, after


def _data_signature(forward: ForwardKey) -> list[tf.TensorSpec]:
    """Return the signature of series, starts, lead, offset, scale and means."""
    features = forward.n_features
    return [
        tf.TensorSpec((None, features), tf.float64 if forward.centred else tf.float32),
        tf.TensorSpec((None,), tf.int32),
        tf.TensorSpec((None,), tf.int32),
        tf.TensorSpec((None, features), tf.float64),
        tf.TensorSpec((None, features), tf.float64),
        tf.TensorSpec((features,), tf.float32),
    ]
