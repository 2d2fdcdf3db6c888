"""Windows of different lengths in a list: the same as one array filled up with NaN, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import cross_val_predict

from tsrnn.engine import WindowData
from tsrnn.engine.data import Sequences
from tsrnn.regressors import GRURegressor, LSTMRegressor, SimpleRNNRegressor

CLASSES = [LSTMRegressor, GRURegressor, SimpleRNNRegressor]


def regressor(cls=GRURegressor, **changes):
    return cls(**{"units": 3, "epochs": 2, "random_state": 0, **changes})


def sequences(n=30, n_features=2, seed=0, longest=7):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, longest + 1, size=n)
    lengths[4] = longest
    X = [rng.normal(size=(length, n_features)) for length in lengths]
    return X, np.array([x[-1, 0] + len(x) / 10 for x in X])


def padded(X, n_steps=None):
    """The slow way: one array, with NaN in front of the shorter ones."""
    n_steps = n_steps or max(map(len, X))
    out = np.full((len(X), n_steps, *X[0].shape[1:]), np.nan)
    for row, x in zip(out, X, strict=True):
        row[n_steps - len(x) :] = x
    return out


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a.weights_, b.weights_, strict=True))


# -- the same as a filled array --------------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize("changes", [{}, {"bidirectional": True}, {"segment": 3}, {"static_features": (1,)}], ids=str)
def test_a_list_is_the_same_as_an_array_filled_up_with_nan(cls, changes):
    X, y = sequences()
    of_list = regressor(cls, **changes).fit(X, y)
    assert same(of_list, regressor(cls, **changes).fit(padded(X), y))
    assert of_list.n_steps_in_ == 7
    np.testing.assert_array_equal(of_list.predict(X), of_list.predict(padded(X)))


def test_keras_reads_a_list_as_the_native_engine_does():
    X, y = sequences()
    keras, native = (regressor(engine=engine).fit(X, y) for engine in ("keras", "auto"))
    np.testing.assert_allclose(keras.predict(X), native.predict(X), atol=1e-5)
    assert same(keras, regressor(engine="keras").fit(padded(X), y))


@given(st.lists(st.integers(1, 6), min_size=2, max_size=8), st.integers(0, 3), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_windows_keep_their_order_their_rows_and_their_gaps(lengths, extra, seed):
    rng = np.random.default_rng(seed)
    X = [rng.normal(size=(length, 2)) for length in lengths]
    for x in X:
        x[rng.random(x.shape) < 0.3] = np.nan
    n_steps = max(lengths) + extra
    windows = WindowData.from_windows(Sequences(np.concatenate(X), np.array(lengths)), n_steps)
    filled = WindowData.from_windows(padded(X, n_steps))
    np.testing.assert_array_equal(windows.dense(slice(None)), filled.dense(slice(None)))
    np.testing.assert_array_equal(windows.lead, filled.lead)
    assert len(windows.series) == sum(lengths)  # nothing is filled up


def test_each_window_is_predicted_as_if_it_were_alone():
    X, y = sequences()
    model = regressor().fit(X, y)
    alone = [model.predict(x[np.newaxis])[0] for x in X]
    np.testing.assert_array_equal(model.predict(X), alone)
    np.testing.assert_array_equal(model.predict(X[::-1]), alone[::-1])


def test_missing_values_inside_a_window_are_filled_and_those_of_its_neighbour_are_not_its_own():
    X, y = sequences()
    X[4][3, 0] = np.nan
    X[7][:] = np.nan
    model = regressor().fit(X, y)
    assert model._missing.indicators == (0,)
    assert same(model, regressor().fit(padded(X), y))
    with pytest.raises(ValueError, match="feature 1 is missing at step 4 of window 1"):
        model.predict([X[0], np.array([[1, 1], [1, 1], [1, np.nan], [1, 1], [1, 1]])])


def test_tuples_nested_lists_and_tables_are_windows_too():
    X, y = sequences()
    model = regressor().fit(X, y)
    assert same(model, regressor().fit(tuple(X), y))
    assert same(model, regressor().fit([x.tolist() for x in X], y))
    assert same(model, regressor().fit([pd.DataFrame(x) for x in X], y))


def test_lists_of_equal_windows_and_of_rows_are_read_as_before():
    X = np.random.default_rng(0).normal(size=(20, 5, 2))
    y = X[:, -1, 0]
    assert same(regressor().fit(list(X), y), regressor().fit(X, y))
    table = regressor().fit(X[..., 0].tolist(), y)
    assert table.n_features_in_ == 5
    assert same(table, regressor().fit(X[..., 0], y))


def test_weights_searches_and_further_training_take_lists():
    X, y = sequences(40)
    twice = regressor().fit(X + X[:5], np.append(y, y[:5]))
    assert same(twice, regressor().fit(X, y, sample_weight=np.where(np.arange(40) < 5, 2, 1)))
    assert cross_val_predict(regressor(), X, y, cv=3).shape == (40,)
    model = regressor(early_stopping=True).fit(X, y).partial_fit([x[-3:] for x in X], y)
    assert model.n_iter_ == 3
    assert model.n_steps_in_ == 7


# -- a target for each step ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(), (1,), (2,)])
def test_targets_of_each_step_may_be_a_list(shape):
    X, _ = sequences()
    y = [np.random.default_rng(len(x)).normal(size=(len(x), *shape)) for x in X]
    model = regressor(return_sequences=True).fit(X, y)
    assert same(model, regressor(return_sequences=True).fit(padded(X), padded(y)))
    predictions = model.predict(X)
    assert predictions.shape == (30, 7, *shape)
    for x, row in zip(X, predictions, strict=True):
        np.testing.assert_array_equal(row[len(row) - len(x) :], model.predict(x[np.newaxis])[0])
        assert np.isnan(row[: len(row) - len(x)]).all()


def test_targets_that_do_not_match_their_windows_are_refused():
    X, _ = sequences()
    y = [x[:, 0] for x in X]
    with pytest.raises(ValueError, match=r"y\[3\] has shape \(8,\), but X\[3\] has . steps.*shape \(.,\)"):
        regressor(return_sequences=True).fit(X, [*y[:3], np.zeros(8), *y[4:]])
    with pytest.raises(ValueError, match="set return_sequences=True"):
        regressor().fit(X, y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        regressor(return_sequences=True).fit(X, y[1:])
    with pytest.raises(ValueError, match=r"y\[0\] has shape \(.,\), but X\[0\] has 7 steps"):
        regressor(return_sequences=True).fit(padded(X), y)
    y[5] = np.full(len(y[5]), np.nan)
    with pytest.raises(ValueError, match="Input y contains NaN: the target of step . of window 5"):
        regressor(return_sequences=True).fit(X, y)


# -- refused ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("odd", "message"),
    [
        (np.zeros((3, 1)), r"X\[2\] has 1 features, but X\[0\] has 2"),
        (np.zeros((0, 2)), r"X\[2\] has shape \(0, 2\), but a window needs at least one step and one feature"),
        (np.zeros(3), r"X\[2\] has shape \(3,\).*x\[:, np.newaxis\]"),
        (np.zeros((1, 3, 2)), r"X\[2\] has shape \(1, 3, 2\)"),
        (3.0, r"X\[2\] has shape \(\)"),
        (np.full((3, 2), np.inf), "infinity"),
        (np.full((3, 2), "a"), "could not convert string"),
        (np.full((3, 2), 1j), "Complex data not supported"),
    ],
)
def test_what_is_no_window_is_refused_by_its_place(odd, message):
    X, y = sequences(5)
    with pytest.raises(ValueError, match=message):
        regressor().fit([*X[:2], odd, *X[2:4]], y)


def test_predict_refuses_longer_windows_and_other_features():
    X, y = sequences()
    model = regressor().fit(X, y)
    with pytest.raises(ValueError, match="X has windows of 9 steps, but GRURegressor was fitted on 7"):
        model.predict([np.zeros((9, 2)), np.zeros((2, 2))])
    with pytest.raises(ValueError, match="X has 3 features, but GRURegressor is expecting 2"):
        model.predict([np.zeros((4, 3)), np.zeros((2, 3))])
