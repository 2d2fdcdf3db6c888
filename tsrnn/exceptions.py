"""The errors and warnings that tsrnn raises. Imports nothing of tsrnn."""

from __future__ import annotations

from sklearn.exceptions import NotFittedError

__all__ = [
    "ArchiveError",
    "CapacityWarning",
    "DataError",
    "GradientWarning",
    "NotFittedError",
    "SilentNetworkWarning",
]


class DataError(ValueError):
    """The data given cannot be used as they are; the message says what to change."""


class ArchiveError(ValueError):
    """A saved model is damaged, not a tsrnn archive, or not safe to load."""


class CapacityWarning(UserWarning):
    """A network has more trainable parameters than there are windows to train it on."""


class GradientWarning(UserWarning):
    """The gradient of a network vanishes or explodes on its way back through a window."""


class SilentNetworkWarning(UserWarning):
    """The networks of a forecaster add nothing to what it forecasts without them."""
