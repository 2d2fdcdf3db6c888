"""The native engine against slow loops in double precision, against Keras, and against bad input."""

import itertools
import os
import signal
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from tsrnn.engine import ForwardKey, Missing, ProgramKey, TrainerKey, WindowData
from tsrnn.engine.losses import mean_loss
from tsrnn.engine.program import Numbers
from tsrnn.networks import NetworkSpec, initial_weights
from tsrnn.windows import WindowArray

pytest.importorskip("tsrnn.engine.native._core", reason="the native engine was not compiled")

from tsrnn.engine.native import _core, available
from tsrnn.engine.native import program as program_module
from tsrnn.engine.native.program import NativeProgram, instruction_sets, shortfall

CELLS = ["lstm", "gru", "simple_rnn"]
ISAS = instruction_sets()
SANITIZED = "asan" in os.environ.get("LD_PRELOAD", "")  # see .ci/sanitize


# -- the oracle: the equations in float64, one step at a time for all windows ----------------------------------------


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softsign(x):
    return x / (1 + np.abs(x))


def lstm_step(x, h, c, kernel, recurrent, bias, act):
    i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4, axis=1)
    c = sigmoid(f) * c + sigmoid(i) * act(g)
    return sigmoid(o) * act(c), c


def gru_step(x, h, c, kernel, recurrent, bias, act):
    xz, xr, xh = np.split(x @ kernel + bias[0], 3, axis=1)
    hz, hr, hh = np.split(h @ recurrent + bias[1], 3, axis=1)
    z, r = sigmoid(xz + hz), sigmoid(xr + hr)
    return z * h + (1 - z) * act(xh + r * hh), c


def simple_rnn_step(x, h, c, kernel, recurrent, bias, act):
    return act(x @ kernel + h @ recurrent + bias), c


STEPS = {"lstm": lstm_step, "gru": gru_step, "simple_rnn": simple_rnn_step}


def slow_layer(spec, xs, full, weights, states=None):
    """States after each step; where a segment is not full of anything, the state stays."""
    act = {"tanh": np.tanh, "softsign": softsign}[spec.activation]
    h, c = states or [np.zeros((len(xs[0]), len(weights[1])))] * 2
    states = []
    for x, known in zip(xs, full, strict=True):
        new_h, new_c = STEPS[spec.cell](x, h, c, *weights, act)
        h, c = np.where(known, new_h, h), np.where(known, new_c, c)
        states.append(h)
    return states


def slow_initial_states(spec, X, lead, kernel, bias):
    """(h, c) of each layer and direction, from the static channels at the last step; zero for an empty window."""
    n, n_steps, _ = X.shape
    flat = np.where((lead < n_steps)[:, None], X[:, -1, list(spec.static)] @ kernel + bias, 0)
    for units in spec.units:
        for _ in range(spec.directions):
            h, flat = flat[:, :units], flat[:, units:]
            c = h
            if spec.cell == "lstm":
                c, flat = flat[:, :units], flat[:, units:]
            yield h, c
    assert flat.shape == (n, 0)


def slow_forward(spec, X, lead, weights):
    """Predictions for filled windows X (n, T, C) with `lead` empty steps each, in float64."""
    n, n_steps, _ = X.shape
    weights = [values.astype(float) for values in weights]
    initial = itertools.repeat(None)
    if spec.static:
        initial, weights = slow_initial_states(spec, X, lead, *weights[:2]), weights[2:]
    if spec.static_to == "state":
        X = np.delete(X, spec.static, axis=2)
    padding = spec.n_segments(n_steps) * spec.segment - n_steps
    X = np.where((np.arange(n_steps) >= lead[:, None])[..., None], X, 0)
    # (n, T, C) -> (S, n, segment * C)
    X = np.concatenate([np.zeros((n, padding, X.shape[2])), X], axis=1)
    xs = list(X.reshape(n, spec.n_segments(n_steps), -1).swapaxes(0, 1))
    first = np.where(lead > 0, (lead + padding) // spec.segment, 0)
    full = [(segment >= first)[:, None] for segment in range(len(xs))]
    for _ in spec.units:
        forward = slow_layer(spec, xs, full, weights[:3], next(initial))
        weights = weights[3:]
        if spec.bidirectional:
            backward = slow_layer(spec, xs[::-1], full[::-1], weights[:3], next(initial))[::-1]
            weights = weights[3:]
            last = np.concatenate([forward[-1], backward[0]], axis=1)
            xs = [np.concatenate(pair, axis=1) for pair in zip(forward, backward, strict=True)]
        else:
            xs, last = forward, forward[-1]
    if spec.head == "last":
        return last @ weights[0] + weights[1]
    outputs = [np.where(known, x @ weights[0] + weights[1], np.nan) for x, known in zip(xs, full, strict=True)]
    return np.stack(outputs, axis=1)


QUANTILES = (0.05, 0.5, 0.9)
PARAMETERS = {"pinball": len(QUANTILES), "gaussian": 2, "student_t": 3}


def slow_losses(loss, parameters, y):
    """Loss of each target (n, K) from its parameters (P, n, K); SciPy knows the densities."""
    if loss == "pinball":
        errors = [(q, y - forecast) for q, forecast in zip(QUANTILES, parameters, strict=True)]
        return sum(np.where(error > 0, q * error, (q - 1) * error) for q, error in errors) / len(QUANTILES)
    if loss in ("gaussian", "student_t"):
        scale = 0.001 + np.log(1 + np.exp(parameters[1]) * np.expm1(0.999))
        if loss == "gaussian":
            return -stats.norm.logpdf(y, parameters[0], scale)
        return -stats.t.logpdf(y, 2 + np.log(1 + np.exp(parameters[2]) * np.expm1(3)), parameters[0], scale)
    error = parameters[0] - y
    size = np.abs(error)
    return {"mse": error**2, "mae": size, "huber": np.where(size <= 1, error**2 / 2, size - 0.5)}[loss]


def finite_differences(loss, weights, step=1e-6):
    """Central differences of a loss in float64."""
    weights = [values.astype(float) for values in weights]
    gradients = []
    for values in weights:
        gradient = np.empty_like(values)
        for index in np.ndindex(values.shape):
            kept = values[index]
            values[index] = kept + step
            above = loss(weights)
            values[index] = kept - step
            below = loss(weights)
            values[index] = kept
            gradient[index] = (above - below) / (2 * step)
        gradients.append(gradient)
    return gradients


# -- examples --------------------------------------------------------------------------------------------------------


def random_weights(spec, seed=0, scale=0.5):
    rng = np.random.default_rng(seed)
    return [rng.normal(scale=scale, size=weight.shape).astype(np.float32) for weight in spec.weights]


def make_spec(cell="lstm", units=(3,), n_inputs=2, n_outputs=2, **changes):
    return NetworkSpec(cell, units, n_inputs, n_outputs, **changes)


class Example:
    """A few windows with targets and weights, as arrays and bound to programs."""

    def __init__(
        self,
        spec,
        n_windows=9,
        n_steps=5,
        n_features=2,
        ragged=False,
        gaps=False,
        centred=False,
        scaled=False,
        batch_size=8,
        n_targets=None,
    ):
        rng = np.random.default_rng(5)
        X = rng.normal(size=(n_windows, n_steps, n_features))
        offset = scale = None
        self.missing = Missing(np.zeros(n_features, np.float32), ())
        if centred:
            offset = rng.normal(size=(n_windows, n_features))
        if scaled:
            scale = rng.uniform(0.5, 2, (n_windows, n_features))
        if gaps:
            X[2, 3, 0] = X[4, 1, 0] = np.nan
            self.missing = Missing(np.linspace(0.5, 1, n_features, dtype=np.float32), (0,))
        if ragged:
            for window in range(n_windows):
                X[window, : window % (n_steps + 1)] = np.nan
        self.windows = WindowData.from_windows(X)
        if centred or scaled:
            base, starts = X.reshape(-1, n_features), np.arange(n_windows) * n_steps
            self.windows = WindowData.from_windows(WindowArray(base, starts, n_steps, offset, scale))
        self.spec, self.batch_size = spec, batch_size
        self.filled = self._fill(self.windows.dense(slice(None)).astype(float))
        shape = (*spec.output_shape(n_steps)[:-1], n_targets or spec.n_outputs)  # (K,) or (S, K)
        y = rng.normal(size=(n_windows, *shape)).astype(np.float32)
        y[(1,) + (-1,) * len(shape)] = np.nan
        if spec.head == "sequence":
            y[self.windows.empty_segments(spec.segment)] = np.nan
        self.y = y.reshape(n_windows, -1)
        self.weight = rng.uniform(0.5, 2, n_windows).astype(np.float32)
        self.order = np.full((1, batch_size), -1, np.int32)
        self.order[0, : batch_size - 1] = rng.permutation(n_windows)[: batch_size - 1]

    def _fill(self, X):
        flags = np.isnan(X[..., list(self.missing.indicators)]).astype(float)
        X = np.where(np.isnan(X), self.missing.means, X)
        return np.concatenate([X, flags], axis=2)

    def key(self, **trainer):
        forward = ForwardKey(
            self.spec,
            self.windows.n_steps,
            self.windows.n_features,
            self.missing.indicators,
            self.windows.ragged,
            self.windows.offset is not None,
        )
        return ProgramKey(forward, TrainerKey(self.batch_size, **trainer))

    def program(self, weights, program_class=NativeProgram, options=None, **trainer):
        program = program_class(self.key(**trainer), **(options or {}))
        program.load(weights)
        program.reset_trainer(3)
        return program, program.bind(self.windows, self.missing, self.y, self.weight)

    def slow_predictions(self, weights):
        return slow_forward(self.spec, self.filled, self.windows.lead, weights)

    def slow_loss(self, weights, loss="mse"):
        rows = self.order[self.order >= 0]
        outputs = slow_forward(self.spec, self.filled[rows], self.windows.lead[rows], weights)
        known = ~np.isnan(self.y[rows])
        weight = known * self.weight[rows, None].astype(float)
        # (n, P * K) or, of a sequence, (n, S, P * k) -> (P, n, S, k) -> (P, n, K)
        n_parameters = PARAMETERS.get(loss, 1)
        parts = outputs.reshape(len(rows), -1, n_parameters, self.spec.n_outputs // n_parameters)
        parameters = np.moveaxis(parts, 2, 0).reshape(n_parameters, *known.shape)
        losses = slow_losses(loss, parameters, np.where(known, self.y[rows], 0))
        return np.where(known, weight * losses, 0).sum() / weight.sum()


def one_step(example, weights, numbers=None, options=None, **trainer):
    """Gradients by one step of plain gradient descent with rate 1, and the loss before it."""
    program, data = example.program(weights, options=options, optimizer="sgd", **trainer)
    loss, weight = program.train_steps(data, example.order, numbers or Numbers(1.0))
    return [old - new for old, new in zip(weights, program.weights(), strict=True)], loss / weight


def assert_close(got, expected, rtol, atol):
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


VARIANTS = [
    {},
    {"segment": 2},
    {"units": (3, 2)},
    {"bidirectional": True},
    {"bidirectional": True, "units": (2, 3), "segment": 3},
    {"units": (2, 3, 2)},
    {"head": "sequence"},
    {"head": "sequence", "bidirectional": True, "units": (2, 3), "segment": 2},
    {"static": (1,)},
    {"static": (0, 1), "bidirectional": True, "units": (2, 3), "segment": 2},
    {"static": (0,), "static_to": "state", "head": "sequence", "units": (3, 2)},
    {"static": (1,), "static_to": "state", "bidirectional": True},
]
DATA = [
    {},
    {"ragged": True},
    {"gaps": True},
    {"centred": True},
    {"scaled": True},
    {"ragged": True, "gaps": True, "centred": True, "scaled": True},
]


# -- the equations ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["tanh", "softsign"])
@pytest.mark.parametrize("variant", VARIANTS, ids=str)
@pytest.mark.parametrize("windows", DATA, ids=lambda d: "-".join(d) or "plain")
@pytest.mark.parametrize("cell", CELLS)
def test_predictions_losses_and_gradients_follow_the_equations(cell, windows, variant, activation):
    spec = make_spec(cell, n_inputs=3 if "gaps" in windows else 2, activation=activation, **variant)
    if "gaps" in windows and 0 in spec.static:
        spec = replace(spec, static=(*spec.static, 2))  # the indicator of feature 0
    example, weights = Example(spec, **windows), random_weights(spec)
    program, data = example.program(weights)
    np.testing.assert_allclose(program.predict(data), example.slow_predictions(weights), atol=2e-6)
    gradients, loss = one_step(example, weights)
    assert loss == pytest.approx(example.slow_loss(weights), rel=1e-5)
    assert_close(gradients, finite_differences(example.slow_loss, weights), rtol=1e-4, atol=2e-6)


@pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
@pytest.mark.parametrize("cell", CELLS)
def test_losses_of_many_outputs(cell, loss):
    spec = make_spec(cell, n_outputs=21)
    example, weights = Example(spec), random_weights(spec)
    example.y *= 3  # on both sides of the bend of the Huber loss
    gradients, value = one_step(example, weights, loss=loss)
    expected = finite_differences(lambda w: example.slow_loss(w, loss), weights)
    assert value == pytest.approx(example.slow_loss(weights, loss), rel=1e-5)
    assert_close(gradients, expected, rtol=1e-4, atol=2e-6)
    rows = example.order[example.order >= 0]
    program, data = example.program(weights)
    predictions = program.predict(data)[rows]
    assert value == pytest.approx(mean_loss(loss, example.y[rows], predictions, example.weight[rows]), rel=1e-5)


def probabilistic_example(loss, cell="gru", n_targets=3, head="last", **windows):
    spec = make_spec(cell, n_outputs=n_targets * PARAMETERS[loss], head=head)
    example = Example(spec, n_targets=n_targets, **windows)
    return example, random_weights(spec), {"loss": loss, "quantiles": QUANTILES if loss == "pinball" else ()}


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("n_targets", [1, 3, 20])
@pytest.mark.parametrize("loss", list(PARAMETERS))
def test_losses_of_distributions_follow_scipy_and_finite_differences(loss, n_targets, isa, monkeypatch):
    monkeypatch.setenv("TSRNN_ISA", isa)
    example, weights, trainer = probabilistic_example(loss, n_targets=n_targets)
    gradients, value = one_step(example, weights, **trainer)
    assert value == pytest.approx(example.slow_loss(weights, loss), rel=1e-5)
    expected = finite_differences(lambda w: example.slow_loss(w, loss), weights)
    assert_close(gradients, expected, rtol=1e-4, atol=2e-6)
    rows = example.order[example.order >= 0]
    program, data = example.program(weights, **trainer)
    outputs = program.predict(data)[rows]
    scored = mean_loss(loss, example.y[rows], outputs, example.weight[rows], trainer["quantiles"])
    assert value == pytest.approx(scored, rel=1e-5)


@pytest.mark.parametrize("loss", list(PARAMETERS))
def test_losses_of_distributions_are_those_of_each_segment_of_a_sequence(loss):
    example, weights, trainer = probabilistic_example(loss, head="sequence", ragged=True)
    gradients, value = one_step(example, weights, **trainer)
    assert value == pytest.approx(example.slow_loss(weights, loss), rel=1e-5)
    expected = finite_differences(lambda w: example.slow_loss(w, loss), weights)
    assert_close(gradients, expected, rtol=1e-4, atol=2e-6)
    rows = example.order[example.order >= 0]
    program, data = example.program(weights, **trainer)
    scored = mean_loss(loss, example.y[rows], program.predict(data)[rows], example.weight[rows], trainer["quantiles"])
    assert value == pytest.approx(scored, rel=1e-5)


def loss_of_one_target(loss, program_class=NativeProgram):
    """Return a function of outputs and a target that gives the loss, and its gradient by the outputs.

    These are the biases of the head; the state is 1 and the kernel 0, so that a step of plain gradient descent turns
    the kernel into the gradient without rounding.
    """
    n_outputs = PARAMETERS[loss]
    spec = make_spec("simple_rnn", (1,), n_inputs=1, n_outputs=n_outputs)
    quantiles = QUANTILES if loss == "pinball" else ()
    program = program_class(ProgramKey(ForwardKey(spec, 1, 1), TrainerKey(1, "sgd", loss=loss, quantiles=quantiles)))
    windows, missing = WindowData.from_windows(np.zeros((1, 1, 1))), Missing(np.zeros(1, np.float32), ())

    def step(outputs, y):
        weights = [np.zeros(weight.shape, np.float32) for weight in spec.weights]
        weights[2][:], weights[-1] = 20, np.array(outputs, np.float32)
        program.load(weights)
        program.reset_trainer(0)
        data = program.bind(windows, missing, np.array([[y]], np.float32))
        value, _ = program.train_steps(data, np.zeros((1, 1), np.int32), Numbers(1.0))
        return value, -program.weights()[-2][0]

    return step


def test_pinball_by_hand():
    value, gradient = loss_of_one_target("pinball")([1.0, 2.0, 4.0], 2.0)
    # y - q = 1, 0, -2 at the levels 0.05, 0.5, 0.9
    assert value == pytest.approx((0.05 * 1 + 0 + 0.1 * 2) / 3)
    np.testing.assert_allclose(gradient, np.array([-0.05, -0.5, 0.1]) / 3, rtol=1e-6)


def test_gaussian_by_hand():
    # an output of 0 stands for the scale 1: log s + z^2 / 2 with z = 3 - 1
    value, gradient = loss_of_one_target("gaussian")([3.0, 0.0], 1.0)
    assert value == pytest.approx(0.5 * np.log(2 * np.pi) + 2)
    np.testing.assert_allclose(gradient, [2, (1 - 4) * (1 - np.exp(-0.999))], rtol=1e-6)


EXTREMES = [0.0, -80.0, 80.0, -20.0, 20.0, 1e-3, 5.0, -5.0]


@pytest.mark.parametrize("y", [0.0, 1.5, -80.0])
@pytest.mark.parametrize("loss", ["gaussian", "student_t"])
def test_losses_of_distributions_are_right_at_the_extremes(loss, y):
    step = loss_of_one_target(loss)
    for outputs in itertools.product(EXTREMES, repeat=PARAMETERS[loss]):
        value, gradient = step(outputs, y)
        exact = np.array(outputs, np.float32).astype(float)
        assert value == pytest.approx(slow_losses(loss, exact, y), rel=1e-6)
        np.testing.assert_allclose(gradient, density_gradient(exact, y), rtol=2e-5, atol=2e-8)


def density_gradient(outputs, y):
    """Gradient of -log density by the outputs, with SciPy's digamma function."""
    slope = special.expit(outputs[1:] + np.log(np.expm1([0.999, 3.0][: len(outputs) - 1])))
    scale = 0.001 + np.log1p(np.exp(outputs[1]) * np.expm1(0.999))
    z = (outputs[0] - y) / scale
    if len(outputs) == 2:
        return np.array([z / scale, (1 - z**2) / scale * slope[0]])
    v = 2 + np.log1p(np.exp(outputs[2]) * np.expm1(3))
    pull = (v + 1) / (v + z**2)
    by_v = special.digamma(v / 2) - special.digamma((v + 1) / 2) + 1 / v + np.log1p(z**2 / v) - pull * z**2 / v
    return np.array([pull * z / scale, (1 - pull * z**2) / scale * slope[0], by_v / 2 * slope[1]])


@pytest.mark.parametrize("loss", list(PARAMETERS))
def test_an_unknown_target_changes_no_parameter_of_it(loss):
    example, weights, trainer = probabilistic_example(loss, n_targets=3)
    example.y[:, 1] = np.nan
    gradients, value = one_step(example, weights, **trainer)
    head_bias = gradients[-1].reshape(-1, 3)
    assert (head_bias[:, 1] == 0).all() and (head_bias[:, [0, 2]] != 0).any(axis=0).all()
    assert value == pytest.approx(example.slow_loss(weights, loss), rel=1e-5)


@pytest.mark.parametrize("loss", list(PARAMETERS))
def test_a_weight_of_two_is_the_window_twice_for_distributions(loss):
    example, weights, trainer = probabilistic_example(loss, batch_size=8)
    example.weight[:] = 1
    first, second = example.order[0, :2]
    example.order[0] = [first, first, second] + [-1] * 5
    twice = one_step(example, weights, **trainer)
    example.order[0] = [first, second] + [-1] * 6
    example.weight[first] = 2
    weighted = one_step(example, weights, **trainer)
    assert twice[1] == pytest.approx(weighted[1], rel=1e-6)
    assert_close(twice[0], weighted[0], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("units", [(1,), (5,), (16, 7), (33,), (70, 40)])
@pytest.mark.parametrize("cell", CELLS)
def test_odd_sizes_on_every_instruction_set(cell, units, isa, monkeypatch):
    monkeypatch.setenv("TSRNN_ISA", isa)
    static = {"static": (1, 2), "static_to": "state"}
    for axes in ({}, {"bidirectional": True}, {"bidirectional": True, "head": "sequence", **static}, static):
        spec = make_spec(cell, units, n_inputs=3, n_outputs=5, **axes)
        example = Example(spec, n_windows=41, n_steps=4, n_features=3, ragged=True, batch_size=37)
        weights = random_weights(spec, scale=0.2)
        program, data = example.program(weights)
        np.testing.assert_allclose(program.predict(data), example.slow_predictions(weights), atol=1e-5)
        gradients, _ = one_step(example, weights)
        direction = random_weights(spec, seed=9, scale=1.0)

        def along(t, example=example, weights=weights, direction=direction):
            return example.slow_loss([w.astype(float) + t * d for w, d in zip(weights, direction, strict=True)])

        expected = (along(1e-6) - along(-1e-6)) / 2e-6
        got = sum(float((g.astype(float) * d).sum()) for g, d in zip(gradients, direction, strict=True))
        assert got == pytest.approx(expected, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_instruction_sets_agree_and_draw_the_same_dropout(cell, monkeypatch):
    spec = make_spec(cell, (20, 9), bidirectional=True, head="sequence", static=(0,))
    results = []
    for isa in ISAS:
        monkeypatch.setenv("TSRNN_ISA", isa)
        example = Example(spec, ragged=True)
        numbers = Numbers(0.1, dropout=0.4)
        results.append(one_step(example, random_weights(spec, scale=0.2), numbers, recurrent_dropout=0.3))
    for gradients, loss in results[1:]:
        assert loss == pytest.approx(results[0][1], rel=1e-5)
        assert_close(gradients, results[0][0], rtol=1e-3, atol=2e-6)


def test_an_unknown_instruction_set_is_refused(monkeypatch):
    monkeypatch.setenv("TSRNN_ISA", "mmx")
    with pytest.raises(ValueError, match="unknown instruction set 'mmx'; this processor offers"):
        NativeProgram(Example(make_spec()).key())


@pytest.mark.parametrize("isa", ISAS)
def test_squashing_is_accurate_from_one_end_to_the_other(isa, monkeypatch):
    monkeypatch.setenv("TSRNN_ISA", isa)
    x = np.concatenate([np.linspace(-120, 120, 4001), np.logspace(-8, 1, 500)])
    # Elman cell of one unit, one step: y = tanh(x)
    for activation, function in [("tanh", np.tanh), ("softsign", softsign)]:
        y = scalar_network("simple_rnn", activation, x, [[[1.0]], [[0.0]], [0.0]])
        np.testing.assert_allclose(y, function(x.astype(np.float32).astype(float)), rtol=3e-7, atol=1e-12)
    # GRU with a candidate of tanh(30) = 1 and update gate sigmoid(-x): y = 1 - z = sigmoid(x)
    y = scalar_network("gru", "tanh", -x, [[[1.0, 0.0, 0.0]], [[0.0] * 3], [[0.0, 0.0, 30.0], [0.0] * 3]])
    np.testing.assert_allclose(y, sigmoid(np.clip(x, -80, 80)), atol=3e-7)


def scalar_network(cell, activation, x, weights):
    spec = make_spec(cell, (1,), n_inputs=1, n_outputs=1, activation=activation)
    windows = WindowData.from_windows(x.reshape(-1, 1, 1))
    program = NativeProgram(ProgramKey(ForwardKey(spec, 1, 1)))
    program.load([np.array(w, np.float32) for w in weights] + [np.ones((1, 1), np.float32), np.zeros(1, np.float32)])
    return program.predict(program.bind(windows, Missing(np.zeros(1, np.float32), ())))[:, 0]


@pytest.mark.parametrize("cell", CELLS)
def test_states_fade_from_the_initial_one_as_computed_by_hand(cell):
    # All weights zero but those of the initial state, h = s and c = 2 s, and the head, y = h. Elman: h' = tanh(0) = 0;
    # GRU: z = 1/2, h' = h / 2; LSTM: i = f = o = 1/2, c' = c / 2, h' = tanh(c') / 2.
    spec = make_spec(cell, (1,), n_inputs=2, n_outputs=1, head="sequence", static=(1,))
    weights = [np.zeros(weight.shape, np.float32) for weight in spec.weights]
    weights[0][0], weights[-2][0] = [[1], [1, 2]][cell == "lstm"], 1
    X = np.random.default_rng(0).normal(size=(5, 3, 2))
    X[3, :2] = np.nan  # begins at the last step
    X[4] = np.nan
    s = X[:, -1:, 1]
    halved = s / 2 ** np.arange(1, 4)
    expected = {"simple_rnn": 0 * halved, "gru": halved, "lstm": np.tanh(2 * halved) / 2}[cell]
    expected[3] = [np.nan, np.nan, expected[3, 0]]
    np.testing.assert_allclose(predict(spec, X, weights)[..., 0], expected, atol=1e-6)


def test_an_empty_window_begins_with_no_state():
    spec = make_spec("gru", static=(0,))
    windows = np.full((2, 3, 2), np.nan)
    np.testing.assert_array_equal(predict(spec, windows, random_weights(spec)), [random_weights(spec)[-1]] * 2)


# -- penalties, clipping, optimisers ---------------------------------------------------------------------------------


def test_penalties_are_on_kernels_only():
    spec = make_spec("gru", (3, 2), bidirectional=True, static=(0,))
    example, weights = Example(spec), random_weights(spec)
    weights[0][0, 0] = 0  # |w| has no slope there: 0, as in Keras
    plain, _ = one_step(example, weights)
    penalised, _ = one_step(example, weights, Numbers(1.0, l1=0.1, l2=0.01))
    for i, (weight, a, b) in enumerate(zip(weights, plain, penalised, strict=True)):
        expected = 0.1 * np.sign(weight) + 0.02 * weight if i in spec.kernel_positions else 0
        np.testing.assert_allclose(b - a, np.broadcast_to(expected, a.shape), atol=1e-6)


def test_clipping_is_by_the_norm_of_all_gradients():
    spec = make_spec("lstm", (4,))
    example, weights = Example(spec), random_weights(spec)
    plain, _ = one_step(example, weights)
    norm = np.sqrt(sum((g.astype(float) ** 2).sum() for g in plain))
    clipped, _ = one_step(example, weights, Numbers(1.0, clipnorm=norm / 4))
    assert_close(clipped, [g / 4 for g in plain], rtol=1e-4, atol=1e-6)
    assert_close(one_step(example, weights, Numbers(1.0, clipnorm=norm * 2))[0], plain, rtol=0, atol=0)


def slow_optimizer(name, w, g, state, t, rate=0.05, momentum=0.9, decay=0.3):
    """One step as Keras's documentation has it, in float64."""
    m, v = state
    if name in ("adam", "adamw"):
        w = w - rate * decay * w if name == "adamw" else w
        m += (g - m) * 0.1
        v += (g**2 - v) * 0.001
        return w - rate * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (np.sqrt(v) + 1e-7)
    if name == "rmsprop":
        m[...] = 0.9 * m + 0.1 * g**2
        return w - rate * g / np.sqrt(m + 1e-7)
    if name == "adagrad":
        m += g**2
        return w - rate * g / np.sqrt(m + 1e-7)
    m[...] = (momentum if name != "sgd" else 0) * m - rate * g
    return w + (momentum * m - rate * g if name == "nesterov" else m)


@pytest.mark.parametrize("name", ["adam", "adamw", "rmsprop", "adagrad", "sgd", "momentum", "nesterov"])
def test_optimisers_follow_their_formulas_over_several_steps(name):
    spec = make_spec("simple_rnn")
    example = Example(spec)
    weights = random_weights(spec)
    trainer = {"optimizer": name if name not in ("momentum", "nesterov") else "sgd"}
    trainer |= {"momentum": 0.9, "nesterov": name == "nesterov"} if name in ("momentum", "nesterov") else {}
    program, data = example.program(weights, **trainer)
    expected = [w.astype(float) for w in weights]
    state = [(np.full(w.shape, 0.1 * (name == "adagrad")), np.zeros(w.shape)) for w in weights]
    for t in range(1, 6):
        program.train_steps(data, example.order, Numbers(0.05, weight_decay=0.3))  # which only adamw has
        gradients = finite_differences(example.slow_loss, expected)
        expected = [slow_optimizer(name, w, g, s, t) for w, g, s in zip(expected, gradients, state, strict=True)]
    assert_close(program.weights(), expected, rtol=1e-3, atol=1e-4)
    assert int(program.trainer_state()[0]) == 5


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "rmsprop", "adagrad", "sgd"])
def test_training_goes_on_from_a_saved_state_bit_for_bit(optimizer):
    example = Example(make_spec("gru"))
    weights = random_weights(example.spec)
    trainer = {"optimizer": optimizer, "momentum": 0.5}
    order = np.repeat(example.order, 6, axis=0)
    whole, data = example.program(weights, **trainer)
    whole.train_steps(data, order, Numbers(0.01))
    first, data = example.program(weights, **trainer)
    first.train_steps(data, order[:2], Numbers(0.01))
    second, data = example.program(first.weights(), **trainer)
    second.reset_trainer(0, first.trainer_state())
    second.train_steps(data, order[2:], Numbers(0.01))
    assert_close(second.weights(), whole.weights(), rtol=0, atol=0)
    assert_close(second.trainer_state(), whole.trainer_state(), rtol=0, atol=0)


def test_a_batch_without_weight_changes_nothing_but_the_penalty():
    example = Example(make_spec())
    weights = random_weights(example.spec)
    example.y[:] = np.nan
    gradients, _ = one_step_without_weight(example, weights)
    assert all((g == 0).all() for g in gradients)
    example = Example(make_spec())
    example.order[:] = -1
    gradients, totals = one_step_without_weight(example, weights)
    assert totals == (0, 0) and all((g == 0).all() for g in gradients)


def one_step_without_weight(example, weights):
    program, data = example.program(weights, optimizer="sgd")
    totals = program.train_steps(data, example.order, Numbers(1.0))
    return [old - new for old, new in zip(weights, program.weights(), strict=True)], totals


def explode(program, weights):
    """Set weights as training may leave them, and as nobody may set them from outside."""
    program._network.set_values(np.concatenate([weight.ravel() for weight in weights]))


def test_an_exploding_network_shows_in_the_loss():
    example = Example(make_spec())
    weights = random_weights(example.spec)
    program, data = example.program(weights, optimizer="sgd")
    with np.errstate(all="ignore"):
        loss, _ = program.train_steps(data, np.repeat(example.order, 30, axis=0), Numbers(1e30, clipnorm=1e9))
    assert not np.isfinite(loss)
    weights[0][0, 0] = np.nan
    explode(program, weights)
    assert np.isnan(program.train_steps(data, example.order, Numbers(0.1))[0])
    assert np.isnan(program.predict(data)).any()


@pytest.mark.parametrize("variant", [{}, {"units": (3, 5), "bidirectional": True}, {"head": "sequence"}], ids=str)
@pytest.mark.parametrize("optimizer", _core.OPTIMIZERS)
@pytest.mark.parametrize("cell", CELLS)
def test_a_program_that_diverged_is_as_new_for_the_next(cell, optimizer, variant):
    spec = make_spec(cell, **variant)
    example, weights = Example(spec, ragged=True), random_weights(spec)
    trainer = {"optimizer": optimizer, "momentum": 0.9, "recurrent_dropout": 0.2}
    numbers = Numbers(0.01, dropout=0.2)
    fresh, data = example.program(weights, **trainer)
    used, _ = example.program(weights, **trainer)
    explode(used, [np.full_like(w, np.nan) for w in weights])
    assert np.isnan(used.train_steps(data, np.repeat(example.order, 3, axis=0), numbers)[0])
    used.load(weights)
    used.reset_trainer(3)
    for program in (fresh, used):
        program.train_steps(data, np.repeat(example.order, 3, axis=0), numbers)
    assert_close(used.weights(), fresh.weights(), rtol=0, atol=0)
    assert_close(used.predict(data), fresh.predict(data), rtol=0, atol=0)


# -- dropout ---------------------------------------------------------------------------------------------------------


def test_dropout_keeps_the_mean_and_has_the_rate():
    # An Elman cell whose units are all tanh(1), and a head that sums: the loss sees how many units were kept.
    units, rate, n_batches = 500, 0.3, 400
    spec = make_spec("simple_rnn", (units,), n_inputs=1, n_outputs=1)
    windows = WindowData.from_windows(np.ones((1, 1, 1)))
    weights = [np.zeros(weight.shape, np.float32) for weight in spec.weights]
    weights[0][:], weights[3][:] = 1, 1 / (units * np.tanh(1))
    program = NativeProgram(ProgramKey(ForwardKey(spec, 1, 1), TrainerKey(1, "sgd", dropout=True)))
    program.load(weights)
    program.reset_trainer(1)
    data = program.bind(windows, Missing(np.zeros(1, np.float32), ()), np.zeros((1, 1), np.float32))
    losses = [
        program.train_steps(data, np.zeros((1, 1), np.int32), Numbers(0.0, dropout=rate))[0] for _ in range(n_batches)
    ]
    kept = np.sqrt(losses) * (1 - rate)  # share of units that was kept
    deviation = np.sqrt(rate * (1 - rate) / units)
    assert abs(kept.mean() - (1 - rate)) < 4 * deviation / np.sqrt(n_batches)
    assert kept.std() == pytest.approx(deviation, rel=0.15)
    assert np.abs(np.corrcoef(kept[:-1], kept[1:])[0, 1]) < 0.2
    assert program.predict(data)[0, 0] == pytest.approx(1, rel=1e-5)  # no dropout in prediction


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("rates", [(0.4, 0.0), (0.0, 0.4), (0.3, 0.3)], ids=["between", "recurrent", "both"])
@pytest.mark.parametrize("axes", [{}, {"head": "sequence"}, {"static": (1,)}], ids=["plain", "sequence", "static"])
def test_gradients_under_dropout_are_those_of_the_dropped_network(cell, rates, axes):
    # With a fixed seed the masks are fixed, and the loss is a function of the weights that can be differenced.
    dropout, recurrent = rates
    spec = make_spec(cell, (4, 3), bidirectional=True, **axes)
    example, weights = Example(spec, ragged=True), random_weights(spec)
    numbers = Numbers(1.0, dropout=dropout)
    gradients, loss = one_step(example, weights, numbers, recurrent_dropout=recurrent)
    direction = random_weights(spec, seed=4, scale=1.0)

    def along(t):
        moved = [w + np.float32(t) * d for w, d in zip(weights, direction, strict=True)]
        return one_step(example, moved, numbers, recurrent_dropout=recurrent)[1]

    expected = (8 * (along(4e-3) - along(-4e-3)) - (along(8e-3) - along(-8e-3))) / (12 * 4e-3)
    got = sum(float((g.astype(float) * d).sum()) for g, d in zip(gradients, direction, strict=True))
    assert got == pytest.approx(expected, rel=2e-3, abs=2e-4)
    assert loss != pytest.approx(example.slow_loss(weights), rel=1e-5)


def test_dropout_depends_on_the_seed_and_the_step_only():
    example = Example(make_spec())
    weights = random_weights(example.spec)
    program, data = example.program(weights, optimizer="sgd", recurrent_dropout=0.2)
    numbers = Numbers(0.0, dropout=0.5)

    def losses(seed):
        program.reset_trainer(seed)
        return [program.train_steps(data, example.order, numbers)[0] for _ in range(3)]

    first = losses(1)
    assert len(set(first)) == 3
    assert losses(1) == first
    assert losses(2) != first


# -- bits ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("axes", [{}, {"head": "sequence", "static": (0,)}], ids=["plain", "sequence"])
def test_prediction_does_not_depend_on_the_windows_beside_or_the_threads(cell, isa, axes, monkeypatch):
    monkeypatch.setenv("TSRNN_ISA", isa)
    spec = make_spec(cell, (20,), n_outputs=3, bidirectional=True, **axes)
    weights = random_weights(spec)
    X = np.random.default_rng(0).normal(size=(150, 7, 2))
    together = predict(spec, X, weights)
    for subset in (slice(3, 4), slice(0, 2), slice(5, 70), slice(0, 150, 7)):
        np.testing.assert_array_equal(predict(spec, X[subset], weights), together[subset])
    np.testing.assert_array_equal(predict(spec, X, weights, n_threads=3), together)
    X[0, :2] = np.nan  # a program with masks gives the same numbers for the full windows
    np.testing.assert_array_equal(predict(spec, X, weights)[1:], together[1:])


def predict(spec, X, weights, n_threads=1):
    windows = WindowData.from_windows(X)
    key = ProgramKey(ForwardKey(spec, windows.n_steps, windows.n_features, ragged=windows.ragged))
    program = NativeProgram(key, n_threads=n_threads)
    program.load(weights)
    return program.predict(program.bind(windows, Missing(np.zeros(windows.n_features, np.float32), ())))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("axes", [{}, {"head": "sequence", "static": (0,)}], ids=["plain", "sequence"])
def test_training_is_the_same_bit_for_bit_on_any_number_of_threads(cell, axes):
    spec = make_spec(cell, (19, 5), bidirectional=True, **axes)
    results = []
    for n_threads in (1, 1, 2, 2, 5):
        example = Example(spec, n_windows=90, n_steps=6, ragged=True, batch_size=83)
        numbers = Numbers(0.01, clipnorm=0.5, l2=1e-3, dropout=0.2)
        weights = initial_weights(spec, np.random.default_rng(0))
        program, data = example.program(weights, options={"n_threads": n_threads}, recurrent_dropout=0.1)
        totals = program.train_steps(data, np.repeat(example.order, 5, axis=0), numbers)
        results.append((totals, program.weights()))
    for totals, weights in results[1:]:
        assert totals == results[0][0]
        assert_close(weights, results[0][1], rtol=0, atol=0)


def test_how_calls_are_cut_changes_nothing():
    example = Example(make_spec())
    order = np.repeat(example.order, 7, axis=0)
    results = []
    for cuts in ([7], [1, 6], [3, 3, 1]):
        program, data = example.program(random_weights(example.spec))
        for rows in np.split(order, np.cumsum(cuts)[:-1]):
            program.train_steps(data, rows, Numbers(0.01, dropout=0.3))
        results.append(program.weights())
    for weights in results[1:]:
        assert_close(weights, results[0], rtol=0, atol=0)


def test_programs_train_side_by_side_in_threads():
    example = Example(make_spec(units=(16,)), n_windows=60, n_steps=30, batch_size=32)
    weights = random_weights(example.spec, scale=0.2)
    order = np.repeat(example.order, 20, axis=0)
    results = [None] * 4

    def work(i):
        program, data = example.program(weights)
        program.train_steps(data, order, Numbers(0.01))
        results[i] = program.weights()

    workers = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for got in results[1:]:
        assert_close(got, results[0], rtol=0, atol=0)


# -- keys and data ---------------------------------------------------------------------------------------------------


def test_shortfall_names_what_it_does_not_compute():
    key = Example(make_spec()).key()
    assert available() and shortfall(key) is None and shortfall(ProgramKey(key.forward)) is None
    assert "loss='hinge'" in shortfall(ProgramKey(key.forward, TrainerKey(8, loss="hinge")))
    many = tuple(np.linspace(0.001, 0.999, 200))
    assert "128 quantiles, not 200" in shortfall(ProgramKey(key.forward, TrainerKey(8, loss="pinball", quantiles=many)))
    assert "optimizer='lion'" in shortfall(ProgramKey(key.forward, TrainerKey(8, optimizer="lion")))
    assert "cell='lmu'" in shortfall(ProgramKey(ForwardKey(make_spec("lmu"), 3, 2)))


def test_windows_that_do_not_fit_the_program_are_refused():
    plain, ragged, centred = (Example(make_spec(), **kind) for kind in ({}, {"ragged": True}, {"centred": True}))
    program, data = plain.program(random_weights(plain.spec))
    with pytest.raises(ValueError, match="made for full windows"):
        program.bind(ragged.windows, ragged.missing)
    with pytest.raises(ValueError, match="without offset"):
        program.bind(centred.windows, centred.missing)
    longer = Example(make_spec(), n_steps=6)
    data = program.bind(longer.windows, longer.missing)
    with pytest.raises(ValueError, match="the windows have 6 steps of 2 features, but the network was made for 5"):
        program.predict(data)
    with pytest.raises(ValueError, match="the weights must have the shapes"):
        program.load(random_weights(make_spec(units=(4,))))
    with pytest.raises(ValueError, match="must be 16 arrays|must be 12 arrays"):
        program.reset_trainer(0, [np.array(0), np.array(0.1)])


def test_predictions_of_nothing_are_nothing():
    example = Example(make_spec())
    program, _ = example.program(random_weights(example.spec))
    data = program.bind(example.windows.take(slice(0, 0)), example.missing)
    assert program.predict(data).shape == (0, 2)


def test_a_program_for_prediction_does_not_train():
    example = Example(make_spec())
    program = NativeProgram(ProgramKey(example.key().forward))
    data = program.bind(example.windows, example.missing, example.y)
    with pytest.raises(ValueError, match="prediction only"):
        program.train_steps(data, example.order, Numbers(0.1))


# -- the binding and bad input ---------------------------------------------------------------------------------------


def make_network(**changes):
    sizes = {"cell": "lstm", "units": (3,), "n_steps": 4, "n_features": 2, "n_outputs": 1, "batch_size": 5}
    return _core.Network(**(sizes | changes))


def make_data(series=None, starts=(0, 3, 6), lead=(0, 0, 1), n_steps=4, offset=None, means=(0, 0), **more):
    series = np.arange(20.0).reshape(10, 2) if series is None else series
    return _core.Data(series, np.array(starts), np.array(lead), n_steps, offset, np.array(means), **more)


@pytest.mark.parametrize(
    "change",
    [
        {"units": ()},
        {"units": (0,)},
        {"units": (2**40,)},
        {"units": (3,) * 17},
        {"units": (2**15, 2**15, 2**15)},
        {"units": (2**15,), "bidirectional": True, "n_features": 2**24},
        {"n_steps": 0},
        {"n_steps": -1},
        {"n_steps": 2**70},
        {"n_features": 0},
        {"n_outputs": 0},
        {"n_outputs": 2**24, "units": (2**15,)},
        {"batch_size": -1},
        {"segment": 0},
        {"segment": 2**24, "n_features": 2**24},
        {"indicators": (2,)},
        {"indicators": (-1,)},
        {"indicators": (0, 1, 1)},
        {"head": "middle"},
        {"head": "sequence", "n_outputs": 2**24, "n_steps": 2**24},
        {"static": (2,)},
        {"static": (-1,)},
        {"static": (0, 0)},
        {"static": (0, 1), "static_to": "state"},
        {"static": (0,), "static_to": "inputs"},
        {"recurrent_dropout": 1.0},
        {"momentum": -1},
        {"cell": "rnn"},
        {"activation": "relu"},
        {"loss": "hinge"},
        {"loss": "pinball"},
        {"loss": "pinball", "quantiles": (0.5, 1.5)},
        {"loss": "pinball", "quantiles": (0.5, 0.9), "n_outputs": 3},
        {"loss": "pinball", "quantiles": (0.5,) * 129, "n_outputs": 129},
        {"loss": "mse", "quantiles": (0.5,)},
        {"loss": "gaussian", "n_outputs": 3},
        {"loss": "student_t", "n_outputs": 4},
        {"optimizer": "lion"},
        {"isa": "sse9"},
        {"n_steps": 2.5},
        {"n_steps": "4"},
        {"units": None},
        {"recurrent_dropout": float("nan")},
    ],
    ids=str,
)
def test_networks_that_cannot_be_are_refused(change):
    with pytest.raises((ValueError, TypeError, MemoryError)):
        make_network(**change)


@pytest.mark.skipif(SANITIZED, reason="the sanitizer needs the address space")
def test_a_batch_beyond_memory_is_an_error_and_leaves_the_network_usable():
    resource = pytest.importorskip("resource")
    network = make_network(units=(512,), n_steps=2**22)
    data = make_data(np.zeros((2**22, 2), np.float32), (0,), (0,), 2**22, y=np.zeros((1, 1)))
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (32 * 2**30, limits[1]))
    try:
        with pytest.raises(MemoryError, match="do not fit into memory"):
            network.train(data, np.zeros((1, 5), np.int32), learning_rate=0.1)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)
    assert network.get_values().shape == (network.n_parameters,)


@pytest.mark.parametrize(
    "change",
    [
        {"series": np.zeros((10, 2, 1))},
        {"series": np.zeros((10, 2), complex)},
        {"series": np.zeros((10, 2), object)},
        {"series": np.array([["a", "b"]])},
        {"series": np.zeros((0, 2))},
        {"series": np.zeros((10, 0)), "means": ()},
        {"starts": (0, 3, 7)},
        {"starts": (0, 3, 2**40)},
        {"starts": (0, 3, -(2**40))},
        {"starts": (0.0, 1.0, 2.0)},
        {"starts": ((0, 1, 2),)},
        {"lead": (0, 0)},
        {"lead": (0, 0, 5)},
        {"lead": (0, 0, -1)},
        {"n_steps": 0},
        {"n_steps": 11},
        {"means": (0,)},
        {"offset": np.zeros((2, 2))},
        {"offset": np.zeros((3, 3))},
        {"y": np.zeros((2, 1))},
        {"y": np.zeros(3)},
        {"y": np.zeros((3, 1)), "weight": np.zeros(2)},
    ],
    ids=str,
)
def test_data_that_cannot_be_are_refused(change):
    with pytest.raises((ValueError, TypeError)):
        make_data(**change)


@pytest.mark.parametrize(
    "order",
    [
        np.full((1, 5), 3),
        np.full((1, 5), -2),
        np.full((1, 5), 2**40),
        np.zeros((1, 4), np.int32),
        np.zeros(5, np.int32),
        np.zeros((1, 5)),
        np.zeros((1, 5), object),
        None,
        np.full((1, 5), 2**64 - 1, np.uint64),
    ],
    ids=str,
)
def test_orders_that_cannot_be_are_refused(order):
    with pytest.raises((ValueError, TypeError)):
        make_network().train(make_data(y=np.zeros((3, 1))), order, learning_rate=0.1)


def test_windows_may_begin_before_the_series():
    series = np.arange(1.0, 21.0).reshape(10, 2)
    data = make_data(series, starts=(-3, -4, -9), lead=(3, 4, 4))
    network = make_network()
    rng = np.random.default_rng(0)
    network.set_values(rng.normal(size=network.n_parameters))
    whole = network.predict(data)
    shorter = _core.Data(series, np.array([0]), np.array([0]), 1, None, np.zeros(2))
    one = make_network(n_steps=1)
    one.set_values(network.get_values())
    np.testing.assert_array_equal(whole[0], one.predict(shorter)[0])
    assert whole[1] == whole[2] == network.get_values()[-1]  # nothing but the bias of the head


def test_any_layout_and_kind_of_number_gives_the_same():
    network = make_network(batch_size=3)
    rng = np.random.default_rng(0)
    network.set_values(rng.normal(size=network.n_parameters))
    base, y, order = rng.integers(-5, 6, size=(10, 2)), rng.integers(0, 3, size=(3, 1)), np.array([[0, 1, 2]])
    frozen = base.astype(np.float32)
    frozen.flags.writeable = False
    misaligned = np.frombuffer(b"x" + base.astype(np.float32).tobytes(), np.float32, offset=1).reshape(10, 2)
    variants = [
        base,
        frozen,
        misaligned,
        base.astype(np.float16),
        base.astype(np.int8),
        base.astype(">f8"),
        np.asfortranarray(base),
        np.repeat(base, 2, axis=1)[:, ::2],
        base[::-1][::-1],
        base.tolist(),
    ]
    expected = network.predict(make_data(base.astype(np.float32)))
    for series in variants:
        np.testing.assert_array_equal(network.predict(make_data(series)), expected)
    losses = set()
    for kind in (np.int8, np.int32, np.int64, np.uint8):
        for targets in (y.astype(np.float64), y.astype(np.int16), y.astype(bool) * y):
            data = make_data(base, y=targets, weight=np.ones(3, np.int32))
            losses.add(network.train(data, order.astype(kind), learning_rate=0.0)[0])
    assert len(losses) == 1


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_the_binding_survives_anything(data):
    """Sizes, dtypes, strides and contents at random: a result of the right shape, or an error."""
    small = st.integers(-1, 6)
    dtypes = st.sampled_from([np.float32, np.float64, np.float16, np.int32, np.int64, np.uint8, object, "U3", bool])
    draw = data.draw

    def array(shape, low=-3, high=8):
        kind = draw(dtypes)
        values = np.random.default_rng(draw(st.integers(0, 99))).integers(low, high, size=[max(0, n) for n in shape])
        values = values.astype(kind, order=draw(st.sampled_from("CF")))
        if draw(st.booleans()):
            values = np.repeat(values, 2, axis=-1)[..., ::2] if values.ndim else values
        if draw(st.booleans()):
            values.flags.writeable = False
        return values

    n, n_steps, n_features, n_targets, batch = (draw(small) for _ in range(5))
    loss = draw(st.sampled_from(_core.LOSSES))
    n_outputs = n_targets * PARAMETERS.get(loss, 1) + draw(st.sampled_from([0, 0, 0, 1]))
    try:
        network = _core.Network(
            cell=draw(st.sampled_from(CELLS)),
            units=draw(st.lists(st.integers(0, 40), min_size=0, max_size=3)),
            n_steps=n_steps,
            n_features=n_features,
            n_outputs=n_outputs,
            batch_size=batch,
            bidirectional=draw(st.booleans()),
            segment=draw(small),
            indicators=draw(st.lists(small, max_size=3)),
            head=draw(st.sampled_from(_core.HEADS)),
            static=draw(st.lists(small, max_size=3)),
            static_to=draw(st.sampled_from(_core.STATIC_TO)),
            recurrent_dropout=draw(st.sampled_from([0.0, 0.5, 1.0, -1.0])),
            optimizer=draw(st.sampled_from(_core.OPTIMIZERS)),
            loss=loss,
            quantiles=QUANTILES if loss == "pinball" else (),
        )
        windows = _core.Data(
            array((draw(st.integers(0, 20)), n_features + draw(st.sampled_from([0, 0, 0, 1])))),
            array((n,), -4, 6),
            array((n + draw(st.sampled_from([0, 0, 0, 1])),), 0, 4),
            n_steps,
            draw(st.sampled_from([None, None, 1])) and array((n, n_features)),
            array((n_features,)),
            array((n, network.n_targets)),
            draw(st.sampled_from([None, 1])) and array((n,)),
        )
        out = network.predict(windows, n_threads=draw(st.integers(0, 3)))
        assert out.shape == (n, network.n_values)
        order = array((draw(st.integers(0, 3)), batch + draw(st.sampled_from([0, 0, 0, 1]))), -1, max(n, 1))
        loss, weight = network.train(
            windows, order, learning_rate=draw(st.floats(-1, 1)), dropout=draw(st.sampled_from([0.0, 0.3, 1.0]))
        )
        assert isinstance(loss, float) and isinstance(weight, float)
        assert network.get_values().shape == (network.n_parameters,)
    except (ValueError, TypeError, OverflowError):
        pass


ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-2, 9),
    st.sampled_from(
        [2**31, 2**63, 2**64, -(2**63), 2**200, "", "lstm", b"x", np.int8(3), np.float32(2.5), np.bool_(True)]
    ),
    st.floats(),
    st.lists(st.integers(-2, 5) | st.floats() | st.none(), max_size=4),
    st.sampled_from([(), (0,), (5,), (1, 5), (2, 5), (0, 5), (10, 2), (3, 1), (3, 1, 1), (2, 0)]).map(np.ones),
    st.sampled_from([(1, 5), (0, 5), (3,), (3, 2)]).map(lambda shape: np.zeros(shape, np.int64)),
)
CALLS = {
    "train": [
        "order",
        "learning_rate",
        "l1",
        "l2",
        "clipnorm",
        "dropout",
        "weight_decay",
        "n_threads",
        "loss",
        "weight",
    ],
    "predict": ["start", "stop", "n_threads"],
    "set_values": ["values", "which"],
    "get_values": ["which"],
    "set_clock": ["iterations", "seed"],
}


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_every_method_survives_any_argument(data):
    """Good arguments but for a few: a result, or an error that is not a crash; and the network still works."""
    network, windows = make_network(), make_data(y=np.zeros((3, 1)))
    name = data.draw(st.sampled_from(sorted(CALLS)))
    good = {"order": np.zeros((1, 5), np.int32), "learning_rate": 0.1} if name == "train" else {}
    if name == "set_values":
        good["values"] = np.zeros(network.n_parameters)
    if name == "set_clock":
        good |= {"iterations": 0, "seed": 0}
    bad = data.draw(st.dictionaries(st.sampled_from(CALLS[name]), ANYTHING, max_size=3))
    given = [windows] if name in ("train", "predict") else []
    if data.draw(st.integers(0, 9)) == 0:
        given = [data.draw(ANYTHING)]
    try:
        getattr(network, name)(*given, **good | bad)
    except (ValueError, TypeError, OverflowError):
        pass
    network.set_values(np.zeros(network.n_parameters))
    np.testing.assert_array_equal(network.predict(windows), np.zeros((3, 1)))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_the_constructors_survive_any_argument(data):
    network = {"cell": "gru", "units": (3,), "n_steps": 4, "n_features": 2, "n_outputs": 1, "batch_size": 5}
    optional = ["bidirectional", "segment", "indicators", "momentum", "recurrent_dropout", "static", "quantiles", "isa"]
    changes = data.draw(st.dictionaries(st.sampled_from([*network, *optional]), ANYTHING, max_size=3))
    windows = {"series": np.ones((9, 2)), "starts": np.arange(3), "lead": np.zeros(3, int), "n_steps": 4}
    windows |= {"offset": None, "means": np.zeros(2), "y": np.zeros((3, 1)), "weight": None}
    bad = data.draw(st.dictionaries(st.sampled_from(sorted(windows)), ANYTHING, max_size=3))
    try:
        made, bound = _core.Network(**network | changes), _core.Data(**windows | bad)
        if made.n_parameters < 10**6 and made.batch_size < 10**4:
            made.predict(bound)
            made.train(bound, np.zeros((1, made.batch_size), np.int32), learning_rate=0.1)
    except (ValueError, TypeError, OverflowError, MemoryError):
        pass


class Liar(tuple):
    def __len__(self):
        return 1


def test_sizes_are_counted_as_they_are_read():
    sizes = {name: np.int8(value) for name, value in {"n_steps": 100, "n_features": 2, "n_outputs": 3}.items()}
    assert make_network(head="sequence", **sizes).n_values == 300  # beyond an int8
    with pytest.raises(ValueError, match="number of layers"):
        make_network(units=Liar([3] * 40))
    with pytest.raises(ValueError, match="n_steps must be an integer"):
        make_network(n_steps=np.float32(4.5))


def test_ctrl_c_is_seen_between_calls():
    spec = make_spec("lstm", (64,), n_outputs=1)
    example = Example(spec, n_windows=70, n_steps=100, batch_size=64)
    program, data = example.program(random_weights(spec, scale=0.1))
    calls = []
    train = program._network.train

    class Spy:
        n_moments = program._network.n_moments

        def train(self, data, rows, **options):
            calls.append(len(rows))
            if len(calls) == 4:
                raise KeyboardInterrupt
            return train(data, rows, **options)

    program._network = Spy()
    with pytest.raises(KeyboardInterrupt):
        program.train_steps(data, np.repeat(example.order, 100_000, axis=0), Numbers(0.001))
    assert calls[0] == 1 and max(calls) < 10_000


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers here")
@pytest.mark.parametrize("n_threads", [1, 2])
def test_ctrl_c_ends_even_one_long_step_and_leaves_the_weights(n_threads):
    network = make_network(units=(256,), n_steps=1000, batch_size=2048)  # a step of some ten seconds
    weights = np.random.default_rng(0).normal(scale=0.02, size=network.n_parameters).astype(np.float32)
    network.set_values(weights)
    data = make_data(np.zeros((1000, 2)), (0,), (0,), 1000, y=np.zeros((1, 1)))

    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    start = time.perf_counter()
    try:
        with pytest.raises(KeyboardInterrupt):
            network.train(data, np.zeros((1, 2048), np.int32), learning_rate=0.1, n_threads=n_threads)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    if not SANITIZED:  # whose steps are slow
        assert time.perf_counter() - start < 3  # half a second where nobody else uses the machine
    np.testing.assert_array_equal(network.get_values(), weights)
    assert network.iterations == 0


def test_threads_are_chosen_by_measurement():
    pace = program_module._Pace()
    allowed = range(1, 3)
    seen = []
    for _ in range(200):
        n_threads, steps = pace.choose(allowed)
        seen.append((n_threads, steps))
        pace.note(n_threads, steps, steps * {1: 1e-3, 2: 4e-3}[n_threads])  # the machine is busy
    assert sum(n == 2 for n, _ in seen) < 20
    assert seen[:2] == [(1, 1), (2, 1)] and seen[50] == (1, 100)
    assert max(steps * {1: 1e-3, 2: 4e-3}[n] for n, steps in seen) < 0.2


# -- Keras, the other implementation ---------------------------------------------------------------------------------

KERAS_CASES = [
    ({}, {}, {"loss": "mse", "optimizer": "adam"}),
    (
        {"units": (4, 3), "bidirectional": True, "segment": 2, "activation": "softsign"},
        {"ragged": True, "gaps": True, "centred": True},
        {"loss": "huber", "optimizer": "rmsprop"},
    ),
]
HEADS_KERAS_CASES = [
    ({"head": "sequence", "bidirectional": True, "units": (3, 2)}, {"ragged": True}),
    ({"static": (1,), "static_to": "state", "units": (3, 2), "segment": 2}, {"ragged": True, "centred": True}),
    ({"static": (0, 2), "bidirectional": True, "units": (2, 3), "head": "sequence"}, {"gaps": True}),
]
MORE_KERAS_CASES = [
    ({}, {"ragged": True}, {"loss": "gaussian", "optimizer": "adamw"}),
    ({}, {}, {"loss": "student_t", "optimizer": "adam"}),
    ({"bidirectional": True}, {"gaps": True}, {"loss": "pinball", "quantiles": QUANTILES, "optimizer": "sgd"}),
    ({"units": (20,)}, {"ragged": True}, {"loss": "mae", "optimizer": "adagrad"}),
    ({"segment": 3}, {"gaps": True}, {"loss": "mse", "optimizer": "sgd", "momentum": 0.9}),
    ({"bidirectional": True}, {"ragged": True}, {"loss": "mse", "optimizer": "sgd", "momentum": 0.9, "nesterov": True}),
    ({"units": (3, 17, 5)}, {"centred": True}, {"loss": "huber", "optimizer": "adam"}),
    ({"activation": "softsign"}, {"ragged": True, "gaps": True}, {"loss": "mae", "optimizer": "adam"}),
]


def compare_with_keras(cell, variant, windows, trainer):
    from tsrnn.engine.keras_ import KerasProgram

    n_outputs = 2 * PARAMETERS.get(trainer["loss"], 1)
    spec = make_spec(cell, n_inputs=3 if "gaps" in windows else 2, n_outputs=n_outputs, **variant)
    example, weights = Example(spec, **windows, n_targets=2), random_weights(spec)
    order = np.repeat(example.order, 8, axis=0)
    numbers = Numbers(1e-2, l1=1e-3, l2=1e-3, clipnorm=0.5, weight_decay=0.5)
    results = []
    for program_class in (NativeProgram, KerasProgram):
        program, data = example.program(weights, program_class, **trainer)
        predictions = program.predict(data)
        loss = program.train_steps(data, order, numbers)
        results.append((predictions, loss, program.weights(), program.trainer_state()))
    native, keras = results
    np.testing.assert_allclose(native[0], keras[0], atol=1e-5)
    assert native[1] == pytest.approx(keras[1], rel=1e-4)
    assert_close(native[2], keras[2], rtol=1e-4, atol=2e-5)
    assert [np.shape(a) for a in native[3]] == [np.shape(a) for a in keras[3]]
    assert_close(native[3], keras[3], rtol=2e-3, atol=2e-5)


@pytest.mark.parametrize(("variant", "windows", "trainer"), KERAS_CASES, ids=["plain", "everything"])
@pytest.mark.parametrize("cell", CELLS)
def test_keras_trains_to_the_same_weights(cell, variant, windows, trainer):
    compare_with_keras(cell, variant, windows, trainer)


@pytest.mark.parametrize(("variant", "windows"), HEADS_KERAS_CASES, ids=["sequence", "static", "both"])
@pytest.mark.parametrize("cell", CELLS)
def test_keras_trains_sequences_and_initial_states_to_the_same_weights(cell, variant, windows):
    trainer = {"loss": "gaussian" if variant.get("head") else "mse", "optimizer": "adam"}
    compare_with_keras(cell, variant, windows, trainer)


@pytest.mark.slow
@pytest.mark.parametrize(("variant", "windows", "trainer"), MORE_KERAS_CASES)
@pytest.mark.parametrize("cell", CELLS)
def test_keras_trains_to_the_same_weights_in_more_cases(cell, variant, windows, trainer):
    compare_with_keras(cell, variant, windows, trainer)


@pytest.mark.parametrize("loss", list(PARAMETERS))
def test_keras_differentiates_the_losses_of_distributions_to_the_same_gradients(loss):
    from tsrnn.engine.keras_ import KerasProgram

    example, weights, trainer = probabilistic_example(loss)
    results = []
    for program_class in (NativeProgram, KerasProgram):
        program, data = example.program(weights, program_class, optimizer="sgd", **trainer)
        total, weight = program.train_steps(data, example.order, Numbers(1.0))
        results.append((total / weight, [a - b for a, b in zip(weights, program.weights(), strict=True)]))
    assert results[0][0] == pytest.approx(results[1][0], rel=1e-5)
    assert_close(results[0][1], results[1][1], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("loss", ["gaussian", "student_t"])
def test_losses_of_distributions_in_keras_are_right_at_the_extremes(loss):
    from tsrnn.engine.keras_ import KerasProgram

    step = loss_of_one_target(loss, KerasProgram)
    for outputs in itertools.product([0.0, -80.0, 80.0, 20.0, -5.0], repeat=PARAMETERS[loss]):
        value, gradient = step(outputs, 1.5)
        assert value == pytest.approx(slow_losses(loss, np.array(outputs), 1.5), rel=1e-5)
        np.testing.assert_allclose(gradient, density_gradient(np.array(outputs), 1.5), rtol=1e-4, atol=1e-6)


def test_adamw_follows_keras_over_several_steps():
    import keras

    from tsrnn.engine.keras_ import KerasProgram, build_model

    example = Example(make_spec("simple_rnn"))
    weights = random_weights(example.spec)
    model = build_model(example.spec, example.windows.n_steps)
    model.set_weights(weights)
    optimizer = keras.optimizers.AdamW(learning_rate=0.01, weight_decay=0.5)
    for _ in range(6):
        values = [v.astype(float) for v in model.get_weights()]
        gradients = [g.astype(np.float32) for g in finite_differences(example.slow_loss, values)]
        optimizer.apply([keras.ops.convert_to_tensor(g) for g in gradients], model.trainable_variables)
    expected = model.get_weights()
    for program_class in (NativeProgram, KerasProgram):
        program, data = example.program(weights, program_class, optimizer="adamw")
        program.train_steps(data, np.repeat(example.order, 6, axis=0), Numbers(0.01, weight_decay=0.5))
        assert_close(program.weights(), expected, rtol=1e-4, atol=2e-5)
