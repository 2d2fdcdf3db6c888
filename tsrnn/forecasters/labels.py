"""Names of the columns of forecasts, tuples included: those of columns of several levels. Imports nothing of tsrnn."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["as_objects", "column_index", "suffixed"]


def suffixed(label: Hashable, suffix: str) -> Hashable:
    """Return the label with the suffix, which goes to the last level of several.

    Examples
    --------
    >>> suffixed("load", "_lower_90"), suffixed(("Close", "AAPL"), "_lower_90")
    ('load_lower_90', ('Close', 'AAPL_lower_90'))
    """
    return (*label[:-1], f"{label[-1]}{suffix}") if isinstance(label, tuple) else f"{label}{suffix}"


def column_index(labels: Sequence[Any], like: pd.Index) -> pd.Index:
    """Return the columns of a forecast: of several levels, with their names, where the data have these."""
    if isinstance(like, pd.MultiIndex):
        return pd.MultiIndex.from_tuples([tuple(label) for label in labels], names=like.names)
    return pd.DataFrame(columns=list(labels)).columns


def as_objects(labels: Sequence[Hashable]) -> np.ndarray:
    """Return an array of the labels, shape (n_labels,), in which a tuple is one element."""
    out = np.empty(len(labels), dtype=object)
    for i, label in enumerate(labels):
        out[i] = label
    return out
