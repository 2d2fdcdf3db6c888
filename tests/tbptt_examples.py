"""Long sequences, and small networks that read them in pieces."""

from __future__ import annotations

import numpy as np
import pytest

from tsrnn import GRURegressor, LSTMRegressor, SimpleRNNRegressor
from tsrnn.engine.native import available

CLASSES = [LSTMRegressor, GRURegressor, SimpleRNNRegressor]
needs_native = pytest.mark.skipif(not available(), reason="the native engine was not compiled")
ENGINES = [pytest.param("native", marks=needs_native), pytest.param("keras", marks=pytest.mark.slow)]


def data(n_sequences=6, n_steps=24, n_features=2, seed=0):
    X = np.random.default_rng(seed).normal(size=(n_sequences, n_steps, n_features))
    return X, X[..., 0].cumsum(axis=1) / 5


def regressor(cls=GRURegressor, **options):
    return cls(**{"units": 3, "epochs": 2, "return_sequences": True, "random_state": 0} | options)


def sequences(lengths, seed=0):
    """Sequences of these lengths with their targets, as lists."""
    rng = np.random.default_rng(seed)
    X = [rng.normal(size=(length, 2)) for length in lengths]
    return X, [x.sum(axis=1).cumsum() / 5 for x in X]


def largest_difference(first, second):
    return max(np.abs(a - b).max() for a, b in zip(first, second, strict=True))


ONE_LANE = {"tbptt_steps": 10, "batch_size": 1, "learning_rate": 0.02}
