"""Permutation importance against scikit-learn and a slow loop, and its display."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.inspection
from inspection_examples import fitted, make_windows
from matplotlib.figure import Figure

from tsrnn import GRURegressor, LSTMRegressor, inspection
from tsrnn.exceptions import NotFittedError
from tsrnn.inspection import PermutationImportanceDisplay, permutation_importance
from tsrnn.metrics import mae


def test_permutation_importance_is_that_of_scikit_learn_on_flat_windows():
    X, _ = make_windows(n=200)
    flat, y = X.reshape(200, -1), X[:, -1, 0] - 0.5 * X[:, -2, 1]
    model = GRURegressor(units=4, learning_rate=0.02, epochs=60, n_steps=6, random_state=0).fit(flat, y)
    ours = permutation_importance(model, flat, y, n_repeats=40, random_state=0)
    theirs = sklearn.inspection.permutation_importance(
        model, flat, y, scoring="neg_root_mean_squared_error", n_repeats=40, random_state=1
    ).importances_mean
    values = ours.sort_values(["lag", "channel"], ascending=[False, True])["importance"].to_numpy()
    np.testing.assert_allclose(values, theirs, rtol=0, atol=0.05 * theirs.max())
    assert values.argmax() == theirs.argmax() == 10


@pytest.mark.parametrize("by", ["both", "lag", "channel"])
def test_permutation_importance_is_that_of_a_slow_loop(by):
    X, y = make_windows()
    model = fitted("gru", X, y)
    table = permutation_importance(model, X, y, by=by, n_repeats=2, metric=mae, random_state=3)
    rng = np.random.RandomState(3)
    rises, before = [], np.abs(model.predict(X) - y).mean()
    for channels in [[0, 1]] if by == "lag" else [[0], [1]]:
        for steps in [range(6)] if by == "channel" else [[step] for step in range(5, -1, -1)]:
            after = []
            for _ in range(2):
                exchanged, order = X.copy(), rng.permutation(np.arange(40))
                for channel in channels:
                    for step in steps:
                        exchanged[:, step, channel] = X[order, step, channel]
                after.append(np.abs(model.predict(exchanged) - y).mean() - before)
            rises.append((np.mean(after), np.std(after)))
    np.testing.assert_allclose(table[["importance", "std"]], rises, atol=1e-6)
    labels = {"both": ["channel", "lag"], "lag": ["lag"], "channel": ["channel"]}[by]
    assert table.columns.tolist() == [*labels, "importance", "std"]


def test_windows_keep_missing_values_when_others_exchange_theirs():
    X, y = make_windows()
    X[:10, :2] = np.nan
    model = fitted("gru", X, y)
    table = permutation_importance(model, X, y, by="lag", random_state=0)
    assert np.isfinite(table["importance"]).all()
    exchanged = inspection.importance._exchange(X, slice(0, 1), slice(None), np.random.RandomState(0))
    np.testing.assert_array_equal(exchanged[:10], X[:10])
    np.testing.assert_array_equal(exchanged[:, 1:], X[:, 1:])
    np.testing.assert_array_equal(np.sort(exchanged[10:, 0, 1]), np.sort(X[10:, 0, 1]))
    assert not np.array_equal(exchanged[10:, 0], X[10:, 0])


def test_importance_of_sequences_leaves_empty_steps_out():
    X, _ = make_windows()
    y = X.cumsum(axis=1)
    X[:10, :2] = np.nan
    model = fitted("gru", X, y, return_sequences=True)
    assert np.isfinite(permutation_importance(model, X, y, by="channel", random_state=0)["importance"]).all()


def test_importance_of_a_forecaster_names_its_columns(forecaster):
    table = permutation_importance(forecaster, by="channel", n_repeats=2, random_state=0)
    assert table["channel"].tolist() == ["load", "wind"]


def test_importance_needs_a_fitted_network():
    X, y = make_windows()
    with pytest.raises(NotFittedError):
        permutation_importance(LSTMRegressor(), X, y)
    with pytest.raises(ValueError, match="by must be one of 'lag', 'channel', 'both', got 'step'"):
        permutation_importance(fitted(X=X, y=y), X, y, by="step")


def test_importance_display_draws_lines_by_lag_and_bars_by_channel(ax):
    X, y = make_windows()
    model = fitted(X=X, y=y)
    display = PermutationImportanceDisplay.from_estimator(model, X, y, random_state=0, ax=ax)
    drawn = [line.get_ydata() for line in ax.get_lines()]
    np.testing.assert_array_equal(np.ravel(drawn), display.importance["importance"])
    bars = PermutationImportanceDisplay.from_estimator(
        model, X, y, by="channel", random_state=0, ax=Figure().subplots()
    )
    assert [bar.get_width() for bar in bars.ax_.patches] == sorted(bars.importance["importance"])
    by_lag = PermutationImportanceDisplay.from_estimator(model, X, y, by="lag", random_state=0, ax=Figure().subplots())
    assert by_lag.ax_.get_legend() is None
