"""ARIMA with regressors, and the search for its orders, on statsmodels' state-space models.

A fitted forecaster holds plain arrays. Forecasts from many cutoffs take one pass of the Kalman filter over the
history; from each cutoff the predicted state is then carried forward. Pure functions first, classes last. Imports
frames, checks, exceptions, base and naive; statsmodels when a model is built.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from scipy.signal import lfilter
from scipy.stats import norm
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from .._checks import check_choice, check_int
from ..exceptions import DataError
from ..frames import season_length as season_of
from ..frames import some
from .base import BaseForecaster
from .naive import carry_forward

__all__ = ["ARIMAForecaster", "AutoARIMAForecaster"]

TRENDS = (None, "c", "t", "ct")
SEASONALS = ("auto", "arima", "fourier", None)
#: Prior variance of a state that nothing is known of, in units of the squared scale of the differenced series.
DIFFUSE_VARIANCE = 1e6
#: Longest season for which the state of a seasonal ARIMA, which grows with it, is still quick to filter.
LONGEST_SEASONAL_ARIMA = 12
#: A seasonal difference is taken above this strength of seasonality (Wang, Smith & Hyndman 2006; FPP3 section 9.9).
STRONG_SEASONALITY = 0.64
#: Level of the unit-root tests.
TEST_LEVEL = 0.05
#: Roots of the AR and MA polynomials nearer to the unit circle than this make a model useless for forecasts.
CLOSEST_ROOT = 1.001
#: Iterations for one model of the search; the model chosen is fitted to the end.
SEARCH_ITERATIONS = 50
MAX_SEARCH_MODELS = 94
#: Errors smaller than this, in units of the series, are none.
EXACT = 1e-8
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

    def __str__(self):
        seasonal = str(self.seasonal_order) if any(self.seasonal_order) else ""
        return f"ARIMA{self.order}{seasonal}"


# ---------------------------------------------------------------------- regressors


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


def design(spec: Spec, exog: np.ndarray, position: np.ndarray) -> np.ndarray:
    """All regressors of a model: trend, covariates, Fourier terms."""
    fourier = fourier_terms(position, spec.season, spec.harmonics)
    return np.hstack([trend_terms(position, spec.trend), exog, fourier])


# ---------------------------------------------------------------------- one model


def difference(values: np.ndarray, spec: Spec) -> np.ndarray:
    """(1 - L)^d (1 - L^s)^D values, along the rows."""
    for _ in range(spec.seasonal_order[1]):
        values = values[spec.seasonal_order[3] :] - values[: -spec.seasonal_order[3]]
    return np.diff(values, spec.order[1], axis=0)


def typical_size(values: np.ndarray) -> float:
    """Standard deviation, or the root mean square of a series that does not vary; 1 for zeros and nothing."""
    values = values[np.isfinite(values)]
    if not len(values):
        return 1.0
    size = float(np.sqrt(np.mean(values**2)))
    spread = float(np.std(values))
    return spread if spread > 1e-8 * size else size or 1.0


def make_model(y, regressors, spec: Spec, scale: float, **options):
    """Build the state-space model of a regression with ARIMA errors.

    The prior variance follows the scale of the series, so that forecasts scale with the data.
    """
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    return SARIMAX(
        np.array(y),
        exog=np.array(regressors) if regressors.shape[1] else None,
        order=spec.order,
        seasonal_order=spec.seasonal_order,
        initial_variance=DIFFUSE_VARIANCE * scale**2,
        **options,
    )


class Fit(NamedTuple):
    """Parameters in the units of the data and statsmodels' order, the scale of the fit, and how it ended."""

    params: np.ndarray
    scale: float
    log_likelihood: float
    out_of_iterations: bool
    converged: bool


def fit_model(y, regressors, spec: Spec, max_iter: int, **options) -> Fit:
    """Maximise the likelihood, on data scaled to unit size and regressors that hardly correlate.

    The optimiser needs both: a covariate in thousands beside one in hundredths, or a constant beside errors close to a
    random walk, take it hundreds of iterations otherwise.
    """
    changes = difference(y, spec)
    scale = typical_size(changes if np.nan_to_num(changes).any() else y)
    start, rotation = precondition(fill_gaps(y) / scale, regressors, spec)
    left = y / scale - regressors @ start
    if np.nanmax(np.abs(difference(left, spec)), initial=0.0) < EXACT:
        return exact_fit(start * scale, spec, scale)
    model = make_model(left, regressors @ rotation, spec, 1.0, concentrate_scale=True, **options)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # The optimiser's start values are its own business; how it ended is looked at below.
        warnings.simplefilter("ignore")
        first = np.array(model.start_params, dtype=float)
        first[: rotation.shape[1]] = 0.0
        # A pure random walk has nothing to search for.
        result = model.fit(first, disp=0, maxiter=max_iter, cov_type="none") if len(first) else model.smooth(first)
    rotated, arma = np.split(np.asarray(result.params), [rotation.shape[1]])
    coefficients = (start + rotation @ rotated) * scale
    params = np.concatenate([coefficients, arma, [result.scale * scale**2]])
    ended = result.mle_retvals if len(first) else {"converged": True}
    return Fit(params, scale, float(result.llf), ended.get("warnflag") == 1, bool(ended["converged"]))


def exact_fit(coefficients, spec: Spec, scale: float) -> Fit:
    """The model of a series that the regressors and differences explain without rest, where no likelihood is finite."""
    n_arma = sum(spec.order[::2]) + sum(spec.seasonal_order[:3:2])
    # The filter divides by the variance, so it cannot be 0.
    params = np.concatenate([coefficients, np.zeros(n_arma), [(EXACT * scale) ** 2]])
    return Fit(params, scale, EXACT_LIKELIHOOD, False, True)


def precondition(y, regressors, spec: Spec) -> tuple[np.ndarray, np.ndarray]:
    """Start values for the coefficients, and a rotation that makes the whitened regressors orthonormal.

    Directions in which the regressors do not vary, after the differences, are left out: their coefficients stay 0.
    """
    white_y, white_x = whiten(difference(y, spec), difference(regressors, spec))
    start = np.linalg.lstsq(white_x, white_y, rcond=None)[0]
    _, sizes, directions = np.linalg.svd(white_x, full_matrices=False)
    keep = sizes > 1e-9 * sizes.max(initial=0.0)
    return start, directions[keep].T / sizes[keep] * np.sqrt(len(white_y))


def forecast_model(y, regressors, spec, fitted, cutoffs, steps) -> np.ndarray:
    """Forecast from many cutoffs with one pass of the Kalman filter.

    With the effect d(t) of the regressors, the predicted state a(t), its transition T and the design Z,
    y(c + h) = d(c + h) + Z a(c + h), where a(t + 1) = T a(t) beyond the cutoff c.

    Parameters
    ----------
    y : ndarray of shape (n_rows,)
        NaN where nothing was observed, and in all rows after the last cutoff.
    regressors : ndarray of shape (n_rows, n_regressors)
        Known in every row; n_rows reaches the last cutoff + steps.
    fitted : tuple of (ndarray, float)
        Parameters and scale.
    cutoffs : ndarray of int, shape (n_cutoffs,)

    Returns
    -------
    ndarray of shape (n_cutoffs, steps)

    References
    ----------
    Durbin & Koopman (2012), "Time series analysis by state space methods", 2nd ed., sections 4.3 and 4.11.
    """
    from statsmodels.tsa.statespace import kalman_filter as kf

    params, scale = fitted
    model = make_model(y, regressors, spec, scale)
    model.update(params)
    spare = kf.MEMORY_CONSERVE & ~kf.MEMORY_NO_PREDICTED | kf.MEMORY_NO_PREDICTED_COV
    state = model.ssm.filter(conserve_memory=spare).predicted_state[:, cutoffs + 1].T  # (n_cutoffs, n_states)
    observation, transition = model.ssm["design"][0], model.ssm["transition"]
    # Without regressors there is one intercept, 0, for all rows.
    level = np.broadcast_to(model.ssm["obs_intercept"].reshape(1, -1), (1, len(y)))[0]
    out = np.empty((len(cutoffs), steps))
    for h in range(1, steps + 1):
        out[:, h - 1] = level[cutoffs + h] + state @ observation
        state = state @ transition.T
    return out


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
    ar, ma = lag_polynomials(params, spec)
    for _ in range(spec.order[1]):
        ar = np.convolve(ar, [1.0, -1.0])
    for _ in range(spec.seasonal_order[1]):
        ar = np.convolve(ar, spread_out(np.array([-1.0]), spec.seasonal_order[3]))
    psi = lfilter(ma, ar, np.eye(1, steps)[0])
    return np.sqrt(params[-1] * np.cumsum(psi**2))


# ---------------------------------------------------------------------- choosing an order


def fill_gaps(y: np.ndarray) -> np.ndarray:
    """Interpolate, for tests and regressions that cannot pass over missing values; rows at the ends are repeated."""
    rows = np.arange(len(y))
    seen = np.isfinite(y)
    return np.interp(rows, rows[seen], y[seen])


def rejects_stationarity(y: np.ndarray) -> bool:
    """Test of Kwiatkowski, Phillips, Schmidt & Shin (1992), Journal of Econometrics 54, around a level."""
    from statsmodels.tsa.stattools import kpss

    return p_value(kpss, y, regression="c", nlags="auto") < TEST_LEVEL


def rejects_unit_root(y: np.ndarray) -> bool:
    """Augmented Dickey-Fuller test, Said & Dickey (1984), Biometrika 71, with lags chosen by AIC."""
    from statsmodels.tsa.stattools import adfuller

    return p_value(adfuller, y, autolag="AIC") < TEST_LEVEL


def p_value(test, y, **options) -> float:
    """The p-value without warnings of values beyond the table, or of a form of result that is read by position."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(test(y, **options)[1])


def count_differences(y: np.ndarray, max_d: int) -> int:
    """How often to difference: once if KPSS rejects stationarity, again if Dickey-Fuller sees a unit root as well.

    The first difference asks KPSS alone. A level that wanders slowly often passes for stationary with Dickey-Fuller,
    and a mean fitted to the last season of the year is far off in the next.
    """
    d = 0
    while d < max_d and len(y) >= 12 and np.ptp(y) > EXACT * np.abs(y).max():
        if not rejects_stationarity(y) or (d and rejects_unit_root(y)):
            break
        y, d = np.diff(y), d + 1
    return d


def seasonal_strength(y: np.ndarray, season: int) -> float:
    """1 - Var(remainder) / Var(seasonal + remainder) of an STL decomposition, at least 0.

    References
    ----------
    Hyndman & Athanasopoulos (2021), "Forecasting: principles and practice", 3rd ed., section 4.3.
    """
    from statsmodels.tsa.seasonal import STL

    parts = STL(y, period=season).fit()
    total = np.var(parts.seasonal + parts.resid)
    return max(0.0, 1 - np.var(parts.resid) / total) if total > 0 else 0.0


def whiten(y: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Filter y and its regressors by the autoregression of the residual of y.

    The order is 10 log10(n), at most a quarter of the rows (Cochrane & Orcutt 1949, JASA 44, with more lags).
    """
    n_rows = len(y)
    lags = min(int(10 * np.log10(max(n_rows, 1))), n_rows // 4)
    residual = y - columns @ np.linalg.lstsq(columns, y, rcond=None)[0]
    # Rounding errors have an autocorrelation too, but none to go by.
    if lags < 1 or np.abs(residual).max() <= EXACT * np.abs(y).max():
        return y, columns
    past = np.column_stack([residual[lags - k : n_rows - k] for k in range(1, lags + 1)])
    weights = np.linalg.lstsq(past, residual[lags:], rcond=None)[0]
    white = lfilter(np.append(1.0, -weights), [1.0], np.column_stack([y, columns]), axis=0)[lags:]
    return white[:, 0], white[:, 1:]


def regress(y: np.ndarray, regressors: np.ndarray, spec: Spec) -> tuple[np.ndarray, float]:
    """Regression with autocorrelated errors in two stages, with a constant in the differenced series.

    Returns
    -------
    coefficients : ndarray of shape (n_regressors,)
    aicc : float
        Of the second regression; comparable for the same y and differences.
    """
    y, regressors = difference(y, spec), difference(regressors, spec)
    white_y, white_x = whiten(y, np.hstack([np.ones((len(y), 1)), regressors]))
    coefficients = np.linalg.lstsq(white_x, white_y, rcond=None)[0]
    variance = max(np.mean((white_y - white_x @ coefficients) ** 2), 1e-300)
    return coefficients[1:], aicc(-0.5 * len(white_y) * np.log(variance), white_x.shape[1] + 1, len(white_y))


def aicc(log_likelihood: float, n_parameters: int, n_rows: int) -> float:
    """Akaike's criterion with the correction for small samples (Hurvich & Tsai 1989)."""
    if n_rows <= n_parameters + 1:
        return np.inf
    return -2 * log_likelihood + 2 * n_parameters * n_rows / (n_rows - n_parameters - 1)


def choose_harmonics(y, exog, position, season: int, most: int) -> int:
    """How many pairs of Fourier terms have the lowest AICc; none where two seasons are not there."""
    if season < 2 or len(y) < 2 * season:
        return 0
    counts = range(min(most, season // 2) + 1)
    specs = [Spec((0, 0, 0), harmonics=k, season=season) for k in counts]
    return int(np.argmin([regress(y, design(spec, exog, position), spec)[1] for spec in specs]))


def near_unit_root(params: np.ndarray, spec: Spec) -> bool:
    """Whether a root of the AR or MA polynomial is closer to the unit circle than `CLOSEST_ROOT`."""
    # np.roots wants the highest power first, so these are the inverse roots.
    inverse = [np.abs(np.roots(polynomial)) for polynomial in lag_polynomials(params, spec)]
    return bool((np.concatenate(inverse) > 1 / CLOSEST_ROOT).any())


class Search:
    """Stepwise search for the orders with the lowest AICc, on a series whose regressors are already taken off.

    References
    ----------
    Hyndman & Khandakar (2008), "Automatic time series forecasting: the forecast package for R", Journal of
    Statistical Software 27(3), section 3.2.
    """

    def __init__(self, y: np.ndarray, base: Spec, limits: tuple[int, int, int, int]):
        self.y = y
        self.base = base
        self.limits = limits  # of p, q, P, Q
        self.scores: dict[Spec, float] = {}

    def run(self) -> Spec:
        """Start from four models and move to better neighbours until there is none."""
        best = min(self._starts(), key=self.score)
        while len(self.scores) < MAX_SEARCH_MODELS:
            # The first neighbour that is better is taken, not the best of all.
            better = next((s for s in self._neighbours(best) if self.score(s) < self.score(best)), None)
            if better is None:
                break
            best = better
        return best

    def score(self, spec: Spec) -> float:
        """AICc of a model; infinite if it cannot be fitted or is close to a unit root."""
        if spec not in self.scores:
            self.scores[spec] = self._score(spec)
        return self.scores[spec]

    def _score(self, spec):
        trend = trend_terms(np.arange(len(self.y)), spec.trend)
        try:
            fit = fit_model(self.y, trend, spec, SEARCH_ITERATIONS, simple_differencing=True)
        except (np.linalg.LinAlgError, ValueError, IndexError):
            return np.inf
        if np.isnan(fit.log_likelihood) or near_unit_root(fit.params, spec):
            return np.inf
        observed = int(np.isfinite(difference(self.y, spec)).sum())
        return aicc(fit.log_likelihood, len(fit.params), observed)

    def _trends(self):
        # A level, or a drift after one difference; after two it would be a quadratic trend.
        differences = self.base.order[1] + self.base.seasonal_order[1]
        return (("c", None), ("t", None), (None,))[min(differences, 2)]

    def _with(self, orders: Sequence[int], trend: str | None) -> Spec:
        """The base with these p, q, P, Q."""
        p, q, P, Q = orders
        (_, d, _), (_, D, _, s) = self.base.order, self.base.seasonal_order
        seasonal_order = (P, D, Q, s) if P or D or Q else (0, 0, 0, 0)
        return self.base._replace(order=(p, d, q), seasonal_order=seasonal_order, trend=trend)

    def _starts(self) -> Iterator[Spec]:
        trend = self._trends()[0]
        for orders in ((2, 2, 1, 1), (0, 0, 0, 0), (1, 0, 1, 0), (0, 1, 0, 1)):
            yield self._with(np.minimum(orders, self.limits).tolist(), trend)
        yield self._with((0, 0, 0, 0), None)

    def _neighbours(self, spec: Spec) -> Iterator[Spec]:
        (p, _, q), (P, _, Q, _) = spec.order, spec.seasonal_order
        yield from (self._with((p, q, P, Q), trend) for trend in self._trends() if trend != spec.trend)
        steps = [step for step in itertools.product((0, 1, -1), repeat=2) if any(step)]
        moves = [(a, b, 0, 0) for a, b in steps] + [(0, 0, a, b) for a, b in steps]
        for move in moves:
            orders = np.add((p, q, P, Q), move)
            if (orders >= 0).all() and (orders <= self.limits).all():
                yield self._with(orders.tolist(), spec.trend)


# ---------------------------------------------------------------------- forecasters


class ARIMABase(BaseForecaster):
    """Shared part: everything but which model is to be fitted.

    A subclass has the parameters ``max_fit_rows`` and ``max_iter`` beside those of the protocol and implements
    ``_check_params()`` and ``_choose(y, exog, position)``, which returns a `Spec`.
    """

    _takes_covariates = True

    def _time_columns(self, index):
        return self.grid_.positions(index, self.origin_)[:, None].astype(float)

    def _split(self, values):
        """Return targets, covariates and positions."""
        n_targets = len(self.targets_)
        return values[:, :n_targets], values[:, n_targets:-1], values[:, -1]

    # BLAS threads only get in each other's way on matrices of a few rows: up to ten times slower on a busy machine.
    @threadpool_limits.wrap(limits=1, user_api="blas")
    def _fit(self, values):
        self._check_params()
        keep = check_int("max_fit_rows", self.max_fit_rows, none=True)
        check_int("max_iter", self.max_iter)
        self.specs_, self.params_, self.scale_, self.converged_ = [], [], [], []
        for k, target in enumerate(self.targets_):
            y, exog, position = self._rows_to_fit(values, k, keep)
            if np.nanmax(y) == np.nanmin(y):
                spec, fit = constant_model(y, exog)
            else:
                spec = self._choose(y, exog, position)
                fit = self._fit_one(target, y, design(spec, exog, position), spec)
            self.specs_.append(tuple(spec))
            self.params_.append(fit.params)
            self.scale_.append(fit.scale)
            self.converged_.append(fit.converged)

    def _rows_to_fit(self, values, k, keep):
        """The last `keep` rows of one target from its first observation on."""
        targets, exog, position = self._split(values)
        exog = self._known_exog(targets[:, k], exog, position)
        start = max(int(np.isfinite(targets[:, k]).argmax()), 0 if keep is None else len(targets) - keep)
        return targets[start:, k], exog[start:], position[start:]

    def _fit_one(self, target, y, regressors, spec) -> Fit:
        n_params = regressors.shape[1] + sum(spec.order[::2]) + sum(spec.seasonal_order[:3:2]) + 1
        observed = int(np.isfinite(y).sum())
        if observed < spec.n_lost + n_params + 1:
            raise DataError(
                f"target {target!r} has {observed} observations to fit, but {spec} with {n_params} parameters needs at "
                f"least {spec.n_lost + n_params + 1}. Pass more history, fewer covariates or a smaller order."
            )
        fit = fit_model(y, regressors, spec, self.max_iter)
        if fit.out_of_iterations:
            warnings.warn(
                f"{spec} of target {target!r} did not converge in {self.max_iter} iterations. Raise max_iter or take a "
                "smaller order.",
                ConvergenceWarning,
                stacklevel=5,
            )
        return fit

    def _known_exog(self, y, exog, position):
        """Covariates without NaN: those of rows where the target is missing too do not matter."""
        unknown = np.isnan(exog)
        wrong = unknown.any(axis=1) & np.isfinite(y)
        if wrong.any():
            names = [name for name, bad in zip(self.future_, unknown[wrong].any(axis=0), strict=True) if bad]
            stamps = self.grid_.between(self.origin_, self.data_.index[-1])
            rows = position[wrong].astype(int)
            shown = some(stamps[rows]) if rows.max() < len(stamps) and rows.min() >= 0 else f"{wrong.sum()} rows"
            raise DataError(
                f"covariate(s) {some(names)} are missing where the target is observed: {shown}. Fill them first, e.g. "
                "df.interpolate() or df.ffill()."
            )
        return np.where(unknown, 0.0, exog)

    def _check_history(self, values, cutoffs):
        super()._check_history(values, cutoffs)
        rows = int(cutoffs.min()) + 1
        needed = max(Spec(*spec).n_lost for spec in self.specs_)
        if rows < needed:
            raise DataError(
                f"history has {rows} rows up to the cutoff, but the differences of the model need at least {needed}. "
                "Pass more history."
            )

    @threadpool_limits.wrap(limits=1, user_api="blas")
    def _forecast(self, values, cutoffs, steps):
        cutoffs = np.asarray(cutoffs)
        last = int(cutoffs.max())
        targets, exog, position = self._split(values[: last + 1 + steps])
        targets = np.where(np.arange(len(targets))[:, None] <= last, targets, np.nan)
        out = np.empty((len(cutoffs), steps, targets.shape[1]))
        for k, spec in enumerate(self._specs()):
            y = targets[:, k]
            regressors = design(spec, self._known_exog(y, exog, position), position)
            fitted = (self.params_[k], self.scale_[k])
            out[:, :, k] = forecast_model(y, regressors, spec, fitted, cutoffs, steps)
            # Fitted values of rows that the differences use up: the last observation, not the prior of the filter.
            early = cutoffs + 1 < spec.n_lost
            out[early, :, k] = carry_forward(targets[:, [k]], cutoffs[early])
        return out

    def _spread(self, steps, quantiles):
        pairs = zip(self.params_, self._specs(), strict=True)
        deviation = np.column_stack([forecast_deviation(params, spec, steps) for params, spec in pairs])
        return deviation[:, :, None] * norm.ppf(quantiles)

    def _specs(self) -> list[Spec]:
        return [Spec(*spec) for spec in self.specs_]

    def _fitted(self, name):
        values = [getattr(spec, name) for spec in self._specs()]
        return values[0] if len(values) == 1 else values

    @property
    def n_parameters_(self) -> int:
        """Parameters estimated, the variances included, over all targets."""
        return sum(len(params) for params in self.params_)

    @property
    def order_(self):
        """(p, d, q); a list of them for several targets."""
        return self._fitted("order")

    @property
    def seasonal_order_(self):
        """(P, D, Q, s); a list of them for several targets."""
        return self._fitted("seasonal_order")

    @property
    def trend_(self):
        """The trend; a list for several targets."""
        return self._fitted("trend")

    @property
    def harmonics_(self):
        """Pairs of Fourier terms; a list for several targets."""
        return self._fitted("harmonics")


class ARIMAForecaster(ARIMABase):
    """Forecast with a seasonal ARIMA model, with covariates and Fourier terms as regressors.

    Parameters
    ----------
    order : tuple of (p, d, q)
        Autoregressive lags, differences, moving-average lags.
    seasonal_order : tuple of (P, D, Q, s)
        The same for lags of whole seasons of s rows. Seasons above 12 rows are slow: use `harmonics`.
    trend : {None, "c", "t", "ct"}
        Constant, linear in time, or both, as regressors. "t" with d = 1 is a drift. Differences take a constant away,
        so "c" needs d = D = 0; None with d = D = 0 says that the mean is zero.
    harmonics : int
        Pairs of Fourier terms of the season as regressors (dynamic harmonic regression).
    season_length : int, optional
        Rows in the season of `harmonics`. By default the usual one of the frequency: a day of hours.
    target : str or list of str, optional
        Column(s) of X to forecast when no y is given; None means all. Each is fitted by itself.
    future_covariates : list of str, optional
        Columns known ahead, with a linear effect.
    freq : str, optional
        Frequency of the index where it cannot be inferred.
    max_fit_rows : int, optional
        Estimate the parameters on the last rows only. Forecasts read the whole history all the same.
    max_iter : int
        Iterations of the optimiser.

    Attributes
    ----------
    params_ : list of ndarray, one per target
        In the units of the data and the order of statsmodels: trend, covariates, Fourier terms, AR, MA, seasonal AR,
        seasonal MA, variance.
    n_parameters_ : int
    converged_ : list of bool, one per target
    order_, seasonal_order_, trend_, harmonics_ : one value, or a list for several targets

    Notes
    -----
    Missing observations are passed over by the Kalman filter. Fitted values of the first d + D * s rows are the last
    observation. Intervals are normal and leave out the error of the parameters.

    References
    ----------
    Durbin & Koopman (2012), "Time series analysis by state space methods", 2nd ed. Hyndman & Athanasopoulos (2021),
    "Forecasting: principles and practice", 3rd ed., chapters 9 and 10.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> walk = np.cumsum(np.random.default_rng(0).normal(size=200))
    >>> y = pd.Series(walk, index=pd.date_range("2024-01-01", periods=200, freq="D"), name="level")
    >>> model = ARIMAForecaster(order=(0, 1, 0)).fit(y)
    >>> bool(np.isclose(model.forecast(3)["level"], walk[-1]).all())
    True
    """

    def __init__(
        self,
        order=(1, 1, 1),
        seasonal_order=(0, 0, 0, 0),
        trend=None,
        harmonics=0,
        season_length=None,
        target=None,
        future_covariates=None,
        freq=None,
        max_fit_rows=None,
        max_iter=200,
    ):
        self.order = order
        self.seasonal_order = seasonal_order
        self.trend = trend
        self.harmonics = harmonics
        self.season_length = season_length
        self.target = target
        self.future_covariates = future_covariates
        self.freq = freq
        self.max_fit_rows = max_fit_rows
        self.max_iter = max_iter

    def _check_params(self):
        check_orders("order", self.order, "(p, d, q)")
        check_orders("seasonal_order", self.seasonal_order, "(P, D, Q, s)")
        if any(self.seasonal_order[:3]) and self.seasonal_order[3] < 2:
            raise DataError(
                f"seasonal_order={self.seasonal_order!r} has no season: its last number, the rows in a season, must be "
                "at least 2."
            )
        check_choice("trend", self.trend, TRENDS)
        if "c" in (self.trend or "") and self.order[1] + self.seasonal_order[1]:
            raise DataError(
                f"trend={self.trend!r} holds a constant, which the differences of order={self.order!r}, "
                f"seasonal_order={self.seasonal_order!r} take away. Use trend='t' for a drift, or None."
            )
        check_int("harmonics", self.harmonics, 0)
        check_int("season_length", self.season_length, none=True)

    def _choose(self, y, exog, position):
        season = season_of(self.grid_.freq) if self.season_length is None else self.season_length
        if self.harmonics > season // 2:
            raise DataError(f"harmonics={self.harmonics}, but a season of {season} rows has at most {season // 2}.")
        seasonal = tuple(self.seasonal_order) if any(self.seasonal_order[:3]) else (0, 0, 0, 0)
        return Spec(tuple(self.order), seasonal, self.trend, self.harmonics, season)


class AutoARIMAForecaster(ARIMABase):
    """Forecast with an ARIMA model whose orders are found on the training rows.

    The number of differences comes from tests for a unit root, the orders from a stepwise search for the lowest AICc.
    A season of up to 12 rows is modelled by seasonal ARIMA terms, a longer one by Fourier terms.

    Parameters
    ----------
    season_length : int, optional
        Rows in a season. By default the usual one of the frequency: a day of hours, a week of days, a year of months.
    seasonal : {"auto", "arima", "fourier", None}
        How to model the season; None leaves it out.
    max_p, max_d, max_q, max_P, max_D, max_Q : int
        Largest orders tried.
    max_harmonics : int
        Most pairs of Fourier terms tried.
    target : str or list of str, optional
        Column(s) of X to forecast when no y is given; None means all. Each is fitted by itself.
    future_covariates : list of str, optional
        Columns known ahead, with a linear effect.
    freq : str, optional
        Frequency of the index where it cannot be inferred.
    max_fit_rows : int, optional
        Choose the orders and estimate the parameters on the last rows only. Forecasts read the whole history.
    max_iter : int
        Iterations of the optimiser.

    Attributes
    ----------
    order_, seasonal_order_, trend_, harmonics_ : one value, or a list for several targets
    params_ : list of ndarray, one per target
        In the units of the data and the order of statsmodels: trend, covariates, Fourier terms, AR, MA, seasonal AR,
        seasonal MA, variance.
    n_parameters_ : int
    converged_ : list of bool, one per target

    Notes
    -----
    A difference is taken where the KPSS test rejects stationarity at 5 %, a second one if the augmented Dickey-Fuller
    test does not reject a unit root either; a seasonal one where the strength of seasonality exceeds 0.64. The search
    runs on what a regression with autoregressive errors leaves; the model chosen is then fitted with all its regressors
    together.

    References
    ----------
    Hyndman & Khandakar (2008), "Automatic time series forecasting: the forecast package for R", Journal of
    Statistical Software 27(3). Hyndman & Athanasopoulos (2021), "Forecasting: principles and practice", 3rd ed.,
    sections 9.7 and 10.5 (dynamic harmonic regression).

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> walk = np.cumsum(np.random.default_rng(0).normal(size=200))
    >>> y = pd.Series(walk, index=pd.date_range("2024-01-01", periods=200, freq="D"), name="level")
    >>> AutoARIMAForecaster(seasonal=None).fit(y).order_
    (0, 1, 0)
    """

    def __init__(
        self,
        season_length=None,
        seasonal="auto",
        max_p=3,
        max_d=2,
        max_q=3,
        max_P=1,
        max_D=1,
        max_Q=1,
        max_harmonics=6,
        target=None,
        future_covariates=None,
        freq=None,
        max_fit_rows=2000,
        max_iter=200,
    ):
        self.season_length = season_length
        self.seasonal = seasonal
        self.max_p = max_p
        self.max_d = max_d
        self.max_q = max_q
        self.max_P = max_P
        self.max_D = max_D
        self.max_Q = max_Q
        self.max_harmonics = max_harmonics
        self.target = target
        self.future_covariates = future_covariates
        self.freq = freq
        self.max_fit_rows = max_fit_rows
        self.max_iter = max_iter

    def _check_params(self):
        check_int("season_length", self.season_length, none=True)
        check_choice("seasonal", self.seasonal, SEASONALS)
        for name in ("max_p", "max_d", "max_q", "max_P", "max_D", "max_Q", "max_harmonics"):
            check_int(name, getattr(self, name), 0)

    def _choose(self, y, exog, position):
        season = season_of(self.grid_.freq) if self.season_length is None else self.season_length
        kind = self._seasonal_kind(season, len(y))
        filled = fill_gaps(y)
        most = self.max_harmonics if kind == "fourier" else 0
        plain = Spec((0, 0, 0), harmonics=choose_harmonics(filled, exog, position, season, most), season=season)
        regressors = design(plain, exog, position)
        spec = self._choose_differences(filled - effect(filled, regressors, plain), plain, kind == "arima")
        left = y - effect(filled, regressors, spec)
        seasonal_limits = (self.max_P, self.max_Q) if kind == "arima" else (0, 0)
        return Search(left, spec, (self.max_p, self.max_q, *seasonal_limits)).run()

    def _seasonal_kind(self, season, n_rows):
        kind = self.seasonal
        if kind == "auto":
            kind = "arima" if season <= LONGEST_SEASONAL_ARIMA else "fourier"
        # Two seasons tell the one from the other; a third is left to learn from.
        return None if season < 2 or n_rows < 3 * season else kind

    def _choose_differences(self, y, spec, seasonal):
        s = spec.season if seasonal else 0
        D = int(seasonal and self.max_D > 0 and seasonal_strength(y, s) > STRONG_SEASONALITY)
        spec = spec._replace(seasonal_order=(0, D, 0, s))
        return spec._replace(order=(0, count_differences(difference(y, spec), self.max_d), 0))


def effect(y, regressors, spec) -> np.ndarray:
    """What the regressors add to y, by a regression that allows for autocorrelation."""
    return regressors @ regress(y, regressors, spec)[0] if regressors.shape[1] else np.zeros(len(y))


def constant_model(y, exog) -> tuple[Spec, Fit]:
    """The model of a series that never changes, whatever was asked for: its value, and covariates without effect."""
    value = float(np.nanmax(y))
    spec = Spec((0, 0, 0), trend="c")
    return spec, exact_fit(np.append(value, np.zeros(exog.shape[1])), spec, abs(value) or 1.0)


def check_orders(name, orders, form):
    """Raise unless `orders` is a tuple or list of as many non-negative integers as `form` names."""
    length = form.count(",") + 1
    if not isinstance(orders, (tuple, list)) or len(orders) != length:
        raise DataError(f"{name} must be {length} integers {form}, got {orders!r}.")
    for i, value in enumerate(orders):
        check_int(f"{name}[{i}]", value, 0)
