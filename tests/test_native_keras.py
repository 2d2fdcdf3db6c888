"""The native engine against Keras, the other implementation."""

import itertools

import numpy as np
import pytest
from native_examples import (
    CELLS,
    Example,
    assert_close,
    density_gradient,
    loss_of_one_target,
    make_spec,
    probabilistic_example,
    random_weights,
)
from native_oracle import PARAMETERS, QUANTILES, finite_differences, slow_losses

from tsrnn.engine.native.program import NativeProgram
from tsrnn.engine.program import Numbers

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
