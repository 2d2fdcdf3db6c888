"""Networks without recurrence, against loops in NumPy; what they share with the recurrent ones is tested there."""

import dataclasses
import pickle

import numpy as np
import pandas as pd
import pytest
from archive_files import save_unchecked
from hypothesis import given
from hypothesis import strategies as st

from tsrnn.exceptions import ArchiveError
from tsrnn.forecasters import ConvForecaster, FeedForwardForecaster
from tsrnn.networks import ConvSpec, FeedForwardSpec, covering_blocks, initial_non_recurrent_weights
from tsrnn.persistence import load
from tsrnn.regressors import ConvRegressor, FeedForwardRegressor
from tsrnn.windows import WindowArray

MAKE = {
    "feed forward": lambda **changes: FeedForwardRegressor(**{"units": (4, 3), **QUICK, **changes}),
    "conv": lambda **changes: ConvRegressor(**{"filters": 3, "kernel_size": 2, **QUICK, **changes}),
}
QUICK = {"epochs": 1, "random_state": 0}
EACH = pytest.mark.parametrize("name", MAKE)


def data(n=70, n_steps=6, n_features=2, seed=0, ragged=False):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, n_steps, n_features))
    if ragged:
        for row in range(0, n, 3):
            X[row, : 1 + row % 5] = np.nan
    return X, np.nan_to_num(X[:, -2:, 0]).sum(axis=1)


@pytest.fixture(scope="module")
def fitted():
    """One fitted regressor per name, on windows of different lengths; tests do not change it."""
    X, y = data(ragged=True)
    return {name: make(activation="tanh").fit(X, y) for name, make in MAKE.items()}


def with_biases(model, seed=1):
    """A copy whose biases, which begin with 0, are not."""
    again = pickle.loads(pickle.dumps(model))
    rng = np.random.default_rng(seed)
    again.weights_ = [w + rng.normal(size=w.shape).astype(np.float32) for w in again.weights_]
    return again


# -- the oracle: one window, one step, one channel at a time ---------------------------------------------------------


def feed_forward_by_loop(weights, window):
    h = list(window.ravel())  # time-major
    for layer in range(0, len(weights), 2):
        kernel, bias = weights[layer], weights[layer + 1]
        sums = [bias[j] + sum(h[i] * kernel[i, j] for i in range(len(h))) for j in range(len(bias))]
        h = sums if layer == len(weights) - 2 else list(np.tanh(sums))
    return h


def convolution_by_loop(kernel, bias, h, dilation):
    """out(t) = tanh(b + sum_k W_k h(t - dilation (K - 1 - k))), without a past before the window."""
    out = np.tile(bias.astype(float), (len(h), 1))
    for t in range(len(h)):
        for k in range(len(kernel)):
            before = t - dilation * (len(kernel) - 1 - k)
            if before >= 0:
                out[t] += h[before] @ kernel[k]
    return np.tanh(out)


def conv_by_loop(weights, window):
    h = window @ weights[0] + weights[1]
    for block in range((len(weights) - 4) // 4):
        inner = h
        for kernel, bias in (weights[2 + 4 * block : 4 + 4 * block], weights[4 + 4 * block : 6 + 4 * block]):
            inner = convolution_by_loop(kernel, bias, inner, 2**block)
        h = np.tanh(h + inner)
    return h[-1] @ weights[-2] + weights[-1]


def test_feed_forward_network_is_its_equations_with_zeros_for_empty_steps(fitted):
    model = with_biases(fitted["feed forward"])
    X, _ = data(9, ragged=True)
    expected = [feed_forward_by_loop(model.weights_, window)[0] for window in np.nan_to_num(X)]
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-4, atol=1e-5)


def test_convolutional_network_is_its_equations_on_the_steps_that_are_there(fitted):
    model = with_biases(fitted["conv"])
    assert len(model.weights_) == 2 + 4 * 2 + 2  # two blocks reach over 7 steps, one over 3
    X, _ = data(9, ragged=True)
    expected = [conv_by_loop(model.weights_, window[~np.isnan(window).all(axis=1)])[0] for window in X]
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-4, atol=1e-5)


@EACH
def test_model_is_a_keras_model_with_these_weights(name, fitted):
    model = with_biases(fitted[name])
    X, _ = data(9)
    np.testing.assert_allclose(model.model_.predict(X, verbose=0)[:, 0], model.predict(X), rtol=1e-4, atol=1e-5)
    assert model.n_parameters_ == sum(w.size for w in model.weights_) == model.model_.count_params()


@EACH
def test_exported_network_predicts_the_same_in_keras(name, fitted, tmp_path):
    import keras

    fitted[name].export_keras(tmp_path / "network.keras")
    X, _ = data(9)
    network = keras.models.load_model(tmp_path / "network.keras")
    np.testing.assert_allclose(network.predict(X, verbose=0)[:, 0], fitted[name].predict(X), rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_training_is_what_keras_fit_does():
    """One step of gradient descent over all windows, from the same weights."""
    import keras

    X, y = data(32)
    plain = {"optimizer": "sgd", "momentum": 0.0, "nesterov": False, "clipnorm": None, "activation": "tanh"}
    for make in MAKE.values():
        start = make(learning_rate=1e-30, shuffle=False, **plain).fit(X, y)
        oracle = start.model_
        oracle.compile(keras.optimizers.SGD(0.1), "mse")
        oracle.fit(X.astype(np.float32), y.astype(np.float32), batch_size=32, epochs=1, shuffle=False, verbose=0)
        moved = make(learning_rate=0.1, shuffle=False, **plain).fit(X, y)
        for got, expected in zip(moved.weights_, oracle.get_weights(), strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-6)


# -- descriptions ----------------------------------------------------------------------------------------------------


@given(st.integers(1, 500), st.integers(2, 7))
def test_automatic_blocks_are_the_fewest_that_see_the_whole_window(n_steps, kernel_size):
    def reach(n_blocks):
        return ConvSpec(1, n_blocks, kernel_size, 1, 1).reach

    n_blocks = covering_blocks(n_steps, kernel_size)
    assert reach(n_blocks) >= n_steps
    assert n_blocks == 1 or reach(n_blocks - 1) < n_steps


def test_the_last_step_depends_on_as_many_steps_as_the_network_reaches():
    spec = ConvSpec(2, n_blocks=2, kernel_size=3, n_inputs=1, n_outputs=1, activation="tanh")
    weights = initial_non_recurrent_weights(spec, np.random.default_rng(0))
    window = np.random.default_rng(1).normal(size=(20, 1))
    outputs = []
    for changed in range(20):
        other = window.copy()
        other[changed] += 1
        outputs.append(conv_by_loop(weights, other)[0])
    moved = np.flatnonzero(~np.isclose(outputs, conv_by_loop(weights, window)[0], rtol=1e-12))
    assert moved.min() == 20 - spec.reach


def test_initial_kernels_are_glorot_uniform_and_biases_zero():
    spec = ConvSpec(64, 1, 5, 3, 2)
    weights = initial_non_recurrent_weights(spec, np.random.default_rng(0), head="zeros")
    assert [w.shape for w in weights] == [w.shape for w in spec.weights]
    limit = np.sqrt(6 / (5 * 64 + 5 * 64))
    assert 0.98 * limit < np.abs(weights[2]).max() <= limit
    assert not any(w.any() for w in (*weights[1::2], weights[-2]))
    assert spec.kernel_positions == (0, 2, 4, 6)
    assert FeedForwardSpec((8, 4), 5, 2, 1).n_parameters == 10 * 8 + 8 + 8 * 4 + 4 + 4 + 1


# -- as regressors ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    "model",
    [
        FeedForwardRegressor(units=16, epochs=30, learning_rate=0.01, random_state=0),
        ConvRegressor(filters=8, epochs=20, learning_rate=0.01, random_state=0),
    ],
    ids=["feed forward", "conv"],
)
def test_learns_a_sine_better_than_persistence(model):
    series = np.sin(np.arange(400) / 5)
    X = np.lib.stride_tricks.sliding_window_view(series[:-1], 12)[..., None]
    y = series[12:]
    model.fit(X[:300], y[:300])
    error = np.sqrt(np.mean((model.predict(X[300:]) - y[300:]) ** 2))
    assert error < 0.5 * np.sqrt(np.mean((X[300:, -1, 0] - y[300:]) ** 2))


@pytest.mark.slow
@EACH
def test_lists_gaps_targets_and_distributions(name):
    X, y = data(ragged=True)
    X[1, 4, 1] = np.nan
    make = MAKE[name]
    model = make(loss="gaussian").fit(X, np.column_stack([y, -y]))
    assert model._missing.indicators == (1,)
    assert model.predict_quantiles(X, [0.1, 0.9]).shape == (70, 2, 2)
    as_list = [x[~np.isnan(x).all(axis=1)] for x in X]
    np.testing.assert_array_equal(model.predict(as_list), model.predict(X))
    early = WindowArray(X[:, 0], np.arange(-1, 20), 6)
    assert np.isfinite(make(missing_indicator=True).fit(early, y[:21]).predict(early)).all()


@pytest.mark.slow
@EACH
def test_dropout_acts_in_training_alone_and_a_fit_repeats(name):
    X, y = data()
    first, again, none = (MAKE[name](dropout=rate, epochs=2).fit(X, y) for rate in (0.5, 0.5, 0.0))
    for a, b in zip(first.weights_, again.weights_, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(first.weights_[0], none.weights_[0])
    np.testing.assert_array_equal(first.predict(X), first.predict(X))


@EACH
def test_a_window_is_predicted_the_same_whatever_stands_beside(name, fitted):
    X, _ = data(130, ragged=True)
    whole = fitted[name].predict(X)
    np.testing.assert_array_equal(fitted[name].predict(X[40:43]), whole[40:43])


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("feed forward", {"units": 0}, "units"),
        ("feed forward", {"units": ()}, "at least one layer"),
        ("feed forward", {"units": (3, 0)}, r"units\[1\]"),
        ("feed forward", {"activation": "swish"}, "activation"),
        ("conv", {"filters": 0}, "filters"),
        ("conv", {"kernel_size": 0}, "kernel_size"),
        ("conv", {"n_blocks": 0}, "n_blocks"),
        ("conv", {"n_blocks": 21}, "n_blocks"),
        ("conv", {"n_blocks": "many"}, "n_blocks"),
        ("conv", {"head_initializer": "ones"}, "head_initializer"),
        ("conv", {"dropout": 1.0}, "dropout"),
    ],
)
def test_parameters_are_checked_in_fit_with_name_and_value(name, changes, message):
    with pytest.raises((TypeError, ValueError), match=message):
        MAKE[name](**changes).fit(*data())


@EACH
def test_files_and_pickles_bring_the_network_back(name, fitted, tmp_path):
    X, _ = data(9, ragged=True)
    fitted[name].save(tmp_path / "model.tsrnn")
    for again in (load(tmp_path / "model.tsrnn"), pickle.loads(pickle.dumps(fitted[name]))):
        np.testing.assert_array_equal(again.predict(X), fitted[name].predict(X))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("feed forward", {"units": ()}),
        ("feed forward", {"units": (4, 2)}),
        ("feed forward", {"n_steps": 5}),
        ("feed forward", {"n_outputs": 2}),
        ("feed forward", {"activation": "swish"}),
        ("conv", {"filters": 0}),
        ("conv", {"n_blocks": 64}),
        ("conv", {"kernel_size": 3}),
        ("conv", {"n_inputs": 1}),
    ],
)
def test_files_of_networks_that_cannot_be_are_refused(name, change, fitted, tmp_path):
    model = pickle.loads(pickle.dumps(fitted[name]))
    model._spec = dataclasses.replace(model._spec, **change)
    save_unchecked(model, tmp_path / "model.tsrnn")
    with pytest.raises(ArchiveError):
        load(tmp_path / "model.tsrnn")
    model._spec = fitted["conv" if name == "feed forward" else "feed forward"]._spec
    save_unchecked(model, tmp_path / "model.tsrnn")
    with pytest.raises(ArchiveError, match="_spec is not what describes a"):
        load(tmp_path / "model.tsrnn")


# -- as forecasters --------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cls", "size"), [(FeedForwardForecaster, {"units": 4}), (ConvForecaster, {"filters": 3})], ids=["dense", "conv"]
)
def test_forecasters_hand_their_parameters_on_and_come_back_from_files(cls, size, tmp_path):
    hours = pd.date_range("2024-01-01", periods=120, freq="h")
    df = pd.DataFrame({"load": np.sin(np.arange(120) * 2 * np.pi / 24)}, index=hours)
    model = cls(window=24, horizon=3, epochs=2, dropout=0.1, random_state=0, **size).fit(df)
    network = model.regressor_.networks[0]
    assert {**network.get_params(), **size, "dropout": 0.1, "epochs": 2} == network.get_params()
    model.save(tmp_path / "model.tsrnn")
    pd.testing.assert_frame_equal(load(tmp_path / "model.tsrnn").forecast(5), model.forecast(5))
