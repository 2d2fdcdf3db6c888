"""Keras's optimisers by the names that estimators use."""

from __future__ import annotations

from typing import Any

import keras

from ..program import Numbers

__all__ = ["decayed", "make_optimizer"]

OPTIMIZERS = {
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.Adam,  # the decay, a constant in Keras's AdamW, is a number here: see `decayed`
    "rmsprop": keras.optimizers.RMSprop,
    "adagrad": keras.optimizers.Adagrad,
    "sgd": keras.optimizers.SGD,
}


def make_optimizer(
    name: str, learning_rate: float, momentum: float = 0.0, nesterov: bool = False
) -> keras.optimizers.Optimizer:
    """Make a Keras optimiser; momentum is for "sgd" only."""
    extra = {"momentum": momentum, "nesterov": nesterov} if name == "sgd" else {}
    return OPTIMIZERS[name](learning_rate=learning_rate, **extra)


def decayed(weights: list[Any], numbers: Numbers) -> list[Any]:
    """Return the weights as AdamW has them before its Adam step: w - rate decay w (Loshchilov and Hutter, 2019).

    As in Keras the decay is of all weights, biases included.
    """
    share = numbers.learning_rate * numbers.weight_decay
    return [w - w * share for w in weights]
