"""Networks whose forecasts are averaged, with what is added to them or divides their windows. Imports linear."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._progress import Work
from ..regressors.base import NetworkRegressor
from ..windows import WindowArray
from .linear import LinearMap

__all__ = ["Ensemble", "Pairs", "EnsembleView", "Part"]

#: Standard deviation, in units of the scaled series, below which a window is not made larger.
LEAST_SCALE = 0.1
#: Power of its scale that a window weighs with, so that losses are those of the series and not of the scaled windows.
#: Likelihoods only shift by a constant.
WEIGHT_POWERS = {"mse": 2, "gaussian": 0, "student_t": 0}
#: A part forecasts alone if its error is below this share of the average's.
CLEARLY = 0.95
#: Windows that are enough to measure a share on; of more, every k-th is taken.
ENOUGH_WINDOWS = 5_000
#: Share of the moves of a series below which those of a forecast are rounding.
ROUNDING = 1e-6
BLOCK_VALUES = 2**20
#: Windows and the targets that follow them, (n_windows, n_outputs).
Pairs = tuple[WindowArray, np.ndarray]


@dataclass(eq=False)
class Part:
    """Networks of one kind, from different initial weights, whose forecasts are averaged.

    Attributes
    ----------
    networks : list of NetworkRegressor
    linear : LinearMap or None
        Forecast that is added: the networks learn what it leaves.
    n_scaled : int
        Leading columns of a window, its targets, that are divided by their standard deviation in the window, as are the
        targets that follow; 0 for none.
    n_targets : int
        Targets of one step: if several, the networks are given y as (n_windows, steps, n_targets).
    """

    networks: list[NetworkRegressor]
    linear: LinearMap | None = None
    n_scaled: int = 0
    n_targets: int = 1

    def fit(self, training: Pairs, held: Pairs | None, progress: Work) -> Part:
        """Train the networks on windows and targets, stopping by the held-out ones if there are any."""
        lesson, test = self.lesson(*training), held and self.lesson(*held)
        for network in self.networks:
            with progress.unit("network", numbered=True):
                network.__fit_windows__(*lesson, validation=test)
        return self

    def predict(self, windows: WindowArray) -> np.ndarray:
        """Return the forecasts (n_windows, n_outputs)."""
        out = self.predict_networks(windows)
        return out if self.linear is None else out + self.linear.predict(windows)

    def predict_networks(self, windows: WindowArray) -> np.ndarray:
        """Return what the networks add to the linear forecast (n_windows, n_outputs)."""
        seen, unit = self.view(windows)
        out = np.mean([network.predict(seen).reshape(len(windows), -1) for network in self.networks], axis=0)
        return self._unscaled(out[..., None], unit)[..., 0]

    def predict_quantiles(self, windows: WindowArray, quantiles: Any) -> np.ndarray:
        """Return the averages of the networks' quantiles (n_windows, n_outputs, n_quantiles)."""
        seen, unit = self.view(windows)
        out = np.mean([network.predict_quantiles(seen, quantiles) for network in self.networks], axis=0)
        out = self._unscaled(out.reshape(len(windows), -1, len(quantiles)), unit)
        return out if self.linear is None else out + self.linear.predict(windows)[..., None]

    @property
    def n_parameters(self) -> int:
        linear = 0 if self.linear is None else self.linear.n_parameters
        return linear + sum(network.n_parameters_ for network in self.networks)

    def lesson(self, windows: WindowArray, y: np.ndarray) -> tuple[Any, ...]:
        """Windows, targets and weights as the networks are to see them."""
        if self.linear is not None:
            y = y - self.linear.predict(windows)
        seen, unit = self.view(windows)
        y = y.reshape(len(y), -1, self.n_targets)  # the targets of one step stand together
        y = y if unit is None else y / unit[:, None]
        y = y[..., 0] if self.n_targets == 1 else y
        if unit is None:
            return seen, y
        return seen, y, unit.mean(axis=1) ** WEIGHT_POWERS.get(self.networks[0].loss, 1)

    def view(self, windows: WindowArray) -> tuple[WindowArray, np.ndarray | None]:
        """The windows as the networks see them, and the scale of each (n_windows, n_scaled), None for 1."""
        if not self.n_scaled:
            return windows, None
        unit = window_scale(windows, self.n_scaled)
        scale = np.ones((len(windows), windows.shape[2]), unit.dtype)
        scale[:, : self.n_scaled] = unit
        return WindowArray(windows.base, windows.starts, windows.n_steps, windows.offset, scale), unit

    def _unscaled(self, out: np.ndarray, unit: np.ndarray | None) -> np.ndarray:
        if unit is None:
            return out
        # (n, steps * K, Q) -> (n, steps, K, Q)
        return (out.reshape(len(out), -1, self.n_scaled, out.shape[2]) * unit[:, None, :, None]).reshape(out.shape)


@dataclass(frozen=True, eq=False)
class EnsembleView:
    """What inspection may see of a fitted forecaster.

    Attributes
    ----------
    parts : list of Part
    channels : list
        What the columns of a window are called.
    windows : callable
        Returns all windows of the rows that the forecaster knows.
    examples : callable
        Returns the windows and targets that it was fitted on.
    """

    parts: list[Part]
    channels: list[Any]
    windows: Callable[[], WindowArray]
    examples: Callable[[], tuple[WindowArray, np.ndarray]]


@dataclass(eq=False)
class Ensemble:
    """Parts that count alike."""

    parts: list[Part]

    def predict(self, windows: WindowArray) -> np.ndarray:
        """Return the forecasts (n_windows, n_outputs)."""
        return np.mean([part.predict(windows) for part in self.parts], axis=0)

    def predict_quantiles(self, windows: WindowArray, quantiles: Any) -> np.ndarray:
        """Return the averages of the parts' quantiles (n_windows, n_outputs, n_quantiles)."""
        return np.mean([part.predict_quantiles(windows, quantiles) for part in self.parts], axis=0)

    def pruned(self, windows: WindowArray, y: np.ndarray, level: float = 0.5) -> Ensemble:
        """Return the best part alone where its error on held-out windows is clearly the smallest, else all parts.

        The error is absolute, or for another `level` than 0.5 that of this quantile (Koenker and Bassett, 1978). The
        average is the better forecast as a rule, also where the held-out windows do not say so.
        """

        def error(forecast: np.ndarray) -> float:
            above = y - forecast
            return float(np.nanmean(np.maximum(level * above, (level - 1) * above)))

        forecasts = [part.predict(windows) for part in self.parts]
        errors = [error(forecast) for forecast in forecasts]
        best = int(np.argmin(errors))
        alone = errors[best] < CLEARLY * error(np.mean(forecasts, axis=0))
        return Ensemble([self.parts[best]]) if alone else self

    def network_share(self, windows: WindowArray, y: np.ndarray) -> float:
        """Return the share of the networks in how far the forecasts move from the level of their windows.

        With N what the networks add to a forecast and L its linear part, each averaged over the parts,
        sum |N| / (sum |N| + sum |L|) over windows and outputs: 0 where the networks add nothing, 1 where there is no
        linear part. What is below a millionth of the moves of the targets `y` is rounding, and nothing.
        """
        step = -(-len(windows) // ENOUGH_WINDOWS) or 1
        windows, y = windows[::step], y[::step]
        linear = [part.linear.predict(windows) for part in self.parts if part.linear is not None]
        added = np.abs(np.mean([part.predict_networks(windows) for part in self.parts], axis=0)).sum(dtype=np.float64)
        of_linear = np.abs(np.sum(linear, axis=0)).sum(dtype=np.float64) / len(self.parts)
        if added <= ROUNDING * np.nansum(np.abs(y), dtype=np.float64):
            return 0.0
        return float(added / (added + of_linear))

    @property
    def networks(self) -> list[NetworkRegressor]:
        return [network for part in self.parts for network in part.networks]

    @property
    def n_parameters(self) -> int:
        return sum(part.n_parameters for part in self.parts)


def window_scale(windows: WindowArray, n_columns: int) -> np.ndarray:
    """Return the standard deviation of the leading columns in each window, at least `LEAST_SCALE`.

    It is 1 for a column without any value in the window.
    """
    out = np.ones((len(windows), n_columns), windows.dtype)
    size = max(1, BLOCK_VALUES // (windows.shape[1] * windows.shape[2]))
    for start in range(0, len(windows), size):
        rows = slice(start, start + size)
        X = np.asarray(windows[rows])[:, :, :n_columns]
        seen = ~np.isnan(X)
        n = seen.sum(axis=1)
        mean = np.where(seen, X, 0).sum(axis=1) / np.maximum(n, 1)
        variance = np.where(seen, (X - mean[:, None]) ** 2, 0).sum(axis=1) / np.maximum(n, 1)
        out[rows] = np.where(n > 0, np.maximum(np.sqrt(variance), LEAST_SCALE), 1)
    return out
