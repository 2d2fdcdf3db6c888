"""Looking into fitted networks: what the tables hold is what the networks compute, and the displays draw the tables."""

from __future__ import annotations

import io
import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
import sklearn.inspection
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
    SimpleRNNRegressor,
    inspection,
)
from tsrnn.engine import Missing
from tsrnn.engine.distributions import n_parameters
from tsrnn.engine.losses import loss_gradient, mean_loss
from tsrnn.exceptions import CapacityWarning, GradientWarning, NotFittedError
from tsrnn.inspection import (
    EffectiveMemoryDisplay,
    GateDisplay,
    GradientFlowDisplay,
    LearningCurveDisplay,
    LearningRateRangeDisplay,
    PermutationImportanceDisplay,
    effective_memory,
    gate_trace,
    gradient_flow,
    gradient_reach,
    learning_curve,
    learning_rate_range_test,
    memory_reach,
    permutation_importance,
    recurrent_spectrum,
    suggest_learning_rate,
)
from tsrnn.inspection._source import channel_names, choose_rows, find_network, read_examples
from tsrnn.metrics import mae
from tsrnn.networks import FeedbackSpec, FeedForwardSpec, ModelSpec, NetworkSpec, initial_weights

mpl.use("Agg")

REGRESSORS = {"lstm": LSTMRegressor, "gru": GRURegressor, "simple_rnn": SimpleRNNRegressor}


@pytest.fixture
def ax():
    return Figure(layout="constrained").subplots()


def make_windows(n=40, n_steps=6, n_features=2, seed=0):
    X = np.random.default_rng(seed).normal(size=(n, n_steps, n_features))
    return X, X[:, -1] * [1.0, -0.5]


def fitted(cell="lstm", X=None, y=None, **params):
    if X is None:
        X, y = make_windows()
    settings = {"units": 3, "epochs": 2, "random_state": 0} | params
    return REGRESSORS[cell](**settings).fit(X, y)


@pytest.fixture(scope="module")
def hourly():
    t = np.arange(300)
    index = pd.date_range("2024-01-01", periods=300, freq="h")
    noise = np.random.default_rng(0).normal(scale=0.1, size=(2, 300))
    return pd.DataFrame({"load": np.sin(t / 4) + noise[0], "wind": np.cos(t / 7) + noise[1]}, index)


@pytest.fixture(scope="module")
def forecaster(hourly):
    params = {"window": 12, "horizon": 3, "units": 4, "epochs": 2, "past_covariates": ["wind"], "random_state": 0}
    return LSTMForecaster("load", n_members=2, **params).fit(hourly)


# -- where the networks come from ------------------------------------------------------------------------------------


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


def hold(model, spec):
    """Give a regressor a network that it was not trained for."""
    model.weights_, model._spec, model._missing = [], spec, Missing(np.zeros(1, np.float32), ())
    model._n_features_per_step, model._target_shape, model._loss, model._quantiles = 1, (1,), "mse", ()


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


# -- gates -----------------------------------------------------------------------------------------------------------


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


# -- gradient flow ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", ["mse", "mae", "huber", "pinball", "gaussian", "student_t"])
def test_loss_gradients_are_finite_differences(loss):
    rng, quantiles = np.random.default_rng(0), (0.1, 0.5, 0.8) if loss == "pinball" else ()
    outputs = rng.normal(size=(3, 2 * n_parameters(loss, quantiles)))
    y = 2 * rng.normal(size=(3, 2))
    y[1, 0] = y[2, 0] = y[2, 1] = np.nan
    gradient = loss_gradient(loss, y, outputs, quantiles)
    assert not gradient[2].any()
    for window in (0, 1):
        for k in range(outputs.shape[1]):
            nudge = np.eye(outputs.shape[1])[[k]] * 1e-6
            above, below = (
                mean_loss(loss, y[[window]], outputs[[window]] + sign * nudge, np.ones(1), quantiles)
                for sign in (1, -1)
            )
            assert gradient[window, k] == pytest.approx((above - below) / 2e-6, rel=1e-6, abs=1e-8)


def linear_elman(W, n_steps=6, n_windows=40):
    """An Elman network of one unit whose state stays 0, so that d h(t+1) / d h(t) is exactly W; and its windows."""
    X, y = np.zeros((n_windows, n_steps, 1)), np.ones(n_windows)
    model = fitted("simple_rnn", X, y, units=1, epochs=1)
    weights = [[[1.0]], [[W]], [0.0], [[1.0]], [0.0]]
    model.weights_ = [np.array(values, np.float32) for values in weights]
    return model, X, y


def test_gradient_of_elmans_network_is_the_closed_form_averaged_over_windows():
    X, y = make_windows()
    model = fitted("simple_rnn", X, y)
    table = gradient_flow(model, X, y, max_windows=1000)
    U, W, b, V, c = (values.astype(float) for values in model.weights_)
    norms = np.zeros(6)
    for window, target in zip(X, y, strict=True):
        states = [np.zeros(3)]
        for x in window:
            states.append(np.tanh(x @ U + states[-1] @ W + b))
        gradient = V @ (states[-1] @ V + c - target)  # d/dh of the mean of two squared errors
        for lag in range(6):
            norms[lag] += np.linalg.norm(gradient) / len(X)
            gradient = W @ ((1 - states[6 - lag] ** 2) * gradient)
    assert table["lag"].tolist() == list(range(6))
    np.testing.assert_allclose(table["norm"], norms, rtol=1e-5)  # windows and targets are read in single precision


def test_a_vanishing_gradient_is_measured_and_said():
    model, X, y = linear_elman(0.2)
    with pytest.warns(GradientWarning, match="of 6 steps it reaches 3, and is below 1 %"):
        flow = gradient_flow(model, X, y)
    np.testing.assert_allclose(flow["norm"], 2 * 0.2 ** np.arange(6.0), rtol=1e-6)
    reach = gradient_reach(flow).iloc[0]
    assert (reach["reach"], reach["length"], reach["growth"]) == (3, 6, 1)
    assert reach["factor"] == pytest.approx(0.2)


def test_an_exploding_gradient_is_measured_and_said():
    model, X, y = linear_elman(3.0)
    with pytest.warns(GradientWarning) as caught:
        flow = gradient_flow(model, X, y)
    said = [str(warning.message) for warning in caught]
    # 1 % of the largest norm, 3^5, is passed at the very last step: all of the window is within reach
    assert said == [words for words in said if "grows to 243 times its norm at the last step" in words]
    assert gradient_reach(flow).iloc[0]["factor"] == pytest.approx(3)
    assert all(warning.filename == __file__ for warning in caught)


def test_a_gradient_that_reaches_everywhere_warns_of_nothing():
    model, X, y = linear_elman(1.0)
    text = GradientFlowDisplay.from_estimator(model, X, y, ax=Figure().subplots()).text
    assert "spectral radius 1, largest singular value 1" in text
    assert text.endswith("The gradient reaches the whole window and does not explode.")


@pytest.mark.parametrize(("W", "words"), [(0.9, "the gradient must vanish"), (1.1, "it can explode")])
def test_spectrum_is_put_into_words(W, words):
    model, X, y = linear_elman(W)
    display = GradientFlowDisplay.from_estimator(model, X, y, ax=Figure().subplots())
    assert f"W: spectral radius {W}, largest singular value {W}: {words}." in display.text


def test_spectrum_of_a_kernel_that_is_not_normal():
    X, y = make_windows()
    model = fitted("simple_rnn", X, y, units=2)
    model.weights_[1] = np.array([[0.5, 3.0], [0.0, 0.5]], np.float32)
    (row,) = recurrent_spectrum(model).to_dict("records")
    assert row["spectral_radius"] == pytest.approx(0.5)
    assert row["largest_singular_value"] == pytest.approx(np.sqrt(4.75 + np.sqrt(4.75**2 - 0.0625)))


def test_spectrum_has_a_row_for_each_block():
    X, y = make_windows()
    table = recurrent_spectrum(fitted("gru", X, y, units=(3, 2), bidirectional=True))
    assert table["block"].tolist() == ["update", "reset", "candidate"] * 4
    assert table["direction"].tolist() == (["forward"] * 3 + ["backward"] * 3) * 2


def test_a_head_of_zeros_lets_no_gradient_through():
    X, y = make_windows()
    with pytest.warns(GradientWarning, match="No gradient reaches the recurrent layers"):
        flow = gradient_flow(LSTMRegressor(units=3, head_initializer="zeros", random_state=0), X, y)
    assert not flow["norm"].any()
    display = GradientFlowDisplay(flow).plot(Figure().subplots())
    assert display.text.splitlines()[0] == "Layer 1, forward, hidden state h: reaches 0 of 6 steps."
    display.figure_.savefig(io.BytesIO())  # nothing to draw on a logarithmic scale is no error


def test_before_training_the_weights_are_those_that_fit_starts_from():
    X, y = make_windows()
    params = {"units": 3, "epochs": 1, "random_state": 7}
    unmoved = GRURegressor(**params, learning_rate=1e-30).fit(X, y)
    expected = gradient_flow(unmoved, X, y)
    trained = GRURegressor(**params, learning_rate=0.1).fit(X, y)
    pd.testing.assert_frame_equal(gradient_flow(GRURegressor(**params), X, y), expected)
    pd.testing.assert_frame_equal(gradient_flow(trained, X, y, fresh=True), expected)
    assert not np.allclose(gradient_flow(trained, X, y)["norm"], expected["norm"])


def test_a_regressor_that_was_not_fitted_stays_so():
    X, y = make_windows()
    model = LSTMRegressor(units=3, random_state=0)
    gradient_flow(model, X, y)
    assert not hasattr(model, "weights_")


def test_lags_count_steps_of_the_window_in_either_direction():
    X, y = make_windows()
    model = fitted("simple_rnn", X, y, bidirectional=True, segment=2, n_iter_no_change=1)
    flow = gradient_flow(model, X, y)
    assert flow.groupby("direction")["lag"].apply(list).to_dict() == {"forward": [0, 2, 4], "backward": [0, 2, 4]}
    # the last state of a direction is what the head reads: d loss / d h = V (o - y) for two targets
    error = model.predict(X) - y
    for rows, direction in ((slice(0, 3), "forward"), (slice(3, 6), "backward")):
        expected = np.linalg.norm(error @ model.weights_[-2][rows].T, axis=1).mean()
        first = flow[(flow["direction"] == direction) & (flow["lag"] == 0)]["norm"]
        assert first.item() == pytest.approx(expected, rel=1e-5)


def test_of_a_sequence_the_last_target_counts():
    X, _ = make_windows()
    y = X.cumsum(axis=1)
    model = fitted("gru", X, y, return_sequences=True)
    last = gradient_flow(model, X, y)
    other = y.copy()
    other[:, :-1] = 99
    pd.testing.assert_frame_equal(gradient_flow(model, X, other), last)
    error = 2 * (model.predict(X)[:, -1] - y[:, -1]) / 2
    expected = np.linalg.norm(error @ model.weights_[-2].T, axis=1).mean()
    assert last["norm"][0] == pytest.approx(expected, rel=1e-5)


def test_steps_that_are_empty_do_not_count():
    X, y = make_windows()
    X[:20, :3] = np.nan
    model = fitted("simple_rnn", X, y)
    flow = gradient_flow(model, X, y, max_windows=40)
    full = gradient_flow(model, X[20:], y[20:], max_windows=20)
    np.testing.assert_allclose(flow["norm"][3:], full["norm"][3:], rtol=1e-6)
    short = gradient_flow(model, X[:20], y[:20], max_windows=20)
    assert short["lag"].tolist() == [0, 1, 2]


def test_gradient_flow_of_a_forecaster_is_that_of_its_network_on_its_windows(forecaster):
    network, windows, y = read_examples(forecaster, None, None, 1)
    flow = gradient_flow(forecaster, network=1)
    pd.testing.assert_frame_equal(flow, gradient_flow(network, windows, y))
    error = np.sign(network.predict(windows[-1:]) - y[-1]) / 3  # absolute errors of three steps
    last = gradient_flow(forecaster, network=1, max_windows=1)
    expected = np.linalg.norm(error @ network.weights_[-2].T)
    assert last.loc[last["state"] == "h", "norm"].iloc[0] == pytest.approx(expected, rel=1e-4)


def test_gradient_flow_display_draws_a_line_for_each_state_and_network(ax):
    X, y = make_windows()
    display = GradientFlowDisplay.from_estimator(fitted(X=X, y=y, units=(3, 2)), X, y, ax=ax)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    names = ["hidden state h", "memory cell c"]
    assert labels == [f"layer {layer}, {name}" for layer in (1, 2) for name in names]
    np.testing.assert_array_equal(ax.get_lines()[0].get_ydata(), display.flow["norm"][:6])
    GradientFlowDisplay(gradient_flow(fitted("gru", X, y), X, y)).plot(ax, label="GRU")
    assert ax.get_legend().get_texts()[-1].get_text() == "GRU, hidden state h"
    assert ax.get_yscale() == "log"


# -- effective memory ------------------------------------------------------------------------------------------------


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


# -- learning curves -------------------------------------------------------------------------------------------------


def test_learning_curve_is_the_history_with_the_start_and_the_best_epoch():
    X, y = make_windows(n=100)
    model = fitted(X=X, y=y, epochs=30, early_stopping=True, n_iter_no_change=2, learning_rate=0.1)
    curve = learning_curve(model)
    assert curve["epoch"].tolist() == list(range(model.n_iter_ + 1))
    assert curve["loss"].tolist()[1:] == model.history_["loss"]
    assert curve["val_loss"].tolist() == [model.initial_val_loss_, *model.history_["val_loss"]]
    assert curve.loc[curve["best"], "val_loss"].item() == curve["val_loss"].min()


def test_learning_curve_without_validation_ends_with_the_best_epoch():
    X, y = make_windows()
    curve = learning_curve(fitted(X=X, y=y, epochs=3))
    assert curve.columns.tolist() == ["epoch", "loss", "learning_rate", "best"]
    assert curve["best"].tolist() == [False, False, True]


def test_learning_curve_goes_on_with_partial_fit():
    X, y = make_windows()
    model = GRURegressor(units=2, random_state=0)
    for _ in range(3):
        model.partial_fit(X, y)
    curve = learning_curve(model)
    assert curve["epoch"].tolist() == [1, 2, 3]
    assert curve["loss"].tolist() == model.history_["loss"]


def test_learning_curve_of_a_forecaster_is_that_before_it_was_trained_anew(forecaster):
    assert forecaster.stopped_ is not None or forecaster.beats_last_value_ is False
    curve = learning_curve(forecaster)
    assert curve["val_loss"].tolist()[1:] == forecaster.history_["val_loss"]


def test_learning_curve_display_draws_the_losses_and_marks_the_best_epoch(ax):
    X, y = make_windows(n=100)
    model = fitted(X=X, y=y, epochs=5, early_stopping=True)
    display = LearningCurveDisplay.from_estimator(model, ax=ax)
    training, validation, best = ax.get_lines()
    np.testing.assert_array_equal(training.get_ydata(), display.curve["loss"])
    np.testing.assert_array_equal(validation.get_ydata(), display.curve["val_loss"])
    assert best.get_label() == f"best epoch: {model.best_iteration_}"
    assert best.get_xdata()[0] == model.best_iteration_


# -- learning-rate range test ----------------------------------------------------------------------------------------


def test_range_test_raises_the_rate_exponentially_and_measures_on_the_same_windows():
    X, y = make_windows(n=64)
    model = GRURegressor(units=2, batch_size=16, random_state=0)
    tested = learning_rate_range_test(model, X, y, min_rate=1e-30, max_rate=1e-20, n_batches=12)
    np.testing.assert_allclose(np.diff(np.log10(tested["learning_rate"])), 10 / 11)
    start = GRURegressor(units=2, batch_size=16, random_state=0, learning_rate=1e-30, epochs=1).fit(X, y)
    # rates of nothing leave the network as it began
    np.testing.assert_allclose(tested["loss"], np.square(start.predict(X) - y).mean(), rtol=1e-6)
    assert not hasattr(model, "weights_")


@pytest.mark.parametrize("loss", ["mse", "gaussian"])
def test_range_test_is_training_with_a_rate_for_each_batch(loss):
    X, y = make_windows(n=8)
    settings = {"units": 2, "batch_size": 8, "random_state": 0, "shuffle": False, "loss": loss}
    rates = np.geomspace(1e-3, 1e-1, 5)
    tested = learning_rate_range_test(LSTMRegressor(**settings), X, y, min_rate=1e-3, max_rate=1e-1, n_batches=5)

    def factor(epoch):
        return rates[epoch] / 1e-3

    with pytest.warns(CapacityWarning):
        model = LSTMRegressor(**settings, learning_rate=1e-3, learning_rate_schedule=factor, epochs=5).fit(X, y)
    # the loss of an epoch of one batch is that before its step
    np.testing.assert_allclose(tested["loss"][:-1], model.history_["loss"][1:], rtol=1e-6)


def test_range_test_ends_where_the_loss_is_not_finite():
    X, y = make_windows(n=64)
    model = SimpleRNNRegressor(units=2, optimizer="sgd", clipnorm=None, random_state=0)
    tested = learning_rate_range_test(model, X, y, max_rate=1e30, n_batches=40)
    assert 2 < len(tested) < 40
    assert np.isfinite(tested["loss"]).all()
    assert suggest_learning_rate(tested) < 1
    assert LearningRateRangeDisplay(tested).plot(Figure().subplots()).ax_.get_ylim()[1] < 100


def test_no_rate_is_suggested_where_no_loss_was_finite():
    with pytest.raises(ValueError, match="the loss was not finite from the first batch on"):
        suggest_learning_rate(pd.DataFrame({"learning_rate": [], "loss": []}))


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"min_rate": 0}, "min_rate must be a number"),
        ({"max_rate": 1e-5}, r"max_rate must be a number in \(1e-05, inf\)"),
        ({"n_batches": 1}, "n_batches must be an integer of at least 2"),
    ],
)
def test_ranges_that_are_none_are_refused(params, match):
    X, y = make_windows()
    with pytest.raises(ValueError, match=match):
        learning_rate_range_test(LSTMRegressor(), X, y, **params)


def test_range_test_of_a_forecaster_and_its_display(forecaster, ax):
    display = LearningRateRangeDisplay.from_estimator(forecaster, n_batches=20, ax=ax)
    losses, suggestion = ax.get_lines()
    np.testing.assert_array_equal(losses.get_ydata(), display.tested["loss"])
    assert suggestion.get_xdata()[0] == display.suggestion
    assert ax.get_xscale() == "log"


# -- permutation importance ------------------------------------------------------------------------------------------


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


# -- all displays ----------------------------------------------------------------------------------------------------


def test_inspection_loads_no_matplotlib_and_no_keras():
    code = "import sys, tsrnn; tsrnn.inspection; print({'keras', 'tensorflow', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
