"""The mean, or a constant, as a forecast: the baseline of series that move around a level, such as returns.

Works on row positions and for all cutoffs at once. Imports checks, exceptions, frames and naive.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from .._archive.schema import array, require
from .._checks import check_int, check_real
from .._parameters import estimator, param
from ..exceptions import DataError
from ..frames import some
from ..transforms import Changes
from .naive import WalkForecaster

__all__ = ["MeanForecaster"]


def prefix_sums(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sums of the first 0, 1, .. n values, each as a rounded sum and what the rounding lost.

    A difference of two sums taken in both parts is as good as one of twice the precision: the sum of a few small
    values is right although there were large ones, or a high level, before.

    References
    ----------
    Ogita, Rump & Oishi (2005), "Accurate sum and dot product", SIAM J. Sci. Comput. 26(6), algorithm 4.3 (Sum2).

    Examples
    --------
    >>> rounded, lost = prefix_sums(np.array([1e17, 1.0, 1.0]))
    >>> float((rounded[3] - rounded[1]) + (lost[3] - lost[1]))
    2.0
    """
    total = np.append(0.0, np.cumsum(values))
    before, after = total[:-1], total[1:]
    added = after - before
    lost = (before - (after - added)) + (values - added)  # exact: Knuth's two-sum
    return total, np.append(0.0, np.cumsum(lost))


def recent_means(values: np.ndarray, cutoffs: np.ndarray, window: int | None = None) -> np.ndarray:
    """Mean of the last `window` observations of each column at or before each cutoff; None takes all of them.

    Parameters
    ----------
    values : ndarray of shape (n_rows, n_targets)
        NaN where nothing was observed.
    cutoffs : ndarray of int, shape (n_cutoffs,)
    window : int, optional

    Returns
    -------
    ndarray of shape (n_cutoffs, n_targets)
        Of fewer observations where there are no more; NaN where there is none.

    Examples
    --------
    >>> recent_means(np.array([[1.0], [np.nan], [3.0], [7.0]]), np.array([1, 2, 3]), window=2).ravel()
    array([1., 2., 5.])
    """
    out = np.full((len(cutoffs), values.shape[1]), np.nan)
    for k, column in enumerate(values.T):
        seen = np.isfinite(column)
        stop = np.cumsum(seen)[cutoffs]
        start = np.zeros_like(stop) if window is None else np.maximum(stop - window, 0)
        rounded, lost = prefix_sums(column[seen])
        total = (rounded[stop] - rounded[start]) + (lost[stop] - lost[start])
        np.divide(total, stop - start, out=out[:, k], where=stop > 0)
    return out


def deviation(errors: np.ndarray, n_parameters: int = 0) -> np.ndarray:
    """Root mean square of each column, NaN left out; NaN where no more than `n_parameters` are known."""
    n = np.isfinite(errors).sum(axis=0)
    largest = np.nanmax(np.abs(errors), axis=0, initial=0.0)
    unit = np.where(largest > 0, largest, 1.0)  # the square of 1e200 is infinite, that of 1e-200 is 0
    total = np.nansum((errors / unit) ** 2, axis=0)
    return np.where(n > n_parameters, unit * np.sqrt(total / np.maximum(n - n_parameters, 1)), np.nan)


@estimator
class MeanForecaster(WalkForecaster):
    """Forecast every step by the mean of what was observed, or by a constant.

    What repeating the last value is to prices, the mean is to series that move around a level, and zero
    (``value=0.0``) to returns: the bar that a model has to clear.

    Parameters
    ----------
    window
        How many of the last observations the mean is of; by default all up to the cutoff. Missing values are passed
        over and do not count.
    value
        Forecast this number, in the unit of the target, instead of a mean.

    Attributes
    ----------
    sigma_ : ndarray of shape (n_targets,)
        Standard deviation of the training rows around the forecast, in the unit of the target; with a window from the
        errors of one step.
    n_observed_ : ndarray of shape (n_targets,)
        Observations that a mean is of, n in the formula of the interval.

    Raises
    ------
    DataError
        If window and value are both given, or the history holds fewer observations than the window.
    TypeError, ValueError
        If window is no integer of at least 1, or value no finite number.

    Notes
    -----
    The mean moves with the history, without refitting. The interval is sigma * sqrt(1 + 1 / n) on either side, times a
    normal quantile, the same for every step; sigma alone for a constant. Sums are taken in twice the usual precision,
    so that a mean is right whatever the level and whatever came before its window.

    References
    ----------
    Hyndman & Athanasopoulos (2021), "Forecasting: principles and practice", 3rd ed., sections 5.2 and 5.5.

    Examples
    --------
    >>> import pandas as pd
    >>> y = pd.Series([3.0, 5.0, 4.0, 8.0], index=pd.date_range("2024-01-01", periods=4, freq="D"), name="y")
    >>> MeanForecaster().fit(y).forecast(2)["y"].tolist()
    [5.0, 5.0]
    >>> MeanForecaster(window=2).fit(y).forecast(1)["y"].tolist()
    [6.0]
    >>> MeanForecaster(value=0.0).fit(y).forecast(1)["y"].tolist()
    [0.0]
    """

    _saved = {"n_observed_": array(np.int64, 1)}

    window: int | None = param(default=None, rule=partial(check_int, none=True), kw_only=False)
    value: float | None = param(default=None, rule=partial(check_real, none=True), kw_only=False)

    def _check_state(self) -> None:
        super()._check_state()
        n = self.n_observed_
        require(n.shape == self.sigma_.shape and (n > 0).all(), "n_observed_ is not one positive count for each target")

    def _settle(self, values: np.ndarray) -> None:
        super()._settle(values)
        self._check_history(values, np.array([len(values) - 1]))

    def _fit(self, values: np.ndarray) -> None:
        targets = self._targets(values)
        n = np.isfinite(targets).sum(axis=0)
        self.n_observed_ = n if self.window is None else np.minimum(n, self.window)
        self.sigma_ = self._deviation(targets)

    def _check_together(self) -> None:
        super()._check_together()
        if self.window is not None and self.value is not None:
            raise DataError(
                f"window={self.window} and value={self.value} exclude each other: a constant is the mean of nothing. "
                "Leave one of them out."
            )

    def _deviation(self, targets: np.ndarray) -> np.ndarray:
        """Standard deviation of one observation, so that sigma * sqrt(1 + 1 / n) is that of a forecast's error."""
        if self.value is not None:
            return deviation(targets - self.value)
        if self.window is None:
            return deviation(targets - recent_means(targets, np.array([len(targets) - 1])), n_parameters=1)
        before = recent_means(targets, np.arange(len(targets) - 1), self.window)
        errors = targets[1:] - before
        errors[np.isfinite(targets).cumsum(axis=0)[:-1] < self.window] = np.nan  # the means of fewer observations
        return deviation(errors) / np.sqrt(1 + 1 / self.window)

    def _check_history(self, values: np.ndarray, cutoffs: np.ndarray) -> None:
        super()._check_history(values, cutoffs)
        seen = np.isfinite(self._targets(values)).cumsum(axis=0)[cutoffs.min()]
        if self.window is not None and (seen < self.window).any():
            short = [name for name, n in zip(self.targets_, seen, strict=True) if n < self.window]
            raise DataError(
                f"window={self.window} needs {self.window} observations up to the cutoff, but target(s) {some(short)} "
                f"have {seen.min()}. Pass more history or a smaller window."
            )

    def _forecast(self, values: np.ndarray, cutoffs: np.ndarray, steps: int) -> np.ndarray:
        targets = self._targets(values)
        if self.value is not None:
            return np.tile(self._constant(targets.shape[1]), (len(cutoffs), steps, 1))
        return np.repeat(recent_means(targets, cutoffs, self.window)[:, None, :], steps, axis=1)

    def _constant(self, n_targets: int) -> np.ndarray:
        """The constant on the scale on which targets are modelled; of changes it is one itself."""
        constant = np.full((1, n_targets), float(self.value or 0.0))
        single = self.transform_ is not None and not isinstance(self.transform_, Changes)
        return self.transform_.forward(constant)[0] if single else constant[0]  # type: ignore[union-attr]

    def _fitted_values(
        self,
        frame: pd.DataFrame,
        known: pd.DatetimeIndex,
        stamps: pd.DatetimeIndex,
        quantiles: np.ndarray,
        levels: np.ndarray | None,
    ) -> np.ndarray:
        out = super()._fitted_values(frame, known, stamps, quantiles, levels)
        if self.value is None or self.transform_ is not None:
            return out
        # The first row, with nothing before it, is forecast by the mean; a constant needs nothing before it.
        return out - out[..., :1] + float(self.value)

    def _spread(self, steps: int, quantiles: np.ndarray) -> np.ndarray:
        of_mean = np.zeros(len(self.targets_)) if self.value is not None else 1 / self.n_observed_
        return self._normal_quantiles(np.ones(steps), quantiles) * np.sqrt(1 + of_mean)[:, None]
