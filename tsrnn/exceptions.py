"""The errors and warnings that tsrnn raises. Imports nothing of tsrnn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sklearn.exceptions import NotFittedError

__all__ = [
    "ArchiveError",
    "CapacityWarning",
    "DataError",
    "DataWarning",
    "GradientWarning",
    "NotFittedError",
    "PrecisionWarning",
    "SilentNetworkWarning",
]


def __getattr__(name: str) -> Any:
    # scikit-learn takes 50 MB: a file can be refused without it.
    if name == "NotFittedError":
        from sklearn.exceptions import NotFittedError

        return NotFittedError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class DataError(ValueError):
    """The data given cannot be used as they are; the message says what to change."""


class DataWarning(UserWarning):
    """The data can be used as they are, but may not be what was meant; the message says what to do."""


class ArchiveError(ValueError):
    """A saved model is damaged, not a tsrnn archive, or not safe to load."""


class CapacityWarning(UserWarning):
    """A network has more trainable parameters than there are windows to train it on."""


class GradientWarning(UserWarning):
    """The gradient of a network vanishes or explodes on its way back through a window."""


class PrecisionWarning(UserWarning):
    """Values lose their movement when they are rounded to float32, in which networks compute."""


class SilentNetworkWarning(UserWarning):
    """The networks of a forecaster add nothing to what it forecasts without them."""
