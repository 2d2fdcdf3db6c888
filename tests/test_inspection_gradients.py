"""Gradient flow against finite differences and closed forms, and what its warnings and its display say."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from inspection_examples import fitted, linear_elman, make_windows
from matplotlib.figure import Figure

from tsrnn import GRURegressor, LSTMRegressor
from tsrnn.engine.distributions import n_parameters
from tsrnn.engine.losses import loss_gradient, mean_loss
from tsrnn.exceptions import GradientWarning
from tsrnn.inspection import GradientFlowDisplay, gradient_flow, gradient_reach, recurrent_spectrum
from tsrnn.inspection._source import read_examples


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
