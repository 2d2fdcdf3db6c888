"""How estimators change: whole, in one step, and how they are read: from one state, whatever happens meanwhile.

A fit works on a draft, a copy that shares nothing but what is never changed in place, and its attributes take the
estimator's place when it is done. A prediction of another thread, an error and Ctrl-C see the old state, and all of it.
Imports nothing of tsrnn.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["KeptWork", "publishes", "reads_one_state", "stand_in"]

Method = TypeVar("Method", bound=Callable[..., Any])


class KeptWork(KeyboardInterrupt):
    """Ctrl-C in a method that wants what it has set until then to be published all the same."""


def stand_in(estimator: Any, state: dict[str, Any]) -> Any:
    """Return an object of the estimator's class with these attributes; copying protocols may leave some out."""
    other = object.__new__(type(estimator))
    other.__dict__ = state
    return other


def publishes(method: Method) -> Method:
    """Let a method that changes an estimator work on a draft, and publish it when the method returns.

    What the method sets on `self` shows at once when it is done, and not at all if it raises (`KeptWork` apart). It
    must not change attributes in place.
    """

    @functools.wraps(method)
    def published(self: Any, *args: Any, **kwargs: Any) -> Any:
        draft = stand_in(self, self.__dict__.copy())
        try:
            result = method(draft, *args, **kwargs)
        except KeptWork:
            self.__dict__ = draft.__dict__
            raise
        self.__dict__ = draft.__dict__  # one assignment: no reader finds half of it
        return self if result is draft else result

    return published  # type: ignore[return-value]


def reads_one_state(method: Method) -> Method:
    """Let a method read the attributes as they are when it is called, even if they are replaced meanwhile.

    They are not copied: what it keeps for the next call (errors on calibration windows) stays with the state it is of.
    """

    @functools.wraps(method)
    def reading(self: Any, *args: Any, **kwargs: Any) -> Any:
        return method(stand_in(self, self.__dict__), *args, **kwargs)

    return reading  # type: ignore[return-value]
