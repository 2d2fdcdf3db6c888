"""What every comparison holds unasked: the trivial forecasts that fit the series, and a ridge regression by networks.

Imports backtest and the forecasters.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from .backtest import run_plan
from .exceptions import DataError
from .forecasters.base import BaseForecaster
from .forecasters.echo_state import EchoStateForecaster
from .forecasters.mean import MeanForecaster
from .forecasters.naive import NaiveForecaster, SeasonalNaiveForecaster
from .forecasters.networks import NetworkForecaster
from .forecasters.ridge import RidgeForecaster
from .plans import Plan

__all__ = ["is_network", "trivial_kind", "with_baselines"]

#: A level is in the table where its error, before the first cutoff, is at most this much that of the better one of last
#: value and season: with some room, since the rows to come may be kinder to it.
ROOM = 1.25
#: Of the rows up to the first cutoff, the trial skips this share, from which no mean is worth much.
SKIPPED = 0.25
#: Most origins of the trial, and most numbers that it forecasts with each model.
TRIAL_ORIGINS = 200
TRIAL_SIZE = 200_000


def trivial_kind(model: BaseForecaster) -> str | None:
    """What a trivial forecaster repeats, in words; None for one that learns more than a level.

    Examples
    --------
    >>> [trivial_kind(model) for model in (NaiveForecaster(), MeanForecaster(value=0.0), MeanForecaster(window=5))]
    ['the last value', 'zero', 'the moving mean']
    """
    if type(model) is NaiveForecaster:
        return "the last value"
    if type(model) is SeasonalNaiveForecaster:
        return "the season before"
    if type(model) is not MeanForecaster:
        return None
    if model.value is not None:
        return "zero" if model.value == 0 else "a constant"
    return "the mean" if model.window is None else "the moving mean"


def is_network(model: BaseForecaster) -> bool:
    """Whether a forecaster is a neural network."""
    return isinstance(model, (NetworkForecaster, EchoStateForecaster))


def with_baselines(named: dict[str, BaseForecaster], plan: Plan, season_length: int) -> dict[str, BaseForecaster]:
    """Add the trivial forecasts that fit the series, and a ridge regression where networks are among the models.

    The last value always fits, and the season wherever there is one. The mean and zero fit where the series moves
    around them: where, forecast from origins up to the first cutoff, their mean absolute error on some target is at
    most `ROOM` times that of the better one of last value and season. None is added of whose kind the user gave one.
    """
    held = {type(model) for model in named.values()}
    kinds = {trivial_kind(model) for model in named.values()}
    certain: dict[str, BaseForecaster] = {"naive": NaiveForecaster(freq=plan.freq)}
    if season_length > 1:
        certain["snaive"] = SeasonalNaiveForecaster(season_length=season_length, freq=plan.freq)
    levels = {"mean": MeanForecaster(freq=plan.freq), "zero": MeanForecaster(value=0.0, freq=plan.freq)}
    named = dict(named)
    for name, model in certain.items():
        if type(model) not in held:
            _check_free(name, model, named)
            named[name] = model
    wanted = {name: model for name, model in levels.items() if trivial_kind(model) not in kinds}
    for name, model in _fitting(wanted, certain, plan).items():
        named[_free(name, named)] = model
    if RidgeForecaster not in held and (twin := _ridge_beside(named, plan.freq)) is not None:
        named[_free("ridge", named)] = twin
    return named


def _check_free(name: str, model: BaseForecaster, named: dict[str, BaseForecaster]) -> None:
    if name in named:
        raise DataError(
            f"the name {name!r} is kept for {type(model).__name__}, which every comparison holds, but a "
            f"{type(named[name]).__name__} has it. Rename that model."
        )


def _free(name: str, named: dict[str, BaseForecaster]) -> str:
    """The name, numbered where another model has it."""
    return next(free for k in range(1, len(named) + 2) if (free := name if k == 1 else f"{name}_{k}") not in named)


def _fitting(
    levels: dict[str, MeanForecaster], certain: dict[str, BaseForecaster], plan: Plan
) -> dict[str, MeanForecaster]:
    """Those of the levels around which the series moves, as far as the rows up to the first cutoff tell."""
    trial = _trial(plan, max(getattr(model, "season_length", 1) for model in certain.values()))
    if trial is None:  # too short to tell: they cost nothing
        return levels
    bar = np.min([_errors(model, trial) for model in certain.values()], axis=0)
    return {name: model for name, model in levels.items() if (_errors(model, trial) <= ROOM * bar).any()}


def _trial(plan: Plan, season_length: int) -> Plan | None:
    """The same plan with origins before the first cutoff, their forecasts ending there at the latest."""
    n_rows, seen = len(plan.train), plan.train.notna().to_numpy()
    begun = int(seen.argmax(axis=0).max())  # the series that begins last
    first = max(int(SKIPPED * n_rows), season_length, begun + (season_length if plan.long is not None else 0))
    last = n_rows - 1 - plan.horizon
    if last < first:
        return None
    most = min(TRIAL_ORIGINS, max(1, TRIAL_SIZE // (plan.horizon * plan.observed.shape[1])))
    rows = np.unique(np.linspace(first, last, most).astype(int))
    return replace(
        plan,
        frame=plan.until(plan.cutoffs[0]),
        long=None if plan.long is None else plan.long.until(plan.cutoffs[0]),
        observed=plan.train,
        cutoffs=pd.DatetimeIndex(plan.train.index[rows]),
    )


def _errors(model: BaseForecaster, trial: Plan) -> np.ndarray:
    """Mean absolute error on each target, shape (n_targets,); infinite where nothing was observed."""
    rows = run_plan(model, trial, every=None, coverage=None, name="trial").forecasts
    # Ordered by cutoff, then step, then target.
    errors = (rows["y_true"] - rows["y_pred"]).abs().to_numpy().reshape(-1, trial.observed.shape[1])
    n = np.isfinite(errors).sum(axis=0)
    return np.where(n > 0, np.nansum(errors, axis=0) / np.maximum(n, 1), np.inf)


def _ridge_beside(named: dict[str, BaseForecaster], freq: str | None) -> RidgeForecaster | None:
    """A ridge regression that reads what the network with the widest view reads; None without a network."""
    networks = [model for model in named.values() if is_network(model)]
    if not networks:
        return None
    params = max((model.get_params(deep=False) for model in networks), key=_width)
    taken = {name: params[name] for name in RidgeForecaster().get_params() if name in params}
    return RidgeForecaster(**(taken | {"freq": taken.get("freq") or freq}))


def _width(params: dict[str, Any]) -> tuple[int, int]:
    """How much a network reads: first columns, then rows. The usual window counts as wide."""
    covariates = [*(params.get("past_covariates") or ()), *(params.get("future_covariates") or ())]
    return len(covariates), params.get("window") or 10**9
