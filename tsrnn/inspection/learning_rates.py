"""Which learning rates a network can be trained with: the range test."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from .._checks import check_int, check_real
from ..engine import lease
from ..engine.examples import Examples
from ..engine.losses import mean_loss
from ..engine.pieces import Pieces, Reader
from ..plots import COLOURS
from ..regressors.base import NetworkRegressor
from ._draw import single, tidy
from ._source import choose_rows, read_examples

__all__ = ["LearningRateRangeDisplay", "learning_rate_range_test", "suggest_learning_rate"]


def learning_rate_range_test(
    estimator: Any,
    X: Any = None,
    y: Any = None,
    *,
    network: int = 0,
    min_rate: float = 1e-5,
    max_rate: float = 1.0,
    n_batches: int = 100,
    max_windows: int = 500,
) -> pd.DataFrame:
    """Train a new network while the learning rate rises exponentially, and record the loss.

    The estimator itself is not changed; all else about the training is as its parameters say.

    Parameters
    ----------
    estimator : recurrent regressor, or a fitted recurrent forecaster
        Its parameters count. A regressor need not be fitted.
    X : WindowArray or array-like, optional
        Windows as for ``fit`` of a regressor. None for a forecaster, which has those that it was fitted on.
    y : array-like, optional
        Their targets; None for a forecaster.
    network : int, default=0
        Which of the networks of a forecaster.
    min_rate, max_rate : float
        First and last learning rate.
    n_batches : int, default=100
        Steps of the optimiser, each with a higher rate; as many epochs as it takes.
    max_windows : int, default=500
        Windows that the loss is measured on, always the same, spread evenly over all: the loss of one batch after the
        other would differ more by their windows than by the rate.

    Returns
    -------
    DataFrame
        One row for each batch: ``learning_rate``, and ``loss`` after the step with this rate. It ends early where the
        loss is not finite any more.

    References
    ----------
    Smith, L. N. (2017). Cyclical learning rates for training neural networks. WACV, section 3.3.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn import LSTMRegressor
    >>> from tsrnn.inspection import learning_rate_range_test
    >>> X = np.random.default_rng(0).normal(size=(200, 4, 1))  # (n_windows, n_steps, n_features)
    >>> tested = learning_rate_range_test(LSTMRegressor(units=2, random_state=0), X, X[:, -1, 0], n_batches=6)
    >>> tested["learning_rate"].tolist()
    [1e-05, 0.0001, 0.001, 0.01, 0.1, 1.0]
    """
    check_real("min_rate", min_rate, 0, closed="neither")
    check_real("max_rate", max_rate, min_rate, closed="neither")
    check_int("n_batches", n_batches, 2)
    regressor, X, y = read_examples(estimator, X, y, network, fresh=True)
    fresh: NetworkRegressor = clone(regressor)
    begun = fresh.__rehearse__(X, y, n_batches)
    feed, plan, rng, view = begun.feed, begun.plan, begun.rng, fresh.__network_view__()
    losses: list[float] = []
    with lease(begun.key, begun.engine) as program:
        program.load(view.weights)
        program.reset_trainer(int(rng.integers(2**31)))
        data = program.bind(feed.windows, view.missing, feed.y, feed.weight, feed.carry)
        probe = begun.examples.take(choose_rows(len(begun.examples), max_windows))
        probed = Reader(program, probe.windows, view.missing)
        rates = np.geomspace(min_rate, max_rate, n_batches)
        for rate, rows in zip(rates, _endless(feed, plan.batch_size, rng if plan.shuffle else None), strict=False):
            program.train_steps(data, rows[None], plan.numbers_at(0, float(rate)))
            loss = mean_loss(plan.loss, probe.y, probed.outputs(), probe.weight, plan.quantiles)
            if not np.isfinite(loss):
                break
            losses.append(loss)
    return pd.DataFrame({"learning_rate": rates[: len(losses)], "loss": losses})


def _endless(feed: Examples | Pieces, batch_size: int, rng: np.random.Generator | None) -> Iterator[np.ndarray]:
    """Yield the batches of one epoch after the other."""
    for _ in itertools.count():
        yield from feed.batches(batch_size, rng)


def suggest_learning_rate(tested: pd.DataFrame) -> float:
    """Return a tenth of the rate at which the loss was lowest: there it still falls well.

    Parameters
    ----------
    tested : DataFrame
        From `learning_rate_range_test`.

    Raises
    ------
    ValueError
        If the loss was not finite from the first batch on.

    Examples
    --------
    >>> import pandas as pd
    >>> from tsrnn.inspection import suggest_learning_rate
    >>> suggest_learning_rate(pd.DataFrame({"learning_rate": [1e-3, 1e-2, 1e-1], "loss": [1.0, 0.5, 3.0]}))
    0.001
    """
    if tested.empty:
        raise ValueError("the loss was not finite from the first batch on. Check that X and y are scaled.")
    return float(tested["learning_rate"].iloc[int(tested["loss"].argmin())] / 10)


@dataclass(eq=False, repr=False)
class LearningRateRangeDisplay:
    """Loss by learning rate, and the rate that it suggests.

    Use `from_estimator` to make one.

    Parameters
    ----------
    tested : DataFrame
        From `learning_rate_range_test`.

    Attributes
    ----------
    suggestion : float
        See `suggest_learning_rate`.
    ax_ : matplotlib Axes
        After `plot`.
    figure_ : matplotlib Figure

    Examples
    --------
    >>> import numpy as np
    >>> from matplotlib.figure import Figure
    >>> from tsrnn import GRURegressor
    >>> from tsrnn.inspection import LearningRateRangeDisplay
    >>> X = np.random.default_rng(0).normal(size=(200, 4, 1))  # (n_windows, n_steps, n_features)
    >>> model = GRURegressor(units=2, random_state=0)
    >>> display = LearningRateRangeDisplay.from_estimator(model, X, X[:, -1, 0], ax=Figure().subplots())
    >>> 1e-4 < display.suggestion < 1
    True
    """

    tested: pd.DataFrame

    @property
    def suggestion(self) -> float:
        return suggest_learning_rate(self.tested)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any = None,
        y: Any = None,
        *,
        network: int = 0,
        min_rate: float = 1e-5,
        max_rate: float = 1.0,
        n_batches: int = 100,
        max_windows: int = 500,
        ax: Any = None,
    ) -> LearningRateRangeDisplay:
        """Run the test and draw it; see `learning_rate_range_test` for the parameters."""
        rates: dict[str, Any] = {
            "min_rate": min_rate,
            "max_rate": max_rate,
            "n_batches": n_batches,
            "max_windows": max_windows,
        }
        return cls(learning_rate_range_test(estimator, X, y, network=network, **rates)).plot(ax)

    def plot(self, ax: Any = None) -> LearningRateRangeDisplay:
        """Draw the loss and the suggestion.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        LearningRateRangeDisplay
        """
        suggestion = self.suggestion
        self.ax_ = ax = single(ax, (7.0, 4.0))
        self.figure_ = ax.figure
        rates, loss = self.tested["learning_rate"], self.tested["loss"]
        ax.plot(rates, loss, color=COLOURS[0], label="loss")
        ax.axvline(suggestion, color=COLOURS[1], ls="--", lw=1.2, label=f"suggestion: {suggestion:.2g}")
        ax.set_xscale("log")
        # Where training diverges the loss has no bounds; the picture is of what comes before.
        fall = loss.iloc[0] - loss.min()
        if fall > 0:
            ax.set_ylim(loss.min() - 0.05 * fall, loss.iloc[0] + 0.3 * fall)
        ax.set_xlabel("learning rate")
        ax.set_ylabel("training loss")
        ax.legend(frameon=False, loc="upper left")
        tidy(ax)
        return self
