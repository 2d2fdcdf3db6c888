"""The forms in which users hold series and time, read at the door and given back at the door.

A table is wide (its index is the time, one series), long (columns, or a column and the index, say which series and
when), or has an index of two levels, series and time. Tables of polars, pyarrow and others come in through narwhals.
Rows of an array of NumPy are numbered. Imports checks, grid, panel, masked and exceptions.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from .._masked import unmasked
from ..exceptions import DataError
from .checks import check_columns, some
from .grid import numbers_of, stamps_of_numbers
from .panel import Panel

__all__ = ["Form", "Rows", "is_wide", "read_rows", "rows_of_array"]


@dataclass(frozen=True)
class Form:
    """How a table says which series a row is of, and when it is.

    Attributes
    ----------
    id : column or name of the level that names the series; None in a table of one series
    time : column or name of the level that holds the time; None where it is the index of the table
    levels : "series, time" or "time, series" for an index of two levels, else ""
    numbered : whether time is integers
    periods : frequency of the periods that time is given in; "" for stamps
    unit : resolution of the stamps
    backend : "pandas", or the name that narwhals has for what the table is of
    categorical : whether series are named by categories of pandas
    array : dimensions of an array of NumPy, 1 or 2; 0 for a table
    """

    id: Hashable | None = None
    time: Hashable | None = None
    levels: str = ""
    numbered: bool = False
    periods: str = ""
    unit: str = "ns"
    backend: str = "pandas"
    categorical: bool = False
    array: int = 0

    @property
    def is_wide(self) -> bool:
        """Whether the table holds one series, whose index is the time."""
        return self.id is None and self.time is None and not self.levels

    def give_back(self, values: pd.DataFrame, ids: pd.Index, stamps: pd.DatetimeIndex, index: Any = None) -> Any:
        """Return rows in this form: a table, or an array of shape (n_rows, n_columns).

        Parameters
        ----------
        values : DataFrame of shape (n_rows, n_columns)
            What is given back; its index does not count.
        ids : Index of shape (n_rows,)
            The series of each row.
        stamps : DatetimeIndex of shape (n_rows,)
            Its time.
        index : Index of shape (n_rows,), optional
            The index of the rows that were asked for, where time and series are columns.
        """
        if self.array:
            return values.to_numpy()
        time = self.time_of(stamps)
        ids = ids.astype("category") if self.categorical else ids
        if self.is_wide:
            return values.set_axis(time)
        if self.levels:
            both = {"series": pd.Index(ids, name=self.id), "time": pd.Index(time, name=self.time)}
            return values.set_axis(pd.MultiIndex.from_arrays([both[level] for level in self.levels.split(", ")]))
        columns: dict[Any, Any] = {} if self.id is None else {self.id: ids}
        if self.time is not None:
            columns[self.time] = time
            rows = pd.RangeIndex(len(values)) if index is None else index
        else:
            rows = time
        table = pd.DataFrame({name: pd.Series(values) for name, values in columns.items()})
        table = pd.concat([table, values.reset_index(drop=True)], axis=1).set_axis(rows)
        return table if self.backend == "pandas" else _native(table, self.backend)

    def time_of(self, stamps: pd.DatetimeIndex) -> pd.Index:
        """Return stamps as the table has them: numbers, periods or stamps of its resolution."""
        if self.numbered:
            return numbers_of(stamps)
        return stamps.to_period(self.periods) if self.periods else stamps.as_unit(self.unit)  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of a table in the order in which they stand there.

    Attributes
    ----------
    frame : DataFrame
        The columns that are neither series nor time; its index are the stamps.
    ids : Index of shape (n_series,)
        The series, in the order of their first rows.
    codes : ndarray of int, shape (n_rows,)
        Which of them a row is of.
    form : Form
    index : Index of shape (n_rows,) or None
        The index that the table has.
    """

    frame: pd.DataFrame
    ids: pd.Index
    codes: np.ndarray
    form: Form
    index: pd.Index | None = None

    @property
    def stamps(self) -> pd.DatetimeIndex:
        return pd.DatetimeIndex(self.frame.index)

    def order(self) -> np.ndarray:
        """Row numbers, series by series and each by time."""
        return np.lexsort((self.stamps.asi8, self.codes))

    def panel(self, frame: pd.DataFrame | None = None, name: str = "X") -> Panel:
        """Return the rows as a panel; `frame` stands in for their columns.

        Raises
        ------
        DataError
            If two rows are of one series and one time.
        """
        frame = self.frame if frame is None else frame
        order = self.order()
        codes, stamps = self.codes[order], self.stamps[order]
        twice = (codes[1:] == codes[:-1]) & (stamps[1:] == stamps[:-1])
        if twice.any():
            self._refuse_duplicates(codes[1:][twice], stamps[1:][twice], name)
        starts = np.searchsorted(codes, np.arange(len(self.ids) + 1))
        sorted_already = (order == np.arange(len(order))).all()
        return Panel(frame if sorted_already else frame.iloc[order], self.ids, starts)

    def _refuse_duplicates(self, codes: np.ndarray, stamps: pd.DatetimeIndex, name: str) -> None:
        said = [
            f"{self.ids[int(i)]!r} ({(codes == i).sum()} row(s), first at {stamps[codes == i][0]})"
            for i in np.unique(codes)
        ]
        which = f"series {some(said)}" if self.form.id is not None or self.form.levels else some(stamps.unique())
        raise DataError(
            f"{name} has several rows for one series and time: {which}. Keep one of each, e.g. "
            "df.drop_duplicates([id, time], keep='last')."
        )


def is_wide(X: Any, id_col: Hashable | None = None, time_col: Hashable | None = None) -> bool:
    """Say whether something is to be read as a table of one series whose index is the time."""
    if id_col is not None or time_col is not None:
        return False
    if isinstance(X, (pd.DataFrame, pd.Series)):
        return not isinstance(X.index, pd.MultiIndex)
    # A table of another library has no index: it is told here which columns are missing.
    return not isinstance(nw.from_native(X, pass_through=True, eager_only=True), nw.DataFrame)


def read_rows(X: Any, id_col: Hashable | None = None, time_col: Hashable | None = None, name: str = "X") -> Rows:
    """Find out which series and time each row of a table has.

    Parameters
    ----------
    X : DataFrame or Series of pandas, or a data frame that narwhals knows
        With an index of two levels (series, time) or columns that hold them.
    id_col, time_col : label, optional
        The columns. Without `time_col` the index is the time; without `id_col` all rows are of one series.
    name : str
        What messages call the table.

    Raises
    ------
    DataError
        If a column is missing, series or times are missing or mixed, or the index has other levels.
    """
    X, backend = _as_pandas(X, name)
    if backend != "pandas" and time_col is None:
        raise DataError(
            f"{name} is a table of {backend}, which has no index: name the column that holds the time, time_col=, and "
            "for several series the one that says which, id_col=."
        )
    if isinstance(X.index, pd.MultiIndex):
        return _rows_of_levels(X, id_col, time_col, name)
    check_columns(X, [col for col in (id_col, time_col) if col is not None], f"{name}:")
    form = Form(id_col, time_col, backend=backend)
    time = X.index if time_col is None else pd.Index(X[time_col])
    stamps, form = _read_time(time, form, name, "index" if time_col is None else f"column {time_col!r}")
    labels = pd.Index([0] * len(X)) if id_col is None else pd.Index(X[id_col])
    form = replace(form, categorical=isinstance(labels, pd.CategoricalIndex))
    codes, ids = _read_ids(labels, name, id_col)
    frame = X.drop(columns=[col for col in (id_col, time_col) if col is not None]).set_axis(stamps)
    return Rows(frame, ids, codes, form, X.index)


def rows_of_array(X: np.ndarray, names: list[Any] | None = None, first: int = 0, name: str = "X") -> Rows:
    """Number the rows of an array of one series.

    Parameters
    ----------
    X : ndarray of shape (n_rows,) or (n_rows, n_columns)
        What is masked is missing.
    names : list, optional
        What the columns are called; by default "y" the only one of one dimension, and by their numbers, from 0.
    first : int
        Number of the first row.
    name : str
        What messages call the array.

    Raises
    ------
    DataError
        If it has another number of dimensions, or of columns than there are names.

    Examples
    --------
    >>> rows_of_array(np.array([3.0, 4.0]), first=7).frame.index.as_unit("s").asi8
    array([7, 8])
    """
    values = np.asarray(unmasked(X))
    if values.ndim not in (1, 2):
        raise DataError(
            f"{name} must be an array of shape (n_rows,) or (n_rows, n_columns), got shape {values.shape}. Reshape it."
        )
    table = values[:, None] if values.ndim == 1 else values
    columns = (["y"] if values.ndim == 1 else list(range(table.shape[1]))) if names is None else names
    if len(columns) != table.shape[1]:
        raise DataError(f"{name} has {table.shape[1]} column(s), where {len(columns)} are known: {some(columns)}.")
    frame = pd.DataFrame(table, columns=columns, index=stamps_of_numbers(np.arange(first, first + len(table))))
    form = Form(numbered=True, backend="numpy", array=values.ndim)
    return Rows(frame, pd.Index([0]), np.zeros(len(table), dtype=np.intp), form, pd.RangeIndex(len(table)))


def _rows_of_levels(X: pd.DataFrame, id_col: Hashable | None, time_col: Hashable | None, name: str) -> Rows:
    index: Any = X.index
    if index.nlevels != 2:
        raise DataError(
            f"{name} has an index of {index.nlevels} levels ({some(index.names)}); two are read, series and time. Join "
            "the others into one, e.g. df.set_index([df['site'] + '/' + df['meter'], 'time'])."
        )
    timed = [level for level in (0, 1) if _is_time(index.levels[level])]
    if len(timed) == 2 or not timed:
        timed = [level for level in (0, 1) if time_col is not None and index.names[level] == time_col] or timed[1:]
    if not timed and pd.api.types.is_integer_dtype(index.levels[1].dtype):
        timed = [1]
    if not timed:
        raise DataError(
            f"{name} has an index of two levels, {index.names[0]!r} and {index.names[1]!r}, and none of them is time. "
            "Convert one with pd.to_datetime, or to integers, and let it be the second."
        )
    at = timed[0]
    form = Form(index.names[1 - at], index.names[at], levels="series, time" if at == 1 else "time, series")
    stamps, form = _read_time(index.get_level_values(at), form, name, f"level {index.names[at]!r}")
    labels = index.get_level_values(1 - at)
    form = replace(form, categorical=isinstance(labels, pd.CategoricalIndex))
    codes, ids = _read_ids(labels, name, index.names[1 - at])
    return Rows(X.set_axis(stamps), ids, codes, form, index)


def _is_time(level: pd.Index) -> bool:
    return isinstance(level, (pd.DatetimeIndex, pd.PeriodIndex))


def _read_ids(labels: Any, name: str, id_col: Hashable | None) -> tuple[np.ndarray, pd.Index]:
    """Return the number of each row's series, and the series in the order of their first rows."""
    if labels.hasnans:
        n, first = int(labels.isna().sum()), int(labels.isna().argmax())
        raise DataError(
            f"{n} row(s) of {name} do not say which series they are of: {id_col!r} is missing, first in row {first}. "
            "Fill it, or drop these rows."
        )
    kinds = {type(label).__name__ for label in labels.unique()} if labels.dtype == object else set()
    if len(kinds) > 1:
        raise DataError(
            f"{name} names its series by labels of several types: {id_col!r} holds {some(sorted(kinds))}. Make them "
            f"one, e.g. df[{id_col!r}].astype(str)."
        )
    if isinstance(labels, pd.CategoricalIndex):
        labels = labels.astype(labels.categories.dtype)
    codes, ids = pd.factorize(labels)
    return codes, pd.Index(ids)


def _read_time(time: Any, form: Form, name: str, where: str) -> tuple[pd.DatetimeIndex, Form]:
    """Return the stamps of rows, and what is to be known to give them back."""
    if time.hasnans:
        raise DataError(f"{name} has {int(time.isna().sum())} missing timestamps in its {where}. Drop those rows.")
    if isinstance(time, pd.PeriodIndex):
        return time.to_timestamp(), replace(form, periods=time.freqstr)
    if pd.api.types.is_integer_dtype(time.dtype) and not form.is_wide:
        return stamps_of_numbers(time.to_numpy()), replace(form, numbered=True)
    if isinstance(time, pd.DatetimeIndex):
        return time, replace(form, unit=time.unit)
    try:
        stamps = pd.DatetimeIndex(pd.to_datetime(time)) if time.dtype.kind != "f" else None
    except (ValueError, TypeError) as error:
        raise DataError(
            f"the {where} of {name} is no time: {error}. Convert it first: pd.to_datetime(..., utc=True) brings "
            "stamps of several zones to one."
        ) from None
    if stamps is None or pd.api.types.is_integer_dtype(time.dtype):
        raise DataError(
            f"the {where} of {name} holds {time.dtype} where stamps, periods or integers are read. Convert it with "
            "pd.to_datetime, or number the rows."
        )
    return stamps, replace(form, unit=stamps.unit)


# ---------------------------------------------------------------------- other libraries


def _as_pandas(X: Any, name: str) -> tuple[pd.DataFrame, str]:
    if isinstance(X, pd.Series):
        return X.to_frame("y" if X.name is None else X.name), "pandas"
    if isinstance(X, pd.DataFrame):
        return X, "pandas"
    try:
        table = nw.from_native(X, eager_only=True)
    except TypeError:
        raise DataError(
            f"{name} must be a table of pandas, polars, pyarrow or another library that narwhals reads, got "
            f"{type(X).__name__}."
        ) from None
    columns = {column: _column(table[column]) for column in table.columns}
    return pd.DataFrame(columns), table.implementation.value


def _column(series: Any) -> Any:
    values = series.to_numpy()
    zone = getattr(series.dtype, "time_zone", None)
    if zone is None:
        return values
    return (
        pd.DatetimeIndex(series.dt.convert_time_zone("UTC").dt.replace_time_zone(None).to_numpy())
        .tz_localize("UTC")
        .tz_convert(zone)
    )


def _native(table: pd.DataFrame, backend: Any) -> Any:
    zones = {name: column.dt.tz for name, column in table.items() if hasattr(column.dtype, "tz")}
    plain = {
        str(name): (column.dt.tz_convert("UTC").dt.tz_localize(None) if name in zones else column).to_numpy()
        for name, column in table.items()
    }
    made = nw.from_dict(plain, backend=backend)
    for name, zone in zones.items():
        of_utc = nw.col(str(name)).dt.replace_time_zone("UTC")
        made = made.with_columns(of_utc.dt.convert_time_zone(str(zone)))
    return made.to_native()
