"""The linear part of the networks as a forecaster of its own. Imports linear, validation and windowed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._archive.schema import instance, none_or
from .._parameters import estimator
from ..exceptions import DataError
from ..windows import WindowArray
from .examples import Examples
from .linear import LARGEST_WINDOW, PENALTIES, LinearMap, fit_linear, fit_penalised
from .past_errors import CALIBRATION_FRACTION
from .windowed import WindowForecaster

__all__ = ["RidgeForecaster"]


@estimator
class RidgeForecaster(WindowForecaster):
    """Forecast all steps by a ridge regression of whole windows, in closed form.

    Each window is centred on its last observation. This is the linear forecast to which the default networks add
    (``linear`` of `LSTMForecaster`): whether a network is worth its training is first a question against it. The
    penalty is the one with the smallest absolute error on the last fifth of the windows; then all of them are fitted.
    Of fewer than 200 windows, the last tenth chooses; where even that leaves too few, the largest penalty is taken.

    Attributes
    ----------
    regressor_ : LinearMap
        ``regressor_.coef`` of shape (n_inputs, n_outputs), its rows time-major, ``regressor_.intercept`` of shape
        (n_outputs,) and ``regressor_.penalty``, relative to the mean square of the inputs. Inputs and outputs are
        scaled and centred; outputs are the targets of the first step, then of the second.
    stopped_ : LinearMap or None
        The same, fitted without the last fifth of the windows, on whose errors there intervals are measured.
    n_parameters_ : int

    Raises
    ------
    DataError
        In `fit` if windows hold more than 2,000 numbers, or some step of the horizon is hardly ever observed.

    Notes
    -----
    Memory does not grow with the windows: the normal equations are summed up over a few megabytes of windows and
    targets at a time. Of more than 60,000 windows, every second (third, ...) is fitted. Missing values of a window are
    replaced by the value before; missing targets are left out, step by step.

    References
    ----------
    Hoerl & Kennard (1970), "Ridge regression: biased estimation for nonorthogonal problems", Technometrics 12.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.date_range("2024-01-01", periods=300, freq="D")
    >>> df = pd.DataFrame({"load": [10.0 + day.day_of_week for day in days]}, index=days)
    >>> model = RidgeForecaster(window=14, horizon=7).fit(df)
    >>> model.forecast(2).round(1)
                load
    2024-10-27  16.0
    2024-10-28  10.0
    """

    _dtype = np.float32

    _saved = {"regressor_": instance(LinearMap), "stopped_": none_or(instance(LinearMap))}

    def _learn(self, examples: Examples) -> LinearMap:
        windows, y = examples.windows, examples.following
        training, held = examples.split(CALIBRATION_FRACTION)
        test = None if held is None else (windows[held], y[held])
        chosen = fit_linear(windows[training], y[training], test, examples.gap)
        self.stopped_ = None if held is None else chosen
        if chosen is None:
            chosen = self._fit_few(windows, y)
        return chosen if self.stopped_ is None else chosen.refitted(windows, y)

    def _check_windows(self, windows: WindowArray) -> None:
        _, n_rows, n_columns = windows.shape
        if n_rows * n_columns > LARGEST_WINDOW:
            fewer = ", fewer covariates, or shared=True for several targets" if n_columns > 1 else ""
            raise DataError(
                f"windows of {n_rows} rows and {n_columns} column(s) are {n_rows * n_columns:,} inputs of the "
                f"regression; at most {LARGEST_WINDOW:,} are allowed, since its equations take the square of that in "
                f"memory. Use window={max(1, LARGEST_WINDOW // n_columns)} or less{fewer}."
            )

    def _fit_few(self, windows: WindowArray, y: WindowArray) -> LinearMap:
        """Fit with the largest penalty, where too few windows are left to choose one."""
        linear = fit_penalised(windows, y, PENALTIES[-1])
        if linear is None:
            raise DataError(
                f"of {len(windows)} training window(s), fewer than two are followed by an observed target at some of "
                f"the {self.block_} step(s) of the horizon. Pass more history, fill the gaps (df.interpolate()), or "
                "use a shorter horizon or strategy='recursive'."
            )
        return linear

    def _apply(self, regressor: Any, windows: WindowArray) -> np.ndarray:
        return regressor.predict(windows)

    def _check_state(self) -> None:
        super()._check_state()
        for linear in (self.regressor_, self.stopped_):
            if linear is not None:
                linear.check(math.prod(self._window_shape()), self._n_outputs())

    def _held_out(self) -> LinearMap | None:
        return self.stopped_

    @property
    def n_parameters_(self) -> int:
        """Coefficients and intercepts."""
        return self.regressor_.n_parameters
