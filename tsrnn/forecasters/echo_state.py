"""Echo state networks as forecasters. Imports the regressor, and windowed for everything that concerns time."""

from __future__ import annotations

import inspect

import numpy as np

from .. import _types as t
from .._archive.schema import instance
from ..exceptions import DataError
from ..regressors import EchoStateRegressor
from .recurrent import segment_for
from .saved import check_parameters, check_regressor
from .windowed import WindowForecaster

__all__ = ["EchoStateForecaster"]


class EchoStateForecaster(WindowForecaster):
    """Forecast with an echo state network: a random reservoir with a ridge regression on its state.

    Each window is centred on its last observation and read in segments, and all steps of the horizon are decoded at
    once from the last state and the last segment. Nothing but the ridge regression is fitted: a fast baseline for the
    recurrent networks that are trained.

    Parameters
    ----------
    target : str or list of str, optional
        Column(s) of X to forecast when no y is given; None means all.
    window : int, optional
        Past rows that the network reads. By default a week and a day where a day has several rows, else four
        seasons; at most a quarter of the history.
    horizon : int, optional
        Steps forecast at once by strategy "direct". None stands for 1, and is set by `tsrnn.compare`.
    strategy : {"direct", "recursive"}
        All steps of the horizon at once, or one step fed back again and again.
    level : {"last", None}
        "last" subtracts the last observation from each window and adds it back to the forecast.
    shared : bool
        Forecast each of several targets from its own past (and the covariates) by one network, fitted on all of them;
        False forecasts all from the past of all.
    past_covariates, future_covariates : list of str, optional
        Columns known up to the cutoff, and columns known ahead.
    freq : str, optional
        Frequency of the index where it cannot be inferred.
    units : int
        Neurons of the reservoir.
    spectral_radius, leak_rate, input_scaling, bias_scaling, density : float
        Of the reservoir, see `EchoStateRegressor`.
    segment : int or "auto"
        Rows read per step. "auto" reads a window in four steps or a few more.
    alpha : float
        Ridge penalty on the readout.
    missing_indicator : bool or "auto"
        Tell the network where a value was missing. "auto": if any is in the training rows.
    random_state : int, RandomState or None

    Attributes
    ----------
    regressor_ : EchoStateRegressor
    window_, horizon_ : int
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

    def __init__(
        self,
        target: t.Labels | None = None,
        window: int | None = None,
        horizon: int | None = None,
        strategy: t.Strategy = "direct",
        level: t.Level | None = "last",
        shared: bool = True,
        past_covariates: t.Labels | None = None,
        future_covariates: t.Labels | None = None,
        freq: str | None = None,
        units: int = 200,
        spectral_radius: float = 0.9,
        leak_rate: float = 0.5,
        input_scaling: float = 0.3,
        bias_scaling: float = 0.2,
        density: float = 0.1,
        segment: int | t.Auto = "auto",
        alpha: float = 1e-3,
        missing_indicator: t.AutoBool = "auto",
        random_state: t.RandomState | None = None,
    ) -> None:
        self.target = target
        self.window = window
        self.horizon = horizon
        self.strategy = strategy
        self.level = level
        self.shared = shared
        self.past_covariates = past_covariates
        self.future_covariates = future_covariates
        self.freq = freq
        self.units = units
        self.spectral_radius = spectral_radius
        self.leak_rate = leak_rate
        self.input_scaling = input_scaling
        self.bias_scaling = bias_scaling
        self.density = density
        self.segment = segment
        self.alpha = alpha
        self.missing_indicator = missing_indicator
        self.random_state = random_state

    def _check_state(self) -> None:
        super()._check_state()
        check_regressor(self, self.regressor_)
        check_parameters(self, self.regressor_)

    def _fit_regressor(self, windows, y):
        unknown = np.isnan(y).all(axis=0)
        if unknown.any():
            step, target = divmod(int(unknown.argmax()), self._n_together())
            raise DataError(
                f"no training window is followed by an observed target {step + 1} step(s) ahead (target {target} of a "
                "window). Fill the gaps (df.interpolate()), or use a shorter horizon or strategy='recursive'."
            )
        return self._make_regressor(windows)._fit_windows(windows, y)

    def _check_windows(self, windows):
        self._make_regressor(windows)._check_parameters()

    def _make_regressor(self, windows) -> EchoStateRegressor:
        names = inspect.signature(EchoStateRegressor).parameters
        shared = {name: value for name, value in self.get_params(deep=False).items() if name in names}
        gaps = self._has_gaps(windows)
        shared["missing_indicator"] = gaps if self.missing_indicator == "auto" else self.missing_indicator
        shared["segment"] = segment_for(self.window_) if self.segment == "auto" else self.segment
        return EchoStateRegressor(**shared)

    def _apply(self, regressor, windows):
        return regressor.predict(windows).reshape(len(windows), -1)

    @property
    def n_parameters_(self) -> int:
        """Numbers that were fitted: those of the readout."""
        return self.regressor_.n_parameters_
