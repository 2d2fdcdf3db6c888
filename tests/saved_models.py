"""Models to save, what is in their files, and whether what comes back is the same."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd

from tsrnn._archive.schema import instance, optional
from tsrnn.forecasters.naive import NaiveForecaster


class HoldingForecaster(NaiveForecaster):
    """Repeats the last value, and holds whatever a test gives it."""

    _saved = {"inner_": optional(instance(list))}

    def __init__(self, target=None, freq=None, inner=None, extra=None):
        self.target = target
        self.freq = freq
        self.inner = inner
        self.extra = extra


def hours(n=72, **kwargs) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    index = pd.date_range("2024-03-29", periods=n, **({"freq": "h"} | kwargs))
    return pd.DataFrame({"temp": rng.normal(size=n), "wind": rng.normal(size=n)}, index=index)


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


def meta_of(extra=None, **model) -> dict:
    """What is in the meta.json of an unfitted model whose parameter `extra` is this node."""
    node = {"kind": "estimator", "class": "HoldingForecaster", "params": {"extra": extra}, "state": {}} | model
    return {"format": "tsrnn", "version": 1, "tsrnn": "0.1.0", "model": node}
