"""What users do to forecasters at the edges: odd indexes, odd names, time zones, scikit-learn's wrappers."""

from functools import partial

import numpy as np
import pandas as pd
import pytest
from pandas.tseries.frequencies import to_offset
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import VotingRegressor
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, cross_val_score
from sklearn.preprocessing import StandardScaler

from tsrnn import load
from tsrnn.datasets import load_aapl
from tsrnn.exceptions import DataError, DataWarning
from tsrnn.forecasters import NaiveForecaster, RegressionForecaster, RidgeForecaster, SeasonalNaiveForecaster
from tsrnn.frames import infer_grid, season_length

HOURS = pd.date_range("2024-01-01", periods=120, freq="h")


def table(tz=None):
    rng = np.random.default_rng(0)
    load = 50 + 5 * np.sin(np.arange(120) * 2 * np.pi / 24) + rng.normal(size=120)
    return pd.DataFrame({"load": load, "x": rng.normal(size=120)}, index=HOURS.tz_localize(tz))


def lagged(**params):
    return RegressionForecaster(Ridge(), **{"window": 12, "horizon": 6} | params)


class TestTimeZones:
    def test_stamps_in_another_zone_are_the_same_moments(self):
        df = table("America/New_York")
        model = lagged().fit(df[["x"]].iloc[:100], df["load"].iloc[:100])
        here = df[["x"]].iloc[98:106]
        there = here.tz_convert("UTC")
        forecast = model.predict(there)
        np.testing.assert_array_equal(forecast, model.predict(here))
        assert forecast.index.equals(there.index)

    def test_an_update_from_another_zone_goes_on(self):
        df = table("UTC")
        model = lagged(target="load").fit(df[:100])
        model.update(df[100:].tz_convert("Asia/Tokyo"))
        pd.testing.assert_frame_equal(model.forecast(), model.predict(6, history=df), check_freq=False)
        with pytest.raises(DataError, match="time zone None, the data have UTC"):
            lagged(target="load").fit(df[:100]).update(df[100:].tz_localize(None))


class TestNewRows:
    def test_an_update_without_the_covariates_is_refused(self):
        df = table()
        model = lagged().fit(df[["x"]].iloc[:100], df["load"].iloc[:100])
        with pytest.raises(DataError, match="column 'x' is not in the data"):
            model.update(df[[]].iloc[100:], df["load"].iloc[100:])

    def test_a_rare_saturday_is_a_row_of_a_trading_calendar_and_a_habit_is_none(self):
        close = load_aapl()[["close"]]
        model = NaiveForecaster().fit(close[:-20])
        saturday = close[-20:].set_axis([*close.index[-20:-1], pd.Timestamp("2013-03-02")])
        assert model.predict(1, history=saturday).index[0] == pd.Timestamp("2013-03-04")
        weekends = pd.date_range("2013-03-02", periods=12, freq="W-SAT")
        habit = close[-20:].set_axis([*close.index[-20:-12], *weekends])
        noon = close[-20:].set_axis([*close.index[-20:-1], pd.Timestamp("2013-03-01 12:00")])
        for wrong, named in ((habit, "2013-03-02 00:00:00"), (noon, "2013-03-01 12:00:00")):
            for call in (model.update, lambda rows: model.predict(1, history=rows)):
                with pytest.raises(DataError, match=rf"{named}.* do not lie on freq=<BusinessDay>"):
                    call(wrong)
        assert len(model.update(saturday).data_) == len(close)

    def test_no_cutoffs_is_an_error(self):
        with pytest.raises(DataError, match="no cutoffs"):
            lagged(target="load").fit(table()).predict_cutoffs(1, table(), [])


class TestColumns:
    def test_text_that_no_one_asked_for_is_ignored_in_predict_as_in_fit(self):
        df = table().assign(station="jfk")
        model = lagged(target="load", future_covariates=["x"]).fit(df[:-6])
        assert model.predict(df[-6:]).shape == (6, 1)

    @pytest.mark.parametrize("params", [{}, {"target": "load"}])
    def test_duplicated_names_are_called_that(self, params):
        df = pd.concat([table(), table()[["load"]]], axis=1)
        with pytest.raises(DataError, match="duplicated column names: load"):
            lagged(**params).fit(df)

    def test_an_empty_column_without_a_type_is_refused(self):
        empty = pd.DataFrame({"a": []}, index=HOURS[:0], dtype=object)
        with pytest.raises(DataError, match="column 'a' is not numeric"):
            lagged().fit(empty)

    def test_a_series_without_a_name_takes_that_of_the_target(self):
        df = table()
        forecast = lagged(target="load").fit(df[[]], df["load"].rename(None)).predict(2)
        assert forecast.name == "load"

    def test_periods_of_x_and_y_must_be_the_same(self):
        df = table()
        df.index = df.index.to_period("h")
        assert lagged().fit(df[[]], df["load"]).predict(2).index[0] == pd.Period(HOURS[-1], "h") + 1
        with pytest.raises(DataError, match="different time indexes"):
            lagged().fit(df[[]], df["load"].set_axis(df.index + 5))

    def test_a_list_of_stamps_is_named_in_the_error(self):
        with pytest.raises(DataError, match=r"of type list\. Make it one: pd.DatetimeIndex\(X\)"):
            lagged(target="load").fit(table()).predict(list(HOURS[-2:]))


class TestLabels:
    """Columns of several levels, and other labels that are no strings."""

    @staticmethod
    def prices(n=60):
        columns = pd.MultiIndex.from_product([["Close", "Open"], ["AAPL", "MSFT"]], names=["Price", "Ticker"])
        walk = 100 + np.random.default_rng(0).normal(size=(n, 4)).cumsum(axis=0)
        return pd.DataFrame(walk, pd.bdate_range("2024-01-01", periods=n), columns)

    def test_a_tuple_is_one_target_of_columns_of_two_levels(self):
        df = self.prices()
        one = NaiveForecaster(target=("Close", "AAPL")).fit(df)
        assert one.targets_ == [("Close", "AAPL")]
        assert one.forecast(2).columns.equals(df.columns[[0]])
        assert one.forecast(2).columns.names == ["Price", "Ticker"]
        both = NaiveForecaster(target=[("Close", "AAPL"), ("Open", "MSFT")]).fit(df)
        assert both.forecast(2).columns.equals(df.columns[[0, 3]])
        assert NaiveForecaster().fit(df).forecast(1).columns.equals(df.columns)
        assert NaiveForecaster(target=(("Close", "AAPL"), ("Open", "MSFT"))).fit(df).targets_ == both.targets_

    def test_bounds_and_quantiles_are_named_on_the_last_level(self):
        model = NaiveForecaster(target=("Close", "AAPL")).fit(self.prices())
        interval = model.predict_interval(2, coverage=0.8)
        assert list(interval.columns) == [("Close", f"AAPL{end}") for end in ("", "_lower_80", "_upper_80")]
        assert interval.columns.names == ["Price", "Ticker"]
        assert list(model.predict_quantiles(2, [0.5]).columns) == [("Close", "AAPL_q50")]

    def test_covariates_series_and_histories_may_be_named_by_tuples(self):
        df = self.prices()
        model = lagged(target=("Close", "AAPL"), past_covariates=("Open", "AAPL"), future_covariates=[("Open", "MSFT")])
        model.fit(df[:50])
        assert (model.past_, model.future_) == ([("Open", "AAPL")], [("Open", "MSFT")])
        ahead = model.predict(df[50:56])
        np.testing.assert_array_equal(ahead, model.predict(df[50:56], history=df[:50]))
        y = df[("Close", "AAPL")]
        series = lagged().fit(df[[]][:50], y[:50])
        assert series.predict(2).name == ("Close", "AAPL")
        np.testing.assert_allclose(series.predict(2, history=y[:50]), series.predict(2))
        beside = lagged().fit(df[[("Open", "AAPL")]][:50], y[:50])
        assert (beside.targets_, beside.future_) == ([("Close", "AAPL")], [("Open", "AAPL")])
        tidy = NaiveForecaster().fit(df).predict_cutoffs(2, df, df.index[[30, 40]], coverage=0.5)
        assert tidy["target"].tolist()[:4] == df.columns.tolist()

    def test_a_name_of_one_level_is_refused_with_all_that_may_be_meant(self):
        df = self.prices()
        for wrong, meant in (("Close", r"\('Close', 'AAPL'\)"), ("MSFT", r"\('Close', 'MSFT'\)"), ("x", r"\('Close'")):
            with pytest.raises(DataError, match=rf"{wrong}.* 2 levels \(Price, Ticker\)\. Name all .* as in {meant}"):
                NaiveForecaster(target=wrong).fit(df)
        with pytest.raises(DataError, match=r"past covariate 'Open' .* 2 levels"):
            lagged(target=("Close", "AAPL"), past_covariates="Open").fit(df)
        with pytest.raises(DataError, match=r"Did you mean \('Close', 'AAPL'\)"):
            NaiveForecaster(target=("Close", "APL")).fit(df)

    def test_labels_of_any_kind_come_back(self):
        df = pd.DataFrame(np.arange(60.0).reshape(20, 3), HOURS[:20], columns=[0, None, "x"])
        assert NaiveForecaster().fit(df).forecast(1).columns.tolist() == df.columns.tolist()
        assert NaiveForecaster(target=0).fit(df).predict_interval(1).columns.tolist() == [0, "0_lower_90", "0_upper_90"]

    def test_columns_of_two_levels_are_saved(self, tmp_path):
        model = NaiveForecaster().fit(self.prices())
        model.save(tmp_path / "m")
        loaded = load(tmp_path / "m")
        pd.testing.assert_frame_equal(loaded.predict_interval(3), model.predict_interval(3))
        pd.testing.assert_frame_equal(loaded.data_, model.data_, check_freq=False)

    def test_columns_that_are_mostly_empty_are_named_where_nobody_asked_for_them(self):
        df = table().assign(sparse=lambda df: df["x"].where(np.arange(120) % 24 == 0))
        with pytest.warns(DataWarning, match=r"'sparse' \(4%\)\. Name the targets, e.g. target=\['load'\]"):
            NaiveForecaster().fit(df)
        NaiveForecaster(target=["load", "sparse"]).fit(df)
        NaiveForecaster().fit(df[["sparse"]])
        NaiveForecaster().fit(df[[]], df[["load", "sparse"]])


class TestPeriods:
    """Periods in are periods out; their starts are the stamps within."""

    @pytest.mark.parametrize("freq", ["M", "Q-NOV", "Y", "W", "D", "h", "15min", "2W"])
    def test_periods_come_back_as_periods(self, freq, tmp_path):
        index = pd.period_range("2000-01-03", periods=80, freq=freq)
        df = pd.DataFrame({"y": np.arange(80.0)}, index=index)
        model = NaiveForecaster().fit(df[:70])
        for forecast in (
            model.forecast(10),
            model.predict(10),
            model.predict_interval(10),
            model.predict_quantiles(10),
        ):
            assert forecast.index.equals(index[70:])
        pd.testing.assert_frame_equal(model.predict(df[70:]), model.forecast(10))
        stamps = model.predict(index[70:].to_timestamp())
        assert stamps.index.equals(index[70:].to_timestamp())
        tidy = model.predict_cutoffs(2, df, index[[60, 65]])
        assert tidy["cutoff"].dtype == tidy["ds"].dtype == index.dtype
        assert tidy["ds"].tolist() == index[[61, 62, 66, 67]].tolist()
        pd.testing.assert_frame_equal(tidy, model.predict_cutoffs(2, df.to_timestamp(), index[[60, 65]].to_timestamp()))
        model.save(tmp_path / "m")
        assert load(tmp_path / "m").forecast(10).index.equals(index[70:])
        by_stamp = model.predict(3, history=df[:60].to_timestamp())
        pd.testing.assert_frame_equal(by_stamp, model.predict(3, history=df[:60]))
        assert model.update(df[70:75].to_timestamp()).update(df[75:]).forecast(1).index[0] == index[-1] + 1

    def test_periods_may_have_gaps_and_daily_ones_are_days(self):
        days = pd.period_range("2024-01-01", periods=40, freq="D")
        weekdays = days[days.day_of_week < 5]
        forecast = NaiveForecaster().fit(pd.Series(1.0, weekdays, name="y")).forecast(3)
        assert forecast.index.tolist() == [weekdays[-1] + i for i in (1, 2, 3)]
        months = pd.period_range("2020-01", periods=30, freq="M").delete([4, 9])
        assert NaiveForecaster().fit(pd.Series(1.0, months, name="y")).forecast(1).index[0] == months[-1] + 1


def grids():
    """Indexes of each kind of grid, by name."""
    days = pd.bdate_range("2024-01-02", periods=60).delete([9, 33])
    bars = [day + pd.Timedelta(minutes=570 + 30 * i) for day in days for i in range(13)]
    hours = pd.date_range("2024-08-01", periods=24 * 60, freq="h", tz="America/Santiago")
    weekdays = pd.date_range("2024-01-01", periods=120)
    return {
        "sessions": pd.DatetimeIndex(bars).tz_localize("America/New_York"),
        "Sunday to Thursday": weekdays[~np.isin(weekdays.day_of_week, (4, 5))].delete(8),
        "one Saturday": days.union([pd.Timestamp("2024-02-03")]),
        "the 15th": pd.date_range("2020-01-15", periods=60, freq=pd.DateOffset(months=1)),
        "no midnight": pd.Series(0.0, hours).resample("D").mean().index,
        "local hours": pd.date_range("2024-03-10", periods=200, freq="4h").tz_localize("Europe/Berlin"),
        "hours": pd.date_range("2024-03-20", periods=500, freq="h", tz="Europe/Berlin"),
    }


class TestGrids:
    """Every kind of grid, through every way to forecast, and through a file."""

    @pytest.mark.parametrize("name", grids())
    @pytest.mark.parametrize("make", [NaiveForecaster, SeasonalNaiveForecaster, partial(RidgeForecaster, window=12)])
    def test_forecasts_go_on_alike_from_fits_histories_updates_and_files(self, name, make, tmp_path):
        index = pd.DatetimeIndex(grids()[name])
        index.freq = None
        df = pd.DataFrame({"load": np.random.default_rng(0).normal(size=len(index)).cumsum()}, index=index)
        model = make().fit(df)
        forecast = model.predict_interval(8)
        assert forecast.notna().all(axis=None)
        assert forecast.index.equals(model.grid_.future(index[-1], 8))
        model.save(tmp_path / "m")
        loaded = load(tmp_path / "m")
        assert loaded.grid_ == model.grid_
        pd.testing.assert_frame_equal(loaded.predict_interval(8), forecast)
        assert model.predict(index).notna().all(axis=None)
        earlier = make().fit(df[:-10])
        pd.testing.assert_index_equal(earlier.predict(df[-10:]).index, index[-10:], exact="equiv")
        cutoffs = earlier.predict_cutoffs(3, df, index[[-20, -1]])
        assert cutoffs["ds"].tolist()[3:] == list(model.grid_.future(index[-1], 3))
        expected = earlier.predict(3, history=df)
        np.testing.assert_allclose(cutoffs["y_pred"][3:], expected["load"], rtol=1e-6)
        pd.testing.assert_frame_equal(earlier.update(df[-10:]).predict(3), expected, check_freq=False)

    def test_a_history_in_another_zone_is_the_same_history(self):
        df = table("Europe/Berlin")
        model = NaiveForecaster(target="load").fit(df)
        there = model.predict(3, history=df[:50].tz_convert("UTC"))
        pd.testing.assert_frame_equal(there, model.predict(3, history=df[:50]))
        with pytest.raises(DataError, match="history has time zone None, the data have Europe/Berlin"):
            model.predict(3, history=df.tz_localize(None))


class TestScikitLearn:
    def test_predictions_come_in_the_container_of_y(self):
        df = table()
        load = df["load"]
        for y, kind in [(df, pd.DataFrame), (load, pd.Series), (load.to_list(), pd.Series)]:
            assert type(lagged().fit(df[[]], y).predict(3)) is kind
        forecast = lagged().fit(df[[]], load.to_numpy()).predict(3)
        np.testing.assert_array_equal(forecast, lagged().fit(df[[]], load).predict(3))
        assert type(forecast) is np.ndarray

    def test_the_target_may_be_transformed(self):
        df = table()
        log = TransformedTargetRegressor(lagged(), func=np.log, inverse_func=np.exp).fit(df[[]], df["load"])
        by_hand = np.exp(lagged().fit(df[[]], np.log(df["load"])).predict(6))
        ahead = by_hand.to_frame()[[]]
        np.testing.assert_allclose(log.predict(ahead), by_hand)
        both = TransformedTargetRegressor(lagged(), transformer=StandardScaler()).fit(df[[]], df)
        np.testing.assert_allclose(both.predict(ahead), lagged().fit(df[[]], df).predict(6), rtol=1e-6)

    def test_forecasters_may_vote(self):
        df = table()
        vote = VotingRegressor([("a", lagged()), ("b", lagged(window=24))]).fit(df[[]], df["load"])
        ahead = pd.DataFrame(index=pd.date_range(HOURS[-1], periods=7, freq="h")[1:])
        each = [lagged(window=window).fit(df[[]], df["load"]).predict(ahead) for window in (12, 24)]
        np.testing.assert_allclose(vote.predict(ahead), np.mean(each, axis=0))

    def test_targets_named_by_the_forecaster_are_scored_without_y(self):
        df = table()
        cv = TimeSeriesSplit(3, test_size=6)
        alone = cross_val_score(lagged(target="load"), df, cv=cv)
        np.testing.assert_allclose(alone, cross_val_score(lagged(), df[[]], df["load"], cv=cv))
        search = GridSearchCV(lagged(target="load"), {"window": [6, 12]}, cv=cv, error_score="raise").fit(df)
        assert np.isfinite(search.best_score_)

    def test_trading_days_are_scored_as_forecast_from_each_fold(self):
        price = np.log(load_aapl()["close"][-300:])
        folds = list(TimeSeriesSplit(4, test_size=5).split(price))
        scores = cross_val_score(lagged(), price.to_frame()[[]], price, cv=folds, scoring="neg_mean_absolute_error")
        for score, (train, test) in zip(scores, folds, strict=True):
            steps = lagged().fit(price.iloc[train].to_frame()).forecast(5)["close"].to_numpy()
            assert -score == pytest.approx(np.abs(steps - price.iloc[test].to_numpy()).mean())


class TestCalendars:
    @pytest.mark.parametrize("freq", ["YS-JAN", "BYS-JAN", "BYE-DEC", "QE-DEC", "BQS-JAN", "BQE-DEC", "MS", "BME"])
    def test_the_coarsest_rule_that_fits_is_found(self, freq):
        index = pd.DatetimeIndex(pd.date_range("1990-01-01", periods=40, freq=freq).to_list())
        grid = infer_grid(index.delete(7))
        assert grid.between(index[0], index[-1]).equals(index)

    @pytest.mark.parametrize(("freq", "season"), [("SMS", 24), ("SME", 24), ("WOM-3FRI", 12), ("bh", 8)])
    def test_steps_without_a_fixed_length_have_a_season(self, freq, season):
        assert season_length(to_offset(freq)) == season
        index = pd.date_range("2020-01-01", periods=60, freq=freq)
        df = pd.DataFrame({"y": np.arange(60.0)}, index=index)
        forecast = RegressionForecaster(LinearRegression(), window=4, horizon=2).fit(df).forecast()
        np.testing.assert_allclose(forecast["y"], [60, 61])
