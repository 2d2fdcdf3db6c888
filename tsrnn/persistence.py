"""Loading of saved models. Imports the file format and, by the names in its tables, the classes a file may hold.

Saving is a method of every regressor and forecaster: ``model.save(path)``.
"""

from __future__ import annotations

import importlib
from os import PathLike
from typing import Any

from ._archive import DATACLASSES, ESTIMATORS, read_archive

__all__ = ["load"]


def load(path: str | PathLike[str]) -> Any:
    """Load a model that was written by its ``save`` method.

    Nothing in the file is executed: it is a zip of numbers and JSON, from which only tsrnn's own classes are built, and
    everything in it is checked first. Pickles and Keras's files are not read. A model from a stranger can still be
    a bad model.

    Parameters
    ----------
    path : str or path-like
        File written by ``model.save(path)``.

    Returns
    -------
    estimator
        With the parameters and fitted attributes that were saved; it predicts the same numbers.

    Raises
    ------
    ArchiveError
        If the file is not a tsrnn archive, is damaged, was written by a newer tsrnn, or holds what a model cannot have.
    FileNotFoundError
        If there is no such file.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> from tsrnn import NaiveForecaster, load
    >>> series = pd.Series([1.0, 3.0, 2.0], index=pd.date_range("2024-01-01", periods=3, freq="D"), name="sales")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "sales.tsrnn"
    ...     NaiveForecaster().fit(series).save(path)
    ...     model = load(path)
    >>> model.forecast()
                sales
    2024-01-04    2.0
    """
    return read_archive(path, find_class)


def find_class(name: str) -> type:
    """Import a class that the tables of the file format name."""
    return getattr(importlib.import_module((ESTIMATORS | DATACLASSES)[name]), name)
