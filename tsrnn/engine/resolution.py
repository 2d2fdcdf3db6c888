"""What float32, in which networks compute, can hold of the values that users pass.

Rounding is looked for in some thousand rows, never in all windows. Imports NumPy, exceptions and warnings.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .._warnings import warn_user
from ..exceptions import PrecisionWarning
from ..windows import WindowArray

__all__ = ["check_range", "is_small", "warn_of_rounding", "warn_of_rounded_targets", "warn_of_rounded_windows"]

_LARGEST = float(np.finfo(np.float32).max)
_SAMPLE = 1024  # rows that are looked at
_SAMPLE_WINDOWS = 64
_FEW = 20  # rows of y below which the targets of all steps count together
_SHARE = 0.1  # of the movement of a column that rounding may take
_ADVICE = {
    "X": "Subtract a level from each window, WindowArray(offset=...), or centre and scale X (StandardScaler).",
    "y": "Centre and scale y (TransformedTargetRegressor).",
}


def is_small(values: np.ndarray, share: float = 1.0) -> bool:
    """Say whether all values that are not NaN are below this share of the largest number of float32."""
    return _largest(values) <= share * _LARGEST


def _largest(values: np.ndarray) -> float:
    if not values.size:
        return 0.0
    # fmax and fmin pass NaN over
    largest = max(float(np.fmax.reduce(values, axis=None)), -float(np.fmin.reduce(values, axis=None)))
    return largest if largest > 0 else 0.0  # NaN: there is no number


def check_range(name: str, values: np.ndarray, dtype: type = np.float32) -> None:
    """Raise if values are infinite, or too large for float32 where they are to become such.

    Parameters
    ----------
    name : str
        What they are, in the words of the caller.
    values : ndarray
        NaN are allowed.
    dtype : type
        What they are to become.
    """
    largest = _largest(values)
    if largest <= _LARGEST or (np.isfinite(largest) and dtype is not np.float32):
        return
    if np.isinf(largest):
        raise ValueError(f"Input {name} contains infinity. Pass NaN where nothing was measured.")
    raise ValueError(
        f"Input {name} contains a value too large for float32, in which networks compute: {largest:g} in size, at most "
        f"{_LARGEST:.2g} are allowed. Scale {name}."
    )


def warn_of_rounding(name: str, values: np.ndarray) -> None:
    """Warn if float32 cannot tell the values of a column apart: if rounding takes a tenth of their movement.

    Both are medians, the movement that of the distance from the median: a few outliers neither hide nor feign it. Where
    most values are the same, they are means. Constant columns lose nothing.

    Parameters
    ----------
    name : {"X", "y"}
        What they are.
    values : ndarray of shape (n_rows, n_columns)
        As they were passed.
    """
    if values.dtype == np.float32 or not len(values):
        return
    rows = np.linspace(0, len(values) - 1, min(len(values), _SAMPLE)).astype(np.int64)
    sample = np.asarray(values[rows], dtype=np.float64)
    lost = np.abs(sample.astype(np.float32) - sample)
    for column in np.flatnonzero((lost > 0).any(axis=0)):
        known = ~np.isnan(sample[:, column])
        seen = sample[known, column]
        level = _median(seen)
        distance = np.abs(seen - level)
        typical = _median if _median(distance) > 0 else np.mean
        movement = float(typical(distance))
        if typical(lost[known, column]) > _SHARE * movement > 0:
            where = f"column {column} of {name}" if values.shape[1] > 1 else name
            warn_user(
                f"float32, in which networks compute, cannot tell the values of {where} apart: they move by "
                f"{movement:.3g} around {level:.6g}, where its numbers are {_step(level):.3g} apart. {_ADVICE[name]}",
                PrecisionWarning,
            )
            return


def warn_of_rounded_windows(X: Any) -> None:
    """Warn if float32 cannot tell apart what windows (a `WindowArray`, an array or `Sequences`) hold.

    Of windows with a level of their own some are looked at without it, else rows of the series.
    """
    if isinstance(X, WindowArray) and (X.offset is not None or X.scale is not None):
        some = np.asarray(X[np.linspace(0, len(X) - 1, min(len(X), _SAMPLE_WINDOWS)).astype(np.int64)])
        warn_of_rounding("X", some.reshape(-1, X.shape[2]))
    elif isinstance(X, WindowArray):
        read = slice(max(int(X.starts.min()), 0), int(X.starts.max()) + X.n_steps)
        warn_of_rounding("X", X.base[read])
    else:
        warn_of_rounding("X", X.reshape(-1, X.shape[2]) if isinstance(X, np.ndarray) else X.base)


def warn_of_rounded_targets(y: np.ndarray) -> None:
    """Warn if float32 cannot tell targets (n_windows, ...) apart; of a few long sequences, those of all steps."""
    warn_of_rounding("y", y.reshape(len(y) if len(y) >= _FEW else -1, math.prod(y.shape[1 if len(y) >= _FEW else 2 :])))


def _median(values: np.ndarray) -> float:
    """Return the upper median: several times as fast as NumPy's, which counts in a small fit."""
    return float(np.sort(values)[len(values) // 2])


def _step(level: float) -> float:
    """Return the distance between neighbouring numbers of float32."""
    return float(np.spacing(np.float32(abs(level))))
