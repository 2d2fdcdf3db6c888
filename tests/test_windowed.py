"""Forecasters on windows, with linear regressors that can be done by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import GradientBoostingRegressor, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline

from tsrnn.exceptions import DataError
from tsrnn.forecasters import EchoStateForecaster, RidgeForecaster
from tsrnn.forecasters.regression import RegressionForecaster
from tsrnn.forecasters.windowed import last_observed


def series(n=200, seed=0, noise=0.1):
    """Hours with a daily cycle and noise."""
    index = pd.date_range("2024-01-01", periods=n, freq="h")
    rng = np.random.default_rng(seed)
    values = np.sin(np.arange(n) * 2 * np.pi / 24) + noise * rng.normal(size=n)
    return pd.DataFrame({"load": 50 + 5 * values, "x": rng.normal(size=n)}, index=index)


def by_hand(values, window, horizon):
    """Ordinary least squares from last-value-centred windows to the steps ahead, forecast from the end."""
    X, y = [], []
    for end in range(window, len(values) - horizon + 1):
        X.append(values[end - window : end] - values[end - 1])
        y.append(values[end : end + horizon] - values[end - 1])
    return LinearRegression().fit(X, y).predict([values[-window:] - values[-1]])[0] + values[-1]


class TestAgainstLoops:
    def test_direct_forecast_equals_least_squares_by_hand(self):
        df = series()
        model = RegressionForecaster(LinearRegression(), target="load", window=12, horizon=6).fit(df)
        np.testing.assert_allclose(model.forecast()["load"], by_hand(df["load"].to_numpy(), 12, 6), rtol=1e-5)

    def test_recursive_forecast_equals_feeding_back_by_hand(self):
        df = series()
        model = RegressionForecaster(LinearRegression(), target="load", window=12, strategy="recursive").fit(df)
        known, one = df[["load"]], []
        for _ in range(5):
            one.append(model.predict(1, history=known))
            known = pd.concat([known, one[-1]])
        np.testing.assert_allclose(model.predict(5)["load"], pd.concat(one)["load"], rtol=1e-5)

    def test_steps_beyond_the_horizon_are_fed_back_in_blocks(self):
        df = series()
        model = RegressionForecaster(Ridge(), target="load", window=24, horizon=4).fit(df)
        first = model.predict(4)
        second = model.predict(4, history=pd.concat([df[["load"]], first]))
        np.testing.assert_allclose(model.predict(8)["load"].iloc[4:], second["load"], rtol=1e-5)

    @pytest.mark.parametrize("steps", [3, 6, 15])
    @pytest.mark.parametrize("strategy", ["direct", "recursive"])
    def test_many_cutoffs_at_once_equal_one_history_at_a_time(self, strategy, steps):
        df = series()
        model = RegressionForecaster(Ridge(), window=24, horizon=6, strategy=strategy, target="load").fit(df[:150])
        cutoffs = df.index[[140, 150, 175]]
        batch = model.predict_cutoffs(steps, df, cutoffs)
        for cutoff, part in batch.groupby("cutoff"):
            alone = model.predict(steps, history=df[:cutoff])
            np.testing.assert_allclose(part["y_pred"], alone["load"], rtol=1e-5)

    @settings(deadline=None, max_examples=15)
    @given(cut=st.integers(60, 180), strategy=st.sampled_from(["direct", "recursive"]))
    def test_rows_after_a_cutoff_change_nothing(self, cut, strategy):
        df = series()
        model = RegressionForecaster(Ridge(), window=24, horizon=6, strategy=strategy, target="load").fit(df[:100])
        changed = df.copy()
        changed.iloc[cut + 1 :] = 1e6
        cutoffs = df.index[[30, cut]]
        np.testing.assert_array_equal(
            model.predict_cutoffs(9, df, cutoffs)["y_pred"], model.predict_cutoffs(9, changed, cutoffs)["y_pred"]
        )

    def test_a_regressor_with_one_output_is_repeated_for_each_step(self):
        df = series()
        model = RegressionForecaster(GradientBoostingRegressor(n_estimators=5), target="load", window=6, horizon=3)
        assert model.fit(df).forecast().shape == (3, 1)

    def test_two_targets_are_forecast_together(self):
        df = series()
        df["double"] = 2 * df["load"]
        out = RegressionForecaster(Ridge(), target=["load", "double"], window=12, horizon=6).fit(df).forecast()
        np.testing.assert_allclose(out["double"], 2 * out["load"], rtol=1e-6)


class TestCovariates:
    @pytest.mark.parametrize(("strategy", "steps"), [("direct", 6), ("recursive", 6), ("recursive", 3), ("direct", 12)])
    def test_what_is_known_ahead_reaches_each_step(self, strategy, steps):
        df = series()
        df["load"] = 3 * df["x"]
        model = RegressionForecaster(LinearRegression(), window=8, horizon=6, strategy=strategy)
        model.fit(df[["x"]].iloc[:-14], df["load"].iloc[:-14])
        forecast = model.predict(df[["x"]].iloc[-14:][:steps])
        np.testing.assert_allclose(forecast, df["load"].iloc[-14:][:steps], atol=1e-4)

    def test_past_covariates_are_read_up_to_the_cutoff(self):
        df = series()
        df["load"] = df["x"].shift(1).fillna(0.0)
        model = RegressionForecaster(LinearRegression(), target="load", window=4, past_covariates=["x"], level=None)
        np.testing.assert_allclose(model.fit(df).forecast()["load"], df["x"].iloc[-1], atol=1e-5)

    def test_missing_future_rows_are_listed(self):
        df = series()
        model = RegressionForecaster(Ridge(), window=8, horizon=3).fit(df[["x"]].iloc[:-3], df["load"].iloc[:-3])
        with pytest.raises(DataError, match=r"missing timestamps: 2024-01-09 06:00:00\. "):
            model.predict(df[["x"]].iloc[[-3, -1]])
        with pytest.raises(DataError, match="missing timestamps: 2024-01-09 05:00:00, 2024-01-09 06:00:00"):
            model.predict(3)

    def test_a_step_is_the_same_however_many_are_asked_for_or_refused(self):
        months = pd.date_range("2010-01-01", periods=132, freq="MS")
        y = pd.Series([0, 10, 50, 90, 30, 20, 80, 70, 40, 60, 100, 110.0] * 11, months)
        X = pd.get_dummies(months.month, prefix="m").set_axis(months)
        direct = RegressionForecaster(Ridge(1e-4), window=12, horizon=12).fit(X[:108], y[:108])
        whole = direct.predict(X[108:120])
        assert abs(whole - y[108:120]).max() < 1
        for rows in (1, 5, 11, 13):
            with pytest.raises(DataError, match=r"missing timestamps: .*blocks.* first \d+ step.*'recursive'"):
                direct.predict(X[108 : 108 + rows])
        with pytest.raises(DataError, match=r"missing timestamps: 2019-02-01 .*, 2019-03-01 .*, 2019-12-01 00:00:00\."):
            direct.predict(X[108:109])
        fed_back = RegressionForecaster(Ridge(1e-4), window=12, strategy="recursive").fit(X[:108], y[:108])
        for rows in (1, 5, 11):
            np.testing.assert_allclose(fed_back.predict(X[108 : 108 + rows]), fed_back.predict(X[108:120])[:rows])

    @pytest.mark.parametrize("steps", [1, 7, 9])
    def test_backtests_refuse_covariates_that_end_within_a_block(self, steps):
        df = series()
        model = RegressionForecaster(Ridge(), "load", window=8, horizon=4, future_covariates="x").fit(df[:100])
        read = -(-steps // 4) * 4
        known = model.predict_cutoffs(steps, df, df.index[[150, 199 - read]])
        shorter = model.predict_cutoffs(steps, df[: 151 + read], df.index[[150]])
        pd.testing.assert_frame_equal(known[:steps], shorter)
        with pytest.raises(DataError, match=r"missing timestamps: 2024-01-09 08:00:00\. This model forecasts 4 steps"):
            model.predict_cutoffs(steps, df, df.index[[150, 200 - read]])

    def test_the_last_fitted_values_come_from_a_cutoff_whose_covariates_are_known(self):
        df = series()
        model = RegressionForecaster(Ridge(), "load", window=8, horizon=4, future_covariates="x").fit(df)
        fitted = model.predict_interval(df.index[-6:])
        tidy = model.predict_cutoffs(4, df, df.index[[193, 194, 195]], coverage=0.9)
        expected = tidy[(tidy["step"] == 1) | (tidy["cutoff"] == df.index[195])]
        np.testing.assert_allclose(fitted, expected[["y_pred", "lower_90", "upper_90"]])

    @settings(deadline=None, max_examples=10)
    @given(value=st.floats(-1e6, 1e6), steps=st.sampled_from([4, 8, 12]))
    def test_covariates_beyond_the_steps_read_change_nothing(self, value, steps):
        df = series()
        model = RegressionForecaster(Ridge(), "load", window=8, horizon=4, future_covariates="x").fit(df[:100])
        changed = df.copy()
        changed.loc[changed.index[151 + steps] :, "x"] = value
        one, two = (model.predict_cutoffs(steps, frame, df.index[[150]], coverage=0.9) for frame in (df, changed))
        pd.testing.assert_frame_equal(one, two)

    def test_errors_are_not_measured_on_covariates_from_beyond_the_data(self):
        df = series()
        df["load"] = 3 * df["x"]  # known exactly, if the covariates are
        model = RegressionForecaster(LinearRegression(), "load", window=8, horizon=6, future_covariates="x")
        index = pd.date_range(df.index[-1], periods=19, freq="h")[1:]
        future = pd.DataFrame({"x": np.arange(18.0)}, index)
        interval = model.fit(df).predict_interval(future)
        np.testing.assert_allclose(interval, np.outer(3 * np.arange(18), np.ones(3)), atol=1e-6)

    def test_past_covariates_cannot_be_fed_back(self):
        df = series()
        with pytest.raises(DataError, match="not known beyond the cutoff"):
            RegressionForecaster(Ridge(), "load", window=8, strategy="recursive", past_covariates="x").fit(df)
        model = RegressionForecaster(Ridge(), "load", window=8, horizon=2, past_covariates="x").fit(df)
        with pytest.raises(DataError, match="Fit with horizon=3"):
            model.predict(3)

    def test_a_window_shorter_than_the_horizon_cannot_hold_the_future(self):
        df = series()
        with pytest.raises(DataError, match="Use window=6 or more"):
            RegressionForecaster(Ridge(), window=4, horizon=6).fit(df[["x"]], df["load"])


class TestMissing:
    def test_rows_with_gaps_are_left_out_of_training_and_refused_in_prediction(self):
        df = series()[["load"]]
        df.iloc[50] = np.nan
        model = RegressionForecaster(Ridge(), window=12, horizon=3).fit(df)
        with pytest.raises(DataError, match="1 of 1 newest windows.*SimpleImputer"):
            model.predict(3, history=df[:55])

    @pytest.mark.parametrize(
        "estimator", [HistGradientBoostingRegressor(max_iter=5), make_pipeline(SimpleImputer(), Ridge())]
    )
    def test_estimators_that_take_nan_get_it(self, estimator):
        df = series()[["load"]].drop(index=series().index[100:103])
        model = RegressionForecaster(estimator, window=12, horizon=2).fit(df)
        assert np.isfinite(model.predict(2, history=df[:105])).all().all()

    def test_no_block_of_observed_targets_is_an_error_of_its_own(self):
        df = series()[["load"]]
        df.iloc[::2] = np.nan
        model = RegressionForecaster(make_pipeline(SimpleImputer(), Ridge()), window=12, horizon=4)
        with pytest.raises(DataError, match=r"followed by 4 row\(s\) whose targets are all observed.*shorter horizon"):
            model.fit(df)

    def test_fitted_values_before_the_first_observation_are_the_mean(self):
        df = series()[["load"]]
        df.iloc[:5] = np.nan
        model = RegressionForecaster(HistGradientBoostingRegressor(max_iter=2), window=12).fit(df)
        np.testing.assert_allclose(model.predict(df[:6])["load"], df["load"].mean())

    def test_a_window_without_any_observation_is_refused(self):
        df = series()[["load"]]
        df.iloc[-12:] = np.nan
        model = RegressionForecaster(HistGradientBoostingRegressor(max_iter=2), window=12).fit(df)
        with pytest.raises(DataError, match="load hold no observation in the 12 rows up to the cutoff"):
            model.forecast()
        assert np.isfinite(model.predict(1, history=df[:-1])).all().all()

    def test_every_window_incomplete_is_an_error(self):
        df = series()[["load"]]
        df.iloc[::5] = np.nan
        with pytest.raises(DataError, match="training windows hold missing values"):
            RegressionForecaster(Ridge(), window=12).fit(df)


class TestIntervals:
    def test_hold_about_as_often_as_they_say(self):
        df = series(2_000, noise=0.5)
        model = RegressionForecaster(Ridge(), target="load", window=24, horizon=6).fit(df[:1500])
        out = model.predict_cutoffs(6, df, df.index[1500:1990], coverage=0.8)
        truth = df["load"].loc[out["ds"]].to_numpy()
        inside = (out["lower_80"] <= truth) & (truth <= out["upper_80"])
        assert 0.75 < inside.mean() < 0.85

    def test_recursive_errors_are_measured_at_each_step(self):
        walk = pd.DataFrame({"y": np.random.default_rng(0).normal(size=3_000).cumsum()})
        walk.index = pd.date_range("2024-01-01", periods=3_000, freq="h")
        model = RegressionForecaster(Ridge(), window=4, strategy="recursive").fit(walk)
        width = model.predict_interval(16).pipe(lambda f: f["y_upper_90"] - f["y_lower_90"]).to_numpy()
        assert 3 < width[15] / width[0] < 5  # the square root of 16, within sampling error

    def test_asking_for_them_leaves_the_model_as_it_was(self):
        df = series()
        model = RegressionForecaster(Ridge(), target="load", window=12, horizon=3).fit(df)
        before = model.forecast()
        model.predict_interval()
        pd.testing.assert_frame_equal(before, model.forecast())

    def test_do_not_depend_on_what_was_asked_for_before(self):
        df = series()
        model = RegressionForecaster(Ridge(), target="load", window=4, horizon=2).fit(df)
        before = model.predict_interval(2)
        model.predict_interval(30)
        pd.testing.assert_frame_equal(model.predict_interval(2), before)

    def test_steps_whose_errors_were_never_seen_are_refused(self):
        model = RegressionForecaster(Ridge(), target="load", window=4, horizon=2).fit(series())
        model.predict_interval(40)
        with pytest.raises(DataError, match="no error of a forecast 41 steps ahead could be measured on the last 39"):
            model.predict_interval(41)


class TestIntervalsAfterMissingValues:
    """The last observation of a random walk is as good as all: errors grow with the root of the distance."""

    MODELS = {
        "boosting": lambda: RegressionForecaster(HistGradientBoostingRegressor(max_iter=5), window=16, horizon=2),
        "imputed": lambda: RegressionForecaster(make_pipeline(SimpleImputer(), Ridge()), window=16, horizon=2),
        "echo state": lambda: EchoStateForecaster(window=16, horizon=2, units=5, random_state=0),
        "ridge": lambda: RidgeForecaster(window=16, horizon=2),
    }

    def walk(self, n=2_000):
        values = np.random.default_rng(0).normal(size=n).cumsum()
        values[100:1_200:50] = np.nan  # gaps to learn from
        return pd.DataFrame({"y": values}, index=series(n).index)

    @pytest.mark.parametrize("name", MODELS)
    @pytest.mark.parametrize("gap", [3, 8])
    def test_are_as_wide_as_errors_after_such_a_gap(self, name, gap):
        df = self.walk()
        gone = df.copy()
        gone.iloc[-gap:] = np.nan
        model = self.MODELS[name]().fit(df[:1_800])
        near, far = model.predict_interval(2, history=df), model.predict_interval(2, history=gone)
        widths = [(frame["y_upper_90"] - frame["y_lower_90"]).iloc[0] for frame in (near, far)]
        assert 0.75 < widths[1] / widths[0] / np.sqrt(gap + 1) < 1.5
        assert 0.75 < widths[1] / (2 * 1.645 * np.sqrt(gap + 1)) < 1.5

    def test_hold_about_as_often_as_they_say_at_cutoffs_in_gaps(self):
        df = self.walk(4_000)
        truth = df["y"].interpolate()
        gone = df.copy()
        for start in range(1_900, 3_980, 20):
            gone.iloc[start - 4 : start + 1] = np.nan
        cutoffs = df.index[np.arange(1_900, 3_980, 20)]
        model = RidgeForecaster(window=16, horizon=3).fit(df[:1_800])
        out = model.predict_cutoffs(3, gone, cutoffs, coverage=0.8)
        inside = (out["lower_80"] <= truth[out["ds"]].to_numpy()) & (truth[out["ds"]].to_numpy() <= out["upper_80"])
        assert 0.7 < inside.mean() < 0.9
        alone = model.predict_interval(3, coverage=0.8, history=gone[: cutoffs[7]])
        np.testing.assert_allclose(out[["lower_80", "upper_80"]].iloc[21:24], alone.iloc[:, 1:], rtol=1e-4)

    def test_of_one_target_do_not_depend_on_gaps_in_another(self):
        walk = self.walk()["y"]
        df = pd.DataFrame({"a": walk, "b": walk.to_numpy()[::-1]}, index=walk.index)
        gone = df.copy()
        gone.iloc[-5:, 0] = np.nan
        model = RidgeForecaster(window=16).fit(df[:1_800])
        one, two = model.predict_interval(1, history=df), model.predict_interval(1, history=gone)
        pd.testing.assert_frame_equal(one.filter(like="b"), two.filter(like="b"))
        assert (two["a_upper_90"] - two["a_lower_90"]).iloc[0] > 1.5 * (one["a_upper_90"] - one["a_lower_90"]).iloc[0]

    def test_past_covariates_that_go_on_still_help(self):
        rng = np.random.default_rng(0)
        x = rng.normal(size=2_000)
        df = pd.DataFrame({"y": np.append(0, x[:-1]) + 0.1 * rng.normal(size=2_000), "x": x}, index=series(2_000).index)
        late, dark = df.copy(), df.copy()
        late.iloc[-4:, 0] = np.nan
        dark.iloc[-4:] = np.nan
        model = RidgeForecaster("y", window=8, level=None, past_covariates="x").fit(df)
        widths = [
            (frame["y_upper_90"] - frame["y_lower_90"]).iloc[0]
            for frame in (model.predict_interval(1, history=history) for history in (df, late, dark))
        ]
        assert widths[1] < 1.5 * widths[0] and widths[2] > 5 * widths[0]


class TestIntervalsHoldTheForecast:
    @settings(deadline=None, max_examples=20)
    @given(seed=st.integers(0, 99), bias=st.floats(-1e3, 1e3))
    def test_whatever_the_errors_were(self, seed, bias):
        df = series(120, seed=seed)
        df.iloc[90:, 0] += bias  # the model held out from the last windows is wrong about all of them, on one side
        model = RegressionForecaster(LinearRegression(), "load", window=8, horizon=2, level=None).fit(df)
        bands = model.predict_interval(2)
        assert (bands["load_lower_90"] <= bands["load"]).all() and (bands["load"] <= bands["load_upper_90"]).all()
        quantiles = model.predict_quantiles(2, quantiles=[0.05, 0.3, 0.5, 0.7, 0.95])
        assert (np.diff(quantiles) >= 0).all()
        tidy = model.predict_cutoffs(2, df, df.index[[50, 100]], coverage=0.5)
        assert ((tidy["lower_50"] <= tidy["y_pred"]) & (tidy["y_pred"] <= tidy["upper_50"])).all()


class TestParameters:
    @pytest.mark.parametrize(
        ("params", "message"),
        [
            ({"horizon": 0}, "horizon must be an integer of at least 1"),
            ({"window": 2.5}, "window must be an integer"),
            ({"strategy": "both"}, "strategy must be one of"),
            ({"level": "first"}, "level must be one of"),
            ({"window": 190, "horizon": 24}, "history has 200 rows, but window=190 and horizon=24 need at least 214"),
        ],
    )
    def test_bad_values_are_named(self, params, message):
        with pytest.raises(DataError, match=message):
            RegressionForecaster(Ridge(), target="load", **params).fit(series())

    def test_a_short_history_is_refused_with_the_numbers(self):
        model = RegressionForecaster(Ridge(), target="load", window=24, horizon=6).fit(series())
        for steps in (1, 6):
            with pytest.raises(DataError, match="history has 10 rows up to the cutoff, but window=24"):
                model.predict(steps, history=series()[:10])
        with pytest.raises(DataError, match="history has 10 rows up to the cutoff, but window=24"):
            model.predict_cutoffs(1, series(), series().index[[9]])


@given(n=st.integers(1, 20), window=st.integers(1, 6), seed=st.integers(0, 5))
def test_last_observed_equals_a_loop(n, window, seed):
    rng = np.random.default_rng(seed)
    values = np.where(rng.random((n, 2)) < 0.5, np.nan, rng.normal(size=(n, 2)))
    for cutoff in range(n):
        for column in range(2):
            seen = [v for v in values[max(0, cutoff - window + 1) : cutoff + 1, column] if np.isfinite(v)]
            last = last_observed(values, np.array([cutoff]), window)[0, column]
            np.testing.assert_equal(last, seen[-1] if seen else np.nan)
