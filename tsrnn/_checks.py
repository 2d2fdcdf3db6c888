"""Checks of single parameters. Each raises with the name, the value got and what is allowed. Imports nothing of tsrnn.

Parameters are checked when an estimator is fitted, never when it is made: scikit-learn sets them in any order.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterable
from numbers import Integral, Real
from typing import Any

__all__ = [
    "check_bool",
    "check_choice",
    "check_dilation",
    "check_int",
    "check_positions",
    "check_quantiles",
    "check_real",
    "check_units",
    "check_verbose",
    "check_widths",
]


def check_int(name: str, value: Any, low: int = 1, high: int | None = None, *, none: bool = False) -> int | None:
    """Return `value` as an int of at least `low` and at most `high`; None passes through if `none` allows it."""
    if none and value is None:
        return None
    allowed = f"an integer of at least {low}" if high is None else f"an integer from {low} to {high}"
    allowed += " or None" if none else ""
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name} must be {allowed}, got {value!r} of type {type(value).__name__}.")
    number = int(value)
    if number < low or (high is not None and number > high):
        raise ValueError(f"{name} must be {allowed}, got {value!r}.")
    return number


def check_real(
    name: str,
    value: Any,
    low: float = -math.inf,
    high: float = math.inf,
    closed: str = "both",
    *,
    none: bool = False,
) -> float | None:
    """Return `value` as a finite float between `low` and `high`; `closed` says which ends belong to the range.

    `closed` is "both", "left", "right" or "neither", as in pandas.
    """
    if none and value is None:
        return None
    left = "[" if closed in ("both", "left") and low > -math.inf else "("
    right = "]" if closed in ("both", "right") and high < math.inf else ")"
    allowed = f"a number in {left}{low:g}, {high:g}{right}" + (" or None" if none else "")
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name} must be {allowed}, got {value!r} of type {type(value).__name__}.")
    number = float(value)
    above = number >= low if left == "[" else number > low
    below = number <= high if right == "]" else number < high
    if not (math.isfinite(number) and above and below):
        raise ValueError(f"{name} must be {allowed}, got {value!r}.")
    return number


def check_choice(name: str, value: Any, choices: Collection[Any]) -> Any:
    """Return `value` if it is one of `choices`."""
    # A plain `in` would take 1 for True, and fail on values that cannot be compared (arrays).
    if not any(type(value) is type(choice) and value == choice for choice in choices):
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}.")
    return value


def check_bool(name: str, value: Any) -> bool:
    """Return `value` if it is True or False (NumPy's included)."""
    if type(value).__name__ not in ("bool", "bool_"):
        raise TypeError(f"{name} must be True or False, got {value!r} of type {type(value).__name__}.")
    return bool(value)


def check_verbose(name: str, value: Any) -> None:
    """Raise unless `value` is "auto", an integer of at least 0, or a bool in place of 0 and 1."""
    if isinstance(value, bool) or (isinstance(value, str) and value == "auto"):
        return
    if isinstance(value, str):
        raise ValueError(f'{name} must be "auto" or an integer of at least 0, got {value!r}.')
    check_int(name, value, 0)


def check_units(name: str, value: Any) -> None:
    """Raise unless `value` is the width of one layer, or a sequence with that of each."""
    if not isinstance(value, (tuple, list)):
        check_int(name, value)
        return
    if not value:
        raise ValueError(f"{name} must name at least one layer, got an empty sequence.")
    for i, units in enumerate(value):
        check_int(f"{name}[{i}]", units)


def check_widths(name: str, widths: Any) -> None:
    """Raise unless `widths` is a sequence with the width of each of any number of layers."""
    if not isinstance(widths, (tuple, list)):
        raise TypeError(f"{name} must be a tuple of widths, such as (16,), or () for no layers, got {widths!r}.")
    for i, width in enumerate(widths):
        check_int(f"{name}[{i}]", width)


def check_dilation(name: str, value: Any) -> None:
    """Raise unless `value` is a number of steps, or a sequence with that of each layer."""
    if not isinstance(value, (tuple, list)):
        check_int(name, value)
        return
    for i, dilation in enumerate(value):
        check_int(f"{name}[{i}]", dilation)


def check_positions(name: str, value: Any) -> None:
    """Raise unless `value` is a sequence of different positions of features, or None."""
    if value is None:
        return
    if not isinstance(value, (tuple, list)) or not value:
        raise TypeError(f"{name} must be a tuple of positions of features or None, got {value!r}.")
    for i, feature in enumerate(value):
        check_int(f"{name}[{i}]", feature, 0)
    if len(set(value)) < len(value):
        raise ValueError(f"{name} must name each feature once, got {value!r}.")


def check_quantiles(name: str, values: Any, *, increasing: bool = True) -> tuple[float, ...]:
    """Return `values` as a tuple of levels strictly between 0 and 1, at least one of them."""
    allowed = "one or more numbers strictly between 0 and 1" + (", increasing" if increasing else "")
    if isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise TypeError(f"{name} must be a sequence of {allowed}, got {values!r}.")
    values = tuple(values)
    for i, value in enumerate(values):
        check_real(f"{name}[{i}]", value, 0, 1, closed="neither")
    if not values or (increasing and any(low >= high for low, high in itertools.pairwise(values))):
        raise ValueError(f"{name} must be {allowed}, got {values!r}.")
    return tuple(map(float, values))
