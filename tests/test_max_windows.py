"""How many windows an epoch reads, where there are more."""

import numpy as np
import pytest

from tsrnn.engine.data import batches
from tsrnn.regressors import GRURegressor


def regressor(**changes):
    return GRURegressor(**{"units": 3, "epochs": 2, "random_state": 0, "early_stopping": False, **changes})


def data(n):
    X = np.random.default_rng(0).normal(size=(n, 5, 2))
    return X, X[:, -2:, 0].sum(axis=1)


def test_each_epoch_draws_windows_of_its_own():
    rng = np.random.default_rng(0)
    first, second = (batches(100, 8, rng, most=20).ravel() for _ in range(2))
    for order in (first, second):
        drawn = order[order >= 0]
        assert len(drawn) == len(set(drawn.tolist())) == 20
    assert set(first.tolist()) != set(second.tolist())


def test_as_many_as_there_are_is_all_of_them():
    X, y = data(60)
    for most in (60, 1000):
        some, every = regressor(max_windows=most).fit(X, y), regressor().fit(X, y)
        for one, other in zip(some.weights_, every.weights_, strict=True):
            np.testing.assert_array_equal(one, other)


def test_fewer_windows_are_another_training_that_repeats():
    X, y = data(60)
    first, second = (regressor(max_windows=16).fit(X, y).predict(X) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, regressor().fit(X, y).predict(X))


def test_windows_in_order_are_not_drawn():
    X, y = data(60)
    with pytest.raises(ValueError, match="max_windows=16 draws .* shuffle=False .* Set shuffle=True"):
        regressor(max_windows=16, shuffle=False).fit(X, y)
