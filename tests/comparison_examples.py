"""Series to compare models on, and models that fail."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from tsrnn.exceptions import DataError
from tsrnn.forecasters.base import BaseForecaster
from tsrnn.forecasters.regression import RegressionForecaster


def hourly(n_rows=300, seed=0):
    rng = np.random.default_rng(seed)
    hours = pd.date_range("2024-01-01", periods=n_rows, freq="h")
    season = 10 * np.sin(np.arange(n_rows) * 2 * np.pi / 24)
    return pd.DataFrame(
        {"temp": 50 + season + rng.normal(size=n_rows), "wind": rng.gamma(2.0, size=n_rows)}, index=hours
    )


def ridge(**options):
    return RegressionForecaster(make_pipeline(SimpleImputer(), Ridge()), window=24, **options)


class BrokenForecaster(BaseForecaster):
    """Fails as it is told to; counts fits."""

    fits = 0

    def __init__(self, how="raise", target=None, freq=None):
        self.how = how
        self.target = target
        self.freq = freq

    def _fit(self, values):
        type(self).fits += 1
        if self.how == "late" and len(values) > 297:
            raise RuntimeError("out of luck")
        if self.how == "raise":
            raise ZeroDivisionError("no luck")
        if self.how == "refuse":
            raise DataError("not these data")

    def _forecast(self, values, cutoffs, steps):
        if self.how == "stop":
            raise KeyboardInterrupt
        forecasts = np.full((len(cutoffs), steps, 1), 0.0 if self.how == "late" else np.nan)
        return forecasts
