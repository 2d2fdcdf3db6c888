"""The command line: results, exit status, and one line of text when something is wrong."""

from __future__ import annotations

import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from terminal import run

import tsrnn
from tsrnn.comparison import compare
from tsrnn.exceptions import DataError
from tsrnn.forecasters.naive import DriftForecaster, NaiveForecaster, SeasonalNaiveForecaster
from tsrnn.terminal.models import make_model

HEAVY = ["tensorflow", "keras", "pandas", "statsmodels", "sklearn", "matplotlib", "numpy"]


@pytest.mark.parametrize("args", [["--help"], ["compare", "--help"], ["forecast", "--help"]])
def test_help_loads_nothing_heavy(args):
    code = f"""
import sys
from tsrnn.cli import app
try:
    app({args!r})
except SystemExit as stop:
    assert not stop.code
print("loaded:", sorted(set({HEAVY!r}) & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded: []"
    assert "Usage:" in done.stdout


def test_compare_prints_the_leaderboard_and_writes_forecasts_and_chart(load_csv, tmp_path):
    csv, plot = tmp_path / "out.csv", tmp_path / "out.png"
    args = ["--time", "time", "--target", "load", "--horizon", 6, "--windows", 4, "--coverage", 0.8]
    done = run("compare", load_csv, *args, "--models", "ridge,snaive", "--csv", csv, "--plot", plot)
    assert done.exit_code == 0, done.stderr
    frame = pd.read_csv(load_csv, index_col=0, parse_dates=True)
    models = {"ridge": make_model("ridge", 0, None), "snaive": SeasonalNaiveForecaster()}
    expected = compare(models, frame, target="load", horizon=6, n_windows=4, coverage=0.8)
    table = done.stdout.splitlines()
    assert table[0] == "load: 4 origins, 6 steps ahead"
    assert table[1].split()[:6] == ["model", "MAE", "RMSE", "sMAPE", "MASE", "skill"]
    best = expected.leaderboard().iloc[0]
    assert table[2].split()[:2] == [best["model"], f"{best['MAE']:.4g}"]
    np.testing.assert_allclose(pd.read_csv(csv)["y_pred"], expected.forecasts["y_pred"])
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert done.stderr == ""


def test_compare_takes_several_targets_and_refits(load_csv):
    targets = ["--target", "load", "--target", "price"]
    done = run(
        "compare", load_csv, "--time", "time", *targets, "--horizon", 2, "--windows", 2, "--models", "drift", "--refit"
    )
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith("load, price: 2 origins")


def test_compare_shows_each_of_several_targets(load_csv):
    targets = ["--target", "load", "--target", "price", "--horizon", 2, "--windows", 3]
    done = run("compare", load_csv, "--time", "time", *targets, "--models", "drift")
    frame = pd.read_csv(load_csv, index_col=0, parse_dates=True)
    expected = compare({"drift": DriftForecaster()}, frame, target=["load", "price"], horizon=2, n_windows=3)
    blocks = done.stdout.split("\n\n")
    assert [block.split("\n")[0] for block in blocks[:3]] == ["load, price: 3 origins, 2 steps ahead", "load", "price"]
    for block, (_, table) in zip(blocks[1:3], expected.leaderboard(by="target").groupby("target"), strict=True):
        assert all(f"{error:.4g}" in block for error in table["MAE"])
    assert blocks[3].strip() == expected.predictability()


def test_a_model_that_fails_is_a_row_and_an_exit_status(load_csv, tmp_path, monkeypatch):
    def fit(self, X, y=None):
        raise DataError("too short. Use df.asfreq() or pass freq='h'.")

    monkeypatch.setattr(DriftForecaster, "fit", fit)
    args = ["--time", "time", "--target", "load", "--horizon", 2, "--models", "drift", "--csv", tmp_path / "c.csv"]
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        done = run("compare", load_csv, *args)
    assert done.exit_code == 1
    assert "drift" in done.stdout and "too short" in done.stdout and "model 'drift' failed" in done.stderr
    assert "freq=" not in done.stdout + done.stderr and "df." not in done.stdout + done.stderr
    assert set(pd.read_csv(tmp_path / "c.csv")["model"]) == {"naive", "snaive"}


def test_models_are_fitted_again_at_every_so_many_origins(load_csv, monkeypatch):
    fits, fit = [], DriftForecaster.fit
    monkeypatch.setattr(DriftForecaster, "fit", lambda self, X, y=None: fits.append(len(X)) or fit(self, X, y))
    args = ["--time", "time", "--target", "load", "--horizon", 2, "--windows", 7, "--models", "drift"]
    assert run("compare", load_csv, *args, "--refit-every", 3).exit_code == 0
    assert fits == [286, 292, 298]


def test_a_forecast_that_is_not_the_network_s_is_told(tmp_path):
    walk = np.random.default_rng(0).normal(size=700).cumsum()
    days = pd.date_range("2020-01-01", periods=700, name="day")
    pd.DataFrame({"walk": walk}, index=days).to_csv(tmp_path / "walk.csv")
    args = ["--time", "day", "--target", "walk", "--horizon", 2, "--model", "gru", "--epochs", 2]
    done = run("forecast", tmp_path / "walk.csv", *args)
    assert done.exit_code == 0 and "note: gru did not beat the best trivial forecast (last value)" in done.stderr
    assert f"{walk[-1]:.4g}" in done.stdout


def test_forecast_prints_the_future_and_writes_all_it_is_asked_for(load_csv, tmp_path):
    from tsrnn.persistence import load

    csv, plot, saved = tmp_path / "next.csv", tmp_path / "next.svg", tmp_path / "model.tsrnn"
    args = ["--time", "time", "--target", "load", "--horizon", 5, "--model", "drift", "--coverage", 0.9]
    done = run("forecast", load_csv, *args, "--csv", csv, "--plot", plot, "--save", saved)
    assert done.exit_code == 0, done.stderr
    frame = pd.read_csv(load_csv, index_col=0, parse_dates=True)
    expected = DriftForecaster(target="load").fit(frame).predict_interval(5, coverage=0.9)
    written = pd.read_csv(csv, index_col="time", parse_dates=True)
    pd.testing.assert_frame_equal(written, expected, check_freq=False, check_names=False, check_index_type=False)
    assert "2024-01-13 12:00:00+00:00" in done.stdout
    assert b"<svg" in plot.read_bytes()
    np.testing.assert_allclose(load(saved).forecast(5)["load"], expected["load"])


def test_datasets_are_listed_and_exported(tmp_path):
    from tsrnn.datasets import list_datasets, load_co2

    listed = run("datasets")
    assert listed.exit_code == 0
    assert all(name in listed.stdout for name in list_datasets()["name"])
    done = run("datasets", "co2_mauna_loa_weekly", "--csv", tmp_path / "co2.csv")
    assert (done.exit_code, done.stdout) == (0, "")
    back = pd.read_csv(tmp_path / "co2.csv", index_col=0, parse_dates=True)
    pd.testing.assert_frame_equal(back, load_co2(), check_freq=False)
    assert "co2" in run("datasets", "co2_mauna_loa_weekly").stdout


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        ({"FILE": "nowhere.csv"}, 2, "there is no file 'nowhere.csv'"),
        ({"--time": "tme"}, 1, "time column 'tme' is not in the data. Did you mean 'time'?"),
        ({"--target": "lod"}, 1, "target 'lod' is not in the data. Did you mean 'load'?"),
        ({"--models": "lstn"}, 2, "no model 'lstn'. Did you mean 'lstm'? Choose from lstm, gru, rnn, min_gru"),
        ({"--models": ","}, 2, "--models names no model"),
        ({"--time": "price", "--target": "load"}, 1, "time column 'price', row 1 (line 2): '"),
        ({"--time": "load"}, 2, "--target 'load' is the time column"),
        ({"--windows": "500"}, 1, "500 windows of --horizon 3"),
        ({"--coverage": "90"}, 2, "--coverage must lie strictly between 0 and 1, got 90. 90 percent are 0.9."),
        ({"--coverage": "nan"}, 2, "--coverage must lie strictly between 0 and 1, got nan."),
        ({"--freq": "X"}, 1, "--freq X is not a frequency"),
        ({"--csv": "nowhere/out.csv"}, 2, "there is no folder '"),
        ({"--csv": "."}, 2, "cannot save to '.': it is a folder"),
        ({"--plot": "chart"}, 2, "--plot 'chart' must end in one of .png, .pdf, .svg"),
        ({"--horizon": "0"}, 2, "--horizon must be at least 1, got 0."),
        ({"--windows": "-3"}, 2, "--windows must be at least 1, got -3."),
        ({"--horizon": "1000000000000"}, 2, "--horizon must be at most 100000, got 1000000000000."),
        ({"--windows": "10000000"}, 2, "--windows must be at most 100000, got 10000000."),
        ({"--horizon": "90000", "--windows": "90000"}, 2, "8100000000 forecasts; at most 10000000 are made at once"),
        ({"--seed": "-1"}, 2, "--seed must be at least 0, got -1."),
        ({"--seed": "4294967296"}, 2, "--seed must be at most 4294967295, got 4294967296."),
        (
            {"--sep": ";"},
            1,
            "'time' is not in the data. Columns: time,load,price. Say what separates",
        ),
        ({"--sep": ";;"}, 2, "--sep must be one sign"),
        ({"--decimal": ""}, 2, "--decimal must be one sign"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(load_csv, change, status, message):
    options = {
        "FILE": str(load_csv),
        "--time": "time",
        "--target": "load",
        "--horizon": "3",
        "--models": "drift",
    } | change
    done = run("compare", options.pop("FILE"), *[part for pair in options.items() for part in pair])
    assert done.exit_code == status
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("error: ") and done.stdout == ""
    assert message in done.stderr


def test_what_cannot_be_is_refused_before_the_work(load_csv, tmp_path):
    args = ["--time", "time", "--target", "load", "--horizon", 3]
    done = run("forecast", load_csv, *args, "--model", "naive", "--target", "load")
    assert done.exit_code == 2 and "--target names load more than once" in done.stderr
    done = run("datasets", "--csv", tmp_path / "out.csv")
    assert (done.exit_code, done.stdout) == (2, "") and "tsrnn datasets NAME --output FILE" in done.stderr
    assert "Did you mean 'aapl_daily'?" in run("datasets", "aapl").stderr


def test_warnings_are_one_line_each(load_csv, monkeypatch):
    def fit(self, X, y=None):
        warnings.warn("more parameters\nthan windows", UserWarning, stacklevel=2)
        return fit_naive(self, X, y)

    fit_naive = NaiveForecaster.fit
    monkeypatch.setattr(NaiveForecaster, "fit", fit)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        done = run("forecast", load_csv, "--time", "time", "--target", "load", "--horizon", 2, "--model", "naive")
    assert done.exit_code == 0
    assert done.stderr == "warning: more parameters than windows\n"


@pytest.mark.parametrize(
    "args", [["compare"], ["compare", "a.csv", "--time", "t"], ["forecast", "a.csv", "--horizn", "3"]]
)
def test_incomplete_commands_are_usage_errors(args):
    assert run(*args).exit_code == 2


def test_traceback_on_request(load_csv, monkeypatch):
    monkeypatch.setenv("TSRNN_TRACEBACK", "1")
    done = run("forecast", load_csv, "--time", "time", "--target", "lod", "--horizon", 2, "--model", "naive")
    assert type(done.exception).__name__ == "FileError"


def test_a_network_without_epochs_or_an_engine_forecasts_too(load_csv, tmp_path):
    args = ["--time", "time", "--target", "load", "--horizon", 2, "--model", "echo_state", "--epochs", 2]
    done = run("forecast", load_csv, *args, "--save", tmp_path / "echo.tsrnn")
    assert done.exit_code == 0, done.stderr
    expected = tsrnn.load(tmp_path / "echo.tsrnn").forecast(2)["load"]
    assert all(f"{value:.4g}" in done.stdout for value in expected)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["min_gru", "min_lstm", "feed_forward", "conv"])
def test_networks_that_keras_computes_forecast_too(load_csv, name):
    args = ["--time", "time", "--target", "load", "--horizon", 2, "--model", name, "--epochs", 1]
    done = run("forecast", load_csv, *args)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith(f"{name}: load")
