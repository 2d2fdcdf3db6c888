"""Rules that several groups share. Imports checks."""

from __future__ import annotations

from functools import partial

from ..._checks import check_real

__all__ = ["NOT_NEGATIVE", "POSITIVE", "RATE", "SHARE"]

NOT_NEGATIVE = partial(check_real, low=0)
POSITIVE = partial(check_real, low=0, closed="right")
#: The share of what is left out, and others below 1.
RATE = partial(check_real, low=0, high=1, closed="left")
SHARE = partial(check_real, low=0, high=1, closed="right")
