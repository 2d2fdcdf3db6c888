"""Arrays of NumPy as the table of a forecaster: rows have numbers, which go on where new rows come in.

Imports frames and exceptions.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..exceptions import DataError
from ..frames import Form, Rows, is_wide, read_rows, rows_of_array
from ..frames.grid import numbers_of
from .members import Members

__all__ = ["ReadsArrays", "is_array"]


def is_array(X: Any) -> bool:
    """Say whether something is an array of NumPy."""
    return isinstance(X, np.ndarray)


class ReadsArrays:
    """Part of a forecaster that reads rows, of tables and of arrays."""

    id_col: Any
    time_col: Any
    freq: Any
    members_: Members | None
    targets_: list[Any]
    asked_: list[Any]

    def _is_panel(self, X: Any) -> bool:
        """Say whether rows are read as those of a panel: many series, or an array."""
        return is_array(X) or not is_wide(X, self.id_col, self.time_col)

    def _form(self) -> Form | None:
        """Return the form of the rows that were fitted."""
        members = getattr(self, "members_", None)
        return None if members is None else members.form

    def _rows_of(self, X: Any, name: str = "X", *, ahead: bool = False) -> Rows:
        """Return the rows of a table, or of an array; `ahead` numbers those on from the last row known.

        Raises
        ------
        DataError
            If an array is given where a table was fitted, or a table where an array was; for an array to fit, if it is
            not said what its rows are.
        """
        form = self._form()
        if form is not None and is_array(X) != bool(form.array):
            was, now = ("an array", "a table") if form.array else ("a table", "an array")
            raise DataError(f"fitted on {was}, and {name} is {now} ({type(X).__name__}). Pass {was}.")
        if not is_array(X):
            return read_rows(X, self.id_col, self.time_col, name)
        if form is None:
            self._check_numbered(X)
            return rows_of_array(X, name=name)
        first = int(numbers_of(self.members_.stamps[-1:])[0]) + 1 if ahead and self.members_ else 0
        return rows_of_array(X, self._labels(X), first, name)

    def _next_rows(self, X: Any) -> Any:
        """Return how many rows an array asks for that follow the last one known, unless it holds covariates."""
        return len(X) if is_array(X) and self._form() is not None and not self.asked_ else X

    def _check_numbered(self, X: np.ndarray) -> None:
        """Raise `DataError` unless it is said how far rows of an array are apart, or how many make a season."""
        if self.freq is None and getattr(self, "season_length", None) is None:
            season = ", or season_length= and the rows in a season" if hasattr(self, "season_length") else ""
            raise DataError(
                f"X must be a DataFrame with a time index, got ndarray of shape {X.shape}. Of an array say how far its "
                f"rows are apart: freq='h' (or 'D', 'B', 'MS', ...){season}. Or pass a table; with no covariates an "
                "empty one: fit(df[[]], df['temp']). In a Pipeline, call .set_output(transform='pandas') on the "
                "transformers in front."
            )
        for name in ("id_col", "time_col", "calendar", "holidays"):
            if getattr(self, name, None) is not None:
                raise DataError(
                    f"{name}={getattr(self, name)!r} needs a table, and X is an array: its rows have numbers, no "
                    "times. Drop it, or pass a DataFrame."
                )

    def _labels(self, X: np.ndarray) -> list[Any] | None:
        """Return the names of the columns of an array: those to fit have numbers; y alone, and covariates, may come."""
        width = X.shape[1] if X.ndim == 2 else 1
        if self.asked_ and width == len(self.asked_):
            return list(self.asked_)
        apart = [name for name in self.targets_ if isinstance(name, str)]  # y was passed by itself, and stands first
        return [*apart, *range(width - len(apart))] if apart and width >= len(apart) else None
