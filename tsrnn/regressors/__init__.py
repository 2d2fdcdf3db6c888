"""Networks as scikit-learn regressors: windows in, targets out. They know nothing of time indexes.

Importing this package loads no Keras.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._public import lazily, of_kind

if TYPE_CHECKING:  # for editors and type checkers, which do not follow `__getattr__`: by tests/write_imports.py
    from .echo_state import EchoStateRegressor as EchoStateRegressor
    from .feedback import OutputRecurrentRegressor as OutputRecurrentRegressor
    from .feedback import Seq2SeqRegressor as Seq2SeqRegressor
    from .keras_model import KerasRegressor as KerasRegressor
    from .minimal import MinGRURegressor as MinGRURegressor
    from .minimal import MinLSTMRegressor as MinLSTMRegressor
    from .recurrent import GRURegressor as GRURegressor
    from .recurrent import LSTMRegressor as LSTMRegressor
    from .recurrent import SimpleRNNRegressor as SimpleRNNRegressor
    from .without_recurrence import ConvRegressor as ConvRegressor
    from .without_recurrence import FeedForwardRegressor as FeedForwardRegressor

_ROWS = of_kind("regressor")

__all__ = [row.name for row in _ROWS]

if not TYPE_CHECKING:  # which would take any name
    __getattr__, __dir__ = lazily(globals(), _ROWS)
