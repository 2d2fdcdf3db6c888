"""Time-series forecasting with recurrent networks behind scikit-learn's API.

The public names live here, each loaded from its module on first use: `import tsrnn` itself loads no Keras, TensorFlow,
statsmodels or matplotlib. Modules of the package never import from here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._public import PUBLIC, lazily

if TYPE_CHECKING:  # for editors and type checkers, which do not follow `__getattr__`: by tests/write_imports.py
    from . import datasets as datasets
    from . import inspection as inspection
    from . import metrics as metrics
    from . import plots as plots
    from ._show_versions import show_versions as show_versions
    from .comparison import compare as compare
    from .exceptions import DataError as DataError
    from .forecasters.echo_state import EchoStateForecaster as EchoStateForecaster
    from .forecasters.feedback import OutputRecurrentForecaster as OutputRecurrentForecaster
    from .forecasters.feedback import Seq2SeqForecaster as Seq2SeqForecaster
    from .forecasters.mean import MeanForecaster as MeanForecaster
    from .forecasters.minimal import MinGRUForecaster as MinGRUForecaster
    from .forecasters.minimal import MinLSTMForecaster as MinLSTMForecaster
    from .forecasters.naive import DriftForecaster as DriftForecaster
    from .forecasters.naive import NaiveForecaster as NaiveForecaster
    from .forecasters.naive import SeasonalNaiveForecaster as SeasonalNaiveForecaster
    from .forecasters.recurrent import GRUForecaster as GRUForecaster
    from .forecasters.recurrent import LSTMForecaster as LSTMForecaster
    from .forecasters.recurrent import SimpleRNNForecaster as SimpleRNNForecaster
    from .forecasters.regression import RegressionForecaster as RegressionForecaster
    from .forecasters.ridge import RidgeForecaster as RidgeForecaster
    from .forecasters.statistical import ARIMAForecaster as ARIMAForecaster
    from .forecasters.statistical import AutoARIMAForecaster as AutoARIMAForecaster
    from .forecasters.without_recurrence import ConvForecaster as ConvForecaster
    from .forecasters.without_recurrence import FeedForwardForecaster as FeedForwardForecaster
    from .persistence import load as load
    from .regressors.echo_state import EchoStateRegressor as EchoStateRegressor
    from .regressors.feedback import OutputRecurrentRegressor as OutputRecurrentRegressor
    from .regressors.feedback import Seq2SeqRegressor as Seq2SeqRegressor
    from .regressors.keras_model import KerasRegressor as KerasRegressor
    from .regressors.minimal import MinGRURegressor as MinGRURegressor
    from .regressors.minimal import MinLSTMRegressor as MinLSTMRegressor
    from .regressors.recurrent import GRURegressor as GRURegressor
    from .regressors.recurrent import LSTMRegressor as LSTMRegressor
    from .regressors.recurrent import SimpleRNNRegressor as SimpleRNNRegressor
    from .regressors.without_recurrence import ConvRegressor as ConvRegressor
    from .regressors.without_recurrence import FeedForwardRegressor as FeedForwardRegressor
    from .splits import PanelTimeSeriesSplit as PanelTimeSeriesSplit
    from .windows import SlidingWindow as SlidingWindow
    from .windows import WindowArray as WindowArray
    from .windows import make_windows as make_windows

    __version__: str

_ROWS = [row for row in PUBLIC if row.kind != "base"]
_HOMES = {row.name: row.module for row in _ROWS if row.kind != "module"}
_SUBMODULES = tuple(row.name for row in _ROWS if row.kind == "module")

__all__ = [*_HOMES, *_SUBMODULES]


if not TYPE_CHECKING:  # which would take any name
    _load, _names = lazily(globals(), _ROWS)

    def __getattr__(name: str) -> Any:
        if name != "__version__":
            return _load(name)
        globals()[name] = version = _version()
        return version

    def __dir__() -> list[str]:
        return sorted({*_names(), "__version__"})


def _version() -> str:
    """Return the installed version; a checkout that was never installed has none."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(__name__)
    except PackageNotFoundError:
        return "0+unknown"
