"""How a CSV file is written: one field for each flag that says so. Imports usage."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

import typer

from .usage import UsageError

__all__ = ["SIGNS", "Layout"]

#: Signs that are hard to type, by the names that the flags know.
SIGNS = {"tab": "\t", "\\t": "\t", "space": " "}
#: What looks alike is one sign: spaces of all widths, straight and typographic apostrophes.
ALIKE = (" \u00a0\u2009\u202f", "'\u2019")
#: Cells that hold no value in any file.
MISSING = ("", "NA", "N/A", "#N/A", "#NA", "<NA>", "NaN", "-NaN", "NULL", "None")


def option(flag: str, text: str, metavar: str | None = None) -> Any:
    """A flag with its line of help."""
    return typer.Option(flag, metavar=metavar, help=text, show_default=False)


@dataclass(frozen=True)
class Layout:
    """What separates cells, how numbers and times are written, and which lines and rows are meant.

    The words are those of `pandas.read_csv` where it has them. Nothing is guessed that the file does not settle: None
    for `sep` finds the sign under which the header line holds the names that were asked for.
    """

    sep: Annotated[
        str | None,
        option("--sep", "What separates the columns: a sign, 'tab' or 'space'; by default the header tells."),
    ] = None
    decimal: Annotated[str | None, option("--decimal", "Decimal point of the numbers; '.' by default.", "CHAR")] = None
    thousands: Annotated[
        str | None, option("--thousands", "What stands between thousands: ',', '.', \"'\" or 'space'.", "CHAR")
    ] = None
    missing: Annotated[
        list[str] | None,
        option("--missing", "A cell that means that the value is missing, e.g. - or -999; may be repeated.", "TEXT"),
    ] = None
    strip: Annotated[str | None, option("--strip", "Signs around numbers to leave out, e.g. '%'.", "CHARS")] = None
    time_format: Annotated[
        str | None,
        option(
            "--time-format",
            "Format of the time, e.g. '%d/%m/%Y %H:%M', or unix, unix-ms, excel, quarter, number (of the row);"
            " ISO 8601 by default.",
        ),
    ] = None
    tz: Annotated[
        str | None, option("--tz", "Time zone: that of times without one; others are converted to it.", "ZONE")
    ] = None
    skip_rows: Annotated[
        str | None,
        option("--skip-rows", "Lines of the file to leave out, counted from 1, e.g. 2 or 1-3,90-.", "LINES"),
    ] = None
    comment: Annotated[
        str | None, option("--comment", "Sign from which on the rest of a line is a comment.", "CHAR")
    ] = None
    names: Annotated[
        str | None, option("--names", "Names of the columns, separated by commas, of a file without header.")
    ] = None
    encoding: Annotated[str | None, option("--encoding", "Encoding of the text; UTF-8 by default.")] = None
    ids: Annotated[
        list[str] | None,
        option(
            "--id",
            "Of a file with several series below each other: the column that tells them apart, or the one to read.",
            "COL[=VALUE]",
        ),
    ] = None
    sort: Annotated[bool, option("--sort", "Put the rows in order of time.")] = False
    duplicates: Annotated[
        str | None,
        option("--duplicates", "What to keep of rows of the same time: first, last or mean.", "WHICH"),
    ] = None
    freq: Annotated[
        str | None,
        option("--freq", "Frequency as pandas writes it (h, D, B, W, MS); found from the data by default."),
    ] = None
    resample: Annotated[
        str | None,
        option("--resample", "Put the rows on a regular grid: the mean of each step of this length.", "FREQ"),
    ] = None

    def __post_init__(self) -> None:
        for flag, char in (("--sep", self.separator), ("--decimal", self.point), ("--comment", self.comment)):
            check_sign(flag, char)
        check_sign("--thousands", self.thousands and SIGNS.get(self.thousands, self.thousands))
        if self.between and self.point in self.between:
            raise UsageError(f"--thousands and --decimal are both {self.point!r}. One sign cannot be both.")
        if self.duplicates not in (None, "first", "last", "mean"):
            raise UsageError(f"--duplicates must be first, last or mean, got {self.duplicates!r}.")
        wrong = set(self.strip or "") & set("0123456789+-.,()eE")
        if wrong:
            raise UsageError(f"--strip cannot leave out {min(wrong)!r}, which may be part of a number.")

    @property
    def separator(self) -> str | None:
        """The sign between cells; None where the header is to tell."""
        return None if self.sep is None else SIGNS.get(self.sep, self.sep)

    @property
    def point(self) -> str:
        """The decimal point."""
        return "." if self.decimal is None else self.decimal

    @property
    def between(self) -> str:
        """All signs that may stand between thousands; none by default."""
        sign = SIGNS.get(self.thousands or "", self.thousands or "")
        return next((alike for alike in ALIKE if sign and sign in alike), sign)

    @cached_property
    def markers(self) -> frozenset[str]:
        """Cells that mean that the value is missing."""
        usual = {way(text) for text in MISSING for way in (str, str.lower, str.upper, str.title)}
        return frozenset(usual.union(text.strip() for text in self.missing or ()))

    @cached_property
    def lines_left_out(self) -> list[tuple[int, float]]:
        """First and last line of each part to leave out, from 1."""
        parts = []
        for text in (self.skip_rows or "").split(",") if self.skip_rows is not None else ():
            match = re.fullmatch(r"\s*(\d+)\s*(-)?\s*(\d+)?\s*", text)
            first = int(match[1]) if match else 0
            last = (int(match[3]) if match[3] else float("inf") if match[2] else first) if match else 0
            if not match or first < 1 or last < first or (match[3] and not match[2]):
                raise UsageError(f"--skip-rows must be lines such as 2, 1-3 or 1-3,90-, got {self.skip_rows!r}.")
            parts.append((first, last))
        return parts


def check_sign(flag: str, char: str | None) -> None:
    """Refuse what is not one sign."""
    if char is not None and (len(char) != 1 or char.isalnum() or char in '"\r\n+-'):
        raise UsageError(f"{flag} must be one sign, like ',' or ';', got {char!r}.")
