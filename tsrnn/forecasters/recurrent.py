"""Recurrent networks as forecasters. Imports the regressors, and windowed for everything that concerns time."""

from __future__ import annotations

import inspect
import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from .._checks import check_choice, check_int
from ..exceptions import CapacityWarning, DataError
from ..regressors import GRURegressor, LSTMRegressor, SimpleRNNRegressor
from ..significance import critical_value, long_run_standard_error
from .linear import LinearMap, fit_linear
from .windowed import WindowForecaster

__all__ = ["GRUForecaster", "LSTMForecaster", "SimpleRNNForecaster"]

#: Recurrent steps in which segment="auto" reads a window.
READS = 4
#: Width that units="auto" stands for.
UNITS = 128
#: Windows from which early_stopping="auto" sets a validation part aside.
EARLY_STOPPING_WINDOWS = 500
#: Levels that loss="pinball" learns: those that `predict_interval` and `predict_quantiles` ask for by default.
QUANTILES = (0.05, 0.1, 0.5, 0.9, 0.95)


@dataclass
class Ensemble:
    """Networks whose forecasts are averaged, and a linear part that is added."""

    members: list
    linear: LinearMap | None

    def predict(self, windows) -> np.ndarray:
        """Return the forecasts (n_windows, n_outputs)."""
        out = np.mean([member.predict(windows).reshape(len(windows), -1) for member in self.members], axis=0)
        return out if self.linear is None else out + self.linear.predict(windows)


def choose(ensembles: list[Ensemble], held, level: float = 0.5) -> Ensemble:
    """Return the ensemble, or the average of all, that has the smallest error on the held-out windows.

    The error is absolute, or for another `level` than 0.5 that of this quantile (Koenker and Bassett, 1978). Without
    held-out windows, the average: one of them may be far off where there was little to learn from.
    """
    linear = ensembles[0].linear
    if len(ensembles) == 1 or linear is None:
        return ensembles[0]
    share = 1 / len(ensembles)  # the average has as much of the linear part as there are networks that stand on it
    average = Ensemble(
        [member for ensemble in ensembles for member in ensemble.members],
        LinearMap(share * linear.coef, share * linear.intercept),
    )
    if held is None:
        return average
    windows, y = held

    def error(ensemble: Ensemble) -> float:
        above = y - ensemble.predict(windows)
        return float(np.nanmean(np.maximum(level * above, (level - 1) * above)))

    return min([average, *ensembles], key=error)


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
        shared=True,
        linear="auto",
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
        loss="mae",
        quantiles=QUANTILES,
        optimizer="adam",
        learning_rate=2e-3,
        momentum=0.9,
        nesterov=True,
        weight_decay=0.004,
        clipnorm=1.0,
        learning_rate_schedule="cosine",
        epochs=30,
        batch_size="auto",
        engine="auto",
        jit_compile=False,
        early_stopping="auto",
        validation_fraction=0.1,
        n_iter_no_change=8,
        tol=0.0,
        missing_indicator="auto",
        n_members=1,
        callbacks=None,
        random_state=None,
        verbose=0,
    ):
        self.target = target
        self.window = window
        self.horizon = horizon
        self.strategy = strategy
        self.level = level
        self.shared = shared
        self.linear = linear
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
        self.n_members = n_members
        self.callbacks = callbacks
        self.random_state = random_state
        self.verbose = verbose

    # ------------------------------------------------------------------ fit

    def _make_regressor(self, windows):
        """The regressor with every parameter that it shares with this forecaster, and those that the data settle."""
        names = inspect.signature(self._regressor_class).parameters
        shared = {name: value for name, value in self.get_params(deep=False).items() if name in names}
        gaps = bool(np.isnan(windows.base).any())
        return self._regressor_class(
            **shared
            | {
                "units": UNITS if self.units == "auto" else self.units,
                "segment": segment_for(self.window_) if self.segment == "auto" else self.segment,
                "batch_size": batch_size_for(len(windows)) if self.batch_size == "auto" else self.batch_size,
                # Gaps that no training window happens to hold may yet come: the last row may miss.
                "missing_indicator": gaps if self.missing_indicator == "auto" else self.missing_indicator,
                # Windows centred on their last value and a head of zeros: training starts at "repeat the last value",
                # or at the linear forecast, and early stopping keeps it where nothing learnt is better.
                "head_initializer": "zeros" if self.level == "last" else "glorot_uniform",
            }
        )

    def _fit_windows(self, windows, y):
        regressor = self._make_regressor(windows)
        regressor._check_parameters()
        check_int("n_members", self.n_members)
        check_choice("linear", self.linear, ("auto", True, False))
        training, held = self._split(windows, y)
        linear = None
        if self.linear and self.level == "last":
            linear = fit_linear(*training, held, gap=self._gap())
        random_state = check_random_state(self.random_state)
        ensembles = [
            Ensemble(self._fit_members(regressor, training, held, part, random_state), part)
            for part in ([linear, None] if linear and self.linear == "auto" else [linear])
        ]
        # A quantile other than the median is not to have a small absolute error.
        central = self.loss != "pinball" or 0.5 in self.quantiles
        chosen = choose(ensembles, held, 0.5 if central else self.quantiles[0])
        (self.regressor_, *self.others_), self.linear_ = chosen.members, chosen.linear
        self.beats_last_value_ = None
        if self.level == "last" and central and held is not None:
            self.beats_last_value_ = self._beats_last_value(*held)
            if not self.beats_last_value_:
                self._fall_back()
        return self.regressor_

    def _fit_members(self, regressor, training, held, linear, random_state):
        """Train networks, each from its own initial weights, on what a linear part leaves."""
        if linear is not None:
            training, held = (part and (part[0], part[1] - linear.predict(part[0])) for part in (training, held))
        members = []
        with warnings.catch_warnings():
            # An automatic width is ours to answer for, and a validation part keeps windows from being learnt by heart.
            if self.units == "auto" or held is not None:
                warnings.simplefilter("ignore", CapacityWarning)
            for _ in range(self.n_members):
                seed = int(random_state.randint(np.iinfo(np.int32).max))
                member = clone(regressor).set_params(random_state=seed)
                members.append(member._fit_windows(*training, validation=held))
        return members

    def _members(self):
        """The networks whose forecasts are averaged."""
        return [self.regressor_, *self.others_]

    def _gap(self) -> int:
        """Windows between training and validation part: neighbouring windows share target rows."""
        return self.block_ * self._n_views()

    def _split(self, windows, y):
        """Return the training part and, with early stopping, the last part in time that says when to stop."""
        if self.early_stopping is False or (self.early_stopping == "auto" and len(windows) < EARLY_STOPPING_WINDOWS):
            return (windows, y), None
        n_held = max(1, round(self.validation_fraction * len(windows)))
        n_training = len(windows) - n_held - self._gap()
        if n_training < 1:
            raise DataError(
                f"of {len(windows)} windows, early stopping takes the last {n_held} and leaves out the {self._gap()} "
                "before them, whose targets overlap, so none are left to train on. Pass more history, a shorter "
                "horizon or window, a smaller validation_fraction, or early_stopping=False."
            )
        return (windows[:n_training], y[:n_training]), (windows[-n_held:], y[-n_held:])

    def _beats_last_value(self, windows, y) -> bool:
        """Whether the absolute error is below that of the last value, by a one-sided Diebold-Mariano test.

        The best of many epochs on a validation part looks good by luck alone where there is nothing to learn, as on
        prices: there the network would only add its own noise to the last value.
        """
        forecast = self._apply(self.regressor_, windows).reshape(y.shape)
        gain = np.nanmean(np.abs(y) - np.abs(y - forecast), axis=1)
        gain = gain[np.isfinite(gain)]
        lag = self._gap() - 1
        return bool(gain.mean() > critical_value(len(gain), lag) * long_run_standard_error(gain, lag))

    def _fall_back(self):
        """Repeat the last value, which a head of zeros does: what was learnt did not earn a say."""
        self.linear_ = None
        for member in self._members():
            member.weights_[-2:] = [np.zeros_like(weight) for weight in member.weights_[-2:]]
            member.best_iteration_ = 0

    # ------------------------------------------------------------------ forecasts

    def _apply(self, regressor, windows):
        return Ensemble([regressor, *self.others_], self.linear_).predict(windows)

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
        scaled = np.mean([member.predict_quantiles(windows, quantiles) for member in self._members()], axis=0)
        scaled = scaled.reshape(len(windows), -1, len(quantiles))
        if self.linear_ is not None:
            scaled = scaled + self.linear_.predict(windows)[..., None]
        scaled = self._by_target(scaled, len(level))[:, : forecasts.shape[1]]
        centre = self.mean_[: len(self.targets_), None]
        bands[known] = (scaled + level[:, None, :, None]) * self._target_scale()[:, None] + centre
        return bands

    def _knows_quantiles(self) -> bool:
        """Whether the network learnt quantiles or a distribution, and the forecast is the network's."""
        return self.loss in ("pinball", "gaussian", "student_t") and self.beats_last_value_ is not False

    def _held_out(self):
        return self.regressor_.initial_val_loss_ is not None

    def _calibration_fraction(self):
        return self.validation_fraction if self._held_out() else super()._calibration_fraction()

    @property
    def n_parameters_(self) -> int:
        """Parameters of the networks and of the linear part."""
        linear = 0 if self.linear_ is None else self.linear_.coef.size + self.linear_.intercept.size
        return linear + sum(member.n_parameters_ for member in self._members())

    @property
    def history_(self) -> dict:
        """Loss, validation loss and learning rate by epoch, of the first network."""
        return self.regressor_.history_

    @property
    def model_(self):
        """The network, the first of several, as a Keras model of scaled, centred windows, without the linear part."""
        return self.regressor_.model_

    def export_keras(self, path) -> None:
        """Write `model_` to a file, see `LSTMRegressor.export_keras`; `save` writes the whole forecaster."""
        check_is_fitted(self)
        self.regressor_.export_keras(path)


def batch_size_for(n_windows: int) -> int:
    """The power of two, from 16 to 512, that makes about a hundred steps of an epoch."""
    return int(2 ** np.clip(round(np.log2(n_windows / 100)), 4, 9))


def segment_for(window: int) -> int:
    """The largest divisor of the window that lets it be read in at least `READS` steps."""
    return max(k for k in range(1, max(1, window // READS) + 1) if window % k == 0)


class LSTMForecaster(RecurrentForecaster):
    """Forecast with a long short-term memory network.

    Each window is centred on its last observation, read in segments, and all steps of the horizon are decoded at once
    from the last state. One network is trained on the targets and one on what a ridge regression of the same windows
    leaves; their average is the forecast, or one of them, whichever has the smallest error on the validation part.
    Where that does not beat the last value there significantly (5 %), the last value is the forecast.

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
    shared : bool
        Forecast each of several targets from its own past (and the covariates) by one network, trained on all of them;
        False forecasts all from the past of all.
    linear : {"auto", True, False}
        Train on what a ridge regression of the windows leaves, and add it again. "auto" trains with and without, and
        lets the validation part choose between them and their average. Needs level="last".
    past_covariates, future_covariates : list of str, optional
        Columns known up to the cutoff, and columns known ahead.
    freq : str, optional
        Frequency of the index where it cannot be inferred.
    units : int, tuple of int or "auto"
        Width of the hidden layer; a tuple stacks layers. "auto" is 128.
    activation : {"tanh", "softsign"}
    forget_bias : float
        Initial bias of the forget gate.
    bidirectional : bool
        Read each window in both directions.
    segment : int or "auto"
        Rows read per recurrent step. "auto" reads a window in four steps or a few more.
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
    epochs : int
    batch_size : int or "auto"
        "auto" makes about a hundred steps of an epoch, with 16 to 512 windows in each.
    engine : {"auto", "native", "keras"}
    jit_compile : bool or "auto"
        What computes the network, and whether XLA compiles Keras's training step; see `LSTMRegressor`.
    early_stopping : bool or "auto"
        Stop when the last `validation_fraction` of the windows in time is no longer forecast better, and restore the
        best weights. "auto": with 500 windows or more.
    validation_fraction : float
    n_iter_no_change : int
        Epochs without improvement by `tol` before stopping.
    tol : float
    missing_indicator : bool or "auto"
        Tell the network where a value was missing. "auto": if any is in the training rows.
    n_members : int
        Networks of each kind, from different initial weights, whose forecasts are averaged.
    callbacks : list, optional
        Keras-style callbacks.
    random_state : int, RandomState or None
    verbose : int
        1 shows a progress bar, 0 is silent.

    Attributes
    ----------
    regressor_ : LSTMRegressor
        The fitted network, the first if there are several.
    others_ : list of LSTMRegressor
        The further ones.
    linear_ : LinearMap or None
        What is added to the average of the networks.
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
        shared=True,
        linear="auto",
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
        loss="mae",
        quantiles=QUANTILES,
        optimizer="adam",
        learning_rate=2e-3,
        momentum=0.9,
        nesterov=True,
        weight_decay=0.004,
        clipnorm=1.0,
        learning_rate_schedule="cosine",
        epochs=30,
        batch_size="auto",
        engine="auto",
        jit_compile=False,
        early_stopping="auto",
        validation_fraction=0.1,
        n_iter_no_change=8,
        tol=0.0,
        missing_indicator="auto",
        n_members=1,
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
            shared=shared,
            linear=linear,
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
            n_members=n_members,
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
