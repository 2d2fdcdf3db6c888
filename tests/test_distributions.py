"""What outputs mean under each loss: against SciPy's distributions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from tsrnn.engine.distributions import (
    freedom_of,
    n_parameters,
    point_forecast,
    quantile_forecast,
    scale_of,
)
from tsrnn.engine.losses import mean_loss

LEVELS = (0.05, 0.5, 0.9)


def test_an_output_of_zero_stands_for_scale_one_and_five_degrees_of_freedom():
    assert scale_of(np.zeros(1)) == pytest.approx(1)
    assert freedom_of(np.zeros(1)) == pytest.approx(5)


def test_scales_and_degrees_of_freedom_keep_their_bounds():
    raw = np.array([-1e30, -80, 80, 1e30])
    assert (scale_of(raw) >= 1e-3).all() and scale_of(raw)[-1] == pytest.approx(1e30)
    assert (freedom_of(raw) >= 2).all() and freedom_of(raw)[-1] == pytest.approx(1e30)


@pytest.mark.parametrize("loss", ["gaussian", "student_t"])
def test_quantiles_are_those_of_scipy(loss):
    outputs = np.random.default_rng(0).normal(size=(7, n_parameters(loss) * 2)).astype(np.float32)
    parameters = outputs.astype(float).reshape(7, -1, 2)  # the parameters are the outer axis
    levels = [0.01, 0.5, 0.999]
    got = quantile_forecast(loss, (), outputs, levels)
    assert got.shape == (7, 2, 3)
    for i, level in enumerate(levels):
        location, scale = parameters[:, 0], scale_of(parameters[:, 1])
        if loss == "gaussian":
            expected = stats.norm.ppf(level, location, scale)
        else:
            expected = stats.t.ppf(level, freedom_of(parameters[:, 2]), location, scale)
        np.testing.assert_allclose(got[..., i], expected, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(point_forecast(loss, (), outputs), got[..., 1], atol=1e-9)


def test_quantiles_of_several_targets_are_not_mixed_up():
    outputs = np.array([[1.0, 10.0, 2.0, 20.0, 3.0, 30.0]])  # (P, K) = (3, 2)
    got = quantile_forecast("pinball", LEVELS, outputs, LEVELS)
    np.testing.assert_array_equal(got, [[[1, 2, 3], [10, 20, 30]]])
    np.testing.assert_array_equal(quantile_forecast("pinball", LEVELS, outputs, [0.9, 0.05]), [[[3, 1], [30, 10]]])


@given(hnp.arrays(np.float32, (4, 6), elements=st.floats(-100, 100, width=32)))
def test_quantiles_never_cross(outputs):
    for loss, levels in [("pinball", LEVELS), ("gaussian", (0.2, 0.5, 0.7)), ("student_t", (0.001, 0.5, 0.999))]:
        values = quantile_forecast(loss, LEVELS if loss == "pinball" else (), outputs, levels)
        assert (np.diff(values, axis=-1) >= 0).all()
        fitted = LEVELS if loss == "pinball" else ()
        np.testing.assert_allclose(point_forecast(loss, fitted, outputs), values[..., 1], atol=1e-6)


def test_a_single_quantile_is_the_point_forecast():
    outputs = np.array([[1.0, 2.0]])
    np.testing.assert_array_equal(point_forecast("pinball", (0.9,), outputs), [[1, 2]])


def test_levels_are_found_up_to_rounding():
    tail = (1 - 0.9) / 2
    assert tail != 0.05
    assert quantile_forecast("pinball", LEVELS, np.array([[1.0, 2.0, 3.0]]), [tail]) == 1


def test_quantiles_that_are_not_known_are_refused():
    with pytest.raises(ValueError, match=r"not learnt the quantile\(s\) \[0\.2\], only \[0\.05, 0\.5, 0\.9\]"):
        quantile_forecast("pinball", LEVELS, np.ones((1, 3)), [0.05, 0.2])
    with pytest.raises(ValueError, match="loss='huber' gives a point forecast without quantiles"):
        quantile_forecast("huber", (), np.ones((1, 3)), [0.5])


def test_the_pinball_loss_is_smallest_at_the_quantiles():
    y = np.random.default_rng(0).normal(size=(2001, 1))
    weight = np.ones(len(y))
    at = np.quantile(y, LEVELS)

    def loss(forecast):
        return mean_loss("pinball", y, np.tile(forecast, (len(y), 1)), weight, LEVELS)

    best = loss(at)
    for i in range(3):
        for shift in (-0.1, 0.1):
            assert loss(at + shift * np.eye(3)[i]) > best


@pytest.mark.parametrize("loss", ["gaussian", "student_t"])
def test_the_likelihoods_are_those_of_scipy_with_weights_and_missing_targets(loss):
    rng = np.random.default_rng(1)
    outputs = rng.normal(size=(5, n_parameters(loss) * 2)) * 3
    y, weight = rng.normal(size=(5, 2)), rng.uniform(1, 2, 5)
    y[2, 0] = np.nan
    raw = outputs.reshape(5, -1, 2)
    scale = scale_of(raw[:, 1])
    if loss == "gaussian":
        losses = -stats.norm.logpdf(y, raw[:, 0], scale)
    else:
        losses = -stats.t.logpdf(y, freedom_of(raw[:, 2]), raw[:, 0], scale)
    expected = np.nansum(weight[:, None] * losses) / (2 * weight.sum() - weight[2])
    assert mean_loss(loss, y, outputs, weight) == pytest.approx(expected)
