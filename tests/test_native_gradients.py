"""Predictions, losses and gradients of the native engine follow the equations, on every instruction set."""

from dataclasses import replace

import numpy as np
import pytest
from native_examples import (
    CELLS,
    ISAS,
    Example,
    assert_close,
    make_spec,
    one_step,
    predict,
    random_weights,
    scalar_network,
)
from native_oracle import finite_differences, sigmoid, softsign

from tsrnn.engine.native.program import NativeProgram
from tsrnn.engine.program import Numbers

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
