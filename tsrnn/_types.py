"""Types of the parameters that users set, for editors and type checkers: each named choice stands here once more.

`tests/test_types.py` holds them against the choices that `fit` checks. Imports nothing of tsrnn; neither numpy nor
scikit-learn reads them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Literal

import numpy as np

__all__ = [
    "Activation",
    "Attention",
    "Auto",
    "AutoBool",
    "Callbacks",
    "NonRecurrentActivation",
    "DecoderCell",
    "Engine",
    "Errors",
    "FeedbackCell",
    "HeadInitializer",
    "KernelInitializer",
    "Labels",
    "Layers",
    "Level",
    "Loss",
    "MergeMode",
    "Optimizer",
    "RandomState",
    "Resample",
    "Schedule",
    "Seasonal",
    "StaticTo",
    "Strategy",
    "TeacherForcing",
    "Trend",
    "Verbose",
]

Auto = Literal["auto"]
AutoBool = bool | Literal["auto"]

Activation = Literal["tanh", "softsign"]
Attention = Literal["additive", "dot"]
NonRecurrentActivation = Literal["relu", "tanh"]
DecoderCell = Literal["simple_rnn", "gru", "lstm"]
Errors = Literal["raise", "report"]
Engine = Literal["auto", "native", "keras"]
FeedbackCell = Literal["dense", "simple_rnn", "gru", "lstm"]
HeadInitializer = Literal["glorot_uniform", "zeros"]
KernelInitializer = Literal["glorot_uniform", "orthogonal"]
Level = Literal["last"]
Loss = Literal["mse", "mae", "huber", "pinball", "gaussian", "student_t"]
MergeMode = Literal["concat", "sum", "ave"]
Optimizer = Literal["adam", "adamw", "rmsprop", "adagrad", "sgd"]
Resample = Literal["mean", "sum", "last", "first", "max", "min"]
Seasonal = Literal["auto", "arima", "fourier"]
StaticTo = Literal["both", "state"]
Strategy = Literal["direct", "recursive"]
Trend = Literal["c", "t", "ct"]

#: The width of one layer, or of each.
Layers = int | Sequence[int]
#: One column, or several.
Labels = Hashable | Sequence[Hashable]
Schedule = Literal["cosine", "exponential"] | Callable[[int], float]
TeacherForcing = float | Literal["linear"] | Callable[[int], float]
#: Keras's callbacks, or functions that return one. Keras is not imported for their type.
Callbacks = Any
RandomState = int | np.random.RandomState
#: "auto", 0 or 1; see `LSTMRegressor`.
Verbose = int | Literal["auto"]
