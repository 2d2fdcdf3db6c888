"""Covariates that are made or filled in: the calendar, categories, what is constant in a series."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from test_panels import LONG, small_gru, table

from tsrnn import ARIMAForecaster, GRUForecaster, RidgeForecaster
from tsrnn.backtest import backtest
from tsrnn.calendars import calendar_columns
from tsrnn.exceptions import DataError, DataWarning
from tsrnn.persistence import load

# ---------------------------------------------------------------------- the calendar


def test_cycles_close_and_are_where_the_clock_says():
    hours = pd.date_range("2024-02-28", periods=24 * 800, freq="h")
    found = calendar_columns(hours, ["hour", "weekday", "day", "month", "yearday"])
    expected = {
        "hour": hours.hour / 24,
        "weekday": hours.day_of_week / 7,
        "day": (hours.day - 1) / hours.days_in_month,
        "month": (hours.month - 1) / 12,
        "yearday": (hours.day_of_year - 1) / np.where(hours.is_leap_year, 366, 365),
    }
    for name, share in expected.items():
        np.testing.assert_allclose(found[f"{name}_sin"], np.sin(2 * np.pi * share), atol=1e-12)
        np.testing.assert_allclose(found[f"{name}_cos"], np.cos(2 * np.pi * share), atol=1e-12)


def test_hours_are_those_of_the_zone_also_when_its_clock_changes():
    hours = pd.date_range("2024-03-30", periods=72, freq="h", tz="Europe/Berlin")
    found = calendar_columns(hours, "hour")
    at_noon = found[hours.hour == 12]
    np.testing.assert_allclose(at_noon["hour_cos"], -1)


def test_fourier_terms_repeat_with_their_period():
    rows = pd.date_range("2024-01-01", periods=96 * 3, freq="15min")
    found = calendar_columns(rows, fourier={"D": 2, "6h": 1})
    assert list(found) == [
        "every_D_sin1",
        "every_D_cos1",
        "every_D_sin2",
        "every_D_cos2",
        "every_6h_sin",
        "every_6h_cos",
    ]
    np.testing.assert_allclose(found.iloc[:96].to_numpy(), found.iloc[96:192].to_numpy(), atol=1e-9)
    np.testing.assert_allclose(found["every_D_sin2"], np.sin(2 * np.arange(288) * 2 * np.pi / 96), atol=1e-9)


def test_holidays_are_those_of_a_country_or_the_dates_given():
    days = pd.date_range("2024-12-20", periods=15)
    of_country = calendar_columns(days, "holiday", holidays="US")["holiday"]
    assert days[of_country == 1].strftime("%m-%d").tolist() == ["12-25", "01-01"]
    assert_frame_equal(of_country.to_frame(), calendar_columns(days, "holiday", holidays=["2024-12-25", "2025-01-01"]))


CLOSED = pd.DatetimeIndex(["2024-03-29", "2024-12-25", "2025-01-01"])


class Market:
    """Open from Monday to Friday but for some days, to the end of 2025, as pandas_market_calendars has it."""

    def valid_days(self, start_date, end_date):
        if pd.Timestamp(end_date).year > 2025:
            raise ValueError("the calendar ends in 2025")
        return pd.bdate_range(start_date, end_date).difference(CLOSED).tz_localize("UTC")


class Exchange:
    """The same, as exchange_calendars has it."""

    def sessions_in_range(self, start, end):
        return Market().valid_days(start, end).tz_localize(None)


@pytest.mark.parametrize("market", [Market(), Exchange()])
@pytest.mark.parametrize("tz", [None, "America/New_York"])
def test_days_that_an_exchange_is_not_open_are_holidays(market, tz):
    hours = pd.date_range("2024-12-20", "2025-01-03 23:00", freq="h", tz=tz)
    found = calendar_columns(hours, "holiday", holidays=market)["holiday"]
    closed = sorted(set(hours[found == 1].strftime("%m-%d")))
    assert closed == ["01-01", "12-21", "12-22", "12-25", "12-28", "12-29"]


@pytest.mark.parametrize("market", [Market(), Exchange()])
def test_a_model_is_told_the_holidays_ahead_by_the_calendar(market):
    index = pd.date_range("2024-01-01", "2024-12-23", freq="D")
    closed = calendar_columns(index, "holiday", holidays=market)["holiday"]
    frame = pd.DataFrame({"load": 10.0 - 7.0 * closed}, index=index)
    dates = [day for day in pd.date_range("2024-01-01", "2025-01-31") if day.day_of_week > 4 or day in CLOSED]
    given = {"window": 7, "horizon": 7, "calendar": "holiday"}
    forecast = RidgeForecaster(holidays=market, **given).fit(frame).forecast()
    assert_frame_equal(forecast, RidgeForecaster(holidays=dates, **given).fit(frame).forecast())
    assert forecast.loc["2024-12-25", "load"] < 5 < forecast.loc["2024-12-26", "load"]


def test_a_calendar_that_ends_before_the_forecast_is_refused():
    days = pd.date_range("2025-12-01", periods=60)
    with pytest.raises(
        DataError, match="holidays=Market does not say .* from 2025-12-01 to 2026-01-29: the calendar ends"
    ):
        calendar_columns(days, "holiday", holidays=Market())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"calendar": "holiday", "holidays": 3}, "holidays must be a country, dates, or an object with valid_days or"),
        ({"calendar": "hours"}, "calendar must name some of hour, weekday, day, month, yearday, holiday, got 'hours'"),
        ({"calendar": "holiday"}, "needs holidays=, a country"),
        ({"holidays": "US"}, "needs holidays=, a country"),
        ({"calendar": "holiday", "holidays": "Utopia"}, "holidays='Utopia' is no country"),
        ({"fourier": {"D": 0}}, "fourier.'D'. must be an integer of at least 1, got 0"),
        ({"fourier": {"soon": 1}}, "period 'soon', which is no span of time"),
        ({"fourier": 3}, "fourier must be a dict"),
    ],
)
def test_what_no_calendar_is_made_of(given, message):
    with pytest.raises(DataError, match=message):
        RidgeForecaster(window=7, **given).fit(pd.DataFrame({"a": range(60)}, pd.date_range("2024-01-01", periods=60)))


def days(n=120, start="2024-01-01") -> pd.DataFrame:
    index = pd.date_range(start, periods=n)
    noise = np.random.default_rng(0).normal(scale=0.1, size=n)
    return pd.DataFrame({"load": np.where(index.day_of_week < 5, 10.0, 2.0) + noise}, index=index)


@pytest.mark.parametrize(
    "make",
    [
        lambda **given: RidgeForecaster(window=7, horizon=7, **given),
        lambda **given: ARIMAForecaster(order=(1, 0, 0), **given),
        lambda **given: GRUForecaster(window=7, horizon=7, units=8, epochs=60, random_state=0, **given),
    ],
)
def test_models_learn_from_the_calendar_and_nobody_has_to_pass_it(make):
    df = days()
    model = make(calendar="weekday", fourier={"7D": 3}).fit(df[:100])
    error = np.abs(model.predict(7)["load"] - df["load"][100:107]).mean()
    assert error < 1.5
    history = df[:106]  # another end
    np.testing.assert_allclose(model.predict(7, history=history)["load"], df["load"][106:113], atol=4)
    found = model.predict_cutoffs(7, df, df.index[90:100], coverage=0.8)
    assert np.isfinite(found[["y_pred", "lower_80", "upper_80"]].to_numpy()).all()
    assert np.isfinite(model.update(df[100:]).predict_interval(7).to_numpy()).all()


def test_a_model_with_a_calendar_comes_back_from_a_file(tmp_path):
    df = days()
    model = RidgeForecaster(window=7, horizon=7, calendar=["weekday", "month"]).fit(df)
    model.save(tmp_path / "model.tsrnn")
    assert_frame_equal(load(tmp_path / "model.tsrnn").predict_interval(7), model.predict_interval(7))


def test_gaps_have_their_calendar():
    df = days()
    gaps = df.drop(df.index[[30, 31, 60]])
    found = RidgeForecaster(window=7, horizon=7, calendar="weekday").fit(gaps)
    values = found._seen()
    assert values["load"].isna().sum() == 3 and not values["weekday_sin"].isna().any()


def test_a_column_of_the_name_of_a_calendar_is_refused():
    with pytest.raises(DataError, match="column.s. weekday_sin, which calendar= and fourier= make"):
        RidgeForecaster(target="load", future_covariates="weekday_sin", calendar="weekday").fit(
            days().assign(weekday_sin=0.0)
        )


# ---------------------------------------------------------------------- categories


def weather(df: pd.DataFrame) -> pd.DataFrame:
    """A covariate of text that decides what comes."""
    sky = np.random.default_rng(1).choice(["clear", "rain", "snow"], size=len(df))
    return df.assign(sky=sky, load=pd.Series(sky, df.index).map({"clear": 1.0, "rain": 5.0, "snow": 9.0}))


@pytest.mark.parametrize("kind", [object, "category", "str"])
def test_categories_are_read_as_columns(kind):
    df = weather(days(200)).astype({"sky": kind})
    model = RidgeForecaster(target="load", future_covariates="sky", window=7, horizon=5).fit(df[:190])
    assert model.future_ == ["sky=clear", "sky=rain", "sky=snow", "sky=other"]
    np.testing.assert_allclose(model.predict(df[190:195][["sky"]])["load"], df["load"][190:195], atol=0.2)
    with pytest.raises(DataError, match="future covariates sky are needed for every step"):
        model.predict(5)


def test_categories_that_the_fit_did_not_have_are_told():
    df = weather(days(200))
    model = RidgeForecaster(target="load", future_covariates="sky", window=7, horizon=5).fit(df[:190])
    with pytest.warns(DataWarning, match="column 'sky' holds 'hail', which the fit did not have: read as 'other'"):
        model.predict(df[190:195][["sky"]].replace("rain", "hail"))


def test_truth_values_are_numbers():
    df = days(120)
    df["open"] = df["load"] > 5
    model = RidgeForecaster(target="load", future_covariates="open", window=7, horizon=7).fit(df[:110])
    np.testing.assert_allclose(model.predict(df[110:117][["open"]])["load"], df["load"][110:117], atol=0.6)


def test_the_frame_to_be_filled_in_names_what_is_asked_for():
    df = weather(days(200))
    model = RidgeForecaster(
        target="load", future_covariates="sky", window=7, horizon=5, strategy="direct", calendar="weekday"
    ).fit(df[:190])
    frame = model.make_future_frame(5)
    assert list(frame.columns) == ["sky"] and frame.index.equals(df.index[190:195])
    assert np.isfinite(model.predict(frame.assign(sky=df["sky"][190:195]))["load"]).all()


# ---------------------------------------------------------------------- many series


def test_constant_columns_tell_series_apart():
    # Walks that drift up or down: a window of one row, less its level, says nothing about where they go.
    df = table(lengths=(400, 400, 400))
    drift = df["site"].map({"s0": 1.0, "s1": -1.0, "s2": 1.0})
    moves = drift + np.random.default_rng(0).normal(scale=0.3, size=len(df))
    df["load"], df["shop"] = moves.groupby(df["site"]).cumsum(), drift.map({1.0: "large", -1.0: "small"})
    given = {"target": "load", "window": 1, "horizon": 1, **LONG}
    model = RidgeForecaster(static_covariates="shop", **given).fit(df)
    blind = RidgeForecaster(**given).fit(df.drop(columns="shop"))
    last = df.groupby("site")["load"].last().to_numpy()
    np.testing.assert_allclose(model.predict(1)["load"] - last, [1, -1, 1], atol=0.1)
    assert np.ptp(blind.predict(1)["load"] - last) < 0.2
    assert np.isfinite(model.predict_interval(3).iloc[:, 2:].to_numpy()).all()


def test_a_series_may_tell_its_own_name():
    df = table(lengths=(150, 150))
    model = RidgeForecaster(target="load", window=6, horizon=6, static_covariates="site", **LONG).fit(df)
    assert model.static_ == ["site=s0", "site=s1", "site=other"]
    new = df[df["site"] == "s1"].assign(site="new")
    with pytest.warns(DataWarning, match="column 'site' holds 'new', which the fit did not have"):
        assert np.isfinite(model.predict(6, history=new)["load"]).all()


@pytest.mark.parametrize("levels", [False, True])
def test_a_series_tells_its_name_wherever_rows_come_in(levels):
    df = table(lengths=(150, 150))
    known, later = df.groupby("site").head(140), df.groupby("site").tail(10)
    if levels:
        known, later, df = (rows.set_index(["site", "time"]) for rows in (known, later, df))
    model = RidgeForecaster(
        target="load", window=6, horizon=6, static_covariates="site", **({} if levels else LONG)
    ).fit(known)
    history = model.predict(6, history=df)
    np.testing.assert_array_equal(model.update(later).predict(6)["load"], history["load"])
    assert len(backtest(model, df, target="load", horizon=6, n_windows=3).forecasts) == 36


def test_a_panel_with_calendar_categories_and_constants_comes_back_from_a_file(tmp_path):
    df = weather(table(lengths=(150, 120)).set_index("time")).reset_index()
    df["size"] = df["site"].map({"s0": 3.0, "s1": 700.0})
    given = {"calendar": "hour", "future_covariates": "sky", "static_covariates": ["size", "site"]}
    model = small_gru(**given, **LONG).fit(df)
    frame = model.make_future_frame(6)
    assert list(frame.columns) == ["site", "time", "sky"] and len(frame) == 12
    ahead = frame.assign(sky="rain")
    model.save(tmp_path / "model.tsrnn")
    assert_frame_equal(load(tmp_path / "model.tsrnn").predict_interval(ahead), model.predict_interval(ahead))


def test_a_constant_that_changes_is_refused():
    df = table(lengths=(150, 120)).assign(size=np.arange(270.0))
    with pytest.raises(DataError, match="static covariate 'size' must have one value in each series; .*'s0', 's1'"):
        RidgeForecaster(target="load", static_covariates="size", **LONG).fit(df)
