"""Forecasters of many series: a panel is read at the door, and below it stands a forecaster for each series.

Such a member knows the rows of its series, their grid and what was learnt of this series alone. What was learnt of all
together, a network, stands in the forecaster that the user has, and its members look there. Imports frames, roles,
requests, progress and exceptions.
"""

from __future__ import annotations

import numbers
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from joblib import Parallel, delayed, effective_n_jobs

from .._archive.schema import Attribute, added, check_attributes, instance, none_or, optional, schema_of
from .._progress import work
from .._publishing import stand_in
from ..exceptions import DataError
from ..frames import (
    Form,
    Panel,
    Rows,
    TimeGrid,
    as_names,
    check_columns,
    check_on_grid,
    infer_grids,
    some,
)
from ..frames.checks import SMALLEST
from ..frames.grid import stamps_of_numbers
from .arrays import ReadsArrays, is_array
from .labels import column_index
from .members import Members
from .requests import check_request, check_steps
from .roles import container_of
from .saved import check_data
from .tables import check_observed

__all__ = ["ForecastsPanels"]

#: Seconds of local fits from which it is worth to start processes for them.
WORTH_PROCESSES = 20.0


class ForecastsPanels(ReadsArrays):
    """What a forecaster does with a table of many series."""

    # What a forecaster from elsewhere need not have.
    id_col: Any = None
    time_col: Any = None
    errors: Any = "raise"
    data_: pd.DataFrame
    freq: Any
    members_: Members | None
    targets_: list[Any]
    past_: list[Any]
    future_: list[Any]
    container_: str
    _not_shown: tuple[str, ...] = ("members_", "problems_")
    _saved: ClassVar[dict[str, Attribute]] = {
        "members_": added(none_or(instance(Members)), None),
        "problems_": optional(instance(pd.DataFrame)),
    }
    #: Whether one model is learnt of all series; otherwise each has its own.
    _is_global = False

    # ------------------------------------------------------------------ fit

    def _fit_panel(self: Any, X: Any, y: Any) -> None:
        panel, rows = self._read_panel(X, y)
        self.container_ = container_of(y)
        problems: dict[int, str] = {}
        grids = infer_grids(panel, self.freq, self._named(panel.ids), numbered=rows.form.numbered)
        season = self._season_given()
        ones: list[Any] = []
        suspects = set(panel.suspects(len(self.targets_), SMALLEST).tolist())  # looking at each takes its time
        for i, (frame, grid) in enumerate(zip(panel, grids, strict=True)):
            try:
                if i in suspects:
                    check_observed(frame, self.targets_)
                one = self._one(frame, grid.with_season(season))
                one._learn_transform()
                ones.append(one)
            except DataError as error:
                problems[i] = str(error)
                ones.append(None)
        self.grid_ = grids[int(panel.lengths.argmax())].with_season(season)
        learnt = self._fit_ones(ones, panel.ids, problems)
        self._tell(problems, panel.ids)
        kept = [i for i in range(len(panel)) if i not in problems]
        self.members_ = Members.of(
            panel.ids[kept],
            [panel[i] for i in kept],
            [ones[i].grid_ for i in kept],
            [learnt[i] for i in kept],
            rows.form,
        )

    def _read_panel(self: Any, X: Any, y: Any) -> tuple[Panel, Rows]:
        """Return the columns in use of a long table, series by series, and its rows as they stand."""
        rows = self._rows_of(X)
        frame = self._columns_of(rows)
        if not len(rows.codes):
            raise DataError("X has no rows: there is nothing to learn from.")
        data, self.targets_, self.past_, self.future_ = self._read_roles(frame, y, timed=False)
        self._check_constant(data, rows)
        data, rows = self._binned_rows(data, rows)
        return rows.panel(data), rows

    def _columns_of(self: Any, rows: Rows) -> pd.DataFrame:
        """Return the columns of a table, that of the series among them where a model is to read it."""
        given, name = getattr(self, "static_covariates", None), rows.form.id
        if name is None or name not in as_names(given):
            return rows.frame
        return rows.frame.assign(**{str(name): np.asarray(rows.ids[rows.codes])})

    def _check_panel(self: Any, X: Any) -> None:
        """Raise what `fit` would raise for the columns of a table and for parameters."""
        panel, rows = self._read_panel(X, None)
        infer_grids(panel, self.freq, self._named(panel.ids), numbered=rows.form.numbered)
        self.__check_parameters__()

    def _check_constant(self: Any, data: pd.DataFrame, rows: Rows) -> None:
        """Raise `DataError` if a static covariate has no value for a series, or several."""
        for name in self.static_:
            by_series = data[name].groupby(rows.codes)
            wrong = (by_series.nunique(dropna=False) != 1) | (by_series.count() == 0)
            if wrong.any():
                raise DataError(
                    f"static covariate {name!r} must have one value in each series; series "
                    f"{self._named(rows.ids)(np.flatnonzero(wrong))} have several, or none."
                )

    def _one(self: Any, data: pd.DataFrame, grid: TimeGrid, learnt: dict[str, Any] | None = None) -> Any:
        """Return a forecaster of one series, which has what was learnt of all and of it."""
        own = {"data_": data, "grid_": grid, "origin_": data.index[0], "members_": None, "container_": "frame"}
        one = stand_in(self, vars(self) | own | (learnt or {}))
        one.id_col = one.time_col = None
        return one

    def _fit_ones(self: Any, ones: list[Any], ids: pd.Index, problems: dict[int, str]) -> list[dict[str, Any] | None]:
        """Fit a model of its own to each series, in processes where that is worth it; say which cannot be fitted."""
        shared = set(vars(self)) | {"data_", "grid_", "origin_", "members_", "container_"}
        learnt: list[dict[str, Any] | None] = [None] * len(ones)
        good = [i for i, one in enumerate(ones) if one is not None]
        started = time.perf_counter()
        with work(f"{type(self).__name__}: {len(good)} series", len(good)) as fits:
            for n, i in enumerate(good):
                took = time.perf_counter() - started
                left = took / n * (len(good) - n) if n else 0.0
                if left > WORTH_PROCESSES and effective_n_jobs(-1) > 1:
                    break
                learnt[i], problem = _fit_one(ones[i], shared)
                if problem:
                    problems[i] = problem
                fits.done += 1
            else:
                return learnt
            for i, (found, problem) in zip(good[n:], _in_processes([ones[i] for i in good[n:]], shared), strict=True):
                learnt[i] = found
                if problem:
                    problems[i] = problem
                fits.done += 1
        return learnt

    def _named(self, ids: pd.Index) -> Callable[[np.ndarray], str]:
        return lambda numbers: some(repr(name) for name in ids[numbers])

    def _tell(self: Any, problems: dict[int, str], ids: pd.Index) -> None:
        """Raise what is wrong with some series, or keep it in `problems_`."""
        if problems and (self.errors == "raise" or len(problems) == len(ids)):
            raise DataError(self._describe(problems, ids))
        names = [ids[i] for i in sorted(problems)]
        self.problems_ = pd.DataFrame({"series": names, "problem": [problems[i] for i in sorted(problems)]})

    def _describe(self: Any, problems: dict[int, str], ids: pd.Index) -> str:
        if len(ids) == 1 and self.id_col is None:
            return problems[0]
        kinds: dict[str, list[int]] = {}
        for i, problem in problems.items():
            kinds.setdefault(problem, []).append(i)
        parts = [f"{self._named(ids)(np.array(numbers))}: {problem}" for problem, numbers in list(kinds.items())[:5]]
        more = f" ({len(kinds) - 5} more problems)" if len(kinds) > 5 else ""
        way = "" if len(problems) == len(ids) else " errors='report' forecasts the others."
        return f"{len(problems)} of {len(ids)} series cannot be forecast. {' '.join(parts)}{more}{way}"

    def _ones(self: Any) -> list[Any]:
        """Return a forecaster of each series."""
        members = self.members_
        return [self._one(members.data(i), members.grid(i), members.learnt_of(i)) for i in range(len(members.ids))]

    def _check_whole(self: Any) -> None:
        """Check what a file says of each series by the rules for one, and what was learnt of all of them once."""
        members = getattr(self, "members_", None)
        if members is None:
            self._check_state()
            return
        members.check(set(schema_of(type(self))))
        ones, schema = self._ones(), schema_of(type(self))
        for i, one in enumerate(ones):
            state = {name: value for name, value in vars(one).items() if name in schema and schema[name].saved}
            check_attributes(one, state)
            if i == 0 or not self._is_global:
                one._check_state()
            else:
                one._check_series()

    def _check_series(self: Any) -> None:
        """Check what a forecaster knows of one series."""
        check_data(self)

    # ------------------------------------------------------------------ forecasts

    def _known(self: Any, history: Any) -> tuple[pd.Index, list[Any], Form]:
        """Return the series that forecasts are made for, a forecaster of each, and the form to give them back in."""
        members = self.members_
        if history is None:
            return members.ids, self._ones(), members.form
        rows = self._rows_of(history, "history")
        data = self._read_columns(self._columns_of(rows), "history", timed=False)
        data, rows = self._binned_rows(data, rows, "history")
        panel = rows.panel(data, "history")
        ones = []
        for i, at in enumerate(members.position(panel.ids)):
            if at < 0 and not self._is_global:
                raise DataError(self._unknown(panel.ids[members.position(panel.ids) < 0]))
            grid = self.grid_ if at < 0 else members.grid(at)
            check_on_grid(pd.DatetimeIndex(panel[i].index), grid, f"series {panel.ids[i]!r}: freq={grid.freq!r}")
            one = self._one(panel[i], grid, members.learnt_of(at) if at >= 0 else None)
            if at < 0:
                self._meet(one)
            else:
                one.origin_ = members.data(at).index[0]
            ones.append(one)
        return panel.ids, ones, rows.form

    def _unknown(self: Any, ids: pd.Index) -> str:
        way = (
            "Pass their rows as history=."
            if self._is_global
            else f"{type(self).__name__} has a model for each series: fit on them as well."
        )
        return f"series {some(map(repr, ids))} were not in the data fitted. {way}"

    def _predict_panel(self: Any, X: Any, history: Any, quantiles: np.ndarray) -> tuple[np.ndarray, Callable[..., Any]]:
        """Return forecasts and quantiles (n_rows, K, 1 + n_quantiles), and what gives numbers back, see `_ask`."""
        ids, ones, form = self._known(history)
        if isinstance(X, numbers.Integral) and not isinstance(X, bool):
            steps = check_steps(X)
            out = np.concatenate(self._answers(ids, ones, [steps] * len(ones), quantiles))
            stamps = [one.grid_.future(one.data_.index[-1], steps) for one in ones]
            asked = Rows(pd.DataFrame(index=stamps[0].append(stamps[1:])), ids, np.arange(len(ids)).repeat(steps), form)
            return out, partial(self._give_panel_back, asked)
        if isinstance(X, pd.Index) and not isinstance(X, pd.MultiIndex):
            raise DataError(
                "X to predict holds stamps, and the data many series: pass a table that says which series a row is of, "
                "or a number of steps."
            )
        if not hasattr(X, "columns") and not (is_array(X) and np.ndim(X) == 2 and self.asked_):
            check_request(X)
        asked = self._rows_of(X, "X to predict", ahead=True)
        at = ids.get_indexer(asked.ids.astype(ids.dtype))
        if (at < 0).any():
            raise DataError(self._unknown(asked.ids[at < 0]))
        panel = asked.panel(self._encoded(asked.frame, self.categories_, learn=False)[0], "X to predict")
        answers = self._answers(asked.ids, [ones[i] for i in at], list(panel), quantiles)
        out = np.empty((len(asked.codes), len(self.targets_), 1 + len(quantiles)))
        out[asked.order()] = np.concatenate(answers)  # rows keep their places
        return out, partial(self._give_panel_back, asked)

    def _answers(
        self: Any, ids: pd.Index, ones: list[Any], requests: list[Any], quantiles: np.ndarray
    ) -> list[np.ndarray]:
        """Return what each forecaster answers to its request: (n_rows, K, 1 + n_quantiles)."""
        answers = []
        for name, one, request in zip(ids, ones, requests, strict=True):
            try:
                values, bands, _ = one._predict_steps(request, None, quantiles)
            except DataError as error:
                raise DataError(f"series {name!r}: {error}") from None
            answers.append(np.concatenate([values[..., None], bands], axis=-1))
        return answers

    def _give_panel_back(self: Any, asked: Rows, values: np.ndarray, names: list[Any] | None = None) -> Any:
        """Return numbers (n_rows, n_columns) in the form of the table that was asked about."""
        if names is None and self.container_ == "array":
            return values[:, 0]
        if names is None and self.container_ == "series" and asked.index is not None:
            return pd.Series(values[:, 0], index=asked.index, name=self.targets_[0])
        if asked.form.array == 1 and (names is None or names == self.targets_):
            return values[:, 0]
        columns = column_index(self.targets_ if names is None else names, pd.Index(self.targets_))
        frame = pd.DataFrame(values, columns=columns)
        return asked.form.give_back(frame, asked.ids[asked.codes], asked.stamps, asked.index)

    def _truth_of_panel(self: Any, X: Any) -> pd.DataFrame:
        """Return the targets that stand in a table, in its order."""
        rows = self._rows_of(X, ahead=True)
        check_columns(rows.frame, self.targets_, "target")
        return rows.frame[self.targets_]

    def _future_of_panel(self: Any, steps: int) -> Any:
        """Return the rows after the end of each series, in the form of the table, the covariates asked for missing."""
        ids, ones, form = self._known(None)
        stamps = [one.grid_.future(one.data_.index[-1], steps) for one in ones]
        empty = pd.DataFrame(np.nan, index=range(len(ids) * steps), columns=self.asked_)
        return form.give_back(empty, ids.repeat(steps), stamps[0].append(stamps[1:]))

    # ------------------------------------------------------------------ cutoffs and updates

    def _tidy_panel(self: Any, steps: int, history: Any, cutoffs: Any, levels: np.ndarray, suffix: str) -> pd.DataFrame:
        """Forecast all series from the same cutoffs; one that has no row there, or too few before it, is left out."""
        ids, ones, form = self._known(history)
        label = "series" if form.id is None else form.id
        parts = []
        for name, one in zip(ids, ones, strict=True):
            known = one._cutoffs_known(cutoffs)
            if len(known):
                tidy = one._tidy_forecasts(steps, one.data_, known, levels, suffix)
                if not form.array:
                    tidy.insert(0, label, name)
                parts.append(tidy)
        if not parts:
            raise DataError(f"no series has a row at cutoff(s) {some(cutoffs)} and enough rows before it.")
        return pd.concat(parts, ignore_index=True)

    def _cutoffs_known(self: Any, cutoffs: Any) -> pd.DatetimeIndex:
        """Return those of the cutoffs that a series can be forecast from."""
        times = pd.Index(cutoffs)
        stamps = stamps_of_numbers(times.to_numpy()) if self.grid_.numbered else times
        stamps = self._read_cutoffs(stamps, self._zone)
        frame = self._seen()
        rows = frame.index.get_indexer(stamps)
        seen = np.isfinite(frame.to_numpy()[:, : len(self.targets_)])
        first = int(seen.argmax(axis=0).max()) if seen.any(axis=0).all() else len(frame)
        return stamps[rows >= first]

    def _update_panel(self: Any, X: Any, y: Any) -> None:
        members = self.members_
        rows = self._rows_of(X, ahead=True)
        new, targets, _, _ = self._read_roles(self._columns_of(rows), y, timed=False)
        if targets != self.targets_:
            raise DataError(f"fitted on target(s) {self.targets_!r}, but the update holds {targets!r}.")
        new, rows = self._binned_rows(new, rows)
        panel = rows.panel(new)
        at = members.position(panel.ids)
        if (at < 0).any() and not self._is_global:
            raise DataError(self._unknown(panel.ids[at < 0]))
        data = [members.data(i) for i in range(len(members.ids))]
        grids = [members.grid(i) for i in range(len(data))]
        learnt = [members.learnt_of(i) for i in range(len(data))]
        for i, frame in zip(at, panel, strict=True):
            if i >= 0:
                data[i] = self._one(data[i], grids[i], learnt[i])._with_new(frame)
                continue
            one = self._one(frame, self.grid_)
            self._meet(one)
            data.append(frame)
            grids.append(self.grid_)
            learnt.append(self._learnt_by(one))
        ids = members.ids.append(panel.ids[at < 0].astype(members.ids.dtype))
        self.members_ = Members.of(ids, data, grids, learnt, members.form)

    def _meet(self, one: Any) -> None:
        """Learn of a series that was not in the fit what is to be known of each."""

    def _learnt_by(self, one: Any) -> dict[str, Any]:
        """Return the attributes of a series of its own."""
        return {name: value for name, value in vars(one).items() if name not in vars(self)}


def _fit_one(one: Any, shared: set[str]) -> tuple[dict[str, Any] | None, str | None]:
    try:
        values = one._values(one._seen())
        one._settle(values)
        one._fit(values)
    except DataError as error:
        return None, str(error)
    return {name: value for name, value in vars(one).items() if name not in shared}, None


def _in_processes(ones: list[Any], shared: set[str]) -> Iterable[tuple[dict[str, Any] | None, str | None]]:
    """Fit in as many processes as joblib's configuration says, or as there are processors."""
    return Parallel(n_jobs=None if _configured() else -1, return_as="generator")(
        delayed(_fit_one)(one, shared) for one in ones
    )


def _configured() -> bool:
    """Say whether the user set a number of jobs, `joblib.parallel_config`."""
    return effective_n_jobs(None) != 1
