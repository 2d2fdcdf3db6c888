"""Minimal recurrent networks as forecasters: `MinGRUForecaster` and `MinLSTMForecaster`."""

from __future__ import annotations

from .._parameters import estimator
from ..regressors import MinGRURegressor, MinLSTMRegressor
from ..regressors.groups import MinimalRecurrence
from .recurrent import RecurrentForecaster

__all__ = ["MinGRUForecaster", "MinLSTMForecaster"]


@estimator
class MinGRUForecaster(RecurrentForecaster, MinimalRecurrence):
    """Forecast with minimal gated recurrent units, whose steps are computed together.

    The default segment reads a window in four steps or a few more, where a scan gains nothing: set ``segment=1`` to
    read each row. Keras computes it.

    References
    ----------
    Feng et al. (2024), "Were RNNs all we needed?", arXiv:2410.01201.

    Examples
    --------
    >>> MinGRUForecaster(window=48, horizon=24, segment=1).get_params()["segment"]
    1
    """

    _regressor_class = MinGRURegressor


@estimator
class MinLSTMForecaster(RecurrentForecaster, MinimalRecurrence):
    """Forecast with minimal long short-term memory, whose steps are computed together.

    The default segment reads a window in four steps or a few more, where a scan gains nothing: set ``segment=1`` to
    read each row. Keras computes it.

    References
    ----------
    Feng et al. (2024), "Were RNNs all we needed?", arXiv:2410.01201.

    Examples
    --------
    >>> MinLSTMForecaster(window=48, horizon=24).get_params()["horizon"]
    24
    """

    _regressor_class = MinLSTMRegressor
