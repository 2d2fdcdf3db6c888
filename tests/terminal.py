"""What the tests of the terminal share: a command run in this process, and files to read."""

from __future__ import annotations

import numpy as np
import pandas as pd
from typer.testing import CliRunner

from tsrnn.cli import app


def run(*args):
    """Run a command; what it printed, and its exit status."""
    return CliRunner().invoke(app, [str(arg) for arg in args])


def write_load(folder):
    """Write a file of two columns on 300 hours."""
    hours = pd.date_range("2024-01-01", periods=300, freq="h", tz="UTC", name="time")
    season = 10 * np.sin(np.arange(300) * 2 * np.pi / 24)
    noise = np.random.default_rng(0).normal(size=(2, 300))
    frame = pd.DataFrame({"load": season + noise[0], "price": noise[1]}, index=hours)
    frame.to_csv(folder / "load.csv")
    return folder / "load.csv"


def edit(file, row, column, value):
    """Write `value` into one cell; rows count from 1."""
    table = pd.read_csv(file, dtype=str)
    table.loc[row - 1, column] = value
    table.to_csv(file, index=False)
