"""Parquet files as cells: the same checks as of text, for columns that know their type.

Imports cells, formats and layout.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pandas as pd

from .cells import Cells
from .formats import check_pyarrow
from .layout import Layout
from .usage import FileError, UsageError

__all__ = ["Parquet", "parquet_cells"]

#: Flags that say how a text is parted; a Parquet file is none.
OF_TEXT = {"sep": "--sep", "comment": "--comment", "encoding": "--encoding", "names": "--names"}


@dataclass(frozen=True)
class Parquet(Cells):
    """A Parquet file. Its rows are counted from 1, and `--skip-rows` leaves out rows of these numbers.

    Attributes
    ----------
    frame : DataFrame
        What pandas reads.
    numbers : list of int
        The number of each row in the file.
    """

    frame: pd.DataFrame = field(default_factory=pd.DataFrame)
    numbers: Sequence[int] = ()

    def columns(self, wanted: list[int]) -> dict[int, list[str]]:
        return {k: as_text(self.frame.iloc[:, k]) for k in wanted}

    def records(self) -> Iterator[tuple[int, list[str]]]:
        for at, number in enumerate(self.numbers):
            yield number, [as_text(self.frame.iloc[at : at + 1, k])[0] for k in range(self.frame.shape[1])]

    def line(self, row: int) -> int:
        return self.numbers[row]

    def place(self, row: int) -> str:
        return f"row {self.line(row)}"

    def other_header(self, name: str) -> str:
        return ""

    def way(self, k: int, layout: Layout) -> Layout:
        dtype = self.frame.dtypes.iloc[k]
        typed = pd.api.types.is_numeric_dtype(dtype)
        return Layout(decimal=".", missing=layout.missing) if typed else layout

    def stamps(self, k: int, rows: Sequence[int]) -> pd.DatetimeIndex | None:
        column = self.frame.iloc[list(rows), k]
        typed = pd.api.types.is_datetime64_any_dtype(column.dtype) and not column.hasnans
        return pd.DatetimeIndex(column) if typed else None


def as_text(column: pd.Series) -> list[str]:
    """Return each value as a cell: numbers in full, truth values as 0 and 1, "" where there is none."""
    if pd.api.types.is_bool_dtype(column.dtype):
        column = column.astype("Int8")
    missing = column.isna().tolist()
    if pd.api.types.is_float_dtype(column.dtype):
        column = column.astype("Float64" if column.dtype.name[:1] == "F" else "float64")
    texts = [str(value).strip() for value in column.tolist()]
    return ["" if none else text for none, text in zip(missing, texts, strict=True)]


def parquet_cells(raw: bytes, name: str, layout: Layout) -> Parquet:
    """Read the bytes of a Parquet file.

    Raises
    ------
    UsageError
        If pyarrow is not installed, or a flag says how text is parted.
    FileError
        If the file is damaged.
    """
    for attribute, flag in OF_TEXT.items():
        if getattr(layout, attribute) is not None:
            raise UsageError(f"{flag} says how text is read, and {name!r} is a Parquet file. Leave it out.")
    check_pyarrow(f"reading the Parquet file {name!r}")
    try:
        frame = pd.read_parquet(io.BytesIO(raw), engine="pyarrow")
    except (OSError, ValueError) as exc:  # of pyarrow, whose errors are such
        raise FileError(f"{name!r} cannot be read as a Parquet file: {exc}. Write it again.") from exc
    if any(level is not None for level in frame.index.names):  # an index that pandas wrote is columns of the file
        frame = frame.reset_index()
    numbers = range(1, len(frame) + 1)
    left = [n for n in numbers if not any(first <= n <= last for first, last in layout.lines_left_out)]
    if len(left) < len(numbers):
        frame = frame.iloc[[n - 1 for n in left]]
    if not len(frame):
        raise FileError(f"{name!r} has columns but no rows.")
    return Parquet([str(column) for column in frame.columns], "", 0, ",", frame, left)
