"""The process-wide pool of programs. Imports the engines lazily.

Building and tracing a Keras program costs about a second, and Keras never gives all of its memory back; leasing one
that was used before costs nothing. Native programs are made in a fraction of a millisecond.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from . import native
from .program import Program, ProgramKey

__all__ = ["CAPACITY", "ENGINES", "choose_engine", "clear", "lease"]

CAPACITY = 8  # programs kept while nobody uses them
ENGINES = ("auto", "native", "keras")


@dataclass(eq=False)
class _Entry:
    engine: str
    key: ProgramKey
    program: Program


_idle: list[_Entry] = []  # least recently used first
_lock = threading.Lock()
_building = threading.Lock()  # Keras builds models one at a time
_owner = os.getpid()


def choose_engine(key: ProgramKey, engine: str = "auto") -> tuple[str, str | None]:
    """Say which engine serves a key, "native" or "keras", and why the native one does not (None if it does).

    Raises
    ------
    ValueError
        If engine="native" is asked for what the native engine does not compute.
    ImportError
        If it is asked for where it was not compiled.
    """
    if engine == "keras":
        return "keras", "engine='keras'"
    reason = native.shortfall(key)
    if reason is None:
        return "native", None
    if engine == "native":
        if not native.available():
            raise ImportError(f"engine='native', but {reason}.")
        raise ValueError(f"engine='native', but {reason}. Use engine='auto', which takes Keras for it.")
    return "keras", reason


def _forget_the_parent() -> None:
    """Drop what a parent process pooled: its threads are not here, and its programs may be in use."""
    global _owner, _lock, _building
    if _owner == os.getpid():
        return
    # Another thread of the parent may have held the locks at the fork; their copies here would never be released.
    _owner, _lock, _building = os.getpid(), threading.Lock(), threading.Lock()
    _idle.clear()


def _check_keras_started_here() -> None:
    engine = sys.modules.get(f"{__package__}.keras_")
    if engine is not None and engine.PROCESS != os.getpid():
        name = {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "torch"}[engine.BACKEND]
        raise RuntimeError(
            f"this process was forked from one in which {name} had already run; {name} would hang here. Use joblib's "
            "default backend (loky), which starts fresh processes, or threads "
            "(joblib.parallel_config(backend='threading')), instead of fork or multiprocessing."
        )


def _take(engine: str, key: ProgramKey) -> _Entry | None:
    with _lock:
        for i in reversed(range(len(_idle))):
            if _idle[i].engine == engine and _idle[i].key.serves(key):
                return _idle.pop(i)
    return None


def _give_back(entry: _Entry) -> None:
    with _lock:
        _idle.append(entry)
        del _idle[:-CAPACITY]


def _build(engine: str, key: ProgramKey) -> Program:
    if engine == "native":
        from .native.program import NativeProgram

        return NativeProgram(key)
    from .keras_ import KerasProgram

    with _building:
        return KerasProgram(key)


@contextmanager
def lease(key: ProgramKey, engine: str = "auto") -> Iterator[Program]:
    """Lend a program of this key, for this caller alone; another thread that asks meanwhile gets another one.

    Parameters
    ----------
    key : ProgramKey
        What is to be computed.
    engine : {"auto", "native", "keras"}
        What computes it; "auto" takes the native engine where it can.
    """
    _forget_the_parent()
    engine, _ = choose_engine(key, engine)
    if engine == "keras":
        _check_keras_started_here()
    entry = _take(engine, key) or _Entry(engine, key, _build(engine, key))
    try:
        yield entry.program
    finally:
        _give_back(entry)


def clear() -> None:
    """Drop all idle programs."""
    with _lock:
        _idle.clear()
