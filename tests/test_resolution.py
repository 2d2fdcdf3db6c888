"""What float32 can hold of the values that users pass: warned about, or refused, in true words."""

import warnings

import numpy as np
import pytest

from tsrnn.engine.resolution import warn_of_rounded_windows
from tsrnn.exceptions import CapacityWarning, PrecisionWarning
from tsrnn.regressors import EchoStateRegressor, GRURegressor
from tsrnn.windows import WindowArray

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.exceptions.CapacityWarning")


def regressor(**changes):
    return GRURegressor(**{"units": 3, "epochs": 2, "random_state": 0, **changes})


def around(level, movement=1.0, shape=(60, 5, 2), seed=0):
    return level + movement * np.random.default_rng(seed).normal(size=shape)


ROUNDED = {
    "far from zero": around(1e9),
    "one column": np.concatenate([around(0), around(-3e8)], axis=2),
    "an outlier does not hide it": np.where(np.arange(300).reshape(60, 5, 1) == 7, 0, around(1e9)),
    "whole numbers": (10**9 + np.arange(600) % 7).reshape(60, 5, 2),
    "two values": np.where(around(0) > 0, 2.0**30, 2.0**30 + 1),
    "rarely another value": np.where(around(0) > 1.5, 2.0**30, 2.0**30 + 1),
    "too small": around(0, 1e-310),
    "gaps": np.where(around(0, seed=1) > 1, np.nan, around(1e9)),
}
KEPT = {
    "around zero": around(0),
    "large and small": around(0, 1e30),
    "small": around(0, 1e-30),
    "prices": around(1e5, 10),
    "a walk": 1e6 + np.random.default_rng(0).normal(size=(60, 5, 2)).cumsum(axis=0),
    "constant": np.full((60, 5, 2), 1e9 + 0.3),
    "a column without a value": np.concatenate([around(0), np.full((60, 5, 1), np.nan)], axis=2),
    "whole numbers": (2**23 + np.arange(600) % 7).reshape(60, 5, 2),
    "counts up to 2**24": np.arange(600).reshape(60, 5, 2) * 27000,
    "an outlier": np.where(np.arange(300).reshape(60, 5, 1) == 7, 1e12, around(0)),
    "float32 itself": around(1e9).astype(np.float32),
}


def warned(f):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always", PrecisionWarning)
        warnings.simplefilter("ignore", CapacityWarning)
        f()
    return [str(warning.message) for warning in seen if warning.category is PrecisionWarning]


def lag_windows(X, **options):
    return WindowArray(X.reshape(-1, X.shape[2]), np.arange(0, len(X) * X.shape[1], X.shape[1]), X.shape[1], **options)


@pytest.mark.parametrize("form", [np.asarray, list, lag_windows, lambda X: [x[i % 3 :] for i, x in enumerate(X)]])
@pytest.mark.parametrize("name", [*ROUNDED, *(f"kept: {name}" for name in KEPT)])
def test_windows_that_float32_cannot_tell_apart_are_warned_about_and_no_others(name, form):
    X = form(KEPT[name[6:]] if name.startswith("kept: ") else ROUNDED[name])
    said = warned(lambda: warn_of_rounded_windows(regressor()._read_windows(X, reset=True)))
    assert len(said) == (not name.startswith("kept: "))
    assert all("float32" in words and "offset=" in words and "StandardScaler" in words for words in said)


def test_the_warning_names_column_movement_level_and_step():
    X = np.concatenate([around(0), around(1e9)], axis=2)
    (words,) = warned(lambda: regressor(units=2).fit(X, X[:, -1, 0]))
    assert "column 2 of X apart: they move by 0.7" in words and "around 1e+09, where its numbers are 64 apart" in words


def test_a_level_of_each_window_is_the_way_out():
    X = around(1e9)
    level = X[:, -1]
    y = (X[:, -1] - X[:, -2])[:, 0]
    assert warned(lambda: regressor().fit(lag_windows(X, offset=level), y)) == []
    assert len(warned(lambda: regressor().fit(lag_windows(X, offset=level * 0), y))) == 1


@pytest.mark.parametrize("shape", [(60,), (60, 3), (60, 2, 2)])
def test_targets_that_float32_cannot_tell_apart_are_warned_about(shape):
    X = around(0)
    for y, times in ((around(1e9, shape=shape), 1), (around(0, 1e-310, shape), 1), (around(1e3, shape=shape), 0)):
        said = warned(lambda y=y: regressor(units=2).fit(X, y))
        assert len(said) == times and all("of y apart" in words or "values of y" in words for words in said)
    long = around(1e9, shape=(1, 500))
    assert len(warned(lambda: regressor(return_sequences=True).fit(around(0, shape=(1, 500, 1)), long))) == 1


@pytest.mark.parametrize("value", [1e39, -1e200])
@pytest.mark.parametrize("cls", [GRURegressor, EchoStateRegressor])
def test_values_too_large_for_float32_are_refused_in_true_words(cls, value):
    X = around(0)
    y = X[:, -1, 0].copy()
    wrong = X.copy()
    wrong[3, 2, 1] = value
    model = cls(random_state=0)
    for form in (np.asarray, lag_windows):
        with pytest.raises(
            ValueError, match=r"X contains a value too large for float32.*1e\+.*at most 3.4e\+38"
        ) as caught:
            model.fit(form(wrong), y)
        assert "infinity" not in str(caught.value)
    y[3] = value
    with pytest.raises(ValueError, match="y contains a value too large for float32"):
        model.fit(X, y)
    with pytest.raises(ValueError, match="infinity"):
        model.fit(lag_windows(np.where(wrong == value, np.inf, X)), X[:, -1, 0])


def test_values_that_are_too_large_only_without_their_level_are_fine():
    X = around(1e100, 1e90)
    scale = np.full((60, 2), 1e90)
    y = around(0, shape=(60,))
    windows = lag_windows(X, offset=X[:, -1], scale=scale)
    assert np.isfinite(regressor().fit(windows, y).predict(windows)).all()
    with pytest.raises(ValueError, match="less its offset and divided by its scale, contains a value too large"):
        regressor().fit(lag_windows(X, offset=X[:, -1]), y)


@pytest.mark.parametrize("size", [1e-30, 1e-10, 1e10, 1e18])
def test_values_of_any_size_that_float32_holds_are_trained_on_or_refused_in_true_words(size):
    X = around(0, size)
    try:
        model = regressor(units=2).fit(X, around(0, shape=(60,)))
    except FloatingPointError as exc:
        assert "check that X and y are scaled" in str(exc)
    else:
        assert np.isfinite(model.predict(X)).all()
