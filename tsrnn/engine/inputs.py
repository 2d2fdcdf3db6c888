"""What users pass as X, y and sample_weight, checked and brought into the form of the training loop.

Messages are scikit-learn's where it has one, since its users know them and its checks look for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.utils.validation import check_array, check_consistent_length, validate_data

from .._masked import unmasked
from ..windows import WindowArray
from .data import Sequences, WindowData
from .resolution import check_range, warn_of_rounded_targets
from .training import Examples

__all__ = [
    "align_targets",
    "check_targets",
    "drop_silent",
    "read_targets",
    "read_weights",
    "read_windows",
    "split_in_time",
    "split_steps",
]

Windows = WindowArray | Sequences | np.ndarray
NAN = np.float32(np.nan)


def read_windows(estimator: Any, X: Any, n_steps: int | None, *, reset: bool) -> Windows:
    """Return X as a `WindowArray`, `Sequences` or an array (n_windows, n_steps, n_features).

    Sets or checks `n_features_in_` of the estimator.

    Parameters
    ----------
    estimator : estimator
        Its `n_features_in_`, `feature_names_in_` and, if not `reset`, `n_steps_in_` are used.
    X : WindowArray, array-like, or list of array-likes
        3-D, or 2-D and time-major: all features of the first step, then of the second; or 2-D arrays
        (n_steps_i, n_features).
    n_steps : int or None
        Steps in a row of a 2-D X; None reads each column as one step.
    reset : bool
        Whether this is a first fit.
    """
    X = unmasked(X)
    if isinstance(X, WindowArray):
        if len(X) < 1:
            raise ValueError(f"Found array with 0 sample(s) (shape={X.shape}) while a minimum of 1 is required.")
        if not np.issubdtype(X.dtype, np.number) or np.issubdtype(X.dtype, np.complexfloating):
            raise ValueError(f"a WindowArray must hold real numbers, got dtype {X.dtype}.")
        return _check_three_d(estimator, X, reset)
    dtype = (np.float64, np.float32)
    if _differ_in_shape(X):
        arrays = _check_sequences(X)
        base = check_array(np.concatenate(arrays), dtype=dtype, ensure_all_finite="allow-nan", estimator=estimator)
        return _check_three_d(estimator, Sequences(base, np.array([len(array) for array in arrays])), reset)
    if (X.ndim if hasattr(X, "ndim") else np.asarray(X).ndim) == 3:
        array = check_array(X, dtype=dtype, ensure_all_finite="allow-nan", allow_nd=True, estimator=estimator)
        if 0 in array.shape:
            raise ValueError(f"X of shape {array.shape} has no steps or 0 feature(s) where at least 1 is required.")
        return _check_three_d(estimator, array, reset)
    array = validate_data(estimator, X, dtype=dtype, ensure_all_finite="allow-nan", reset=reset)
    n_columns = array.shape[1]
    n_steps = (n_columns if n_steps is None else n_steps) if reset else estimator.n_steps_in_
    if n_columns % n_steps:
        raise ValueError(
            f"X has {n_columns} columns, which do not divide into n_steps={n_steps} steps. A 2-D X holds all features "
            "of the first step, then of the second, and so on."
        )
    # (n, T * F) -> (n, T, F), time-major
    return array.reshape(len(array), n_steps, -1)


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


def _check_three_d(estimator: Any, X: Windows, reset: bool) -> Windows:
    _, n_steps, n_features = X.shape
    if reset:
        estimator.n_features_in_ = n_features
        if hasattr(estimator, "feature_names_in_"):
            del estimator.feature_names_in_
        return X
    # A network that was fitted on rows of a table counts all their columns as its features.
    per_step = estimator._n_features_per_step
    if n_features != per_step:
        raise ValueError(
            f"X has {n_features} features, but {type(estimator).__name__} is expecting {per_step} features as input."
        )
    # A network that carries its state from piece to piece reads any length.
    if n_steps > estimator.n_steps_in_ and getattr(estimator, "_piece", None) is None:
        raise ValueError(
            f"X has windows of {n_steps} steps, but {type(estimator).__name__} was fitted on {estimator.n_steps_in_}. "
            f"Pass the last {estimator.n_steps_in_} steps of each; shorter windows are fine."
        )
    return X


def read_targets(estimator: Any, X: Any, y: Any, *, allow_nan: bool = False) -> tuple[np.ndarray, tuple[int, ...]]:
    """Return y as float32 (n_windows, n_outputs), and the shape that one window's prediction is given back in."""
    y = check_targets(estimator, X, y, allow_nan=allow_nan)
    check_range("y", y)
    warn_of_rounded_targets(y)
    return y.reshape(len(y), -1).astype(np.float32, copy=False), y.shape[1:]


def check_targets(estimator: Any, X: Any, y: Any, *, allow_nan: bool = False) -> np.ndarray:
    """Return y as an array of one, two or three dimensions, float32 or float64; raise if it does not go with X."""
    if y is None:
        raise ValueError(
            f"This {type(estimator).__name__} estimator requires y to be passed, but the target y is None."
        )
    y = unmasked(y)
    if _differ_in_shape(y):
        y = _pad_targets(estimator, X, y)
    finite = "allow-nan" if allow_nan else True
    y = check_array(
        y,
        dtype=[np.float64, np.float32],  # float32 is taken as it is: with a long horizon y is the largest array
        ensure_2d=False,
        allow_nd=True,
        ensure_all_finite=finite,
        input_name="y",
        estimator=estimator,
    )
    if y.ndim not in (1, 2, 3) or 0 in y.shape[1:]:
        raise ValueError(
            f"y must have shape (n_windows,), (n_windows, horizon) or (n_windows, horizon, n_targets), got {y.shape}."
        )
    check_consistent_length(X, y)
    return y


def _pad_targets(estimator: Any, X: Windows, y: Sequence[Any]) -> np.ndarray:
    """Return a list of targets (n_steps_i,) or (n_steps_i, n_targets) as one array, NaN where windows are empty."""
    check_consistent_length(X, y)
    if not estimator._gives_sequences():
        raise ValueError(
            f"y is a list of targets of different lengths, but {type(estimator).__name__} predicts as many for each "
            "window. Pass an array, or set return_sequences=True to predict a target at each step."
        )
    targets = [np.asarray(item, dtype=np.float64) for item in y]
    lengths = X.lengths if isinstance(X, Sequences) else [X.shape[1]] * len(X)
    for i, (target, length) in enumerate(zip(targets, lengths, strict=True)):
        expected = (int(length), *targets[0].shape[1:])
        if target.shape != expected:
            raise ValueError(
                f"y[{i}] has shape {target.shape}, but X[{i}] has {length} steps: with return_sequences=True it must "
                f"have shape {expected}, a target for each."
            )
    padded = np.full((len(targets), X.shape[1], *targets[0].shape[1:]), np.nan)
    for row, target in zip(padded, targets, strict=True):
        row[len(row) - len(target) :] = target
    return padded


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


def drop_silent(examples: Examples, part: str = "data") -> Examples:
    """Drop the windows that cannot teach anything: of weight zero, or with no known target.

    Raises
    ------
    ValueError
        If there are no others; it names the `part`.
    """
    teaches = (examples.weight > 0) & ~np.isnan(examples.y).all(axis=1)
    if teaches.all():
        return examples
    if not teaches.any():
        raise ValueError(
            f"the {part} have no window with both a weight above zero and a target that is not NaN. Pass some whose "
            "targets are known."
        )
    return examples.take(np.flatnonzero(teaches))


def split_in_time(examples: Examples, fraction: float, gap: int) -> tuple[Examples, Examples]:
    """Take the last `fraction` of the windows for validation and drop `gap` windows before them."""
    n_validation = max(1, round(fraction * len(examples)))
    n_training = len(examples) - n_validation - gap
    if n_training < 1:
        raise ValueError(
            f"of {len(examples)} windows, early stopping takes the last {n_validation} for validation and drops "
            f"validation_gap={gap} before them, so none are left to train on. Pass more windows, a smaller "
            "validation_gap or validation_fraction, or early_stopping=False."
        )
    return examples.take(slice(0, n_training)), examples.take(slice(n_training + gap, None))


def split_steps(examples: Examples, fraction: float, gap: int) -> tuple[Examples, Examples]:
    """Take the last `fraction` of the known targets of each sequence for validation and drop `gap` steps before them.

    The validation part holds the whole sequences, with targets at those last steps only, so that the state in which a
    network comes to them is carried from the steps before. A sequence too short to give a step away is trained on.
    """
    windows, total = examples.windows, examples.windows.n_steps
    y = examples.y.reshape(len(examples), total, -1)
    known = ~np.isnan(y).all(axis=2)
    n_validation = np.round(fraction * known.sum(axis=1)).astype(np.int64)
    # The first step of the validation part: so many known ones follow, itself among them.
    from_here = known[:, ::-1].cumsum(axis=1)[:, ::-1]
    first = (known & (from_here == n_validation[:, None])).argmax(axis=1)
    dropped = np.where(n_validation > 0, total - first + gap, 0)
    lead = np.minimum(windows.lead + dropped, total)
    taught = known & (np.arange(total) < (total - dropped)[:, None])
    if not n_validation.any() or not taught.any():
        raise ValueError(
            f"of sequences with up to {int(known.sum(axis=1).max())} known targets, early stopping takes the last "
            f"{int(n_validation.max())} for validation and drops validation_gap={gap} steps before them: there must be "
            "known targets on both sides. Pass longer sequences, another validation_fraction, a smaller "
            "validation_gap, or early_stopping=False."
        )
    held_out = np.where((np.arange(total) < first[:, None])[..., None] | (n_validation == 0)[:, None, None], NAN, y)
    # What is left stands at the end of a row, as that of a shorter sequence does.
    earlier = np.arange(total) - dropped[:, None]
    kept = y[np.arange(len(y))[:, None], np.maximum(earlier, 0)]
    kept[earlier < 0] = np.nan
    training = replace(windows, starts=(windows.starts - dropped).astype(np.int32), lead=lead.astype(np.int32))
    return (
        drop_silent(replace(examples, windows=training, y=kept.reshape(len(y), -1))),
        drop_silent(replace(examples, y=held_out.reshape(len(y), -1))),
    )
