"""Networks computed by C kernels on the CPU, without Keras. The extension is optional: see `available`.

Imports nothing of C until it is asked for, so that the package works where no compiler was at install.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec

from ..program import ProgramKey

__all__ = ["available", "shortfall"]


@cache
def available() -> bool:
    """Say whether the extension was compiled at install."""
    return find_spec(f"{__name__}._core") is not None


def shortfall(key: ProgramKey) -> str | None:
    """Say why the native engine does not compute the networks of this key; None if it does."""
    if not available():
        return "the native engine was not compiled when tsrnn was installed (pip install needs a C compiler for it)"
    from .program import shortfall

    return shortfall(key)
