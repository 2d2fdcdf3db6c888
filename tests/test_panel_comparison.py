"""Comparisons and backtests of many series: each counts like a target, from the same origins for all."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pytest
from pandas.testing import assert_frame_equal
from test_panels import LONG, ridge, small_gru, table

from tsrnn import DriftForecaster, NaiveForecaster, SeasonalNaiveForecaster, compare
from tsrnn.backtest import backtest
from tsrnn.exceptions import DataError, DataWarning

SIZES = {"target": "load", "horizon": 6, "n_windows": 4}


def test_local_models_are_scored_as_in_comparisons_of_each_series_alone():
    df = table(lengths=(150, 150, 150))
    models = {"drift": DriftForecaster()}
    together = compare(models, df, **SIZES, **LONG, season_length=24)
    by_series = together.leaderboard(by="series").set_index(["series", "model"])
    alone = {
        site: compare(models, part.set_index("time")[["load"]], **SIZES, season_length=24).leaderboard()
        for site, part in df.groupby("site")
    }
    for site, board in alone.items():
        for metric in ("MAE", "RMSE", "MASE", "skill"):
            expected = board.set_index("model")[metric]
            found = by_series.loc[site][metric]
            for model in ("drift", "naive", "snaive"):
                assert found[model] == pytest.approx(expected[model])
    mean = np.mean([board.set_index("model").loc["drift", "MASE"] for board in alone.values()])
    assert together.leaderboard().set_index("model").loc["drift", "MASE"] == pytest.approx(mean)


def test_all_forms_are_compared_alike():
    df = table(lengths=(150, 150))
    models = {"ridge": ridge()}
    expected = compare(models, df, **SIZES, **LONG).leaderboard()[["model", "MAE", "MASE"]]
    levels = compare(models, df.set_index(["site", "time"]), **SIZES).leaderboard()[["model", "MAE", "MASE"]]
    polars = compare(models, pl.from_pandas(df), **SIZES, **LONG).leaderboard()[["model", "MAE", "MASE"]]
    assert_frame_equal(levels, expected)
    assert_frame_equal(polars, expected)


def test_numbered_series_end_together():
    df = table(lengths=(150, 120))
    numbered = df.assign(time=df.groupby("site").cumcount() + 1)
    models = {"snaive": SeasonalNaiveForecaster(season_length=24)}
    found = compare(models, numbered, **SIZES, **LONG, season_length=24)
    expected = compare(models, df, **SIZES, **LONG, season_length=24)
    columns = ["model", "MAE", "MASE", "skill"]
    assert_frame_equal(found.leaderboard()[columns], expected.leaderboard()[columns])
    assert "from 126 to 144" in repr(found) and "2 series (s0, s1)" in repr(found)


def test_a_series_that_does_not_reach_over_all_origins_is_left_out_and_told():
    df = table(lengths=(150, 150, 20))
    with pytest.warns(DataWarning, match="1 of 3 series do not reach from the first origin.*'s2'"):
        found = compare([DriftForecaster()], df, **SIZES, **LONG, season_length=1)
    assert found.leaderboard(by="series")["series"].unique().tolist() == ["s0", "s1"]
    with pytest.raises(DataError, match="no series has two rows up to the first origin"):
        compare([DriftForecaster()], df[df["site"] == "s2"].tail(14), target="load", horizon=6, n_windows=2, **LONG)


@pytest.mark.parametrize("model", [ridge(), small_gru()])
def test_rows_after_the_last_origin_are_not_read(model):
    df = table(lengths=(150, 150))
    found = backtest(model, df, **SIZES, **LONG, coverage=0.8).forecasts
    last = found["cutoff"].max()
    changed = df.assign(load=df["load"].where(df["time"] <= last, -1e3))
    again = backtest(model, changed, **SIZES, **LONG, coverage=0.8).forecasts
    of_last, of_last_again = (rows[rows["cutoff"] == last].drop(columns="y_true") for rows in (found, again))
    assert_frame_equal(of_last, of_last_again)
    assert found["target"].unique().tolist() == ["s0", "s1"] and len(found) == 2 * 6 * 4


def test_models_that_are_told_nothing_know_the_columns():
    df = table(lengths=(150, 150))
    found = compare({"mine": NaiveForecaster()}, df, **SIZES, **LONG)
    assert found.runs["mine"].forecaster.id_col == "site" and found.plan.season_length == 24


def test_a_column_that_is_none_is_refused_before_anything_is_fitted():
    with pytest.raises(DataError, match="model 'ridge': .*'humidity' is not in the data"):
        compare({"ridge": ridge(future_covariates="humidity")}, table(lengths=(150, 150)), **SIZES, **LONG)


def test_periods_stand_in_the_headline():
    load = pd.Series(range(60), pd.period_range("2020-01", periods=60, freq="M"), name="load", dtype=float)
    said = repr(compare([DriftForecaster()], load, target=None, horizon=3, n_windows=2))
    assert "origins from 2024-06 to 2024-09" in said
