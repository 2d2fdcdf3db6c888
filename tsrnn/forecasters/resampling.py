"""Rows at irregular times, put on the grid of the frequency where the user says by which rule.

Imports calendars, frames and exceptions.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from ..calendars import calendar_columns
from ..exceptions import DataError
from ..frames import Rows, check_columns, check_frame
from ..frames.bins import check_bins, fill_bins

__all__ = ["Resamples"]


class Resamples:
    """Part of a forecaster that puts rows on the grid, if it is told to."""

    resample: Any = None

    def _binned(self: Any, data: pd.DataFrame) -> pd.DataFrame:
        """Return the columns in use of one series, a row for each bin that has any."""
        return (
            data if self.resample is None or not len(data) else self._in_bins(data, np.zeros(len(data), dtype=int))[0]
        )

    def _binned_rows(self: Any, data: pd.DataFrame, rows: Rows, name: str = "X") -> tuple[pd.DataFrame, Rows]:
        """Return the same of the columns and rows of a panel, series by series."""
        if self.resample is None or not len(data):
            return data, rows
        if rows.form.numbered:
            raise DataError(f"resample={self.resample!r} needs times, and the rows of {name} are numbered. Drop it.")
        self._refuse_periods(rows.form.periods)
        panel = rows.panel(data, name)  # which refuses a time that stands twice
        binned, codes = self._in_bins(panel.frame, panel.series)
        return binned, replace(rows, frame=binned[[]], codes=codes, index=None)

    def _in_bins(self: Any, data: pd.DataFrame, codes: np.ndarray) -> tuple[pd.DataFrame, np.ndarray]:
        offset = check_bins(self.resample, self.freq)
        if self.asked_:
            raise DataError(
                f"resample={self.resample!r} is for targets and past covariates; what is known ahead, "
                f"{', '.join(map(repr, self.asked_))}, comes on the grid of freq={self.freq!r}. Put the table on it "
                "first, e.g. df.resample('h').mean(), or leave these columns out."
            )
        rules = {name: "first" if name in self.static_ else self.resample for name in data.columns}
        binned, codes = fill_bins(data, codes, offset, rules)
        if self.calendar_:
            made = calendar_columns(pd.DatetimeIndex(binned.index), self.calendar, self.fourier, self.holidays)
            binned = binned.assign(**{name: made[name].to_numpy() for name in self.calendar_})
        return binned, codes

    def _refuse_periods(self: Any, periods: Any) -> None:
        if self.resample is not None and periods:
            raise DataError(f"resample={self.resample!r} needs stamps, and the rows are periods. Drop it.")

    def _binned_truth(self: Any, X: Any, y: Any) -> Any:
        """Return the targets of a table to score on the grid, where no y is given beside it."""
        if self.resample is None or y is not None or not isinstance(X, (pd.DataFrame, pd.Series)):
            return X
        frame = pd.DataFrame(X.to_frame(self.targets_[0]) if isinstance(X, pd.Series) else X)
        if self._has_members():
            rows = self._rows_of(frame)
            check_columns(rows.frame, self.targets_, "target")
            data, rows = self._binned_rows(check_frame(rows.frame[self.targets_], timed=False), rows)
            return rows.form.give_back(data, rows.ids[rows.codes], rows.stamps)
        check_columns(frame, self.targets_, "target")
        return self._binned(check_frame(frame[self.targets_]))
