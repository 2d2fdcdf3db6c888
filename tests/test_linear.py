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


def test_each_step_is_fitted_to_the_windows_whose_target_is_there():
    windows, y = example(n=4000)
    fitted = fit_linear(windows[:3000], y[:3000], (windows[3000:], y[3000:]))
    holes = y.copy()
    holes[1500:3000, 1] = np.nan
    sparse = fit_linear(windows[:3000], holes[:3000], (windows[3000:], y[3000:]))
    np.testing.assert_allclose(sparse.coef[:, [0, 2]], fitted.coef[:, [0, 2]], rtol=1e-5)
    # the other step: Sxx of all windows, Sxy and means of those that have it
    X = np.asarray(windows, dtype=float).reshape(len(windows), -1)
    gram, seen = np.cov(X[:3000].T, bias=True), slice(0, 1500)
    moment = ((X[seen] - X[seen].mean(axis=0)) * (y[seen, 1] - y[seen, 1].mean())[:, None]).mean(axis=0)
    gram += sparse.penalty * np.linalg.eigvalsh(gram).mean() * np.eye(len(gram))
    coef = np.linalg.solve(gram, moment)
    np.testing.assert_allclose(sparse.coef[:, 1], coef, atol=1e-4)
    assert sparse.intercept[1] == pytest.approx(y[seen, 1].mean() - X[seen].mean(axis=0) @ coef, abs=1e-4)


def test_for_a_missing_value_stands_the_one_before_it_or_the_level():
    windows, y = example()
    fitted = fit_linear(windows[:300], y[:300], (windows[300:], y[300:]))
    X = np.asarray(windows[:1]).copy()
    X[0, 0, 0] = 0
    X[0, 2:4, 1] = X[0, 1, 1]
    base = windows.base.copy()
    base[0, 0] = base[2:4, 1] = np.nan
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
