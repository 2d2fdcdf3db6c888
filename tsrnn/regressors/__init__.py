"""Networks as scikit-learn regressors: windows in, targets out. They know nothing of time indexes.

Importing this package loads no Keras.
"""

from .controls import ConvRegressor, FeedForwardRegressor
from .echo_state import EchoStateRegressor
from .feedback import OutputRecurrentRegressor, Seq2SeqRegressor
from .keras_model import KerasRegressor
from .minimal import MinGRURegressor, MinLSTMRegressor
from .recurrent import GRURegressor, LSTMRegressor, SimpleRNNRegressor

__all__ = [
    "EchoStateRegressor",
    "GRURegressor",
    "KerasRegressor",
    "LSTMRegressor",
    "MinGRURegressor",
    "MinLSTMRegressor",
    "OutputRecurrentRegressor",
    "Seq2SeqRegressor",
    "ConvRegressor",
    "FeedForwardRegressor",
    "SimpleRNNRegressor",
]
