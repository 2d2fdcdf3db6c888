"""From cells to times, and what to say of a cell that is none. Imports cells, layout and numerals."""

from __future__ import annotations

import difflib
import itertools
import re
import shlex
import warnings
import zoneinfo
from typing import TYPE_CHECKING, NoReturn

import numpy as np
import pandas as pd

from .layout import Layout
from .numerals import and_others, to_numbers
from .usage import FileError, UsageError

if TYPE_CHECKING:
    from .cells import Column

__all__ = ["NUMBER", "check_time_flags", "to_times"]

#: Format of times that are the numbers of the rows.
NUMBER = "number"

#: Formats that are no pattern of strptime -> microseconds of one unit, what they count, from 1980 to 2100.
COUNTED = {
    "unix": (1e6, "seconds since 1970", (3.2e8, 4.2e9)),
    "unix-ms": (1e3, "milliseconds since 1970", (3.2e11, 4.2e12)),
    "unix-us": (1.0, "microseconds since 1970", (3.2e14, 4.2e15)),
    "unix-ns": (1e-3, "nanoseconds since 1970", (3.2e17, 4.2e18)),
    "excel": (8.64e10, "days as spreadsheets count them", (29_000, 73_100)),
}
#: Offsets of winter and summer -> a zone that has them.
ZONES = {
    "+00+01": "Europe/London",
    "+01+02": "Europe/Berlin",
    "+02+03": "Europe/Athens",
    "-05-04": "America/New_York",
    "-06-05": "America/Chicago",
    "-07-06": "America/Denver",
    "-08-07": "America/Los_Angeles",
    "+10+11": "Australia/Sydney",
}
DATES = (
    *("%Y-%m-%d", "%Y/%m/%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%y-%m-%d"),
    *("%d/%m/%y", "%m/%d/%y", "%d.%m.%y", "%d-%m-%y", "%m-%d-%y"),
    *("%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%d-%b-%y", "%d. %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%a %d %b %Y"),
    *("%b %Y", "%B %Y", "%b-%Y", "%b-%y", "%Y-%b", "%m/%Y", "%m.%Y", "%m-%Y", "%Y%m", "%Y-%j", "%G-W%V", "%GW%V"),
    *("%Y%m%d", "%Y%m%d%H", "%Y%m%d%H%M", "%Y%m%d%H%M%S"),
)
CLOCKS = (
    "",
    "%H:%M",
    "%H:%M:%S",
    "%H:%M:%S.%f",
    "%I:%M %p",
    "%I:%M:%S %p",
    "%I:%M%p",
    "%I %p",
    "%H",
    "%H.%M",
    "%H:%M:%S,%f",
)
QUARTER = re.compile(r"(?:Q([1-4])[-/ ]*([0-9]{4})|([0-9]{4})[-/ ]*Q([1-4]))", re.IGNORECASE)
OFFSET = re.compile(r"(?:[zZ]|[-+][0-9]{2}(?::?[0-9]{2})?)$")


def check_time_flags(layout: Layout) -> None:
    """Refuse a format or zone that no time could be read with."""
    given = layout.time_format
    for flag, value in (("--freq", layout.freq), ("--resample", layout.resample), ("--tz", layout.tz)):
        if given == NUMBER and value is not None:
            raise UsageError(
                f"{flag} {value} is for times, and --time-format number says that rows have numbers. Leave it out; "
                "--season says how many rows a season has."
            )
    if given is not None and given not in COUNTED and given not in ("quarter", NUMBER, "ISO8601"):
        if "%" not in given:
            near = difflib.get_close_matches(given, [*COUNTED, "quarter", NUMBER], n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise UsageError(
                f"--time-format {given!r} is no format.{hint} Say e.g. '%d/%m/%Y %H:%M', unix, unix-ms, excel, number."
            )
        if not re.search("%[YyGcxs]", given):
            raise UsageError(f"--time-format {given!r} has no year, which a time needs: %Y, or %y for two digits.")
    if layout.tz is not None:
        try:
            zoneinfo.ZoneInfo(layout.tz)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as exc:
            near = difflib.get_close_matches(layout.tz, zoneinfo.available_timezones(), n=1)
            hint = f" Did you mean {near[0]!r}?" if near else " Say e.g. Europe/Berlin, America/New_York or UTC."
            raise UsageError(f"--tz {layout.tz!r} is not a time zone.{hint}") from exc


def to_times(column: Column, layout: Layout) -> pd.Index:
    """Return the time, or the number, of each cell, or raise `FileError`: which is none, and the flag that mends it."""
    if layout.time_format == NUMBER:
        return row_numbers(column)
    times = column.times if column.times is not None else parse(column.cells, layout.time_format, layout)
    if times is None:
        refuse(column, layout)
    if layout.tz is None:
        return times
    return times.tz_convert(layout.tz) if times.tz is not None else localized(times, column, layout)


def row_numbers(column: Column) -> pd.Index:
    """Return the integer that each cell is."""
    for at, cell in enumerate(column.cells):
        if not re.fullmatch(r"[-+]?[0-9]{1,15}", cell):
            what = f"{cell!r} is not an integer" if cell else "the number of the row is missing"
            raise FileError(
                f"time {column.place(at)}: {what}, as --time-format number asks for. Mend it, say another "
                f"--time-format, or --skip-rows {column.line(at)} to leave the line out."
            )
    return pd.Index([int(cell) for cell in column.cells], dtype="int64")


def parse(cells: list[str], how: str | None, layout: Layout) -> pd.DatetimeIndex | None:
    """Return the times if every cell is one, all with an offset or all without; None otherwise."""
    stamps, bad = parse_each(cells, how, layout, utc=False)
    if stamps is None and layout.tz is not None and all(map(OFFSET.search, cells)):
        stamps, bad = parse_each(cells, how, layout, utc=True)  # several offsets: one zone holds them
    if stamps is None or bad.any():
        return None
    if how is None and stamps.dt.tz is not None and not all(map(OFFSET.search, cells)):
        return None  # pandas 2 takes times without offset for UTC among others
    return pd.DatetimeIndex(stamps)


def parse_each(cells: list[str], how: str | None, layout: Layout, utc: bool):
    """Return the times, and which cells are none; (None, all) where offsets differ and `utc` is False."""
    if how in COUNTED:
        return counted(cells, how, layout)
    worded = np.array(
        [len(cell) < 8 and not any(map(str.isdigit, cell)) for cell in cells], dtype=bool
    )  # now, today, NaT
    texts, pattern = as_strptime(cells, how)
    if worded.any():
        texts = ["" if no_time else text for text, no_time in zip(texts, worded, strict=True)]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # pandas 2 on offsets that differ
            stamps = pd.to_datetime(pd.Series(texts, dtype=object), format=pattern, errors="coerce", utc=utc)
    except (ValueError, re.error) as exc:
        if isinstance(exc, re.error) or "directive" in str(exc) or "bad" in str(exc):
            raise UsageError(f"--time-format {how!r} is no format: {exc}.") from exc
        return None, np.ones(len(cells), dtype=bool)
    if stamps.dtype == object:  # offsets that differ
        return None, np.ones(len(cells), dtype=bool)
    return stamps, stamps.isna().to_numpy()


def as_strptime(cells: list[str], how: str | None) -> tuple[list[str], str]:
    """Return cells and a pattern that pandas can read: a week begins on its Monday, a quarter on its first day."""
    if how is None:
        return cells, "ISO8601"
    if how == "quarter":
        matches = map(QUARTER.fullmatch, cells)
        return [f"{m[2] or m[3]}-{3 * int(m[1] or m[4]) - 2:02d}" if m else "" for m in matches], "%Y-%m"
    if re.search("%[VUW]", how) and not re.search("%[uwaA]", how):
        return [f"{cell} 1" for cell in cells], f"{how} %{'u' if '%V' in how else 'w'}"
    return cells, how


def counted(cells: list[str], how: str, layout: Layout):
    """Read a count of seconds or parts of them since 1970, or of days as spreadsheets count them."""
    values, bad = to_numbers(cells, layout)
    micros = np.round(values * COUNTED[how][0])
    if how == "excel":
        micros = to_resolution(micros, cells)
        micros -= 25_569 * COUNTED["excel"][0]  # 1970-01-01 is day 25569
    bad |= ~(np.abs(micros) < 9e16)  # some 2,850 years
    stamps = pd.Series(np.where(bad, 0, micros).astype("int64").view("datetime64[us]"))
    stamps[bad] = pd.NaT
    return (stamps if how == "excel" else stamps.dt.tz_localize("UTC")), bad


def to_resolution(micros: np.ndarray, cells: list[str]) -> np.ndarray:
    """Round times of day, which a spreadsheet writes as decimals of a day, to what these digits can tell apart."""
    digits = max(
        (len(cell) - 1 - max(cell.rfind("."), cell.rfind(",")) for cell in cells if re.search("[.,]", cell)), default=0
    )
    unit = 60_000_000 if digits < 5 else 1_000_000 if digits < 9 else 1_000
    return np.round(micros / unit) * unit


def localized(times: pd.DatetimeIndex, column: Column, layout: Layout) -> pd.DatetimeIndex:
    """Put times of the wall clock in their zone; the order of the rows tells the hour that comes twice in autumn."""
    backwards = len(times) > 1 and times[0] > times[-1]
    ordered = times[::-1] if backwards else times
    try:
        zoned = ordered.tz_localize(layout.tz, ambiguous="infer")
    except Exception as exc:  # a ValueError, with pandas 2 errors of pytz
        nowhere = ordered.tz_localize(layout.tz, ambiguous=np.ones(len(ordered), dtype=bool), nonexistent="NaT").isna()
        if nowhere.any():
            at = int(nowhere.argmax())
            row = len(times) - 1 - at if backwards else at
            raise FileError(
                f"time {column.place(row)}: there is no {ordered[at]} in {layout.tz}, where the clock went forward. Is "
                "that the zone of the file? Say another --tz, such as UTC, or --skip-rows "
                f"{column.line(row)} to leave the line out."
            ) from exc
        raise FileError(
            f"time column {column.name!r}: the hour that comes twice in {layout.tz} when the clock goes back cannot be "
            f"told apart in the file ({exc}). Write offsets such as +02:00 in the file, or UTC with --tz UTC."
        ) from exc
    return zoned[::-1] if backwards else zoned


# ---------------------------------------------------------------------- what to say


def refuse(column: Column, layout: Layout) -> NoReturn:
    """Raise `FileError` for the first cell that is no time."""
    cells = column.cells
    _, bad = parse_each(cells, layout.time_format, layout, utc=True)
    offset = [OFFSET.search(cell) is not None and ":" in cell for cell in cells]
    if not bad.any() and len(set(offset)) == 2:
        at = offset.index(not offset[0])
        raise FileError(
            f"time {column.place(at)}: {cells[at]!r} has {'an' if offset[at] else 'no'} offset from UTC, {cells[0]!r} "
            f"above has {'none' if offset[at] else 'one'}. Write all times alike."
        )
    if not bad.any():
        ends = [m[0] if (m := OFFSET.search(cell)) else "" for cell in cells]
        at = next(k for k, end in enumerate(ends) if end != ends[0])
        raise FileError(
            f"time {column.place(at)}: {cells[at]!r} is {ends[at]} of UTC, the rows above are "
            f"{ends[0]}: the clock changed. Say the zone, e.g. --tz {zone_like(ends)}, or --tz UTC."
        )
    at = int(bad.argmax())
    how = {None: "in ISO 8601 (like 2024-01-31 18:00)", "quarter": "a quarter (like 2024-Q1)"}.get(
        layout.time_format, f"in the format {layout.time_format!r}"
    )
    text = f"{cells[at]!r} is not a time {how}" if cells[at] else "the time is missing"
    advice = time_advice(cells, bad, layout) or (
        f"Mend it, say --skip-rows {column.line(at)} to leave the line out, or --time-format and how times are written."
    )
    raise FileError(f"time {column.place(at)}: {text}{and_others(int(bad.sum()) - 1)}. {advice}")


def time_advice(cells: list[str], bad: np.ndarray, layout: Layout) -> str:
    """Say which flag makes times of most cells; "" where none does."""
    cell = cells[int(bad.argmax())]
    if re.match(r"[#%;!]|//", cell) and layout.comment is None:
        return f"Say --comment {shlex.quote(cell[0])} if the line is a comment."
    if bad.sum() <= 0.5 * len(cells):  # most are times as they are read: this line is the odd one
        return ""
    if QUARTER.fullmatch(cell):
        return "Say --time-format quarter if these are quarters."
    if re.fullmatch(r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?( ?[aApP]\.?[mM]\.?)?", cell):
        return "It has no date. Say --time DATE --time TIME with the names of both columns if the date has its own."
    return format_advice(cells, cell, layout) or count_advice(cells, layout)


def count_advice(cells: list[str], layout: Layout) -> str:
    """Say which count of seconds or days the cells may be."""
    values, _ = to_numbers(cells, Layout(decimal=layout.decimal))
    known = values[np.isfinite(values)]
    for how, (_, what, (low, high)) in COUNTED.items():
        if len(known) > len(cells) / 2 and ((known > low) & (known < high)).all():
            return f"Say --time-format {how} if these are {what}."
    if all(re.fullmatch("[-+]?[0-9]+", cell) for cell in cells):
        return "Say --time-format number if these are the numbers of the rows."
    return ""


def format_advice(cells: list[str], cell: str, layout: Layout) -> str:
    """Say in which formats most cells are times, and what an example is in each."""
    fitting = formats_that_fit(cells, cell, layout)
    if not fitting:
        return ""
    # An example that the formats read differently, where there is one.
    columns = [parse_each(cells, how, layout, utc=True)[0] for how in fitting]
    differ = np.flatnonzero(columns[0].to_numpy() != columns[-1].to_numpy())
    at = int(differ[0]) if len(differ) else cells.index(cell)
    words = [
        f"--time-format {shlex.quote(how)} if {cells[at]!r} is {written(column[at])}"
        for how, column in zip(fitting, columns, strict=True)
    ]
    return f"Say {', or '.join(words)}."


def formats_that_fit(cells: list[str], cell: str, layout: Layout, most: int = 3) -> list[str]:
    """Return the formats in which this cell is a time, and as many cells as in any."""
    zones = ("", "%z") if OFFSET.search(cell) else ("",)
    signs = set("/.:,-").intersection(OFFSET.sub("", cell) if ":" in cell else cell)
    counts = {}
    for date, clock, join, zone in itertools.product(DATES, CLOCKS, (" ", "T", ", "), zones):
        how = f"{date}{join if clock else ''}{clock}{zone}"
        if how in counts or (not clock and join != " ") or ("%H" in date and clock):
            continue
        if signs != set("/.:,-").intersection(how):  # most formats, at no cost
            continue
        stamps, bad = parse_each([cell], how, layout, utc=True)
        compact = cell.isdigit() and not bad.any() and stamps[0].strftime(how) != cell  # strptime takes 1 for 01
        if not bad.any() and not compact and 1800 <= stamps[0].year < 2200:
            counts[how] = int((~parse_each(cells, how, layout, utc=True)[1]).sum())
    return [how for how, count in counts.items() if count == max(counts.values())][:most]


def written(stamp: pd.Timestamp) -> str:
    """A time with the name of its month: 1 February 2024, 15:00."""
    if pd.isna(stamp):
        return "no time"
    clock = "" if stamp == stamp.normalize() else f", {stamp:%H:%M}"
    return f"{stamp.day} {stamp:%B %Y}{clock}"


def zone_like(offsets: list[str]) -> str:
    """Name a zone that has such offsets, as an example."""
    hours = {"+00" if end in "zZ" else end[:3] for end in offsets if end}
    return ZONES.get("".join(sorted(hours, key=int)), "Europe/Berlin")
