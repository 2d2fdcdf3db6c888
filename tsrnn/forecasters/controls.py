"""Networks without recurrence as forecasters: what a recurrent one is to be compared with. Imports recurrent."""

from __future__ import annotations

from collections.abc import Sequence

from .. import _types as t
from ..regressors import ConvRegressor, FeedForwardRegressor
from .recurrent import QUANTILES, UNITS, RecurrentForecaster

__all__ = ["ConvForecaster", "FeedForwardForecaster"]

#: Channels that filters="auto" stands for.
FILTERS = 32


class FeedForwardForecaster(RecurrentForecaster):
    """Forecast with a feed-forward network, dense layers on all values of a window.

    Windows, levels, the linear forecast that is added, validation, refitting and intervals are those of
    `LSTMForecaster`; only the network is another one. What an LSTM forecasts better, it owes to reading the window in
    time. Keras computes it.

    Parameters
    ----------
    units : int, tuple of int or "auto"
        Width of the hidden layer; a tuple stacks layers. "auto" is 128.
    activation : {"relu", "tanh"}
    dropout : float
        Rate after each hidden layer.
    jit_compile : bool or "auto"
        Whether XLA compiles Keras's training step; "auto" is False here.
    target, window, horizon, strategy, level, shared, linear, normalize, past_covariates, future_covariates, freq, l1, \
l2, loss, quantiles, optimizer, learning_rate, momentum, nesterov, weight_decay, clipnorm, learning_rate_schedule, \
epochs, batch_size, early_stopping, validation_fraction, refit, n_iter_no_change, tol, missing_indicator, n_members, \
callbacks, random_state, verbose
        As in `LSTMForecaster`.

    Attributes
    ----------
    regressor_, stopped_, window_, horizon_, beats_last_value_, trivial_, fallback_, network_share_, history_, \
n_parameters_
        As in `LSTMForecaster`.

    Examples
    --------
    >>> FeedForwardForecaster(window=48, horizon=24).get_params()["units"]
    'auto'
    """

    _regressor_class = FeedForwardRegressor

    def __init__(
        self,
        target: t.Labels | None = None,
        window: int | None = None,
        horizon: int | None = None,
        strategy: t.Strategy = "direct",
        level: t.Level | None = "last",
        shared: bool = True,
        linear: t.AutoBool = "auto",
        normalize: t.AutoBool = "auto",
        past_covariates: t.Labels | None = None,
        future_covariates: t.Labels | None = None,
        freq: str | None = None,
        units: t.Layers | t.Auto = "auto",
        activation: t.ControlActivation = "relu",
        dropout: float = 0.2,
        l1: float = 0.0,
        l2: float = 0.0,
        loss: t.Loss = "mae",
        quantiles: Sequence[float] = QUANTILES,
        optimizer: t.Optimizer = "adam",
        learning_rate: float = 2e-3,
        momentum: float = 0.9,
        nesterov: bool = True,
        weight_decay: float = 0.004,
        clipnorm: float | None = 1.0,
        learning_rate_schedule: t.Schedule | None = "cosine",
        epochs: int = 30,
        batch_size: int | t.Auto = "auto",
        jit_compile: t.AutoBool = False,
        early_stopping: t.AutoBool = "auto",
        validation_fraction: float = 0.2,
        refit: bool = True,
        n_iter_no_change: int = 8,
        tol: float = 0.0,
        missing_indicator: t.AutoBool = "auto",
        n_members: int = 1,
        callbacks: t.Callbacks = None,
        random_state: t.RandomState | None = None,
        verbose: t.Verbose = "auto",
    ) -> None:
        self.target = target
        self.window = window
        self.horizon = horizon
        self.strategy = strategy
        self.level = level
        self.shared = shared
        self.linear = linear
        self.normalize = normalize
        self.past_covariates = past_covariates
        self.future_covariates = future_covariates
        self.freq = freq
        self.units = units
        self.activation = activation
        self.dropout = dropout
        self.l1 = l1
        self.l2 = l2
        self.loss = loss
        self.quantiles = quantiles
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.nesterov = nesterov
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.learning_rate_schedule = learning_rate_schedule
        self.epochs = epochs
        self.batch_size = batch_size
        self.jit_compile = jit_compile
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.refit = refit
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.missing_indicator = missing_indicator
        self.n_members = n_members
        self.callbacks = callbacks
        self.random_state = random_state
        self.verbose = verbose

    def _sizes(self):
        return {"units": UNITS if self.units == "auto" else self.units}


class ConvForecaster(RecurrentForecaster):
    """Forecast with a temporal convolutional network: causal dilated convolutions in residual blocks.

    All but the network is that of `LSTMForecaster`. It reads a window in time, as a recurrent network does, but has no
    state. Keras computes it.

    Parameters
    ----------
    filters : int or "auto"
        Channels of each block. "auto" is 32.
    kernel_size : int
        Rows that a convolution reads.
    n_blocks : int or "auto"
        Residual blocks. "auto": as many as let the last row see the whole window.
    activation : {"relu", "tanh"}
    dropout : float
        Rate after each convolution.
    jit_compile : bool or "auto"
        Whether XLA compiles Keras's training step; "auto" is False here.
    target, window, horizon, strategy, level, shared, linear, normalize, past_covariates, future_covariates, freq, l1, \
l2, loss, quantiles, optimizer, learning_rate, momentum, nesterov, weight_decay, clipnorm, learning_rate_schedule, \
epochs, batch_size, early_stopping, validation_fraction, refit, n_iter_no_change, tol, missing_indicator, n_members, \
callbacks, random_state, verbose
        As in `LSTMForecaster`.

    Attributes
    ----------
    regressor_, stopped_, window_, horizon_, beats_last_value_, trivial_, fallback_, network_share_, history_, \
n_parameters_
        As in `LSTMForecaster`.

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

    def __init__(
        self,
        target: t.Labels | None = None,
        window: int | None = None,
        horizon: int | None = None,
        strategy: t.Strategy = "direct",
        level: t.Level | None = "last",
        shared: bool = True,
        linear: t.AutoBool = "auto",
        normalize: t.AutoBool = "auto",
        past_covariates: t.Labels | None = None,
        future_covariates: t.Labels | None = None,
        freq: str | None = None,
        filters: int | t.Auto = "auto",
        kernel_size: int = 3,
        n_blocks: int | t.Auto = "auto",
        activation: t.ControlActivation = "relu",
        dropout: float = 0.2,
        l1: float = 0.0,
        l2: float = 0.0,
        loss: t.Loss = "mae",
        quantiles: Sequence[float] = QUANTILES,
        optimizer: t.Optimizer = "adam",
        learning_rate: float = 2e-3,
        momentum: float = 0.9,
        nesterov: bool = True,
        weight_decay: float = 0.004,
        clipnorm: float | None = 1.0,
        learning_rate_schedule: t.Schedule | None = "cosine",
        epochs: int = 30,
        batch_size: int | t.Auto = "auto",
        jit_compile: t.AutoBool = False,
        early_stopping: t.AutoBool = "auto",
        validation_fraction: float = 0.2,
        refit: bool = True,
        n_iter_no_change: int = 8,
        tol: float = 0.0,
        missing_indicator: t.AutoBool = "auto",
        n_members: int = 1,
        callbacks: t.Callbacks = None,
        random_state: t.RandomState | None = None,
        verbose: t.Verbose = "auto",
    ) -> None:
        self.target = target
        self.window = window
        self.horizon = horizon
        self.strategy = strategy
        self.level = level
        self.shared = shared
        self.linear = linear
        self.normalize = normalize
        self.past_covariates = past_covariates
        self.future_covariates = future_covariates
        self.freq = freq
        self.filters = filters
        self.kernel_size = kernel_size
        self.n_blocks = n_blocks
        self.activation = activation
        self.dropout = dropout
        self.l1 = l1
        self.l2 = l2
        self.loss = loss
        self.quantiles = quantiles
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.nesterov = nesterov
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.learning_rate_schedule = learning_rate_schedule
        self.epochs = epochs
        self.batch_size = batch_size
        self.jit_compile = jit_compile
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.refit = refit
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.missing_indicator = missing_indicator
        self.n_members = n_members
        self.callbacks = callbacks
        self.random_state = random_state
        self.verbose = verbose

    def _sizes(self):
        return {"filters": FILTERS if self.filters == "auto" else self.filters}

    def _is_automatic(self):
        return isinstance(self.filters, str)
