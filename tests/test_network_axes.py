"""The axes of a network that only Keras computes: against slow loops over the published equations."""

import itertools

import numpy as np
import pytest
from sklearn.base import clone

from tsrnn.engine import ForwardKey, Missing, ProgramKey, WindowData, choose_engine, lease
from tsrnn.networks import NetworkSpec
from tsrnn.persistence import load
from tsrnn.regressors import GRURegressor

CELLS = ["lstm", "gru", "simple_rnn"]

# -- the oracle: one window, one layer, one direction, one step at a time, in float64 --------------------------------


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm_step(x, state, kernel, recurrent, bias):
    h, c = state
    i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return [sigmoid(o) * np.tanh(c), c]


def gru_step(x, state, kernel, recurrent, bias):
    (h,) = state
    xz, xr, xh = np.split(x @ kernel + bias[0], 3)
    hz, hr, hh = np.split(h @ recurrent + bias[1], 3)
    z, r = sigmoid(xz + hz), sigmoid(xr + hr)
    return [z * h + (1 - z) * np.tanh(xh + r * hh)]


def simple_rnn_step(x, state, kernel, recurrent, bias):
    return [np.tanh(x @ kernel + state[0] @ recurrent + bias)]


STEPS = {"lstm": lstm_step, "gru": gru_step, "simple_rnn": simple_rnn_step}
MERGES = {"concat": lambda f, b: np.concatenate([f, b]), "sum": np.add, "ave": lambda f, b: (f + b) / 2}


def slow_layer(spec, xs, take):
    """The states of one direction after each step; `take(n)` hands out its next weights."""
    units, weights = take.units, take(3)
    states = [[np.zeros(units)] * (2 if spec.cell == "lstm" else 1)]
    for x in xs:
        states.append(STEPS[spec.cell](x, states[-1], *weights))
    return [state[0] for state in states[1:]]


class Take:
    """Hands out the weights of a network in their order."""

    def __init__(self, weights):
        self.left = iter(np.asarray(values, float) for values in weights)
        self.units = None

    def __call__(self, n):
        return list(itertools.islice(self.left, n))


def slow_network(spec, window, weights):
    """What a network gives out for one window (n_steps, n_channels) without empty leading steps."""
    take = Take(weights)
    padding = spec.n_segments(len(window)) * spec.segment - len(window)
    padded = np.concatenate([np.zeros((padding, window.shape[1])), window])
    xs = list(padded.reshape(-1, spec.segment * window.shape[1]))
    for i, take.units in enumerate(spec.units):
        below, xs = xs, slow_layer(spec, xs, take)
        last = xs[-1]
        if spec.bidirectional:
            backward = slow_layer(spec, below[::-1], take)[::-1]
            merge = MERGES[spec.merge_mode]
            last = merge(xs[-1], backward[0])  # each direction's last in its own reading order
            xs = [merge(f, b) for f, b in zip(xs, backward, strict=True)]
        if spec.residual and i > 0:
            xs, last = [h + x for h, x in zip(xs, below, strict=True)], last + below[-1]
    kernel, bias = take(2)
    assert not take(1)
    return np.array(xs) @ kernel + bias if spec.head == "sequence" else last @ kernel + bias


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


# -- as parameters of the regressors ---------------------------------------------------------------------------------

AXES = [
    {"bidirectional": True, "merge_mode": "sum", "units": (3, 2)},
    {"bidirectional": True, "merge_mode": "ave"},
    {"residual": True, "units": (3, 3)},
    {"residual": True, "units": (3, 3), "bidirectional": True, "merge_mode": "ave", "return_sequences": True},
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
    keras_model = model.model_
    assert [w.shape for w in keras_model.get_weights()] == [w.shape for w in model.weights_]
    np.testing.assert_allclose(np.squeeze(keras_model(X), -1), model.predict(X), atol=1e-6)
    model.export_keras(tmp_path / "network.keras")
    exported = keras.models.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(exported(X), keras_model(X))


@pytest.mark.parametrize(
    "changes",
    [{"merge_mode": "sum", "bidirectional": True}, {"residual": True, "units": (3, 3)}],
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
    for changes in [{"merge_mode": "sum"}, {"residual": True}]:
        model = regressor(**changes).fit(X, y)
        assert model._spec == plain._spec and same(model, plain)
        assert choose_engine(ProgramKey(ForwardKey(model._spec, 6, 2))) == choose_engine(
            ProgramKey(ForwardKey(plain._spec, 6, 2))
        )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"merge_mode": "mul"}, "merge_mode must be one of 'concat', 'sum', 'ave', got 'mul'"),
        ({"residual": 1}, "residual must be True or False, got 1"),
        ({"residual": True, "units": (3, 2)}, r"same number of units, got units=\(3, 2\)"),
    ],
    ids=str,
)
def test_axes_that_cannot_be_are_refused(changes, message):
    X, y = data({})
    with pytest.raises((ValueError, TypeError), match=message):
        regressor(**changes).fit(X, y)
