"""Echo state networks as forecasters. Imports the regressor, and windowed for everything that concerns time."""

from __future__ import annotations

from typing import Any

import numpy as np

from .._archive.schema import instance
from .._parameters import estimator, param
from ..exceptions import DataError
from ..regressors import EchoStateRegressor
from ..regressors.groups import MissingValues, Reservoir, Seed
from ..windows import WindowArray
from .groups import AutoSegment
from .saved import check_handed_on
from .windowed import WindowForecaster

__all__ = ["EchoStateForecaster"]


@estimator
class EchoStateForecaster(WindowForecaster, Seed, MissingValues, AutoSegment, Reservoir):
    """Forecast with an echo state network: a random reservoir with a ridge regression on its state.

    Each window is centred on its last observation and read in segments, and all steps of the horizon are decoded at
    once from the last state and the last segment. Nothing but the ridge regression is fitted: a fast baseline for the
    recurrent networks that are trained.

    Parameters
    ----------
    segment
        Rows read per step. "auto" reads a window in four steps or a few more.
    missing_indicator
        Tell the network where a value was missing. "auto": if any is in the training rows.
    random_state
        Draws the reservoir.

    Attributes
    ----------
    regressor_ : EchoStateRegressor
    n_parameters_ : int
        Numbers that were fitted.

    References
    ----------
    Jaeger (2001), "The echo state approach to analysing and training recurrent neural networks", GMD Report 148.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> hours = pd.date_range("2024-01-01", periods=480, freq="h")
    >>> df = pd.DataFrame({"load": np.sin(np.arange(480) * 2 * np.pi / 24)}, index=hours)
    >>> model = EchoStateForecaster(window=48, horizon=2, units=20, random_state=0).fit(df)
    >>> model.forecast().round(2)
                         load
    2024-01-21 00:00:00  0.00
    2024-01-21 01:00:00  0.26
    """

    _saved = {"regressor_": instance(EchoStateRegressor)}

    units: int = param(default=200, kw_only=True)
    leak_rate: float = param(default=0.5)
    input_scaling: float = param(default=0.3)
    alpha: float = param(default=1e-3)

    def _check_state(self) -> None:
        super()._check_state()
        self.regressor_.__check_reads__(*self._window_shape(), self._n_outputs())
        check_handed_on(self, self.regressor_)

    def _fit_regressor(self, windows: WindowArray, y: np.ndarray) -> Any:
        unknown = np.isnan(y).all(axis=0)
        if unknown.any():
            step, target = divmod(int(unknown.argmax()), self._n_together())
            raise DataError(
                f"no training window is followed by an observed target {step + 1} step(s) ahead (target {target} of a "
                "window). Fill the gaps (df.interpolate()), or use a shorter horizon or strategy='recursive'."
            )
        return self._make_regressor(windows).__fit_windows__(windows, y)

    def _check_windows(self, windows: WindowArray) -> None:
        self._make_regressor(windows).__check_parameters__()

    def _make_regressor(self, windows: WindowArray) -> EchoStateRegressor:
        return EchoStateRegressor(**self._handed_on(EchoStateRegressor, windows))

    def _apply(self, regressor: Any, windows: WindowArray) -> np.ndarray:
        return regressor.predict(windows).reshape(len(windows), -1)

    @property
    def n_parameters_(self) -> int:
        """Numbers that were fitted: those of the readout."""
        return self.regressor_.n_parameters_
