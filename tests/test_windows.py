"""Windows: the lazy array, cutting frames, and the pipeline transformer, against slow loops."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from tsrnn.exceptions import DataError
from tsrnn.regressors import GRURegressor
from tsrnn.windows import SlidingWindow, WindowArray, make_windows


def hourly(n, columns=1, start="2024-01-01"):
    index = pd.date_range(start, periods=n, freq="h")
    values = np.arange(n * columns, dtype=float).reshape(n, columns)
    return pd.DataFrame(values, index=index, columns=list("abcdef")[:columns])


def slow_windows(frame, window, horizon, step=pd.Timedelta(hours=1)):
    """Every window and target whose rows are one step apart, found one row at a time."""
    out = []
    for i in range(len(frame) - window - horizon + 1):
        part = frame.iloc[i : i + window + horizon]
        if (np.diff(part.index) == step.to_timedelta64()).all():
            out.append((part.iloc[:window].to_numpy(), part.iloc[window:].to_numpy()))
    return out


class TestWindowArray:
    @given(
        n=st.integers(3, 30),
        steps=st.integers(1, 3),
        features=st.integers(1, 3),
        with_offset=st.booleans(),
        data=st.data(),
    )
    def test_equals_a_loop_over_rows(self, n, steps, features, with_offset, data):
        base = np.random.default_rng(0).normal(size=(n, features))
        starts = data.draw(st.lists(st.integers(1 - steps, n - steps), min_size=1, max_size=10))
        offset = np.random.default_rng(1).normal(size=(len(starts), features)) if with_offset else None
        windows = WindowArray(base, starts, steps, offset)
        expected = np.full((len(starts), steps, features), np.nan)
        for i, start in enumerate(starts):
            for step in range(steps):
                if start + step >= 0:
                    expected[i, step] = base[start + step] - (offset[i] if with_offset else 0)
        np.testing.assert_array_equal(np.asarray(windows), expected)
        assert windows.shape == expected.shape and len(windows) == len(starts)

    @pytest.mark.parametrize(
        "key", [slice(1, 4), slice(None, None, -2), [3, 0, 0], np.array([True, False] * 3), [], -1, (slice(None), -1)]
    )
    def test_indexing_equals_that_of_the_dense_array(self, key):
        windows = WindowArray(np.arange(16.0).reshape(8, 2), np.arange(6), 3, np.ones((6, 2)))
        np.testing.assert_array_equal(np.asarray(windows[key]), np.asarray(windows)[key])

    @pytest.mark.parametrize("key", [slice(5, 50), [1, 2], (np.array([3, 4]), ...)])
    def test_row_indexing_shares_the_base(self, key):
        windows = WindowArray(np.zeros((100, 1)), np.arange(90), 10)
        assert windows[key].base is windows.base

    def test_pickles_at_the_size_of_the_rows_it_reads(self):
        windows = WindowArray(np.random.default_rng(0).normal(size=(10_000, 1)), np.arange(9_990), 10)
        part = windows[500:510]
        copy = pickle.loads(pickle.dumps(part))
        np.testing.assert_array_equal(np.asarray(copy), np.asarray(part))
        assert len(pickle.dumps(part)) < 2_000

    def test_windows_that_begin_before_the_base_survive_pickling(self):
        windows = WindowArray(np.arange(4.0)[:, None], [-2, 0], 3)
        np.testing.assert_array_equal(np.asarray(pickle.loads(pickle.dumps(windows))), np.asarray(windows))

    @pytest.mark.parametrize(
        ("args", "message"),
        [
            ((np.zeros(3), [0], 1), "2-D"),
            ((np.zeros((3, 1)), [[0]], 1), "1-D"),
            ((np.zeros((3, 1)), [0], 0), "at least 1"),
            ((np.zeros((3, 1)), [2], 2), "do not fit a base of 3 rows"),
            ((np.zeros((3, 1)), [-2], 2), "do not fit"),
            ((np.zeros((3, 1)), [0], 2, np.zeros((2, 1))), "one row per window"),
        ],
    )
    def test_refuses_what_does_not_fit(self, args, message):
        with pytest.raises(ValueError, match=message):
            WindowArray(*args)

    def test_refuses_a_view_that_cannot_be(self):
        with pytest.raises(ValueError, match="without copying"):
            np.asarray(WindowArray(np.zeros((3, 1)), [0], 2), copy=False)


class TestMakeWindows:
    @given(
        n=st.integers(6, 40),
        window=st.integers(1, 4),
        horizon=st.integers(1, 3),
        gaps=st.sets(st.integers(1, 38), max_size=4),
    )
    def test_equals_a_loop_and_never_crosses_a_gap(self, n, window, horizon, gaps):
        frame = hourly(n, 2).drop(index=hourly(n).index[[g for g in gaps if g < n - 1]])
        expected = slow_windows(frame, window, horizon)
        if not expected:
            with pytest.raises(DataError, match="no window fits"):
                make_windows(frame, window, horizon, target="b", freq="h")
            return
        X, y = make_windows(frame, window, horizon, target="b", freq="h")
        np.testing.assert_array_equal(np.asarray(X), [x for x, _ in expected])
        np.testing.assert_array_equal(y, [t[:, 1] for _, t in expected])

    def test_windows_never_cross_series(self):
        one, two = hourly(6), hourly(5) + 100
        panel = pd.concat({"one": one, "two": two}, names=["series", "time"])
        X, y, cutoffs = make_windows(panel, 3, 2, return_cutoffs=True)
        assert len(X) == 2 + 1
        assert (np.ptp(np.concatenate([np.asarray(X)[..., 0], y], axis=1), axis=1) < 50).all()
        assert list(cutoffs.get_level_values("series")) == ["one", "one", "two"]

    def test_holidays_of_a_trading_calendar_are_no_gap(self):
        days = pd.date_range("2024-01-01", periods=30, freq="B").delete([7, 8])
        X, _ = make_windows(pd.Series(np.arange(28.0), days), 3, 1)
        assert len(X) == 25

    def test_stride_counts_rows(self):
        X, _ = make_windows(hourly(20), 4, 2, stride=5)
        np.testing.assert_array_equal(np.asarray(X)[:, 0, 0], [0, 5, 10])

    def test_windows_with_unobserved_targets_are_left_out_and_nan_inside_stays(self):
        frame = hourly(10)
        frame.iloc[4] = np.nan
        X, y = make_windows(frame, 3, 1)
        assert np.isfinite(y).all() and len(X) == 6 and np.isnan(np.asarray(X)).any()

    @pytest.mark.parametrize(
        ("target", "shape"), [("a", (5, 2)), (["a"], (5, 2, 1)), (["b", "a"], (5, 2, 2)), (None, (5, 2, 2))]
    )
    def test_y_has_the_shape_of_the_targets(self, target, shape):
        assert make_windows(hourly(8, 2), 2, 2, target=target)[1].shape == shape

    @pytest.mark.parametrize("name", ["window", "horizon", "stride"])
    @pytest.mark.parametrize("value", [0, -1, 1.5, True, "2"])
    def test_refuses_lengths_that_are_not_positive_integers(self, name, value):
        with pytest.raises(DataError, match=f"{name} must be an integer of at least 1"):
            make_windows(hourly(10), **({"window": 2, "horizon": 1} | {name: value}))

    def test_unknown_target_names_the_nearest(self):
        with pytest.raises(DataError, match="Did you mean 'temp'"):
            make_windows(hourly(10).rename(columns={"a": "temp"}), 2, 1, target="tmp")

    def test_too_little_history_gives_the_numbers(self):
        with pytest.raises(DataError, match="5 rows.*window=4 and horizon=2 need 6"):
            make_windows(hourly(5), 4, 2)


class TestSlidingWindow:
    def test_keeps_the_number_of_rows_and_pads_with_nan(self):
        frame = hourly(6, 2)
        dense = np.asarray(SlidingWindow(3).fit_transform(frame))
        assert dense.shape == (6, 3, 2)
        assert np.isnan(dense[0, :2]).all() and np.isnan(dense[1, :1]).all() and np.isfinite(dense[2:]).all()
        np.testing.assert_array_equal(dense[:, -1], frame.to_numpy())

    @given(cut=st.integers(2, 18), window=st.integers(1, 5))
    def test_rows_that_go_on_from_training_equal_those_of_the_whole(self, cut, window):
        frame = hourly(20)
        slide = SlidingWindow(window).fit(frame[:cut])
        whole = np.asarray(SlidingWindow(window).fit_transform(frame))
        np.testing.assert_array_equal(np.asarray(slide.transform(frame[cut:])), whole[cut:])
        # By index, not by the order of calls: asking again, or for the training rows, changes nothing.
        np.testing.assert_array_equal(np.asarray(slide.transform(frame[:cut])), whole[:cut])
        np.testing.assert_array_equal(np.asarray(slide.transform(frame[cut:])), whole[cut:])

    def test_nothing_is_joined_across_a_gap(self):
        frame = hourly(20)
        after = np.asarray(SlidingWindow(4).fit(frame[:10]).transform(frame[12:]))
        assert np.isnan(after[0, :3]).all() and np.isfinite(after[3]).all()

    def test_windows_stop_at_a_gap_inside(self):
        frame = hourly(10).drop(index=hourly(10).index[5])
        dense = np.asarray(SlidingWindow(3).fit_transform(frame))
        assert np.isnan(dense[5, :2]).all() and dense[5, 2, 0] == 6

    def test_an_array_without_time_is_refused_with_the_fix(self):
        with pytest.raises(DataError, match="set_output"):
            SlidingWindow(3).fit(np.zeros((5, 1)))

    def test_other_columns_are_refused(self):
        with pytest.raises(DataError, match="fitted on columns"):
            SlidingWindow(2).fit(hourly(5)).transform(hourly(5).rename(columns={"a": "b"}))

    def test_leaves_no_trace_of_later_rows_in_a_pipeline(self):
        """Within each fold, the prediction of a row is the same whatever comes after it."""
        frame = hourly(60)
        y = pd.Series(np.sin(np.arange(60.0)), frame.index)
        flatten = FunctionTransformer(lambda windows: np.nan_to_num(np.asarray(windows)[..., 0]))
        scaler = StandardScaler().set_output(transform="pandas")
        pipe = make_pipeline(scaler, SlidingWindow(5), flatten, LinearRegression())
        for train, test in TimeSeriesSplit(3, test_size=8).split(frame):
            pipe.fit(frame.iloc[train], y.iloc[train])
            whole = pipe.predict(frame.iloc[test])
            np.testing.assert_allclose(pipe.predict(frame.iloc[test[:3]]), whole[:3])

    def test_rows_beside_the_grid_are_refused(self):
        frame = hourly(20)
        slide = SlidingWindow(4).fit(frame[:10])
        with pytest.raises(DataError, match="2024-01-01 10:10:00.* do not lie on"):
            slide.transform(frame[10:].shift(freq="10min"))

    def test_time_zones_are_brought_together(self):
        frame = hourly(20).tz_localize("UTC")
        slide = SlidingWindow(4).fit(frame[:10])
        there = slide.transform(frame[10:].tz_convert("Asia/Tokyo"))
        np.testing.assert_array_equal(np.asarray(there), np.asarray(slide.transform(frame[10:])))
        with pytest.raises(DataError, match="X has time zone None, the data have UTC"):
            slide.transform(frame[10:].tz_localize(None))

    def test_a_pipeline_may_set_the_output_of_all_steps(self):
        pipe = make_pipeline(StandardScaler(), SlidingWindow(5)).set_output(transform="pandas")
        assert isinstance(pipe.fit_transform(hourly(10)), WindowArray)


def test_a_target_may_have_any_name():
    frame = hourly(8, columns=2).set_axis([0, 1], axis=1)
    _, y = make_windows(frame, window=3, horizon=2, target=1)
    np.testing.assert_array_equal(y[0], frame[1].to_numpy()[3:5])


def test_a_series_without_a_name_is_not_lost():
    panel = pd.concat({"a": hourly(8), np.nan: hourly(9)})
    X, _ = make_windows(panel, window=3, horizon=2)
    assert len(X) == 4 + 5


def test_an_offset_on_integers_is_not_rounded():
    windows = WindowArray(np.arange(5)[:, None], [0, 2], 2, offset=[[0.5], [0.5]])
    np.testing.assert_array_equal(np.asarray(windows)[..., 0], [[-0.5, 0.5], [1.5, 2.5]])


# -- masked arrays -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [float, np.float32, int, np.uint8, bool, object])
def test_what_is_masked_in_a_base_is_missing(dtype):
    base = np.ma.masked_array(np.arange(6).reshape(-1, 2).astype(dtype), mask=False)
    assert not np.isnan(np.asarray(WindowArray(base, [0, 1], 2)).astype(float)).any()
    base[1, 0] = np.ma.masked
    dense = np.asarray(WindowArray(base, [0, 1], 2)).astype(float)
    np.testing.assert_array_equal(np.isnan(dense), [[[0, 0], [1, 0]], [[1, 0], [0, 0]]])
    assert base.data[1, 0] == np.asarray(2).astype(dtype)  # what the user holds is as it was


def test_masked_starts_and_scales_are_refused():
    base = np.arange(6.0).reshape(-1, 1)
    with pytest.raises(ValueError, match="starts holds masked rows"):
        WindowArray(base, np.ma.masked_equal([0, 1], 1), 2)
    masked = np.ma.masked_equal([[1.0], [-1.0]], -1.0)
    with pytest.raises(ValueError, match="scale must be positive"):
        WindowArray(base, [0, 1], 2, scale=masked)
    assert np.isnan(WindowArray(base, [0, 1], 2, offset=masked).offset[1, 0])


def test_windows_of_a_table_of_series_are_those_of_each_alone_in_the_places_of_its_rows():
    hours = pd.date_range("2024-01-01", periods=8, freq="h")
    df = pd.DataFrame({"site": ["a"] * 8 + ["b"] * 5, "time": [*hours, *hours[3:]], "load": np.arange(13.0)})
    mixed = df.sample(frac=1, random_state=0)
    known, later = mixed[mixed["time"] < hours[6]], mixed[mixed["time"] >= hours[6]]
    long = SlidingWindow(3, id_col="site", time_col="time").fit(known)
    levels = SlidingWindow(3).fit(known.set_index(["site", "time"]))
    for rows in (known, later):
        found = np.asarray(long.transform(rows))
        np.testing.assert_array_equal(np.asarray(levels.transform(rows.set_index(["site", "time"]))), found)
        for site, part in df.groupby("site"):
            alone = SlidingWindow(3).fit(part[part["time"] < hours[6]].set_index("time")[["load"]])
            here = rows[rows["site"] == site].set_index("time")[["load"]].sort_index()
            order = np.argsort(rows.loc[rows["site"] == site, "time"].to_numpy())
            np.testing.assert_array_equal(
                found[(rows["site"] == site).to_numpy()][order], np.asarray(alone.transform(here))
            )


def test_a_pipeline_of_windows_learns_from_many_series():
    hours = pd.date_range("2024-01-01", periods=60, freq="h")
    index = pd.MultiIndex.from_product([["a", "b"], hours], names=["site", "time"])
    X = pd.DataFrame({"load": np.sin(np.arange(120.0))}, index=index)
    y = X["load"].groupby(level=0).shift(-1).fillna(0.0)
    pipeline = make_pipeline(
        StandardScaler().set_output(transform="pandas"),
        SlidingWindow(5),
        GRURegressor(units=3, epochs=2, random_state=0),
    )
    assert pipeline.fit(X, y).predict(X).shape == (120,)


def test_a_series_that_was_not_fitted_begins_anew():
    hours = pd.date_range("2024-01-01", periods=6, freq="h")
    df = pd.DataFrame({"site": "a", "time": hours, "load": np.arange(6.0)})
    slide = SlidingWindow(2, id_col="site", time_col="time").fit(df)
    found = np.asarray(slide.transform(df.assign(site="b")))
    assert np.isnan(found[0, 0]).all() and found[1:, :, 0].tolist() == [[i, i + 1] for i in range(5)]
