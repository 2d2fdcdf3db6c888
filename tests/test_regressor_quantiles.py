"""Regressors that learn quantiles and distributions."""

import pickle

import numpy as np
import pytest
from regressor_examples import data, regressor
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from tsrnn.persistence import load

DISTRIBUTIONS = ["pinball", "gaussian", "student_t"]


@pytest.mark.parametrize("engine", ["native", "keras"])
@pytest.mark.parametrize("loss", DISTRIBUTIONS)
def test_quantiles_hold_the_share_that_they_name(loss, engine):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 4, 1))
    y = X[:, -1, 0] + 0.5 * rng.normal(size=600)
    model = regressor(loss=loss, epochs=15, learning_rate=0.01, engine=engine).fit(X[:400], y[:400])
    values = model.predict_quantiles(X[400:])
    np.testing.assert_allclose((y[400:, None] < values).mean(axis=0), [0.1, 0.5, 0.9], atol=0.07)
    np.testing.assert_allclose(values[:, 1], model.predict(X[400:]), atol=1e-6)


@pytest.mark.parametrize("loss", DISTRIBUTIONS)
@pytest.mark.parametrize("shape", [(), (3,), (3, 2)])
def test_quantiles_have_the_shape_of_y_and_one_axis_more(loss, shape):
    X, _ = data()
    y = np.random.default_rng(1).normal(size=(40, *shape))
    model = regressor(loss=loss, quantiles=[0.2, 0.5]).fit(X, y)
    values = model.predict_quantiles(X[:7])
    assert values.shape == (7, *shape, 2) and values.dtype == np.float64
    assert (values[..., 0] <= values[..., 1]).all()
    assert model.predict(X[:7]).shape == (7, *shape) and model.n_outputs_ == np.prod(shape, dtype=int)


@pytest.mark.parametrize("loss", DISTRIBUTIONS)
def test_distributions_of_several_targets_are_not_mixed_up(loss):
    X, _ = data(60)
    y = np.arange(6.0).reshape(3, 2) * 5 + np.random.default_rng(0).normal(size=(60, 3, 2)) * [0.1, 2.0]
    model = regressor(loss=loss, epochs=200, learning_rate=0.05).fit(X, y)
    low, middle, high = np.moveaxis(model.predict_quantiles(X).mean(axis=0), -1, 0)
    np.testing.assert_allclose(middle, y.mean(axis=0), atol=1)
    assert ((high - low)[:, 1] > 3 * (high - low)[:, 0]).all()


def test_quantiles_that_a_network_cannot_know_are_refused():
    X, y = data()
    with pytest.raises(NotFittedError):
        regressor(loss="gaussian").predict_quantiles(X)
    with pytest.raises(
        ValueError, match="loss='mse' gives a point forecast without quantiles. Fit with loss='pinball'"
    ):
        regressor().fit(X, y).predict_quantiles(X)
    pinball = regressor(loss="pinball").fit(X, y)
    with pytest.raises(ValueError, match=r"not learnt the quantile\(s\) \[0\.25\], only \[0\.1, 0\.5, 0\.9\]"):
        pinball.predict_quantiles(X, [0.1, 0.25])
    with pytest.raises(ValueError, match="quantiles.*got 1.5"):
        pinball.predict_quantiles(X, [0.1, 1.5])
    with pytest.raises(
        ValueError, match=r"quantiles=\(0\.1, 0\.9\) do not hold 0\.5. Add it, or fit a single quantile"
    ):
        regressor(loss="pinball", quantiles=(0.1, 0.9)).fit(X, y)


def test_a_single_quantile_predicts_itself():
    X, _ = data(200)
    y = np.random.default_rng(1).normal(size=200)
    model = regressor(loss="pinball", quantiles=(0.9,), epochs=40, learning_rate=0.01).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), model.predict_quantiles(X)[:, 0])
    assert (y < model.predict(X)).mean() == pytest.approx(0.9, abs=0.05)


def test_a_distribution_knows_every_quantile_in_any_order():
    X, y = data()
    model = regressor(loss="student_t").fit(X, y)
    np.testing.assert_array_equal(
        model.predict_quantiles(X, [0.99, 0.001]), model.predict_quantiles(X, (0.001, 0.99))[:, ::-1]
    )


@pytest.mark.parametrize("loss", DISTRIBUTIONS)
def test_what_was_fitted_counts_and_not_what_was_set_later(loss, tmp_path):
    X, y = data()
    model = regressor(loss=loss).fit(X, y)
    values, prediction = model.predict_quantiles(X, (0.1, 0.5)), model.predict(X)
    model.save(tmp_path / "model")
    for copy in (pickle.loads(pickle.dumps(model)), load(tmp_path / "model"), model.set_params(loss="mse")):
        np.testing.assert_array_equal(copy.predict_quantiles(X, (0.1, 0.5)), values)
        np.testing.assert_array_equal(copy.predict(X), prediction)
    assert clone(model).get_params()["quantiles"] == (0.1, 0.5, 0.9)


@pytest.mark.parametrize("loss", DISTRIBUTIONS)
def test_early_stopping_watches_the_loss_of_the_distribution(loss):
    X, y = data(300)
    model = regressor(loss=loss, epochs=6, early_stopping=True, tol=0).fit(X, y)
    assert model.best_iteration_ == np.argmin(model.history_["val_loss"]) + 1
    assert model.history_["val_loss"][-1] == pytest.approx(model.history_["loss"][-1], abs=0.3)


def test_warm_start_refuses_another_number_of_parameters():
    X, y = data()
    model = regressor(loss="gaussian", warm_start=True).fit(X, y)
    with pytest.raises(ValueError, match=r"training cannot go on with another network: n_outputs=3 \(fitted: 2\)"):
        model.set_params(loss="student_t").fit(X, y)
    assert model._loss == "gaussian"


def test_the_model_has_an_output_for_each_parameter():
    X, y = data()
    model = regressor(loss="gaussian").fit(X, y)
    outputs = np.asarray(model.model_(X.astype(np.float32)))
    np.testing.assert_allclose(outputs[:, 0], model.predict(X), atol=1e-5)
    assert outputs.shape == (40, 2)


def test_keras_callbacks_see_a_model_of_a_distribution(keras):
    X, y = data()
    seen = []
    watch = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(logs["loss"]))
    model = regressor(loss="student_t", optimizer="adamw", callbacks=[watch]).fit(X, y)
    assert seen == model.history_["loss"]
