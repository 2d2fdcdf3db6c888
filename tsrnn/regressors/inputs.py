"""What users pass as X, y and sample_weight, checked and brought into the form of the training loop.

Messages are scikit-learn's where it has one, since its users know them and its checks look for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils.validation import check_array, check_consistent_length, validate_data

from .._masked import unmasked
from ..engine import Missing, WindowData
from ..engine.data import Sequences, check_gaps
from ..engine.examples import Examples, drop_silent
from ..engine.resolution import check_range, warn_of_rounded_targets, warn_of_rounded_windows
from ..windows import WindowArray

if TYPE_CHECKING:
    from .states import SequenceStates

__all__ = ["ReadsWindows", "align_targets", "read_weights"]

Windows = WindowArray | Sequences | np.ndarray

_DTYPES = (np.float64, np.float32)


class ReadsWindows:
    """Reads X and y for a regressor, and keeps the shapes that the first ones of a fit have."""

    n_steps: int | None
    n_features_in_: int
    n_steps_in_: int
    n_outputs_: int
    _n_features_per_step: int
    _target_shape: tuple[int, ...]
    _missing: Missing
    return_sequences: bool = False  # whether y holds a target for each step of a window
    _piece: int | None = None  # steps of the pieces in which sequences are read, with the state carried between them
    _masks = True  # whether empty leading steps are skipped

    # -- for fit -----------------------------------------------------------------------------------------------------

    def _read_examples(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        *,
        reset: bool,
        allow_nan: bool,
        before: SequenceStates | None = None,
        part: str = "data",
    ) -> Examples:
        """Return what is to be learnt of X and y.

        Parameters
        ----------
        X, y, sample_weight
            As the user passed them.
        reset : bool
            Whether to keep their shapes, as the first ones of a fit, or to hold them against the shapes that are kept.
        allow_nan : bool
            Whether a target may be missing.
        before : SequenceStates, optional
            What the sequences go on from.
        part : str
            What the data are, for an error.
        """
        X = self._read_windows(X, reset=reset)
        masked = self._masks if before is None else before.may_be_empty(len(X))
        y, shape = self._read_targets(X, y, allow_nan=allow_nan or self.return_sequences)
        windows = WindowData.from_windows(X, None if reset else self._padded_steps(), masked=masked)
        warn_of_rounded_windows(X)
        if self.return_sequences:
            # A long sequence is not to be dropped for the gaps in its targets.
            gaps = allow_nan or self._piece is not None
            y, shape = align_targets(windows, y, shape, X.shape[1], allow_nan=gaps)
        if reset:
            self.n_steps_in_, self._n_features_per_step = X.shape[1:]
            self._target_shape, self.n_outputs_ = shape, y.shape[1]
        else:
            self._check_target_shape(shape)
        weight = read_weights(sample_weight, len(X))
        return drop_silent(Examples(windows, y, weight, np.arange(len(windows))), part)

    def _check_target_shape(self, shape: tuple[int, ...]) -> None:
        # Of sequences that are read in pieces, the length does not matter.
        compared = slice(None if self._piece is None else 1, None)
        if shape[compared] != self._target_shape[compared]:
            raise ValueError(
                f"y has shape (n_windows, *{shape}) but was (n_windows, *{self._target_shape}) when the network "
                "was first fitted. Fit a new estimator, or set warm_start=False."
            )

    # -- once it is fitted -------------------------------------------------------------------------------------------

    def _window_data(self, X: Windows, masked: bool | np.ndarray | None = None) -> WindowData:
        """Return windows, checked, in the form that engines read."""
        masked = self._masks if masked is None else masked
        windows = WindowData.from_windows(X, self._padded_steps(), masked=masked)
        self._check_windows(windows)
        return windows

    def _padded_steps(self) -> int | None:
        """Return the steps to which shorter windows are filled up; None where they are read in pieces."""
        return self.n_steps_in_ if self._piece is None else None

    def _check_windows(self, windows: WindowData) -> None:
        """Raise if the network cannot read these windows."""
        check_gaps(windows, self._missing.indicators, self._feature_names())

    def _feature_names(self) -> list[str] | None:
        """Return the names of the features of a step, if they have names: columns, where a window is one step."""
        names = getattr(self, "feature_names_in_", None)
        return list(names) if names is not None and self.n_steps_in_ == 1 else None

    # -- windows -----------------------------------------------------------------------------------------------------

    def _read_windows(self, X: Any, *, reset: bool = False) -> Windows:
        """Return X as a `WindowArray`, `Sequences` or an array (n_windows, n_steps, n_features).

        Parameters
        ----------
        X : WindowArray, array-like, or list of array-likes
            3-D, or 2-D and time-major: all features of the first step, then of the second; or 2-D arrays
            (n_steps_i, n_features).
        reset : bool
            Whether to set `n_features_in_` and `feature_names_in_`, or to check against them.
        """
        X = unmasked(X)
        if isinstance(X, WindowArray):
            return self._check_three_d(_check_window_array(X), reset)
        if _differ_in_shape(X):
            arrays = _check_sequences(X)
            base = check_array(np.concatenate(arrays), dtype=_DTYPES, ensure_all_finite="allow-nan", estimator=self)
            return self._check_three_d(Sequences(base, np.array([len(array) for array in arrays])), reset)
        if (X.ndim if hasattr(X, "ndim") else np.asarray(X).ndim) == 3:
            array = check_array(X, dtype=_DTYPES, ensure_all_finite="allow-nan", allow_nd=True, estimator=self)
            if 0 in array.shape:
                raise ValueError(f"X of shape {array.shape} has no steps or 0 feature(s) where at least 1 is required.")
            return self._check_three_d(array, reset)
        array = validate_data(self, X, dtype=_DTYPES, ensure_all_finite="allow-nan", reset=reset)
        n_columns = array.shape[1]
        n_steps = (n_columns if self.n_steps is None else self.n_steps) if reset else self.n_steps_in_
        if n_columns % n_steps:
            raise ValueError(
                f"X has {n_columns} columns, which do not divide into n_steps={n_steps} steps. A 2-D X holds all "
                "features of the first step, then of the second, and so on."
            )
        # (n, T * F) -> (n, T, F), time-major
        return array.reshape(len(array), n_steps, -1)

    def _check_three_d(self, X: Windows, reset: bool) -> Windows:
        _, n_steps, n_features = X.shape
        if reset:
            self.n_features_in_ = n_features
            self.__dict__.pop("feature_names_in_", None)
            return X
        # A network that was fitted on rows of a table counts all their columns as its features.
        per_step, name = self._n_features_per_step, type(self).__name__
        if n_features != per_step:
            raise ValueError(f"X has {n_features} features, but {name} is expecting {per_step} features as input.")
        # A network that carries its state from piece to piece reads any length.
        if n_steps > self.n_steps_in_ and self._piece is None:
            raise ValueError(
                f"X has windows of {n_steps} steps, but {name} was fitted on {self.n_steps_in_}. "
                f"Pass the last {self.n_steps_in_} steps of each; shorter windows are fine."
            )
        return X

    # -- targets -----------------------------------------------------------------------------------------------------

    def _read_targets(self, X: Windows, y: Any, *, allow_nan: bool) -> tuple[np.ndarray, tuple[int, ...]]:
        """Return y as float32 (n_windows, n_outputs), and the shape that one window's prediction is given back in."""
        y = self._check_targets(X, y, allow_nan=allow_nan)
        check_range("y", y)
        warn_of_rounded_targets(y)
        return y.reshape(len(y), -1).astype(np.float32, copy=False), y.shape[1:]

    def _check_targets(self, X: Windows, y: Any, *, allow_nan: bool) -> np.ndarray:
        """Return y as an array of one, two or three dimensions, float32 or float64; raise if it does not go with X."""
        if y is None:
            raise ValueError(f"This {type(self).__name__} estimator requires y to be passed, but the target y is None.")
        y = unmasked(y)
        if _differ_in_shape(y):
            y = self._pad_targets(X, y)
        y = check_array(
            y,
            dtype=list(_DTYPES),  # float32 is taken as it is: with a long horizon y is the largest array
            ensure_2d=False,
            allow_nd=True,
            ensure_all_finite="allow-nan" if allow_nan else True,
            input_name="y",
            estimator=self,
        )
        if y.ndim not in (1, 2, 3) or 0 in y.shape[1:]:
            raise ValueError(
                "y must have shape (n_windows,), (n_windows, horizon) or (n_windows, horizon, n_targets), got "
                f"{y.shape}."
            )
        check_consistent_length(X, y)
        return y

    def _pad_targets(self, X: Windows, y: Sequence[Any]) -> np.ndarray:
        """Return a list of targets (n_steps_i,) or (n_steps_i, n_targets) as an array, NaN where windows are empty."""
        check_consistent_length(X, y)
        if not self.return_sequences:
            raise ValueError(
                f"y is a list of targets of different lengths, but {type(self).__name__} predicts as many for each "
                "window. Pass an array, or set return_sequences=True to predict a target at each step."
            )
        targets = [np.asarray(item, dtype=np.float64) for item in y]
        lengths = X.lengths if isinstance(X, Sequences) else [X.shape[1]] * len(X)
        for i, (target, length) in enumerate(zip(targets, lengths, strict=True)):
            expected = (int(length), *targets[0].shape[1:])
            if target.shape != expected:
                raise ValueError(
                    f"y[{i}] has shape {target.shape}, but X[{i}] has {length} steps: with return_sequences=True it "
                    f"must have shape {expected}, a target for each."
                )
        padded = np.full((len(targets), X.shape[1], *targets[0].shape[1:]), np.nan)
        for row, target in zip(padded, targets, strict=True):
            row[len(row) - len(target) :] = target
        return padded


def _check_window_array(X: WindowArray) -> WindowArray:
    if len(X) < 1:
        raise ValueError(f"Found array with 0 sample(s) (shape={X.shape}) while a minimum of 1 is required.")
    if not np.issubdtype(X.dtype, np.number) or np.issubdtype(X.dtype, np.complexfloating):
        raise ValueError(f"a WindowArray must hold real numbers, got dtype {X.dtype}.")
    return X


def _differ_in_shape(X: Any) -> bool:
    """Say whether X is a list or tuple that NumPy cannot make one array of; rows of a table are alike."""
    return isinstance(X, (list, tuple)) and len({np.shape(item) for item in X}) > 1


def _check_sequences(X: Sequence[Any]) -> list[np.ndarray]:
    """Return a list of windows as 2-D arrays with the same features."""
    arrays = [np.asarray(item) for item in X]
    for i, array in enumerate(arrays):
        if array.ndim != 2:
            raise ValueError(
                f"X[{i}] has shape {array.shape}, but each of a list of windows of different lengths must be a 2-D "
                "array (n_steps, n_features). For a single feature pass x[:, np.newaxis]."
            )
        if 0 in array.shape:
            raise ValueError(
                f"X[{i}] has shape {array.shape}, but a window needs at least one step and one feature. Leave it out."
            )
        if array.shape[1] != arrays[0].shape[1]:
            raise ValueError(
                f"X[{i}] has {array.shape[1]} features, but X[0] has {arrays[0].shape[1]}. Windows may differ in their "
                "steps only; fill what was not measured with NaN."
            )
    return arrays


def align_targets(
    windows: WindowData, y: np.ndarray, shape: tuple[int, ...], n_steps: int, *, allow_nan: bool
) -> tuple[np.ndarray, tuple[int, ...]]:
    """Return targets for each step as float32 (n_windows, windows.n_steps * n_targets), and their shape in a window.

    Parameters
    ----------
    windows : WindowData
        The windows; those that were shorter are padded on the left.
    y : ndarray of shape (n_windows, n_numbers)
        The targets as they were passed, flat: one or more numbers for each step.
    shape : tuple of int
        The shape of one window's targets as they were passed.
    n_steps : int
        The steps of the windows as they were passed.
    allow_nan : bool
        Whether a target may be missing at a step that is not empty. At an empty one it is ignored.
    """
    if not shape or shape[0] != n_steps:
        raise ValueError(
            f"with return_sequences=True, y must hold a target for each of the {n_steps} steps of a window: shape "
            f"(n_windows, {n_steps}) or (n_windows, {n_steps}, n_targets), got {(len(y), *shape)}."
        )
    aligned = np.full((len(y), windows.n_steps, y.shape[1] // n_steps), np.nan, np.float32)
    aligned[:, windows.n_steps - n_steps :] = y.reshape(len(y), n_steps, -1)
    empty = windows.empty_segments()
    aligned[empty] = np.nan
    missing = np.isnan(aligned).any(axis=2) & ~empty
    if missing.any() and not allow_nan:
        window, step = np.argwhere(missing[:, windows.n_steps - n_steps :])[0]
        raise ValueError(
            f"Input y contains NaN: the target of step {step} of window {window} is missing. "
            "y may be NaN only at leading steps where X is NaN in every feature. Fill it, or drop the window."
        )
    return aligned.reshape(len(y), -1), (windows.n_steps, *shape[1:])


def read_weights(sample_weight: Any, n_windows: int) -> np.ndarray:
    """Return the weights as float64 (n_windows,), the largest between 1/2 and 1; ones if there are none."""
    if sample_weight is None:
        return np.ones(n_windows)
    sample_weight = unmasked(sample_weight)
    if np.isscalar(sample_weight):
        sample_weight = np.full(n_windows, sample_weight)
    weight = check_array(sample_weight, dtype=np.float64, ensure_2d=False, allow_nd=True, input_name="sample_weight")
    if weight.shape != (n_windows,):
        raise ValueError(f"sample_weight must have shape {(n_windows,)}, one weight per window, got {weight.shape}.")
    if (weight < 0).any():
        raise ValueError(f"sample_weight must not be negative, got {weight.min():g} for window {weight.argmin()}.")
    if not weight.any():
        raise ValueError("Sample weights must contain at least one non-zero number: all of them are zero.")
    # Only their ratios count. Times a power of two, which changes no digit, they fit into the engines' float32.
    return np.ldexp(weight, -np.frexp(weight.max())[1])
