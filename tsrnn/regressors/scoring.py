"""How regressors of windows are scored: by R2, for every y that they are fitted to. Imports the readers of X and y."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import r2_score
from sklearn.utils.validation import check_is_fitted

from .._estimator import RegressorMixin
from .._publishing import reads_one_state
from .inputs import ReadsWindows, read_weights

__all__ = ["ScoresKnownTargets"]


class ScoresKnownTargets(ReadsWindows, RegressorMixin):
    """Gives a regressor of windows a `score` that takes what `fit` takes."""

    predict: Callable[[Any], np.ndarray]

    @reads_one_state
    def score(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> float:
        """Return the coefficient of determination, R2, of the predictions for windows.

        It is the mean of the R2 of each number of a window's target: of each step of the horizon and each target, as
        scikit-learn has it. Targets that are NaN, and those of empty leading steps, do not count; nor does a number
        that is known in fewer than two windows. Of sequences where that leaves none, such as a single long one, the R2
        of each target over all steps is taken.

        Parameters
        ----------
        X : WindowArray or array-like
            Windows as in `fit`.
        y : array-like
            Their targets, in a shape that `fit` takes; NaN where one is not known.
        sample_weight : array-like of shape (n_windows,), default=None
            Weights of the windows.

        Returns
        -------
        float
            At most 1; 0 is the score of the mean of y.

        Raises
        ------
        ValueError
            If y does not have the shape of the predictions, or no target is known often enough.

        Examples
        --------
        >>> import numpy as np
        >>> from tsrnn import EchoStateRegressor
        >>> X = np.random.default_rng(0).normal(size=(100, 6, 2))  # (n_windows, n_steps, n_features)
        >>> y = np.stack([X[:, -1], X[:, -2]], axis=1)  # (n_windows, horizon, n_targets)
        >>> bool(EchoStateRegressor(units=20, random_state=0).fit(X, y).score(X, y) > 0.7)
        True
        """
        check_is_fitted(self)
        y = self._check_targets(self._read_windows(X), y, allow_nan=True)
        predicted = self.predict(X)
        if [n for n in y.shape[1:] if n > 1] != [n for n in predicted.shape[1:] if n > 1]:
            raise ValueError(
                f"y has shape {y.shape}, but {type(self).__name__} predicts {predicted.shape}. Pass targets of the "
                "shape that it was fitted to."
            )
        weight = None if sample_weight is None else read_weights(sample_weight, len(y))
        return r2_of_known(y, predicted.reshape(y.shape), weight, self.return_sequences)


def r2_of_known(
    y: np.ndarray, predicted: np.ndarray, weight: np.ndarray | None = None, sequences: bool = False
) -> float:
    """Return the mean R2 of the numbers of a target (n_windows, ...), over the windows where each is known."""
    known = ~(np.isnan(y) | np.isnan(predicted)).reshape(len(y), -1)
    flat = [array.reshape(len(y), -1) for array in (y, predicted)]
    often = np.flatnonzero(known.sum(axis=0) >= 2)
    if sequences and not len(often):
        n_targets = math.prod(y.shape[2:])
        weight = None if weight is None else np.repeat(weight, known.shape[1] // n_targets)
        known, *flat = (array.reshape(-1, n_targets) for array in (known, *flat))
        often = np.flatnonzero(known.sum(axis=0) >= 2)
    if not len(often):
        raise ValueError(
            f"R2 is not defined: no target is known in two of the {len(y)} windows. Pass more windows, or some whose "
            "targets are not NaN."
        )
    if known.all():
        return float(r2_score(*flat, sample_weight=weight))
    scores = [
        r2_score(*(array[rows, i] for array in flat), sample_weight=None if weight is None else weight[rows])
        for i in often
        for rows in [known[:, i]]
    ]
    return float(np.mean(scores))
