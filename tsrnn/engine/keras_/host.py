"""Programs whose batches are gathered in NumPy, for the backends that are compiled for one shape (JAX) or not (torch).

JAX compiles anew for every length of its arrays, a second or so each time, and a cross-validation has as many lengths
as folds. So the series stays with NumPy, and a call gets blocks of batches, gathered from it by start index, that
always have the same shape. The level of a window is subtracted in float64 there, which JAX does not have by default. A
block holds up to a megabyte, or one batch. Gathering takes 0.1 us for each window of 24 values, training on it 15 us.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from ..data import Missing, WindowData
from ..program import Numbers, ProgramKey
from .base import PREDICT_ROWS, BaseProgram

__all__ = ["Block", "HostData", "HostProgram"]

_BLOCK_VALUES = 2**18  # float32 values of the windows in a block: a megabyte


@dataclass(frozen=True, eq=False)
class HostData:
    """Windows that stay with NumPy; to train on them, also targets (n, n_targets) and weights (n,)."""

    windows: WindowData
    means: np.ndarray
    y: Any = None
    weight: Any = None


@dataclass(frozen=True, eq=False)
class Block:
    """Some batches: x (n_steps, B, T, F), lead (n_steps, B), y (n_steps, B, n_targets), w (n_steps, B)."""

    x: np.ndarray
    lead: np.ndarray
    y: np.ndarray
    w: np.ndarray

    def __len__(self) -> int:
        return len(self.x)

    @classmethod
    def gather(cls, data: HostData, order: np.ndarray) -> Block:
        """Read the windows of the rows of `order`; what fills up a batch (-1) has no weight."""
        rows = np.maximum(order, 0)
        x = data.windows.dense(rows.ravel())
        return cls(
            x.reshape(*order.shape, *x.shape[1:]),
            data.windows.lead[rows],
            data.y[rows],
            np.where(order >= 0, data.weight[rows], 0).astype(np.float32),
        )


class HostProgram(BaseProgram):
    """A program over NumPy batches. Subclasses fill in `_train_block` and `_forward`."""

    def __init__(self, key: ProgramKey):
        forward = key.forward
        if forward.carried:
            raise ValueError(
                f"tbptt_steps is not computed on Keras's {keras.config.backend()!r} backend. Use a network that the "
                "native engine computes, with engine='auto', or set KERAS_BACKEND=tensorflow."
            )
        super().__init__(key)
        values = self._trainer.batch_size * forward.n_steps * forward.n_features
        self._call_steps = min(max(1, _BLOCK_VALUES // values), self._call_steps)

    def _train_block(self, block: Block, means: np.ndarray, numbers: Numbers) -> Iterator[tuple[float, float]]:
        """Run the steps of a block; the mean loss and the sum of weights of each."""
        raise NotImplementedError

    def _forward(self, x: np.ndarray, lead: np.ndarray, means: np.ndarray) -> np.ndarray:
        """Return the outputs for `PREDICT_ROWS` windows."""
        raise NotImplementedError

    def bind(self, windows: WindowData, missing: Missing, y: Any = None, weight: Any = None, carry=None) -> HostData:
        if y is not None:
            y = y.astype(np.float32, copy=False)
            weight = np.ones(len(windows)) if weight is None else weight
        return HostData(windows, missing.means, y, weight)

    def train_steps(self, data: HostData, order: np.ndarray, numbers: Numbers) -> tuple[float, float]:
        self._rate.assign(numbers.dropout)
        self._forcing.assign(numbers.teacher_forcing)
        loss_sum = weight_sum = 0.0
        for rows in self._calls(order):
            for loss, weight in self._train_block(Block.gather(data, rows), data.means, numbers):
                loss_sum, weight_sum = loss_sum + loss * weight, weight_sum + weight
        return loss_sum, weight_sum

    def predict(self, data: HostData, start: int = 0, stop: int | None = None) -> np.ndarray:
        stop = len(data.windows) if stop is None else stop
        out = np.empty((stop - start, *self.key.forward.output_shape), np.float32)
        for first in range(start, stop, PREDICT_ROWS):
            # The last chunk is filled up with its last window.
            rows = np.minimum(np.arange(first, first + PREDICT_ROWS), stop - 1)
            y = self._forward(data.windows.dense(rows), data.windows.lead[rows], data.means)
            out[first - start : first - start + PREDICT_ROWS] = y[: stop - first]
        return out
