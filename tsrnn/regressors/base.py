"""What all network regressors share: reading examples, the fit around the training loop, prediction.

A subclass says which network it is and with which weights it starts. A fitted regressor is its `weights_`, a list of
arrays; programs that compute with them are leased from the engine's pool. Importing this module loads no Keras.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from .. import _types as t
from .._archive import SaveMixin
from .._canonical import canonical_rows
from .._checks import check_choice, check_quantiles
from .._estimator import Estimator
from .._parameters import check_parameters
from .._progress import work
from .._publishing import KeptWork, publishes, reads_one_state
from .._warnings import warn_user
from ..engine import ForwardKey, Missing, ProgramKey, TrainerKey, WindowData, choose_engine, lease
from ..engine.callbacks import KerasCallbacks, ProgressHook, SklearnCallbacks, fresh_callbacks
from ..engine.data import check_gaps, features_with_gaps
from ..engine.distributions import point_forecast, quantile_forecast
from ..engine.inputs import (
    align_targets,
    drop_silent,
    read_targets,
    read_weights,
    read_windows,
    split_in_time,
    split_steps,
)
from ..engine.pieces import Pieces, Reader, count_pieces
from ..engine.program import Numbers
from ..engine.resolution import warn_of_rounded_windows
from ..engine.resumption import Draws, TrainerState, owner_of, random_numbers
from ..engine.training import EpochState, Examples, Hook, Outcome, TrainingInterrupted, TrainingPlan, train
from ..exceptions import CapacityWarning
from ..networks import Spec
from .groups import Cost, Reading, RegressorTraining
from .reporting import ReportsToCallbacks
from .saved import NETWORK, WINDOWS, check_network
from .scoring import ScoresKnownTargets
from .states import SequenceStates

Method = TypeVar("Method", bound=Callable[..., Any])

if TYPE_CHECKING:
    # scikit-learn has no types, and its decorator would take those of a method away.
    class CallbackSupportMixin:
        def _init_callback_context(self, *, max_subtasks: int) -> Any: ...

    def with_callbacks(method: Method) -> Method: ...

else:
    try:
        from sklearn.callback import CallbackSupportMixin, with_callbacks
    except ImportError:  # scikit-learn before 1.9

        class CallbackSupportMixin:
            """Stands in for scikit-learn's class, which these versions do not have."""

        def with_callbacks(method):
            return method


__all__ = ["NetworkRegressor"]

_EARLY_STOPPING_WINDOWS = 1000  # early_stopping="auto" is on from here
_MAX_PARAMETERS = 2**31 - 1  # the engines count weights in 32 bits
# XLA's compilation takes about 2 s (and, once per process, 150 MB) and saves 0.03-0.1 ms in each recurrent step of a
# batch, if the matrices are so small that the overhead of TensorFlow's operations counts.
_COMPILE_FROM_STEPS = 100_000
_COMPILE_UP_TO_SIZE = 8192  # batch_size * units


def _output_shape(layer: Any) -> tuple[int, ...]:
    """Return what a Keras layer gives out for one window, () if these are several arrays."""
    try:
        return tuple(layer.output.shape[1:])
    except AttributeError:
        return ()


class NetworkRegressor(
    ReportsToCallbacks, SaveMixin, CallbackSupportMixin, ScoresKnownTargets, Estimator, Cost, RegressorTraining, Reading
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

    _saved = WINDOWS | NETWORK
    _spec_class: type
    weights_: list[np.ndarray]
    history_: dict[str, list[float]]
    n_steps_in_: int
    n_outputs_: int
    _spec: Any  # a `Spec`
    _missing: Missing
    _target_shape: tuple[int, ...]
    _loss: str
    _quantiles: tuple[float, ...]
    _n_features_per_step: int
    _trainer_state: TrainerState | None
    _draws: Draws
    _piece: int | None  # steps of the pieces in which sequences are read, with the state carried between them
    _not_shown: tuple[str, ...] = ("model_",)  # Keras is imported for it
    _masks = True  # whether the network skips empty leading steps
    teacher_forcing: Any = 0.0  # of the networks that read their own outputs
    engine: t.Engine
    dropout: float
    recurrent_dropout: float

    # -- filled in by subclasses -------------------------------------------------------------------------------------

    def _network(self, n_inputs: int) -> Spec:
        """Describe the network for windows of `n_inputs` channels."""
        raise NotImplementedError

    def _initial_weights(self, rng: np.random.Generator) -> list[np.ndarray]:
        """Draw the weights that training starts from."""
        raise NotImplementedError

    def _gives_sequences(self) -> bool:
        """Say whether y holds a target for each step of a window."""
        return False

    def _wanted_piece(self) -> int | None:
        """Return the steps of the pieces in which sequences are to be read; None to read them whole."""
        return None

    def _keep_states(self, X, before: SequenceStates | None, left: np.ndarray | None, rows: np.ndarray | None) -> None:
        """Keep what streams and trainings can go on from after the training windows."""

    def _check_windows(self, windows: WindowData) -> None:
        """Raise if the network cannot read these windows."""
        check_gaps(windows, self._missing.indicators, self._feature_names())

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
        return self._fit(X, y, sample_weight, resume=self.warm_start and hasattr(self, "weights_"))

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
        resume = hasattr(self, "weights_")
        return self._fit(X, y, sample_weight, resume=resume, single_epoch=True, going_on=state == "fitted")

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

    @property
    @reads_one_state
    def model_(self) -> Any:
        """A new Keras model with these weights; it takes windows (n, n_steps, channels) without empty leading steps.

        Its channels are the features and then one missing indicator for each feature that has one.
        """
        if not hasattr(self, "weights_"):
            raise NotFittedError(f"This {type(self).__name__} is not fitted yet, so it has no model_. Call fit first.")
        from ..engine.keras_ import make_model

        return make_model(
            self._spec,
            self.n_steps_in_,
            self.weights_,
            dropout=self.dropout,
            recurrent_dropout=self.recurrent_dropout,
        )

    @reads_one_state
    def export_keras(self, path: str | PathLike[str]) -> None:
        """Write the network as a Keras model, for use without tsrnn.

        The file holds the network alone; `save` writes the whole estimator. With `transition_depth` above 1, with
        `peephole` and of `MinLSTMRegressor` and `MinGRURegressor` it holds layers that Keras does not have: ``import
        tsrnn.engine.keras_`` before `keras.models.load_model` reads it.

        Parameters
        ----------
        path : str or path-like
            Ends in ``.keras``. An existing file is replaced.

        Raises
        ------
        ValueError
            If the path does not end in ``.keras``, the format that Keras writes.
        FileNotFoundError
            If the folder does not exist.

        Examples
        --------
        >>> import tempfile
        >>> import numpy as np
        >>> from tsrnn import LSTMRegressor
        >>> X = np.random.default_rng(0).normal(size=(50, 6, 2))  # (n_windows, n_steps, n_features)
        >>> model = LSTMRegressor(units=2, epochs=1, random_state=0).fit(X, X[:, -1, 0])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.export_keras(f"{folder}/network.keras")
        """
        path = Path(path)
        if path.suffix != ".keras":
            raise ValueError(f"path must end in '.keras', got {str(path)!r}. Write to {path.stem + '.keras'!r}.")
        if not path.parent.is_dir():
            raise FileNotFoundError(f"the folder {str(path.parent)!r} does not exist; create it first.")
        self.model_.save(path)

    @property
    def n_parameters_(self) -> int:
        """Number of trainable parameters."""
        if not hasattr(self, "weights_"):
            raise NotFittedError(f"This {type(self).__name__} is not fitted yet. Call fit first.")
        return self._spec.n_parameters

    @reads_one_state
    def summary(self) -> pd.DataFrame:
        """Describe the fitted network layer by layer.

        Returns
        -------
        DataFrame
            One row for each layer, in the order of the weights, and one for the total: the shape of what the layer
            gives out for one window, its trainable parameters, and these divided by the number of training windows of
            the last fit. A total above 1 means that the network can learn its windows by heart.

        Examples
        --------
        >>> import numpy as np
        >>> from tsrnn import GRURegressor
        >>> X = np.random.default_rng(0).normal(size=(200, 12, 2))  # (n_windows, n_steps, n_features)
        >>> GRURegressor(units=4, epochs=1, random_state=0).fit(X, X[:, -3:, 0]).summary()
           layer output_shape  parameters  per_window
        0    GRU         (4,)          96        0.48
        1  dense         (3,)          15        0.07
        2  total         (3,)         111        0.55
        """
        check_is_fitted(self)
        layers = self._layers()
        layers.append(("total", layers[-1][1], sum(layer[2] for layer in layers)))
        table = pd.DataFrame(layers, columns=["layer", "output_shape", "parameters"])
        n_windows = getattr(self, "n_windows_", None)  # a model saved by version 0.1.0 does not say
        return table.assign(per_window=table["parameters"] / (np.nan if n_windows is None else n_windows))

    def _layers(self) -> list[tuple[str, tuple[int, ...], int]]:
        """Return name, output shape and number of trainable parameters of each layer."""
        return self._spec.layers(self.n_steps_in_) or [
            (layer.name, _output_shape(layer), sum(math.prod(w.shape) for w in layer.trainable_weights))
            for layer in self.model_.layers
        ]

    def _outputs(self, X) -> np.ndarray:
        """Return what the network gives out for windows: float32 (n_windows, n_parameters * n_outputs).

        Of a sequence, (n_windows, n_steps, n_parameters * n_targets) for the steps of X.
        """
        check_is_fitted(self)
        X = read_windows(self, X, self.n_steps, reset=False)
        outputs, _ = self._read(self._window_data(X))
        return outputs[:, -X.shape[1] :] if self._spec.head == "sequence" else outputs

    def _window_data(self, X, masked: bool | np.ndarray | None = None) -> WindowData:
        masked = self._masks if masked is None else masked
        windows = WindowData.from_windows(X, self._padded_steps(), masked=masked)
        self._check_windows(windows)
        return windows

    def _padded_steps(self) -> int | None:
        """Return the steps to which shorter windows are filled up; None where they are read in pieces."""
        return self.n_steps_in_ if getattr(self, "_piece", None) is None else None

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

    def _fit(
        self, X, y, sample_weight, *, resume, single_epoch=False, allow_nan=False, validation=None, going_on=False
    ):
        self._check_parameters()
        before = self._states_before() if going_on else None
        examples = self._read_examples(X, y, sample_weight, resume=resume, allow_nan=allow_nan, before=before)
        # One draw, whatever random_state is: an instance of RandomState must not advance by how long training takes.
        seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
        done = getattr(self, "n_iter_", 0) if resume else 0
        rng = random_numbers(getattr(self, "_draws", None) if resume else None, seed, done)
        training, held_out = self._split(examples, validation, off=single_epoch)
        if self.shuffle and before is None:  # equal sequences may have come from different states
            rows, weight = canonical_rows(training.windows, training.y, training.weight)
            training = replace(training.take(rows), weight=weight)
        if resume:
            self._check_same_network(training.windows)
        else:
            self._start(training, held_out, rng)
        for part in (training, held_out):
            if part is not None:
                self._check_windows(part.windows)
        n_windows = self._count_windows(training)
        self._warn_about_capacity(training, n_windows)
        # A fit begins its schedules anew; partial_fit goes on with them.
        plan = replace(self._plan(self.epochs), **({"start": done, "n_epochs": 1} if single_epoch else {}))
        start = None if before is None else before.left[training.rows]
        feed = self._feed(training, plan, start)
        try:
            outcome = self._train(plan, feed, held_out, rng, resume, (X, y, sample_weight))
        except TrainingInterrupted as interrupted:
            if not self.warm_start:
                raise
            self._finish(interrupted.outcome, plan.start, n_windows, keep=True)
            self._draws = Draws.of(seed, rng)
            raise KeptWork from None
        self._finish(outcome, plan.start, n_windows, keep=self.warm_start or single_epoch)
        self._draws = Draws.of(seed, rng)
        # With a validation part, training has gone further than the weights that are kept.
        left = feed.left if isinstance(feed, Pieces) and held_out is None else None
        self._keep_states(X, before, left, training.rows)
        return self

    def _states_before(self) -> SequenceStates:
        """Return the states that sequences go on from; raise if there are none."""
        raise ValueError(
            f"state='fitted' goes on from the state that a network carries from piece to piece, and "
            f"{type(self).__name__} carries none. Leave it out."
        )

    def _read_examples(self, X, y, sample_weight, *, resume, allow_nan, before=None, part="data") -> Examples:
        self._piece = self._wanted_piece()
        X = read_windows(self, X, self.n_steps, reset=not resume)
        masked = self._masks if before is None else before.may_be_empty(len(X))
        sequences = self._gives_sequences()
        y, target_shape = read_targets(self, X, y, allow_nan=allow_nan or sequences)
        windows = WindowData.from_windows(X, self._padded_steps() if resume else None, masked=masked)
        warn_of_rounded_windows(X)
        if sequences:
            # A long sequence is not to be dropped for the gaps in its targets.
            gaps = allow_nan or self._piece is not None
            y, target_shape = align_targets(windows, y, target_shape, X.shape[1], allow_nan=gaps)
        # Of sequences that are read in pieces, the length does not matter.
        compared = slice(None if self._piece is None else 1, None)
        if resume and target_shape[compared] != self._target_shape[compared]:
            raise ValueError(
                f"y has shape (n_windows, *{target_shape}) but was (n_windows, *{self._target_shape}) when the network "
                "was first fitted. Fit a new estimator, or set warm_start=False."
            )
        self._loss, self._quantiles = self.loss, self._fitted_quantiles()
        if not resume:
            self.n_steps_in_, self._n_features_per_step = X.shape[1:]
            self._target_shape, self.n_outputs_ = target_shape, y.shape[1]
        if self._piece is not None:
            self._piece = min(self._piece, windows.n_steps)
        weight = read_weights(sample_weight, len(X))
        return drop_silent(Examples(windows, y, weight, np.arange(len(windows))), part)

    def _count_windows(self, examples: Examples) -> int:
        """Count the windows; the pieces, where sequences are read in pieces."""
        return len(examples) if self._piece is None else int(count_pieces(examples.windows, self._piece).sum())

    def _split(self, examples: Examples, validation, *, off: bool) -> tuple[Examples, Examples | None]:
        """Split off the part that decides when to stop, if any does."""
        if off or self.early_stopping is False:
            return examples, None
        if validation is not None:
            given = (*validation, None)[:3]
            return examples, self._read_examples(*given, resume=True, allow_nan=True, part="validation data")
        if self.early_stopping == "auto" and self._count_windows(examples) < _EARLY_STOPPING_WINDOWS:
            return examples, None
        split = split_in_time if self._piece is None else split_steps
        return split(examples, self.validation_fraction, self.validation_gap)

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

    def _train(self, plan, feed, held_out, rng, resume, data) -> Outcome:
        plan = replace(plan, batch_size=min(plan.batch_size, feed.n_rows))  # more would be padding
        n_batches = feed.n_batches(plan.batch_size)
        key = self._program_key(plan, [part.windows for part in (feed, held_out) if part is not None], n_batches)
        state = self._trainer_state if resume else None
        self.engine_, reason = choose_engine(key, self.engine)
        engine = f" (Keras: {reason})" if reason else " (native engine)"
        title = type(self).__name__ + ("" if self.verbose == "auto" else engine)
        hooks = self._hooks(plan, n_batches, data)
        with (
            work(title, plan.end - plan.start, show=self.verbose, at_most=held_out is not None, detail=True) as epochs,
            lease(key, self.engine) as program,
        ):
            hooks.append(ProgressHook(epochs))
            return train(
                program,
                feed,
                held_out,
                self._missing,
                plan,
                self.weights_,
                rng,
                trainer_state=state,
                hooks=hooks,
            )

    def _feed(self, examples: Examples, plan: TrainingPlan, start: np.ndarray | None = None) -> Examples | Pieces:
        """Return what the training loop takes: whole windows, or the pieces of sequences."""
        if self._piece is None:
            return examples
        n_states = self._forward_key([examples.windows]).n_states
        return Pieces.cut(examples, self._piece, plan.batch_size, n_states, start)

    def _forward_key(self, parts: list[WindowData]) -> ForwardKey:
        """Describe the forward pass that reads all of these parts."""
        centred = {part.offset is not None for part in parts}
        if len(centred) > 1:
            raise ValueError("either both or neither of the training and validation windows must have an offset.")
        piece = getattr(self, "_piece", None)  # a model saved by version 0.1.0 does not say
        return ForwardKey(
            self._spec,
            self.n_steps_in_ if piece is None else piece,
            parts[0].n_features,
            self._missing.indicators,
            # The last piece of a sequence may be shorter.
            ragged=piece is not None or any(part.ragged for part in parts),
            centred=centred.pop(),
            carried=piece is not None,
        )

    def _program_key(self, plan: TrainingPlan, parts: list[WindowData], n_batches: int) -> ProgramKey:
        """Describe the program that trains on the first of these parts and reads all of them."""
        forward = self._forward_key(parts)
        trainer = TrainerKey(
            batch_size=plan.batch_size,
            optimizer=self.optimizer,
            momentum=float(self.momentum) if self.optimizer == "sgd" else 0.0,
            nesterov=self.optimizer == "sgd" and bool(self.nesterov),
            loss=self.loss,
            quantiles=self._quantiles,
            dropout=self.dropout > 0,
            recurrent_dropout=float(self.recurrent_dropout),
            teacher={0.0: "never", 1.0: "always"}.get(self.teacher_forcing, "sometimes"),
            compiled=self._compiles(n_batches * (plan.end - plan.start), plan.batch_size, forward.n_steps),
        )
        return ProgramKey(forward, trainer)

    def _compiles(self, n_batches: int, batch_size: int, window: int) -> bool:
        """Say whether XLA is used; "auto" goes by sizes alone, so that a fit repeats bit by bit."""
        if self.jit_compile != "auto":
            return bool(self.jit_compile)
        n_steps = n_batches * self._spec.small_steps(window)
        return n_steps >= _COMPILE_FROM_STEPS and batch_size * max(self._spec.units) <= _COMPILE_UP_TO_SIZE

    def _hooks(self, plan: TrainingPlan, n_batches: int, data: tuple) -> list[Hook]:
        hooks: list[Hook] = []
        self.callbacks_ = callbacks = fresh_callbacks(self.callbacks)
        if callbacks:
            from ..engine.keras_ import make_optimizer

            model = self.model_
            # Keras has no losses of distributions; the model is there for callbacks to read, and is not trained.
            loss = self.loss if self.loss in ("mse", "mae", "huber") else None
            model.compile(make_optimizer(self.optimizer, plan.rate(plan.start), self.momentum, self.nesterov), loss)
            params = {
                "epochs": plan.end,
                "steps": n_batches,
                "verbose": 0 if self.verbose == "auto" else int(self.verbose),
            }
            hooks.append(KerasCallbacks(callbacks, model, params))
        if getattr(self, "_skl_callbacks", None) or hasattr(self, "_parent_callback_ctx"):
            X, y, sample_weight = data
            metadata = {} if sample_weight is None else {"sample_weight": sample_weight}
            context = self._init_callback_context(max_subtasks=plan.epochs)
            hooks.append(
                SklearnCallbacks(context, {"estimator": self, "X": X, "y": y, "metadata": metadata}, self._as_fitted)
            )
        return hooks

    def _as_fitted(self, state: EpochState) -> dict[str, Any]:
        """Return the attributes of a regressor whose training stopped now."""
        return {
            "weights_": state.program.weights(),
            "n_iter_": state.epoch,
            "best_iteration_": state.epoch,
            "history_": self._whole_history(state.history, state.epoch - len(state.history["loss"])),
        }

    def _whole_history(self, history: dict[str, list[float]], done: int) -> dict[str, list[float]]:
        """Return what was measured by epoch, in the `done` epochs before as well."""
        before = self.history_ if done else {}
        return {name: before.get(name, []) + values for name, values in history.items()}

    def _finish(self, outcome: Outcome, done: int, n_windows: int, *, keep: bool) -> None:
        """Take over what training left; `done` epochs of earlier calls of `partial_fit` count on."""
        self.weights_ = outcome.weights
        self.history_ = self._whole_history(outcome.history, done)
        self.n_iter_ = done + outcome.n_iter
        self.best_iteration_ = done + outcome.best_iteration
        self.initial_val_loss_ = outcome.initial_val_loss
        self.n_windows_ = n_windows
        self._trainer_state = outcome.trainer_state if keep else None
        for name in ("state_", "_n_seen", "_left_state"):  # of other weights
            self.__dict__.pop(name, None)

    def _warn_about_capacity(self, training: Examples, n_windows: int) -> None:
        # A piece is not learnt by heart as a window with one target is: its steps count.
        n_examples = n_windows if self._piece is None else int((training.windows.n_steps - training.windows.lead).sum())
        if self._spec.n_parameters > n_examples:
            unit = "windows" if self._piece is None else "steps"
            warn_user(
                f"{type(self).__name__} has {self._spec.n_parameters:,} trainable parameters but only {n_examples:,} "
                f"training {unit}, so it can learn them by heart. Use fewer units, more windows (a smaller stride, a "
                "longer history), or compare its error on held-out data with a simpler model's.",
                CapacityWarning,
            )

    def _feature_names(self) -> list[str] | None:
        """Return the names of the features of a step, if they have names: columns, where a window is one step."""
        names = getattr(self, "feature_names_in_", None)
        return list(names) if names is not None and self.n_steps_in_ == 1 else None

    # -- parameters --------------------------------------------------------------------------------------------------

    def _plan(self, epochs: int) -> TrainingPlan:
        numbers = Numbers(
            learning_rate=float(self.learning_rate),
            l1=float(self.l1),
            l2=float(self.l2),
            clipnorm=float("inf") if self.clipnorm is None else float(self.clipnorm),
            dropout=float(self.dropout),
            weight_decay=float(self.weight_decay),
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
            quantiles=self._quantiles,
            teacher_forcing=self.teacher_forcing,
        )

    def _fitted_quantiles(self) -> tuple[float, ...]:
        return tuple(float(q) for q in self.quantiles) if self.loss == "pinball" else ()

    def _check_parameters(self) -> None:
        """Raise unless each parameter has an allowed value, and they go together."""
        check_parameters(self)
        self._check_together()

    def _check_together(self) -> None:
        """Raise if parameters that are allowed by themselves do not go together."""
        if self.loss == "pinball" and len(tuple(self.quantiles)) > 1 and 0.5 not in self.quantiles:
            raise ValueError(
                f"with several quantiles predict returns the median, but quantiles={self.quantiles!r} do not hold 0.5. "
                "Add it, or fit a single quantile."
            )

    # -- files ---------------------------------------------------------------------------------------------------------

    def _check_state(self) -> None:
        check_network(self)

    def _from_earlier(self, state):
        """Give the state of an optimiser that version 0.1.0 kept its owner: the optimiser of the parameters beside it.

        It may be of another that was set before, and is none then.
        """
        arrays, weights = state.get("_trainer_state"), state.get("weights_")
        if not isinstance(arrays, list) or not isinstance(weights, list):
            return state
        shapes = [np.shape(weight) for weight in weights]
        if not all(isinstance(array, np.ndarray) and array.shape in ((), *shapes) for array in arrays):
            return state
        owned = TrainerState(owner_of(self.optimizer, self.momentum), tuple(arrays))
        # A model of Keras says only with Keras how many weights it trains.
        known = getattr(state.get("_spec"), "is_code", False) or owned.fits(shapes)
        return state | {"_trainer_state": owned if known else None}

    def __setstate__(self, state):
        super().__setstate__(state)
        self.__dict__ = self._from_earlier(self.__dict__)

    def _is_network(self, spec) -> bool:
        """Say whether the numbers of a description make a network of this class; asked before anything is built."""
        raise NotImplementedError
