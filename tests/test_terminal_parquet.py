"""Parquet files in the terminal: read and refused as CSV files are, and written where the name says so."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from terminal import run

from tsrnn.forecasters.naive import NaiveForecaster
from tsrnn.terminal.layout import Layout
from tsrnn.terminal.reading import read_table
from tsrnn.terminal.usage import FileError, UsageError

ARGS = ["--time", "time", "--target", "load", "--horizon", 3]


@pytest.fixture
def frame():
    hours = pd.date_range("2024-03-30", periods=60, freq="h", tz="Europe/Berlin", name="time")  # a clock that changes
    return pd.DataFrame({"load": np.random.default_rng(0).normal(size=60)}, index=hours)


def panel():
    hours = pd.date_range("2024-01-01", periods=60, freq="h")
    parts = [pd.DataFrame({"series": name, "ds": hours, "y": np.arange(60.0) + k}) for k, name in enumerate("ab")]
    return pd.concat(parts, ignore_index=True)


def parquet(folder, table, **options):
    table.to_parquet(folder / "table.parquet", **options)
    return folder / "table.parquet"


def refusal(file, kind=FileError, time="time", target="load", **flags):
    with pytest.raises(kind) as caught:
        read_table(file, [time], [target], Layout(**flags))
    return str(caught.value)


@pytest.mark.parametrize("as_column", [True, False])
def test_a_table_is_read_with_its_zone_and_all_digits(frame, tmp_path, as_column):
    frame.iloc[7] = np.nan
    got = read_table(parquet(tmp_path, frame.reset_index() if as_column else frame), ["time"], ["load"])
    pd.testing.assert_frame_equal(got, frame, check_freq=False, check_names=False)


@pytest.mark.parametrize("dtype", ["float32", "int64", "Int64", "Float64", "bool", "str", "category", "uint8"])
def test_columns_of_every_type_are_numbers_where_they_can_be(tmp_path, dtype):
    values = pd.Series([0, 1] * 30).astype("str" if dtype == "category" else "int64").astype(dtype)
    table = pd.DataFrame({"time": pd.date_range("2024-01-01", periods=60, freq="h"), "load": values})
    assert list(read_table(parquet(tmp_path, table), ["time"], ["load"])["load"]) == [0.0, 1.0] * 30


def test_days_and_text_are_times_as_in_csv(frame, tmp_path):
    days = pd.date_range("2024-01-01", periods=60)
    for times in (days.date, days.strftime("%d/%m/%Y")):
        file = parquet(tmp_path, pd.DataFrame({"time": times, "load": 1.0}))
        how = "%d/%m/%Y" if isinstance(times[0], str) else None
        assert list(read_table(file, ["time"], ["load"], Layout(time_format=how)).index) == list(days)


def test_a_forecast_of_many_series_is_the_same_in_either_format(tmp_path):
    file, out = parquet(tmp_path, panel()), tmp_path / "out.parquet"
    panel().to_csv(tmp_path / "table.csv", index=False)
    args = ["--id", "series", "--time", "ds", "--target", "y", "--horizon", 3, "--model", "drift", "--coverage", 0.8]
    done = run("forecast", file, *args, "--output", out)
    assert done.exit_code == 0, done.stderr
    plain = run("forecast", tmp_path / "table.csv", *args, "--output", tmp_path / "out.csv")
    assert plain.stdout == done.stdout
    written = pd.read_parquet(out)
    assert list(written.columns) == ["series", "ds", "y", "y_lower_80", "y_upper_80"]
    expected = pd.read_csv(tmp_path / "out.csv", parse_dates=["ds"])
    pd.testing.assert_frame_equal(written, expected, check_dtype=False)


def test_a_forecast_of_one_series_has_its_times_in_a_column(frame, tmp_path):
    done = run("forecast", parquet(tmp_path, frame), *ARGS, "--model", "naive", "--output", tmp_path / "next.pq")
    assert done.exit_code == 0, done.stderr
    written = pd.read_parquet(tmp_path / "next.pq").set_index("time")
    pd.testing.assert_frame_equal(
        written, NaiveForecaster().fit(frame).forecast(3), check_freq=False, check_names=False
    )


def test_models_are_compared_and_data_sets_are_exported(frame, tmp_path):
    out = tmp_path / "errors.parquet"
    args = [*ARGS, "--models", "drift", "--windows", 2, "--output", out]
    assert run("compare", parquet(tmp_path, frame), *args).exit_code == 0
    assert {"cutoff", "y_true", "y_pred"} <= set(pd.read_parquet(out).columns)
    assert run("datasets", "shares_daily", "--output", tmp_path / "shares.parquet").exit_code == 0
    assert list(pd.read_parquet(tmp_path / "shares.parquet").columns)[:2] == ["ticker", "date"]


@pytest.mark.parametrize(
    ("change", "said", "flags"),
    [
        (lambda t: t.iloc[[0, *range(2, 60), 1]], "row 60: 2024-", {"sort": True}),
        (lambda t: pd.concat([t, t.tail(1)]), "lines 60, 61", {"duplicates": "first"}),
        (lambda t: t.replace({"load": {t["load"].iloc[4]: np.inf}}), "row 5: 'inf'", {"missing": ["inf"]}),
        (lambda t: t.replace({"load": {t["load"].iloc[0]: np.inf}}), "--skip-rows 1 to leave", {"skip_rows": "1"}),
    ],
)
def test_the_error_names_the_flag_under_which_the_table_is_read(frame, tmp_path, change, said, flags):
    file = parquet(tmp_path, change(frame.reset_index()))
    assert said in refusal(file)
    assert len(read_table(file, ["time"], ["load"], Layout(**flags))) in (59, 60)


def test_rows_without_a_time_are_refused_and_blank_ones_left_out(frame, tmp_path):
    table = frame.reset_index()
    table.loc[59] = [pd.NaT, np.nan]
    assert len(read_table(parquet(tmp_path, table), ["time"], ["load"])) == 59
    table.loc[59, "load"] = 1.0
    assert "row 60: the time is missing" in refusal(parquet(tmp_path, table))


def test_a_wrong_column_or_flag_is_refused(frame, tmp_path):
    file = parquet(tmp_path, frame)
    assert refusal(file, target="lod") == "target 'lod' is not in the data. Did you mean 'load'? Columns: time, load."
    assert "--sep says how text is read" in refusal(file, UsageError, sep=";")
    file.write_bytes(file.read_bytes()[:200])
    assert "cannot be read as a Parquet file" in refusal(file)


def test_a_number_is_read_as_it_is_whatever_is_said_of_text(tmp_path):
    table = pd.DataFrame({"time": pd.date_range("2024-01-01", periods=4), "load": [1.125, 2.375, -999.0, 4.625]})
    got = read_table(parquet(tmp_path, table), ["time"], ["load"], Layout(decimal=",", thousands=".", missing=["-999"]))
    assert list(got["load"].dropna()) == [1.125, 2.375, 4.625]


def test_without_pyarrow_the_extra_is_named_before_the_work(frame, tmp_path, monkeypatch):
    file = parquet(tmp_path, frame)
    frame.to_csv(tmp_path / "table.csv")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setattr(NaiveForecaster, "fit", lambda *args: pytest.fail("the work was begun"))
    done = run("forecast", file, *ARGS, "--model", "naive")
    assert done.exit_code == 2 and "pip install 'tsrnn[parquet]'" in done.stderr
    done = run("forecast", tmp_path / "table.csv", *ARGS, "--model", "naive", "--output", tmp_path / "o.parquet")
    assert done.exit_code == 2 and "writing --output" in done.stderr and "tsrnn[parquet]" in done.stderr


def test_stdin_may_be_parquet(frame, tmp_path, monkeypatch):
    stream = io.BytesIO(parquet(tmp_path, frame).read_bytes())
    monkeypatch.setattr("sys.stdin", type("Stdin", (), {"buffer": stream}))
    assert list(read_table(Path("-"), ["time"], ["load"])["load"]) == list(frame["load"])
