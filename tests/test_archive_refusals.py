"""What is not data is not saved: it is refused by name, and nothing is written."""

from __future__ import annotations

import types

import dateutil.tz
import numpy as np
import pandas as pd
import pytest
from saved_models import HoldingForecaster, hours
from sklearn.linear_model import Ridge

import tsrnn
from tsrnn._archive import container, encode
from tsrnn.exceptions import ArchiveError
from tsrnn.forecasters.base import BaseForecaster

pytestmark = pytest.mark.usefixtures("holding_forecaster_is_listed")


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
