"""Hooks of the training loop: Keras callbacks and progress.

Keras is imported when a Keras callback is given.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

import numpy as np

from .._progress import Work
from .training import EpochState, Hook

__all__ = ["KerasCallbacks", "ProgressHook", "fresh_callbacks"]

_BATCH_HOOKS = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")


def fresh_callbacks(callbacks: Any) -> list[Any]:
    """Return new callbacks for one fit: instances are copied, so that their counters start anew; factories called.

    The copies are shallow: they report to the lists, queues and files that the instances hold.
    """
    if callbacks is None:
        return []
    return [_fresh(callback) for callback in (callbacks if isinstance(callbacks, Iterable) else [callbacks])]


def _fresh(callback: Any) -> Any:
    is_instance = hasattr(callback, "on_epoch_end") and not isinstance(callback, type)
    if not is_instance and not callable(callback):
        raise TypeError(
            "callbacks must be Keras callbacks or functions that return one, got an element of type "
            f"{type(callback).__name__}: {callback!r}."
        )
    if not is_instance:
        made = callback()
        if not hasattr(made, "on_epoch_end"):
            raise TypeError(f"callbacks: {callback!r} returned {made!r}, which is not a Keras callback.")
        return made
    try:
        return copy.copy(callback)
    except Exception as exc:
        name = type(callback).__name__
        raise TypeError(
            f"callbacks: each fit works on a copy of {name}, and it cannot be copied ({exc}). Pass a function that "
            f"returns a new one: callbacks=[lambda: {name}(...)]."
        ) from exc


class KerasCallbacks(Hook):
    """Calls Keras callbacks with a Keras model whose weights and learning rate are those of the training.

    What callbacks do to the model counts: its weights, its learning rate, and `stop_training`.
    """

    def __init__(self, callbacks: list[Any], model: Any, params: dict[str, Any]):
        import keras

        self._callbacks, self._model = callbacks, model
        self._pushed: list[np.ndarray] = []
        self.wants_batches = any(
            getattr(type(callback), name, None) is not getattr(keras.callbacks.Callback, name)
            for callback in callbacks
            for name in _BATCH_HOOKS
        )
        model.stop_training = False
        for callback in callbacks:
            callback.set_params(dict(params))
            callback.set_model(model)

    def _call(self, state: EpochState, name: str, *args: Any) -> None:
        """Show the callbacks the state of the training, call them, and take over what they changed."""
        self._push(state)
        for callback in self._callbacks:
            getattr(callback, name)(*args)
        weights = self._model.get_weights()
        if any(not np.array_equal(a, b, equal_nan=True) for a, b in zip(weights, self._pushed, strict=True)):
            state.program.load(weights)
        rate = float(np.asarray(self._model.optimizer.learning_rate))
        if rate != np.float32(state.learning_rate):
            state.learning_rate = rate
        state.stop |= bool(self._model.stop_training)

    def _push(self, state: EpochState) -> None:
        self._pushed = state.program.weights()
        self._model.set_weights(self._pushed)
        self._model.optimizer.learning_rate = state.learning_rate

    def on_train_begin(self, state: EpochState) -> None:
        self._call(state, "on_train_begin", {})

    def on_epoch_begin(self, state: EpochState) -> None:
        self._call(state, "on_epoch_begin", state.epoch, {})

    def on_batch_begin(self, state: EpochState, batch: int) -> None:
        self._call(state, "on_train_batch_begin", batch, {})

    def on_batch_end(self, state: EpochState, batch: int, loss: float) -> None:
        self._call(state, "on_train_batch_end", batch, {"loss": loss})

    def on_epoch_end(self, state: EpochState) -> None:
        self._call(state, "on_epoch_end", state.epoch - 1, dict(state.logs))

    def on_train_end(self, state: EpochState) -> None:
        self._call(state, "on_train_end", dict(state.logs))

    def close(self) -> None:
        """Let the callbacks, which the estimator keeps, go of the model."""
        for callback in self._callbacks:
            if hasattr(callback, "_model"):
                callback._model = None


class ProgressHook(Hook):
    """Counts the epochs of some work, with the losses beside them."""

    def __init__(self, epochs: Work):
        self._work = epochs

    def on_train_begin(self, state: EpochState) -> None:
        self._first = state.epoch

    def on_epoch_begin(self, state: EpochState) -> None:
        most = "up to " if self._work.at_most else ""
        self._work.doing = f"epoch {state.epoch + 1} of {most}{state.epochs}"

    def on_epoch_end(self, state: EpochState) -> None:
        losses = (f"{name} {state.logs[name]:.3g}" for name in ("loss", "val_loss") if name in state.logs)
        self._work.note = "  ".join(losses)
        self._work.done = state.epoch - self._first
