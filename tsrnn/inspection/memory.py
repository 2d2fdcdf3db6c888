"""How far back a change of one input still moves what a network predicts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .._checks import check_real
from ..regressors.base import NetworkRegressor
from ._draw import draw_by_lag, single
from ._source import channel_names, read_dense, read_some_windows

__all__ = ["EffectiveMemoryDisplay", "effective_memory", "memory_reach"]

#: Share of the largest effect below which an input counts as forgotten.
FORGOTTEN = 0.01
BLOCK_VALUES = 2**20


def effective_memory(
    estimator: Any, X: Any = None, *, network: int = 0, size: float = 1.0, max_windows: int = 100
) -> pd.DataFrame:
    """Change one value of a window, by lag and channel, and measure how far the prediction moves.

    Parameters
    ----------
    estimator : recurrent regressor or forecaster
        Fitted.
    X : WindowArray or array-like, optional
        Windows as for ``predict`` of a regressor. None for a forecaster, which has all windows of the rows that it
        knows.
    network : int, default=0
        Which of the networks of a forecaster. What the forecaster puts around it (the level of the window, a linear
        forecast) is left out.
    size : float, default=1.0
        What is added to a value, in standard deviations of its channel; of a constant channel, in its unit.
    max_windows : int, default=100
        Windows to average over, spread evenly over all.

    Returns
    -------
    DataFrame
        One row for each channel and lag, counted in steps back from the last of the window, 0. ``effect`` is the mean
        absolute change of the predictions, over windows and outputs (of a sequence, those of the last step), in the
        unit of y; of a forecaster's network, that of the scaled target. NaN where no window holds a value.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn import SimpleRNNRegressor
    >>> from tsrnn.inspection import effective_memory, memory_reach
    >>> X = np.random.default_rng(0).normal(size=(200, 8, 1))  # (n_windows, n_steps, n_features)
    >>> model = SimpleRNNRegressor(units=2, learning_rate=0.02, random_state=0).fit(X, X[:, -1, 0])
    >>> memory = effective_memory(model, X)
    >>> int(memory.loc[memory["effect"].idxmax(), "lag"])  # the target is the last value
    0
    """
    check_real("size", size, 0, closed="neither")
    regressor, X = read_some_windows(estimator, X, network)
    (dense,) = read_dense(regressor, X, max_windows)
    deviation = _deviation(dense)
    effects = [_effects(regressor, dense, channel, size * deviation[channel]) for channel in range(dense.shape[2])]
    names = channel_names(estimator, regressor)
    lags = np.arange(dense.shape[1])
    return pd.concat(
        [
            pd.DataFrame({"channel": name, "lag": lags, "effect": effect})
            for name, effect in zip(names, effects, strict=True)
        ],
        ignore_index=True,
    )


def _deviation(dense: np.ndarray) -> np.ndarray:
    """Standard deviation of each channel over windows and steps; 1 for a constant or empty one."""
    seen = ~np.isnan(dense)
    n = np.maximum(seen.sum(axis=(0, 1)), 1)
    values = np.where(seen, dense, 0.0).astype(np.float64)
    mean = values.sum(axis=(0, 1)) / n
    deviation = np.sqrt((np.where(seen, values - mean, 0.0) ** 2).sum(axis=(0, 1)) / n)
    # what rounding leaves of a constant is no deviation
    return np.where(deviation > 1e-6 * np.abs(mean), deviation, 1.0)


def _effects(regressor: NetworkRegressor, dense: np.ndarray, channel: int, change: float) -> np.ndarray:
    """Mean absolute change of the predictions for a change at each lag: (n_steps,), the last step first."""
    n_windows, n_steps, _ = dense.shape
    before = last_predictions(regressor, dense)
    effects = np.full(n_steps, np.nan)
    together = max(1, BLOCK_VALUES // dense.size)
    for first in range(0, n_steps, together):
        lags = np.arange(first, min(first + together, n_steps))
        changed = np.tile(dense, (len(lags), 1, 1)).reshape(len(lags), *dense.shape)
        changed[np.arange(len(lags)), :, n_steps - 1 - lags, channel] += change
        after = last_predictions(regressor, changed.reshape(-1, *dense.shape[1:])).reshape(len(lags), n_windows, -1)
        moved = np.abs(after - before).mean(axis=2)
        seen = ~np.isnan(dense[:, n_steps - 1 - lags, channel]).T  # a value that is missing cannot be changed
        n = seen.sum(axis=1)
        np.divide(np.where(seen, moved, 0.0).sum(axis=1), n, out=effects[lags[0] : lags[-1] + 1], where=n > 0)
    return effects


def last_predictions(regressor: NetworkRegressor, dense: np.ndarray) -> np.ndarray:
    """Predictions (n_windows, n_outputs); of a sequence, those of its last step."""
    predictions = np.asarray(regressor.predict(dense))
    if regressor.__network_view__().spec.head == "sequence":
        predictions = predictions[:, -1]
    return predictions.reshape(len(dense), -1)


def memory_reach(memory: pd.DataFrame) -> pd.DataFrame:
    """Say of each channel how many steps, counted back from the last, still move the prediction.

    Parameters
    ----------
    memory : DataFrame
        From `effective_memory`.

    Returns
    -------
    DataFrame
        One row for each channel: ``reach``, the steps up to the last whose effect is at least 1 % of the largest of all
        channels, and ``length``, the steps of a window.

    Examples
    --------
    >>> import pandas as pd
    >>> from tsrnn.inspection import memory_reach
    >>> memory_reach(pd.DataFrame({"channel": "load", "lag": range(4), "effect": [1.0, 0.5, 0.02, 0.001]}))
      channel  reach  length
    0    load      3       4
    """
    least = FORGOTTEN * memory["effect"].max()
    rows = []
    for channel, part in memory.groupby("channel", sort=False):
        moving = part.loc[(part["effect"] >= least) & (part["effect"] > 0), "lag"]
        reach = int(moving.max()) + 1 if len(moving) else 0
        rows.append({"channel": channel, "reach": reach, "length": int(part["lag"].max()) + 1})
    return pd.DataFrame(rows)


@dataclass(eq=False, repr=False)
class EffectiveMemoryDisplay:
    """Effect of a change of one input on the prediction, by lag and channel.

    Use `from_estimator` to make one.

    Parameters
    ----------
    memory : DataFrame
        From `effective_memory`.

    Attributes
    ----------
    ax_ : matplotlib Axes
        After `plot`.
    figure_ : matplotlib Figure

    Examples
    --------
    >>> import numpy as np
    >>> from matplotlib.figure import Figure
    >>> from tsrnn import GRURegressor
    >>> from tsrnn.inspection import EffectiveMemoryDisplay
    >>> X = np.random.default_rng(0).normal(size=(50, 6, 1))  # (n_windows, n_steps, n_features)
    >>> model = GRURegressor(units=2, epochs=1, random_state=0).fit(X, X[:, -1, 0])
    >>> display = EffectiveMemoryDisplay.from_estimator(model, X, ax=Figure().subplots())
    >>> display.ax_.get_yscale()
    'log'
    """

    memory: pd.DataFrame

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any = None,
        *,
        network: int = 0,
        size: float = 1.0,
        max_windows: int = 100,
        ax: Any = None,
    ) -> EffectiveMemoryDisplay:
        """Measure a fitted estimator and draw the answer; see `effective_memory` for the parameters."""
        return cls(effective_memory(estimator, X, network=network, size=size, max_windows=max_windows)).plot(ax)

    def plot(self, ax: Any = None) -> EffectiveMemoryDisplay:
        """Draw a line for each channel, or a map where there are many.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        EffectiveMemoryDisplay
        """
        self.ax_ = single(ax, (8.0, 4.0))
        self.figure_ = self.ax_.figure
        draw_by_lag(self.ax_, self.memory, "effect", "change of the prediction", log=True)
        return self
