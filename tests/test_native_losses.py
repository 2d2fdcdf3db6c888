"""The losses of the native engine against SciPy, finite differences and numbers worked out by hand."""

import itertools

import numpy as np
import pytest
from native_examples import (
    CELLS,
    ISAS,
    Example,
    assert_close,
    density_gradient,
    loss_of_one_target,
    make_spec,
    one_step,
    probabilistic_example,
    random_weights,
)
from native_oracle import PARAMETERS, finite_differences, slow_losses

from tsrnn.engine.losses import mean_loss


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
