"""What tsrnn offers: one row for each public thing. Imports nothing of tsrnn.

A row says once what a thing is called, where it lives and what it is; the names of the package, the names in tables and
in the terminal, and the classes that a file may bring to life are read from it. What it names is imported when asked
for.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Literal

__all__ = [
    "PUBLIC",
    "Public",
    "Variant",
    "baseline_names",
    "lazily",
    "of_kind",
    "short_name",
    "terminal_models",
]

Kind = Literal[
    "regressor", "forecaster", "baseline", "base", "transformer", "splitter", "data", "function", "error", "module"
]


@dataclass(frozen=True)
class Variant:
    """A model with some parameters set, under a name of its own."""

    name: str
    title: str
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Public:
    """One public thing.

    Attributes
    ----------
    name : str
        Of the class, function or module; no class or function is called like a module of the package.
    module : str
        That defines it, below tsrnn.
    kind : str
        A "baseline" is a forecaster that learns nothing but a few levels; a "base" is public in its subpackage only.
    title : str
        What it is, in words.
    short : str
        Of a forecaster: its name in tables; that of the class in small letters where it is empty.
    terminal : str
        Of a forecaster: its name in the terminal; it has none there where it is empty.
    saved : bool
        Whether a file may hold it.
    variants : tuple of Variant
        Further names in the terminal.
    """

    name: str
    module: str
    kind: Kind
    title: str
    short: str = ""
    terminal: str = ""
    saved: bool = False
    variants: tuple[Variant, ...] = ()

    def load(self) -> Any:
        """Import it."""
        module = importlib.import_module(f"{__package__}.{self.module}")
        return module if self.kind == "module" else getattr(module, self.name)


def _regressor(name: str, module: str, title: str, saved: bool = True) -> Public:
    return Public(name, f"regressors.{module}", "regressor", title, saved=saved)


def _forecaster(name: str, module: str, title: str, terminal: str = "", **more: Any) -> Public:
    kind = more.pop("kind", "forecaster")
    return Public(name, f"forecasters.{module}", kind, title, terminal=terminal, saved=True, **more)


def _baseline(name: str, module: str, title: str, terminal: str, **more: Any) -> Public:
    return _forecaster(name, module, title, terminal, kind="baseline", **more)


_ZERO = Variant("zero", "always zero", {"value": 0.0})

#: Every public thing, in the order in which the package names them.
PUBLIC = (
    _regressor("LSTMRegressor", "recurrent", "long short-term memory network"),
    _regressor("GRURegressor", "recurrent", "gated recurrent unit network"),
    _regressor("SimpleRNNRegressor", "recurrent", "Elman network"),
    _regressor("OutputRecurrentRegressor", "feedback", "recurrent network that reads its own outputs"),
    _regressor("Seq2SeqRegressor", "feedback", "encoder and decoder"),
    _regressor("EchoStateRegressor", "echo_state", "random reservoir with a ridge readout"),
    _regressor("MinGRURegressor", "minimal", "minimal gated recurrent unit network"),
    _regressor("MinLSTMRegressor", "minimal", "minimal long short-term memory network"),
    _regressor("FeedForwardRegressor", "without_recurrence", "dense layers"),
    _regressor("ConvRegressor", "without_recurrence", "temporal convolutional network"),
    _regressor("KerasRegressor", "keras_model", "any Keras model", saved=False),  # it holds code, which no file may
    _forecaster("LSTMForecaster", "recurrent", "long short-term memory network", "lstm"),
    _forecaster("GRUForecaster", "recurrent", "gated recurrent unit network", "gru"),
    _forecaster("SimpleRNNForecaster", "recurrent", "Elman network", "rnn"),
    _forecaster("MinGRUForecaster", "minimal", "minimal gated recurrent unit network", "min_gru"),
    _forecaster("MinLSTMForecaster", "minimal", "minimal long short-term memory network", "min_lstm"),
    _forecaster(
        "OutputRecurrentForecaster", "feedback", "recurrent network that reads its own forecasts", "output_recurrent"
    ),
    _forecaster("Seq2SeqForecaster", "feedback", "encoder and decoder", "seq2seq"),
    _forecaster("EchoStateForecaster", "echo_state", "random reservoir with a ridge readout", "echo_state"),
    _forecaster("FeedForwardForecaster", "without_recurrence", "dense layers", "feed_forward"),
    _forecaster("ConvForecaster", "without_recurrence", "temporal convolutional network", "conv"),
    _forecaster("RegressionForecaster", "regression", "any scikit-learn regressor on windows"),
    _forecaster("ARIMAForecaster", "statistical", "ARIMA of given orders"),
    _forecaster("AutoARIMAForecaster", "statistical", "ARIMA, its orders searched", "arima"),
    _baseline("NaiveForecaster", "naive", "repeats the last value", "naive"),
    _baseline("SeasonalNaiveForecaster", "naive", "repeats the last season", "snaive", short="snaive"),
    _baseline("DriftForecaster", "naive", "goes on along the line from first to last value", "drift"),
    _baseline("MeanForecaster", "mean", "the mean of all values", "mean", variants=(_ZERO,)),
    _forecaster(
        "RidgeForecaster", "ridge", "ridge regression of whole windows, the linear part of the networks", "ridge"
    ),
    Public("BaseForecaster", "forecasters.base", "base", "what every forecaster is"),
    Public("DataError", "exceptions", "error", "data that cannot be used as they are"),
    Public("WindowArray", "windows", "data", "windows of a series that are not copied"),
    Public("make_windows", "windows", "function", "cuts a series into windows and targets"),
    Public("SlidingWindow", "windows", "transformer", "rows into windows"),
    Public("PanelTimeSeriesSplit", "splits", "splitter", "cuts a table of many series in time"),
    Public("compare", "comparison", "function", "holds forecasters against each other and against trivial forecasts"),
    Public("load", "persistence", "function", "loads a saved model"),
    Public("show_versions", "_show_versions", "function", "what is installed"),
    Public("datasets", "datasets", "module", "series that come with the package"),
    Public("inspection", "inspection", "module", "instruments to see inside networks"),
    Public("metrics", "metrics", "module", "errors of forecasts"),
    Public("plots", "plots", "module", "charts of forecasts"),
)


def of_kind(*kinds: Kind) -> list[Public]:
    """Return the rows of these kinds, in their order."""
    return [row for row in PUBLIC if row.kind in kinds]


def short_name(cls: type) -> str:
    """Return the name of a class of forecasters in tables.

    Examples
    --------
    >>> from tsrnn.forecasters.naive import DriftForecaster, SeasonalNaiveForecaster
    >>> short_name(DriftForecaster), short_name(SeasonalNaiveForecaster)
    ('drift', 'snaive')
    """
    name = cls.__name__
    return next((row.short for row in PUBLIC if row.name == name and row.short), in_small_letters(name))


def in_small_letters(name: str) -> str:
    """Return what a class of forecasters is called in tables unless it has another name there."""
    return name.removesuffix("Forecaster").lower() or name


def baseline_names() -> set[str]:
    """Return the names of baselines in tables, and of their variants."""
    rows = of_kind("baseline")
    own = {row.short or in_small_letters(row.name) for row in rows}
    return own | {variant.name for row in rows for variant in row.variants}


def terminal_models() -> dict[str, tuple[Public, Variant]]:
    """Return what the terminal's name of each model stands for: the class, and the parameters that are set."""
    found: dict[str, tuple[Public, Variant]] = {}
    for row in PUBLIC:
        own = (Variant(row.terminal, row.title),) if row.terminal else ()
        found |= {variant.name: (row, variant) for variant in own + row.variants}
    return found


def lazily(namespace: dict[str, Any], rows: list[Public]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` of a package that imports what these rows name on first use (PEP 562)."""
    by_name = {row.name: row for row in rows}

    def load(name: str) -> Any:
        if name not in by_name:
            raise AttributeError(f"module {namespace['__name__']!r} has no attribute {name!r}")
        namespace[name] = value = by_name[name].load()
        return value

    def names() -> list[str]:
        # Not what the package imports for itself, such as this function.
        own = {name for name, value in namespace.items() if name.startswith("_") or isinstance(value, ModuleType)}
        return sorted(own | by_name.keys())

    return load, names
