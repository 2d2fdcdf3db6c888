"""Hold forecasters against each other and against trivial forecasts, on the same rows.

Imports backtest, baselines, scores and verdicts; plots when asked to draw.
"""

from __future__ import annotations

import html
import numbers
import os
import warnings
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from sklearn.exceptions import FitFailedWarning

from . import _types as t
from ._bar import Bar
from ._checks import check_int
from ._metric import Metric
from ._progress import work
from ._warnings import warn_user
from .backtest import Backtest, check_model, check_refit, model_name, run_plan
from .baselines import trivial_kind, with_baselines
from .exceptions import DataError, SilentNetworkWarning
from .forecasters.base import BaseForecaster
from .forecasters.naive import NaiveForecaster, SeasonalNaiveForecaster
from .forecasters.requests import interval_levels
from .forecasters.ridge import RidgeForecaster
from .frames import some
from .frames.grid import numbers_of
from .metrics import USUAL
from .plans import Columns, Plan, check_observed, check_season, make_plan
from .scores import best_first, check_metrics, scales, score_blocks, score_models, units, usual_sort, with_units
from .verdicts import Errors, Verdict, listed, network_share, of_network

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Comparison", "compare"]


def compare(
    models: Mapping[str, BaseForecaster] | Sequence[BaseForecaster] | BaseForecaster,
    df: pd.DataFrame | pd.Series,
    *,
    target: t.Labels | None,
    horizon: int,
    n_windows: int = 20,
    step: int | None = None,
    refit: bool | int = False,
    coverage: float | None = None,
    season_length: int | None = None,
    error_score: float | str = np.nan,
    progress: bool | str = "auto",
    metrics: Iterable[Metric | Callable[..., float] | str] | None = None,
    id_col: Hashable | None = None,
    time_col: Hashable | None = None,
) -> Comparison:
    """Backtest several forecasters on the same origins, beside the trivial forecasts that fit the series.

    Parameters
    ----------
    models : dict of str to BaseForecaster, or list of BaseForecaster
        Cloned, never changed; a list gets names from the classes. ``target`` and ``horizon`` are set where they are
        None; a horizon already set is kept, and the model forecasts as many steps as are asked for from it.

        Added unless one of their kind is given: ``naive`` (the last value); ``snaive`` (the season before), unless
        ``season_length`` is 1, where the two are the same; ``mean`` and ``zero``, where the series moves around them:
        where from origins up to the first cutoff their error is at most a quarter above that of the better one of
        ``naive`` and ``snaive``, for some target; and ``ridge`` where a network is among the models, a ridge
        regression that reads what the network reads, and to which the network must add something.
    df : DataFrame of shape (n_rows, n_columns)
        Indexed by time. Covariates reach the models that name them.
    target : str or list of str, or None
        The column(s) forecast; None for all.
    horizon : int
        Steps ahead of each cutoff.
    n_windows : int, default=20
        Origins; the last forecast ends at the last row.
    step : int, optional
        Rows from one origin to the next; the horizon by default.
    refit : bool or int, default=False
        Fit every model afresh at each origin, or at the first and every so many origins after it. With False one fit,
        on the rows up to the first cutoff, serves all.
    coverage : float, optional
        Adds the bounds of a central interval, e.g. 0.9, and the share of observations inside to the leaderboard.
    season_length : int, optional
        Rows in a season, for the seasonal naive forecast added and the scale of MASE; the usual one of the frequency
        by default (a day of hours, a week of days).
    error_score : NaN or "raise", default=NaN
        What becomes of a model that fails: a row with its error and without numbers, and a warning that names it; or
        the error is raised, and the comparison stops.
    progress : bool or "auto", default="auto"
        Show one bar for all of the work, on a terminal or in a notebook: at once, or what takes more than three
        seconds (``"auto"``).
    metrics : list of callable, Metric or str, optional
        The columns of the leaderboard, the first of which sorts it: functions ``f(y_true, y_pred)``, such as those of
        `tsrnn.metrics` and scikit-learn, names of those of `tsrnn.metrics`, or a `tsrnn.metrics.Metric`, which says
        more of a function: its unit, whether higher is better, and what else it needs. By default ``MAE``, ``RMSE``,
        ``sMAPE``, ``MASE`` and ``skill``.
    id_col, time_col : label, optional
        Columns of a long table of many series, which models that leave them open are told, as of `season_length`. An
        index of two levels, series and time, needs neither. All series are forecast from the same origins; numbered
        rows end together. Each counts as a target: ``leaderboard(by="series")`` has them one by one, and all other
        numbers are means over them.

    Returns
    -------
    Comparison

    Raises
    ------
    DataError
        Before anything is fitted, if the data are not fit for it, a model cannot use them or has a parameter that is
        none, a covariate is not known over all origins, or an option is not one; the message names the model. Later,
        if every model fails. With ``error_score="raise"`` also if a model refuses the data or leaves a forecast empty.
    RuntimeError
        With ``error_score="raise"`` if a model fails in another way; the message names it, and the cause is chained.

    Warns
    -----
    FitFailedWarning
        Of scikit-learn, for each model that fails.

    Examples
    --------
    >>> import pandas as pd
    >>> from tsrnn.forecasters.naive import DriftForecaster
    >>> index = pd.date_range("2024-01-01", periods=40, name="day")
    >>> df = pd.DataFrame({"load": [i + i % 7 for i in range(40)]}, index=index)
    >>> result = compare([DriftForecaster()], df, target="load", horizon=7, n_windows=3)
    >>> result.leaderboard()[["model", "MAE", "skill"]].round(2)
        model   MAE  skill
    0   drift  2.39   0.66
    1   naive  3.29   0.53
    2  snaive  7.00   0.00
    """
    every = _check_options(refit, coverage, season_length, error_score, progress)
    columns = check_metrics(metrics, coverage)
    named = _named(models)
    freqs = [freq for model in named.values() if (freq := getattr(model, "freq", None)) is not None]
    columns_of_time = Columns(id_col, time_col, season_length).or_those_of(named.values())
    plan = make_plan(df, target, horizon, n_windows, step, freqs[0] if freqs else None, columns_of_time)
    check_observed(plan)
    season_length = plan.season_length if season_length is None else season_length
    check_season(plan, season_length)
    for name, model in named.items():
        _check_named(name, model, plan)
    everyone = with_baselines(named, plan, season_length)
    runs, failures = {}, {}
    with work("Comparing", len(everyone), show=_shown(progress), even=False) as models_tried:
        for i, (name, model) in enumerate(everyone.items(), start=1):
            try:
                with models_tried.unit(f"{name} ({i} of {len(everyone)})"):
                    runs[name] = _run(name, model, plan, every, coverage)
            except Exception as exc:
                models_tried.done += 1
                if error_score == "raise":
                    raise _with_name(name, exc) from exc
                failures[name] = f"{type(exc).__name__}: {exc}"
                if name in named:  # of what nobody asked for, the row is enough
                    _warn_of_failure(name, failures[name])
    if not runs:
        raise DataError(f"every model failed. {' '.join(f'{name!r}: {why}' for name, why in failures.items())}")
    forecasts = pd.concat([run.forecasts for run in runs.values()], ignore_index=True)
    return Comparison(forecasts, runs, plan, scales(plan.train, season_length), _reference(runs), failures, columns)


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Forecasts of several models from the same origins, and what they are worth.

    Attributes
    ----------
    forecasts : DataFrame
        Tidy: ``cutoff, ds, step, target, model, y_true, y_pred`` and, with coverage 0.9, ``lower_90, upper_90``.
    runs : dict of str to Backtest
        Timings and fitted forecasters by name, of the models that did not fail.
    scale : dict of target to float
        What MASE divides by: the mean absolute error of the seasonal naive forecast up to the first cutoff.
    reference : str
        The model that skill is measured against: the seasonal naive one, or the naive one where there is no season.
    failures : dict of str to str
        The errors of the models that failed, by name.
    metrics : tuple of Metric
        The columns of the leaderboard.
    """

    forecasts: pd.DataFrame
    runs: dict[str, Backtest]
    plan: Plan
    scale: dict[Hashable, float]
    reference: str
    failures: dict[str, str] = field(default_factory=dict)
    metrics: tuple[Metric, ...] = USUAL

    # ------------------------------------------------------------------ numbers

    def leaderboard(self, by: str | None = None, sort: str | None = None) -> pd.DataFrame:
        """Metrics of each model, best first.

        Rows where nothing was observed count for no model. With several targets each metric is the mean over them.
        What has no unit stands first then, and sorts; the means of what has one (MAE and RMSE), which may differ from
        target to target, stand last: read ``by="target"`` instead.

        Parameters
        ----------
        by : {"step", "target", "cutoff", "series"}, optional
            One block of rows for each value of this column instead of one row per model. Of many series, each is a
            target.
        sort : str, optional
            The column to sort by. By default the first of the metrics, MAE; where a number is the mean over several
            targets the first that has no unit, MASE.

        Returns
        -------
        DataFrame
            ``model``; the metrics asked for, or else ``MAE`` and ``RMSE`` (in the unit of the target), ``sMAPE``
            (percent), ``MASE``, ``skill`` (1 - MAE / MAE of the reference; above 0 is better than it); the share of
            observations in the interval if there is one; and, without `by`, ``fit_seconds``, ``predict_seconds`` and
            ``parameters``; where there are networks ``network_share`` (see `networks`), and where a model failed
            ``error``: its row has no numbers, and stands at the end.
        """
        if by not in (None, "step", "target", "cutoff", "series") or (by == "series" and self.plan.long is None):
            of_many = "" if self.plan.long is None else ", 'series'"
            raise DataError(f"by={by!r} is not one of 'step', 'target', 'cutoff'{of_many}.")
        if by == "series":
            return self.leaderboard("target", sort).rename(columns={"target": "series"})
        known = self.forecasts[self.forecasts["y_true"].notna()]
        if by is None:
            scores = score_models(known, self.scale, self.reference, self.metrics)
            table = scores.set_index("model").join(self._costs(), how="right").reset_index(names="model")
        else:
            table = score_blocks(known, by, self.scale, self.reference, self.metrics)
        if sort is None:
            sort = usual_sort(table, self.metrics, mixed=len(self.scale) > 1 and by != "target")
        return best_first(table, sort, self.metrics)

    def _costs(self) -> pd.DataFrame:
        """What each model cost, of a network what it gave, and of one that failed why; by name."""
        names = [*self.runs, *self.failures]
        runs = [self.runs.get(name) for name in names]
        table = pd.DataFrame(
            {
                "fit_seconds": [run.fit_seconds if run else np.nan for run in runs],
                "predict_seconds": [run.predict_seconds if run else np.nan for run in runs],
                "parameters": pd.array([run.n_parameters if run else None for run in runs], dtype="Int64"),
                "network_share": [network_share(run.forecaster) if run else np.nan for run in runs],
            },
            index=names,
        )
        if table["network_share"].isna().all():
            del table["network_share"]
        if self.failures:
            table["error"] = [self.failures.get(name) for name in names]
        return table

    @cached_property
    def _errors(self) -> Errors:
        trivial = {name: kind for name, run in self.runs.items() if (kind := trivial_kind(run.forecaster))}
        # Forecasts from origins less than a horizon apart share rows, and their errors are correlated.
        overlap = -(-self.plan.horizon // self.plan.step) - 1
        return Errors.of(self.forecasts, units(self.plan.train, self.scale), trivial, overlap)

    @property
    def best_trivial(self) -> dict[Hashable, str]:
        """For each target the trivial forecast with the smallest MAE over all origins: what a model has to beat."""
        targets = list(self.scale)
        return {targets[at]: name for at, name in self._errors.best_trivial.items()}

    # ------------------------------------------------------------------ words

    def verdict(self, model: str, against: str | None = None) -> Verdict:
        """Say in a sentence whether one model forecasts better than another.

        The two are compared origin by origin, so that a hard day counts against both (Diebold and Mariano, 1995), in
        a two-sided test at 5 % that allows for overlapping forecasts. It is a statement about these two: who picks
        them out of many after the fact should read `predictability`, which corrects for that. Of a model that is
        better than another one, but not clearly better than the best trivial forecast, a second sentence says so.

        Parameters
        ----------
        model : str
            Name in the comparison.
        against : str, optional
            Another; by default the best trivial forecast, chosen on the same origins, which makes it look better than
            it is.

        Returns
        -------
        Verdict
            A sentence, a string, whose attributes are its facts: `better`, `worse` or `tied`, `difference`, `interval`,
            `wins` of `origins`, `p_value`. Of a model that failed, that it did, and why.
        """
        for name in (model, against):
            if name in self.failures:
                return Verdict(f"{name} failed, and there is nothing to compare: {self.failures[name]}")
            if name is not None and name not in self.runs:
                raise DataError(f"no model {name!r} in this comparison: {', '.join(map(repr, self.runs))}.")
        return self._errors.verdict(model, against)

    def predictability(self) -> Verdict:
        """Say in a sentence whether any model forecasts clearly better than the best trivial forecast.

        Where none does, as is usual of prices and returns, that is the forecast to use, and what a model gains in one
        backtest it loses in the next. "Clearly": by a one-sided test at 5 % with Holm's correction for the number of
        models that are not trivial themselves. The best of the trivial forecasts (last value, season, mean, zero) is
        chosen on the same origins, which makes it look better than it is: the test is the stricter for it.

        Returns
        -------
        Verdict
            A sentence, a string; its attributes are its facts: `better` says whether any does, and `models` which.

        References
        ----------
        Diebold & Mariano (1995), "Comparing predictive accuracy", JBES 13(3). Holm (1979), "A simple sequentially
        rejective multiple test procedure", Scand. J. Statist. 6.
        """
        return self._errors.predictability()

    def networks(self) -> str:
        """Say what in the forecasts of each network comes from its networks; empty where there is no network.

        The rest comes from the ridge regression, or the last value, to which they add. The share is that of the
        forecaster fitted last. A network that did not beat the best trivial forecast on its own validation part
        forecasts that one instead.

        Returns
        -------
        str
        """
        ridge = next((name for name, run in self.runs.items() if type(run.forecaster) is RidgeForecaster), None)
        said = [of_network(name, run.forecaster, self._errors, ridge) for name, run in self.runs.items()]
        return " ".join(filter(None, said))

    # ------------------------------------------------------------------ output

    def plot(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the last forecasts against the observations; see `tsrnn.plots.plot_comparison`. Returns the axes."""
        from .plots import plot_comparison

        failed = [name for name in options.get("models") or () if name in self.failures]
        if failed:
            raise DataError(f"model {failed[0]!r} failed and has no forecasts to draw: {self.failures[failed[0]]}")
        return plot_comparison(self.forecasts, history=self.plan.observed, ax=ax, **options)

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write the forecasts as CSV."""
        self.forecasts.to_csv(path, index=False)

    def __repr__(self) -> str:
        table = self._readable().to_string(index=False, float_format="{:.4g}".format)
        return "\n".join([self._headline(), table, *self._sentences()])

    def _repr_html_(self) -> str:
        table = self._readable().to_html(index=False, float_format="{:.4g}".format)
        return table + "".join(f"<p>{html.escape(sentence)}</p>" for sentence in self._sentences())

    def _headline(self) -> str:
        plan, observed = self.plan, self.plan.observed.columns
        where = ", ".join(map(str, observed)) if plan.long is None else f"{len(observed)} series ({some(observed, 3)})"
        cutoffs: pd.Index = plan.cutoffs
        if plan.periods:
            cutoffs = plan.cutoffs.to_period(plan.periods)
        elif plan.long is not None and plan.long.numbered:
            cutoffs = numbers_of(plan.cutoffs)
        return (
            f"Comparison of {len(self.runs) + len(self.failures)} models on {where}: {len(cutoffs)} origins from "
            f"{cutoffs[0]} to {cutoffs[-1]}, {plan.horizon} steps each; skill against {self.reference}."
        )

    def _sentences(self) -> list[str]:
        said = [self.predictability(), self.networks()]
        mixed = with_units(self.metrics) if len(self.scale) > 1 else []
        if mixed:
            are = "are means" if len(mixed) > 1 else "is a mean"
            each, by = ("targets", "target") if self.plan.long is None else ("series", "series")
            said.append(
                f"{listed(mixed)} {are} over {each}, whose units may differ: leaderboard(by='{by}') has each alone."
            )
        return [sentence for sentence in said if sentence]

    def _readable(self) -> pd.DataFrame:
        table = self.leaderboard()
        blank = {name: "-" for name in ("parameters", "network_share", "error") if name in table}
        return table.astype(dict.fromkeys(blank, object)).fillna(blank)


# ---------------------------------------------------------------------- before the first fit


def _check_options(
    refit: bool | int, coverage: float | None, season_length: int | None, error_score: float | str, progress: bool | str
) -> int | None:
    """Raise for an option that is none; return at every how many origins to fit."""
    if coverage is not None:
        interval_levels(coverage)
    check_int("season_length", season_length, none=True)
    is_nan = isinstance(error_score, numbers.Real) and bool(np.isnan(float(error_score)))
    if not is_nan and not (isinstance(error_score, str) and error_score == "raise"):
        raise DataError(
            f"error_score must be NaN (a model that fails is a row without numbers) or 'raise', got {error_score!r}."
        )
    if not isinstance(progress, (bool, np.bool_)) and not (isinstance(progress, str) and progress == "auto"):
        raise DataError(f"progress must be True, False or 'auto', got {progress!r}.")
    return check_refit(refit)


def _named(models: Any) -> dict[str, BaseForecaster]:
    """Return the models by name; those of a list are named after their class, and numbered where it stands twice."""
    named: dict[str, BaseForecaster] = {}
    if isinstance(models, dict):
        named = dict(models)
    else:
        for model in models if isinstance(models, (list, tuple)) else [models]:
            if isinstance(model, (list, tuple)):
                raise DataError(
                    f"models must be a dict or a list of forecasters, got the pair {model!r}; use dict(...)."
                )
            short = model_name(model)
            twins = sum(model_name(other) == short for other in named.values())
            named[f"{short}_{twins + 1}" if twins else short] = model
    if not named:
        raise DataError("there are no models to compare; pass at least one, e.g. {'lstm': LSTMForecaster()}.")
    for name in named:
        if not isinstance(name, str) or not name:
            raise DataError(f"the name of a model must be a string that is not empty, got {name!r}.")
    return named


def _check_named(name: str, model: BaseForecaster, plan: Plan) -> None:
    """Raise what the model would raise later, with its name."""
    try:
        check_model(model, plan)
    except (TypeError, ValueError) as exc:  # DataError is a ValueError
        raise DataError(f"model {name!r}: {exc}") from exc


# ---------------------------------------------------------------------- the runs


def _run(name: str, model: BaseForecaster, plan: Plan, every: int | None, coverage: float | None) -> Backtest:
    """Backtest one model, which has to forecast every row."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SilentNetworkWarning)  # the table and `networks` say it
        run = run_plan(model, plan, every=every, coverage=coverage, name=name)
    rows, wanted = run.forecasts, len(plan.cutoffs) * plan.horizon * plan.observed.shape[1]
    empty = rows[~np.isfinite(rows["y_pred"])]
    if len(empty) or len(rows) != wanted:
        first = f" (first: {empty['ds'].iloc[0]}, step {empty['step'].iloc[0]})" if len(empty) else ""
        missing = wanted - len(rows) + len(empty)
        raise DataError(
            f"model {name!r} gave no finite value for {missing} of {wanted} forecasts{first}. A comparison needs all "
            "rows from everyone."
        )
    return run


def _with_name(name: str, exc: Exception) -> Exception:
    """The error of a model, told with its name."""
    if not isinstance(exc, DataError):
        return RuntimeError(f"model {name!r} failed with {type(exc).__name__}: {exc}")
    return exc if str(exc).startswith(f"model {name!r}") else DataError(f"model {name!r}: {exc}")


def _warn_of_failure(name: str, why: str) -> None:
    warn_user(
        f"model {name!r} failed, and its row of the comparison has no numbers: {why} (error_score='raise' stops at the "
        "first failure.)",
        FitFailedWarning,
    )


def _reference(runs: dict[str, Backtest]) -> str:
    """Name of the model that skill is measured against."""
    kinds = (SeasonalNaiveForecaster, NaiveForecaster)
    found = (name for kind in kinds for name, run in runs.items() if type(run.forecaster) is kind)
    return next(found, next(iter(runs)))


def _shown(progress: bool | str) -> int | Literal["auto"]:
    """How `work` is to show itself: on a terminal or in a notebook only, also where that is asked for."""
    if progress == "auto":
        return "auto"
    return int(bool(progress) and (Bar.on_terminal() or Bar.in_notebook()))
