"""Backtests against slow loops that fit and predict one origin at a time."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge

from tsrnn.backtest import backtest, count_parameters, model_name, target_positions
from tsrnn.exceptions import DataError, DataWarning
from tsrnn.forecasters.base import BaseForecaster
from tsrnn.forecasters.naive import DriftForecaster, NaiveForecaster, SeasonalNaiveForecaster
from tsrnn.forecasters.regression import RegressionForecaster

COLUMNS = ["cutoff", "ds", "step", "target", "model", "y_true", "y_pred"]


def hourly(n_rows=240, seed=0):
    rng = np.random.default_rng(seed)
    hours = pd.date_range("2024-01-01", periods=n_rows, freq="h", tz="UTC")
    season = 10 * np.sin(np.arange(n_rows) * 2 * np.pi / 24)
    return pd.DataFrame({"temp": season + rng.normal(size=n_rows), "wind": rng.gamma(2.0, size=n_rows)}, index=hours)


class MeanForecaster(BaseForecaster):
    """Repeats the mean of the rows it was fitted on; counts its fits."""

    fits = 0

    def __init__(self, target=None, horizon=None, freq=None):
        self.target = target
        self.horizon = horizon
        self.freq = freq

    def _fit(self, values):
        type(self).fits += 1
        self.mean_ = np.nanmean(values, axis=0)
        self.n_parameters_ = len(self.mean_)

    def _forecast(self, values, cutoffs, steps):
        return np.tile(self.mean_, (len(cutoffs), steps, 1))


MODELS = [
    NaiveForecaster(),
    SeasonalNaiveForecaster(),
    DriftForecaster(),
    RegressionForecaster(Ridge(), window=24, horizon=6),
    RegressionForecaster(Ridge(), window=24, past_covariates=["wind"]),
]


def slow_loop(model, df, target, horizon, n_windows, step, refit):
    """One origin at a time, by hand: fit on the rows up to it (or up to the first), predict from a cut history."""
    model = clone(model).set_params(target=target)
    if "horizon" in model.get_params() and model.horizon is None:
        model.set_params(horizon=horizon)
    rows = [len(df) - 1 - horizon - k * step for k in range(n_windows)][::-1]
    parts = []
    for row in rows:
        last = rows[0] if not refit else rows[rows.index(row) // refit * refit]
        fitted = clone(model).fit(df.iloc[: last + 1])
        parts.append(fitted.predict(horizon, history=df.iloc[: row + 1]))
    return pd.concat(parts)


@pytest.mark.parametrize("refit", [False, True, 3])
@pytest.mark.parametrize("step", [6, 5])
@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_batch_equals_one_origin_at_a_time(model, step, refit):
    df = hourly()
    options = {"horizon": 6, "n_windows": 4, "step": step, "refit": refit}
    tidy = backtest(model, df, target="temp", **options).forecasts
    expected = slow_loop(model, df, "temp", **options)
    np.testing.assert_allclose(tidy["y_pred"], expected["temp"], rtol=1e-5)
    assert (pd.DatetimeIndex(tidy["ds"]) == expected.index).all()
    np.testing.assert_array_equal(tidy["y_true"], df["temp"].loc[expected.index])


def test_frame_has_the_columns_of_the_contract_and_ends_at_the_last_row():
    df = hourly()
    tidy = backtest(NaiveForecaster(), df, target="temp", horizon=6, n_windows=3, coverage=0.9, name="last").forecasts
    assert list(tidy.columns) == [*COLUMNS, "lower_90", "upper_90"]
    assert tidy["ds"].iloc[-1] == df.index[-1]
    assert tidy["step"].tolist() == [1, 2, 3, 4, 5, 6] * 3
    assert ((tidy["ds"] - tidy["cutoff"]) / pd.Timedelta(hours=1) == tidy["step"]).all()
    assert (tidy["lower_90"] < tidy["y_pred"]).all() and (tidy["y_pred"] < tidy["upper_90"]).all()
    assert set(tidy["model"]) == {"last"}


@pytest.mark.parametrize(("refit", "fits"), [(False, 1), (True, 5), (1, 5), (2, 3), (np.int64(4), 2), (9, 1)])
def test_fit_count_parameters_and_the_model_given_stays_unfitted(refit, fits):
    model = MeanForecaster()
    MeanForecaster.fits = 0
    df = hourly()
    result = backtest(model, df, target="temp", horizon=4, n_windows=5, refit=refit)
    assert MeanForecaster.fits == fits == result.n_fits
    assert ("fitted once" if fits == 1 else f"fitted {fits} times") in repr(result)
    assert not hasattr(model, "mean_") and model.target is None and model.horizon is None
    assert (result.forecaster.target, result.forecaster.horizon, result.n_parameters) == ("temp", 4, 1)
    assert result.fit_seconds > 0 and result.predict_seconds > 0
    assert "5 origins" in repr(result) and "4 steps" in repr(result)
    first = df["temp"].iloc[: len(df) - 20].mean()
    assert result.forecasts["y_pred"].iloc[0] == pytest.approx(first)


@pytest.mark.parametrize("refit", [False, True])
@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_rows_after_a_cutoff_do_not_reach_its_forecast(model, refit):
    df, options = hourly(), {"target": "temp", "horizon": 6, "n_windows": 4, "refit": refit, "coverage": 0.8}
    before = backtest(model, df, **options).forecasts
    for cutoff in before["cutoff"].unique():
        changed = df.copy()
        changed.loc[changed.index > cutoff] *= -7.0
        after = backtest(model, changed, **options).forecasts
        known = before["cutoff"] <= cutoff
        columns = ["y_pred", "lower_80", "upper_80"]
        np.testing.assert_allclose(before.loc[known, columns], after.loc[known, columns], rtol=1e-6)


def test_gaps_stay_in_the_frame_as_unknown_truth():
    df = hourly()
    holey = df.drop(df.index[[-3, -40]])
    tidy = backtest(NaiveForecaster(), holey, target="temp", horizon=6, n_windows=2).forecasts
    whole = backtest(NaiveForecaster(), df, target="temp", horizon=6, n_windows=2).forecasts
    assert (tidy["ds"] == whole["ds"]).all()
    assert tidy.loc[tidy["y_true"].isna(), "ds"].tolist() == [df.index[-3]]
    np.testing.assert_array_equal(tidy["y_pred"], whole["y_pred"])


def test_holidays_of_a_trading_calendar_are_no_rows():
    days = pd.date_range("2024-01-01", "2024-06-28", freq="B").difference(pd.to_datetime(["2024-01-15", "2024-06-19"]))
    prices = pd.Series(np.arange(len(days), dtype=float), index=days, name="price")
    tidy = backtest(NaiveForecaster(), prices, target="price", horizon=5, n_windows=4).forecasts
    assert tidy["ds"].tolist() == days[-20:].tolist()
    assert (tidy["y_true"] - tidy["y_pred"]).tolist() == [1.0, 2.0, 3.0, 4.0, 5.0] * 4


def test_several_targets_stand_in_the_order_asked_for():
    tidy = backtest(MeanForecaster(), hourly(), target=["wind", "temp"], horizon=2, n_windows=2).forecasts
    assert tidy["target"].tolist() == ["wind", "temp"] * 4
    every = backtest(MeanForecaster(), hourly(), target=None, horizon=2, n_windows=2).forecasts
    assert every["target"].tolist() == ["temp", "wind"] * 4


def test_a_model_of_more_targets_is_judged_on_those_asked_for():
    tidy = backtest(MeanForecaster(target=["wind", "temp"]), hourly(), target="temp", horizon=2, n_windows=2).forecasts
    assert tidy["target"].tolist() == ["temp"] * 4
    assert tidy["y_pred"].iloc[0] == pytest.approx(hourly()["temp"].iloc[:-4].mean())


def test_a_target_set_on_the_model_is_not_overruled():
    with pytest.raises(DataError, match=r"set to target='wind', but temp is to be forecast"):
        backtest(NaiveForecaster(target="wind"), hourly(), target="temp", horizon=2)


@pytest.mark.parametrize("refit", [0, -2, 1.5, "yes", None])
def test_refit_is_yes_no_or_a_number_of_origins(refit):
    with pytest.raises(DataError, match=f"refit must be False .* got {refit!r}"):
        backtest(NaiveForecaster(), hourly(), target="temp", horizon=2, refit=refit)


def test_a_class_is_told_from_a_forecaster():
    with pytest.raises(DataError, match=r"NaiveForecaster is a class, not a forecaster; write NaiveForecaster\(\)"):
        backtest(NaiveForecaster, hourly(), target="temp", horizon=2)


def test_covariates_are_checked_over_all_origins_before_the_fit(monkeypatch):
    def fit(self, X, y=None):
        raise AssertionError("fitted")

    monkeypatch.setattr(RegressionForecaster, "fit", fit)
    df = hourly()
    df.loc[df.index[[-1, -9]], "wind"] = np.nan
    model = RegressionForecaster(Ridge(), window=24, future_covariates=["wind"])
    with pytest.raises(DataError, match=re.escape(f"timestamps: {df.index[-9]}, {df.index[-1]}.")):
        backtest(model, df, target="temp", horizon=6, n_windows=2)


def test_targets_may_be_tuples():
    columns = pd.MultiIndex.from_tuples([("Close", "A"), ("Close", "B"), ("Open", "A")])
    df = pd.DataFrame(np.arange(60.0).reshape(20, 3), pd.date_range("2024-01-01", periods=20), columns=columns)
    one = backtest(NaiveForecaster(), df, target=("Close", "B"), horizon=2, n_windows=2).forecasts
    assert set(one["target"]) == {("Close", "B")}
    np.testing.assert_array_equal(one["y_true"], df[("Close", "B")].iloc[-4:])
    two = backtest(NaiveForecaster(), df, target=[("Open", "A"), ("Close", "B")], horizon=1, n_windows=1).forecasts
    assert two["target"].tolist() == [("Open", "A"), ("Close", "B")] and two["y_true"].tolist() == [59.0, 58.0]
    every = backtest(NaiveForecaster(), df, target=None, horizon=1, n_windows=1).forecasts
    assert every["y_true"].tolist() == [57.0, 58.0, 59.0]


def test_positions_of_targets_do_not_depend_on_what_pandas_makes_of_labels():
    labels = ["a", ("a", "b"), 3, ("b", "a")]
    column = pd.Series(labels[::-1] + ["other"])
    assert target_positions(column, labels).tolist() == [3, 2, 1, 0, -1]


def test_what_is_no_forecaster_is_refused_with_the_fix():
    with pytest.raises(DataError, match=r"Ridge is not a tsrnn forecaster.*RegressionForecaster"):
        backtest(Ridge(), hourly(), target="temp", horizon=2)


def test_bad_frames_are_refused():
    with pytest.raises(DataError, match="Did you mean 'temp'"):
        backtest(NaiveForecaster(), hourly(), target="tmp", horizon=2)
    with pytest.raises(DataError, match="no time index"):
        backtest(NaiveForecaster(), hourly().reset_index(drop=True), target="temp", horizon=2)
    with pytest.raises(DataError, match="must be a pandas DataFrame"):
        backtest(NaiveForecaster(), [1.0, 2.0], target="temp", horizon=2)
    with pytest.raises(DataError, match="20 windows"):
        backtest(NaiveForecaster(), hourly(30), target="temp", horizon=2)


def test_short_names_and_parameter_counts():
    assert [model_name(model) for model in MODELS[:4]] == ["naive", "snaive", "drift", "regression"]
    assert count_parameters(object()) is None
    assert count_parameters(type("Fitted", (), {"weights_": [np.zeros((2, 3)), np.zeros(3)]})()) == 9


def test_mostly_empty_columns_are_named_where_every_column_is_forecast():
    index = pd.date_range("2024-01-01", periods=60, freq="h")
    df = pd.DataFrame({"a": np.arange(60.0), "b": np.where(np.arange(60) % 10, np.nan, 1.0)}, index=index)
    with pytest.warns(DataWarning, match=r"'b' \(10%\)"):
        backtest(NaiveForecaster(), df, target=None, horizon=2, n_windows=2)
    backtest(NaiveForecaster(), df, target=["a", "b"], horizon=2, n_windows=2)
