"""Minimal recurrent networks as forecasters: `MinGRUForecaster` and `MinLSTMForecaster`."""

from __future__ import annotations

from ..regressors import MinGRURegressor, MinLSTMRegressor
from .recurrent import RecurrentForecaster

__all__ = ["MinGRUForecaster", "MinLSTMForecaster"]


class MinGRUForecaster(RecurrentForecaster):
    """Forecast with minimal gated recurrent units, whose steps are computed together.

    The parameters are those of `LSTMForecaster`, without ``forget_bias`` and ``peephole``; `MinGRURegressor` says which
    of them cannot be used. The default segment reads a window in four steps or a few more, where a scan gains
    nothing: set ``segment=1`` to read each row.

    References
    ----------
    Feng et al. (2024), "Were RNNs all we needed?", arXiv:2410.01201.

    Examples
    --------
    >>> MinGRUForecaster(window=48, horizon=24, segment=1).get_params()["segment"]
    1
    """

    _regressor_class = MinGRURegressor


class MinLSTMForecaster(RecurrentForecaster):
    """Forecast with minimal long short-term memory, whose steps are computed together.

    The parameters are those of `LSTMForecaster`, without ``forget_bias`` and ``peephole``; see `MinGRUForecaster`.

    References
    ----------
    Feng et al. (2024), "Were RNNs all we needed?", arXiv:2410.01201.

    Examples
    --------
    >>> MinLSTMForecaster(window=48, horizon=24).get_params()["horizon"]
    24
    """

    _regressor_class = MinLSTMRegressor
