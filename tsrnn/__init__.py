"""Time-series forecasting with recurrent networks behind scikit-learn's API.

The public names live here, each loaded from its module on first use: `import tsrnn` itself loads no Keras, TensorFlow,
statsmodels or matplotlib. Modules of the package never import from here.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the same names for editors and type checkers, which do not follow `__getattr__`
    from . import datasets as datasets
    from . import inspection as inspection
    from . import metrics as metrics
    from . import plots as plots
    from ._show_versions import show_versions as show_versions
    from .comparison import compare as compare
    from .exceptions import DataError as DataError
    from .forecasters import ARIMAForecaster as ARIMAForecaster
    from .forecasters import AutoARIMAForecaster as AutoARIMAForecaster
    from .forecasters import ConvForecaster as ConvForecaster
    from .forecasters import DriftForecaster as DriftForecaster
    from .forecasters import EchoStateForecaster as EchoStateForecaster
    from .forecasters import FeedForwardForecaster as FeedForwardForecaster
    from .forecasters import GRUForecaster as GRUForecaster
    from .forecasters import LSTMForecaster as LSTMForecaster
    from .forecasters import MeanForecaster as MeanForecaster
    from .forecasters import MinGRUForecaster as MinGRUForecaster
    from .forecasters import MinLSTMForecaster as MinLSTMForecaster
    from .forecasters import NaiveForecaster as NaiveForecaster
    from .forecasters import OutputRecurrentForecaster as OutputRecurrentForecaster
    from .forecasters import RegressionForecaster as RegressionForecaster
    from .forecasters import RidgeForecaster as RidgeForecaster
    from .forecasters import SeasonalNaiveForecaster as SeasonalNaiveForecaster
    from .forecasters import Seq2SeqForecaster as Seq2SeqForecaster
    from .forecasters import SimpleRNNForecaster as SimpleRNNForecaster
    from .persistence import load as load
    from .regressors import ConvRegressor as ConvRegressor
    from .regressors import EchoStateRegressor as EchoStateRegressor
    from .regressors import FeedForwardRegressor as FeedForwardRegressor
    from .regressors import GRURegressor as GRURegressor
    from .regressors import KerasRegressor as KerasRegressor
    from .regressors import LSTMRegressor as LSTMRegressor
    from .regressors import MinGRURegressor as MinGRURegressor
    from .regressors import MinLSTMRegressor as MinLSTMRegressor
    from .regressors import OutputRecurrentRegressor as OutputRecurrentRegressor
    from .regressors import Seq2SeqRegressor as Seq2SeqRegressor
    from .regressors import SimpleRNNRegressor as SimpleRNNRegressor
    from .windows import SlidingWindow as SlidingWindow
    from .windows import WindowArray as WindowArray
    from .windows import make_windows as make_windows

    __version__: str

# Public name -> module that defines it. No name here may also be the name of a module: importing the module would
# put it in the place of the object. A new name goes among the imports above as well.
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


if not TYPE_CHECKING:  # which would take any name

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
