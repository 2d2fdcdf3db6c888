"""The usual window, against series of known periods."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.tseries.frequencies import to_offset

from tsrnn.forecasters import GRUForecaster
from tsrnn.forecasters.window_length import dominant_period, usual_window


def wave(period, n=2000, noise=0.5, seed=0):
    rows = np.arange(n)
    return np.sin(rows * 2 * np.pi / period) + np.random.default_rng(seed).normal(0, noise, n)


@given(period=st.integers(5, 120), scale=st.floats(1e-3, 1e6), slope=st.floats(-1, 1), seed=st.integers(0, 50))
def test_the_period_of_a_noisy_wave_is_found_whatever_its_scale_and_trend(period, scale, slope, seed):
    values = scale * (wave(period, noise=0.3, seed=seed) + slope * np.arange(2000) + 7)
    assert abs(dominant_period(values, 250) - period) <= max(1, 0.05 * period)


@pytest.mark.parametrize("period", [24, 61])
def test_a_period_is_found_between_gaps(period):
    values = wave(period)
    values[300:500] = values[np.random.default_rng(1).integers(0, 2000, 300)] = np.nan
    assert abs(dominant_period(values, 250) - period) <= 2


@pytest.mark.parametrize(
    "values",
    [
        np.zeros(500),
        np.arange(500.0) * 3 + 1,
        np.full(500, np.nan),
        np.random.default_rng(0).normal(size=500),
        np.random.default_rng(0).normal(size=5000).cumsum(),
        np.ones(3),
    ],
    ids=["constant", "straight", "nothing", "noise", "walk", "short"],
)
def test_where_nothing_repeats_there_is_no_period(values):
    assert dominant_period(values, 250) == 0


@pytest.mark.parametrize(
    ("freq", "rows"),
    [("15min", 768), ("30min", 384), ("h", 192), ("5min", 864), ("D", 28), ("B", 20), ("MS", 48), ("W-SUN", 208)],
)
def test_the_window_follows_the_frequency(freq, rows):
    assert usual_window(to_offset(freq), np.zeros((9, 1))) == rows


def test_a_machine_cycle_sets_the_window_where_days_are_too_long():
    cycles = np.stack([wave(37), wave(50)], axis=1)
    assert usual_window(to_offset("s"), cycles) == pytest.approx(4 * 50, abs=8)
    assert usual_window(to_offset("min"), np.random.default_rng(0).normal(size=(500, 1))) == 200


def test_years_show_their_cycle():
    assert usual_window(to_offset("YS"), wave(11, n=300)[:, None]) == 44
    assert usual_window(to_offset("YS"), np.arange(300.0)[:, None]) == 8


def test_a_forecaster_of_seconds_reads_cycles_and_not_days():
    seconds = pd.date_range("2026-01-01", periods=1500, freq="s")
    frame = pd.DataFrame({"pressure": wave(40, n=1500, noise=0.1)}, index=seconds)
    model = GRUForecaster(horizon=20, units=8, epochs=3, random_state=0).fit(frame)
    assert model.window_ == pytest.approx(160, abs=8)


@pytest.mark.parametrize("level", [0.0, 1e9, -1e9])
@pytest.mark.parametrize("unit", [1e-12, 1.0, 1e12])
def test_the_period_depends_on_neither_unit_nor_level(level, unit):
    rows = np.arange(600)
    wave = np.sin(rows * 2 * np.pi / 37) + rows / 50
    assert dominant_period(unit * (wave + level), 100) == 37
    assert dominant_period(unit * (np.full(600, 0.1) + level), 100) == 0
