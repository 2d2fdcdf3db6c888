"""What every forecaster is: a DataFrame goes in, forecasts on a time index come out.

`BaseForecaster` reads time, targets and covariates from frames, finds the rows and steps that are asked for, and leaves
to a subclass three hooks on plain arrays: `_fit`, `_forecast` and `_spread`. Imports frames, checks, exceptions, and
labels, observed, requests, roles and scoring beside it.
"""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from .._archive import SaveMixin
from .._archive.schema import choice, instance, names
from .._estimator import Estimator, RegressorMixin
from .._folds import check_folds
from .._parameters import check_parameters
from .._publishing import publishes, reads_one_state
from ..exceptions import DataError
from ..frames import (
    TimeGrid,
    check_columns,
    check_frame,
    check_not_tiny,
    check_on_grid,
    check_time_index,
    in_zone,
    infer_grid,
    some,
)
from .labels import as_objects, column_index, suffixed
from .observed import rows_since_observed
from .requests import check_levels, check_request, check_steps
from .roles import Named, container_of, read_roles
from .saved import check_data
from .scoring import observed_r2

__all__ = ["BaseForecaster"]

Table = pd.DataFrame | pd.Series
#: What `predict` is asked for: steps ahead, or timestamps.
Request = int | Table | pd.Index


class BaseForecaster(SaveMixin, RegressorMixin, Estimator):
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

    Fitted attributes: ``data_`` (the rows seen, validated), ``grid_`` (how time goes on), ``origin_`` (the first row
    fitted, from which row positions count), ``targets_``, ``past_`` and ``future_`` (column names by role).
    """

    _not_shown: tuple[str, ...] = ("container_", "origin_")
    target: Any
    freq: str | None

    #: Whether covariates reach the model. Columns given beside y are ignored where not.
    _takes_covariates = False
    _saved = {
        "targets_": names(least=1),
        "past_": names(),
        "future_": names(),
        "data_": instance(pd.DataFrame),
        "grid_": instance(TimeGrid),
        "origin_": instance(pd.Timestamp),
        "container_": choice("frame", "series", "array"),
    }

    # ------------------------------------------------------------------ fit

    @publishes
    def fit(self, X: Table, y: Any = None) -> Self:
        """Learn from a table indexed by time.

        Parameters
        ----------
        X : DataFrame of shape (n_rows, n_columns)
            Sorted by its time index, of stamps or periods. With `y`, its columns (none is fine) are covariates known
            ahead, except those named in ``past_covariates``. Without, ``target`` says which columns to forecast (None:
            all that are not covariates); columns that are neither are ignored.
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
        values = self._read(X, y)
        self._settle(values)
        self._fit(values)
        return self

    def _read(self, X, y) -> np.ndarray:
        """Take in the rows to fit, with their roles and grid, and return their values."""
        data, targets, past, future = self._read_roles(X, y)
        index = getattr(X, "index", None)
        grid = infer_grid(index if isinstance(index, pd.PeriodIndex) else pd.DatetimeIndex(data.index), self.freq)
        if data[targets].isna().all().any():
            empty = [name for name in targets if data[name].isna().all()]
            raise DataError(f"target column(s) {some(empty)} hold no observation at all.")
        check_not_tiny(data)
        self.targets_, self.past_, self.future_ = targets, past, future
        self.data_, self.grid_, self.origin_ = data, grid, data.index[0]
        self.container_ = container_of(y)
        return self._values(grid.regularise(data))

    def _read_roles(self, X, y):
        """Return the columns in use, ordered targets, past, future, and the three lists of names."""
        names = Named(self.target, getattr(self, "past_covariates", None), getattr(self, "future_covariates", None))
        return read_roles(X, y, names, self._takes_covariates)

    # ------------------------------------------------------------------ forecasts

    @reads_one_state
    def predict(self, X: Request, history: Table | None = None) -> pd.DataFrame | pd.Series | np.ndarray:
        """Forecast.

        Parameters
        ----------
        X : int, DataFrame, Series, DatetimeIndex or PeriodIndex
            How many steps to forecast after the last known row, or the timestamps to forecast (a frame's columns
            hold the future covariates), which come back as they are. Timestamps of known rows get one-step fitted
            values.
        history : DataFrame or Series, optional
            Forecast from the end of these rows instead of the rows last fitted or updated; nothing is refitted.

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
        values, _, stamps = self._predict_steps(X, history)
        return self._give_back(values, stamps)

    @reads_one_state
    def score(self, X: Any, y: Any = None, sample_weight: ArrayLike | None = None) -> float:
        """Return the coefficient of determination of the forecasts of X's rows, those left out that were not observed.

        Parameters
        ----------
        X : DataFrame, Series or DatetimeIndex
            The rows to forecast, as in `predict`.
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
        check_is_fitted(self)
        if y is None:
            frame = X.to_frame(self.targets_[0]) if isinstance(X, pd.Series) and len(self.targets_) == 1 else X
            if not isinstance(frame, pd.DataFrame):
                raise DataError(f"score needs what came: pass y, or a frame with the targets, not {type(X).__name__}.")
            check_columns(frame, self.targets_, "target")
            y = frame[self.targets_]
        return observed_r2(y, self.predict(X), self.targets_, sample_weight)

    @reads_one_state
    def forecast(self, steps: int | None = None) -> pd.DataFrame:
        """Forecast the next `steps` rows (by default, the horizon) after the last known one.

        Returns
        -------
        DataFrame of shape (steps, n_targets)
            On the future time index.
        """
        values, _, stamps = self._predict_steps(self._default_steps() if steps is None else check_steps(steps), None)
        return self._frame(values, stamps, self.targets_)

    @reads_one_state
    def predict_quantiles(
        self,
        X: Request | None = None,
        quantiles: Sequence[float] = (0.1, 0.5, 0.9),
        history: Table | None = None,
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
        _, bands, stamps = self._predict_steps(self._default_steps() if X is None else X, history, levels)
        names = [suffixed(target, f"_q{100 * level:g}") for target in self.targets_ for level in levels]
        return self._frame(bands.reshape(len(stamps), -1), stamps, names)

    @reads_one_state
    def predict_interval(
        self, X: Request | None = None, coverage: float = 0.9, history: Table | None = None
    ) -> pd.DataFrame:
        """Forecast with a central interval that is to hold the observation with probability `coverage`.

        Returns
        -------
        DataFrame of shape (n_stamps, 3 * n_targets)
            Columns ``<target>``, ``<target>_lower_90``, ``<target>_upper_90`` for coverage 0.9.
        """
        tails, suffix = interval_levels(coverage)
        values, bands, stamps = self._predict_steps(self._default_steps() if X is None else X, history, tails)
        ends = ("", f"_lower_{suffix}", f"_upper_{suffix}")
        names = [suffixed(target, end) if end else target for target in self.targets_ for end in ends]
        # (n_stamps, K, 3): the forecast beside its bounds
        return self._frame(np.dstack([values, bands]).reshape(len(stamps), -1), stamps, names)

    @reads_one_state
    def predict_cutoffs(self, steps: int, history: Table, cutoffs: Any, coverage: float | None = None) -> pd.DataFrame:
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
        cutoffs = self._read_cutoffs(cutoffs, self.data_.index.tz)
        values, index, rows = self._rows_to_forecast(steps, history, cutoffs)
        values = np.hstack([values, self._time_columns(index)])
        forecasts = self._forecast(values, rows, steps)
        ahead = rows[:, None] + np.arange(1, steps + 1)
        tidy = pd.DataFrame(
            {
                "cutoff": np.repeat(self.grid_.give_back(cutoffs), steps * len(self.targets_)),
                # (n_cutoffs, steps), then once per target
                "ds": np.repeat(self.grid_.give_back(index[ahead.ravel()]), len(self.targets_)),
                "step": np.tile(np.repeat(np.arange(1, steps + 1), len(self.targets_)), len(rows)),
                "target": np.tile(as_objects(self.targets_), len(rows) * steps),
                "y_pred": forecasts.ravel(),
            }
        )
        if coverage is not None:
            tails, suffix = interval_levels(coverage)
            bands = self._quantiles(values, rows, forecasts, tails)
            tidy[f"lower_{suffix}"], tidy[f"upper_{suffix}"] = bands[..., 0].ravel(), bands[..., 1].ravel()
        return tidy

    def _rows_to_forecast(self, steps, history, cutoffs):
        """Return the values of the history and of the steps beyond its end, their stamps, and the cutoffs' rows."""
        frame = self.grid_.regularise(self._read_history(history))
        if not len(cutoffs):
            raise DataError("there are no cutoffs to forecast from; pass at least one row of the history.")
        rows = frame.index.get_indexer(cutoffs)
        if (rows < 0).any():
            raise DataError(f"cutoff(s) {some(cutoffs[rows < 0])} are not rows of the history.")
        read = self._steps_ahead(steps)
        beyond = self.grid_.future(frame.index[-1], max(0, int(rows.max()) + read + 1 - len(frame)))
        index = pd.DatetimeIndex(frame.index.append(beyond))
        values = np.vstack([frame.to_numpy(), np.full((len(beyond), frame.shape[1]), np.nan)])
        self._check_future_known(values, index, rows, steps)
        self._check_history(values, rows)
        return values, index, rows

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
        probe, stamps = clone(self), check_time_index(history.index, "history")
        cutoffs = self._read_cutoffs(cutoffs, stamps.tz)
        probe._read_roles(history, None)  # over all rows: a covariate may turn infinite late
        probe._settle(probe._read(history[stamps <= cutoffs[0]], None))
        probe._rows_to_forecast(check_steps(steps), history, cutoffs)

    @publishes
    def update(self, X: Table, y: Any = None) -> Self:
        """Take in new rows after the last known one, without refitting. Returns self."""
        check_is_fitted(self)
        new, targets, _, _ = self._read_roles(X, y)
        if targets != self.targets_:
            raise DataError(f"fitted on target(s) {self.targets_!r}, but the update holds {targets!r}.")
        check_columns(new, list(self.data_.columns))
        new = in_zone(new[list(self.data_.columns)], self.data_.index.tz)
        known = new.index[new.index <= self.data_.index[-1]]
        if len(known):
            raise DataError(f"rows {some(known)} are not after the last known row, {self.data_.index[-1]}.")
        data = pd.concat([self.data_, new])
        check_on_grid(data.index, self.grid_, f"freq={self.grid_.freq!r}")
        self.data_ = data
        return self

    # ------------------------------------------------------------------ inside

    def _predict_steps(self, X, history, quantiles=()):
        """Return forecasts (n_stamps, K), their quantiles (n_stamps, K, n_quantiles), and the stamps."""
        check_is_fitted(self)
        check_request(X)
        data = self.data_ if history is None else self._read_history(history)
        frame = self.grid_.regularise(data)
        last = frame.index[-1]
        if isinstance(X, numbers.Integral):
            stamps, given = self.grid_.future(last, check_steps(X)), None
            steps, asked = np.arange(1, len(stamps) + 1), self.grid_.give_back(stamps)
        else:
            asked = X.index if isinstance(X, (pd.DataFrame, pd.Series)) else X
            stamps = check_time_index(asked, "X to predict")
            given, steps = X if isinstance(X, pd.DataFrame) else None, None
        if not len(stamps):
            raise DataError("X to predict has no rows; pass the timestamps to forecast or a number of steps.")
        stamps = in_zone(stamps, frame.index.tz, "X to predict")
        ahead = stamps > last
        out = np.empty((len(stamps), len(self.targets_), 1 + len(quantiles)))
        # First the farthest steps: a model that measures its errors does so once, as far as is asked for.
        if ahead.any():
            steps = self.grid_.steps_ahead(last, stamps[ahead]) if steps is None else steps
            cutoff = np.array([len(frame) - 1])
            self._check_history(frame.to_numpy(), cutoff)
            values = self._extend(frame, stamps[ahead], steps, given)
            out[ahead] = self._forecast_and_bands(values, cutoff, int(steps.max()), quantiles)[0, steps - 1]
        if not ahead.all():
            out[~ahead] = self._fitted_values(frame, data.index, stamps[~ahead], quantiles)
        return out[..., 0], out[..., 1:], asked

    def _forecast_and_bands(self, values, cutoffs, steps, quantiles) -> np.ndarray:
        """Return forecasts and then their quantiles, (n_cutoffs, steps, K, 1 + n_quantiles)."""
        forecasts = self._forecast(values, cutoffs, steps)
        if not len(quantiles):
            return forecasts[..., None]
        return np.concatenate([forecasts[..., None], self._quantiles(values, cutoffs, forecasts, quantiles)], axis=-1)

    def _quantiles(self, values, cutoffs, forecasts, levels) -> np.ndarray:
        """What `_bands` gives, opened where need be so that the forecast lies between the levels around its own."""
        bands, point, own = self._bands(values, cutoffs, forecasts, levels), forecasts[..., None], self._own_level()
        around = np.where(levels < own, np.minimum(bands, point), np.maximum(bands, point))
        return np.where(levels == own, bands, around)

    def _steps_ahead(self, steps) -> int:
        """Rows after a cutoff that forecasts of so many steps need to be there."""
        return self._steps_read(steps) if self.future_ else steps

    def _fitted_values(self, frame, known, stamps, quantiles) -> np.ndarray:
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
            out[later] = self._forecast_and_bands(values, rows[later] - 1, 1, quantiles)[:, 0]
        if last.any():
            steps = rows[last] - latest
            out[last] = self._forecast_and_bands(values, np.array([latest]), int(steps.max()), quantiles)[0, steps - 1]
        unseen = np.isnan(out[..., 0])
        if unseen.any():
            mean = np.nanmean(self.data_[self.targets_].to_numpy(), axis=0)
            spread = self._spread(1, quantiles)[0] if len(quantiles) else np.empty((len(mean), 0))
            of_target = np.hstack([mean[:, None], mean[:, None] + spread])  # (K, 1 + n_quantiles)
            out[unseen] = np.broadcast_to(of_target, out.shape)[unseen]
        return out

    def _extend(self, frame, stamps, steps, given) -> np.ndarray:
        """Add the rows to forecast below the history: NaN, except for the future covariates given."""
        length = int(steps.max())
        # Which stamps the steps 1..length have: on a calendar, those given say which days are open.
        index: pd.Index = self.grid_.rows_ahead(frame.index[-1], stamps)
        beyond = self._steps_ahead(length) - length
        index = index.append(self.grid_.future(index[-1], beyond)) if beyond else index
        rows = np.full((len(index), frame.shape[1]), np.nan)
        if self.future_:
            given = pd.DataFrame(index=stamps, columns=self.future_, dtype=float) if given is None else given
            check_columns(given, self.future_, "future covariate")
            known = in_zone(check_frame(given[self.future_], "X to predict"), frame.index.tz)
            whole = known.dropna()
            missing = index.difference(whole.index)
            if len(missing):
                raise DataError(
                    f"future covariates {some(self.future_)} are needed for every step up to {index[-1]}; missing "
                    f"timestamps: {some(missing, 24)}. Pass predict(X) with a frame that has them."
                    f"{self._block_advice(length)}"
                )
            rows[:, -len(self.future_) :] = whole.loc[index].to_numpy()
        return np.hstack([np.vstack([frame.to_numpy(), rows]), self._time_columns(frame.index.append(index))])

    def _values(self, frame: pd.DataFrame, beyond: int = 0) -> np.ndarray:
        """The rows of a frame, so many more without observations, and at the right what the time alone tells."""
        frame = frame.reindex(frame.index.append(self.grid_.future(frame.index[-1], beyond))) if beyond else frame
        return np.hstack([frame.to_numpy(), self._time_columns(pd.DatetimeIndex(frame.index))])

    def _read_history(self, history) -> pd.DataFrame:
        if isinstance(history, pd.Series):
            history = history.to_frame(self.targets_[0] if len(self.targets_) == 1 else history.name)
        if not isinstance(history, pd.DataFrame):
            raise DataError(f"history must be a DataFrame or Series, got {type(history).__name__}.")
        used = list(self.data_.columns)
        check_columns(history, used, "column")
        data = in_zone(check_frame(history[used], "history"), self.data_.index.tz, "history")
        if not len(data):
            raise DataError("history has no rows.")
        check_on_grid(check_time_index(data.index), self.grid_, f"freq={self.grid_.freq!r}")
        return data

    @staticmethod
    def _read_cutoffs(cutoffs, tz) -> pd.DatetimeIndex:
        index = pd.Index(cutoffs)
        index = index.to_timestamp() if isinstance(index, pd.PeriodIndex) else pd.DatetimeIndex(index)
        return in_zone(index, tz, "cutoffs")

    def _check_future_known(self, values, index, rows, steps) -> None:
        if not self.future_:
            return
        read = self._steps_read(steps)
        needed = np.unique(rows[:, None] + np.arange(1, read + 1))
        unknown = needed[np.isnan(values[needed][:, -len(self.future_) :]).any(axis=1)]
        if len(unknown):
            raise DataError(
                f"future covariates {some(self.future_)} must be known for every forecast row; missing timestamps: "
                f"{some(index[unknown], 24)}.{self._block_advice(steps)}"
            )

    def _block_advice(self, steps) -> str:
        block = self._steps_read(1)
        if steps % block == 0:
            return ""
        return (
            f" This model forecasts {block} steps at once from the covariates of all of them: pass those of whole "
            f"blocks and take the first {steps} step(s), or fit with a shorter horizon or strategy='recursive'."
        )

    def _frame(self, values, stamps, names) -> pd.DataFrame:
        return pd.DataFrame(values, index=stamps, columns=column_index(names, self.data_.columns))

    def _give_back(self, values, stamps):
        frame = self._frame(values, stamps, self.targets_)
        if self.container_ == "frame":
            return frame
        # Wrappers such as TransformedTargetRegressor hand over an ndarray and reshape the one they get back.
        return frame[self.targets_[0]] if self.container_ == "series" else values[:, 0]

    def _default_steps(self) -> int:
        check_is_fitted(self)
        return 1

    def __sklearn_clone__(self):
        check_folds()
        return super().__sklearn_clone__()

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.target_tags.multi_output = True
        return tags

    def _check_state(self) -> None:
        self._check_parameters()
        check_data(self)

    # ------------------------------------------------------------------ hooks

    def _time_columns(self, index: pd.DatetimeIndex) -> np.ndarray:
        """Columns known from the time alone, shape (n_rows, n_time_columns), for a regular index."""
        return np.empty((len(index), 0))

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
        self._check_parameters()

    def _check_parameters(self) -> None:
        """Raise unless each parameter has an allowed value, and they go together."""
        check_parameters(self)

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

    def _steps_read(self, steps: int) -> int:
        """How many rows after a cutoff hold the future covariates that `_forecast` reads for so many steps."""
        return steps


def interval_levels(coverage: float) -> tuple[np.ndarray, str]:
    """Return the two tail levels of a central interval and its suffix in column names ('90' for 0.9)."""
    if not isinstance(coverage, numbers.Real) or not 0 < coverage < 1:
        percent = isinstance(coverage, numbers.Real) and 1 < coverage < 100
        way = f" Write {coverage / 100:g} for {coverage:g} %." if percent else ""
        raise DataError(f"coverage must lie strictly between 0 and 1, got {coverage!r}.{way}")
    return np.array([(1 - coverage) / 2, (1 + coverage) / 2]), f"{100 * coverage:g}"
