"""Cells that are times, and the format that is advised for those that are not read as they stand."""

from __future__ import annotations

import re
import shlex

import pandas as pd
import pytest

from tsrnn.terminal.cells import Cells, Column
from tsrnn.terminal.layout import Layout
from tsrnn.terminal.stamps import to_times
from tsrnn.terminal.usage import FileError

HOURS = pd.date_range("2024-01-10 00:30", periods=700, freq="h")


def column(cells):
    text = "".join(f"{cell};1\n" for cell in cells)
    return Column("t", list(cells), range(len(cells)), Cells(["t", "x"], text, 0, ";"))


def advised(cells):
    """The formats that an error names."""
    with pytest.raises(FileError) as caught:
        to_times(column(cells), Layout())
    words = shlex.split(str(caught.value).replace("it's", "its"), posix=True)
    return [words[k + 1] for k, word in enumerate(words) if word == "--time-format"]


@pytest.mark.parametrize(
    "how",
    [
        *("%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M", "%d.%m.%Y %H:%M", "%d-%m-%Y %H:%M", "%m/%d/%Y %I:%M %p"),
        *("%d.%m.%y %H:%M", "%m/%d/%y %I:%M:%S %p", "%d %b %Y %H:%M", "%b %d, %Y %H:%M", "%d/%m/%YT%H:%M"),
        *("%d/%m/%Y, %H:%M:%S", "%d.%m.%Y %H.%M", "%Y-%j %H:%M", "%d-%b-%Y %H:%M", "%Y%m%d%H%M"),
    ],
)
def test_the_format_advised_reads_the_column(how):
    cells = [f"{stamp:{how}}" for stamp in HOURS]
    formats = advised(cells)
    assert formats[0] == how and len(formats) == 1
    assert list(to_times(column(cells), Layout(time_format=how))) == list(HOURS)


@pytest.mark.parametrize("how", ["%d/%m/%Y", "%d-%m-%Y", "%d/%m/%y"])
def test_dates_that_may_be_either_are_never_guessed(how):
    cells = [f"{stamp:{how}}" for stamp in pd.date_range("2024-01-01", periods=12, freq="MS")]
    formats = advised(cells)
    assert how in formats and how.replace("%d", "%x").replace("%m", "%d").replace("%x", "%m") in formats
    with pytest.raises(FileError, match=f"if '{cells[1]}' is 1 February 2024.* if '{cells[1]}' is 2 January 2024"):
        to_times(column(cells), Layout())


def test_a_day_beyond_the_twelfth_settles_which_is_the_month():
    assert advised([f"{stamp:%d/%m/%Y}" for stamp in pd.date_range("2024-01-01", periods=13)]) == ["%d/%m/%Y"]


@pytest.mark.parametrize(
    ("how", "unit"), [("unix", 1_000_000), ("unix-ms", 1_000), ("unix-us", 1), ("excel", 86_400_000_000)]
)
def test_counts_are_those_of_pandas(how, unit):
    micros = HOURS.tz_localize("UTC").as_unit("us").asi8
    counts = micros / unit + (25569 if how == "excel" else 0)
    cells = [repr(count) if how == "excel" else str(int(count)) for count in counts.tolist()]
    times = to_times(column(cells), Layout(time_format=how))
    assert list(times) == list(HOURS if how == "excel" else HOURS.tz_localize("UTC"))
    assert advised(cells) == [how]


@pytest.mark.parametrize(("digits", "step"), [(4, "min"), (5, "s"), (6, "s"), (10, "ms")])
def test_days_of_a_spreadsheet_are_read_to_what_their_digits_tell(digits, step):
    days = (HOURS.as_unit("us").asi8 / 86_400_000_000) + 25569
    times = to_times(column([f"{day:.{digits}f}" for day in days.tolist()]), Layout(time_format="excel"))
    assert list(times) == list(HOURS) and (times == times.round(step)).all()


def test_weeks_begin_on_monday_and_quarters_on_their_first_day():
    weeks = to_times(column(["2024-W01", "2024-W52", "2025-W01"]), Layout(time_format="%G-W%V"))
    assert list(weeks) == [pd.Timestamp(day) for day in ("2024-01-01", "2024-12-23", "2024-12-30")]
    quarters = to_times(column(["2024Q1", "Q4 2024", "2025-q2"]), Layout(time_format="quarter"))
    assert list(quarters) == [pd.Timestamp(day) for day in ("2024-01-01", "2024-10-01", "2025-04-01")]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Sydney", "Europe/London"])
def test_a_year_in_a_zone_is_read_from_offsets_from_utc_and_from_the_wall_clock(zone):
    year = pd.date_range("2024-01-01", "2025-01-01", freq="h", tz=zone)
    for cells in (
        [stamp.isoformat() for stamp in year],
        [str(stamp) for stamp in year.tz_convert("UTC")],
        [f"{stamp:%Y-%m-%d %H:%M}" for stamp in year],
    ):
        for order in (1, -1):
            times = to_times(column(cells[::order]), Layout(tz=zone))
            assert list(times) == list(year[::order])
    with pytest.raises(FileError, match=f"--tz {zone}, or --tz UTC"):
        to_times(column([stamp.isoformat() for stamp in year]), Layout())


def test_an_hour_that_there_is_not_is_told():
    cells = [f"{stamp:%Y-%m-%d %H:%M}" for stamp in pd.date_range("2024-03-31", periods=5, freq="h")]
    for order, row in ((1, 3), (-1, 3)):
        words = re.escape(f"row {row} (line {row}): there is no 2024-03-31 02:00:00 in Europe/Berlin")
        with pytest.raises(FileError, match=words):
            to_times(column(cells[::order]), Layout(tz="Europe/Berlin"))


def test_an_hour_that_comes_twice_and_is_written_once_is_told():
    cells = ["2024-10-27 00:00", "2024-10-27 02:00", "2024-10-27 04:00"]
    with pytest.raises(FileError, match="the hour that comes twice in Europe/Berlin"):
        to_times(column(cells), Layout(tz="Europe/Berlin"))


@pytest.mark.parametrize("word", ["now", "today", "NaT", "nan", "yesterday", "Total", ""])
def test_words_are_no_times(word):
    cells = [*map(str, HOURS[:5]), word]
    with pytest.raises(FileError, match=r"row 6 \(line 6\)"):
        to_times(column(cells), Layout())
