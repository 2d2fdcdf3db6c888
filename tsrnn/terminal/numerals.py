"""From cells to numbers, and what to say of a cell that is none. Imports cells and layout."""

from __future__ import annotations

import re
import shlex
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .layout import ALIKE, Layout
from .usage import FileError

if TYPE_CHECKING:
    from .cells import Column

__all__ = ["and_others", "check_numbers", "doubts", "to_numbers"]

#: Where these stand alone at the low or high end of a column, they seem to mean that nothing was measured.
SENTINELS = {
    float(f"{sign}{nines}{end}") for sign in ("-", "") for nines in (99, 999, 9999, 99999) for end in ("", ".9")
}


def number_pattern(point: str, between: str) -> re.Pattern:
    """Return what a number looks like; thousands are grouped by three, or as in India."""
    whole = "[0-9]+"
    if between:
        sign = f"[{re.escape(between)}]"
        whole = rf"(?:[0-9]+|[0-9]{{1,3}}(?:{sign}[0-9]{{3}})+|[0-9]{{1,2}}(?:{sign}[0-9]{{2}})*{sign}[0-9]{{3}})"
    point = re.escape(point)
    return re.compile(rf"[-+\u2212]?(?:{whole}(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][-+]?[0-9]+)?")


def to_numbers(cells: list[str], layout: Layout) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers, NaN where the cell is empty or a marker, and which cells are no finite number."""
    given = np.array([cell not in layout.markers for cell in cells], dtype=bool)
    values = np.full(len(cells), np.nan)
    some = [cell for cell in cells if cell not in layout.markers]
    numbers = quick_numbers(some, layout)
    values[given] = slow_numbers(some, layout) if numbers is None else numbers
    bad = given & ~np.isfinite(values)
    for marker in layout.missing or ():
        if number_pattern(".", "").fullmatch(marker.strip()):
            values[values == float(marker.strip().replace("\u2212", "-"))] = np.nan
    return values, bad


def quick_numbers(cells: list[str], layout: Layout) -> np.ndarray | None:
    """Return the numbers where all are written plainly; None where one is not."""
    if layout.strip or layout.between or layout.point != "." or re.search(r"[^-+0-9.eE\n]", "\n".join(cells)):
        return None
    try:
        return np.array(cells, dtype=object).astype(np.float64)
    except ValueError:
        return None


def slow_numbers(cells: list[str], layout: Layout) -> np.ndarray:
    """Return the number that each cell is, or NaN."""
    pattern = number_pattern(layout.point, layout.between)
    plain = {ord(sign): None for sign in layout.between} | {ord(layout.point): ".", 0x2212: "-"}
    around = (layout.strip or "") + " \u00a0\u2009\u202f"

    def number(cell: str) -> float:
        cell = cell.strip(around) if layout.strip else cell
        return float(cell.translate(plain)) if pattern.fullmatch(cell) else np.nan

    return np.array([number(cell) for cell in cells], dtype=np.float64)


def check_numbers(column: Column, bad: np.ndarray, layout: Layout) -> None:
    """Raise `FileError` for the first cell that is no number: where it is, and the flag that mends it."""
    if not bad.any():
        return
    at, rest = int(bad.argmax()), int(bad.sum()) - 1
    cell = column.cells[at]
    known = [text for text in column.cells if text not in layout.markers]
    huge = re.fullmatch("[-+0-9.]+[eE][+0-9]+", cell)
    if sum(any(map(str.isdigit, text)) for text in known) < len(known) / 2:
        advice = "The column holds text: choose another --target."
    elif huge or cell.lower().lstrip("+-") in ("inf", "infinity") or not any(map(str.isdigit, cell)):
        leave = f", or --skip-rows {column.line(at)} to leave the line out" if at == 0 or rest == 0 else ""
        advice = f"Say --missing {shlex.quote(cell)} if it means that the value is missing{leave}."
    else:
        mend = f"Mend it in the file, or say --skip-rows {column.line(at)} to leave the line out."
        advice = way_advice(cell, known, layout, column.table.sep) or strip_advice(cell, known) or mend
    what = "is too large for a number" if huge else "is not a number"
    raise FileError(f"{column.place(at)}: {cell!r} {what}{and_others(rest)}. {advice}")


def and_others(count: int) -> str:
    """Say how many more cells are wrong."""
    return f" (nor {'is' if count == 1 else 'are'} {count} other{'s' if count > 1 else ''})" if count else ""


@dataclass(frozen=True)
class Way:
    """A way to write numbers: the decimal point, and the name of what stands between thousands."""

    point: str
    thousands: str | None

    @property
    def between(self) -> str:
        """All signs that may stand between thousands."""
        return {"'": ALIKE[1], "space": ALIKE[0]}.get(self.thousands or "", self.thousands or "")

    def reads(self, cell: str) -> bool:
        """Whether a cell is a number so written."""
        return number_pattern(self.point, self.between).fullmatch(cell) is not None

    def value(self, cell: str) -> str:
        """The number that a cell is."""
        return cell.translate({ord(sign): None for sign in self.between} | {ord(self.point): "."})

    def flags(self, layout: Layout) -> str:
        """The flags that say it, without those that are given already."""
        words = [f"--decimal {shlex.quote(self.point)}"] if self.point != layout.point else []
        if self.thousands and self.thousands != layout.thousands:
            words.append(f"--thousands {shlex.quote(self.thousands)}")
        if not self.thousands and layout.thousands:
            words.append("and no --thousands")
        return " ".join(words)


#: The likelier first.
WAYS = [
    Way(*way) for way in ((",", None), (".", ","), (",", "."), (".", "'"), (",", "'"), (".", "space"), (",", "space"))
]


def way_advice(cell: str, cells: list[str], layout: Layout, sep: str) -> str:
    """Say under which flags this cell and most of its column are numbers, and which; "" where under none."""
    as_given = [
        way
        for way in WAYS
        if layout.decimal in (None, way.point) and layout.thousands in (None, way.thousands) and way.reads(cell)
    ]
    counts = {way: sum(map(way.reads, cells)) for way in as_given or [way for way in WAYS if way.reads(cell)]}
    best = [way for way, count in counts.items() if count == max(counts.values())]
    # A way without a sign between thousands is simpler than the same with one that no cell has.
    best = [way for way in best if way.thousands is None or Way(way.point, None) not in best]
    if sep == ",":
        # Commas part the columns, so that one inside a number is between thousands, unless a cell says otherwise.
        best = [way for way in best if way.point == "."] or best
    words = ", or ".join(f"{way.flags(layout)} if it is {way.value(cell)}" for way in best[:2])
    return f"Say {words}." if words else ""


def strip_advice(cell: str, cells: list[str]) -> str:
    """Say how to leave out what stands around a number; "" where leaving it out could make another number of it."""
    comment = re.fullmatch(r"[-+0-9.,]+\s*([#;%!]) ?\w.*", cell)
    if comment:
        return f"Say --comment {shlex.quote(comment[1])} if a comment begins there."
    # Not <0.1 or ~5, which are no 0.1 and 5, nor (5) and 5-, which are -5.
    match = re.fullmatch(r"([^-+0-9.,()<>~\u2212\u2264\u2265]*)([-+0-9.,]+)([^-+0-9.,()]*)", cell)
    signs = "".join(dict.fromkeys((match[1] + match[3]).replace(" ", ""))) if match else ""
    having = sum(any(sign in text for sign in signs) for text in cells)
    money = all(unicodedata.category(sign) == "Sc" for sign in signs)
    # 5k among numbers without k counts otherwise than they do.
    if signs and "E" not in signs.upper() and (money or having == len(cells)):
        return f"Say --strip {shlex.quote(signs)} to leave out what stands around the numbers."
    return ""


def doubts(column: Column, values: np.ndarray, layout: Layout) -> Iterator[str]:
    """Yield what the user should look at: numbers that were read as they stand, and may mean something else."""
    known = values[np.isfinite(values)]
    ends = [float(end) for end in (known.min(), known.max())] if len(known) else []
    for end in ends:
        others = known[known != end]
        spread = np.ptp(others) if len(others) > 1 else 0.0
        if end in SENTINELS and len(others) > 2 and np.abs(others - end).min() > 2 * spread:
            count = int((known == end).sum())
            yield (
                f"column {column.name!r} holds {end:g} in {count} row{'s' if count > 1 else ''}, far from all others. "
                f"Say --missing {end:g} if it means that the value is missing."
            )
    if layout.decimal is None and layout.thousands is None:
        some = [cell for cell in column.cells if cell not in layout.markers]
        grouped = re.compile(r"[-+]?[1-9][0-9]{0,2}\.[0-9]{3}")
        if len(some) > 2 and all(map(grouped.fullmatch, some)):
            yield (
                f"column {column.name!r}: {some[0]!r} was read as {float(some[0]):g}. Say "
                "--thousands . --decimal ',' if the dot stands between thousands, and --decimal . if it does not."
            )
