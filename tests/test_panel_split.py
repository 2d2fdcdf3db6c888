"""Cuts in time of tables of many series, and scikit-learn's searches over them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, cross_validate
from test_panels import LONG, ridge, small_gru, table

from tsrnn import PanelTimeSeriesSplit, RidgeForecaster
from tsrnn.exceptions import DataError

SIZES = {"n_splits": st.integers(1, 4), "gap": st.integers(0, 3), "test_size": st.integers(1, 5)}


@given(**SIZES, most=st.none() | st.integers(1, 10))
def test_of_one_series_it_is_scikit_learns(n_splits, gap, test_size, most):
    X = pd.DataFrame({"a": range(30)}, index=pd.date_range("2024-01-01", periods=30))
    sizes = {"gap": gap, "test_size": test_size, "max_train_size": most}
    expected = list(TimeSeriesSplit(max(n_splits, 2), **sizes).split(X))
    found = list(PanelTimeSeriesSplit(max(n_splits, 2), **sizes).split(X))
    for (train, test), (train_too, test_too) in zip(found, expected, strict=True):
        np.testing.assert_array_equal(train, train_too)
        np.testing.assert_array_equal(test, test_too)


@given(**SIZES, order=st.permutations(range(60)))
def test_all_series_are_cut_at_the_same_times_wherever_their_rows_stand(n_splits, gap, test_size, order):
    df = table(lengths=(25, 35)).iloc[list(order)]
    seen = []
    for train, test in PanelTimeSeriesSplit(n_splits, gap=gap, test_size=test_size, **LONG).split(df):
        past, ahead = df.iloc[train], df.iloc[test]
        assert past["time"].max() + pd.Timedelta(hours=gap) < ahead["time"].min()
        assert ahead["time"].nunique() == test_size and len(ahead) == 2 * test_size
        seen.append(test)
    assert len(np.unique(np.concatenate(seen))) == n_splits * test_size * 2


def test_levels_periods_and_numbers_are_cut_alike():
    df = table(lengths=(25, 35))
    number = df.assign(time=df.groupby("time").ngroup())
    splitter = PanelTimeSeriesSplit(3, test_size=4, **LONG)
    expected = list(splitter.split(df))
    for X, cut in (
        (df.set_index(["site", "time"]), PanelTimeSeriesSplit(3, test_size=4)),
        (df.assign(time=df["time"].dt.to_period("h")), splitter),
        (number, splitter),
    ):
        for pair, wanted in zip(cut.split(X), expected, strict=True):
            np.testing.assert_array_equal(np.concatenate(pair), np.concatenate(wanted))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"n_splits": 0}, "n_splits must be an integer of at least 1"),
        ({"gap": -1}, "gap must be an integer of at least 0"),
        ({"n_splits": 5, "test_size": 10}, "5 test parts of 10 times .* the table has 35"),
        ({"time_col": "when"}, "'when' is not in the data"),
    ],
)
def test_what_cannot_be_cut(given, message):
    with pytest.raises(DataError, match=message):
        list(PanelTimeSeriesSplit(**{**LONG, **given}).split(table(lengths=(25, 35))))


@pytest.mark.parametrize("make", [ridge, small_gru])
def test_scikit_learn_searches_over_panels_and_nothing_leaks(make):
    df = table(lengths=(150, 120, 150))
    X, y = df[["site", "time", "load"]], df["load"]  # the target column in X is dropped before anything is predicted
    cut = PanelTimeSeriesSplit(2, test_size=6, **LONG)
    search = GridSearchCV(make(**LONG), {"window": [12, 24]}, cv=cut, scoring="neg_mean_absolute_error").fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_params_["window"] in (12, 24)
    found = cross_validate(make(**LONG), X, y, cv=cut, scoring="neg_mean_absolute_error", error_score="raise")
    # The same by hand, without a row of the test part in sight.
    for (train, test), score in zip(cut.split(X), found["test_score"], strict=True):
        past, ahead = df.iloc[train], df.iloc[test]
        model = make(**LONG).fit(past[["site", "time", "load"]])
        error = np.abs(model.predict(ahead[["site", "time"]])["load"] - ahead["load"]).mean()
        assert score == pytest.approx(-error, rel=1e-6)


def test_y_apart_comes_back_in_the_places_of_its_rows():
    df = table(lengths=(60, 60)).sample(frac=1, random_state=1)
    cutoff = df["time"].max() - pd.Timedelta(hours=6)
    past, ahead = df[df["time"] <= cutoff], df[df["time"] > cutoff]
    model = RidgeForecaster(window=12, horizon=6, **LONG).fit(past[["site", "time"]], past["load"])
    found = model.predict(ahead[["site", "time"]])
    assert isinstance(found, pd.Series) and found.index.equals(ahead.index)
    bare = RidgeForecaster(window=12, horizon=6, **LONG).fit(past[["site", "time"]], past["load"].to_numpy())
    np.testing.assert_array_equal(bare.predict(ahead[["site", "time"]]), found.to_numpy())
    assert model.score(ahead[["site", "time"]], ahead["load"]) > 0.9
