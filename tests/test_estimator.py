"""What showing an estimator costs, and what it shows."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.linear_model import Ridge

import tsrnn

ROOT = Path(__file__).parent.parent
ESTIMATORS = [
    cls
    for cls in (getattr(tsrnn, name) for name in tsrnn.__all__)
    if isinstance(cls, type) and issubclass(cls, BaseEstimator)
]
SHOW = """
import sys, warnings
import numpy as np, pandas as pd, tsrnn
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
y = pd.Series(np.sin(np.arange(90.0)), pd.date_range("2024-01-01", periods=90), name="y")
X = np.random.default_rng(0).normal(size=(40, 5, 1))
forecaster = tsrnn.GRUForecaster("y", window=8, horizon=3, units=2, epochs=1, random_state=0)
{make}
for shown in (model, [model]):
    repr(shown)
model._repr_mimebundle_() if hasattr(model, "_repr_mimebundle_") else None
assert "<table" in model._repr_html_() or "sk-" in model._repr_html_()
dir(model)
print({{"keras", "tensorflow", "matplotlib", "statsmodels"}} & set(sys.modules))
"""


@pytest.mark.parametrize(
    "make",
    [
        "model = forecaster.fit(y.to_frame())",
        "model = tsrnn.LSTMRegressor(units=200, epochs=1).fit(X, X[:, -1, 0])",
        "model = tsrnn.EchoStateForecaster(window=8, horizon=2, units=20, random_state=0).fit(y.to_frame())",
        "model = GridSearchCV(forecaster, {'units': [2]}, cv=TimeSeriesSplit(2, test_size=3)).fit(y.to_frame()[[]], y)",
        "model = make_pipeline(StandardScaler(), tsrnn.GRURegressor(units=2, epochs=1)).fit(X[:, :, 0], X[:, -1, 0])",
        "model = tsrnn.compare({'gru': forecaster}, y.to_frame(), target='y', horizon=3, n_windows=3)",
    ],
    ids=["forecaster", "regressor", "echo_state", "search", "pipeline", "comparison"],
)
def test_showing_what_was_fitted_loads_no_framework(make):
    code = SHOW.format(make=f"with warnings.catch_warnings():\n    warnings.simplefilter('ignore')\n    {make}")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, "set()"), done.stderr


@pytest.mark.parametrize("cls", ESTIMATORS, ids=lambda cls: cls.__name__)
def test_an_estimator_that_is_not_fitted_shows_its_parameters(cls):
    model = make(cls)
    assert cls.__name__ in repr(model)
    assert cls.__name__ in model._repr_html_()
    assert shown(model) == set()


FITTED = [
    tsrnn.LSTMForecaster(window=8, horizon=2, units=2, epochs=1, random_state=0),
    tsrnn.EchoStateForecaster(window=8, horizon=2, units=10, random_state=0),
    tsrnn.RegressionForecaster(Ridge(), window=8, horizon=2),
    tsrnn.RidgeForecaster(window=8, horizon=2),
    tsrnn.MeanForecaster(),
    tsrnn.NaiveForecaster(),
    tsrnn.SeasonalNaiveForecaster(),
    tsrnn.DriftForecaster(),
    tsrnn.ARIMAForecaster(order=(1, 0, 0)),
    tsrnn.SlidingWindow(window=3),
]


@pytest.mark.parametrize("model", FITTED, ids=lambda model: type(model).__name__)
def test_what_is_shown_of_a_fitted_estimator_is_documented(model):
    frame = pd.DataFrame({"y": np.sin(np.arange(90.0))}, pd.date_range("2024-01-01", periods=90))
    model.fit(frame)
    documented = "".join(inspect.getdoc(cls) or "" for cls in type(model).__mro__ if cls.__module__.startswith("tsrnn"))
    names = shown(model) - {"n_features_in_", "feature_names_in_"}
    assert names
    assert {name for name in names if not re.search(rf"\b{name}", documented)} == set()


@pytest.mark.parametrize(
    "model",
    [
        tsrnn.GRURegressor(units=2, epochs=1),
        tsrnn.LSTMRegressor(units=2, epochs=1, return_sequences=True, tbptt_steps=2),
        tsrnn.EchoStateRegressor(units=5),
    ],
    ids=lambda model: type(model).__name__,
)
def test_what_is_shown_of_a_fitted_regressor_is_documented(model):
    X = np.random.default_rng(0).normal(size=(20, 4, 1))
    names = shown(model.fit(X, X[..., 0] if getattr(model, "return_sequences", False) else X[:, -1, 0]))
    documented = inspect.getdoc(type(model)) + inspect.getdoc(tsrnn.LSTMRegressor)
    assert names
    assert {name for name in names if not re.search(rf"\b{name}", documented)} == set()


def test_the_keras_model_of_a_regressor_is_not_listed_but_there():
    X = np.zeros((4, 3, 1))
    model = tsrnn.LSTMRegressor(units=2, epochs=1).fit(X, X[:, 0, 0])
    assert "model_" not in dir(model)
    assert isinstance(type(model).model_, property)
    assert {"weights_", "n_parameters_", "fit", "save"} <= set(dir(model))


@pytest.mark.parametrize("n_rows", [200, 20_000])
def test_the_page_of_a_fitted_estimator_does_not_grow_with_its_data(n_rows):
    frame = pd.DataFrame({"y": np.sin(np.arange(n_rows))}, pd.date_range("2024-01-01", periods=n_rows, freq="h"))
    assert len(tsrnn.NaiveForecaster().fit(frame)._repr_html_()) < 50_000


def make(cls):
    required = {name: Ridge() for name in ("estimator", "build") if name in inspect.signature(cls).parameters}
    return cls(**required)


def shown(model) -> set[str]:
    """Names of the fitted attributes that scikit-learn's HTML lists."""
    return {name for name, _ in inspect.getmembers(model) if name.endswith("_") and not name.startswith("_")}
