"""What a forecaster is asked for: steps, timestamps, levels. Says what was meant where it is none of them.

Imports checks and exceptions.
"""

from __future__ import annotations

import datetime
import numbers
from typing import Any

import numpy as np
import pandas as pd

from .._checks import check_quantiles
from ..exceptions import DataError
from ..frames import is_length

__all__ = ["check_levels", "check_request", "check_steps", "interval_levels"]

ALLOWED = "a number of steps, or the timestamps to forecast (a DatetimeIndex, or a frame or Series indexed by them)"


def check_steps(steps: Any) -> int:
    """Return a forecast length as int, or raise `DataError`."""
    if not is_length(steps):
        raise DataError(f"steps must be an integer of at least 1, got {_brief(steps)}.{_whole(steps)}")
    return int(steps)


def check_request(X: Any) -> None:
    """Raise `DataError` unless X says what to forecast; timestamps are looked at elsewhere."""
    whole = isinstance(X, numbers.Integral) and not isinstance(X, bool)
    if whole or isinstance(X, (pd.DataFrame, pd.Series, pd.Index)):
        return
    raise DataError(f"X to predict must be {ALLOWED}, got {_brief(X)}.{_way(X)}")


def check_levels(quantiles: Any) -> np.ndarray:
    """Return the levels of quantiles as an array, in the order given, or raise `DataError`."""
    try:
        return np.array(check_quantiles("quantiles", quantiles, increasing=False))
    except (TypeError, ValueError) as exc:
        given = np.ravel(quantiles) if _are_numbers(quantiles) else np.empty(0)
        percent = given.size and given.max() > 1 and given.min() > 0 and given.max() < 100
        way = f" Write {(given / 100).tolist()} for percent." if percent else ""
        way = way or (f" Write quantiles=[{quantiles}]." if isinstance(quantiles, numbers.Real) else "")
        raise DataError(f"{exc}{way}") from None


def interval_levels(coverage: float) -> tuple[np.ndarray, str]:
    """Return the two tail levels of a central interval and its suffix in column names ('90' for 0.9)."""
    if not isinstance(coverage, numbers.Real) or not 0 < coverage < 1:
        percent = isinstance(coverage, numbers.Real) and 1 < coverage < 100
        way = f" Write {coverage / 100:g} for {coverage:g} %." if percent else ""
        raise DataError(f"coverage must lie strictly between 0 and 1, got {coverage!r}.{way}")
    return np.array([(1 - coverage) / 2, (1 + coverage) / 2]), f"{100 * coverage:g}"


def _way(X: Any) -> str:
    """Say how what was probably meant is written; begins with a space."""
    if isinstance(X, (str, datetime.date, np.datetime64)):
        one = _is_time(X)
        return f" For that time write pd.DatetimeIndex([{str(X)!r}])." if one else " Write predict(24) for 24 steps."
    if 0 < _number(X) < 1:
        return f" A level is named: predict_quantiles(quantiles=[{X}]), or predict_interval(coverage={X})."
    if _are_numbers(X) and np.size(X) and np.min(X) > 0 and np.max(X) < 1:
        return f" Levels are named: predict_quantiles(quantiles={np.asarray(X).tolist()})."
    if _are_numbers(X) and np.ndim(X) == 1 and np.size(X) and np.max(X) >= 1:
        return f" Write predict({int(np.max(X))}), and take the steps that you need."
    if isinstance(X, (list, tuple, np.ndarray)) and len(X) and all(map(_is_time, X)):
        return " Make it one: pd.DatetimeIndex(X)."
    return _whole(X)


def _whole(value: Any) -> str:
    number = _number(value)
    return f" Write {number:.0f}." if number >= 1 and number.is_integer() else ""


def _number(value: Any) -> float:
    """Return a single number as float; NaN for anything else."""
    return float(value) if isinstance(value, numbers.Real) and not isinstance(value, bool) else float("nan")


def _is_time(value: Any) -> bool:
    if not isinstance(value, (str, datetime.date, np.datetime64)):
        return False
    try:
        return not pd.isna(pd.Timestamp(value))
    except ValueError:
        return False


def _are_numbers(values: Any) -> bool:
    try:
        return np.asarray(values).dtype.kind in "iuf"
    except ValueError:  # ragged
        return False


def _brief(value: Any) -> str:
    """Return the value and its type, without the rows of what is large."""
    kind = type(value).__name__
    if isinstance(value, (pd.DataFrame, pd.Series, pd.Index, np.ndarray)):
        return f"a {kind} of shape {value.shape}"
    text = repr(value)
    return f"{text if len(text) < 60 else text[:57] + '...'} of type {kind}"
