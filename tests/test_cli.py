"""The command line: results, exit status, and one line of text when something is wrong."""

from __future__ import annotations

import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import tsrnn
from tsrnn.cli import app
from tsrnn.comparison import compare
from tsrnn.forecasters.naive import DriftForecaster, NaiveForecaster, SeasonalNaiveForecaster
from tsrnn.terminal.demo import worth_it
from tsrnn.terminal.models import MODELS, make_model
from tsrnn.terminal.reading import read_csv

HEAVY = ["tensorflow", "keras", "pandas", "statsmodels", "sklearn", "matplotlib", "numpy"]


def run(*args):
    return CliRunner().invoke(app, [str(arg) for arg in args])


@pytest.fixture
def load_csv(tmp_path):
    hours = pd.date_range("2024-01-01", periods=300, freq="h", tz="UTC", name="time")
    season = 10 * np.sin(np.arange(300) * 2 * np.pi / 24)
    noise = np.random.default_rng(0).normal(size=(2, 300))
    frame = pd.DataFrame({"load": season + noise[0], "price": noise[1]}, index=hours)
    frame.to_csv(tmp_path / "load.csv")
    return tmp_path / "load.csv"


def edit(file, row, column, value):
    """Write `value` into one cell; rows count from 1."""
    table = pd.read_csv(file, dtype=str)
    table.loc[row - 1, column] = value
    table.to_csv(file, index=False)


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
        ({"--time": "price", "--target": "load"}, 1, "time column 'price', row 1: '"),
        ({"--windows": "500"}, 1, "500 windows of horizon=3"),
        ({"--coverage": "90"}, 1, "coverage must lie strictly between 0 and 1"),
        ({"--freq": "X"}, 1, "freq='X' is not a frequency"),
        ({"--csv": "nowhere/out.csv"}, 2, "there is no folder 'nowhere'"),
        ({"--csv": "."}, 2, "cannot write '.': it is a folder"),
        ({"--plot": "chart"}, 2, "--plot 'chart' must end in one of .png, .pdf, .svg"),
        ({"--horizon": "0"}, 2, "--horizon must be at least 1, got 0."),
        ({"--windows": "-3"}, 2, "--windows must be at least 1, got -3."),
        ({"--seed": "-1"}, 2, "--seed must be at least 0, got -1."),
        ({"--sep": ";"}, 1, "with --sep ';' the file has a single column, 'time,load,price'. Say what separates"),
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


def test_files_with_semicolons_and_decimal_commas_are_read(load_csv, tmp_path):
    frame = pd.read_csv(load_csv)
    frame.to_csv(tmp_path / "semicolons.csv", sep=";", decimal=",", index=False)
    frame.to_csv(tmp_path / "tabs.csv", sep="\t", index=False, encoding="utf-8-sig")
    args = ["--time", "time", "--target", "load", "--horizon", 3, "--model", "naive"]
    expected = run("forecast", load_csv, *args).stdout
    assert run("forecast", tmp_path / "semicolons.csv", *args, "--sep", ";", "--decimal", ",").stdout == expected
    assert run("forecast", tmp_path / "tabs.csv", *args, "--sep", "tab").stdout == expected
    assert "--decimal ','" in run("forecast", tmp_path / "semicolons.csv", *args, "--sep", ";").stderr


def test_a_ridge_regression_is_forecast_and_saved(load_csv, tmp_path):
    csv, path = tmp_path / "out.csv", tmp_path / "model.tsrnn"
    args = ["--time", "time", "--target", "load", "--horizon", 3, "--model", "ridge", "--csv", csv, "--save", path]
    done = run("forecast", load_csv, *args)
    assert done.exit_code == 0, done.stderr
    np.testing.assert_allclose(tsrnn.load(path).forecast()["load"], pd.read_csv(csv)["load"])


def test_what_cannot_be_is_refused_before_the_work(load_csv, tmp_path):
    args = ["--time", "time", "--target", "load", "--horizon", 3]
    done = run("forecast", load_csv, *args, "--model", "naive", "--target", "load")
    assert done.exit_code == 2 and "--target names load more than once" in done.stderr
    done = run("datasets", "--csv", tmp_path / "out.csv")
    assert (done.exit_code, done.stdout) == (2, "") and "tsrnn datasets NAME --csv FILE" in done.stderr
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


@pytest.mark.parametrize(
    ("row", "column", "value", "message"),
    [
        (17, "time", "yesterday", "time column 'time', row 17: 'yesterday' is not a time"),
        (300, "time", "2024-13-01", "time column 'time', row 300: '2024-13-01' is not a time"),
        (5, "time", None, "time column 'time', row 5: the time is missing"),
        (5, "time", "2024-01-01T05:00:00+00:00", "duplicated timestamps: 2024-01-01 05:00:00+00:00"),
        (5, "time", "2024-02-01T05:00:00+00:00", "not sorted by time (first step back at 2024-01-01 05:00:00+00:00)"),
        (33, "load", "n/k", "column 'load', row 33: 'n/k' is not a number"),
        (33, "load", "inf", "column 'load' holds infinity"),
    ],
)
def test_bad_cells_are_told_by_row(load_csv, row, column, value, message):
    edit(load_csv, row, column, value)
    done = run("forecast", load_csv, "--time", "time", "--target", "load", "--horizon", 2, "--model", "naive")
    assert done.exit_code == 1
    assert message in done.stderr and done.stderr.count("\n") == 1


def test_a_file_that_is_no_table_is_told(tmp_path):
    for content in (b"", b"time,load\n", b"\xff\xfe\x00", b'time,load\n"2024'):
        (tmp_path / "bad.csv").write_bytes(content)
        done = run("forecast", tmp_path / "bad.csv", "--time", "time", "--target", "load", "--horizon", 2)
        assert done.exit_code == 1 and done.stderr.count("\n") == 1, content


def test_missing_values_and_zones_and_formats_are_read(load_csv, tmp_path):
    edit(load_csv, 299, "load", None)
    args = ["--target", "load", "--horizon", 1, "--model", "naive"]
    assert "2024-01-13 12:00:00+00:00" in run("forecast", load_csv, "--time", "time", *args).stdout
    days = pd.date_range("2024-01-25", periods=10)
    pd.DataFrame({"day": days.strftime("%d/%m/%Y"), "load": range(10)}).to_csv(tmp_path / "days.csv", index=False)
    done = run("forecast", tmp_path / "days.csv", "--time", "day", *args, "--time-format", "%d/%m/%Y")
    assert "2024-02-04" in done.stdout and "00:00" not in done.stdout
    without = run("forecast", tmp_path / "days.csv", "--time", "day", *args)
    assert "row 1: '25/01/2024' is not a time in ISO 8601" in without.stderr and "--time-format" in without.stderr


def test_freq_puts_the_rows_on_its_grid(tmp_path):
    days = pd.date_range("2024-01-01", periods=5, freq="B")
    pd.DataFrame({"day": days, "load": range(5)}).to_csv(tmp_path / "days.csv", index=False)
    args = [tmp_path / "days.csv", "--time", "day", "--target", "load", "--horizon", 1, "--model", "naive"]
    assert "Pass freq='D' or freq='B'" in run("forecast", *args).stderr
    assert "2024-01-06" in run("forecast", *args, "--freq", "D").stdout
    assert "2024-01-08" in run("forecast", *args, "--freq", "B").stdout


def test_traceback_on_request(load_csv, monkeypatch):
    monkeypatch.setenv("TSRNN_TRACEBACK", "1")
    done = run("forecast", load_csv, "--time", "time", "--target", "lod", "--horizon", 2, "--model", "naive")
    assert type(done.exception).__name__ == "DataError"


@pytest.mark.parametrize("name", MODELS)
def test_every_model_of_the_table_can_be_made(name):
    model = make_model(name, seed=3, epochs=2)
    assert type(model).__name__ == MODELS[name][1]
    params = model.get_params(deep=False)
    assert params.get("random_state", 3) == 3 and params.get("epochs", 2) == 2


def test_every_network_can_be_named():
    stems = {name.removesuffix("Regressor") for name in tsrnn.__all__ if name.endswith("Regressor")}
    networks = {f"{stem}Forecaster" for stem in stems} & set(tsrnn.__all__)
    assert networks <= {name for _, name, _ in MODELS.values()}


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


def test_tables_on_a_terminal_are_drawn(load_csv, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    done = run("compare", load_csv, "--time", "time", "--target", "load", "--horizon", 2, "--models", "drift")
    assert "──────" in done.stdout and "fit_seconds" not in done.stdout  # headings break at blanks


@pytest.mark.parametrize(("columns", "drawn"), [(80, True), (40, False)])
def test_no_number_is_cut_on_a_narrow_terminal(load_csv, monkeypatch, columns, drawn):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(columns))
    options = ["--time", "time", "--target", "load", "--horizon", 2, "--models", "drift", "--coverage", 0.9]
    done = run("compare", load_csv, *options)
    assert ("──────" in done.stdout) == drawn and "…" not in done.stdout
    numbers = compare([DriftForecaster()], read_csv(load_csv, "time", ["load"]), target="load", horizon=2).leaderboard()
    assert all(f"{value:.4g}" in done.stdout for value in numbers[["MAE", "RMSE", "MASE"]].to_numpy().ravel())
    assert all(name in done.stdout for name in ("drift", "naive", "snaive"))


class Told:
    """A comparison whose verdicts are known."""

    def __init__(self, against):
        self.against = against

    def leaderboard(self):
        return pd.DataFrame({"model": ["gru", "lstm", "arima", "naive", "snaive"]})

    def verdict(self, model, against):
        return f"{model} is {self.against[against]} than {against}."


@pytest.mark.parametrize(
    ("arima", "naive", "answer"), [("better", "better", "Yes"), ("better", "worse", "No"), ("worse", "better", "No")]
)
def test_the_network_is_worth_it_only_if_it_beats_both(arima, naive, answer):
    text = worth_it(Told({"arima": arima, "naive": naive}))
    assert text == f"Is the neural network worth it? {answer}. gru is {arima} than arima. gru is {naive} than naive."


@pytest.mark.slow
def test_demo_writes_charts_and_forecasts(tmp_path):
    done = run("demo", "--output", tmp_path / "demo", "--epochs", 1)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.count("Is the neural network worth it?") == 2
    names = {"jfk_temp.png", "jfk_temp_forecasts.csv", "aapl_log_price.png", "aapl_log_price_forecasts.csv"}
    assert {path.name for path in (tmp_path / "demo").iterdir()} == names
    forecasts = pd.read_csv(tmp_path / "demo" / "jfk_temp_forecasts.csv")
    assert forecasts.groupby("model")["cutoff"].nunique().to_dict() == dict.fromkeys(
        ["lstm", "gru", "arima", "snaive", "naive"], 20
    )
