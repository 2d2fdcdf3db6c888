"""How a network learnt: loss by epoch, and the best epoch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .._checks import check_int
from ..plots import COLOURS
from ._draw import single, tidy
from ._source import find_network

__all__ = ["LearningCurveDisplay", "learning_curve"]


def learning_curve(estimator: Any, *, network: int = 0) -> pd.DataFrame:
    """Training and validation loss of each epoch.

    Parameters
    ----------
    estimator : regressor or recurrent forecaster
        Fitted.
    network : int, default=0
        Which of the networks of a forecaster: while they were stopped by a validation part, before they were trained
        anew on all windows.

    Returns
    -------
    DataFrame
        Columns ``epoch``, ``loss``, ``val_loss`` (if there was a validation part), ``learning_rate``, and ``best``,
        True in the epoch whose weights were kept. Epoch 0 is the network before training, if its validation loss is
        known.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn import LSTMRegressor
    >>> from tsrnn.inspection import learning_curve
    >>> X = np.random.default_rng(0).normal(size=(100, 4, 1))  # (n_windows, n_steps, n_features)
    >>> model = LSTMRegressor(units=2, epochs=3, early_stopping=True, random_state=0).fit(X, X[:, -1, 0])
    >>> curve = learning_curve(model)
    >>> curve.columns.tolist(), curve["epoch"].tolist()
    (['epoch', 'loss', 'val_loss', 'learning_rate', 'best'], [0, 1, 2, 3])
    """
    regressor, part = find_network(estimator, network)
    if part is not None and estimator.stopped_ is not None:
        networks = estimator.stopped_.networks
        check_int("network", network, 0, len(networks) - 1)
        regressor = networks[network]
    history = pd.DataFrame(regressor.history_)
    last = regressor.n_iter_
    # Epochs of earlier calls of partial_fit may not be in the history.
    curve = history.assign(epoch=np.arange(last - len(history) + 1, last + 1))
    initial = getattr(regressor, "initial_val_loss_", None)
    if "val_loss" in history and initial is not None:
        curve = pd.concat([pd.DataFrame({"epoch": [0], "val_loss": [initial]}), curve], ignore_index=True)
    curve["best"] = curve["epoch"] == regressor.best_iteration_
    return curve[["epoch", *history.columns, "best"]]


@dataclass(eq=False, repr=False)
class LearningCurveDisplay:
    """Training and validation loss by epoch, with the epoch whose weights were kept.

    Use `from_estimator` to make one. (scikit-learn's display of the same name draws scores by the number of examples.)

    Parameters
    ----------
    curve : DataFrame
        From `learning_curve`.

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
    >>> from tsrnn.inspection import LearningCurveDisplay
    >>> X = np.random.default_rng(0).normal(size=(50, 6, 1))  # (n_windows, n_steps, n_features)
    >>> model = GRURegressor(units=2, epochs=2, random_state=0).fit(X, X[:, -1, 0])
    >>> display = LearningCurveDisplay.from_estimator(model, ax=Figure().subplots())
    >>> [line.get_label() for line in display.ax_.get_lines()]
    ['training', 'best epoch: 2']
    """

    curve: pd.DataFrame

    @classmethod
    def from_estimator(cls, estimator: Any, *, network: int = 0, ax: Any = None) -> LearningCurveDisplay:
        """Draw how a fitted estimator learnt; see `learning_curve` for the parameters."""
        return cls(learning_curve(estimator, network=network)).plot(ax)

    def plot(self, ax: Any = None) -> LearningCurveDisplay:
        """Draw the losses.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        LearningCurveDisplay
        """
        self.ax_ = ax = single(ax, (7.0, 4.0))
        self.figure_ = ax.figure
        names = {"loss": "training", "val_loss": "validation"}
        for (column, name), colour in zip(names.items(), COLOURS, strict=False):
            if column in self.curve:
                marker = "." if len(self.curve) < 30 else None
                ax.plot(self.curve["epoch"], self.curve[column], color=colour, marker=marker, label=name)
        for epoch in self.curve.loc[self.curve["best"], "epoch"]:
            ax.axvline(epoch, color="0.5", ls="--", lw=1, zorder=0, label=f"best epoch: {epoch}")
        ax.set_xlabel("epoch")
        ax.set_ylabel("loss")
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.legend(frameon=False)
        tidy(ax)
        return self
