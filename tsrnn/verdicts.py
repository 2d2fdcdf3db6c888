"""Which forecasts are better by more than chance, in words. Imports backtest, exceptions and significance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .backtest import target_positions
from .exceptions import DataError
from .forecasters.recurrent import SILENT
from .significance import holm, one_sided_p

__all__ = ["Errors", "network_share", "of_network"]

#: Probability of calling a difference clear that is chance.
LEVEL = 0.05
#: A gain at one origin below this share of the mean error is rounding: networks compute in single precision.
ROUNDING = 1e-4
#: So is a mean gain below this share, which percentages show as "the same".
SAME = 5e-4


def listed(names: Iterable) -> str:
    """'a', 'a and b', 'a, b and c'."""
    *most, last = map(str, names)
    return f"{', '.join(most)} and {last}" if most else last


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
    def of(cls, forecasts: pd.DataFrame, unit: dict, trivial: dict[str, str], overlap: int) -> Errors:
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
        best: dict = means.idxmin(axis=1).to_dict() if names else {}
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
        opponent = self.opponent()
        adjusted = holm([self.p_better(model, opponent) for model in models])
        return [model for model, p in zip(models, adjusted, strict=True) if p < LEVEL]

    def pair(self, model: str, against: pd.Series, name: str) -> tuple[str, str]:
        """Say which of two is better: 'better', 'worse' or '' where it may be chance, and a sentence."""
        gain = self.gain(model, against)
        p = self.p_better(model, against)
        level, wins = float(against.groupby(level=0).mean()[gain.index].mean()), int((gain > 0).sum())
        percent = 100 * gain.mean() / level if level > 0 else -np.inf if gain.any() else 0.0
        change = (
            f"{abs(percent):.1f} % {'lower' if percent > 0 else 'higher'}" if abs(percent) >= 100 * SAME else "the same"
        )
        facts = f"the MAE of {model} is {change}, and it is closer at {wins} of {len(gain)} origins"
        if 2 * min(p, 1 - p) >= LEVEL:
            return "", f"There is no clear difference between {model} and {name}: {facts}, within what chance would do."
        word = "better" if p < 0.5 else "worse"
        return word, f"{model} is {word} than {name}: {facts}."

    def verdict(self, model: str, against: str | None) -> str:
        """Say in a sentence whether one model is better than another, by default the best trivial forecast."""
        best = set(self.best_trivial.values())
        if against is None:
            if not best:
                raise DataError("there is no trivial forecast in this comparison. Name a model with against=.")
            return self.pair(model, self.opponent(), self.opponent_words())[1]
        word, sentence = self.pair(model, self.table[against], against)
        if word != "better" or not best or model in best or best == {against}:
            return sentence
        beats, _ = self.pair(model, self.opponent(), "")
        but = {"worse": "it is worse than", "": "it is not clearly better than"}
        return f"{sentence} But {but[beats]} {self.opponent_words()}." if beats in but else sentence

    def predictability(self) -> str:
        """Say in a sentence which models are clearly better than the best trivial forecast."""
        if not self.best_trivial:
            return "There is no trivial forecast in this comparison, so that nothing can be said of predictability."
        bar, models = self.opponent_words(), [str(name) for name in self.table if name not in self.trivial]
        if not models:
            return f"No model was held against {bar}."
        looks = f", with Holm's correction for {len(models)} models" if len(models) > 1 else ""
        order = [str(name) for name in self.table.mean().sort_values().index]
        better = sorted(self.clearly_better(models), key=order.index)  # the best first
        if better:
            return f"Clearly better than {bar}: {listed(better)} ({len(better)} of {len(models)} models{looks})."
        none = f"none of {len(models)} models" if len(models) > 1 else "no model"
        return f"There is no evidence of predictability beyond {bar}: {none} has a clearly lower MAE{looks}."


def network_share(forecaster) -> float:
    """Share of a forecast's movement that comes from networks; NaN where there are none, or it is not known."""
    share = getattr(forecaster, "network_share_", None)
    if getattr(forecaster, "fallback_", None) is not None:
        return 0.0
    return float("nan") if share is None else float(share)


def of_network(name: str, forecaster, errors: Errors, ridge: str | None) -> str:
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
        word, _ = errors.pair(name, errors.table[ridge], ridge)
        said += f"; it is {word or 'not clearly better'} than {ridge}"
    return f"{said[0].upper()}{said[1:]}." if share < SILENT else f"{said}."
