"""`EchoStateRegressor`: a random recurrent network whose last layer is a ridge regression. Loads no Keras."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from .._archive.schema import array, choice, instance, integer, require
from .._canonical import canonical_rows
from .._checks import check_int
from .._estimator import Estimator
from .._parameters import TRAINING, estimator, group, param
from .._publishing import publishes, reads_one_state
from ..engine import Missing, WindowData
from ..engine.data import features_with_gaps
from ..engine.examples import Examples, drop_silent
from ..engine.reservoir import Reservoir as DrawnReservoir
from ..engine.reservoir import fit_readout, make_reservoir, read_inputs
from .groups import EachStep, Reading, Reservoir, Seed, Segment
from .saved import LONGEST_WINDOW, SavedWindows
from .scoring import ScoresKnownTargets

__all__ = ["EchoStateRegressor"]


@group(TRAINING)
class Washout:
    """What teaches.

    Parameters
    ----------
    washout
        Steps read from the first on (segments, with `segment`) after which states do not teach yet, since what they
        began with is still in them: with `return_sequences` the targets of these steps are not fitted, otherwise
        windows that are not longer are left out.
    """

    washout: int = param(default=0, rule=partial(check_int, low=0))


@estimator
class EchoStateRegressor(
    ScoresKnownTargets, SavedWindows, Estimator, Seed, Washout, Reading, EachStep, Segment, Reservoir
):
    """Echo state network [1]_ that maps windows to targets: a random reservoir with a ridge regression on its state.

    The reservoir reads a window step by step and is never trained; its last state and last input are the features of
    a ridge regression. Training is one pass and one system of equations, so this is a fast check of what a trained
    recurrent network adds. It passes scikit-learn's estimator checks. Scale X: the reservoir is made for inputs around
    0 with a spread of about 1.

    Parameters
    ----------
    segment
        Steps of a window that are read together. If the steps do not divide, the first segment is filled up with zeros
        on the left.
    return_sequences
        Predict a target at each step, from what was read up to it: y has shape (n_windows, n_steps) or (n_windows,
        n_steps, n_targets). Needs ``segment=1``.
    random_state
        Draws the reservoir.

    Attributes
    ----------
    reservoir_ : scipy.sparse.csr_array of shape (units, units)
        The recurrent weights; row i holds what feeds neuron i.
    coef_ : ndarray of shape (n_inputs + units, n_outputs)
        The readout's coefficients: of the last input, with its missing indicators, and of the state.
    intercept_ : ndarray of shape (n_outputs,)
    n_features_in_ : int
        Features of a step; columns, for a 2-D X.
    feature_names_in_ : ndarray of str
        Columns of X, if it was a DataFrame.
    n_steps_in_ : int
        Steps of a window.
    n_outputs_ : int
        Targets of a window.
    n_parameters_ : int
        Numbers that were fitted: those of the readout.

    References
    ----------
    .. [1] Jaeger, H. (2001). The "echo state" approach to analysing and training recurrent neural networks. GMD Report
       148.

    Lukosevicius, M. (2012). A practical guide to applying echo state networks. Neural Networks: Tricks of the Trade,
    LNCS 7700, 659-686 (eqs. 2-4 are the network, eq. 9 the readout).

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn.regressors import EchoStateRegressor
    >>> wave = np.sin(np.arange(120) / 3)
    >>> X = np.lib.stride_tricks.sliding_window_view(wave[:-1], 10)[..., np.newaxis]  # (n_windows, n_steps, n_features)
    >>> y = wave[10:]
    >>> model = EchoStateRegressor(units=20, random_state=0).fit(X[:100], y[:100])
    >>> bool(model.score(X[100:], y[100:]) > 0.99)
    True
    """

    _not_shown = ("reservoir_",)
    _saved = {
        "coef_": array(np.float64, 2),
        "intercept_": array(np.float64, 1),
        "_reservoir": instance(DrawnReservoir),
        "_segment": integer(1, LONGEST_WINDOW),
        "_sequences": choice(True, False),
    }

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = True
        tags.target_tags.multi_output = True
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "coef_")

    # -- public ------------------------------------------------------------------------------------------------------

    @publishes
    def fit(self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Draw a reservoir and fit its readout.

        Parameters
        ----------
        X : WindowArray or array-like of shape (n_windows, n_steps, n_features) or (n_windows, n_steps * n_features)
            The windows. Leading steps where all features are NaN shorten a window; other NaN are missing values.
            Windows of different lengths may be a list of arrays of shape (n_steps_i, n_features).
        y : array-like of shape (n_windows,), (n_windows, horizon) or (n_windows, horizon, n_targets)
            The targets. `predict` returns the same shape. With `return_sequences` there is one for each step, and those
            of empty leading steps are ignored; or a list of arrays, as long as those of X.
        sample_weight : array-like of shape (n_windows,), default=None
            Weights of the windows. A weight of 2 is the same as giving the window twice.

        Returns
        -------
        self : object
            The fitted regressor.

        Raises
        ------
        ValueError
            If no window is longer than `washout`, or what is passed is not as described.
        """
        return self._fit(X, y, sample_weight, allow_nan=False)

    @reads_one_state
    def predict(self, X: Any) -> np.ndarray:
        """Predict the targets of windows.

        Parameters
        ----------
        X : WindowArray or array-like
            Windows as in `fit`. They may have fewer steps than those of `fit`, but not more than the longest.

        Returns
        -------
        y : ndarray of float64
            One prediction per window, in the shape of the y of `fit`. With `return_sequences`, one for each step of X,
            NaN at empty leading steps.
        """
        check_is_fitted(self)
        X = self._read_windows(X)
        windows = self._window_data(X)
        n_steps = windows.n_steps if self._sequences else 1
        out = np.empty((len(windows), n_steps, len(self.intercept_)))
        for rows, step, features in self._features(windows):
            out[rows, step] = features @ self.coef_ + self.intercept_
        if not self._sequences:
            return out.reshape(len(out), *self._target_shape)
        out[windows.empty_segments()] = np.nan
        return out[:, -X.shape[1] :].reshape(len(out), X.shape[1], *self._target_shape[1:])

    @property
    def reservoir_(self) -> Any:
        """The recurrent weights, a sparse array of shape (units, units)."""
        check_is_fitted(self)
        return self._reservoir.recurrent_weights

    @property
    @reads_one_state
    def n_parameters_(self) -> int:
        """Numbers that were fitted."""
        check_is_fitted(self)
        return self.coef_.size + self.intercept_.size

    # -- fitting -----------------------------------------------------------------------------------------------------

    @publishes
    def __fit_windows__(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit as `fit` does, but let y be NaN where a target is not known: such entries carry no loss."""
        return self._fit(X, y, sample_weight, allow_nan=True)

    def _fit(self, X: Any, y: Any, sample_weight: Any, allow_nan: bool) -> Self:
        self.__check_parameters__()
        examples = self._read_lesson(X, y, sample_weight, allow_nan)
        windows = examples.windows
        indicators = {"auto": features_with_gaps(windows), True: range(windows.n_features), False: ()}
        self._missing = Missing.learn(windows, examples.weight, tuple(indicators[self.missing_indicator]))
        self._check_windows(windows)
        # One draw, whatever random_state is.
        rng = np.random.default_rng(int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max)))
        self._reservoir = make_reservoir(
            int(self.segment) * (windows.n_features + len(self._missing.indicators)),
            int(self.units),
            rng,
            spectral_radius=float(self.spectral_radius),
            leak_rate=float(self.leak_rate),
            input_scaling=float(self.input_scaling),
            bias_scaling=float(self.bias_scaling),
            density=float(self.density),
        )
        n_targets = self.n_outputs_ // (self.n_steps_in_ if self._sequences else 1)
        unknown = np.isnan(examples.y.reshape(-1, n_targets)).all(axis=0)
        if unknown.any():
            raise ValueError(f"target {int(unknown.argmax())} of {len(unknown)} is NaN in every window. Leave it out.")
        readout = fit_readout(self._lessons(examples), float(self.alpha))
        self.coef_, self.intercept_ = readout.coef, readout.intercept
        return self

    def _read_lesson(self, X: Any, y: Any, sample_weight: Any, allow_nan: bool) -> Examples:
        self._sequences, self._segment = bool(self.return_sequences), int(self.segment)
        examples = self._read_examples(X, y, sample_weight, reset=True, allow_nan=allow_nan)
        examples = drop_silent(replace(examples, y=self._washed_out(examples.windows, examples.y)))
        # Sums differ in their last digits with the order of windows; this one is always the same.
        rows, weight = canonical_rows(examples.windows, examples.y, examples.weight)
        return replace(examples.take(rows), weight=weight)

    def _washed_out(self, windows: WindowData, y: np.ndarray) -> np.ndarray:
        """Return the targets with NaN where the state has not read enough to teach."""
        n_read = (~windows.empty_segments(self._segment)).cumsum(axis=1)  # (n, S)
        early = n_read <= self.washout
        if early[:, -1].all():
            raise ValueError(
                f"no window is longer than washout={self.washout}: the longest is read in {n_read[:, -1].max()} "
                "step(s), so nothing is left to fit. Use a smaller washout, or longer windows."
            )
        if self._sequences:
            early = np.repeat(early, y.shape[1] // windows.n_steps, axis=1)
        else:
            early = np.broadcast_to(early[:, -1:], y.shape)
        return np.where(early, np.float32(np.nan), y) if early.any() else y

    def _lessons(self, examples: Examples) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Yield features, targets and weights, step by step of a sequence."""
        y = examples.y
        if self._sequences:
            y = y.reshape(len(y), examples.windows.n_steps, -1)
        for rows, step, features in self._features(examples.windows):
            target = y[rows, step] if self._sequences else y[rows]
            known = ~np.isnan(target).all(axis=1)
            if known.any():
                yield features[known], target[known].astype(np.float64), examples.weight[rows][known]

    def _features(self, windows: WindowData) -> Iterator[tuple[slice, int, np.ndarray]]:
        """Yield rows, step and what the readout sees, (n, n_inputs + units): the last step alone, unless of sequences.

        Input and state side by side are [u(n); x(n)] of Lukosevicius (2012), eq. 4.
        """
        empty = windows.empty_segments(self._segment)
        for rows, x in read_inputs(windows, self._missing, self._segment):
            last = x.shape[1] - 1
            for step, state in enumerate(self._reservoir.states(x, empty[rows])):
                if self._sequences or step == last:
                    yield rows, step if self._sequences else 0, np.concatenate([x[:, step], state], axis=1)

    # -- parameters --------------------------------------------------------------------------------------------------

    def _check_together(self) -> None:
        super()._check_together()
        if self.return_sequences and self.segment > 1:
            raise ValueError(
                f"return_sequences=True gives a prediction for each step, but segment={self.segment} reads that many "
                "steps as one. Set segment=1 for it."
            )

    def _check_state(self) -> None:
        super()._check_state()
        n_inputs, units = self._segment * self._n_channels, len(self._reservoir.bias)
        n_targets = self.n_outputs_ // (self.n_steps_in_ if self._sequences else 1)
        fit = self.coef_.shape == (n_inputs + units, n_targets) and self.intercept_.shape == (n_targets,)
        require(fit and self._reservoir.fits(n_inputs), "_reservoir and its readout do not fit each other")
        each = self._segment == 1 and self._target_shape[:1] == (self.n_steps_in_,)
        require(each or not self._sequences, "_sequences: there is no target for each step")
