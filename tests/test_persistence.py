"""Saved models: what comes back is what was saved, and a file that is anything else is refused without running it."""

from __future__ import annotations

import dataclasses
import datetime
import errno
import inspect
import io
import json
import math
import os
import pickle
import subprocess
import sys
import types
import zipfile
from pathlib import Path

import dateutil.tz
import numpy as np
import pandas as pd
import pytest
from archive_files import load_or_refuse, npy, pack, places, save_unchecked, unpack
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pandas.tseries.frequencies import to_offset
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge

import tsrnn
from tsrnn._archive import DATACLASSES, ESTIMATORS, SaveMixin, arrays, container, decode, encode
from tsrnn._archive.schema import instance, optional
from tsrnn._archive.tables import is_listed
from tsrnn.exceptions import ArchiveError
from tsrnn.forecasters.base import BaseForecaster
from tsrnn.forecasters.naive import NaiveForecaster, SeasonalNaiveForecaster
from tsrnn.forecasters.statistical import ARIMAForecaster
from tsrnn.frames import TimeGrid
from tsrnn.networks.spec import NetworkSpec
from tsrnn.persistence import find_class, load

ROOT = Path(__file__).parent.parent


class HoldingForecaster(NaiveForecaster):
    """Repeats the last value, and holds whatever a test gives it."""

    _saved = {"inner_": optional(instance(list))}

    def __init__(self, target=None, freq=None, inner=None, extra=None):
        self.target = target
        self.freq = freq
        self.inner = inner
        self.extra = extra


@pytest.fixture(autouse=True)
def holding_forecaster_is_listed(monkeypatch):
    monkeypatch.setitem(ESTIMATORS, "HoldingForecaster", __name__)


def hours(n=72, **kwargs) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    index = pd.date_range("2024-03-29", periods=n, **({"freq": "h"} | kwargs))
    return pd.DataFrame({"temp": rng.normal(size=n), "wind": rng.normal(size=n)}, index=index)


@pytest.fixture
def model():
    return SeasonalNaiveForecaster(target="temp").fit(hours())


@pytest.fixture
def saved(model, tmp_path):
    path = tmp_path / "model.tsrnn"
    model.save(path)
    return path


def assert_same(left, right):
    """Assert equality of type, of structure and of every bit."""
    assert type(left) is type(right)
    if isinstance(left, (list, tuple)):
        assert len(left) == len(right)
        for pair in zip(left, right, strict=True):
            assert_same(*pair)
    elif isinstance(left, dict):
        assert list(left) == list(right)
        assert_same(list(left.values()), list(right.values()))
    elif isinstance(left, np.ndarray) and left.dtype == object:
        assert left.shape == right.shape
        assert_same(left.ravel().tolist(), right.ravel().tolist())
    elif isinstance(left, (np.ndarray, np.generic)):
        assert (left.dtype, left.shape, left.tobytes()) == (right.dtype, right.shape, right.tobytes())
    elif isinstance(left, pd.DataFrame):
        pd.testing.assert_frame_equal(left, right, check_exact=True, check_freq=True, check_column_type="exact")
        assert_same(left.index, right.index)
    elif isinstance(left, pd.Series):
        pd.testing.assert_series_equal(left, right, check_exact=True, check_freq=True)
        assert_same(left.index, right.index)
    elif isinstance(left, pd.Index):
        pd.testing.assert_index_equal(left, right, exact=True)
        assert getattr(left, "freq", None) == getattr(right, "freq", None)
        assert str(getattr(left, "tz", None)) == str(getattr(right, "tz", None))
    elif isinstance(left, (pd.Timestamp, pd.Timedelta)):
        assert (left, left.unit, str(getattr(left, "tz", ""))) == (right, right.unit, str(getattr(right, "tz", "")))
    elif isinstance(left, float):
        assert left.hex() == right.hex()
    elif hasattr(left, "get_params"):
        assert_same(dict(sorted(vars(left).items())), dict(sorted(vars(right).items())))
    elif dataclasses.is_dataclass(left):
        assert_same(*({f.name: getattr(side, f.name) for f in dataclasses.fields(side)} for side in (left, right)))
    else:
        assert left == right or (left is pd.NaT and right is pd.NaT)


def round_trip(value):
    """Through nodes, JSON text and the bytes of arrays, as in a file."""
    encoder = encode.Encoder()
    text = json.dumps({"node": encoder.encode(value, "value")}, allow_nan=False)
    members = [arrays.array_from_npy(arrays.array_to_npy(array), "array") for array in encoder.arrays]
    decoder = decode.Decoder(members, find_class)
    back = decoder.decode(container.read_json(text.encode())["node"])
    assert not decoder.arrays
    return back


# ---------------------------------------------------------------------- models


@pytest.mark.parametrize(
    "frame",
    [
        hours(),
        hours(tz="Europe/Berlin"),  # 2024-03-31 has 23 hours there
        hours(freq="D", tz="America/New_York"),
        hours(tz=datetime.timezone(datetime.timedelta(hours=5, minutes=30))),
        hours(freq="B"),
        hours(freq="B").drop(hours(freq="B").index[[7, 20, 21]]),  # a trading calendar
        hours(freq="MS"),
        hours(freq="W-SAT", unit="ns"),
        hours(200, freq="15min", unit="s"),
        hours().drop(hours().index[[5, 6]]),  # a gap
        hours().rename(columns={"temp": 0, "wind": 1.5}),
        hours().astype("float32"),
    ],
    ids=lambda frame: f"{frame.index.dtype}-{frame.index.freqstr}-{len(frame)}",
)
def test_forecasts_of_a_loaded_model_are_equal_bit_for_bit(frame, tmp_path):
    before = SeasonalNaiveForecaster().fit(frame)
    before.save(tmp_path / "m")
    after = load(tmp_path / "m")
    assert_same(before, after)
    assert_same(before.predict(12), after.predict(12))
    assert_same(before.predict_interval(12), after.predict_interval(12))
    assert_same(before.predict(frame), after.predict(frame))


def test_an_arima_model_comes_back_bit_for_bit(tmp_path):
    before = ARIMAForecaster(target="temp", order=(1, 0, 1)).fit(hours())
    before.save(tmp_path / "m")
    after = load(tmp_path / "m")
    assert_same(before, after)
    assert_same(before.predict_interval(5), after.predict_interval(5))
    assert_same(before.predict(5, history=hours(90)), after.predict(5, history=hours(90)))


def test_a_loaded_model_goes_on_like_the_one_saved(model, saved):
    more = hours(80).iloc[72:]
    after = load(saved).update(more)
    assert_same(model.update(more).forecast(30), after.forecast(30))
    assert_same(model.fit(hours(60)), after.fit(hours(60)))


def test_a_fitted_series_model_gives_back_a_series(tmp_path):
    before = NaiveForecaster().fit(hours()[[]], hours()["temp"])
    before.save(tmp_path / "m")
    assert_same(before.predict(3), load(tmp_path / "m").predict(3))


def test_an_unfitted_model_is_saved_as_its_parameters(tmp_path):
    SeasonalNaiveForecaster(target="temp", freq="h").save(tmp_path / "m")
    after = load(tmp_path / "m")
    assert after.get_params() == SeasonalNaiveForecaster(target="temp", freq="h").get_params()
    with pytest.raises(NotFittedError):
        after.forecast()


def test_the_package_root_offers_load(saved, model):
    assert_same(tsrnn.load(str(saved)).forecast(), model.forecast())


def test_equal_models_give_equal_bytes(model, saved, tmp_path):
    again = tmp_path / "again"
    SeasonalNaiveForecaster(target="temp").fit(hours()).save(again)
    assert again.read_bytes() == saved.read_bytes()
    load(saved).save(again)
    assert again.read_bytes() == saved.read_bytes()


def test_models_inside_models_come_back(tmp_path):
    inner = NaiveForecaster().fit(hours())
    before = HoldingForecaster(inner=inner, extra={"scale": (1.0, math.nan)}).fit(hours())
    before.inner_ = [inner, NaiveForecaster()]
    before.save(tmp_path / "m")
    assert_same(before, load(tmp_path / "m"))


def test_arrays_of_a_loaded_model_can_be_written_to(tmp_path):
    before = HoldingForecaster(extra=np.zeros((2, 3))).fit(hours())
    before.save(tmp_path / "m")
    after = load(tmp_path / "m")
    after.extra += 1
    assert after.extra.flags.owndata or after.extra.base.flags.writeable


def network(name):
    """Fit a small network; None where this class is not there yet."""
    if name.endswith("Regressor"):
        X = np.random.default_rng(0).normal(size=(40, 5, 2))
        return getattr(tsrnn, name)(units=3, epochs=1, random_state=0).fit(X, X[:, -1, 0])
    forecaster = getattr(tsrnn, name)(target="temp", window=12, horizon=4, units=3, epochs=1, random_state=0)
    return forecaster.fit(hours(200))


NETWORKS = [name for name in ESTIMATORS if "LSTM" in name or "GRU" in name or "SimpleRNN" in name]


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.filterwarnings("ignore::tsrnn.exceptions.CapacityWarning")
def test_networks_come_back_bit_for_bit(name, tmp_path):
    before = network(name)
    before.save(tmp_path / "m")
    after = load(tmp_path / "m")
    assert_same(before, after)
    X = hours(24) if name.endswith("Forecaster") else np.random.default_rng(1).normal(size=(7, 5, 2))
    if name.endswith("Forecaster"):
        assert_same(before.predict(6, history=X), after.predict(6, history=X))
        assert_same(before.predict_interval(4), after.predict_interval(4))
    else:
        assert_same(before.predict(X), after.predict(X))


def test_the_tables_name_classes_that_exist_and_can_be_saved():
    for name in ESTIMATORS | DATACLASSES:
        cls = find_class(name)
        assert (cls.__qualname__, cls.__module__) == (name, (ESTIMATORS | DATACLASSES)[name])
        assert issubclass(cls, SaveMixin) if name in ESTIMATORS else dataclasses.is_dataclass(cls)


def test_the_tables_name_every_public_model():
    public = [getattr(tsrnn, name) for name in tsrnn.__all__]
    models = [item for item in public if inspect.isclass(item) and issubclass(item, SaveMixin)]
    assert models
    # A KerasRegressor holds code, which no file may.
    assert [cls.__name__ for cls in models if not is_listed(cls)] == ["KerasRegressor"]


# ---------------------------------------------------------------------- values


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


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (len, "Name it by a string"),
        (lambda epoch: 0.1, "Name it by a string"),
        (dict, "Name it by a string"),
        (Ridge(), "joblib.dump"),
        (np.random.default_rng(0), "Pass an int as random_state"),
        (np.random.RandomState(0), "Pass an int as random_state"),
        ({1, 2}, "type builtins.set"),
        (object(), "type builtins.object"),
        (b"bytes", "type builtins.bytes"),
        (1j, "type builtins.complex"),
        (np.array([1j]), "complex128"),
        (np.complex64(1), "complex64"),
        (np.array([(1, 2.0)], dtype="i4,f8"), "dtype"),
        (np.array([object()]), "not text, a number"),
        (np.zeros(2, "m8[s]"), "timedelta64"),
        (pd.PeriodIndex(["2024"], freq="Y"), "PeriodIndex"),
        (pd.Series([1, 2], dtype="category"), "CategoricalIndex"),
        (pd.Index([1, None], dtype="Int64"), "dtype Int64"),
        (pd.offsets.Week(), "W-SUN"),
        (pd.offsets.DateOffset(months=1), "'MS'"),
        (pd.offsets.BusinessHour(start="10:00"), "'bh'"),
        (pd.offsets.CustomBusinessDay(weekmask=[1, 1, 1, 0, 0, 0, 0]), "offset"),
        ({(1, 2): 3}, "key"),
        (2**2000, "2001 bits"),
        (pd.Timestamp("2024-01-01", tz=dateutil.tz.tzoffset("odd", 90)), "has no name"),
        (types.SimpleNamespace(), "SimpleNamespace"),
        (type("EarlyStopping", (), {"__module__": "keras.src.callbacks"})(), "callbacks=None"),
    ],
    ids=str,
)
def test_what_is_not_data_is_refused_by_name(value, message, tmp_path):
    with pytest.raises(ArchiveError, match=message) as caught:
        HoldingForecaster(extra={"deep": [value]}).save(tmp_path / "m")
    assert "HoldingForecaster.extra['deep'][0]" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_another_librarys_estimator_is_refused_with_the_way_out(tmp_path):
    model = tsrnn.RegressionForecaster(Ridge(), window=4).fit(hours())
    with pytest.raises(ArchiveError, match=r"RegressionForecaster\.estimator: sklearn.*Ridge.*joblib\.dump"):
        model.save(tmp_path / "m")


def test_a_model_of_the_user_is_refused(tmp_path):
    class NaiveForecaster(BaseForecaster):  # of the same name as one of ours
        def __init__(self):
            pass

    with pytest.raises(ArchiveError, match="is not one of tsrnn's models"):
        NaiveForecaster().save(tmp_path / "m")


@pytest.mark.parametrize("name", ["predict", "note", "residuals_"])
def test_an_attribute_that_a_model_does_not_learn_is_refused(name, model, tmp_path):
    setattr(model, name, 3)
    with pytest.raises(ArchiveError, match=rf"SeasonalNaiveForecaster: its attribute '{name}'.* del model\.{name}"):
        model.save(tmp_path / "m")


def test_endless_nesting_is_refused(tmp_path):
    endless: list = []
    endless.append(endless)
    with pytest.raises(ArchiveError, match="nested deeper than 64"):
        HoldingForecaster(extra=endless).save(tmp_path / "m")


def test_what_would_be_too_large_to_load_is_not_saved(monkeypatch, tmp_path):
    monkeypatch.setattr(container, "MAX_JSON_BYTES", 2000)
    with pytest.raises(ArchiveError, match="Turn long lists into arrays"):
        HoldingForecaster(extra=list(range(1000))).save(tmp_path / "m")
    monkeypatch.setattr(container, "MAX_BYTES", 10_000)
    with pytest.raises(ArchiveError, match="at most 10000 are allowed"):
        HoldingForecaster(extra=np.zeros(2000)).save(tmp_path / "m")
    monkeypatch.setattr(encode, "MAX_ARRAYS", 2)
    with pytest.raises(ArchiveError, match="more than 2 arrays"):
        HoldingForecaster(extra=[np.zeros(2)] * 3).save(tmp_path / "m")


# ---------------------------------------------------------------------- files


def test_a_missing_folder_is_named(model, tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder .*absent"):
        model.save(tmp_path / "absent" / "m")


def test_saving_over_a_folder_is_refused(model, tmp_path):
    (tmp_path / "d").mkdir()
    with pytest.raises(IsADirectoryError, match="it is a folder"):
        model.save(tmp_path / "d")
    assert [path.name for path in tmp_path.iterdir()] == ["d"]


def test_a_save_that_fails_leaves_the_old_file_and_nothing_else(model, saved, monkeypatch):
    before = saved.read_bytes()

    def disk_full(*args):
        raise OSError(errno.ENOSPC, "No space left on device")

    for module, name in ((container, "array_to_npy"), (os, "fsync"), (os, "replace")):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, disk_full)
            with pytest.raises(OSError, match="No space left"):
                model.save(saved)
        assert [path.name for path in saved.parent.iterdir()] == [saved.name]
        assert saved.read_bytes() == before


def test_saving_goes_through_a_link(model, saved):
    link = saved.parent / "latest"
    link.symlink_to(saved.name)
    NaiveForecaster().fit(hours()).save(link)
    assert link.is_symlink()
    assert type(load(saved)) is NaiveForecaster


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_a_saved_file_has_the_permissions_of_a_new_file(saved):
    other = saved.parent / "other"
    other.touch()
    assert saved.stat().st_mode == other.stat().st_mode


def test_a_file_that_is_not_there_is_not_found(tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "absent")


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(ArchiveError, match="is not a file"):
        load(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes of POSIX")
def test_a_pipe_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ArchiveError, match="is not a file"):
        load(tmp_path / "pipe")


def test_an_archive_is_plain_to_read(saved):
    with zipfile.ZipFile(saved) as file:
        assert file.testzip() is None
        meta = json.loads(file.read("meta.json"))
        for name in file.namelist()[1:]:
            np.load(io.BytesIO(file.read(name)), allow_pickle=False)
    assert (meta["format"], meta["version"], meta["model"]["class"]) == ("tsrnn", 1, "SeasonalNaiveForecaster")


# ---------------------------------------------------------------------- damage


def test_a_truncated_file_is_refused(saved, tmp_path):
    content = saved.read_bytes()
    damaged = tmp_path / "damaged"
    lengths = {*range(100), *range(100, len(content), 61), *range(len(content) - 500, len(content))}
    for length in sorted(lengths):
        damaged.write_bytes(content[:length])
        with pytest.raises(ArchiveError, match="cannot load"):
            load(damaged)


def test_a_flipped_bit_is_refused_or_changes_nothing(saved, model, tmp_path):
    content = saved.read_bytes()
    damaged = tmp_path / "damaged"
    rng = np.random.default_rng(0)
    table = content.index(b"PK\x01\x02")
    headers = [at + i for at in range(len(content)) if content.startswith(b"PK\x03\x04", at) for i in range(30)]
    positions = [*headers, *range(table, len(content)), *rng.integers(0, table, 500).tolist()]
    refused = 0
    for position in positions:
        changed = bytearray(content)
        changed[position] ^= 1 << int(rng.integers(8))
        damaged.write_bytes(changed)
        after = load_or_refuse(damaged)
        refused += after is None
        if after is not None:
            assert_same(after, model)
    assert refused > len(positions) / 2


def test_garbage_around_an_archive_is_refused(saved, tmp_path):
    content = saved.read_bytes()
    for changed in (b"#!/bin/sh\n" + content, content + b"\n", content + content, content[:30] + b"x" + content[30:]):
        (tmp_path / "m").write_bytes(changed)
        with pytest.raises(ArchiveError):
            load(tmp_path / "m")


# ---------------------------------------------------------------------- hostile files


def meta_of(extra=None, **model) -> dict:
    """What is in the meta.json of an unfitted model whose parameter `extra` is this node."""
    node = {"kind": "estimator", "class": "HoldingForecaster", "params": {"extra": extra}, "state": {}} | model
    return {"format": "tsrnn", "version": 1, "tsrnn": "0.1.0", "model": node}


class Payload:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_the_helpers_make_files_that_load(saved, model, tmp_path):
    assert_same(load(pack(tmp_path / "m", *unpack(saved))), model)
    assert load(pack(tmp_path / "m", meta_of({"kind": "array", "member": 0}), [npy(np.arange(3))])).extra.sum() == 3


def test_a_pickle_is_refused_and_not_run(tmp_path):
    trace = tmp_path / "trace"
    (tmp_path / "m").write_bytes(pickle.dumps(Payload(trace)))
    with pytest.raises(ArchiveError, match="looks like a pickle"):
        load(tmp_path / "m")
    assert not trace.exists()
    pickle.loads((tmp_path / "m").read_bytes()).close()
    assert trace.exists()  # it would have run


def test_a_pickle_in_an_array_is_refused_and_not_run(tmp_path):
    trace = tmp_path / "trace"
    content = npy(np.array([Payload(trace)], dtype=object), allow_pickle=True)
    with pytest.raises(ArchiveError, match=r"arrays/0.npy does not start|dtype '\|O'"):
        load(pack(tmp_path / "m", meta_of({"kind": "array", "member": 0}), [content]))
    assert not trace.exists()
    np.load(io.BytesIO(content), allow_pickle=True)[0].close()
    assert trace.exists()


def test_loading_hostile_files_runs_and_writes_nothing(saved, tmp_path):
    """Watch the interpreter itself: no unpickling, no process, no file opened for writing."""
    meta, members = unpack(saved)
    folder = tmp_path / "hostile"
    folder.mkdir()
    (folder / "pickle").write_bytes(pickle.dumps(Payload(tmp_path / "trace")))
    pack(
        folder / "npy",
        meta,
        [npy(np.array([Payload(tmp_path / "trace")], dtype=object), allow_pickle=True), *members[1:]],
    )
    pack(folder / "paths", meta, members, names=["meta.json", *(f"../../{i}.npy" for i in range(len(members)))])
    pack(folder / "class", meta_of(**{"class": "os.system"}))
    pack(folder / "zone", meta_of({"kind": "timestamp", "value": 0, "unit": "s", "zone": "dateutil//etc/localtime"}))
    code = """
import sys, os
from pathlib import Path
import tsrnn.forecasters.naive
from tsrnn import load
from tsrnn.exceptions import ArchiveError
seen = []
def hook(event, args):
    if event in ("pickle.find_class", "os.system", "os.exec", "subprocess.Popen", "os.posix_spawn", "os.remove"):
        seen.append(event)
    if event == "open" and (args[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        seen.append(args)
    if event == "open" and "localtime" in str(args[0]):
        seen.append(args)
files = sorted(Path(sys.argv[1]).iterdir())
sys.dont_write_bytecode = True
sys.addaudithook(hook)
for path in files:
    try:
        load(path)
    except ArchiveError:
        continue
    raise SystemExit(f"{path} was loaded")
raise SystemExit(str(seen) if seen else 0)
"""
    done = subprocess.run([sys.executable, "-c", code, str(folder)], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


HUGE = (
    b"\x93NUMPY\x01\x00"
    + (118).to_bytes(2, "little")
    + b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }".ljust(117)
    + b"\n"
)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x93NUMPY",
        npy(np.arange(3))[:-1],
        npy(np.arange(3)) + b"\x00",
        npy(np.array(["text"])),
        npy(np.array([b"bytes"])),
        npy(np.zeros(2, dtype="i4,f8")),
        npy(np.zeros(2, dtype=np.longdouble)),
        npy(np.zeros(2, dtype=complex)),
        npy(np.zeros(2, dtype="V4")),
        npy(np.zeros(2, dtype="datetime64")),
        npy(np.zeros(3, dtype=bool))[:-1] + b"\x07",
        HUGE,
        HUGE + bytes(80),
        HUGE.replace(b"1000000000000", b"0, 1000000000"),
        HUGE.replace(b"(1000000000000,)", b"(9223372036854775807, 0)"[:16].ljust(16)),
        HUGE.replace(b"(1000000000000,)", b"(-1, -10)".ljust(16)) + bytes(80),
        HUGE.replace(b"'<f8'", b"'|O' ") + bytes(80),
        HUGE.replace(b"1000000000000,", b"10**12       ,"),
        HUGE.replace(b"\x01\x00v", b"\x02\x00v"),
        b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 65535,
        b"\x93NUMPY\x01\x00\x20\x00__import__('os').system('true')\n ",
    ],
    ids=lambda content: content[10:90].decode("latin1").strip() or "short",
)
def test_an_array_that_is_not_plain_numbers_of_its_own_size_is_refused(content, tmp_path):
    with pytest.raises(ArchiveError):
        load(pack(tmp_path / "m", meta_of({"kind": "array", "member": 0}), [content]))


def test_a_declared_size_allocates_nothing(tmp_path):
    import tracemalloc

    pack(tmp_path / "m", meta_of({"kind": "array", "member": 0}), [HUGE])
    tracemalloc.start()
    try:
        with pytest.raises(ArchiveError):
            load(tmp_path / "m")
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_compressed_members_are_refused_unread(tmp_path):
    bomb = npy(np.zeros(10_000_000))
    pack(tmp_path / "m", meta_of({"kind": "array", "member": 0}), [bomb], compression=zipfile.ZIP_DEFLATED)
    assert (tmp_path / "m").stat().st_size < 100_000
    with pytest.raises(ArchiveError, match="compressed"):
        load(tmp_path / "m")


def test_members_that_overlap_are_refused(saved, tmp_path):
    content = bytearray(saved.read_bytes())
    first = content.index(b"PK\x01\x02")
    second = content.index(b"PK\x01\x02", first + 4)
    content[second + 42 : second + 46] = content[first + 42 : first + 46]  # both entries point at one member
    (tmp_path / "m").write_bytes(content)
    with pytest.raises(ArchiveError, match="out of place"):
        load(tmp_path / "m")


def test_a_member_that_is_too_large_is_refused(saved, monkeypatch):
    monkeypatch.setattr(container, "MAX_JSON_BYTES", 100)
    with pytest.raises(ArchiveError, match=r"meta.json has \d+ bytes"):
        load(saved)
    monkeypatch.setattr(container, "MAX_BYTES", 100)
    with pytest.raises(ArchiveError, match=r"it has \d+ bytes"):
        load(saved)


def test_too_many_members_are_refused_before_they_are_listed(tmp_path, monkeypatch):
    pack(tmp_path / "m", meta_of(), [b""] * 12_000)
    monkeypatch.setattr(zipfile, "ZipFile", None)
    with pytest.raises(ArchiveError, match="table of contents"):
        load(tmp_path / "m")


def test_a_zip_of_64_bits_is_refused(saved, tmp_path):
    content = saved.read_bytes()
    record = b"PK\x06\x06" + (44).to_bytes(8, "little") + bytes(44)
    locator = b"PK\x06\x07" + bytes(4) + (len(content) - 22).to_bytes(8, "little") + bytes(4)
    (tmp_path / "m").write_bytes(content[:-22] + record + locator + content[-22:])
    with pytest.raises(ArchiveError, match="table of contents"):
        load(tmp_path / "m")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    "names",
    [
        ["meta.json", "../../../tmp/0.npy"],
        ["meta.json", "/etc/passwd"],
        ["meta.json", "arrays\\0.npy"],
        ["meta.json", "arrays/../arrays/0.npy"],
        ["meta.json", "arrays/00.npy"],
        ["meta.json", "arrays/1.npy"],
        ["meta.json", "arrays/0.pkl"],
        ["meta.json", "meta.json"],
        ["arrays/0.npy", "meta.json"],
        ["meta.json", "arrays/0.npy", "arrays/0.npy"],
        ["meta.json", "arrays/0.npy", "notes.txt"],
        ["meta.json", "arrays/0.npy", "arrays/"],
    ],
    ids=str,
)
def test_members_of_any_other_name_are_refused(names, tmp_path):
    members = [npy(np.arange(3))] * (len(names) - 1)
    with pytest.raises(ArchiveError):
        load(pack(tmp_path / "m", meta_of({"kind": "array", "member": 0}), members, names))
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_a_name_that_goes_on_after_a_nul_is_refused(tmp_path):
    # zipfile cuts such a name off at the NUL
    path = pack(
        tmp_path / "m", meta_of({"kind": "array", "member": 0}), [npy(np.arange(3))], ["meta.json", "arrays/0.npy?.exe"]
    )
    path.write_bytes(path.read_bytes().replace(b"npy?.exe", b"npy\x00.exe"))
    with pytest.raises(ArchiveError):
        load(path)


@pytest.mark.parametrize(
    ("node", "message"),
    [
        ({"kind": "array", "member": 1}, "absent or used twice"),
        ({"kind": "array", "member": -1}, "absent or used twice"),
        ({"kind": "array", "member": True}, "bool stands where int"),
        ([{"kind": "array", "member": 0}] * 2, "absent or used twice"),
        (None, "belong to nothing"),
    ],
)
def test_each_array_is_used_exactly_once(node, message, tmp_path):
    with pytest.raises(ArchiveError, match=message):
        load(pack(tmp_path / "m", meta_of(node), [npy(np.arange(3))]))


@pytest.mark.parametrize(
    "name", ["os.system", "system", "Pipeline", "BaseForecaster", "TimeGrid", "", "__class__", None, 3, ["os"], {}]
)
def test_a_class_that_is_not_listed_is_refused(name, tmp_path):
    for node in (meta_of(**{"class": name}), meta_of({"kind": "dataclass", "class": name, "fields": {}})):
        with pytest.raises(ArchiveError):
            load(pack(tmp_path / "m", node))


@pytest.mark.parametrize(
    "name",
    [
        "predict",
        "fit",
        "save",
        "get_params",
        "_forecast",
        "__class__",
        "__dict__",
        "__reduce__",
        "__sklearn_tags__",
        "__new_",
        "_takes_covariates",
        "_note",
        "target",
        "a b",
        "",
        "é",
        "data_\n",
    ],
)
def test_an_attribute_that_a_model_cannot_have_is_refused(name, tmp_path):
    with pytest.raises(ArchiveError, match="cannot have a fitted attribute"):
        load(pack(tmp_path / "m", meta_of(state={name: 1})))


@pytest.mark.parametrize("name", ["predict", "self", "inner__x", "nope", ""])
def test_a_parameter_that_a_model_does_not_have_is_refused(name, tmp_path):
    with pytest.raises(ArchiveError, match="has no parameter"):
        load(pack(tmp_path / "m", meta_of(params={name: 1})))


def test_a_parameter_that_the_file_does_not_have_takes_its_default(tmp_path):
    assert load(pack(tmp_path / "m", meta_of(params={"target": "a"}))).get_params() == {
        "target": "a",
        "freq": None,
        "inner": None,
        "extra": None,
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "keras"},
        {"version": "1"},
        {"version": True},
        {"version": 0},
        {"version": None},
        {"tsrnn": None},
        {"model": None},
        {"model": []},
        {"model": {"kind": "nat"}},
        {"model": {"kind": "array", "member": 0}},
        {"more": 1},
    ],
    ids=str,
)
def test_other_metadata_are_refused(changes, tmp_path):
    with pytest.raises(ArchiveError):
        load(pack(tmp_path / "m", meta_of() | changes))


@pytest.mark.parametrize("key", ["format", "version", "tsrnn", "model"])
def test_missing_metadata_are_refused(key, tmp_path):
    meta = meta_of()
    del meta[key]
    with pytest.raises(ArchiveError, match=f"no '{key}'"):
        load(pack(tmp_path / "m", meta))


def test_a_newer_format_asks_for_an_upgrade(tmp_path):
    with pytest.raises(ArchiveError, match=r"written by tsrnn 9.9 in version 2 of the format.*Upgrade tsrnn"):
        load(pack(tmp_path / "m", meta_of() | {"version": 2, "tsrnn": "9.9", "model": {"new": "things"}}))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe",
        "ä".encode(),
        json.dumps(meta_of(math.nan)).encode(),
        json.dumps(meta_of(math.inf)).encode(),
        json.dumps(meta_of(7)).replace("7", "1e999").encode(),
        json.dumps(meta_of(7)).replace("7", "9" * 400).encode(),
        json.dumps(meta_of(7)).replace("7", "9" * 10_000).encode(),
        json.dumps(meta_of(7)).replace("7", "[" * 100 + "]" * 100).encode(),
        json.dumps(meta_of(7)).replace("7", "[" * 1_000_000 + "]" * 1_000_000).encode(),
        json.dumps(meta_of(7)).replace("7", '{"a":' * 1_000_000 + "1" + "}" * 1_000_000).encode(),
        json.dumps(meta_of(7)).replace('"version": 1', '"version": 1, "version": 1').encode(),
        json.dumps(meta_of(7)).replace('"extra": 7', '"extra": 7, "extra": 8').encode(),
    ],
    ids=lambda text: text.decode("latin1")[-30:],
)
def test_json_that_is_not_ours_is_refused(text, tmp_path):
    with pytest.raises(ArchiveError):
        load(pack(tmp_path / "m", text))


@pytest.mark.parametrize(
    "node",
    [
        {},
        {"kind": None},
        {"kind": ["tuple"]},
        {"kind": "eval"},
        {"kind": "__init__"},
        {"kind": "tuple"},
        {"kind": "tuple", "items": {}},
        {"kind": "tuple", "items": [], "more": 1},
        {"kind": "tuple", "self": 1, "items": []},
        {"kind": "float", "value": "1"},
        {"kind": "float", "value": []},
        {"kind": "dict", "items": [["a", 1], ["a", 2]]},
        {"kind": "dict", "items": [["a"]]},
        {"kind": "dict", "items": [[[], 1]]},
        {"kind": "dict", "items": [[1.5, 1]]},
        {"kind": "scalar", "dtype": "|O", "hex": "00" * 8},
        {"kind": "scalar", "dtype": "<f8", "hex": "00" * 16},
        {"kind": "scalar", "dtype": "<f8", "hex": "0"},
        {"kind": "scalar", "dtype": "|b1", "hex": "02"},
        {"kind": "objects", "shape": [10**9], "items": [1]},
        {"kind": "objects", "shape": [0, 10**18], "items": []},
        {"kind": "objects", "shape": [-1, -1], "items": [1]},
        {"kind": "objects", "shape": [1] * 65, "items": [1]},
        {"kind": "objects", "shape": [1], "items": [[1]]},
        {"kind": "text", "shape": [1], "items": [1]},
        {"kind": "timestamp", "value": 2**70, "unit": "s", "zone": None},
        {"kind": "timestamp", "value": 0, "unit": "fortnight", "zone": None},
        {"kind": "timestamp", "value": 0, "unit": "s", "zone": "../../etc/passwd"},
        {"kind": "timestamp", "value": 0, "unit": "s", "zone": "/etc/localtime"},
        {"kind": "timestamp", "value": 0, "unit": "s", "zone": "dateutil//etc/localtime"},
        {"kind": "timestamp", "value": 0, "unit": "s", "zone": "Nowhere/Land"},
        {"kind": "timestamp", "value": 0, "unit": "s", "zone": 10**6},
        {"kind": "timestamp", "value": 0, "unit": "s", "zone": True},
        {"kind": "timedelta", "value": 0.5, "unit": "s"},
        {"kind": "offset", "freq": "nope"},
        {"kind": "offset", "freq": "1h"},
        {"kind": "offset", "freq": "h" * 1000},
        {"kind": "offset", "freq": None},
        {"kind": "trading_day", "n": 1, "weekmask": "", "holidays": None},
        {"kind": "trading_day", "n": 1, "weekmask": "Mon", "holidays": {"kind": "text", "shape": [1], "items": ["x"]}},
        {"kind": "range_index", "start": 0, "stop": 2**80, "step": 1, "name": None},
        {"kind": "range_index", "start": 0, "stop": 1, "step": 0, "name": None},
        {"kind": "range_index", "start": 0, "stop": 1, "step": 1, "name": []},
        {"kind": "number_index", "values": [1, 2], "name": None},
        {"kind": "label_index", "dtype": "M8[ns]", "items": [1], "name": None},
        {"kind": "label_index", "dtype": "object", "items": [[1]], "name": None},
        {"kind": "series", "values": [1], "index": [1], "name": None},
        {"kind": "frame", "values": [], "index": None, "columns": None},
        {"kind": "dataclass", "class": "TimeGrid", "fields": {"freq": "h"}},
        {"kind": "dataclass", "class": "TimeGrid", "fields": {}},
        {"kind": "dataclass", "class": "TimeGrid", "fields": {"freq": {"kind": "offset", "freq": "h"}, "calendar": 1}},
        {"kind": "dataclass", "class": "TimeGrid", "fields": {"freq": {"kind": "offset", "freq": "h"}, "between": 1}},
        {
            "kind": "dataclass",
            "class": "NetworkSpec",
            "fields": {"cell": "gru", "units": [8], "n_inputs": 1, "n_outputs": 1},
        },
    ],
    ids=lambda node: json.dumps(node)[:60],
)
def test_nodes_that_are_not_ours_are_refused(node, tmp_path):
    with pytest.raises(ArchiveError):
        load(pack(tmp_path / "m", meta_of(node)))


def test_a_table_whose_parts_do_not_fit_is_refused(tmp_path):
    index = {"kind": "range_index", "start": 0, "stop": 10**15, "step": 1, "name": None}
    columns = {"kind": "label_index", "dtype": "str", "items": ["a"], "name": None}
    array = {"kind": "array", "member": 0}
    for shape in ((3,), (3, 1), (3, 2), ()):
        for values in (array, [array], [array, array], []):
            node = {"kind": "frame", "values": values, "index": index, "columns": columns}
            with pytest.raises(ArchiveError):
                load(pack(tmp_path / "m", meta_of(node), [npy(np.zeros(shape))]))
        node = {"kind": "series", "values": array, "index": index, "name": None}
        with pytest.raises(ArchiveError):
            load(pack(tmp_path / "m", meta_of(node), [npy(np.zeros(shape))]))


def test_stamps_that_do_not_keep_to_their_frequency_are_refused(tmp_path):
    freq = {"kind": "offset", "freq": "h"}
    stamps = {"kind": "array", "member": 0}
    node = {"kind": "datetime_index", "stamps": stamps, "unit": "s", "zone": None, "freq": freq, "name": None}
    assert len(load(pack(tmp_path / "m", meta_of(node), [npy(np.array([0, 3600]))])).extra) == 2
    for array in (np.array([0, 60]), np.array([0.0, 3600.0]), np.array([[0, 3600]])):
        with pytest.raises(ArchiveError):
            load(pack(tmp_path / "m", meta_of(node), [npy(array)]))


def test_a_model_may_refuse_attributes_that_do_not_fit(saved, monkeypatch):
    def unfit(self):
        raise ValueError("weights_ do not fit the network")

    monkeypatch.setattr(SeasonalNaiveForecaster, "_check_state", unfit)
    with pytest.raises(ArchiveError, match="weights_ do not fit the network"):
        load(saved)


@pytest.fixture(scope="module")
def regressor():
    X = np.random.default_rng(0).normal(size=(40, 5, 2))
    X[3, 2, 1] = np.nan
    return tsrnn.GRURegressor(units=3, epochs=1, warm_start=True, random_state=0).fit(X, X[:, -1])


NAMED = r"weights_|_spec|_missing|_trainer_state|_draws|random|_loss|_quantiles|NetworkSpec|n_outputs_"


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("weights_", lambda weights: weights[:-1]),
        ("weights_", lambda weights: [weights[0] * np.float32(np.nan), *weights[1:]]),
        ("weights_", lambda weights: [weights[0].astype(complex).view(np.float64), *weights[1:]]),
        ("weights_", lambda weights: [*weights, weights[-1]]),
        ("weights_", lambda weights: weights[::-1]),
        ("weights_", lambda weights: [weight.astype(np.float64) for weight in weights]),
        ("weights_", lambda weights: [weights[0][:, :-1], *weights[1:]]),
        ("weights_", lambda weights: [weights[0].ravel(), *weights[1:]]),
        ("weights_", lambda weights: [weight.tolist() for weight in weights]),
        ("weights_", lambda weights: None),
        ("_spec", lambda spec: dataclasses.replace(spec, units=(4,))),
        ("_spec", lambda spec: dataclasses.replace(spec, units=())),
        ("_spec", lambda spec: dataclasses.replace(spec, cell="lstm")),
        ("_spec", lambda spec: dataclasses.replace(spec, cell="transformer")),
        ("_spec", lambda spec: dataclasses.replace(spec, activation="relu")),
        ("_spec", lambda spec: dataclasses.replace(spec, segment=2)),
        ("_spec", lambda spec: dataclasses.replace(spec, n_inputs=-3, segment=-1)),
        ("_spec", lambda spec: dataclasses.replace(spec, n_outputs=1)),
        ("_spec", lambda spec: None),
        ("_missing", lambda missing: dataclasses.replace(missing, means=missing.means[:-1])),
        ("_missing", lambda missing: dataclasses.replace(missing, means=missing.means.astype(np.float64))),
        ("_missing", lambda missing: dataclasses.replace(missing, indicators=(2,))),
        ("_missing", lambda missing: dataclasses.replace(missing, indicators=(-1,))),
        ("_missing", lambda missing: dataclasses.replace(missing, indicators=())),
        ("_missing", lambda missing: None),
        ("_trainer_state", lambda state: [*state.arrays[:-1], np.zeros((7, 7), np.float32)]),
        ("_trainer_state", lambda state: [array.tolist() for array in state.arrays]),
        ("_trainer_state", lambda state: dataclasses.replace(state, arrays=state.arrays[:-1])),
        ("_trainer_state", lambda state: dataclasses.replace(state, owner="sgd")),
        ("_trainer_state", lambda state: dataclasses.replace(state, owner="lion")),
        ("_trainer_state", lambda state: dataclasses.replace(state, generators=(np.zeros(2),))),
        ("_draws", lambda draws: draws.state),
        ("_draws", lambda draws: dataclasses.replace(draws, state=draws.state[:5])),
        ("_draws", lambda draws: dataclasses.replace(draws, state=draws.state * np.uint64(2))),
        ("_trainer_state", lambda state: "adam"),
        ("_target_shape", lambda shape: (3,)),
        ("_n_features_per_step", lambda n: n + 1),
        ("n_outputs_", lambda n: n + 1),
        ("_loss", lambda loss: "gaussian"),
        ("_loss", lambda loss: "hinge"),
        ("_loss", lambda loss: "pinball"),
        ("_loss", lambda loss: None),
        ("_quantiles", lambda quantiles: (0.5,)),
        ("_quantiles", lambda quantiles: None),
    ],
)
def test_a_network_whose_arrays_do_not_fit_it_is_refused(regressor, name, change, tmp_path):
    regressor.save(tmp_path / "m")
    after = load(tmp_path / "m")
    assert_same(regressor, after)
    setattr(after, name, change(getattr(after, name)))
    with pytest.raises(ArchiveError, match=NAMED):
        after.save(tmp_path / "m")
    save_unchecked(after, tmp_path / "m")
    with pytest.raises(ArchiveError, match=NAMED):
        load(tmp_path / "m")


@pytest.mark.parametrize("name", ["_spec", "_missing", "_trainer_state", "_target_shape", "n_outputs_", "_loss"])
def test_a_network_of_which_a_part_is_absent_is_refused(regressor, name, tmp_path):
    regressor.save(tmp_path / "m")
    after = load(tmp_path / "m")
    delattr(after, name)
    with pytest.raises(ArchiveError, match=f"needs '{name}'"):
        after.save(tmp_path / "m")
    save_unchecked(after, tmp_path / "m")
    with pytest.raises(ArchiveError, match=f"needs '{name}'"):
        load(tmp_path / "m")


def test_a_class_that_cannot_be_imported_says_so(saved, monkeypatch):
    monkeypatch.setitem(ESTIMATORS, "SeasonalNaiveForecaster", "tsrnn.absent")
    with pytest.raises(ImportError, match=r"tsrnn\.absent"):
        load(saved)


junk = st.one_of(
    st.sampled_from([None, True, -1, 2**63, 1e300, "", "array", [], {}, {"kind": "nat"}, [[]], "os.system"]),
    st.sampled_from([{"kind": "array", "member": i} for i in range(4)]),
    st.text(max_size=5),
)


@given(st.data())
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_change_of_the_json_is_refused_or_gives_a_model(saved, data):
    meta, members = unpack(saved)
    *parents, last = data.draw(st.sampled_from([path for path in places(meta) if path]))
    node = meta
    for key in parents:
        node = node[key]
    action = data.draw(st.sampled_from(["replace", "drop", "add"]))
    if action == "replace":
        node[last] = data.draw(junk)
    elif action == "drop":
        del node[last]
    elif isinstance(node, dict):
        node[data.draw(st.text(max_size=5))] = data.draw(junk)
    else:
        node.append(data.draw(junk))
    after = load_or_refuse(pack(saved.parent / "changed", meta, members))
    assert after is None or isinstance(after, BaseForecaster)


@given(st.binary(max_size=300), st.integers(0, 10_000))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_change_of_an_array_is_refused_or_gives_a_model(saved, content, position):
    meta, members = unpack(saved)
    at = position % len(members[0])
    members[0] = members[0][:at] + content + members[0][at + len(content) :]
    after = load_or_refuse(pack(saved.parent / "changed", meta, members))
    assert after is None or isinstance(after, BaseForecaster)


def test_keras_files_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as file:
        for name in ("metadata.json", "config.json", "model.weights.h5"):
            file.writestr(name, "{}")
    with pytest.raises(ArchiveError, match="looks like a Keras model"):
        load(tmp_path / "m.keras")
    (tmp_path / "m.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(1000))
    with pytest.raises(ArchiveError, match="HDF5"):
        load(tmp_path / "m.h5")


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x05\x06" + bytes(18), bytes(1000), b"a,b\n1,2\n" * 50])
def test_other_files_are_refused(content, tmp_path):
    (tmp_path / "m").write_bytes(content)
    with pytest.raises(ArchiveError, match="cannot load"):
        load(tmp_path / "m")
