"""Keras's optimisers by the names that estimators use."""

from __future__ import annotations

import keras

__all__ = ["make_optimizer"]

OPTIMIZERS = {
    "adam": keras.optimizers.Adam,
    "rmsprop": keras.optimizers.RMSprop,
    "adagrad": keras.optimizers.Adagrad,
    "sgd": keras.optimizers.SGD,
}


def make_optimizer(name: str, learning_rate: float, momentum: float = 0.0, nesterov: bool = False):
    """Make a Keras optimiser; momentum is for "sgd" only."""
    extra = {"momentum": momentum, "nesterov": nesterov} if name == "sgd" else {}
    return OPTIMIZERS[name](learning_rate=learning_rate, **extra)
