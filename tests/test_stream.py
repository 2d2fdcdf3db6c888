"""Networks read one observation at a time, against the predictions of growing windows."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError

from tsrnn import GRURegressor, LSTMRegressor, MinGRURegressor, MinLSTMRegressor, SimpleRNNRegressor
from tsrnn.inspection._source import before_training
from tsrnn.networks.tracing import trace

CLASSES = [LSTMRegressor, GRURegressor, SimpleRNNRegressor]
N_STEPS = 12


def windows(n_features=2, seed=0):
    return np.random.default_rng(seed).normal(size=(60, N_STEPS, n_features))


def fitted(cls, X, y=None, **options):
    y = X[:, -1, 0] + X[:, 0, -1] if y is None else y
    return cls(**{"units": 5, "epochs": 3, "early_stopping": False, "random_state": 0} | options).fit(X, y)


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize(
    "options",
    [{}, {"units": (4, 3)}, {"activation": "softsign"}, {"static_features": (1,)}, {"loss": "student_t"}],
    ids=str,
)
def test_predictions_one_observation_at_a_time_are_those_of_growing_windows(cls, options):
    X = windows()
    if "static_features" in options:
        X[:, :, 1] = X[:, :1, 1]
    model = fitted(cls, X, **options)
    stream = model.stream()
    streamed = [stream.update(row) for row in X[3]]
    grown = [model.predict(X[3:4, :n])[0] for n in range(1, N_STEPS + 1)]
    np.testing.assert_allclose(streamed, grown, rtol=0, atol=1e-6)
    assert stream.n_seen == N_STEPS


@pytest.mark.parametrize(
    ("cls", "options"),
    [
        (LSTMRegressor, {"peephole": True, "transition_depth": 2}),
        (GRURegressor, {"units": (4, 4), "residual": True, "static_features": (1,)}),
        (SimpleRNNRegressor, {"input_layers": (4,), "output_layers": (4, 3), "transition_depth": 2}),
        (LSTMRegressor, {"units": (4, 3), "dilation": (1, 3), "static_features": (1,)}),
        (MinGRURegressor, {"units": (4, 3)}),
        (MinLSTMRegressor, {}),
    ],
    ids=str,
)
@pytest.mark.parametrize("lead", [0, 3])
def test_networks_that_keras_computes_are_read_one_observation_at_a_time_too(cls, options, lead):
    X = windows()
    X[:, :, 1] = X[:, :1, 1]  # constant, as static features are
    model = cls(**{"units": 5, "random_state": 0} | options)
    model = before_training(model, X, X[:, -1, 0])
    spec = model._spec
    model.weights_ = [np.random.default_rng(0).normal(scale=0.5, size=weight.shape) for weight in spec.weights]
    stream = model.stream(n_streams=2)
    window = np.stack([X[0], X[1]])
    window[1, :lead] = np.nan
    streamed = [stream.update(window[:, step]) for step in range(N_STEPS)]
    for n in range(lead + 1, N_STEPS + 1):
        expected = trace(spec, model.weights_, np.nan_to_num(window[:, :n]), [0, lead]).outputs[:, 0]
        np.testing.assert_allclose(streamed[n - 1], expected, rtol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"peephole": True, "units": (4, 4), "residual": True, "transition_depth": 2},
        {"input_layers": (4,), "output_layers": (4,), "units": (4, 3), "dilation": (1, 2)},
    ],
    ids=str,
)
def test_predictions_of_a_stream_are_those_of_keras(options):
    X = windows()
    model = fitted(LSTMRegressor, X, **options)
    stream = model.stream()
    streamed = [stream.update(row) for row in X[3]]
    for n in (1, N_STEPS // 2, N_STEPS):
        np.testing.assert_allclose(streamed[n - 1], model.predict(X[3:4, :n])[0], rtol=0, atol=1e-6)


@pytest.mark.parametrize("cls", CLASSES)
def test_predictions_at_each_step_are_those_of_the_whole_sequence(cls):
    X = windows()
    model = fitted(cls, X, np.stack([X[:, :, 0], X.cumsum(axis=1)[:, :, 1]], axis=2), return_sequences=True)
    stream = model.stream()
    np.testing.assert_allclose([stream.update(row) for row in X[0]], model.predict(X[:1])[0], rtol=0, atol=1e-6)


def test_a_stream_goes_on_beyond_the_windows_of_the_fit():
    X = windows()
    model = fitted(GRURegressor, X)
    long = np.random.default_rng(1).normal(size=(1000, 2))
    stream = model.stream()
    streamed = [stream.update(row) for row in long][-1]
    # the state of a GRU forgets: a stream that begins later comes to the same
    late = model.stream()
    assert streamed == pytest.approx([late.update(row) for row in long[500:]][-1], abs=1e-9)
    assert streamed != pytest.approx(float(model.predict(long[None, -3:])[0]), abs=1e-6)


@settings(max_examples=15, deadline=None)
@given(lead=st.lists(st.integers(0, 5), min_size=2, max_size=4), seed=st.integers(0, 100))
def test_series_side_by_side_are_read_as_each_by_itself(lead, seed):
    X = windows(seed=seed)[: len(lead)]
    for window, n in zip(X, lead, strict=True):
        window[:n] = np.nan  # a sensor that began to measure later
    model = MODEL
    together = model.stream(n_streams=len(lead))
    outputs = np.array([together.update(X[:, step]) for step in range(N_STEPS)])
    for i, window in enumerate(X):
        alone = model.stream()
        np.testing.assert_allclose(outputs[:, i], [alone.update(row) for row in window], rtol=1e-12)
    np.testing.assert_allclose(outputs[-1], model.predict(X), rtol=0, atol=1e-6)
    np.testing.assert_array_equal(together.n_seen, N_STEPS - np.array(lead))


MODEL = fitted(LSTMRegressor, windows())


def test_missing_values_are_read_as_in_windows():
    X = windows()
    X[::3, 4, 0] = X[::5, 7, 1] = np.nan
    model = fitted(LSTMRegressor, X, X[:, -1, 0])
    stream = model.stream()
    for row in X[15]:
        last = stream.update(row)
    assert last == pytest.approx(model.predict(X[15:16])[0], abs=1e-6)


def test_quantiles_are_those_of_the_window():
    X = windows()
    model = fitted(GRURegressor, X, loss="gaussian")
    stream = model.stream()
    for row in X[0]:
        last = stream.update_quantiles(row, [0.1, 0.5, 0.9])
    np.testing.assert_allclose(last, model.predict_quantiles(X[:1], [0.1, 0.5, 0.9])[0], rtol=0, atol=1e-6)


def test_reset_forgets_and_a_pickled_stream_goes_on():
    X = windows()
    stream = MODEL.stream()
    first = [stream.update(row) for row in X[0]]
    np.testing.assert_array_equal([stream.reset().update(X[0, 0]), *map(stream.update, X[0, 1:])], first)
    copy = pickle.loads(pickle.dumps(stream))
    assert copy.update(X[1, 0]) == stream.update(X[1, 0])


def test_a_later_fit_does_not_touch_a_stream():
    X = windows()
    model = fitted(SimpleRNNRegressor, X)
    stream, again = model.stream(), model.stream()
    expected = stream.update(X[0, 0])
    model.fit(X, -X[:, -1, 0])
    assert again.update(X[0, 0]) == expected


@pytest.mark.parametrize(
    ("options", "message"),
    [({"bidirectional": True}, "from its end as well"), ({"segment": 4}, "several steps as one.*segment=1")],
)
def test_networks_that_need_the_whole_window_are_refused(options, message):
    model = fitted(GRURegressor, windows(), **options)
    with pytest.raises(ValueError, match=message):
        model.stream()


@pytest.mark.parametrize(
    ("observation", "message"),
    [
        ([1.0], r"shape \(2,\), got \(1,\)"),
        ([[1.0, 2.0], [1.0, 2.0]], r"shape \(2,\), got \(2, 2\)"),
        ([np.inf, 0.0], "infinite"),
        ([0.0, np.nan], "feature 1 is missing"),
    ],
)
def test_what_cannot_be_read_is_refused_and_leaves_the_state_as_it_was(observation, message):
    stream, X = MODEL.stream(), windows()
    stream.update(X[0, 0])
    with pytest.raises(ValueError, match=message):
        stream.update(observation)
    assert stream.n_seen == 1
    untouched = MODEL.stream()
    untouched.update(X[0, 0])
    assert stream.update(X[0, 1]) == untouched.update(X[0, 1])


def test_an_unfitted_regressor_has_no_stream():
    with pytest.raises(NotFittedError):
        LSTMRegressor().stream()
    with pytest.raises(ValueError, match="n_streams must be"):
        MODEL.stream(n_streams=0)
