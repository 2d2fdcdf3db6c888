"""Where backtests place their origins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import TimeSeriesSplit

from tsrnn.exceptions import DataError
from tsrnn.splits import rolling_cutoffs

small = st.integers(1, 12)


@given(horizon=small, n_windows=small, step=small, spare=st.integers(2, 30))
def test_last_forecast_ends_at_the_last_row_and_cutoffs_are_equally_spaced(horizon, n_windows, step, spare):
    n_rows = spare + horizon + (n_windows - 1) * step
    cutoffs = rolling_cutoffs(n_rows, horizon, n_windows, step)
    assert len(cutoffs) == n_windows
    assert cutoffs[-1] + horizon == n_rows - 1
    assert cutoffs[0] + 1 == spare
    assert set(np.diff(cutoffs)) <= {step}


@pytest.mark.parametrize(("n_rows", "horizon", "n_windows"), [(100, 5, 4), (37, 1, 10), (50, 24, 2)])
def test_default_step_gives_the_folds_of_time_series_split(n_rows, horizon, n_windows):
    folds = TimeSeriesSplit(n_windows, test_size=horizon).split(np.empty(n_rows))
    assert rolling_cutoffs(n_rows, horizon, n_windows).tolist() == [train[-1] for train, _ in folds]


def test_too_short_a_history_is_told_with_numbers_and_what_fits():
    with pytest.raises(
        DataError, match=r"20 windows of horizon=24, 24 row.*last 480 rows.*100 rows. At most 4 windows"
    ):
        rolling_cutoffs(100, 24)
    assert len(rolling_cutoffs(100, 24, n_windows=4)) == 4
    with pytest.raises(DataError, match="Not even one window"):
        rolling_cutoffs(10, 24)


@pytest.mark.parametrize(
    ("name", "options"),
    [("horizon", {"horizon": 0}), ("step", {"step": -1}), ("n_windows", {"n_windows": 2.0}), ("step", {"step": True})],
)
def test_numbers_that_are_not_positive_integers_are_refused(name, options):
    with pytest.raises(DataError, match=f"{name} must be an integer of at least 1"):
        rolling_cutoffs(**{"n_rows": 100, "horizon": 2} | options)
