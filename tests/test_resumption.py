"""Training that goes on: the optimiser's state has an owner, random numbers and epochs are not used twice."""

import itertools
import pickle
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

from tsrnn import GRURegressor, LSTMRegressor, OutputRecurrentRegressor, SimpleRNNRegressor, load
from tsrnn.engine import native
from tsrnn.engine.resumption import MOMENTS, Draws, TrainerState, owner_of, random_numbers

needs_native = pytest.mark.skipif(not native.available(), reason="the native engine was not compiled")
ENGINES = [pytest.param("native", marks=needs_native), pytest.param("keras", marks=pytest.mark.slow)]
#: Parameters of each kind of state, and a learning rate at which it trains well.
OWNERS = {
    "adam": {"optimizer": "adam", "learning_rate": 3e-3},
    "adamw": {"optimizer": "adamw", "learning_rate": 3e-3},
    "rmsprop": {"optimizer": "rmsprop", "learning_rate": 3e-3},
    "adagrad": {"optimizer": "adagrad", "learning_rate": 0.05},
    "sgd": {"optimizer": "sgd", "momentum": 0.0, "learning_rate": 0.01},
    "sgd with momentum": {"optimizer": "sgd", "momentum": 0.9, "learning_rate": 0.01},
}


def data(n=100, seed=0):
    X = np.random.default_rng(seed).normal(size=(n, 5, 2))
    return X, X[:, -1, 0] * 0.7 + X[:, -2, 1] * 0.3


def make(cls=LSTMRegressor, **changes):
    return cls(**{"units": 3, "epochs": 2, "random_state": 0, "batch_size": 16} | changes)


def assert_same(a, b):
    for one, other in zip(a.weights_, b.weights_, strict=True):
        np.testing.assert_array_equal(one, other)


# -- whose the optimiser's state is ----------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("first", "second"), list(itertools.product(OWNERS, OWNERS)))
def test_an_optimiser_goes_on_with_its_own_state_and_starts_afresh_from_that_of_another(engine, first, second):
    X, y = data()
    model = make(engine=engine, warm_start=True, shuffle=False, **OWNERS[first]).fit(X, y)
    assert model._trainer_state.owner == first
    # As a new optimiser would train on from these weights: one whose state is unknown.
    afresh = pickle.loads(pickle.dumps(model.set_params(**OWNERS[second])))
    afresh._trainer_state = None
    model.fit(X, y), afresh.fit(X, y)
    same = all(np.array_equal(a, b) for a, b in zip(model.weights_, afresh.weights_, strict=True))
    assert same == (first != second or MOMENTS[first] == 0)
    assert max(model.history_["loss"]) < 1
    assert model._trainer_state.owner == second


@needs_native
def test_what_does_not_shape_the_state_may_change():
    X, y = data()
    for changes in ({"momentum": 0.5}, {"nesterov": False}, {"learning_rate": 0.005}):
        model = make(warm_start=True, shuffle=False, **OWNERS["sgd with momentum"]).fit(X, y)
        other = clone(model).fit(X, y).set_params(**changes)
        other._trainer_state = None
        assert not np.array_equal(model.set_params(**changes).fit(X, y).weights_[0], other.fit(X, y).weights_[0])


@pytest.mark.slow
def test_a_state_goes_over_from_one_engine_to_the_other():
    X, y = data()
    for owner in OWNERS.values():
        for first, second in (("native", "keras"), ("keras", "native")):
            model = make(engine=first, warm_start=True, shuffle=False, **owner).fit(X, y)
            crossed = pickle.loads(pickle.dumps(model)).set_params(engine=second).fit(X, y)
            for a, b in zip(crossed.weights_, model.fit(X, y).weights_, strict=True):
                np.testing.assert_allclose(a, b, atol=2e-5)


@needs_native
def test_a_state_of_version_0_1_0_belongs_to_the_optimiser_of_the_parameters():
    X, y = data()
    for owner, params in OWNERS.items():
        model = make(warm_start=True, shuffle=False, **params).fit(X, y)
        old = pickle.loads(pickle.dumps(model))
        vars(old)["_trainer_state"] = list(model._trainer_state.arrays)  # without an owner, as it was kept then
        again = pickle.loads(pickle.dumps(old))
        assert again._trainer_state.owner == owner
        assert_same(again.fit(X, y), clone(model).fit(X, y).fit(X, y))
        # One that cannot be of this optimiser: `optimizer` was set to another before the model was saved.
        old.set_params(optimizer="rmsprop" if owner in ("adam", "adamw") else "adam")
        assert pickle.loads(pickle.dumps(old))._trainer_state is None


@pytest.mark.parametrize(("name", "owner"), [("warm-adam", "adam"), ("warm-sgd", "sgd with momentum")])
def test_a_file_of_version_0_1_0_goes_on_with_the_state_of_its_optimiser(name, owner):
    model = load(Path(__file__).parent / "data" / "archives_0.1.0" / f"LSTMRegressor-{name}.tsrnn")
    assert model._trainer_state.owner == owner
    X = np.random.default_rng(0).normal(size=(100, 6, 2))
    n_steps = int(model._trainer_state.arrays[0])
    assert int(model.fit(X, X[:, -1, 0])._trainer_state.arrays[0]) > n_steps


# -- random numbers --------------------------------------------------------------------------------------------------

#: With a learning rate of nothing, losses move with dropout masks, the order of windows or the teacher's coin alone.
STILL = {"learning_rate": 1e-12, "epochs": 1, "warm_start": True}


def losses(model, n, X, y):
    return [round(model.fit(X, y).history_["loss"][-1], 6) for _ in range(n)]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("dropout", [{"dropout": 0.8}, {"recurrent_dropout": 0.8}], ids=str)
def test_warm_started_fits_draw_new_masks_also_from_files(engine, dropout, tmp_path):
    X, y = data()
    model = make(units=8, engine=engine, shuffle=False, **dropout, **STILL)
    seen = losses(model, 3, X, y)
    model.save(tmp_path / "model")
    copies = [load(tmp_path / "model"), pickle.loads(pickle.dumps(model)), model]
    again = [losses(copy, 3, X, y) for copy in copies]
    assert again[0] == again[1] == again[2]
    assert len({*seen, *again[0]}) == 6


@needs_native
def test_masks_are_new_for_another_optimiser_too():
    X, y = data()
    model = make(units=8, shuffle=False, dropout=0.8, **STILL)
    seen = losses(model, 2, X, y) + losses(model.set_params(optimizer="rmsprop"), 2, X, y)
    assert len(set(seen)) == 4


@needs_native
@pytest.mark.parametrize("go_on", ["fit", "partial_fit"])
def test_each_epoch_has_an_order_of_its_own(go_on):
    X, y = data()
    model, weights = make(batch_size=4, learning_rate=0.01, warm_start=True, epochs=1), []
    for _ in range(4):
        getattr(model, go_on)(X, y)
        before = [w.copy() for w in model.weights_]
        weights.append(before[0])
        # From the same weights and a new optimiser, only the order of windows differs from call to call.
        model.weights_, model._trainer_state = [w.copy() for w in START], None
    assert len({w.tobytes() for w in weights[1:]}) == 3


START = make(epochs=1).fit(*data()).weights_ if native.available() else []


@pytest.mark.slow
def test_the_coins_of_a_teacher_are_new_in_each_fit():
    X, y = data()
    y = np.stack([y, y * 2, y - 1], axis=1)
    model = make(OutputRecurrentRegressor, units=4, teacher_forcing=0.5, shuffle=False, **STILL)
    assert len(set(losses(model, 5, X, y))) == 5


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"dropout": 0.5, "recurrent_dropout": 0.3, "units": (3, 3)},
        {"optimizer": "sgd", "learning_rate": 0.05, "learning_rate_schedule": "cosine"},
        {"optimizer": "adamw", "learning_rate_schedule": "exponential", "shuffle": False},
        {"learning_rate_schedule": lambda epoch: 1 / (1 + epoch)},
    ],
    ids=lambda changes: "-".join(changes),
)
def test_partial_fits_are_one_fit_of_as_many_epochs(engine, changes):
    X, y = data()
    whole = make(SimpleRNNRegressor, engine=engine, epochs=5, early_stopping=False, **changes).fit(X, y)
    model = make(SimpleRNNRegressor, engine=engine, epochs=5, **changes)
    for _ in range(5):
        model = pickle.loads(pickle.dumps(model)) if not callable(changes.get("learning_rate_schedule")) else model
        model.partial_fit(X, y)
    assert_same(model, whole)
    assert model.history_ == whole.history_ and model.n_iter_ == 5


@needs_native
def test_a_generator_as_random_state_is_drawn_from_once_in_each_call():
    X, y = data()
    given, alike = np.random.RandomState(3), np.random.RandomState(3)
    model = make(random_state=given, warm_start=True).fit(X, y).fit(X, y).partial_fit(X, y)
    alike.randint(np.iinfo(np.int32).max, size=3)
    assert given.randint(1000) == alike.randint(1000)
    assert model._draws.seed != make(random_state=np.random.RandomState(3)).fit(X, y)._draws.seed


@needs_native
def test_an_interrupted_fit_goes_on_with_new_numbers():
    X, y = data()

    def interrupt(epoch):
        if epoch == 2:
            raise KeyboardInterrupt
        return 1.0

    model = make(units=8, shuffle=False, dropout=0.8, learning_rate_schedule=interrupt, **STILL | {"epochs": 4})
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y)
    seen = [round(loss, 6) for loss in model.history_["loss"]]
    model.set_params(learning_rate_schedule=None).fit(X, y)
    assert len({*seen, *(round(loss, 6) for loss in model.history_["loss"])}) == 6


def test_noted_generators_go_on_where_they_were():
    rng = np.random.default_rng([7, 0])
    for _ in range(3):
        rng.integers(2**31)  # an odd number of half words
        rng.normal(size=5)
        noted = Draws.of(7, rng)
        went_on = random_numbers(noted, 7, 3)
        np.testing.assert_array_equal(went_on.integers(2**31, size=3), rng.integers(2**31, size=3))
    other = random_numbers(noted, 8, 3)
    np.testing.assert_array_equal(other.random(3), np.random.default_rng([8, 3]).random(3))


def test_generators_that_cannot_be_are_refused():
    good = Draws.of(0, np.random.default_rng(0)).state
    bad = [good[:5], good.astype(float), list(good), good * np.uint64(2), *(good.copy() for _ in range(2))]
    bad[4][4], bad[5][5] = 2, 2**32
    for state in bad:
        with pytest.raises(ValueError, match="random numbers"):
            Draws(0, state).go_on()


def test_states_fit_the_weights_that_they_are_of():
    shapes = [(2, 3), (3,)]
    counters = (np.array(1), np.array(0.1))
    moments = tuple(np.zeros(shape) for shape in shapes for _ in range(2))
    assert TrainerState("adam", counters + moments).fits(shapes)
    assert TrainerState("sgd", counters).fits(shapes)
    for owner, arrays in [("rmsprop", counters + moments), ("adam", counters), ("adam", moments), ("lion", counters)]:
        assert not TrainerState(owner, arrays).fits(shapes)
    assert {owner_of(p["optimizer"], p.get("momentum", 0.9)) for p in OWNERS.values()} == set(MOMENTS)


# -- epochs ----------------------------------------------------------------------------------------------------------


@needs_native
def test_the_cosine_keeps_its_last_rate_when_it_is_over():
    X, y = data()
    model = make(GRURegressor, learning_rate_schedule="cosine", epochs=4, learning_rate=0.01)
    for _ in range(6):
        model.partial_fit(X, y)
    whole = clone(model).fit(X, y).history_["learning_rate"]
    assert model.history_["learning_rate"] == [*whole, whole[-1], whole[-1]]
    assert whole[-1] > 0


@needs_native
def test_a_fit_begins_its_schedule_and_its_count_of_epochs_anew():
    X, y = data()
    model = make(learning_rate_schedule="exponential", epochs=5, warm_start=True).fit(X, y)
    first = model.history_["learning_rate"]
    assert model.fit(X, y).history_["learning_rate"] == first and model.n_iter_ == 5
    assert model.partial_fit(X, y).n_iter_ == 6
    assert model.history_["learning_rate"][-1] == pytest.approx(first[-1] * 0.8)


def test_teacher_forcing_falls_over_the_epochs_of_partial_fits():
    from tsrnn.engine.program import Numbers
    from tsrnn.engine.training import TrainingPlan

    def share(epoch, forcing="linear"):
        plan = TrainingPlan(4, 8, "mse", Numbers(0.1), teacher_forcing=forcing, start=epoch, n_epochs=1)
        assert plan.end == epoch + 1
        return plan.forcing(plan.start)

    assert [share(epoch) for epoch in range(6)] == [1, 0.75, 0.5, 0.25, 0, 0]
    assert [share(epoch, lambda epoch: epoch / 10) for epoch in range(3)] == [0, 0.1, 0.2]


def test_callbacks_count_the_epochs_of_partial_fits():
    keras = pytest.importorskip("keras")
    X, y = data()
    seen = []

    class Epochs(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            seen.append(("begin", epoch, self.params["epochs"]))

        def on_epoch_end(self, epoch, logs=None):
            seen.append(("end", epoch, self.params["epochs"]))

    model = make(callbacks=[lambda: Epochs()], epochs=2).fit(X, y).partial_fit(X, y).partial_fit(X, y)
    fit = [(word, epoch, 2) for epoch in range(2) for word in ("begin", "end")]
    later = [(word, epoch, epoch + 1) for epoch in (2, 3) for word in ("begin", "end")]
    assert seen == fit + later
    assert model.n_iter_ == 4
