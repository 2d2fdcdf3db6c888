"""Frames: the grid of time, what it makes of gaps and calendars, and what every refusal says."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.tseries.frequencies import to_offset

from tsrnn import datasets
from tsrnn.exceptions import DataError
from tsrnn.frames import TimeGrid, check_columns, check_frame, check_time_index, infer_grid, season_length, some


def stamps(start="2024-01-01", n=60, freq="h", tz=None):
    """Stamps without the frequency that pandas keeps beside them."""
    index = pd.date_range(start, periods=n, freq=freq, tz=tz)
    index.freq = None
    return index


# ---------------------------------------------------------------------- the grid found


@pytest.mark.parametrize(
    ("load", "freq", "calendar", "season"),
    [
        (datasets.load_jfk_weather, "h", False, 24),
        (datasets.load_buoy_temperature, "30min", False, 48),
        (datasets.load_seattle_weather, "D", False, 7),
        (datasets.load_aapl, "B", True, 5),
        (datasets.load_wti_crude, "B", False, 5),
        (datasets.load_co2, "W-SAT", False, 52),
    ],
)
def test_grids_of_the_shipped_sets(load, freq, calendar, season):
    index = load().index
    grid = infer_grid(index[~index.duplicated()])
    assert grid == TimeGrid(to_offset(freq), calendar)
    assert season_length(grid.freq) == season


@pytest.mark.parametrize("tz", [None, "UTC", "Europe/Berlin"])
@pytest.mark.parametrize(
    "freq",
    [
        "s",
        "5min",
        "30min",
        "h",
        "3h",
        "D",
        "7D",
        "14D",
        "B",
        "W-SAT",
        "W-SUN",
        "MS",
        "ME",
        "QS-JAN",
        "QE-DEC",
        "YS-JAN",
    ],
)
def test_grid_is_found_with_and_without_gaps(freq, tz):
    index = stamps(freq=freq, tz=tz)
    assert infer_grid(index).between(index[0], index[-1]).equals(index)
    if freq != "B":  # a weekday that is absent makes a trading calendar
        assert infer_grid(index.delete([7, 8, 30])) == infer_grid(index)


def test_the_frequency_of_the_index_itself_comes_first():
    assert infer_grid(pd.date_range("2024-01-01", periods=5, freq="D")).freq == to_offset("D")
    assert infer_grid(pd.date_range("2024-01-01", periods=1, freq="h")).freq == to_offset("h")


def test_days_across_the_change_of_clocks_are_days():
    index = stamps("2024-03-25", 14, "D", "Europe/Berlin")
    grid = infer_grid(index)
    assert grid.freq == to_offset("D")
    assert grid.future(index[-1], 1)[0] == pd.Timestamp("2024-04-08", tz="Europe/Berlin")
    # seven days, of which one has 23 hours
    autumn = infer_grid(stamps("2024-10-21", 7, "D", "Europe/Berlin"))
    assert autumn.freq == to_offset("D")


def test_hours_across_the_change_of_clocks_are_hours():
    index = stamps("2024-03-30 20:00", 12, "h", "Europe/Berlin")
    grid = infer_grid(index)
    assert len(grid.regularise(pd.DataFrame(index=index))) == 12
    assert list(grid.future(index[5], 2).hour) == [3, 4]  # 02:00 does not exist


def test_five_weekdays_may_be_two_things():
    week = stamps("2024-01-01", 5, "D")
    with pytest.raises(DataError, match=r"5 weekdays in a row .* freq='D' or freq='B'"):
        infer_grid(week)
    assert infer_grid(week, "B").freq == to_offset("B")
    assert infer_grid(week, "D").freq == to_offset("D")


def test_weekdays_with_a_holiday_are_a_trading_calendar():
    days = stamps("2024-01-01", 20, "B")
    assert infer_grid(days) == TimeGrid(to_offset("B"), calendar=False)
    assert infer_grid(days.delete(7)) == TimeGrid(to_offset("B"), calendar=True)


def test_one_row_has_no_frequency():
    with pytest.raises(DataError, match=r"cannot find the frequency of 1 row\(s\). Pass freq="):
        infer_grid(stamps(n=1))


OLD = pytest.mark.skipif(int(pd.__version__.split(".")[0]) < 3, reason="pandas 2 still takes the old aliases")


@pytest.mark.parametrize("alias", [*(pytest.param(name, marks=OLD) for name in "HTMQY"), "fortnight"])
def test_frequencies_that_pandas_does_not_know(alias):
    with pytest.raises(DataError, match=f"freq='{alias}' is not a frequency pandas knows"):
        infer_grid(stamps(), alias)


def test_stamps_off_the_grid_are_named():
    index = stamps().insert(3, pd.Timestamp("2024-01-01 02:17"))
    with pytest.raises(DataError, match=r"2024-01-01 02:17:00 do not lie on .* \('h' from 2024-01-01"):
        infer_grid(index)
    with pytest.raises(DataError, match=r"01:00:00, .* \(30 in all\) do not lie on freq='2h'.*resample"):
        infer_grid(stamps(), "2h")


def test_a_frequency_that_leaves_mostly_gaps_is_refused():
    with pytest.raises(DataError, match=r"would leave 82777 gaps among 24 rows"):
        infer_grid(stamps(freq="h", n=24), "s")


# ---------------------------------------------------------------------- the grid at work


@settings(max_examples=50, deadline=None)
@given(
    freq=st.sampled_from(["30min", "h", "D", "B", "W-SAT", "MS", "ME", "QE-DEC"]),
    tz=st.sampled_from([None, "UTC", "America/New_York"]),
    steps=st.integers(0, 40),
)
def test_future_goes_on_and_counts_back(freq, tz, steps):
    index = pd.date_range("2024-02-01", periods=30, freq=freq, tz=tz)
    grid = infer_grid(index)
    future = grid.future(index[-1], steps)
    assert len(future) == steps
    assert future.tz == index.tz
    assert index.append(future).equals(pd.date_range(index[0], periods=30 + steps, freq=freq))
    assert list(grid.steps_ahead(index[-1], future)) == list(range(1, steps + 1))
    assert list(grid.positions(future, index[0])) == list(range(30, 30 + steps)) if steps else True


def test_positions_count_both_ways_and_over_holidays():
    days = stamps("2024-01-01", 20, "B")
    grid = infer_grid(days.delete(7))
    assert list(grid.positions(days[[5, 6, 8]], days[0])) == [5, 6, 8]
    assert list(grid.positions(days[[0, 1]], days[4])) == [-4, -3]


def test_regularise_puts_missing_rows_in():
    index = stamps(n=6).delete([2, 3])
    frame = pd.DataFrame({"a": [0.0, 1, 4, 5]}, index=index)
    whole = infer_grid(index, "h").regularise(frame)
    np.testing.assert_array_equal(whole["a"], [0, 1, np.nan, np.nan, 4, 5])
    assert infer_grid(index, "h").regularise(frame.iloc[:1]).equals(frame.iloc[:1])


def test_regularise_leaves_holidays_out_and_fills_holes():
    days = stamps("2024-01-01", 60, "B")
    holidays = days.delete([10, 20, 21])
    grid = infer_grid(holidays)
    assert grid.regularise(pd.DataFrame(index=holidays)).index.equals(holidays)
    hole = days.delete([10, *range(30, 37)])  # a holiday, and seven days in a row
    filled = grid.regularise(pd.DataFrame({"a": 1.0}, index=hole))
    assert filled.index.equals(days.delete(10))
    assert filled["a"].isna().sum() == 7
    # five in a row may still be a holiday
    assert len(grid.regularise(pd.DataFrame(index=days.delete([*range(30, 35)])))) == 55


def test_steps_ahead_on_a_trading_calendar_follow_the_stamps_given():
    days = stamps("2024-01-01", 60, "B")
    grid = TimeGrid(to_offset("B"), calendar=True)
    assert list(grid.steps_ahead(days[9], days[[10, 11, 13]])) == [1, 2, 3]
    assert list(grid.steps_ahead(days[9], days[[11, 12]])) == [1, 2]  # a holiday lies between
    assert list(grid.steps_ahead(days[9], days[[20, 21]])) == [11, 12]  # too long for a holiday


def test_steps_ahead_off_the_grid_are_named():
    grid = TimeGrid(to_offset("h"))
    with pytest.raises(DataError, match=r"2024-01-01 05:30:00 are not on the grid .* 2024-01-01 .*'h'"):
        grid.steps_ahead(pd.Timestamp("2024-01-01"), pd.DatetimeIndex(["2024-01-01 05:30"]))


# ---------------------------------------------------------------------- seasons


@pytest.mark.parametrize(
    ("freq", "season"),
    [("s", 86400), ("5min", 288), ("10min", 144), ("30min", 48), ("h", 24), ("2h", 12), ("12h", 2), ("D", 7), ("2D", 4)]
    + [
        ("B", 5),
        ("C", 5),
        ("W-SUN", 52),
        ("2W-SAT", 26),
        ("MS", 12),
        ("ME", 12),
        ("BME", 12),
        ("QS-JAN", 4),
        ("QE-DEC", 4),
    ]
    + [("BQE-DEC", 4), ("YS-JAN", 1), ("YE-DEC", 1), ("ms", 86_400_000)],
)
def test_season_length_of_every_frequency(freq, season):
    assert season_length(to_offset(freq)) == season


# ---------------------------------------------------------------------- frames


def test_a_frame_comes_back_as_floats_on_its_index():
    frame = pd.DataFrame(
        {"int": [1, 2], "bool": [True, False], "nullable": pd.array([1, None], dtype="Int64")}, index=stamps(n=2)
    )
    checked = check_frame(frame)
    assert (checked.dtypes == np.float64).all()
    assert np.isnan(checked["nullable"].iloc[1])
    assert checked.index.equals(frame.index)


def test_a_series_becomes_a_column():
    series = pd.Series([1.0, 2.0], index=stamps(n=2))
    assert list(check_frame(series).columns) == ["y"]
    assert list(check_frame(series.rename("load")).columns) == ["load"]


def test_a_frame_without_columns_keeps_its_rows():
    assert check_frame(pd.DataFrame(index=stamps(n=3))).shape == (3, 0)


def test_periods_become_stamps():
    index = pd.period_range("2024-01", periods=3, freq="M")
    assert list(check_time_index(index)) == list(pd.date_range("2024-01-01", periods=3, freq="MS"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda df: df.to_numpy(), r"X must be a pandas DataFrame .*got ndarray.*set_output\(transform='pandas'\)"),
        (lambda df: df.reset_index(drop=True), r"X has no time index \(got RangeIndex\).*pd.to_datetime"),
        (lambda df: df.set_axis(df.index.astype(str)), r"X has no time index \(got Index\)"),
        (lambda df: df.set_axis([df.index[0], pd.NaT, *df.index[2:]]), r"X has 1 missing timestamps \(NaT\)"),
        (lambda df: df.iloc[[0, 1, 1, 2]], r"X has duplicated timestamps: 2024-01-01 01:00:00\. .*duplicated\(\)"),
        (lambda df: df.iloc[[0, 3, 2]], r"not sorted by time \(first step back at 2024-01-01 02:00:00\).*sort_index"),
        (lambda df: df.assign(b="x"), r"column 'b' is not numeric \(dtype .*'x'\).*pd.to_numeric"),
        (lambda df: df.assign(a=[1, 2, np.inf, 4]), r"column 'a' holds infinity \(first at 2024-01-01 02:00:00\)"),
        (lambda df: pd.concat([df, df], axis=1), r"duplicated column names: a"),
        (lambda df: pd.concat({"s": df}), "MultiIndex.*select one series first"),
    ],
)
def test_what_a_frame_may_not_be(change, message):
    df = pd.DataFrame({"a": [1.0, 2, 3, 4]}, index=stamps(n=4))
    with pytest.raises(DataError, match=message):
        check_frame(change(df))


def test_an_unknown_column_comes_with_the_nearest():
    df = pd.DataFrame({"temperature": [1.0], "wind": [2.0]})
    with pytest.raises(
        DataError, match=r"target 'temprature' is not .*Did you mean 'temperature'\? Columns: temp.*wind"
    ):
        check_columns(df, ["temprature"], "target")
    with pytest.raises(DataError) as caught:
        check_columns(df, ["zzz"])
    assert "Did you mean" not in str(caught.value)


def test_long_lists_are_cut():
    assert some([1, 2]) == "1, 2"
    assert some(range(7)) == "0, 1, 2, 3, 4, ... (7 in all)"


def test_stamps_of_business_days_do_not_claim_steps_of_days_where_no_weekend_lies_between():
    week = TimeGrid(to_offset("B")).between(pd.Timestamp("2024-01-01"), pd.Timestamp("2024-01-05"))
    assert len(week) == 5 and week.freq is None
