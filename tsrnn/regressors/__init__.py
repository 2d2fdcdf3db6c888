"""Networks as scikit-learn regressors: windows in, targets out. They know nothing of time indexes.

Importing this package loads no Keras.
"""

from .recurrent import GRURegressor, LSTMRegressor, SimpleRNNRegressor

__all__ = ["GRURegressor", "LSTMRegressor", "SimpleRNNRegressor"]
