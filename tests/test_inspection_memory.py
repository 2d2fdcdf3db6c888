"""Effective memory against equations and a slow loop, and its display."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from inspection_examples import fitted, linear_elman, make_windows
from matplotlib.figure import Figure

from tsrnn.inspection import EffectiveMemoryDisplay, effective_memory, memory_reach


def test_effect_of_a_change_fades_in_elmans_network_as_the_equations_say():
    model, X, _ = linear_elman(0.3)  # windows of zeros: the change is 1 in their unit
    effects = [np.tanh(1.0)]
    while len(effects) < 6:
        effects.append(np.tanh(0.3 * effects[-1]))
    memory = effective_memory(model, X)
    np.testing.assert_allclose(memory["effect"], effects, rtol=1e-5)
    # effects are 0.76, 0.22, 0.068, 0.020, 0.0061, 0.0018: the last two are below 1 % of the first
    assert memory_reach(memory).to_dict("records") == [{"channel": 0, "reach": 4, "length": 6}]


@pytest.mark.parametrize("params", [{}, {"return_sequences": True}, {"loss": "pinball"}])
def test_effects_are_those_of_a_slow_loop(params, monkeypatch):
    monkeypatch.setattr("tsrnn.inspection.memory.BLOCK_VALUES", 700)  # several blocks of lags
    X, y = make_windows()
    X[0, 5, 1] = np.nan
    sequences = "return_sequences" in params
    model = fitted("gru", X, np.nan_to_num(X).cumsum(axis=1) if sequences else y, **params)

    def last(predictions):
        return predictions[:, -1] if sequences else predictions

    memory = effective_memory(model, X, size=0.5, max_windows=1000)
    for channel in (0, 1):
        for lag in range(6):
            changed = X.copy()
            changed[:, 5 - lag, channel] += 0.5 * np.nanstd(X[..., channel])
            moved = np.abs(last(model.predict(changed)) - last(model.predict(X))).mean(axis=1)
            expected = moved[~np.isnan(X[:, 5 - lag, channel])].mean()
            row = memory[(memory["channel"] == channel) & (memory["lag"] == lag)]
            assert row["effect"].item() == pytest.approx(expected, rel=1e-3, abs=1e-6)


def test_a_value_that_no_window_holds_has_no_effect():
    X, y = make_windows()
    X[:, :2] = np.nan
    memory = effective_memory(fitted("gru", X, y), X)
    assert np.isnan(memory["effect"]).tolist() == [False] * 4 + [True] * 2 + [False] * 4 + [True] * 2
    assert memory_reach(memory)["reach"].max() <= 4


def test_effective_memory_of_a_forecaster_names_its_columns(forecaster):
    memory = effective_memory(forecaster, network=1, max_windows=20)
    assert memory["channel"].tolist() == ["load"] * 12 + ["wind"] * 12
    assert memory["lag"].tolist() == list(range(12)) * 2


def test_a_change_must_be_above_zero():
    X, y = make_windows()
    with pytest.raises(ValueError, match=r"size must be a number in \(0, inf\), got 0"):
        effective_memory(fitted(X=X, y=y), X, size=0)


def test_effective_memory_display_draws_lines_or_a_map(ax):
    X, y = make_windows()
    display = EffectiveMemoryDisplay.from_estimator(fitted(X=X, y=y), X, ax=ax)
    drawn = [line.get_ydata() for line in ax.get_lines()]
    np.testing.assert_array_equal(np.ravel(drawn), display.memory["effect"])
    many = pd.DataFrame(
        {"channel": np.repeat(list("hgfedcba"), 3), "lag": list(range(3)) * 8, "effect": np.arange(24.0)}
    )
    other = Figure().subplots()
    EffectiveMemoryDisplay(many).plot(other)
    np.testing.assert_array_equal(other.collections[0].get_array(), np.arange(24.0).reshape(8, 3))
    assert [label.get_text() for label in other.get_yticklabels()] == list("hgfedcba")


def test_where_nothing_has_an_effect_the_display_says_so(ax):
    memory = pd.DataFrame({"channel": "load", "lag": range(3), "effect": 0.0})
    EffectiveMemoryDisplay(memory).plot(ax)
    assert [text.get_text() for text in ax.texts] == ["0 at every lag"]
    assert memory_reach(memory)["reach"].item() == 0
    ax.figure.savefig(io.BytesIO())
