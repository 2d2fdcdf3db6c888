"""Series to forecast, and options of networks that are trained in no time."""

import numpy as np
import pandas as pd

from tsrnn.forecasters import GRUForecaster, LSTMForecaster, SimpleRNNForecaster

FORECASTERS = [LSTMForecaster, GRUForecaster, SimpleRNNForecaster]
QUICK = {"units": 4, "epochs": 3, "random_state": 0}
FAST = {"units": 4, "epochs": 4, "random_state": 0}


def wave(n=400, noise=0.05):
    index = pd.date_range("2024-01-01", periods=n, freq="h")
    rng = np.random.default_rng(0)
    values = 20 + 5 * np.sin(np.arange(n) * 2 * np.pi / 24) + noise * rng.normal(size=n)
    return pd.DataFrame({"load": values, "x": rng.normal(size=n)}, index=index)


def walk(n=2_500, seed=0):
    steps = np.random.default_rng(seed).normal(size=n)
    return pd.DataFrame({"price": steps.cumsum()}, index=pd.date_range("2024-01-01", periods=n, freq="h"))


def noise_around(level, n=1200, seed=0, freq="D"):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"y": level + rng.normal(size=n)}, pd.date_range("2020-01-01", periods=n, freq=freq))


def held_out(model, df):
    """The windows of the validation part, and their targets."""
    values = df.to_numpy()
    cutoffs = model._training_cutoffs(values)
    cutoffs = cutoffs[-round(0.2 * len(cutoffs)) :]
    scaled = model._scaled(values)
    windows, level = model._windows(scaled, cutoffs)
    return windows, scaled[cutoffs[:, None] + np.arange(1, model.block_ + 1), 0] - level
