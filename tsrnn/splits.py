"""Rolling origins: from which rows a backtest forecasts.

Pure arithmetic on row positions. For cross-validation use scikit-learn's `TimeSeriesSplit`. Imports only exceptions.
"""

from __future__ import annotations

import numpy as np

from .exceptions import DataError
from .frames import check_length

__all__ = ["rolling_cutoffs"]


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
