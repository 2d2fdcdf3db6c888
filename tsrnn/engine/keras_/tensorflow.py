"""The program of Keras's TensorFlow backend.

A training call runs many steps in one TensorFlow function: the outer function loops over the rows of `order` and
gathers each batch from the series, the inner one is the step itself, of fixed shapes, compiled by XLA where that pays.
Data of any length run through the same program.
"""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from ..data import Missing, WindowData
from ..distributions import n_parameters
from ..program import ForwardKey, Numbers, ProgramKey, TrainerKey
from .base import PREDICT_ROWS, BaseProgram, blank_empty, data_arrays, read_inputs

__all__ = ["TensorFlowProgram"]

# Each program traces its own functions once, which TensorFlow takes for one function that is traced again and again.
tf.get_logger().addFilter(lambda record: "TensorFlowProgram" not in record.getMessage())


class TensorFlowProgram(BaseProgram):
    """A Keras model, an optimiser and the functions traced over them. Fills in the `Program` protocol."""

    def __init__(self, key: ProgramKey):
        super().__init__(key)
        self._predict = tf.function(self._predict_chunks, input_signature=_data_signature(key.forward), autograph=False)
        if key.trainer is not None:
            self._build_trainer(key.trainer)

    def _build_trainer(self, trainer: TrainerKey) -> None:
        self._step = tf.function(self._train_step, jit_compile=trainer.compiled, autograph=False)
        n_targets = math.prod(self.key.forward.output_shape) // n_parameters(trainer.loss, trainer.quantiles)
        self._train = tf.function(
            self._train_rows,
            input_signature=[
                *_data_signature(self.key.forward),
                tf.TensorSpec((None, n_targets), tf.float32),
                tf.TensorSpec((None,), tf.float32),
                tf.TensorSpec((None, None if self._keeps_statistics else trainer.batch_size), tf.int32),
                tf.TensorSpec((len(Numbers._fields),), tf.float32),
            ],
            autograph=False,
        )

    # -- calls -------------------------------------------------------------------------------------------------------

    def bind(self, windows: WindowData, missing: Missing, y=None, weight=None) -> tuple:
        # Data stay in the memory of the CPU even where there is a GPU: batches are small, series may be large.
        with tf.device("CPU:0"):
            return tuple(tf.constant(array) for array in data_arrays(windows, missing, y, weight))

    def train_steps(self, data: tuple, order: np.ndarray, numbers: Numbers) -> tuple[float, float]:
        self._rate.assign(numbers.dropout)
        self._forcing.assign(numbers.teacher_forcing)
        loss_sum = weight_sum = 0.0
        for rows in self._calls(order):
            loss, weight = self._train(*data, tf.constant(rows), tf.constant(numbers, dtype=tf.float32))
            loss_sum, weight_sum = loss_sum + float(loss), weight_sum + float(weight)
        return loss_sum, weight_sum

    def predict(self, data: tuple) -> np.ndarray:
        return self._predict(*data[:6]).numpy()

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

    def _predict_chunks(self, series, starts, lead, offset, scale, means):
        n_windows = tf.shape(starts)[0]
        n_chunks = (n_windows + PREDICT_ROWS - 1) // PREDICT_ROWS
        shape = (PREDICT_ROWS, *self.key.forward.output_shape)

        def predict_chunk(i, out):
            # The last chunk is filled up with its last window.
            rows = tf.minimum(i * PREDICT_ROWS + tf.range(PREDICT_ROWS), n_windows - 1)
            x, empty = self._gather(series, starts, lead, offset, scale, rows)
            inputs = read_inputs(self.key.forward, x, empty, means)
            outputs = blank_empty(self.key.forward, inputs, self._model(inputs, training=False))
            return i + 1, out.write(i, outputs)

        out = tf.TensorArray(tf.float32, size=n_chunks, element_shape=shape)
        _, out = tf.while_loop(lambda i, _: i < n_chunks, predict_chunk, (0, out), parallel_iterations=1)
        return out.concat()[:n_windows]

    def _train_rows(self, series, starts, lead, offset, scale, means, y, weight, order, numbers):
        def train_row(i, loss_sum, weight_sum):
            rows = tf.maximum(order[i], 0)
            x, empty = self._gather(series, starts, lead, offset, scale, rows)
            # What fills up the batch (-1) has no weight.
            w = tf.where(order[i] >= 0, tf.gather(weight, rows), 0.0)
            loss, total = self._step(x, empty, means, tf.gather(y, rows), w, numbers)
            return i + 1, loss_sum + loss * total, weight_sum + total

        n_rows = tf.shape(order)[0]
        sums = tf.while_loop(lambda i, *_: i < n_rows, train_row, (0, 0.0, 0.0), parallel_iterations=1)
        return sums[1], sums[2]

    def _train_step(self, x, lead, means, y, w, numbers):
        numbers = Numbers(*tf.unstack(numbers))
        weights = [variable.value for variable in self._weights]
        with tf.GradientTape() as tape:
            y_pred = self._taught(self._training_inputs(x, lead, means, y), training=True)
            objective, loss, total = self._objective(weights, y, w, y_pred, self._taught.losses, numbers)
        self._apply(tape.gradient(objective, weights), numbers)
        return loss, total


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
