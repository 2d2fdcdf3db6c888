"""Which columns are targets and which are covariates. Imports frames, warnings and exceptions."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..exceptions import DataError
from ..frames import (
    as_names,
    check_columns,
    check_frame,
    check_time_index,
    check_unique_columns,
    some,
    warn_of_empty_columns,
)

__all__ = ["Named", "Roles", "container_of", "read_roles"]

#: The columns in use, and the names of targets, past and future covariates.
Roles = tuple[pd.DataFrame, list[Any], list[Any], list[Any]]


class Named(NamedTuple):
    """What a user named for each role: a column, several, or None."""

    target: Any
    past: Any
    future: Any


def read_roles(X: Any, y: Any, named: Named, takes_covariates: bool, *, timed: bool = True) -> Roles:
    """Return the columns in use, ordered targets, past, future, and the three lists of names.

    `timed` says whether the index is checked: that of a panel holds its stamps several times.

    Raises
    ------
    DataError
        If a column is unknown, stands in two roles, or cannot be used.
    """
    if y is None:
        frame = X.to_frame(X.name if X.name is not None else "y") if isinstance(X, pd.Series) else X
        frame = frame if isinstance(frame, pd.DataFrame) else check_frame(frame)
        wanted = as_names(named.target, frame.columns)
    else:
        frame, wanted, targets = join_target(X, y, named.target, timed)
    past, future = as_names(named.past, frame.columns), as_names(named.future, frame.columns)
    if y is None:
        check_columns(frame, wanted, "target")
        targets = wanted or [c for c in frame.columns if c not in past and c not in future]
    elif takes_covariates:
        future = future or [c for c in frame.columns if c not in targets and c not in past]
    else:
        future = []
    if not targets:
        raise DataError("there is nothing to forecast: X has no columns and y is not given. Pass y or target=.")
    check_columns(frame, past, "past covariate")
    check_columns(frame, future, "future covariate")
    used = [*targets, *past, *future]
    check_unique_columns(frame.loc[:, frame.columns.isin(used)])
    twice = {name for name in used if used.count(name) > 1}
    if twice:
        raise DataError(f"column(s) {some(sorted(twice, key=str))} are named in more than one role.")
    data = check_frame(frame[used], timed=timed)
    if y is None and not wanted:
        warn_of_empty_columns(data[targets])
    return data, targets, past, future


def join_target(X: Any, y: Any, target: Any, timed: bool) -> tuple[pd.DataFrame, list[Any], list[Any]]:
    """Put y beside X's columns; a y without a time index of its own takes X's.

    Returns
    -------
    frame : DataFrame
    wanted, targets : list
        The names that ``target=`` gives, and those of y.
    """
    if isinstance(X, pd.Series):
        X = X.to_frame()
    if not isinstance(X, pd.DataFrame):
        raise DataError(
            f"X must be a DataFrame with a time index, got {type(X).__name__}. With no covariates pass an empty "
            "one: fit(df[[]], df['temp']). In a Pipeline, call .set_output(transform='pandas') on the transformers "
            "in front."
        )
    if timed:
        check_time_index(X.index)
    if len(y) != len(X):
        raise DataError(f"X has {len(X)} rows and y has {len(y)}. They must describe the same times.")
    wanted = as_names(target, y.columns if isinstance(y, pd.DataFrame) else [getattr(y, "name", None), *X.columns])
    y = target_frame(X, y, wanted)
    if wanted and list(y.columns) != wanted:
        raise DataError(f"target={wanted!r}, but y holds {list(y.columns)!r}. Drop target=, or name both alike.")
    both = [name for name in y.columns if name in X.columns]
    if both and not timed and wanted:
        X, both = X.drop(columns=both), []  # a table that scikit-learn splits has its targets beside y
    if both:
        raise DataError(f"target {some(both)} stands in X as well as in y and would leak. Drop it from X or omit y.")
    return pd.concat([y, X], axis=1), wanted, list(y.columns)


def target_frame(X: pd.DataFrame, y: Any, wanted: list[Any]) -> pd.DataFrame:
    """Return y as a frame on X's index, its columns named."""
    if not isinstance(y, (pd.Series, pd.DataFrame)):
        values = np.asarray(y).reshape(len(X), -1)
        fallback = ["y"] if values.shape[1] == 1 else [f"y{i}" for i in range(values.shape[1])]
        names = wanted if len(wanted) == values.shape[1] else fallback
        return pd.DataFrame(values, index=X.index, columns=names)
    has_time = isinstance(y.index, (pd.DatetimeIndex, pd.PeriodIndex)) and X.index.is_unique
    if has_time and not check_time_index(y.index, "y").equals(check_time_index(X.index)):
        raise DataError("X and y have different time indexes. Align them first, e.g. y = y.loc[X.index].")
    if isinstance(y, pd.Series):
        y = y.to_frame(y.name if y.name is not None else wanted[0] if len(wanted) == 1 else "y")
    return y.set_axis(X.index)


def container_of(y: Any) -> str:
    """What `predict` gives back for such a y: "frame", "series", or "array" for a one-dimensional ndarray."""
    if np.ndim(y) != 1:  # None, a DataFrame, a matrix
        return "frame"
    return "array" if isinstance(y, np.ndarray) else "series"
