"""Clocks, calendars, sessions and months: held against pandas, and against dates worked out by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.tseries.frequencies import to_offset

from tsrnn.exceptions import DataError
from tsrnn.frames import TimeGrid, check_time_index, infer_grid, season_length
from tsrnn.frames.calendar import LONGEST_HOLIDAY, open_weekdays
from tsrnn.frames.sessions import check_blocks

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
#: A zone, and a summer or winter in which its clocks skip a midnight.
WITHOUT_MIDNIGHT = [
    ("America/Santiago", "2024-08-01"),
    ("Asia/Beirut", "2024-03-01"),
    ("Africa/Cairo", "2024-04-01"),
    ("America/Havana", "2024-02-10"),
    ("America/Sao_Paulo", "2018-10-15"),
]


def bare(index):
    """The stamps without the frequency that pandas keeps beside them."""
    index = pd.DatetimeIndex(index)
    index.freq = None
    return index


def days_of(weekdays, start="2020-01-01", n=300):
    days = pd.date_range(start, periods=n)
    return bare(days[np.isin(days.day_of_week, weekdays)])


def bars(days, first, last, step="5min", tz=None):
    """A bar at each step of the sessions of these days."""
    parts = [pd.date_range(f"{day:%Y-%m-%d} {first}", f"{day:%Y-%m-%d} {last}", freq=step) for day in days]
    index = bare(np.concatenate([part.to_numpy() for part in parts]))
    return index if tz is None else index.tz_localize(tz)


def midnights(tz, start, n=90):
    """Days as resampling makes them: each begins at midnight, or after it where the clock skips it."""
    hours = pd.date_range(start, periods=24 * n, freq="h", tz=tz)
    return bare(pd.Series(0.0, hours).resample("D").mean().index)[1:-1]


def consistent(grid, index, n_ahead=20):
    """Assert that what the grid says of an index, of what is absent from it, and of what follows fits together."""
    rows = grid.rows(index)
    assert rows.is_monotonic_increasing and rows.is_unique
    assert index.isin(rows).all()
    assert list(grid.slots(index)) == list(rows.get_indexer(index))
    assert list(grid.follows(index)) == [False, *(np.diff(rows.get_indexer(index)) == 1)]
    frame = grid.regularise(pd.DataFrame({"a": 1.0}, index=index))
    assert frame.index.equals(rows)
    assert frame["a"].notna().sum() == len(index)
    ahead = grid.future(index[-1], n_ahead)
    assert len(ahead) == n_ahead and ahead[0] > index[-1] and ahead.is_unique
    assert list(grid.steps_ahead(index[-1], ahead)) == list(range(1, n_ahead + 1))
    assert grid.rows(index.append(ahead))[-n_ahead:].equals(ahead)
    assert (np.diff(grid.positions(ahead, index[0])) >= 1).all()


# ---------------------------------------------------------------------- clocks


@pytest.mark.parametrize(("tz", "start"), WITHOUT_MIDNIGHT)
def test_a_day_without_a_midnight_is_a_day(tz, start):
    days = midnights(tz, start)
    odd = int(np.flatnonzero(days.hour != 0)[0])
    parts = [days, days.delete([3, 4]), days.delete(odd), days[: odd + 1], days[odd:], days[: odd - 1]]
    for index in parts:
        grid = infer_grid(index)
        assert grid.freq == to_offset("D")
        consistent(grid, index)
    assert infer_grid(days[: odd - 2]).future(days[odd - 3], 6).equals(days[odd - 2 : odd + 4])
    assert infer_grid(days).between(days[0], days[-1]).equals(days)
    assert infer_grid(days.delete(odd)).rows(days.delete(odd)).equals(days)


def test_a_week_and_a_month_may_begin_without_a_midnight():
    sundays = midnights("America/Santiago", "2024-06-01", 200)
    sundays = bare(sundays[sundays.day_of_week == 6])
    assert 1 in sundays.hour
    grid = infer_grid(sundays)
    assert grid.freq == to_offset("W-SUN")
    consistent(grid, sundays)
    eighths = midnights("America/Santiago", "2023-06-01", 600)
    eighths = bare(eighths[eighths.day == 8])
    assert (infer_grid(eighths).day, infer_grid(eighths).freq) == (8, to_offset("MS"))
    consistent(infer_grid(eighths), eighths)


def test_a_midnight_that_comes_twice_is_one_day():
    days = midnights("America/Havana", "2024-10-01")
    assert infer_grid(days).between(days[0], days[-1]).equals(days)
    consistent(infer_grid(days), days)


@settings(max_examples=60, deadline=None)
@given(
    step=st.sampled_from(["2h", "3h", "4h", "6h", "8h", "12h"]),
    start=st.sampled_from(["2024-03-08", "2024-10-04", "2023-09-20"]),
    first=st.integers(0, 11),
    zone=st.sampled_from([BERLIN, NEW_YORK, "America/Santiago", "Australia/Lord_Howe"]),
    second=st.booleans(),
)
def test_hours_of_the_wall_clock_go_on_when_it_changes(step, start, first, zone, second):
    naive = pd.date_range(start, periods=420, freq=step) + pd.Timedelta(hours=first)
    index = naive.tz_localize(zone, nonexistent="shift_forward", ambiguous=np.full(len(naive), not second))
    changes = len({stamp.utcoffset() for stamp in index}) > 1
    grid = infer_grid(bare(index))
    consistent(grid, bare(index))
    if changes:
        assert grid.wall
        ahead = grid.future(index[-1], 12).tz_localize(None)
        shown = pd.date_range(naive[-1], periods=13, freq=step)[1:]  # of which the zone may skip one
        shown = shown.tz_localize(zone, nonexistent="shift_forward", ambiguous=np.full(12, True)).tz_localize(None)
        assert list(ahead) == list(shown)


@settings(max_examples=60, deadline=None)
@given(
    freq=st.sampled_from(["5min", "30min", "h", "2h", "4h", "D", "B", "W-SAT", "MS", "ME", "QE-DEC", "YS-JAN"]),
    tz=st.sampled_from([None, "UTC", BERLIN, NEW_YORK, "America/Santiago", "Australia/Lord_Howe", "Asia/Kolkata"]),
    start=st.dates(pd.Timestamp("2010-01-01").date(), pd.Timestamp("2024-12-01").date()),
    n=st.integers(30, 200),
    n_ahead=st.integers(0, 50),
)
def test_the_future_goes_on_as_date_range_does(freq, tz, start, n, n_ahead):
    n_all = n + n_ahead
    if freq.endswith(("min", "h")):
        first = pd.Timestamp(start).tz_localize(tz, nonexistent="shift_forward", ambiguous=True)
        whole = pd.date_range(first, periods=n_all, freq=freq)
    else:
        naive = pd.date_range(start, periods=n_all, freq=freq)
        whole = naive.tz_localize(tz, nonexistent="shift_forward", ambiguous=np.full(n_all, True))
    index, ahead = whole[:n], whole[n:]
    grid = infer_grid(bare(index), freq)
    assert grid.future(index[-1], n_ahead).equals(bare(ahead)) if n_ahead else True
    consistent(grid, bare(index))
    consistent(grid, bare(index).delete([n // 2, n // 2 + 1]))


def test_hours_of_the_clock_that_begin_at_midnight_are_told_from_those_of_utc_before_it_changes():
    winter = pd.date_range("2024-01-01", periods=60, freq="4h")
    local = bare(winter.tz_localize(BERLIN))
    assert infer_grid(local).wall
    assert infer_grid(local).future(pd.Timestamp("2024-03-31 00:00", tz=BERLIN), 1)[0].hour == 4
    absolute = bare(winter.tz_localize("UTC").tz_convert(BERLIN))
    assert infer_grid(absolute) == TimeGrid(to_offset("4h"))
    assert infer_grid(winter.tz_localize(BERLIN), None) == infer_grid(local)  # localised stamps have lost their freq
    assert not infer_grid(local, "4h").wall  # what is given is taken as given


def test_seasons_of_a_day_count_the_hours_of_the_clock_and_others_do_not():
    hours = pd.date_range("2024-03-30", periods=72, freq="h", tz=BERLIN)
    grid = infer_grid(hours)
    assert list(grid.positions(hours, hours[0])) == list(range(72))
    for season in (24, 168, 12):
        clock = grid.clock_positions(hours, hours[0], season)
        assert (clock % 24 == hours.hour).all()
    assert list(grid.clock_positions(hours, hours[0], 25)) == list(range(72))  # tides do not change their clocks
    naive = hours.tz_localize(None)
    assert list(infer_grid(naive, "h").clock_positions(naive[:26], naive[0], 24)) == list(range(26))


# ---------------------------------------------------------------------- days


@pytest.mark.parametrize(
    ("open_days", "season"),
    [
        ([6, 0, 1, 2, 3], 5),
        ([0, 1, 2, 3, 4, 5], 6),
        ([5, 6, 0, 1, 2], 5),
        ([1, 2, 3, 4, 5], 5),
        ([2, 5], 2),
        ([0, 2, 4], 3),
    ],
    ids=["Sun-Thu", "Mon-Sat", "Sat-Wed", "Tue-Sat", "Wed Sat", "Mon Wed Fri"],
)
def test_which_weekdays_are_closed_is_learnt(open_days, season):
    for index in (days_of(open_days), days_of(open_days).delete([5, 20, 21]), days_of(open_days, n=40)):
        grid = infer_grid(index)
        assert set(grid.future(index[-1], 20).day_of_week) == set(open_days)
        assert season_length(grid) == season
        consistent(grid, index)
    assert list(open_weekdays(days_of(open_days))) == [day in open_days for day in range(7)]
    assert infer_grid(days_of(open_days).delete(5)).calendar


def test_daily_rows_of_which_many_are_missing_are_no_calendar():
    days = pd.date_range("2020-01-01", periods=300)
    rng = np.random.default_rng(0)
    for share in np.repeat([0.4, 0.6, 0.8], 30):
        index = bare(days[rng.random(300) < share])
        assert infer_grid(index) == TimeGrid(to_offset("D"))


@pytest.mark.parametrize("extra", [["2020-02-01"], ["2019-07-06", "2020-02-01", "2020-05-30"], ["2020-03-08"]])
def test_a_rare_session_on_a_closed_day_is_a_row_and_no_new_frequency(extra):
    index = bare(pd.bdate_range("2019-06-03", "2020-05-29").delete([50, 120]).union(pd.to_datetime(extra)))
    grid = infer_grid(index)
    assert grid == TimeGrid(to_offset("B"), calendar=True)
    assert grid.future(index[-1], 3).day_of_week.tolist() == [0, 1, 2]
    assert grid.rows(index).equals(index) and grid.follows(index)[1:].all()
    consistent(grid, index)
    assert infer_grid(index, "B") == grid


def test_an_extra_session_is_counted_when_the_data_are_few_or_end_on_it():
    days = pd.bdate_range("2019-06-03", periods=40)
    few = bare(days.union([pd.Timestamp("2019-07-06")]))
    assert infer_grid(few).future(few[-1], 1)[0] == pd.Timestamp("2019-07-29")
    last = bare(days[:25].union([pd.Timestamp("2019-07-06")]))
    assert infer_grid(last).future(last[-1], 1)[0] == pd.Timestamp("2019-07-08")


def test_a_weekend_that_was_moved_is_the_one_of_today():
    days = pd.date_range("2020-01-01", "2022-06-01")
    sunday_to_thursday = ~np.isin(days.day_of_week, (4, 5))
    index = bare(days[np.where(days < "2022-01-03", sunday_to_thursday, days.day_of_week < 5)])  # as in Dubai
    assert infer_grid(index).freq == to_offset("B")
    consistent(infer_grid(index), index)
    before = index[index < "2022-01-03"]
    assert infer_grid(before).future(before[-1], 6).day_of_week.tolist() == [0, 1, 2, 3, 6, 0]


def test_closures_of_more_than_a_week_are_holidays_where_they_recur():
    days = pd.bdate_range("2023-01-02", periods=260)
    once, twice = bare(days.delete(range(50, 57))), bare(days.delete([*range(50, 57), *range(190, 198)]))
    assert (infer_grid(once).holiday, infer_grid(twice).holiday) == (LONGEST_HOLIDAY, 8)
    assert len(infer_grid(once).rows(once)) == 260
    assert infer_grid(twice).rows(twice).equals(twice)
    long = bare(days.delete([*range(50, 57), *range(100, 108), *range(200, 240)]))  # as in 1914
    assert (~infer_grid(long).follows(long)).sum() == 2


def test_the_first_holiday_after_the_fit_is_a_holiday():
    days = pd.bdate_range("2024-01-01", periods=60)
    grid = infer_grid(bare(days[:30]))
    assert not grid.calendar
    later = bare(days.delete([40]))
    assert grid.rows(later).equals(later)
    assert grid.follows(later)[1:].all()
    # Nobody says that a day is closed because it is not asked for.
    assert list(grid.steps_ahead(days[29], days[[31, 33]])) == [2, 4]
    with pytest.raises(DataError, match="2024-02-10 00:00:00 are not on the grid"):
        grid.steps_ahead(days[29], pd.DatetimeIndex(["2024-02-10"]))


def test_business_days_with_holidays_are_a_calendar_when_the_frequency_is_given_too():
    index = bare(pd.bdate_range("2024-01-01", periods=60).delete([10, 30]))
    assert infer_grid(index, "B") == infer_grid(index)
    assert infer_grid(index, "D") == TimeGrid(to_offset("D"))
    own = pd.offsets.CustomBusinessDay(holidays=["2024-03-25"])
    assert infer_grid(index, own).future(index[-1], 1)[0] == pd.Timestamp("2024-03-26")


# ---------------------------------------------------------------------- months


@pytest.mark.parametrize(
    ("first", "months", "freq", "day"),
    [
        ("2020-01-15", 1, "MS", 15),
        ("2020-01-10", 1, "MS", 10),
        ("2020-01-30", 1, "MS", 30),
        ("2020-01-31", 1, "ME", 0),
        ("2020-02-15", 3, "QS-FEB", 15),
        ("2000-02-15", 12, "YS-FEB", 15),
        ("2000-02-15", 2, "2MS", 15),
        ("2000-03-01", 2, "2MS", 0),
        ("2000-01-31", 6, "2QE-JAN", 0),
    ],
)
@pytest.mark.parametrize("tz", [None, NEW_YORK])
def test_months_lie_on_any_day(first, months, freq, day, tz):
    stamps = [pd.Timestamp(first) + pd.DateOffset(months=months * i) for i in range(60)]
    index = bare(pd.DatetimeIndex(stamps).tz_localize(tz))
    for part in (index[:40], index[:40].delete([5, 6, 30])):
        grid = infer_grid(part)
        assert (grid.freq, grid.day) == (to_offset(freq), day)
        assert grid.future(part[-1], 20).equals(index[40:])
        consistent(grid, part)
    assert infer_grid(index[:40], pd.DateOffset(months=months)).future(index[39], 20).equals(index[40:])


def test_a_month_of_which_two_rows_are_known_is_a_month():
    assert infer_grid(pd.DatetimeIndex(["2024-01-15", "2024-02-15"])).future(pd.Timestamp("2024-02-15"), 1)[0].day == 15
    leap = bare([pd.Timestamp("2020-01-29") + pd.DateOffset(months=i) for i in range(14)])
    assert leap[-1].day == 28
    assert infer_grid(leap).future(leap[-1], 1)[0] == pd.Timestamp("2021-03-29")


@pytest.mark.parametrize("freq", ["WOM-3FRI", pd.offsets.LastWeekOfMonth(weekday=4), "BME"], ids=str)
def test_weeks_of_a_month_are_found(freq):
    index = pd.date_range("2020-01-01", periods=48, freq=freq)
    assert infer_grid(bare(index)[:40]).future(index[39], 8).equals(bare(index)[40:])


def test_weeks_of_four_four_and_five_are_refused():
    index = bare(pd.Timestamp("2023-01-28") + pd.to_timedelta(np.cumsum([0] + [28, 28, 35] * 8), unit="D"))
    with pytest.raises(DataError, match=r"2023-04-29 .* do not lie on the frequency found \('28D'"):
        infer_grid(index)


# ---------------------------------------------------------------------- sessions


DAYS = pd.bdate_range("2024-01-02", "2024-06-28").difference(pd.to_datetime(["2024-01-15", "2024-03-29", "2024-05-27"]))


@pytest.mark.parametrize("tz", [None, NEW_YORK])
@pytest.mark.parametrize("n_days", [3, 5, 30, 100])
def test_a_night_between_sessions_is_no_row(tz, n_days):
    index = bars(DAYS[:n_days], "09:30", "15:55", tz=tz)
    grid = infer_grid(index)
    assert season_length(grid) == 78
    assert grid.rows(index).equals(index) and grid.follows(index)[1:].all()
    consistent(grid, index, 200)
    ahead = grid.future(index[-1], 78 * 6)
    assert {f"{stamp:%H:%M}" for stamp in ahead} == {f"{stamp:%H:%M}" for stamp in index}
    assert ahead[0] == pd.Timestamp(f"{pd.bdate_range(DAYS[n_days - 1], periods=2)[1]:%Y-%m-%d} 09:30", tz=tz)
    assert (ahead.day_of_week < 5).all()


def test_a_session_that_is_cut_short_is_filled_and_a_holiday_is_not():
    index = bars(DAYS, "09:30", "15:55")
    half = index[~((index.normalize() == pd.Timestamp("2024-05-24")) & (index.hour >= 13))]
    rows = infer_grid(half).rows(half)
    assert rows.equals(index)
    assert season_length(infer_grid(half)) == 78


def test_lunch_is_no_row_and_days_of_the_week_have_hours_of_their_own():
    lunch = bars(DAYS, "09:30", "11:25", tz="Asia/Shanghai").union(bars(DAYS, "13:00", "14:55", tz="Asia/Shanghai"))
    assert (season_length(infer_grid(lunch)), len(infer_grid(lunch).sessions)) == (48, 10)
    consistent(infer_grid(lunch), bare(lunch))
    hours = pd.date_range("2024-01-01", "2024-06-28", freq="h", tz=NEW_YORK)
    day, hour = hours.day_of_week, hours.hour
    currencies = bare(hours[~(((day == 4) & (hour >= 17)) | (day == 5) | ((day == 6) & (hour < 17)))])
    grid = infer_grid(currencies)
    assert grid.rows(currencies).equals(currencies)
    assert season_length(grid) == 24
    friday = pd.Timestamp("2024-06-21 16:00", tz=NEW_YORK)
    assert grid.future(friday, 1)[0] == pd.Timestamp("2024-06-23 17:00", tz=NEW_YORK)
    consistent(grid, currencies, 200)


def test_times_of_the_day_that_are_not_evenly_apart_are_sessions():
    index = bars(DAYS, "09:30", "15:30", "h").union(bars(DAYS, "16:00", "16:00", "h"))
    grid = infer_grid(bare(index))
    assert season_length(grid) == 8
    assert [f"{stamp:%H:%M}" for stamp in grid.future(index[-1], 9)][6:] == ["15:30", "16:00", "09:30"]
    consistent(grid, bare(index))


def test_a_session_in_the_evening_of_a_holiday_is_a_row():
    evening = pd.date_range("2024-03-30 18:15", "2024-03-30 19:15", freq="15min")  # a Saturday
    index = bare(bars(DAYS, "09:15", "15:15", "15min").union(evening))
    grid = infer_grid(index)
    assert grid.rows(index).equals(index)
    assert season_length(grid) == 25
    consistent(grid, index)


def test_hours_that_changed_after_the_fit_are_named_and_one_extra_session_is_not():
    winter = bars(DAYS[DAYS < "2024-03-08"], "09:30", "15:55", tz=NEW_YORK).tz_convert("UTC")
    grid = infer_grid(winter)
    summer = bars(pd.bdate_range("2024-03-11", periods=10), "09:30", "15:55", tz=NEW_YORK).tz_convert("UTC")
    with pytest.raises(DataError, match=r"2024-03-11 13:30:00\+00:00, .* do not lie on the grid"):
        grid.slots(winter.append(summer))
    saturday = bars([pd.Timestamp("2024-03-09")], "12:00", "15:55", tz=NEW_YORK).tz_convert("UTC")
    assert grid.follows(winter.append(saturday))[-48:].all()


def test_sessions_in_another_zone_than_their_own_are_refused_with_the_way_out():
    index = bars(DAYS, "09:30", "15:55", tz=NEW_YORK).tz_convert("UTC")
    with pytest.raises(
        DataError, match=r"not always the same one: .* on a .*tz_convert\('America/New_York'\).*freq='5min'"
    ):
        infer_grid(index)
    assert infer_grid(index, "5min") == TimeGrid(to_offset("5min"))
    assert infer_grid(index.tz_convert(NEW_YORK)).sessions


@pytest.mark.parametrize("tz", [None, BERLIN])
@pytest.mark.parametrize("freq", ["15min", "h", "6h"])
@pytest.mark.parametrize("n", [10, 40, 100, 130, 700])
def test_whole_days_are_no_sessions(tz, freq, n):
    assert not infer_grid(bare(pd.date_range("2024-01-01", periods=n, freq=freq, tz=tz))).sessions


def test_outages_are_no_nights():
    hours = bare(pd.date_range("2024-01-01", periods=24 * 60, freq="h"))
    rng = np.random.default_rng(0)
    assert infer_grid(hours[rng.random(len(hours)) < 0.6]) == TimeGrid(to_offset("h"))
    assert infer_grid(hours[(hours.day_of_year > 3) | (hours.hour > 6)]) == TimeGrid(to_offset("h"))


# ---------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("index", "message"),
    [
        (
            pd.date_range("2024-02-01", periods=50, freq="h") + pd.to_timedelta(np.arange(50) % 7 * 5, unit="s"),
            r"up to 0 days 00:00:30 away from steps of 'h', e.g. 2024-02-01 00:00:00. .*df.index.round\('h'\)",
        ),
        (
            pd.date_range("2024-02-01", periods=100, tz=BERLIN).tz_convert("UTC"),
            r"not at one time of day: 2024-01-31 23:00:00, 2024-03-31 22:00:00.*tz_convert\('Europe/Berlin'\)",
        ),
        (
            pd.DatetimeIndex([f"2024-02-0{i} {16 - 3 * (i == 5)}:00" for i in range(1, 9)]),
            r"not at one time of day: 2024-02-01 16:00:00, 2024-02-05 13:00:00.*df.index.normalize\(\)",
        ),
    ],
    ids=["jitter", "days of another zone", "early close"],
)
def test_stamps_beside_every_grid_come_with_the_cause(index, message):
    with pytest.raises(DataError, match=message):
        infer_grid(bare(index))


def test_milliseconds_that_were_meant_as_months_are_refused_at_once():
    with pytest.raises(DataError, match=r"freq='ms' \('ms'\) would leave \d+ gaps among 40 rows"):
        infer_grid(pd.date_range("2020-01-01", periods=40, freq="MS"), "ms")


def test_the_hour_that_comes_twice_in_autumn_is_named():
    hours = pd.date_range("2024-10-26 22:00", periods=9, freq="h", tz=BERLIN).tz_localize(None)
    with pytest.raises(DataError, match=r"duplicated .*02:00:00.*clocks went back .*ambiguous='infer'"):
        check_time_index(hours)
    quarters = pd.date_range("2024-11-02 22:00", periods=40, freq="15min", tz=NEW_YORK).tz_localize(None)
    with pytest.raises(DataError, match=r"the hour from 01:00"):
        check_time_index(quarters)
    with pytest.raises(DataError) as caught:
        check_time_index(hours[:3].insert(1, hours[0]))
    assert "clocks" not in str(caught.value)
    with pytest.raises(DataError, match=r"sorted newest first .*sort_index"):
        check_time_index(pd.date_range("2024-01-01", periods=4)[::-1])


@pytest.mark.parametrize(
    "fields",
    [
        {"sessions": ((7, 0, 1),)},
        {"sessions": ((0, 5, 1),)},
        {"sessions": ((1, 0, 1), (0, 0, 1))},
        {"wall": True, "freq": to_offset("MS")},
        {"wall": True, "freq": to_offset("7h")},
        {"day": 32},
        {"time": -1},
        {"holiday": -1},
        {"periods": "nonsense"},
    ],
)
def test_a_grid_that_cannot_be_is_none(fields):
    with pytest.raises((ValueError, TypeError)):
        TimeGrid(**{"freq": to_offset("h")} | fields)
    check_blocks(((0, 0, 1), (0, 2, 2), (6, 0, 0)))
