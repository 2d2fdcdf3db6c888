"""Looking into fitted networks: which network it is, and that what is read of it is what it computes."""

from __future__ import annotations

import io
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from inspection_examples import REGRESSORS, fitted, hold, make_windows
from matplotlib.figure import Figure

from tsrnn import (
    FeedForwardRegressor,
    GRURegressor,
    KerasRegressor,
    LSTMForecaster,
    LSTMRegressor,
    MinGRURegressor,
    MinLSTMRegressor,
    NaiveForecaster,
    OutputRecurrentRegressor,
    inspection,
)
from tsrnn.inspection import (
    EffectiveMemoryDisplay,
    GateDisplay,
    GradientFlowDisplay,
    effective_memory,
    gate_trace,
    gradient_flow,
    learning_rate_range_test,
    permutation_importance,
    recurrent_spectrum,
)
from tsrnn.inspection._source import channel_names, choose_rows, find_network, read_examples
from tsrnn.networks import FeedbackSpec, FeedForwardSpec, ModelSpec, NetworkSpec, initial_weights


def test_a_forecaster_holds_its_networks_part_by_part(forecaster):
    networks = forecaster.regressor_.networks
    assert len(networks) >= 2
    for i, network in enumerate(networks):
        assert find_network(forecaster, i)[0] is network
    with pytest.raises(
        ValueError, match=f"network must be an integer from 0 to {len(networks) - 1}, got {len(networks)}"
    ):
        find_network(forecaster, len(networks))


def test_examples_of_a_forecaster_are_those_it_was_fitted_on(hourly):
    settings = {"window": 12, "horizon": 3, "units": 4, "epochs": 3, "early_stopping": False, "random_state": 0}
    model = LSTMForecaster("load", linear=True, normalize=True, **settings).fit(hourly[["load"]])
    _, windows, y = read_examples(model, None, None, 0)
    unit = windows.scale[:, :1]
    rows = windows.starts + 12
    values = model._scaled(hourly[["load"]].to_numpy())[:, 0]
    future = values[rows[:, None] + np.arange(3)] - windows.offset
    part = model.regressor_.parts[0]
    plain, _ = model._windows(model._scaled(hourly[["load"]].to_numpy()), rows - 1)
    np.testing.assert_allclose(y * unit + part.linear.predict(plain), future, atol=1e-5)


@pytest.mark.parametrize(
    "params", [{}, {"bidirectional": True, "units": (2, 3)}, {"segment": 4}, {"static_features": (0,)}]
)
@pytest.mark.parametrize("cell", REGRESSORS)
def test_what_is_read_gives_the_predictions_with_gaps_and_shorter_windows(cell, params):
    X, y = make_windows()
    X[3, 2, 1] = X[5, :4] = np.nan
    model = fitted(cell, X, y, **params)
    outputs = inspection._source.run_network(model, X).outputs
    np.testing.assert_allclose(outputs, model.predict(X), atol=2e-6)
    short = inspection._source.run_network(model, X[:, 2:]).outputs
    np.testing.assert_allclose(short, model.predict(X[:, 2:]), atol=2e-6)
    assert model.__network_view__().inputs(X)[0].shape == (40, 6, 3)  # two features and the missing indicator of one


def test_rows_are_spread_over_all_and_end_with_the_last():
    assert choose_rows(10, 4).tolist() == [2, 4, 7, 9]
    assert choose_rows(3, 10).tolist() == [0, 1, 2]


def test_channels_of_a_forecaster_have_the_names_of_its_columns(forecaster):
    assert channel_names(forecaster, find_network(forecaster)[0]) == ["load", "wind"]
    model = fitted()
    assert channel_names(model, model) == [0, 1]


@pytest.mark.parametrize(
    ("estimator", "error", "match"),
    [
        ("LSTM", TypeError, "estimator must be a recurrent regressor or forecaster, got 'LSTM'"),
        (NaiveForecaster(), TypeError, "NaiveForecaster has no recurrent network to look into"),
        (LSTMRegressor(), ValueError, "not fitted"),
    ],
)
def test_what_has_no_network_is_refused(estimator, error, match, hourly):
    if isinstance(estimator, NaiveForecaster):
        estimator.fit(hourly)
    with pytest.raises(error, match=match):
        gate_trace(estimator)


def test_a_model_written_in_keras_is_refused():
    model = KerasRegressor(lambda: None)
    hold(model, ModelSpec("", None, 1, 1, (), 0, model.build, {}))
    with pytest.raises(TypeError, match="holds a model that was written in Keras"):
        gate_trace(model, np.zeros((1, 2, 1)))


@pytest.mark.parametrize(
    ("model", "spec"),
    [
        (OutputRecurrentRegressor(), FeedbackSpec("dense", (2,), "window", 2, 1, 1, horizon=1)),
        (FeedForwardRegressor(), FeedForwardSpec((3,), 2, 1, 1)),
    ],
    ids=["feedback", "no state"],
)
def test_networks_whose_states_are_not_traced_are_refused(model, spec):
    hold(model, spec)
    with pytest.raises(TypeError, match=f"of a {type(model).__name__} are not traced.*permutation_importance"):
        gate_trace(model, np.zeros((1, 2, 1)))


@pytest.mark.parametrize(
    ("cell", "axes"),
    [
        ("lstm", {"peephole": True, "transition_depth": 2}),
        ("gru", {"residual": True, "units": (3, 3), "bidirectional": True, "merge_mode": "ave"}),
        ("simple_rnn", {"units": (3, 3), "input_layers": (4,), "output_layers": (4,), "dilation": (1, 2)}),
        ("min_gru", {}),
        ("min_lstm", {"bidirectional": True}),
    ],
    ids=str,
)
def test_networks_that_keras_computes_can_be_looked_into(cell, axes, ax):
    X, y = make_windows()
    X[5, :4] = np.nan
    model = fitted("gru", X, y)
    model._spec = spec = NetworkSpec(cell, **{"units": (3,), "n_inputs": 2, "n_outputs": 2} | axes)
    model.weights_ = initial_weights(spec, np.random.default_rng(0))
    gates, flow = gate_trace(model, X, index=5), gradient_flow(model, X, y)
    assert gates["h"].notna().all() and flow["norm"].notna().all()
    empty = gates["lag"] >= 2
    for name in gates.columns.drop(["layer", "direction", "lag", "unit", "h", "c"], errors="ignore"):
        assert (gates[name].isna() == empty).all()
    GateDisplay(gates).plot(ax)


@pytest.mark.parametrize("cell", ["min_gru", "min_lstm"])
def test_a_minimal_cell_has_a_gradient_flow_but_no_recurrent_kernel(cell, ax):
    X, y = make_windows()
    model = {"min_gru": MinGRURegressor, "min_lstm": MinLSTMRegressor}[cell](units=3, random_state=0)
    display = GradientFlowDisplay.from_estimator(model, X, y, ax=ax)
    assert display.spectrum is None and display.text.startswith("Layer 1, forward, hidden state h: reaches")
    hold(model, NetworkSpec(cell, (3,), 2, 2))
    with pytest.raises(ValueError, match=f"cell='{cell}' has no recurrent kernel"):
        recurrent_spectrum(model)


def test_windows_are_needed_with_a_regressor_and_refused_with_a_forecaster(forecaster):
    with pytest.raises(ValueError, match="X must be given with a LSTMRegressor"):
        gate_trace(fitted())
    with pytest.raises(ValueError, match=r"X must hold windows, 3-D or 2-D as in fit, got 1 dimension\(s\)"):
        gate_trace(fitted(), np.zeros(3))
    with pytest.raises(ValueError, match="X and y must be None with a LSTMForecaster"):
        gate_trace(forecaster, np.zeros((1, 12, 2)))


def test_windows_may_be_rows_of_a_table():
    X, y = make_windows()
    table = pd.DataFrame(X.reshape(40, -1), columns=[f"x{i}" for i in range(12)])
    model, plain = (GRURegressor(units=3, n_steps=6, epochs=2, random_state=0).fit(data, y) for data in (table, X))
    pd.testing.assert_frame_equal(gate_trace(model, table, index=3), gate_trace(plain, X, index=3))
    pd.testing.assert_frame_equal(gradient_flow(model, table, y), gradient_flow(plain, X, y))
    pd.testing.assert_frame_equal(effective_memory(model, table), effective_memory(plain, X))
    exchanged = [permutation_importance(*seen, y, random_state=0) for seen in ((model, table), (plain, X))]
    pd.testing.assert_frame_equal(*exchanged)
    tested = [learning_rate_range_test(*seen, y, n_batches=5) for seen in ((model, table), (plain, X))]
    pd.testing.assert_frame_equal(*tested)


@pytest.mark.parametrize("params", [{"n_steps": 1}, {"segment": 12}])
def test_windows_may_be_read_in_one_step(params, ax):
    X, y = make_windows()
    X = X.reshape(40, -1)
    model = LSTMRegressor(units=2, epochs=1, random_state=0, **params).fit(X, y)
    assert (gate_trace(model, X)["lag"] == 0).all()
    GateDisplay.from_estimator(model, X, ax=ax).figure_.savefig(io.BytesIO())
    display = GradientFlowDisplay.from_estimator(model, X, y, ax=Figure().subplots())
    assert display.text.startswith("Layer 1, forward, hidden state h: reaches the whole window.")
    EffectiveMemoryDisplay.from_estimator(model, X, ax=Figure().subplots()).figure_.savefig(io.BytesIO())


def test_inspection_loads_no_matplotlib_and_no_keras():
    code = "import sys, tsrnn; tsrnn.inspection; print({'keras', 'tensorflow', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
