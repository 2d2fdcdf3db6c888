"""What the defaults are worth on the shipped series: the bars that they must clear."""

import numpy as np
import pytest

from tsrnn import compare
from tsrnn.datasets import load_aapl, load_jfk_weather
from tsrnn.forecasters import LSTMForecaster

pytestmark = pytest.mark.slow


def errors(frame, target, horizon, n_windows):
    result = compare(
        {"lstm": LSTMForecaster(random_state=0)}, frame, target=target, horizon=horizon, n_windows=n_windows
    )
    return result.leaderboard().set_index("model")["MAE"]


def test_default_network_beats_the_naive_forecasts_on_hourly_weather():
    mae = errors(load_jfk_weather(), "temp", horizon=24, n_windows=20)
    assert mae["lstm"] < min(mae["naive"], mae["snaive"])


def test_default_network_does_not_lose_to_the_random_walk_on_prices():
    mae = errors(np.log(load_aapl()[["adj_close"]]), "adj_close", horizon=5, n_windows=50)
    assert mae["lstm"] <= 1.02 * mae["naive"]
