"""The state after a fit: streams go on from it, and so does training on what comes in."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from archive_files import save_unchecked
from tbptt_examples import CLASSES, ENGINES, ONE_LANE, data, largest_difference, needs_native, regressor, sequences

from tsrnn import load
from tsrnn.engine.pieces import Pieces
from tsrnn.exceptions import ArchiveError

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.exceptions.CapacityWarning")


# -- the state after fit ---------------------------------------------------------------------------------------------


@needs_native
@pytest.mark.parametrize("cls", CLASSES)
def test_a_stream_goes_on_where_the_training_sequences_end(cls, tmp_path):
    X, y = sequences([30, 12, 5])
    model = regressor(cls, units=(4, 3), tbptt_steps=7).fit(X, y)
    new = np.random.default_rng(1).normal(size=(4, 3, 2))
    path = tmp_path / "model.tsrnn"
    model.save(path)
    for fitted in (model, load(path), pickle.loads(pickle.dumps(model))):
        stream = fitted.stream(state="fitted")
        np.testing.assert_array_equal(stream.n_seen, [30, 12, 5])
        went_on = np.array([stream.update(observations) for observations in new])
        for i, x in enumerate(X):
            longer = model.predict([np.concatenate([x, new[:, i]])])[0]
            np.testing.assert_allclose(went_on[:, i], longer[len(x) :], rtol=0, atol=1e-6)
    np.testing.assert_array_equal(stream.reset().n_seen, 0)


@needs_native
def test_the_fitted_state_is_that_of_all_sequences_with_the_weights_that_were_kept():
    X, y = data(n_sequences=4, n_steps=60)
    weight = np.array([1.0, 0.0, 1.0, 1.0])  # one that is not trained on
    model = regressor(tbptt_steps=7, early_stopping=True, epochs=4).fit(X, y, sample_weight=weight)
    stream = model.stream(n_streams=4)
    for step in range(60):
        stream.update(X[:, step])
    np.testing.assert_allclose(model.state_[0], stream._states[0][0][0], rtol=0, atol=1e-6)
    assert not hasattr(model.set_params(tbptt_steps=None).fit(X, y), "state_")


@needs_native
def test_a_fitted_state_that_is_not_there_is_refused():
    X, y = data()
    model = regressor(tbptt_steps=6).fit(X, y)
    with pytest.raises(ValueError, match="n_streams=2, but the fitted state is that of 6 sequences"):
        model.stream(2, state="fitted")
    with pytest.raises(ValueError, match="state must be"):
        model.stream(state="zero")
    with pytest.raises(ValueError, match="Fit with tbptt_steps"):
        regressor().fit(X, y).stream(state="fitted")


@needs_native
def test_an_interrupted_fit_keeps_weights_but_no_state(monkeypatch):
    X, y = data()
    model = regressor(tbptt_steps=6, warm_start=True).fit(X, y)
    before, batches, epochs = model.weights_, Pieces.batches, iter([False, True])

    def interrupted(*args):
        if next(epochs):
            raise KeyboardInterrupt
        return batches(*args)

    monkeypatch.setattr(Pieces, "batches", interrupted)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y)
    assert largest_difference(model.weights_, before) > 0
    assert not hasattr(model, "state_")


@needs_native
@pytest.mark.parametrize(
    "damage",
    [
        {"_piece": 0},
        {"_piece": 25},
        {"_piece": None},
        {"state_": []},
        {"state_": [np.zeros((6, 2), np.float32)]},
        {"_n_seen": np.zeros(5, np.int64)},
        {"_n_seen": np.full(6, -1)},
    ],
    ids=str,
)
def test_files_with_states_that_cannot_be_are_refused(damage, tmp_path):
    model = regressor(tbptt_steps=6).fit(*data())
    vars(model).update(damage)
    save_unchecked(model, tmp_path / "model.tsrnn")
    with pytest.raises(ArchiveError, match="piece|state_|_n_seen"):
        load(tmp_path / "model.tsrnn")


# -- trained on as it comes in ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize("options", [{}, {"units": (3, 2), "dropout": 0.3}, {"optimizer": "sgd"}], ids=str)
def test_a_series_trained_on_piece_by_piece_is_one_pass_over_it(cls, engine, options):
    X, y = data(1, 120)
    whole = regressor(cls, engine=engine, **ONE_LANE | options).partial_fit(X, y)
    model = regressor(cls, engine=engine, **ONE_LANE | options)
    for rows in (slice(0, 30), slice(30, 90), slice(90, 120)):
        state = None if rows.start == 0 else "fitted"
        model = pickle.loads(pickle.dumps(model)).partial_fit(X[:, rows], y[:, rows], state=state)
    assert largest_difference(model.weights_, whole.weights_) == 0
    assert model.n_iter_ == 3 and list(model._n_seen) == [120]


@needs_native
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("batch_size", [2, 8])
def test_several_series_go_on_side_by_side(shuffle, batch_size, tmp_path):
    X, y = data(4, 40)
    X[3], y[3] = X[2], y[2]  # the twin of another series
    options = {"tbptt_steps": 5, "batch_size": batch_size, "shuffle": shuffle, "learning_rate": 1e-12}
    model = regressor(**options).partial_fit(X[:, :20], y[:, :20])
    model.save(tmp_path / "model")
    loss = load(tmp_path / "model").partial_fit(X[:, 20:], y[:, 20:], state="fitted").history_["loss"][-1]
    # Weights stand still, so the loss is that of predictions from the beginning on.
    assert loss == pytest.approx(np.mean((model.predict(X)[:, 20:] - y[:, 20:]) ** 2), rel=1e-5)
    cold = model.partial_fit(X[:, 20:], y[:, 20:]).history_["loss"][-1]
    assert abs(cold - loss) > 1e-4


@needs_native
def test_a_stream_goes_on_after_the_last_piece():
    X, y = data(3, 60)
    model = regressor(tbptt_steps=10, learning_rate=1e-12, missing_indicator=True).partial_fit(X[:, :20], y[:, :20])
    for start in (20, 35):
        X[1, start : start + 2] = np.nan  # a gap where the piece begins: the series had begun before
        stop = start + 15 if start == 20 else 60
        model.partial_fit(X[:, start:stop], y[:, start:stop], state="fitted")
    stream = model.stream()
    np.testing.assert_array_equal(model._n_seen, 60)
    stream = model.stream(3)
    for step in range(60):
        stream.update(X[:, step])
    fitted = model.stream(state="fitted")
    np.testing.assert_allclose(fitted.update(X[:, 0]), stream.update(X[:, 0]), atol=1e-5)


@needs_native
def test_pieces_of_different_lengths_and_series_without_weight_go_on():
    X, y = sequences([30, 20, 25])
    options = {"tbptt_steps": 5, "learning_rate": 1e-12}
    first, second = [x[:10] for x in X], [x[10:] for x in X]
    model = regressor(**options).partial_fit(first, [t[:10] for t in y], sample_weight=[1, 0, 1])
    model.partial_fit(second, [t[10:] for t in y], state="fitted")
    np.testing.assert_array_equal(model._n_seen, [30, 20, 25])
    whole = regressor(**options).partial_fit(X, y)
    for got, expected in zip(model.state_, whole.state_, strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-5)


@needs_native
def test_a_series_goes_on_after_a_fit_with_early_stopping_from_the_state_of_its_weights():
    X, y = data(1, 200)
    model = regressor(epochs=3, early_stopping=True, **ONE_LANE | {"learning_rate": 1e-12})
    model.fit(X[:, :150], y[:, :150]).partial_fit(X[:, 150:], y[:, 150:], state="fitted")
    expected = np.mean((model.predict(X)[:, 150:] - y[:, 150:]) ** 2)
    assert model.history_["loss"][-1] == pytest.approx(expected, rel=1e-5)


@needs_native
def test_a_state_to_go_on_from_that_is_not_there_is_refused():
    X, y = data()
    model = regressor(tbptt_steps=6)
    with pytest.raises(ValueError, match="Fit with tbptt_steps, or leave state out"):
        model.partial_fit(X, y, state="fitted")
    model.partial_fit(X, y)
    before = vars(model).copy()
    with pytest.raises(ValueError, match="X holds 2 sequences, but the fitted state is that of 6"):
        model.partial_fit(X[:2], y[:2], state="fitted")
    with pytest.raises(ValueError, match=r"state must be one of None, 'fitted', got 'zero'"):
        model.partial_fit(X, y, state="zero")
    assert vars(model) == before
    with pytest.raises(ValueError, match="Set tbptt_steps, or leave state out"):
        model.set_params(tbptt_steps=None).partial_fit(X, y, state="fitted")


def test_networks_without_a_state_say_so():
    from tsrnn import FeedForwardRegressor

    with pytest.raises(ValueError, match="FeedForwardRegressor carries none"):
        FeedForwardRegressor().partial_fit(np.zeros((5, 3)), np.zeros(5), state="fitted")


@needs_native
def test_a_left_state_that_does_not_fit_is_refused(tmp_path):
    model = regressor(**ONE_LANE).partial_fit(*data(1))
    for damage in (np.zeros((2, 3), np.float32), np.zeros((1, 3)), "left"):
        model._left_state = damage
        with pytest.raises(ArchiveError, match="_left_state"):
            model.save(tmp_path / "model.tsrnn")
