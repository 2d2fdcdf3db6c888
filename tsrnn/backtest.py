"""Forecast a known past from rolling origins: what a model would have said, beside what came.

Imports frames, splits and the forecaster protocol.
"""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from . import _types as t
from ._progress import work
from ._public import short_name
from .exceptions import DataError
from .forecasters.base import BaseForecaster
from .forecasters.mean import MeanForecaster
from .forecasters.requests import interval_levels
from .frames import (
    as_names,
    infer_grid,
    is_length,
    some,
)
from .frames.grid import numbers_of
from .plans import Columns, Plan, make_plan

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
    n_fits : int
        How often it was fitted.
    fit_seconds, predict_seconds : float
        Time spent in ``fit`` and in ``predict_cutoffs``, over all origins.
    n_parameters : int or None
        Numbers learnt by the forecaster; None where it does not say.
    """

    forecasts: pd.DataFrame
    forecaster: BaseForecaster
    fit_seconds: float
    predict_seconds: float
    n_parameters: int | None
    n_fits: int

    def __repr__(self) -> str:
        rows = self.forecasts
        times = "once" if self.n_fits == 1 else f"{self.n_fits} times"
        return (
            f"<Backtest of {rows['model'].iloc[0]!r}: {rows['cutoff'].nunique()} origins from "
            f"{rows['cutoff'].iloc[0]} to {rows['cutoff'].iloc[-1]}, {rows['step'].max()} steps each, fitted {times} "
            f"in {self.fit_seconds:.2f} s, forecast in {self.predict_seconds:.2f} s>"
        )


def backtest(
    model: BaseForecaster,
    df: pd.DataFrame | pd.Series,
    *,
    target: t.Labels | None,
    horizon: int,
    n_windows: int = 20,
    step: int | None = None,
    refit: bool | int = False,
    coverage: float | None = None,
    name: str | None = None,
    id_col: Hashable | None = None,
    time_col: Hashable | None = None,
    season_length: int | None = None,
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
    refit : bool or int, default=False
        Fit afresh at each origin, or at the first and every so many origins after it. With False one fit, on the rows
        up to the first cutoff, serves all.
    coverage : float, optional
        Adds the bounds of a central interval, e.g. 0.9.
    name : str, optional
        The ``model`` column; from the class by default.
    id_col, time_col, season_length
        As of a forecaster, which is told where it leaves them open; of a table of many series. See `tsrnn.compare`.

    Returns
    -------
    Backtest

    Raises
    ------
    DataError
        Before anything is fitted, if the history is too short, a column is unknown, a covariate is not known over all
        origins, the model is set to another target, or an option is not one.

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
    every = check_refit(refit)
    if coverage is not None:
        interval_levels(coverage)
    freq = getattr(model, "freq", None)
    columns = Columns(id_col, time_col, season_length).or_those_of([model])
    plan = make_plan(df, target, horizon, n_windows, step, freq, columns)
    check_model(model, plan)
    return run_plan(model, plan, every=every, coverage=coverage, name=name or model_name(model))


def check_refit(refit: bool | int) -> int | None:
    """Return at every how many origins to fit, None for once."""
    if isinstance(refit, (bool, np.bool_)):
        return 1 if refit else None
    if not is_length(refit):
        raise DataError(
            f"refit must be False (one fit), True (a fit at each origin) or an integer k of at least 1 (a fit at every "
            f"k-th origin), got {refit!r}."
        )
    return int(refit)


def check_forecaster(model: Any) -> None:
    """Raise `DataError`, with the way out, unless the model is a forecaster."""
    if isinstance(model, type):
        raise DataError(f"{model.__name__} is a class, not a forecaster; write {model.__name__}().")
    if not hasattr(model, "predict_cutoffs"):
        raise DataError(
            f"{type(model).__name__} is not a tsrnn forecaster (it has no predict_cutoffs). Wrap a scikit-learn "
            "regressor: RegressionForecaster(regressor, window=...)."
        )


def check_model(model: BaseForecaster, plan: Plan) -> None:
    """Raise now, before anything is fitted, what the data and the parameters would make the model raise later."""
    check_forecaster(model)
    prepared = prepare(model, plan)
    if plan.long is not None:
        prepared.check_origins(plan.horizon, plan.until(plan.cutoffs[0]), plan.cutoffs)
        return
    freq = getattr(prepared, "freq", None)
    rows = infer_grid(pd.DatetimeIndex(plan.frame.index), freq).regularise(plan.frame[[]]).index
    if not rows.equals(plan.observed.index):
        raise DataError(
            f"freq={freq!r} makes {len(rows)} rows of the data and freq={plan.freq!r} makes {len(plan.observed)}: "
            "different frequencies. Give all models the same freq=, or put the data on a regular grid with df.asfreq()."
        )
    try:
        prepared.check_origins(plan.horizon, plan.frame, plan.cutoffs)
    except AttributeError:  # NotFittedError is one: hooks from elsewhere may read what only their fit sets
        return


def run_plan(model: BaseForecaster, plan: Plan, *, every: int | None, coverage: float | None, name: str) -> Backtest:
    """Backtest one model, fitted at every so many origins."""
    size = every or len(plan.cutoffs)
    batches = [plan.cutoffs[i : i + size] for i in range(0, len(plan.cutoffs), size)]
    parts, fit_seconds, predict_seconds = [], 0.0, 0.0
    with work("Backtesting", len(batches)) as fits:
        for cutoffs in batches:
            with fits.unit("fit", numbered=True):
                fitted = prepare(model, plan)
                start = time.perf_counter()
                fitted.fit(plan.until(cutoffs[0]))
                middle = time.perf_counter()
                asked: Any = numbers_of(cutoffs) if plan.long is not None and plan.long.numbered else cutoffs
                parts.append(fitted.predict_cutoffs(plan.horizon, plan.frame, asked, coverage=coverage))
                predict_seconds += time.perf_counter() - middle
                fit_seconds += middle - start
    forecasts = pd.concat(parts, ignore_index=True)
    forecasts = _tidy(forecasts if plan.long is None else plan.long.named(forecasts), plan.observed, name)
    if plan.periods:  # as the data were indexed
        forecasts = forecasts.assign(**{name: forecasts[name].dt.to_period(plan.periods) for name in ("cutoff", "ds")})
    return Backtest(forecasts, fitted, fit_seconds, predict_seconds, count_parameters(fitted), len(batches))


def prepare(model: BaseForecaster, plan: Plan) -> BaseForecaster:
    """Return a fresh clone with target and horizon set where the user left them open."""
    model = clone(model)
    params = model.get_params(deep=False)
    own = as_names(params.get("target"), plan.frame.columns)
    wanted = list(plan.observed.columns) if plan.long is None else as_names(plan.target, plan.frame.columns)
    if own:
        missing = [target for target in wanted if target not in own]
        if missing:
            raise DataError(f"the model is set to target={params['target']!r}, but {some(missing)} is to be forecast.")
    else:
        model.set_params(target=wanted if plan.target is None else plan.target)
    if plan.long is not None:
        model.set_params(**plan.long.told(model))
    if params.get("horizon", 0) is None:
        model.set_params(horizon=plan.horizon)
    return model


def target_positions(column: pd.Series, targets: Iterable[Hashable]) -> np.ndarray:
    """Position of each row's target among the targets, -1 where it is none of them.

    Labels may be tuples, which pandas takes for levels or for lists as soon as it compares or maps them.

    Examples
    --------
    >>> target_positions(pd.Series([("Close", "A"), ("Open", "A")]), [("Open", "A"), ("Close", "A")])
    array([1, 0])
    """
    order = {target: k for k, target in enumerate(targets)}
    codes, labels = pd.factorize(column.to_numpy(dtype=object))
    return np.array([order.get(label, -1) for label in labels], dtype=int)[codes]


def _tidy(forecasts: pd.DataFrame, observed: pd.DataFrame, name: str) -> pd.DataFrame:
    """Put name and observations in; keep the targets of the plan, in its order."""
    rank = target_positions(forecasts["target"], observed.columns)
    forecasts, rank = forecasts[rank >= 0].reset_index(drop=True), rank[rank >= 0]
    row = observed.index.get_indexer(pd.Index(forecasts["ds"]))
    y_true = np.where(row >= 0, observed.to_numpy()[row, rank], np.nan)
    at = list(forecasts.columns).index("y_pred")
    forecasts.insert(at, "model", name)
    forecasts.insert(at + 1, "y_true", y_true)
    return forecasts.iloc[np.lexsort((rank, forecasts["step"], forecasts["cutoff"]))].reset_index(drop=True)


def model_name(model: BaseForecaster | type[BaseForecaster]) -> str:
    """Short name of a forecaster: 'lstm' for LSTMForecaster.

    Examples
    --------
    >>> from tsrnn.forecasters.naive import SeasonalNaiveForecaster
    >>> model_name(SeasonalNaiveForecaster())
    'snaive'
    """
    if isinstance(model, MeanForecaster) and model.value is not None:
        return "zero" if model.value == 0 else "constant"
    return short_name(model if isinstance(model, type) else type(model))


def count_parameters(fitted: BaseForecaster) -> int | None:
    """How many numbers a fitted forecaster learnt, or None where it does not say."""
    count = getattr(fitted, "n_parameters_", None)
    if count is not None:
        return int(count)
    weights = getattr(fitted, "weights_", None)
    return None if weights is None else int(sum(np.size(w) for w in weights))
