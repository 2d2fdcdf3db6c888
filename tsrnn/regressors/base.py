"""What all network regressors share: reading examples, the fit around the training loop, prediction.

A subclass says which network it is and with which weights it starts. A fitted regressor is its `weights_`, a list of
arrays; programs that compute with them are leased from the engine's pool. Importing this module loads no Keras.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from functools import partial
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from .. import _types as t
from .._checks import check_choice, check_quantiles
from .._estimator import Estimator
from .._publishing import KeptWork, publishes, reads_one_state
from .._warnings import warn_user
from ..engine import Missing, ProgramKey, WindowData, lease
from ..engine.distributions import point_forecast, quantile_forecast
from ..engine.pieces import Reader
from ..engine.resumption import Draws, random_numbers
from ..engine.training import Outcome, TrainingInterrupted
from ..exceptions import CapacityWarning
from ..networks import Spec
from .groups import Reading
from .lesson import Lesson
from .parameters import check_median
from .reporting import ReportsToCallbacks
from .saved import SavedNetwork
from .scoring import ScoresKnownTargets
from .shown import ShowsNetwork
from .sklearn_callbacks import with_callbacks
from .states import SequenceStates
from .training import TrainsNetwork
from .view import NetworkView, Rehearsal

__all__ = ["NetworkRegressor"]

_EARLY_STOPPING_WINDOWS = 1000  # early_stopping="auto" is on from here
_MAX_PARAMETERS = 2**31 - 1  # the engines count weights in 32 bits


class NetworkRegressor(
    ReportsToCallbacks, ScoresKnownTargets, SavedNetwork, ShowsNetwork, Estimator, TrainsNetwork, Reading
):
    """Base of the regressors that train a network.

    A subclass adds the parameters of its network, which `engine`, `dropout` and `recurrent_dropout` belong to, and
    fills in `_network` and `_initial_weights`.

    Attributes
    ----------
    weights_ : list of ndarray
        The weights, in Keras's layout.
    model_ : keras.Model
        A new Keras model with these weights.
    callbacks_ : list
        The callbacks of the last fit, as it left them (``callbacks_[0].stopped_epoch``), without their model. Pickles
        and files do not hold them.
    engine_ : {"native", "keras"}
        What trained the network.
    n_iter_ : int
        Epochs trained by the last `fit`, and by `partial_fit` since.
    best_iteration_ : int
        Epoch whose weights were kept; 0 are the initial weights.
    history_ : dict of lists
        "loss", "val_loss" (with early stopping) and "learning_rate" of each epoch.
    initial_val_loss_ : float or None
        Validation loss of the initial weights.
    n_windows_ : int
        Different windows (or pieces of sequences) that the last fit trained on, those held out for validation not among
        them.
    n_features_in_ : int
        Features of a step; columns, for a 2-D X.
    feature_names_in_ : ndarray of str
        Columns of X, if it was a DataFrame.
    n_steps_in_ : int
        Steps of a window; of the longest, if they differ.
    n_outputs_ : int
        Targets of a window.
    n_parameters_ : int
        Trainable parameters.
    """

    _not_shown: tuple[str, ...] = ("model_",)  # Keras is imported for it
    engine: t.Engine

    # -- filled in by subclasses -------------------------------------------------------------------------------------

    def _network(self, n_inputs: int) -> Spec:
        """Describe the network for windows of `n_inputs` channels."""
        raise NotImplementedError

    def _initial_weights(self, rng: np.random.Generator) -> list[np.ndarray]:
        """Draw the weights that training starts from."""
        raise NotImplementedError

    def _wanted_piece(self) -> int | None:
        """Return the steps of the pieces in which sequences are to be read; None to read them whole."""
        return None

    def _states_before(self) -> SequenceStates:
        """Return the states that sequences go on from; raise if there are none."""
        raise ValueError(
            f"state='fitted' goes on from the state that a network carries from piece to piece, and "
            f"{type(self).__name__} carries none. Leave it out."
        )

    def _keep_states(self, X: Any, lesson: Lesson, left: np.ndarray | None) -> None:
        """Keep what streams and trainings can go on from after the training windows.

        `left` are the states in which training left them, if it read each from its beginning to its end.
        """

    # -- scikit-learn ------------------------------------------------------------------------------------------------

    def __sklearn_tags__(self) -> Any:
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

    @publishes
    @with_callbacks
    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Train the network from new weights (with `warm_start`, from where the last fit ended).

        Parameters
        ----------
        X : WindowArray or array-like of shape (n_windows, n_steps, n_features) or (n_windows, n_steps * n_features)
            The windows, in the order of time. Leading steps where all features are NaN shorten a window; other NaN
            are missing values. Windows of different lengths may be a list of arrays of shape (n_steps_i, n_features):
            each is read as it is, and none is copied to fill it up.
        y : array-like of shape (n_windows,), (n_windows, horizon) or (n_windows, horizon, n_targets)
            The targets. `predict` returns the same shape. With `return_sequences` there is one for each step: shape
            (n_windows, n_steps) or (n_windows, n_steps, n_targets), and those of empty leading steps are ignored; or a
            list of arrays, as long as those of X. With `tbptt_steps` it may be NaN where a target is not known.
        sample_weight : array-like of shape (n_windows,), default=None
            Weights of the windows in the loss. A weight of 2 is the same as giving the window twice.

        Returns
        -------
        self : object
            The fitted regressor.

        Raises
        ------
        FloatingPointError
            If the loss becomes infinite or NaN: the regressor is left as it was before.
        KeyboardInterrupt
            On Ctrl-C. With `warm_start` the best weights so far are kept; otherwise the regressor is as before.
        """
        return self._fit(X, y, sample_weight, resume=self.warm_start)

    @publishes
    @with_callbacks
    def partial_fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        state: Literal["fitted"] | None = None,
    ) -> Self:
        """Train for one more epoch on the given windows, without early stopping.

        Eight calls are one fit of eight epochs: the optimiser, random numbers, `history_`, and the epochs that
        schedules, `teacher_forcing` and callbacks count, go on from those before.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.
        state : {None, "fitted"}, default=None
            What sequences start from, with `tbptt_steps`. None is zero. "fitted" goes on from the state in which the
            sequences of the last fit ended, with the next piece of each, in the same order: a long series may be
            trained on as it comes in. The state goes on through steps that are NaN at the beginning of the piece.

        Returns
        -------
        self : object
            The fitted regressor.

        Raises
        ------
        ValueError
            If there is no fitted state to go on from, or X does not hold as many sequences.

        Examples
        --------
        >>> import numpy as np
        >>> from tsrnn import GRURegressor
        >>> X = np.random.default_rng(0).normal(size=(1, 1000, 1))  # (n_sequences, n_steps, n_features)
        >>> y = X[..., 0].cumsum(axis=1) / 50
        >>> model = GRURegressor(units=4, return_sequences=True, tbptt_steps=50, batch_size=1, random_state=0)
        >>> for piece in np.split(np.arange(1000), 4):
        ...     model = model.partial_fit(X[:, piece], y[:, piece], state=None if piece[0] == 0 else "fitted")
        >>> model.n_iter_
        4
        """
        check_choice("state", state, (None, "fitted"))
        return self._fit(X, y, sample_weight, resume=True, single_epoch=True, going_on=state == "fitted")

    @reads_one_state
    def predict(self, X: Any) -> np.ndarray:
        """Predict the targets of windows.

        After a fit with loss "pinball" this is the median, or the one quantile that was fitted; with "gaussian" and
        "student_t" the location, which is the median as well.

        Parameters
        ----------
        X : WindowArray or array-like
            Windows as in `fit`. They may have fewer steps than those of `fit`, but not more than the longest.

        Returns
        -------
        y : ndarray of float64
            One prediction per window, in the shape of the y of `fit`. With `return_sequences`, one for each step of X,
            NaN at empty leading steps: the predictions for a shorter window of a list stand at the end of its row.
        """
        outputs = self._outputs(X)
        return point_forecast(self._loss, self._quantiles, outputs).reshape(self._prediction_shape(outputs))

    @reads_one_state
    def predict_quantiles(self, X: Any, quantiles: Sequence[float] | None = None) -> np.ndarray:
        """Predict quantiles of the targets of windows, after a fit with loss "pinball", "gaussian" or "student_t".

        Parameters
        ----------
        X : WindowArray or array-like
            Windows as in `predict`.
        quantiles : sequence of float, default=None
            Levels strictly between 0 and 1; None stands for those of the parameter `quantiles`. "pinball" knows the
            fitted ones, the distributions know all.

        Returns
        -------
        y : ndarray of float64 of shape (n_windows, ..., n_quantiles)
            The shape of the y of `fit`, with one more axis. A higher level never has a lower value.

        Raises
        ------
        ValueError
            If the loss was that of a point forecast, or a level was not fitted.

        References
        ----------
        Chernozhukov, Fernandez-Val and Galichon (2010). Quantile and probability curves without crossing.
        Econometrica 78(3), 1093-1125. They show that sorting crossing quantiles brings them nearer to the truth.

        Examples
        --------
        >>> import numpy as np
        >>> from tsrnn import LSTMRegressor
        >>> X = np.random.default_rng(0).normal(size=(50, 6, 1))  # (n_windows, n_steps, n_features)
        >>> model = LSTMRegressor(units=2, loss="gaussian", epochs=2, random_state=0).fit(X, X[:, -3:, 0])
        >>> model.predict_quantiles(X, [0.05, 0.95]).shape
        (50, 3, 2)
        """
        check_is_fitted(self)
        levels = self._quantiles or self.quantiles if quantiles is None else quantiles
        levels = check_quantiles("quantiles", levels, increasing=False)
        outputs = self._outputs(X)
        values = quantile_forecast(self._loss, self._quantiles, outputs, levels)
        return values.reshape(*self._prediction_shape(outputs), len(levels))

    def _outputs(self, X: Any) -> np.ndarray:
        """Return what the network gives out for windows: float32 (n_windows, n_parameters * n_outputs).

        Of a sequence, (n_windows, n_steps, n_parameters * n_targets) for the steps of X.
        """
        check_is_fitted(self)
        X = self._read_windows(X)
        outputs, _ = self._read(self._window_data(X))
        return outputs[:, -X.shape[1] :] if self._spec.head == "sequence" else outputs

    def _read(self, windows: WindowData, start: np.ndarray | None = None) -> tuple[np.ndarray, Reader]:
        """Run the network over windows; the reader holds the states in which it left them, if they are carried."""
        with lease(ProgramKey(self._forward_key([windows])), self.engine) as program:
            program.load(self.weights_)
            reader = Reader(program, windows, self._missing, start)
            return reader.outputs(), reader

    def _prediction_shape(self, outputs: np.ndarray) -> tuple[int, ...]:
        """Return the shape of predictions: that of y in `fit`, with the steps of these outputs."""
        if self._spec.head == "sequence":
            return (*outputs.shape[:2], *self._target_shape[1:])
        return (len(outputs), *self._target_shape)

    # -- for the layers above ----------------------------------------------------------------------------------------

    @publishes
    @with_callbacks
    def __fit_windows__(
        self, X: Any, y: Any, sample_weight: Any = None, *, validation: Any = None, resume: bool = False
    ) -> Self:
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
        resume = resume or self.warm_start
        return self._fit(X, y, sample_weight, resume=resume, allow_nan=True, validation=validation)

    def __network_view__(self) -> NetworkView:
        """Return what streams and inspection may see of the network."""
        channels = self._feature_names() or [*range(self._n_features_per_step)]
        learnt = self._target_shape, self._loss, self._quantiles
        reading = self._read_windows, partial(self._window_data, masked=True)
        return NetworkView(self._spec, self.weights_, self._missing, channels, *learnt, *reading)

    def __rehearse__(self, X: Any, y: Any, n_batches: int = 1) -> Rehearsal:
        """Begin a `fit` of at least so many batches with all windows, and stop before the first."""
        self.__check_parameters__()
        lesson = self._read_lesson(X, y, reset=True, allow_nan=True)
        _, rng = self._random_numbers(None)
        self._start(lesson, rng)
        feed = lesson.feed(int(self.batch_size), self._spec)
        plan = self._plan(feed.n_rows, None)
        per_epoch = feed.n_batches(plan.batch_size)
        plan = replace(plan, epochs=-(-n_batches // per_epoch))
        key = ProgramKey(self._forward_key(lesson.parts), self._trainer_key(plan, per_epoch))
        return Rehearsal(lesson.training, feed, plan, key, self.engine, rng)

    # -- fitting -----------------------------------------------------------------------------------------------------

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        *,
        resume: bool,
        single_epoch: bool = False,
        allow_nan: bool = False,
        validation: Any = None,
        going_on: bool = False,
    ) -> Self:
        """Read and check the data, train below, keep the result."""
        self.__check_parameters__()
        resume = resume and hasattr(self, "weights_")
        before = self._states_before() if going_on else None
        watched = not single_epoch and self.early_stopping is not False
        reading = {"reset": not resume, "allow_nan": allow_nan, "before": before}
        lesson = self._read_lesson(X, y, sample_weight, watched, validation, **reading)
        if self.shuffle:
            lesson = lesson.canonical()
        done = self.n_iter_ if resume else 0
        seed, rng = self._random_numbers(done if resume else None)
        if resume:
            self._check_same_network(lesson.parts[0])
        else:
            self._start(lesson, rng)
        for windows in lesson.parts:
            self._check_windows(windows)
        self._warn_about_capacity(lesson)
        feed = lesson.feed(int(self.batch_size), self._spec)
        plan = self._plan(feed.n_rows, done if single_epoch else None)
        try:
            outcome = self._train(lesson, feed, plan, rng, resume, (X, y, sample_weight))
        except TrainingInterrupted as interrupted:
            if not self.warm_start:
                raise
            self._keep(interrupted.outcome, plan.start, lesson.n_windows)
            self._draws = Draws.of(seed, rng)
            raise KeptWork from None
        self._keep(outcome, plan.start, lesson.n_windows)
        if not (self.warm_start or single_epoch):
            self._trainer_state = None
        self._draws = Draws.of(seed, rng)
        # With a validation part, training has gone further than the weights that are kept.
        self._keep_states(X, lesson, feed.left if lesson.held_out is None else None)
        return self

    def _read_lesson(
        self, X: Any, y: Any, sample_weight: Any = None, watched: bool = False, validation: Any = None, **reading: Any
    ) -> Lesson:
        """Read and check all data of a fit; `watched` says whether a part of them is to decide when to stop."""
        self._loss = self.loss
        self._quantiles = tuple(float(q) for q in self.quantiles) if self.loss == "pinball" else ()
        self._piece = self._wanted_piece()
        training = self._read_examples(X, y, sample_weight, **reading)
        if self._piece is not None:
            self._piece = min(self._piece, training.windows.n_steps)
        lesson = Lesson(training, None, self._piece, reading.get("before"))
        if watched and validation is not None:
            given = (*validation, None)[:3]
            held_out = self._read_examples(*given, reset=False, allow_nan=True, part="validation data")
            lesson = replace(lesson, held_out=held_out)
        elif watched and (self.early_stopping is True or lesson.n_windows >= _EARLY_STOPPING_WINDOWS):
            lesson = lesson.split(self.validation_fraction, self.validation_gap)
        return lesson

    def _random_numbers(self, done: int | None) -> tuple[int, np.random.Generator]:
        """Return a seed and its generator, which goes on after `done` epochs; None for those of a new training."""
        # One draw, whatever random_state is: an instance of RandomState must not advance by how long training takes.
        seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        before = None if done is None else getattr(self, "_draws", None)
        return seed, random_numbers(before, seed, done or 0)

    def _start(self, lesson: Lesson, rng: np.random.Generator) -> None:
        """Settle what depends on the first training set: indicators, the network, its initial weights."""
        windows, indicators = lesson.parts[0], lesson.indicators(self.missing_indicator)
        # The means are those of the training part alone.
        self._missing = Missing.learn(windows, lesson.training.weight, indicators)
        self._spec = self._network(windows.n_features + len(indicators))
        self._check_size()
        self.weights_ = self._initial_weights(rng)
        self._trainer_state = None

    def _check_size(self) -> None:
        if not self._spec.is_code and self._spec.n_parameters > _MAX_PARAMETERS:
            raise ValueError(
                f"the parameters make a network of {self._spec.n_parameters:.2g} weights; at most "
                f"{_MAX_PARAMETERS:.2g} are allowed. Use fewer units, a smaller segment, or fewer features or targets."
            )

    def _check_same_network(self, windows: WindowData) -> None:
        fitted: Any = self._spec  # each kind of description is a dataclass
        wanted = self._network(fitted.n_inputs)
        names = [field.name for field in fields(fitted) if field.compare]
        differ = [
            f"{name}={getattr(wanted, name)!r} (fitted: {getattr(fitted, name)!r})"
            for name in names
            if getattr(wanted, name) != getattr(fitted, name)
        ]
        if windows.n_features != self._n_features_per_step:
            differ.append(f"windows of {windows.n_features} features (fitted: {self._n_features_per_step})")
        if differ:
            raise ValueError(
                f"training cannot go on with another network: {', '.join(differ)}. Set the parameters back, or fit "
                "anew with warm_start=False."
            )

    def _keep(self, outcome: Outcome, done: int, n_windows: int) -> None:
        """Take over what training left; `done` epochs of earlier calls of `partial_fit` count on."""
        self.weights_ = outcome.weights
        self.history_ = self._whole_history(outcome.history, done)
        self.n_iter_ = done + outcome.n_iter
        self.best_iteration_ = done + outcome.best_iteration
        self.initial_val_loss_ = outcome.initial_val_loss
        self.n_windows_ = n_windows
        self._trainer_state = outcome.trainer_state
        for name in ("state_", "_n_seen", "_left_state"):  # of other weights
            self.__dict__.pop(name, None)

    def _warn_about_capacity(self, lesson: Lesson) -> None:
        if self._spec.n_parameters > lesson.n_examples:
            unit = "windows" if lesson.piece is None else "steps"
            warn_user(
                f"{type(self).__name__} has {self._spec.n_parameters:,} trainable parameters but only "
                f"{lesson.n_examples:,} training {unit}, so it can learn them by heart. Use fewer units, more windows "
                "(a smaller stride, a longer history), or compare its error on held-out data with a simpler model's.",
                CapacityWarning,
            )

    # -- parameters --------------------------------------------------------------------------------------------------

    def _check_together(self) -> None:
        super()._check_together()
        if self.max_windows is not None and not self.shuffle:
            raise ValueError(
                f"max_windows={self.max_windows} draws the windows of an epoch at random, but shuffle=False keeps "
                "their order. Set shuffle=True, or max_windows=None."
            )
        if self.loss == "pinball":
            check_median("quantiles", self.quantiles)
