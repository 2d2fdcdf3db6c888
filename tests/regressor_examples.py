"""Small regressors, windows for them, and whether two have the same weights."""

import numpy as np

from tsrnn.regressors import GRURegressor, LSTMRegressor, SimpleRNNRegressor

CLASSES = [LSTMRegressor, GRURegressor, SimpleRNNRegressor]


def regressor(cls=GRURegressor, **changes):
    return cls(**{"units": 3, "epochs": 2, "random_state": 0, **changes})


def data(n=40, n_steps=5, n_features=2, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, n_steps, n_features))
    return X, X[:, -2:, 0].sum(axis=1)


def same(a, b):
    return len(a.weights_) == len(b.weights_) and all(
        np.array_equal(x, y) for x, y in zip(a.weights_, b.weights_, strict=True)
    )
