"""Between the tables of a user and arrays: what was handed in becomes rows on a grid, and results get the user's form.

`ReadsTables` is the one place of a forecaster that knows in what form series come: a frame, a series beside covariates,
a history, timestamps. What is forecast from rows is no concern of it. Imports frames and exceptions, and labels,
requests and roles beside it.
"""

from __future__ import annotations

import datetime as dt
import numbers
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd

from .._archive.schema import Attribute, added, choice, either, instance, names, none_or
from ..exceptions import DataError
from ..frames import (
    TimeGrid,
    as_names,
    check_columns,
    check_frame,
    check_not_tiny,
    check_on_grid,
    check_time_index,
    in_zone,
    infer_grid,
    some,
)
from ..transforms import Changes, Transform, check_bounds, check_transform, fit_transform
from .known import KnowsColumns, static_names
from .labels import as_objects, column_index
from .requests import check_steps
from .resampling import Resamples
from .roles import Named, Roles, container_of, read_roles

__all__ = ["ReadsTables", "Request", "Rows", "Table"]

Table = pd.DataFrame | pd.Series
Rows = Table | np.ndarray
#: What `predict` is asked for: steps ahead, or timestamps.
Request = int | Rows | pd.Index


class Asked(NamedTuple):
    """Which rows are to be forecast.

    Attributes
    ----------
    stamps : DatetimeIndex of shape (n_stamps,)
    steps : ndarray of int, shape (n_stamps,)
        How many steps after the last row of the history; 0 for rows up to there.
    as_given : Index of shape (n_stamps,)
        The stamps as the user has them.
    covariates : DataFrame or None
        What came with them.
    """

    stamps: pd.DatetimeIndex
    steps: np.ndarray
    as_given: pd.Index
    covariates: pd.DataFrame | None


def check_observed(data: pd.DataFrame, targets: list[Any]) -> None:
    """Raise `DataError` if a target was never observed, or a column is too small to compute with."""
    empty = [name for name in targets if data[name].isna().all()]
    if empty:
        raise DataError(f"target column(s) {some(empty)} hold no observation at all.")
    check_not_tiny(data)


def are_texts(values: Any) -> bool:
    return type(values) is list and all(type(value) is str for value in values)


class ReadsTables(Resamples, KnowsColumns):
    """Part of a forecaster that reads tables and gives them back.

    Fitted attributes: ``data_`` (the rows seen, validated), ``grid_`` (how time goes on), ``origin_`` (the first row
    fitted, from which row positions count), ``targets_``, ``past_`` and ``future_`` (column names by role).
    """

    _not_shown: tuple[str, ...] = (
        "asked_",
        "calendar_",
        "categories_",
        "container_",
        "origin_",
        "static_",
        "transform_",
    )
    target: Any
    freq: str | None
    # What a forecaster from elsewhere need not have.
    transform: Any = None
    bounds: Any = None
    data_: pd.DataFrame
    grid_: TimeGrid
    origin_: pd.Timestamp
    targets_: list[Any]
    past_: list[Any]
    future_: list[Any]
    container_: str

    #: Whether covariates reach the model. Columns given beside y are ignored where not.
    _takes_covariates = False
    _saved: ClassVar[dict[str, Attribute]] = {
        "targets_": names(least=1),
        "past_": names(),
        "future_": names(),
        "data_": instance(pd.DataFrame),
        "grid_": instance(TimeGrid),
        "origin_": instance(pd.Timestamp),
        "container_": choice("frame", "series", "array"),
        "transform_": added(none_or(either(instance(Transform), instance(Changes))), None),
        "asked_": added(names(), lambda model: list(model.future_)),
        "calendar_": added(names(), lambda model: []),
        "static_": added(names(), lambda model: []),
        "categories_": added(
            Attribute("a dict of lists of text", lambda v: type(v) is dict and all(map(are_texts, v.values()))),
            lambda model: {},
        ),
    }

    # ------------------------------------------------------------------ what a user handed in

    def _read(self, X: Any, y: Any) -> np.ndarray:
        """Take in the rows to fit, with their roles and grid, and return their values."""
        data, targets, past, future = self._read_roles(X, y)
        index = getattr(X, "index", None)
        self._refuse_periods(isinstance(index, pd.PeriodIndex))
        data = self._binned(data)
        grid = infer_grid(index if isinstance(index, pd.PeriodIndex) else pd.DatetimeIndex(data.index), self.freq)
        grid = grid.with_season(self._season_given())
        check_observed(data, targets)
        self.targets_, self.past_, self.future_ = targets, past, future
        self.data_, self.grid_, self.origin_ = data, grid, data.index[0]
        self.container_ = container_of(y)
        self._learn_transform()
        return self._values(self._seen())

    def _read_roles(self, X: Any, y: Any, *, timed: bool = True) -> Roles:
        """Return the columns in use, ordered targets, past, future, and the three lists of names.

        Categories stand as columns of numbers; what is filled in comes last of what is known ahead.
        """
        past, future = getattr(self, "past_covariates", None), getattr(self, "future_covariates", None)
        if not isinstance(X, pd.DataFrame) or not self._takes_covariates:
            self.categories_, self.calendar_, self.static_, self.asked_ = {}, [], [], []
            return read_roles(X, y, Named(self.target, past, future), self._takes_covariates, timed=timed)
        past, future = as_names(past, X.columns), as_names(future, X.columns)
        static = static_names(self.static_covariates, X.columns)
        if y is not None and not future:
            given = {self.target, *past} if not isinstance(self.target, list) else {*self.target, *past}
            future = [name for name in X.columns if name not in given | set(static)]
        self.asked_, learn = list(future), not hasattr(self, "targets_")
        frame, codes = self._encoded(X, [*past, *future, *static], learn)
        parts = [[code for name in role for code in codes.get(name, [name])] for role in (past, future, static)]
        named = Named(self.target, parts[0], parts[1] + parts[2])
        data, targets, past, future = read_roles(frame, y, named, True, timed=timed)
        self.static_ = parts[2]
        data = self._add_calendar(data)
        return data, targets, past, future + self.calendar_

    def _read_columns(self, frame: pd.DataFrame, name: str, *, timed: bool = True) -> pd.DataFrame:
        """Return the columns in use of rows that are no fit's."""
        frame, _ = self._encoded(frame, self.categories_, learn=False)
        used = [*self.targets_, *self.past_, *self.future_]
        given = [column for column in used if column not in self.calendar_]
        check_columns(frame, given, "column")
        data = check_frame(frame[given], name, timed=timed)
        return self._add_calendar(data)[used]

    def _read_new(self, X: Any, y: Any) -> pd.DataFrame:
        """Return the rows seen with new ones below them."""
        new, targets, _, _ = self._read_roles(X, y)
        if targets != self.targets_:
            raise DataError(f"fitted on target(s) {self.targets_!r}, but the update holds {targets!r}.")
        return self._with_new(self._binned(in_zone(new, self._zone)))

    def _with_new(self, new: pd.DataFrame) -> pd.DataFrame:
        check_columns(new, list(self.data_.columns))
        new = in_zone(new[list(self.data_.columns)], self._zone)
        known = new.index[new.index <= self.data_.index[-1]]
        if len(known):
            raise DataError(f"rows {some(known)} are not after the last known row, {self.data_.index[-1]}.")
        data = pd.concat([self.data_, new])
        check_on_grid(pd.DatetimeIndex(data.index), self.grid_, f"freq={self.grid_.freq!r}")
        return data

    def _read_history(self, history: Any) -> pd.DataFrame:
        """Return the rows to forecast from."""
        if isinstance(history, pd.Series):
            history = history.to_frame(self.targets_[0] if len(self.targets_) == 1 else history.name)
        if not isinstance(history, pd.DataFrame):
            raise DataError(f"history must be a DataFrame or Series, got {type(history).__name__}.")
        data = in_zone(self._read_columns(history, "history"), self._zone, "history")
        if not len(data):
            raise DataError("history has no rows.")
        data = self._binned(data)
        check_on_grid(check_time_index(data.index), self.grid_, f"freq={self.grid_.freq!r}")
        return data

    def _read_request(self, X: Any, last: pd.Timestamp) -> Asked:
        """Find the stamps that are asked for, after and up to the last row of the history."""
        if isinstance(X, numbers.Integral):
            stamps = self.grid_.future(last, check_steps(X))
            return Asked(stamps, np.arange(1, len(stamps) + 1), self.grid_.give_back(stamps), None)
        index = X.index if isinstance(X, (pd.DataFrame, pd.Series)) else X
        stamps = check_time_index(index, "X to predict")
        if not len(stamps):
            raise DataError("X to predict has no rows; pass the timestamps to forecast or a number of steps.")
        stamps = in_zone(stamps, self._zone, "X to predict")
        steps = np.zeros(len(stamps), dtype=int)
        steps[stamps > last] = self.grid_.steps_ahead(last, stamps[stamps > last])
        return Asked(stamps, steps, index, X if isinstance(X, pd.DataFrame) else None)

    def _read_truth(self, X: Any) -> pd.DataFrame:
        """Return the targets that stand in X."""
        frame = X.to_frame(self.targets_[0]) if isinstance(X, pd.Series) and len(self.targets_) == 1 else X
        if not isinstance(frame, pd.DataFrame):
            raise DataError(f"score needs what came: pass y, or a frame with the targets, not {type(X).__name__}.")
        check_columns(frame, self.targets_, "target")
        return frame[self.targets_]

    def _read_cutoffs(self, cutoffs: Any, tz: Any) -> pd.DatetimeIndex:
        index = pd.Index(cutoffs)
        stamps = index.to_timestamp() if isinstance(index, pd.PeriodIndex) else pd.DatetimeIndex(index)
        return in_zone(stamps, tz, "cutoffs")

    @property
    def _zone(self) -> dt.tzinfo | None:
        return pd.DatetimeIndex(self.data_.index).tz

    def _season_given(self) -> int | None:
        """The season that the user says the grid has, where the model does not keep it to itself."""
        return None

    # ------------------------------------------------------------------ rows

    def _seen(self) -> pd.DataFrame:
        """The rows seen, one for each step of the grid."""
        return self._on_grid(self.data_)

    def _on_grid(self, data: pd.DataFrame) -> pd.DataFrame:
        """Rows with one for each step of the grid, the targets on the scale on which they are modelled."""
        frame = self._filled(self.grid_.regularise(data))
        transform = getattr(self, "transform_", None)
        if transform is None:
            return frame
        frame = frame.copy()
        with np.errstate(invalid="ignore", divide="ignore"):
            z = transform.forward(frame[self.targets_].to_numpy())
        beyond = ~np.isfinite(z) & frame[self.targets_].notna().to_numpy()
        if isinstance(transform, Changes):
            beyond = frame[self.targets_].to_numpy() <= 0 if transform.name == "returns" else np.zeros_like(beyond)
        if beyond.any():
            row, column = np.argwhere(beyond)[0]
            value = frame[self.targets_].to_numpy()[row, column]
            raise DataError(
                f"target {self.targets_[column]!r} is {value:g} at {frame.index[row]}, which has no "
                f"transform={self.transform!r}. Mend the value, or fit with another transform."
            )
        frame[self.targets_] = z
        return frame

    def _levels(self, data: pd.DataFrame) -> np.ndarray | None:
        """Return where changes start from after each row, the last value observed; None where values are modelled."""
        if not isinstance(getattr(self, "transform_", None), Changes):
            return None
        return self.grid_.regularise(data)[self.targets_].ffill().to_numpy()

    def _learn_transform(self) -> None:
        """Settle the scale on which the targets are modelled, from the rows to fit alone."""
        check_transform("transform", self.transform)
        check_bounds("bounds", self.bounds)
        self.transform_ = fit_transform(self.transform, self.data_[self.targets_], self.bounds)

    def _as_scale_runs(self, ask: Callable[[np.ndarray], np.ndarray], quantiles: np.ndarray) -> np.ndarray:
        """Ask for quantiles (..., K, n) on the scale modelled: where it falls as a target rises, from the other end."""
        falls = getattr(getattr(self, "transform_", None), "falls", np.zeros(1, dtype=bool))
        if not falls.any():
            return ask(quantiles)
        turned = ask(np.round(1 - quantiles, 12))  # 1 - 0.9 is not quite the 0.1 that a network learnt
        return turned if falls.all() else np.where(falls[:, None], turned, ask(quantiles))

    def _given_back_in_unit(self, out: np.ndarray) -> np.ndarray:
        """Take forecasts and quantiles (n_cutoffs, steps, K, n) back to the unit of the targets and their bounds."""
        transform = getattr(self, "transform_", None)
        if transform is not None and not isinstance(transform, Changes):
            out = np.moveaxis(transform.inverse(np.moveaxis(out, 2, -1)), -1, 2)
        return out if self.bounds is None else np.clip(out, *self.bounds)

    def _values(self, frame: pd.DataFrame) -> np.ndarray:
        """The rows of a frame as an array, and at its right what the time alone tells."""
        return np.hstack([frame.to_numpy(), self._time_columns(pd.DatetimeIndex(frame.index))])

    def _longer(self, frame: pd.DataFrame, n_rows: int) -> pd.DataFrame:
        """The frame with so many rows of NaN after its last."""
        longer = frame.reindex(frame.index.append(self.grid_.future(frame.index[-1], n_rows))) if n_rows else frame
        return self._filled(longer)

    def _extend(self, frame: pd.DataFrame, asked: Asked) -> np.ndarray:
        """Add the rows to forecast below the history: NaN, except for the future covariates given."""
        ahead = asked.steps > 0
        stamps, length = asked.stamps[ahead], int(asked.steps.max())
        # Which stamps the steps 1..length have: on a calendar, those given say which days are open.
        whole = np.array_equal(asked.steps[ahead], np.arange(1, length + 1))
        rows: pd.Index = stamps if whole else self.grid_.rows_ahead(frame.index[-1], stamps)
        longer = self._longer(frame.reindex(frame.index.append(rows)), self._steps_ahead(length) - length)
        asked_for = [name for name in self.future_ if name not in self._filled_in()]
        if asked_for:
            columns = [list(longer.columns).index(name) for name in asked_for]
            known = self._known_ahead(asked, longer.index[len(frame) :], length, asked_for)
            longer.iloc[len(frame) :, columns] = known.to_numpy()
        return self._values(longer)

    def _known_ahead(self, asked: Asked, rows: pd.Index, steps: int, names: list[Any]) -> pd.DataFrame:
        """Return the future covariates of these rows."""
        given = asked.covariates
        if given is None:
            given = pd.DataFrame(index=asked.stamps, columns=names, dtype=float)
        given, _ = self._encoded(given, self.categories_, learn=False)
        check_columns(given, names, "future covariate")
        known = in_zone(check_frame(given[names], "X to predict"), self._zone).dropna()
        missing = rows.difference(known.index)
        if len(missing):
            raise DataError(
                f"future covariates {some(self.asked_)} are needed for every step up to {rows[-1]}; missing "
                f"timestamps: {some(missing, 24)}. Pass predict(X) with a frame that has them."
                f"{self._block_advice(steps)}"
            )
        return known.loc[rows]

    def _rows_to_forecast(
        self, steps: int, history: Table, cutoffs: pd.DatetimeIndex
    ) -> tuple[pd.DataFrame, np.ndarray]:
        """Return the rows of the history and of the steps beyond its end, and in which of them the cutoffs are."""
        frame = self._on_grid(self._read_history(history))
        if not len(cutoffs):
            raise DataError("there are no cutoffs to forecast from; pass at least one row of the history.")
        rows = frame.index.get_indexer(cutoffs)
        if (rows < 0).any():
            raise DataError(f"cutoff(s) {some(cutoffs[rows < 0])} are not rows of the history.")
        longer = self._longer(frame, max(0, int(rows.max()) + self._steps_ahead(steps) + 1 - len(frame)))
        self._check_future_known(longer, rows, steps)
        return longer, rows

    def _check_future_known(self, frame: pd.DataFrame, rows: np.ndarray, steps: int) -> None:
        """Raise `DataError` unless the future covariates of all steps after these rows are known."""
        if not self.future_:
            return
        needed = np.unique(rows[:, None] + np.arange(1, self._steps_read(steps) + 1))
        ahead = frame.iloc[needed, -len(self.future_) :]
        unknown = ahead.index[ahead.isna().any(axis=1)]
        if len(unknown):
            raise DataError(
                f"future covariates {some(self.asked_)} must be known for every forecast row; missing timestamps: "
                f"{some(unknown, 24)}.{self._block_advice(steps)}"
            )

    def _block_advice(self, steps: int) -> str:
        block = self._steps_read(1)
        if steps % block == 0:
            return ""
        return (
            f" This model forecasts {block} steps at once from the covariates of all of them: pass those of whole "
            f"blocks and take the first {steps} step(s), or fit with a shorter horizon or strategy='recursive'."
        )

    def _steps_ahead(self, steps: int) -> int:
        """Rows after a cutoff that forecasts of so many steps need to be there."""
        return self._steps_read(steps) if self.future_ else steps

    # ------------------------------------------------------------------ the user's own form

    def _frame(self, values: np.ndarray, index: pd.Index, labels: list[Any]) -> pd.DataFrame:
        return pd.DataFrame(values, index=index, columns=column_index(labels, self.data_.columns))

    def _give_back(self, values: np.ndarray, index: pd.Index) -> pd.DataFrame | pd.Series | np.ndarray:
        """Forecasts as y was given to `fit`."""
        frame = self._frame(values, index, self.targets_)
        if self.container_ == "frame":
            return frame
        # Wrappers such as TransformedTargetRegressor hand over an ndarray and reshape the one they get back.
        return frame[self.targets_[0]] if self.container_ == "series" else values[:, 0]

    def _tidy(self, forecasts: np.ndarray, index: pd.DatetimeIndex, rows: np.ndarray) -> pd.DataFrame:
        """Forecasts (n_cutoffs, steps, n_targets) from these rows, one below the other."""
        n_cutoffs, steps, n_targets = forecasts.shape
        step = np.arange(1, steps + 1)
        ahead = index[(rows[:, None] + step).ravel()]
        return pd.DataFrame(
            {
                "cutoff": np.repeat(self.grid_.give_back(index[rows]), steps * n_targets),
                # (n_cutoffs, steps), then once per target
                "ds": np.repeat(self.grid_.give_back(ahead), n_targets),
                "step": np.tile(np.repeat(step, n_targets), n_cutoffs),
                "target": np.tile(as_objects(self.targets_), n_cutoffs * steps),
                "y_pred": forecasts.ravel(),
            }
        )

    # ------------------------------------------------------------------ hooks

    def _time_columns(self, index: pd.DatetimeIndex) -> np.ndarray:
        """Columns known from the time alone, shape (n_rows, n_time_columns), for a regular index."""
        return np.empty((len(index), 0))

    def _steps_read(self, steps: int) -> int:
        """How many rows after a cutoff hold the future covariates that `_forecast` reads for so many steps."""
        return steps
