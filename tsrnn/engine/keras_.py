"""Networks computed by Keras on TensorFlow. The only module that imports keras and tensorflow; import it lazily.

A training call runs many steps in one TensorFlow function: the outer function loops over the rows of `order` and
gathers each batch from the series, the inner one is the step itself, of fixed shapes, compiled by XLA where that pays.
Data of any length run through the same program.
"""
# ruff: noqa: E402 (TensorFlow's log level must be set before it is imported)

from __future__ import annotations

import os
import sys
from contextlib import contextmanager


@contextmanager
def _quiet_import():
    """Import TensorFlow without its start-up chatter, unless the user asked for its log.

    The first lines are written by libraries that have not read the log level yet, straight to file descriptor 2. A
    worker process inherits the level 3 that is set here, and is to be as quiet.
    """
    if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") != "3" or "tensorflow" in sys.modules:
        yield
        return
    try:
        stderr = os.dup(2)
    except OSError:  # no stderr at all, as under pythonw
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nowhere)


def _check_backend(backend: str) -> None:
    if backend != "tensorflow":
        raise ImportError(
            f"Keras is set to its {backend!r} backend here, and tsrnn trains on 'tensorflow'. Set the environment "
            "variable KERAS_BACKEND=tensorflow before Keras is imported."
        )


# Asked before the import, which fails in its own words where the other backend is not installed, and after it, since
# Keras may have been imported before.
_check_backend(os.environ.setdefault("KERAS_BACKEND", "tensorflow"))
with _quiet_import():
    import keras

import numpy as np

_check_backend(keras.config.backend())

import tensorflow as tf

from ..networks import NetworkSpec
from .data import Missing, WindowData
from .program import ForwardKey, Numbers, ProgramKey, TrainerKey

# Each program traces its own functions once, which TensorFlow takes for one function that is traced again and again.
tf.get_logger().addFilter(lambda record: "KerasProgram" not in record.getMessage())

__all__ = ["PROCESS", "KerasProgram", "build_model", "make_model", "make_optimizer"]

PROCESS = os.getpid()  # TensorFlow's threads live in this process; they do not survive a fork
PREDICT_ROWS = 64  # windows of one forward pass: fixed, since float32 sums differ in the last bit between batch sizes

LAYERS = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU, "simple_rnn": keras.layers.SimpleRNN}
OPTIMIZERS = {
    "adam": keras.optimizers.Adam,
    "rmsprop": keras.optimizers.RMSprop,
    "adagrad": keras.optimizers.Adagrad,
    "sgd": keras.optimizers.SGD,
}


class _VariableDropout(keras.layers.Layer):
    """Dropout whose rate is a variable, so that a search over rates runs in one program."""

    def __init__(self, rate):
        super().__init__()
        self.rate = rate
        self.seed_generator = keras.random.SeedGenerator(0)

    def call(self, inputs, training=False):
        if not training:
            return inputs
        keep = keras.random.uniform(keras.ops.shape(inputs), seed=self.seed_generator) >= self.rate
        return tf.where(keep, inputs / (1 - self.rate), tf.zeros_like(inputs))


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


def make_optimizer(name: str, learning_rate: float, momentum: float = 0.0, nesterov: bool = False):
    """Make a Keras optimiser; momentum is for "sgd" only."""
    extra = {"momentum": momentum, "nesterov": nesterov} if name == "sgd" else {}
    return OPTIMIZERS[name](learning_rate=learning_rate, **extra)


def _elementwise_loss(name: str, error):
    if name == "mae":
        return tf.abs(error)
    if name == "huber":  # quadratic up to 1, then linear (Huber, 1964)
        size = tf.abs(error)
        return tf.where(size <= 1, 0.5 * tf.square(error), size - 0.5)
    return tf.square(error)


class KerasProgram:
    """A Keras model, an optimiser and the functions traced over them. Fills in the `Program` protocol."""

    def __init__(self, key: ProgramKey):
        self.key = key
        self._rate = tf.Variable(0.0, trainable=False, dtype=tf.float32)
        trainer = key.trainer or TrainerKey(batch_size=PREDICT_ROWS)
        self._model = build_model(
            key.forward.spec,
            key.forward.n_steps,
            ragged=key.forward.ragged,
            dropout=(lambda: _VariableDropout(self._rate)) if trainer.dropout else None,
            recurrent_dropout=trainer.recurrent_dropout,
        )
        self._weights = self._model.trainable_variables
        self._seeds = [v for v in self._model.non_trainable_variables if v.shape == (2,)]
        self._predict = tf.function(self._predict_chunks, input_signature=_data_signature(key.forward), autograph=False)
        if key.trainer is not None:
            self._build_trainer(key.trainer)

    def _build_trainer(self, trainer: TrainerKey) -> None:
        self._optimizer = make_optimizer(trainer.optimizer, 1e-3, trainer.momentum, trainer.nesterov)
        self._optimizer.build(self._weights)
        self._new_state = [v.numpy() for v in self._optimizer.variables]
        self._step = tf.function(self._train_step, jit_compile=trainer.compiled, autograph=False)
        n_outputs = self.key.forward.spec.n_outputs
        self._train = tf.function(
            self._train_rows,
            input_signature=[
                *_data_signature(self.key.forward),
                tf.TensorSpec((None, n_outputs), tf.float32),
                tf.TensorSpec((None,), tf.float32),
                tf.TensorSpec((None, trainer.batch_size), tf.int32),
                tf.TensorSpec((len(Numbers._fields),), tf.float32),
            ],
            autograph=False,
        )

    # -- state -------------------------------------------------------------------------------------------------------

    def load(self, weights: list[np.ndarray]) -> None:
        for variable, value in zip(self._weights, weights, strict=True):
            variable.assign(value)

    def weights(self) -> list[np.ndarray]:
        return [np.array(variable.numpy()) for variable in self._weights]

    def reset_trainer(self, seed: int, state: list[np.ndarray] | None = None) -> None:
        for variable, value in zip(self._optimizer.variables, state or self._new_state, strict=True):
            variable.assign(value)
        for i, variable in enumerate(self._seeds):
            variable.assign(np.array([seed, i], dtype=np.uint32))

    def trainer_state(self) -> list[np.ndarray]:
        return [np.array(variable.numpy()) for variable in self._optimizer.variables]

    # -- calls -------------------------------------------------------------------------------------------------------

    def bind(self, windows: WindowData, missing: Missing, y=None, weight=None) -> tuple:
        n_windows, n_features = len(windows), windows.n_features
        offset = np.zeros((0, n_features)) if windows.offset is None else windows.offset
        arrays = [windows.series, windows.starts, windows.lead, offset, missing.means]
        if y is not None:
            weight = np.ones(n_windows) if weight is None else weight
            arrays += [y.astype(np.float32, copy=False), weight.astype(np.float32)]
        # Data stay in the memory of the CPU even where there is a GPU: batches are small, series may be large.
        with tf.device("CPU:0"):
            return tuple(tf.constant(array) for array in arrays)

    def train_steps(self, data: tuple, order: np.ndarray, numbers: Numbers) -> tuple[float, float]:
        self._rate.assign(numbers.dropout)
        loss, weight = self._train(*data, tf.constant(order), tf.constant(numbers, dtype=tf.float32))
        return float(loss), float(weight)

    def predict(self, data: tuple) -> np.ndarray:
        return self._predict(*data[:5]).numpy()

    # -- traced ------------------------------------------------------------------------------------------------------

    def _gather(self, series, starts, lead, offset, rows):
        """Read the windows of `rows` from the series: (B, T, F) float32, and their lead."""
        forward = self.key.forward
        steps = tf.range(forward.n_steps)
        x = tf.gather(series, tf.maximum(tf.gather(starts, rows)[:, None] + steps, 0))
        if forward.centred:
            x = tf.cast(x - tf.gather(offset, rows)[:, None, :], tf.float32)
        return tf.ensure_shape(x, (None, forward.n_steps, forward.n_features)), tf.gather(lead, rows)

    def _inputs(self, x, lead, means):
        """Fill what is missing, add the indicators and mask the empty leading steps."""
        forward = self.key.forward
        spec = forward.spec
        if forward.indicators:
            missing = tf.math.is_nan(x)
            flags = tf.cast(tf.gather(missing, forward.indicators, axis=2), tf.float32)
            x = tf.concat([tf.where(missing, means, x), flags], axis=2)
        if not forward.ragged:
            return x
        x = tf.where((tf.range(forward.n_steps) >= lead[:, None])[..., None], x, tf.zeros_like(x))
        n_segments = spec.n_segments(forward.n_steps)
        padded_lead = lead + (n_segments * spec.segment - forward.n_steps)
        # A segment counts from the first value in it on: rounding down leaves a half-empty segment in.
        return [x, tf.range(n_segments) >= (padded_lead // spec.segment)[:, None]]

    # The loops are written with tf.while_loop: AutoGraph, which would turn Python's `for` into it, does not work on
    # every Python version.

    def _predict_chunks(self, series, starts, lead, offset, means):
        n_windows = tf.shape(starts)[0]
        n_chunks = (n_windows + PREDICT_ROWS - 1) // PREDICT_ROWS
        shape = (PREDICT_ROWS, self.key.forward.spec.n_outputs)

        def predict_chunk(i, out):
            # The last chunk is filled up with its last window.
            rows = tf.minimum(i * PREDICT_ROWS + tf.range(PREDICT_ROWS), n_windows - 1)
            x, empty = self._gather(series, starts, lead, offset, rows)
            return i + 1, out.write(i, self._model(self._inputs(x, empty, means), training=False))

        out = tf.TensorArray(tf.float32, size=n_chunks, element_shape=shape)
        _, out = tf.while_loop(lambda i, _: i < n_chunks, predict_chunk, (0, out), parallel_iterations=1)
        return out.concat()[:n_windows]

    def _train_rows(self, series, starts, lead, offset, means, y, weight, order, numbers):
        def train_row(i, loss_sum, weight_sum):
            rows = tf.maximum(order[i], 0)
            x, empty = self._gather(series, starts, lead, offset, rows)
            # What fills up the batch (-1) has no weight.
            w = tf.where(order[i] >= 0, tf.gather(weight, rows), 0.0)
            loss, total = self._step(x, empty, means, tf.gather(y, rows), w, numbers)
            return i + 1, loss_sum + loss * total, weight_sum + total

        n_rows = tf.shape(order)[0]
        sums = tf.while_loop(lambda i, *_: i < n_rows, train_row, (0, 0.0, 0.0), parallel_iterations=1)
        return sums[1], sums[2]

    def _train_step(self, x, lead, means, y, w, numbers):
        rate, l1, l2, clipnorm, _ = tf.unstack(numbers)
        known = tf.logical_not(tf.math.is_nan(y))
        # w_ik: no loss where the target is missing
        w = tf.where(known, w[:, None], 0.0)
        total = tf.reduce_sum(w)
        with tf.GradientTape() as tape:
            error = self._model(self._inputs(x, lead, means), training=True) - tf.where(known, y, 0.0)
            # sum_ik w_ik loss_ik / sum_ik w_ik
            loss = tf.math.divide_no_nan(tf.reduce_sum(w * _elementwise_loss(self.key.trainer.loss, error)), total)
            kernels = [self._weights[i].value for i in self.key.forward.spec.kernel_positions]
            penalty = tf.add_n([l1 * tf.reduce_sum(tf.abs(k)) + l2 * tf.reduce_sum(tf.square(k)) for k in kernels])
            objective = loss + penalty
        gradients = tape.gradient(objective, [variable.value for variable in self._weights])
        norm = tf.linalg.global_norm(gradients)
        # g * min(1, clipnorm / |g|); an infinite norm must show as a loss that is not finite, not vanish here
        scale = tf.where(norm > clipnorm, clipnorm / norm, 1.0)
        self._optimizer.learning_rate.assign(rate)
        self._optimizer.apply([g * scale for g in gradients], self._weights)
        return loss, total


def _data_signature(forward: ForwardKey) -> list[tf.TensorSpec]:
    """Return the signature of series, starts, lead, offset and means."""
    features = forward.n_features
    return [
        tf.TensorSpec((None, features), tf.float64 if forward.centred else tf.float32),
        tf.TensorSpec((None,), tf.int32),
        tf.TensorSpec((None,), tf.int32),
        tf.TensorSpec((None, features), tf.float64),
        tf.TensorSpec((features,), tf.float32),
    ]
