"""How much worse a network predicts when the values of a lag or a channel are exchanged between windows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from .._checks import check_choice, check_int
from ..metrics import rmse
from ..plots import COLOURS
from ._draw import draw_by_lag, single, tidy
from ._source import channel_names, read_dense, read_examples

__all__ = ["PermutationImportanceDisplay", "permutation_importance"]

BY = ("lag", "channel", "both")


def permutation_importance(
    estimator: Any,
    X: Any = None,
    y: Any = None,
    *,
    by: str = "both",
    network: int = 0,
    metric: Callable[..., float] = rmse,
    n_repeats: int = 5,
    max_windows: int = 200,
    random_state: Any = None,
) -> pd.DataFrame:
    """Exchange the values of a lag, a channel or both between windows, and measure how much worse predictions get.

    Exchanged values fit neither the target nor the rest of their window. A lag whose neighbours hold the same
    information, as in a smooth series, has a small importance though it may be read. Importance on the windows of the
    fit tells what was learnt, on later ones what holds.

    Parameters
    ----------
    estimator : recurrent regressor or forecaster
        Fitted.
    X : WindowArray or array-like, optional
        Windows as for ``predict`` of a regressor. None for a forecaster, which has those that it was fitted on.
    y : array-like, optional
        Their targets; None for a forecaster.
    by : {"both", "lag", "channel"}
        Exchange one channel at one lag, all channels at a lag, or a channel at all lags.
    network : int, default=0
        Which of the networks of a forecaster.
    metric : callable, default=tsrnn.metrics.rmse
        ``metric(y_true, y_pred)``, of which less is better.
    n_repeats : int, default=5
        Exchanges to average over.
    max_windows : int, default=200
        Windows to use, spread evenly over all.
    random_state : int, RandomState instance or None
        Of the exchanges.

    Returns
    -------
    DataFrame
        Columns ``channel`` and ``lag`` (steps back from the last of the window), as far as `by` tells them apart;
        ``importance``, by which the metric rises on average; ``std`` over the repeats. Windows with a missing value
        among those to be exchanged keep theirs.

    References
    ----------
    Breiman, L. (2001). Random forests. Machine Learning 45(1), 5-32, section 10.

    Fisher, A., Rudin, C. and Dominici, F. (2019). All models are wrong, but many are useful. JMLR 20(177).

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn import GRURegressor
    >>> from tsrnn.inspection import permutation_importance
    >>> X = np.random.default_rng(0).normal(size=(300, 5, 2))  # (n_windows, n_steps, n_features)
    >>> y = X[:, -2, 1]
    >>> model = GRURegressor(units=4, learning_rate=0.02, random_state=0).fit(X, y)
    >>> table = permutation_importance(model, X, y, random_state=0)
    >>> table.loc[table["importance"].idxmax(), ["channel", "lag"]].tolist()
    [1, 1]
    """
    check_choice("by", by, BY)
    check_int("n_repeats", n_repeats)
    regressor, X, y = read_examples(estimator, X, y, network, fitted=True)
    dense, y = read_dense(regressor, X, max_windows, y)
    rng = check_random_state(random_state)

    def score(windows: np.ndarray) -> float:
        predictions = np.asarray(regressor.predict(windows)).reshape(len(windows), -1)
        truth = np.asarray(y, dtype=np.float64).reshape(len(windows), -1)
        # of a sequence, empty steps have no prediction
        return metric(np.where(np.isnan(predictions), np.nan, truth), predictions)

    before, n_steps = score(dense), dense.shape[1]
    lags = [slice(None)] if by == "channel" else [slice(n_steps - 1 - lag, n_steps - lag) for lag in range(n_steps)]
    channels = [slice(None)] if by == "lag" else [slice(i, i + 1) for i in range(dense.shape[2])]
    rises = np.array(
        [[[score(_exchange(dense, at, of, rng)) - before for _ in range(n_repeats)] for at in lags] for of in channels]
    )
    names = [""] if by == "lag" else channel_names(estimator, regressor)
    table = pd.DataFrame(
        {
            "channel": np.repeat(np.array(names, dtype=object), len(lags)),
            "lag": np.tile(np.arange(len(lags)), len(channels)),
            "importance": rises.mean(axis=2).ravel(),
            "std": rises.std(axis=2).ravel(),
        }
    ).infer_objects()
    return table.drop(columns={"lag": ["channel"], "channel": ["lag"], "both": []}[by])


def _exchange(dense: np.ndarray, at: slice, of: slice, rng: np.random.RandomState) -> np.ndarray:
    """Return windows with the values at some steps and channels exchanged between those that miss none of them."""
    rows = np.flatnonzero(~np.isnan(dense[:, at, of]).any(axis=(1, 2)))
    exchanged = dense.copy()
    exchanged[rows, at, of] = dense[rng.permutation(rows), at, of]
    return exchanged


@dataclass(eq=False, repr=False)
class PermutationImportanceDisplay:
    """Permutation importance by lag and channel.

    Use `from_estimator` to make one.

    Parameters
    ----------
    importance : DataFrame
        From `permutation_importance`.

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
    >>> from tsrnn.inspection import PermutationImportanceDisplay
    >>> X = np.random.default_rng(0).normal(size=(50, 6, 2))  # (n_windows, n_steps, n_features)
    >>> model = GRURegressor(units=2, epochs=1, random_state=0).fit(X, X[:, -1, 0])
    >>> display = PermutationImportanceDisplay.from_estimator(
    ...     model, X, X[:, -1, 0], by="channel", random_state=0, ax=Figure().subplots()
    ... )
    >>> sorted(label.get_text() for label in display.ax_.get_yticklabels())
    ['0', '1']
    """

    importance: pd.DataFrame

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any = None, y: Any = None, *, ax: Any = None, **params: Any
    ) -> PermutationImportanceDisplay:
        """Measure a fitted estimator and draw the answer; `params` are those of `permutation_importance`."""
        return cls(permutation_importance(estimator, X, y, **params)).plot(ax)

    def plot(self, ax: Any = None) -> PermutationImportanceDisplay:
        """Draw importance by lag, a line for each channel; or, without lags, a bar for each channel.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        PermutationImportanceDisplay
        """
        self.ax_ = single(ax, (8.0, 4.0))
        self.figure_ = self.ax_.figure
        if "lag" in self.importance:
            draw_by_lag(self.ax_, self.importance, "importance", "rise of the error", log=False)
        else:
            table = self.importance.sort_values("importance", kind="stable")  # the last bar is on top
            names = [str(name) for name in table["channel"]]
            self.ax_.barh(names, table["importance"], xerr=table["std"], color=COLOURS[0], ecolor="0.4", height=0.6)
            self.ax_.set_xlabel("rise of the error")
            self.ax_.set_ylabel("channel")
            tidy(self.ax_)
        return self
