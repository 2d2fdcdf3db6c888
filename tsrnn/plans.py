"""Who forecasts what from where: the data of a backtest, checked, and its origins, for one series or many.

Imports frames, splits and exceptions, and forecasters for their labels.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from . import _types as t
from ._warnings import warn_user
from .exceptions import DataError, DataWarning
from .forecasters.base import BaseForecaster
from .forecasters.labels import as_objects
from .frames import (
    Panel,
    TimeGrid,
    as_names,
    check_columns,
    check_frame,
    check_time_index,
    infer_grid,
    infer_grids,
    is_wide,
    read_rows,
    season_length,
    some,
    warn_of_empty_columns,
)
from .frames.grid import numbers_of, stamps_of_numbers
from .splits import rolling_cutoffs

__all__ = ["Columns", "LongTable", "Plan", "check_observed", "check_season", "make_plan"]


@dataclass(frozen=True, eq=False)
class LongTable:
    """Which columns of a table say of which series a row is, and when.

    Attributes
    ----------
    id_col, time_col : label
    stamps : DatetimeIndex of shape (n_rows,)
        The times of the rows.
    numbered : bool
        Whether times are numbers of rows, which end together then.
    target : label or None
        The column forecast, where it is one; of several, a target is a pair of series and column.
    season_length : int or None
        As the user gave it.
    """

    id_col: Hashable
    time_col: Hashable
    stamps: pd.DatetimeIndex
    numbered: bool
    target: Hashable | None
    season_length: int | None

    def told(self, model: BaseForecaster) -> dict[str, Any]:
        """Return what a model that leaves them open is told of the table."""
        own = model.get_params(deep=False)
        known = {"id_col": self.id_col, "time_col": self.time_col}
        if self.numbered or self.season_length is not None:
            known["season_length"] = self.season_length
        return {name: value for name, value in known.items() if name in own and own[name] is None}

    def until(self, cutoff: pd.Timestamp) -> LongTable:
        """The same of the rows up to a cutoff."""
        return replace(self, stamps=self.stamps[self.stamps <= cutoff])

    def named(self, forecasts: pd.DataFrame) -> pd.DataFrame:
        """Return forecasts whose targets are the series, times as stamps."""
        series = forecasts[self.id_col]
        if self.target is None:
            pairs = list(zip(series, forecasts["target"], strict=True))
            series = pd.Series(as_objects(pairs), index=forecasts.index)
        out = forecasts.assign(target=series).drop(columns=[self.id_col] if self.id_col != "target" else [])
        if self.numbered:
            out = out.assign(**{name: stamps_of_numbers(out[name].to_numpy()) for name in ("cutoff", "ds")})
        return out


@dataclass(frozen=True, eq=False)
class Plan:
    """Who forecasts what from where: shared by all models of a comparison.

    Attributes
    ----------
    frame : DataFrame
        The rows given, with all columns.
    observed : DataFrame of shape (n_rows, n_targets)
        The targets on the full grid, NaN in gaps.
    cutoffs : DatetimeIndex of shape (n_windows,)
    target : str, list of str or None
        As the user gave it.
    horizon : int
    step : int
        Rows from one cutoff to the next.
    season_length : int
        The usual season of the frequency, in rows.
    freq : str or None
        As a model has it.
    periods : str
        Frequency of the periods that the data were indexed by; empty for stamps.
    long : LongTable or None
        Of many series, which columns of `frame` say which and when: each series is a target then.
    """

    frame: pd.DataFrame
    observed: pd.DataFrame
    cutoffs: pd.DatetimeIndex
    target: t.Labels | None
    horizon: int
    step: int
    season_length: int
    freq: str | None = None
    periods: str = ""
    long: LongTable | None = None

    def until(self, cutoff: pd.Timestamp) -> pd.DataFrame:
        """The rows up to a cutoff."""
        return self.frame.loc[:cutoff] if self.long is None else self.frame[self.long.stamps <= cutoff]

    @property
    def train(self) -> pd.DataFrame:
        """The targets up to the first cutoff: what is known before any forecast."""
        return self.observed.loc[: self.cutoffs[0]]


class Columns(NamedTuple):
    """What a user says of a table of many series."""

    id_col: Hashable | None = None
    time_col: Hashable | None = None
    season_length: int | None = None

    def or_those_of(self, models: Iterable[Any]) -> Columns:
        """Return them with the columns that a model knows where the user leaves them open."""
        if (self.id_col, self.time_col) != (None, None):
            return self
        known = ((getattr(model, "id_col", None), getattr(model, "time_col", None)) for model in models)
        id_col, time_col = next((pair for pair in known if pair != (None, None)), (None, None))
        return self._replace(id_col=id_col, time_col=time_col)


def make_plan(
    df: Any,
    target: t.Labels | None,
    horizon: int,
    n_windows: int,
    step: int | None,
    freq: str | None = None,
    columns: Columns = Columns(),  # noqa: B008
) -> Plan:
    """Check the data and place the origins."""
    if not is_wide(df, columns.id_col, columns.time_col):
        return plan_of_panel(df, target, horizon, n_windows, step, freq, columns)
    df = df.to_frame("y" if df.name is None else df.name) if isinstance(df, pd.Series) else df
    if not isinstance(df, pd.DataFrame):
        raise DataError(f"df must be a pandas DataFrame with a time index, got {type(df).__name__}.")
    targets = as_names(target, df.columns) or list(df.columns)
    check_columns(df, targets, "target")
    periods = df.index.freqstr if isinstance(df.index, pd.PeriodIndex) else ""
    index = check_time_index(df.index, "df")
    df = df.set_axis(index)  # periods -> stamps
    grid = infer_grid(index, freq)
    known = check_frame(df[targets], "df")
    if target is None:
        warn_of_empty_columns(known)
    observed = grid.regularise(known)
    cutoffs = pd.DatetimeIndex(observed.index)[rolling_cutoffs(len(observed), horizon, n_windows, step)]
    step = int(horizon if step is None else step)
    return Plan(df, observed, cutoffs, target, int(horizon), step, season_length(grid), freq, periods)


def plan_of_panel(
    df: Any,
    target: t.Labels | None,
    horizon: int,
    n_windows: int,
    step: int | None,
    freq: str | None,
    columns: Columns,
) -> Plan:
    """Check a table of many series, and place the origins: the same times for all of them.

    Numbered rows end together: where series of different length all start at 1, as those of the M competitions do,
    the last row of each is the last of all. A series that does not reach over all origins is left out, and told.
    """
    rows = read_rows(df, columns.id_col, columns.time_col, "df")
    targets = as_names(target, rows.frame.columns) or list(rows.frame.columns)
    check_columns(rows.frame, targets, "target")
    panel = rows.panel(check_frame(rows.frame[targets], "df", timed=False), "df")
    numbered = rows.form.numbered
    stamps = rows.stamps
    if numbered:
        last = panel.index.as_unit("s").asi8[panel.starts[1:] - 1]
        moved = stamps.as_unit("s").asi8 + (last.max() - last)[rows.codes]
        stamps = stamps_of_numbers(moved)
        panel = replace(rows, frame=rows.frame.set_axis(stamps)).panel(
            check_frame(rows.frame[targets].set_axis(stamps), "df", timed=False), "df"
        )
    grids = infer_grids(panel, freq, lambda numbers: some(map(repr, panel.ids[numbers])), numbered=numbered)
    grid = grids[int(panel.lengths.argmax())].with_season(columns.season_length)
    every = grid.between(panel.index.min(), panel.index.max()) if grid.is_span else panel.index.unique().sort_values()
    cutoffs = every[rolling_cutoffs(len(every), horizon, n_windows, step)]
    whole = _reach_over(panel, cutoffs, grid)
    if not len(whole):
        raise DataError(
            f"no series has two rows up to the first origin, {cutoffs[0]}, and one at the last, {cutoffs[-1]}. Lower "
            "n_windows, step or horizon."
        )
    if len(whole) < len(panel):
        left = np.setdiff1d(np.arange(len(panel)), whole)
        names = some(map(repr, panel.ids[left]))
        warn_user(
            f"{len(left)} of {len(panel)} series do not reach from the first origin, {cutoffs[0]}, to the last, "
            f"{cutoffs[-1]}, and are left out: {names}. Lower n_windows or step to keep them.",
            DataWarning,
        )
    observed = pd.DataFrame(
        {
            (panel.ids[i] if len(targets) == 1 else (panel.ids[i], name)): panel[i][name].reindex(every)
            for i in whole
            for name in targets
        }
    )
    observed.columns = pd.Index(as_objects(list(observed.columns)), tupleize_cols=False)
    kept = np.isin(rows.codes, whole)
    id_col = "series" if rows.form.id is None else rows.form.id
    time_col = "time" if rows.form.time is None else rows.form.time
    time = numbers_of(stamps) if numbered else rows.form.time_of(stamps)
    frame = rows.frame.reset_index(drop=True)
    frame = frame.assign(**{str(id_col): rows.ids[rows.codes], str(time_col): time})[kept].reset_index(drop=True)
    one = targets[0] if len(targets) == 1 else None
    long = LongTable(str(id_col), str(time_col), stamps[kept], numbered, one, columns.season_length)
    step = int(horizon if step is None else step)
    season = season_length(grid)
    plan_target: Any = targets if target is None else target
    return Plan(frame, observed, cutoffs, plan_target, int(horizon), step, season, freq, rows.form.periods, long)


def _reach_over(panel: Panel, cutoffs: pd.DatetimeIndex, grid: TimeGrid) -> np.ndarray:
    """Return the series that are known from the first cutoff to the last: a season and a row before, if there are."""
    index, least = panel.index, max(2, season_length(grid) + 1)
    before = np.add.reduceat((index <= cutoffs[0]).astype(int), panel.starts[:-1])
    return np.flatnonzero((before >= least) & (index[panel.starts[1:] - 1] >= cutoffs[-1]))


def check_observed(plan: Plan) -> None:
    """Raise if no forecast could be held against an observation."""
    first = plan.observed.index.get_indexer(plan.cutoffs)[:, np.newaxis] + 1
    rows = plan.observed.iloc[(first + np.arange(plan.horizon)).ravel()]
    if rows.isna().to_numpy().all():
        raise DataError(
            f"target(s) {', '.join(map(str, rows.columns))} hold no observation in the rows to forecast, "
            f"{rows.index[0]} to {rows.index[-1]}: there is nothing to compare. Drop the empty rows at the end, "
            "df.dropna(how='all'), or raise n_windows so that earlier rows are forecast too."
        )


def check_season(plan: Plan, season_length: int) -> None:
    """Raise if no season is known before the first origin."""
    if len(plan.train) <= season_length:
        raise DataError(
            f"the first cutoff, {plan.cutoffs[0]}, leaves {len(plan.train)} rows to train on, no more than "
            f"season_length={season_length}. Lower n_windows or step, pass more history, or pass season_length=1."
        )
