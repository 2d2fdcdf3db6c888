"""Arrays of NumPy with a frequency: forecasts of numbered rows, given back as arrays."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import TimeSeriesSplit, cross_val_score

from tsrnn import (
    ARIMAForecaster,
    DriftForecaster,
    GRUForecaster,
    MeanForecaster,
    NaiveForecaster,
    RegressionForecaster,
    RidgeForecaster,
    SeasonalNaiveForecaster,
)
from tsrnn.exceptions import DataError
from tsrnn.persistence import load

RNG = np.random.default_rng(0)
Y = np.sin(np.arange(240) * 2 * np.pi / 24) + 0.1 * RNG.normal(size=240)
TWO = np.column_stack([Y, 10 * Y + RNG.normal(size=240)])
HOURS = pd.date_range("2024-01-01", periods=240, freq="h")


def ridge(**given):
    return RidgeForecaster(window=24, horizon=3, **given)


def gru(**given):
    return GRUForecaster(window=24, horizon=3, units=4, epochs=2, early_stopping=False, random_state=0, **given)


def arima(**given):
    return ARIMAForecaster(order=(1, 0, 0), harmonics=2, **given)


MODELS = [NaiveForecaster, SeasonalNaiveForecaster, DriftForecaster, MeanForecaster, ridge, arima]


@pytest.mark.parametrize("make", MODELS)
def test_an_array_is_forecast_as_its_table_and_comes_back_as_an_array(make):
    got, table = make(freq="h").fit(Y), make(freq="h").fit(pd.Series(Y, HOURS))
    for forecast in (got.forecast(3), got.predict(3)):
        assert type(forecast) is np.ndarray and forecast.shape == (3,)
        assert_allclose(forecast, table.forecast(3)["y"], rtol=1e-6)
    interval = got.predict_interval(3, coverage=0.8)
    assert type(interval) is np.ndarray and interval.shape == (3, 3)
    numbered = make(freq="h", time_col="n").fit(pd.DataFrame({"n": np.arange(240), "y": Y}))
    assert_array_equal(interval, numbered.predict_interval(3, coverage=0.8).drop(columns="n"))
    assert got.predict_quantiles(3, [0.1, 0.9]).shape == (3, 2)


@pytest.mark.parametrize("make", [*MODELS, gru])
def test_of_several_columns_all_are_forecast(make):
    model = make(freq="h").fit(TWO)
    assert model.forecast(3).shape == (3, 2) and model.predict(3).shape == (3, 2)
    assert model.predict_interval(2).shape == (2, 6)  # of each target the forecast, the lower and the upper end
    assert_array_equal(model.predict_interval(2)[:, [0, 3]], model.forecast(2))


def test_one_column_of_two_dimensions_comes_back_as_such():
    assert NaiveForecaster(freq="h").fit(Y[:, None]).forecast(3).shape == (3, 1)


def test_the_season_is_that_of_the_frequency_or_the_one_given():
    assert_array_equal(SeasonalNaiveForecaster(freq="h").fit(Y).forecast(24), Y[-24:])
    assert_array_equal(SeasonalNaiveForecaster(season_length=7).fit(Y).forecast(7), Y[-7:])
    assert SeasonalNaiveForecaster(freq="MS").fit(Y).forecast(12) == pytest.approx(Y[-12:])


@pytest.mark.parametrize("make", MODELS)
def test_new_rows_and_a_history_are_numbered_on(make):
    model = make(freq="h").fit(Y[:200])
    from_history = model.predict(3, history=Y[:220])
    assert_allclose(model.update(Y[200:220]).forecast(3), from_history)
    assert len(model.members_.frame) == 220


def test_forecasts_from_cutoffs_are_those_of_a_history_that_ends_there():
    model = ridge(freq="h").fit(Y[:200])
    tidy = model.predict_cutoffs(3, Y, [199, 219], coverage=0.8)
    assert list(tidy.columns) == ["cutoff", "ds", "step", "target", "y_pred", "lower_80", "upper_80"]
    assert list(tidy["ds"]) == [200, 201, 202, 220, 221, 222] and set(tidy["target"]) == {"y"}
    assert_allclose(tidy["y_pred"][3:], model.predict(3, history=Y[:220]))


def test_the_score_is_that_of_the_rows_that_follow():
    model = SeasonalNaiveForecaster(freq="h").fit(Y[:216])
    assert model.score(Y[216:]) == pytest.approx(1 - ((Y[216:] - Y[192:216]) ** 2).sum() / (24 * Y[216:].var()))
    assert model.score(np.empty((24, 0)), Y[216:]) == model.score(Y[216:])


@pytest.mark.parametrize("make", [SeasonalNaiveForecaster, ridge, gru, arima])
def test_a_model_of_an_array_comes_back_from_a_file_and_a_pickle(make, tmp_path):
    model = make(freq="h").fit(TWO)
    model.save(tmp_path / "m.tsrnn")
    for again in (load(tmp_path / "m.tsrnn"), pickle.loads(pickle.dumps(model))):
        assert_array_equal(again.predict_interval(3), model.predict_interval(3))
        assert again.update(TWO[:5]).forecast(2).shape == (2, 2)


def test_covariates_known_ahead_are_an_array_of_them():
    cold = RNG.normal(size=243)
    load_ = Y + 5 * cold[:240]
    named = ridge(freq="h", target=0, future_covariates=1).fit(np.column_stack([load_, cold[:240]]))
    apart = ridge(freq="h").fit(cold[:240, None], load_)
    ahead = named.make_future_frame()
    assert ahead.shape == (3, 1) and np.isnan(ahead).all()
    assert named.predict(cold[240:, None]).shape == (3, 1) and apart.predict(cold[240:, None]).shape == (3,)
    assert_allclose(named.predict(cold[240:, None])[:, 0], apart.predict(cold[240:, None]))
    assert_allclose(apart.predict(cold[240:, None]), 5 * cold[240:], atol=1.5)
    both = np.column_stack([load_, cold[:240]])  # y first
    assert_allclose(apart.predict(cold[240:, None], history=both), apart.predict(cold[240:, None]))


def test_what_is_masked_or_nan_is_missing():
    holes = Y.copy()
    holes[-3:] = np.nan
    masked = np.ma.masked_array(np.where(np.isnan(holes), -999, holes), np.isnan(holes))
    assert list(NaiveForecaster(freq="h").fit(masked).forecast(1)) == [Y[-4]]
    assert list(NaiveForecaster(freq="h").fit(holes).forecast(1)) == [Y[-4]]


def test_scikit_learn_cuts_arrays_in_time():
    scores = cross_val_score(ridge(freq="h"), np.empty((240, 0)), Y, cv=TimeSeriesSplit(3, test_size=24))
    assert (scores > 0.5).all()


def test_what_comes_after_the_fit_changes_nothing():
    assert_array_equal(
        ridge(freq="h").fit(Y[:200]).forecast(3), ridge(freq="h").fit(np.append(Y[:200], 9.0)[:200]).forecast(3)
    )


@pytest.mark.parametrize(
    ("model", "X", "message"),
    [
        (
            NaiveForecaster(),
            Y,
            r"got ndarray of shape \(240,\). Of an array say how far its rows are apart: freq='h'",
        ),
        (ridge(), Y, "or season_length= and the rows in a season"),
        (NaiveForecaster(freq="hm"), Y, "freq='hm' is not a frequency pandas knows"),
        (NaiveForecaster(freq="h"), Y.reshape(-1, 2, 2), r"got shape \(60, 2, 2\)"),
        (NaiveForecaster(freq="h"), Y[:0], "X has no rows"),
        (NaiveForecaster(freq="h"), np.full(9, np.nan), "hold no observation at all"),
        (NaiveForecaster(freq="h"), np.array(["a", "b"]), "is not numeric"),
        (NaiveForecaster(freq="h", id_col="site"), Y, "id_col='site' needs a table, and X is an array"),
        (ridge(freq="h", calendar="hour"), Y, "calendar='hour' needs a table"),
        (NaiveForecaster(freq="h", target=2), TWO, "target 2 is not in the data"),
        (ridge(freq="h"), Y[:3], "rows"),
    ],
)
def test_what_an_array_may_not_be(model, X, message):
    with pytest.raises(DataError, match=message):
        model.fit(X)


def test_an_array_and_a_table_are_not_mixed():
    model, table = NaiveForecaster(freq="h").fit(Y), pd.Series(Y, HOURS)
    with pytest.raises(DataError, match="fitted on an array, and history is a table"):
        model.predict(2, history=table)
    with pytest.raises(DataError, match="fitted on an array, and X is a table"):
        model.update(table)
    with pytest.raises(DataError, match="a number of steps"):
        model.predict(Y)
    long = pd.DataFrame({"n": np.arange(240), "y": Y})
    with pytest.raises(DataError, match="fitted on a table, and X is an array"):
        NaiveForecaster(freq="h", time_col="n").fit(long).update(Y)


def test_regressions_take_arrays_too():
    model = RegressionForecaster(LinearRegression(), window=24, freq="h").fit(Y)
    assert model.forecast(5).shape == (5,)
