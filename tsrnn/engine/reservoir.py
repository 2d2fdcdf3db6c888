"""Reservoirs of leaky-integrator neurons and their ridge readout: recurrent networks whose last layer alone learns.

NumPy and SciPy only. Imports the form of windows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy import linalg, sparse
from scipy.sparse.linalg import ArpackNoConvergence, eigs

from .data import Missing, WindowData

__all__ = ["Readout", "Reservoir", "fit_readout", "make_reservoir", "read_inputs", "spectral_radius_of"]

#: Units from which the largest eigenvalue is iterated for, instead of computing all.
MANY_UNITS = 500


@dataclass(frozen=True, eq=False)
class Reservoir:
    """A fixed recurrent layer.

    Attributes
    ----------
    input_weights : ndarray of float64, shape (units, n_inputs)
    bias : ndarray of float64, shape (units,)
    sources : ndarray of int32, shape (units, fan_in)
        The units that each unit is fed by.
    strengths : ndarray of float64, shape (units, fan_in)
        The weights of these connections.
    leak_rate : float
        In (0, 1]; 1 forgets the state but for what is fed back.
    """

    input_weights: np.ndarray
    bias: np.ndarray
    sources: np.ndarray
    strengths: np.ndarray
    leak_rate: float

    def fits(self, n_inputs: int) -> bool:
        """Say whether the arrays are those of a reservoir that reads so many inputs."""
        units, fan_in = np.shape(self.bias)[0], np.shape(self.sources)[-1]
        expected = [
            (self.input_weights, np.float64, (units, n_inputs)),
            (self.bias, np.float64, (units,)),
            (self.sources, np.int32, (units, fan_in)),
            (self.strengths, np.float64, (units, fan_in)),
        ]
        are_finite = all(
            type(values) is np.ndarray and values.dtype == dtype and values.shape == shape and np.isfinite(values).all()
            for values, dtype, shape in expected
        )
        connected = are_finite and units > 0 and fan_in > 0 and 0 <= self.sources.min() <= self.sources.max() < units
        return bool(connected and 0 < self.leak_rate <= 1)

    @property
    def recurrent_weights(self) -> sparse.csr_array:
        """The matrix W of shape (units, units); row i holds what feeds unit i."""
        units, fan_in = self.sources.shape
        rows = np.arange(0, units * fan_in + 1, fan_in, dtype=np.int32)
        return sparse.csr_array((self.strengths.ravel(), self.sources.ravel(), rows), shape=(units, units))

    def states(self, x: np.ndarray, empty: np.ndarray, initial: np.ndarray | None = None) -> Iterator[np.ndarray]:
        """Yield the state after each step, (n_windows, units).

        Parameters
        ----------
        x : ndarray of shape (n_windows, n_steps, n_inputs)
            The inputs.
        empty : ndarray of bool, shape (n_windows, n_steps)
            Steps that are skipped: the state stays as it is.
        initial : ndarray of shape (n_windows, units), optional
            The state before the first step; zeros by default.

        References
        ----------
        Jaeger et al. (2007). Optimization and applications of echo state networks with leaky-integrator neurons. Neural
        Networks 20(3), 335-352. Lukosevicius (2012). A practical guide to applying echo state networks, eqs. 2 and 3.
        """
        weights, a = self.recurrent_weights, self.leak_rate
        # (units, n_windows): a row of the sparse product adds up whole rows of states
        h = np.zeros((len(self.bias), len(x))) if initial is None else np.array(initial, dtype=np.float64).T
        for step in range(x.shape[1]):
            # h(t) = (1 - a) h(t-1) + a tanh(W_in x(t) + b + W h(t-1))
            drive = self.input_weights @ x[:, step].T + self.bias[:, None] + weights @ h
            h = np.where(empty[:, step], h, (1 - a) * h + a * np.tanh(drive))
            yield h.T


def make_reservoir(
    n_inputs: int,
    units: int,
    rng: np.random.Generator,
    *,
    spectral_radius: float,
    leak_rate: float,
    input_scaling: float,
    bias_scaling: float,
    density: float,
) -> Reservoir:
    """Draw a reservoir; all weights are uniform around 0.

    The largest input weight is `input_scaling` over the square root of `n_inputs`, so that what drives a unit does not
    grow with the number of inputs. Each unit is fed by `density` of all units, at least one, and the recurrent weights
    are scaled to the spectral radius.
    """
    input_weights = rng.uniform(-1, 1, (units, n_inputs)) * input_scaling / np.sqrt(n_inputs)
    bias = rng.uniform(-1, 1, units) * bias_scaling
    fan_in = max(1, round(density * units))
    sources = np.sort([rng.choice(units, fan_in, replace=False) for _ in range(units)], axis=1).astype(np.int32)
    strengths = rng.uniform(-1, 1, (units, fan_in))
    drawn = Reservoir(input_weights, bias, sources, strengths, leak_rate)
    radius = spectral_radius_of(drawn.recurrent_weights)
    # Connections without a cycle have no eigenvalue but 0, and no memory to scale.
    strengths *= spectral_radius / radius if radius > 1e-9 else 0.0
    return drawn


def spectral_radius_of(weights: sparse.csr_array) -> float:
    """Return the largest absolute eigenvalue of a square matrix."""
    if weights.shape[0] >= MANY_UNITS:
        try:  # the start is fixed: by default it comes from a global generator
            values = eigs(weights, k=6, return_eigenvectors=False, v0=np.ones(weights.shape[0]))
            return float(np.abs(values).max())
        except ArpackNoConvergence:
            pass  # several of nearly the same size
    return float(np.abs(linalg.eigvals(weights.toarray())).max())


def read_inputs(windows: WindowData, missing: Missing, segment: int = 1) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield rows and what a network reads of them, (n, n_segments, segment * channels), a few windows at a time.

    Missing values are filled, their indicators follow the features, and empty steps are 0, as in the engines.
    """
    padding = -windows.n_steps % segment
    for rows, x in windows.blocks():
        x = missing.channels(x)
        x[np.arange(windows.n_steps) < windows.lead[rows][:, None]] = 0
        x = np.pad(x.astype(np.float64), ((0, 0), (padding, 0), (0, 0)))
        # (n, S * segment, C) -> (n, S, segment * C)
        yield rows, x.reshape(len(x), -1, segment * x.shape[2])


@dataclass(frozen=True, eq=False)
class Readout:
    """An affine map from features to targets.

    Attributes
    ----------
    coef : ndarray of shape (n_features, n_outputs)
    intercept : ndarray of shape (n_outputs,)
    """

    coef: np.ndarray
    intercept: np.ndarray


def fit_readout(parts: Iterable[tuple[np.ndarray, np.ndarray, np.ndarray]], alpha: float) -> Readout:
    """Minimise the mean squared error plus `alpha` times the sum of the squared coefficients.

    Parameters
    ----------
    parts : iterable of tuples
        Features (n, n_features), targets (n, n_outputs) and weights (n,), some rows at a time. Where a target is NaN,
        its output is fitted to the other rows, with the covariances of the features from all.
    alpha : float
        Relative to the sum of weights, so that neither their unit nor the number of rows changes what is fitted.

    References
    ----------
    Hoerl and Kennard (1970). Ridge regression. Technometrics 12(1), eq. 2.1.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(5.0)[:, None]
    >>> readout = fit_readout([(x, 3 * x + 1, np.ones(5))], alpha=0.0)
    >>> readout.coef.round(6), readout.intercept.round(6)
    (array([[3.]]), array([1.]))
    """
    shift = np.empty(0)
    for features, y, weight in parts:
        if not len(shift):  # near the mean, so that the differences below keep their digits
            shift = features.mean(axis=0)
            gram, sums, total = np.zeros((len(shift), len(shift))), np.zeros((len(shift), 1)), 0.0
            moment, known_sums = np.zeros((len(shift), y.shape[1])), np.zeros((len(shift), y.shape[1]))
            y_sums, count = np.zeros(y.shape[1]), np.zeros(y.shape[1])
        f = features - shift
        weighted, known = f * weight[:, None], ~np.isnan(y)
        y = np.where(known, y, 0.0)
        gram += weighted.T @ f
        moment += weighted.T @ y
        sums += weighted.sum(axis=0)[:, None]
        known_sums += weighted.T @ known
        total += weight.sum()
        y_sums += weight @ y
        count += weight @ known
    mean, known_mean, y_mean = sums / total, known_sums / count, y_sums / count
    # One decomposition: (Q L Q' + alpha I)^-1 = Q (L + alpha)^-1 Q'
    size, basis = linalg.eigh(gram / total - mean * mean.T, overwrite_a=True, check_finite=False)
    size = np.maximum(size, 0)
    rotated = basis.T @ (moment / count - known_mean * y_mean)
    least = len(size) * np.finfo(np.float64).eps * size.max()  # below, a direction is noise of rounding
    inverse = np.divide(1, size + alpha, out=np.zeros_like(size), where=size + alpha > least)
    coef = basis @ (rotated * inverse[:, None])
    return Readout(coef, y_mean - ((known_mean + shift[:, None]) * coef).sum(axis=0))
