"""How series are scaled for networks and regressions, and what one error code may do to that."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsrnn import EchoStateForecaster, GRUForecaster, NaiveForecaster, RidgeForecaster
from tsrnn.exceptions import DataError, DataWarning
from tsrnn.forecasters.scaling import fit_scaling, lonely_values


def series(values):
    return pd.DataFrame({"y": values}, pd.date_range("2024-01-01", periods=len(values), freq="h"))


def wave(n=200, seed=0):
    return np.sin(np.arange(n) / 4) + 0.1 * np.random.default_rng(seed).normal(size=n)


def test_scaling_by_moves_within_the_block():
    walk = np.random.default_rng(0).normal(size=(5_000, 1)).cumsum(axis=0)
    _, scale = fit_scaling(walk, 1, 1, "last")
    assert scale[0] == pytest.approx(1, abs=0.05)
    mean, scale = fit_scaling(walk, 1, 1, None)
    assert (mean[0], scale[0]) == (pytest.approx(walk.mean()), pytest.approx(walk.std()))


def test_rows_without_neighbours_are_scaled_by_their_spread():
    values = np.full((100, 1), np.nan)
    values[::2, 0] = 1_000.0 * np.arange(50)
    mean, scale = fit_scaling(values, 1, 1, "last")
    assert (mean[0], scale[0]) == (np.nanmean(values), np.nanstd(values))
    assert fit_scaling(np.full((9, 1), np.nan), 1, 1, "last")[1] == 1


@pytest.mark.parametrize("value", [5.0, 0.1, -1e9, 1e-9])
def test_a_constant_column_has_its_value_as_scale(value):
    mean, scale = fit_scaling(np.full((99, 2), value), 1, 3, "last")
    np.testing.assert_allclose(mean, value)
    np.testing.assert_allclose(scale, abs(value))


@given(exponent=st.integers(-60, 60), seed=st.integers(0, 9))
def test_scaling_follows_the_unit_bitwise(exponent, seed):
    values = np.random.default_rng(seed).normal(size=(50, 2)).cumsum(axis=0)
    for level in ("last", None):
        one, two = fit_scaling(values, 1, 3, level), fit_scaling(values * 2.0**exponent, 1, 3, level)
        np.testing.assert_array_equal(two[0], one[0] * 2.0**exponent)
        np.testing.assert_array_equal(two[1], one[1] * 2.0**exponent)


# ---------------------------------------------------------------------- error codes


SERIES = {
    "wave": wave(),
    "temperatures": 10 + 8 * wave(500),
    "walk": 100 + np.random.default_rng(0).normal(size=400).cumsum(),
    "counts": np.random.default_rng(0).poisson(3, 300).astype(float),
}


@pytest.mark.parametrize("name", SERIES)
@pytest.mark.parametrize("code", [-9999.0, 99_999.0, 1e9])
@pytest.mark.parametrize("rows", [[100], [0], [-1], [50, 120], [100, 101]], ids=str)
def test_error_codes_do_not_change_the_scale(name, code, rows):
    values = SERIES[name].copy()
    values[rows] = np.nan
    expected = fit_scaling(values[:, None], 1, 3, "last")
    values[rows] = code
    assert np.flatnonzero(lonely_values(values[:, None])).tolist() == sorted(np.arange(len(values))[rows])
    np.testing.assert_array_equal(fit_scaling(values[:, None], 1, 3, "last"), expected)


def rain(rng, n):
    return np.where(rng.random(n) < 0.3, rng.gamma(0.5, 8, n), 0.0)


ORDINARY = {
    "normal": lambda rng: rng.normal(size=1_000),
    "few degrees of freedom": lambda rng: rng.standard_t(2, size=2_000),
    "lognormal": lambda rng: rng.lognormal(0, 2, size=2_000),
    "rain": lambda rng: rain(rng, 2_000),
    "a single sale": lambda rng: np.eye(1, 500, 250)[0],
    "intermittent demand": lambda rng: np.where(rng.random(1_000) < 0.05, rng.poisson(20, 1_000), 0.0),
    "promotions": lambda rng: rng.poisson(5, 1_000) * np.where(np.arange(1_000) % 50 == 7, 40.0, 1.0),
    "a new level": lambda rng: rng.normal(size=500) + 1e4 * (np.arange(500) > 250),
    "a step up and down": lambda rng: rng.normal(size=500) + 1e4 * ((np.arange(500) > 200) & (np.arange(500) < 230)),
    "growth": lambda rng: np.exp(np.arange(500) / 20) * rng.lognormal(0, 0.1, 500),
}


@pytest.mark.parametrize("name", ORDINARY)
def test_heavy_tails_and_new_levels_are_data(name):
    for seed in range(5):
        assert not lonely_values(ORDINARY[name](np.random.default_rng(seed))[:, None]).any()


@pytest.mark.parametrize(
    "make",
    [
        lambda: EchoStateForecaster(window=8, horizon=3, random_state=0),
        lambda: RidgeForecaster(window=8, horizon=3),
        lambda: GRUForecaster(window=8, horizon=3, units=3, epochs=2, random_state=0, verbose=0),
    ],
    ids=["echo state", "ridge", "GRU"],
)
def test_a_model_tells_of_an_error_code_and_keeps_it(make):
    values = wave()
    values[100] = -9999
    df = series(values)
    with pytest.warns(DataWarning, match=r"'y' holds -9999 at 2024-01-05 04:00:00, .*df\.replace\(-9999, np\.nan"):
        model = make().fit(df)
    assert model.data_["y"].iloc[100] == -9999
    bands = model.predict_interval(3)
    assert (bands["y_lower_90"] <= bands["y"]).all() and (bands["y"] <= bands["y_upper_90"]).all()


def test_a_code_that_is_larger_than_single_precision_can_learn_beside_is_refused():
    values = wave()
    values[100] = 9.96921e36  # as some formats fill what is missing
    with pytest.raises(DataError, match=r"'y' holds 9\.96921e\+36 at 2024-01-05 04:00:00.*replace it"):
        RidgeForecaster(window=8).fit(series(values))
    model = RidgeForecaster(window=8).fit(series(wave()))
    with pytest.raises(DataError, match=r"'y' holds 9\.96921e\+36, .* times what it moved by in the rows fitted"):
        model.predict(1, history=series(values[:102]))
    assert NaiveForecaster().fit(series(values)).forecast(1)["y"].iloc[0] == values[-1]
