"""Forecasters: DataFrame in, DataFrame out; networks and baselines under one protocol."""

from .base import BaseForecaster
from .controls import ConvForecaster, FeedForwardForecaster
from .echo_state import EchoStateForecaster
from .feedback import OutputRecurrentForecaster, Seq2SeqForecaster
from .mean import MeanForecaster
from .minimal import MinGRUForecaster, MinLSTMForecaster
from .naive import DriftForecaster, NaiveForecaster, SeasonalNaiveForecaster
from .recurrent import GRUForecaster, LSTMForecaster, SimpleRNNForecaster
from .regression import RegressionForecaster
from .ridge import RidgeForecaster
from .statistical import ARIMAForecaster, AutoARIMAForecaster

__all__ = [
    "ARIMAForecaster",
    "AutoARIMAForecaster",
    "BaseForecaster",
    "ConvForecaster",
    "DriftForecaster",
    "EchoStateForecaster",
    "FeedForwardForecaster",
    "GRUForecaster",
    "LSTMForecaster",
    "MeanForecaster",
    "MinGRUForecaster",
    "MinLSTMForecaster",
    "NaiveForecaster",
    "OutputRecurrentForecaster",
    "RegressionForecaster",
    "RidgeForecaster",
    "SeasonalNaiveForecaster",
    "Seq2SeqForecaster",
    "SimpleRNNForecaster",
]
