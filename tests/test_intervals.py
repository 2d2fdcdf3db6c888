"""Conformal quantiles of errors."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tsrnn.intervals import residual_quantiles


def test_coverage_is_at_least_nominal_on_exchangeable_errors():
    rng = np.random.default_rng(0)
    inside = []
    for _ in range(2_000):
        errors = rng.standard_t(3, size=40)
        low, high = residual_quantiles(errors[:-1, None, None], np.array([0.1, 0.9]))[0, 0]
        inside.append(low <= errors[-1] <= high)
    assert 0.78 < np.mean(inside) < 0.88


@given(n=st.integers(1, 50), seed=st.integers(0, 9))
def test_quantiles_do_not_cross(n, seed):
    errors = np.random.default_rng(seed).normal(size=(n, 2, 1))
    bands = residual_quantiles(errors, np.linspace(0.05, 0.95, 7))
    assert (np.diff(bands, axis=-1) >= 0).all()


def test_unobserved_errors_are_left_out():
    errors = np.arange(10.0)[:, None, None]
    with_gap = np.concatenate([errors, [[[np.nan]]]])
    levels = np.array([0.2, 0.5])
    np.testing.assert_array_equal(residual_quantiles(with_gap, levels), residual_quantiles(errors, levels))
    assert np.isnan(residual_quantiles(np.full((3, 1, 1), np.nan), levels)).all()
