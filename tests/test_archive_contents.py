"""What an archive says is checked before anything is built from it: metadata, nodes, attributes, arrays of networks."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest
from archive_files import load_or_refuse, npy, pack, places, save_unchecked, unpack
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from saved_models import assert_same, meta_of

import tsrnn
from tsrnn._archive import ESTIMATORS
from tsrnn.exceptions import ArchiveError
from tsrnn.forecasters.base import BaseForecaster
from tsrnn.forecasters.naive import SeasonalNaiveForecaster
from tsrnn.persistence import load

pytestmark = pytest.mark.usefixtures("holding_forecaster_is_listed")


# -- arrays, classes and attributes ----------------------------------------------------------------------------------


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


# -- metadata and nodes ----------------------------------------------------------------------------------------------


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


# -- networks --------------------------------------------------------------------------------------------------------


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


# -- any change ------------------------------------------------------------------------------------------------------


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
