"""Early stopping of regressors: what is validated on, and which weights are kept."""

import numpy as np
import pytest
from regressor_examples import data, regressor, same


def test_validation_is_the_last_part_in_time():
    X, y = data(50)
    changed = y.copy()
    changed[45:] += 100  # the last tenth only
    first = regressor(early_stopping=True, n_iter_no_change=50).fit(X, y)
    second = regressor(early_stopping=True, n_iter_no_change=50).fit(X, changed)
    assert first.history_["loss"] == second.history_["loss"]
    assert first.history_["val_loss"] != second.history_["val_loss"]


def test_validation_gap_is_seen_by_neither_part():
    X, y = data(50)
    changed = y.copy()
    changed[40:45] += 100
    model = regressor(early_stopping=True, validation_gap=5)
    assert model.fit(X, y).history_ == regressor(early_stopping=True, validation_gap=5).fit(X, changed).history_
    with pytest.raises(ValueError, match="validation_gap=45"):
        model.set_params(validation_gap=45).fit(X, y)


def test_best_weights_may_be_the_initial_ones():
    X, _ = data(60)
    y = np.r_[np.random.default_rng(0).normal(size=54), np.zeros(6)]  # nothing to learn for the last part
    model = regressor(early_stopping=True, head_initializer="zeros", epochs=30, learning_rate=0.1).fit(X, y)
    assert model.best_iteration_ == 0
    assert model.initial_val_loss_ == 0
    assert model.n_iter_ == 5
    assert not model.predict(X).any()


def test_best_iteration_has_the_lowest_validation_loss():
    X, y = data(200)
    model = regressor(early_stopping=True, epochs=12, learning_rate=0.03).fit(X, y)
    best = np.argmin(model.history_["val_loss"])
    assert model.best_iteration_ == best + 1
    assert {len(values) for values in model.history_.values()} == {model.n_iter_}
    loss = np.mean((model.predict(X[180:]) - y[180:]) ** 2)
    assert loss == pytest.approx(model.history_["val_loss"][best], rel=1e-5)


def test_auto_early_stopping_asks_for_a_thousand_windows():
    X, y = data(1000)
    assert "val_loss" in regressor(epochs=1).fit(X, y).history_
    assert "val_loss" not in regressor(epochs=1).fit(X[1:], y[1:]).history_


def test_validation_part_can_be_given():
    X, y = data(50)
    a = regressor(early_stopping=True).__fit_windows__(X[:45], y[:45], validation=(X[45:], y[45:]))
    assert same(a, regressor(early_stopping=True).fit(X, y))


def test_a_given_validation_part_without_a_known_target_is_refused_before_training():
    X, y = data(50)
    unknown = np.full(5, np.nan)
    with pytest.raises(ValueError, match="the validation data have no window"):
        regressor(early_stopping=True).__fit_windows__(X[:45], y[:45], validation=(X[45:], unknown))
    y[-20:] = np.nan  # the last tenth of the known ones is validated on
    model = regressor(early_stopping=True).__fit_windows__(X, y)
    assert np.isfinite(model.history_["val_loss"]).all() and model.n_windows_ == 27
