"""Standard errors of correlated differences, against statsmodels."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from tsrnn.significance import critical_value, holm, long_run_standard_error, mean_interval, one_sided_p


@pytest.mark.parametrize("lag", [0, 1, 5, 23])
def test_equals_statsmodels(lag):
    walk = np.random.default_rng(0).normal(size=200).cumsum()
    fit = sm.OLS(walk, np.ones(200)).fit(cov_type="HAC", cov_kwds={"maxlags": lag})
    assert long_run_standard_error(walk, lag) == pytest.approx(fit.bse[0])


def test_too_few_differences_have_none():
    assert np.isnan(long_run_standard_error([1.0], 3))
    assert np.isfinite(long_run_standard_error([1.0, 2.0], 30))


@pytest.mark.parametrize("lag", [0, 24, 99])
def test_the_critical_value_is_exceeded_by_chance_in_five_per_cent(lag):
    rng = np.random.default_rng(0)
    means = rng.normal(size=(2_000, 100))  # white noise: whatever the lag, a mean of 0
    critical = critical_value(100, lag)
    found = np.mean([row.mean() > critical * long_run_standard_error(row, lag) for row in means])
    assert found == pytest.approx(0.05, abs=0.015)


@pytest.mark.parametrize("lag", [0, 3, 24])
def test_p_values_of_chance_are_spread_evenly(lag):
    rng = np.random.default_rng(0)
    found = np.array([one_sided_p(row, lag) for row in rng.normal(size=(4_000, 60))])
    for level in (0.5, 0.1, 0.05, 0.01):
        assert (found < level).mean() == pytest.approx(level, abs=0.005 + 0.1 * level)


@pytest.mark.parametrize("n", [2, 3, 5, 20])
def test_without_correlation_the_p_value_is_that_of_the_t_test_or_larger(n):
    for row in np.random.default_rng(0).normal(0.8, size=(50, n)):
        exact = stats.ttest_1samp(row, 0.0, alternative="greater").pvalue
        tail, found = min(exact, 1 - exact), one_sided_p(row, 0)
        assert min(found, 1 - found) >= tail * (1 - 1e-9)
        assert found == pytest.approx(exact, abs=0.03 if n < 5 else 0.01)


@pytest.mark.parametrize(("n", "lag"), [(20, 0), (100, 23), (50, 49), (400, 4)])
def test_p_value_and_critical_value_agree_at_five_per_cent(n, lag):
    noise = np.random.default_rng(1).normal(size=n)
    noise -= noise.mean()
    shift = critical_value(n, lag) * long_run_standard_error(noise, lag)
    assert one_sided_p(noise + shift, lag) == pytest.approx(0.05, abs=0.002)


def test_what_proves_nothing_and_what_proves_all():
    assert one_sided_p([3.0], 0) == 0.5 and one_sided_p([], 0) == 0.5
    assert one_sided_p([0.0, 0.0, 0.0], 1) == 0.5
    assert one_sided_p([2.0, 2.0, 2.0], 0) == 0.0 and one_sided_p([-2.0, -2.0], 0) == 1.0


@pytest.mark.parametrize(("n", "lag"), [(2, 0), (5, 0), (20, 0), (100, 23), (50, 49), (400, 4)])
def test_the_interval_of_a_mean_ends_where_the_two_sided_test_does(n, lag):
    d = np.random.default_rng(n).normal(size=n)
    for bound in mean_interval(d, lag):
        p = one_sided_p(d - bound, lag)
        assert 2 * min(p, 1 - p) == pytest.approx(0.05, rel=1e-6)
    assert mean_interval([3.0], 0) == (-np.inf, np.inf) and mean_interval([2.0, 2.0], 0) == (2.0, 2.0)


def test_p_value_does_not_depend_on_the_unit():
    row = np.random.default_rng(0).normal(0.3, size=40)
    found = [one_sided_p(row * unit, 2) for unit in (1e-200, 1.0, 1e200)]
    np.testing.assert_allclose(found, found[1], rtol=1e-9)


# Not a property: statsmodels collects garbage at each call, which takes seconds in a process that holds much.
def test_holm_equals_statsmodels():
    p_values = np.random.default_rng(0).uniform(size=12).round(1) ** 2  # some of them equal
    np.testing.assert_allclose(holm(p_values), multipletests(p_values, method="holm")[1], rtol=1e-12)
    np.testing.assert_allclose(holm([0.03]), multipletests([0.03], method="holm")[1], rtol=1e-12)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_the_largest_of_what_each_rank_costs(p_values):
    order = np.argsort(p_values)
    expected, largest = np.empty(len(p_values)), 0.0
    for rank, i in enumerate(order):
        largest = max(largest, (len(p_values) - rank) * p_values[i])
        expected[i] = min(1.0, largest)
    np.testing.assert_allclose(holm(p_values), expected, rtol=1e-12)
