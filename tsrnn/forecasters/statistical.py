"""ARIMA with covariates as forecasters; a fitted one holds plain arrays.

Imports frames, checks, exceptions, base, observed, and the models and the search beside it.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from .. import _types as t
from .._archive import schema
from .._archive.schema import array, instance, list_of, real, require
from .._checks import check_int
from .._parameters import NETWORK, TRAINING, choice, estimator, group, param
from .._warnings import warn_user
from ..exceptions import DataError, DataWarning
from ..frames import season_length as season_of
from ..frames import some
from .arima_model import (
    Fit,
    Spec,
    constant_model,
    design,
    difference,
    fill_gaps,
    fit_model,
    forecast_deviation,
    forecast_model,
)
from .arima_search import (
    STRONG_SEASONALITY,
    Search,
    choose_harmonics,
    count_differences,
    effect,
    seasonal_strength,
)
from .arima_variance import deviation_after_gaps
from .base import BaseForecaster
from .groups import FutureCovariates, Season, Table
from .observed import carry_forward

__all__ = ["ARIMAForecaster", "AutoARIMAForecaster"]

TRENDS = (None, "c", "t", "ct")
SEASONALS = ("auto", "arima", "fourier", None)
#: Longest season for which the state of a seasonal ARIMA, which grows with it, is still quick to filter.
LONGEST_SEASONAL_ARIMA = 12
#: Level, in standard deviations, from which a model around 0 is told of.
FAR_FROM_ZERO = 1e3
COUNT = partial(check_int, low=0)


def check_orders(name: str, value: Any, form: str) -> None:
    """Raise unless `value` is a tuple or list of as many non-negative integers as `form` names."""
    length = form.count(",") + 1
    if not isinstance(value, (tuple, list)) or len(value) != length:
        raise DataError(f"{name} must be {length} integers {form}, got {value!r}.")
    for i, order in enumerate(value):
        check_int(f"{name}[{i}]", order, 0)


@group(NETWORK)
class Orders:
    """Which ARIMA model it is.

    Parameters
    ----------
    order : tuple of (p, d, q)
        Autoregressive lags, differences, moving-average lags.
    seasonal_order : tuple of (P, D, Q, s)
        The same for lags of whole seasons of s rows. Seasons above 12 rows are slow: use `harmonics`.
    trend
        Constant, linear in time, or both, as regressors. "t" with d = 1 is a drift. Differences take a constant away,
        so "c" needs d = D = 0; None with d = D = 0 says that the mean is zero.
    harmonics
        Pairs of Fourier terms of the season as regressors (dynamic harmonic regression). A season of whole days follows
        the wall clock of the zone.
    """

    order: tuple[int, int, int] = param(default=(1, 1, 1), rule=partial(check_orders, form="(p, d, q)"), kw_only=False)
    seasonal_order: tuple[int, int, int, int] = param(
        default=(0, 0, 0, 0), rule=partial(check_orders, form="(P, D, Q, s)"), kw_only=False
    )
    trend: t.Trend | None = param(default=None, rule=choice(*TRENDS), kw_only=False)
    harmonics: int = param(default=0, rule=COUNT, kw_only=False)


@group(TRAINING)
class Estimation:
    """How the model is fitted.

    Parameters
    ----------
    target : str, list of str or None
        Column(s) of X to forecast when no y is given; None means all. Each is fitted by itself.
    future_covariates : str, list of str or None
        Columns known ahead, with a linear effect.
    max_fit_rows
        Estimate the parameters on the last rows only. Forecasts read the whole history all the same.
    max_iter
        Iterations of the optimiser.
    """

    max_fit_rows: int | None = param(default=None, rule=partial(check_int, none=True))
    max_iter: int = param(default=200, rule=check_int)


class ARIMABase(BaseForecaster, Estimation, FutureCovariates, Table):
    """Shared part: everything but which model is to be fitted.

    A subclass implements ``_choose(y, exog, time)``, which returns a `Spec`.
    """

    season_length: int | None
    specs_: list[tuple[Any, ...]]
    _takes_covariates = True
    _not_shown: tuple[str, ...] = ("scale_", "specs_")
    _saved = {
        "specs_": list_of(instance(tuple)),
        "params_": list_of(array(np.float64, 1)),
        "scale_": list_of(real()),
        "converged_": list_of(schema.choice(True, False)),
    }

    def _check_state(self) -> None:
        super()._check_state()
        n_targets, n_rows = len(self.targets_), len(self._seen())
        for name in ("specs_", "params_", "scale_", "converged_"):
            require(len(getattr(self, name)) == n_targets, f"{name} is not one for each of {n_targets} targets")
        for values, params, scale in zip(self.specs_, self.params_, self.scale_, strict=True):
            good = len(values) == len(Spec._fields) and Spec(*values).fits(n_rows)
            require(good, f"specs_ holds {values!r:.100}, which is no model of {n_rows} rows")
            n = Spec(*values).n_parameters(len(self.future_))
            require(len(params) == n, f"params_ holds {len(params)} numbers where {values!r:.100} has {n}")
            require(params[-1] >= 0 and scale > 0, "a variance or scale is not positive")

    def _time_columns(self, index: pd.DatetimeIndex) -> np.ndarray:
        positions = self.grid_.positions(index, self.origin_)
        clock = self.grid_.clock_positions(index, self.origin_, self._season())
        return np.column_stack([positions, clock]).astype(float)

    def _season(self) -> int:
        check_int("season_length", self.season_length, none=True)
        return season_of(self.grid_) if self.season_length is None else self.season_length

    def _split(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return targets, covariates and the time: positions, and those that the season counts, (n_rows, 2)."""
        n_targets = len(self.targets_)
        return values[:, :n_targets], values[:, n_targets:-2], values[:, -2:]

    def _settle(self, values: np.ndarray) -> None:
        super()._settle(values)
        self.specs_ = []
        for k in range(len(self.targets_)):
            self._rows_to_fit(values, k, self.max_fit_rows)

    # BLAS threads only get in each other's way on matrices of a few rows: up to ten times slower on a busy machine.
    @threadpool_limits.wrap(limits=1, user_api="blas")
    def _fit(self, values: np.ndarray) -> None:
        self.specs_, self.params_, self.scale_, self.converged_ = [], [], [], []
        for k, target in enumerate(self.targets_):
            y, exog, time = self._rows_to_fit(values, k, self.max_fit_rows)
            if np.nanmax(y) == np.nanmin(y):
                spec, fit = constant_model(y, exog)
            else:
                spec = self._choose(y, exog, time)
                fit = self._fit_one(target, y, design(spec, exog, time), spec)
            self.specs_.append(tuple(spec))
            self.params_.append(fit.params)
            self.scale_.append(fit.scale)
            self.converged_.append(fit.converged)

    def _rows_to_fit(self, values: np.ndarray, k: int, keep: int | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The last `keep` rows of one target from its first observation on."""
        targets, exog, time = self._split(values)
        exog = self._known_exog(targets[:, k], exog, time[:, 0])
        start = 0 if keep is None else max(0, len(targets) - keep)
        seen = np.isfinite(targets[start:, k])
        if not seen.any():
            raise DataError(
                f"target {self.targets_[k]!r} has no observation in the last {keep} rows (max_fit_rows). Raise it, or "
                "end the history at the last observation."
            )
        start += int(seen.argmax())
        return targets[start:, k], exog[start:], time[start:]

    def _fit_one(self, target: Any, y: np.ndarray, regressors: np.ndarray, spec: Spec) -> Fit:
        n_params = regressors.shape[1] + spec.n_lags + 1
        observed = int(np.isfinite(y).sum())
        if observed < spec.n_lost + n_params + 1:
            raise DataError(
                f"target {target!r} has {observed} observations to fit, but {spec} with {n_params} parameters needs at "
                f"least {spec.n_lost + n_params + 1}. Pass more history, fewer covariates or a smaller order."
            )
        self._tell_far_from_zero(target, y, regressors, spec)
        fit = fit_model(y, regressors, spec, self.max_iter)
        if not fit.converged:
            limit, advice = (
                (f" in {self.max_iter} iterations", "Raise max_iter or take a smaller order.")
                if fit.out_of_iterations
                else (", from other start values neither", "Take a smaller order, or more differences.")
            )
            warn_user(f"{spec} of target {target!r} did not converge{limit}. {advice}", ConvergenceWarning)
        return fit

    def _tell_far_from_zero(self, target: Any, y: np.ndarray, regressors: np.ndarray, spec: Spec) -> None:
        """Warn of a level that a model around 0 can only take for an all but endless memory."""
        seen = np.isfinite(y)
        left = y[seen] - regressors[seen] @ np.linalg.lstsq(regressors[seen], y[seen], rcond=None)[0]
        level, movement = abs(float(np.mean(left))), float(np.std(left))
        if spec.n_lost == 0 and "c" not in (spec.trend or "") and level > FAR_FROM_ZERO * movement:
            warn_user(
                f"target {target!r} moves by {movement:.2g} around {np.mean(left):.4g}, but {spec} without a constant "
                "is a model of movements around 0: its intervals are too wide. Set trend='c', or subtract the mean.",
                DataWarning,
            )

    def _known_exog(self, y: np.ndarray, exog: np.ndarray, position: np.ndarray) -> np.ndarray:
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

    def _check_history(self, values: np.ndarray, cutoffs: np.ndarray) -> None:
        super()._check_history(values, cutoffs)
        rows = int(cutoffs.min()) + 1
        needed = max((Spec(*spec).n_lost for spec in self.specs_), default=0)  # none before the fit
        if rows < needed:
            raise DataError(
                f"history has {rows} rows up to the cutoff, but the differences of the model need at least {needed}. "
                "Pass more history."
            )

    @threadpool_limits.wrap(limits=1, user_api="blas")
    def _forecast(self, values: np.ndarray, cutoffs: np.ndarray, steps: int) -> np.ndarray:
        cutoffs = np.asarray(cutoffs)
        last = int(cutoffs.max())
        targets, exog, time = self._split(values[: last + 1 + steps])
        targets = np.where(np.arange(len(targets))[:, None] <= last, targets, np.nan)
        out = np.empty((len(cutoffs), steps, targets.shape[1]))
        for k, spec in enumerate(self._specs()):
            y = targets[:, k]
            regressors = design(spec, self._known_exog(y, exog, time[:, 0]), time)
            start, early = self._start(y, cutoffs, spec)
            # Fitted values of rows that the differences use up: the last observation, not the prior of the filter.
            out[early, :, k] = carry_forward(targets[:, [k]], cutoffs[early])
            if not early.all():
                rows = cutoffs[~early] - start
                out[~early, :, k] = forecast_model(y[start:], regressors[start:], spec, self.params_[k], rows, steps)
        return out

    @staticmethod
    def _start(y: np.ndarray, cutoffs: np.ndarray, spec: Spec) -> tuple[int, np.ndarray]:
        """The first row observed, and the cutoffs at which the differences have not seen enough rows from there on."""
        start = int(np.isfinite(y).argmax())
        return start, cutoffs + 1 - start < max(1, spec.n_lost)

    @threadpool_limits.wrap(limits=1, user_api="blas")
    def _bands(
        self, values: np.ndarray, cutoffs: np.ndarray, forecasts: np.ndarray, quantiles: np.ndarray
    ) -> np.ndarray:
        cutoffs = np.asarray(cutoffs)
        bands = super()._bands(values, cutoffs, forecasts, quantiles)  # of early cutoffs: the walk of the differences
        for k, spec in enumerate(self._specs()):
            y = values[: int(cutoffs.max()) + 1, k]
            start, early = self._start(y, cutoffs, spec)
            if not early.all():
                rows, seen = cutoffs[~early] - start, np.isfinite(y[start:])
                deviation = deviation_after_gaps(seen, self.params_[k], spec, rows, forecasts.shape[1])
                bands[~early, :, k] = forecasts[~early, :, k, None] + deviation[..., None] * ndtri(quantiles)
        return bands

    def _spread(self, steps: int, quantiles: np.ndarray) -> np.ndarray:
        pairs = zip(self.params_, self._specs(), strict=True)
        deviation = np.column_stack([forecast_deviation(params, spec, steps) for params, spec in pairs])
        return deviation[:, :, None] * ndtri(quantiles)

    def _choose(self, y: np.ndarray, exog: np.ndarray, time: np.ndarray) -> Spec:
        raise NotImplementedError

    def _specs(self) -> list[Spec]:
        return [Spec(*spec) for spec in self.specs_]

    def _fitted(self, name: str) -> Any:
        values = [getattr(spec, name) for spec in self._specs()]
        return values[0] if len(values) == 1 else values

    @property
    def n_parameters_(self) -> int:
        """Parameters estimated, the variances included, over all targets."""
        return sum(len(params) for params in self.params_)

    @property
    def order_(self) -> tuple[int, int, int] | list[tuple[int, int, int]]:
        """(p, d, q); a list of them for several targets."""
        return self._fitted("order")

    @property
    def seasonal_order_(self) -> tuple[int, int, int, int] | list[tuple[int, int, int, int]]:
        """(P, D, Q, s); a list of them for several targets."""
        return self._fitted("seasonal_order")

    @property
    def trend_(self) -> str | list[str | None] | None:
        """The trend; a list for several targets."""
        return self._fitted("trend")

    @property
    def harmonics_(self) -> int | list[int]:
        """Pairs of Fourier terms; a list for several targets."""
        return self._fitted("harmonics")


@estimator
class ARIMAForecaster(ARIMABase, Season, Orders):
    """Forecast with a seasonal ARIMA model, with covariates and Fourier terms as regressors.

    Parameters
    ----------
    season_length
        Rows in the season of `harmonics`. By default the usual one of the frequency: a day of hours.

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
    Missing observations are passed over by the Kalman filter, and widen the intervals that follow. Fitted values of the
    first d + D * s rows are the last observation. Intervals are normal and leave out the error of the parameters.

    A fit that does not converge is tried again from other start values, at last by Nelder and Mead's search without
    gradients. If that fails as well, or `max_iter` is used up, a ``sklearn.exceptions.ConvergenceWarning`` says so.

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

    def _check_together(self) -> None:
        super()._check_together()
        if any(self.seasonal_order[:3]) and self.seasonal_order[3] < 2:
            raise DataError(
                f"seasonal_order={self.seasonal_order!r} has no season: its last number, the rows in a season, must be "
                "at least 2."
            )
        if "c" in (self.trend or "") and self.order[1] + self.seasonal_order[1]:
            raise DataError(
                f"trend={self.trend!r} holds a constant, which the differences of order={self.order!r}, "
                f"seasonal_order={self.seasonal_order!r} take away. Use trend='t' for a drift, or None."
            )

    def _choose(self, y: np.ndarray, exog: np.ndarray, time: np.ndarray) -> Spec:
        season = self._season()
        if self.harmonics > season // 2:
            raise DataError(f"harmonics={self.harmonics}, but a season of {season} rows has at most {season // 2}.")
        (p, d, q), (P, D, Q, s) = self.order, self.seasonal_order
        return Spec((p, d, q), (P, D, Q, s) if P or D or Q else (0, 0, 0, 0), self.trend, self.harmonics, season)


@estimator
class AutoARIMAForecaster(ARIMABase, Season):
    """Forecast with an ARIMA model whose orders are found on the training rows.

    The number of differences comes from tests for a unit root, the orders from a stepwise search for the lowest AICc.
    A season of up to 12 rows is modelled by seasonal ARIMA terms, a longer one by Fourier terms.

    Parameters
    ----------
    seasonal
        How to model the season; None leaves it out.
    max_p, max_d, max_q, max_P, max_D, max_Q
        Largest orders tried.
    max_harmonics
        Most pairs of Fourier terms tried.
    max_fit_rows
        Choose the orders and estimate the parameters on the last rows only. Forecasts read the whole history.

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

    seasonal: t.Seasonal | None = param(default="auto", rule=choice(*SEASONALS), kw_only=False)
    max_p: int = param(default=3, rule=COUNT, kw_only=False)
    max_d: int = param(default=2, rule=COUNT, kw_only=False)
    max_q: int = param(default=3, rule=COUNT, kw_only=False)
    max_P: int = param(default=1, rule=COUNT, kw_only=False)
    max_D: int = param(default=1, rule=COUNT, kw_only=False)
    max_Q: int = param(default=1, rule=COUNT, kw_only=False)
    max_harmonics: int = param(default=6, rule=COUNT, kw_only=False)
    max_fit_rows: int | None = param(default=2000)

    def _choose(self, y: np.ndarray, exog: np.ndarray, time: np.ndarray) -> Spec:
        season = self._season()
        kind = self._seasonal_kind(season, len(y))
        filled = fill_gaps(y)
        filled = filled - filled[0]  # a high level would drown the rounding errors that differences are held against
        most = self.max_harmonics if kind == "fourier" else 0
        plain = Spec((0, 0, 0), harmonics=choose_harmonics(filled, exog, time, season, most), season=season)
        regressors = design(plain, exog, time)
        spec = self._choose_differences(filled - effect(filled, regressors, plain), plain, kind == "arima")
        left = y - effect(filled, regressors, spec)
        seasonal_limits = (self.max_P, self.max_Q) if kind == "arima" else (0, 0)
        return Search(left, spec, (self.max_p, self.max_q, *seasonal_limits)).run()

    def _seasonal_kind(self, season: int, n_rows: int) -> str | None:
        kind = self.seasonal
        if kind == "auto":
            kind = "arima" if season <= LONGEST_SEASONAL_ARIMA else "fourier"
        # Two seasons tell the one from the other; a third is left to learn from.
        return None if season < 2 or n_rows < 3 * season else kind

    def _choose_differences(self, y: np.ndarray, spec: Spec, seasonal: bool) -> Spec:
        s = spec.season if seasonal else 0
        D = int(seasonal and self.max_D > 0 and seasonal_strength(y, s) > STRONG_SEASONALITY)
        spec = spec._replace(seasonal_order=(0, D, 0, s))
        return spec._replace(order=(0, count_differences(difference(y, spec), self.max_d), 0))
