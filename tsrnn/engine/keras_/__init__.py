"""Networks computed by Keras. The only package that imports keras and its backend; import it lazily.

What all backends share is written in keras.ops: the model (`model`), the losses (`losses`), and how a program reads its
inputs and keeps its state (`base`); `user_model` handles models that users write. One module for each backend compiles
the calls of a program over them.
"""
# ruff: noqa: E402 (TensorFlow's log level must be set before it is imported)

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import contextmanager


@contextmanager
def _quiet_import():
    """Import TensorFlow without its start-up chatter, unless the user asked for its log.

    The first lines are written by libraries that have not read the log level yet, straight to file descriptor 2. A
    worker process inherits the level 3 that is set here, and is to be as quiet.
    """
    if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") != "3" or "tensorflow" in sys.modules:
        yield
        return
    try:
        stderr = os.dup(2)
    except OSError:  # no stderr at all, as under pythonw
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nowhere)


# The backend is Keras's own setting, and TensorFlow where nothing is set.
BACKENDS = ("tensorflow", "jax", "torch")


def _check_backend(backend: str) -> None:
    if backend not in BACKENDS:
        raise ImportError(
            f"Keras is set to its {backend!r} backend here, and tsrnn trains on one of {BACKENDS}. Set the environment "
            "variable KERAS_BACKEND=tensorflow before Keras is imported."
        )


# Asked before the import, which fails in its own words where another backend is not installed, and after it, since
# Keras may have been imported before, or set up by its configuration file.
_check_backend(os.environ.get("KERAS_BACKEND") or BACKENDS[0])
with _quiet_import():
    import keras

BACKEND = keras.config.backend()
_check_backend(BACKEND)

from ..program import Program, ProgramKey
from .model import build_model, make_model
from .optimizers import make_optimizer
from .user_model import check_build, describe_model, initial_model_weights, make_user_model

__all__ = [
    "BACKEND",
    "PROCESS",
    "KerasProgram",
    "build_model",
    "check_build",
    "describe_model",
    "initial_model_weights",
    "make_model",
    "make_optimizer",
    "make_user_model",
]

PROCESS = os.getpid()  # the threads of each of the backends live in this process; they do not survive a fork


def _choose_program() -> Callable[[ProgramKey], Program]:
    if BACKEND == "tensorflow":
        from .tensorflow import TensorFlowProgram

        return TensorFlowProgram
    if BACKEND == "jax":
        from .jax import JaxProgram

        return JaxProgram
    from .torch import TorchProgram

    return TorchProgram


KerasProgram = _choose_program()
