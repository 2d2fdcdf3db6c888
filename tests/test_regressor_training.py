"""Training of regressors: weights, order, seeds, parameters, going on, divergence and interrupts."""

import numpy as np
import pytest
from regressor_examples import data, regressor, same

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


@pytest.mark.parametrize("engine", ["native", pytest.param("keras", marks=pytest.mark.slow)])
def test_a_batch_is_no_larger_than_the_data(engine):
    X, y = data(70)
    X[69], y[69] = X[0], y[0]  # one window given twice is one
    fits = [regressor(engine=engine, batch_size=size, dropout=0.2).fit(X, y) for size in (69, 70, 10**6)]
    assert same(fits[0], fits[1]) and same(fits[0], fits[2])


# -- parameters ------------------------------------------------------------------------------------------------------


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


# -- fits that come to no end ----------------------------------------------------------------------------------------


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
