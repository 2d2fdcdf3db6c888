"""Engines compute networks: the protocol they fill in, the pool they are leased from, the training loop over them.

Importing this package loads no Keras; leasing a program does.
"""

from .data import Missing, WindowData
from .pool import ENGINES, choose_engine, lease
from .program import ForwardKey, Program, ProgramKey, TrainerKey

__all__ = [
    "ENGINES",
    "ForwardKey",
    "Missing",
    "Program",
    "ProgramKey",
    "TrainerKey",
    "WindowData",
    "choose_engine",
    "lease",
]
