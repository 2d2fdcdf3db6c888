"""The series of a panel that a forecaster was fitted on, in few tables: their rows, grids, and what was learnt of each.

Imports frames, the schema of files and exceptions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .._archive.schema import require
from ..frames import Form, TimeGrid

__all__ = ["Members"]


@dataclass(frozen=True, eq=False)
class Members:
    """Series, one below the other.

    Attributes
    ----------
    ids : Index of shape (n_series,)
        What they are called.
    frame : DataFrame
        Their rows, numbered.
    stamps : DatetimeIndex of shape (n_rows,)
        Their times.
    starts : ndarray of int64, shape (n_series + 1,)
        First row of each series, and the number of rows.
    grids : list of TimeGrid
        The different grids, and `which`, ndarray of int64 of shape (n_series,), which of them each series has.
    learnt : dict of str to ndarray or list
        Fitted attributes of a series of its own, one for each: arrays of one shape are stacked.
    form : Form
        How the table said which series a row is of, and when.
    """

    ids: pd.Index
    frame: pd.DataFrame
    stamps: pd.DatetimeIndex
    starts: np.ndarray
    grids: list[TimeGrid]
    which: np.ndarray
    learnt: dict  # type: ignore[type-arg]
    form: Form

    @classmethod
    def of(
        cls,
        ids: pd.Index,
        data: Sequence[pd.DataFrame],
        grids: Sequence[TimeGrid],
        learnt: Sequence[dict[str, Any] | None],
        form: Form,
    ) -> Members:
        """Put series together."""
        frame = pd.concat(data)
        different = list(dict.fromkeys(grids))
        which = np.array([different.index(grid) for grid in grids], dtype=np.int64)
        starts = np.concatenate([[0], np.cumsum([len(one) for one in data])]).astype(np.int64)
        first = learnt[0] or {}
        columns = {name: stacked([(one or {})[name] for one in learnt]) for name in first}
        stamps = pd.DatetimeIndex(frame.index)
        return cls(ids, frame.reset_index(drop=True), stamps, starts, different, which, columns, form)

    @property
    def own(self) -> set[str]:
        """Names of what each series has of its own."""
        return {"data_", "origin_", *self.learnt}

    def position(self, ids: pd.Index) -> np.ndarray:
        """Return the number of each of these series; -1 for those that are not among them."""
        return self.ids.get_indexer(ids.astype(self.ids.dtype) if ids.dtype != self.ids.dtype else ids)

    def data(self, i: int) -> pd.DataFrame:
        """Return the rows of a series, indexed by their stamps."""
        rows = slice(int(self.starts[i]), int(self.starts[i + 1]))
        return self.frame.iloc[rows].set_axis(self.stamps[rows])

    def grid(self, i: int) -> TimeGrid:
        return self.grids[self.which[i]]

    def learnt_of(self, i: int) -> dict[str, Any]:
        """Return the attributes that a series has of its own."""
        return {name: _item(values[i]) for name, values in self.learnt.items()}

    def check(self, known: Iterable[str]) -> None:
        """Raise `ArchiveError` unless the tables fit each other; of the attributes, only these may be learnt."""
        n = len(self.ids)
        require(n > 0 and self.ids.is_unique and not self.ids.hasnans, "ids do not name series")
        starts, which = self.starts, self.which
        for name, values, size in (("starts", starts, n + 1), ("which", which, n)):
            good = type(values) is np.ndarray and values.dtype == np.int64 and values.shape == (size,)
            require(good, f"{name} is no array of {size} integers")
        require(starts[0] == 0 and (np.diff(starts) > 0).all(), "starts does not ascend from 0")
        frame, stamps = type(self.frame) is pd.DataFrame, isinstance(self.stamps, pd.DatetimeIndex)
        require(frame and stamps and len(self.frame) == len(self.stamps) == starts[-1], "frame and stamps differ")
        require(type(self.grids) is list and all(type(grid) is TimeGrid for grid in self.grids), "grids are none")
        require(which.min() >= 0 and which.max() < len(self.grids), "which names a grid that is none")
        require(type(self.form) is Form, "form is none")
        require(type(self.learnt) is dict and set(self.learnt) <= set(known), "learnt holds what no series has")
        lengths = {len(values) for values in self.learnt.values()}
        require(lengths <= {n}, f"learnt does not hold one value for each of {n} series")


def stacked(values: list[Any]) -> Any:
    """Return arrays of one shape as one array, numbers as an array, and everything else as it is."""
    first = values[0]
    if type(first) in (int, float) and all(type(value) is type(first) for value in values):
        return np.array(values)
    alike = type(first) is np.ndarray and first.dtype != object
    if alike and all(type(v) is np.ndarray and (v.dtype, v.shape) == (first.dtype, first.shape) for v in values):
        return np.stack(values)
    return values


def _item(value: Any) -> Any:
    """Return a number of an array as Python has it."""
    return value.item() if isinstance(value, np.generic) else value
