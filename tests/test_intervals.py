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


@given(n=st.integers(1, 300), q=st.sampled_from([0.6, 0.75, 0.8, 0.9, 0.95, 0.975, 0.99]))
def test_each_tail_is_the_conformal_rank(n, q):
    """Rank ceil((n + 1) q) of n exchangeable errors is exceeded by the next one with probability 1 - q at most."""
    errors = np.arange(1.0, n + 1)[:, None, None] - 1_000
    low, high = residual_quantiles(errors, np.array([1 - q, q]))[0, 0]
    rank = int(np.ceil(round((n + 1) * q, 9)))
    if rank <= n:
        assert (high, low) == (rank - 1_000, n + 1 - rank - 1_000)
    else:
        assert (low, high) == (-999, 999)


def test_too_few_errors_still_give_an_interval_around_the_forecast():
    assert residual_quantiles(np.array([[[2.0]]]), np.array([0.05, 0.95])).ravel().tolist() == [-2, 2]
