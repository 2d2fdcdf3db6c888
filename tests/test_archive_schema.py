"""A model is saved and loaded if it is all that its class says, and nothing else: any other file is refused."""

from __future__ import annotations

import copy
import inspect
import traceback
import warnings
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from archive_files import load_or_refuse, npy, pack, save_unchecked, unpack
from write_archives import MODELS, answers, table

import tsrnn
from tsrnn._archive import ESTIMATORS
from tsrnn._archive.schema import added, integer, none_or, optional, schema_of, unsaved
from tsrnn.exceptions import ArchiveError
from tsrnn.persistence import find_class, load

FILES = sorted((Path(__file__).parent / "data" / "archives_0.1.0").glob("*.tsrnn"))
FITTED = [path for path in FILES if not path.stem.endswith("unfitted")]
#: Those that are quick; all of them are slow.
SOME = {"EchoStateRegressor", "LSTMRegressor-gaps", "NaiveForecaster-numbered", "RegressionForecaster"}


# ---------------------------------------------------------------------- what may change from version to version


class GrowingForecaster(tsrnn.NaiveForecaster):
    """As `NaiveForecaster` may be in a later version."""

    _saved = {
        "n_targets_": added(integer(1), lambda model: len(model.targets_)),
        "fallback_": added(none_or(integer()), None),
        "notes_": optional(integer()),
        "callbacks_": unsaved(()),
    }

    def _from_earlier(self, state):
        state = super()._from_earlier(state)
        if "names_" in state:  # what it was called once
            state["targets_"] = state.pop("names_")
        return state


@pytest.fixture
def growing(monkeypatch):
    monkeypatch.setitem(ESTIMATORS, "GrowingForecaster", __name__)
    model = GrowingForecaster().fit(table()[["a", "b"]])
    model.n_targets_, model.fallback_, model.callbacks_ = 2, 7, [print]
    return model


def test_what_an_earlier_version_did_not_write_is_filled_in(growing, tmp_path):
    del growing.n_targets_, growing.fallback_, growing.callbacks_
    growing.save(tmp_path / "m")
    after = load(tmp_path / "m")
    assert (after.n_targets_, after.fallback_, after.callbacks_) == (2, None, ())
    assert not hasattr(after, "notes_")


def test_what_no_file_can_keep_is_left_out(growing, tmp_path):
    growing.save(tmp_path / "m")
    after = load(tmp_path / "m")
    assert (after.n_targets_, after.fallback_, after.callbacks_) == (2, 7, ())
    assert growing.callbacks_ == [print]
    meta, members = unpack(tmp_path / "m")
    meta["model"]["state"]["callbacks_"] = {"kind": "tuple", "items": []}
    with pytest.raises(ArchiveError, match="cannot have a fitted attribute 'callbacks_'"):
        load(pack(tmp_path / "m", meta, members))


def test_what_was_called_otherwise_is_read_by_its_old_name(growing, tmp_path):
    growing.save(tmp_path / "m")
    meta, members = unpack(tmp_path / "m")
    meta["model"]["state"]["names_"] = meta["model"]["state"].pop("targets_")
    assert load(pack(tmp_path / "m", meta, members)).targets_ == ["a", "b"]


def test_a_model_that_is_half_fitted_is_not_saved(tmp_path):
    model = tsrnn.NaiveForecaster().fit(table()[["a"]])
    del model.sigma_
    with pytest.raises(ArchiveError, match="cannot save NaiveForecaster: a fitted NaiveForecaster needs 'sigma_'"):
        model.save(tmp_path / "m")


@pytest.mark.parametrize("name", ESTIMATORS)
def test_no_attribute_of_a_file_hides_a_method_or_property(name):
    cls = find_class(name)
    schema = schema_of(cls)
    assert schema
    assert not [attribute for attribute in schema if inspect.getattr_static(cls, attribute, None) is not None]


# ---------------------------------------------------------------------- what may stand in an attribute


@pytest.mark.parametrize(
    ("name", "attribute", "value", "message"),
    [
        ("NaiveForecaster", "targets_", ["a", "a"], "targets_ is .*, where a list of different column names"),
        ("NaiveForecaster", "targets_", ["b", "a"], "data_ does not have the columns"),
        ("NaiveForecaster", "targets_", [True, False], "list of different column names"),
        ("NaiveForecaster", "container_", "series", "container_ is 'series', and there are 2 targets"),
        ("NaiveForecaster", "container_", "table", "where one of 'frame', 'series', 'array' belongs"),
        ("NaiveForecaster", "origin_", pd.Timestamp("2024-01-02"), "origin_ is 2024-01-02"),
        ("NaiveForecaster", "origin_", pd.Timestamp("2024-01-01", tz="UTC"), "origin_ is"),
        ("NaiveForecaster", "data_", table()[["a", "b"]].astype("float32"), "not of float64"),
        ("NaiveForecaster", "data_", table()[["a", "b"]].iloc[::-1], "sorted newest first"),
        ("NaiveForecaster", "data_", table()[["a", "b"]].iloc[:0], "data_ has no rows"),
        ("NaiveForecaster", "data_", table()[["a", "b"]] * np.inf, "holds infinity"),
        ("NaiveForecaster", "sigma_", np.zeros(3), "sigma_ has shape"),
        ("NaiveForecaster", "sigma_", np.array([1.0, -1.0]), "sigma_ is negative"),
        ("NaiveForecaster", "target", {}, "target does not name columns"),
        ("SeasonalNaiveForecaster", "season_length_", 161, "longer than 160 rows"),
        ("ARIMAForecaster", "params_", [np.zeros(2), np.zeros(4)], "params_ holds 2 numbers"),
        ("ARIMAForecaster", "converged_", [1, 1], "converged_ is"),
        ("GRUForecaster-residuals", "residuals_", np.zeros((0, 3, 1)), "residuals_ have shape"),
        ("GRUForecaster-residuals", "scale_", np.zeros(1), "scale_ holds numbers that are not positive"),
        ("GRUForecaster-residuals", "strategy", "both", "strategy must be one of"),
        ("GRUForecaster-residuals", "loss", "gaussian", "but a network was trained with 'mae'"),
        ("LSTMForecaster-stopped", "stopped_", tsrnn.NaiveForecaster(), "stopped_ is a NaiveForecaster"),
        ("LSTMRegressor", "n_iter_", True, "n_iter_ is True, where an integer of at least 0 belongs"),
        ("LSTMRegressor", "history_", {"loss": [np.nan]}, "history_ is"),
        ("LSTMRegressor", "units", 0, "units must be an integer of at least 1"),
        ("LSTMRegressor", "random_state", "seed", "'seed' cannot be used to seed"),
        ("GRUForecaster-residuals", "normalize", "x", "normalize must be one of"),
        ("GRUForecaster-residuals", "n_members", -1, "n_members must be an integer of at least 1"),
        ("GRUForecaster-residuals", "early_stopping", table(), "early_stopping must be one of"),
        ("GRUForecaster-residuals", "random_state", 1.5, "1.5 cannot be used to seed"),
        ("EchoStateForecaster", "density", 2, "density must be a number"),
        ("ConvRegressor", "_piece", 3, "only recurrent networks carry their state"),
        ("EchoStateRegressor", "coef_", np.full((14, 3), np.nan), "coef_ is an array of shape"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_does_not_fit_is_named_by_save_and_load_alike(name, attribute, value, message, tmp_path):
    model = load(FILES[0].parent / f"{name}.tsrnn")
    setattr(model, attribute, value)
    with pytest.raises(ArchiveError, match=f"(?s)cannot save .*{message}"):
        model.save(tmp_path / "m")
    save_unchecked(model, tmp_path / "m")
    with pytest.raises(ArchiveError, match=f"(?s)cannot load .*{message}"):
        load(tmp_path / "m")


def test_weights_that_are_no_numbers_are_refused(tmp_path):
    for number in (np.nan, np.inf):
        model = load(FILES[0].parent / "LSTMRegressor.tsrnn")
        model.weights_[0][0, 0] = number
        with pytest.raises(ArchiveError, match="weights_ is .*, where a list, each an array of finite float32 belongs"):
            model.save(tmp_path / "m")


# ---------------------------------------------------------------------- any change of any field


def new(values) -> dict:
    """Return a node that stands for a new array."""
    return {"kind": "new array", "values": values}


HOURS = {"kind": "datetime_index", "stamps": new(np.array([0, 3600, 7200])), "unit": "s", "zone": None, "freq": None}
NAMES = {"kind": "label_index", "dtype": "object", "items": ["a"], "name": None}
RANGE = {"kind": "range_index", "start": 0, "stop": 3, "step": 1, "name": None}
PLAIN = [None, True, -1, 0, 1, 3, 2**40, 0.5, 1e300, "", "x", "last", "auto", [], [1], ["a", "b"], [None], [[]]]
JUNK = [
    *PLAIN,
    *({"kind": "float", "value": value} for value in ("nan", "inf")),
    *({"kind": "tuple", "items": items} for items in ([], [1], [1, 2], ["a", 1])),
    *({"kind": "dict", "items": items} for items in ([], [["loss", [1.0]]], [["a", None]])),
    *(new(np.ones(shape)) for shape in ((), 0, 1, 2, 3, (2, 2), (5, 3, 1), (0, 3, 1))),
    *(new(np.ones(2).astype(dtype)) for dtype in ("float32", "int64", "bool")),
    *(new(np.full(shape, np.nan)) for shape in (1, 2, (5, 3, 1))),
    {"kind": "scalar", "dtype": "<f8", "hex": np.float64(0.5).tobytes().hex()},
    {"kind": "scalar", "dtype": "<i8", "hex": np.int64(3).tobytes().hex()},
    {"kind": "nat"},
    {"kind": "timestamp", "value": 1_700_000_000, "unit": "s", "zone": None},
    {"kind": "timedelta", "value": 1, "unit": "s"},
    *({"kind": "offset", "freq": freq} for freq in ("h", "D", "MS")),
    NAMES,
    RANGE,
    {"kind": "series", "values": new(np.ones(3)), "index": RANGE, "name": "a"},
    {"kind": "frame", "values": new(np.ones((3, 1))), "index": HOURS | {"name": None}, "columns": NAMES},
    *({"kind": "estimator", "class": name, "params": {}, "state": {}} for name in ("NaiveForecaster", "LSTMRegressor")),
    {"kind": "objects", "shape": [1], "items": ["a"]},
    {"kind": "text", "shape": [1], "items": ["a"]},
]


def named_fields(node, path=()):
    """Yield the path of each parameter, attribute and field of a dataclass, those of like objects once."""
    if isinstance(node, dict):
        for part in ("params", "state", "fields"):
            yield from (
                (*path, part, name) for name in node.get(part, ()) if node["kind"] in ("estimator", "dataclass")
            )
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, item in inner:
        yield from named_fields(item, (*path, key))


def distinct_fields(meta) -> list:
    by_names = {tuple(key for key in path if not isinstance(key, int)): path for path in named_fields(meta)}
    return list(by_names.values())


def with_field(meta, path, node) -> dict:
    """Return the JSON with another node at this place; without it for ..."""
    meta = copy.deepcopy(meta)
    holder = meta
    for key in path[:-1]:
        holder = holder[key]
    if node is ...:
        del holder[path[-1]]
    else:
        holder[path[-1]] = node
    return meta


def assembled(meta, members) -> tuple[dict, list[bytes]]:
    """Number the arrays that the JSON refers to, the new ones among them."""
    arrays: list[bytes] = []

    def walk(node):
        if isinstance(node, list):
            return [walk(item) for item in node]
        if not isinstance(node, dict):
            return node
        if node.get("kind") in ("array", "new array"):
            arrays.append(members[node["member"]] if node["kind"] == "array" else npy(node["values"]))
            return {"kind": "array", "member": len(arrays) - 1}
        return {key: walk(item) for key, item in node.items()}

    return walk(meta), arrays


def is_ours(exc: Exception) -> bool:
    """Say whether an error is one that tsrnn raises in words, and not what went wrong inside."""
    where = traceback.extract_tb(exc.__traceback__)[-1].filename
    return isinstance(exc, (ValueError, TypeError)) and "/tsrnn/" in where


def update(model):
    stamps = model.grid_.future(model.data_.index[-1], 2)
    return model.update(pd.DataFrame(1.0, stamps, model.data_.columns)).forecast()


def cutoffs(model):
    return model.predict_cutoffs(2, model.data_, model.data_.index[-6:-3], 0.8)


METHODS = {
    # Intervals among the answers, where no network is trained for them.
    "get_params": [repr, lambda model: model._repr_html_(), answers],
    "summary": [lambda model: model.summary()],
    "stream": [lambda model: model.stream().update(np.ones(2))],
    "predict_cutoffs": [cutoffs],
    "forecast": [lambda model: model.forecast()],
    "update": [update],
}


def use(model) -> None:
    """Call what a loaded model has; an error is to be one in words."""
    for name, calls in METHODS.items():
        for call in calls if hasattr(model, name) else ():
            try:
                call(model)
            except Exception as exc:
                if not is_ours(exc):
                    raise


def check_changes(path, tmp_path, share: int) -> None:
    """Drop each field, and replace it by every so many of the junk, by others for others."""
    meta, members = unpack(path)
    used = 0
    for field in distinct_fields(meta):
        first = zlib.crc32("/".join(map(str, field)).encode()) % share
        for node in [..., *JUNK[first::share]]:
            pack(tmp_path / "m", *assembled(with_field(meta, field, node), members))
            model = load_or_refuse(tmp_path / "m")
            if model is not None:
                used += 1
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    use(model)
    assert used


@pytest.mark.parametrize("path", [path for path in FITTED if path.stem in SOME], ids=lambda path: path.stem)
def test_a_file_with_another_field_is_refused_or_works(path, tmp_path):
    check_changes(path, tmp_path, share=len(JUNK))


@pytest.mark.slow
@pytest.mark.parametrize("path", FITTED, ids=lambda path: path.stem)
def test_each_file_with_any_other_field_is_refused_or_works(path, tmp_path):
    check_changes(path, tmp_path, share=len(JUNK) // 2)


def test_a_forecaster_whose_networks_do_not_count_windows_has_a_summary(tmp_path):
    meta, members = unpack(FILES[0].parent / "LSTMForecaster-stopped.tsrnn")
    for path in list(named_fields(meta)):
        if path[-1] == "n_windows_":
            meta = with_field(meta, path, ...)
    assert load(pack(tmp_path / "m", meta, members)).summary()["per_window"].isna().all()


NEW = [name for name in MODELS if not any(path.stem == name for path in FILES)]


@pytest.mark.parametrize("name", NEW)
def test_new_files_with_another_field_are_refused_or_work(name, tmp_path):
    MODELS[name]().save(tmp_path / name)
    check_changes(tmp_path / name, tmp_path, share=len(JUNK))
