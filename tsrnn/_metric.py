"""What a metric is to tables of several models. Imports only exceptions."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .exceptions import DataError

__all__ = ["DIMENSIONLESS", "NEEDS", "Metric"]

#: What a function may ask for by a keyword of this name, beside observations and forecasts.
NEEDS = ("scale", "reference", "quantiles")
#: Units that do not differ from series to series, in the order in which they stand in a table of several targets.
DIMENSIONLESS = ("", "%", "share")


@dataclass(frozen=True)
class Metric:
    """A function of observations and forecasts, and what a table must know of its numbers.

    Parameters
    ----------
    function : callable
        ``function(y_true, y_pred)`` of two arrays of shape (n,), without missing values, gives one number. It gets by
        keyword what it `needs`.
    name : str, optional
        The column; the name of the function by default.
    unit : str, default="target"
        Of its numbers: "target" for that of the series; "" for none, "%" and "share" for what has no unit either;
        anything else in words, such as "target²". What has a unit cannot be averaged over different series: of several
        targets it stands last.
    better : {"lower", "higher"}, default="lower"
        Which numbers are better.
    needs : tuple of str, default=()
        Keywords that the function takes: "scale", the mean absolute error of the seasonal naive forecast inside the
        training part, in the unit of the series; "reference", the forecasts of the model that skill is measured
        against, of shape (n,); "quantiles", a dict of the levels of the bounds of the interval to arrays of shape (n,).

    Raises
    ------
    DataError
        If there is no name, the function takes something else, or a value is none of these.

    Examples
    --------
    >>> def worst(y_true, y_pred):
    ...     return abs(y_true - y_pred).max()
    >>> Metric(worst).name
    'worst'
    >>> Metric(lambda y, f, scale: (y - f).mean() / scale, "bias", unit="", needs=("scale",)).dimensionless
    True
    """

    function: Callable[..., float]
    name: str = ""
    unit: str = "target"
    better: Literal["lower", "higher"] = "lower"
    needs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise DataError(f"a metric is a function f(y_true, y_pred), got {self.function!r}.")
        name = self.name or getattr(self.function, "__name__", "<unnamed>")
        if not isinstance(name, str) or not name.strip("<>").isprintable() or name.startswith("<"):
            raise DataError(f"the metric {self.function!r} has no name. Give it one: Metric(function, 'name').")
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "needs", (self.needs,) if isinstance(self.needs, str) else tuple(self.needs))
        if self.better not in ("lower", "higher"):
            raise DataError(f"better={self.better!r} of metric {name!r} is not one of 'lower', 'higher'.")
        if not isinstance(self.unit, str):
            raise DataError(f"unit={self.unit!r} of metric {name!r} is not text, such as 'target' or ''.")
        unknown = [need for need in self.needs if need not in NEEDS]
        if unknown:
            raise DataError(f"metric {name!r} needs {unknown[0]!r}, which is not one of {', '.join(map(repr, NEEDS))}.")
        self._check_signature()

    def _check_signature(self) -> None:
        try:
            signature = inspect.signature(self.function)
        except ValueError:  # of some functions in C
            return
        try:
            signature.bind(None, None, **dict.fromkeys(self.needs))
        except TypeError as exc:
            given = ", ".join(["y_true", "y_pred", *(f"{need}=..." for need in self.needs)])
            raise DataError(
                f"metric {self.name!r} is called as {self.name}({given}), but takes {signature}. Change the function, "
                "or name what it takes by keyword in needs=."
            ) from exc

    @property
    def dimensionless(self) -> bool:
        """Whether its numbers mean the same for any series."""
        return self.unit in DIMENSIONLESS

    def score(self, y_true: np.ndarray, y_pred: np.ndarray, **given: object) -> float:
        """Return its number, for which `given` holds what any metric may need; NaN where something is missing.

        Raises
        ------
        DataError
            If the function fails, or gives anything but a number; the message names the metric.
        """
        needed = {need: given.get(need) for need in self.needs}
        if any(value is None or (isinstance(value, float) and np.isnan(value)) for value in needed.values()):
            return np.nan
        try:
            value = self.function(y_true, y_pred, **needed)
            number = np.asarray(value, dtype=float)
        except Exception as exc:
            raise DataError(f"metric {self.name!r} failed with {type(exc).__name__}: {exc}") from exc
        if number.ndim:
            raise DataError(
                f"metric {self.name!r} gave an array of shape {number.shape}. It must give one number, e.g. the mean."
            )
        return float(number)
