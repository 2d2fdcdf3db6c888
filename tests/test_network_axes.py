"""The axes of a network that only Keras computes: against slow loops over the published equations."""

import dataclasses
import itertools
import pickle

import numpy as np
import pandas as pd
import pytest
from archive_files import save_unchecked
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from tsrnn.engine import ForwardKey, Missing, ProgramKey, WindowData, choose_engine, lease
from tsrnn.exceptions import ArchiveError
from tsrnn.forecasters import GRUForecaster, MinGRUForecaster, MinLSTMForecaster
from tsrnn.networks import NetworkSpec, initial_weights
from tsrnn.networks.tracing import trace
from tsrnn.persistence import load
from tsrnn.regressors import GRURegressor, LSTMRegressor, MinGRURegressor, MinLSTMRegressor

CELLS = ["lstm", "gru", "simple_rnn"]
MINIMAL = ["min_lstm", "min_gru"]

# -- the oracle: one window, one layer, one direction, one step at a time, in float64 --------------------------------


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


NO_PEEPHOLE = np.zeros((3, 1))


def lstm_step(x, state, kernel, recurrent, bias, peephole=NO_PEEPHOLE):
    h, c = state
    i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4)
    c = sigmoid(f + peephole[1] * c) * c + sigmoid(i + peephole[0] * c) * np.tanh(g)
    return [sigmoid(o + peephole[2] * c) * np.tanh(c), c]


def gru_step(x, state, kernel, recurrent, bias):
    (h,) = state
    xz, xr, xh = np.split(x @ kernel + bias[0], 3)
    hz, hr, hh = np.split(h @ recurrent + bias[1], 3)
    z, r = sigmoid(xz + hz), sigmoid(xr + hr)
    return [z * h + (1 - z) * np.tanh(xh + r * hh)]


def simple_rnn_step(x, state, kernel, recurrent, bias):
    return [np.tanh(x @ kernel + state[0] @ recurrent + bias)]


def min_gru_step(x, state, kernel, bias):
    z, candidate = np.split(x @ kernel + bias, 2)
    return [(1 - sigmoid(z)) * state[0] + sigmoid(z) * candidate]


def min_lstm_step(x, state, kernel, bias):
    i, f, candidate = np.split(x @ kernel + bias, 3)
    i, f = sigmoid(i), sigmoid(f)
    return [f / (f + i) * state[0] + i / (f + i) * candidate]


STEPS = {
    "lstm": lstm_step,
    "gru": gru_step,
    "simple_rnn": simple_rnn_step,
    "min_gru": min_gru_step,
    "min_lstm": min_lstm_step,
}
MERGES = {"concat": lambda f, b: np.concatenate([f, b]), "sum": np.add, "ave": lambda f, b: (f + b) / 2}


def slow_layer(spec, xs, take, dilation):
    """The states of one direction after each step; `take(n)` hands out its next weights."""
    weights = take(2 if spec.cell in MINIMAL else 4 if spec.peephole else 3)
    transitions = [take(2) for _ in range(spec.transition_depth - 1)]
    states = [take.initial_state()] * dilation
    for x in xs:
        h, *memory = STEPS[spec.cell](x, states[-dilation], *weights)
        for kernel, bias in transitions:
            h = np.tanh(h @ kernel + bias)
        states.append([h, *memory])
    return [state[0] for state in states[dilation:]]


class Take:
    """Hands out the weights of a network, and the initial states of its layers and directions, in their order."""

    def __init__(self, spec, weights, last_step):
        self.left = (np.asarray(values, float) for values in weights)
        if spec.static:
            kernel, bias = self(2)
            states = last_step[list(spec.static)] @ kernel + bias
        else:
            states = np.zeros(sum(spec.state_widths))
        self.states = iter(np.split(states, np.cumsum(spec.state_widths)[:-1]))
        self.per_layer = 2 if spec.cell == "lstm" else 1

    def initial_state(self):
        return list(itertools.islice(self.states, self.per_layer))

    def __call__(self, n):
        return list(itertools.islice(self.left, n))


def slow_network(spec, window, weights):
    """What a network gives out for one window (n_steps, n_channels) without empty leading steps."""
    take = Take(spec, weights, window[-1])
    padding = spec.n_segments(len(window)) * spec.segment - len(window)
    padded = np.concatenate([np.zeros((padding, window.shape[1])), window])
    xs = list(padded[:, list(spec.inputs)].reshape(-1, spec.segment * len(spec.inputs)))
    for kernel, bias in (take(2) for _ in spec.input_layers):
        xs = [np.tanh(x @ kernel + bias) for x in xs]
    for i, dilation in enumerate(spec.dilation or [1] * len(spec.units)):
        below, xs = xs, slow_layer(spec, xs, take, dilation)
        last = xs[-1]
        if spec.bidirectional:
            backward = slow_layer(spec, below[::-1], take, dilation)[::-1]
            merge = MERGES[spec.merge_mode]
            last = merge(xs[-1], backward[0])  # each direction's last in its own reading order
            xs = [merge(f, b) for f, b in zip(xs, backward, strict=True)]
        if spec.residual and i > 0:
            xs, last = [h + x for h, x in zip(xs, below, strict=True)], last + below[-1]
    outputs = np.array(xs) if spec.head == "sequence" else last
    for kernel, bias in (take(2) for _ in spec.output_layers):
        outputs = np.tanh(outputs @ kernel + bias)
    kernel, bias = take(2)
    assert not take(1)
    return outputs @ kernel + bias


def random_weights(spec, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(scale=0.5, size=weight.shape).astype(np.float32) for weight in spec.weights]


def ragged_windows(n_steps=7, n_channels=2):
    X = np.random.default_rng(1).normal(size=(4, n_steps, n_channels))
    for window, lead in enumerate([0, 1, 3, n_steps - 1]):
        X[window, :lead] = np.nan
    return X


def predict(spec, X, weights):
    data = WindowData.from_windows(X)
    key = ForwardKey(spec, data.n_steps, data.n_features, ragged=data.ragged)
    with lease(ProgramKey(key), "keras") as program:
        program.load(weights)
        return program.predict(program.bind(data, Missing(np.zeros(data.n_features, np.float32), ())))


def check_against_the_loop(spec, ragged=True):
    X, weights = ragged_windows(), random_weights(spec)
    X = X if ragged else X[:1]
    got = predict(spec, X, weights)
    traced = trace(spec, weights, np.nan_to_num(X), np.isnan(X[..., 0]).sum(axis=1)).outputs
    np.testing.assert_allclose(traced, np.where(np.isnan(traced), np.nan, got), atol=3e-6)
    for window, values in zip(X, got, strict=True):
        full = window[~np.isnan(window).all(axis=1)]
        expected = slow_network(spec, full, weights)
        values = values[-len(expected) :] if spec.head == "sequence" else values
        np.testing.assert_allclose(values, expected, atol=3e-6)


def network(cell="gru", **changes):
    return NetworkSpec(**{"cell": cell, "units": (3,), "n_inputs": 2, "n_outputs": 2, **changes})


# -- merge modes and residual connections ----------------------------------------------------------------------------


@pytest.mark.parametrize("merge_mode", ["concat", "sum", "ave"])
@pytest.mark.parametrize("head", ["last", "sequence"])
def test_directions_are_merged_as_the_mode_says(merge_mode, head):
    spec = network(units=(3, 4), bidirectional=True, merge_mode=merge_mode, head=head)
    check_against_the_loop(spec)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(
    "changes",
    [{"head": "sequence"}, {"bidirectional": True}, {"bidirectional": True, "merge_mode": "sum"}],
    ids=str,
)
def test_residual_layers_add_their_input(cell, changes):
    check_against_the_loop(network(cell, units=(3, 3, 3), residual=True, **changes))


def test_residual_layers_read_segments():
    check_against_the_loop(network(units=(3, 3), residual=True, segment=2), ragged=False)


def test_merging_by_sum_or_average_halves_what_the_next_layer_reads():
    def shapes(merge_mode):
        spec = network(units=(3, 4), bidirectional=True, merge_mode=merge_mode)
        return spec.weights[6].shape, spec.weights[-2].shape

    assert shapes("concat") == ((6, 12), (8, 2))
    assert shapes("sum") == shapes("ave") == ((3, 12), (4, 2))


# -- deep blocks -----------------------------------------------------------------------------------------------------

DEEP = {"units": (3, 4), "transition_depth": 3, "input_layers": (5, 6), "output_layers": (7,)}


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(
    "changes",
    [
        {"units": (4,), "transition_depth": 2},
        {"input_layers": (5,), "output_layers": (6, 7), "head": "sequence"},
        {**DEEP, "bidirectional": True, "merge_mode": "ave"},
        {**DEEP, "static": (1,)},
    ],
    ids=["transition", "input and output", "both ways", "static"],
)
def test_deep_blocks_follow_the_equations(cell, changes):
    check_against_the_loop(network(cell, **changes))


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("input_layers", [(), (5,), (5, 6), (5, 6, 7)], ids=str)
@pytest.mark.parametrize("ragged", [False, True])
def test_weights_of_the_initial_state_come_before_those_of_the_input(cell, input_layers, ragged):
    from tsrnn.engine.keras_ import build_model

    for units in [(3,), (3, 4)]:
        spec = network(cell, units=units, input_layers=input_layers, static=(1,))
        model = build_model(spec, 5, ragged=ragged)
        assert [weight.shape for weight in model.trainable_variables] == [weight.shape for weight in spec.weights]


def test_number_of_parameters_of_deep_blocks():
    # Elman 2 -> 5 -> 6, (6 + 3 + 1) 3, two transitions 3 (3 + 1), 3 -> 7 -> 2
    spec = network("simple_rnn", units=(3,), transition_depth=3, input_layers=(5, 6), output_layers=(7,))
    assert spec.n_parameters == (15 + 36) + 30 + 2 * 12 + (28 + 16)


def test_recurrent_dropout_reaches_the_cell_of_a_deep_transition():
    X, y = data({})
    plain = regressor(transition_depth=2).fit(X, y)
    dropped = regressor(transition_depth=2, recurrent_dropout=0.5)
    assert not same(dropped.fit(X, y), plain)
    assert same(clone(dropped).fit(X, y), dropped)


# -- peepholes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [{}, {"units": (3, 2), "bidirectional": True, "head": "sequence"}, {"transition_depth": 2, "static": (0,)}],
    ids=str,
)
def test_peepholes_show_the_memory_to_the_gates(changes):
    check_against_the_loop(network("lstm", peephole=True, **changes))


def test_an_lstm_with_new_peepholes_is_one_without():
    with_peepholes, without = network("lstm", peephole=True), network("lstm")
    weights = initial_weights(with_peepholes, np.random.default_rng(0))
    X = ragged_windows()
    expected = predict(without, X, initial_weights(without, np.random.default_rng(0)))
    np.testing.assert_allclose(predict(with_peepholes, X, weights), expected, atol=1e-6)


def test_peepholes_learn_and_recurrent_dropout_reaches_them():
    X, y = data({})
    model = regressor(LSTMRegressor, peephole=True).fit(X, y)
    assert model._spec.weights[3].role == "peephole_kernel"
    assert model.weights_[3].all()
    assert not same(regressor(LSTMRegressor, peephole=True, recurrent_dropout=0.5).fit(X, y), model)


# -- minimal cells ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", MINIMAL)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"units": (3, 4), "bidirectional": True, "head": "sequence"},
        {"units": (3, 3), "bidirectional": True, "merge_mode": "sum", "residual": True},
        {"units": (3, 4), "bidirectional": True, "static": (1,), "static_to": "state"},
        {"head": "sequence", "static": (0,), "input_layers": (5,)},
    ],
    ids=str,
)
def test_minimal_cells_follow_the_equations(cell, changes):
    check_against_the_loop(network(cell, **changes))


@settings(max_examples=25, deadline=None)
@given(
    cell=st.sampled_from(MINIMAL),
    n_steps=st.integers(1, 20),
    units=st.integers(1, 3),
    go_backwards=st.booleans(),
    lead=st.integers(0, 20),
    seed=st.integers(0, 2**32 - 1),
)
def test_the_scan_is_the_loop(cell, n_steps, units, go_backwards, lead, seed):
    from tsrnn.engine.keras_.cells import KERAS_CELLS

    rng = np.random.default_rng(seed)
    layer = KERAS_CELLS[cell].layer(units, return_sequences=True, go_backwards=go_backwards)
    layer.build((None, n_steps, 2))
    weights = [rng.normal(scale=2, size=weight.shape) for weight in layer.weights]
    layer.set_weights(weights)
    x, state, read = rng.normal(size=(n_steps, 2)), rng.normal(size=units), np.arange(n_steps) >= lead
    h, expected = state, []
    for t in reversed(range(n_steps)) if go_backwards else range(n_steps):
        h = STEPS[cell](x[t], [h], *weights)[0] if read[t] else h
        expected.append(h)
    got = layer(x[None].astype("f4"), initial_state=[state[None].astype("f4")], mask=read[None])
    np.testing.assert_allclose(np.asarray(got)[0], expected, atol=2e-5)


def test_shut_gates_of_a_minimal_lstm_share_the_step_between_old_and_new():
    from tsrnn.engine.keras_.layers import MinLSTM

    layer = MinLSTM(1)
    layer.build((None, 1, 1))
    layer.set_weights([np.zeros((1, 3)), np.array([-200.0, -200.0, 3.0])])  # both gates are 0 in float32
    np.testing.assert_allclose(layer(np.zeros((1, 1, 1)), initial_state=[np.ones((1, 1))]), [[2.0]])


@pytest.mark.parametrize("cls", [MinGRURegressor, MinLSTMRegressor])
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recurrent_dropout": 0.1}, "recurrent_dropout=0.1 acts between one state and the next"),
        ({"transition_depth": 2}, "transition_depth=2 acts between one state and the next.*Leave transition_depth=1"),
    ],
    ids=str,
)
def test_minimal_networks_refuse_what_acts_between_states(cls, changes, message):
    X, y = data({})
    with pytest.raises(ValueError, match=message):
        regressor(cls, **changes).fit(X, y)


@pytest.mark.slow
@pytest.mark.parametrize("cls", [MinGRURegressor, MinLSTMRegressor])
def test_minimal_networks_learn_a_sine_better_than_persistence(cls):
    series = np.sin(np.arange(400) / 5)
    X = np.lib.stride_tricks.sliding_window_view(series[:-1], 12)[..., None]
    y = series[12:]
    model = cls(units=(8, 8), epochs=25, learning_rate=0.01, random_state=0).fit(X[:300], y[:300])
    error = np.sqrt(np.mean((model.predict(X[300:]) - y[300:]) ** 2))
    assert error < 0.5 * np.sqrt(np.mean((X[300:, -1, 0] - y[300:]) ** 2))


# -- dilated recurrence ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", [*CELLS, "min_gru"])
@pytest.mark.parametrize(
    "changes",
    [
        {"dilation": (3,)},
        {"units": (3, 4), "dilation": (1, 2), "head": "sequence", "bidirectional": True},
        {"units": (3, 4), "dilation": (2, 4), "bidirectional": True, "merge_mode": "ave", "static": (1,)},
    ],
    ids=["last", "sequence", "both ways"],
)
def test_states_of_a_dilated_layer_go_several_steps_back(cell, changes):
    check_against_the_loop(network(cell, **changes))


@settings(max_examples=10, deadline=None)
@given(
    n_steps=st.integers(2, 9),
    dilation=st.integers(2, 8),
    bidirectional=st.booleans(),
    whole=st.booleans(),
    seed=st.integers(0, 99),
)
def test_chains_of_any_length_are_the_loop(n_steps, dilation, bidirectional, whole, seed):
    from tsrnn.engine.keras_ import build_model

    head = "sequence" if whole else "last"
    spec = network("simple_rnn", dilation=(dilation,), bidirectional=bidirectional, head=head)
    X, weights = np.random.default_rng(seed).normal(size=(2, n_steps, 2)), random_weights(spec, seed)
    model = build_model(spec, n_steps)
    model.set_weights(weights)
    np.testing.assert_allclose(model(X), [slow_network(spec, window, weights) for window in X], atol=3e-6)


def test_one_dilation_stands_for_all_layers():
    X, y = data({})
    assert regressor(units=(2, 2), dilation=2).fit(X, y)._spec.dilation == (2, 2)


# -- all of them together --------------------------------------------------------------------------------------------


@st.composite
def networks(draw):
    """A network with axes drawn at random, for the ragged windows of `check_against_the_loop`."""
    cell = draw(st.sampled_from([*CELLS, *MINIMAL]))
    residual, n_layers = draw(st.booleans()), draw(st.integers(1, 3))
    units = (3,) * n_layers if residual else tuple(draw(st.integers(1, 3)) for _ in range(n_layers))
    widths = st.lists(st.integers(1, 4), max_size=2).map(tuple)
    static = draw(st.sampled_from([(), (1,)]))
    return network(
        cell,
        units=units,
        residual=residual,
        bidirectional=draw(st.booleans()),
        merge_mode=draw(st.sampled_from(["concat", "sum", "ave"])),
        head=draw(st.sampled_from(["last", "sequence"])),
        static=static,
        static_to=draw(st.sampled_from(["both", "state"])),
        transition_depth=1 if cell in MINIMAL else draw(st.integers(1, 3)),
        input_layers=draw(widths),
        output_layers=draw(widths),
        peephole=cell == "lstm" and draw(st.booleans()),
        dilation=draw(st.sampled_from([(), *[tuple(draw(st.integers(1, 4)) for _ in units)]])),
    )


@pytest.mark.slow
@settings(max_examples=25, deadline=None, derandomize=True)
@given(networks())
def test_axes_go_together(spec):
    check_against_the_loop(spec)


# -- as parameters of the regressors ---------------------------------------------------------------------------------

AXES = [
    {"cls": LSTMRegressor, "peephole": True},
    {"cls": MinGRURegressor, "units": (3, 2), "bidirectional": True},
    {"cls": MinLSTMRegressor, "return_sequences": True, "static_features": (1,)},
    {"bidirectional": True, "merge_mode": "sum"},
    {**DEEP, "units": (3, 3), "residual": True},
    {"units": (3, 3), "dilation": (1, 4), "bidirectional": True},
    *[
        pytest.param(changes, marks=pytest.mark.slow)
        for changes in [
            {"bidirectional": True, "merge_mode": "ave", "units": (3, 2)},
            {"residual": True, "units": (3, 3), "bidirectional": True, "return_sequences": True},
            {**DEEP, "bidirectional": True, "static_features": (1,)},
        ]
    ],
]


def regressor(cls=GRURegressor, **changes):
    return cls(**{"units": 3, "epochs": 1, "random_state": 0, **changes})


def data(changes, n_steps=6):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, n_steps, 2))
    return X, X[..., 0].cumsum(axis=1) if changes.get("return_sequences") else X[:, -1, 0]


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a.weights_, b.weights_, strict=True))


@pytest.mark.parametrize("changes", AXES, ids=str)
def test_axes_are_fitted_cloned_saved_and_made_into_keras_models(changes, tmp_path):
    import keras

    X, y = data(changes)
    model = regressor(**changes).fit(X, y)
    assert model.engine_ == "keras"
    assert [w.shape for w in model.weights_] == [w.shape for w in model._spec.weights]
    assert same(clone(model).fit(X, y), model)
    model.save(tmp_path / "model.tsrnn")
    again = load(tmp_path / "model.tsrnn")
    assert again._spec == model._spec and again.get_params() == model.get_params()
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))
    keras_model = model.model_
    assert [w.shape for w in keras_model.get_weights()] == [w.shape for w in model.weights_]
    np.testing.assert_allclose(np.squeeze(keras_model(X), -1), model.predict(X), atol=1e-6)
    model.export_keras(tmp_path / "network.keras")
    exported = keras.models.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(exported(X), keras_model(X))


@pytest.mark.parametrize(
    "changes",
    [
        {"merge_mode": "sum", "bidirectional": True},
        {"residual": True, "units": (3, 3)},
        {"transition_depth": 2},
        {"input_layers": (2,)},
        {"output_layers": [2]},
        {"peephole": True, "cls": LSTMRegressor},
        {"dilation": 2},
    ],
    ids=str,
)
def test_native_engine_says_what_it_does_not_compute(changes):
    X, y = data(changes)
    name = next(iter(changes))
    with pytest.raises(ValueError, match=f"native engine does not compute {name}=.*engine='auto'"):
        regressor(engine="native", **changes).fit(X, y)


def test_axes_that_change_nothing_leave_the_network_as_it_was():
    X, y = data({})
    plain = regressor().fit(X, y)
    for changes in [{"merge_mode": "sum"}, {"residual": True}, {"dilation": (1,)}]:
        model = regressor(**changes).fit(X, y)
        assert model._spec == plain._spec and same(model, plain)
        assert choose_engine(ProgramKey(ForwardKey(model._spec, 6, 2))) == choose_engine(
            ProgramKey(ForwardKey(plain._spec, 6, 2))
        )


@pytest.mark.parametrize(
    "changes",
    [
        {"merge_mode": "mul"},
        {"merge_mode": "sum"},
        {"residual": True, "units": (3, 2)},
        {"transition_depth": 0},
        {"transition_depth": 10**12},
        {"input_layers": (0,)},
        {"output_layers": (3,)},
        {"peephole": True},
        {"cell": "min_gru"},
        {"dilation": (1, 2)},
        {"dilation": (0,)},
        {"dilation": (10**9,)},
    ],
    ids=str,
)
def test_a_file_with_axes_that_cannot_be_is_refused(changes, tmp_path):
    X, y = data({})
    model = regressor().fit(X, y)
    model._spec = dataclasses.replace(model._spec, **changes)
    save_unchecked(model, tmp_path / "model.tsrnn")
    with pytest.raises(ArchiveError, match="is not a network of GRURegressor|weights_ are not"):
        load(tmp_path / "model.tsrnn")


FORECASTER_AXES = [
    {"bidirectional": True, "merge_mode": "sum", "residual": True, "units": (4, 4)},
    {"transition_depth": 2, "input_layers": (4,), "output_layers": (4,), "dilation": (2,)},
]


@pytest.mark.parametrize("cls", [MinGRUForecaster, MinLSTMForecaster])
def test_minimal_forecasters_forecast_and_come_back_from_a_file(cls, tmp_path):
    hours = pd.date_range("2024-01-01", periods=150, freq="h")
    df = pd.DataFrame({"load": np.sin(np.arange(150) * 2 * np.pi / 24)}, index=hours)
    model = cls(window=24, horizon=6, segment=1, units=4, epochs=1, linear=False, random_state=0).fit(df)
    forecast = model.forecast()
    assert np.isfinite(forecast).all(axis=None) and len(forecast) == 6
    model.save(tmp_path / "model.tsrnn")
    pd.testing.assert_frame_equal(load(tmp_path / "model.tsrnn").forecast(), forecast)
    pd.testing.assert_frame_equal(pickle.loads(pickle.dumps(model)).forecast(), forecast)


@pytest.mark.parametrize("changes", FORECASTER_AXES, ids=str)
def test_forecasters_have_the_axes_too(changes):
    hours = pd.date_range("2024-01-01", periods=150, freq="h")
    df = pd.DataFrame({"load": np.sin(np.arange(150) * 2 * np.pi / 24)}, index=hours)
    model = GRUForecaster(window=24, horizon=6, linear=False, random_state=0, **{"units": 4, "epochs": 1, **changes})
    forecast = model.fit(df).forecast()
    assert np.isfinite(forecast).all(axis=None) and len(forecast) == 6
    spec = model.regressor_.parts[0].networks[0]._spec
    assert {name: getattr(spec, name) for name in changes if name != "units"} == {
        name: value for name, value in changes.items() if name != "units"
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"merge_mode": "mul"}, "merge_mode must be one of 'concat', 'sum', 'ave', got 'mul'"),
        ({"residual": 1}, "residual must be True or False, got 1"),
        ({"residual": True, "units": (3, 2)}, r"same number of units, got units=\(3, 2\)"),
        ({"transition_depth": 0}, "transition_depth must be an integer of at least 1, got 0"),
        ({"input_layers": 8}, r"input_layers must be a tuple of widths, such as \(16,\).*got 8"),
        ({"peephole": "yes", "cls": LSTMRegressor}, "peephole must be True or False, got 'yes'"),
        ({"dilation": 0}, "dilation must be an integer of at least 1, got 0"),
        ({"dilation": (1, 2)}, r"dilation=\(1, 2\) must hold one number for each layer, and units=3 makes 1"),
        ({"dilation": 6}, r"a window of 6 recurrent steps \(6 steps, segment=1\) allows: at most 5"),
        ({"output_layers": (4, 0)}, r"output_layers\[1\] must be an integer of at least 1, got 0"),
    ],
    ids=str,
)
def test_axes_that_cannot_be_are_refused(changes, message):
    X, y = data({})
    with pytest.raises((ValueError, TypeError), match=message):
        regressor(**changes).fit(X, y)
