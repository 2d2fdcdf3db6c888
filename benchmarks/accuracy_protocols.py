"""Data, origins and errors of the named protocols of accuracy.py, with published rows where there are any.

A `Protocol` says what accuracy.py needs of any data: floors, a fit, a search, errors. A `WideTable` does it for series
that share one time index; a panel of series with their own lengths would be another subclass.
"""

from __future__ import annotations

import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit

import tsrnn
from tsrnn import NaiveForecaster, RegressionForecaster, SeasonalNaiveForecaster
from tsrnn.metrics import naive_scale

CHUNK_VALUES = 500_000  # forecasts, or values of windows, held at a time

Published = dict[str, dict[str, float]]  # name -> metric -> value


# ------------------------------------------------------------------ what a protocol is


@dataclass(frozen=True, kw_only=True)
class Protocol(ABC):
    """How far ahead is forecast, which errors are counted, and what the literature has for them.

    `metrics` are keys of what `score` returns; `window` is the look-back where the protocol fixes one.
    """

    horizon: int
    season: int
    metrics: tuple[str, ...] = ("RMSE", "MAE")
    window: int | None = None
    published: Published = field(default_factory=dict)

    def floors(self) -> dict[str, object]:
        """Models that a network has to beat, by name."""
        return {
            "last value": NaiveForecaster(),
            "last season": SeasonalNaiveForecaster(season_length=self.season),
            "ridge": RegressionForecaster(RidgeCV(10.0 ** np.arange(-1, 6)), horizon=self.horizon, window=self.window),
        }

    @abstractmethod
    def describe(self) -> str:
        """How much is forecast, for the head of a table."""

    @abstractmethod
    def fit(self, model) -> None:
        """Fit on what comes before the test part."""

    @abstractmethod
    def tune(self, model, grid: dict) -> tuple[object, dict]:
        """Choose from a grid on what comes before the test part; return the model fitted, and what was chosen."""

    @abstractmethod
    def score(self, model) -> dict[str, float]:
        """Errors of a fitted model's forecasts of the test part."""


@dataclass(frozen=True, kw_only=True)
class WideTable(Protocol):
    """Series on one time index: the rows to fit on, then origins to forecast all of them from.

    `unit` divides the errors of each series. `n_train` rows are what the ridge regression of the literature is fitted
    on, thinned to each of `strides` windows. With `carry_gaps` the naive floors read missing values as the last value
    before them, which ridge regressions always do.
    """

    frame: pd.DataFrame
    n_fit: int
    cutoffs: np.ndarray
    unit: np.ndarray | None = None
    n_train: int | None = None
    strides: tuple[int, ...] = (1,)
    carry_gaps: bool = False

    def floors(self) -> dict[str, object]:
        models = super().floors()
        for stride in self.strides if self.n_train else ():
            name = "ridge (reference)" if stride == 1 else f"ridge (reference, each {stride}th window)"
            models[name] = PooledRidge(self.horizon, self.window, self.n_train, self.unit, stride)
        return models

    def describe(self) -> str:
        return f"{len(self.cutoffs)} origins, horizon {self.horizon}, {self.frame.shape[1]} series"

    def fit(self, model) -> None:
        model.fit(self._given(model, self.frame)[: self.n_fit])

    def tune(self, model, grid: dict) -> tuple[object, dict]:
        rows = self.frame[: self.n_fit]
        spread = rows.std(ddof=0).to_numpy()

        def score_fold(fitted, X, y) -> float:
            """Minus the mean absolute error from the origins of the fold, in standard deviations of each series."""
            history = pd.concat([fitted.data_, y])
            cutoffs = np.arange(len(history) - len(y) - 1, len(history) - self.horizon)
            # In a gap longer than its window a model sees nothing of a series.
            seen = history.notna().rolling(fitted.window_, min_periods=1).max().all(axis=1).to_numpy()
            sums = self._sums(fitted, history, cutoffs[seen[cutoffs]])
            return -float(np.mean(sums["size"].sum(axis=0) / sums["count"].sum(axis=0) / spread))

        folds = TimeSeriesSplit(3, test_size=max(self.horizon, self.n_fit // 10))
        search = GridSearchCV(model, grid, cv=folds, scoring=score_fold, error_score="raise")
        search.fit(rows[[]], rows)
        return search.best_estimator_, search.best_params_

    def score(self, model) -> dict[str, float]:
        sums = self._sums(model, self.frame, self.cutoffs)
        unit = np.ones(self.frame.shape[1]) if self.unit is None else self.unit
        count = sums["count"].sum()
        found = {"MSE": (sums["square"] / unit**2).sum() / count, "MAE": (sums["size"] / unit).sum() / count}
        found["RMSE"] = np.sqrt(found["MSE"])
        # The two are means over origins and series, each with errors on its own scale.
        if "MASE" in self.metrics:
            found["MASE"] = np.mean(sums["size"] / sums["count"] / self._scales())
        if "WAPE" in self.metrics:
            found["WAPE"] = np.mean(sums["size"] / sums["truth"])
        return {name: float(found[name]) for name in self.metrics}

    def _given(self, model, frame: pd.DataFrame) -> pd.DataFrame:
        """What a model reads. The errors are of what was observed, whatever stands in its place here."""
        if isinstance(model, RegressionForecaster):
            return frame.ffill().bfill()
        naive = isinstance(model, (NaiveForecaster, SeasonalNaiveForecaster))
        return frame.ffill() if naive and self.carry_gaps else frame

    def _sums(self, model, frame: pd.DataFrame, cutoffs: np.ndarray) -> dict[str, np.ndarray]:
        """Sums over the steps from each cutoff, (n_cutoffs, n_series), in the unit of the data."""
        given, values = self._given(model, frame), frame.to_numpy()
        parts = []
        size = max(1, CHUNK_VALUES // (self.horizon * values.shape[1]))
        for first in range(0, len(cutoffs), size):
            rows = cutoffs[first : first + size]
            tidy = model.predict_cutoffs(self.horizon, given, given.index[rows])
            forecast = tidy["y_pred"].to_numpy().reshape(len(rows), self.horizon, -1)
            truth = values[rows[:, None] + np.arange(1, self.horizon + 1)]
            known = np.isfinite(truth)
            # A missing forecast of a known value makes the sums NaN, so that no model gains by leaving steps out.
            error, truth = np.where(known, forecast - truth, 0.0), np.where(known, truth, 0.0)
            terms = {"square": error**2, "size": np.abs(error), "truth": np.abs(truth), "count": known}
            parts.append({name: term.sum(axis=1) for name, term in terms.items()})
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _scales(self) -> np.ndarray:
        """Mean absolute change over a season up to each cutoff, (n_cutoffs, n_series)."""
        values = self.frame.to_numpy()
        return np.array([[naive_scale(series, self.season) for series in values[: row + 1].T] for row in self.cutoffs])


class PooledRidge:
    """The linear floor of the literature: ridge regression from windows centred on their last value to all steps.

    One map with one intercept serves all series, in units of the training part's standard deviation; the penalty of 1
    is next to nothing. It is independent of tsrnn, and repeats reference values of ETTh1: squared / absolute error of
    .383/.392, .434/.421, .476/.443 and .470/.462 at 96, 192, 336 and 720 steps; ETTm1 at 96 steps .357/.376 with each
    4th window, .351/.371 with all.
    """

    def __init__(self, horizon: int, window: int, n_train: int, unit: np.ndarray, stride: int = 1):
        self.horizon, self.window, self.n_train, self.unit, self.stride = horizon, window, n_train, unit, stride

    def fit(self, frame: pd.DataFrame) -> PooledRidge:
        values = frame.to_numpy()[: self.n_train] / self.unit
        length = self.window + self.horizon
        moments, n = np.zeros((self.window + 1, length + 1)), 0
        # (n_windows, n_series, window + horizon)
        windows = np.lib.stride_tricks.sliding_window_view(values, length, axis=0)[:: self.stride]
        size = max(1, CHUNK_VALUES // (length * values.shape[1]))
        for first in range(0, len(windows), size):
            block = windows[first : first + size].reshape(-1, length)
            block = np.column_stack([block - block[:, [self.window - 1]], np.ones(len(block))])
            # [X 1]'[X Y 1]
            moments += np.column_stack([block[:, : self.window], block[:, -1]]).T @ block
            n += len(block)
        mean, (means_x, means_y) = moments[-1] / n, np.split(moments[-1, :-1] / n, [self.window])
        centred = moments[:-1] - n * means_x[:, None] * mean
        gram = centred[:, : self.window] + np.eye(self.window)
        self.coef_ = np.linalg.solve(gram, centred[:, self.window : -1])
        self.intercept_ = means_y - means_x @ self.coef_
        return self

    def predict_cutoffs(self, steps: int, history: pd.DataFrame, cutoffs: pd.DatetimeIndex) -> pd.DataFrame:
        rows = history.index.get_indexer(cutoffs)
        windows = history.to_numpy()[rows[:, None] + np.arange(1 - self.window, 1)] / self.unit  # (n, window, series)
        level = windows[:, -1:]
        change = np.einsum("nwk,wh->nhk", windows - level, self.coef_, optimize=True) + self.intercept_[:, None]
        return pd.DataFrame({"y_pred": ((level + change) * self.unit).ravel()})


# ------------------------------------------------------------------ data


def data_folder() -> Path:
    folder = os.environ.get("TSRNN_BENCH_DATA")
    if not folder:
        sys.exit("Set TSRNN_BENCH_DATA to the folder with the benchmark files.")
    return Path(folder)


def read(name: str, freq: str | None = None) -> pd.DataFrame:
    """Read a file of the benchmark folder; with `freq`, absent stamps become missing rows."""
    frame = pd.read_csv(data_folder() / f"{name}.csv.gz", index_col=0, parse_dates=True)
    frame = frame.select_dtypes("number").astype(float)
    return frame.asfreq(freq) if freq else frame


def published(
    file: str, where: dict[str, object], name: str, names: tuple[str, ...], columns: dict[str, str]
) -> Published:
    """Rows of a table of results, if the folder of the published results stands beside the data.

    `where` holds what columns must be equal to, `columns` which metric stands in which column.
    """
    path = data_folder().parent.parent / "anchors" / f"{file}.csv"
    if not path.exists():
        return {}
    table = pd.read_csv(path)
    table = table[np.logical_and.reduce([table[column] == value for column, value in where.items()])].set_index(name)
    return {row: {metric: table.at[row, column] for metric, column in columns.items()} for row in names}


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
    models, columns = ("SegRNN", "PatchTST", "DLinear"), {"MSE": "MSE", "MAE": "MAE"}
    where = {"dataset": dataset, "H": horizon}
    return WideTable(
        frame=frame[:stop],
        n_fit=n_fit,
        cutoffs=np.arange(n_fit - 1, stop - horizon),
        horizon=horizon,
        season=season,
        unit=frame[:n_train].std(ddof=0).to_numpy(),
        metrics=("MSE", "MAE"),
        window=96,
        n_train=n_train,
        strides=(1, 4) if dataset == "ETTm1" else (1,),
        published={} if dataset == "exchange" else published("ltsf_L96_segrnn_readme", where, "model", models, columns),
    )


def last_windows(frame: pd.DataFrame, horizon: int, n_windows: int) -> dict:
    """Windows one after the other up to the last row, and all rows before them to fit on."""
    n_fit = len(frame) - horizon * n_windows
    return {"frame": frame, "n_fit": n_fit, "cutoffs": n_fit - 1 + horizon * np.arange(n_windows), "horizon": horizon}


def gift_eval(term: str) -> Protocol:
    """ETT1/H of GIFT-Eval (Aksu et al., 2024), which is the sum of each hour of ETTm1, not ETTh1.

    A tenth of the rows, at most 20 windows; MASE is the mean over windows and series, scaled by the history before each
    window. Published rows "Seasonal_Naive" and "Naive" are repeated to all digits of single precision.
    """
    frame = read("ETTm1").resample("h").sum()
    horizon = {"short": 48, "medium": 480, "long": 720}[term]
    models = ("PatchTST", "iTransformer", "DeepAR", "Auto_Arima", "Seasonal_Naive", "Naive")
    columns = {"MSE": "eval_metrics/MSE[mean]", "MAE": "eval_metrics/MAE[0.5]", "MASE": "eval_metrics/MASE[0.5]"}
    return WideTable(
        **last_windows(frame, horizon, min(20, int(np.ceil(0.1 * len(frame) / horizon)))),
        season=24,
        metrics=tuple(columns),
        published=published("gift_eval_selected", {"dataset": f"ett1/h/{term}"}, "model", models, columns),
    )


def fev_air_quality() -> Protocol:
    """Four pollutants a week ahead, 20 windows: a task of fev-bench (Shchur et al., 2025), without its weather columns.

    The values are rounded as in the archive's text file, halves up, without which published naive rows differ in the
    fifth digit. With gaps carried forward both are repeated to single precision.
    """
    frame = read("uci_air_quality_hourly", "h")[["CO(GT)", "C6H6(GT)", "NOx(GT)", "NO2(GT)"]]
    frame["C6H6(GT)"] = frame["C6H6(GT)"].round(1)
    frame[["NOx(GT)", "NO2(GT)"]] = np.floor(frame[["NOx(GT)", "NO2(GT)"]] + 0.5)
    models = ("Chronos-2", "Stat. Ensemble", "LightGBM", "DeepAR", "PatchTST", "AutoARIMA", "Seasonal Naive", "Naive")
    columns = {"MASE": "MASE", "WAPE": "WAPE"}
    return WideTable(
        **last_windows(frame, 168, 20),
        season=24,
        metrics=tuple(columns),
        carry_gaps=True,
        published=published("fev_selected", {"task_name": "uci_air_quality_1H"}, "model_name", models, columns),
    )


def household_power() -> Protocol:
    """46 whole weeks of daily consumption, each forecast at once from all days before (Brownlee, 2018)."""
    frame = read("household_power_daily")[["Global_active_power"]][1:-6]
    rows = {"LSTM": 399.456, "encoder-decoder LSTM": 372.595, "a year ago": 465.294}
    return WideTable(
        **last_windows(frame, 7, 46), season=7, published={name: {"RMSE": value} for name, value in rows.items()}
    )


def beijing() -> Protocol:
    """PM2.5 one hour ahead, fitted on the first year (Brownlee, 2017). Hours without a value count as 0, as there."""
    frame = read("beijing_pm25_hourly")[["pm2.5"]].fillna(0.0)[24:]
    rows = {"LSTM": 26.496, "last value": 26.559, "AR(1)": 26.319}
    return WideTable(
        **last_windows(frame, 1, len(frame) - 365 * 24),
        season=24,
        published={name: {"RMSE": value} for name, value in rows.items()},
    )


def last_fifth(frame: pd.DataFrame, horizon: int, season: int, step: int, **options) -> Protocol:
    """The last fifth of the rows, forecast every `step` rows."""
    n_fit = int(0.8 * len(frame))
    cutoffs = np.arange(n_fit - 1, len(frame) - horizon, step)
    return WideTable(frame=frame, n_fit=n_fit, cutoffs=cutoffs, horizon=horizon, season=season, **options)


def sensor(name: str, column: str, season: int, freq: str) -> Protocol:
    """A seasonal sensor series, one season ahead."""
    return last_fifth(read(name, freq)[[column]], season, season, step=season)


def air_quality() -> Protocol:
    frame = read("uci_air_quality_hourly", "h").drop(columns="NMHC(GT)")  # a sensor that failed after two months
    unit = frame[: int(0.8 * len(frame))].std(ddof=0).to_numpy()
    return last_fifth(frame, 24, 24, step=24, unit=unit, metrics=("MSE", "MAE"))


def prices(frame: pd.DataFrame) -> Protocol:
    """Log prices five days ahead, in per cent."""
    return last_fifth(100 * np.log(frame), 5, 5, step=1)


PROTOCOLS: dict[str, Callable[[], Protocol]] = {
    **{
        f"{dataset} {horizon}": (lambda dataset=dataset, horizon=horizon: long_horizon(dataset, horizon))
        for dataset in ("ETTh1", "ETTm1", "exchange")
        for horizon in (96, 192, 336, 720)
    },
    **{f"GIFT-Eval ETT1/H {term}": (lambda term=term: gift_eval(term)) for term in ("short", "medium", "long")},
    "fev UCI air quality": fev_air_quality,
    "household power": household_power,
    "Beijing PM2.5": beijing,
    "UCI air quality": air_quality,
    "Victoria electricity": lambda: sensor("vic_elec_30min", "demand_mw", 48, "30min"),
    "bike sharing": lambda: sensor("bike_sharing_hourly", "cnt", 24, "h"),
    "NYC taxi": lambda: sensor("nab_nyc_taxi", "value", 48, "30min"),
    "AAPL": lambda: prices(tsrnn.datasets.load_aapl()[["adj_close"]]),
    "WTI": lambda: prices(tsrnn.datasets.load_wti_crude().dropna()),
    "S&P 500": lambda: prices(read("sp500_daily")[["adj_close"]]),
}

#: Fitted within a few seconds, so that a search over settings takes a minute.
SMALL = ("household power", "Beijing PM2.5", "bike sharing", "NYC taxi", "AAPL", "WTI", "S&P 500")
