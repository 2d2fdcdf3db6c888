"""The linear part of the forecasters, against scikit-learn."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from tsrnn.forecasters import linear
from tsrnn.forecasters.linear import PENALTIES, fit_linear
from tsrnn.windows import WindowArray


def example(n=400, n_steps=6, n_features=2, horizon=3, seed=0, offset=True):
    rng = np.random.default_rng(seed)
    base = rng.normal(size=(n + n_steps + horizon, n_features)).cumsum(axis=0).astype(np.float32)
    starts = np.arange(n)
    level = base[starts + n_steps - 1]
    windows = WindowArray(base, starts, n_steps, level if offset else None)
    y = np.stack([base[starts + n_steps + h, 0] for h in range(horizon)], axis=1) - level[:, :1]
    return windows, y + 0.5 * np.asarray(windows)[:, 0, :1]


def test_it_is_ridge_regression_with_the_best_of_the_penalties():
    windows, y = example()
    X = np.asarray(windows, dtype=float).reshape(len(windows), -1)
    fitted = fit_linear(windows[:300], y[:300], (windows[300:], y[300:]))
    unit = np.linalg.eigvalsh(np.cov(X[:300].T, bias=True)).mean()
    models = [Ridge(penalty * unit * 300).fit(X[:300], y[:300]) for penalty in PENALTIES]
    best = min(models, key=lambda model: np.abs(model.predict(X[300:]) - y[300:]).mean())
    np.testing.assert_allclose(fitted.coef, best.coef_.T, atol=1e-4)
    np.testing.assert_allclose(fitted.predict(windows), best.predict(X), atol=1e-4)


def test_blocks_change_nothing(monkeypatch):
    windows, y = example()
    whole = fit_linear(windows[:300], y[:300], (windows[300:], y[300:]))
    monkeypatch.setattr(linear, "BLOCK_VALUES", 100)
    parts = fit_linear(windows[:300], y[:300], (windows[300:], y[300:]))
    np.testing.assert_allclose(parts.coef, whole.coef, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(parts.predict(windows), whole.predict(windows), rtol=1e-4, atol=1e-5)


def test_windows_without_all_targets_are_left_out():
    windows, y = example()
    y[10:200:3, 1] = np.nan
    keep = np.flatnonzero(~np.isnan(y[:300]).any(axis=1))
    fitted = fit_linear(windows[:300], y[:300], (windows[300:], y[300:]))
    expected = fit_linear(windows[keep], y[keep], (windows[300:], y[300:]))
    np.testing.assert_array_equal(fitted.coef, expected.coef)


def test_a_missing_value_counts_as_the_level():
    windows, y = example()
    fitted = fit_linear(windows[:300], y[:300], (windows[300:], y[300:]))
    X = np.asarray(windows[:1]).copy()
    X[0, 2, 1] = 0
    base = windows.base.copy()
    base[2, 1] = np.nan
    gap = WindowArray(base, windows.starts[:1], windows.n_steps, windows.offset[:1])
    np.testing.assert_allclose(fitted.predict(gap), X.reshape(1, -1) @ fitted.coef + fitted.intercept, rtol=1e-5)


@pytest.mark.parametrize("what", ["window", "targets"])
def test_there_is_none_for_windows_too_large_or_targets_too_few(monkeypatch, what):
    windows, y = example()
    if what == "window":
        monkeypatch.setattr(linear, "LARGEST_WINDOW", 11)
    else:
        y[:299] = np.nan
    assert fit_linear(windows[:300], y[:300], (windows[300:], y[300:])) is None


def test_more_windows_than_enough_are_thinned_out(monkeypatch):
    windows, y = example()
    monkeypatch.setattr(linear, "ENOUGH_WINDOWS", 100)
    fitted = fit_linear(windows[:300], y[:300], (windows[300:], y[300:]))
    monkeypatch.undo()
    expected = fit_linear(windows[:300:3], y[:300:3], (windows[300:], y[300:]))
    np.testing.assert_array_equal(fitted.coef, expected.coef)


def test_without_held_out_windows_the_last_tenth_chooses_and_all_are_fitted():
    windows, y = example()
    chosen = fit_linear(windows, y, gap=2)
    X = np.asarray(windows, dtype=float).reshape(len(windows), -1)
    first = [linear._ridge_path(windows[:358], y[:358], np.array([penalty]))[0] for penalty in PENALTIES]
    error = [np.abs(part.predict(windows[360:]) - y[360:]).mean() for part in first]
    unit = np.linalg.eigvalsh(np.cov(X.T, bias=True)).mean()
    expected = Ridge(PENALTIES[int(np.argmin(error))] * unit * len(X)).fit(X, y)
    np.testing.assert_allclose(chosen.coef, expected.coef_.T, atol=1e-4)
