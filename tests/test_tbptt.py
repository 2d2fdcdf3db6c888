"""Truncated back-propagation through time: long sequences in pieces, with the state carried from one to the next."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tbptt_examples import CLASSES, ENGINES, data, largest_difference, needs_native, regressor, sequences

from tsrnn import LSTMRegressor, MinGRURegressor, SimpleRNNRegressor
from tsrnn.exceptions import CapacityWarning
from tsrnn.inspection import gate_trace, gradient_flow, learning_rate_range_test
from tsrnn.networks.cells import CELLS, SQUASH
from tsrnn.windows import WindowArray

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.exceptions.CapacityWarning")

STATUS = Path("/proc/self/status")


# -- the oracle: a slow loop in double precision, with gradients by finite differences -------------------------------


def slow_run(cell, weights, x, state):
    """Outputs (n_rows, n_steps) of one layer and a head, and the state after the last step."""
    outputs = []
    for t in range(x.shape[1]):
        state, _ = CELLS[cell].step(x[:, t], state, weights[:3], SQUASH["tanh"])
        outputs.append(state[0] @ weights[3] + weights[4])
    return np.concatenate(outputs, axis=1), state


def slow_step(cell, weights, x, y, state, learning_rate):
    """Weights after a step of gradient descent on the mean squared error, the state held fixed, and the next state."""

    def loss():
        return np.mean((slow_run(cell, weights, x, state)[0] - y) ** 2)

    _, after = slow_run(cell, weights, x, state)
    gradients = [np.empty_like(weight) for weight in weights]
    for weight, gradient in zip(weights, gradients, strict=True):
        for index in np.ndindex(weight.shape):
            value = weight[index]
            weight[index] = value + 1e-5
            above = loss()
            weight[index] = value - 1e-5
            gradient[index] = (above - loss()) / 2e-5
            weight[index] = value
    return [weight - learning_rate * gradient for weight, gradient in zip(weights, gradients, strict=True)], after


def slow_fit(model, weights, X, y, lanes, epochs):
    """Train on pieces: `lanes` holds, for each lane, (sequence, first step, last step, whether it follows)."""
    cell, width = model._cell, model.units
    n_states = 2 if cell == "lstm" else 1
    states = [tuple(np.zeros((1, width)) for _ in range(n_states)) for _ in lanes]
    for _ in range(epochs):
        new = tuple(np.zeros((1, width)) for _ in range(n_states))
        states = [states[i - 1] if lane[3] else new for i, lane in enumerate(lanes)]
        longest = max(stop - start for _, start, stop, _ in lanes)
        for begin in range(0, longest, model.tbptt_steps):
            rows = [i for i, (_, start, stop, _) in enumerate(lanes) if start + begin < stop]
            pieces = [slice(lanes[i][1] + begin, lanes[i][1] + begin + model.tbptt_steps) for i in rows]
            x = np.stack([X[lanes[i][0]][piece] for i, piece in zip(rows, pieces, strict=True)])
            targets = np.stack([y[lanes[i][0]][piece] for i, piece in zip(rows, pieces, strict=True)])
            state = tuple(np.concatenate(part) for part in zip(*[states[i] for i in rows], strict=True))
            weights, after = slow_step(cell, weights, x, targets, state, model.learning_rate)
            for k, i in enumerate(rows):
                states[i] = tuple(part[k : k + 1] for part in after)
    return weights


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize(
    ("batch_size", "lanes"),
    [
        (2, [(0, 0, 12, False), (1, 0, 12, False)]),  # as many sequences as rows of a batch
        (4, [(0, 0, 8, False), (0, 8, 12, True), (1, 0, 8, False), (1, 8, 12, True)]),  # three pieces in two lanes
        (6, [(i, 4 * k, 4 * k + 4, k > 0) for i in range(2) for k in range(3)]),
    ],
    ids=["sequences", "lanes", "pieces"],
)
def test_training_is_that_of_a_slow_loop_with_the_state_held_fixed(engine, cls, batch_size, lanes):
    X, y = data(n_sequences=2, n_steps=12)
    options = {"optimizer": "sgd", "momentum": 0.0, "nesterov": False, "clipnorm": None, "learning_rate": 0.1}
    options |= {"tbptt_steps": 4, "batch_size": batch_size, "shuffle": False, "engine": engine}
    model = regressor(cls, epochs=3, **options)
    start = regressor(cls, epochs=1, **options | {"learning_rate": 1e-30}).fit(X, y).weights_
    expected = slow_fit(model, [weight.astype(np.float64) for weight in start], X, y, lanes, epochs=3)
    model.fit(X, y)
    assert largest_difference(model.weights_, expected) < 1e-6
    assert largest_difference(model.weights_, start) > 1e-2
    whole = regressor(cls, epochs=3, **options | {"tbptt_steps": None}).fit(X, y)
    assert largest_difference(model.weights_, whole.weights_) > 1e-3  # the truncation shows


@pytest.mark.slow
@pytest.mark.parametrize(("cls", "layer"), [(LSTMRegressor, "LSTM"), (SimpleRNNRegressor, "SimpleRNN")])
def test_training_is_that_of_a_stateful_keras_layer(cls, layer):
    import keras

    X, y = data(n_sequences=3, n_steps=20)
    options = {"tbptt_steps": 5, "batch_size": 3, "shuffle": False, "clipnorm": None, "optimizer": "adam"}
    inputs = keras.Input((5, 2), batch_size=3)
    recurrent = getattr(keras.layers, layer)(3, return_sequences=True, stateful=True)
    oracle = keras.Model(inputs, keras.layers.Dense(1)(recurrent(inputs)))
    oracle.set_weights(regressor(cls, epochs=1, learning_rate=1e-30, **options).fit(X, y).weights_)
    oracle.compile(keras.optimizers.Adam(3e-3), "mse")
    for _ in range(4):
        recurrent.reset_states()
        for begin in range(0, 20, 5):
            oracle.train_on_batch(X[:, begin : begin + 5], y[:, begin : begin + 5, None])
    model = regressor(cls, epochs=4, **options).fit(X, y)
    assert largest_difference(model.weights_, oracle.get_weights()) < 2e-5


# -- pieces and whole sequences --------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize("tbptt_steps", [24, 1000])
def test_pieces_as_long_as_the_sequences_train_as_whole_ones_do(engine, cls, tbptt_steps):
    X, y = data()
    X[2, :5] = np.nan  # a shorter one
    options = {"units": (4, 3), "batch_size": 4, "engine": engine, "dropout": 0.1, "recurrent_dropout": 0.1}
    whole, pieces = (regressor(cls, tbptt_steps=k, **options).fit(X, y) for k in (None, tbptt_steps))
    assert largest_difference(pieces.weights_, whole.weights_) < 1e-6
    assert pieces.history_["loss"] == pytest.approx(whole.history_["loss"], rel=1e-6)
    assert pieces.n_windows_ == whole.n_windows_ == 6
    np.testing.assert_allclose(pieces.predict(X), whole.predict(X), rtol=0, atol=1e-6)


@needs_native
@settings(max_examples=25, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 20), min_size=1, max_size=5),
    tbptt_steps=st.integers(1, 20),
    seed=st.integers(0, 100),
)
def test_predictions_in_pieces_are_those_of_whole_sequences(lengths, tbptt_steps, seed):
    X, y = sequences(lengths, seed)
    options = {"units": (3, 2), "epochs": 1}
    pieces = regressor(LSTMRegressor, tbptt_steps=tbptt_steps, **options).fit(X, y)
    whole = regressor(LSTMRegressor, **options).fit(X, y)
    whole.weights_ = pieces.weights_
    np.testing.assert_allclose(pieces.predict(X), whole.predict(X), rtol=0, atol=1e-6)


@needs_native
def test_gaps_and_levels_are_read_in_pieces_as_in_whole_windows():
    rng = np.random.default_rng(0)
    base = rng.normal(size=(60, 2)) + 100
    base[[7, 8, 30], 1] = np.nan
    X = WindowArray(base, [-3, 0, 20, 39], 21, offset=np.full((4, 2), 99.5), scale=np.full((4, 2), 2.0))
    y = rng.normal(size=(4, 21))
    pieces, whole = (regressor(tbptt_steps=k, epochs=1).fit(X, y) for k in (8, None))
    whole.weights_ = pieces.weights_
    np.testing.assert_allclose(pieces.predict(X), whole.predict(X), rtol=0, atol=1e-6)
    np.testing.assert_array_equal(pieces._n_seen, [18, 21, 21, 21])


@needs_native
def test_a_network_that_carries_its_state_is_inspected_over_any_length():
    X, y = data(n_sequences=2, n_steps=40)
    model = regressor(tbptt_steps=6).fit(X[:, :20], y[:, :20])
    stream = model.stream()
    for row in X[1]:
        stream.update(row)
    last = gate_trace(model, X, index=1).query("lag == 0")["h"]
    np.testing.assert_allclose(last, stream._states[0][0][0][0], rtol=0, atol=1e-6)


@needs_native
@pytest.mark.filterwarnings("ignore::tsrnn.exceptions.GradientWarning")
@pytest.mark.parametrize("n_steps", [10, 40])
@pytest.mark.parametrize("loss", ["mse", "pinball", "student_t"])
def test_gradients_over_other_lengths_are_those_of_a_network_fitted_on_them(loss, n_steps):
    X, y = data(n_sequences=2, n_steps=40)
    y = np.stack([y, 3 - y], axis=2)  # two targets
    carried = regressor(tbptt_steps=6, loss=loss).fit(X[:, :20], y[:, :20])
    whole = regressor(tbptt_steps=None, loss=loss).fit(X[:, :n_steps], y[:, :n_steps])
    whole.weights_ = carried.weights_
    flows = [gradient_flow(model, X[:, :n_steps], y[:, :n_steps]) for model in (carried, whole)]
    pd.testing.assert_frame_equal(*flows)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cls", "options"),
    [
        (LSTMRegressor, {"peephole": True, "transition_depth": 2, "units": (3, 3), "residual": True}),
        (MinGRURegressor, {"units": (3, 2), "input_layers": (4,), "output_layers": (4,)}),
    ],
    ids=["deep", "minimal"],
)
def test_networks_that_keras_computes_carry_their_state_too(cls, options):
    X, y = sequences([24, 17, 3])
    pieces = regressor(cls, tbptt_steps=7, **options).fit(X, y)
    whole = regressor(cls, **options).fit(X, y)
    assert pieces.engine_ == "keras"
    whole.weights_ = pieces.weights_
    np.testing.assert_allclose(pieces.predict(X), whole.predict(X), rtol=0, atol=1e-6)
    went_on = pieces.stream(state="fitted").update(np.ones((3, 2)))
    longer = pieces.predict([np.concatenate([x, np.ones((1, 2))]) for x in X])
    np.testing.assert_allclose(went_on, longer[:, -1], rtol=0, atol=1e-6)


@pytest.mark.slow
@needs_native
@pytest.mark.parametrize("lengths", [[30, 30, 17, 8], [9] * 99 + [20]], ids=["lanes", "many"])
def test_engines_agree(lengths):
    X, y = sequences(lengths)
    options = {"units": (4, 3), "tbptt_steps": 6, "epochs": 4, "loss": "gaussian", "early_stopping": True}
    options["batch_size"] = 70  # more rows than an engine reads in one pass, and so in prediction
    native, keras = (regressor(LSTMRegressor, engine=engine, **options).fit(X, y) for engine in ("native", "keras"))
    assert largest_difference(native.weights_, keras.weights_) < 1e-5
    assert largest_difference(native.state_, keras.state_) < 1e-5
    assert native.history_["val_loss"] == pytest.approx(keras.history_["val_loss"], abs=1e-5)
    np.testing.assert_allclose(native.predict(X), keras.predict(X), rtol=0, atol=1e-5)


@pytest.mark.slow
def test_backends_that_do_not_carry_states_say_so():
    from tsrnn.engine import ForwardKey, ProgramKey
    from tsrnn.engine.keras_.host import HostProgram

    spec = regressor(tbptt_steps=4).fit(*data())._spec
    with pytest.raises(ValueError, match="not computed on Keras's 'tensorflow' backend"):
        HostProgram(ProgramKey(ForwardKey(spec, 4, 2, carried=True)))


# -- what can be learnt ----------------------------------------------------------------------------------------------


@needs_native
def test_a_state_is_held_for_longer_than_a_piece_only_where_it_is_carried():
    # The target is the sign of the last pulse, and most pieces of 10 steps have none: what came before must be known.
    rng = np.random.default_rng(0)
    pulses = np.where(rng.random(6000) < 1 / 25, rng.choice([-1.0, 1.0], 6000), 0.0)
    pulses[0] = 1.0
    last = np.maximum.accumulate(np.where(pulses != 0, np.arange(6000), 0))
    X, y = pulses[None, :, None], pulses[last][None]
    options = {"units": 8, "epochs": 60, "learning_rate": 0.02, "early_stopping": False, "batch_size": 16}
    carried = regressor(LSTMRegressor, tbptt_steps=10, **options).fit(X[:, :5000], y[:, :5000])
    cut_off = regressor(LSTMRegressor, **options).fit(X[0, :5000].reshape(-1, 10, 1), y[0, :5000].reshape(-1, 10))
    errors = {
        "carried": np.mean((carried.predict(X)[0, 5000:] - y[0, 5000:]) ** 2),
        "cut off": np.mean((cut_off.predict(X[0, 5000:].reshape(-1, 10, 1)).ravel() - y[0, 5000:]) ** 2),
    }
    assert errors["carried"] < 0.05
    assert errors["cut off"] > 0.5


@needs_native
def test_what_lies_within_no_piece_is_not_learnt_although_the_state_is_carried():
    # No gradient says to keep a value for 15 steps where pieces have 10.
    x = np.random.default_rng(0).normal(size=12_015)
    X, y = x[None, 15:, None], x[None, :-15]
    errors = []
    for tbptt_steps in (10, 40):
        options = {"units": 24, "epochs": 60, "learning_rate": 0.01, "early_stopping": False, "batch_size": 16}
        model = regressor(SimpleRNNRegressor, tbptt_steps=tbptt_steps, **options).fit(X[:, :10_000], y[:, :10_000])
        errors.append(np.mean((model.predict(X) - y)[0, 10_000:] ** 2))
    assert errors[0] > 0.8  # the variance is 1
    assert errors[1] < 0.1


# -- sequences of any length -----------------------------------------------------------------------------------------


@needs_native
def test_longer_sequences_than_those_of_the_fit_are_predicted_and_trained_on():
    X, y = data(n_sequences=2, n_steps=50)
    model = regressor(tbptt_steps=6, warm_start=True).fit(X[:, :30], y[:, :30])
    np.testing.assert_allclose(model.predict(X)[:, :30], model.predict(X[:, :30]), rtol=0, atol=1e-6)
    before = model.weights_
    model.partial_fit(X, y).fit(X[:, :20], y[:, :20])
    assert largest_difference(before, model.weights_) > 0
    np.testing.assert_array_equal(model._n_seen, 20)
    with pytest.raises(ValueError, match="was fitted on 30"):
        model.set_params(tbptt_steps=None).fit(X, y)


@needs_native
@pytest.mark.skipif(not STATUS.exists(), reason="peak memory is read from Linux's /proc")
def test_memory_is_that_of_a_piece():
    code = f"""
import numpy as np, sys
from pathlib import Path
from tsrnn import LSTMRegressor
def peak():
    line = next(line for line in Path("{STATUS}").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024  # megabytes
X = np.random.default_rng(0).normal(size=(1, 100_000, 1))
before = peak()
steps = None if sys.argv[1] == "None" else int(sys.argv[1])
model = LSTMRegressor(24, tbptt_steps=steps, return_sequences=True, epochs=1, early_stopping=False)
model.fit(X, X[..., 0]).predict(X)
print(peak() - before)
"""
    pieces, whole = (
        float(subprocess.run([sys.executable, "-W", "ignore", "-c", code, n], capture_output=True, check=True).stdout)
        for n in ("100", "None")
    )
    assert pieces < whole / 4


@needs_native
def test_learning_rates_are_tested_on_pieces():
    X, y = data(n_sequences=2, n_steps=60)
    tested = learning_rate_range_test(regressor(tbptt_steps=5), X, y, n_batches=8, min_rate=1e-6, max_rate=1e-2)
    assert len(tested) == 8
    assert tested["loss"].iloc[-1] < tested["loss"].iloc[0]


@needs_native
def test_the_steps_count_against_the_parameters():
    X, y = data(n_sequences=1, n_steps=200)
    with pytest.warns(CapacityWarning, match="only 40 training steps"):
        regressor(tbptt_steps=50).fit(X[:, :40], y[:, :40])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        regressor(tbptt_steps=50).fit(X, y)


# -- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"tbptt_steps": 0}, "tbptt_steps must be"),
        ({"tbptt_steps": 2.5}, "tbptt_steps must be"),
        ({"return_sequences": False}, "Set return_sequences=True and pass a y"),
        ({"bidirectional": True}, "Set bidirectional=False, or tbptt_steps=None"),
        ({"static_features": (1,)}, "Set static_features=None, or tbptt_steps=None"),
        ({"dilation": 2}, "Set dilation=1, or tbptt_steps=None"),
        ({"dilation": (1, 2), "units": (3, 3)}, "Set dilation=1, or tbptt_steps=None"),
        ({"segment": 2}, "Set segment=1"),
    ],
    ids=str,
)
def test_what_does_not_go_together_is_refused(options, match):
    with pytest.raises((ValueError, TypeError), match=match):
        regressor(**{"tbptt_steps": 4} | options).fit(*data())


@needs_native
def test_dilations_of_one_step_are_plain():
    X, y = data()
    plain, same = (regressor(tbptt_steps=4, units=(3, 3), **given).fit(X, y) for given in ({}, {"dilation": (1, 1)}))
    assert largest_difference(plain.weights_, same.weights_) == 0


@needs_native
def test_the_binding_refuses_states_that_do_not_fit():
    from tsrnn.engine.native import _core

    def bound(states, carry, n_windows=2):
        starts = np.arange(n_windows)
        return _core.Data(np.zeros((9, 1)), starts, 0 * starts, 4, None, np.zeros(1), states=states, carry=carry)

    network = {"cell": "gru", "units": (3,), "n_steps": 4, "n_features": 1, "n_outputs": 1, "head": "sequence"}
    good = np.zeros((2, 3), np.float32)
    assert _core.Network(carried=True, **network).predict(bound(good, [0, 1])).shape == (2, 4)
    for states, carry, error in [
        (good.astype(float), [0, 1], TypeError),
        (np.zeros((0, 3), np.float32), [0, 1], TypeError),
        (np.zeros((3, 2), np.float32).T, [0, 1], ValueError),
        (good, [0, 2], ValueError),
        (good, [-1, 0], ValueError),
        (good, [0], ValueError),
    ]:
        with pytest.raises(error):
            bound(states, carry)
    for carried, states in [(True, None), (False, good), (True, np.zeros((2, 4), np.float32))]:
        with pytest.raises(ValueError, match="carry"):
            _core.Network(carried=carried, **network).predict(bound(states, None if states is None else [0, 1]))
    for options in ({"bidirectional": True}, {"static": (0,)}):
        with pytest.raises(ValueError, match="carried"):
            _core.Network(carried=True, **network | options)
