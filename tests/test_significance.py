"""Standard errors of correlated differences, against statsmodels."""

import numpy as np
import pytest
import statsmodels.api as sm

from tsrnn.significance import long_run_standard_error


@pytest.mark.parametrize("lag", [0, 1, 5, 23])
def test_equals_statsmodels(lag):
    walk = np.random.default_rng(0).normal(size=200).cumsum()
    fit = sm.OLS(walk, np.ones(200)).fit(cov_type="HAC", cov_kwds={"maxlags": lag})
    assert long_run_standard_error(walk, lag) == pytest.approx(fit.bse[0])


def test_too_few_differences_have_none():
    assert np.isnan(long_run_standard_error([1.0], 3))
    assert np.isfinite(long_run_standard_error([1.0, 2.0], 30))
