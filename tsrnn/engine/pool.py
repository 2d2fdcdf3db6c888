"""The process-wide pool of programs. Imports the engines lazily.

Building and tracing a program costs about a second, and Keras never gives all of its memory back; leasing one that was
used before costs nothing.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from .program import Program, ProgramKey

__all__ = ["CAPACITY", "clear", "lease"]

CAPACITY = 8  # programs kept while nobody uses them


@dataclass(eq=False)
class _Entry:
    key: ProgramKey
    program: Program


_idle: list[_Entry] = []  # least recently used first
_lock = threading.Lock()
_building = threading.Lock()  # Keras builds models one at a time
_owner = os.getpid()


def _check_process() -> None:
    """Forget what a parent process pooled, and refuse to go on if TensorFlow already ran there: it would hang."""
    global _owner, _lock, _building
    if _owner == os.getpid():
        return
    # Another thread of the parent may have held the locks at the fork; their copies here would never be released.
    _owner, _lock, _building = os.getpid(), threading.Lock(), threading.Lock()
    _idle.clear()
    engine = sys.modules.get(f"{__package__}.keras_")
    if engine is not None and engine.PROCESS != os.getpid():
        _owner = -1  # so that the next call raises as well
        raise RuntimeError(
            "this process was forked from one in which TensorFlow had already run; TensorFlow would hang here. Use "
            "joblib's default backend (loky), which starts fresh processes, or threads "
            "(joblib.parallel_config(backend='threading')), instead of fork or multiprocessing."
        )


def _take(key: ProgramKey) -> _Entry | None:
    with _lock:
        for i in reversed(range(len(_idle))):
            if _idle[i].key.serves(key):
                return _idle.pop(i)
    return None


def _give_back(entry: _Entry) -> None:
    with _lock:
        _idle.append(entry)
        del _idle[:-CAPACITY]


@contextmanager
def lease(key: ProgramKey) -> Iterator[Program]:
    """Lend a program of this key, for this caller alone; another thread that asks meanwhile gets another one."""
    _check_process()
    entry = _take(key)
    if entry is None:
        from .keras_ import KerasProgram

        with _building:
            entry = _Entry(key, KerasProgram(key))
    try:
        yield entry.program
    finally:
        _give_back(entry)


def clear() -> None:
    """Drop all idle programs."""
    with _lock:
        _idle.clear()
