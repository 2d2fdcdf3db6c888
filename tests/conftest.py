"""What all tests share."""

import os

import pytest
from hypothesis import settings

# scikit-learn reads it when SciPy is first imported; without it the array API checks of check_estimator are skipped.
os.environ.setdefault("SCIPY_ARRAY_API", "1")

# Helpers whose assertions are to say what differed, as those of tests do.
pytest.register_assert_rewrite("native_oracle", "saved_models")

# How long an example takes says what else the machine does.
settings.register_profile("tsrnn", deadline=None)
settings.load_profile("tsrnn")


def pytest_configure(config):
    # Tests fit networks on a handful of windows; the warning has its own test.
    config.addinivalue_line("filterwarnings", "ignore::tsrnn.exceptions.CapacityWarning")


@pytest.fixture
def load_csv(tmp_path):
    """A file of two columns on 300 hours, for the terminal."""
    from terminal import write_load

    return write_load(tmp_path)


@pytest.fixture
def ax():
    from matplotlib.figure import Figure

    return Figure(layout="constrained").subplots()


@pytest.fixture
def keras():
    return pytest.importorskip("keras")


# -- saved models ----------------------------------------------------------------------------------------------------


@pytest.fixture
def holding_forecaster_is_listed(monkeypatch):
    from saved_models import HoldingForecaster

    from tsrnn._archive import ESTIMATORS

    monkeypatch.setitem(ESTIMATORS, "HoldingForecaster", HoldingForecaster.__module__)


@pytest.fixture
def model():
    """A seasonal naive forecaster of one of two columns of hours."""
    from saved_models import hours

    from tsrnn.forecasters import SeasonalNaiveForecaster

    return SeasonalNaiveForecaster(target="temp").fit(hours())


@pytest.fixture
def saved(model, tmp_path):
    """The file of `model`."""
    path = tmp_path / "model.tsrnn"
    model.save(path)
    return path


# -- inspection ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def hourly():
    """A frame of two columns on 300 hours."""
    import numpy as np
    import pandas as pd

    t = np.arange(300)
    index = pd.date_range("2024-01-01", periods=300, freq="h")
    noise = np.random.default_rng(0).normal(scale=0.1, size=(2, 300))
    return pd.DataFrame({"load": np.sin(t / 4) + noise[0], "wind": np.cos(t / 7) + noise[1]}, index)


@pytest.fixture(scope="module")
def forecaster(hourly):
    """A small LSTM forecaster of several networks, fitted on `hourly`."""
    from tsrnn import LSTMForecaster

    params = {"window": 12, "horizon": 3, "units": 4, "epochs": 2, "past_covariates": ["wind"], "random_state": 0}
    return LSTMForecaster("load", n_members=2, **params).fit(hourly)


# -- comparisons -----------------------------------------------------------------------------------------------------


@pytest.fixture
def fits(monkeypatch):
    """How many models were fitted, of whatever class."""
    from tsrnn.forecasters.base import BaseForecaster

    counted = []
    read = BaseForecaster.fit

    def fit(self, X, y=None):
        counted.append(type(self).__name__)
        return read(self, X, y)

    monkeypatch.setattr(BaseForecaster, "fit", fit)
    return counted


@pytest.fixture(scope="module")
def result():
    """A comparison of two models and the baselines on a table with gaps."""
    from comparison_examples import hourly, ridge

    from tsrnn.comparison import compare
    from tsrnn.forecasters import DriftForecaster

    df = hourly().drop(hourly().index[[-5, -30, 100]])
    return compare(
        {"ridge": ridge(), "drift": DriftForecaster()}, df, target="temp", horizon=6, n_windows=8, coverage=0.8
    )
