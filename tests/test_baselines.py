"""Which trivial forecasts stand in a comparison unasked, and which ridge regression beside a network."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tsrnn.baselines import is_network, trivial_kind, with_baselines
from tsrnn.exceptions import DataError
from tsrnn.forecasters.echo_state import EchoStateForecaster
from tsrnn.forecasters.mean import MeanForecaster
from tsrnn.forecasters.naive import DriftForecaster, NaiveForecaster, SeasonalNaiveForecaster
from tsrnn.forecasters.recurrent import GRUForecaster, LSTMForecaster
from tsrnn.forecasters.ridge import RidgeForecaster
from tsrnn.forecasters.without_recurrence import FeedForwardForecaster
from tsrnn.plans import make_plan

RNG = np.random.default_rng(0)
NOISE = RNG.normal(size=400)


def autoregression(phi):
    values = np.zeros(400)
    for t in range(1, 400):
        values[t] = phi * values[t - 1] + NOISE[t]
    return values


def plan_of(values, horizon=1, n_windows=20, **options):
    frame = pd.DataFrame(values, pd.date_range("2020-01-01", periods=len(values), freq="D"))
    return make_plan(frame.rename(columns=str), None, horizon, n_windows, None, **options)


def added(values, models=None, season_length=7, **options):
    named = {"drift": DriftForecaster()} if models is None else models
    return set(with_baselines(named, plan_of(values, **options), season_length)) - set(named)


CERTAIN = {"naive", "snaive"}
BOTH = {*CERTAIN, "mean", "zero"}
WEEK = np.tile([0.0, 5, 1, 8, 2, 9, 3], 58)[:400]


@pytest.mark.parametrize(
    ("values", "horizon", "names"),
    [
        (NOISE, 1, BOTH),  # returns
        (NOISE * 1e-9, 1, BOTH),
        (NOISE * 1e9, 5, BOTH),
        (NOISE + 50, 1, {*CERTAIN, "mean"}),  # a level
        (NOISE + 1e9, 1, {*CERTAIN, "mean"}),
        (NOISE.cumsum(), 1, CERTAIN),  # prices
        (NOISE.cumsum() + 1000, 20, CERTAIN),
        (autoregression(0.3), 1, BOTH),
        (autoregression(0.9), 1, CERTAIN),
        (autoregression(0.9), 30, BOTH),  # far ahead it is back at its mean
        (WEEK + 0.1 * NOISE, 7, CERTAIN),  # a season that repeats
        (np.maximum(NOISE - 1.5, 0), 1, BOTH),  # mostly nothing
        (np.full(400, 3.0), 1, {*CERTAIN, "mean"}),
    ],
)
def test_mean_and_zero_are_held_where_the_series_moves_around_them(values, horizon, names):
    assert added(values, horizon=horizon, n_windows=5) == names


def test_what_the_rows_after_the_first_cutoff_hold_does_not_matter():
    values = NOISE.cumsum()
    calm = values.copy()
    calm[-20:] = 0.0
    assert added(values) == added(calm) == CERTAIN
    noisy = np.append(NOISE[:-20], np.arange(20.0))
    assert added(noisy) == BOTH


def test_one_target_that_moves_around_zero_is_enough():
    assert added(np.column_stack([NOISE.cumsum() + 100, NOISE])) == BOTH


def test_too_few_rows_to_tell_hold_them_all():
    assert added(NOISE[:30].cumsum(), horizon=5, n_windows=4) == BOTH


def test_gaps_and_late_starts_do_not_matter():
    values = NOISE.copy()
    values[:150] = np.nan
    values[170:180] = np.nan
    assert added(values) == BOTH


def test_what_the_user_gave_is_not_added_again():
    given = {"last": NaiveForecaster(), "year": SeasonalNaiveForecaster(365), "level": MeanForecaster()}
    assert added(NOISE, given) == {"zero"}
    assert added(NOISE, {"nothing": MeanForecaster(value=0), "recent": MeanForecaster(window=5)}) == {*CERTAIN, "mean"}


def test_names_of_the_last_value_and_the_season_are_kept_and_others_are_numbered():
    with pytest.raises(DataError, match="the name 'snaive' is kept for SeasonalNaiveForecaster"):
        added(NOISE, {"snaive": DriftForecaster()})
    named = {"mean": DriftForecaster(), "zero": DriftForecaster(), "zero_2": DriftForecaster()}
    assert added(NOISE, named) == {*CERTAIN, "mean_2", "zero_3"}


def test_baselines_have_the_frequency_that_a_model_was_given():
    plan = plan_of(NOISE, freq="12h")
    everyone = with_baselines({"drift": DriftForecaster(freq="12h"), "net": GRUForecaster()}, plan, 14)
    assert {model.freq for name, model in everyone.items() if name != "net"} == {"12h"}


def test_a_season_of_one_row_is_the_last_value():
    assert added(NOISE.cumsum(), season_length=1) == {"naive"}


@pytest.mark.parametrize("network", [LSTMForecaster(), GRUForecaster(), FeedForwardForecaster(), EchoStateForecaster()])
def test_a_ridge_regression_stands_beside_a_network(network):
    assert is_network(network) and "ridge" in added(NOISE, {"net": network})
    assert "ridge" not in added(NOISE, {"net": network, "own": RidgeForecaster()})
    assert "ridge_2" in added(NOISE, {"net": network, "ridge": DriftForecaster()})


def test_the_ridge_regression_reads_what_the_widest_network_reads():
    models = {
        "narrow": LSTMForecaster(window=100),
        "wide": GRUForecaster(window=20, past_covariates=["1"], level=None, shared=False, target="0"),
        "wider": GRUForecaster(window=30, past_covariates=["1"], level=None, shared=False, target="0", horizon=2),
    }
    plan = plan_of(np.column_stack([NOISE, NOISE]))
    ridge = with_baselines(models, plan, 7)["ridge"]
    assert type(ridge) is RidgeForecaster
    expected = {"window": 30, "past_covariates": ["1"], "level": None, "shared": False, "target": "0", "horizon": 2}
    assert expected.items() <= ridge.get_params().items()
    usual = with_baselines({"a": LSTMForecaster(window=50), "b": LSTMForecaster()}, plan, 7)["ridge"]
    assert usual.window is None


def test_kinds_of_trivial_forecasts_in_words():
    models = [
        NaiveForecaster(),
        SeasonalNaiveForecaster(3),
        MeanForecaster(),
        MeanForecaster(value=0),
        DriftForecaster(),
    ]
    assert [trivial_kind(model) for model in models] == [
        "the last value",
        "the season before",
        "the mean",
        "zero",
        None,
    ]
    assert trivial_kind(MeanForecaster(value=4)) == "a constant"
