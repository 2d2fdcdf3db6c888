"""How accurate are the defaults? Named protocols on public data, beside published results and floors of the same run.

    TSRNN_BENCH_DATA=folder python benchmarks/accuracy.py [--only ETTh1 power ...] [--models LSTM GRU] [--seeds 3]

The folder holds the files of each protocol (see `PROTOCOLS`) as .csv.gz, one column of times first. Nothing is tuned
here: every forecaster is fitted as its user would get it, with the horizon, and the look-back where the protocol fixes
one. The floors are the last value, the last season, and a ridge regression on windows centred on their last value.
Errors are of all forecasts from all origins of the test part. Networks are fitted once for each seed; the table shows
the mean and the standard deviation over the seeds.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import RidgeCV

import tsrnn
from tsrnn import GRUForecaster, LSTMForecaster, NaiveForecaster, RegressionForecaster, SeasonalNaiveForecaster

CHUNK_VALUES = 2_000_000  # forecasts held at a time


@dataclass(frozen=True)
class Protocol:
    """Data, the rows to fit on, the origins to forecast from, and how errors are counted.

    `unit` divides the errors of each target; `published` are rows of the literature: name -> (MSE or RMSE, MAE).
    """

    frame: pd.DataFrame
    n_fit: int
    cutoffs: np.ndarray
    horizon: int
    season: int
    unit: np.ndarray
    squared: str = "MSE"  # or "RMSE"
    window: int | None = None
    published: dict[str, tuple[float | None, float | None]] = field(default_factory=dict)


# ------------------------------------------------------------------ data


def read(name: str, freq: str | None = None) -> pd.DataFrame:
    """Read a file of the benchmark folder; with `freq`, absent stamps become missing rows."""
    folder = os.environ.get("TSRNN_BENCH_DATA")
    if not folder:
        sys.exit("Set TSRNN_BENCH_DATA to the folder with the benchmark files.")
    frame = pd.read_csv(Path(folder) / f"{name}.csv.gz", index_col=0, parse_dates=True)
    frame = frame.select_dtypes("number").astype(float)
    return frame.asfreq(freq) if freq else frame


def published(dataset: str, horizon: int) -> dict[str, tuple[float | None, float | None]]:
    """Rows of the long-horizon tables, if the folder of the published results stands beside the data."""
    path = Path(os.environ["TSRNN_BENCH_DATA"]).parent.parent / "anchors" / "ltsf_L96_segrnn_readme.csv"
    if not path.exists():
        return {}
    table = pd.read_csv(path).query("dataset == @dataset and H == @horizon")
    return {
        row.model: (row.MSE, row.MAE) for row in table.itertuples() if row.model in ("SegRNN", "PatchTST", "DLinear")
    }


# ------------------------------------------------------------------ protocols


def long_horizon(dataset: str, horizon: int) -> Protocol:
    """Look-back 96, all test windows, errors in units of the training part's standard deviation (Zeng et al., 2023)."""
    if dataset == "exchange":
        frame = read("exchange_rate_daily")
        n = len(frame)
        n_train, n_test = int(0.7 * n), int(0.2 * n)
        n_fit, stop, season = n - n_test, n, 7
    else:
        frame = read(dataset)
        per_hour = 4 if dataset == "ETTm1" else 1
        n_train, n_fit, stop = (per_hour * rows for rows in (8640, 11520, 14400))
        season = 24 * per_hour
    cutoffs = np.arange(n_fit - 1, stop - horizon)
    return Protocol(
        frame[:stop],
        n_fit,
        cutoffs,
        horizon,
        season,
        frame[:n_train].std(ddof=0).to_numpy(),
        window=96,
        published=published(dataset, horizon),
    )


def household_power() -> Protocol:
    """46 whole weeks of daily consumption, each forecast at once from all days before (Brownlee, 2018)."""
    frame = read("household_power_daily")[["Global_active_power"]][1:-6]
    n_fit = len(frame) - 322
    cutoffs = n_fit - 1 + 7 * np.arange(46)
    rows = {"LSTM": (399.456, None), "encoder-decoder LSTM": (372.595, None), "a year ago": (465.294, None)}
    return Protocol(frame, n_fit, cutoffs, 7, 7, np.ones(1), "RMSE", published=rows)


def beijing() -> Protocol:
    """PM2.5 one hour ahead, fitted on the first year (Brownlee, 2017). Hours without a value count as 0, as there."""
    frame = read("beijing_pm25_hourly")[["pm2.5"]].fillna(0.0)[24:]
    n_fit = 365 * 24
    rows = {"LSTM": (26.496, None), "last value": (26.559, None), "AR(1)": (26.319, None)}
    return Protocol(frame, n_fit, np.arange(n_fit - 1, len(frame) - 1), 1, 24, np.ones(1), "RMSE", published=rows)


def sensor(name: str, column: str, horizon: int, season: int, freq: str) -> Protocol:
    """The last fifth of a seasonal sensor series, forecast once in every horizon."""
    frame = read(name, freq)[[column]]
    n_fit = int(0.8 * len(frame))
    return Protocol(
        frame, n_fit, np.arange(n_fit - 1, len(frame) - horizon, horizon), horizon, season, np.ones(1), "RMSE"
    )


def air_quality() -> Protocol:
    frame = read("uci_air_quality_hourly", "h").drop(columns="NMHC(GT)")  # a sensor that failed after two months
    n_fit = int(0.8 * len(frame))
    unit = frame[:n_fit].std(ddof=0).to_numpy()
    return Protocol(frame, n_fit, np.arange(n_fit - 1, len(frame) - 24, 24), 24, 24, unit)


def prices(frame: pd.DataFrame) -> Protocol:
    """Log prices five days ahead, in per cent: the last fifth."""
    frame = 100 * np.log(frame)
    n_fit = int(0.8 * len(frame))
    return Protocol(frame, n_fit, np.arange(n_fit - 1, len(frame) - 5), 5, 5, np.ones(1), "RMSE")


PROTOCOLS: dict[str, Callable[[], Protocol]] = {
    **{
        f"{dataset} {horizon}": (lambda dataset=dataset, horizon=horizon: long_horizon(dataset, horizon))
        for dataset in ("ETTh1", "ETTm1", "exchange")
        for horizon in (96, 192, 336, 720)
    },
    "household power": household_power,
    "Beijing PM2.5": beijing,
    "UCI air quality": air_quality,
    "Victoria electricity": lambda: sensor("vic_elec_30min", "demand_mw", 48, 48, "30min"),
    "bike sharing": lambda: sensor("bike_sharing_hourly", "cnt", 24, 24, "h"),
    "NYC taxi": lambda: sensor("nab_nyc_taxi", "value", 48, 48, "30min"),
    "AAPL": lambda: prices(tsrnn.datasets.load_aapl()[["adj_close"]]),
    "WTI": lambda: prices(tsrnn.datasets.load_wti_crude().dropna()),
    "S&P 500": lambda: prices(read("sp500_daily")[["adj_close"]]),
}


# ------------------------------------------------------------------ models


def floors(protocol: Protocol) -> dict[str, object]:
    options = {"horizon": protocol.horizon, "window": protocol.window}
    return {
        "last value": NaiveForecaster(),
        "last season": SeasonalNaiveForecaster(season_length=protocol.season),
        "ridge": RegressionForecaster(RidgeCV(10.0 ** np.arange(-1, 6)), **options),
    }


NETWORKS = {"LSTM": LSTMForecaster, "GRU": GRUForecaster}


def measure(model, protocol: Protocol) -> dict[str, float]:
    """Fit, forecast from all origins, and return MSE or RMSE, MAE, and seconds of the fit."""
    frame = protocol.frame
    if isinstance(model, RegressionForecaster):
        frame = frame.ffill().bfill()  # ridge regression takes no gaps; the errors are of what was observed
    start = time.perf_counter()
    model.fit(frame[: protocol.n_fit])
    seconds = time.perf_counter() - start
    values, n_targets = protocol.frame.to_numpy(), protocol.frame.shape[1]
    squares = sizes = count = 0.0
    size = max(1, CHUNK_VALUES // (protocol.horizon * n_targets))
    for first in range(0, len(protocol.cutoffs), size):
        rows = protocol.cutoffs[first : first + size]
        tidy = model.predict_cutoffs(protocol.horizon, frame, frame.index[rows])
        forecast = tidy["y_pred"].to_numpy().reshape(len(rows), protocol.horizon, n_targets)
        truth = values[rows[:, None] + np.arange(1, protocol.horizon + 1)]
        error = (forecast - truth) / protocol.unit
        squares, sizes = squares + np.nansum(error**2), sizes + np.nansum(np.abs(error))
        count += np.isfinite(error).sum()
    squared = squares / count
    return {
        protocol.squared: np.sqrt(squared) if protocol.squared == "RMSE" else squared,
        "MAE": sizes / count,
        "seconds": seconds,
    }


# ------------------------------------------------------------------ the table


def row(name: str, squared, mae, seconds="") -> None:
    print(f"| {name} | {squared} | {mae} | {seconds} |", flush=True)


def number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def spread(values: list[float]) -> str:
    return number(values[0]) if len(values) == 1 else f"{np.mean(values):.4g} ± {np.std(values, ddof=1):.2g}"


def report(name: str, protocol: Protocol, networks: list[str], n_seeds: int) -> None:
    print(f"\n**{name}**: {len(protocol.cutoffs)} origins, horizon {protocol.horizon}\n")
    row("", protocol.squared, "MAE", "fit, s")
    print("|---|---|---|---|")
    for published_name, (squared, mae) in protocol.published.items():
        row(f"{published_name} (published)", number(squared), number(mae))
    for floor, model in floors(protocol).items():
        found = measure(model, protocol)
        row(floor, number(found[protocol.squared]), number(found["MAE"]), number(found["seconds"]))
    for network in networks:
        options = {} if protocol.window is None else {"window": protocol.window}
        runs, beats = [], []
        for seed in range(n_seeds):
            model = NETWORKS[network](horizon=protocol.horizon, random_state=seed, **options)
            runs.append(measure(model, protocol))
            beats.append(model.beats_last_value_)
        fell = sum(beat is False for beat in beats)
        note = f" (no evidence of predictability beyond the last value: {fell} of {n_seeds} seeds)" if fell else ""
        row(
            f"tsrnn {network}{note}",
            *(spread([run[key] for run in runs]) for key in (protocol.squared, "MAE", "seconds")),
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=list(PROTOCOLS), help="names of protocols, or how they begin")
    parser.add_argument("--models", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    warnings.simplefilter("error")
    for name, make in PROTOCOLS.items():
        if any(name.startswith(wanted) for wanted in arguments.only):
            report(name, make(), arguments.models, arguments.seeds)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"\nPeak memory {peak:.0f} MB; {os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    )
    print(", ".join(f"{package} {version(package)}" for package in ("tsrnn", "numpy", "pandas", "scikit-learn")))


if __name__ == "__main__":
    main()
