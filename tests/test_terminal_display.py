"""Tables on terminals of several widths."""

from __future__ import annotations

import re

import pytest
from terminal import run

from tsrnn.comparison import compare
from tsrnn.forecasters.naive import DriftForecaster
from tsrnn.terminal.reading import read_table


def test_tables_on_a_terminal_are_drawn(load_csv, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    done = run("compare", load_csv, "--time", "time", "--target", "load", "--horizon", 2, "--models", "drift")
    assert "──────" in done.stdout and "fit_seconds" not in done.stdout  # headings break at blanks


@pytest.mark.parametrize("columns", [80, 60, 40])
def test_no_number_is_cut_on_a_narrow_terminal(load_csv, monkeypatch, columns):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", str(columns))
    options = ["--time", "time", "--target", "load", "--horizon", 2, "--models", "drift", "--coverage", 0.9]
    done = run("compare", load_csv, *options)
    assert "──────" in done.stdout and "…" not in done.stdout
    lines = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout).splitlines()
    assert max(map(len, lines)) <= columns
    numbers = compare(
        [DriftForecaster()], read_table(load_csv, ["time"], ["load"]), target="load", horizon=2
    ).leaderboard()
    assert all(f"{value:.4g}" in done.stdout for value in numbers[["MAE", "RMSE", "MASE"]].to_numpy().ravel())
    assert all(name in done.stdout for name in ("drift", "naive", "snaive"))
