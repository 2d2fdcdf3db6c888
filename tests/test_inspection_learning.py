"""Learning curves and the learning-rate range test, and their displays."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from inspection_examples import fitted, make_windows
from matplotlib.figure import Figure

from tsrnn import GRURegressor, LSTMRegressor, SimpleRNNRegressor
from tsrnn.exceptions import CapacityWarning
from tsrnn.inspection import (
    LearningCurveDisplay,
    LearningRateRangeDisplay,
    learning_curve,
    learning_rate_range_test,
    suggest_learning_rate,
)

# -- learning curves -------------------------------------------------------------------------------------------------


def test_learning_curve_is_the_history_with_the_start_and_the_best_epoch():
    X, y = make_windows(n=100)
    model = fitted(X=X, y=y, epochs=30, early_stopping=True, n_iter_no_change=2, learning_rate=0.1)
    curve = learning_curve(model)
    assert curve["epoch"].tolist() == list(range(model.n_iter_ + 1))
    assert curve["loss"].tolist()[1:] == model.history_["loss"]
    assert curve["val_loss"].tolist() == [model.initial_val_loss_, *model.history_["val_loss"]]
    assert curve.loc[curve["best"], "val_loss"].item() == curve["val_loss"].min()


def test_learning_curve_without_validation_ends_with_the_best_epoch():
    X, y = make_windows()
    curve = learning_curve(fitted(X=X, y=y, epochs=3))
    assert curve.columns.tolist() == ["epoch", "loss", "learning_rate", "best"]
    assert curve["best"].tolist() == [False, False, True]


def test_learning_curve_goes_on_with_partial_fit():
    X, y = make_windows()
    model = GRURegressor(units=2, random_state=0)
    for _ in range(3):
        model.partial_fit(X, y)
    curve = learning_curve(model)
    assert curve["epoch"].tolist() == [1, 2, 3]
    assert curve["loss"].tolist() == model.history_["loss"]


def test_learning_curve_of_a_forecaster_is_that_before_it_was_trained_anew(forecaster):
    assert forecaster.stopped_ is not None or forecaster.beats_last_value_ is False
    curve = learning_curve(forecaster)
    assert curve["val_loss"].tolist()[1:] == forecaster.history_["val_loss"]


def test_learning_curve_display_draws_the_losses_and_marks_the_best_epoch(ax):
    X, y = make_windows(n=100)
    model = fitted(X=X, y=y, epochs=5, early_stopping=True)
    display = LearningCurveDisplay.from_estimator(model, ax=ax)
    training, validation, best = ax.get_lines()
    np.testing.assert_array_equal(training.get_ydata(), display.curve["loss"])
    np.testing.assert_array_equal(validation.get_ydata(), display.curve["val_loss"])
    assert best.get_label() == f"best epoch: {model.best_iteration_}"
    assert best.get_xdata()[0] == model.best_iteration_


# -- learning-rate range test ----------------------------------------------------------------------------------------


def test_range_test_raises_the_rate_exponentially_and_measures_on_the_same_windows():
    X, y = make_windows(n=64)
    model = GRURegressor(units=2, batch_size=16, random_state=0)
    tested = learning_rate_range_test(model, X, y, min_rate=1e-30, max_rate=1e-20, n_batches=12)
    np.testing.assert_allclose(np.diff(np.log10(tested["learning_rate"])), 10 / 11)
    start = GRURegressor(units=2, batch_size=16, random_state=0, learning_rate=1e-30, epochs=1).fit(X, y)
    # rates of nothing leave the network as it began
    np.testing.assert_allclose(tested["loss"], np.square(start.predict(X) - y).mean(), rtol=1e-6)
    assert not hasattr(model, "weights_")


@pytest.mark.parametrize("loss", ["mse", "gaussian"])
def test_range_test_is_training_with_a_rate_for_each_batch(loss):
    X, y = make_windows(n=8)
    settings = {"units": 2, "batch_size": 8, "random_state": 0, "shuffle": False, "loss": loss}
    rates = np.geomspace(1e-3, 1e-1, 5)
    tested = learning_rate_range_test(LSTMRegressor(**settings), X, y, min_rate=1e-3, max_rate=1e-1, n_batches=5)

    def factor(epoch):
        return rates[epoch] / 1e-3

    with pytest.warns(CapacityWarning):
        model = LSTMRegressor(**settings, learning_rate=1e-3, learning_rate_schedule=factor, epochs=5).fit(X, y)
    # the loss of an epoch of one batch is that before its step
    np.testing.assert_allclose(tested["loss"][:-1], model.history_["loss"][1:], rtol=1e-6)


def test_range_test_ends_where_the_loss_is_not_finite():
    X, y = make_windows(n=64)
    model = SimpleRNNRegressor(units=2, optimizer="sgd", clipnorm=None, random_state=0)
    tested = learning_rate_range_test(model, X, y, max_rate=1e30, n_batches=40)
    assert 2 < len(tested) < 40
    assert np.isfinite(tested["loss"]).all()
    assert suggest_learning_rate(tested) < 1
    assert LearningRateRangeDisplay(tested).plot(Figure().subplots()).ax_.get_ylim()[1] < 100


def test_no_rate_is_suggested_where_no_loss_was_finite():
    with pytest.raises(ValueError, match="the loss was not finite from the first batch on"):
        suggest_learning_rate(pd.DataFrame({"learning_rate": [], "loss": []}))


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"min_rate": 0}, "min_rate must be a number"),
        ({"max_rate": 1e-5}, r"max_rate must be a number in \(1e-05, inf\)"),
        ({"n_batches": 1}, "n_batches must be an integer of at least 2"),
    ],
)
def test_ranges_that_are_none_are_refused(params, match):
    X, y = make_windows()
    with pytest.raises(ValueError, match=match):
        learning_rate_range_test(LSTMRegressor(), X, y, **params)


def test_range_test_of_a_forecaster_and_its_display(forecaster, ax):
    display = LearningRateRangeDisplay.from_estimator(forecaster, n_batches=20, ax=ax)
    losses, suggestion = ax.get_lines()
    np.testing.assert_array_equal(losses.get_ydata(), display.tested["loss"])
    assert suggestion.get_xdata()[0] == display.suggestion
    assert ax.get_xscale() == "log"
