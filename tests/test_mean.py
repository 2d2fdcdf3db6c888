"""The mean and the constant as forecasts: held against exact sums and slow loops."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm

from tsrnn.backtest import model_name
from tsrnn.exceptions import DataError
from tsrnn.forecasters.mean import MeanForecaster, deviation, prefix_sums, recent_means


def series(values, freq="h"):
    index = pd.date_range("2024-01-01", periods=len(values), freq=freq)
    return pd.Series(np.asarray(values, dtype=float), index=index, name="y")


def exact_mean(values, window):
    seen = [value for value in values if math.isfinite(value)][-(window or len(values)) :]
    return math.fsum(seen) / len(seen) if seen else math.nan


# ---------------------------------------------------------------------- sums


@settings(max_examples=200, deadline=None)
@given(
    values=hnp.arrays(float, st.integers(0, 40), elements=st.floats(-1e12, 1e12)),
    ends=st.tuples(st.integers(0, 40), st.integers(0, 40)),
)
def test_differences_of_prefix_sums_are_exact_sums(values, ends):
    start, stop = sorted(min(end, len(values)) for end in ends)
    rounded, lost = prefix_sums(values)
    found = (rounded[stop] - rounded[start]) + (lost[stop] - lost[start])
    assert found == pytest.approx(math.fsum(values[start:stop]), rel=1e-15, abs=1e-15)


@settings(max_examples=200, deadline=None)
@given(
    values=hnp.arrays(
        float,
        st.tuples(st.integers(1, 25), st.integers(1, 2)),
        elements=st.one_of(st.integers(-9, 9).map(float), st.just(np.nan)),
    ),
    window=st.one_of(st.none(), st.integers(1, 8)),
)
def test_recent_means_are_what_a_loop_finds(values, window):
    cutoffs = np.arange(len(values))
    expected = [[exact_mean(column[: cutoff + 1], window) for column in values.T] for cutoff in cutoffs]
    assert_allclose(recent_means(values, cutoffs, window), expected, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("window", [None, 7, 100])
@pytest.mark.parametrize(
    ("unit", "level"), [(1e-12, 0.0), (1e12, 0.0), (1.0, 1e9), (1e-310, 0.0), (1e200, 0.0), (1e-3, -1e6)]
)
def test_means_are_right_in_any_unit_and_at_any_level(unit, level, window):
    values = unit * np.random.default_rng(0).normal(size=3_000) + level
    cutoffs = np.array([150, 1_499, 2_999])
    expected = [exact_mean(values[: cutoff + 1], window) for cutoff in cutoffs]
    assert_allclose(recent_means(values[:, None], cutoffs, window)[:, 0], expected, rtol=4e-16)


def test_a_huge_value_before_the_window_leaves_no_trace():
    values = np.random.default_rng(0).normal(size=500) * 1e-3
    values[[3, 90]] = 1e12, -7e15
    assert_allclose(recent_means(values[:, None], np.array([499]), 20)[0, 0], exact_mean(values, 20), rtol=1e-12)


def test_deviations_of_large_and_small_errors_neither_overflow_nor_vanish():
    for unit in (1e-200, 1.0, 1e200):
        assert_allclose(deviation(unit * np.array([[3.0], [np.nan], [4.0]])), unit * np.sqrt(12.5))
    assert_array_equal(deviation(np.array([[0.0, np.nan], [0.0, np.nan]])), [0.0, np.nan])


# ---------------------------------------------------------------------- the forecaster


def test_the_mean_is_that_of_the_observations_up_to_the_cutoff():
    df = pd.DataFrame({"a": [1.0, 2.0, 6.0], "b": [5.0, np.nan, 8.0]}, index=series([0, 0, 0]).index)
    model = MeanForecaster().fit(df)
    assert_array_equal(model.forecast(2), [[3.0, 6.5], [3.0, 6.5]])
    assert_array_equal(model.predict(1, history=df.iloc[:2]), [[1.5, 5.0]])
    tidy = model.predict_cutoffs(1, df, df.index)
    assert_array_equal(tidy["y_pred"], [1.0, 5.0, 1.5, 5.0, 3.0, 6.5])


def test_a_window_counts_observations_not_rows():
    values = series([100.0, 1.0, np.nan, 3.0, np.nan])
    assert MeanForecaster(window=2).fit(values).forecast(1)["y"].tolist() == [2.0]


def test_fitted_values_before_a_full_window_are_the_mean_of_what_there_is():
    values = series([1.0, 3.0, 5.0, 7.0])
    # row 0 has nothing before it: the mean of all
    assert_array_equal(MeanForecaster(window=2).fit(values).predict(values.index)["y"], [4.0, 1.0, 2.0, 4.0])


def test_a_constant_is_forecast_everywhere_and_measured_around_itself():
    values = series([1.0, 3.0, np.nan, 5.0])
    model = MeanForecaster(value=2.0).fit(values)
    assert_array_equal(model.predict(values.index)["y"], [2.0] * 4)
    assert_allclose(model.sigma_, np.sqrt((1 + 1 + 9) / 3))
    bounds = model.predict_interval(values.index, coverage=0.95)
    assert_array_equal(bounds["y"], [2.0] * 4)
    assert_allclose(bounds["y_upper_95"], 2 + norm.ppf(0.975) * model.sigma_[0])


def test_the_interval_is_that_of_a_mean_and_does_not_widen():
    values = [1.0, 3.0, 2.0, 6.0]
    model = MeanForecaster().fit(series(values))
    assert_allclose(model.sigma_, np.std(values, ddof=1))
    interval = model.predict_interval(3, coverage=0.95)
    half = (interval["y_upper_95"] - interval["y_lower_95"]) / 2
    assert_allclose(half, norm.ppf(0.975) * np.std(values, ddof=1) * np.sqrt(1 + 1 / 4))


def test_the_deviation_with_a_window_comes_from_errors_of_one_step():
    values = np.array([1.0, 3.0, 2.0, 6.0, 4.0])
    errors = [2.0 - 2.0, 6.0 - 2.5, 4.0 - 4.0]
    model = MeanForecaster(window=2).fit(series(values))
    assert_allclose(model.sigma_ * np.sqrt(1 + 1 / 2), np.sqrt(np.mean(np.square(errors))))


@pytest.mark.parametrize("model", [MeanForecaster(), MeanForecaster(window=30), MeanForecaster(value=5.0)])
def test_coverage_on_noise_is_nominal(model):
    noise = 5 + np.random.default_rng(0).normal(size=(220, 400))
    df = pd.DataFrame(noise, index=pd.date_range("2024-01-01", periods=220, freq="h")).add_prefix("w")
    interval = model.fit(df.iloc[:200]).predict_interval(20, coverage=0.8)
    lower, upper = (interval.filter(like=side).to_numpy() for side in ("_lower_", "_upper_"))
    truth = df.iloc[200:].to_numpy()
    assert abs(((lower <= truth) & (truth <= upper)).mean() - 0.8) < 0.02


def test_one_observation_is_enough_for_a_mean_but_not_for_an_interval():
    model = MeanForecaster(freq="h").fit(series([4.0]))
    assert model.forecast(2)["y"].tolist() == [4.0, 4.0]
    with pytest.raises(DataError, match=r"target\(s\) y have too few observations"):
        model.predict_interval(2)


def test_fewer_observations_than_the_window_are_refused_with_the_numbers():
    with pytest.raises(DataError, match=r"window=3 needs 3 observations .* target\(s\) y have 2\. Pass more history"):
        MeanForecaster(window=3).fit(series([1.0, np.nan, 2.0]))
    model = MeanForecaster(window=3).fit(series(np.arange(9)))
    with pytest.raises(DataError, match="have 2"):
        model.predict_cutoffs(1, series(np.arange(9)), series(np.arange(9)).index[[1, 7]])


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"window": 0}, ValueError, "window must be an integer of at least 1 or None, got 0"),
        ({"window": 2.5}, TypeError, "window must be an integer"),
        ({"value": "0"}, TypeError, "value must be a number"),
        ({"value": np.nan}, ValueError, "value must be a number"),
        ({"value": 0.0, "window": 5}, DataError, "window=5 and value=0.0 exclude each other"),
    ],
)
def test_impossible_parameters(params, error, message):
    with pytest.raises(error, match=message):
        MeanForecaster(**params).fit(series(np.arange(9)))


def test_short_names_say_what_is_forecast():
    models = MeanForecaster(), MeanForecaster(window=5), MeanForecaster(value=0), MeanForecaster(value=3.0)
    assert [model_name(model) for model in models] == ["mean", "mean", "zero", "constant"]
