"""Forecasts do not depend on the unit of the series, for any forecaster that there is."""

import inspect
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import Ridge

import tsrnn
from tsrnn.exceptions import CapacityWarning, DataError

#: What makes any forecaster small; each takes the parameters that it has. A new one needs no line here.
SMALL = {
    "estimator": Ridge(),
    "window": 8,
    "horizon": 3,
    "units": 3,
    "filters": 3,
    "epochs": 2,
    "random_state": 0,
    "max_p": 1,
    "max_q": 1,
    "max_iter": 500,
}
NAMES = sorted(name for name in tsrnn.__all__ if name.endswith("Forecaster"))
#: Computed by Keras: tens of seconds each.
ON_KERAS = (
    "ConvForecaster",
    "FeedForwardForecaster",
    "MinGRUForecaster",
    "MinLSTMForecaster",
    "OutputRecurrentForecaster",
    "Seq2SeqForecaster",
)
# A model without random weights treats up and down alike.
SYMMETRIC = [name for name in NAMES if "random_state" not in inspect.signature(getattr(tsrnn, name)).parameters]
STOPPED = [name for name in NAMES if "early_stopping" in inspect.signature(getattr(tsrnn, name)).parameters]


def slow_on_keras(names):
    return [pytest.param(name, marks=pytest.mark.slow) if name in ON_KERAS else name for name in names]


EVERY = pytest.mark.parametrize("name", slow_on_keras(NAMES))
STEPS = 5


def make(name, **params):
    cls = getattr(tsrnn, name)
    known = inspect.signature(cls).parameters
    # The mean of eight rows and the mean of all are the same class.
    return cls(**{key: value for key, value in SMALL.items() if key in known and name != "MeanForecaster"} | params)


def example(n=120):
    """A walk with a season of a day, a gap, and a missing end."""
    rng = np.random.default_rng(0)
    values = 20 + rng.normal(size=n).cumsum() + 2 * np.sin(np.arange(n) * 2 * np.pi / 24)
    values[[40, 41]] = np.nan
    return values


def bands(name, values, **params):
    series = pd.Series(values, pd.date_range("2024-01-01", periods=len(values), freq="h"), name="y")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CapacityWarning)
        return make(name, **params).fit(series).predict_interval(STEPS).to_numpy()


@pytest.fixture(scope="module")
def expected():
    class Expected(dict):
        def __missing__(self, name):
            self[name] = bands(name, example())
            return self[name]

    return Expected()


def assert_same(got, wanted):
    """float32 networks learn on after rounding differently, optimisers stop a little earlier: 0.1 % of the interval."""
    assert_allclose(got, wanted, rtol=0, atol=1e-3 * np.ptp(wanted))


@EVERY
@pytest.mark.parametrize("exponent", [-40, -1, 40])
def test_powers_of_two_are_bitwise_the_same(name, exponent, expected):
    assert_array_equal(bands(name, example() * 2.0**exponent), expected[name] * 2.0**exponent)


@EVERY
@pytest.mark.parametrize("factor", [1e-12, 1e-9, 1e-6, 0.37, 1e3, 1e9, 1e12])
def test_forecasts_and_intervals_scale_with_the_series(name, factor, expected):
    assert_same(bands(name, example() * factor) / factor, expected[name])


@EVERY
@settings(max_examples=3, deadline=None)
@given(exponent=st.floats(-12, 12))
def test_whatever_the_factor(name, exponent, expected):
    factor = 10.0**exponent
    assert_same(bands(name, example() * factor) / factor, expected[name])


@pytest.mark.parametrize("name", slow_on_keras(STOPPED))
@pytest.mark.parametrize("factor", [2.0**-40, 2.0**40])
def test_so_do_the_choices_made_on_a_validation_part(name, factor):
    one, two = (bands(name, example(300) * k, early_stopping=True) for k in (1.0, factor))
    assert_array_equal(two, one * factor)


@pytest.mark.parametrize("name", SYMMETRIC)
def test_up_and_down_are_alike(name, expected):
    assert_same(-bands(name, -example())[:, [0, 2, 1]], expected[name])


@EVERY
@pytest.mark.parametrize("level", [1e9, -1e9])
def test_a_level_of_a_billion_movements_moves_the_forecast_along(name, level, expected):
    assert_allclose(bands(name, example() + level) - level, expected[name], rtol=0, atol=1e-2 * np.ptp(expected[name]))


# ---------------------------------------------------------------------- the ends of double precision


@EVERY
@pytest.mark.parametrize("factor", [1e-310, 1e-200, 1e-150, 1e150, 1e200, 1e300])
def test_sizes_whose_squares_leave_double_precision_are_refused_in_true_words(name, factor):
    values = example() * factor
    with pytest.raises(DataError, match=r"'y' holds (no value larger than )?.*e[-+]\d\d\d.* column by a power of ten"):
        bands(name, values)


@EVERY
@pytest.mark.parametrize("factor", [1e-135, 1e135])
def test_sizes_within_are_forecast(name, factor, expected):
    assert_same(bands(name, example() * factor) / factor, expected[name])


@EVERY
def test_tiny_values_among_others_are_data(name):
    values = example()
    values[[30, 31, 60]] = [1e-310, -1e-200, 5e-324]
    zeros = np.where(np.abs(values) < 1e-100, 0, values)
    assert_same(bands(name, values), bands(name, zeros))


@pytest.mark.parametrize("name", ["NaiveForecaster", "ARIMAForecaster", "RidgeForecaster"])
def test_what_comes_later_is_held_against_the_same_limit(name):
    index = pd.date_range("2024-01-01", periods=130, freq="h")
    series = pd.Series(example(130), index, name="y")
    model = make(name).fit(series[:120])
    later = series.copy()
    later.iloc[-1] = -3e180
    for use in (lambda: model.predict(1, history=later), lambda: model.update(later[120:])):
        with pytest.raises(DataError, match=r"'y' holds -3e\+180 \(first at 2024-01-06 09:00:00\)"):
            use()
