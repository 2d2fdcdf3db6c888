"""Ridge regression from whole windows to all steps, in closed form: what a network adds to.

Imports windows and the schema of files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import linalg

from .._archive.schema import array, require
from ..windows import WindowArray

__all__ = ["LinearMap", "fit_linear", "fit_penalised"]

#: Penalties tried, relative to the mean square of the inputs.
PENALTIES = tuple(10.0**exponent for exponent in range(-5, 2))
#: Numbers in a window beyond which no linear map is fitted: the system of equations is this large on each side.
LARGEST_WINDOW = 2_000
#: Windows that are enough to fit one on; of more, every k-th is taken.
ENOUGH_WINDOWS = 60_000
BLOCK_VALUES = 2**20


@dataclass(frozen=True, eq=False)
class LinearMap:
    """An affine map from windows to targets.

    Attributes
    ----------
    coef : ndarray of float32, shape (n_steps * n_features, n_outputs)
        Time-major: all features of the first step, then of the second.
    intercept : ndarray of float32, shape (n_outputs,)
    penalty : float
        On the squares of the coefficients, relative to the mean square of the inputs.
    """

    coef: np.ndarray
    intercept: np.ndarray
    penalty: float

    def check(self, n_inputs: int, n_outputs: int) -> None:
        """Raise `ArchiveError` unless the arrays, which may be anything, have these sizes."""
        for name, shape in (("coef", (n_inputs, n_outputs)), ("intercept", (n_outputs,))):
            values: Any = getattr(self, name)
            good = array(np.float32, len(shape)).holds(values) and values.shape == shape
            require(good, f"{name} of a linear map is not float32 of shape {shape}")

    @property
    def n_parameters(self) -> int:
        return self.coef.size + self.intercept.size

    def predict(self, windows: WindowArray) -> np.ndarray:
        """Return float32 (n_windows, n_outputs); for a missing value stands the one before it."""
        out = np.empty((len(windows), len(self.intercept)), np.float32)
        for rows, X in _blocks(windows):
            out[rows] = X @ self.coef + self.intercept
        return out

    def refitted(self, windows: WindowArray, y: np.ndarray | WindowArray) -> LinearMap:
        """Return a map with the same penalty, fitted on other windows; this one if they have too few targets."""
        return fit_penalised(windows, y, self.penalty) or self


def _blocks(windows: WindowArray, n_outputs: int = 0) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield rows and dense windows (n, n_steps * n_features) without gaps, a few megabytes at a time."""
    values = windows.shape[1] * windows.shape[2]
    size = max(1, BLOCK_VALUES // max(values, n_outputs))
    for start in range(0, len(windows), size):
        rows = slice(start, start + size)
        yield rows, _carried_forward(np.asarray(windows[rows], dtype=np.float32)).reshape(-1, values)


def _examples(windows: WindowArray, y: np.ndarray | WindowArray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield dense windows and their targets (n, n_outputs), as many at a time as `_blocks`."""
    for rows, X in _blocks(windows, _n_outputs(y)):
        yield X, np.asarray(y[rows]).astype(np.float32, copy=False).reshape(len(X), -1)


def _n_outputs(y: np.ndarray | WindowArray) -> int:
    return int(np.prod(y.shape[1:]))


def _carried_forward(X: np.ndarray) -> np.ndarray:
    """Fill what is missing with the value one or more steps before, or 0, the level of the window."""
    missing = np.isnan(X)
    if not missing.any():
        return X
    steps = np.where(missing, 0, np.arange(X.shape[1])[:, None])
    last = np.maximum.accumulate(steps, axis=1)
    return np.nan_to_num(np.take_along_axis(X, last, axis=1))


def fit_linear(
    windows: WindowArray,
    y: np.ndarray | WindowArray,
    held: tuple[WindowArray, np.ndarray | WindowArray] | None = None,
    gap: int = 0,
) -> LinearMap | None:
    """Fit a ridge regression whose penalty has the smallest absolute error on held-out windows.

    Parameters
    ----------
    windows : WindowArray
        The windows to fit on, in the order of time.
    y : ndarray of shape (n_windows, n_outputs) or WindowArray of n_outputs values each
        Their targets, those of a `WindowArray` gathered a few at a time. Where some are missing, each step is fitted to
        the windows whose target is there, with the covariances of the inputs from all of them.
    held : tuple of windows and targets, optional
        Windows and targets to choose the penalty on. By default it is chosen on the last tenth of `windows`, and then
        all of them are fitted.
    gap : int
        Windows left out before that tenth, whose targets overlap.

    Returns
    -------
    LinearMap or None
        None where windows are too large or too few have all their targets.

    References
    ----------
    Hoerl and Kennard (1970). Ridge regression. Technometrics 12(1), eq. 2.1.

    Examples
    --------
    >>> import numpy as np
    >>> wave = np.sin(np.arange(300) / 4)[:, None]
    >>> windows, y = WindowArray(wave, np.arange(290), 8), WindowArray(wave, np.arange(8, 298), 1)
    >>> linear = fit_linear(windows[:200], y[:200], (windows[210:], y[210:]))
    >>> bool(abs(linear.predict(windows[210:]) - wave[218:298]).max() < 0.01)
    True
    """
    if windows.shape[1] * windows.shape[2] > LARGEST_WINDOW:
        return None
    if held is not None:
        return _best(_ridge_path(windows, y, PENALTIES), *held)
    n_held = max(1, len(windows) // 10)
    split = max(0, len(windows) - n_held - gap)
    best = _best(_ridge_path(windows[:split], y[:split], PENALTIES), windows[-n_held:], y[-n_held:])
    return best and best.refitted(windows, y)


def fit_penalised(windows: WindowArray, y: np.ndarray | WindowArray, penalty: float) -> LinearMap | None:
    """Fit a ridge regression with this penalty; None if some target is known after fewer than two windows."""
    path = _ridge_path(windows, y, [penalty])
    return path[0] if path else None


def _best(path: list[LinearMap], windows: WindowArray, y: np.ndarray | WindowArray) -> LinearMap | None:
    """Return the map with the smallest absolute error; None where there is none, or no target to measure it by."""
    total, n = np.zeros(len(path)), 0
    for X, truth in _examples(windows, y):
        n += int(np.isfinite(truth).sum())
        for i, linear in enumerate(path):
            total[i] += np.nansum(np.abs(X @ linear.coef + linear.intercept - truth), dtype=np.float64)
    return path[int(total.argmin())] if path and n else None


def _ridge_path(windows: WindowArray, y: np.ndarray | WindowArray, penalties: Sequence[float]) -> list[LinearMap]:
    """Fit one map for each penalty; none if some target is known after fewer than two windows."""
    step = -(-len(windows) // ENOUGH_WINDOWS) or 1
    moments = _moments(windows[::step], y[::step])
    if moments is None:
        return []
    gram, moment, mean_x, mean_y = moments
    # One decomposition serves all penalties: (Q L Q' + p I)^-1 = Q (L + p)^-1 Q'
    size, basis = linalg.eigh(gram, overwrite_a=True, check_finite=False)
    rotated, unit = basis.T @ moment, max(float(size.mean()), float(np.finfo(np.float32).tiny))
    path = []
    for penalty in penalties:
        coef = (basis @ (rotated / (np.maximum(size, 0) + penalty * unit)[:, None])).astype(np.float32)
        path.append(LinearMap(coef, (mean_y - (mean_x * coef).sum(axis=0)).astype(np.float32), float(penalty)))
    return path


def _moments(
    windows: WindowArray, y: np.ndarray | WindowArray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None:
    """Return covariances (n_inputs, n_inputs) and (n_inputs, n_outputs), and means of the inputs and targets.

    The means of the inputs have the shape (n_inputs, n_outputs): for each output they are those of the windows whose
    target is there. None if there are fewer than two of these for some output.
    """
    n_inputs, n_outputs, n = windows.shape[1] * windows.shape[2], _n_outputs(y), len(windows)
    gram, sum_x = np.zeros((n_inputs, n_inputs)), np.zeros((n_inputs, 1))
    moment, known_x = np.zeros((n_inputs, n_outputs)), np.zeros((n_inputs, n_outputs))
    count, sum_y = np.zeros(n_outputs), np.zeros(n_outputs)
    for X, targets in _examples(windows, y):
        wide, known = X.astype(np.float64), ~np.isnan(targets)
        total = wide.sum(axis=0)[:, None]
        gram += wide.T @ wide
        moment += wide.T @ np.nan_to_num(targets)
        sum_x += total
        known_x += total if known.all() else wide.T @ known
        count += known.sum(axis=0)
        sum_y += np.nansum(targets, axis=0, dtype=np.float64)
    if count.min(initial=n) < 2:
        return None
    gram = gram / n - (sum_x / n) @ (sum_x / n).T
    mean_x, mean_y = known_x / count, sum_y / count
    return gram, moment / count - mean_x * mean_y, mean_x, mean_y
