"""What the programs of all backends share: the model, its state, and the equations of a pass, written in keras.ops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from ..data import Missing, WindowData
from ..program import ForwardKey, Numbers, ProgramKey, TrainerKey
from ..weights import check_weights
from .feedback import TeacherCoin
from .losses import clip, mean_loss, penalty
from .model import VariableDropout, build_pair
from .optimizers import decayed, make_optimizer

__all__ = ["PREDICT_ROWS", "BaseProgram", "blank_empty", "data_arrays", "read_inputs"]

PREDICT_ROWS = 64  # windows of one forward pass: fixed, since float32 sums differ in the last bit between batch sizes

# Ctrl-C is seen between calls, which are to take some tenths of a second. How many steps that is goes by sizes and not
# by the clock: the sums of a call are of single precision, and must not change from run to run.
_CALL_WORK = 500_000_000  # multiply-adds of the forward pass
_CALL_STEPS = 64


class BaseProgram:
    """A Keras model and an optimiser. Subclasses compile `bind`, `train_steps` and `predict` for their backend."""

    def __init__(self, key: ProgramKey):
        self.key = key
        self._trainer = trainer = key.trainer or TrainerKey(batch_size=PREDICT_ROWS)
        self._rate = keras.Variable(0.0, trainable=False, dtype="float32", name="dropout_rate")
        self._forcing = keras.Variable(0.0, trainable=False, dtype="float32", name="teacher_forcing")
        self._model, self._taught = self._build_models(trainer)
        self._weights = self._model.trainable_variables
        # What `load` and `weights` exchange: all but the states of generators. Users may keep more than they train.
        numbers = [self._rate, self._forcing]
        self._kept = [v for v in self._model.weights if not _holds(numbers, v)]
        self._seeds = [v for v in self._model.non_trainable_variables if not _holds([*numbers, *self._kept], v)]
        # BatchNormalization averages over a batch, where what fills up the last one would count.
        self._keeps_statistics = len(self._kept) > len(self._weights)
        forward = key.forward
        work = trainer.batch_size * forward.spec.n_parameters * forward.spec.n_segments(forward.n_steps)
        self._call_steps = min(max(1, _CALL_WORK // work), _CALL_STEPS)
        if key.trainer is not None:
            self._optimizer = make_optimizer(trainer.optimizer, 1e-3, trainer.momentum, trainer.nesterov)
            self._optimizer.build(self._weights)
            self._new_state = self.trainer_state()

    def _build_models(self, trainer: TrainerKey):
        """Return the model that predicts, and the one that is trained: it may take the targets as last input."""
        forward = self.key.forward
        return build_pair(
            forward.spec,
            forward.n_steps,
            ragged=forward.ragged,
            carried=forward.carried,
            dropout=(lambda: VariableDropout(self._rate)) if trainer.dropout else None,
            recurrent_dropout=trainer.recurrent_dropout,
            taught=trainer.teacher != "never",
            teacher=TeacherCoin(self._forcing) if trainer.teacher == "sometimes" else None,
        )

    def _training_inputs(self, x: Any, lead: Any, means: Any, y: Any) -> Any:
        """Return the inputs of the model that is trained."""
        inputs = read_inputs(self.key.forward, x, lead, means)
        if self._taught is self._model:
            return inputs
        return [*inputs, y] if isinstance(inputs, list) else [inputs, y]

    def load(self, weights: list[np.ndarray]) -> None:
        shapes = [tuple(variable.shape) for variable in self._kept]
        for variable, value in zip(self._kept, check_weights(weights, shapes), strict=True):
            variable.assign(value)

    def weights(self) -> list[np.ndarray]:
        return _to_numpy(self._kept)

    def reset_trainer(
        self, seed: int, state: Sequence[np.ndarray] | None = None, generators: Sequence[np.ndarray] = ()
    ) -> None:
        for variable, value in zip(self._optimizer.variables, state or self._new_state, strict=True):
            variable.assign(value)
        at = generators or [np.array([seed, i], dtype=np.uint32) for i in range(len(self._seeds))]
        for variable, value in zip(self._seeds, at, strict=True):
            variable.assign(value)

    def trainer_state(self) -> list[np.ndarray]:
        return _to_numpy(self._optimizer.variables)

    def generators(self) -> list[np.ndarray]:
        return [state.astype(np.uint32) for state in _to_numpy(self._seeds)]  # int64 on TensorFlow

    def _calls(self, order: np.ndarray) -> Iterator[np.ndarray]:
        """Divide the rows of `order` into calls; a batch that is not full goes alone if that matters."""
        full = (order >= 0).all(axis=1) | (not self._keeps_statistics)
        for start in range(0, full.sum(), self._call_steps):
            yield order[full][start : start + self._call_steps]
        for row in order[~full]:
            yield row[None, row >= 0]

    def _objective(self, weights, y, w, y_pred, losses: list[Any], numbers: Numbers) -> tuple[Any, Any, Any]:
        """Return what a step minimises, the mean loss in it, and the sum of weights; `losses` are those of layers."""
        spec = self.key.forward.spec
        if spec.head == "sequence":  # each segment counts as a window of its own: (B, S, n_outputs) -> (B * S, ...)
            n_segments = spec.n_segments(self.key.forward.n_steps)
            y_pred = ops.reshape(y_pred, (-1, spec.n_outputs))
            y = ops.reshape(y, (-1, y.shape[1] // n_segments))
            w = ops.repeat(w, n_segments)
        loss, total = mean_loss(self._trainer, y, w, y_pred)
        kernels = [weights[i] for i in self.key.forward.spec.kernel_positions]
        return sum(losses, loss + penalty(kernels, numbers.l1, numbers.l2)), loss, total

    def _apply(self, gradients: list[Any], numbers: Numbers) -> None:
        """Move the weights by one step of the optimiser."""
        if self._trainer.optimizer == "adamw":
            weights = [variable.value for variable in self._weights]
            for variable, value in zip(self._weights, decayed(weights, numbers), strict=True):
                variable.assign(value)
        self._optimizer.learning_rate.assign(numbers.learning_rate)
        self._optimizer.apply(clip(gradients, numbers.clipnorm), self._weights)


def _holds(variables: list[keras.Variable], variable: keras.Variable) -> bool:
    return any(v is variable for v in variables)  # not `in`: variables compare by value


def _to_numpy(variables: list[keras.Variable]) -> list[np.ndarray]:
    return [np.array(ops.convert_to_numpy(variable.value)) for variable in variables]


def data_arrays(windows: WindowData, missing: Missing, y: Any = None, weight: Any = None) -> list[np.ndarray]:
    """Return series, starts, lead, offset, scale and means; with targets, also y and weight."""
    n_windows, n_features = len(windows), windows.n_features
    offset = np.zeros((0, n_features)) if windows.offset is None else windows.offset
    scale = np.ones((1, n_features)) if windows.scale is None else windows.scale  # one row stands for all
    arrays = [windows.series, windows.starts, windows.lead, offset, scale, missing.means]
    if y is not None:
        weight = np.ones(n_windows) if weight is None else weight
        arrays += [y.astype(np.float32, copy=False), weight.astype(np.float32)]
    return arrays


def read_inputs(forward: ForwardKey, x: Any, lead: Any, means: Any) -> Any:
    """Fill what is missing, add the indicators and mask the empty leading steps; the inputs of the model.

    Parameters
    ----------
    forward : ForwardKey
        What the program is compiled for.
    x : float32 tensor of shape (B, n_steps, n_features)
        Windows.
    lead : int32 tensor of shape (B,)
        Empty leading steps of each.
    means : float32 tensor of shape (n_features,)
        What stands in for a missing value.
    """
    spec = forward.spec
    if forward.indicators:
        missing = ops.isnan(x)
        flags = ops.cast(ops.take(missing, list(forward.indicators), axis=2), "float32")
        x = ops.concatenate([ops.where(missing, means, x), flags], axis=2)
    if not forward.ragged:
        return x
    x = ops.where((ops.arange(forward.n_steps, dtype="int32") >= lead[:, None])[..., None], x, 0.0)
    n_segments = spec.n_segments(forward.n_steps)
    padded_lead = lead + (n_segments * spec.segment - forward.n_steps)
    # A segment counts from the first value in it on: rounding down leaves a half-empty segment in.
    return [x, ops.arange(n_segments, dtype="int32") >= (padded_lead // spec.segment)[:, None]]


def blank_empty(forward: ForwardKey, inputs: Any, outputs: Any) -> Any:
    """Return what the model made of its inputs, with NaN where a segment of a sequence is empty."""
    if forward.spec.head == "sequence" and forward.ragged:
        return ops.where(inputs[1][..., None], outputs, float("nan"))
    return outputs
