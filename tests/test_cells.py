"""The equations of the cells in double precision, and the way back through them: by hand, and against both engines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import toy_cell
from hypothesis import given, settings
from hypothesis import strategies as st

from tsrnn.engine import ForwardKey, Missing, ProgramKey, TrainerKey, WindowData, lease
from tsrnn.engine.native import available
from tsrnn.engine.program import Numbers
from tsrnn.inspection import gate_trace
from tsrnn.networks import ModelSpec, NetworkSpec, tracing
from tsrnn.networks.backward import backward
from tsrnn.networks.cells import SQUASH, gru_step, lstm_step, simple_rnn_step
from tsrnn.networks.elman import elman_gradients, elman_states
from tsrnn.networks.tracing import advance, split_weights, trace

#: The cells on which the whole suite runs, and whether they have native kernels: a cell joins it by its line.
CELLS = {"lstm": True, "gru": True, "simple_rnn": True, "min_lstm": False, "min_gru": False, "leaky": False}
NATIVE = [cell for cell, in_c in CELLS.items() if in_c]
VARIANTS = [
    {},
    {"segment": 2},
    {"units": (3, 2)},
    {"bidirectional": True, "units": (2, 3), "segment": 3},
    {"head": "sequence"},
    {"head": "sequence", "bidirectional": True, "units": (2, 3), "segment": 2},
    {"static": (1,)},
    {"static": (0, 1), "bidirectional": True, "units": (2, 3), "segment": 2},
    {"static": (0,), "static_to": "state", "head": "sequence", "units": (3, 2)},
    {"activation": "softsign", "units": (2, 2)},
]
# Axes that only Keras computes.
AXES = [
    ("lstm", {"peephole": True}),
    ("lstm", {"peephole": True, "bidirectional": True, "units": (3, 2), "activation": "softsign", "static": (1,)}),
    ("gru", {"bidirectional": True, "merge_mode": "sum", "units": (2, 3)}),
    ("lstm", {"bidirectional": True, "merge_mode": "ave", "head": "sequence", "segment": 2}),
    ("gru", {"residual": True, "units": (3, 3, 3)}),
    ("simple_rnn", {"residual": True, "units": (2, 2), "bidirectional": True, "head": "sequence"}),
    ("gru", {"input_layers": (3,), "output_layers": (4, 2)}),
    ("lstm", {"input_layers": (3, 2), "output_layers": (2,), "head": "sequence", "static": (0,)}),
    ("lstm", {"transition_depth": 2, "peephole": True, "head": "sequence"}),
    ("gru", {"transition_depth": 3, "units": (2, 3)}),
    ("simple_rnn", {"transition_depth": 3, "bidirectional": True, "merge_mode": "sum", "activation": "softsign"}),
    ("min_gru", {"units": (3, 2), "bidirectional": True, "static": (1,)}),
    ("min_lstm", {"units": (3, 2), "bidirectional": True, "head": "sequence"}),
    ("min_lstm", {"units": (2, 2), "residual": True, "input_layers": (3,)}),
    ("gru", {"dilation": (2,), "bidirectional": True}),
    ("lstm", {"dilation": (1, 3), "units": (3, 2), "static": (1,)}),
    ("min_gru", {"dilation": (1, 2), "units": (2, 2), "bidirectional": True, "merge_mode": "ave", "residual": True}),
    ("simple_rnn", {"dilation": (2,), "transition_depth": 2, "segment": 2, "head": "sequence"}),
]
ALL = [*((cell, variant) for cell in CELLS for variant in VARIANTS), *AXES]
native = pytest.mark.skipif(not available(), reason="the native engine was not compiled")


@pytest.fixture(scope="module", autouse=True)
def the_toy_is_one_of_the_cells():
    with toy_cell.known():
        yield


@pytest.fixture(scope="module")
def keras_cells(the_toy_is_one_of_the_cells):
    """The rows of all cells for Keras."""
    with toy_cell.known_to_keras() as rows:
        yield rows


def make_spec(cell="lstm", units=(3,), n_inputs=2, n_outputs=2, **changes):
    return NetworkSpec(cell, units, n_inputs, n_outputs, **changes)


def random_weights(spec, seed=0, scale=0.5):
    rng = np.random.default_rng(seed)
    return [rng.normal(scale=scale, size=weight.shape).astype(np.float32) for weight in spec.weights]


def ragged_windows(n_inputs=2, n_windows=7, n_steps=5):
    """Windows with 0, 1, ... empty leading steps, one of them empty altogether."""
    X = np.random.default_rng(5).normal(size=(n_windows, n_steps, n_inputs)).astype(np.float32)
    for window in range(n_windows):
        X[window, : window % (n_steps + 1)] = np.nan
    return X, np.arange(n_windows) % (n_steps + 1)


# -- by hand ---------------------------------------------------------------------------------------------------------


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_a_step_of_an_lstm_by_hand():
    # all weights 0.1, biases i, f, c, o = 0, 1, 0.2, -0.5; x = 2, h = 0.5, c = -1: each sum is 0.25 and the bias
    weights = [np.full((1, 4), 0.1), np.full((1, 4), 0.1), np.array([0.0, 1.0, 0.2, -0.5])]
    (h, c), gates = lstm_step(np.array([2.0]), (np.array([0.5]), np.array([-1.0])), weights)
    assert gates["input"] == pytest.approx(0.5621765)
    assert gates["forget"] == pytest.approx(0.7772999)
    assert gates["candidate"] == pytest.approx(0.4218990)
    assert gates["output"] == pytest.approx(0.4378235)
    assert c == pytest.approx(-0.7772999 + 0.5621765 * 0.4218990)
    assert h == pytest.approx(0.4378235 * np.tanh(-0.5401182))


def test_a_step_of_a_gru_by_hand():
    # sums of input and recurrent product: 0.2 and 0.05, with biases 0.1 and, for the candidate, 0.4 behind the gate
    weights = [np.full((1, 3), 0.1), np.full((1, 3), 0.1), np.array([[0.1, 0.1, 0.1], [0.0, 0.0, 0.4]])]
    (h,), gates = gru_step(np.array([2.0]), (np.array([0.5]),), weights)
    assert gates["update"] == pytest.approx(sigmoid(0.35))
    assert gates["reset"] == pytest.approx(0.5866176)
    assert gates["candidate"] == pytest.approx(np.tanh(0.3 + 0.5866176 * 0.45))
    assert h == pytest.approx(0.5866176 * 0.5 + 0.4133824 * 0.5109229, abs=1e-6)


def test_a_step_of_elmans_network_by_hand():
    (h,), gates = simple_rnn_step(
        np.array([1.0, -2.0]), (np.array([0.5]),), [np.array([[0.3], [0.1]]), np.array([[-0.4]]), np.array([0.7])]
    )
    assert h == pytest.approx(np.tanh(0.3 - 0.2 - 0.2 + 0.7))
    assert gates == {}


def lstm_with_gates(n_steps, input_gate, forget_gate, memory):
    """An LSTM of one unit whose gates are shut (-50) or open (50) whatever it reads; it begins with this memory."""
    spec = NetworkSpec("lstm", (1,), n_inputs=2, n_outputs=1, static=(1,), static_to="state")
    kernel = np.array([[0.0, 0.0, 1.0, 0.0]])  # only the candidate reads
    bias = np.array([input_gate, forget_gate, 0.0, 50.0])
    state = [np.zeros((1, 2)), np.array([0.0, memory])]
    weights = [*state, kernel, np.zeros((1, 4)), bias, np.ones((1, 1)), np.zeros(1)]
    x = np.random.default_rng(0).normal(size=(n_steps, 2))
    return trace(spec, weights, x).layers[0][0], x[:, 0]


@settings(max_examples=20)
@given(memory=st.floats(-3, 3))
def test_with_the_input_gate_shut_and_the_forget_gate_open_the_memory_stays_for_1000_steps(memory):
    run, _ = lstm_with_gates(1000, input_gate=-50, forget_gate=50, memory=memory)
    np.testing.assert_allclose(run.states[1].ravel(), memory, rtol=0, atol=1e-15)


@settings(max_examples=20)
@given(memory=st.floats(-3, 3))
def test_with_the_input_gate_open_and_the_forget_gate_shut_all_before_the_step_is_forgotten(memory):
    run, x = lstm_with_gates(30, input_gate=50, forget_gate=-50, memory=memory)
    np.testing.assert_allclose(run.states[1].ravel(), np.tanh(x), rtol=0, atol=1e-15)


def test_a_gru_with_the_update_gate_open_keeps_its_state():
    weights = [np.ones((1, 3)), np.ones((1, 3)), np.array([[50.0, 0.0, 0.0], [0.0, 0.0, 0.0]])]
    state = (np.array([0.6]),)
    for x in np.random.default_rng(0).normal(size=(1000, 1)):
        state, _ = gru_step(x, state, weights)
    assert state[0] == pytest.approx(0.6, abs=1e-12)


# -- against the engines ---------------------------------------------------------------------------------------------


def engine_predictions(spec, weights, X, engine):
    windows = WindowData.from_windows(X)
    missing = Missing(np.zeros(X.shape[2], np.float32), ())
    with lease(ProgramKey(ForwardKey(spec, X.shape[1], X.shape[2], ragged=windows.ragged)), engine) as program:
        program.load(weights)
        return program.predict(program.bind(windows, missing))


@native
@pytest.mark.parametrize("variant", VARIANTS, ids=str)
@pytest.mark.parametrize("cell", NATIVE)
def test_outputs_are_those_of_the_native_engine(cell, variant):
    spec = make_spec(cell, **variant)
    weights, (X, lead) = random_weights(spec), ragged_windows()
    predictions = engine_predictions(spec, weights, X, "native")
    np.testing.assert_allclose(trace(spec, weights, X, lead).outputs, predictions, atol=2e-6)


@pytest.mark.slow
@pytest.mark.parametrize("variant", [VARIANTS[3], VARIANTS[7]], ids=str)
@pytest.mark.parametrize("cell", CELLS)
def test_outputs_are_those_of_the_keras_engine(cell, variant, keras_cells):
    spec = make_spec(cell, **variant)
    weights, (X, lead) = random_weights(spec), ragged_windows()
    predictions = engine_predictions(spec, weights, X, "keras")
    np.testing.assert_allclose(trace(spec, weights, X, lead).outputs, predictions, atol=2e-6)


@pytest.mark.slow
@pytest.mark.parametrize("cell", CELLS)
def test_states_are_those_of_keras_layers(cell, keras_cells):
    import keras

    layer = keras_cells[cell].make_layer(3, True, True)
    spec = make_spec(cell)
    weights, X = random_weights(spec), np.random.default_rng(1).normal(size=(4, 6, 2)).astype(np.float32)
    layer.build(X.shape)
    layer.set_weights(weights[: len(layer.weights)])
    sequence, *last = map(keras.ops.convert_to_numpy, layer(X) if not keras_cells[cell].own else [layer(X)])
    run = trace(spec, weights, X).layers[0][0]
    np.testing.assert_allclose(run.states[0], sequence, atol=1e-6)
    for ours, theirs in zip(run.states, last or [sequence[:, -1]], strict=True):
        np.testing.assert_allclose(ours[:, -1], theirs, atol=1e-6)


@pytest.mark.slow
def test_a_regressor_of_a_new_cell_learns_streams_and_is_looked_into(keras_cells):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 8, 1)).astype(np.float32)
    y = X[:, :, 0] @ (0.75 ** np.arange(8)[::-1])  # what leaks
    model = toy_cell.LeakyRegressor(units=4, epochs=60, learning_rate=0.02, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.9 and model.engine_ == "keras"
    np.testing.assert_allclose(trace(model._spec, model.weights_, X).outputs[:, 0], model.predict(X), atol=1e-4)
    assert {"candidate", "h"} <= set(gate_trace(model, X[:1]).columns)
    stream = model.stream()
    streamed = [stream.update(step) for step in X[0]]
    np.testing.assert_allclose(streamed[-1], model.predict(X[:1])[0], atol=1e-4)
    assert "leaky" in str(model.summary())


# -- what is kept ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cell", "variant"), ALL, ids=str)
def test_each_state_is_a_step_from_the_state_before(cell, variant):
    spec = make_spec(cell, **variant)
    weights, (X, lead) = random_weights(spec), ragged_windows()
    seen = trace(spec, weights, X, lead)
    parts = split_weights(spec, [values.astype(float) for values in weights])
    for layer, directions in zip(seen.layers, parts.layers, strict=True):
        for run, part in zip(layer, directions, strict=True):
            for t in run.reading_order:
                before = run.before(t)
                after, _ = advance(spec, run.inputs[:, t], before, part)
                for state, stepped, kept in zip(run.states, after, before, strict=True):
                    np.testing.assert_array_equal(state[:, t], np.where(seen.empty[:, t, None], kept, stepped))


def test_gates_lie_between_0_and_1_and_are_nan_where_nothing_was_read():
    spec = make_spec("lstm", bidirectional=True)
    X, lead = ragged_windows()
    seen = trace(spec, random_weights(spec), X, lead)
    for run in seen.layers[0]:
        assert list(run.gates) == ["input", "forget", "output", "candidate"]
        for name in ("input", "forget", "output"):
            values = run.gates[name]
            assert np.isnan(values[seen.empty]).all()
            assert ((values[~seen.empty] > 0) & (values[~seen.empty] < 1)).all()


def test_a_layer_that_reads_backward_sees_the_window_reversed():
    spec = make_spec("gru", bidirectional=True)
    weights = random_weights(spec)
    X = np.random.default_rng(0).normal(size=(5, 2))
    reverse = trace(make_spec("gru"), [*weights[3:6], weights[6][:3], weights[7]], X[::-1]).layers[0][0]
    run = trace(spec, weights, X).layers[0][1]
    np.testing.assert_array_equal(run.states[0], reverse.states[0][:, ::-1])
    np.testing.assert_array_equal(run.last, reverse.last)


# -- backward --------------------------------------------------------------------------------------------------------


def central_differences(function, values, step=1e-6):
    gradient = np.empty(values.shape)
    for index in np.ndindex(values.shape):
        kept = values[index]
        values[index] = kept + step
        above = function()
        values[index] = kept - step
        gradient[index] = (above - function()) / (2 * step)
        values[index] = kept
    return gradient


def weighted_sum(spec, weights, X, lead, d_outputs):
    return float(np.nansum(trace(spec, weights, X, lead).outputs * d_outputs))


@pytest.mark.parametrize(("cell", "variant"), ALL, ids=str)
def test_gradients_of_weights_and_inputs_are_finite_differences(cell, variant):
    spec = make_spec(cell, **variant)
    weights, (X, lead) = [values.astype(float) for values in random_weights(spec)], ragged_windows()
    X = np.nan_to_num(X.astype(float))
    seen = trace(spec, weights, X, lead)
    d_outputs = np.random.default_rng(1).normal(size=seen.outputs.shape)
    gradients = backward(spec, weights, seen, d_outputs)
    for values, gradient in zip(weights, gradients.weights, strict=True):
        expected = central_differences(lambda: weighted_sum(spec, weights, X, lead, d_outputs), values)
        np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-8)
    if spec.segment == 1 and not spec.static:
        expected = central_differences(lambda: weighted_sum(spec, weights, X, lead, d_outputs), X)
        np.testing.assert_allclose(gradients.inputs, expected, rtol=1e-6, atol=1e-8)


def nudged(call, which, unit, size):
    """`advance`, which at its `call`-th call adds `size` to one unit of h (which=0) or of the memory c (1)."""
    calls = iter(range(10**6))

    def step(spec, x, state, weights):
        after, gates = advance(spec, x, state, weights)
        if next(calls) == call:
            after = [values.copy() for values in after]
            after[which][..., unit] += size
            if which == 1:
                after[0] = shown(
                    spec, gates["output"], after[1], size * (np.arange(after[1].shape[-1]) == unit), weights
                )
        return tuple(after), gates

    return step


def shown(spec, output, memory, nudge, weights):
    """The h in which a nudged memory shows at the same step: through a peephole the output gate sees it too."""
    if spec.peephole:
        output = sigmoid(np.log(output / (1 - output)) + weights[3][2] * nudge)
    h = output * SQUASH[spec.activation](memory)
    deep = weights[4 if spec.peephole else 3 :]
    return tracing.dense(list(zip(deep[::2], deep[1::2], strict=True)), h, SQUASH[spec.activation])[-1]


@pytest.mark.parametrize(
    ("cell", "variant"), [*((cell, VARIANTS[i]) for cell in CELLS for i in (0, 3, 5, 7)), *AXES], ids=str
)
def test_gradients_of_states_are_finite_differences(cell, variant, monkeypatch):
    spec = make_spec(cell, **variant)
    weights, (X, lead) = random_weights(spec), ragged_windows()
    X, lead = np.nan_to_num(X.astype(float)[[2]]), lead[[2]]
    seen = trace(spec, weights, X, lead)
    d_outputs = np.random.default_rng(1).normal(size=seen.outputs.shape)
    gradients = backward(spec, weights, seen, d_outputs)

    def change(call, which, unit):
        sums = []
        for size in (1e-6, -1e-6):
            monkeypatch.setattr(tracing, "advance", nudged(call, which, unit, size))
            sums.append(weighted_sum(spec, weights, X, lead, d_outputs))
        return (sums[0] - sums[1]) / 2e-6

    call = 0
    for layer, found in zip(seen.layers, gradients.states, strict=True):
        for run, states in zip(layer, found, strict=True):
            for t in run.reading_order:
                for which, gradient in enumerate(states):
                    expected = [change(call, which, unit) for unit in range(gradient.shape[2])]
                    if not seen.empty[0, t]:
                        np.testing.assert_allclose(gradient[0, t], expected, rtol=1e-6, atol=1e-8)
                call += 1


def test_the_gradient_of_elmans_network_is_the_product_of_its_jacobians():
    # d o / d h(t) = V^T prod_{k > t} diag(1 - h(k)^2) W; Keras multiplies from the left, so its W is transposed
    spec = make_spec("simple_rnn", units=(4,), n_outputs=1)
    weights = [values.astype(float) for values in random_weights(spec)]
    X = np.random.default_rng(0).normal(size=(1, 12, 2))
    seen = trace(spec, weights, X)
    (gradient,) = backward(spec, weights, seen, np.ones((1, 1))).states[0][0]
    h, W = seen.layers[0][0].states[0][0], weights[1].T
    expected = weights[3].T
    for t in reversed(range(12)):
        np.testing.assert_allclose(gradient[0, t], expected[0], rtol=1e-12)
        expected = expected @ np.diag(1 - h[t] ** 2) @ W


@native
@pytest.mark.parametrize("variant", VARIANTS, ids=str)
@pytest.mark.parametrize("cell", NATIVE)
def test_gradients_of_the_squared_error_are_those_of_the_native_engine(cell, variant):
    spec = make_spec(cell, **variant)
    weights, (X, lead) = random_weights(spec), ragged_windows()
    seen = trace(spec, weights, X, lead)
    y = np.random.default_rng(2).normal(size=seen.outputs.shape).astype(np.float32)
    y[np.isnan(seen.outputs)] = np.nan
    windows = WindowData.from_windows(X)
    key = ProgramKey(ForwardKey(spec, 5, 2, ragged=True), TrainerKey(len(X), optimizer="sgd"))
    with lease(key, "native") as program:
        program.load(weights)
        program.reset_trainer(0)
        missing = Missing(np.zeros(2, np.float32), ())
        data = program.bind(windows, missing, y.reshape(len(X), -1), np.ones(len(X), np.float32))
        # one step of plain gradient descent with rate 1 moves the weights by their gradients
        program.train_steps(data, np.arange(len(X), dtype=np.int32)[None], Numbers(1.0))
        expected = [old - new for old, new in zip(weights, program.weights(), strict=True)]
    d_outputs = 2 * (seen.outputs - y) / np.isfinite(y).sum()
    for gradient, values in zip(backward(spec, weights, seen, d_outputs).weights, expected, strict=True):
        np.testing.assert_allclose(gradient, values, rtol=1e-4, atol=2e-6)


# -- back-propagation through time of Elman's network ----------------------------------------------------------------


def elman_example(units=4, n_inputs=2, n_outputs=3, n_steps=7):
    rng = np.random.default_rng(3)
    shapes = {"U": (units, n_inputs), "W": (units, units), "V": (n_outputs, units), "b": (units,), "c": (n_outputs,)}
    parameters = {name: rng.normal(scale=0.6, size=shape) for name, shape in shapes.items()}
    return parameters, rng.normal(size=(n_steps, n_inputs)), rng.normal(size=(n_steps, n_outputs))


def elman_outputs(U, W, V, b, c, x):
    h, outputs = np.zeros(len(b)), []
    for inputs in x:
        h = np.tanh(b + W @ h + U @ inputs)
        outputs.append(c + V @ h)
    return np.array(outputs)


def without_output_bias(parameters):
    return {name: values for name, values in parameters.items() if name != "c"}


def test_closed_form_gradients_of_elmans_network_are_finite_differences():
    parameters, x, y = elman_example()

    def loss():
        return 0.5 * np.square(elman_outputs(**parameters, x=x) - y).sum()

    error = elman_outputs(**parameters, x=x) - y
    gradients = elman_gradients(**without_output_bias(parameters), x=x, d_outputs=error)
    for name, values in parameters.items():
        np.testing.assert_allclose(getattr(gradients, name), central_differences(loss, values), rtol=1e-6, atol=1e-8)


def test_closed_form_gradients_of_elmans_network_are_those_of_the_backward_pass():
    parameters, x, d_outputs = elman_example()
    spec = make_spec("simple_rnn", (4,), n_outputs=3, head="sequence")
    U, W, V, b, c = (parameters[name] for name in "UWVbc")
    seen = trace(spec, [U.T, W.T, b, V.T, c], x)
    np.testing.assert_allclose(elman_states(U, W, b, x), seen.layers[0][0].states[0][0], rtol=1e-12)
    general = backward(spec, [U.T, W.T, b, V.T, c], seen, d_outputs[None])
    closed = elman_gradients(U, W, V, b, x, d_outputs)
    expected = [closed.U.T, closed.W.T, closed.b, closed.V.T, closed.c]
    for ours, theirs in zip(general.weights, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    np.testing.assert_allclose(general.states[0][0][0][0], closed.h, rtol=1e-12)


@native
@pytest.mark.parametrize("head", ["last", "sequence"])
def test_closed_form_gradients_of_elmans_network_are_those_of_the_native_engine(head):
    parameters, x, y = elman_example()
    spec = make_spec("simple_rnn", (4,), n_outputs=3, head=head)
    weights = [np.float32(parameters[name].T) for name in "UWbVc"]
    with lease(ProgramKey(ForwardKey(spec, 7, 2), TrainerKey(1, optimizer="sgd")), "native") as program:
        program.load(weights)
        program.reset_trainer(0)
        targets = (y if head == "sequence" else y[-1]).astype(np.float32).reshape(1, -1)
        windows = WindowData.from_windows(x[None])
        data = program.bind(windows, Missing(np.zeros(2, np.float32), ()), targets, np.ones(1, np.float32))
        program.train_steps(data, np.zeros((1, 1), np.int32), Numbers(1.0))
        moved = [old - new for old, new in zip(weights, program.weights(), strict=True)]
    error = 2 * (elman_outputs(**parameters, x=x) - y) / targets.size
    if head == "last":
        error[:-1] = 0
    gradients = elman_gradients(**without_output_bias(parameters), x=x, d_outputs=error)
    for name, values in zip("UWbVc", moved, strict=True):
        np.testing.assert_allclose(getattr(gradients, name).T, values, rtol=1e-4, atol=1e-6)


def test_gradients_of_another_number_of_steps_are_refused():
    parameters, x, d_outputs = elman_example()
    with pytest.raises(ValueError, match=r"d_outputs must have shape \(7, 3\), one row per step of x, got \(6, 3\)"):
        elman_gradients(**without_output_bias(parameters), x=x, d_outputs=d_outputs[1:])


# -- refusals --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FurtherSpec(NetworkSpec):
    invented: bool = False


def test_a_network_with_an_unknown_axis_is_refused():
    spec = FurtherSpec("lstm", (2,), 1, 1)
    weights = random_weights(spec)
    assert trace(spec, weights, np.zeros((3, 1))).outputs.shape == (1, 1)
    with pytest.raises(ValueError, match="networks with invented=True cannot be looked into"):
        trace(FurtherSpec("lstm", (2,), 1, 1, invented=True), weights, np.zeros((3, 1)))


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"windows": np.zeros((3, 4))}, r"windows must have shape \(n_windows, n_steps, 2\) .* got \(1, 3, 4\)"),
        ({"windows": np.zeros((1, 0, 2))}, r"got \(1, 0, 2\)"),
        ({"weights": []}, "weights must have the shapes"),
        ({"lead": [0, 1]}, r"lead must have shape \(1,\)"),
        ({"spec": ModelSpec("", None, 2, 2, (), 1, None, {})}, "only the networks of a NetworkSpec"),
    ],
)
def test_what_does_not_fit_is_refused(changes, match):
    spec = make_spec()
    arguments = {"spec": spec, "weights": random_weights(spec), "windows": np.zeros((3, 2)), **changes}
    with pytest.raises(ValueError, match=match):
        trace(**arguments)


def test_gradients_of_outputs_of_another_shape_are_refused():
    spec = make_spec()
    weights = random_weights(spec)
    with pytest.raises(ValueError, match=r"d_outputs must have the shape of the outputs, \(1, 2\), got \(2,\)"):
        backward(spec, weights, trace(spec, weights, np.zeros((3, 2))), np.ones(2))
