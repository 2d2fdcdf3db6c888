"""Metrics of tidy forecasts, model by model. Imports backtest, metrics and exceptions."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .backtest import target_positions
from .exceptions import DataError
from .metrics import mae, naive_scale, rmse, smape

__all__ = ["best_first", "scales", "score_blocks", "score_models", "units"]


def scales(train: pd.DataFrame, season_length: int) -> dict:
    """Denominator of MASE for each target; NaN where its seasons repeat exactly."""
    return {target: _scale(train[target].to_numpy(), season_length) for target in train.columns}


def units(train: pd.DataFrame, scale: dict) -> dict:
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


def score_models(rows: pd.DataFrame, scale: dict, reference: str) -> pd.DataFrame:
    """Metrics of each model: of one target in its unit, of several the mean over them, what has no unit first.

    Parameters
    ----------
    rows : DataFrame
        Tidy forecasts whose ``y_true`` is known.
    scale : dict of target to float
        Denominators of MASE.
    reference : str
        The model that skill is measured against.

    Returns
    -------
    DataFrame
        One row for each model, in the order of `rows`.
    """
    position = target_positions(rows["target"], scale)
    sizes: dict = dict(enumerate(scale.values()))
    parts: dict = dict(list(rows.groupby([rows["model"], position], sort=False)))
    table = pd.DataFrame({"model": model, "at": at, **_metrics(part, sizes[at])} for (model, at), part in parts.items())
    baseline = table[table["model"] == reference].set_index("at")["MAE"]
    table["skill"] = 1 - table["MAE"] / table["at"].map(baseline.where(baseline > 0))
    table = table.drop(columns="at").groupby("model", sort=False, as_index=False).mean()
    if len(scale) == 1:
        return table
    leads, units_differ = ["model", "MASE", "skill", "sMAPE"], ["MAE", "RMSE"]
    return table[[*leads, *(name for name in table if name not in (*leads, *units_differ)), *units_differ]]


def score_blocks(rows: pd.DataFrame, by: str, scale: dict, reference: str) -> pd.DataFrame:
    """`score_models` for each value of a column, which is the first column then, in the order of the values."""
    if by == "target":
        position = target_positions(rows["target"], scale)
        groups = [(target, rows[position == k]) for k, target in enumerate(scale) if (position == k).any()]
    else:
        groups = list(rows.groupby(by, sort=True))
    blocks = []
    for number, (key, part) in enumerate(groups):
        block = score_models(part, {key: scale[key]} if by == "target" else scale, reference)
        block.insert(0, by, np.fromiter([key] * len(block), object) if by == "target" else key)
        blocks.append(block.assign(_block=number))
    return pd.concat(blocks, ignore_index=True)


def best_first(table: pd.DataFrame, sort: str) -> pd.DataFrame:
    """Sort by a column, the best first and what has no number last, within the blocks if there are any."""
    if sort not in table.columns or sort == "_block":
        names = (repr(name) for name in table.columns if name != "_block")
        raise DataError(f"sort={sort!r} is not one of {', '.join(names)}.")
    table = table.sort_values(sort, ascending=sort not in ("skill", "network_share"), kind="stable")
    if "_block" in table:
        table = table.sort_values("_block", kind="stable").drop(columns="_block")
    return table.reset_index(drop=True)


def _metrics(rows: pd.DataFrame, scale: float) -> dict:
    """Metrics of one model on one target; skill comes later."""
    y_true, y_pred = rows["y_true"].to_numpy(), rows["y_pred"].to_numpy()
    error = mae(y_true, y_pred)
    scores = {"MAE": error, "RMSE": rmse(y_true, y_pred), "sMAPE": smape(y_true, y_pred)}
    scores |= {"MASE": error / scale, "skill": np.nan}
    for lower in (name for name in map(str, rows.columns) if name.startswith("lower_")):
        percent = lower.removeprefix("lower_")
        scores[f"coverage_{percent}"] = rows["y_true"].between(rows[lower], rows[f"upper_{percent}"]).mean()
    return scores
