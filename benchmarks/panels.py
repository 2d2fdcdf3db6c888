"""Many series at once: accuracy on four public panels, and seconds and memory by the number of series.

    python benchmarks/panels.py accuracy FOLDER     M4 hourly and weekly, M3 monthly and NN5, as CSV files in FOLDER
    python benchmarks/panels.py scale               100, 1,000 and 10,000 made series of 1,000 rows

Each line is a process of its own, so that its memory is its own. Models have default settings, and are told the season.
The test parts are those of the competitions. MASE and sMAPE are means over series, as in the M4 competition.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

#: File, season of the scale of MASE, season that models are told, horizon.
PANELS: dict[str, tuple[str, int, int, int]] = {
    "M4 hourly": ("m4_hourly", 24, 24, 48),
    "M4 weekly": ("m4_weekly", 1, 52, 13),
    "M3 monthly": ("m3_monthly", 12, 12, 18),
    "NN5 daily": ("nn5_daily_wide", 7, 7, 56),
}
MODELS = ("naive", "snaive", "ridge", "gru", "lstm")
LONG = {"id_col": "series_id", "time_col": "t", "target": "value"}


def make(name: str, horizon: int, season: int) -> Any:
    """A model with default settings."""
    import tsrnn

    if name == "naive":
        return tsrnn.NaiveForecaster(**LONG)
    if name in ("snaive", "mean"):
        cls = {"snaive": tsrnn.SeasonalNaiveForecaster, "mean": tsrnn.MeanForecaster}[name]
        return cls(**LONG, **({"season_length": season} if name == "snaive" else {}))
    cls = {"ridge": tsrnn.RidgeForecaster, "gru": tsrnn.GRUForecaster, "lstm": tsrnn.LSTMForecaster}[name]
    seed = {} if name == "ridge" else {"random_state": 0}
    return cls(horizon=horizon, season_length=season, **LONG, **seed)


def read(folder: Path, name: str, horizon: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The training and the test part, both long."""
    path = next(folder.glob(f"{name}.csv*"))
    if name != "nn5_daily_wide":
        df = pd.read_csv(path)
        columns = ["series_id", "t", "value"]
        return df[df["split"] == "train"][columns], df[df["split"] != "train"][columns]
    wide = pd.read_csv(path, parse_dates=["date"])
    long = wide.melt("date", var_name="series_id", value_name="value").rename(columns={"date": "t"})
    last = long["t"].drop_duplicates().sort_values().iloc[-horizon]
    return long[long["t"] < last], long[long["t"] >= last]


def score(train: pd.DataFrame, test: pd.DataFrame, forecast: pd.DataFrame, season: int) -> tuple[float, float]:
    """MASE and sMAPE, means over series."""
    both = test.merge(forecast, on=["series_id", "t"], suffixes=("", "_forecast"))
    if len(both) != len(test):
        raise RuntimeError(f"{len(test) - len(both)} rows of the test part have no forecast")
    by_series = train.groupby("series_id")["value"]
    scale = by_series.apply(lambda y: np.nanmean(np.abs(y.to_numpy()[season:] - y.to_numpy()[:-season])))
    error = (both["value"] - both["value_forecast"]).abs()
    percent = 200 * error / (both["value"].abs() + both["value_forecast"].abs())
    mase = error.groupby(both["series_id"]).mean() / scale
    return float(mase[np.isfinite(mase)].mean()), float(percent.groupby(both["series_id"]).mean().mean())


def made(n_series: int, n_rows: int = 1_000) -> pd.DataFrame:
    """Days with noise, of different phase and level."""
    rng = np.random.default_rng(0)
    waves = np.sin(np.arange(n_rows) * 2 * np.pi / 24 + rng.uniform(0, 6, (n_series, 1)))
    y = waves + 0.3 * rng.normal(size=waves.shape) + rng.uniform(2, 9, (n_series, 1))
    hours = pd.date_range("2024-01-01", periods=n_rows, freq="h")
    return pd.DataFrame(
        {"series_id": np.repeat(np.arange(n_series), n_rows), "t": np.tile(hours, n_series), "value": y.ravel()}
    )


def run(job: str, model: str, folder: Path | None) -> str:
    """One line of a table."""
    warnings.simplefilter("ignore")
    season, told, horizon = 24, 24, 24
    if folder is None:
        train, test = made(int(job)), None
    else:
        name, season, told, horizon = PANELS[job]
        train, test = read(folder, name, horizon)
    start = time.perf_counter()
    fitted = make(model, horizon, told).fit(train)
    middle = time.perf_counter()
    forecast = fitted.predict(horizon)
    end = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    scores = ("", "") if test is None else (f"{n:.3f}" for n in score(train, test, forecast, season))
    return "{:<12}{:<8}{:>9}{:>9}{:>9.1f}{:>9.1f}{:>8.0f}".format(
        job, model, *scores, middle - start, end - middle, peak
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("table", choices=("accuracy", "scale"))
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--job", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.table == "accuracy" and given.folder is None:
        parser.error("accuracy needs the folder of the files")
    if given.job:
        print(run(*given.job, given.folder), flush=True)
        return
    head = ("", "model", "MASE", "sMAPE", "fit s", "pred. s", "MB")
    print("{:<12}{:<8}{:>9}{:>9}{:>9}{:>9}{:>8}".format(*head), flush=True)
    scale = given.table == "scale"
    models = ("snaive", "mean", "ridge", "gru") if scale else MODELS
    for job in ("100", "1000", "10000") if scale else PANELS:
        for model in models:
            folder = [] if given.folder is None else [str(given.folder)]
            subprocess.run([sys.executable, __file__, given.table, *folder, "--job", job, model], check=True)


if __name__ == "__main__":
    main()
