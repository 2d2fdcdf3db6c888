"""Recurrent networks as forecasters. Imports networks, their groups and the regressors."""

from __future__ import annotations

from .._parameters import estimator
from ..regressors import GRURegressor, LSTMRegressor, SimpleRNNRegressor
from ..regressors.groups import Engine, MemoryCell
from .groups import ForecasterRecurrence
from .networks import NetworkForecaster

__all__ = ["GRUForecaster", "LSTMForecaster", "RecurrentForecaster", "SimpleRNNForecaster"]


class RecurrentForecaster(NetworkForecaster, Engine, ForecasterRecurrence):
    """What the recurrent forecasters share: everything but the cell."""


@estimator
class LSTMForecaster(RecurrentForecaster, MemoryCell):
    """Forecast with a long short-term memory network.

    Each window is centred on its last observation, read in segments, and all steps of the horizon are decoded at once
    from the last state.

    References
    ----------
    Hochreiter & Schmidhuber (1997), "Long short-term memory", Neural Computation 9. Gers, Schmidhuber & Cummins
    (2000), "Learning to forget", Neural Computation 12 (forget gate).

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> hours = pd.date_range("2024-01-01", periods=480, freq="h")
    >>> df = pd.DataFrame({"load": np.sin(np.arange(480) * 2 * np.pi / 24) + np.arange(480) / 100}, index=hours)
    >>> model = LSTMForecaster(window=24, horizon=6, units=4, epochs=2, random_state=0).fit(df)
    >>> model.forecast().shape
    (6, 1)
    """

    _regressor_class = LSTMRegressor


@estimator
class GRUForecaster(RecurrentForecaster):
    """Forecast with a gated recurrent unit network.

    References
    ----------
    Cho et al. (2014), "Learning phrase representations using RNN encoder-decoder for statistical machine translation",
    EMNLP.

    Examples
    --------
    >>> GRUForecaster(window=48, horizon=24).get_params()["horizon"]
    24
    """

    _regressor_class = GRURegressor


@estimator
class SimpleRNNForecaster(RecurrentForecaster):
    """Forecast with an Elman (simple recurrent) network.

    References
    ----------
    Elman (1990), "Finding structure in time", Cognitive Science 14.

    Examples
    --------
    >>> SimpleRNNForecaster(window=48, horizon=24).get_params()["horizon"]
    24
    """

    _regressor_class = SimpleRNNRegressor
