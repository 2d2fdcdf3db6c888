"""The program of Keras's torch backend: eager, one step after the other, on the device where Keras puts its models."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from keras import ops
from threadpoolctl import ThreadpoolController

from ..program import Numbers, ProgramKey
from .base import PREDICT_ROWS, blank_empty, read_inputs
from .host import Block, HostData, HostProgram

__all__ = ["TorchProgram"]

# Below this many multiply-adds in one product, waiting for other threads costs more than they save: twenty times the
# step where other work runs on the processor.
_THREADS_FROM_PRODUCT = 2_000_000
_THREADPOOLS = ThreadpoolController()


class TorchProgram(HostProgram):
    """A Keras model and an optimiser. Fills in the `Program` protocol."""

    def __init__(self, key: ProgramKey):
        super().__init__(key)
        for layer in self._model._flatten_layers():
            generator = getattr(layer, "seed_generator", None)
            # Without a seed of its own, Keras's Dropout draws from torch's global generator, not from its state.
            if generator is not None and generator._initial_seed is None:
                generator._initial_seed = 0

    def train_steps(self, data: HostData, order: np.ndarray, numbers: Numbers) -> tuple[float, float]:
        with self._threads(order.shape[1]):
            return super().train_steps(data, order, numbers)

    def predict(self, data: HostData, start: int = 0, stop: int | None = None) -> np.ndarray:
        with self._threads(PREDICT_ROWS), torch.no_grad():
            return super().predict(data, start, stop)

    def _threads(self, batch_size: int) -> AbstractContextManager:
        """Keep the products of a small network on one thread; the limit is of the thread that calls."""
        if batch_size * self.key.forward.spec.n_parameters >= _THREADS_FROM_PRODUCT:
            return nullcontext()
        torch.get_num_threads()  # torch sets the number of a new thread when it is first used there, not after us
        return _THREADPOOLS.limit(limits=1)

    def _train_block(self, block: Block, means: np.ndarray, numbers: Numbers) -> Iterator[tuple[float, float]]:
        means, *arrays = map(ops.convert_to_tensor, (means, block.x, block.lead, block.y, block.w))
        for x, lead, y, w in zip(*arrays, strict=True):
            yield self._train_step(x, lead, y, w, means, numbers)

    def _train_step(self, x, lead, y, w, means, numbers):
        weights = [variable.value for variable in self._weights]
        y_pred = self._taught(self._training_inputs(x, lead, means, y), training=True)
        objective, loss, total = self._objective(weights, y, w, y_pred, self._taught.losses, numbers)
        gradients = torch.autograd.grad(objective, weights)
        with torch.no_grad():
            self._apply(gradients, numbers)
        return loss.item(), total.item()

    def _forward(self, x: np.ndarray, lead: np.ndarray, means: np.ndarray) -> np.ndarray:
        inputs = read_inputs(self.key.forward, *map(ops.convert_to_tensor, (x, lead, means)))
        return ops.convert_to_numpy(blank_empty(self.key.forward, inputs, self._model(inputs, training=False)))
