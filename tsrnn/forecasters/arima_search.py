"""The search for the orders of an ARIMA model: unit-root tests, seasonality, and Hyndman and Khandakar's steps on AICc.

Pure functions first, the search last. Imports arima_model.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .arima_model import (
    Spec,
    design,
    difference,
    fit_model,
    lag_polynomials,
    location_and_size,
    rounding,
    trend_terms,
    whiten,
)

#: A seasonal difference is taken above this strength of seasonality (Wang, Smith & Hyndman 2006; FPP3 section 9.9).
STRONG_SEASONALITY = 0.64
#: Level of the unit-root tests.
TEST_LEVEL = 0.05
#: Roots of the AR and MA polynomials nearer to the unit circle than this make a model useless for forecasts.
CLOSEST_ROOT = 1.001
#: Iterations for one model of the search; the model chosen is fitted to the end.
SEARCH_ITERATIONS = 50
MAX_SEARCH_MODELS = 94


def rejects_stationarity(y: np.ndarray) -> bool:
    """Test of Kwiatkowski, Phillips, Schmidt & Shin (1992), Journal of Econometrics 54, around a level."""
    from statsmodels.tsa.stattools import kpss

    return p_value(kpss, y, regression="c", nlags="auto") < TEST_LEVEL


def rejects_unit_root(y: np.ndarray) -> bool:
    """Augmented Dickey-Fuller test, Said & Dickey (1984), Biometrika 71, with lags chosen by AIC."""
    from statsmodels.tsa.stattools import adfuller

    return p_value(adfuller, y, autolag="AIC") < TEST_LEVEL


def p_value(test: Callable[..., Any], y: np.ndarray, **options: Any) -> float:
    """The p-value without warnings of values beyond the table, or of a form of result that is read by position."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(test(y, **options)[1])


def count_differences(y: np.ndarray, max_d: int) -> int:
    """How often to difference: once if KPSS rejects stationarity, again if Dickey-Fuller sees a unit root as well.

    The first difference asks KPSS alone. A level that wanders slowly often passes for stationary with Dickey-Fuller,
    and a mean fitted to the last season of the year is far off in the next.
    """
    d, floor = 0, rounding(y, Spec((0, max_d, 0)))
    while d < max_d and len(y) >= 12 and np.ptp(y) > floor:
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


def regress(y: np.ndarray, regressors: np.ndarray, spec: Spec) -> tuple[np.ndarray, float]:
    """Regression with autocorrelated errors in two stages, with a constant in the differenced series.

    Returns
    -------
    coefficients : ndarray of shape (n_regressors,)
    aicc : float
        Of the second regression; comparable for the same y and differences.
    """
    # There is a constant beside the regressors, so that they may be centred.
    centre, sizes = location_and_size(np.insert(regressors, 0, 1.0, axis=1), spec._replace(trend="c"))
    centre, sizes, floor = centre[1:], sizes[1:], rounding(y, spec)
    y, regressors = difference(y, spec), difference((regressors - centre) / sizes, spec)
    white_y, white_x = whiten(y, np.hstack([np.ones((len(y), 1)), regressors]), floor)
    coefficients = np.linalg.lstsq(white_x, white_y, rcond=None)[0]
    # Below the rounding errors of y, fewer terms are as good as more.
    variance = np.mean((white_y - white_x @ coefficients) ** 2) + floor**2 or 1.0
    return coefficients[1:] / sizes, aicc(-0.5 * len(white_y) * np.log(variance), white_x.shape[1] + 1, len(white_y))


def aicc(log_likelihood: float, n_parameters: int, n_rows: int) -> float:
    """Akaike's criterion with the correction for small samples (Hurvich & Tsai 1989)."""
    if n_rows <= n_parameters + 1:
        return np.inf
    return -2 * log_likelihood + 2 * n_parameters * n_rows / (n_rows - n_parameters - 1)


def choose_harmonics(y: np.ndarray, exog: np.ndarray, time: np.ndarray, season: int, most: int) -> int:
    """How many pairs of Fourier terms have the lowest AICc; none where two seasons are not there."""
    if season < 2 or len(y) < 2 * season:
        return 0
    counts = range(min(most, season // 2) + 1)
    specs = [Spec((0, 0, 0), harmonics=k, season=season) for k in counts]
    return int(np.argmin([regress(y, design(spec, exog, time), spec)[1] for spec in specs]))


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

    def __init__(self, y: np.ndarray, base: Spec, limits: tuple[int, int, int, int]) -> None:
        self.y = y
        self.base = base
        self.limits = limits  # of p, q, P, Q
        self.scores: dict[Spec, float] = {}

    def run(self) -> Spec:
        """Start from four models and move to better neighbours until there is none."""
        # Of those that all fail, the smallest: it is the model that can best be fitted after all.
        best = min(self._starts(), key=lambda spec: (self.score(spec), sum(spec.order + spec.seasonal_order[:3])))
        while len(self.scores) < MAX_SEARCH_MODELS:
            # The first neighbour that is better is taken, not the best of all.
            better = next((s for s in self._neighbours(best) if self.score(s) < self.score(best)), None)
            if better is None:
                break
            best = better
        return best

    def score(self, spec: Spec) -> float:
        """AICc of a model; infinite if it cannot be fitted, its fit failed, or it is close to a unit root."""
        if spec not in self.scores:
            self.scores[spec] = self._score(spec)
        return self.scores[spec]

    def _score(self, spec: Spec) -> float:
        trend = trend_terms(np.arange(len(self.y)), spec.trend)
        try:
            fit = fit_model(self.y, trend, spec, SEARCH_ITERATIONS, try_again=False, simple_differencing=True)
        except (np.linalg.LinAlgError, ValueError, IndexError):
            return np.inf
        # One that ran out of iterations may be the best by far; if it is chosen, its fit goes on.
        failed = not fit.converged and not fit.out_of_iterations
        if failed or not np.isfinite(fit.log_likelihood) or near_unit_root(fit.params, spec):
            return np.inf
        observed = int(np.isfinite(difference(self.y, spec)).sum())
        return aicc(fit.log_likelihood, len(fit.params), observed)

    def _trends(self) -> tuple[str | None, ...]:
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


def effect(y: np.ndarray, regressors: np.ndarray, spec: Spec) -> np.ndarray:
    """What the regressors add to y, by a regression that allows for autocorrelation."""
    return regressors @ regress(y, regressors, spec)[0] if regressors.shape[1] else np.zeros(len(y))
