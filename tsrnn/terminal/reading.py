"""Reading of files: the targets on their time index, or the cell that is wrong and the flag that mends it.

pandas parts a file into cells; what each cell means is decided here, and nothing is repaired without a word.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd

from ..exceptions import DataError
from ..frames import infer_grid
from ..frames.grid import numbers_of
from .cells import Cells, Column, read_cells
from .formats import MAGIC
from .layout import Layout
from .numerals import check_numbers, doubts, to_numbers
from .parquet import parquet_cells
from .reporting import tell
from .source import read_bytes, text_of
from .stamps import NUMBER, check_time_flags, to_times
from .usage import FileError, UsageError

__all__ = ["as_numbered", "check_future", "columns_of_series", "read_table"]


def read_table(file: Path, time: list[str], targets: list[str], layout: Layout | None = None) -> pd.DataFrame:
    """Read the targets of a CSV or Parquet file on their time index, or numbered rows with the number as first column.

    Where --id names a column that holds several series, all are read: a long table, whose first column is that one and
    whose second is the time.
    """
    layout = Layout() if layout is None else layout
    check_names(time, targets)
    check_time_flags(layout)
    choices = [choice.partition("=")[0] for choice in layout.ids or ()]
    table = open_table(file, layout, [*time, *targets, *choices])
    clock = [table.position(name, "time column") for name in time]
    places = [table.position(name, "target") for name in targets]
    chosen = [choose(choice, table) for choice in layout.ids or ()]
    columns = table.columns([*clock, *places, *(place for place, _ in chosen)])
    rows = rows_to_read(table, columns, clock, chosen)
    parts = [pick(columns[k], rows) for k in clock]
    stamps = parts[0] if len(parts) == 1 else [" ".join(cells) for cells in zip(*parts, strict=True)]
    typed = table.stamps(clock[0], rows) if len(clock) == 1 else None
    times = to_times(Column(" ".join(time), stamps, rows, table, typed), layout)
    numbers = {}
    for name, k in zip(targets, places, strict=True):
        column, way = Column(name, pick(columns[k], rows), rows, table), table.way(k, layout)
        numbers[name], bad = to_numbers(column.cells, way)
        check_numbers(column, bad, way)
        for doubt in doubts(column, numbers[name], way):
            tell("note", doubt)
    used = [*clock, *places]
    of_series = [place for place, value in chosen if value is None and len(set(pick(columns[place], rows))) > 1]
    if not of_series:
        frame = on_clean_index(numbers, times, table, layout, rows, used)
        return frame.rename_axis(" ".join(time)).reset_index() if layout.time_format == NUMBER else frame
    if len(of_series) > 1:
        names = " and ".join(repr(table.names[place]) for place in of_series)
        raise UsageError(
            f"--id names several columns that tell series apart, {names}. Name one, or choose: --id COL=VALUE."
        )
    labels = pd.Series(pick(columns[of_series[0]], rows))
    if (labels == "").any():
        line = table.place(rows[int((labels == "").argmax())])
        raise FileError(f"column {table.names[of_series[0]]!r}, {line}: empty, where the name of a series stands.")
    tables: list[pd.DataFrame] = []
    for label, at in labels.groupby(labels, sort=False).indices.items():
        own = {name: values[at] for name, values in numbers.items()}
        frame = on_clean_index(own, times[at], table, layout, [rows[k] for k in at], [*used, of_series[0]])
        frame.index.name = " ".join(time)
        tables.append(frame.reset_index().assign(**{table.names[of_series[0]]: label}))
    whole = pd.concat(tables, ignore_index=True)
    return whole[[table.names[of_series[0]], " ".join(time), *targets]]


def open_table(file: Path, layout: Layout, wanted: list[str]) -> Cells:
    """Return the cells of a file, which its first bytes say is Parquet or text."""
    raw = read_bytes(file)
    if raw.startswith(MAGIC):
        return parquet_cells(raw, str(file), layout)
    return read_cells(text_of(raw, str(file), layout), layout, wanted)


def check_names(time: list[str], targets: list[str]) -> None:
    """Refuse columns that are named twice."""
    twice = {name for name in targets if targets.count(name) > 1}
    if twice:
        raise UsageError(f"--target names {', '.join(sorted(twice))} more than once.")
    both = set(time) & set(targets)
    if both:
        raise UsageError(f"--target {min(both)!r} is the time column. Name the column to forecast.")


def choose(choice: str, table: Cells) -> tuple[int, str | None]:
    """Part COL=VALUE; the value is None where only the column is named."""
    if choice in table.names:
        return table.position(choice, "--id"), None
    name, _, value = choice.rpartition("=") if choice.rpartition("=")[0] in table.names else choice.partition("=")
    return table.position(name, "--id"), value


def rows_to_read(table: Cells, columns: dict, clock: list[int], chosen: list) -> Sequence[int]:
    """Return the rows of the series that was chosen, without those that hold nothing."""
    n_rows = len(columns[clock[0]])
    rows: Sequence[int] = range(n_rows)
    for place, value in chosen:
        known = list(dict.fromkeys(cell for cell in columns[place] if cell))
        name = table.names[place]
        if value is not None and value not in known:
            raise FileError(f"column {name!r} has no {value!r}. It holds {shown(known)}.")
        rows = [row for row in rows if value is None or columns[place][row] == value]
    if all("" in columns[k] for k in clock):
        empty = [row for row in rows if not any(columns[k][row] for k in clock)]
        blank = {row for row, is_blank in zip(empty, table.is_blank(empty), strict=True) if is_blank}
        rows = [row for row in rows if row not in blank]
    if not rows:
        raise FileError("the file has a header but no rows.")
    return rows


def pick(cells: list[str], rows: Sequence[int]) -> list[str]:
    """Return the cells of these rows."""
    return cells if len(rows) == len(cells) else [cells[row] for row in rows]


def on_clean_index(numbers: dict, times, table: Cells, layout: Layout, rows: Sequence[int], used: list[int]):
    """Return the frame, each time once, in order."""
    frame = pd.DataFrame(numbers, index=times)
    if not times.is_unique:
        if layout.duplicates is None:
            refuse_duplicates(times, table, rows, used)
        elif layout.duplicates == "mean":
            frame = frame.groupby(level=0, sort=False).mean()
        else:
            frame = frame[~frame.index.duplicated(keep="first" if layout.duplicates == "first" else "last")]
    frame = in_order(frame, table, layout, rows if len(frame) == len(rows) else None)
    if layout.resample is not None:
        try:
            frame = frame.resample(layout.resample).mean()
        except ValueError as exc:
            raise UsageError(f"--resample {layout.resample!r} is not a frequency that pandas knows: {exc}.") from exc
    if layout.freq is not None:
        frame = on_grid(frame, layout.freq)
    return frame


def on_grid(frame: pd.DataFrame, freq: str) -> pd.DataFrame:
    """Return the frame with a row for each step, on an index that says which steps these are, where one can."""
    index = pd.DatetimeIndex(frame.index)
    full = infer_grid(index, freq).regularise(frame).index
    with suppress(ValueError):  # holidays: steps of different lengths
        full = pd.DatetimeIndex(full, freq=freq)
    return frame.reindex(full)


def in_order(frame: pd.DataFrame, table: Cells, layout: Layout, rows: Sequence[int] | None) -> pd.DataFrame:
    """Return the rows from the oldest to the newest."""
    index = frame.index
    if index.is_monotonic_increasing:
        return frame
    if index.is_monotonic_decreasing:
        tell("note", "the file has its newest row first; it is read from the oldest on.")
        return frame[::-1]
    if layout.sort:
        return frame.sort_index(kind="stable")
    at = int((index[1:] < index[:-1]).argmax()) + 1
    place = f", {table.place(rows[at])}" if rows else ""
    raise FileError(
        f"time column{place}: {index[at]} comes after {index[at - 1]}: the rows are not sorted by time. Say --sort to "
        "put them in order."
    )


def refuse_duplicates(times: pd.Index, table: Cells, rows: Sequence[int], used: list[int]) -> None:
    """Raise `FileError` for a time that stands in several rows: of several series, or of one."""
    first = times[times.duplicated()][0]
    same = [rows[k] for k in (times == first).nonzero()[0].tolist()]
    lines = ", ".join(str(table.line(row)) for row in same[:5]) + (", ..." if len(same) > 5 else "")
    text = f"{first} stands in {len(same)} rows (lines {lines}): duplicated timestamps"
    others = [k for k in range(len(table.names)) if k not in used]
    columns = table.columns(others) if others else {}
    for k, cells in sorted(columns.items(), key=lambda item: len(set(item[1]))):
        cells = [cells[row] for row in rows]
        known = list(dict.fromkeys(cells))
        if len(known) < 2 or len(set(zip(times, cells, strict=True))) < len(times):
            continue
        name = table.names[k]
        if all(re.fullmatch(r"[0-9]{1,2}([:.][0-9]{2}){0,2}( ?[aApP][mM])?", cell) for cell in known):
            column = shlex.quote(table.names[used[0]])
            raise FileError(
                f"{text}, told apart by column {name!r} ({shown(known)}). If it is the time of day, name both columns: "
                f"--time {column} --time {shlex.quote(name)}."
            )
        raise FileError(
            f"{text}. Column {name!r} tells {len(known)} series apart: {shown(known)}. Say --id {shlex.quote(name)} to "
            f"read all of them, or choose one, e.g. --id {shlex.quote(f'{name}={known[0]}')}."
        )
    autumn = isinstance(times, pd.DatetimeIndex) and times.tz is None and first.month in (4, 10, 11) and first.hour < 4
    zone = ", or --tz and the zone (e.g. --tz Europe/Berlin) if the clock went back there" if autumn else ""
    raise FileError(f"{text}. Say which to keep: --duplicates first, last or mean{zone}.")


def shown(values: list[str], most: int = 5) -> str:
    """List the first few values."""
    return ", ".join(values[:most]) + (f", ... ({len(values)} in all)" if len(values) > most else "")


def columns_of_series(frame: pd.DataFrame, targets: list[str]) -> dict[str, Any]:
    """Return what a forecaster is told of a table: which columns in front of the targets hold series and time."""
    ahead = ("id_col", "time_col")[2 - (len(frame.columns) - len(targets)) :]
    return dict(zip(ahead, frame.columns, strict=False))


def as_numbered(forecasts: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the forecasts of a comparison with the numbers of rows for the stamps that stood for them, if any did."""
    if isinstance(frame.index, pd.DatetimeIndex) or not holds_numbers(frame):
        return forecasts
    return forecasts.assign(**{name: numbers_of(pd.DatetimeIndex(forecasts[name])) for name in ("cutoff", "ds")})


def holds_numbers(frame: pd.DataFrame) -> bool:
    """Whether the time of a table in columns is the numbers of rows."""
    return any(pd.api.types.is_integer_dtype(dtype) for dtype in frame.dtypes)  # targets are floats


def check_future(frame: pd.DataFrame, horizon: int) -> None:
    """Refuse a horizon that leaves the calendar, before any work is done."""
    if not isinstance(frame.index, pd.DatetimeIndex):
        if holds_numbers(frame):
            return
        longest = frame[frame.columns[0]].value_counts().index[0]
        frame = frame[frame[frame.columns[0]] == longest].set_index(frame.columns[1])
    try:
        last = infer_grid(pd.DatetimeIndex(frame.index)).future(frame.index[-1], horizon)[-1]
        beyond = last.year > 9999
    except DataError:
        raise
    except (OverflowError, ValueError):
        beyond = True
    if beyond:
        raise UsageError(f"--horizon {horizon} goes beyond the dates that can be written, after {frame.index[-1]}.")
