"""Windows, weights and programs for the tests of the native engine."""

import os

import numpy as np
import pytest
from native_oracle import PARAMETERS, QUANTILES, slow_forward, slow_losses
from scipy import special

from tsrnn.engine import ForwardKey, Missing, ProgramKey, TrainerKey, WindowData
from tsrnn.engine.program import Numbers
from tsrnn.networks import NetworkSpec
from tsrnn.windows import WindowArray

pytest.importorskip("tsrnn.engine.native._core", reason="the native engine was not compiled")

from tsrnn.engine.native import _core
from tsrnn.engine.native.program import NativeProgram, instruction_sets

CELLS = ["lstm", "gru", "simple_rnn"]
ISAS = instruction_sets()
SANITIZED = "asan" in os.environ.get("LD_PRELOAD", "")  # see .ci/sanitize


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


def probabilistic_example(loss, cell="gru", n_targets=3, head="last", **windows):
    spec = make_spec(cell, n_outputs=n_targets * PARAMETERS[loss], head=head)
    example = Example(spec, n_targets=n_targets, **windows)
    return example, random_weights(spec), {"loss": loss, "quantiles": QUANTILES if loss == "pinball" else ()}


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


def scalar_network(cell, activation, x, weights):
    spec = make_spec(cell, (1,), n_inputs=1, n_outputs=1, activation=activation)
    windows = WindowData.from_windows(x.reshape(-1, 1, 1))
    program = NativeProgram(ProgramKey(ForwardKey(spec, 1, 1)))
    program.load([np.array(w, np.float32) for w in weights] + [np.ones((1, 1), np.float32), np.zeros(1, np.float32)])
    return program.predict(program.bind(windows, Missing(np.zeros(1, np.float32), ())))[:, 0]


def predict(spec, X, weights, n_threads=1):
    windows = WindowData.from_windows(X)
    key = ProgramKey(ForwardKey(spec, windows.n_steps, windows.n_features, ragged=windows.ragged))
    program = NativeProgram(key, n_threads=n_threads)
    program.load(weights)
    return program.predict(program.bind(windows, Missing(np.zeros(windows.n_features, np.float32), ())))


def make_network(**changes):
    sizes = {"cell": "lstm", "units": (3,), "n_steps": 4, "n_features": 2, "n_outputs": 1, "batch_size": 5}
    return _core.Network(**(sizes | changes))


def make_data(series=None, starts=(0, 3, 6), lead=(0, 0, 1), n_steps=4, offset=None, means=(0, 0), **more):
    series = np.arange(20.0).reshape(10, 2) if series is None else series
    return _core.Data(series, np.array(starts), np.array(lead), n_steps, offset, np.array(means), **more)
