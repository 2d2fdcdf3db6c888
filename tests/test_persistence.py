"""Saved models: what comes back is what was saved, and a save that fails leaves what was there."""

from __future__ import annotations

import dataclasses
import datetime
import errno
import inspect
import io
import json
import math
import os
import zipfile

import numpy as np
import pytest
from saved_models import HoldingForecaster, assert_same, hours
from sklearn.exceptions import NotFittedError

import tsrnn
from tsrnn._archive import DATACLASSES, ESTIMATORS, SaveMixin, container
from tsrnn._archive.tables import is_listed
from tsrnn.exceptions import ArchiveError
from tsrnn.forecasters.naive import NaiveForecaster, SeasonalNaiveForecaster
from tsrnn.forecasters.statistical import ARIMAForecaster
from tsrnn.persistence import find_class, load

pytestmark = pytest.mark.usefixtures("holding_forecaster_is_listed")


# -- models ----------------------------------------------------------------------------------------------------------


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


# -- files -----------------------------------------------------------------------------------------------------------


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
