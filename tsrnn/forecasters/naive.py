"""Naive, seasonal naive and drift forecasts: the baselines that a model has to beat.

All work on row positions and for all cutoffs at once. Imports frames, checks, exceptions and base.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import ndtri

from .. import _types as t
from .._archive.schema import array, integer, require
from .._checks import check_int
from .._parameters import estimator, param
from ..exceptions import DataError
from ..frames import TimeGrid, some
from ..frames import season_length as season_of
from .base import BaseForecaster
from .groups import Season, Table
from .observed import carry_forward, latest_of_phase, latest_rows, take_rows

__all__ = ["DriftForecaster", "NaiveForecaster", "SeasonalNaiveForecaster"]


def season_clock(grid: TimeGrid, index: pd.DatetimeIndex, origin: pd.Timestamp, season: int) -> np.ndarray:
    """What a season of so many steps counts, as a column beside the rows, (n_rows, 1).

    Steps of the wall clock, where the season is made of whole days; (n_rows, 0) where it counts rows, on a calendar.
    """
    if grid.counts_rows:
        return np.empty((len(index), 0))
    return grid.clock_positions(index, origin, season)[:, None]


def read_clock(column: np.ndarray) -> np.ndarray | None:
    """The clock that such a column holds, (n_rows,); None where it goes on by one from row to row."""
    clock = column.astype(int).ravel()
    return clock if len(clock) and (np.diff(clock) != 1).any() else None


def season_rows(
    values: np.ndarray, cutoffs: np.ndarray, steps: int, period: int, clock: np.ndarray | None = None
) -> np.ndarray:
    """The row with the last observation of the same phase as each step, up to the cutoff.

    Where no season has one, the last observation of any phase stands in.

    Parameters
    ----------
    clock : ndarray of int, shape (n_rows,), optional
        What the season counts instead of rows, up to the last step: hours of the wall clock.

    Returns
    -------
    ndarray of int, shape (n_cutoffs, steps, n_targets)
        -1 where nothing was observed.
    """
    step = np.arange(1, steps + 1)
    if clock is None:
        # c + h - m * ceil(h / m): the row of the same phase in the last season up to the cutoff
        rows = cutoffs[:, None] + step - period * -(-step // period)  # (n_cutoffs, steps)
        sources = np.where((rows < 0)[..., None], -1, latest_rows(values, period)[np.maximum(rows, 0)])
    else:
        sources = latest_of_phase(values, clock % period, cutoffs, cutoffs[:, None] + step)
    return np.where(sources < 0, latest_rows(values)[cutoffs][:, None, :], sources)


def increments(values: np.ndarray, period: int = 1, clock: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Differences from the last observation of the same phase, and over how many periods each goes.

    Parameters
    ----------
    clock : ndarray of int, shape (n_rows,), optional
        What the period counts instead of rows.

    Returns
    -------
    change, periods : ndarrays of shape (n_rows - period, n_targets), or (n_rows - 1, n_targets) by a clock
        NaN where either end is not observed, or the clock shows both at once.
    """
    if clock is None:
        before = latest_rows(values, period)[:-period]
        rows = np.arange(len(values))
        since = rows[period:, None] - before
    else:
        last = np.arange(len(values) - 1)
        before = latest_of_phase(values, clock % period, last, last[:, None] + 1)[:, 0]
        since = clock[1:, None] - clock[before]
    change = values[-len(before) :] - take_rows(values, before) if len(before) else values[:0]
    known = np.isfinite(change) & (since > 0)
    return np.where(known, change, np.nan), np.where(known, since / period, np.nan)


def walk_scale(change: np.ndarray, periods: np.ndarray, n_parameters: int = 0) -> np.ndarray:
    """Standard deviation of one step of a (seasonal) random walk, per target; NaN without any difference.

    A difference over g periods has g times the variance of one: sigma^2 = sum(change^2 / g) / (n - n_parameters).
    """
    n = np.isfinite(change).sum(axis=0)
    total = np.nansum(change**2 / periods, axis=0)
    freedom = np.maximum(n - n_parameters, 1)
    return np.where(n > n_parameters, np.sqrt(total / freedom), np.nan)


class WalkForecaster(BaseForecaster, Table):
    """Shared part: forecasts that carry observations forward, with normal intervals of a random walk."""

    sigma_: np.ndarray
    _saved = {"sigma_": array(np.float64, 1, nan=True)}

    def _check_state(self) -> None:
        super()._check_state()
        shape, n_targets = self.sigma_.shape, len(self.targets_)
        require(shape == (n_targets,), f"sigma_ has shape {shape}, where there are {n_targets} targets")
        require(not (self.sigma_ < 0).any(), "sigma_ is negative")

    def _targets(self, values: np.ndarray) -> np.ndarray:
        return values[:, : len(self.targets_)]

    def _normal_quantiles(self, growth: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
        """Sigma * growth(h) * z(q), shape (steps, n_targets, n_quantiles)."""
        unknown = [name for name, scale in zip(self.targets_, self.sigma_, strict=True) if np.isnan(scale)]
        if unknown:
            raise DataError(
                f"intervals need the size of past errors, but target(s) {some(unknown)} have too few observations to "
                f"measure it ({len(self.data_)} rows). Fit on more history."
            )
        return growth[:, None, None] * self.sigma_[:, None] * ndtri(quantiles)


@estimator
class NaiveForecaster(WalkForecaster):
    """Forecast every step by the last observation.

    Each target is carried forward by itself; missing values at the end of the history are passed over.

    Attributes
    ----------
    sigma_ : ndarray of shape (n_targets,)
        Standard deviation of the one-step errors on the training rows, in the unit of the target.

    Notes
    -----
    The interval is that of a random walk: sigma * sqrt(h) on either side, times a normal quantile, where h counts the
    rows since the last observation: missing values at the end of the history widen it.

    References
    ----------
    Hyndman & Athanasopoulos (2021), "Forecasting: principles and practice", 3rd ed., sections 5.2 and 5.5.

    Examples
    --------
    >>> import pandas as pd
    >>> y = pd.Series([3.0, 5.0, 4.0], index=pd.date_range("2024-01-01", periods=3, freq="D"), name="y")
    >>> NaiveForecaster().fit(y).forecast(2)["y"].tolist()
    [4.0, 4.0]
    """

    target: t.Labels | None = param(default=None, kw_only=False)
    freq: str | None = param(default=None, kw_only=False)

    def _fit(self, values: np.ndarray) -> None:
        self.sigma_ = walk_scale(*increments(self._targets(values)))

    def _forecast(self, values: np.ndarray, cutoffs: np.ndarray, steps: int) -> np.ndarray:
        return np.repeat(carry_forward(self._targets(values), cutoffs)[:, None, :], steps, axis=1)

    def _spread(self, steps: int, quantiles: np.ndarray) -> np.ndarray:
        return self._normal_quantiles(np.sqrt(np.arange(1, steps + 1)), quantiles)


@estimator
class SeasonalNaiveForecaster(WalkForecaster, Season):
    """Forecast every step by the last observation of the same phase of the season.

    Where the value one season back is missing, the one two seasons back is taken, and so on.

    Attributes
    ----------
    season_length_ : int
    sigma_ : ndarray of shape (n_targets,)
        Standard deviation of the errors over one season on the training rows, in the unit of the target.

    Notes
    -----
    A forecast needs one season of history. Fitted values of the rows before that, and steps whose phase was never
    observed, are the last observation (the naive forecast). The interval is sigma * sqrt(k) on either side, times a
    normal quantile, with k the seasons, rounded up, from the observation that is repeated to the step: one within the
    first season ahead, and more where observations are missing. On a trading calendar a season counts rows, not dates.
    Where it is made of whole days it follows the wall clock of the zone: 08:00 is forecast by 08:00 after the clocks
    changed, too.

    References
    ----------
    Hyndman & Athanasopoulos (2021), "Forecasting: principles and practice", 3rd ed., sections 5.2 and 5.5.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.date_range("2024-01-01", periods=9, freq="D")
    >>> y = pd.Series([1.0, 2, 3, 4, 5, 6, 7, 8, 9], index=days, name="y")
    >>> SeasonalNaiveForecaster().fit(y).forecast(2)["y"].tolist()
    [3.0, 4.0]
    """

    _saved = {"season_length_": integer(1)}

    def _check_state(self) -> None:
        super()._check_state()
        n_rows = len(self._seen())
        require(self.season_length_ <= n_rows, f"season_length_ is {self.season_length_}, longer than {n_rows} rows")

    def _time_columns(self, index: pd.DatetimeIndex) -> np.ndarray:
        return season_clock(self.grid_, index, self.origin_, self._season())

    def _season(self) -> int:
        given = check_int("season_length", self.season_length, none=True)
        return season_of(self.grid_) if given is None else given

    def _clock(self, values: np.ndarray) -> np.ndarray | None:
        """What the season counts, or None where that is rows."""
        return read_clock(values[:, len(self.data_.columns) :])

    def _settle(self, values: np.ndarray) -> None:
        super()._settle(values)
        self.season_length_ = self._season()
        self._check_history(values, np.array([len(values) - 1]))

    def _fit(self, values: np.ndarray) -> None:
        self.sigma_ = walk_scale(*increments(self._targets(values), self.season_length_, self._clock(values)))

    def _check_history(self, values: np.ndarray, cutoffs: np.ndarray) -> None:
        super()._check_history(values, cutoffs)
        shortest = int(cutoffs.min()) + 1
        if shortest < self.season_length_:
            raise DataError(
                f"history has {shortest} rows up to the cutoff, but season_length={self.season_length_} needs at least "
                f"{self.season_length_}. Pass more history or a smaller season_length."
            )

    def _forecast(self, values: np.ndarray, cutoffs: np.ndarray, steps: int) -> np.ndarray:
        targets = self._targets(values)
        return take_rows(targets, season_rows(targets, cutoffs, steps, self.season_length_, self._clock(values)))

    def _bands(
        self, values: np.ndarray, cutoffs: np.ndarray, forecasts: np.ndarray, quantiles: np.ndarray
    ) -> np.ndarray:
        clock, n_steps = self._clock(values), forecasts.shape[1]
        rows = season_rows(self._targets(values), cutoffs, n_steps, self.season_length_, clock)
        shown = np.arange(len(values)) if clock is None else clock
        since = shown[cutoffs[:, None] + np.arange(1, n_steps + 1)][..., None] - shown[rows]
        seasons = np.maximum(1, -(-since // self.season_length_))  # (n_cutoffs, steps, K)
        return forecasts[..., None] + np.sqrt(seasons)[..., None] * self._normal_quantiles(np.ones(1), quantiles)

    def _spread(self, steps: int, quantiles: np.ndarray) -> np.ndarray:
        seasons = np.arange(steps) // self.season_length_  # k = floor((h - 1) / m)
        return self._normal_quantiles(np.sqrt(seasons + 1), quantiles)


@estimator
class DriftForecaster(WalkForecaster):
    """Forecast along the line through the first and the last observation.

    Attributes
    ----------
    sigma_ : ndarray of shape (n_targets,)
        Standard deviation of the one-step errors on the training rows, in the unit of the target.
    n_rows_fit_ : int
        Training rows, T in the formula of the interval.

    Notes
    -----
    y(T + h) = y(T) + h * (y(T) - y(1)) / (T - 1). The line goes through the rows up to the cutoff, so it moves with
    the history without refitting. A forecast needs two observations; fitted values before that are the last
    observation. The interval h rows after the last observation is sigma * sqrt(h * (1 + h / (T - 1))) on either side,
    times a normal quantile.

    References
    ----------
    Hyndman & Athanasopoulos (2021), "Forecasting: principles and practice", 3rd ed., sections 5.2 and 5.5.

    Examples
    --------
    >>> import pandas as pd
    >>> y = pd.Series([1.0, 4.0, 5.0], index=pd.date_range("2024-01-01", periods=3, freq="D"), name="y")
    >>> DriftForecaster().fit(y).forecast(2)["y"].tolist()
    [7.0, 9.0]
    """

    _saved = {"n_rows_fit_": integer(2)}

    target: t.Labels | None = param(default=None, kw_only=False)
    freq: str | None = param(default=None, kw_only=False)

    def _fit(self, values: np.ndarray) -> None:
        self._check_history(values, np.array([len(values) - 1]))
        targets = self._targets(values)
        change, periods = increments(targets)
        slope = self._slope(targets, np.array([len(values) - 1]))[0]
        self.n_rows_fit_ = len(values)
        # One parameter, the slope, is estimated.
        self.sigma_ = walk_scale(change - slope * periods, periods, n_parameters=1)

    def _check_history(self, values: np.ndarray, cutoffs: np.ndarray) -> None:
        super()._check_history(values, cutoffs)
        seen = np.isfinite(self._targets(values)).cumsum(axis=0)[cutoffs.min()]
        if (seen < 2).any():
            short = [name for name, n in zip(self.targets_, seen, strict=True) if n < 2]
            raise DataError(
                f"a drift needs two observations, but target(s) {some(short)} have {seen.min()} up to the cutoff. Pass "
                "more history."
            )

    @staticmethod
    def _slope(targets: np.ndarray, cutoffs: np.ndarray) -> np.ndarray:
        """Rise per row from the first to the last observation up to each cutoff: (n_cutoffs, n_targets)."""
        first = np.isfinite(targets).argmax(axis=0)
        last = latest_rows(targets)[cutoffs]
        rise = take_rows(targets, last) - take_rows(targets, first[None, :])
        return rise / np.maximum(last - first, 1)

    def _forecast(self, values: np.ndarray, cutoffs: np.ndarray, steps: int) -> np.ndarray:
        targets = self._targets(values)
        last = latest_rows(targets)[cutoffs]
        # Steps count from the last observation, which missing values may put before the cutoff.
        ahead = (cutoffs[:, None] - last)[:, None, :] + np.arange(1, steps + 1)[:, None]
        return carry_forward(targets, cutoffs)[:, None, :] + self._slope(targets, cutoffs)[:, None, :] * ahead

    def _spread(self, steps: int, quantiles: np.ndarray) -> np.ndarray:
        step = np.arange(1, steps + 1)
        return self._normal_quantiles(np.sqrt(step * (1 + step / (self.n_rows_fit_ - 1))), quantiles)
