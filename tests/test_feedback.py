"""Networks that read what they gave out before: against their equations in NumPy, by hand, and finite differences."""

import dataclasses
import math
import pickle

import numpy as np
import pandas as pd
import pytest
from archive_files import save_unchecked
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from tsrnn.engine import WindowData
from tsrnn.engine.distributions import point_forecast
from tsrnn.exceptions import ArchiveError
from tsrnn.forecasters import OutputRecurrentForecaster, Seq2SeqForecaster
from tsrnn.inspection import learning_rate_range_test
from tsrnn.networks import FeedbackSpec, initial_weights, run_feedback
from tsrnn.networks.feedback import known_before
from tsrnn.persistence import load
from tsrnn.regressors import OutputRecurrentRegressor, Seq2SeqRegressor

QUICK = {"epochs": 1, "random_state": 0, "missing_indicator": True}
# One of each way to read, cell, attention, loss and share; y has 3 steps of 2 targets, or the 7 of the window.
MAKE = {
    "jordan": lambda **changes: OutputRecurrentRegressor("dense", (4, 3), **{**QUICK, **changes}),
    "jordan, step by step": lambda **changes: OutputRecurrentRegressor(
        "dense", 4, **{"return_sequences": True, "activation": "softsign", **QUICK, **changes}
    ),
    "lstm, step by step": lambda **changes: OutputRecurrentRegressor(
        "lstm", (3, 2), **{"return_sequences": True, **QUICK, **changes}
    ),
    "gru, quantiles": lambda **changes: OutputRecurrentRegressor(
        "gru", 3, **{"future_features": (1,), "loss": "pinball", **QUICK, **changes}
    ),
    "encoder": lambda **changes: Seq2SeqRegressor("gru", (4, 3), **{"future_features": (0,), **QUICK, **changes}),
    "additive attention": lambda **changes: Seq2SeqRegressor(
        "lstm", 3, **{"segment": 2, "attention": "additive", "loss": "gaussian", **QUICK, **changes}
    ),
    "dot attention": lambda **changes: Seq2SeqRegressor("simple_rnn", 3, **{"attention": "dot", **QUICK, **changes}),
}
EACH = pytest.mark.parametrize("name", MAKE)
N_STEPS, HORIZON = 7, 3


def data(name="encoder", n=40, seed=0, ragged=False):
    """Windows and targets: what was read so far, summed up, and its square."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, N_STEPS, 2))
    y = np.cumsum(X[:, :, 0], axis=1)
    y = y if "step by step" in name else y[:, :HORIZON]
    y = np.stack([y, y**2 / 4], axis=2)
    if ragged:
        for row in range(0, n, 3):
            X[row, : 1 + row % 6] = np.nan
        X[5, -2, 1] = np.nan
    return X, y


@pytest.fixture(scope="module")
def fitted():
    """One fitted regressor per name, whose biases are not 0; tests do not change it."""

    class Fitted(dict):
        def __missing__(self, name):
            self[name] = MAKE[name]().fit(*data(name, ragged=True))
            rng = np.random.default_rng(1)
            for values in self[name].weights_:
                values += rng.normal(scale=0.3, size=values.shape).astype(np.float32)
            return self[name]

    return Fitted()


def run(model, X, y=None):
    """What the equations say that the engine gives out."""
    windows = WindowData.from_windows(X, N_STEPS, masked=True)
    channels = model._missing.channels(windows.dense(np.arange(len(X))).astype(np.float64))
    spec = model._spec
    out = run_feedback(spec, model.weights_, channels, windows.lead, y)
    if spec.head == "sequence":
        return out
    return np.moveaxis(out.reshape(len(X), HORIZON, spec.per_target, 2), 2, 1).reshape(len(X), -1)


# -- equations ---------------------------------------------------------------------------------------------------------


def test_jordans_equations_by_hand():
    """h(1) = tanh(0.1 + 2 * 0 + 3 * 0.2), o(1) = 0.5 + h(1); h(2) = tanh(0.1 + 2 o(1) + 3 * 0.4), o(2) = 0.5 + h(2)."""
    spec = FeedbackSpec("dense", (1,), "steps", n_steps=2, n_inputs=1, n_targets=1, horizon=2)
    weights = [np.array([[2.0], [3.0]]), np.array([0.1]), np.array([[1.0]]), np.array([0.5])]
    first = 0.5 + math.tanh(0.7)
    second = 0.5 + math.tanh(0.1 + 2 * first + 1.2)
    assert_allclose(run_feedback(spec, weights, [[[0.2], [0.4]]]).ravel(), [first, second], rtol=1e-12)
    forced = 0.5 + math.tanh(0.1 + 2 * -1.0 + 1.2)
    truth = np.array([[[-1.0], [9.0]]])  # the last target is fed back to nothing
    assert_allclose(run_feedback(spec, weights, [[[0.2], [0.4]]], y=truth).ravel(), [first, forced], rtol=1e-12)


@pytest.mark.parametrize("attention", ["dot", "additive"])
def test_attention_by_a_loop(attention):
    """One unit of Elman's, two steps read, one given out."""
    spec = FeedbackSpec("simple_rnn", (1,), "encoder", 2, 1, n_targets=1, horizon=1, attention=attention)
    weights = [w.astype(float) + 0.3 for w in initial_weights(spec, np.random.default_rng(0))]
    scalars = [w.ravel() for w in weights]
    (u,), (w,), (b,) = scalars[:3]
    seen, h = [], 0.0
    for x in (0.5, -1.0):
        h = math.tanh(b + w * h + u * x)
        seen.append(h)
    h = math.tanh(scalars[5][0] + scalars[4][0] * h)  # nothing is fed back before the first step
    if attention == "dot":
        scores = [h * e for e in seen]
    else:
        query, key, value = (s[0] for s in scalars[6:9])
        scores = [value * math.tanh(h * query + e * key) for e in seen]
    total = sum(math.exp(s) for s in scores)
    context = sum(math.exp(s) / total * e for s, e in zip(scores, seen, strict=True))
    kernel, (bias,) = scalars[-4:-2]
    expected = math.tanh(kernel[0] * h + kernel[1] * context + bias) * scalars[-2][0] + scalars[-1][0]
    assert_allclose(run_feedback(spec, weights, [[[0.5], [-1.0]]]).item(), expected, rtol=1e-12)


@EACH
def test_engine_computes_the_equations_also_with_gaps_and_empty_steps(name, fitted):
    model = fitted[name]
    X, _ = data(name, 9, seed=3, ragged=True)
    outputs = model._outputs(X)
    assert_allclose(outputs, run(model, X), rtol=1e-4, atol=1e-5)
    if "step by step" in name:
        assert_array_equal(np.isnan(model.predict(X)).any(axis=2), np.isnan(X).all(axis=2))


def loss_of(model, X, y, forced):
    out = run(model, X, y if forced else None)
    truth = y.reshape(len(y), -1)
    if model._spec.head == "sequence":
        out, truth = out.reshape(-1, 2), y.reshape(-1, 2)
    return np.square(out - truth).mean()


@pytest.mark.parametrize("forced", [True, False], ids=["teacher", "free"])
@pytest.mark.parametrize("name", ["jordan", "lstm, step by step", "dot attention"])
def test_a_training_step_goes_down_the_gradient_of_the_loss(name, forced):
    """Against finite differences of the equations along random directions: with a teacher, and through the outputs."""
    X, y = data(name, 16)
    options = {"optimizer": "sgd", "momentum": 0.0, "nesterov": False, "clipnorm": None, "learning_rate": 1.0}
    model = MAKE[name](teacher_forcing=float(forced), batch_size=16, shuffle=False, warm_start=True, **options)
    model.fit(X, y)
    before = [w.astype(np.float64) for w in model.weights_]
    expected = loss_of(model, X, y, forced)
    model.fit(X, y)
    assert_allclose(model.history_["loss"][0], expected, rtol=1e-5)
    gradient = [old - new for old, new in zip(before, model.weights_, strict=True)]
    rng = np.random.default_rng(0)
    for _ in range(3):
        direction = [rng.normal(size=w.shape) for w in before]
        sides = []
        for step in (1e-5, -1e-5):
            model.weights_ = [w + step * d for w, d in zip(before, direction, strict=True)]
            sides.append(loss_of(model, X, y, forced))
        slope = sum((g * d).sum() for g, d in zip(gradient, direction, strict=True))
        assert_allclose((sides[0] - sides[1]) / 2e-5, slope, rtol=1e-3, atol=1e-5)


# -- teacher forcing ---------------------------------------------------------------------------------------------------


@settings(max_examples=30, deadline=None)
@given(st.lists(st.one_of(st.just(math.nan), st.floats(-5, 5, width=32)), min_size=1, max_size=20))
def test_teacher_feeds_back_the_last_target_that_is_known(values):
    from tsrnn.engine.keras_.feedback_layers import known_before as by_keras

    expected, last = [], 0.0
    for value in values:
        expected.append(last)
        last = last if math.isnan(value) else value
    y = np.array(values, np.float32)[None, :, None]
    assert_array_equal(known_before(y).ravel(), np.array(expected, np.float32))
    assert_array_equal(np.asarray(by_keras(y)).ravel(), np.array(expected, np.float32))


@pytest.mark.parametrize(("share", "alike"), [(lambda _: 1.0, 1.0), (lambda _: 0.0, 0.0)], ids=["always", "never"])
@pytest.mark.parametrize("name", ["jordan", "encoder"])
def test_a_share_of_one_or_none_is_teacher_forcing_or_free_running(name, share, alike):
    """Three programs: without coins the teacher's steps are trained together, and without a teacher none is read."""
    X, y = data(name)
    drawn, plain = (MAKE[name](teacher_forcing=forcing, epochs=3).fit(X, y) for forcing in (share, alike))
    assert_allclose(drawn.history_["loss"], plain.history_["loss"], rtol=1e-5)
    for a, b in zip(drawn.weights_, plain.weights_, strict=True):
        assert_allclose(a, b, rtol=1e-3, atol=1e-5)


def test_a_share_between_is_drawn_anew_and_the_same_for_one_seed():
    X, y = data()
    losses = {
        forcing: MAKE["jordan"](teacher_forcing=forcing, epochs=3).fit(X, y).history_["loss"]
        for forcing in (0.0, 0.5, 1.0, "linear")
    }
    assert len({tuple(history) for history in losses.values()}) == 4
    assert losses["linear"][0] == pytest.approx(losses[1.0][0], rel=1e-5)  # it begins at 1
    again = MAKE["jordan"](teacher_forcing=0.5, epochs=3).fit(X, y)
    assert again.history_["loss"] == losses[0.5]


def test_learning_rates_are_tested_with_the_teachers_share_of_the_first_epoch():
    X, y = data()
    tested = {
        share: learning_rate_range_test(MAKE["jordan"](teacher_forcing=forcing), X, y, n_batches=3)["loss"]
        for share, forcing in (("always", 1.0), ("drawn", lambda _: 1.0), ("never", 0.0))
    }
    assert_allclose(tested["drawn"], tested["always"], rtol=1e-4)
    assert (tested["drawn"] - tested["never"]).abs().max() > 1e-3


@EACH
def test_teacher_forced_predictions_are_the_equations_with_true_targets(name, fitted):
    model = fitted[name]
    X, y = data(name, 9, seed=3, ragged=True)
    outputs = run(model, X, np.where(np.isnan(X).all(axis=2)[..., None], np.nan, y) if y.shape[1] == N_STEPS else y)
    expected = point_forecast(model._loss, model._quantiles, outputs).reshape(y.shape)
    assert_allclose(model.predict_teacher_forced(X, y), expected, rtol=1e-4, atol=1e-6)  # y is float32


@EACH
def test_first_step_knows_no_target_and_the_last_target_is_told_to_nobody(name, fitted):
    model = fitted[name]
    X, y = data(name, 5)
    forced = model.predict_teacher_forced(X, y)
    assert_allclose(forced[:, 0], model.predict(X)[:, 0], rtol=1e-4, atol=1e-5)
    y[:, -1] += 100
    assert_array_equal(model.predict_teacher_forced(X, y), forced)


@pytest.mark.parametrize("name", ["jordan", "jordan, step by step"])
def test_parameters_that_are_set_after_the_fit_change_no_prediction(name):
    X, y = data(name, 20)
    model = MAKE[name]().fit(X, y)
    before = model.predict(X), model.predict_teacher_forced(X, y)
    model.set_params(return_sequences=not model.return_sequences, cell="lstm", units=9, loss="student_t")
    assert_array_equal(model.predict(X), before[0])
    assert_array_equal(model.predict_teacher_forced(X, y), before[1])


def test_exposure_bias_shows_errors_that_feed_on_each_other():
    """A walk that doubles: trained with the teacher, each free-running error is carried on and doubled."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 4, 1))
    y = X[:, -1] * 1.5 ** np.arange(1, 6)
    model = OutputRecurrentRegressor("dense", 16, epochs=30, learning_rate=0.01, random_state=0).fit(X, y)
    errors = model.exposure_bias(X, y)
    assert list(errors.index) == [1, 2, 3, 4, 5]
    assert_allclose(errors["free_running"], np.sqrt(np.square(model.predict(X) - y).mean(axis=0)), rtol=1e-5)
    forced = model.predict_teacher_forced(X, y)
    assert_allclose(errors["teacher_forced"], np.sqrt(np.square(forced - y).mean(axis=0)), rtol=1e-5)
    assert errors.loc[1, "free_running"] == pytest.approx(errors.loc[1, "teacher_forced"], rel=1e-4)
    assert (errors["free_running"] > errors["teacher_forced"])[1:].all()


def test_a_step_without_known_targets_has_no_exposure_bias(fitted):
    X, y = data("jordan", 6)
    y[0, 1] = y[:, 2] = np.nan
    errors = fitted["jordan"].exposure_bias(X, y)
    squared = np.square(fitted["jordan"].predict(X) - y)
    assert_allclose(
        errors["free_running"], [*np.sqrt([squared[:, 0].mean(), squared[1:, 1].mean()]), np.nan], rtol=1e-5
    )
    assert np.isnan(errors["teacher_forced"][3])


# -- shapes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(), (1,), (3,), (3, 1), (3, 2), (9,)], ids=str)
def test_predictions_have_the_shape_of_y(shape):
    X, _ = data(n=20)
    y = np.random.default_rng(0).normal(size=(20, *shape))
    for cls in (OutputRecurrentRegressor, Seq2SeqRegressor):
        model = cls(units=2, epochs=1, random_state=0).fit(X, y)
        assert model.predict(X).shape == y.shape
        assert model.predict_teacher_forced(X, y).shape == y.shape
        assert len(model.exposure_bias(X, y)) == (shape[0] if shape else 1)


def test_windows_of_different_lengths_are_read_as_each_by_itself(fitted):
    X, _ = data(n=6, seed=4)
    for name in ("encoder", "additive attention", "dot attention"):
        shortest = HORIZON if fitted[name].future_features else 1
        windows = [window[-max(n, shortest) :] for window, n in zip(X, (7, 2, 5, 1, 7, 3), strict=True)]
        together = fitted[name].predict(windows)
        for window, predicted in zip(windows, together, strict=True):
            assert_allclose(fitted[name].predict(window[None])[0], predicted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["gru, quantiles", "encoder"])
def test_each_step_reads_its_own_value_of_a_future_feature(name):
    """y is the future feature itself, which only a step that reads its own can be without error."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 5, 2))
    feature = 1 if name == "gru, quantiles" else 0
    y = X[:, -3:, feature]
    options = {"learning_rate": 0.02, "epochs": 40, "teacher_forcing": 0.0, "missing_indicator": "auto", "loss": "mse"}
    model = MAKE[name](**options).fit(X, y)
    assert np.square(model.predict(X) - y).mean() < 0.15
    assert np.square(y).mean() > 0.9


# -- what they are -----------------------------------------------------------------------------------------------------


@EACH
def test_model_is_a_keras_model_with_these_weights(name, fitted):
    model = fitted[name]
    assert [w.shape for w in model.model_.get_weights()] == [w.shape for w in model._spec.weights]
    X, _ = data(name, 5)
    channels = np.concatenate([X, np.zeros_like(X)], axis=2)
    assert_allclose(model.model_.predict(channels, verbose=0), model._outputs(X), rtol=1e-4, atol=1e-5)
    assert model.summary()["parameters"].iloc[-1] == sum(w.size for w in model.weights_)


@EACH
def test_exported_network_predicts_the_same_in_keras(name, fitted, tmp_path):
    import keras

    fitted[name].export_keras(tmp_path / "network.keras")
    X, _ = data(name, 5)
    channels = np.concatenate([X, np.zeros_like(X)], axis=2)
    network = keras.models.load_model(tmp_path / "network.keras")
    assert_allclose(network.predict(channels, verbose=0), fitted[name]._outputs(X), rtol=1e-4, atol=1e-5)


@EACH
def test_files_and_pickles_predict_the_same(name, fitted, tmp_path):
    X, _ = data(name, 9, ragged=True)
    fitted[name].save(tmp_path / "model.tsrnn")
    for again in (load(tmp_path / "model.tsrnn"), pickle.loads(pickle.dumps(fitted[name]))):
        assert_array_equal(again.predict(X), fitted[name].predict(X))


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("jordan", {"reads": "steps"}),
        ("jordan", {"fed_back": 1}),
        ("jordan", {"horizon": 30}),
        ("encoder", {"segment": 10**9}),
        ("encoder", {"units": ()}),
        ("encoder", {"future": (8,)}),
        ("dot attention", {"attention": "none"}),
        ("dot attention", {"cell": "dense"}),
    ],
    ids=str,
)
def test_file_whose_network_cannot_be_is_refused(name, change, fitted, tmp_path):
    model = pickle.loads(pickle.dumps(fitted[name]))
    model._spec = dataclasses.replace(model._spec, **change)
    save_unchecked(model, tmp_path / "model.tsrnn")
    with pytest.raises(ArchiveError):
        load(tmp_path / "model.tsrnn")


@pytest.mark.parametrize(
    ("make", "changes", "message"),
    [
        (OutputRecurrentRegressor, {"cell": "jordan"}, "cell must be one of"),
        (Seq2SeqRegressor, {"cell": "dense"}, "cell must be one of"),
        (OutputRecurrentRegressor, {"units": ()}, "at least one layer"),
        (OutputRecurrentRegressor, {"teacher_forcing": 1.5}, "teacher_forcing"),
        (OutputRecurrentRegressor, {"teacher_forcing": "cosine"}, "'linear' or a function of the epoch, got 'cosine'"),
        (OutputRecurrentRegressor, {"teacher_forcing": lambda _: 2.0}, "must return a share between 0 and 1, got 2"),
        (Seq2SeqRegressor, {"future_features": (2,)}, "names feature 2, but a step of X has 2"),
        (Seq2SeqRegressor, {"future_features": (1, 1)}, "each feature once"),
        (Seq2SeqRegressor, {"attention": "self"}, "attention must be one of"),
        (OutputRecurrentRegressor, {"return_sequences": True, "future_features": (0,)}, "Set one of the two"),
    ],
    ids=str,
)
def test_parameters_that_cannot_be_are_refused(make, changes, message):
    X, y = data(n=20)
    with pytest.raises(ValueError, match=message):
        make(epochs=1, **changes).fit(X, y)


def test_future_features_need_windows_as_long_as_y():
    X, _ = data(n=20)
    with pytest.raises(ValueError, match="y has 8 steps, but windows of 7 steps hold that many"):
        Seq2SeqRegressor(epochs=1, future_features=(0,)).fit(X, np.zeros((20, 8)))


@pytest.mark.parametrize("cls", [OutputRecurrentRegressor, Seq2SeqRegressor])
def test_a_window_too_short_for_the_values_that_are_known_ahead_is_refused(cls):
    X, y = data(n=20)
    model = cls(units=2, epochs=1, future_features=(1,), random_state=0).fit([*X[1:], X[0][-3:]], y)
    assert model.predict([X[0][-3:]]).shape == (1, 3, 2)
    with pytest.raises(ValueError, match="a window of 2 steps cannot hold future_features of 3 steps"):
        model.predict([X[0], X[0][-2:]])
    with pytest.raises(ValueError, match="a window of 2 steps cannot hold future_features of 3 steps"):
        clone(model).fit([*X[1:], X[0][-2:]], y)


def test_targets_of_another_shape_are_refused(fitted):
    X, y = data(n=5)
    with pytest.raises(ValueError, match="was fitted to"):
        fitted["encoder"].exposure_bias(X, y[:, :2])


# -- as forecasters ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("cls", [OutputRecurrentForecaster, Seq2SeqForecaster])
def test_forecasters_hand_covariates_and_several_targets_to_each_step(cls, tmp_path):
    rng = np.random.default_rng(0)
    hours = pd.date_range("2024-01-01", periods=400, freq="h")
    price = rng.normal(size=400)
    df = pd.DataFrame({"load": 10 + 2 * price, "heat": 5 - price, "price": price}, index=hours)
    future = {"future_covariates": ["price"], "target": ["load", "heat"]}
    options = {"window": 6, "horizon": 3, "units": 16, "epochs": 60, "learning_rate": 0.02, "linear": False}
    known, dearer = df[["price"]][380:383], df[["price"]][380:383].copy()
    dearer.iloc[1] += 1
    for shared in (True, False):
        model = cls(**future, **options, dropout=0.0, shared=shared, random_state=0).fit(df[:380])
        network = model.regressor_.networks[0]
        assert network.future_features == ((1,) if shared else (2,))
        assert network._spec.n_targets == (1 if shared else 2)
        ahead = model.predict(known)
        effect = (model.predict(dearer) - ahead).to_numpy()
        assert (np.abs(effect[1]) > 2 * np.abs(effect[0])).all()
        if not shared:  # one network for both cannot tell them apart: what makes one rise makes the other fall
            assert_allclose(effect[1], [2, -1], atol=0.7)
        model.save(tmp_path / "model.tsrnn")
        pd.testing.assert_frame_equal(load(tmp_path / "model.tsrnn").predict(known), ahead)
