"""Estimators whose Keras callbacks report to the objects that they were given, in clones as well."""

from __future__ import annotations

from typing import Any

from .._publishing import stand_in

__all__ = ["ReportsToCallbacks"]


class ReportsToCallbacks:
    """Lets clones share the callbacks, where scikit-learn would copy whatever a callback holds.

    A list that a callback writes to would be one that nobody reads, and a lock could not be copied at all. Sharing is
    safe, since each fit works on copies of its own, which it keeps as `callbacks_`. Those stay in this process: what
    they hold need not be data.
    """

    callbacks: Any

    def __sklearn_clone__(self) -> Any:
        bare = stand_in(self, vars(self) | {"callbacks": None})
        new = super(ReportsToCallbacks, bare).__sklearn_clone__()  # type: ignore[misc]
        new.callbacks = self.callbacks
        return new

    def __getstate__(self) -> dict[str, Any]:
        state: Any = super().__getstate__()
        return state | {"callbacks_": []} if "callbacks_" in state else state
