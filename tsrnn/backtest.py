"""Forecast a known past from rolling origins: what a model would have said, beside what came.

Imports frames, splits and the forecaster protocol.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.base import clone

from .exceptions import DataError
from .forecasters.mean import MeanForecaster
from .frames import as_names, check_columns, check_frame, check_time_index, infer_grid, season_length, some
from .splits import rolling_cutoffs

__all__ = ["Backtest", "backtest"]


@dataclass(frozen=True, eq=False)
class Backtest:
    """What a backtest found.

    Attributes
    ----------
    forecasts : DataFrame
        Tidy: ``cutoff, ds, step, target, model, y_true, y_pred`` and, with coverage 0.9, ``lower_90, upper_90``.
        ``y_true`` is NaN where nothing was observed; leave these rows out of metrics.
    forecaster : BaseForecaster
        The clone fitted last.
    fit_seconds, predict_seconds : float
        Time spent in ``fit`` and in ``predict_cutoffs``, over all origins.
    n_parameters : int or None
        Numbers learnt by the forecaster; None where it does not say.
    """

    forecasts: pd.DataFrame
    forecaster: object
    fit_seconds: float
    predict_seconds: float
    n_parameters: int | None

    def __repr__(self) -> str:
        rows = self.forecasts
        return (
            f"<Backtest of {rows['model'].iloc[0]!r}: {rows['cutoff'].nunique()} origins from "
            f"{rows['cutoff'].iloc[0]} to {rows['cutoff'].iloc[-1]}, {rows['step'].max()} steps each, fitted in "
            f"{self.fit_seconds:.2f} s, forecast in {self.predict_seconds:.2f} s>"
        )


@dataclass(frozen=True, eq=False)
class Plan:
    """Who forecasts what from where: shared by all models of a comparison.

    Attributes
    ----------
    frame : DataFrame
        The rows given, with all columns.
    observed : DataFrame of shape (n_rows, n_targets)
        The targets on the full grid, NaN in gaps.
    cutoffs : DatetimeIndex of shape (n_windows,)
    target : object
        As the user gave it.
    horizon : int
    step : int
        Rows from one cutoff to the next.
    season_length : int
        The usual season of the frequency, in rows.
    """

    frame: pd.DataFrame
    observed: pd.DataFrame
    cutoffs: pd.DatetimeIndex
    target: object
    horizon: int
    step: int
    season_length: int


def backtest(
    model,
    df: pd.DataFrame,
    *,
    target,
    horizon: int,
    n_windows: int = 20,
    step: int | None = None,
    refit: bool = False,
    coverage: float | None = None,
    name: str | None = None,
) -> Backtest:
    """Forecast from rolling origins in the past.

    The last origin is such that its forecast ends at the last row. Gaps in time count as rows, of missing values.

    Parameters
    ----------
    model : BaseForecaster
        Cloned, never changed. Its ``target`` and ``horizon`` are set where they are None.
    df : DataFrame of shape (n_rows, n_columns)
        Indexed by time. Covariates reach the models that name them.
    target : str or list of str, or None
        The column(s) forecast; None for all.
    horizon : int
        Steps ahead of each cutoff.
    n_windows : int, default=20
        Origins.
    step : int, optional
        Rows from one origin to the next; the horizon by default.
    refit : bool, default=False
        Fit afresh at each origin. Otherwise one fit, on the rows up to the first cutoff, serves all.
    coverage : float, optional
        Adds the bounds of a central interval, e.g. 0.9.
    name : str, optional
        The ``model`` column; from the class by default.

    Returns
    -------
    Backtest

    Raises
    ------
    DataError
        If the history is too short, a column is unknown, or the model is set to another target.

    Examples
    --------
    >>> import pandas as pd
    >>> from tsrnn.forecasters.naive import NaiveForecaster
    >>> df = pd.DataFrame({"y": range(10)}, index=pd.date_range("2024-01-01", periods=10, name="day"))
    >>> result = backtest(NaiveForecaster(), df, target="y", horizon=2, n_windows=2)
    >>> result.forecasts[["ds", "step", "y_true", "y_pred"]]
              ds  step  y_true  y_pred
    0 2024-01-07     1     6.0     5.0
    1 2024-01-08     2     7.0     5.0
    2 2024-01-09     1     8.0     7.0
    3 2024-01-10     2     9.0     7.0
    """
    plan = make_plan(df, target, horizon, n_windows, step, freq=getattr(model, "freq", None))
    return run_plan(model, plan, refit=refit, coverage=coverage, name=name or model_name(model))


def make_plan(df, target, horizon, n_windows, step, freq=None) -> Plan:
    """Check the data and place the origins."""
    df = df.to_frame("y" if df.name is None else df.name) if isinstance(df, pd.Series) else df
    if not isinstance(df, pd.DataFrame):
        raise DataError(f"df must be a pandas DataFrame with a time index, got {type(df).__name__}.")
    targets = as_names(target) or list(df.columns)
    check_columns(df, targets, "target")
    index = check_time_index(df.index, "df")
    df = df.set_axis(index)  # periods -> stamps
    grid = infer_grid(index, freq)
    observed = grid.regularise(check_frame(df[targets], "df"))
    cutoffs = pd.DatetimeIndex(observed.index)[rolling_cutoffs(len(observed), horizon, n_windows, step)]
    step = int(horizon if step is None else step)
    return Plan(df, observed, cutoffs, target, int(horizon), step, season_length(grid.freq))


def run_plan(
    model, plan: Plan, *, refit, coverage, name, on_origin: Callable[[int], object] = lambda done: None
) -> Backtest:
    """Backtest one model; `on_origin` is told how many more origins are done, for a progress bar."""
    batches = [plan.cutoffs[i : i + 1] for i in range(len(plan.cutoffs))] if refit else [plan.cutoffs]
    parts, fit_seconds, predict_seconds = [], 0.0, 0.0
    for cutoffs in batches:
        fitted = _prepare(model, plan)
        start = time.perf_counter()
        fitted.fit(plan.frame.loc[: cutoffs[0]])
        middle = time.perf_counter()
        parts.append(fitted.predict_cutoffs(plan.horizon, plan.frame, cutoffs, coverage=coverage))
        predict_seconds += time.perf_counter() - middle
        fit_seconds += middle - start
        on_origin(len(cutoffs))
    forecasts = _tidy(pd.concat(parts, ignore_index=True), plan.observed, name)
    return Backtest(forecasts, fitted, fit_seconds, predict_seconds, count_parameters(fitted))


def _prepare(model, plan: Plan):
    """Return a fresh clone with target and horizon set where the user left them open."""
    if not hasattr(model, "predict_cutoffs"):
        raise DataError(
            f"{type(model).__name__} is not a tsrnn forecaster (it has no predict_cutoffs). Wrap a scikit-learn "
            "regressor: RegressionForecaster(regressor, window=...)."
        )
    model = clone(model)
    params = model.get_params(deep=False)
    own = as_names(params.get("target"))
    if own:
        missing = [target for target in plan.observed.columns if target not in own]
        if missing:
            raise DataError(f"the model is set to target={params['target']!r}, but {some(missing)} is to be forecast.")
    else:
        model.set_params(target=list(plan.observed.columns) if plan.target is None else plan.target)
    if params.get("horizon", 0) is None:
        model.set_params(horizon=plan.horizon)
    return model


def _tidy(forecasts: pd.DataFrame, observed: pd.DataFrame, name: str) -> pd.DataFrame:
    """Put name and observations in; keep the targets of the plan, in its order."""
    forecasts = forecasts[forecasts["target"].isin(observed.columns)].reset_index(drop=True)
    y_true = np.full(len(forecasts), np.nan)
    for target in observed.columns:
        rows = (forecasts["target"] == target).to_numpy()
        y_true[rows] = observed[target].reindex(forecasts.loc[rows, "ds"]).to_numpy()
    at = list(forecasts.columns).index("y_pred")
    forecasts.insert(at, "model", name)
    forecasts.insert(at + 1, "y_true", y_true)
    order = {target: k for k, target in enumerate(observed.columns)}
    rank = forecasts["target"].map(order).to_numpy()
    return forecasts.iloc[np.lexsort((rank, forecasts["step"], forecasts["cutoff"]))].reset_index(drop=True)


def model_name(model) -> str:
    """Short name of a forecaster: 'lstm' for LSTMForecaster.

    Examples
    --------
    >>> from tsrnn.forecasters.naive import SeasonalNaiveForecaster
    >>> model_name(SeasonalNaiveForecaster())
    'snaive'
    """
    if isinstance(model, MeanForecaster) and model.value is not None:
        return "zero" if model.value == 0 else "constant"
    short = type(model).__name__.removesuffix("Forecaster").lower()
    return {"seasonalnaive": "snaive"}.get(short, short) or type(model).__name__


def count_parameters(fitted) -> int | None:
    """How many numbers a fitted forecaster learnt, or None where it does not say."""
    count = getattr(fitted, "n_parameters_", None)
    if count is not None:
        return int(count)
    weights = getattr(fitted, "weights_", None)
    return None if weights is None else int(sum(np.size(w) for w in weights))
