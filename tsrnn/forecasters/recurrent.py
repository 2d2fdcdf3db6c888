"""Recurrent networks as forecasters. Imports the regressors, and windowed for everything that concerns time."""

from __future__ import annotations

import inspect

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..engine.distributions import n_parameters
from ..networks import NetworkSpec
from ..regressors import GRURegressor, LSTMRegressor, SimpleRNNRegressor
from ..significance import long_run_standard_error
from .windowed import WindowForecaster

__all__ = ["GRUForecaster", "LSTMForecaster", "SimpleRNNForecaster"]

#: Recurrent steps in which segment="auto" reads a window.
READS = 12
#: Standard errors by which a network must beat the last value: 5 % of a one-sided normal test.
SIGNIFICANT = 1.645
#: Widths that units="auto" chooses from.
UNITS = (32, 24, 16, 8)
#: Levels that loss="pinball" learns: those that `predict_interval` and `predict_quantiles` ask for by default.
QUANTILES = (0.05, 0.1, 0.5, 0.9, 0.95)


class RecurrentForecaster(WindowForecaster):
    """Shared part of the recurrent forecasters; see `LSTMForecaster` for the parameters."""

    _regressor_class: type[LSTMRegressor] | type[GRURegressor] | type[SimpleRNNRegressor]
    _dtype = np.float32

    def __init__(
        self,
        target=None,
        window=None,
        horizon=None,
        strategy="direct",
        level="last",
        past_covariates=None,
        future_covariates=None,
        freq=None,
        units="auto",
        activation="tanh",
        bidirectional=False,
        segment="auto",
        dropout=0.2,
        recurrent_dropout=0.0,
        l1=0.0,
        l2=0.0,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        loss="huber",
        quantiles=QUANTILES,
        optimizer="adam",
        learning_rate=1e-3,
        momentum=0.9,
        nesterov=True,
        weight_decay=0.004,
        clipnorm=1.0,
        learning_rate_schedule=None,
        epochs=60,
        batch_size=64,
        engine="auto",
        jit_compile=False,
        early_stopping="auto",
        validation_fraction=0.1,
        n_iter_no_change=10,
        tol=0.0,
        missing_indicator="auto",
        callbacks=None,
        random_state=None,
        verbose=0,
    ):
        self.target = target
        self.window = window
        self.horizon = horizon
        self.strategy = strategy
        self.level = level
        self.past_covariates = past_covariates
        self.future_covariates = future_covariates
        self.freq = freq
        self.units = units
        self.activation = activation
        self.bidirectional = bidirectional
        self.segment = segment
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.l1 = l1
        self.l2 = l2
        self.kernel_initializer = kernel_initializer
        self.recurrent_initializer = recurrent_initializer
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
        self.engine = engine
        self.jit_compile = jit_compile
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.missing_indicator = missing_indicator
        self.callbacks = callbacks
        self.random_state = random_state
        self.verbose = verbose

    def _make_regressor(self, windows):
        """The regressor with every parameter that it shares with this forecaster, and those that the data settle."""
        names = inspect.signature(self._regressor_class).parameters
        shared = {name: value for name, value in self.get_params(deep=False).items() if name in names}
        gaps = bool(np.isnan(windows.base).any())
        regressor = self._regressor_class(
            **shared
            | {
                "units": UNITS[-1] if self.units == "auto" else self.units,
                "segment": segment_for(self.window_) if self.segment == "auto" else self.segment,
                # Gaps that no training window happens to hold may yet come: the last row may miss.
                "missing_indicator": gaps if self.missing_indicator == "auto" else self.missing_indicator,
                # Windows centred on their last value and a head of zeros: training starts at "repeat the last value",
                # and early stopping keeps it where nothing learnt is better on the validation part.
                "head_initializer": "zeros" if self.level == "last" else "glorot_uniform",
                # Neighbouring windows share target rows: leave out those between training and validation part.
                "validation_gap": self.block_ - 1,
            }
        )
        regressor._check_parameters()
        return regressor.set_params(units=self._units_for(windows, regressor)) if self.units == "auto" else regressor

    def _units_for(self, windows, regressor) -> int:
        """The widest layer that has no more parameters than there are windows to train it on."""
        channels = windows.shape[2] * (2 if regressor.missing_indicator else 1)  # values, and where they are missing
        segment = regressor.segment
        cell = self._regressor_class._cell
        n_outputs = self.block_ * len(self.targets_) * n_parameters(self.loss, self.quantiles)
        # What early stopping and the gap before its validation part leave to train on.
        n_training = len(windows) - round(self.validation_fraction * len(windows)) - (self.block_ - 1)
        for units in UNITS:
            spec = NetworkSpec(cell, (units,), channels, n_outputs, bidirectional=self.bidirectional, segment=segment)
            if spec.n_parameters <= n_training:
                return units
        return UNITS[-1]

    def _fit_windows(self, windows, y):
        regressor = self._make_regressor(windows)._fit_windows(windows, y)
        self.beats_last_value_ = None
        # A quantile other than the median is not to have a small absolute error.
        central = self.loss != "pinball" or 0.5 in self.quantiles
        if self.level == "last" and central and regressor.initial_val_loss_ is not None:
            held_out = slice(-max(1, round(self.validation_fraction * len(windows))), None)
            self.beats_last_value_ = self._beats_last_value(regressor, windows[held_out], y[held_out])
            if not self.beats_last_value_:
                # A head of zeros repeats the last value: the network did not earn a say.
                regressor.weights_[-2:] = [np.zeros_like(weight) for weight in regressor.weights_[-2:]]
                regressor.best_iteration_ = 0
        return regressor

    def _beats_last_value(self, regressor, windows, y) -> bool:
        """Whether the absolute error is below that of the last value, by a one-sided Diebold-Mariano test.

        The best of many epochs on a validation part looks good by luck alone where there is nothing to learn, as on
        prices: there the network would only add its own noise to the last value.
        """
        gain = np.nanmean(np.abs(y) - np.abs(y - regressor.predict(windows).reshape(y.shape)), axis=1)
        gain = gain[np.isfinite(gain)]
        return bool(gain.mean() > SIGNIFICANT * long_run_standard_error(gain, lag=self.block_ - 1))

    def _apply(self, regressor, windows):
        return regressor.predict(windows)

    def _bands(self, values, cutoffs, forecasts, quantiles):
        """Quantiles that the network gives out, where it does; else what past errors say.

        Steps beyond the horizon are forecast from forecasts: the network would take them for observed, and its
        quantiles would be too narrow.
        """
        known = cutoffs >= self.window_ - 1  # before, there is no full window
        if not self._knows_quantiles() or forecasts.shape[1] > self.block_ or not known.any():
            return super()._bands(values, cutoffs, forecasts, quantiles)
        bands = np.empty((*forecasts.shape, len(quantiles)))
        if not known.all():
            bands[~known] = super()._bands(values, cutoffs[~known], forecasts[~known], quantiles)
        windows, level = self._windows(self._scaled(values), cutoffs[known])
        scaled = self.regressor_.predict_quantiles(windows, quantiles)
        # (n, block * K, Q) -> (n, block, K, Q)
        scaled = scaled.reshape(len(windows), self.block_, len(self.targets_), -1)[:, : forecasts.shape[1]]
        centre = self.mean_[: len(self.targets_), None]
        bands[known] = (scaled + level[:, None, :, None]) * self._target_scale()[:, None] + centre
        return bands

    def _knows_quantiles(self) -> bool:
        """Whether the network learnt quantiles or a distribution, and the forecast is the network's."""
        return self.regressor_.loss in ("pinball", "gaussian", "student_t") and self.beats_last_value_ is not False

    def _held_out(self):
        return self.regressor_.initial_val_loss_ is not None

    def _calibration_fraction(self):
        return self.validation_fraction if self._held_out() else super()._calibration_fraction()

    @property
    def n_parameters_(self) -> int:
        """Trainable parameters of the network."""
        return self.regressor_.n_parameters_

    @property
    def history_(self) -> dict:
        """Loss, validation loss and learning rate by epoch."""
        return self.regressor_.history_

    @property
    def model_(self):
        """The network as a Keras model; its input are scaled, centred windows."""
        return self.regressor_.model_

    def export_keras(self, path) -> None:
        """Write the network alone as a Keras model, see `LSTMRegressor.export_keras`; `save` writes the forecaster."""
        check_is_fitted(self)
        self.regressor_.export_keras(path)


def segment_for(window: int) -> int:
    """The largest divisor of the window that lets it be read in at least `READS` steps."""
    return max(k for k in range(1, max(1, window // READS) + 1) if window % k == 0)


class LSTMForecaster(RecurrentForecaster):
    """Forecast with a long short-term memory network.

    Each window is centred on its last observation, read in segments, and all steps of the horizon are decoded at once
    from the last state. Training starts at a network that repeats the last value; where early stopping has a validation
    part, and what was learnt does not beat the last value there significantly (5 %), the last value is the forecast.

    Parameters
    ----------
    target : str or list of str, optional
        Column(s) of X to forecast when no y is given; None means all.
    window : int, optional
        Past rows that the network reads. By default four seasons, at most a quarter of the history.
    horizon : int, optional
        Steps forecast at once by strategy "direct". None stands for 1, and is set by `tsrnn.compare`.
    strategy : {"direct", "recursive"}
        All steps of the horizon at once, or one step fed back again and again.
    level : {"last", None}
        "last" subtracts the last observation from each window and adds it back to the forecast.
    past_covariates, future_covariates : list of str, optional
        Columns known up to the cutoff, and columns known ahead.
    freq : str, optional
        Frequency of the index where it cannot be inferred.
    units : int, tuple of int or "auto"
        Width of the hidden layer; a tuple stacks layers. "auto" takes the widest of 32, 24, 16 and 8 that has no more
        parameters than there are windows.
    activation : {"tanh", "softsign"}
    forget_bias : float
        Initial bias of the forget gate.
    bidirectional : bool
        Read each window in both directions.
    segment : int or "auto"
        Rows read per recurrent step. "auto" reads a window in 12 steps or a few more.
    dropout, recurrent_dropout : float
        Rates between layers and inside the recurrence.
    l1, l2 : float
        Penalties on the kernels.
    kernel_initializer, recurrent_initializer : {"glorot_uniform", "orthogonal"}
    loss : {"huber", "mse", "mae", "pinball", "gaussian", "student_t"}
        In units of the scaled series. After the first three, intervals come from the errors on the last windows. The
        network learns `quantiles` itself by "pinball", a normal or Student's t distribution by the other two, and
        intervals come from there: they may be wider at one time than at another. Where the forecast is the last value
        after all, or goes beyond the horizon, they come from the errors as well.
    quantiles : sequence of float
        Levels that "pinball" learns, increasing, and the only ones that it can be asked for; several must hold 0.5,
        which is the forecast. For `predict_interval(coverage=0.8)` it needs 0.1 and 0.9.
    optimizer : {"adam", "adamw", "rmsprop", "adagrad", "sgd"}
    learning_rate : float
    momentum, nesterov : float, bool
        For optimizer "sgd".
    weight_decay : float
        For optimizer "adamw".
    clipnorm : float, optional
        Largest norm of the whole gradient.
    learning_rate_schedule : {"cosine", "exponential"} or callable, optional
    epochs, batch_size : int
    engine : {"auto", "native", "keras"}
    jit_compile : bool or "auto"
        What computes the network, and whether XLA compiles Keras's training step; see `LSTMRegressor`.
    early_stopping : bool or "auto"
        Stop when the last `validation_fraction` of the windows in time is no longer forecast better, and restore the
        best weights. "auto": with 1,000 windows or more.
    validation_fraction : float
    n_iter_no_change : int
        Epochs without improvement by `tol` before stopping.
    tol : float
    missing_indicator : bool or "auto"
        Tell the network where a value was missing. "auto": if any is in the training rows.
    callbacks : list, optional
        Keras-style callbacks.
    random_state : int, RandomState or None
    verbose : int
        1 shows a progress bar, 0 is silent.

    Attributes
    ----------
    regressor_ : LSTMRegressor
        The fitted network.
    window_, horizon_ : int
    beats_last_value_ : bool or None
        Whether the network beat the last value on the validation part; False means that its forecast is the last
        value, None that there was no validation part.
    history_ : dict
    n_parameters_ : int

    References
    ----------
    Hochreiter & Schmidhuber (1997), "Long short-term memory", Neural Computation 9. Gers, Schmidhuber & Cummins
    (2000), "Learning to forget", Neural Computation 12 (forget gate). Diebold & Mariano (1995), "Comparing predictive
    accuracy", JBES 13 (the test). Lin et al. (2023), "SegRNN", arXiv:2308.11200
    (reading in segments).

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

    def __init__(
        self,
        target=None,
        window=None,
        horizon=None,
        strategy="direct",
        level="last",
        past_covariates=None,
        future_covariates=None,
        freq=None,
        units="auto",
        activation="tanh",
        forget_bias=1.0,
        bidirectional=False,
        segment="auto",
        dropout=0.2,
        recurrent_dropout=0.0,
        l1=0.0,
        l2=0.0,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        loss="huber",
        quantiles=QUANTILES,
        optimizer="adam",
        learning_rate=1e-3,
        momentum=0.9,
        nesterov=True,
        weight_decay=0.004,
        clipnorm=1.0,
        learning_rate_schedule=None,
        epochs=60,
        batch_size=64,
        engine="auto",
        jit_compile=False,
        early_stopping="auto",
        validation_fraction=0.1,
        n_iter_no_change=10,
        tol=0.0,
        missing_indicator="auto",
        callbacks=None,
        random_state=None,
        verbose=0,
    ):
        super().__init__(
            target=target,
            window=window,
            horizon=horizon,
            strategy=strategy,
            level=level,
            past_covariates=past_covariates,
            future_covariates=future_covariates,
            freq=freq,
            units=units,
            activation=activation,
            bidirectional=bidirectional,
            segment=segment,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            l1=l1,
            l2=l2,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            loss=loss,
            quantiles=quantiles,
            optimizer=optimizer,
            learning_rate=learning_rate,
            momentum=momentum,
            nesterov=nesterov,
            weight_decay=weight_decay,
            clipnorm=clipnorm,
            learning_rate_schedule=learning_rate_schedule,
            epochs=epochs,
            batch_size=batch_size,
            engine=engine,
            jit_compile=jit_compile,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            tol=tol,
            missing_indicator=missing_indicator,
            callbacks=callbacks,
            random_state=random_state,
            verbose=verbose,
        )
        self.forget_bias = forget_bias


class GRUForecaster(RecurrentForecaster):
    """Forecast with a gated recurrent unit network.

    The parameters are those of `LSTMForecaster`, without ``forget_bias``.

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


class SimpleRNNForecaster(RecurrentForecaster):
    """Forecast with an Elman (simple recurrent) network.

    The parameters are those of `LSTMForecaster`, without ``forget_bias``.

    References
    ----------
    Elman (1990), "Finding structure in time", Cognitive Science 14.

    Examples
    --------
    >>> SimpleRNNForecaster(window=48, horizon=24).get_params()["horizon"]
    24
    """

    _regressor_class = SimpleRNNRegressor
