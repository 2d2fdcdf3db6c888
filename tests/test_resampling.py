"""Rows at irregular times, put on a grid by a rule that the user chooses: held against pandas, and never unasked."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.tseries.frequencies import to_offset

from tsrnn import DriftForecaster, MeanForecaster, NaiveForecaster, RidgeForecaster, SeasonalNaiveForecaster
from tsrnn.exceptions import DataError
from tsrnn.frames.bins import RULES, bin_starts
from tsrnn.persistence import load


def shaky(n=400, seed=0, tz=None, start="2024-03-25"):
    """Some rows in most hours, at any minute."""
    rng = np.random.default_rng(seed)
    seconds = np.unique(rng.integers(0, n // 3 * 3600, n))
    index = pd.Timestamp(start, tz=tz) + pd.to_timedelta(seconds, unit="s")
    daily = np.sin(seconds / 86400 * 2 * np.pi)
    return pd.DataFrame({"load": 5 + daily, "wind": rng.normal(size=len(index))}, index=index)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("freq", ["h", "15min", "D", "6h"])
def test_rows_of_a_step_become_one_by_the_rule(rule, freq):
    frame = shaky()
    frame.iloc[::7, 0] = np.nan
    got = NaiveForecaster(freq=freq, resample=rule).fit(frame).data_
    bins = frame.resample(freq)
    expected = bins.sum(min_count=1) if rule == "sum" else bins.agg(rule)
    kept = expected[bins.size() > 0]  # empty steps are gaps
    pd.testing.assert_frame_equal(got, kept, check_freq=False, check_index_type=False)


@pytest.mark.parametrize("freq", ["W-MON", "MS", "QS", "YS", "B"])
def test_steps_of_the_calendar_begin_on_their_first_day(freq):
    index = pd.DatetimeIndex(["2024-02-29 23:59", "2024-03-02 10:00", "2024-05-13 00:00", "2024-12-31 07:00"])
    for stamp, start in zip(index, bin_starts(index, to_offset(freq)), strict=True):
        every = pd.date_range("2023-01-01", "2025-06-01", freq=freq)
        assert start == every[every <= stamp][-1]


@given(st.integers(0, 10**6), st.sampled_from(["h", "15min", "D", "6h", "7h", "2D", "W", "MS"]))
@settings(max_examples=40)
def test_a_bin_holds_its_own_start_and_no_later_time(seed, freq):
    index = pd.DatetimeIndex(shaky(60, seed, tz="Europe/Berlin", start="2024-10-25").index)  # the clock goes back
    starts = bin_starts(index, to_offset(freq))
    assert (starts <= index).all() and starts.is_monotonic_increasing
    assert bin_starts(starts, to_offset(freq)).equals(starts)


def test_the_hour_that_comes_twice_is_two_hours():
    index = pd.date_range("2024-10-27 00:30", periods=4, freq="h", tz="Europe/Berlin")
    starts = bin_starts(index, to_offset("h"))
    assert list(index - starts) == [pd.Timedelta(minutes=30)] * 4 and starts.is_unique


def test_hours_are_those_of_the_clock_where_the_zone_is_half_an_hour_off():
    index = pd.date_range("2024-01-01 10:20", periods=3, freq="h", tz="Asia/Kolkata")
    assert [f"{start:%H:%M}" for start in bin_starts(index, to_offset("h"))] == ["10:00", "11:00", "12:00"]


@pytest.mark.parametrize("make", [NaiveForecaster, DriftForecaster, SeasonalNaiveForecaster, MeanForecaster])
def test_a_forecast_is_that_of_the_table_put_on_the_grid_before(make):
    frame = shaky()[["load"]]
    expected = make(freq="h").fit(frame.resample("h").mean()).predict_interval(5)
    pd.testing.assert_frame_equal(make(freq="h", resample="mean").fit(frame).predict_interval(5), expected)


@pytest.mark.parametrize("tz", [None, "Europe/Berlin"])
def test_new_rows_and_a_history_are_put_on_the_grid_as_well(tz):
    frame = shaky(tz=tz)[["load"]]
    cut = frame.index[300].floor("h")
    before, after = frame[frame.index < cut], frame[frame.index >= cut]
    model = DriftForecaster(freq="h", resample="mean").fit(before)
    whole = DriftForecaster(freq="h", resample="mean").fit(frame)
    pd.testing.assert_frame_equal(model.predict(3, history=frame), model.update(after).forecast(3))
    pd.testing.assert_frame_equal(model.data_, whole.data_)


def test_a_step_that_was_known_in_part_is_refused_as_known():
    frame = shaky()[["load"]]
    model = NaiveForecaster(freq="h", resample="mean").fit(frame)
    new = frame.tail(1).set_axis(frame.index[-1:] + pd.Timedelta(seconds=1))
    with pytest.raises(DataError, match="are not after the last known row"):
        model.update(new)


def test_each_series_of_a_panel_is_put_on_the_grid_by_itself():
    parts = [shaky(400 + 60 * k, seed=k).rename_axis("time").reset_index().assign(site=f"s{k}") for k in range(3)]
    table = pd.concat(parts).sample(frac=1.0, random_state=0)  # in any order
    given_ = {"freq": "h", "resample": "last", "target": "load"}
    model = NaiveForecaster(id_col="site", time_col="time", **given_).fit(table)
    for k, part in enumerate(parts):
        alone = NaiveForecaster(**given_).fit(part.set_index("time")[["load"]])
        pd.testing.assert_frame_equal(model.members_.data(list(model.members_.ids).index(f"s{k}")), alone.data_)
    cut = table["time"] < pd.Timestamp("2024-03-28")
    early = NaiveForecaster(id_col="site", time_col="time", **given_).fit(table[cut])
    pd.testing.assert_frame_equal(
        early.predict(2, history=table).sort_values(["site", "time"], ignore_index=True),
        early.update(table[~cut]).predict(2).sort_values(["site", "time"], ignore_index=True),
    )


def test_past_covariates_go_by_the_rule_and_the_calendar_by_the_grid(tmp_path):
    frame = shaky(900)
    given_ = {"freq": "h", "window": 12, "horizon": 2, "target": "load", "past_covariates": "wind", "calendar": "hour"}
    model = RidgeForecaster(resample="mean", **given_).fit(frame)
    expected = RidgeForecaster(**given_).fit(frame.resample("h").mean())
    pd.testing.assert_frame_equal(model.forecast(), expected.forecast())
    model.save(tmp_path / "m.tsrnn")
    again = load(tmp_path / "m.tsrnn")
    assert again.resample == "mean"
    pd.testing.assert_frame_equal(again.predict(2, history=frame), model.forecast())


def test_the_score_is_that_of_the_steps():
    frame = shaky()[["load"]]
    cut = frame.index[300].floor("h")
    before, after = frame[frame.index < cut], frame[frame.index >= cut]
    model = SeasonalNaiveForecaster(freq="h", resample="mean", target="load").fit(before)
    expected = SeasonalNaiveForecaster(freq="h", target="load").fit(before.resample("h").mean())
    assert model.score(after) == expected.score(after.resample("h").mean().dropna())


def test_cutoffs_are_starts_of_steps():
    frame = shaky()[["load"]]
    model = DriftForecaster(freq="h", resample="sum").fit(frame)
    tidy = model.predict_cutoffs(2, frame, model.data_.index[[50, 60]])
    assert list(tidy["cutoff"].unique()) == list(model.data_.index[[50, 60]])


def test_irregular_rows_are_refused_where_nobody_chose_and_the_error_names_the_choice():
    for model in (NaiveForecaster(freq="h"), NaiveForecaster()):
        with pytest.raises(DataError, match="resample='mean' beside"):
            model.fit(shaky()[["load"]])


@pytest.mark.parametrize(
    ("given_", "change", "message"),
    [
        ({"freq": None}, None, "resample='mean' needs freq=, the length of the steps"),
        ({"freq": "ME"}, None, "freq='ME' does not say where one starts.*'MS'"),
        ({"freq": "2MS"}, None, "does not say where one starts"),
        ({"freq": "hm"}, None, "freq='hm' is not a frequency"),
        ({"resample": "mode"}, None, "resample must be one of .*'mean', 'sum', 'last'.*got 'mode'"),
        ({"future_covariates": "wind"}, None, "what is known ahead, 'wind', comes on the grid of freq='h'"),
        (
            {},
            lambda f: f.set_axis(pd.period_range("2024", periods=len(f), freq="h")),
            "needs stamps, and the rows are p",
        ),
        ({}, lambda f: f.to_numpy(), "resample='mean' needs times, and the rows of X are numbered"),
        ({}, lambda f: pd.concat([f, f.tail(1)]), "duplicated timestamps"),
    ],
)
def test_what_cannot_be_put_on_a_grid_is_refused(given_, change, message):
    frame = shaky()
    made = RidgeForecaster(
        **(
            {
                "freq": "h",
                "resample": "mean",
                "window": 12,
                "target": 0 if change and isinstance(change(frame), np.ndarray) else "load",
            }
            | given_
        )
    )
    with pytest.raises(DataError, match=message):
        made.fit(frame if change is None else change(frame))


def test_a_time_that_stands_twice_in_a_series_is_refused_before_it_is_put_on_the_grid():
    table = shaky().rename_axis("time").reset_index().assign(site="a")
    with pytest.raises(DataError, match="several rows for one series and time"):
        NaiveForecaster(freq="h", resample="mean", id_col="site", time_col="time", target="load").fit(
            pd.concat([table, table.tail(1)])
        )
