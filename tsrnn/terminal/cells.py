"""From text to columns of cells, as they stand, and to the line that each row has. Imports layout."""

from __future__ import annotations

import csv
import difflib
import io
import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from .layout import Layout
from .usage import FileError

__all__ = ["Cells", "Column", "read_cells"]

SEPARATORS = (",", ";", "\t", "|")
#: Columns beyond those of the header that are looked into: separators at the end of lines make some.
BEYOND = 3


@dataclass(frozen=True)
class Cells:
    """A table as text.

    Attributes
    ----------
    names : list of str
        The columns, as the header or `--names` has them.
    text : str
        All of the file.
    start : int
        Where in the text the rows begin.
    sep : str
        What separates cells; " " is any white space.
    """

    names: list[str]
    text: str
    start: int
    sep: str

    def columns(self, wanted: list[int]) -> dict[int, list[str]]:
        """Return the cells of the columns at these positions, white space around them gone."""
        n = len(self.names)
        header = (" " if self.sep == " " else self.sep).join(f"c{i}" for i in range(n + BEYOND))
        stream = io.BytesIO(f"{header}\n{self.text[self.start :]}".encode("utf-8", "surrogatepass"))
        kinds = {f"c{k}": "category" if k >= n else object for k in {*wanted, *range(n, n + BEYOND)}}
        options: dict = {"usecols": list(kinds), "dtype": kinds, "na_filter": False, "skipinitialspace": True}
        try:
            table = pd.read_csv(stream, sep=r"\s+" if self.sep == " " else self.sep, index_col=False, **options)
        except (pd.errors.ParserError, pd.errors.EmptyDataError) as exc:
            raise FileError(f"the file cannot be read as CSV: {exc}. A quote that is opened must be closed.") from exc
        for k in range(n, n + BEYOND):
            full = table[f"c{k}"] != ""
            if full.any():
                self.refuse_long_row(int(full.to_numpy().argmax()))
        return {k: [cell.strip() for cell in table[f"c{k}"]] for k in wanted}

    def refuse_long_row(self, row: int) -> None:
        """Raise, with the line of a row that has more cells than there are names."""
        record = next(record for k, (_, record) in enumerate(self.records()) if k == row)
        inside = " A ',' inside a number must stand in quotes." if self.sep == "," else ""
        raise FileError(
            f"{self.place(row)}: there are {len(record)} cells, but the header has {len(self.names)} columns: "
            f"{self.sep.join(record)[:60]!r}.{inside} Mend the line, say --sep if it is another sign, or leave "
            f"the line out: --skip-rows {self.line(row)}."
        )

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """Yield (line in the file, cells) of each row that is not blank."""
        before = len(self.text[: self.start].splitlines())
        stream = io.StringIO(self.text[self.start :], newline="")
        reader = split(stream, self.sep)
        for record in reader:
            if len(record) > 1 or "".join(record).strip():
                yield before + reader.line_num, record

    def line(self, row: int) -> int:
        """Return the line of the file that a row ends in; rows count from 0, lines from 1."""
        return next(line for k, (line, _) in enumerate(self.records()) if k == row)

    def place(self, row: int) -> str:
        """Say where a row is, for a message."""
        return f"row {row + 1} (line {self.line(row)})"

    def is_blank(self, rows: Sequence[int]) -> list[bool]:
        """Whether each of these rows has no cell that holds something."""
        blank = {k: not "".join(record).strip() for k, (_, record) in enumerate(self.records())}
        return [blank[row] for row in rows]

    def way(self, k: int, layout: Layout) -> Layout:
        """Return how the numbers of the column at this position are written."""
        return layout

    def stamps(self, k: int, rows: Sequence[int]) -> pd.DatetimeIndex | None:
        """Return the times that a column holds in these rows where it is known to be of times; None of text."""
        return None

    def position(self, name: str, what: str) -> int:
        """Return where the column of this name stands, or raise."""
        found = [k for k, known in enumerate(self.names) if known == name]
        if len(found) == 1:
            return found[0]
        if found:
            raise FileError(
                f"{what} {name!r} stands {len(found)} times in the header, as columns "
                f"{', '.join(str(k + 1) for k in found)}. Give them different names, in the file or with --names."
            )
        near = difflib.get_close_matches(name, self.names, n=1) or [
            known for known in self.names if known.casefold() == name.casefold()
        ]
        hint = f" Did you mean {near[0]!r}?" if near else ""
        shown = ", ".join(self.names[:20]) + (", ..." if len(self.names) > 20 else "")
        raise FileError(f"{what} {name!r} is not in the data.{hint} Columns: {shown}.{self.other_header(name)}")

    def other_header(self, name: str) -> str:
        """Say how to read a file whose header is not where it was looked for, or that has none."""
        lines = self.text.splitlines()[:60]
        for i, line in enumerate(lines):
            if any(name in fields(line, sep) for sep in (*SEPARATORS, " ")):
                above = [text for text in lines[:i] if text.strip()]
                if above and all(text.lstrip()[:1] == above[0].lstrip()[:1] in "#%;!" for text in above):
                    return f" Line {i + 1} has it, below comments: say --comment {shlex.quote(above[0].lstrip()[0])}."
                if above:
                    return f" Line {i + 1} has it: say --skip-rows {f'1-{i}' if i > 1 else 1}."
                sep = next(sep for sep in (*SEPARATORS, " ") if name in fields(line, sep))
                return f" Say what separates the columns: --sep {flag_value(sep)}."
        if sum(bool(re.match(r"[-+]?\d", known)) for known in self.names) > len(self.names) / 2:
            given = ",".join(["time", *(f"x{k}" for k in range(1, len(self.names)))])
            return f" If the file has no header, name its columns: --names {given}."
        return ""


@dataclass(frozen=True)
class Column:
    """The cells of one column in the rows that are read, where these stand in the file, and times that are no text."""

    name: str
    cells: list[str]
    rows: Sequence[int]
    table: Cells
    times: pd.DatetimeIndex | None = None

    def line(self, at: int) -> int:
        """The line of the file that holds the cell at this position."""
        return self.table.line(self.rows[at])

    def place(self, at: int) -> str:
        """Say where the cell at this position is, for a message."""
        return f"column {self.name!r}, {self.table.place(self.rows[at])}"


def read_cells(text: str, layout: Layout, wanted: list[str]) -> Cells:
    """Find what separates the columns of a text, and its header."""
    if not text.strip():
        raise FileError("the file is empty.")
    if layout.names is not None:
        names = [name.strip() for name in layout.names.split(",")]
        sep = layout.separator or found_separator(text, lambda header: len(header) == len(names))
        return Cells(names, text, 0, sep)
    sep = layout.separator or found_separator(text, lambda header: set(wanted) <= set(header))
    names, start = read_header(text, sep)
    while len(names) > 1 and names[-1] == "":
        names.pop()  # separators at the end of the line
    return Cells(names, text, start, sep)


def found_separator(text: str, fits: Callable[[list[str]], bool]) -> str:
    """Return the sign under which the header is what was asked for, else the one that parts it most."""
    headers = {sep: read_header(text, sep)[0] for sep in (*SEPARATORS, " ")}
    fitting = [sep for sep, header in headers.items() if fits(header)]
    return fitting[0] if fitting else max(SEPARATORS, key=lambda sep: len(headers[sep]))


def read_header(text: str, sep: str) -> tuple[list[str], int]:
    """Return the cells of the first row that is not blank, and where in the text the next one begins."""
    stream = io.StringIO(text[:1_000_000], newline="")
    for record in split(stream, sep):
        if len(record) > 1 or "".join(record).strip():
            return [name.strip() for name in record], stream.tell()
    return [], stream.tell()


def split(stream: io.StringIO, sep: str):
    """Return a reader of the rows, which also counts lines."""
    return csv.reader(stream, delimiter=sep, skipinitialspace=True)


def fields(line: str, sep: str) -> list[str]:
    """Cells of one line."""
    return [cell.strip() for record in csv.reader([line], delimiter=sep, skipinitialspace=True) for cell in record]


def flag_value(sign: str) -> str:
    """How to type a sign after a flag."""
    return {"\t": "tab", " ": "space"}.get(sign, shlex.quote(sign))
