"""Standard errors of correlated differences, against statsmodels."""

import numpy as np
import pytest
import statsmodels.api as sm

from tsrnn.significance import critical_value, long_run_standard_error


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
