"""What a forecaster is asked for, and what was meant where it is neither steps nor timestamps."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pytest

from tsrnn import NaiveForecaster
from tsrnn.exceptions import DataError


@pytest.fixture(scope="module")
def model():
    return NaiveForecaster().fit(pd.Series(np.arange(50.0), pd.date_range("2024-01-01", periods=50), name="y"))


@pytest.mark.parametrize("levels", [[0.1, 0.5, 0.9], (0.05,), np.array([0.25, 0.75])])
def test_levels_where_the_rows_go_are_named_quantiles(model, levels):
    meant = f"predict_quantiles(quantiles={np.asarray(levels).tolist()})"
    for method in (model.predict_quantiles, model.predict, model.predict_interval):
        with pytest.raises(DataError) as error:
            method(levels)
        assert meant in str(error.value)


def test_a_coverage_where_the_rows_go_is_named(model):
    with pytest.raises(DataError, match=r"got 0.8 of type float.*quantiles=\[0.8\].*coverage=0.8"):
        model.predict_interval(0.8)


@pytest.mark.parametrize(
    ("asked", "way"),
    [
        (24.0, "got 24.0 of type float. Write 24."),
        (np.float64(3), "Write 3."),
        ("24h", "Write predict(24) for 24 steps."),
        ("2024-03-01", "pd.DatetimeIndex(['2024-03-01'])"),
        (datetime.date(2024, 3, 1), "pd.DatetimeIndex(['2024-03-01'])"),
        (pd.Timestamp("2024-03-01 12:00"), "pd.DatetimeIndex(['2024-03-01 12:00:00'])"),
        (["2024-03-01", "2024-03-02"], "Make it one: pd.DatetimeIndex(X)."),
        (np.array(["2024-03-01"], dtype="M8[D]"), "pd.DatetimeIndex(X)"),
        ([1, 2, 3], "Write predict(3), and take the steps that you need."),
        (True, "got True of type bool."),
        (24.5, "got 24.5 of type float."),
        (None, "NoneType"),
        ([], "got [] of type list"),
        ([[1], [2, 3]], "of type list"),
        (np.zeros((3, 2)), "got a ndarray of shape (3, 2)."),
        ({"a": 1}, "of type dict"),
    ],
)
def test_what_is_neither_steps_nor_timestamps_is_refused_with_what_was_meant(model, asked, way):
    with pytest.raises(DataError) as error:
        model.predict(asked)
    assert "X to predict must be a number of steps, or the timestamps" in str(error.value)
    assert way in str(error.value)


@pytest.mark.parametrize("asked", [0, -3, np.int64(-1)])
def test_steps_begin_at_one(model, asked):
    with pytest.raises(DataError, match="steps must be an integer of at least 1"):
        model.predict(asked)


@pytest.mark.parametrize(("asked", "way"), [(24.0, "Write 24"), ("24", "'24' of type str"), (2.5, "2.5")])
def test_forecast_takes_whole_steps(model, asked, way):
    with pytest.raises(DataError, match=f"steps must be an integer of at least 1, got .*{way}"):
        model.forecast(asked)


def test_a_table_in_an_error_is_named_by_its_shape(model):
    with pytest.raises(DataError, match=r"got a DataFrame of shape \(50, 1\)"):
        model.forecast(model.data_)


@pytest.mark.parametrize(
    ("levels", "way"),
    [
        (0.5, r"Write quantiles=\[0.5\]"),
        ([10, 90], r"Write \[0.1, 0.9\] for percent"),
        ([0, 1], "got 0"),
        ([0.5, np.nan], "got nan"),
        ("median", "got 'median'"),
        ([], "got \\(\\)"),
    ],
)
def test_levels_are_a_sequence_of_numbers_between_0_and_1(model, levels, way):
    with pytest.raises(DataError, match=f"^quantiles.*{way}"):
        model.predict_quantiles(3, quantiles=levels)


def test_levels_keep_their_order(model):
    assert list(model.predict_quantiles(2, [0.9, 0.1])) == ["y_q90", "y_q10"]


def test_a_coverage_in_percent_is_told(model):
    with pytest.raises(DataError, match="got 90. Write 0.9 for 90 %"):
        model.predict_interval(3, coverage=90)
