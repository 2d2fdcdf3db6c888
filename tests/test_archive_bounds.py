"""Nothing is allocated, hashed or built because a file says so: files that would cost far more than their size."""

from __future__ import annotations

import dataclasses
import json
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from archive_files import npy, pack, save_unchecked, unpack

import tsrnn
from tsrnn._archive import container
from tsrnn._archive.tables import MAX_ALIKE, MAX_OBJECTS, MAX_RANGE, MAX_VALUES, check_hashes
from tsrnn.exceptions import ArchiveError
from tsrnn.persistence import load

DATA = Path(__file__).parent / "data" / "archives_0.1.0"
MEGABYTE = 2**20
NAIVE = {"kind": "estimator", "class": "NaiveForecaster", "params": {}, "state": {}}


def meta_of(node) -> dict:
    """What is in the meta.json of a model with this node as a parameter."""
    return {"format": "tsrnn", "version": 1, "tsrnn": "0.1.0", "model": NAIVE | {"params": {"target": node}}}


def ranged(n) -> dict:
    return {"kind": "range_index", "start": 0, "stop": n, "step": 1, "name": None}


def refused(path, message: str, most: int = MEGABYTE) -> None:
    """Assert that a file is refused for this reason, in this much memory at most."""
    tracemalloc.start()
    try:
        with pytest.raises(ArchiveError, match=message):
            load(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < most, f"{peak} bytes for a file of {path.stat().st_size}"


@pytest.fixture(autouse=True, scope="module")
def classes_are_imported():
    """So that no import counts as memory of a file."""
    for path in DATA.glob("*-unfitted.tsrnn"):
        load(path)


# ---------------------------------------------------------------------- memory on a file's word


COLUMNS = {"kind": "label_index", "dtype": "str", "items": ["a"], "name": None}


@pytest.mark.parametrize(
    ("node", "message"),
    [
        (
            {"kind": "series", "values": ranged(10**7), "index": ranged(10**7), "name": None},
            "a range has 10000000 rows",
        ),
        ({"kind": "series", "values": ranged(10**6), "index": ranged(10**6), "name": None}, "a range stands where"),
        (
            {"kind": "frame", "values": [ranged(10**6)], "index": ranged(10**6), "columns": COLUMNS},
            "a range stands wher",
        ),
        (ranged(10**15), "at most 1000000 are allowed"),
        (
            {"kind": "range_index", "start": 0, "stop": -(10**9), "step": -1, "name": None},
            "a range has 1000000000 rows",
        ),
        ({"kind": "text", "shape": [1001], "items": ["x" * 100_000, *[""] * 1000]}, "an array of text would take"),
        ({"kind": "objects", "shape": [0, 2**40], "items": []}, "says that it has shape"),
        ({"kind": "objects", "shape": [10**9], "items": []}, "says that it has shape|cannot reshape"),
    ],
    ids=lambda value: json.dumps(value)[:50] if isinstance(value, dict) else "",
)
def test_what_takes_memory_without_bytes_is_refused(node, message, tmp_path):
    refused(pack(tmp_path / "m", meta_of(node)), message)


@pytest.mark.parametrize("shape", [(0, 2**28), (2**27, 0), (0, 2**14, 2**14)])
def test_a_length_of_zero_does_not_excuse_the_others(shape, tmp_path):
    refused(pack(tmp_path / "m", meta_of({"kind": "array", "member": 0}), [npy(np.zeros(shape))]), "says that it has")


def test_holidays_are_days_and_not_too_many(tmp_path):
    node = {"kind": "trading_day", "n": 1, "weekmask": "Mon Tue", "holidays": {"kind": "array", "member": 0}}
    for days in (np.zeros(MEGABYTE, np.int8), np.zeros((2, 2), "M8[D]"), np.zeros(2, "M8[s]")):
        refused(pack(tmp_path / "m", meta_of(node), [npy(days)]), "the holidays of a calendar", 4 * MEGABYTE)
    refused(pack(tmp_path / "m", meta_of(node), [npy(np.arange(200_000).astype("M8[D]"))]), "holidays", 4 * MEGABYTE)


def test_the_files_of_the_table_take_no_more_than_a_few_times_their_size(tmp_path):
    """32 MiB of lists, of tuples, of numbers: more values than any model has are refused before they are parsed."""
    size = 32 * MEGABYTE - 1000
    for part in ("[],", "1,", '{"kind":"tuple","items":[]},', json.dumps(NAIVE) + ",", '"",', '{"":0},'):
        text = json.dumps(meta_of(["@"])).replace('"@"', (part * (size // len(part)))[:-1])
        refused(pack(tmp_path / "m", text.encode()), f"more than {MAX_VALUES} values", 3 * size)


@pytest.mark.parametrize(
    "node",
    [
        NAIVE,
        ranged(0),
        {"kind": "offset", "freq": "h"},
        {"kind": "label_index", "dtype": "str", "items": [], "name": None},
        {"kind": "frame", "values": [], "index": ranged(0), "columns": ranged(0)},
        {"kind": "dataclass", "class": "Ensemble", "fields": {"parts": []}},
    ],
    ids=lambda node: node["kind"],
)
def test_what_takes_long_to_build_is_counted(node, tmp_path):
    n = MAX_OBJECTS + 1
    refused(pack(tmp_path / "m", meta_of([node] * n)), f"more than {MAX_OBJECTS} tables, indexes", 64 * MEGABYTE)


def test_columns_of_tables_are_counted(tmp_path):
    columns = {"kind": "label_index", "dtype": "object", "items": list(range(MAX_OBJECTS)), "name": None}
    node = {"kind": "frame", "values": [{"kind": "objects", "shape": [0], "items": []}] * MAX_OBJECTS}
    node |= {"index": ranged(0), "columns": columns}
    refused(pack(tmp_path / "m", meta_of(node)), "tables, indexes or estimators", 16 * MEGABYTE)


# ---------------------------------------------------------------------- names and keys that collide


def colliding_pairs(n: int) -> list[tuple[int, int]]:
    """Pairs of one hash. CPython's hash of a tuple (xxHash) is linear in the last item, which can be solved for."""
    p1, p2, p5, bits = 11400714785074694791, 14029467366897019727, 2870177450012600261, 2**64
    inverse, pairs, a = pow(p2, -1, bits), [], 0
    while len(pairs) < n:
        seen = (p5 + a * p2) % bits
        seen = ((seen << 31) | (seen >> 33)) % bits * p1 % bits
        b = (12345 - seen) * inverse % bits
        b -= bits if b >= bits // 2 else 0
        if abs(b) < sys.hash_info.modulus:
            pairs.append((a, b))
        a += 1
    return pairs


def test_the_pairs_made_up_here_collide():
    assert len({hash(pair) for pair in colliding_pairs(50)}) == 1
    assert len(set(colliding_pairs(50))) == 50


INTEGERS = [k * sys.hash_info.modulus for k in range(200)]
LEVELS = [{"kind": "tuple", "items": [key, i]} for i, key in enumerate(INTEGERS)]
PAIRS = [{"kind": "tuple", "items": list(pair)} for pair in colliding_pairs(200)]


@pytest.mark.parametrize(
    "node",
    [
        {"kind": "dict", "items": [[key, None] for key in INTEGERS]},
        {"kind": "label_index", "dtype": "object", "items": INTEGERS, "name": None},
        {"kind": "label_index", "dtype": "object", "items": PAIRS, "name": None},
        {"kind": "objects", "shape": [200], "items": PAIRS},
        {"kind": "multi_index", "items": PAIRS, "names": [None, None]},
        {"kind": "multi_index", "items": LEVELS, "names": [None, None]},
        {"kind": "objects", "shape": [200], "items": [{"kind": "tuple", "items": [k, "x"]} for k in INTEGERS]},
    ],
    ids=["keys", "labels", "pairs", "objects", "pairs of levels", "levels", "nested"],
)
def test_keys_and_names_of_one_hash_are_refused(node, tmp_path):
    refused(pack(tmp_path / "m", meta_of(node)), "collide")


def test_keys_and_names_that_only_recur_are_not():
    check_hashes([*["a"] * 1000, *[-1, -2, -1.0, -2.0] * 1000, *[1, True, 1.0] * 1000, *range(100_000)], "names")
    check_hashes(INTEGERS[:MAX_ALIKE], "keys")


# ---------------------------------------------------------------------- sizes that a model says


def changed(name: str, tmp_path, **attributes) -> Path:
    """Write the archive of this name with other attributes, each a function of the one that it had."""
    model = load(DATA / f"{name}.tsrnn")
    for attribute, change in attributes.items():
        setattr(model, attribute, change(getattr(model, attribute)))
    save_unchecked(model, tmp_path / "m")
    return tmp_path / "m"


def spec(**changes):
    return lambda held: dataclasses.replace(held, **changes)


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("ConvRegressor", {"_spec": spec(n_blocks=10**9)}),
        ("ConvRegressor", {"_spec": spec(filters=10**9)}),
        ("OutputRecurrentRegressor", {"_spec": spec(n_inputs=10**9)}),
        ("Seq2SeqRegressor", {"_spec": spec(n_inputs=10**9)}),
        ("LSTMRegressor", {"_spec": spec(n_inputs=10**9)}),
        ("LSTMRegressor", {"_spec": spec(transition_depth=10**9)}),
        ("LSTMRegressor", {"_spec": spec(units=(10**9,) * 1000)}),
        ("LSTMRegressor", {"n_steps_in_": lambda n: 10**12}),
        ("LSTMRegressor", {"_n_features_per_step": lambda n: 10**9}),
        ("EchoStateRegressor", {"_segment": lambda n: 2**23}),
        ("GRUForecaster-recursive", {"horizon_": lambda n: 10**9, "horizon": lambda n: 10**9}),
        ("LSTMForecaster", {"horizon_": lambda n: 10**5, "block_": lambda n: 10**5}),
        ("LSTMForecaster", {"window_": lambda n: 10**9}),
        ("SeasonalNaiveForecaster", {"season_length_": lambda n: 10**12}),
        ("ARIMAForecaster", {"specs_": lambda held: [((1, 1, 1), (0, 1, 0, 10**6), None, 0, 24)] * 2}),
        ("ARIMAForecaster", {"specs_": lambda held: [((1, 10**6, 1), (0, 0, 0, 0), None, 0, 24)] * 2}),
        ("ARIMAForecaster", {"specs_": lambda held: [((10**6, 1, 1), (0, 0, 0, 0), None, 0, 24)] * 2}),
        ("ARIMAForecaster", {"specs_": lambda held: [((1, 1, 1), (0, 0, 0, 0), None, 10**6, 24)] * 2}),
        ("NaiveForecaster", {"grid_": spec(freq=pd.offsets.Nano())}),
        ("NaiveForecaster", {"grid_": spec(freq=pd.offsets.Second(3))}),
        ("NaiveForecaster", {"grid_": spec(freq=pd.offsets.Minute(), calendar=True)}),
        ("NaiveForecaster", {"grid_": spec(freq=pd.offsets.Hour(-1))}),
        ("NaiveForecaster", {"grid_": spec(freq=pd.offsets.Hour(0))}),
    ],
    ids=str,
)
def test_sizes_that_no_array_stands_for_are_refused_without_memory(name, attributes, tmp_path):
    refused(changed(name, tmp_path, **attributes), "cannot load", MEGABYTE)


def test_two_rows_of_a_thousand_million_years_are_refused(tmp_path):
    meta, members = unpack(DATA / "NaiveForecaster.tsrnn")
    text = json.dumps(meta).replace('"unit": "us"', '"unit": "s"')
    far = np.arange(160) * 10**14
    for i, member in enumerate(members):
        if b"'<i8'" in member:
            members[i] = npy(far)
    for freq in ("h", "D", "B", "MS", "YS", "999999999D"):
        refused(pack(tmp_path / "m", text.replace('"freq": "h"', f'"freq": "{freq}"').encode(), members), "cannot load")


# ---------------------------------------------------------------------- what was saved can be loaded


def wide(n) -> pd.DataFrame:
    return pd.DataFrame(np.zeros((3, n)), pd.date_range("2024-01-01", periods=3), [f"name, [{i}]" for i in range(n)])


def test_a_wide_model_stays_within_the_bounds(tmp_path):
    model = tsrnn.NaiveForecaster().fit(wide(3000))
    model.save(tmp_path / "m")
    pd.testing.assert_frame_equal(load(tmp_path / "m").forecast(), model.forecast())


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([[]] * (MAX_VALUES + 1), "Turn long lists into arrays"),
        ([tsrnn.NaiveForecaster()] * (MAX_OBJECTS + 1), "more than 10000 tables, indexes or estimators"),
        (dict.fromkeys(INTEGERS), "its keys are chosen"),
        (pd.Index(colliding_pairs(100), tupleize_cols=False), "its names or objects are chosen"),
        (np.array(["x" * 100_000, *[""] * 1000]), "bytes of text"),
        (np.zeros((0, 2**28)), "an empty array of shape"),
        (pd.offsets.CustomBusinessDay(holidays=list(np.arange(100_001).astype("M8[D]"))), "100001 holidays"),
    ],
    ids=["values", "objects", "keys", "names", "text", "empty", "holidays"],
)
def test_what_would_be_refused_is_not_saved(value, message, tmp_path):
    with pytest.raises(ArchiveError, match=message):
        tsrnn.NaiveForecaster(target=value).save(tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


def test_a_long_range_is_written_as_numbers(tmp_path):
    index = pd.RangeIndex(MAX_RANGE + 1, name="n")
    tsrnn.NaiveForecaster(target=index).save(tmp_path / "m")
    pd.testing.assert_index_equal(load(tmp_path / "m").target, index, exact=False)


def test_the_count_of_values_is_never_too_small():
    for value in ([], {}, [[], {}, "", 1, [2]], {"a": {"b": [1, 2, {}]}, "c": None}):

        def count(node):
            inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
            return 1 + sum(map(count, inner))

        assert container.count_values(json.dumps(value).encode()) >= count(value) - 1
