"""Small fitted networks to look into."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np

from tsrnn import GRURegressor, LSTMRegressor, SimpleRNNRegressor
from tsrnn.engine import Missing

mpl.use("Agg")

REGRESSORS = {"lstm": LSTMRegressor, "gru": GRURegressor, "simple_rnn": SimpleRNNRegressor}


def make_windows(n=40, n_steps=6, n_features=2, seed=0):
    X = np.random.default_rng(seed).normal(size=(n, n_steps, n_features))
    return X, X[:, -1] * [1.0, -0.5]


def fitted(cell="lstm", X=None, y=None, **params):
    if X is None:
        X, y = make_windows()
    settings = {"units": 3, "epochs": 2, "random_state": 0} | params
    return REGRESSORS[cell](**settings).fit(X, y)


def hold(model, spec):
    """Give a regressor a network that it was not trained for."""
    model.weights_, model._spec, model._missing = [], spec, Missing(np.zeros(1, np.float32), ())
    model._n_features_per_step, model._target_shape, model._loss, model._quantiles = 1, (1,), "mse", ()


def linear_elman(W, n_steps=6, n_windows=40):
    """An Elman network of one unit whose state stays 0, so that d h(t+1) / d h(t) is exactly W; and its windows."""
    X, y = np.zeros((n_windows, n_steps, 1)), np.ones(n_windows)
    model = fitted("simple_rnn", X, y, units=1, epochs=1)
    weights = [[[1.0]], [[W]], [0.0], [[1.0]], [0.0]]
    model.weights_ = [np.array(values, np.float32) for values in weights]
    return model, X, y
