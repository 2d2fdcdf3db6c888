"""Naive, seasonal naive and drift: held against slow loops and the formulas of FPP3."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm

from tsrnn.exceptions import DataError
from tsrnn.forecasters.naive import (
    DriftForecaster,
    NaiveForecaster,
    SeasonalNaiveForecaster,
    increments,
    season_rows,
    walk_scale,
)
from tsrnn.forecasters.observed import latest_of_phase, latest_rows, rows_since_observed, take_rows


def series(values, freq="h"):
    index = pd.date_range("2024-01-01", periods=len(values), freq=freq)
    return pd.Series(np.asarray(values, dtype=float), index=index, name="y")


def slow_repeat(values, cutoff, step, period):
    """One forecast of one series, by looking."""
    row = cutoff + step
    while row > cutoff or (row >= 0 and np.isnan(values[row])):
        row -= period
    if row >= 0:
        return values[row]
    seen = values[: cutoff + 1][np.isfinite(values[: cutoff + 1])]
    return seen[-1] if len(seen) else np.nan


gappy = hnp.arrays(
    float,
    st.tuples(st.integers(1, 25), st.integers(1, 2)),
    elements=st.one_of(st.integers(-9, 9).map(float), st.just(np.nan)),
)


@settings(max_examples=200, deadline=None)
@given(values=gappy, period=st.integers(1, 8), steps=st.integers(1, 12))
def test_a_repeated_season_is_what_a_loop_finds(values, period, steps):
    cutoffs = np.arange(len(values))
    expected = [
        [[slow_repeat(column, cutoff, step, period) for column in values.T] for step in range(1, steps + 1)]
        for cutoff in cutoffs
    ]
    assert_array_equal(take_rows(values, season_rows(values, cutoffs, steps, period)), expected)


@settings(max_examples=100, deadline=None)
@given(values=gappy, period=st.integers(1, 8))
def test_latest_rows_are_observed_at_the_same_phase_and_not_later(values, period):
    rows = latest_rows(values, period)
    for row, k in np.argwhere(rows >= 0):
        found = rows[row, k]
        assert found <= row and (row - found) % period == 0 and np.isfinite(values[found, k])
        assert np.isnan(values[found + period : row + 1 : period, k]).all()


@settings(max_examples=100, deadline=None)
@given(values=gappy, period=st.integers(1, 5), seed=st.integers(0, 99))
def test_the_latest_row_of_a_phase_is_what_a_loop_finds(values, period, seed):
    rng = np.random.default_rng(seed)
    clock = np.cumsum(rng.choice([0, 1, 1, 1, 2], len(values)))  # hours that come twice, and hours that are skipped
    cutoffs = np.arange(len(values))
    rows = rng.integers(0, len(values), (len(values), 2))
    found = latest_of_phase(values, clock % period, cutoffs, rows)
    for c, j, k in np.ndindex(*found.shape):
        seen = [r for r in range(c + 1) if (clock[r] - clock[rows[c, j]]) % period == 0 and np.isfinite(values[r, k])]
        assert found[c, j, k] == (seen[-1] if seen else -1)


@settings(max_examples=50, deadline=None)
@given(values=gappy, period=st.integers(1, 5))
def test_a_clock_that_counts_rows_changes_nothing(values, period):
    cutoffs = np.arange(max(len(values) - 2, 0))
    clock = np.arange(len(values)) + 7
    by_clock = season_rows(values, cutoffs, 2, period, clock)
    assert_array_equal(by_clock, season_rows(values, cutoffs, 2, period))
    one, two = increments(values, period, clock), increments(values, period)
    for with_clock, without in zip(one, two, strict=True):
        assert_allclose(with_clock[len(with_clock) - len(without) :], without)
        assert np.isnan(with_clock[: len(with_clock) - len(without)]).all()


@settings(max_examples=100, deadline=None)
@given(values=gappy)
def test_rows_since_the_last_observation_are_counted(values):
    counted = rows_since_observed(values, np.arange(len(values)))
    for row, k in np.ndindex(*values.shape):
        seen = np.flatnonzero(np.isfinite(values[: row + 1, k]))
        assert counted[row, k] == (row - seen[-1] if len(seen) else 0)


# ---------------------------------------------------------------------- naive


def test_naive_carries_the_last_observation_of_each_column():
    df = pd.DataFrame({"a": [1.0, 2.0, np.nan], "b": [5.0, np.nan, np.nan]}, index=series([0, 0, 0]).index)
    assert_array_equal(NaiveForecaster().fit(df).forecast(2), [[2.0, 5.0], [2.0, 5.0]])


def test_naive_deviation_is_the_root_mean_square_of_changes():
    values = np.array([1.0, 3.0, 2.0, 6.0])
    assert_allclose(NaiveForecaster().fit(series(values)).sigma_, np.sqrt((4 + 1 + 16) / 3))


def test_a_change_over_a_gap_counts_by_its_length():
    change, periods = increments(np.array([[0.0], [np.nan], [4.0], [5.0]]))
    assert_array_equal(periods.ravel(), [np.nan, 2.0, 1.0])
    assert_allclose(walk_scale(change, periods), np.sqrt((16 / 2 + 1) / 2))


def test_naive_interval_grows_with_the_root_of_the_step():
    model = NaiveForecaster().fit(series([1.0, 3.0, 2.0, 6.0]))
    interval = model.predict_interval(9, coverage=0.95)
    half = (interval["y_upper_95"] - interval["y_lower_95"]) / 2
    assert_allclose(half, norm.ppf(0.975) * model.sigma_ * np.sqrt(np.arange(1, 10)))


def test_one_observation_is_enough_for_a_forecast_but_not_for_an_interval():
    model = NaiveForecaster(freq="h").fit(series([4.0]))
    assert model.forecast(2)["y"].tolist() == [4.0, 4.0]
    with pytest.raises(DataError, match=r"target\(s\) y have too few observations .*\(1 rows\)"):
        model.predict_interval(2)


@pytest.mark.parametrize("model", [NaiveForecaster(), DriftForecaster()])
def test_coverage_on_random_walks_is_nominal(model):
    # 400 walks side by side; all steps of all walks: standard error of the mean about 2 %
    walks = np.random.default_rng(0).normal(size=(220, 400)).cumsum(axis=0)
    df = pd.DataFrame(walks, index=pd.date_range("2024-01-01", periods=220, freq="h")).add_prefix("w")
    interval = model.fit(df.iloc[:200]).predict_interval(20, coverage=0.8)
    lower, upper = (interval.filter(like=side).to_numpy() for side in ("_lower_", "_upper_"))
    truth = df.iloc[200:].to_numpy()
    assert abs(((lower <= truth) & (truth <= upper)).mean() - 0.8) < 0.05


def half_widths(interval, target="y"):
    return ((interval[f"{target}_upper_90"] - interval[f"{target}_lower_90"]) / 2).to_numpy()


@pytest.mark.parametrize("gap", [1, 7, 24])
def test_intervals_count_from_the_last_observation(gap):
    values = series(np.random.default_rng(0).normal(size=300).cumsum())
    values.iloc[-gap:] = np.nan
    steps = gap + np.arange(1, 4)
    naive, drift = NaiveForecaster().fit(values), DriftForecaster().fit(values)
    z = norm.ppf(0.95)
    assert_allclose(half_widths(naive.predict_interval(3)), z * naive.sigma_ * np.sqrt(steps))
    assert_allclose(half_widths(drift.predict_interval(3)), z * drift.sigma_ * np.sqrt(steps * (1 + steps / 299)))
    # as wide as those of the same steps from the history without the rows that miss
    known = naive.predict_interval(gap + 3, history=values.iloc[:-gap])
    assert_allclose(naive.predict_interval(3), known.iloc[gap:])


def test_each_target_and_cutoff_has_its_own_distance():
    rng = np.random.default_rng(0)
    df = pd.DataFrame(rng.normal(size=(60, 2)).cumsum(axis=0), columns=["a", "b"], index=series(np.zeros(60)).index)
    df.iloc[20:25, 0] = np.nan
    model = NaiveForecaster().fit(df)
    tidy = model.predict_cutoffs(1, df, df.index[[19, 20, 24, 25]], coverage=0.9)
    half = ((tidy["upper_90"] - tidy["lower_90"]) / 2).to_numpy().reshape(4, 2)
    assert_allclose(half, norm.ppf(0.95) * model.sigma_ * np.sqrt([[1, 1], [2, 1], [6, 1], [1, 1]]))
    fitted = model.predict_interval(df.index[[20, 21, 25, 26]])  # one step from these cutoffs
    assert_allclose(np.column_stack([half_widths(fitted, name) for name in "ab"]), half)


def test_a_season_taken_from_farther_back_is_less_certain():
    values = np.random.default_rng(0).normal(size=40).cumsum()
    values[[33, 36, 37]] = np.nan  # season 4, cutoff 39: the first phase from row 32, the second from row 29
    model = SeasonalNaiveForecaster(4).fit(series(values))
    half = half_widths(model.predict_interval(8))
    assert_allclose(half, norm.ppf(0.95) * model.sigma_ * np.sqrt([2, 3, 1, 1, 3, 4, 2, 2]))


# ---------------------------------------------------------------------- seasonal naive


def test_season_length_comes_from_the_frequency():
    model = SeasonalNaiveForecaster().fit(series(np.arange(48)))
    assert model.season_length_ == 24
    assert_array_equal(model.forecast(26)["y"], np.append(np.arange(24, 48), [24, 25]))


def test_a_missing_value_is_taken_from_the_season_before():
    values = np.arange(9.0)
    values[6] = np.nan  # row 9 = 6 + 3, so its forecast goes on to row 3
    assert_array_equal(SeasonalNaiveForecaster(3).fit(series(values)).forecast(4)["y"], [3.0, 7.0, 8.0, 3.0])


def test_a_phase_never_observed_gets_the_last_observation():
    values = [1.0, np.nan, 3.0, 4.0, np.nan, 6.0]
    assert_array_equal(SeasonalNaiveForecaster(3).fit(series(values)).forecast(3)["y"], [4.0, 6.0, 6.0])


def test_fitted_values_of_the_first_season_are_naive():
    values = series([1.0, 2.0, 3.0, 4.0, 5.0])
    fitted = SeasonalNaiveForecaster(3).fit(values).predict(values.index)["y"]
    # row 0 has nothing before it: the mean
    assert_array_equal(fitted, [3.0, 1.0, 2.0, 1.0, 2.0])


def test_seasonal_interval_grows_by_the_season():
    model = SeasonalNaiveForecaster(3).fit(series([0.0, 0, 0, 1, 2, 3, 0, 0, 0]))
    assert_allclose(model.sigma_, np.sqrt(2 * (1 + 4 + 9) / 6))
    interval = model.predict_interval(7, coverage=0.95)
    half = (interval["y_upper_95"] - interval["y_lower_95"]) / 2
    assert_allclose(half, norm.ppf(0.975) * model.sigma_ * np.sqrt([1, 1, 1, 2, 2, 2, 3]))


@pytest.mark.parametrize(
    ("tz", "last", "freq"),
    [
        ("Europe/London", "2024-03-31 00:00", "h"),
        ("Europe/London", "2024-10-26 23:00", "h"),
        ("America/Santiago", "2024-09-07 20:00", "30min"),
        ("Australia/Lord_Howe", "2024-10-05 20:00", "30min"),
    ],
)
@pytest.mark.parametrize("days", [1, 7])
def test_a_season_of_days_follows_the_wall_clock(tz, last, freq, days):
    last = pd.Timestamp(last, tz=tz)
    index = pd.date_range(last - pd.Timedelta(days=20), last, freq=freq)

    def shown(stamps):
        return stamps.hour * 60.0 + stamps.minute + 10_000 * (stamps.day_of_week if days == 7 else 0)

    model = SeasonalNaiveForecaster(days * int(pd.Timedelta(days=1) / index.freq))
    forecast = model.fit(pd.Series(shown(index), index, name="y")).forecast(20 * days)["y"]
    assert_array_equal(forecast, shown(forecast.index))
    assert_array_equal(model.sigma_, 0.0)


def test_the_night_on_which_the_clocks_go_back_is_one_season_wide():
    index = pd.date_range("2024-10-01", "2024-10-27", freq="h", tz="Europe/London", inclusive="left")
    y = pd.Series(np.random.default_rng(0).normal(size=len(index)), index, name="y")
    interval = SeasonalNaiveForecaster().fit(y).predict_interval(25)
    width = interval["y_upper_90"] - interval["y_lower_90"]
    assert_allclose(width, width.iloc[0])
    assert interval["y"].iloc[1] == interval["y"].iloc[2]  # 01:00 comes twice


def test_a_season_of_sessions_is_a_day_of_them_whatever_was_cut_short():
    days = pd.bdate_range("2024-01-01", periods=20)
    index = pd.DatetimeIndex([day + pd.Timedelta(minutes=570 + 30 * i) for day in days for i in range(13)])
    index = index.delete(range(13 * 18 + 7, 13 * 19))  # the last day but one closes at 13:00
    model = SeasonalNaiveForecaster().fit(pd.Series(index.hour + index.minute / 60, index, name="y"))
    forecast = model.forecast(26)["y"]
    assert model.season_length_ == 13
    assert_array_equal(forecast, forecast.index.hour + forecast.index.minute / 60)


def test_less_than_a_season_is_refused_with_the_numbers():
    with pytest.raises(DataError, match=r"history has 20 rows .* season_length=24 needs at least 24"):
        SeasonalNaiveForecaster().fit(series(np.arange(20)))
    model = SeasonalNaiveForecaster().fit(series(np.arange(30)))
    with pytest.raises(DataError, match="history has 10 rows"):
        model.predict(3, history=series(np.arange(10)))
    with pytest.raises(DataError, match="history has 5 rows"):
        model.predict_cutoffs(3, series(np.arange(30)), series(np.arange(30)).index[[4, 29]])


@pytest.mark.parametrize(("value", "error"), [(0, ValueError), (1.5, TypeError), ("day", TypeError)])
def test_impossible_season_length(value, error):
    with pytest.raises(error, match="season_length must be an integer of at least 1 or None"):
        SeasonalNaiveForecaster(value).fit(series(np.arange(30)))


def test_a_season_of_one_row_is_the_naive_forecast():
    values = series(np.random.default_rng(0).normal(size=30))
    one, other = (model.fit(values).predict_interval(5) for model in (SeasonalNaiveForecaster(1), NaiveForecaster()))
    pd.testing.assert_frame_equal(one, other)


# ---------------------------------------------------------------------- drift


@settings(max_examples=100, deadline=None)
@given(
    values=hnp.arrays(float, st.integers(4, 20), elements=st.integers(-9, 9).map(float)),
    missing=st.sets(st.integers(0, 19)),
    steps=st.integers(1, 5),
)
def test_drift_goes_along_the_line_through_first_and_last(values, missing, steps):
    values[[row for row in missing if row < len(values)]] = np.nan
    seen = np.flatnonzero(np.isfinite(values))
    assume(len(seen) >= 2)
    first, last = seen[[0, -1]]
    line = np.poly1d(np.polyfit([first, last], values[[first, last]], 1))
    forecast = DriftForecaster().fit(series(values)).forecast(steps)["y"]
    assert_allclose(forecast, line(np.arange(len(values), len(values) + steps)), atol=1e-8)


def test_drift_deviation_and_interval():
    values = np.array([0.0, 2.0, 1.0, 6.0])  # slope 2, one-step errors 0, -3, 3
    model = DriftForecaster().fit(series(values))
    assert_allclose(model.sigma_, np.sqrt((0 + 9 + 9) / (3 - 1)))
    interval = model.predict_interval(3, coverage=0.95)
    half = (interval["y_upper_95"] - interval["y_lower_95"]) / 2
    step = np.arange(1, 4)
    assert_allclose(half, norm.ppf(0.975) * model.sigma_ * np.sqrt(step * (1 + step / 3)))


def test_drift_moves_with_the_history():
    model = DriftForecaster().fit(series([0.0, 1.0, 2.0]))
    assert model.predict(1, history=series([0.0, 3.0]))["y"].tolist() == [6.0]


def test_drift_needs_two_observations():
    with pytest.raises(DataError, match=r"needs two observations, but target\(s\) y have 1"):
        DriftForecaster().fit(series([np.nan, 1.0, np.nan]))


def test_thousands_of_cutoffs_take_no_loop():
    # A loop over 50,000 cutoffs would take minutes.
    values = series(np.random.default_rng(0).normal(size=50_000))
    for model in (NaiveForecaster(), SeasonalNaiveForecaster(24), DriftForecaster()):
        tidy = model.fit(values).predict_cutoffs(3, values, values.index[24:])
        assert len(tidy) == 3 * (50_000 - 24)
