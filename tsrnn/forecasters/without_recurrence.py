"""Networks without recurrence as forecasters: what a recurrent one is to be compared with. Imports networks."""

from __future__ import annotations

from .. import _types as t
from .._checks import check_int
from .._parameters import auto_or, estimator, param
from ..regressors import ConvRegressor, FeedForwardRegressor
from ..regressors.groups import Convolutions, NonRecurrentNetwork
from .groups import AutoWidth
from .networks import NetworkForecaster

__all__ = ["ConvForecaster", "FeedForwardForecaster"]


@estimator
class FeedForwardForecaster(NonRecurrentNetwork, AutoWidth, NetworkForecaster):
    """Forecast with a feed-forward network, dense layers on all values of a window.

    All but the network is as in the recurrent forecasters: what an LSTM forecasts better, it owes to reading the window
    in time. Keras computes it.

    Examples
    --------
    >>> FeedForwardForecaster(window=48, horizon=24).get_params()["units"]
    'auto'
    """

    _regressor_class = FeedForwardRegressor

    dropout: float = param(default=0.2)


@estimator
class ConvForecaster(Convolutions, NetworkForecaster):
    """Forecast with a temporal convolutional network: causal dilated convolutions in residual blocks.

    All but the network is as in the recurrent forecasters. It reads a window in time, as a recurrent network does, but
    has no state. Keras computes it.

    Parameters
    ----------
    filters
        Channels of each block. "auto" is 32.

    References
    ----------
    Bai, Kolter & Koltun (2018), "An empirical evaluation of generic convolutional and recurrent networks for sequence
    modeling", arXiv:1803.01271.

    Examples
    --------
    >>> ConvForecaster(window=48, horizon=24).get_params()["n_blocks"]
    'auto'
    """

    _regressor_class = ConvRegressor
    _width = 32

    filters: int | t.Auto = param(default="auto", rule=auto_or(check_int))
    dropout: float = param(default=0.2)
