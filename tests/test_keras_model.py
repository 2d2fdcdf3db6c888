"""`KerasRegressor`: against Keras's own `fit`, and what it shares, keeps and refuses."""

import pickle
import random

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.utils.estimator_checks import estimator_checks_generator

from tsrnn.engine import pool
from tsrnn.exceptions import ArchiveError
from tsrnn.regressors import KerasRegressor, LSTMRegressor
from tsrnn.windows import WindowArray

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.exceptions.CapacityWarning")

X = np.random.default_rng(0).normal(size=(70, 6, 2))
y = X[:, -1, 0]


@pytest.fixture(scope="module", autouse=True)
def keras():
    from tsrnn.engine import keras_

    return keras_.keras


def build_lstm(n_steps, n_inputs, n_outputs, units=4, dropout=0.0):
    from keras import Input, Sequential, layers

    return Sequential(
        [Input((n_steps, n_inputs)), layers.LSTM(units), layers.Dropout(dropout), layers.Dense(n_outputs)]
    )


def build_with_statistics(n_steps, n_inputs, n_outputs):
    from keras import Input, Model, layers, regularizers

    window = Input((n_steps, n_inputs))
    h = layers.Dense(2, kernel_regularizer=regularizers.L2(0.1))(layers.Flatten()(window))
    return Model(window, layers.Dense(n_outputs)(layers.BatchNormalization()(h)))


def build_with_own_code(n_steps, n_inputs, n_outputs):
    from keras import Input, Sequential, layers

    flat = layers.Lambda(lambda x: x[:, -1], output_shape=(n_inputs,))
    return Sequential([Input((n_steps, n_inputs)), flat, layers.Dense(n_outputs)])


def fitted(build=build_lstm, **changes):
    return KerasRegressor(build, **{"epochs": 2, "random_state": 0, **changes}).fit(X, y)


def assert_same_weights(a, b):
    assert all(np.array_equal(v, w) for v, w in zip(a.weights_, b.weights_, strict=True))


@pytest.mark.parametrize("build", [build_lstm, build_with_statistics])
def test_training_is_what_keras_fit_does(keras, build):
    """Batches of 32, 32 and 6: neither the loss nor running statistics see what fills up the last one."""
    plain = {"optimizer": "sgd", "momentum": 0.0, "nesterov": False, "clipnorm": None, "learning_rate": 0.1}
    model = fitted(build, shuffle=False, epochs=3, **plain)
    oracle = build(6, 2, 1)
    oracle.set_weights(fitted(build, shuffle=False, epochs=1, **{**plain, "learning_rate": 1e-30}).weights_)
    if build is build_with_statistics:  # that epoch moved the statistics: back to 0 and 1
        layer = next(layer for layer in oracle.layers if isinstance(layer, keras.layers.BatchNormalization))
        layer.moving_mean.assign(np.zeros(2))
        layer.moving_variance.assign(np.ones(2))
    oracle.compile(keras.optimizers.SGD(0.1), "mse")
    oracle.fit(X.astype(np.float32), y.astype(np.float32), batch_size=32, epochs=3, shuffle=False, verbose=0)
    for got, expected in zip(model.weights_, oracle.get_weights(), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(model.predict(X), oracle.predict(X, verbose=0)[:, 0], rtol=1e-4, atol=1e-5)


def test_model_holds_the_weights_and_predicts_the_same():
    model = fitted(build_with_statistics)
    assert [np.shape(w) for w in model.model_.get_weights()] == [w.shape for w in model.weights_]
    np.testing.assert_allclose(model.model_.predict(X, verbose=0)[:, 0], model.predict(X), atol=1e-6)
    assert model.n_parameters_ == 12 * 2 + 2 + 2 * 2 + 2 + 1


def test_same_seed_gives_the_same_bits_and_no_global_generator_moves(keras):
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    keras.utils.set_random_seed(1)
    expected = random.random(), np.random.random(), float(keras.random.uniform(()))  # noqa: NPY002
    keras.utils.set_random_seed(1)
    first = fitted(build_params={"dropout": 0.3})
    assert (random.random(), np.random.random(), float(keras.random.uniform(()))) == expected  # noqa: NPY002
    fitted(build_params={"dropout": 0.3}, random_state=1)
    assert_same_weights(first, fitted(build_params={"dropout": 0.3}))
    assert not np.array_equal(first.weights_[0], fitted(random_state=1).weights_[0])


def test_equal_models_share_a_program_and_own_code_only_with_its_function():
    specs = [fitted(build, epochs=1)._spec for build in (build_lstm, lambda *args: build_lstm(*args))]
    assert specs[0] == specs[1]
    assert specs[0] != fitted(build_params={"units": 3}, epochs=1)._spec
    specs = [fitted(build, epochs=1)._spec for build in (build_with_own_code, lambda *args: build_with_own_code(*args))]
    assert specs[0].config == specs[1].config
    assert specs[0] != specs[1]
    pool.clear()
    fitted(epochs=1, learning_rate=0.01)
    fitted(epochs=1, learning_rate=0.02)
    assert len(pool._idle) == 1


def test_pickles_clones_and_goes_on_from_a_warm_start():
    model = fitted(warm_start=True)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(model.predict(X), again.predict(X))
    assert clone(model).build is build_lstm
    assert_same_weights(model.fit(X, y), again.fit(X, y))
    assert model.n_iter_ == 4 or not np.array_equal(model.weights_[0], fitted().weights_[0])


def test_search_goes_over_what_build_takes():
    grid = {"build_params": [{"units": 1}, {"units": 2}], "learning_rate": [0.01, 0.02]}
    search = GridSearchCV(KerasRegressor(build_lstm, epochs=1, random_state=0), grid, cv=TimeSeriesSplit(2))
    assert set(search.fit(X, y).best_params_) == set(grid)
    assert search.best_estimator_.weights_[1].shape[0] == search.best_params_["build_params"]["units"]


def test_targets_distributions_and_missing_values_reach_build():
    gaps = X.copy()
    gaps[3, 2, 1] = np.nan
    model = KerasRegressor(build_lstm, loss="pinball", epochs=1, random_state=0).fit(gaps, X[:, -2:, 0])
    assert model.weights_[0].shape == (3, 16)  # two features and the indicator of one
    assert model.weights_[-1].shape == (6,)  # two targets, three quantiles
    assert model.predict_quantiles(gaps).shape == (70, 2, 3)


def test_there_is_no_mask_so_leading_nan_are_missing_values_and_short_windows_are_refused():
    gaps = X.copy()
    gaps[4, :2] = np.nan
    assert KerasRegressor(build_lstm, epochs=1, random_state=0).fit(gaps, y)._missing.indicators == (0, 1)
    early = WindowArray(X[:, 0], np.arange(-1, 20), 6)
    with pytest.raises(ValueError, match="1 of 21 windows begin before their series.*Drop such windows"):
        KerasRegressor(build_lstm).fit(early, y[:21])
    with pytest.raises(ValueError, match="70 of 70 windows begin before their series or are shorter than 6 steps"):
        fitted(epochs=1).predict(X[:, 1:])
    with pytest.raises(ValueError, match="1 of 2 windows begin before their series or are shorter than 6 steps"):
        fitted(epochs=1).predict([X[0], X[1, 1:]])


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        ("lstm", TypeError, r"build must be a function that returns a Keras model, got 'lstm'"),
        (lambda *args: None, TypeError, "build must return a keras.Model, got NoneType"),
        (lambda *args: build_lstm(6, 2, 3), ValueError, r"return one output of shape \(None, 1\), got \[\(None, 3\)\]"),
        (lambda *args: build_lstm(5, 2, 1), ValueError, r"take one input of shape \(None, 6, 2\)"),
    ],
)
def test_what_build_must_be(build, error, message):
    with pytest.raises(error, match=message):
        KerasRegressor(build).fit(X, y)


def test_a_model_without_known_input_or_trainable_weights_is_refused(keras):
    with pytest.raises(TypeError, match="whose input is not known"):
        KerasRegressor(lambda *args: keras.Sequential([keras.layers.Dense(1)])).fit(X, y)
    with pytest.raises(ValueError, match="no trainable weights"):
        flat = [keras.Input((6, 2)), keras.layers.Flatten(), keras.layers.Reshape((12,))]
        KerasRegressor(lambda *args: keras.Sequential(flat)).fit(X, X.reshape(70, 12))


def test_build_params_must_be_keyword_arguments():
    with pytest.raises(TypeError, match=r"build_params must be a dict of keyword arguments.*got \[1\]"):
        KerasRegressor(build_lstm, build_params=[1]).fit(X, y)


def test_save_refuses_code_and_names_the_ways_out(tmp_path):
    model = fitted(epochs=1)
    with pytest.raises(ArchiveError, match="export_keras"):
        model.save(tmp_path / "model.tsrnn")
    model.export_keras(tmp_path / "network.keras")


def test_it_learns_what_the_lstm_regressor_learns():
    wave = np.sin(np.arange(160) / 3)
    windows = np.lib.stride_tricks.sliding_window_view(wave[:-1], 10)[..., np.newaxis]
    shared = {"learning_rate": 0.01, "random_state": 0}
    scores = [
        model.fit(windows[:100], wave[10:110]).score(windows[100:], wave[110:])
        for model in (KerasRegressor(build_lstm, **shared), LSTMRegressor(4, **shared))
    ]
    assert min(scores) > 0.9


CHECKED = KerasRegressor(build_lstm, build_params={"units": 32})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("estimator", "check"),
    [
        pytest.param(estimator, check, id=f"{getattr(check, 'func', check).__name__}-{i}")
        for i, (estimator, check) in enumerate(estimator_checks_generator(CHECKED, mark=None))
    ],
)
def test_estimator_check(estimator, check):
    try:
        check(estimator)
    except pytest.skip.Exception as skipped:
        pytest.fail(f"the check was skipped: {skipped}")


def test_what_is_no_function_that_makes_models_is_refused_with_an_example(keras):
    model = build_lstm(6, 2, 1)
    for build, words in [
        (model, "it is a Sequential itself"),
        (build_with_statistics(6, 2, 1), "it is a Functional itself"),
        (keras.layers.LSTM(3), "it is a LSTM itself"),
        (keras.Sequential, "it is the class Sequential"),
        (keras.layers.Dense, "it is the class Dense"),
        (None, "got None"),
        (lambda: model, r"it takes \(\) \(too many positional arguments\)"),
        (lambda n_steps, n_inputs, n_outputs, units: model, "missing a required argument: 'units'"),
    ]:
        with pytest.raises(TypeError, match=words) as caught:
            KerasRegressor(build).fit(X, y)
        assert "function" in str(caught.value) and "def build(n_steps, n_inputs, n_outputs)" in str(caught.value)
    with pytest.raises(TypeError, match=r"n_outputs, width=...\), but it takes"):
        KerasRegressor(build_lstm, build_params={"width": 3}).fit(X, y)


def test_a_function_that_returns_the_same_model_again_is_refused_and_one_that_clones_it_is_not(keras):
    model = build_lstm(6, 2, 1)
    with pytest.raises(TypeError, match=r"the same one twice.*clone_model\(model\)"):
        KerasRegressor(lambda *sizes: model, epochs=1).fit(X, y)
    fitted(lambda *sizes: keras.models.clone_model(model))
    with pytest.raises(TypeError, match="return model"):
        KerasRegressor(lambda *sizes: None).fit(X, y)


def test_a_compiled_model_is_taken_for_its_network(keras):
    def build(*sizes):
        model = build_lstm(*sizes)
        model.compile("sgd", "mae")
        return model

    assert_same_weights(fitted(build), fitted())
