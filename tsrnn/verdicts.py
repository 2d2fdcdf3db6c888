"""Which forecasts are better by more than chance, in words. Imports backtest, exceptions and significance."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from .backtest import target_positions
from .exceptions import DataError
from .forecasters.base import BaseForecaster
from .forecasters.networks import SILENT
from .significance import holm, mean_interval, one_sided_p

__all__ = ["Errors", "Verdict", "network_share", "of_network"]

Outcome = Literal["better", "worse", "tied"]

#: Probability of calling a difference clear that is chance.
LEVEL = 0.05
#: A gain at one origin below this share of the mean error is rounding: networks compute in single precision.
ROUNDING = 1e-4
#: So is a mean gain below this share, which percentages show as "the same".
SAME = 5e-4


def listed(names: Iterable[str]) -> str:
    """'a', 'a and b', 'a, b and c'."""
    *most, last = map(str, names)
    return f"{', '.join(most)} and {last}" if most else last


class Verdict(str):
    """A sentence on who forecasts better, with its facts as attributes.

    Attributes
    ----------
    outcome : {"better", "worse", "tied"} or None
        Of the model spoken of; "tied" where a difference may be chance, None where nothing could be compared.
    better, worse, tied : bool
        The same, to ask for.
    models : tuple of str
        The model, and what it was held against: another, or the best trivial forecast of each target. Of
        `Comparison.predictability` those that are clearly better, the best first.
    difference : float
        By how much the MAE of the model is larger, as a share of that of the other: -0.1 where it is 10 % lower. Of
        several models this and the following are those of the best. NaN, and 0 origins, where nothing was compared.
    interval : tuple of float
        Where this difference is but for chance (5 %). It may be told from 0 and still "tied": where it is below 0.05 %,
        which percentages show as "the same".
    wins, origins : int
        At how many origins the model was closer, and of how many.
    p_value : float
        Probability of a difference as large by chance alone: to either side, or of `Comparison.predictability` to the
        better side, with Holm's correction for the number of models.
    further : Verdict or None
        What a second sentence is about: how a model that is better than the other does against the best trivial
        forecast.

    Examples
    --------
    >>> verdict = Verdict("lstm is better than naive.", outcome="better", models=("lstm", "naive"), wins=9, origins=10)
    >>> verdict.better, verdict.wins, verdict
    (True, 9, 'lstm is better than naive.')
    """

    outcome: Outcome | None
    models: tuple[str, ...]
    difference: float
    interval: tuple[float, float]
    wins: int
    origins: int
    p_value: float
    further: Verdict | None

    _NONE: ClassVar[dict[str, Any]] = {
        "outcome": None,
        "models": (),
        "difference": np.nan,
        "interval": (-np.inf, np.inf),
        "wins": 0,
        "origins": 0,
        "p_value": np.nan,
        "further": None,
    }

    def __new__(cls, sentence: str, **facts: Any) -> Verdict:
        verdict = super().__new__(cls, sentence)
        if unknown := facts.keys() - cls._NONE.keys():
            raise TypeError(f"{min(unknown)!r} is no fact of a verdict: {', '.join(cls._NONE)}.")
        vars(verdict).update(cls._NONE | facts)
        return verdict

    @property
    def facts(self) -> dict[str, Any]:
        """All attributes by name."""
        return dict(vars(self))

    @property
    def better(self) -> bool:
        """Whether the model is better by more than chance."""
        return self.outcome == "better"

    @property
    def worse(self) -> bool:
        """Whether the model is worse by more than chance."""
        return self.outcome == "worse"

    @property
    def tied(self) -> bool:
        """Whether the difference may be chance."""
        return self.outcome == "tied"

    def but(self, sentence: str, further: Verdict) -> Verdict:
        """Return it with a second sentence."""
        return Verdict(f"{self} {sentence}", **{**self.facts, "further": further})


@dataclass(frozen=True, eq=False)
class Errors:
    """Absolute errors of models, origin by origin, and tests on their differences.

    Attributes
    ----------
    table : DataFrame of shape (n_origins * n_targets, n_models)
        Mean absolute error at each (cutoff, position of the target); of several targets in units of each.
    trivial : dict of str to str
        The trivial forecasts among the models, and what they repeat.
    overlap : int
        To how many later origins the forecasts of one reach: their errors are correlated.
    """

    table: pd.DataFrame
    trivial: dict[str, str]
    overlap: int

    @classmethod
    def of(cls, forecasts: pd.DataFrame, unit: dict[Hashable, float], trivial: dict[str, str], overlap: int) -> Errors:
        """Read tidy forecasts; `unit` has the size of each target's movement."""
        rows = forecasts[forecasts["y_true"].notna()]
        position = target_positions(rows["target"], unit)
        error = (rows["y_true"] - rows["y_pred"]).abs()
        if len(unit) > 1:
            error = error / np.array(list(unit.values()))[position]
        table = error.groupby([rows["cutoff"], position, rows["model"]]).mean().unstack()
        return cls(table, trivial, overlap)

    @property
    def best_trivial(self) -> dict[int, str]:
        """The trivial forecast with the smallest error over all origins, for each target that has any."""
        names = [name for name in self.trivial if name in self.table]
        means = self.table[names].groupby(level=1).mean().dropna(how="all")
        best: dict[Any, Any] = means.idxmin(axis=1).to_dict() if names else {}
        return best

    def opponent(self) -> pd.Series:
        """Errors of the best trivial forecast of each target."""
        best = self.best_trivial
        parts = [self.table.loc[self.table.index.get_level_values(1) == at, name] for at, name in best.items()]
        return pd.concat(parts).sort_index()

    def opponent_words(self) -> str:
        """What a model has to beat: 'the last value (naive), the best trivial forecast'."""
        names = list(dict.fromkeys(self.best_trivial.values()))
        if len(names) > 1:
            return f"the best trivial forecast of each target ({listed(names)})"
        kind = self.trivial[names[0]]
        return f"{kind}{'' if names[0] in kind.split() else f' ({names[0]})'}, the best trivial forecast"

    def gain(self, model: str, against: pd.Series) -> pd.Series:
        """By how much the error is smaller, origin by origin: a hard day counts against both."""
        gain = (against - self.table[model]).dropna()
        gain = gain.where(gain.abs() > ROUNDING * against.abs().mean(), 0.0)
        return gain.groupby(level=0).mean()

    def p_better(self, model: str, against: pd.Series) -> float:
        """Probability of a gain as large as this by chance alone, one-sided."""
        gain = self.gain(model, against)
        return 0.5 if abs(gain.mean()) < SAME * against.mean() else one_sided_p(gain, self.overlap)

    def clearly_better(self, models: list[str]) -> list[str]:
        """Those with a smaller error than the best trivial forecast, by more than the best of so many looks would.

        The trivial forecast is chosen on the same origins, which makes it look better than it is: the test is the
        stricter for it. The models are corrected for their number by Holm's method.
        """
        return [model for model, p in self.p_clearly_better(models).items() if p < LEVEL]

    def p_clearly_better(self, models: list[str]) -> dict[str, float]:
        """Probability of a gain as large on the best trivial forecast, for each model, corrected for all looks."""
        opponent = self.opponent()
        adjusted = holm([self.p_better(model, opponent) for model in models])
        return dict(zip(models, adjusted.tolist(), strict=True))

    def pair(self, model: str, against: pd.Series, name: str, models: tuple[str, ...] = ()) -> Verdict:
        """Say which of two is better, or that it may be chance; `models` are the names of both."""
        gain, p = self.gain(model, against), self.p_better(model, against)
        level, wins = float(against.groupby(level=0).mean()[gain.index].mean()), int((gain > 0).sum())
        percent = 100 * gain.mean() / level if level > 0 else -np.inf if gain.any() else 0.0
        change = (
            f"{abs(percent):.1f} % {'lower' if percent > 0 else 'higher'}" if abs(percent) >= 100 * SAME else "the same"
        )
        said = f"the MAE of {model} is {change}, and it is closer at {wins} of {len(gain)} origins"
        outcome: Outcome = "tied" if 2 * min(p, 1 - p) >= LEVEL else "better" if p < 0.5 else "worse"
        if outcome == "tied":
            text = f"There is no clear difference between {model} and {name}: {said}, within what chance would do."
        else:
            text = f"{model} is {outcome} than {name}: {said}."
        low, high = mean_interval(gain, self.overlap, LEVEL)
        return Verdict(
            text,
            outcome=outcome,
            models=models,
            difference=-float(percent) / 100,
            interval=(-high / level, -low / level) if level > 0 else (-float(percent) / 100,) * 2,
            wins=wins,
            origins=len(gain),
            p_value=2 * min(p, 1 - p),
        )

    def against_trivial(self, model: str) -> Verdict:
        """Hold a model against the best trivial forecast."""
        best = dict.fromkeys(self.best_trivial.values())
        return self.pair(model, self.opponent(), self.opponent_words(), (model, *best))

    def verdict(self, model: str, against: str | None) -> Verdict:
        """Say in a sentence whether one model is better than another, by default the best trivial forecast."""
        best = set(self.best_trivial.values())
        if against is None:
            if not best:
                raise DataError("there is no trivial forecast in this comparison. Name a model with against=.")
            return self.against_trivial(model)
        found = self.pair(model, self.table[against], against, (model, against))
        if not found.better or not best or model in best or best == {against}:
            return found
        further = self.against_trivial(model)
        if further.better:
            return found
        but = "it is worse than" if further.worse else "it is not clearly better than"
        return found.but(f"But {but} {self.opponent_words()}.", further)

    def predictability(self) -> Verdict:
        """Say in a sentence which models are clearly better than the best trivial forecast."""
        if not self.best_trivial:
            text = "There is no trivial forecast in this comparison, so that nothing can be said of predictability."
            return Verdict(text)
        bar, models = self.opponent_words(), [str(name) for name in self.table if name not in self.trivial]
        if not models:
            return Verdict(f"No model was held against {bar}.")
        looks = f", with Holm's correction for {len(models)} models" if len(models) > 1 else ""
        order = [str(name) for name in self.table.mean().sort_values().index if name in models]
        adjusted = self.p_clearly_better(models)
        better = sorted(self.clearly_better(models), key=order.index)  # the best first
        first = better[0] if better else order[0]
        facts = self.against_trivial(first).facts | {"models": tuple(better), "p_value": adjusted[first]}
        if better:
            text = f"Clearly better than {bar}: {listed(better)} ({len(better)} of {len(models)} models{looks})."
            return Verdict(text, **facts | {"outcome": "better"})
        none = f"none of {len(models)} models" if len(models) > 1 else "no model"
        text = f"There is no evidence of predictability beyond {bar}: {none} has a clearly lower MAE{looks}."
        return Verdict(text, **facts | {"outcome": "tied"})


def network_share(forecaster: BaseForecaster) -> float:
    """Share of a forecast's movement that comes from networks; NaN where there are none, or it is not known."""
    share = getattr(forecaster, "network_share_", None)
    if getattr(forecaster, "fallback_", None) is not None:
        return 0.0
    return float("nan") if share is None else float(share)


def of_network(name: str, forecaster: BaseForecaster, errors: Errors, ridge: str | None) -> str:
    """Say what a network adds to its forecasts, and whether it is worth more than a ridge regression; empty for others.

    Parameters
    ----------
    name : str
        Of the model, in the errors.
    forecaster : BaseForecaster
        The one fitted last.
    errors : Errors
    ridge : str or None
        Name of a ridge regression in the errors.

    Returns
    -------
    str
    """
    share, fallback = network_share(forecaster), getattr(forecaster, "fallback_", None)
    if np.isnan(share):
        return ""
    if fallback is not None:
        trivial = {"last value": "the last value", "season": "the season before", "mean": "the mean"}
        words = trivial.get(fallback, fallback)
        return f"{name} did not beat {words} on its validation part, and forecasts {words}."
    said = f"{share:.0%} of the movement of {name}'s forecasts comes from its networks"
    if share < SILENT:
        said = f"the networks of {name} add nothing to speak of ({share:.1%} of the movement of its forecasts)"
    if ridge is not None:
        found = errors.pair(name, errors.table[ridge], ridge)
        said += f"; it is {'not clearly better' if found.tied else found.outcome} than {ridge}"
    return f"{said[0].upper()}{said[1:]}." if share < SILENT else f"{said}."
