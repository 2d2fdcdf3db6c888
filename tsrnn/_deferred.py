"""Puts off the import of a large module until something is read from it. Imports nothing of tsrnn.

scikit-learn imports scipy.stats with its base classes and reads it in functions only, which tsrnn does not call: 34 MB
and a third of the time that importing a network takes.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

__all__ = ["defer"]

_lock = threading.Lock()


class _Deferred(ModuleType):
    """Stands in `sys.modules` for a module; whoever reads, sets or lists its attributes gets the real one's."""

    def _real(self) -> ModuleType:
        # Several threads may come here at once: the first makes way for the real module, all wait for its import.
        with _lock:
            if sys.modules.get(self.__name__) is self:
                del sys.modules[self.__name__]
        return importlib.import_module(self.__name__)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real(), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._real(), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._real(), name)

    def __dir__(self) -> list[str]:
        return dir(self._real())


def defer(name: str) -> None:
    """Let ``import name`` cost nothing; does nothing where the module is loaded, or its package not installed."""
    # The spec of the module itself would take the import of its package.
    if name not in sys.modules and importlib.util.find_spec(name.partition(".")[0]) is not None:
        stand_in = _Deferred(name)
        stand_in.__dict__["__spec__"] = ModuleSpec(name, None)
        sys.modules[name] = stand_in
