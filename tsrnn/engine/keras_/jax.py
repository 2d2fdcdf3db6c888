"""The program of Keras's JAX backend: a block of training steps is one compiled call, and so is a predicted chunk."""

from __future__ import annotations

from collections.abc import Iterator

import jax
import numpy as np
from jax import numpy as jnp

from ..program import Numbers, ProgramKey
from .base import blank_empty, read_inputs
from .host import Block, HostProgram
from .losses import clip
from .optimizers import decayed

__all__ = ["JaxProgram"]


class JaxProgram(HostProgram):
    """A Keras model, an optimiser and the compiled functions over them. Fills in the `Program` protocol."""

    def __init__(self, key: ProgramKey):
        super().__init__(key)
        self._others = self._model.non_trainable_variables
        self._run_steps = jax.jit(self._train_rows)
        self._run_forward = jax.jit(self._predict_chunk)

    # -- calls -------------------------------------------------------------------------------------------------------

    def _train_block(self, block: Block, means: np.ndarray, numbers: Numbers) -> Iterator[tuple[float, float]]:
        self._optimizer.learning_rate.assign(numbers.learning_rate)
        variables = (self._weights, self._others, self._optimizer.variables)
        state = [[variable.value for variable in part] for part in variables]
        n_rows = len(block)
        arrays = [_fill_up(array, self._call_steps) for array in (block.x, block.lead, block.y, block.w)]
        state, losses, totals = self._run_steps(state, arrays, means, n_rows, numbers)
        for part, values in zip(variables, state, strict=True):
            for variable, value in zip(part, values, strict=True):
                variable.assign(value)
        return zip(np.asarray(losses)[:n_rows].tolist(), np.asarray(totals)[:n_rows].tolist(), strict=True)

    def _forward(self, x: np.ndarray, lead: np.ndarray, means: np.ndarray) -> np.ndarray:
        weights = [variable.value for variable in self._weights]
        others = [variable.value for variable in self._others]
        return np.asarray(self._run_forward(weights, others, x, lead, means))

    # -- traced ------------------------------------------------------------------------------------------------------

    def _train_rows(self, state, block, means, n_rows, numbers):
        def train_row(i, carry):
            state, losses, totals = carry
            state, loss, total = self._train_step(state, *[array[i] for array in block], means, numbers)
            return state, losses.at[i].set(loss), totals.at[i].set(total)

        none = jnp.zeros(len(block[0]), jnp.float32)
        return jax.lax.fori_loop(0, n_rows, train_row, (state, none, none))

    def _train_step(self, state, x, lead, y, w, means, numbers):
        def objective(weights, others):
            inputs = self._training_inputs(x, lead, means, y)
            y_pred, others, losses = self._taught.stateless_call(
                weights, others, inputs, training=True, return_losses=True
            )
            value, loss, total = self._objective(weights, y, w, y_pred, losses, numbers)
            return value, (others, loss, total)

        weights, others, slots = state
        gradients, (others, loss, total) = jax.grad(objective, has_aux=True)(weights, others)
        if self._trainer.optimizer == "adamw":
            weights = decayed(weights, numbers)
        weights, slots = self._optimizer.stateless_apply(slots, clip(gradients, numbers.clipnorm), weights)
        return [weights, others, slots], loss, total

    def _predict_chunk(self, weights, others, x, lead, means):
        inputs = read_inputs(self.key.forward, x, lead, means)
        outputs, _ = self._model.stateless_call(weights, others, inputs, training=False)
        return blank_empty(self.key.forward, inputs, outputs)


def _fill_up(array: np.ndarray, n_rows: int) -> np.ndarray:
    """Append zeros to have `n_rows` rows: the loop does not run over them."""
    if len(array) == n_rows:
        return array
    return np.concatenate([array, np.zeros((n_rows - len(array), *array.shape[1:]), array.dtype)])
