"""Regressors that predict at each step, and those whose initial state comes from a static vector."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from archive_files import save_unchecked

import tsrnn
from tsrnn.exceptions import ArchiveError
from tsrnn.regressors import GRURegressor, LSTMRegressor, SimpleRNNRegressor

CLASSES = [LSTMRegressor, GRURegressor, SimpleRNNRegressor]
# What each test of "both" runs with: a regressor and data for it.
AXES = [{"return_sequences": True}, {"static_features": (1,)}, {"static_features": (1,), "static_to": "state"}]
AXES += [{"return_sequences": True, "static_features": (1,), "bidirectional": True, "units": (3, 2)}]


def regressor(cls=GRURegressor, **changes):
    return cls(**{"units": 3, "epochs": 2, "random_state": 0, **changes})


def data(n=40, n_steps=5, ragged=False, sequences=True):
    """Windows of two features, of which the second is constant over a window, and their running means."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, n_steps, 2))
    X[..., 1] = X[:, -1:, 1]
    y = X[..., 0].cumsum(axis=1) / np.arange(1, n_steps + 1) + X[..., 1]
    if ragged:
        for window in range(n):
            X[window, : window % n_steps] = np.nan
    return X, y if sequences else y[:, -1]


def data_for(changes, **options):
    return data(sequences=changes.get("return_sequences", False), **options)


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a.weights_, b.weights_, strict=True))


# -- learning --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", CLASSES)
def test_running_mean_is_learnt_at_every_step(cls):
    X = np.random.default_rng(0).normal(size=(400, 12))
    y = X.cumsum(axis=1) / np.arange(1, 13)
    model = cls(units=12, return_sequences=True, epochs=40, learning_rate=0.01, random_state=0).fit(X[:300], y[:300])
    error = np.sqrt(np.mean((model.predict(X[300:]) - y[300:]) ** 2, axis=0))
    assert (error < 0.5 * y[300:].std(axis=0)).all()


def two_sines(n=400, n_steps=8):
    """Two sines of random phases, and a class that says which of them is to be continued."""
    rng = np.random.default_rng(0)
    phases, chosen = rng.uniform(0, 2 * np.pi, size=(n, 1, 2)), rng.integers(2, size=n)
    waves = np.sin(phases + np.arange(n_steps + 1)[:, None] / np.array([2, 3]))
    label = np.broadcast_to(chosen[:, None, None], (n, n_steps, 1))
    return np.concatenate([waves[:, :-1], label], axis=2), waves[np.arange(n), -1, chosen]


@pytest.mark.parametrize("cls", CLASSES)
def test_initial_state_alone_tells_which_sine_to_continue(cls):
    X, y = two_sines()
    options = {"units": 16, "epochs": 60, "learning_rate": 0.01, "random_state": 0}

    def error(model, X):
        return np.sqrt(np.mean((model.fit(X[:300], y[:300]).predict(X[300:]) - y[300:]) ** 2))

    assert error(cls(static_features=(2,), static_to="state", **options), X) < 0.25
    assert error(cls(**options), X[..., :2]) > 0.4  # half of the variance is the class


# -- sequences -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(), (1,), (3,)])
def test_predictions_have_a_target_for_each_step(shape):
    X, _ = data()
    y = np.random.default_rng(1).normal(size=(40, 5, *shape))
    model = regressor(return_sequences=True).fit(X, y)
    assert model.predict(X[:7]).shape == (7, 5, *shape)
    assert model.n_outputs_ == 5 * np.prod(shape, dtype=int)
    assert model.weights_[-1].size == np.prod(shape, dtype=int)  # one dense layer for all steps


def test_targets_are_in_the_order_of_the_steps():
    X, _ = data(60)
    y = np.array([[0, 3], [1, 4], [2, 5]]) + np.zeros((60, 1, 1))
    model = regressor(return_sequences=True, epochs=200, learning_rate=0.05).fit(X[:, :3], y)
    np.testing.assert_allclose(model.predict(X[:1, :3])[0], y[0], atol=0.5)


@pytest.mark.parametrize("cls", CLASSES)
def test_a_step_is_predicted_from_what_was_read_up_to_it(cls):
    X, y = data()
    model = regressor(cls, return_sequences=True).fit(X, y)
    changed = X.copy()
    changed[:, 3:] += 1
    before, after = model.predict(X), model.predict(changed)
    np.testing.assert_array_equal(after[:, :3], before[:, :3])
    assert (after[:, 3:] != before[:, 3:]).all()
    both_ways = regressor(cls, return_sequences=True, bidirectional=True).fit(X, y)
    assert (both_ways.predict(X)[:, :3] != both_ways.predict(changed)[:, :3]).all()


def test_rows_of_a_table_are_windows_too():
    X, y = data()
    table = regressor(return_sequences=True, n_steps=5).fit(X.reshape(40, -1), y)
    assert same(table, regressor(return_sequences=True).fit(X, y))
    np.testing.assert_array_equal(table.predict(X.reshape(40, -1)), table.predict(X))
    assert regressor(return_sequences=True).fit(X[..., 0], y).predict(X[..., 0]).shape == (40, 5)


@pytest.mark.parametrize("changes", [{}, {"static_features": (1,)}, {"bidirectional": True, "units": (3, 2)}], ids=str)
@pytest.mark.parametrize("engine", ["auto", "keras"])
def test_empty_steps_predict_nothing_and_teach_nothing(engine, changes):
    if engine == "keras":
        pytest.importorskip("keras")
    X, y = data(ragged=True)
    empty = np.isnan(X).all(axis=2)
    model = regressor(return_sequences=True, engine=engine, **changes).fit(X, y)
    nowhere = regressor(return_sequences=True, engine=engine, **changes).fit(X, np.where(empty, np.nan, y))
    assert same(model, nowhere)
    predictions = model.predict(X)
    np.testing.assert_array_equal(np.isnan(predictions), empty)
    for window in (0, 2, 4):  # the same as the shorter window by itself, which has as many predictions as steps
        alone = model.predict(X[window : window + 1, window:])
        np.testing.assert_allclose(alone[0], predictions[window, window:], rtol=1e-5)


def test_windows_that_are_shorter_than_those_of_the_first_fit_go_on_training():
    X, y = data()
    short, padded = regressor(return_sequences=True).fit(X, y), regressor(return_sequences=True).fit(X, y)
    short.partial_fit(X[:, 2:], y[:, 2:])
    leading = np.full((40, 2, 2), np.nan)
    padded.partial_fit(np.concatenate([leading, X[:, 2:]], axis=1), y)
    assert same(short, padded)


def test_targets_may_be_missing_at_empty_steps_only():
    X, y = data(ragged=True)
    y[3, 4] = np.nan
    with pytest.raises(ValueError, match="Input y contains NaN: the target of step 4 of window 3 is missing"):
        regressor(return_sequences=True).fit(X, y)
    model = regressor(return_sequences=True).__fit_windows__(X, y)
    assert np.isfinite(model.predict(X)[3, 4])
    y[0, 0] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        regressor(return_sequences=True).fit(X, y)


def test_targets_that_do_not_match_the_steps_are_refused():
    X, y = data()
    model = regressor(return_sequences=True)
    for wrong in (y[:, 0], y[:, 1:], y[:, None, :]):
        with pytest.raises(ValueError, match=r"a target for each of the 5 steps of a window: shape \(n_windows, 5\)"):
            model.fit(X, wrong)
    with pytest.raises(ValueError, match=r"segment=2 reads that many steps as one. Set segment=1"):
        regressor(return_sequences=True, segment=2).fit(X, y)
    model.fit(X, y)
    with pytest.raises(ValueError, match=r"was \(n_windows, \*\(5,\)\) when the network was first fitted"):
        model.partial_fit(X, y[..., None])


@pytest.mark.parametrize("loss", ["pinball", "gaussian", "student_t"])
def test_distributions_are_predicted_at_each_step(loss):
    X, y = data(ragged=True)
    y = np.stack([y, -y], axis=2)
    empty = np.isnan(X).all(axis=2)
    model = regressor(return_sequences=True, loss=loss, epochs=30, early_stopping=True).fit(X, y)
    low, middle, high = np.moveaxis(model.predict_quantiles(X, [0.1, 0.5, 0.9]), -1, 0)
    assert low.shape == y.shape
    assert (low[~empty] <= middle[~empty]).all() and (middle[~empty] <= high[~empty]).all()
    np.testing.assert_array_equal(np.isnan(middle[..., 0]), empty)
    np.testing.assert_allclose(model.predict(X), middle)
    assert model.predict_quantiles(X[:3, 2:], [0.5]).shape == (3, 3, 2, 1)


# -- static vectors --------------------------------------------------------------------------------------------------


def test_static_features_are_read_at_the_last_step():
    X, y = data(sequences=False)
    model = regressor(static_features=(1,), static_to="state").fit(X, y)
    changed = X.copy()
    changed[:, :-1, 1] = 7
    np.testing.assert_array_equal(model.predict(changed), model.predict(X))
    changed[:, -1, 1] = 7
    assert (model.predict(changed) != model.predict(X)).all()
    both = regressor(static_features=(1,)).fit(X, y)
    assert both.weights_[2].shape[0] == 2 and model.weights_[2].shape[0] == 1


@pytest.mark.parametrize("static_to", ["both", "state"])
def test_missing_static_values_are_filled_and_flagged(static_to):
    X, y = data(sequences=False)
    X[::3, :, 1] = np.nan
    options = {"static_to": static_to, "shuffle": False}  # shuffled, the order depends on the windows
    model = regressor(static_features=(1,), **options).fit(X, y)
    assert model._spec.static == (1, 2)  # the indicator of feature 1 is static as well
    assert model._spec.inputs == {"both": (0, 1, 2), "state": (0,)}[static_to]
    filled = np.where(np.isnan(X), np.nanmean(X[..., 1]), X)
    flags = np.isnan(X[..., 1:]).astype(float)
    by_hand = regressor(static_features=(1, 2), **options).fit(np.concatenate([filled, flags], axis=2), y)
    for a, b in zip(model.weights_, by_hand.weights_, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("cls", CLASSES)
def test_segments_and_static_features_go_together(cls):
    X, y = data(sequences=False)
    model = regressor(cls, segment=2, static_features=(1,), static_to="state").fit(X, y)
    assert model.weights_[2].shape[0] == 2
    assert np.isfinite(model.predict(X)).all()


def test_static_features_that_are_not_there_are_refused():
    X, y = data(sequences=False)
    with pytest.raises(ValueError, match="names feature 2, but a step of X has 2: positions 0 to 1"):
        regressor(static_features=(2,)).fit(X, y)
    with pytest.raises(ValueError, match="names all 2 features, and static_to='state' leaves none"):
        regressor(static_features=(1, 0), static_to="state").fit(X, y)
    assert regressor(static_features=(1, 0)).fit(X, y)._spec.static == (1, 0)


# -- both, with everything else --------------------------------------------------------------------------------------


@pytest.mark.parametrize("changes", AXES, ids=str)
def test_engines_agree_and_the_model_has_these_weights(changes):
    pytest.importorskip("keras")
    X, y = data_for(changes, ragged=True)
    models = [regressor(engine=engine, **changes).fit(X, y) for engine in ("auto", "keras")]
    for a, b in zip(models[0].weights_, models[1].weights_, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
    full, _ = data_for(changes)
    for model in models:
        keras_model = model.model_
        for a, b in zip(keras_model.get_weights(), model.weights_, strict=True):
            np.testing.assert_array_equal(a, b)
        by_keras = keras_model.predict(full, verbose=0).reshape(model.predict(full).shape)
        np.testing.assert_allclose(by_keras, model.predict(full), atol=1e-5)


@pytest.mark.parametrize("changes", AXES, ids=str)
def test_weights_are_repeats_and_the_order_does_not_matter(changes):
    X, y = data_for(changes, ragged=True)
    model = regressor(**changes).fit(X, y, sample_weight=np.r_[np.full(20, 2), np.ones(20)])
    twice = np.r_[np.arange(40), np.arange(20)][::-1]
    assert same(model, regressor(**changes).fit(X[twice], y[twice]))


@pytest.mark.parametrize("changes", AXES, ids=str)
def test_early_stopping_watches_the_loss_of_the_last_windows(changes):
    X, y = data_for(changes, ragged=True)
    model = regressor(early_stopping=True, validation_fraction=0.25, epochs=5, **changes).fit(X, y)
    error = (model.predict(X[30:]) - y[30:]) ** 2
    best = [model.initial_val_loss_, *model.history_["val_loss"]][model.best_iteration_]
    assert np.nanmean(error) == pytest.approx(best, rel=1e-5)


@pytest.mark.parametrize("changes", AXES, ids=str)
def test_predictions_do_not_depend_on_the_windows_beside(changes):
    X, y = data_for(changes, ragged=True)
    model = regressor(**changes).fit(X, y)
    np.testing.assert_array_equal(model.predict(X[7:9]), model.predict(X)[7:9])


@pytest.mark.parametrize("changes", AXES, ids=str)
def test_files_and_pickles_bring_the_network_back(changes, tmp_path):
    X, y = data_for(changes, ragged=True)
    model = regressor(**changes).fit(X, y)
    model.save(tmp_path / "model.tsrnn")
    for copy in (tsrnn.load(tmp_path / "model.tsrnn"), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(copy.predict(X), model.predict(X))
        assert copy.get_params() == model.get_params()


@pytest.mark.parametrize(
    "changes",
    [
        {"head": "last"},
        {"head": "middle"},
        {"segment": 0},
        {"segment": 5},
        {"static": (2,)},
        {"static": (1, 1)},
        {"static": (-1,)},
        {"static": (0, 1), "static_to": "state"},
        {"static_to": "inputs"},
        {"static": ()},
    ],
    ids=str,
)
def test_files_of_networks_that_cannot_be_are_refused(changes, tmp_path):
    X, y = data()
    model = regressor(return_sequences=True, static_features=(1,)).fit(X, y)
    model._spec = replace(model._spec, **changes)
    save_unchecked(model, tmp_path / "model.tsrnn")
    with pytest.raises(ArchiveError):
        tsrnn.load(tmp_path / "model.tsrnn")


@pytest.mark.parametrize("changes", AXES, ids=str)
def test_warm_start_goes_on_and_refuses_another_network(changes):
    X, y = data_for(changes)
    model = regressor(warm_start=True, **changes).fit(X, y)
    before = [weight.copy() for weight in model.weights_]
    model.fit(X, y)
    assert not any(np.array_equal(a, b) for a, b in zip(before, model.weights_, strict=True))
    model.set_params(static_features=(0,))
    with pytest.raises(ValueError, match="training cannot go on"):
        model.fit(X, y)
