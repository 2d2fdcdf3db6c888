"""Folds of scikit-learn that a forecaster cannot be scored on, found before the first fit. Imports exceptions.

A forecaster predicts rows after its history. `fit` cannot tell a training part with holes from data with gaps, and
`predict` comes after the work. But scikit-learn's searches and cross-validations clone a model for each fold where they
hold the rows of its two parts; that is where folds can be looked at.
"""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

import numpy as np

from .exceptions import DataError

__all__ = ["check_folds"]


def check_folds() -> None:
    """Raise `DataError` if scikit-learn is cloning the caller for a fold that asks for forecasts of the past.

    This reads the variables `train` and `test` of scikit-learn's functions. Where a version has none by these names,
    nothing is found here, and `predict` refuses the rows.
    """
    frame: FrameType | None = sys._getframe(2)  # past the caller, `__sklearn_clone__`
    # Up through the clones of what the model is a part of: a pipeline, a wrapper, a class that adds to cloning.
    while frame is not None and (_module(frame) == "sklearn.base" or _module(frame).startswith("tsrnn.")):
        frame = frame.f_back
    if frame is None or not _module(frame).startswith("sklearn.model_selection."):
        return
    if getattr(getattr(frame.f_locals.get("X"), "index", None), "nlevels", 1) > 1:
        return  # many series, whose rows are not in the order of time
    train, test = (_rows(frame.f_locals.get(name)) for name in ("train", "test"))
    if train is not None and test is not None and (bad := strange_rows(train, test)).size:
        raise DataError(
            f"a fold asks for forecasts of {bad.size} row(s) of the past that it leaves out of the training part: that "
            f"goes to row {train.max()}, and row {bad.min()} is to be forecast. Forecasts go forward in time: pass "
            "cv=TimeSeriesSplit(...), not KFold (which cv=5 stands for as well), and do not shuffle."
        )


def strange_rows(train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Return the rows to forecast that lie before the end of the training part and are not in it.

    Examples
    --------
    >>> strange_rows(np.array([0, 1, 3, 4]), np.array([2, 5]))
    array([2])
    """
    if not train.size:
        return np.empty(0, dtype=np.intp)
    return np.setdiff1d(test[test < train.max()], train)


def _module(frame: FrameType) -> str:
    return frame.f_globals.get("__name__", "")


def _rows(part: Any) -> np.ndarray | None:
    """Return row numbers as an array; a mask names those that are set. None for anything else."""
    if not isinstance(part, (np.ndarray, list, range)):
        return None
    rows = np.asarray(part)
    rows = np.flatnonzero(rows) if rows.dtype == bool else rows
    return rows if rows.ndim == 1 and np.issubdtype(rows.dtype, np.integer) else None
