"""What every public estimator is beside its work: it says which parameter was meant, and is shown at no cost.

Imports near misses and parameters.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

from ._near_misses import check_parameters as check_words
from ._parameters import check_parameters

if TYPE_CHECKING:
    # scikit-learn has no types, and a class with a base that nobody knows would take any parameter.
    class BaseEstimator:
        def get_params(self, deep: bool = True) -> dict[str, Any]: ...
        def set_params(self, **params: Any) -> Self: ...
        def __sklearn_tags__(self) -> Any: ...
        def __sklearn_clone__(self) -> Self: ...

    class RegressorMixin: ...

    class TransformerMixin:
        def fit_transform(self, X: Any, y: Any = None, **fit_params: Any) -> Any: ...

else:
    from sklearn.base import BaseEstimator, RegressorMixin, TransformerMixin

__all__ = ["Estimator", "RegressorMixin", "TransformerMixin"]


class Estimator(BaseEstimator):
    """scikit-learn's base class, with errors and displays of our own."""

    #: Fitted attributes that displays leave out, beside those of the bases: what takes work to read, such as a Keras
    #: model, and state that is none of the reader's business.
    _not_shown: tuple[str, ...] = ()

    # Not `__init__`, which scikit-learn and editors read the parameters from. Seen by type checkers, it would take any.
    if not TYPE_CHECKING:

        def __new__(cls, *args, **kwargs):
            check_words(cls, kwargs.keys(), TypeError)
            return super().__new__(cls)

    def set_params(self, **params: Any) -> Self:
        """Set parameters of this estimator, or with ``<part>__<parameter>`` those of an estimator that it holds.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If it has no such parameter; the message names the nearest.
        """
        check_words(type(self), {name.partition("__")[0] for name in params}, ValueError)
        return super().set_params(**params)

    def __check_parameters__(self) -> None:
        """Raise unless each parameter has an allowed value, and they go together."""
        check_parameters(self)
        self._check_together()

    def _check_together(self) -> None:
        """Raise if parameters that are allowed by themselves do not go together."""

    def __dir__(self) -> Iterable[str]:
        # scikit-learn's HTML, debuggers and `inspect.getmembers` read all that is listed here. As scikit-learn does,
        # leave out what is not there (yet).
        left_out = {name for cls in type(self).__mro__ for name in vars(cls).get("_not_shown", ())}
        return [name for name in object.__dir__(self) if name not in left_out and hasattr(self, name)]
