"""Many series in one table: rows one series below the other, each on a grid of time of its own.

Imports checks, clock, grid, infer, season and exceptions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset

from ..exceptions import DataError
from .clock import span
from .grid import TimeGrid
from .infer import check_on_grid, infer_grid
from .season import season_length

__all__ = ["Panel", "infer_grids"]


@dataclass(frozen=True, eq=False)
class Panel:
    """Rows of many series; one series is a panel of one.

    Attributes
    ----------
    frame : DataFrame of shape (n_rows, n_columns), float64
        The rows, one series below the other, each sorted by its stamps, which are the index.
    ids : Index of shape (n_series,)
        What the series are called.
    starts : ndarray of int, shape (n_series + 1,)
        First row of each series, and the number of rows.
    """

    frame: pd.DataFrame
    ids: pd.Index
    starts: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def index(self) -> pd.DatetimeIndex:
        """The stamps of all rows."""
        return pd.DatetimeIndex(self.frame.index)

    @property
    def lengths(self) -> np.ndarray:
        """Rows of each series."""
        return np.diff(self.starts)

    @cached_property
    def series(self) -> np.ndarray:
        """Number of the series that each row belongs to."""
        return np.repeat(np.arange(len(self)), self.lengths)

    @cached_property
    def values(self) -> np.ndarray:
        """The numbers, (n_rows, n_columns)."""
        return self.frame.to_numpy()

    def __getitem__(self, i: int) -> pd.DataFrame:
        return self.frame.iloc[self.starts[i] : self.starts[i + 1]]

    def __iter__(self) -> Iterator[pd.DataFrame]:
        return (self[i] for i in range(len(self)))

    def suspects(self, n_targets: int, tiny: float) -> np.ndarray:
        """Return the series of which a target was never observed, or a column holds nothing as large as `tiny`."""
        seen = np.add.reduceat(~np.isnan(self.values), self.starts[:-1])  # (n_series, n_columns)
        largest = np.fmax.reduceat(np.abs(self.values), self.starts[:-1])
        odd = (seen[:, :n_targets] == 0).any(axis=1) | ((largest > 0) & (largest < tiny)).any(axis=1)
        return np.flatnonzero(odd)


# ---------------------------------------------------------------------- which grids


def infer_grids(
    panel: Panel, freq: Any, named: Callable[[np.ndarray], str], *, numbered: bool = False
) -> tuple[TimeGrid, ...]:
    """Find the grid of each series.

    Parameters
    ----------
    panel : Panel
        Its rows, sorted and unique in each series.
    freq : str, pandas offset or None
        The step where it is known.
    named : callable
        Names some series, given by their numbers, for a message.
    numbered : bool
        Whether rows have numbers instead of stamps; `freq` says what season they have then.

    Returns
    -------
    tuple of TimeGrid

    Raises
    ------
    DataError
        If no grid is found for a series, or the frequencies differ.

    Notes
    -----
    The longest series says what the step is. Where it is a span of time, the others are held against it all at once;
    else each different index is looked at. A series too short to tell, of one row or a few weekdays, has its step.
    """
    if numbered:
        return (_numbered_grid(panel, freq),) * len(panel)
    longest = int(panel.lengths.argmax())
    usual = infer_grid(pd.DatetimeIndex(panel[longest].index), freq)
    if usual.is_span and _lie_on(panel, usual):
        return (usual,) * len(panel)
    found: dict[bytes, TimeGrid] = {}
    grids = []
    for i, frame in enumerate(panel):
        index = pd.DatetimeIndex(frame.index)
        key = index.asi8.tobytes()
        if key not in found:
            found[key] = _grid_like(index, usual, freq, named(np.array([i])))
        grids.append(found[key])
    _check_same_step(grids, named)
    return tuple(grids)


def _numbered_grid(panel: Panel, freq: Any) -> TimeGrid:
    """The grid of numbered rows: the step is the largest that reaches all of them."""
    seconds = panel.index.as_unit("s").asi8
    steps = np.diff(seconds)[np.diff(panel.series) == 0]
    step = int(np.gcd.reduce(steps)) if len(steps) else 1
    try:
        season = 0 if freq is None else season_length(TimeGrid(to_offset(freq)))
    except (ValueError, TypeError) as exc:
        raise DataError(f"freq={freq!r} is not a frequency pandas knows: {exc}") from exc
    return TimeGrid(to_offset(f"{step}s"), numbered=True, season=season)


def _lie_on(panel: Panel, grid: TimeGrid) -> bool:
    """Say whether all series have this step, and not one that is a multiple of it."""
    stamps = panel.index.as_unit("us").asi8
    each = span(grid.freq) // pd.Timedelta(microseconds=1)
    steps = np.diff(stamps)
    inside = np.ones(len(stamps), dtype=bool)
    inside[panel.starts[:-1]] = False
    within = inside[1:]
    if (steps[within] % each).any():
        return False
    # Each series of more than one row has neighbours one step apart, and is not lost in its grid.
    one = np.zeros(len(panel), dtype=bool)
    one[panel.series[1:][within & (steps == each)]] = True
    n_slots = (stamps[panel.starts[1:] - 1] - stamps[panel.starts[:-1]]) // each + 1
    return bool((one | (panel.lengths == 1)).all() and (n_slots <= 50 * panel.lengths).all())


def _grid_like(index: pd.DatetimeIndex, usual: TimeGrid, freq: Any, name: str) -> TimeGrid:
    try:
        return infer_grid(index, freq)
    except DataError as error:
        try:
            return check_on_grid(index, replace(usual, time=None), "the frequency of the longest series")
        except DataError:
            raise DataError(f"series {name}: {error}") from None


def _check_same_step(grids: Sequence[TimeGrid], named: Callable[[np.ndarray], str]) -> None:
    kinds: dict[Any, list[int]] = {}
    for i, grid in enumerate(grids):
        kinds.setdefault(_kind(grid), []).append(i)
    if len(kinds) > 1:
        by_size = sorted(kinds.values(), key=len, reverse=True)
        parts = [f"{grids[numbers[0]].name} of {named(np.array(numbers))}" for numbers in by_size]
        raise DataError(
            f"the series have different frequencies: {'; '.join(parts)}. Fit a model on those of one frequency, or "
            "bring all to one, e.g. df.groupby(id).resample('D').mean()."
        )


def _kind(grid: TimeGrid) -> tuple[Any, ...]:
    """What the grids of series have in common that can be learnt from together; weeks may end on other days."""
    offset = grid.freq
    rule = "span" if grid.is_span or grid.wall else offset.rule_code.split("-")[0].removeprefix("B").rstrip("SE")
    length = span(offset) // pd.Timedelta(microseconds=1) if rule == "span" else offset.n
    return rule, length, season_length(grid)
