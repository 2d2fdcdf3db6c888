"""Values in files: what comes back is what was written, to the last bit."""

from __future__ import annotations

import datetime
import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pandas.tseries.frequencies import to_offset
from saved_models import assert_same

from tsrnn._archive import arrays, container, decode, encode
from tsrnn.frames import TimeGrid
from tsrnn.networks.spec import NetworkSpec
from tsrnn.persistence import find_class


def round_trip(value):
    """Through nodes, JSON text and the bytes of arrays, as in a file."""
    encoder = encode.Encoder()
    text = json.dumps({"node": encoder.encode(value, "value")}, allow_nan=False)
    members = [arrays.array_from_npy(arrays.array_to_npy(array), "array") for array in encoder.arrays]
    decoder = decode.Decoder(members, find_class)
    back = decoder.decode(container.read_json(text.encode())["node"])
    assert not decoder.arrays
    return back


dtypes = st.one_of(
    hnp.boolean_dtypes(),
    hnp.integer_dtypes(),
    hnp.unsigned_integer_dtypes(),
    hnp.floating_dtypes(sizes=(16, 32, 64)),
    hnp.datetime64_dtypes(max_period="D", min_period="ns"),
)
plain_arrays = hnp.arrays(dtypes, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
leaves = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=True), st.text(), plain_arrays)
trees = st.recursive(
    leaves,
    lambda child: st.one_of(
        st.lists(child, max_size=4),
        st.lists(child, max_size=4).map(tuple),
        st.dictionaries(st.one_of(st.text(), st.integers()), child, max_size=4),
    ),
    max_leaves=12,
)


@given(trees)
def test_trees_of_plain_values_come_back(tree):
    assert_same(tree, round_trip(tree))


@given(plain_arrays, st.sampled_from("CF"))
def test_arrays_come_back_in_their_memory_order(array, order):
    array = np.asarray(array, order=order)
    back = round_trip(array)
    assert_same(array, back)
    assert (array.flags.c_contiguous, array.flags.f_contiguous) == (back.flags.c_contiguous, back.flags.f_contiguous)
    assert back.flags.writeable
    assert back.flags.aligned


@given(plain_arrays.filter(np.size))
def test_scalars_of_numpy_come_back(array):
    assert_same(array.ravel()[0], round_trip(array.ravel()[0]))


@given(st.lists(st.one_of(st.text(), st.integers(), st.floats(allow_nan=False), st.none())))
def test_arrays_of_objects_come_back(items):
    array = np.empty(len(items), dtype=object)
    array[:] = items
    assert_same(array, round_trip(array))


@given(
    st.datetimes(datetime.datetime(1900, 1, 1), datetime.datetime(2200, 1, 1)),
    st.sampled_from(["s", "ms", "us", "ns"]),
    st.sampled_from([None, "UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "+05:30"]),
)
def test_timestamps_come_back(moment, unit, zone):
    stamp = pd.Timestamp(moment).as_unit(unit).tz_localize("UTC").tz_convert(zone)
    assert_same(stamp, round_trip(stamp))
    delta = pd.Timedelta(moment - datetime.datetime(2000, 1, 1)).as_unit(unit)
    assert_same(delta, round_trip(delta))


FREQUENCIES = "h D B W-SAT MS ME QS-OCT YE-JUN 15min 2B SME bh s ms us WOM-2TUE 25h 7D".split()


@given(
    st.sampled_from(FREQUENCIES),
    st.integers(0, 20),
    st.sampled_from([None, "UTC", "Europe/Berlin"]),
    st.sampled_from(["s", "ms", "us", "ns"]),
    st.sampled_from([None, "time", 3]),
)
@settings(deadline=None)
def test_time_indexes_come_back(freq, n, zone, unit, name):
    unit = "us" if freq in ("ms", "us") and unit in ("s", "ms") else unit
    index = pd.date_range("2024-03-28 10:00", periods=n, freq=freq, tz=zone, unit=unit, name=name)
    assert_same(index, round_trip(index))
    assert_same(index.delete([0]) if n else index, round_trip(index.delete([0]) if n else index))


@pytest.mark.parametrize("zone", [datetime.UTC, datetime.timezone(datetime.timedelta(seconds=-12345)), "Asia/Tokyo"])
def test_time_zones_come_back(zone):
    index = pd.date_range("2024-01-01", periods=3, tz=zone)
    assert_same(index, round_trip(index))


def test_a_frequency_that_pandas_would_not_take_back_is_left_out(monkeypatch):
    index = pd.date_range("2024-01-01", periods=3, freq="h")
    build = encode.build_datetime_index

    def strict(stamps, unit, zone, freq):
        if freq is not None:
            raise ValueError("does not conform")
        return build(stamps, unit, zone, freq)

    for module in (encode, decode):
        monkeypatch.setattr(module, "build_datetime_index", strict)
    back = round_trip(index)
    assert back.freq is None
    assert back.equals(index)


@pytest.mark.parametrize("freq", FREQUENCIES)
def test_offsets_and_grids_come_back(freq):
    assert_same(to_offset(freq), round_trip(to_offset(freq)))
    assert_same(TimeGrid(to_offset(freq), calendar=True), round_trip(TimeGrid(to_offset(freq), calendar=True)))


@pytest.mark.parametrize(
    "offset",
    [
        pd.offsets.CustomBusinessDay(holidays=["2024-01-01", "2024-12-25"]),
        pd.offsets.CustomBusinessDay(2, weekmask="Sun Mon Tue Wed Thu"),
        pd.offsets.CustomBusinessDay(weekmask="1110000", holidays=["2024-01-02"]),
    ],
)
def test_trading_days_come_back_with_their_holidays(offset):
    assert_same(offset, round_trip(offset))
    index = pd.date_range("2023-12-28", periods=5, freq=offset)
    assert_same(index, round_trip(index))


@pytest.mark.parametrize(
    "value",
    [
        pd.NaT,
        pd.Index([]),
        pd.Index([1, 2, 5], name="n"),
        pd.Index([True, False]),
        pd.Index([0.5, math.nan]),
        pd.Index(["a", "b", None]),
        pd.Index(["a", 1, (2, "b"), None], dtype=object, name="x"),
        pd.RangeIndex(3, 30, 4, name="r"),
        pd.DatetimeIndex([], tz="UTC"),
        pd.Series([1.5, math.inf], index=["a", "b"], name=("k", 1)),
        pd.Series(["x", None]),
        pd.Series([1, "x", None], dtype=object),
        pd.Series(pd.date_range("2024-01-01", periods=2, tz="Europe/Berlin", freq=None).delete([])),
        pd.DataFrame(),
        pd.DataFrame(index=pd.date_range("2024-01-01", periods=3)),
        pd.DataFrame({"a": [1, 2], "b": [0.5, 1.5], "c": ["x", "y"], "d": [True, False]}),
        pd.DataFrame(np.arange(6.0, dtype="float32").reshape(2, 3), columns=[10, "b", 2.5]),
        pd.DataFrame({"a": pd.date_range("2024-01-01", periods=2, tz="UTC"), "b": pd.date_range("2024", periods=2)}),
        np.array([["a", "bcd"]]),
        np.array(["feature", 3, None, 1.5], dtype=object).reshape(2, 2),
        NetworkSpec("gru", units=(8, 4), n_inputs=3, n_outputs=2, segment=3),
        "lone surrogate \ud800, \x00, \u2028",
        -0.0,
        2**1000,
        {"": (), "a": []},
        {1: "a", "1": "b", None: "c"},
    ],
    ids=lambda value: f"{type(value).__name__}",
)
def test_values_come_back(value):
    assert_same(value, round_trip(value))
