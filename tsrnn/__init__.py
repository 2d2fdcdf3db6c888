"""Time-series forecasting with recurrent networks behind scikit-learn's API.

The public names live here, each loaded from its module on first use: `import tsrnn` itself loads no Keras, TensorFlow,
statsmodels or matplotlib. Modules of the package never import from here.
"""

from __future__ import annotations

import importlib
from typing import Any

# Public name -> module that defines it. No name here may also be the name of a module: importing the module would
# put it in the place of the object.
_HOMES = {
    "LSTMRegressor": "regressors",
    "GRURegressor": "regressors",
    "SimpleRNNRegressor": "regressors",
    "OutputRecurrentRegressor": "regressors",
    "Seq2SeqRegressor": "regressors",
    "EchoStateRegressor": "regressors",
    "MinGRURegressor": "regressors",
    "MinLSTMRegressor": "regressors",
    "FeedForwardRegressor": "regressors",
    "ConvRegressor": "regressors",
    "KerasRegressor": "regressors",
    "LSTMForecaster": "forecasters",
    "GRUForecaster": "forecasters",
    "SimpleRNNForecaster": "forecasters",
    "OutputRecurrentForecaster": "forecasters",
    "Seq2SeqForecaster": "forecasters",
    "EchoStateForecaster": "forecasters",
    "MinGRUForecaster": "forecasters",
    "MinLSTMForecaster": "forecasters",
    "FeedForwardForecaster": "forecasters",
    "ConvForecaster": "forecasters",
    "RegressionForecaster": "forecasters",
    "RidgeForecaster": "forecasters",
    "NaiveForecaster": "forecasters",
    "SeasonalNaiveForecaster": "forecasters",
    "DriftForecaster": "forecasters",
    "MeanForecaster": "forecasters",
    "ARIMAForecaster": "forecasters",
    "AutoARIMAForecaster": "forecasters",
    "DataError": "exceptions",
    "WindowArray": "windows",
    "make_windows": "windows",
    "SlidingWindow": "windows",
    "compare": "comparison",
    "load": "persistence",
    "show_versions": "_show_versions",
}
_SUBMODULES = ("datasets", "inspection", "metrics", "plots")

__all__ = [*_HOMES, *_SUBMODULES]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        value = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    elif name in _SUBMODULES:
        value = importlib.import_module(f".{name}", __name__)
    elif name == "__version__":
        value = _version()
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})


def _version() -> str:
    """Return the installed version; a checkout that was never installed has none."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(__name__)
    except PackageNotFoundError:
        return "0+unknown"
