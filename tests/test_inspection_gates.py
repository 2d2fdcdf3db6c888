"""Gates and states: what the tables hold is what the networks compute, and the display draws the tables."""

from __future__ import annotations

import numpy as np
import pytest
from inspection_examples import fitted, make_windows
from matplotlib.figure import Figure

from tsrnn.inspection import GateDisplay, gate_trace
from tsrnn.inspection._source import find_network


@pytest.mark.parametrize(
    ("cell", "columns"),
    [
        ("lstm", ["input", "forget", "output", "candidate", "c", "h"]),
        ("gru", ["update", "reset", "candidate", "h"]),
        ("simple_rnn", ["h"]),
    ],
)
def test_gates_have_a_row_for_each_layer_direction_step_and_unit(cell, columns):
    X, y = make_windows()
    model = fitted(cell, X, y, units=(3, 2), bidirectional=True, segment=2)
    table = gate_trace(model, X, index=4)
    assert table.columns.tolist() == ["layer", "direction", "lag", "unit", *columns]
    sizes = table.groupby(["layer", "direction"]).size()
    assert sizes.to_dict() == {(1, "forward"): 9, (1, "backward"): 9, (2, "forward"): 6, (2, "backward"): 6}
    assert table.loc[table["layer"] == 2, "lag"].tolist() == [4, 4, 2, 2, 0, 0] * 2


def test_the_last_hidden_state_of_the_chosen_window_makes_the_prediction():
    X, y = make_windows()
    model = fitted("gru", X, y)
    for index in (0, 7, -2):
        table = gate_trace(model, X, index=index)
        last = table.loc[table["lag"] == 0, "h"].to_numpy()
        np.testing.assert_allclose(last @ model.weights_[-2] + model.weights_[-1], model.predict(X)[index], atol=1e-6)


def test_states_follow_from_the_gates_that_are_shown():
    X, y = make_windows()
    wide = gate_trace(fitted(X=X, y=y), X).pivot(index="lag", columns="unit").sort_index(ascending=False)
    c = wide["forget"] * wide["c"].shift(fill_value=0.0) + wide["input"] * wide["candidate"]
    np.testing.assert_allclose(wide["c"], c, rtol=1e-12)
    np.testing.assert_allclose(wide["h"], wide["output"] * np.tanh(wide["c"]), rtol=1e-12)


def test_gates_of_a_forecaster_are_those_of_its_newest_window(forecaster):
    network, part = find_network(forecaster, 1)
    values = forecaster.data_.to_numpy()
    windows, _ = forecaster._windows(forecaster._scaled(values), np.array([len(values) - 1]))
    table = gate_trace(forecaster, network=1)
    last = table.loc[table["lag"] == 0, "h"].to_numpy()
    expected = network.predict(part.view(windows)[0])[0]
    np.testing.assert_allclose(last @ network.weights_[-2] + network.weights_[-1], expected, atol=1e-6)


@pytest.mark.parametrize("index", [40, -41])
def test_a_window_that_is_not_there_is_refused(index):
    X, y = make_windows()
    with pytest.raises(IndexError, match=f"one of 40 windows, from -40 to 39, got {index}"):
        gate_trace(fitted(X=X, y=y), X, index=index)


def test_gate_display_draws_the_tables_of_one_layer(ax):
    X, y = make_windows()
    display = GateDisplay.from_estimator(fitted(X=X, y=y, units=(3, 2)), X, layer=2, ax=ax)
    titles = ["forget gate", "input gate", "output gate", "memory cell c", "hidden state h"]
    assert [axes.get_title(loc="left") for axes in display.axes_] == titles
    rows = display.gates[display.gates["layer"] == 2]
    (mesh,) = display.axes_[0].collections
    expected = rows.pivot(index="unit", columns="lag", values="forget")
    np.testing.assert_array_equal(mesh.get_array(), expected[[5, 4, 3, 2, 1, 0]])
    drawn = [line.get_ydata() for line in display.axes_[-1].get_lines()[:2]]
    np.testing.assert_array_equal(drawn, rows.pivot(index="unit", columns="lag", values="h")[[5, 4, 3, 2, 1, 0]])
    assert display.axes_[-1].get_xlim() == (5.5, -0.5)


def test_gate_display_takes_one_axes_for_each_panel():
    X, y = make_windows()
    display = GateDisplay(gate_trace(fitted("gru", X, y, bidirectional=True), X))
    axes = Figure().subplots(3)
    assert display.plot(axes, direction="backward") is display
    assert display.axes_ == list(axes)
    with pytest.raises(ValueError, match="ax must be one Axes or 3 of them"):
        display.plot(axes[:2])
    with pytest.raises(ValueError, match="layer must be an integer from 1 to 1, got 2"):
        display.plot(axes, layer=2)
    with pytest.raises(ValueError, match="direction must be one of 'forward', 'backward', got 'both'"):
        display.plot(axes, direction="both")
