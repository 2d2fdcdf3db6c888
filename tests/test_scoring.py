"""Scores of forecasts, on the rows that were observed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit

from tsrnn import NaiveForecaster, SeasonalNaiveForecaster
from tsrnn.exceptions import DataError
from tsrnn.forecasters.scoring import observed_r2

INDEX = pd.date_range("2024-01-01", periods=60)


def table(columns=("a", "b")):
    return pd.DataFrame(np.random.default_rng(0).normal(size=(60, len(columns))), INDEX, list(columns))


def test_without_a_gap_the_score_is_that_of_scikit_learn():
    df = table()
    model = SeasonalNaiveForecaster(7).fit(df[:40])
    assert model.score(df[40:]) == pytest.approx(r2_score(df[40:], model.predict(20)))
    weight = np.arange(1.0, 21)
    assert model.score(df[40:], sample_weight=weight) == pytest.approx(
        r2_score(df[40:], model.predict(20), sample_weight=weight)
    )


def test_rows_that_were_not_observed_are_left_out_target_by_target():
    df = table()
    model = SeasonalNaiveForecaster(7).fit(df[:40])
    held = df[40:].copy()
    held.iloc[3:6, 0] = held.iloc[10, 1] = np.nan
    forecast = model.predict(20)
    slow = [r2_score(held[c].dropna(), forecast[c][held[c].notna()]) for c in held]
    assert model.score(held) == pytest.approx(np.mean(slow))


@pytest.mark.parametrize("y", ["series", "frame", "array"])
def test_every_y_that_fit_takes_is_scored(y):
    held = table()[40:]["a"].copy()
    held.iloc[2] = np.nan
    model = NaiveForecaster("a").fit(table()[["a"]][:40])
    given = {"series": held, "frame": held.to_frame(), "array": held.to_numpy()}[y]
    assert model.score(held.to_frame()[[]], given) == pytest.approx(model.score(held.to_frame()))


def test_a_series_holds_its_target():
    df = table(("y",))
    model = NaiveForecaster().fit(df["y"][:40])
    assert model.score(df["y"][40:]) == model.score(df[40:])


def test_columns_of_y_are_found_by_name():
    df = table()
    model = SeasonalNaiveForecaster(7).fit(df[:40])
    assert model.score(df[40:][[]], df[40:][["b", "a"]]) == model.score(df[40:])


def test_a_search_over_data_with_gaps_has_scores():
    df = table(("y",))
    df.iloc[[25, 41, 57]] = np.nan
    search = GridSearchCV(SeasonalNaiveForecaster(), {"season_length": [2, 7]}, cv=TimeSeriesSplit(3, test_size=10))
    assert np.isfinite(search.fit(df[[]], df["y"]).cv_results_["mean_test_score"]).all()


def test_a_target_without_an_observation_is_refused():
    df = table()
    model = NaiveForecaster().fit(df[:40])
    with pytest.raises(DataError, match="target\\(s\\) b hold no observation in the 20 row\\(s\\) to score"):
        model.score(df[40:].assign(b=np.nan))


def test_what_came_must_be_given():
    df = table()
    model = NaiveForecaster().fit(df[:40])
    with pytest.raises(DataError, match="target 'b' is not in the data"):
        model.score(df[40:][["a"]])
    for asked in (20, df.index[40:]):
        with pytest.raises(DataError, match="score needs what came: pass y"):
            model.score(asked)
    with pytest.raises(DataError, match=r"y has 19 row\(s\) and 2 column\(s\), and X asks for .* 20 row\(s\)"):
        model.score(df[40:], df[41:])


def test_a_perfect_forecast_scores_1_and_the_mean_0():
    y = np.array([1.0, np.nan, 3.0])
    assert observed_r2(y, [1.0, 9.0, 3.0], ["y"]) == 1
    assert observed_r2(y, [2.0, 9.0, 2.0], ["y"]) == 0
