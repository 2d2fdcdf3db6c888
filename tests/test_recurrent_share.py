"""What networks add to forecasts, and the warning where they add nothing."""

import warnings

import numpy as np
import pytest
from recurrent_examples import FAST, held_out, noise_around, wave
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit

from tsrnn.exceptions import SilentNetworkWarning
from tsrnn.forecasters import GRUForecaster, LSTMForecaster, RidgeForecaster


def test_the_share_of_networks_is_that_of_their_absolute_forecasts_on_the_validation_part():
    df = wave(1200, noise=5.0)[["load"]]
    model = GRUForecaster(window=24, horizon=4, refit=False, units=8, epochs=8, learning_rate=0.01, random_state=0)
    model.fit(df)
    windows, _ = held_out(model, df)
    one, other = model.regressor_.parts
    linear = np.asarray(windows)[..., 0] @ one.linear.coef + one.linear.intercept
    added = (one.predict(windows) - linear + other.predict(windows)) / 2
    expected = np.abs(added).sum() / (np.abs(added).sum() + np.abs(linear / 2).sum())
    assert model.network_share_ == pytest.approx(expected, rel=1e-4)
    assert 0.2 < expected < 0.8
    assert model.summary()["layer"].iloc[-2] == f"share of the networks: {100 * expected:.0f} %"


def test_without_a_validation_part_the_share_is_that_on_the_training_windows():
    df = wave(150)[["load"]]
    model = GRUForecaster(window=24, horizon=4, units=8, epochs=8, linear=True, random_state=0).fit(df)
    windows = model._examples(df.to_numpy(), model._training_cutoffs(df.to_numpy())).windows
    (part,) = model.regressor_.parts
    linear = part.linear.predict(windows)
    added = np.abs(part.predict(windows) - linear).sum()
    assert model.network_share_ == pytest.approx(added / (added + np.abs(linear).sum()), rel=1e-4)


@pytest.mark.parametrize("linear", ["auto", True])
@pytest.mark.parametrize("change", [{"learning_rate": 1e-9}, {"epochs": 1, "learning_rate": 1e-30}], ids=str)
def test_a_network_that_learns_nothing_beyond_its_ridge_regression_says_so(linear, change):
    df = wave(1200)[["load"]]  # noiseless almost: a ridge regression forecasts it as well as can be
    model = GRUForecaster(window=48, horizon=6, linear=linear, **FAST | change)
    with pytest.warns(SilentNetworkWarning, match="nothing to the ridge.*epochs.*learning_rate") as said:
        model.fit(df)
    assert said[0].filename == __file__
    assert model.fallback_ is None and model.network_share_ < 1e-4
    np.testing.assert_allclose(model.forecast(), RidgeForecaster(window=48, horizon=6).fit(df).forecast(), rtol=1e-5)


def test_a_head_of_zeros_has_a_share_of_exactly_nothing():
    model = GRUForecaster(window=48, horizon=6, linear=True, **FAST | {"learning_rate": 1e-30}).fit(
        wave(1200)[["load"]]
    )
    assert model.network_share_ == 0.0


def test_a_silent_network_whose_ridge_regression_is_no_better_names_both():
    with pytest.warns(SilentNetworkWarning, match="ridge regression.*not clearly better than the mean"):
        GRUForecaster(window=14, horizon=2, linear=True, **FAST | {"learning_rate": 1e-30}).fit(noise_around(5.0))


def test_a_network_that_learns_or_falls_back_after_learning_says_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = LSTMForecaster("load", window=24, horizon=6, units=8, epochs=10, learning_rate=1e-2, random_state=0)
        assert model.fit(wave(1_500, noise=1.0)).network_share_ > 0.2
        assert GRUForecaster(window=12, linear=False, **FAST).fit(noise_around(5.0)).fallback_ == "mean"


def test_candidates_of_a_search_that_tie_say_so_once():
    df = wave(400)
    search = GridSearchCV(
        GRUForecaster("load", window=24, horizon=6, linear=True, **FAST | {"learning_rate": 1e-30}),
        {"units": [2, 4], "epochs": [1, 2]},
        cv=TimeSeriesSplit(2, test_size=24),
    )
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("default")
        search.fit(df[[]], df["load"])
    silent = [str(one.message) for one in said if issubclass(one.category, SilentNetworkWarning)]
    assert len(set(silent)) == 1 and "Candidates of a search that differ in the network alone would tie" in silent[0]
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], search.best_score_, rtol=1e-6)
