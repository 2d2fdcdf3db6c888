"""Where the past ends: from which rows a backtest forecasts, and how a table of many series is cut for scikit-learn.

For one series, scikit-learn's `TimeSeriesSplit` does as well. Imports frames and exceptions.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any

import numpy as np

from .exceptions import DataError
from .frames import check_length, read_rows

__all__ = ["PanelTimeSeriesSplit", "rolling_cutoffs"]


def rolling_cutoffs(
    n_rows: int, horizon: int, n_windows: int = 20, step: int | None = None, min_train: int = 2
) -> np.ndarray:
    """Rows after which a backtest forecasts, the last one such that its forecast ends at the last row.

    Parameters
    ----------
    n_rows : int
        Rows of the series, one per step of its grid.
    horizon : int
        Rows forecast after each cutoff.
    n_windows : int, default=20
        How many cutoffs.
    step : int, optional
        Rows from one cutoff to the next; the horizon by default, so that every row is forecast once.
    min_train : int, default=2
        Rows that the first cutoff must leave to train on, itself included.

    Returns
    -------
    ndarray of shape (n_windows,), int
        Positions of the last known rows, ascending.

    Raises
    ------
    DataError
        If a number is not a positive integer, or the history is too short; the message says what would fit.

    Examples
    --------
    >>> rolling_cutoffs(10, horizon=2, n_windows=3)
    array([3, 5, 7])
    >>> rolling_cutoffs(10, horizon=2, n_windows=3, step=1)
    array([5, 6, 7])
    """
    step = horizon if step is None else step
    numbers_given = {"horizon": horizon, "n_windows": n_windows, "step": step, "min_train": min_train}
    for name, value in numbers_given.items():
        check_length(value, name)
    first = n_rows - 1 - horizon - (n_windows - 1) * step
    if first + 1 < min_train:
        raise DataError(_too_short(n_rows, horizon, n_windows, step, min_train))
    return first + step * np.arange(n_windows)


def _too_short(n_rows: int, horizon: int, n_windows: int, step: int, min_train: int) -> str:
    needed = horizon + (n_windows - 1) * step
    spare = n_rows - min_train - horizon
    fits = f"At most {spare // step + 1} windows fit" if spare >= 0 else "Not even one window fits"
    return (
        f"{n_windows} windows of horizon={horizon}, {step} row(s) apart, forecast the last {needed} rows and need "
        f"{min_train} before to train on, but there are {n_rows} rows. {fits}: lower n_windows, step or horizon, or "
        "pass more history."
    )


@dataclass(kw_only=True)
class PanelTimeSeriesSplit:
    """Cut a table of many series in time: the same cutoffs for all of them.

    For scikit-learn's own searches and cross-validations, as they are. Sizes are counted in the different times of the
    table: with hourly rows in steps of an hour, however many series have a row then. Of one series it is scikit-learn's
    `TimeSeriesSplit`.

    Parameters
    ----------
    n_splits : int, default=5
        Number of splits.
    test_size : int, optional
        Times in each test part; by default ``n_times // (n_splits + 1)``.
    gap : int, default=0
        Times left out between the training and the test part.
    max_train_size : int, optional
        Times in the training part, the last ones; by default all up to the cutoff.
    id_col, time_col : label, optional
        Columns that say which series a row is of, and when it is; without `time_col` the index is the time. An index of
        two levels, series and time, needs neither.

    Examples
    --------
    >>> import pandas as pd
    >>> days = pd.date_range("2024-01-01", periods=4)
    >>> X = pd.DataFrame({"shop": ["a"] * 4 + ["b"] * 4, "day": [*days, *days]})
    >>> for train, test in PanelTimeSeriesSplit(n_splits=2, test_size=1, id_col="shop", time_col="day").split(X):
    ...     print(train, test)
    [0 1 4 5] [2 6]
    [0 1 2 4 5 6] [3 7]
    """

    n_splits: int = field(default=5, kw_only=False)
    test_size: int | None = None
    gap: int = 0
    max_train_size: int | None = None
    id_col: Hashable | None = None
    time_col: Hashable | None = None

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of splits."""
        return self.n_splits

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the rows of each training and test part.

        Parameters
        ----------
        X : table of shape (n_rows, n_columns)
            Its rows in any order.
        y, groups : ignored
            There because scikit-learn passes them.

        Yields
        ------
        train, test : ndarray of int
            Positions of rows, ascending.

        Raises
        ------
        DataError
            If X does not say which series and when, or has too few different times.
        """
        n_splits = check_length(self.n_splits, "n_splits")
        if not isinstance(self.gap, Integral) or self.gap < 0:
            raise DataError(f"gap must be an integer of at least 0, got {self.gap!r}.")
        stamps = read_rows(X, self.id_col, self.time_col).stamps
        times, at = np.unique(stamps.asi8, return_inverse=True)
        size = len(times) // (n_splits + 1) if self.test_size is None else check_length(self.test_size, "test_size")
        most = None if self.max_train_size is None else check_length(self.max_train_size, "max_train_size")
        first = len(times) - n_splits * size
        if size < 1 or first - self.gap < 1:
            raise DataError(
                f"{n_splits} test parts of {max(size, 1)} times and a gap of {self.gap} need more than "
                f"{n_splits * max(size, 1) + self.gap} different times, and the table has {len(times)}. Use a smaller "
                "n_splits, test_size or gap."
            )
        for start in range(first, len(times), size):
            stop = start - self.gap
            begin = 0 if most is None else max(0, stop - most)
            yield np.flatnonzero((at >= begin) & (at < stop)), np.flatnonzero((at >= start) & (at < start + size))
