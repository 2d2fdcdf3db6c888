"""Warnings that point at the user's line, however many decorators and layers lie between. Imports nothing of tsrnn."""

from __future__ import annotations

import sys
import warnings

__all__ = ["warn_user"]

_INSIDE = (f"{__package__}.", "sklearn.", "joblib.", "contextlib.")


def warn_user(message: str, category: type[Warning]) -> None:
    """Warn at the first line on the stack that is neither of this package nor of what calls it back.

    Parameters
    ----------
    message : str
        What was found, and what to do.
    category : type of Warning
        Its class.
    """
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and f"{frame.f_globals.get('__name__', '')}.".startswith(_INSIDE):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
