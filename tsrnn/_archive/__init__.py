"""The file format of saved models: a zip of ``meta.json`` and ``.npy`` arrays, read without running anything.

`SaveMixin` gives an estimator ``save``; `write_archive` and `read_archive` are the two directions. A file is data from
a stranger: its container, sizes, array headers and JSON are checked before anything is built from them, pickle is not
read at all, and classes come only from the tables `ESTIMATORS` and `DATACLASSES`. Those hold names; what they name is
imported by the caller of `read_archive`. Imports only exceptions, files and the registry.

In reading order: `tables` (what a file may hold), `schema` (what a model may hold, and how that may change from one
version to the next), `times` and `arrays` (both directions of their part), `encode`, `decode`, `container` (the zip).

Layout of a file, version 1. ``meta.json`` comes first: ``{"format": "tsrnn", "version": 1, "tsrnn": <release that
wrote it>, "model": <node>}``. Then ``arrays/0.npy``, ``arrays/1.npy``, ..., each referred to by exactly one node.
Nothing is compressed. A node is null, a boolean, a number, a string, a list of nodes, or an object whose ``kind`` says
how the rest of it is read.
"""

from __future__ import annotations

from os import PathLike

from .container import read_archive, write_archive
from .schema import Saved
from .tables import DATACLASSES, ESTIMATORS

__all__ = ["DATACLASSES", "ESTIMATORS", "SaveMixin", "read_archive", "write_archive"]


class SaveMixin(Saved):
    """Gives an estimator ``save``. What stands in its attributes must be built of what `encode.Encoder` knows."""

    def save(self, path: str | PathLike[str]) -> None:
        """Write the model, with all that it learned, to one file that `tsrnn.load` reads.

        The file holds numbers and text only, no code and no pickle. It replaces an existing file in one step, and keeps
        its mode and owner: a save that fails leaves the old file as it was. An unfitted model is saved as its
        parameters.

        Parameters
        ----------
        path : str or path-like
            By custom it ends in ``.tsrnn``. Its folder must exist.

        Raises
        ------
        ArchiveError
            If a parameter or attribute is not data, for example a callback, a function or another library's
            estimator, or is none that such a model learns; the message names it.
        OSError
            If the folder does not exist, or there is anything but a regular file that may be written.
        """
        write_archive(self, path)
