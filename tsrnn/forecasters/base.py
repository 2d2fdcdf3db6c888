"""What every forecaster is: a DataFrame goes in, forecasts on a time index come out.

`BaseForecaster` finds the rows and steps that are asked for, and leaves to a subclass three hooks on plain arrays:
`_fit`, `_forecast` and `_spread`. Tables are read and given back by its part `ReadsTables`. Imports frames, checks,
exceptions, and labels, observed, requests, scoring and tables beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from .._archive import SaveMixin
from .._estimator import Estimator, RegressorMixin
from .._folds import check_folds
from .._publishing import publishes, reads_one_state
from ..exceptions import DataError
from ..frames import check_time_index, some
from .changes import AddsUpChanges
from .labels import suffixed
from .observed import rows_since_observed
from .panels import ForecastsPanels
from .requests import check_levels, check_request, check_steps, interval_levels
from .saved import check_data
from .scoring import observed_r2
from .tables import ReadsTables, Request, Rows, Table

__all__ = ["BaseForecaster"]

NO_LEVELS = np.empty(0)


class BaseForecaster(ForecastsPanels, AddsUpChanges, ReadsTables, SaveMixin, RegressorMixin, Estimator):
    """The protocol shared by networks and baselines.

    A subclass has the parameters ``target`` and ``freq`` and implements, on arrays whose columns are the targets, then
    the past covariates, then the future covariates, one row per step of the grid, NaN where nothing was observed:

    - ``_fit(values)``: learn from values of shape (n_rows, n_columns);
    - ``_forecast(values, cutoffs, steps)``: ndarray of shape (n_cutoffs, steps, n_targets), the forecasts of rows
      cutoff + 1 .. cutoff + steps from the targets and past covariates up to row cutoff and the future covariates up
      to row cutoff + ``_steps_read(steps)``. The array may hold later rows: they must not be read;
    - ``_spread(steps, quantiles)``: ndarray of shape (steps, n_targets, n_quantiles), what to add to the forecast of
      each step after the last observation to get its quantiles.

    More hooks have a default: ``_bands(values, cutoffs, forecasts, quantiles)`` gives the quantiles of these
    forecasts, by default from ``_spread`` at their distance from the last observation; ``_steps_read(steps)`` says how
    far ahead future covariates are needed; ``_time_columns(index)`` adds columns known from the time alone at the right
    end of the array; ``_check_history(values, cutoffs)`` refuses forecasts from too little history. It is not asked
    before fitted values: there ``_forecast`` returns what it can, and NaN where nothing was observed yet.
    ``_settle(values)`` comes before ``_fit`` and is told apart from it so that a comparison can check all models before
    it fits any.
    """

    # ------------------------------------------------------------------ fit

    @publishes
    def fit(self, X: Rows, y: Any = None) -> Self:
        """Learn from a table indexed by time, or from an array whose rows are one step apart.

        Parameters
        ----------
        X : DataFrame of shape (n_rows, n_columns), or ndarray of this shape or (n_rows,)
            Sorted by its time index, of stamps or periods. Rows of an array are numbered, its columns too; ``freq`` or
            ``season_length`` must be given, and arrays come back. With `y`, its columns (none is fine) are covariates
            known ahead, except those named in ``past_covariates``. Without, ``target`` says which columns to forecast
            (None: all that are not covariates); columns that are neither are ignored.
        y : Series, DataFrame or ndarray of shape (n_rows,) or (n_rows, n_targets), optional
            The target, on the same index.

        Returns
        -------
        self

        Raises
        ------
        DataError
            If the index is not a clean time index, a column is unknown, not numeric or infinite, or there is too
            little history.
        """
        for name in [name for name in vars(self) if name.endswith("_")]:
            del self.__dict__[name]  # nothing that an earlier fit has learnt is read in this one
        if self.errors not in ("raise", "report"):
            raise DataError(f"errors must be 'raise' or 'report', got {self.errors!r}.")
        if self._is_panel(X):
            self._fit_panel(X, y)
            return self
        self.members_ = None
        values = self._read(X, y)
        self._settle(values)
        self._fit(values)
        return self

    # ------------------------------------------------------------------ forecasts

    @reads_one_state
    def predict(self, X: Request, history: Rows | None = None) -> pd.DataFrame | pd.Series | np.ndarray:
        """Forecast.

        Parameters
        ----------
        X : int, DataFrame, Series, DatetimeIndex or PeriodIndex
            How many steps to forecast after the last known row, or the timestamps to forecast (a frame's columns
            hold the future covariates), which come back as they are. Timestamps of known rows get one-step fitted
            values.
        history : DataFrame or Series, optional
            Forecast from the end of these rows instead of the rows last fitted or updated; nothing is refitted. Rows of
            an array count from the first row fitted.

        Returns
        -------
        DataFrame, Series or ndarray of shape (n_stamps, n_targets) or (n_stamps,)
            Indexed by time, in the unit of the target; a Series if `fit` was given a one-dimensional y, a bare ndarray
            if that was one (as `TransformedTargetRegressor` gives it).

        Raises
        ------
        DataError
            If a timestamp is not ahead of the history nor in it, or a future covariate is missing.
        """
        check_is_fitted(self)
        if X is None:
            check_request(X)  # which says what may be asked for
        out, given_back = self._ask(X, history)
        return given_back(out[..., 0])

    @reads_one_state
    def score(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> float:
        """Return the coefficient of determination of the forecasts of X's rows, those left out that were not observed.

        Parameters
        ----------
        X : DataFrame, Series, ndarray or DatetimeIndex
            The rows to forecast, as in `predict`; those of an ndarray follow the last row known.
        y : Series, DataFrame or ndarray of shape (n_rows,) or (n_rows, n_targets), optional
            What came, NaN where nothing was observed. By default the targets are read from X.
        sample_weight : array-like of shape (n_rows,), optional
            Weights of the rows.

        Returns
        -------
        float
            1 for forecasts without an error, 0 for those no better than the mean of y; the mean over targets.

        Raises
        ------
        DataError
            If a target has no observation in these rows, or X does not hold the targets and y is not given.
        """
        panel = self._has_members()
        X = self._binned_truth(X, y)
        if y is None:
            y = self._truth_of_panel(X) if panel else self._read_truth(X)
        return observed_r2(y, self._ask(self._next_rows(X), None)[0][..., 0], self.targets_, sample_weight)

    @reads_one_state
    def forecast(self, steps: int | None = None) -> pd.DataFrame:
        """Forecast the next `steps` rows (by default, the horizon) after the last known one.

        Returns
        -------
        DataFrame of shape (steps, n_targets)
            On the future time index; of an array, an ndarray, (steps,) where that has one dimension.
        """
        out, given_back = self._ask(None if steps is None else check_steps(steps), None)
        return given_back(out[..., 0], self.targets_)

    @reads_one_state
    def predict_quantiles(
        self,
        X: Request | None = None,
        quantiles: Sequence[float] = (0.1, 0.5, 0.9),
        history: Rows | None = None,
    ) -> pd.DataFrame:
        """Forecast quantiles.

        Parameters
        ----------
        X, history
            As in `predict`; None stands for the horizon.
        quantiles : sequence of float
            Levels strictly between 0 and 1.

        Returns
        -------
        DataFrame of shape (n_stamps, n_targets * n_quantiles)
            Columns ``<target>_q<percent>``.
        """
        levels = check_levels(quantiles)
        out, given_back = self._ask(X, history, levels)
        names = [suffixed(target, f"_q{100 * level:g}") for target in self.targets_ for level in levels]
        return given_back(out[..., 1:].reshape(len(out), -1), names)

    @reads_one_state
    def predict_interval(
        self, X: Request | None = None, coverage: float = 0.9, history: Rows | None = None
    ) -> pd.DataFrame:
        """Forecast with a central interval that is to hold the observation with probability `coverage`.

        Returns
        -------
        DataFrame of shape (n_stamps, 3 * n_targets)
            Columns ``<target>``, ``<target>_lower_90``, ``<target>_upper_90`` for coverage 0.9, also of an ndarray.
        """
        tails, suffix = interval_levels(coverage)
        out, given_back = self._ask(X, history, tails)
        ends = ("", f"_lower_{suffix}", f"_upper_{suffix}")
        names = [suffixed(target, end) if end else target for target in self.targets_ for end in ends]
        # (n_stamps, K, 3): the forecast beside its bounds
        return given_back(out.reshape(len(out), -1), names)

    @reads_one_state
    def predict_cutoffs(self, steps: int, history: Rows, cutoffs: Any, coverage: float | None = None) -> pd.DataFrame:
        """Forecast from many cutoffs at once, without refitting: the inner loop of a backtest.

        Parameters
        ----------
        steps : int
            Steps ahead of each cutoff.
        history : DataFrame or Series
            Rows up to the last cutoff at least. Rows after a cutoff are not read for it, except future covariates.
        cutoffs : sequence of timestamps
            Last known time of each forecast; each must be a row of the history.
        coverage : float, optional
            Adds interval columns.

        Returns
        -------
        DataFrame
            Tidy: ``cutoff, ds, step, target, y_pred`` and, with coverage, ``lower_90, upper_90``. Cutoffs and times are
            periods if the fit was given periods.
        """
        check_is_fitted(self)
        steps = check_steps(steps)
        levels, suffix = (NO_LEVELS, "") if coverage is None else interval_levels(coverage)
        if self._has_members():
            return self._tidy_panel(steps, history, cutoffs, levels, suffix)
        return self._tidy_forecasts(steps, history, self._read_cutoffs(cutoffs, self._zone), levels, suffix)

    def _tidy_forecasts(
        self, steps: int, history: Any, cutoffs: pd.DatetimeIndex, levels: np.ndarray, suffix: str
    ) -> pd.DataFrame:
        frame, rows = self._rows_to_forecast(steps, history, cutoffs)
        self._check_history(frame.to_numpy(), rows)
        starts = self._levels(self._read_history(history))
        out = self._forecast_and_bands(self._values(frame), rows, steps, levels, starts)
        tidy = self._tidy(out[..., 0], pd.DatetimeIndex(frame.index), rows)
        if len(levels):
            tidy[f"lower_{suffix}"], tidy[f"upper_{suffix}"] = out[..., 1].ravel(), out[..., 2].ravel()
        return tidy

    def check_origins(self, steps: int, history: Table, cutoffs: Any) -> None:
        """Raise now what `fit` on the rows up to the first cutoff, and `predict_cutoffs` from all, would raise later.

        As far as it can be known without fitting: columns and their roles, parameters, too little history, covariates
        that are not known. Changes nothing.

        Parameters
        ----------
        steps, history, cutoffs
            As in `predict_cutoffs`, the cutoffs in the order of time.

        Raises
        ------
        DataError
            And what `fit` raises for a parameter.
        """
        if self._is_panel(history):
            clone(self)._check_panel(history)
        else:
            clone(self)._rehearse(steps, history, cutoffs)

    def _rehearse(self, steps: int, history: Table, cutoffs: Any) -> None:
        """Read and settle what a fit up to the first cutoff does, and read what the forecasts do."""
        stamps = check_time_index(history.index, "history")
        cutoffs = self._read_cutoffs(cutoffs, stamps.tz)
        self._read_roles(history, None)  # over all rows: a covariate may turn infinite late
        self._settle(self._read(history[stamps <= cutoffs[0]], None))
        frame, rows = self._rows_to_forecast(check_steps(steps), history, cutoffs)
        self._check_history(frame.to_numpy(), rows)

    @publishes
    def update(self, X: Rows, y: Any = None) -> Self:
        """Take in new rows after the last known one, also of an array, without refitting. Returns self."""
        if self._has_members():
            self._update_panel(X, y)
        else:
            self.data_ = self._read_new(X, y)
        return self

    @reads_one_state
    def make_future_frame(self, steps: int | None = None) -> Any:
        """Return the table that `predict` is to be passed for the next steps: fill in its columns.

        Parameters
        ----------
        steps : int, optional
            By default the horizon; of a model that forecasts blocks, as many more as make whole blocks.

        Returns
        -------
        table of shape (n_series * n_rows, n_covariates)
            In the form of the table that was fitted: times (and series), and the future covariates that are asked for,
            all missing. The calendar and what is constant need not be filled in.

        Examples
        --------
        >>> import pandas as pd
        >>> from tsrnn import RidgeForecaster
        >>> days = pd.date_range("2024-01-01", periods=60)
        >>> df = pd.DataFrame({"load": range(60), "holiday": 0}, index=days)
        >>> model = RidgeForecaster(target="load", future_covariates="holiday", window=7, horizon=2).fit(df)
        >>> model.make_future_frame()
                    holiday
        2024-03-01      NaN
        2024-03-02      NaN
        """
        panel = self._has_members()
        steps = self._steps_ahead(self._default_steps() if steps is None else check_steps(steps))
        if panel:
            return self._future_of_panel(steps)
        index = self.grid_.give_back(self.grid_.future(self.data_.index[-1], steps))
        return pd.DataFrame(np.nan, index=index, columns=self.asked_)

    # ------------------------------------------------------------------ inside

    def _has_members(self) -> bool:
        """Whether the model was fitted on many series."""
        check_is_fitted(self)
        return getattr(self, "members_", None) is not None

    def _ask(self, X: Any, history: Any, quantiles: np.ndarray = NO_LEVELS) -> tuple[np.ndarray, Callable[..., Any]]:
        """Return forecasts and their quantiles (n_rows, K, 1 + n_quantiles), and what gives numbers back.

        That takes numbers (n_rows, n_columns) and the names of their columns; without names, as y was given to `fit`.
        """
        panel = self._has_members()
        X = self._default_steps() if X is None else X
        if panel:
            return self._predict_panel(X, history, quantiles)
        values, bands, stamps = self._predict_steps(X, history, quantiles)

        def given_back(values: np.ndarray, names: list[Any] | None = None) -> Any:
            return self._give_back(values, stamps) if names is None else self._frame(values, stamps, names)

        return np.concatenate([values[..., None], bands], axis=-1), given_back

    def _predict_steps(
        self, X: Any, history: Table | None, quantiles: np.ndarray = NO_LEVELS
    ) -> tuple[np.ndarray, np.ndarray, pd.Index]:
        """Return forecasts (n_stamps, K), their quantiles (n_stamps, K, n_quantiles), and the stamps."""
        check_is_fitted(self)
        check_request(X)
        data = self.data_ if history is None else self._read_history(history)
        frame = self._on_grid(data)
        asked = self._read_request(X, frame.index[-1])
        ahead, levels = asked.steps > 0, self._levels(data)
        out = np.empty((len(ahead), len(self.targets_), 1 + len(quantiles)))
        # First the farthest steps: a model that measures its errors does so once, as far as is asked for.
        if ahead.any():
            steps, cutoff = asked.steps[ahead], np.array([len(frame) - 1])
            self._check_history(frame.to_numpy(), cutoff)
            values = self._extend(frame, asked)
            out[ahead] = self._forecast_and_bands(values, cutoff, int(steps.max()), quantiles, levels)[0, steps - 1]
        if not ahead.all():
            known = pd.DatetimeIndex(data.index)
            out[~ahead] = self._fitted_values(frame, known, asked.stamps[~ahead], quantiles, levels)
        return out[..., 0], out[..., 1:], asked.as_given

    def _forecast_and_bands(
        self,
        values: np.ndarray,
        cutoffs: np.ndarray,
        steps: int,
        quantiles: np.ndarray,
        levels: np.ndarray | None,
    ) -> np.ndarray:
        """Return forecasts and then their quantiles, (n_cutoffs, steps, K, 1 + n_quantiles).

        Where changes are modelled, `levels` (n_rows, K) are what they start from.
        """
        forecasts = self._forecast(values, cutoffs, steps)
        if levels is not None:
            return self._added_up(forecasts, levels[cutoffs], quantiles)
        out = forecasts[..., None]
        if len(quantiles):
            bands = self._as_scale_runs(partial(self._quantiles, values, cutoffs, forecasts), quantiles)
            out = np.concatenate([out, bands], axis=-1)
        return self._given_back_in_unit(out)

    def _quantiles(
        self, values: np.ndarray, cutoffs: np.ndarray, forecasts: np.ndarray, levels: np.ndarray
    ) -> np.ndarray:
        """What `_bands` gives, opened where need be so that the forecast lies between the levels around its own."""
        bands, point, own = self._bands(values, cutoffs, forecasts, levels), forecasts[..., None], self._own_level()
        around = np.where(levels < own, np.minimum(bands, point), np.maximum(bands, point))
        return np.where(levels == own, bands, around)

    def _fitted_values(
        self,
        frame: pd.DataFrame,
        known: pd.DatetimeIndex,
        stamps: pd.DatetimeIndex,
        quantiles: np.ndarray,
        levels: np.ndarray | None,
    ) -> np.ndarray:
        """One-step forecasts of known rows; those with nothing observed before them get the mean of the target."""
        unknown = stamps.difference(known)
        if len(unknown):
            raise DataError(
                f"timestamps {some(unknown)} lie before the end of the history ({known[-1]}) and are not in it. "
                "Forecasts go forward in time: use TimeSeriesSplit, not a shuffled or plain KFold."
            )
        rows = frame.index.get_indexer(stamps)
        values = self._values(frame)
        out = np.full((len(rows), len(self.targets_), 1 + len(quantiles)), np.nan)
        # Covariates end with the data: the last rows are forecast from the last cutoff that knows all it reads.
        latest = len(values) - 1 - self._steps_ahead(1)
        later, last = (rows > 0) & (rows - 1 <= latest), (rows - 1 > latest) & (latest >= 0)
        if later.any():
            out[later] = self._forecast_and_bands(values, rows[later] - 1, 1, quantiles, levels)[:, 0]
        if last.any():
            steps = rows[last] - latest
            ends = np.array([latest])
            out[last] = self._forecast_and_bands(values, ends, int(steps.max()), quantiles, levels)[0, steps - 1]
        unseen = np.isnan(out[..., 0])
        if unseen.any() and levels is not None:  # nothing to start from
            mean = np.nanmean(self.data_[self.targets_].to_numpy(), axis=0)
            out[unseen] = np.broadcast_to(mean[:, None], out.shape)[unseen]
        elif unseen.any():
            mean = np.nanmean(self._seen()[self.targets_].to_numpy(), axis=0)
            spread = np.empty((len(mean), 0))
            if len(quantiles):
                spread = self._as_scale_runs(partial(self._spread, 1), quantiles)[0]
            of_target = np.hstack([mean[:, None], mean[:, None] + spread])  # (K, 1 + n_quantiles)
            of_target = self._given_back_in_unit(of_target[None, None])[0, 0]
            out[unseen] = np.broadcast_to(of_target, out.shape)[unseen]
        return out

    def _default_steps(self) -> int:
        check_is_fitted(self)
        return 1

    def __sklearn_clone__(self) -> Any:
        if self.id_col is None and self.time_col is None:  # else rows are not in the order of time
            check_folds()
        return super().__sklearn_clone__()

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.target_tags.multi_output = True
        return tags

    def _check_state(self) -> None:
        self.__check_parameters__()
        check_data(self)

    # ------------------------------------------------------------------ hooks

    def _check_history(self, values: np.ndarray, cutoffs: np.ndarray) -> None:
        """Raise `DataError` unless each target is observed at least once up to each cutoff."""
        seen = np.isfinite(values[: cutoffs.min() + 1, : len(self.targets_)]).any(axis=0)
        if not seen.all():
            unseen = [name for name, known in zip(self.targets_, seen, strict=True) if not known]
            raise DataError(
                f"target(s) {some(unseen)} hold no observation in the {cutoffs.min() + 1} rows up to the cutoff. Pass "
                "more history."
            )

    def _settle(self, values: np.ndarray) -> None:
        """Check the parameters, and settle from the rows to fit what the other checks read; `_fit` comes next."""
        self.__check_parameters__()

    def _fit(self, values: np.ndarray) -> None:
        raise NotImplementedError

    def _forecast(self, values: np.ndarray, cutoffs: np.ndarray, steps: int) -> np.ndarray:
        raise NotImplementedError

    def _spread(self, steps: int, quantiles: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def _bands(
        self, values: np.ndarray, cutoffs: np.ndarray, forecasts: np.ndarray, quantiles: np.ndarray
    ) -> np.ndarray:
        """Quantiles (n_cutoffs, steps, n_targets, n_quantiles) of what `_forecast` returned for these arguments."""
        n_targets = len(self.targets_)
        since = rows_since_observed(values[:, :n_targets], cutoffs)  # (n_cutoffs, K)
        spread = self._spread(forecasts.shape[1] + int(since.max()), quantiles)
        rows = since[:, None] + np.arange(forecasts.shape[1])[:, None]  # (n_cutoffs, steps, K)
        return forecasts[..., None] + spread[rows, np.arange(n_targets)]

    def _own_level(self) -> float:
        """The level of the quantile that `_forecast` gives; what is not called a quantile counts as the median."""
        return 0.5
