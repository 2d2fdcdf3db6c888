"""Ridge regression from whole windows to all steps, in closed form: what a network adds to. Imports windows only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from ..windows import WindowArray

__all__ = ["LinearMap", "fit_linear"]

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

    def predict(self, windows: WindowArray) -> np.ndarray:
        """Return float32 (n_windows, n_outputs); for a missing value stands the one before it."""
        out = np.empty((len(windows), len(self.intercept)), np.float32)
        for rows, X in _blocks(windows):
            out[rows] = X @ self.coef + self.intercept
        return out

    def refitted(self, windows: WindowArray, y: np.ndarray) -> LinearMap:
        """Return a map with the same penalty, fitted on other windows; this one if they have too few targets."""
        path = _ridge_path(windows, y, [self.penalty])
        return path[0] if path else self


def _blocks(windows: WindowArray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield rows and dense windows (n, n_steps * n_features) without gaps, a few megabytes at a time."""
    values = windows.shape[1] * windows.shape[2]
    size = max(1, BLOCK_VALUES // values)
    for start in range(0, len(windows), size):
        rows = slice(start, start + size)
        yield rows, _carried_forward(np.asarray(windows[rows], dtype=np.float32)).reshape(-1, values)


def _carried_forward(X: np.ndarray) -> np.ndarray:
    """Fill what is missing with the value one or more steps before, or 0, the level of the window."""
    missing = np.isnan(X)
    if not missing.any():
        return X
    steps = np.where(missing, 0, np.arange(X.shape[1])[:, None])
    last = np.maximum.accumulate(steps, axis=1)
    return np.nan_to_num(np.take_along_axis(X, last, axis=1))


def fit_linear(
    windows: WindowArray, y: np.ndarray, held: tuple[WindowArray, np.ndarray] | None = None, gap: int = 0
) -> LinearMap | None:
    """Fit a ridge regression whose penalty has the smallest absolute error on held-out windows.

    Parameters
    ----------
    windows : WindowArray
        The windows to fit on, in the order of time.
    y : ndarray of shape (n_windows, n_outputs)
        Their targets. Where some are missing, each step is fitted to the windows whose target is there, with the
        covariances of the inputs from all of them.
    held : tuple of WindowArray and ndarray, optional
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
    >>> windows, y = WindowArray(wave, np.arange(290), 8), wave[8:298]
    >>> linear = fit_linear(windows[:200], y[:200], (windows[210:], y[210:]))
    >>> bool(abs(linear.predict(windows[210:]) - y[210:]).max() < 0.01)
    True
    """
    if windows.shape[1] * windows.shape[2] > LARGEST_WINDOW:
        return None
    if held is not None:
        return _best(_ridge_path(windows, y, PENALTIES), *held)
    n_held = max(1, len(windows) // 10)
    split = len(windows) - n_held - gap
    path = _ridge_path(windows[: max(0, split)], y[: max(0, split)], PENALTIES)
    best = _best(path, windows[-n_held:], y[-n_held:])
    if best is None:
        return None
    return best.refitted(windows, y)


def _best(path: list[LinearMap], windows: WindowArray, y: np.ndarray) -> LinearMap | None:
    if not path or np.isnan(y).all():
        return None
    return min(path, key=lambda linear: float(np.nanmean(np.abs(linear.predict(windows) - y))))


def _ridge_path(windows: WindowArray, y: np.ndarray, penalties: Sequence[float]) -> list[LinearMap]:
    """Fit one map for each penalty; none if fewer than two windows have some target."""
    step = -(-len(windows) // ENOUGH_WINDOWS) or 1
    windows, y = windows[::step], y[::step]
    if (~np.isnan(y)).sum(axis=0).min(initial=len(y)) < 2:
        return []
    gram, moment, mean_x, mean_y = _moments(windows, y)
    # One decomposition serves all penalties: (Q L Q' + p I)^-1 = Q (L + p)^-1 Q'
    size, basis = linalg.eigh(gram, overwrite_a=True, check_finite=False)
    rotated, unit = basis.T @ moment, max(float(size.mean()), float(np.finfo(np.float32).tiny))
    path = []
    for penalty in penalties:
        coef = (basis @ (rotated / (np.maximum(size, 0) + penalty * unit)[:, None])).astype(np.float32)
        path.append(LinearMap(coef, (mean_y - (mean_x * coef).sum(axis=0)).astype(np.float32), float(penalty)))
    return path


def _moments(windows: WindowArray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return covariances (n_inputs, n_inputs) and (n_inputs, n_outputs), and means of the inputs and targets.

    The mean of the inputs has shape (n_inputs, 1), or (n_inputs, n_outputs) where targets are missing: for each output
    it is that of the windows whose target is there.
    """
    n_inputs, n = windows.shape[1] * windows.shape[2], len(windows)
    known = ~np.isnan(y)
    count = known.sum(axis=0)
    complete = bool(known.all())
    gram, moment = np.zeros((n_inputs, n_inputs)), np.zeros((n_inputs, y.shape[1]))
    sums, known_sums = np.zeros((n_inputs, 1)), np.zeros((n_inputs, y.shape[1] if not complete else 0))
    for rows, X in _blocks(windows):
        wide = X.astype(np.float64)
        gram += wide.T @ wide
        moment += wide.T @ (y[rows] if complete else np.nan_to_num(y[rows]))
        sums += wide.sum(axis=0)[:, None]
        if not complete:
            known_sums += wide.T @ known[rows]
    mean_y = np.nansum(y, axis=0, dtype=np.float64) / count
    mean_x = sums / n
    gram = gram / n - mean_x * mean_x.T
    mean_x = mean_x if complete else known_sums / count
    return gram, moment / count - mean_x * mean_y, mean_x, mean_y
