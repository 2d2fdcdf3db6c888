"""The regressors' own promises: shapes, missing values, early stopping, callbacks, reproducibility, errors, memory."""

import os
import pickle
import subprocess
import sys
import warnings
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from tsrnn import LSTMForecaster
from tsrnn.exceptions import CapacityWarning
from tsrnn.persistence import load
from tsrnn.regressors import GRURegressor, LSTMRegressor, SimpleRNNRegressor
from tsrnn.windows import WindowArray

CLASSES = [LSTMRegressor, GRURegressor, SimpleRNNRegressor]


def regressor(cls=GRURegressor, **changes):
    return cls(**{"units": 3, "epochs": 2, "random_state": 0, **changes})


def data(n=40, n_steps=5, n_features=2, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, n_steps, n_features))
    return X, X[:, -2:, 0].sum(axis=1)


def same(a, b):
    return len(a.weights_) == len(b.weights_) and all(
        np.array_equal(x, y) for x, y in zip(a.weights_, b.weights_, strict=True)
    )


# -- learning and shapes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", CLASSES)
def test_learns_a_sine_better_than_persistence(cls):
    series = np.sin(np.arange(400) / 5)
    X = np.lib.stride_tricks.sliding_window_view(series[:-1], 12)[..., None]
    y = series[12:]
    model = cls(units=8, epochs=25, learning_rate=0.01, random_state=0).fit(X[:300], y[:300])
    error = np.sqrt(np.mean((model.predict(X[300:]) - y[300:]) ** 2))
    persistence = np.sqrt(np.mean((X[300:, -1, 0] - y[300:]) ** 2))
    assert error < 0.5 * persistence


@pytest.mark.parametrize("shape", [(), (1,), (3,), (3, 2)])
def test_predictions_have_the_shape_of_y(shape):
    X, _ = data()
    y = np.random.default_rng(1).normal(size=(40, *shape))
    model = regressor().fit(X, y)
    assert model.predict(X[:7]).shape == (7, *shape)
    assert model.predict(X[:7]).dtype == np.float64
    assert model.n_outputs_ == np.prod(shape, dtype=int)


def test_outputs_are_in_the_order_of_y():
    X, _ = data(60)
    y = np.arange(6.0).reshape(3, 2) + np.zeros((60, 1, 1))
    model = regressor(epochs=150, learning_rate=0.05).fit(X, y)
    np.testing.assert_allclose(model.predict(X[:1])[0], y[0], atol=0.3)


def test_two_and_three_dimensions_and_windows_give_the_same_network():
    base = np.random.default_rng(0).normal(size=(44, 2))
    lazy = WindowArray(base, np.arange(40), 5)
    dense = np.asarray(lazy)
    y = base[4:, 0]
    models = [
        regressor().fit(lazy, y),
        regressor().fit(dense, y),
        regressor(n_steps=5).fit(dense.reshape(40, -1), y),
        regressor(n_steps=5).fit(pd.DataFrame(dense.reshape(40, -1)).rename(columns=str), y),
    ]
    assert all(same(models[0], model) for model in models[1:])
    assert [model.n_features_in_ for model in models] == [2, 2, 10, 10]
    assert {model.n_steps_in_ for model in models} == {5}
    np.testing.assert_array_equal(models[0].predict(dense), models[2].predict(dense.reshape(40, -1)))


def test_offset_of_lazy_windows_is_subtracted_exactly():
    base = 1e6 + np.random.default_rng(0).normal(size=(44, 1)).cumsum(axis=0)
    starts = np.arange(40)
    lazy = WindowArray(base, starts, 5, offset=base[starts + 4])
    y = np.zeros(40) + base[starts + 4, 0] - base[starts, 0]
    assert same(regressor().fit(lazy, y), regressor().fit(np.asarray(lazy), y))
    model = regressor().fit(lazy, y)
    np.testing.assert_array_equal(model.predict(lazy), model.predict(np.asarray(lazy)))


def test_model_is_a_keras_model_with_these_weights():
    X, y = data()
    model = regressor(LSTMRegressor, units=(3, 2), bidirectional=True, segment=2, dropout=0.1).fit(X, y)
    keras_model = model.model_
    assert sum(np.prod(w.shape) for w in keras_model.get_weights()) == model.n_parameters_
    np.testing.assert_allclose(keras_model.predict(X, verbose=0)[:, 0], model.predict(X), atol=1e-6)
    with pytest.raises(NotFittedError):
        _ = regressor().model_


# -- missing values --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize("changes", [{}, {"bidirectional": True, "units": (3, 2)}])
def test_leading_nan_are_a_shorter_window(cls, changes):
    X, y = data()
    model = regressor(cls, **changes).fit(X, y)
    padded = X.copy()
    padded[:, :2] = np.nan
    np.testing.assert_array_equal(model.predict(padded), model.predict(X[:, 2:]))
    assert np.abs(model.predict(padded) - model.predict(X)).max() > 1e-3


def test_windows_that_start_before_the_series_are_shorter():
    base = np.random.default_rng(0).normal(size=(20, 1))
    lazy = WindowArray(base, np.arange(-4, 15), 5)
    y = base[:19, 0]
    model = regressor().fit(lazy, y)
    assert same(model, regressor().fit(np.asarray(lazy), y))
    np.testing.assert_array_equal(model.predict(lazy[:1]), model.predict(base[None, :1]))


def test_gaps_are_filled_and_flagged_for_the_features_that_have_them():
    X, y = data()
    X[3, 2, 1] = np.nan
    model = regressor().fit(X, y)
    assert model.weights_[0].shape[0] == 3  # two features and one indicator
    filled = X.copy()
    filled[3, 2, 1] = np.nanmean(X[..., 1])
    assert model.predict(X)[3] != model.predict(filled)[3]
    X[5, 1, 0] = np.nan
    with pytest.raises(ValueError, match=r"feature 0 is missing at step 1 of window 5.*missing_indicator=True"):
        model.predict(X)


def test_missing_indicator_for_all_features_or_none():
    X, y = data()
    model = regressor(missing_indicator=True).fit(X, y)
    assert model.weights_[0].shape[0] == 4
    X[0, 2, 0] = np.nan
    assert np.isfinite(model.predict(X)).all()
    with pytest.raises(ValueError, match="NaN"):
        regressor(missing_indicator=False).fit(X, y)


def test_infinity_is_refused():
    X, y = data()
    X[0, 0, 0] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        regressor().fit(X, y)
    with pytest.raises(ValueError, match="infinity"):
        regressor().fit(WindowArray(X.reshape(-1, 2), np.arange(40), 5), y)


def test_nan_targets_are_refused_in_public_and_carry_no_loss_inside():
    X, _ = data()
    y = np.random.default_rng(1).normal(size=(40, 2))
    y[::4, 1] = np.nan
    y[1] = np.nan
    with pytest.raises(ValueError, match="Input y contains NaN"):
        regressor().fit(X, y)
    model = regressor(epochs=5).__fit_windows__(X, y)
    assert np.isfinite(model.history_["loss"]).all()
    rest = np.delete(np.arange(40), 1)
    assert same(model, regressor(epochs=5).__fit_windows__(X[rest], y[rest]))


# -- the training set ------------------------------------------------------------------------------------------------


def test_weights_are_repeats_and_zero_is_absence():
    X, y = data(30)
    times = np.random.default_rng(2).integers(0, 4, size=30)
    weighted = regressor().fit(X, y, sample_weight=times)
    assert same(weighted, regressor().fit(X.repeat(times, axis=0), y.repeat(times)))
    assert not same(weighted, regressor().fit(X, y))


def test_order_of_the_windows_matters_only_without_shuffle():
    X, y = data()
    assert same(regressor().fit(X, y), regressor().fit(X[::-1], y[::-1]))
    kept = regressor(shuffle=False, batch_size=8)
    assert not same(kept.fit(X, y), regressor(shuffle=False, batch_size=8).fit(X[::-1], y[::-1]))


def test_random_state_repeats_a_fit_and_leaves_global_generators_alone():
    import random

    X, y = data()
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    expected = random.Random(1).random(), np.random.RandomState(1).rand()
    changes = {"dropout": 0.2, "recurrent_dropout": 0.2}
    first, second = regressor(**changes).fit(X, y), regressor(**changes).fit(X, y)
    first.model_  # noqa: B018
    assert (random.random(), np.random.rand()) == expected  # noqa: NPY002
    assert same(first, second)
    assert not same(first, regressor(**changes, random_state=1).fit(X, y))
    state = np.random.RandomState(0)
    assert not same(regressor(random_state=state).fit(X, y), regressor(random_state=state).fit(X, y))


@pytest.mark.parametrize(
    "changes",
    [
        {"l1": 0.1},
        {"l2": 0.1},
        {"clipnorm": 0.01, "optimizer": "sgd"},
        {"dropout": 0.5},
        {"recurrent_dropout": 0.5},
        {"loss": "huber"},
        {"activation": "softsign"},
        {"kernel_initializer": "orthogonal"},
        {"recurrent_initializer": "glorot_uniform"},
        {"optimizer": "rmsprop"},
        {"optimizer": "adagrad"},
        {"optimizer": "adamw"},
        {"loss": "gaussian"},
        {"learning_rate_schedule": "cosine"},
        {"learning_rate_schedule": lambda epoch: 0.5},
        {"static_features": (0,)},
        {"static_features": (0,), "static_to": "state"},
    ],
    ids=str,
)
def test_each_parameter_changes_the_network(changes):
    X, y = data()
    model = regressor(epochs=3, **changes).fit(X, y)
    assert np.isfinite(model.predict(X)).all()
    assert not same(model, regressor(epochs=3).fit(X, y))


def test_weight_decay_is_of_adamw_alone():
    X, y = data()
    assert not same(*(regressor(optimizer="adamw", weight_decay=decay).fit(X, y) for decay in (0.0, 0.5)))
    assert same(*(regressor(optimizer="adam", weight_decay=decay).fit(X, y) for decay in (0.0, 0.5)))
    assert same(regressor(optimizer="adamw", weight_decay=0.0).fit(X, y), regressor(optimizer="adam").fit(X, y))


def test_the_two_kinds_of_momentum_differ():
    X, y = data()
    assert not same(regressor(optimizer="sgd").fit(X, y), regressor(optimizer="sgd", nesterov=False).fit(X, y))


def test_l1_pushes_kernels_to_zero():
    X, y = data()
    size = [np.abs(regressor(epochs=40, l1=l1, learning_rate=0.02).fit(X, y).weights_[0]).sum() for l1 in (0.0, 0.1)]
    assert size[1] < 0.5 * size[0]


# -- early stopping --------------------------------------------------------------------------------------------------


def test_validation_is_the_last_part_in_time():
    X, y = data(50)
    changed = y.copy()
    changed[45:] += 100  # the last tenth only
    first = regressor(early_stopping=True, n_iter_no_change=50).fit(X, y)
    second = regressor(early_stopping=True, n_iter_no_change=50).fit(X, changed)
    assert first.history_["loss"] == second.history_["loss"]
    assert first.history_["val_loss"] != second.history_["val_loss"]


def test_validation_gap_is_seen_by_neither_part():
    X, y = data(50)
    changed = y.copy()
    changed[40:45] += 100
    model = regressor(early_stopping=True, validation_gap=5)
    assert model.fit(X, y).history_ == regressor(early_stopping=True, validation_gap=5).fit(X, changed).history_
    with pytest.raises(ValueError, match="validation_gap=45"):
        model.set_params(validation_gap=45).fit(X, y)


def test_best_weights_may_be_the_initial_ones():
    X, _ = data(60)
    y = np.r_[np.random.default_rng(0).normal(size=54), np.zeros(6)]  # nothing to learn for the last part
    model = regressor(early_stopping=True, head_initializer="zeros", epochs=30, learning_rate=0.1).fit(X, y)
    assert model.best_iteration_ == 0
    assert model.initial_val_loss_ == 0
    assert model.n_iter_ == 5
    assert not model.predict(X).any()


def test_best_iteration_has_the_lowest_validation_loss():
    X, y = data(200)
    model = regressor(early_stopping=True, epochs=12, learning_rate=0.03).fit(X, y)
    best = np.argmin(model.history_["val_loss"])
    assert model.best_iteration_ == best + 1
    assert {len(values) for values in model.history_.values()} == {model.n_iter_}
    loss = np.mean((model.predict(X[180:]) - y[180:]) ** 2)
    assert loss == pytest.approx(model.history_["val_loss"][best], rel=1e-5)


def test_auto_early_stopping_asks_for_a_thousand_windows():
    X, y = data(1000)
    assert "val_loss" in regressor(epochs=1).fit(X, y).history_
    assert "val_loss" not in regressor(epochs=1).fit(X[1:], y[1:]).history_


def test_validation_part_can_be_given():
    X, y = data(50)
    a = regressor(early_stopping=True).__fit_windows__(X[:45], y[:45], validation=(X[45:], y[45:]))
    assert same(a, regressor(early_stopping=True).fit(X, y))


def test_a_given_validation_part_without_a_known_target_is_refused_before_training():
    X, y = data(50)
    unknown = np.full(5, np.nan)
    with pytest.raises(ValueError, match="the validation data have no window"):
        regressor(early_stopping=True).__fit_windows__(X[:45], y[:45], validation=(X[45:], unknown))
    y[-20:] = np.nan  # the last tenth of the known ones is validated on
    model = regressor(early_stopping=True).__fit_windows__(X, y)
    assert np.isfinite(model.history_["val_loss"]).all() and model.n_windows_ == 27


@pytest.mark.parametrize("engine", ["native", pytest.param("keras", marks=pytest.mark.slow)])
def test_a_batch_is_no_larger_than_the_data(engine):
    X, y = data(70)
    X[69], y[69] = X[0], y[0]  # one window given twice is one
    fits = [regressor(engine=engine, batch_size=size, dropout=0.2).fit(X, y) for size in (69, 70, 10**6)]
    assert same(fits[0], fits[1]) and same(fits[0], fits[2])


# -- going on --------------------------------------------------------------------------------------------------------


def test_partial_fit_goes_on_from_where_it_was():
    X, y = data()
    model = regressor().partial_fit(X, y)
    first = [w.copy() for w in model.weights_]
    model.partial_fit(X, y)
    assert model.n_iter_ == 2
    assert len(model.history_["loss"]) == 2
    assert not np.array_equal(first[0], model.weights_[0])


def test_warm_start_goes_on_and_refuses_another_network():
    X, y = data()
    model = regressor(warm_start=True, epochs=10).fit(X, y)
    loss = model.history_["loss"][-1]
    model.fit(X, y)
    assert model.history_["loss"][0] < 1.1 * loss
    with pytest.raises(ValueError, match="warm_start=False"):
        model.set_params(units=4).fit(X, y)
    with pytest.raises(ValueError, match="warm_start=False"):
        model.set_params(units=3).fit(X, y[:, None])


# -- quantiles -------------------------------------------------------------------------------------------------------

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


# -- errors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("units", 0),
        ("units", ()),
        ("units", (3, -1)),
        ("dropout", 1.0),
        ("learning_rate", 0),
        ("optimizer", "adamax"),
        ("loss", "quantile"),
        ("quantiles", ()),
        ("quantiles", (0.5, 0.1)),
        ("quantiles", (0.5, 0.5)),
        ("quantiles", (0.0, 0.5)),
        ("quantiles", "0.5"),
        ("quantiles", 0.5),
        ("quantiles", (0.5, None)),
        ("quantiles", (0.5, float("nan"))),
        ("weight_decay", -0.1),
        ("epochs", 0),
        ("epochs", 1.5),
        ("early_stopping", "yes"),
        ("early_stopping", 1),
        ("learning_rate_schedule", "linear"),
        ("clipnorm", -1),
        ("validation_fraction", 1.0),
        ("segment", 0),
        ("missing_indicator", "all"),
        ("shuffle", "no"),
        ("activation", "relu"),
        ("head_initializer", "orthogonal"),
        ("return_sequences", 1),
        ("static_features", 0),
        ("static_features", ()),
        ("static_features", (0, 0)),
        ("static_features", (-1,)),
        ("static_features", (0.5,)),
        ("static_to", "inputs"),
    ],
)
def test_parameters_are_checked_in_fit_with_name_and_value(name, value):
    X, y = data(10)
    with pytest.raises((ValueError, TypeError), match=f"{name}.*got"):
        regressor(**{name: value}).fit(X, y)


def test_shapes_that_do_not_fit_are_refused():
    X, y = data()
    model = regressor().fit(X, y)
    with pytest.raises(ValueError, match="X has 3 features, but GRURegressor is expecting 2"):
        model.predict(np.zeros((1, 5, 3)))
    with pytest.raises(ValueError, match="windows of 6 steps, but GRURegressor was fitted on 5"):
        model.predict(np.zeros((1, 6, 2)))
    with pytest.raises(ValueError, match="do not divide into n_steps=3"):
        regressor(n_steps=3).fit(np.zeros((10, 5)), np.zeros(10))
    with pytest.raises(ValueError, match="not be negative"):
        regressor().fit(X, y, sample_weight=np.r_[-1, np.ones(39)])


@pytest.mark.filterwarnings("ignore:overflow")
def test_divergence_names_the_epoch_and_the_cure_and_leaves_no_fit():
    X, y = data()
    model = regressor(learning_rate=1e30, clipnorm=None, optimizer="sgd", epochs=5)
    with pytest.raises(FloatingPointError, match=r"epoch \d.*smaller learning_rate or clipnorm"):
        model.fit(X, y)
    assert set(vars(model)) == set(model.get_params())


def test_interrupted_refit_leaves_the_former_fit():
    X, y = data()
    model = regressor().fit(X, y)
    before = model.__dict__.copy()

    class Interrupt:
        def __call__(self, epoch):
            if epoch == 1:
                raise KeyboardInterrupt
            return 1.0

    model.learning_rate_schedule = Interrupt()
    with pytest.raises(KeyboardInterrupt):
        model.fit(X[:, :3], y)
    del before["learning_rate_schedule"]
    assert {name: model.__dict__[name] for name in before} == before


@pytest.mark.parametrize("early_stopping", [False, True])
def test_interrupted_warm_start_keeps_the_best_weights_so_far(early_stopping):
    X, y = data()

    def interrupt(epoch):
        if epoch == 3:
            raise KeyboardInterrupt
        return 1.0

    model = regressor(early_stopping=early_stopping, warm_start=True, epochs=9, learning_rate_schedule=interrupt)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y)
    shorter = regressor(early_stopping=early_stopping, epochs=3).fit(X, y)
    assert model.n_iter_ == 3 and model.history_ == shorter.history_
    assert model.best_iteration_ == shorter.best_iteration_
    for kept, trained in zip(model.weights_, shorter.weights_, strict=True):
        np.testing.assert_array_equal(kept, trained)
    model.set_params(learning_rate_schedule=None, epochs=1).fit(X, y)
    assert model.n_iter_ == 1


def test_interrupted_first_fit_leaves_the_regressor_unfitted():
    X, y = data()

    def interrupt(epoch):
        if epoch == 1:
            raise KeyboardInterrupt
        return 1.0

    model = regressor(learning_rate_schedule=interrupt)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y)
    assert not hasattr(model, "weights_") and not hasattr(model, "n_features_in_")


def test_capacity_warning_counts_parameters_and_windows():
    X, y = data(10)
    with pytest.warns(CapacityWarning, match=r"67 trainable parameters but only 10"):
        regressor(units=3, epochs=1).fit(X, y)
    X, y = data(100)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        regressor(units=3, epochs=1).fit(X, y)


# -- callbacks -------------------------------------------------------------------------------------------------------


@pytest.fixture
def keras():
    return pytest.importorskip("keras")


@pytest.mark.parametrize("engine", ["native", "keras"])
def test_exported_network_predicts_the_same_in_keras(keras, tmp_path, engine):
    X, y = data()
    model = regressor(engine=engine, units=(3, 2), bidirectional=True, segment=2).fit(X, y)
    model.export_keras(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras")
    np.testing.assert_allclose(loaded.predict(X, verbose=0)[:, 0], model.predict(X), atol=1e-6)


def test_export_says_what_is_wrong_with_the_path(keras, tmp_path):
    X, y = data()
    model = regressor()
    with pytest.raises(NotFittedError):
        model.export_keras(tmp_path / "network.keras")
    model.fit(X, y)
    with pytest.raises(ValueError, match=r"must end in '.keras', got '.*network.h5'"):
        model.export_keras(tmp_path / "network.h5")
    with pytest.raises(FileNotFoundError, match="does not exist"):
        model.export_keras(tmp_path / "nowhere" / "network.keras")


def test_keras_callbacks_see_epochs_logs_and_current_weights(keras):
    X, y = data()
    seen = []

    class Recorder(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            y_pred = self.model.predict(X, verbose=0)[:, 0]
            seen.append((epoch, sorted(logs), np.mean((y_pred - y) ** 2)))

    model = regressor(epochs=3, callbacks=[Recorder()]).fit(X, y)
    assert [epoch for epoch, _, _ in seen] == [0, 1, 2]
    assert seen[0][1] == ["learning_rate", "loss"]
    assert seen[-1][2] == pytest.approx(np.mean((model.predict(X) - y) ** 2), rel=1e-4)
    assert same(model, regressor(epochs=3).fit(X, y))


def test_keras_callbacks_are_fresh_in_each_fit_and_may_be_factories(keras):
    X, y = data()

    class StopAtSecond(keras.callbacks.Callback):
        calls = 0

        def on_epoch_end(self, epoch, logs=None):
            self.calls += 1
            self.model.stop_training = self.calls == 2

    for callbacks in ([StopAtSecond()], StopAtSecond(), StopAtSecond, [lambda: StopAtSecond()]):
        model = regressor(epochs=5, callbacks=callbacks)
        assert [model.fit(X, y).n_iter_ for _ in range(2)] == [2, 2]
    with pytest.raises(TypeError, match="callbacks"):
        regressor(callbacks=[3]).fit(X, y)


def recorder(keras, **held):
    class Record(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            vars(self).update(held)
            self.calls = 0

        def on_epoch_end(self, epoch, logs=None):
            self.calls += 1
            for out in held.values():
                out.append(logs["loss"]) if isinstance(out, list) else out.put(logs["loss"])

    return Record()


def test_callbacks_report_to_the_objects_that_they_hold(keras):
    import queue

    X, y = data()
    seen, lined_up = [], queue.Queue()  # which holds locks, and cannot be copied deeply
    record = recorder(keras, seen=seen, lined_up=lined_up)
    model = regressor(epochs=4, callbacks=[record]).fit(X, y)
    assert seen == model.history_["loss"] == list(lined_up.queue)
    assert model.callbacks_[0].calls == 4 and record.calls == 0
    model.fit(X, y)
    assert len(seen) == 8 and model.callbacks_[0].calls == 4
    clone(model).partial_fit(X, y)
    assert len(seen) == 9


def test_callbacks_report_from_searches_and_forecasters(keras):
    from sklearn.model_selection import GridSearchCV

    X, y = data()
    seen = []
    search = GridSearchCV(regressor(epochs=2, callbacks=[recorder(keras, seen=seen)]), {"units": [2, 3]}, cv=2)
    search.fit(X, y)
    assert len(seen) == 2 * (2 * 2 + 1)
    assert search.best_estimator_.callbacks_[0].calls == 2
    del seen[:]
    table = pd.DataFrame({"y": np.sin(np.arange(150) / 3)}, pd.date_range("2024-01-01", periods=150, freq="D"))
    model = LSTMForecaster(window=8, units=2, epochs=3, callbacks=[recorder(keras, seen=seen)], random_state=0)
    model.fit(table)
    assert len(seen) == 3 * len(model.callbacks_)
    assert [callback.calls for (callback,) in model.callbacks_] == [3] * len(model.callbacks_)


def test_callbacks_after_the_fit_say_what_they_did_and_do_not_go_into_files(keras, tmp_path):
    X, y = data(60)
    stop = keras.callbacks.EarlyStopping(monitor="loss", patience=1, min_delta=100.0)
    model = regressor(epochs=9, callbacks=[stop, lambda: recorder(keras, seen=[])]).fit(X, y)
    stopped, made = model.callbacks_
    assert stopped.stopped_epoch == 1 and stop.stopped_epoch == 0
    assert made.calls == 2 and made._model is None
    assert regressor().fit(X, y).callbacks_ == []
    model.set_params(callbacks=None)
    made.held = lambda: None  # what no pickle and no file can hold
    model.save(tmp_path / "model")
    for again in (pickle.loads(pickle.dumps(model)), load(tmp_path / "model")):
        assert again.callbacks_ == [] and same(again, model)


def test_a_callback_that_cannot_be_copied_is_named_with_the_way_out(keras):
    class Stubborn(keras.callbacks.Callback):
        def __copy__(self):
            raise RuntimeError("it holds the only key")

    X, y = data()
    with pytest.raises(TypeError, match=r"copy of Stubborn.*the only key.*callbacks=\[lambda: Stubborn\(...\)\]"):
        regressor(callbacks=[Stubborn()]).fit(X, y)
    assert len(regressor(callbacks=[lambda: Stubborn()]).fit(X, y).callbacks_) == 1


def test_batch_hooks_are_called_and_change_nothing(keras):
    X, y = data()
    batches = []

    class Batches(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            batches.append((batch, logs["loss"]))

    model = regressor(batch_size=16, callbacks=Batches()).fit(X, y)
    assert [batch for batch, _ in batches] == [0, 1, 2] * 2
    assert same(model, regressor(batch_size=16).fit(X, y))


def test_what_callbacks_do_to_the_model_counts(keras):
    X, y = data(60)
    plateau = keras.callbacks.ReduceLROnPlateau(monitor="loss", patience=1, factor=0.5, min_delta=100.0)
    model = regressor(epochs=4, callbacks=plateau).fit(X, y)
    np.testing.assert_allclose(model.history_["learning_rate"], np.array([1, 1, 0.5, 0.25]) * 3e-3, rtol=1e-6)
    scheduler = keras.callbacks.LearningRateScheduler(lambda epoch: 0.1 / (1 + epoch))
    model = regressor(epochs=2, callbacks=scheduler).fit(X, y)
    np.testing.assert_allclose(model.history_["learning_rate"], [0.1, 0.05], rtol=1e-6)

    class Zero(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.set_weights([np.zeros_like(w) for w in self.model.get_weights()])

    assert not regressor(callbacks=Zero()).fit(X, y).predict(X).any()


@pytest.mark.skipif(find_spec("sklearn.callback") is None, reason="scikit-learn before 1.9 has no callbacks")
def test_sklearn_callbacks_get_one_subtask_per_epoch_and_may_stop():
    X, y = data()
    calls = []

    class Stop:
        def setup(self, estimator, context):
            calls.append("setup")

        def teardown(self, estimator, context):
            calls.append("teardown")

        def on_fit_task_begin(self, estimator, context, *, X=None, y=None):
            calls.append(f"begin {context.task_name}")

        def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
            calls.append(f"end {context.task_name} {fitted_estimator.n_iter_}")
            assert fitted_estimator.predict(X).shape == y.shape
            return fitted_estimator.n_iter_ == 2 and context.task_name == "epoch"

    model = regressor(epochs=5)
    model.set_callbacks(Stop())
    model.fit(X, y)
    epochs = ["begin epoch", "end epoch 1", "begin epoch", "end epoch 2"]
    assert calls == ["setup", "begin fit", *epochs, "end fit 2", "teardown"]
    assert model.n_iter_ == 2


@pytest.mark.skipif(find_spec("sklearn.callback") is None, reason="scikit-learn before 1.9 has no callbacks")
def test_sklearn_scoring_monitor_follows_the_epochs():
    from sklearn.callback import ScoringMonitor

    X, y = data()
    monitor = ScoringMonitor(scoring="r2")
    regressor(epochs=3).set_callbacks(monitor).fit(X, y)
    logs = monitor.get_logs()
    assert logs is not None


def test_progress_bar_is_shown_only_if_asked_for(capsys):
    X, y = data()
    regressor().fit(X, y)
    assert capsys.readouterr() == ("", "")
    regressor(verbose=1).fit(X, y)
    out, err = capsys.readouterr()
    assert (out, "GRURegressor (native engine)" in err) == ("", True)


# -- memory ----------------------------------------------------------------------------------------------------------

MEASURE = """
import gc, warnings, numpy as np, psutil, resource, threading, time
warnings.simplefilter("ignore")
import tsrnn.engine.keras_
from tsrnn.regressors import LSTMRegressor
from tsrnn.windows import WindowArray
process = psutil.Process()
def rss():
    return process.memory_info().rss / 2**20
"""


def measure(code):
    done = subprocess.run(
        [sys.executable, "-c", MEASURE + code], capture_output=True, text=True, timeout=600, env=os.environ
    )
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


@pytest.mark.slow
def test_fifty_fits_of_one_shape_do_not_grow():
    code = """
X, y = np.random.default_rng(0).normal(size=(100, 10, 1)), np.zeros(100)
for i in range(53):
    if i == 3:
        gc.collect()
        before = rss()
    LSTMRegressor(8, epochs=2, learning_rate=0.001 * (1 + i), dropout=0.01 * (1 + i)).fit(X, y).predict(X)
gc.collect()
print(rss() - before)
"""
    assert measure(code) < 20


@pytest.mark.slow
def test_long_series_is_trained_on_without_copying_its_windows():
    # All windows at once would take 80 MB in float32, and as much again for each copy.
    code = """
base = np.random.default_rng(0).normal(size=(200_100, 1)).astype(np.float32)
X, y = WindowArray(base, np.arange(200_000), 100), base[100:, 0]
before, peak = rss(), [0]
def watch():
    while True:
        peak[0] = max(peak[0], rss())
        time.sleep(0.01)
threading.Thread(target=watch, daemon=True).start()
LSTMRegressor(8, epochs=1, batch_size=256, early_stopping=True, random_state=0).fit(X, y).predict(X)
print(peak[0] - before)
"""
    assert measure(code) < 150
