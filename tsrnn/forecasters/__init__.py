"""Forecasters: DataFrame in, DataFrame out; networks and baselines under one protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._public import lazily, of_kind

if TYPE_CHECKING:  # for editors and type checkers, which do not follow `__getattr__`: by tests/write_imports.py
    from .base import BaseForecaster as BaseForecaster
    from .echo_state import EchoStateForecaster as EchoStateForecaster
    from .feedback import OutputRecurrentForecaster as OutputRecurrentForecaster
    from .feedback import Seq2SeqForecaster as Seq2SeqForecaster
    from .mean import MeanForecaster as MeanForecaster
    from .minimal import MinGRUForecaster as MinGRUForecaster
    from .minimal import MinLSTMForecaster as MinLSTMForecaster
    from .naive import DriftForecaster as DriftForecaster
    from .naive import NaiveForecaster as NaiveForecaster
    from .naive import SeasonalNaiveForecaster as SeasonalNaiveForecaster
    from .recurrent import GRUForecaster as GRUForecaster
    from .recurrent import LSTMForecaster as LSTMForecaster
    from .recurrent import SimpleRNNForecaster as SimpleRNNForecaster
    from .regression import RegressionForecaster as RegressionForecaster
    from .ridge import RidgeForecaster as RidgeForecaster
    from .statistical import ARIMAForecaster as ARIMAForecaster
    from .statistical import AutoARIMAForecaster as AutoARIMAForecaster
    from .without_recurrence import ConvForecaster as ConvForecaster
    from .without_recurrence import FeedForwardForecaster as FeedForwardForecaster

_ROWS = of_kind("forecaster", "baseline", "base")

__all__ = [row.name for row in _ROWS]

if not TYPE_CHECKING:  # which would take any name
    __getattr__, __dir__ = lazily(globals(), _ROWS)
