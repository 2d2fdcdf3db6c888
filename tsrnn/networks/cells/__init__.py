"""The recurrent cells, each in a room of its own: a module of this folder holds all that is known of a cell.

`CELLS` has them by name. A cell joins it by `register`, at the end of its module, and nobody else compares names of
cells: what a network, an engine or a picture must know of a cell is an attribute of its `Cell`. What computes it in
Keras stands in `tsrnn.engine.keras_.cells`.
"""

from __future__ import annotations

import importlib
import pkgutil

from .base import CELLS, SLOPES, SQUASH, Cell, Gates, Pulled, Slope, Squash, State, Weights, register
from .elman import simple_rnn_step
from .gru import gru_step
from .lstm import lstm_step
from .minimal import min_gru_step, min_lstm_step

__all__ = [
    "CELLS",
    "SLOPES",
    "SQUASH",
    "Cell",
    "Gates",
    "Pulled",
    "Slope",
    "Squash",
    "State",
    "Weights",
    "gru_step",
    "lstm_step",
    "min_gru_step",
    "min_lstm_step",
    "register",
    "simple_rnn_step",
]

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
