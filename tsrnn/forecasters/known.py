"""Covariates that need not be asked for: the calendar, what is constant in a series, and categories as columns.

They stand in the rows beside the covariates that the user passes, and are filled in wherever rows are added. Imports
calendars, frames and exceptions.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from .._warnings import warn_user
from ..calendars import calendar_columns
from ..exceptions import DataError, DataWarning
from ..frames import as_names, check_columns, some

__all__ = ["KnowsColumns"]

#: Ends the name of the column for categories that the fit did not have.
OTHER = "other"


class KnowsColumns:
    """Part of a forecaster that adds columns to the tables that it reads."""

    calendar: Any = None
    fourier: Any = None
    holidays: Any = None
    static_covariates: Any = None
    #: Columns of categories, and the categories that each had in the fit.
    categories_: dict[Any, list[str]]
    #: Columns that are filled in: those of the calendar, and those that are constant in a series.
    calendar_: list[str]
    static_: list[str]

    # ------------------------------------------------------------------ categories

    def _encoded(
        self, frame: pd.DataFrame, names: Iterable[Any], learn: bool
    ) -> tuple[pd.DataFrame, dict[Any, list[str]]]:
        """Put a column of 0 and 1 for each category in the place of a covariate that holds no numbers.

        Returns the frame and, for each such covariate, the columns that stand for it.
        """
        if learn:
            self.categories_ = {}
        columns: dict[Any, list[str]] = {}
        for name in names:
            if name not in frame.columns:
                continue
            values = frame[name]
            if isinstance(values, pd.DataFrame):  # of that name twice: others say so
                continue
            if learn and _holds_categories(values):
                self.categories_[name] = sorted({str(value) for value in values.dropna().unique()})
            if name in self.categories_:
                coded = self._one_hot(name, values)
                columns[name] = list(coded.columns)
                at = list(frame.columns).index(name)
                frame = pd.concat([frame.iloc[:, :at], coded, frame.iloc[:, at + 1 :]], axis=1)
        return frame, columns

    def _one_hot(self, name: Any, values: pd.Series) -> pd.DataFrame:
        known = self.categories_[name]
        if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
            raise DataError(f"column {name!r} held categories in the fit ({some(known)}), and holds numbers now.")
        text = values.astype(object).map(str, na_action="ignore")
        unseen = sorted(set(text.dropna()) - set(known))
        if unseen:
            warn_user(
                f"column {name!r} holds {some(map(repr, unseen))}, which the fit did not have: read as {OTHER!r}. Fit "
                "on rows that have them to tell them apart.",
                DataWarning,
            )
        missing = text.isna().to_numpy()
        coded = {f"{name}={category}": np.where(missing, np.nan, (text == category).to_numpy()) for category in known}
        coded[f"{name}={OTHER}"] = np.where(missing, np.nan, text.isin(unseen).to_numpy())
        return pd.DataFrame({column: v.astype(float) for column, v in coded.items()}, index=values.index)

    # ------------------------------------------------------------------ columns that are filled in

    def _filled_in(self) -> list[str]:
        return [*self.calendar_, *self.static_]

    def _add_calendar(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Put the columns of the calendar at the end of a table."""
        columns = calendar_columns(pd.DatetimeIndex(frame.index), self.calendar, self.fourier, self.holidays)
        self.calendar_ = list(columns.columns)
        both = [name for name in self.calendar_ if name in frame.columns]
        if both:
            raise DataError(
                f"the table has column(s) {some(both)}, which calendar= and fourier= make. Rename or drop them."
            )
        return pd.concat([frame, columns], axis=1) if self.calendar_ else frame

    def _filled(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Fill the columns that need not be asked for in rows that were added."""
        if not self._filled_in() or not len(frame):
            return frame
        added = frame[self._filled_in()[0]].isna().to_numpy()
        if not added.any():
            return frame
        frame = frame.copy()
        if self.calendar_:
            index = pd.DatetimeIndex(frame.index)[added]
            columns = calendar_columns(index, self.calendar, self.fourier, self.holidays)
            frame.loc[added, self.calendar_] = columns.to_numpy()
        if self.static_:
            frame.loc[added, self.static_] = frame[self.static_].iloc[0].to_numpy()
        return frame


def static_names(given: Any, columns: pd.Index) -> list[Any]:
    """Return the columns that are named as constant, in the table or as the column of the series."""
    names = as_names(given, columns)
    check_columns(pd.DataFrame(columns=columns), names, "static covariate")
    return names


def _holds_categories(values: pd.Series) -> bool:
    plain = pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values)
    return not plain and not pd.api.types.is_datetime64_any_dtype(values)
