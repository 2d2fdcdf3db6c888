"""Forecasts that take no learning: what a network is held against, and what forecasts in its place where it loses.

Works on row positions and for all cutoffs at once. Imports naive, observed, significance and the schema of files.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._archive.schema import array, require
from ..significance import long_run_standard_error
from .naive import season_rows
from .observed import take_rows

__all__ = ["TRIVIAL", "Trivial", "moves_around_zero", "trivial_forecasts"]

#: Names of the trivial forecasts, and what they are in a sentence.
TRIVIAL = {"last value": "the last value", "season": "the last season", "mean": "the mean", "zero": "zero"}
#: Long-run standard errors from zero within which a mean is taken for zero.
NOISE = 2.0
#: Cutoffs whose errors are measured at a time.
CHUNK = 512


@dataclass(frozen=True, eq=False)
class Trivial:
    """A forecast from the last observations, or of a constant.

    Attributes
    ----------
    name : {"last value", "season", "mean", "zero"}
    season : int
        Rows after which observations repeat; 1 for the last value.
    constant : ndarray of shape (n_targets,) or None
        What every step is forecast by instead, in the unit of the targets.

    Examples
    --------
    >>> targets = np.array([[1.0], [2.0], [3.0], [4.0]])
    >>> Trivial("season", season=2).forecast(targets, np.array([3]), steps=3).ravel()
    array([3., 4., 3.])
    """

    name: str
    season: int = 1
    constant: np.ndarray | None = None

    def forecast(
        self, targets: np.ndarray, cutoffs: np.ndarray, steps: int, clock: np.ndarray | None = None
    ) -> np.ndarray:
        """Forecast from targets (n_rows, n_targets) up to each cutoff: (n_cutoffs, steps, n_targets).

        A season counts what `clock` (n_rows,) says, up to the last step, or rows.
        """
        if self.constant is None:
            # The last value is that of any phase: no clock is asked for it.
            clock = None if self.season == 1 else clock
            return take_rows(targets, season_rows(targets, cutoffs, steps, self.season, clock))
        return np.tile(self.constant, (len(cutoffs), steps, 1))

    def check(self, n_targets: int, window: int) -> None:
        """Raise `ArchiveError` unless the attributes, which may be anything, make one of these forecasts."""
        constant: Any = self.constant
        if self.name in ("mean", "zero"):
            good = array(np.float64, 1).holds(constant) and constant.shape == (n_targets,)
            require(good, f"the constant of {self.name!r} is not float64 of shape {(n_targets,)}")
        else:
            longest = window if self.name == "season" else 1
            good = constant is None and (self.season == 1) == (self.name == "last value")
            require(good and 1 <= self.season <= longest, f"a season of {self.season} for {self.name!r:.60}")

    def refitted(self, mean: np.ndarray) -> Trivial:
        """Return the same forecast with the mean (n_targets,) of more rows, where it is one."""
        return dataclasses.replace(self, constant=mean) if self.name == "mean" else self

    def errors(
        self,
        targets: np.ndarray,
        scale: np.ndarray,
        cutoffs: np.ndarray,
        steps: int,
        n_groups: int,
        clock: np.ndarray | None = None,
    ) -> np.ndarray:
        """Mean absolute errors over all steps, of each group of neighbouring targets: (n_cutoffs, n_groups).

        In units of `scale`, of shape (n_targets,). NaN where no step was observed. The clock is that of `forecast`.
        """
        out = np.empty((len(cutoffs), n_groups))
        for start in range(0, len(cutoffs), CHUNK):
            some = cutoffs[start : start + CHUNK]
            truth = targets[some[:, None] + np.arange(1, steps + 1)]
            error = np.abs((self.forecast(targets, some, steps, clock) - truth) / scale)
            grouped = error.reshape(len(some), steps, n_groups, -1)
            known = np.isfinite(grouped)
            n = known.sum(axis=(1, 3))
            total = np.where(known, grouped, 0.0).sum(axis=(1, 3))
            out[start : start + CHUNK] = np.where(n > 0, total / np.maximum(n, 1), np.nan)
        return out


def trivial_forecasts(targets: np.ndarray, mean: np.ndarray, season: int, window: int) -> list[Trivial]:
    """Return the trivial forecasts that fit a series: the last value, the last season, the mean, and zero.

    The season is left out where it has one row or is longer than a window; zero where the series does not move around
    it, see `moves_around_zero`.

    Parameters
    ----------
    targets : ndarray of shape (n_rows, n_targets)
        Rows that tell whether the series moves around zero.
    mean : ndarray of shape (n_targets,)
    season : int
        Rows in a season.
    window : int
        Rows that a forecast is made from.
    """
    found = [Trivial("last value")]
    if 1 < season <= window:
        found.append(Trivial("season", season))
    found.append(Trivial("mean", constant=mean))
    if all(moves_around_zero(column) for column in targets.T):
        found.append(Trivial("zero", constant=np.zeros(targets.shape[1])))
    return found


def moves_around_zero(values: np.ndarray) -> bool:
    """Whether a mean of zero is plausible: less than two long-run standard errors from that of the values.

    So it is for returns and other differences, and hardly ever for a level.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
        NaN where nothing was observed.

    References
    ----------
    Newey & West (1994), "Automatic lag selection in covariance matrix estimation", Review of Economic Studies 61:
    4 (n / 100)^(2/9) lags.

    Examples
    --------
    >>> returns = np.random.default_rng(0).normal(0.0, 0.01, 500)
    >>> moves_around_zero(returns), moves_around_zero(returns + 0.01)
    (True, False)
    """
    seen = values[np.isfinite(values)]
    if len(seen) < 2:
        return False
    seen = seen / (np.abs(seen).max() or 1.0)  # the square of 1e200 is infinite
    lag = int(4 * (len(seen) / 100) ** (2 / 9))
    return bool(abs(seen.mean()) <= NOISE * long_run_standard_error(seen, lag))
