"""Seasons in the terminal, also of rows that have numbers instead of times."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from terminal import run

from tsrnn import SeasonalNaiveForecaster, compare
from tsrnn.terminal.models import make_model

LOAD = ["--time", "time", "--target", "load", "--horizon", 3]
NUMBERED = ["--time", "n", "--target", "y", "--horizon", 4]


def numbered(names="ab"):
    parts = [pd.DataFrame({"series": s, "n": np.arange(40), "y": np.arange(40.0) % 5 + k}) for k, s in enumerate(names)]
    return pd.concat(parts, ignore_index=True)


def written(folder, table):
    table.to_csv(folder / "numbered.csv", index=False)
    return folder / "numbered.csv"


def test_a_season_is_that_of_the_model(load_csv, tmp_path):
    done = run("forecast", load_csv, *LOAD, "--model", "snaive", "--season", 7, "--output", tmp_path / "next.csv")
    assert done.exit_code == 0, done.stderr
    frame = pd.read_csv(load_csv, index_col=0, parse_dates=True)
    expected = SeasonalNaiveForecaster(season_length=7, target="load").fit(frame).forecast(3)
    np.testing.assert_allclose(pd.read_csv(tmp_path / "next.csv")["load"], expected["load"])


def test_models_that_have_no_season_are_not_told():
    assert make_model("lstm", 0, None, season=9).season_length == 9
    assert "season_length" not in make_model("naive", 0, None, season=9).get_params()


def test_a_comparison_has_the_season_in_its_baseline_and_scale(load_csv):
    done = run("compare", load_csv, *LOAD, "--models", "snaive", "--windows", 3, "--season", 12)
    frame = pd.read_csv(load_csv, index_col=0, parse_dates=True)
    models = {"snaive": SeasonalNaiveForecaster(season_length=12)}
    board = compare(models, frame, target="load", horizon=3, n_windows=3, season_length=12).leaderboard()
    assert done.exit_code == 0 and all(f"{value:.4g}" in done.stdout for value in board["MASE"])


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_numbered_rows_of_many_series_have_a_season(tmp_path, ending):
    file, out = written(tmp_path, numbered()), tmp_path / f"out.{ending}"
    args = [*NUMBERED, "--id", "series", "--time-format", "number", "--model", "snaive", "--season", 5]
    done = run("forecast", file, *args, "--output", out)
    assert done.exit_code == 0, done.stderr
    got = pd.read_csv(out) if ending == "csv" else pd.read_parquet(out)
    assert list(got.columns) == ["series", "n", "y"] and list(got["n"]) == [40, 41, 42, 43] * 2
    assert list(got["y"]) == [0, 1, 2, 3, 1, 2, 3, 4]


def test_numbered_rows_of_one_series_are_numbered_on(tmp_path):
    file, args = written(tmp_path, numbered("a")), [*NUMBERED, "--time-format", "number", "--season", 5]
    done = run("forecast", file, *args, "--model", "snaive", "--coverage", 0.8, "--output", tmp_path / "o.csv")
    assert done.exit_code == 0, done.stderr
    got = pd.read_csv(tmp_path / "o.csv")
    assert list(got["n"]) == [40, 41, 42, 43] and list(got["y"]) == [0, 1, 2, 3]
    done = run("compare", file, *args, "--models", "drift", "--windows", 2, "--output", tmp_path / "c.csv")
    assert done.exit_code == 0, done.stderr
    assert list(pd.read_csv(tmp_path / "c.csv")["ds"][:4]) == [32, 33, 34, 35]


@pytest.mark.parametrize(
    ("flags", "status", "message"),
    [
        ([], 1, "Say --time-format number if these are the numbers of the rows."),
        (["--time-format", "number", "--freq", "h"], 2, "--season says how many rows a season has"),
        (["--time-format", "number", "--plot", "p.png"], 2, "--plot draws times, and these rows have numbers"),
        (["--time-format", "numbr"], 2, "Did you mean 'number'?"),
        (["--season", "0"], 2, "--season must be at least 1, got 0."),
        (["--time-format", "number", "--season", "400"], 1, "--season 400"),
    ],
)
def test_what_is_wrong_is_said_in_flags(tmp_path, monkeypatch, flags, status, message):
    monkeypatch.chdir(tmp_path)
    done = run("forecast", written(tmp_path, numbered("a")), *NUMBERED, "--model", "snaive", *flags)
    assert (done.exit_code, done.stdout) == (status, "") and message in done.stderr, done.stderr


@pytest.mark.parametrize(
    ("cell", "said"), [("1.5", "'1.5' is not an integer"), ("", "the number of the row is missing")]
)
def test_a_number_that_is_none_is_named(tmp_path, cell, said):
    table = numbered("a").astype({"n": str})
    table.loc[2, "n"] = cell
    done = run("forecast", written(tmp_path, table), *NUMBERED, "--model", "naive", "--time-format", "number")
    assert done.exit_code == 1 and f"row 3 (line 4): {said}" in done.stderr


def test_the_same_number_twice_is_refused(tmp_path):
    table = pd.concat([numbered("a"), numbered("a").tail(1)])
    done = run("forecast", written(tmp_path, table), *NUMBERED, "--model", "naive", "--time-format", "number")
    assert done.exit_code == 1 and "39 stands in 2 rows" in done.stderr
