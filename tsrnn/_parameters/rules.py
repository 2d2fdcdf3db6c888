"""Rules of single parameters: functions of name and value that raise, in the words of `_checks`. Imports checks."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from .._checks import check_bool, check_choice

__all__ = ["Rule", "auto_or", "choice", "none_or", "parts", "rule_of", "unchecked"]

Rule = Callable[[str, Any], Any]


def choice(*choices: Any) -> Rule:
    """One of these."""
    return partial(check_choice, choices=choices)


def auto_or(rule: Rule) -> Rule:
    """What a rule allows, or "auto"."""

    def check(name: str, value: Any) -> None:
        if not (isinstance(value, str) and value == "auto"):
            rule(name, value)

    return check


def none_or(rule: Rule) -> Rule:
    """What a rule allows, or None, which its words do not name."""

    def check(name: str, value: Any) -> None:
        if value is not None:
            rule(name, value)

    return check


def unchecked(name: str, value: Any) -> None:
    """Anything: what it may be shows where it is read."""


def parts(hint: Any) -> tuple[Any, ...]:
    """The types that a union is made of; of another type itself."""
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def rule_of(hint: Any) -> Rule | None:
    """The rule that a type says all about: a bool, or one of named values; None for another type."""
    if hint is bool:
        return check_bool
    values: list[Any] = []
    # As the types are listed, but switches and None last.
    for part in sorted(parts(hint), key=lambda part: (part is bool) + 2 * (part is type(None))):
        if part is not bool and part is not type(None) and get_origin(part) is not Literal:
            return None
        values.extend({bool: (True, False), type(None): (None,)}.get(part, get_args(part)))
    return choice(*values)
