"""Files of many kinds, which are read right, or refused with the place, the cell and the flag that mends it."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import shlex
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from terminal import edit, run

from tsrnn.terminal.layout import Layout
from tsrnn.terminal.reading import read_table
from tsrnn.terminal.usage import FileError, UsageError

DAYS = [stamp.strftime("%Y-%m-%d") for stamp in pd.date_range("2024-01-01", periods=40)]
VALUES = [float(i % 9) + 0.5 for i in range(40)]


def table(times=DAYS, values=VALUES, sep=",", header="t,x"):
    """A file as text."""
    rows = (f"{time}{sep}{value}\n" for time, value in zip(times, values, strict=True))
    return header.replace(",", sep) + "\n" + "".join(rows)


@pytest.fixture
def read(tmp_path):
    """Read a text, or bytes, as a file."""

    def read_it(content, time=("t",), target="x", whole=False, **flags):
        file = tmp_path / "series.csv"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        frame = read_table(file, list(time), [target], Layout(**flags))
        return frame if whole else frame[target]

    return read_it


def refusal(read, content, **flags):
    """What is said of a file."""
    with pytest.raises(FileError) as caught:
        read(content, **flags)
    return str(caught.value)


def zipped(content, *names):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(name, content)
    return stream.getvalue()


# ---------------------------------------------------------------------- what is read as it stands


@pytest.mark.parametrize(
    "content",
    [
        table(),
        table(sep=";"),
        table(sep="\t"),
        table(sep="|"),
        table(sep="   "),
        table(sep=" , "),
        "\ufeff" + table(),
        table().encode("utf-16"),
        table(header='"t","x"'),
        table(header=" t , x "),
        table(values=[f'"{value}"' for value in VALUES]),
        table().replace("\n", "\r\n"),
        table().replace("\n", "\r"),
        table().replace("\n", "\n\n"),
        table() + ",\n,\n\n",
        table(values=[f"{value}," for value in VALUES]),
        table(values=[f"{value},," for value in VALUES], header="t,x,,"),
        table(values=[f"{value},1,2" for value in VALUES], header="t,x,y,y"),
        table(header='"t","x"').replace("2024-01-07", '"2024-01-07"'),
        gzip.compress(table().encode()),
        bz2.compress(table().encode()),
        lzma.compress(table().encode()),
        zipped(table(), "series.csv"),
        table(times=[f"{day}T00:00:00" for day in DAYS]),
        table(times=[day.replace("-", "") for day in DAYS]),
        table(times=[day.replace("-", "/") for day in DAYS]),
    ],
)
def test_a_file_is_read_as_it_stands(read, content, capsys):
    series = read(content)
    assert list(series) == VALUES
    assert list(series.index) == list(pd.DatetimeIndex(DAYS))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("marker", ["", "NA", "n/a", "NULL", "null", "#N/A", "NaN", "None", " "])
def test_usual_markers_of_missing_values_are_read(read, marker):
    values = [marker if i == 7 else value for i, value in enumerate(VALUES)]
    assert list(np.flatnonzero(read(table(values=values)).isna())) == [7]


def test_years_and_quarter_hours_are_read(read):
    years = read(table(times=range(1950, 1990)))
    assert list(years.index[[0, -1]]) == [pd.Timestamp("1950"), pd.Timestamp("1989")]
    quarters = pd.date_range("2024-01-01 23:00", periods=40, freq="15min")
    assert list(read(table(times=quarters)).index) == list(quarters)


def test_stdin_is_a_file(monkeypatch):
    class Stdin:
        buffer = io.BytesIO(table().encode())

    monkeypatch.setattr("sys.stdin", Stdin)
    assert list(read_table(Path("-"), ["t"], ["x"])["x"]) == VALUES


def test_many_rows_equal_those_that_pandas_reads(tmp_path):
    rows = 100_000
    frame = pd.DataFrame({"x": np.random.default_rng(0).normal(size=rows)})
    frame.index = pd.date_range("2000-01-01", periods=rows, freq="min", name="t")
    frame.iloc[::1000] = np.nan
    frame.to_csv(tmp_path / "long.csv")
    got = read_table(tmp_path / "long.csv", ["t"], ["x"])
    pd.testing.assert_frame_equal(got, frame, check_freq=False, check_names=False, check_index_type=False)


# ---------------------------------------------------------------------- refused, and read once the flag is given


KINDS = {
    "decimal comma": (
        table(values=[f"{i},5" for i in range(40)], sep=";"),
        ["'0,5'"],
        "--decimal ,",
        39.5,
    ),
    "decimal comma, dots between thousands": (
        table(values=[f"1.5{i:02d},25" for i in range(40)], sep=";"),
        ["1.500,25", "1500.25"],
        "--decimal , --thousands .",
        1539.25,
    ),
    "comma between thousands": (
        table(values=[f'"1,5{i:02d}"' for i in range(40)]),
        ["'1,500'", "if it is 1500."],
        "--thousands ,",
        1539,
    ),
    "comma between thousands of some": (
        table(values=[*(f'"{i}.5"' for i in range(20)), *(f'"1,5{i:02d}.5"' for i in range(20))]),
        ["row 21 (line 22)", "'1,500.5'", "19 others"],
        "--thousands ,",
        1519.5,
    ),
    "apostrophe": (table(values=[f"1'5{i:02d}" for i in range(40)]), ['"1\'500"'], '--thousands "\'"', 1539),
    "typographic apostrophe": (table(values=[f"1\u20195{i:02d}" for i in range(40)]), [], '--thousands "\'"', 1539),
    "thin space": (
        table(values=[f"1\u202f5{i:02d},5" for i in range(40)], sep=";"),
        [],
        "--decimal , --thousands space",
        1539.5,
    ),
    "no-break space": (table(values=[f"1\u00a05{i:02d}" for i in range(40)], sep=";"), [], "--thousands space", 1539),
    "percent": (table(values=[f"{i} %" for i in range(40)]), ["'0 %'"], "--strip %", 39),
    "currency": (table(values=[f"${i}.5" if i % 2 else f"{i}" for i in range(40)]), ["'$1.5'"], "--strip '$'", 39.5),
    "unit in each cell": (table(values=[f"{i} °C" for i in range(40)]), ["'0 °C'"], "--strip '°C'", 39),
    "dash": (table(values=[*VALUES[:-2], "-", 4]), ["row 39 (line 40)", "'-'"], "--missing -", 4),
    "dot": (table(values=[*VALUES[:-2], ".", 4]), ["'.'"], "--missing .", 4),
    "question mark": (table(values=[*VALUES[:-2], "?", 4]), ["'?'"], "--missing '?'", 4),
    "words": (table(values=["out of order", *VALUES[2:], 4]), ["row 1 (line 2)"], "--missing 'out of order'", 4),
    "infinity": (table(values=[*VALUES[:-2], "inf", 4]), ["'inf'"], "--missing inf", 4),
    "too large": (table(values=[*VALUES[:-2], "1e999", 4]), ["'1e999' is too large"], "--missing 1e999", 4),
    "units below the header": (
        table().replace("\n", "\n,degC\n", 1),
        ["row 1 (line 2)", "missing"],
        "--skip-rows 2",
        3.5,
    ),
    "units and zone": (table().replace("\n", "\nUTC,degC\n", 1), ["'UTC'"], "--skip-rows 2", 3.5),
    "units beside a time": (table(["2023-12-31", *DAYS], ["degC", *VALUES]), ["'degC'"], "--skip-rows 2", 3.5),
    "totals": (table() + "Total,180\n", ["row 41 (line 42)", "'Total'"], "--skip-rows 42", 3.5),
    "comment in the middle": (
        table(DAYS[:20] + ["# moved"] + DAYS[20:], VALUES[:20] + [""] + VALUES[20:]),
        ["row 21 (line 22)"],
        "--comment '#'",
        3.5,
    ),
    "comments at the ends of lines": (
        table(values=[f"{value} # ok" for value in VALUES]),
        ["# ok"],
        "--comment '#'",
        3.5,
    ),
    "comments above": ("# station 5\n# units: C\n" + table(), ["Line 3 has it"], "--comment '#'", 3.5),
    "lines above": ("Station 5\n\n" + table(), ["Line 3 has it"], "--skip-rows 1-2", 3.5),
    "no header": (table().split("\n", 1)[1], ["no header", "--names time,x1"], "--names t,x", 3.5),
    "Latin 1": (
        table().replace("t,x\n", "t,x,Wärme\n").encode("latin-1"),
        ["line 1", "Wärme"],
        "--encoding latin-1",
        3.5,
    ),
    "UTF-16 without a mark": (table().encode("utf-16-le"), [], "--encoding utf-16-le", 3.5),
    "seconds": (table(range(1_704_067_200, 1_704_067_240)), ["'1704067200'"], "--time-format unix", 3.5),
    "milliseconds": (table(range(1_704_067_200_000, 1_704_067_240_000, 1000)), [], "--time-format unix-ms", 3.5),
    "microseconds": (
        table(range(1_704_067_200_000_000, 1_704_067_240_000_000, 1_000_000)),
        [],
        "--time-format unix-us",
        3.5,
    ),
    "days of a spreadsheet": (table(range(45292, 45332)), ["'45292'"], "--time-format excel", 3.5),
    "quarters": (
        table([f"{year}Q{q}" for year in range(2000, 2010) for q in (1, 2, 3, 4)]),
        [],
        "--time-format quarter",
        3.5,
    ),
    "weeks": (table([f"2024-W{week:02d}" for week in range(1, 41)]), [], "--time-format %G-W%V", 3.5),
    "unsorted": (table(DAYS[20:] + DAYS[:20]), ["row 21 (line 22)", "2024-01-01"], "--sort", 1.5),
    "a day twice": (table([*DAYS[:10], DAYS[9], *DAYS[11:]]), ["lines 11, 12"], "--duplicates first", 3.5),
    "offsets that change": (
        table([s.isoformat() for s in pd.date_range("2024-10-26 12:00", periods=40, freq="h", tz="Europe/Berlin")]),
        ["row 16 (line 17)", "+01:00", "+02:00", "or --tz UTC"],
        "--tz Europe/Berlin",
        3.5,
    ),
    "the hour that comes twice": (
        table(
            [f"{s:%Y-%m-%d %H:%M}" for s in pd.date_range("2024-10-26 12:00", periods=40, freq="h", tz="Europe/Berlin")]
        ),
        ["2024-10-27 02:00:00", "lines 16, 17"],
        "--tz Europe/Berlin",
        3.5,
    ),
    "series below each other": (
        "t,station,x\n"
        + "".join(f"{day},{name},{value}\n" for name in "AB" for day, value in zip(DAYS, VALUES, strict=True)),
        ["'station'", "A, B"],
        "--id station=A",
        3.5,
    ),
    "series in turn": (
        "t,ticker,x,volume\n"
        + "".join(f"{day},{name},{v},7\n" for day, v in zip(DAYS, VALUES, strict=True) for name in ("BB C", "D")),
        ["lines 2, 3", "'ticker'", "BB C, D"],
        "--id 'ticker=BB C'",
        3.5,
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_error_names_the_flag_under_which_the_file_is_read(tmp_path, kind):
    content, said, flags, last = KINDS[kind]
    file = tmp_path / "series.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    args = ["forecast", file, "--time", "t", "--target", "x", "--horizon", 1, "--model", "naive"]
    refused = run(*args)
    assert refused.exit_code == 1 and refused.stdout == "" and refused.stderr.count("\n") == 1
    advised = flags if "no header" not in kind else "--names"
    assert advised in refused.stderr.replace("''\"'\"''", '"\'"')
    assert all(words in refused.stderr for words in said)
    done = run(*args, *shlex.split(flags))
    assert done.exit_code == 0, done.stderr
    assert done.stdout.split()[-1] == f"{float(last):.4g}"


def test_a_comma_that_may_be_either_is_told_with_the_numbers_it_makes(read):
    text = refusal(read, table(values=[f"1,5{i:02d}" for i in range(40)], sep=";"))
    assert "--decimal , if it is 1.500, or --thousands , if it is 1500." in text


def test_no_advice_where_commas_part_the_columns_makes_a_decimal_of_thousands(read):
    text = refusal(read, table(values=[f'"1,5{i:02d}"' for i in range(40)]))
    assert "--decimal" not in text


def test_thousands_must_be_whole_groups(read):
    assert "'1,50'" in refusal(read, table(values=['"1,50"'] * 40), thousands=",")
    assert "--decimal , and no --thousands if it is 1.50." in refusal(
        read, table(values=['"1,50"'] * 40), thousands=","
    )
    assert list(read(table(values=['"12,34,567.5"'] * 40), thousands=",")) == [1234567.5] * 40


@pytest.mark.parametrize("cell", ["5k", "<5", "(5)", "5-", "~5", "5 EUR"])
def test_signs_whose_loss_would_change_the_number_are_not_advised_away(read, cell):
    values = [cell if i % 2 else "7" for i in range(40)]
    text = refusal(read, table(values=values))
    assert repr(cell) in text and "--strip" not in text and "--skip-rows 3" in text


def test_dots_that_may_stand_between_thousands_are_told(read, capsys):
    text = table(values=[f"1.5{i:02d}" for i in range(40)], sep=";")
    assert read(text).iloc[-1] == 1.539
    assert "'1.500' was read as 1.5" in capsys.readouterr().err
    assert read(text, decimal=".").iloc[-1] == 1.539
    assert capsys.readouterr().err == ""
    assert "--thousands . if it is 1500" in refusal(read, text, decimal=",")
    assert read(text, decimal=",", thousands=".").iloc[-1] == 1539


@pytest.mark.parametrize("marker", ["-999", "-9999.0", "9999", "-99.9"])
def test_numbers_that_seem_to_mean_missing_are_told_and_read_as_such_on_request(read, capsys, marker):
    values = [marker if i in (3, 8) else value for i, value in enumerate(VALUES)]
    assert read(table(values=values)).iloc[3] == float(marker)
    assert f"--missing {float(marker):g}" in capsys.readouterr().err
    series = read(table(values=values), missing=[f"{float(marker):g}"])
    assert list(np.flatnonzero(series.isna())) == [3, 8]
    assert capsys.readouterr().err == ""


def test_newest_first_is_read_from_the_oldest_on_with_a_note(read, capsys):
    series = read(table(DAYS[::-1]))
    assert series.index.is_monotonic_increasing and list(series) == VALUES[::-1]
    assert "newest row first" in capsys.readouterr().err


def test_rows_of_the_same_time_are_kept_as_asked(read):
    text = table([*DAYS[:3], DAYS[2], *DAYS[3:]], [1, 2, 3, 5, *VALUES[3:]])
    got = {keep: read(text, duplicates=keep).iloc[2] for keep in ("first", "last", "mean")}
    assert got == {"first": 3, "last": 5, "mean": 4}


def test_a_column_that_stands_twice_is_refused_where_it_is_read(read):
    text = table(values=[f"{value},1" for value in VALUES], header="t,x,x")
    assert "stands 2 times in the header, as columns 2, 3" in refusal(read, text)
    assert "time column 't' stands 2 times" in refusal(read, table(values=[f"{v},1" for v in VALUES], header="t,x,t"))


def test_cells_beyond_the_header_are_never_dropped(read):
    text = table(values=[f"{i},5" for i in range(40)])
    assert "row 1 (line 2): there are 3 cells, but the header has 2 columns" in refusal(read, text)
    assert "there are 5 cells" in refusal(read, table(values=[*VALUES[:-1], "1,,,9"]))


def test_date_and_hour_in_two_columns_are_read_together(read):
    hours = pd.date_range("2024-01-01", periods=40, freq="h")
    text = "day,hour,x\n" + "".join(f"{s:%Y-%m-%d},{s:%H:%M},{i}\n" for i, s in enumerate(hours))
    assert list(read(text, time=("day", "hour")).index) == list(hours)
    assert "--time day --time hour" in refusal(read, text, time=("day",))
    assert "It has no date. Say --time DATE --time TIME" in refusal(read, text, time=("hour",))


def test_lines_are_those_of_the_file_whatever_stands_between(read):
    text = '# a\n\nt,x,"no\nte"\n2024-01-01,1,"two\nlines"\n\n2024-01-02,2,\n# c\n2024-01-03,bad,\n2024-01-04,3,\n'
    assert "row 3 (line 10): 'bad'" in refusal(read, text, comment="#")


def test_a_mark_of_a_comment_in_quotes_is_none(read):
    text = "t,x,item\n" + "".join(f'{day},{value},"no #{value}"\n' for day, value in zip(DAYS, VALUES, strict=True))
    assert list(read(text, comment="#")) == VALUES


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        (["ticker=C"], "column 'ticker' has no 'C'. It holds A, B."),
        (["ticke=A"], "--id 'ticke' is not in the data. Did you mean 'ticker'?"),
    ],
)
def test_a_series_that_is_not_there_is_refused(read, ids, said):
    text = "t,ticker,x\n" + "".join(f"{day},{name},1\n" for name in "AB" for day in DAYS)
    assert said in refusal(read, text, ids=ids)


def test_a_column_of_series_reads_all_of_them(read):
    text = "t,ticker,x\n" + "".join(f"{day},{name},{k}\n" for name in "BA" for k, day in enumerate(DAYS))
    found = read(text, ids=["ticker"], whole=True)
    assert list(found.columns) == ["ticker", "t", "x"] and found["ticker"].tolist() == ["B"] * 40 + ["A"] * 40
    assert found["x"].tolist() == [*range(40), *range(40)]


def test_a_row_of_no_series_is_refused(read):
    text = "t,ticker,x\n" + "".join(f"{day},{name},1\n" for name in "AB" for day in DAYS) + "2030-01-01,,3\n"
    assert "column 'ticker', row 81 (line 82): empty, where the name of a series stands" in refusal(
        read, text, ids=["ticker"]
    )


def test_a_column_of_text_is_no_target(read):
    assert "The column holds text: choose another --target." in refusal(read, table(values=["rain", "sun"] * 20))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (b"t,x\n", "a header but no rows"),
        (b"\xff\xfe\x00", "utf-16"),
        (b't,x\n"2024', "A quote that is opened must be closed"),
        (b"\xd0\xcf\x11\xe0", "Excel workbook"),
        (zipped("", "[Content_Types].xml", "xl/workbook.xml"), "Excel workbook"),
        (zipped("", "a.csv", "b.csv"), "holds 2 files: a.csv, b.csv"),
        (gzip.compress(table().encode())[:40], "is compressed, and damaged"),
        (b"PAR1....", "Parquet"),
        (bytes(range(256)), "not text in UTF-8"),
    ],
)
def test_what_is_no_table_is_told(read, content, said):
    assert said in refusal(read, content)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"sep": ";;"}, "--sep must be one sign"),
        ({"decimal": "x"}, "--decimal must be one sign"),
        ({"thousands": "5"}, "--thousands must be one sign"),
        ({"thousands": ",", "decimal": ","}, "cannot be both"),
        ({"thousands": "."}, "cannot be both"),
        ({"strip": "%-"}, "--strip cannot leave out '-'"),
        ({"skip_rows": "3-1"}, "--skip-rows must be lines such as 2"),
        ({"skip_rows": "0"}, "--skip-rows must be lines such as 2"),
        ({"time_format": "unx"}, "Did you mean 'unix'?"),
        ({"time_format": "%d/%m"}, "has no year"),
        ({"time_format": "%Y-%Q"}, "is no format"),
        ({"tz": "Europe/Berln"}, "Did you mean 'Europe/Berlin'?"),
        ({"duplicates": "second"}, "--duplicates must be first, last or mean, got 'second'"),
        ({"encoding": "utf-99"}, "not an encoding"),
        ({"resample": "fortnight"}, "--resample 'fortnight' is not a frequency"),
    ],
)
def test_flags_that_cannot_be_are_refused(read, flags, said):
    with pytest.raises(UsageError) as caught:
        read(table(), **flags)
    assert said in str(caught.value)


def test_files_with_semicolons_and_decimal_commas_are_read(load_csv, tmp_path):
    frame = pd.read_csv(load_csv)
    frame.to_csv(tmp_path / "semicolons.csv", sep=";", decimal=",", index=False)
    frame.to_csv(tmp_path / "tabs.csv", sep="\t", index=False, encoding="utf-8-sig")
    args = ["--time", "time", "--target", "load", "--horizon", 3, "--model", "naive"]
    expected = run("forecast", load_csv, *args).stdout
    assert run("forecast", tmp_path / "semicolons.csv", *args, "--sep", ";", "--decimal", ",").stdout == expected
    assert run("forecast", tmp_path / "tabs.csv", *args, "--sep", "tab").stdout == expected
    assert "Say --decimal , if it is" in run("forecast", tmp_path / "semicolons.csv", *args, "--sep", ";").stderr


@pytest.mark.parametrize(
    ("row", "column", "value", "message"),
    [
        (17, "time", "yesterday", "time column 'time', row 17 (line 18): 'yesterday' is not a time"),
        (300, "time", "2024-13-01", "time column 'time', row 300 (line 301): '2024-13-01' is not a time"),
        (12, "time", "now", "row 12 (line 13): 'now' is not a time"),
        (5, "time", None, "time column 'time', row 5 (line 6): the time is missing"),
        (5, "time", "2024-01-01T05:00:00+00:00", "2024-01-01 05:00:00+00:00 stands in 2 rows (lines 6, 7)"),
        (5, "time", "2024-02-01T05:00:00+00:00", "row 6 (line 7): 2024-01-01 05:00:00+00:00 comes after 2024-02-01"),
        (9, "time", "2024-01-01 08:00", "row 9 (line 10): '2024-01-01 08:00' has no offset from UTC"),
        (33, "load", "n/k", "column 'load', row 33 (line 34): 'n/k' is not a number"),
        (33, "load", "1_000", "column 'load', row 33 (line 34): '1_000' is not a number"),
        (33, "load", "0x1F", "column 'load', row 33 (line 34): '0x1F' is not a number"),
    ],
)
def test_bad_cells_are_told_by_row(load_csv, row, column, value, message):
    edit(load_csv, row, column, value)
    done = run("forecast", load_csv, "--time", "time", "--target", "load", "--horizon", 2, "--model", "naive")
    assert done.exit_code == 1
    assert message in done.stderr and done.stderr.count("\n") == 1


def test_dates_without_hours_are_printed_without(load_csv, tmp_path):
    edit(load_csv, 299, "load", None)
    args = ["--target", "load", "--horizon", 1, "--model", "naive"]
    assert "2024-01-13 12:00:00+00:00" in run("forecast", load_csv, "--time", "time", *args).stdout
    days = pd.date_range("2024-01-25", periods=10)
    pd.DataFrame({"day": days.strftime("%d/%m/%Y"), "load": range(10)}).to_csv(tmp_path / "days.csv", index=False)
    done = run("forecast", tmp_path / "days.csv", "--time", "day", *args, "--time-format", "%d/%m/%Y")
    assert "2024-02-04" in done.stdout and "00:00" not in done.stdout


def test_freq_and_resample_put_the_rows_on_a_grid(tmp_path, read):
    days = pd.date_range("2024-01-01", periods=5, freq="B")
    pd.DataFrame({"day": days, "load": range(5)}).to_csv(tmp_path / "days.csv", index=False)
    args = [tmp_path / "days.csv", "--time", "day", "--target", "load", "--horizon", 1, "--model", "naive"]
    assert "Give --freq D or --freq B" in run("forecast", *args).stderr
    assert "2024-01-06" in run("forecast", *args, "--freq", "D").stdout
    assert "2024-01-08" in run("forecast", *args, "--freq", "B").stdout
    shaky = [f"2024-01-01 00:{i:02d}:{i % 3}7" for i in range(40)]
    assert list(read(table(shaky), resample="2min")) == [sum(VALUES[i : i + 2]) / 2 for i in range(0, 40, 2)]


def test_a_horizon_that_leaves_the_calendar_is_refused_before_the_work(tmp_path):
    (tmp_path / "years.csv").write_text(table(range(1950, 1990)))
    args = ["forecast", tmp_path / "years.csv", "--time", "t", "--target", "x", "--model", "naive", "--horizon"]
    done = run(*args, 99999)
    assert done.exit_code == 2 and "--horizon 99999 goes beyond the dates" in done.stderr
    assert run(*args, 100).exit_code == 0
