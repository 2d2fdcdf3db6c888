"""A cell of the tests' own, added as CONTRIBUTING says: its room, its row for Keras, and a regressor that has it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from tsrnn._parameters import estimator
from tsrnn.networks.cells import CELLS, Cell, Pulled, register
from tsrnn.regressors.recurrent import _RecurrentRegressor

LEAK = 0.25


def leaky_step(x, state, weights, squash=np.tanh):
    """One step of leaky integration: h(t) = (1 - a) h(t-1) + a tanh(b + W h(t-1) + U x(t)), a = `LEAK`."""
    kernel, recurrent, bias = weights
    (h,) = state
    candidate = squash(x @ kernel + h @ recurrent + bias)
    return ((1 - LEAK) * h + LEAK * candidate,), {"candidate": candidate}


def pull_leaky(d_state, before, after, gates, weights, squash, slope):
    """Go back through one step; see `Cell.pull`."""
    (dh,) = d_state
    sums = LEAK * dh * slope(gates["candidate"])
    return Pulled((), sums, sums, ((1 - LEAK) * dh,))


LEAKY = Cell("leaky", "leaky", ("candidate",), leaky_step, pull_leaky, in_feedback=False)


@estimator
class LeakyRegressor(_RecurrentRegressor):
    """Leaky integrators that map windows to targets."""

    _cell = "leaky"


@contextmanager
def known() -> Iterator[None]:
    """Have the cell among the others for a while."""
    register(LEAKY)
    try:
        yield
    finally:
        del CELLS["leaky"]


@contextmanager
def known_to_keras() -> Iterator[dict]:
    """Have its row among those of Keras for a while."""
    import keras

    from tsrnn.engine.keras_.cells import KERAS_CELLS, KerasCell

    @keras.saving.register_keras_serializable("tests")
    class LeakyCell(keras.layers.SimpleRNNCell):
        def call(self, inputs, states, training=False):
            candidate, _ = super().call(inputs, states, training=training)
            h = (1 - LEAK) * states[0] + LEAK * candidate
            return h, [h]

    def make(units, return_sequences, return_state, **options):
        cell = LeakyCell(units, **options)
        return keras.layers.RNN(cell, return_sequences=return_sequences, return_state=return_state)

    KERAS_CELLS["leaky"] = KerasCell(make)
    try:
        yield KERAS_CELLS
    finally:
        del KERAS_CELLS["leaky"]
