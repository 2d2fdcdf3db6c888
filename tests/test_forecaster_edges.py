"""What users do to forecasters at the edges: odd indexes, odd names, time zones, scikit-learn's wrappers."""

import numpy as np
import pandas as pd
import pytest
from pandas.tseries.frequencies import to_offset
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import VotingRegressor
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, cross_val_score
from sklearn.preprocessing import StandardScaler

from tsrnn.datasets import load_aapl
from tsrnn.exceptions import DataError
from tsrnn.forecasters import NaiveForecaster, RegressionForecaster
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
