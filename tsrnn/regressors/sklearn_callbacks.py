"""scikit-learn's callbacks, from version 1.9 on, as a hook of the training loop; before it they do not exist."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from ..engine.training import EpochState, Hook

__all__ = ["CallbackSupportMixin", "SklearnCallbacks", "with_callbacks"]

Method = TypeVar("Method", bound=Callable[..., Any])

if TYPE_CHECKING:
    # scikit-learn has no types, and its decorator would take those of a method away.
    class CallbackSupportMixin:
        """What estimators with callbacks inherit."""

        def _init_callback_context(self, *, max_subtasks: int) -> Any: ...

    def with_callbacks(method: Method) -> Method:
        """Let a method report to callbacks."""

else:
    try:
        from sklearn.callback import CallbackSupportMixin, with_callbacks
    except ImportError:  # scikit-learn before 1.9

        class CallbackSupportMixin:
            """Stands in for scikit-learn's class, which these versions do not have."""

        def with_callbacks(method):
            """Return the method as it is."""
            return method


class SklearnCallbacks(Hook):
    """Reports each epoch as a subtask.

    Parameters
    ----------
    context : sklearn.callback.CallbackContext
        The root context of the fit.
    fitted : callable
        Maps the state to the attributes that make the estimator fitted as if training had stopped there.
    data
        estimator, X, y and metadata, as the callbacks take them.
    """

    def __init__(self, context: Any, fitted: Callable[[EpochState], dict[str, Any]], **data: Any):
        self._context, self._fitted, self._data = context, fitted, data
        self._subcontext: Any = None

    def on_train_begin(self, state: EpochState) -> None:
        self._context.call_on_fit_task_begin(**self._data)

    def on_epoch_begin(self, state: EpochState) -> None:
        self._subcontext = self._context.subcontext(task_name="epoch")
        self._subcontext.call_on_fit_task_begin(**self._data)

    def on_epoch_end(self, state: EpochState) -> None:
        state.stop |= bool(self._end(self._subcontext, state))

    def on_train_end(self, state: EpochState) -> None:
        self._end(self._context, state)

    def _end(self, context: Any, state: EpochState) -> Any:
        return context.call_on_fit_task_end(**self._data, reconstruction_attributes=lambda: self._fitted(state))
