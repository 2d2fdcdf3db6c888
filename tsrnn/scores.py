"""Metrics of tidy forecasts, model by model. Imports backtest, metrics and exceptions."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np
import pandas as pd

from ._metric import DIMENSIONLESS, Metric
from .backtest import target_positions
from .exceptions import DataError
from .metrics import USUAL, as_metric, coverage_of, naive_scale

__all__ = [
    "best_first",
    "check_metrics",
    "higher_is_better",
    "scales",
    "score_blocks",
    "score_models",
    "units",
    "usual_sort",
    "with_units",
]

#: Columns of a leaderboard that are no metrics.
OTHER_COLUMNS = {
    *("model", "step", "target", "cutoff", "_block", "fit_seconds", "predict_seconds", "parameters"),
    *("network_share", "error"),
}


def scales(train: pd.DataFrame, season_length: int) -> dict[Hashable, float]:
    """Denominator of MASE for each target; NaN where its seasons repeat exactly."""
    return {target: _scale(train[target].to_numpy(), season_length) for target in train.columns}


def units(train: pd.DataFrame, scale: dict[Hashable, float]) -> dict[Hashable, float]:
    """A size of each target by which errors of several targets become comparable; above 0.

    The denominator of MASE, or where that is NaN the mean change from row to row, or where nothing changes the mean
    absolute value, or 1 where all is zero.
    """
    return {target: _unit(train[target].to_numpy(), size) for target, size in scale.items()}


def _unit(train: np.ndarray, scale: float) -> float:
    seen = np.abs(train[np.isfinite(train)])
    sizes = (scale, _scale(train, 1), seen.mean() if len(seen) else 0.0)
    return next((float(size) for size in sizes if size > 0), 1.0)  # NaN is not


def _scale(train: np.ndarray, season_length: int) -> float:
    try:
        return naive_scale(train, season_length)
    except DataError:  # nothing to divide by: the other metrics still stand
        return np.nan


def check_metrics(metrics: Iterable[object] | None, coverage: float | None) -> tuple[Metric, ...]:
    """Return the metrics of a comparison: those given, or the usual ones.

    Raises
    ------
    DataError
        If one is none or has the name of another column, or needs quantiles where there are none.
    """
    if metrics is None:
        return USUAL
    if isinstance(metrics, (str, Metric)) or not isinstance(metrics, Iterable):
        metrics = [metrics]
    found = tuple(map(as_metric, metrics))
    if not found:
        raise DataError("metrics is empty. Name at least one, e.g. metrics=['MAE'], or leave it out.")
    for k, metric in enumerate(found):
        if metric.name in OTHER_COLUMNS or metric.name.startswith("coverage_"):
            raise DataError(
                f"a metric cannot be called {metric.name!r}, as another column is. Give it a name: Metric(f, 'name')."
            )
        if metric.name in {other.name for other in found[:k]}:
            raise DataError(f"two metrics are called {metric.name!r}. Give one another name: Metric(f, 'name').")
        if "quantiles" in metric.needs and coverage is None:
            raise DataError(f"metric {metric.name!r} needs quantiles. Pass coverage=, e.g. coverage=0.9.")
    return found


def with_units(metrics: Iterable[Metric]) -> list[str]:
    """Return the names of metrics whose means over several targets mix units."""
    return [metric.name for metric in metrics if not metric.dimensionless]


def usual_sort(table: pd.DataFrame, metrics: tuple[Metric, ...], mixed: bool) -> str:
    """Return the column by which a table is sorted unless another is asked for.

    The first metric; of several targets at once (`mixed`) the first without a unit, if it has any number.
    """
    first = min(metrics, key=_rank) if mixed else metrics[0]
    return first.name if table[first.name].notna().any() else metrics[0].name


def higher_is_better(metrics: Iterable[Metric]) -> list[str]:
    """Return the columns of a leaderboard of which higher numbers are better."""
    return [*(metric.name for metric in metrics if metric.better == "higher"), "network_share"]


def _rank(metric: Metric) -> int:
    """Where a metric stands in a table of several targets: first what has no unit."""
    return DIMENSIONLESS.index(metric.unit) if metric.dimensionless else len(DIMENSIONLESS)


def score_models(
    rows: pd.DataFrame, scale: dict[Hashable, float], reference: str, metrics: tuple[Metric, ...]
) -> pd.DataFrame:
    """Metrics of each model: of one target in its unit, of several the mean over them, what has no unit first.

    Parameters
    ----------
    rows : DataFrame
        Tidy forecasts whose ``y_true`` is known.
    scale : dict of target to float
        Denominators of MASE.
    reference : str
        The model that skill is measured against.
    metrics : tuple of Metric
        The columns; the share of observations in the interval, if there is one, comes last.

    Returns
    -------
    DataFrame
        One row for each model, in the order of `rows`.
    """
    percents = [name.removeprefix("lower_") for name in map(str, rows.columns) if name.startswith("lower_")]
    metrics = (*metrics, *map(coverage_of, percents))
    if len(scale) > 1:
        metrics = tuple(sorted(metrics, key=_rank))
    position = target_positions(rows["target"], scale)
    sizes: dict[int, float] = dict(enumerate(scale.values()))
    parts: dict[Any, pd.DataFrame] = dict(list(rows.groupby([rows["model"], position], sort=False)))
    scored = []
    for (model, at), part in parts.items():
        y_true, y_pred = part["y_true"].to_numpy(), part["y_pred"].to_numpy()
        beside = parts[reference, at]["y_pred"].to_numpy() if (reference, at) in parts else None
        given = {"scale": float(sizes[at]), "reference": beside, "quantiles": _quantiles(part, percents)}
        scored.append({"model": model} | {metric.name: metric.score(y_true, y_pred, **given) for metric in metrics})
    return pd.DataFrame(scored).groupby("model", sort=False, as_index=False).mean()


def _quantiles(rows: pd.DataFrame, percents: list[str]) -> dict[float, np.ndarray] | None:
    """The bounds of intervals by their levels; None without any."""
    found = {}
    for percent in percents:
        tail = round((100 - float(percent)) / 200, 12)
        found[tail] = rows[f"lower_{percent}"].to_numpy()
        found[round(1 - tail, 12)] = rows[f"upper_{percent}"].to_numpy()
    return found or None


def score_blocks(
    rows: pd.DataFrame, by: str, scale: dict[Hashable, float], reference: str, metrics: tuple[Metric, ...]
) -> pd.DataFrame:
    """`score_models` for each value of a column, which is the first column then, in the order of the values."""
    groups: list[tuple[Any, pd.DataFrame]]
    if by == "target":
        position = target_positions(rows["target"], scale)
        groups = [(target, rows[position == k]) for k, target in enumerate(scale) if (position == k).any()]
    else:
        groups = list(rows.groupby(by, sort=True))
    blocks = []
    for number, (key, part) in enumerate(groups):
        block = score_models(part, {key: scale[key]} if by == "target" else scale, reference, metrics)
        block.insert(0, by, np.fromiter([key] * len(block), object) if by == "target" else key)
        blocks.append(block.assign(_block=number))
    return pd.concat(blocks, ignore_index=True)


def best_first(table: pd.DataFrame, sort: str, metrics: tuple[Metric, ...]) -> pd.DataFrame:
    """Sort by a column, the best first and what has no number last, within the blocks if there are any."""
    if sort not in table.columns or sort == "_block":
        names = (repr(name) for name in table.columns if name != "_block")
        raise DataError(f"sort={sort!r} is not one of {', '.join(names)}.")
    higher = higher_is_better(metrics)
    table = table.sort_values(sort, ascending=sort not in higher, kind="stable")
    if "_block" in table:
        table = table.sort_values("_block", kind="stable").drop(columns="_block")
    table = table.reset_index(drop=True)
    table.attrs["higher_is_better"] = higher  # for charts
    return table
