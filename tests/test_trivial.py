"""Trivial forecasts: against the naive forecasters, and which of them fit a series."""

import numpy as np
import pandas as pd
import pytest

from tsrnn.forecasters import MeanForecaster, NaiveForecaster, SeasonalNaiveForecaster
from tsrnn.forecasters.trivial import Trivial, moves_around_zero, trivial_forecasts


def targets(n=120, seed=0):
    values = np.random.default_rng(seed).normal(size=(n, 2)).cumsum(axis=0)
    values[50:53, 0] = values[-1, 1] = np.nan
    return values


@pytest.mark.parametrize(
    ("trivial", "forecaster"),
    [
        (Trivial("last value"), NaiveForecaster()),
        (Trivial("season", season=7), SeasonalNaiveForecaster(season_length=7)),
        (Trivial("zero", constant=np.zeros(2)), MeanForecaster(value=0.0)),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_it_forecasts_as_the_forecaster_does(trivial, forecaster):
    values = targets()
    frame = pd.DataFrame(values, pd.date_range("2024-01-01", periods=len(values), freq="D"), columns=["a", "b"])
    cutoffs = np.array([20, 51, 119])
    expected = forecaster.fit(frame).predict_cutoffs(9, frame, frame.index[cutoffs])["y_pred"].to_numpy()
    np.testing.assert_array_equal(trivial.forecast(values, cutoffs, 9), expected.reshape(3, 9, 2))


@pytest.mark.parametrize("n_groups", [1, 2])
def test_errors_are_means_over_the_steps_observed(monkeypatch, n_groups):
    monkeypatch.setattr("tsrnn.forecasters.trivial.CHUNK", 7)
    values, scale = targets(), np.array([2.0, 5.0])
    trivial, cutoffs = Trivial("season", season=7), np.arange(10, 116)
    got = trivial.errors(values, scale, cutoffs, 4, n_groups)
    for i, cutoff in enumerate(cutoffs):
        ahead = trivial.forecast(values, cutoffs[i : i + 1], 4)[0]
        error = np.abs(ahead - values[cutoff + 1 : cutoff + 5]) / scale
        expected = np.nanmean(error, axis=0) if n_groups == 2 else [np.nanmean(error)]
        np.testing.assert_allclose(got[i], expected)


def test_nothing_observed_is_no_error():
    values = np.array([[1.0], [np.nan], [np.nan], [5.0]])
    errors = Trivial("last value").errors(values, np.ones(1), np.array([0, 1]), 2, 1)
    np.testing.assert_array_equal(errors, [[np.nan], [4.0]])


def names(values, season=7, window=20):
    mean = np.nanmean(values, axis=0)
    return [one.name for one in trivial_forecasts(values, mean, season, window)]


def test_the_last_value_and_the_mean_always_fit():
    level = 100 + targets()
    assert names(level) == ["last value", "season", "mean"]
    assert names(level, season=1) == names(level, season=21) == ["last value", "mean"]
    assert names(level, season=20) == ["last value", "season", "mean"]


def test_zero_fits_where_all_targets_move_around_it():
    returns = np.random.default_rng(0).normal(size=(500, 2))
    assert names(returns)[-1] == "zero"
    assert names(returns + [0.0, 0.5])[-1] == "mean"


@pytest.mark.parametrize("unit", [1e-250, 1e-12, 1.0, 1e12, 1e200])
def test_whether_it_moves_around_zero_does_not_depend_on_the_unit(unit):
    noise = np.random.default_rng(0).normal(size=300)
    noise[::9] = np.nan
    assert moves_around_zero(unit * noise)
    assert not moves_around_zero(unit * (noise + 0.3))


def test_a_correlated_series_needs_a_larger_mean_to_be_off_zero():
    rng, off, off_if_independent = np.random.default_rng(0), 0, 0
    for _ in range(100):
        e = rng.normal(size=600)
        y = np.zeros(600)
        for t in range(1, 600):
            y[t] = 0.8 * y[t - 1] + e[t]
        off += not moves_around_zero(y)
        off_if_independent += abs(y.mean()) > 2 * y.std() / np.sqrt(len(y))
    assert off < 0.5 * off_if_independent


@pytest.mark.parametrize("values", [np.zeros(5), np.array([np.nan, 1.0]), np.array([])], ids=["zeros", "one", "none"])
def test_zeros_move_around_zero_and_a_single_value_tells_nothing(values):
    assert moves_around_zero(values) is (len(values) == 5)
