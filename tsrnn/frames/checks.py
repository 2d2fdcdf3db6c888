"""Validation of time-indexed frames. Imports only exceptions."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from ..exceptions import DataError

__all__ = ["as_names", "check_columns", "check_frame", "check_time_index", "check_unique_columns", "in_zone", "some"]


def some(items: Iterable, most: int = 5) -> str:
    """List the first few items for a message: '2024-01-01, 2024-01-02, ... (7 in all)'."""
    items = list(items)
    shown = ", ".join(str(item) for item in items[:most])
    return shown if len(items) <= most else f"{shown}, ... ({len(items)} in all)"


def as_names(names) -> list:
    """One name or several or None -> list of names."""
    if names is None:
        return []
    return [names] if isinstance(names, str) or not isinstance(names, (list, tuple, pd.Index)) else list(names)


def check_columns(frame: pd.DataFrame, names: Sequence, what: str = "column") -> None:
    """Raise `DataError`, with the nearest names that exist, unless every name is a column of the frame."""
    for name in names:
        if name not in frame.columns:
            near = difflib.get_close_matches(str(name), [str(c) for c in frame.columns], n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise DataError(f"{what} {name!r} is not in the data.{hint} Columns: {some(frame.columns, 20)}.")


def check_time_index(index: pd.Index, name: str = "X") -> pd.DatetimeIndex:
    """Return the index as a sorted, unique `DatetimeIndex`, or raise `DataError` saying what to change."""
    if isinstance(index, pd.PeriodIndex):
        index = index.to_timestamp()
    if not isinstance(index, pd.DatetimeIndex):
        raise DataError(
            f"{name} has no time index (got {type(index).__name__}). A forecaster reads time from the index: use "
            "df.set_index(pd.to_datetime(df['time'])); in a Pipeline, call .set_output(transform='pandas') on the "
            "transformers in front, which otherwise drop it."
        )
    if index.hasnans:
        raise DataError(
            f"{name} has {int(np.sum(index.isna()))} missing timestamps (NaT) in its index. Drop those rows."
        )
    if not index.is_unique:
        raise DataError(
            f"{name} has duplicated timestamps: {some(index[index.duplicated()].unique())}. Keep one row for each, "
            "e.g. df[~df.index.duplicated()] or df.groupby(level=0).mean()."
        )
    if not index.is_monotonic_increasing:
        first = index[1:][index[1:] < index[:-1]][0]
        raise DataError(f"{name} is not sorted by time (first step back at {first}). Use df.sort_index().")
    return index


def check_unique_columns(frame: pd.DataFrame, name: str = "X") -> None:
    """Raise `DataError` if two columns have the same name."""
    if not frame.columns.is_unique:
        raise DataError(f"{name} has duplicated column names: {some(frame.columns[frame.columns.duplicated()])}.")


def in_zone(data, tz, name: str = "X"):
    """Return the frame, series or index in a time zone, or raise `DataError` if one of the two has none."""
    index = data if isinstance(data, pd.DatetimeIndex) else data.index
    if (index.tz is None) != (tz is None):
        raise DataError(f"{name} has time zone {index.tz}, the data have {tz}. Use tz_localize.")
    return data if tz is None else data.tz_convert(tz)


def check_frame(data, name: str = "X") -> pd.DataFrame:
    """Return the data as a float64 frame on a clean time index.

    Parameters
    ----------
    data : DataFrame or Series of shape (n_rows,) or (n_rows, n_columns)
        Numeric or boolean columns; NaN marks a missing value.
    name : str
        What the messages call it.

    Returns
    -------
    DataFrame of shape (n_rows, n_columns), float64
        In the units given.

    Raises
    ------
    DataError
        If the index is not time, sorted and unique, or a column is not numeric or holds infinity.

    Examples
    --------
    >>> import pandas as pd
    >>> check_frame(pd.DataFrame({"a": [1, 2]}))
    Traceback (most recent call last):
    tsrnn.exceptions.DataError: X has no time index (got RangeIndex). ...
    """
    if isinstance(data, pd.Series):
        data = data.to_frame(name="y" if data.name is None else data.name)
    if not isinstance(data, pd.DataFrame):
        raise DataError(
            f"{name} must be a pandas DataFrame or Series with a time index, got {type(data).__name__}. In a Pipeline, "
            "call .set_output(transform='pandas') on the transformers in front."
        )
    if isinstance(data.index, pd.MultiIndex):
        raise DataError(f"{name} has a MultiIndex. Forecasters take one table at a time: select one series first.")
    index = check_time_index(data.index, name)
    check_unique_columns(data, name)
    for column in data.columns:
        if not (pd.api.types.is_numeric_dtype(data[column]) or pd.api.types.is_bool_dtype(data[column])):
            raise DataError(
                f"column {column!r} is not numeric (dtype {data[column].dtype}, first value "
                f"{some(map(repr, data[column].head(1)))}). Convert it with pd.to_numeric, encode it, or leave it out."
            )
    values = data.to_numpy(dtype=np.float64, na_value=np.nan) if data.shape[1] else np.empty(data.shape)
    if np.isinf(values).any():
        row, col = np.argwhere(np.isinf(values))[0]
        raise DataError(
            f"column {data.columns[col]!r} holds infinity (first at {index[row]}). Replace it, e.g. by NaN for missing."
        )
    return pd.DataFrame(values, index=index, columns=data.columns)
