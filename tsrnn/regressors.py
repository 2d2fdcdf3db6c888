"""Recurrent networks as scikit-learn regressors: windows in, targets out. They know nothing of time indexes.

`LSTMRegressor`, `GRURegressor` and `SimpleRNNRegressor` differ in their cell only. A fitted regressor is its
`weights_`, a list of arrays; programs that compute with them are leased from the engine's pool. Importing this module
loads no Keras.
"""

from __future__ import annotations

import functools
import math
import warnings
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from ._archive import SaveMixin
from ._canonical import canonical_rows
from ._checks import check_bool, check_choice, check_int, check_real
from .engine import ENGINES, ForwardKey, Missing, ProgramKey, TrainerKey, WindowData, choose_engine, lease
from .engine.callbacks import KerasCallbacks, ProgressHook, SklearnCallbacks, fresh_callbacks
from .engine.data import check_gaps, features_with_gaps
from .engine.inputs import drop_silent, read_targets, read_weights, read_windows, split_in_time
from .engine.losses import LOSSES
from .engine.program import Numbers
from .engine.training import SCHEDULES, EpochState, Examples, Hook, Outcome, TrainingPlan, train
from .exceptions import ArchiveError, CapacityWarning
from .networks import ACTIVATIONS, NetworkSpec, initial_weights

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # scikit-learn before 1.9

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stands in for scikit-learn's class, which these versions do not have."""

    def with_callbacks(method):
        return method


__all__ = ["GRURegressor", "LSTMRegressor", "SimpleRNNRegressor"]

_OPTIMIZERS = ("adam", "rmsprop", "adagrad", "sgd")
_KERNEL_INITIALIZERS = ("glorot_uniform", "orthogonal")
_EARLY_STOPPING_WINDOWS = 1000  # early_stopping="auto" is on from here
# XLA's compilation takes about 2 s (and, once per process, 150 MB) and saves 0.03-0.1 ms in each recurrent step of a
# batch, if the matrices are so small that the overhead of TensorFlow's operations counts.
_COMPILE_FROM_STEPS = 100_000
_COMPILE_UP_TO_SIZE = 8192  # batch_size * units


def _all_or_nothing(method):
    """Leave the estimator as it was if the method raises, be it Ctrl-C: no half-fitted state."""

    @functools.wraps(method)
    def guarded(self, *args, **kwargs):
        before = self.__dict__.copy()
        try:
            return method(self, *args, **kwargs)
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise

    return guarded


def _are_float32(array: Any, shape: tuple[int, ...]) -> bool:
    """Say whether this is an array of this dtype and shape, and not an empty one."""
    return isinstance(array, np.ndarray) and array.dtype == np.float32 and array.shape == shape and array.size > 0


class _RecurrentRegressor(SaveMixin, CallbackSupportMixin, RegressorMixin, BaseEstimator):
    """What the three regressors share: everything but the cell. The parameters are described in `LSTMRegressor`."""

    _cell: str
    # Fitted; the public ones are described in LSTMRegressor.
    weights_: list[np.ndarray]
    history_: dict[str, list[float]]
    n_steps_in_: int
    n_outputs_: int
    _spec: NetworkSpec
    _missing: Missing
    _target_shape: tuple[int, ...]
    _n_features_per_step: int
    _trainer_state: list[np.ndarray] | None

    def __init__(
        self,
        units=32,
        *,
        activation="tanh",
        bidirectional=False,
        segment=1,
        dropout=0.0,
        recurrent_dropout=0.0,
        l1=0.0,
        l2=0.0,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        head_initializer="glorot_uniform",
        loss="mse",
        optimizer="adam",
        learning_rate=3e-3,
        momentum=0.9,
        nesterov=True,
        clipnorm=1.0,
        learning_rate_schedule=None,
        epochs=100,
        batch_size=32,
        engine="auto",
        jit_compile=False,
        shuffle=True,
        early_stopping="auto",
        validation_fraction=0.1,
        validation_gap=0,
        n_iter_no_change=5,
        tol=1e-4,
        n_steps=None,
        missing_indicator="auto",
        callbacks=None,
        warm_start=False,
        random_state=None,
        verbose=0,
    ):
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
        self.head_initializer = head_initializer
        self.loss = loss
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.nesterov = nesterov
        self.clipnorm = clipnorm
        self.learning_rate_schedule = learning_rate_schedule
        self.epochs = epochs
        self.batch_size = batch_size
        self.engine = engine
        self.jit_compile = jit_compile
        self.shuffle = shuffle
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.validation_gap = validation_gap
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.n_steps = n_steps
        self.missing_indicator = missing_indicator
        self.callbacks = callbacks
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    # -- scikit-learn ------------------------------------------------------------------------------------------------

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = True
        tags.target_tags.multi_output = True
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        # n_features_in_ is set before training ends; only weights make a fitted network.
        return hasattr(self, "weights_")

    # -- public ------------------------------------------------------------------------------------------------------

    @_all_or_nothing
    @with_callbacks
    def fit(self, X, y, sample_weight=None):
        """Train the network from new weights (with `warm_start`, from where the last fit ended).

        Parameters
        ----------
        X : WindowArray or array-like of shape (n_windows, n_steps, n_features) or (n_windows, n_steps * n_features)
            The windows, in the order of time. Leading steps where all features are NaN shorten a window; other NaN
            are missing values.
        y : array-like of shape (n_windows,), (n_windows, horizon) or (n_windows, horizon, n_targets)
            The targets. `predict` returns the same shape.
        sample_weight : array-like of shape (n_windows,), default=None
            Weights of the windows in the loss. A weight of 2 is the same as giving the window twice.

        Returns
        -------
        self : object
            The fitted regressor.
        """
        return self._fit(X, y, sample_weight, resume=self.warm_start and hasattr(self, "weights_"))

    @_all_or_nothing
    @with_callbacks
    def partial_fit(self, X, y, sample_weight=None):
        """Train for one more epoch on the given windows, without early stopping; parameters as in `fit`."""
        return self._fit(X, y, sample_weight, resume=hasattr(self, "weights_"), single_epoch=True)

    def predict(self, X):
        """Predict the targets of windows.

        Parameters
        ----------
        X : WindowArray or array-like
            Windows as in `fit`. A 3-D X may have fewer steps than the windows of `fit`.

        Returns
        -------
        y : ndarray of float64
            One prediction per window, in the shape of the y of `fit`.
        """
        check_is_fitted(self)
        windows = WindowData.from_windows(read_windows(self, X, self.n_steps, reset=False), self.n_steps_in_)
        check_gaps(windows, self._missing.indicators, self._feature_names())
        forward = ForwardKey(
            self._spec,
            self.n_steps_in_,
            windows.n_features,
            self._missing.indicators,
            ragged=windows.ragged,
            centred=windows.offset is not None,
        )
        with lease(ProgramKey(forward), self.engine) as program:
            program.load(self.weights_)
            y = program.predict(program.bind(windows, self._missing))
        return y.astype(np.float64).reshape(len(windows), *self._target_shape)

    @property
    def model_(self):
        """A new Keras model with these weights; it takes windows (n, n_steps, channels) without empty leading steps.

        Its channels are the features and then one missing indicator for each feature that has one.
        """
        if not hasattr(self, "weights_"):
            raise NotFittedError(f"This {type(self).__name__} is not fitted yet, so it has no model_. Call fit first.")
        from .engine.keras_ import make_model

        return make_model(
            self._spec,
            self.n_steps_in_,
            self.weights_,
            dropout=self.dropout,
            recurrent_dropout=self.recurrent_dropout,
        )

    @property
    def n_parameters_(self) -> int:
        """Number of trainable parameters."""
        if not hasattr(self, "weights_"):
            raise NotFittedError(f"This {type(self).__name__} is not fitted yet. Call fit first.")
        return self._spec.n_parameters

    # -- for the layers above ----------------------------------------------------------------------------------------

    @_all_or_nothing
    @with_callbacks
    def _fit_windows(self, X, y, sample_weight=None, *, validation=None, resume=False):
        """Fit as `fit` does, but let y be NaN where a target is not known: such entries carry no loss.

        Parameters
        ----------
        X, y, sample_weight : as in `fit`
            The windows and targets.
        validation : tuple (X, y) or (X, y, sample_weight), optional
            The validation part for early stopping, instead of the last rows of X.
        resume : bool
            Train on from the current weights and optimiser state.
        """
        resume = (resume or self.warm_start) and hasattr(self, "weights_")
        return self._fit(X, y, sample_weight, resume=resume, allow_nan=True, validation=validation)

    # -- fitting -----------------------------------------------------------------------------------------------------

    def _fit(self, X, y, sample_weight, *, resume, single_epoch=False, allow_nan=False, validation=None):
        self._check_parameters()
        examples = self._read_examples(X, y, sample_weight, resume=resume, allow_nan=allow_nan)
        # One draw, whatever random_state is: an instance of RandomState must not advance by how long training takes.
        seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        done = getattr(self, "n_iter_", 0) if resume else 0
        rng = np.random.default_rng([seed, done])
        training, held_out = self._split(examples, validation, off=single_epoch)
        if self.shuffle:
            rows, weight = canonical_rows(training.windows, training.y, training.weight)
            training = Examples(training.windows.take(rows), training.y[rows], weight)
        if resume:
            self._check_same_network(training.windows)
        else:
            self._start(training, held_out, rng)
        for part in (training, held_out):
            if part is not None:
                check_gaps(part.windows, self._missing.indicators, self._feature_names())
        self._warn_about_capacity(len(training))
        plan = self._plan(1 if single_epoch else self.epochs)
        outcome = self._train(plan, training, held_out, rng, resume, (X, y, sample_weight))
        self._finish(outcome, done if single_epoch else 0, keep=self.warm_start or single_epoch)
        return self

    def _read_examples(self, X, y, sample_weight, *, resume, allow_nan) -> Examples:
        X = read_windows(self, X, self.n_steps, reset=not resume)
        y, target_shape = read_targets(self, X, y, allow_nan=allow_nan)
        if resume and target_shape != self._target_shape:
            raise ValueError(
                f"y has shape (n_windows, *{target_shape}) but was (n_windows, *{self._target_shape}) when the network "
                "was first fitted. Fit a new estimator, or set warm_start=False."
            )
        if not resume:
            self.n_steps_in_, self._n_features_per_step = X.shape[1:]
            self._target_shape, self.n_outputs_ = target_shape, y.shape[1]
        weight = read_weights(sample_weight, len(X))
        return drop_silent(Examples(WindowData.from_windows(X, self.n_steps_in_), y, weight))

    def _split(self, examples: Examples, validation, *, off: bool) -> tuple[Examples, Examples | None]:
        """Split off the part that decides when to stop, if any does."""
        if off or self.early_stopping is False:
            return examples, None
        if validation is not None:
            return examples, self._read_examples(
                *validation, *[None] * (3 - len(validation)), resume=True, allow_nan=True
            )
        if self.early_stopping == "auto" and len(examples) < _EARLY_STOPPING_WINDOWS:
            return examples, None
        return split_in_time(examples, self.validation_fraction, self.validation_gap)

    def _start(self, training: Examples, held_out: Examples | None, rng: np.random.Generator) -> None:
        """Settle what depends on the first training set: indicators, the network, its initial weights."""
        windows = training.windows
        indicators: set[int] = set()
        if self.missing_indicator is True:
            indicators = set(range(windows.n_features))
        elif self.missing_indicator == "auto":
            parts = [training] if held_out is None else [training, held_out]
            indicators = {feature for part in parts for feature in features_with_gaps(part.windows)}
        # The means are those of the training part alone.
        self._missing = Missing.learn(windows, training.weight, tuple(sorted(indicators)))
        self._spec = self._network(windows.n_features + len(indicators))
        self.weights_ = initial_weights(
            self._spec,
            rng,
            kernel=self.kernel_initializer,
            recurrent=self.recurrent_initializer,
            head=self.head_initializer,
            forget_bias=getattr(self, "forget_bias", 0.0),
        )
        self._trainer_state = None

    def _network(self, n_inputs: int) -> NetworkSpec:
        return NetworkSpec(
            cell=self._cell,
            units=(int(self.units),) if isinstance(self.units, Integral) else tuple(int(u) for u in self.units),
            n_inputs=n_inputs,
            n_outputs=self.n_outputs_,
            activation=self.activation,
            bidirectional=bool(self.bidirectional),
            segment=int(self.segment),
        )

    def _check_same_network(self, windows: WindowData) -> None:
        wanted = self._network(self._spec.n_inputs)
        if wanted != self._spec or windows.n_features != self._n_features_per_step:
            raise ValueError(
                f"training cannot go on: the parameters now describe {wanted}, but the fitted network is {self._spec}. "
                "Set the parameters back, or fit anew with warm_start=False."
            )

    def _train(self, plan, training, held_out, rng, resume, data) -> Outcome:
        parts = [part.windows for part in (training, held_out) if part is not None]
        centred = {part.offset is not None for part in parts}
        if len(centred) > 1:
            raise ValueError("either both or neither of the training and validation windows must have an offset.")
        forward = ForwardKey(
            self._spec,
            self.n_steps_in_,
            training.windows.n_features,
            self._missing.indicators,
            ragged=any(part.ragged for part in parts),
            centred=centred.pop(),
        )
        n_batches = -(-len(training) // plan.batch_size)
        trainer = TrainerKey(
            batch_size=plan.batch_size,
            optimizer=self.optimizer,
            momentum=float(self.momentum) if self.optimizer == "sgd" else 0.0,
            nesterov=self.optimizer == "sgd" and bool(self.nesterov),
            loss=self.loss,
            dropout=self.dropout > 0,
            recurrent_dropout=float(self.recurrent_dropout),
            compiled=self._compiles(n_batches * plan.epochs, plan.batch_size),
        )
        state = self._trainer_state if resume else None
        key = ProgramKey(forward, trainer)
        self.engine_, reason = choose_engine(key, self.engine)
        title = type(self).__name__ + (f" (Keras: {reason})" if reason else " (native engine)")
        hooks = self._hooks(plan, n_batches, data, title)
        with lease(key, self.engine) as program:
            return train(
                program,
                training,
                held_out,
                self._missing,
                plan,
                self.weights_,
                rng,
                trainer_state=state,
                hooks=hooks,
            )

    def _compiles(self, n_batches: int, batch_size: int) -> bool:
        """Say whether XLA is used; "auto" goes by sizes alone, so that a fit repeats bit by bit."""
        if self.jit_compile != "auto":
            return bool(self.jit_compile)
        spec = self._spec
        n_steps = n_batches * spec.n_segments(self.n_steps_in_) * len(spec.units) * spec.directions
        return n_steps >= _COMPILE_FROM_STEPS and batch_size * max(spec.units) <= _COMPILE_UP_TO_SIZE

    def _hooks(self, plan: TrainingPlan, n_batches: int, data: tuple, title: str) -> list[Hook]:
        hooks: list[Hook] = []
        callbacks = fresh_callbacks(self.callbacks)
        if callbacks:
            from .engine.keras_ import make_optimizer

            model = self.model_
            model.compile(make_optimizer(self.optimizer, plan.rate(0), self.momentum, self.nesterov), self.loss)
            params = {"epochs": plan.epochs, "steps": n_batches, "verbose": self.verbose}
            hooks.append(KerasCallbacks(callbacks, model, params))
        if getattr(self, "_skl_callbacks", None) or hasattr(self, "_parent_callback_ctx"):
            X, y, sample_weight = data
            metadata = {} if sample_weight is None else {"sample_weight": sample_weight}
            context = self._init_callback_context(max_subtasks=plan.epochs)
            hooks.append(
                SklearnCallbacks(context, {"estimator": self, "X": X, "y": y, "metadata": metadata}, self._as_fitted)
            )
        if self.verbose:
            hooks.append(ProgressHook(title))
        return hooks

    @staticmethod
    def _as_fitted(state: EpochState) -> dict[str, Any]:
        """Return the attributes of a regressor whose training stopped now."""
        history = {name: list(values) for name, values in state.history.items()}
        return {
            "weights_": state.program.weights(),
            "n_iter_": state.epoch,
            "best_iteration_": state.epoch,
            "history_": history,
        }

    def _finish(self, outcome: Outcome, done: int, *, keep: bool) -> None:
        """Take over what training left; `done` epochs of earlier calls of `partial_fit` count on."""
        history = outcome.history
        if done:
            history = {name: self.history_.get(name, []) + values for name, values in history.items()}
        self.weights_ = outcome.weights
        self.history_ = history
        self.n_iter_ = done + outcome.n_iter
        self.best_iteration_ = done + outcome.best_iteration
        self.initial_val_loss_ = outcome.initial_val_loss
        self._trainer_state = outcome.trainer_state if keep else None

    def _warn_about_capacity(self, n_windows: int) -> None:
        if self._spec.n_parameters > n_windows:
            warnings.warn(
                f"{type(self).__name__} has {self._spec.n_parameters:,} trainable parameters but only {n_windows:,} "
                "training windows, so it can learn them by heart. Use fewer units, more windows (a smaller stride, a "
                "longer history), or compare its error on held-out data with a simpler model's.",
                CapacityWarning,
                stacklevel=6,  # past the two decorators of fit: to the line that called it
            )

    def _feature_names(self) -> list[str] | None:
        """Return the names of the features of a step, if they have names: columns, where a window is one step."""
        names = getattr(self, "feature_names_in_", None)
        return list(names) if names is not None and self.n_steps_in_ == 1 else None

    def _check_restored(self) -> None:
        """Raise `ArchiveError` if the arrays of a file are not those of the network that it describes."""
        if not hasattr(self, "weights_"):
            return
        spec, missing, n_features = self._spec, self._missing, self._n_features_per_step
        if not isinstance(spec, NetworkSpec) or not isinstance(missing, Missing):
            raise ArchiveError("_spec or _missing is not what describes a network")
        if not _are_float32(missing.means, (n_features,)) or not set(missing.indicators) <= set(range(n_features)):
            raise ArchiveError(f"_missing does not fit windows of {n_features} features")
        if spec.cell != self._cell or spec.activation not in ACTIVATIONS or not spec.units:
            raise ArchiveError(f"{spec} is not a network of {type(self).__name__}")
        if spec.n_inputs != n_features + len(missing.indicators):
            raise ArchiveError(f"{spec} does not fit {n_features} features and {len(missing.indicators)} indicators")
        if not spec.n_outputs == self.n_outputs_ == math.prod(self._target_shape):
            raise ArchiveError(f"{spec} does not fit {self.n_outputs_} outputs of shape {self._target_shape}")
        shapes = [weight.shape for weight in spec.weights]
        if len(self.weights_) != len(shapes) or not all(map(_are_float32, self.weights_, shapes)):
            raise ArchiveError(f"weights_ are not float32 arrays of the shapes {shapes}, which {spec} has")
        # An optimiser holds counters and, for each of the weights, arrays of its shape; how many is Keras's to check.
        for array in self._trainer_state or ():
            if not isinstance(array, np.ndarray) or array.shape not in ((), *shapes):
                raise ArchiveError("_trainer_state holds what does not belong to any of weights_")

    # -- parameters --------------------------------------------------------------------------------------------------

    def _plan(self, epochs: int) -> TrainingPlan:
        numbers = Numbers(
            learning_rate=float(self.learning_rate),
            l1=float(self.l1),
            l2=float(self.l2),
            clipnorm=float("inf") if self.clipnorm is None else float(self.clipnorm),
            dropout=float(self.dropout),
        )
        return TrainingPlan(
            epochs=int(epochs),
            batch_size=int(self.batch_size),
            loss=self.loss,
            numbers=numbers,
            shuffle=bool(self.shuffle),
            schedule=self.learning_rate_schedule,
            patience=int(self.n_iter_no_change),
            tol=float(self.tol),
        )

    def _check_parameters(self) -> None:
        self._check_network_parameters()
        self._check_training_parameters()

    def _check_network_parameters(self) -> None:
        if isinstance(self.units, (tuple, list)):
            if not self.units:
                raise ValueError("units must name at least one layer, got an empty sequence.")
            for i, units in enumerate(self.units):
                check_int(f"units[{i}]", units)
        else:
            check_int("units", self.units)
        check_choice("activation", self.activation, ACTIVATIONS)
        check_bool("bidirectional", self.bidirectional)
        check_int("segment", self.segment)
        check_int("n_steps", self.n_steps, none=True)
        check_choice("kernel_initializer", self.kernel_initializer, _KERNEL_INITIALIZERS)
        check_choice("recurrent_initializer", self.recurrent_initializer, _KERNEL_INITIALIZERS)
        check_choice("head_initializer", self.head_initializer, ("glorot_uniform", "zeros"))
        check_choice("missing_indicator", self.missing_indicator, ("auto", True, False))

    def _check_training_parameters(self) -> None:
        for name in ("dropout", "recurrent_dropout"):
            check_real(name, getattr(self, name), 0, 1, closed="left")
        for name in ("l1", "l2", "tol"):
            check_real(name, getattr(self, name), 0)
        check_choice("loss", self.loss, tuple(LOSSES))
        check_choice("optimizer", self.optimizer, _OPTIMIZERS)
        check_real("learning_rate", self.learning_rate, 0, closed="right")
        check_real("momentum", self.momentum, 0, 1, closed="left")
        check_real("clipnorm", self.clipnorm, 0, closed="right", none=True)
        if self.learning_rate_schedule is not None and not callable(self.learning_rate_schedule):
            check_choice("learning_rate_schedule", self.learning_rate_schedule, tuple(SCHEDULES))
        for name in ("epochs", "batch_size", "n_iter_no_change"):
            check_int(name, getattr(self, name))
        check_choice("engine", self.engine, ENGINES)
        check_choice("jit_compile", self.jit_compile, (False, True, "auto"))
        check_int("validation_gap", self.validation_gap, 0)
        check_real("validation_fraction", self.validation_fraction, 0, 1, closed="neither")
        check_choice("early_stopping", self.early_stopping, ("auto", True, False))
        for name in ("nesterov", "shuffle", "warm_start"):
            check_bool(name, getattr(self, name))
        check_int("verbose", int(self.verbose) if isinstance(self.verbose, bool) else self.verbose, 0)


class LSTMRegressor(_RecurrentRegressor):
    """Long short-term memory network that maps windows to targets.

    The network reads a window step by step (or `segment` by segment) and maps its last state to the targets through one
    dense layer. It passes scikit-learn's estimator checks, so it goes wherever a regressor goes: pipelines, searches,
    stacking, permutation importance. X and y are used as they are: scale them, or use a forecaster, which does.

    Parameters
    ----------
    units : int or tuple of int, default=32
        State size; a tuple stacks layers.
    activation : {"tanh", "softsign"}, default="tanh"
        Squashes the candidate state.
    forget_bias : float, default=1.0
        Initial bias of the forget gate.
    bidirectional : bool, default=False
        Read each window in both directions.
    segment : int, default=1
        Steps of a window that the network reads together. A long window read in segments trains faster and remembers
        further back. If the steps do not divide, the first segment is filled up with zeros on the left.
    dropout : float, default=0.0
        Rate of dropout after each recurrent layer.
    recurrent_dropout : float, default=0.0
        Rate of dropout on the recurrent state.
    l1, l2 : float, default=0.0
        Penalties on the absolute and squared values of all kernels (input, recurrent, head), added to the loss.
    kernel_initializer : {"glorot_uniform", "orthogonal"}, default="glorot_uniform"
        Initial input kernels.
    recurrent_initializer : {"orthogonal", "glorot_uniform"}, default="orthogonal"
        Initial recurrent kernels.
    head_initializer : {"glorot_uniform", "zeros"}, default="glorot_uniform"
        Initial kernel of the dense layer. With "zeros" an untrained network predicts 0: on windows less their last
        value that is the persistence forecast.
    loss : {"mse", "mae", "huber"}, default="mse"
        What is minimised.
    optimizer : {"adam", "rmsprop", "adagrad", "sgd"}, default="adam"
        Keras's optimiser of that name.
    learning_rate : float, default=0.003
        Initial learning rate.
    momentum : float, default=0.9
        Momentum of "sgd".
    nesterov : bool, default=True
        Whether the momentum of "sgd" is Nesterov's.
    clipnorm : float or None, default=1.0
        Largest norm of the gradient of all weights together.
    learning_rate_schedule : None, "cosine", "exponential" or callable, default=None
        Factor on the learning rate in each epoch. "cosine" falls to 0 over `epochs`; "exponential" stays at 1 for three
        epochs and then falls by a fifth in each; a function maps the epoch, from 0, to a factor.
    epochs : int, default=100
        Passes over the windows, at most.
    batch_size : int, default=32
        Windows in a training step.
    engine : {"auto", "native", "keras"}, default="auto"
        What computes the network. "native" is tsrnn's own engine for the processor, which needs neither Keras nor
        TensorFlow; "auto" takes it wherever it was compiled and computes this network, and Keras otherwise. Both give
        weights in the same layout, equal up to rounding.
    jit_compile : bool or "auto", default=False
        Where Keras trains: compile the training step with XLA. Long fits of small networks run two to five times
        faster; it costs about a second for each new shape and 150 MB of memory, once per process. "auto" compiles where
        the fit is long enough to earn the second back.
    shuffle : bool, default=True
        Merge equal windows and shuffle the order in each epoch. With False, windows are trained on in the given order.
    early_stopping : {"auto", True, False}, default="auto"
        Stop when the loss on the last windows in time no longer falls, and go back to the best weights, which may be
        the initial ones. "auto" does so from 1000 windows on.
    validation_fraction : float, default=0.1
        Share of the windows, the last in time, that early stopping watches.
    validation_gap : int, default=0
        Windows left out before the validation part. The horizon less one keeps overlapping targets from leaking.
    n_iter_no_change : int, default=5
        Epochs without an improvement by more than `tol` after which to stop.
    tol : float, default=1e-4
        Smallest fall of the validation loss that counts.
    n_steps : int or None, default=None
        Steps in a row of a 2-D X; None reads each column as one step.
    missing_indicator : {"auto", True, False}, default="auto"
        Missing values inside a window are replaced by the feature's mean over the training windows, and a further input
        channel says where. "auto" gives this channel to the features that have missing values in `fit`, True to all;
        False refuses missing values.
    callbacks : Keras callback, function that returns one, or list of them, default=None
        Called during training with a Keras model. Instances are copied for each fit. scikit-learn's own callbacks are
        set with `set_callbacks`.
    warm_start : bool, default=False
        Let `fit` go on from the weights and the optimiser state of the last fit.
    random_state : int, RandomState instance or None, default=None
        Makes initial weights, the order of windows and dropout masks the same each time.
    verbose : int, default=0
        1 shows a progress bar, and which engine trains.

    Attributes
    ----------
    weights_ : list of ndarray
        The weights, in Keras's layout.
    model_ : keras.Model
        A new Keras model with these weights.
    engine_ : {"native", "keras"}
        What trained the network.
    n_iter_ : int
        Epochs trained.
    best_iteration_ : int
        Epoch whose weights were kept; 0 are the initial weights.
    history_ : dict of lists
        "loss", "val_loss" (with early stopping) and "learning_rate" of each epoch.
    initial_val_loss_ : float or None
        Validation loss of the initial weights.
    n_features_in_ : int
        Features of a step; columns, for a 2-D X.
    feature_names_in_ : ndarray of str
        Columns of X, if it was a DataFrame.
    n_steps_in_ : int
        Steps of a window.
    n_outputs_ : int
        Numbers predicted for a window.
    n_parameters_ : int
        Trainable parameters.

    References
    ----------
    Hochreiter, S. and Schmidhuber, J. (1997). Long short-term memory. Neural Computation 9(8), 1735-1780.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn.regressors import LSTMRegressor
    >>> wave = np.sin(np.arange(120) / 3)
    >>> X = np.lib.stride_tricks.sliding_window_view(wave[:-1], 10)[..., np.newaxis]  # (n_windows, n_steps, n_features)
    >>> y = wave[10:]
    >>> model = LSTMRegressor(units=3, learning_rate=0.01, random_state=0).fit(X[:100], y[:100])
    >>> bool(model.score(X[100:], y[100:]) > 0.9)
    True
    """

    _cell = "lstm"

    def __init__(
        self,
        units=32,
        *,
        activation="tanh",
        forget_bias=1.0,
        bidirectional=False,
        segment=1,
        dropout=0.0,
        recurrent_dropout=0.0,
        l1=0.0,
        l2=0.0,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        head_initializer="glorot_uniform",
        loss="mse",
        optimizer="adam",
        learning_rate=3e-3,
        momentum=0.9,
        nesterov=True,
        clipnorm=1.0,
        learning_rate_schedule=None,
        epochs=100,
        batch_size=32,
        engine="auto",
        jit_compile=False,
        shuffle=True,
        early_stopping="auto",
        validation_fraction=0.1,
        validation_gap=0,
        n_iter_no_change=5,
        tol=1e-4,
        n_steps=None,
        missing_indicator="auto",
        callbacks=None,
        warm_start=False,
        random_state=None,
        verbose=0,
    ):
        super().__init__(
            units,
            activation=activation,
            bidirectional=bidirectional,
            segment=segment,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            l1=l1,
            l2=l2,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            head_initializer=head_initializer,
            loss=loss,
            optimizer=optimizer,
            learning_rate=learning_rate,
            momentum=momentum,
            nesterov=nesterov,
            clipnorm=clipnorm,
            learning_rate_schedule=learning_rate_schedule,
            epochs=epochs,
            batch_size=batch_size,
            engine=engine,
            jit_compile=jit_compile,
            shuffle=shuffle,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            validation_gap=validation_gap,
            n_iter_no_change=n_iter_no_change,
            tol=tol,
            n_steps=n_steps,
            missing_indicator=missing_indicator,
            callbacks=callbacks,
            warm_start=warm_start,
            random_state=random_state,
            verbose=verbose,
        )
        self.forget_bias = forget_bias

    def _check_network_parameters(self) -> None:
        super()._check_network_parameters()
        check_real("forget_bias", self.forget_bias)


class GRURegressor(_RecurrentRegressor):
    """Network of gated recurrent units that maps windows to targets.

    Parameters and attributes are those of `LSTMRegressor`, without `forget_bias`. A GRU has three quarters of an LSTM's
    parameters. The reset gate acts after the recurrent product, as in Keras and cuDNN.

    References
    ----------
    Cho, K. et al. (2014). Learning phrase representations using RNN encoder-decoder for statistical machine
    translation. EMNLP.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn.regressors import GRURegressor
    >>> X = np.random.default_rng(0).normal(size=(50, 6, 2))  # (n_windows, n_steps, n_features)
    >>> y = X[:, -3:, 0]
    >>> GRURegressor(units=2, epochs=2, random_state=0).fit(X, y).predict(X).shape
    (50, 3)
    """

    _cell = "gru"


class SimpleRNNRegressor(_RecurrentRegressor):
    """Elman's network, one tanh layer with feedback, that maps windows to targets.

    Parameters and attributes are those of `LSTMRegressor`, without `forget_bias`. It has a quarter of an LSTM's
    parameters and forgets sooner.

    References
    ----------
    Elman, J. L. (1990). Finding structure in time. Cognitive Science 14(2), 179-211.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn.regressors import SimpleRNNRegressor
    >>> X = np.random.default_rng(0).normal(size=(50, 6))  # six steps of one feature
    >>> SimpleRNNRegressor(units=2, epochs=2, random_state=0).fit(X, X.sum(axis=1)).predict(X).shape
    (50,)
    """

    _cell = "simple_rnn"
