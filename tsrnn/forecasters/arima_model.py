"""One ARIMA model with regressors, on statsmodels' state-space form: fit, forecasts from many cutoffs, their spread.

Forecasts from many cutoffs take one pass of the Kalman filter over the history; from each cutoff the predicted state is
then carried forward. Pure functions on arrays; statsmodels and scipy.signal are imported when a model is built.
"""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np

#: Prior variance of a state that nothing is known of, in units of the variance of the shocks.
DIFFUSE_VARIANCE = 1e6
#: Errors smaller than this, in units of the series, are none.
EXACT = 1e-8
#: Differences smaller than this, relative to the numbers that they come from, are rounding errors.
RESOLUTION = 1e-13
#: Regressors, or directions of a state, smaller than this share of the others are none.
SMALLEST_DIRECTION = 1e-9
#: Slope of the log-likelihood of one observation below which an optimiser has arrived.
FLAT = 1e-3
#: Gain in log-likelihood that is none, and how often one optimiser may go on for more.
LIKELIHOOD_STEP, MOST_CLIMBS = 1e-3, 5
#: Inverse roots of the autoregression that a second search starts from are at most this.
LARGEST_START = 0.98
#: Share of a regressor that at least counts as left by the whitening.
FLATTEST = 0.05
#: Distance of the roots of an autoregression from the unit circle, below which rounding puts them there.
ON_THE_CIRCLE = 1e-8
#: Stands for the unbounded log-likelihood of a model without errors; finite, so that fewer parameters still win.
EXACT_LIKELIHOOD = 1e9


class Spec(NamedTuple):
    """Which model: the orders (p, d, q) and (P, D, Q, s), the trend, and pairs of Fourier terms of one season."""

    order: tuple[int, int, int]
    seasonal_order: tuple[int, int, int, int] = (0, 0, 0, 0)
    trend: str | None = None
    harmonics: int = 0
    season: int = 1

    @property
    def n_lost(self) -> int:
        """Rows that the differences use up: d + D * s."""
        return self.order[1] + self.seasonal_order[1] * self.seasonal_order[3]

    @property
    def n_lags(self) -> int:
        """Coefficients of lags: p + q + P + Q."""
        return sum(self.order[::2]) + sum(self.seasonal_order[:3:2])

    def n_parameters(self, n_covariates: int) -> int:
        """Those of the trend, covariates, Fourier terms and lags, and the variance."""
        fourier = 2 * self.harmonics - (2 * self.harmonics == self.season)
        return len(self.trend or "") + n_covariates + max(fourier, 0) + self.n_lags + 1

    def fits(self, n_rows: int) -> bool:
        """Whether these, which may be anything, are a model whose state is no larger than the rows fitted."""
        for numbers, length in ((self.order, 3), (self.seasonal_order, 4), ((self.harmonics, self.season), 2)):
            whole = isinstance(numbers, tuple) and all(type(number) is int for number in numbers)
            if not whole or len(numbers) != length or not all(0 <= number <= n_rows + 1 for number in numbers):
                return False
        (p, _, q), (P, D, Q, s) = self.order, self.seasonal_order
        return (
            self.trend in (None, "c", "t", "ct")
            and self.season >= 1
            and 2 * self.harmonics <= self.season
            and (s > 1 or not (P or D or Q))
            and max(p + P * s, q + Q * s) + self.n_lost <= 2 * n_rows
        )

    def __str__(self) -> str:
        seasonal = str(self.seasonal_order) if any(self.seasonal_order) else ""
        return f"ARIMA{self.order}{seasonal}"


def fourier_terms(position: np.ndarray, season: int, harmonics: int) -> np.ndarray:
    """Sines and cosines of the first harmonics of a season.

    Parameters
    ----------
    position : ndarray of shape (n_rows,)
        Steps since any fixed origin.

    Returns
    -------
    ndarray of shape (n_rows, 2 * harmonics), or one column less for all harmonics of an even season
        sin(2 pi k t / m) and cos(2 pi k t / m); without the sine of k = m / 2, which is 0 everywhere.

    References
    ----------
    Hyndman & Athanasopoulos (2021), "Forecasting: principles and practice", 3rd ed., section 7.4.
    """
    columns = []
    for k in range(1, harmonics + 1):
        angle = 2 * np.pi * k * position / season
        columns += [np.cos(angle)] if 2 * k == season else [np.sin(angle), np.cos(angle)]
    return np.column_stack(columns) if columns else np.empty((len(position), 0))


def trend_terms(position: np.ndarray, trend: str | None) -> np.ndarray:
    """The columns 1 and t of a trend, t counted in steps from the origin."""
    columns = {"c": np.ones(len(position)), "t": position + 1.0}
    return np.column_stack([columns[term] for term in trend]) if trend else np.empty((len(position), 0))


def design(spec: Spec, exog: np.ndarray, time: np.ndarray) -> np.ndarray:
    """All regressors of a model: trend, covariates, Fourier terms.

    Parameters
    ----------
    time : ndarray of shape (n_rows,) or (n_rows, 2)
        Steps since the origin: those of the trend, and those that the season counts, which follow the wall clock.
    """
    steps, clock = np.broadcast_to(time.T, (2, len(time)))
    fourier = fourier_terms(clock, spec.season, spec.harmonics)
    return np.hstack([trend_terms(steps, spec.trend), exog, fourier])


def difference(values: np.ndarray, spec: Spec) -> np.ndarray:
    """(1 - L)^d (1 - L^s)^D values, along the rows."""
    for _ in range(spec.seasonal_order[1]):
        values = values[spec.seasonal_order[3] :] - values[: -spec.seasonal_order[3]]
    return np.diff(values, spec.order[1], axis=0)


def fill_gaps(y: np.ndarray) -> np.ndarray:
    """Interpolate, for tests and regressions that cannot pass over missing values; rows at the ends are repeated."""
    rows = np.arange(len(y))
    seen = np.isfinite(y)
    return np.interp(rows, rows[seen], y[seen])


def rounding(y: np.ndarray, spec: Spec) -> float:
    """What the differences of y may be off by, because y is held in 53 bits."""
    n = spec.order[1] + spec.seasonal_order[1]
    return float(2.0 ** (n + 1) * np.finfo(float).eps * np.nanmax(np.abs(y)))


def whiten(y: np.ndarray, columns: np.ndarray, floor: float) -> tuple[np.ndarray, np.ndarray]:
    """Filter y and its regressors by the autoregression of the residual of y, unless that is below `floor`.

    The order is 10 log10(n), at most a quarter of the rows (Cochrane & Orcutt 1949, JASA 44, with more lags).
    """
    from scipy.signal import lfilter

    n_rows = len(y)
    lags = min(int(10 * np.log10(max(n_rows, 1))), n_rows // 4)
    residual = y - columns @ np.linalg.lstsq(columns, y, rcond=None)[0]
    # Rounding errors have an autocorrelation too, but none to go by.
    if lags < 1 or np.abs(residual).max() <= floor:
        return y, columns
    past = np.column_stack([residual[lags - k : n_rows - k] for k in range(1, lags + 1)])
    weights = np.linalg.lstsq(past, residual[lags:], rcond=None)[0]
    white = lfilter(np.append(1.0, -weights), [1.0], np.column_stack([y, columns]), axis=0)[lags:]
    return white[:, 0], white[:, 1:]


def typical_size(values: np.ndarray, floor: float) -> float:
    """Standard deviation, or the root mean square where it is below `floor`; 1 for zeros and nothing."""
    values = values[np.isfinite(values)]
    if not len(values):
        return 1.0
    size = float(np.sqrt(np.mean(values**2)))
    spread = float(np.std(values))
    return spread if spread > floor else size or 1.0


def difference_polynomial(spec: Spec) -> np.ndarray:
    """(1 - L)^d (1 - L^s)^D, from power 0 up."""
    polynomial = np.ones(1)
    for _ in range(spec.order[1]):
        polynomial = np.convolve(polynomial, [1.0, -1.0])
    for _ in range(spec.seasonal_order[1]):
        polynomial = np.convolve(polynomial, spread_out(np.array([-1.0]), spec.seasonal_order[3]))
    return polynomial


def taken_away(y: np.ndarray, spec: Spec) -> np.ndarray:
    """The series through the first rows of y, which are observed in part, that the differences turn into zeros.

    The model of what is left is the same, but its start is near 0: neither a level of a billion times the changes nor
    a steep trend has to fit into the prior of the filter.
    """
    from scipy.signal import lfilter, lfiltic

    n = spec.n_lost
    if not n or not np.isfinite(y[:n]).any():
        return np.zeros(len(y))
    head, polynomial = fill_gaps(y[:n]), difference_polynomial(spec)
    rest = lfilter([1.0], polynomial, np.zeros(len(y) - len(head)), zi=lfiltic([1.0], polynomial, head[::-1]))[0]
    return np.concatenate([head, rest])


def make_model(y: np.ndarray, regressors: np.ndarray, spec: Spec, **options: Any) -> Any:
    """Build the state-space model of a regression with ARIMA errors."""
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    return SARIMAX(
        np.array(y),
        exog=np.array(regressors) if regressors.shape[1] else None,
        order=spec.order,
        seasonal_order=spec.seasonal_order,
        **options,
    )


class Fit(NamedTuple):
    """Parameters in statsmodels' order, the scale of the fit, and how it ended; in units of the model or data."""

    params: np.ndarray
    scale: float
    log_likelihood: float
    out_of_iterations: bool
    converged: bool


def fit_model(
    y: np.ndarray, regressors: np.ndarray, spec: Spec, max_iter: int, *, try_again: bool = True, **options: Any
) -> Fit:
    """Maximise the likelihood, on data scaled to unit size and regressors that hardly correlate.

    The optimiser needs both: a covariate in thousands beside one in hundredths, or a constant beside errors close to a
    random walk, take it hundreds of iterations otherwise. Where it gives up it may `try_again` from elsewhere.
    """
    centre, sizes = location_and_size(regressors, spec)
    regressors = (regressors - centre) / sizes
    changes = difference(y, spec)
    floor = rounding(y, spec)
    scale = typical_size(changes if np.nanmax(np.abs(changes), initial=0.0) > floor else y, floor)
    start, rotation = precondition(fill_gaps(y) / scale, regressors, spec)
    left = y / scale - regressors @ start
    left = left - taken_away(left, spec)
    if np.nanmax(np.abs(difference(left, spec)), initial=0.0) < max(EXACT, floor / scale):
        return exact_fit(in_units(start * scale, centre, sizes, spec), spec, scale)
    model = make_model(
        left, regressors @ rotation, spec, concentrate_scale=True, initial_variance=DIFFUSE_VARIANCE, **options
    )
    n_regressors = rotation.shape[1]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # The optimiser's start values are its own business; how it ended is looked at below.
        warnings.simplefilter("ignore")
        best = maximise(model, n_regressors, max_iter, autoregression(left, spec) if try_again else None)
    rotated, arma = np.split(best.params, [n_regressors])
    coefficients = in_units((start + rotation @ rotated) * scale, centre, sizes, spec)
    params = np.concatenate([coefficients, arma, [best.scale * scale**2]])
    return best._replace(params=params, scale=scale)


def location_and_size(regressors: np.ndarray, spec: Spec) -> tuple[np.ndarray, np.ndarray]:
    """What to subtract from each regressor, 0 where that would change the model, and what to divide it by then."""
    absorbed = "c" in (spec.trend or "") or spec.n_lost > 0  # by the constant, or by the differences
    centre = regressors.mean(axis=0) if absorbed else np.zeros(regressors.shape[1])
    if "c" in (spec.trend or ""):
        centre[0] = 0.0  # the constant itself
    sizes = np.abs(regressors - centre).max(axis=0, initial=0.0)
    sizes[sizes == 0] = 1.0
    return centre, sizes


def in_units(coefficients: np.ndarray, centre: np.ndarray, sizes: np.ndarray, spec: Spec) -> np.ndarray:
    """The coefficients of the regressors as they were given, from those of the centred and divided ones."""
    coefficients = coefficients / sizes
    if "c" in (spec.trend or ""):
        coefficients[0] -= coefficients @ centre
    return coefficients


def maximise(model: Any, n_regressors: int, max_iter: int, elsewhere: np.ndarray | None) -> Fit:
    """Climb from the start values of statsmodels, and where that leads nowhere from others, at last without gradients.

    The coefficients of the regressors start at 0; `elsewhere` holds other start values of the autoregression, or None.
    """
    first = np.array(model.start_params, dtype=float)
    first[:n_regressors] = 0.0
    if not len(first):  # a pure random walk has nothing to search for
        result = model.smooth(first)
        return Fit(first, result.scale, float(result.llf), False, True)
    best = climb(model, first, max_iter)
    if elsewhere is None or best.out_of_iterations:
        return best
    if best.converged:
        return go_on(model, best, max_iter)
    second = np.zeros(len(first))
    second[n_regressors : n_regressors + len(elsewhere)] = elsewhere
    # What the second search starts from is a model at least, whatever becomes of the searches.
    best = better(better(best, arrived(model.smooth(second), False)), climb(model, second, max_iter))
    return best if best.converged else better(best, climb(model, best.params, max_iter * len(first), "nm"))


def go_on(model: Any, best: Fit, max_iter: int) -> Fit:
    """Climb again from where an optimiser arrived, as long as that gains: on a narrow ridge it stops halfway."""
    for _ in range(MOST_CLIMBS):
        further = climb(model, best.params, max_iter)
        if further.log_likelihood < best.log_likelihood + LIKELIHOOD_STEP:
            break
        best = further._replace(converged=True)
    return best


def climb(model: Any, start: np.ndarray, max_iter: int, method: str = "lbfgs") -> Fit:
    """One run of an optimiser."""
    try:
        result = model.fit(start, method=method, disp=0, maxiter=max_iter, cov_type="none")
    except (np.linalg.LinAlgError, ValueError):  # start values on the edge of what is stationary
        return Fit(start, 1.0, -np.inf, False, False)
    ended = result.mle_retvals
    # L-BFGS reports failure as well where its line search cannot tell a flat top from rounding.
    flat = np.abs(ended.get("gopt", np.inf)).max() < FLAT
    return arrived(result, bool(ended["converged"] or flat), ended["warnflag"] == 1)


def arrived(result: Any, converged: bool, out_of_iterations: bool = False) -> Fit:
    """Where an optimiser ended, without a likelihood if that is none."""
    known = np.isfinite(result.llf) and np.isfinite(result.params).all()
    # On the unit circle itself the variance of the first state is nothing but rounding, and the likelihood as well.
    known = known and np.abs(result.arroots).min(initial=np.inf) > 1 + ON_THE_CIRCLE
    likelihood = float(result.llf) if known else -np.inf
    params, scale = np.asarray(result.params), float(result.scale)
    return Fit(params, scale, likelihood, out_of_iterations, bool(known and converged))


def better(one: Fit, other: Fit) -> Fit:
    """The one with the higher likelihood; of two that are as high, the one that converged."""
    return max(one, other, key=lambda found: found.log_likelihood + found.converged * LIKELIHOOD_STEP)


def autoregression(y: np.ndarray, spec: Spec) -> np.ndarray:
    """Autoregression of the differences by least squares, brought inside the stationary region."""
    changes, p = fill_gaps(difference(y, spec)), spec.order[0]
    past = np.column_stack([changes[p - k : len(changes) - k] for k in range(1, p + 1)]) if p else np.empty((0, 0))
    phi = np.linalg.lstsq(past, changes[p:], rcond=None)[0] if p else np.empty(0)
    largest = np.abs(np.roots(np.append(1.0, -phi))).max(initial=0.0)
    # phi(k) r^k has all roots of phi times r
    return phi * min(1.0, LARGEST_START / (largest or 1.0)) ** np.arange(1, p + 1)


def exact_fit(coefficients: np.ndarray, spec: Spec, scale: float) -> Fit:
    """The model of a series that the regressors and differences explain without rest, where no likelihood is finite."""
    # The filter divides by the variance, so it cannot be 0.
    params = np.concatenate([coefficients, np.zeros(spec.n_lags), [(EXACT * scale) ** 2]])
    return Fit(params, scale, EXACT_LIKELIHOOD, False, True)


def precondition(y: np.ndarray, regressors: np.ndarray, spec: Spec) -> tuple[np.ndarray, np.ndarray]:
    """Start values for the coefficients, and a rotation that makes the whitened regressors orthonormal.

    Directions in which the regressors do not vary, after the differences, are left out: their coefficients stay 0. What
    the whitening takes away, such as a constant beside errors with a unit root, starts at a fit to the series as it is,
    and is stretched no further than `FLATTEST` allows: the whitening is an estimate.
    """
    changes, moves = difference(y, spec), difference(regressors, spec)
    white_y, white_x = whiten(changes, moves, rounding(y, spec))
    left, sizes, directions = np.linalg.svd(white_x, full_matrices=False)
    before = np.linalg.norm(moves @ directions.T, axis=0)
    moving = before > SMALLEST_DIRECTION * np.linalg.norm(moves)
    keep = moving & (sizes > SMALLEST_DIRECTION * before)
    start = directions[keep].T @ (left.T[keep] @ white_y / sizes[keep])
    rest = directions[moving & ~keep].T
    start = start + rest @ np.linalg.lstsq(moves @ rest, changes - moves @ start, rcond=None)[0]
    sizes = np.maximum(sizes, FLATTEST * before)[moving]
    return start, directions[moving].T / sizes * np.sqrt(len(white_y))


def forecast_model(
    y: np.ndarray, regressors: np.ndarray, spec: Spec, params: np.ndarray, cutoffs: np.ndarray, steps: int
) -> np.ndarray:
    """Forecast from many cutoffs with one pass of the Kalman filter.

    With the effect d(t) of the regressors, the predicted state a(t), its transition T and the design Z,
    y(c + h) = d(c + h) + Z a(c + h), where a(t + 1) = T a(t) beyond the cutoff c. The filter runs on numbers without a
    unit: what d and the differences leave, divided by the standard deviation of the shocks.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        NaN where nothing was observed, and in all rows after the last cutoff.
    regressors : ndarray of shape (n_rows, n_regressors)
        Known in every row; n_rows reaches the last cutoff + steps.
    params : ndarray
    cutoffs : ndarray of int, shape (n_cutoffs,)

    Returns
    -------
    ndarray of shape (n_cutoffs, steps)

    References
    ----------
    Durbin & Koopman (2012), "Time series analysis by state space methods", 2nd ed., sections 4.3, 4.11 and 5.2.
    """
    from statsmodels.tsa.statespace import kalman_filter as kf

    unit = np.sqrt(params[-1])
    level = regressors @ params[: regressors.shape[1]]
    level = level + taken_away(y - level, spec)
    model = standard_model((y - level) / unit, params[regressors.shape[1] :], spec)
    spare = kf.MEMORY_CONSERVE & ~kf.MEMORY_NO_PREDICTED | kf.MEMORY_NO_PREDICTED_COV
    state = model.ssm.filter(conserve_memory=spare).predicted_state[:, cutoffs + 1].T  # (n_cutoffs, n_states)
    observation, transition = model.ssm["design"][0], model.ssm["transition"]
    out = np.empty((len(cutoffs), steps))
    for h in range(1, steps + 1):
        out[:, h - 1] = level[cutoffs + h] + unit * (state @ observation)
        state = state @ transition.T
    return out


def standard_model(y: np.ndarray, arma: np.ndarray, spec: Spec) -> Any:
    """The model of errors with shocks of variance 1, about whose start nothing is known."""
    model = make_model(y, np.empty((len(y), 0)), spec, use_exact_diffuse=True)
    model.update(np.append(arma[:-1], 1.0))
    return model


def lag_polynomials(params: np.ndarray, spec: Spec) -> tuple[np.ndarray, np.ndarray]:
    """phi(L) Phi(L^s) and theta(L) Theta(L^s), from power 0 up."""
    p, _, q = spec.order
    P, _, Q, s = spec.seasonal_order
    ends = np.cumsum([p, q, P, Q])
    arma = params[len(params) - 1 - ends[-1] : -1]  # the variance comes last
    phi, theta, seasonal_phi, seasonal_theta = np.split(arma, ends[:-1])
    ar = np.convolve(np.append(1.0, -phi), spread_out(-seasonal_phi, s))
    ma = np.convolve(np.append(1.0, theta), spread_out(seasonal_theta, s))
    return ar, ma


def spread_out(coefficients: np.ndarray, season: int) -> np.ndarray:
    """1 + a L + b L^2 -> 1 + a L^s + b L^2s."""
    out = np.zeros(len(coefficients) * season + 1)
    out[0] = 1.0
    out[season :: season or 1][: len(coefficients)] = coefficients
    return out


def forecast_deviation(params: np.ndarray, spec: Spec, steps: int) -> np.ndarray:
    """Standard deviation of the forecast errors of steps 1..steps: sigma^2 times the sum of psi(j)^2 for j < h.

    psi are the weights of past shocks, theta(L) / (phi(L) (1 - L)^d (1 - L^s)^D) (Box, Jenkins & Reinsel 2008, section
    5.1.1). The errors of the parameters are left out, as is usual.
    """
    from scipy.signal import lfilter

    ar, ma = lag_polynomials(params, spec)
    ar = np.convolve(ar, difference_polynomial(spec))
    psi = lfilter(ma, ar, np.eye(1, steps)[0])
    return np.sqrt(params[-1] * np.cumsum(psi**2))


def constant_model(y: np.ndarray, exog: np.ndarray) -> tuple[Spec, Fit]:
    """The model of a series that never changes, whatever was asked for: its value, and covariates without effect."""
    value = float(np.nanmax(y))
    spec = Spec((0, 0, 0), trend="c")
    return spec, exact_fit(np.append(value, np.zeros(exog.shape[1])), spec, abs(value) or 1.0)
