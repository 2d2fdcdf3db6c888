"""Hold forecasters against each other and against naive forecasts, on the same rows.

Imports backtest, metrics, significance and the naive forecasters; plots when asked to draw.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .backtest import Backtest, Plan, make_plan, model_name, run_plan
from .exceptions import DataError
from .forecasters.naive import NaiveForecaster, SeasonalNaiveForecaster
from .metrics import mae, naive_scale, rmse, smape
from .significance import long_run_standard_error

__all__ = ["Comparison", "compare"]

METRICS = ("MAE", "RMSE", "sMAPE", "MASE", "skill")
#: A difference counts as real when it is this many standard errors away from zero.
CLEAR = 2.0


def compare(
    models,
    df: pd.DataFrame,
    *,
    target,
    horizon: int,
    n_windows: int = 20,
    step: int | None = None,
    refit: bool = False,
    coverage: float | None = None,
    season_length: int | None = None,
    progress: bool = False,
) -> Comparison:
    """Backtest several forecasters on the same origins, beside the naive and the seasonal naive forecast.

    Parameters
    ----------
    models : dict of str to BaseForecaster, or list of BaseForecaster
        Cloned, never changed; a list gets names from the classes. ``target`` and ``horizon`` are set where they are
        None; a horizon already set is kept, and the model forecasts as many steps as are asked for from it.
        ``naive`` and ``snaive`` are added unless one of their class is given, the latter unless ``season_length`` is
        1, where the two are the same.
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
    refit : bool, default=False
        Fit every model afresh at each origin. Otherwise one fit, on the rows up to the first cutoff, serves all.
    coverage : float, optional
        Adds the bounds of a central interval, e.g. 0.9, and the share of observations inside to the leaderboard.
    season_length : int, optional
        Rows in a season, for the seasonal naive forecast added and the scale of MASE; the usual one of the frequency
        by default (a day of hours, a week of days).
    progress : bool, default=False
        Show a progress bar on stderr where that is a terminal.

    Returns
    -------
    Comparison

    Raises
    ------
    DataError
        If the data are not fit for it, a model cannot use them, or a model leaves a forecast empty; the message names
        the model.
    RuntimeError
        If a model fails in another way; the message names it, and the cause is chained.

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
    named = _named(models)
    freqs = [freq for model in named.values() if (freq := getattr(model, "freq", None)) is not None]
    plan = make_plan(df, target, horizon, n_windows, step, freq=freqs[0] if freqs else None)
    _check_observed(plan)
    season_length = plan.season_length if season_length is None else season_length
    scale = _scales(plan, season_length)
    named = _with_baselines(named, season_length)
    runs = {}
    with _progress(progress, len(named) * n_windows) as advance:
        for name, model in named.items():
            runs[name] = _run(name, model, plan, refit, coverage, advance)
    _check_same_rows(runs)
    forecasts = pd.concat([run.forecasts for run in runs.values()], ignore_index=True)
    return Comparison(forecasts, runs, plan, scale, _reference(named))


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """Forecasts of several models from the same origins, and what they are worth.

    Attributes
    ----------
    forecasts : DataFrame
        Tidy: ``cutoff, ds, step, target, model, y_true, y_pred`` and, with coverage 0.9, ``lower_90, upper_90``.
    runs : dict of str to Backtest
        Timings and fitted forecasters by name.
    scale : dict of target to float
        What MASE divides by: the mean absolute error of the seasonal naive forecast up to the first cutoff.
    reference : str
        The model that skill is measured against: the seasonal naive one, or the naive one where there is no season.
    """

    forecasts: pd.DataFrame
    runs: dict[str, Backtest]
    plan: Plan
    scale: dict
    reference: str

    def leaderboard(self, by: str | None = None, sort: str = "MAE") -> pd.DataFrame:
        """Metrics of each model, best first.

        Rows where nothing was observed count for no model. With several targets each metric is the mean over them:
        read MASE and skill, which have no unit.

        Parameters
        ----------
        by : {"step", "target", "cutoff"}, optional
            One block of rows for each value of this column instead of one row per model.
        sort : str, default="MAE"
            The column to sort by.

        Returns
        -------
        DataFrame
            ``model``, ``MAE`` and ``RMSE`` (in the unit of the target), ``sMAPE`` (percent), ``MASE``, ``skill``
            (1 - MAE / MAE of the reference; above 0 is better than it), the share of observations in the interval
            if there is one, and, without `by`, ``fit_seconds``, ``predict_seconds`` and ``parameters``.
        """
        if by not in (None, "step", "target", "cutoff"):
            raise DataError(f"by={by!r} is not one of 'step', 'target', 'cutoff'.")
        known = self.forecasts[self.forecasts["y_true"].notna()]
        groups = [(None, known)] if by is None else list(known.groupby(by, sort=False))
        blocks = [self._scores(rows).assign(**({} if by is None else {by: key})) for key, rows in groups]
        table = pd.concat(blocks, ignore_index=True)
        if by is None:
            table = table.merge(self._costs(), on="model")
        else:
            table.insert(0, by, table.pop(by))
        if sort not in table.columns:
            raise DataError(f"sort={sort!r} is not one of {', '.join(map(repr, table.columns))}.")
        keys = [sort] if by is None else [by, sort]
        ascending = [True] * (len(keys) - 1) + [sort != "skill"]
        return table.sort_values(keys, ascending=ascending, kind="stable", ignore_index=True)

    def _scores(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Metrics by model: the mean over targets."""
        table = pd.DataFrame(
            {"model": model, "target": target, **_metrics(group, self.scale[target])}
            for (model, target), group in rows.groupby(["model", "target"], sort=False)
        )
        baseline = table[table["model"] == self.reference].set_index("target")["MAE"]
        baseline = table["target"].map(baseline.where(baseline > 0))
        table["skill"] = 1 - table["MAE"] / baseline
        return table.drop(columns="target").groupby("model", sort=False, as_index=False).mean()

    def _costs(self) -> pd.DataFrame:
        return pd.DataFrame(
            {
                "model": name,
                "fit_seconds": run.fit_seconds,
                "predict_seconds": run.predict_seconds,
                "parameters": run.n_parameters,
            }
            for name, run in self.runs.items()
        ).astype({"parameters": "Int64"})

    def verdict(self, model: str, against: str) -> str:
        """Say in a sentence whether one model forecasts better than another.

        The two are compared origin by origin, so that a hard day counts against both (Diebold and Mariano, 1995). A
        mean difference of less than two standard errors, which allow for overlapping forecasts, is no clear difference.

        Parameters
        ----------
        model, against : str
            Names in the comparison.

        Returns
        -------
        str
        """
        errors = self._errors_by_origin()
        for name in (model, against):
            if name not in errors:
                raise DataError(f"no model {name!r} in this comparison: {', '.join(map(repr, errors))}.")
        gain = (errors[against] - errors[model]).dropna()
        wins, n = int((gain > 0).sum()), len(gain)
        chance = self._chance(gain)
        percent = 100 * gain.mean() / errors[against].mean()
        change = f"{abs(percent):.1f} % {'lower' if percent > 0 else 'higher'}" if abs(percent) >= 0.05 else "the same"
        facts = f"the MAE of {model} is {change}, and it is closer at {wins} of {n} origins"
        if not abs(gain.mean()) > chance:  # NaN for a single origin
            return f"There is no clear difference between {model} and {against}: {facts}, within what chance would do."
        return f"{model} is {'better' if percent > 0 else 'worse'} than {against}: {facts}."

    def predictability(self) -> str:
        """Say in a sentence whether any model forecasts clearly better than the last value does.

        Where none does, as is usual of prices, the series may be a random walk: then the last value is the forecast to
        use, and what a model gains in one backtest it loses in the next. "Clearly" is as in `verdict`.

        Returns
        -------
        str

        References
        ----------
        Diebold and Mariano (1995). Comparing predictive accuracy. JBES 13(3), 253-263.
        """
        errors = self._errors_by_origin()
        naive = next(name for name, run in self.runs.items() if type(run.forecaster) is NaiveForecaster)
        gains = {name: (errors[naive] - errors[name]).dropna() for name in self.runs if name != naive}
        better = [name for name, gain in gains.items() if gain.mean() > self._chance(gain)]
        if better:
            names = better[0] if len(better) == 1 else f"{', '.join(better[:-1])} and {better[-1]}"
            return f"Clearly better than the last value ({naive}): {names}."
        clear = f"no model has a clearly lower MAE than {naive}"
        return f"There is no evidence of predictability beyond the last value: {clear}."

    def _chance(self, gain: pd.Series) -> float:
        """What a mean gain by origin must exceed to be more than chance would do."""
        # Forecasts from origins less than a horizon apart share rows, and their errors are correlated.
        overlap = -(-self.plan.horizon // self.plan.step) - 1
        return CLEAR * long_run_standard_error(gain, overlap)

    def _errors_by_origin(self) -> pd.DataFrame:
        """Mean absolute error of each origin (rows) and model (columns); in units of the scale if targets are many."""
        rows = self.forecasts[self.forecasts["y_true"].notna()]
        error = (rows["y_true"] - rows["y_pred"]).abs()
        if len(self.scale) > 1:
            error = error / rows["target"].map(self.scale)
        return error.groupby([rows["cutoff"], rows["model"]]).mean().unstack()

    def plot(self, ax=None, **options):
        """Draw the last forecasts against the observations; see `tsrnn.plots.plot_comparison`. Returns the axes."""
        from .plots import plot_comparison

        return plot_comparison(self.forecasts, history=self.plan.observed, ax=ax, **options)

    def to_csv(self, path) -> None:
        """Write the forecasts as CSV."""
        self.forecasts.to_csv(path, index=False)

    def __repr__(self) -> str:
        cutoffs, targets = self.plan.cutoffs, ", ".join(map(str, self.plan.observed.columns))
        head = (
            f"Comparison of {len(self.runs)} models on {targets}: {len(cutoffs)} origins from {cutoffs[0]} to "
            f"{cutoffs[-1]}, {self.plan.horizon} steps each; skill against {self.reference}."
        )
        table = self._readable().to_string(index=False, float_format="{:.4g}".format)
        return f"{head}\n{table}\n{self.predictability()}"

    def _repr_html_(self) -> str:
        table = self._readable().to_html(index=False, float_format="{:.4g}".format)
        return f"{table}<p>{html.escape(self.predictability())}</p>"

    def _readable(self) -> pd.DataFrame:
        table = self.leaderboard()
        return table.astype({"parameters": object}).fillna({"parameters": "-"})


def _metrics(rows: pd.DataFrame, scale: float) -> dict:
    """Metrics of one model on one target."""
    y_true, y_pred = rows["y_true"].to_numpy(), rows["y_pred"].to_numpy()
    error = mae(y_true, y_pred)
    scores = {"MAE": error, "RMSE": rmse(y_true, y_pred), "sMAPE": smape(y_true, y_pred)}
    scores |= {"MASE": error / scale, "skill": np.nan}
    for lower in (name for name in map(str, rows.columns) if name.startswith("lower_")):
        percent = lower.removeprefix("lower_")
        scores[f"coverage_{percent}"] = rows["y_true"].between(rows[lower], rows[f"upper_{percent}"]).mean()
    return scores


def _named(models) -> dict:
    """Return the models by name; those of a list are named after their class, and numbered where it stands twice."""
    if isinstance(models, dict):
        named = dict(models)
    else:
        named = {}
        for model in models if isinstance(models, (list, tuple)) else [models]:
            short = model_name(model)
            twins = sum(model_name(other) == short for other in named.values())
            named[f"{short}_{twins + 1}" if twins else short] = model
    return named


def _with_baselines(named: dict, season_length: int) -> dict:
    """Add the naive and the seasonal naive forecaster where none of their class is there."""
    added = {"naive": NaiveForecaster()}
    if season_length > 1:
        added["snaive"] = SeasonalNaiveForecaster(season_length=season_length)
    for name, baseline in added.items():
        if any(type(model) is type(baseline) for model in named.values()):
            continue
        if name in named:
            raise DataError(
                f"the name {name!r} is kept for {type(baseline).__name__}, which every comparison holds, but a "
                f"{type(named[name]).__name__} has it. Rename that model."
            )
        named = {**named, name: baseline}
    return named


def _reference(named: dict) -> str:
    """Name of the model that skill is measured against."""
    kinds = (SeasonalNaiveForecaster, NaiveForecaster)
    return next(name for kind in kinds for name, model in named.items() if type(model) is kind)


def _check_observed(plan: Plan) -> None:
    """Raise, before any work is done, if no forecast could be held against an observation."""
    first = plan.observed.index.get_indexer(plan.cutoffs)[:, np.newaxis] + 1
    rows = plan.observed.iloc[(first + np.arange(plan.horizon)).ravel()]
    if rows.isna().to_numpy().all():
        raise DataError(
            f"target(s) {', '.join(map(str, rows.columns))} hold no observation in the rows to forecast, "
            f"{rows.index[0]} to {rows.index[-1]}: there is nothing to compare. Drop the empty rows at the end, "
            "df.dropna(how='all'), or raise n_windows so that earlier rows are forecast too."
        )


def _check_same_rows(runs: dict) -> None:
    """Everyone is judged on the same rows."""
    keys = ["cutoff", "ds", "step", "target"]
    (first, one), *others = runs.items()
    for name, run in others:
        if not run.forecasts[keys].equals(one.forecasts[keys]):
            raise DataError(
                f"models {first!r} and {name!r} forecast different timestamps: they read different frequencies "
                "from the data. Give both the same freq=, or put the data on a regular grid with df.asfreq()."
            )


def _scales(plan: Plan, season_length: int) -> dict:
    """Denominator of MASE for each target, from the rows up to the first cutoff; NaN where they repeat exactly."""
    train = plan.observed.loc[: plan.cutoffs[0]]
    if len(train) <= season_length:
        raise DataError(
            f"the first cutoff, {plan.cutoffs[0]}, leaves {len(train)} rows to train on, no more than "
            f"season_length={season_length}. Lower n_windows or step, pass more history, or pass season_length=1."
        )
    return {target: _scale(train[target].to_numpy(), season_length) for target in train.columns}


def _scale(train: np.ndarray, season_length: int) -> float:
    try:
        return naive_scale(train, season_length)
    except DataError:  # nothing to divide by: the other metrics still stand
        return np.nan


def _run(name, model, plan, refit, coverage, advance) -> Backtest:
    """Backtest one model; whatever goes wrong is told with its name."""
    try:
        run = run_plan(model, plan, refit=refit, coverage=coverage, name=name, on_origin=advance)
    except DataError as exc:
        raise DataError(f"model {name!r}: {exc}") from exc
    except Exception as exc:
        raise RuntimeError(f"model {name!r} failed with {type(exc).__name__}: {exc}") from exc
    rows = run.forecasts
    if not np.isfinite(rows["y_pred"]).all():
        empty = rows[~np.isfinite(rows["y_pred"])]
        raise DataError(
            f"model {name!r} gave no finite value for {len(empty)} of {len(rows)} forecasts (first: "
            f"{empty['ds'].iloc[0]}, step {empty['step'].iloc[0]}). A comparison needs all rows from everyone."
        )
    return run


@contextmanager
def _progress(show: bool, total: int) -> Iterator:
    """Yield a function that moves a progress bar on; the bar is drawn on a terminal's stderr only."""
    if not show:
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("Comparing", total=total)
        yield lambda done: bar.advance(task, done)
