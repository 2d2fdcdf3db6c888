"""Steps of the native engine: penalties, clipping, optimisers, dropout, and what becomes of a network that explodes."""

import numpy as np
import pytest
from native_examples import CELLS, Example, assert_close, make_spec, one_step, random_weights
from native_oracle import finite_differences

from tsrnn.engine import ForwardKey, Missing, ProgramKey, TrainerKey, WindowData
from tsrnn.engine.native import _core
from tsrnn.engine.native.program import NativeProgram
from tsrnn.engine.program import Numbers

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
