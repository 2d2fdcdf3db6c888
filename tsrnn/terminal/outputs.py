"""The files that a command writes: checked before the work, written whole or not at all, before anything is shown."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from .._files import check_writable, write_atomically
from .formats import PARQUET, check_pyarrow
from .reporting import tell, words
from .usage import UsageError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["check_folder", "check_outputs", "write_all", "write_figure", "write_table"]

CHARTS = (".png", ".pdf", ".svg")
COMPRESSED = {".gz": "gzip", ".bz2": "bz2", ".xz": "xz"}


def check_outputs(source: Path | None = None, **paths: Path | None) -> None:
    """Refuse, before any work is done, outputs that cannot be written or would replace each other or the input.

    Parameters
    ----------
    source : Path, optional
        The file that is read.
    **paths : Path or None
        By the name of their flags.
    """
    seen = {} if source is None or not source.exists() else {identity(source): "the file that is read"}
    for flag, path in paths.items():
        if path is None:
            continue
        check_output(path)
        if flag == "output" and path.suffix.lower() in PARQUET:
            check_pyarrow(f"writing --output {str(path)!r}")
        if flag == "plot" and path.suffix.lower() not in CHARTS:
            raise UsageError(f"--plot {str(path)!r} must end in one of {', '.join(CHARTS)}.")
        other = seen.setdefault(identity(path), f"--{flag}")
        if other != f"--{flag}":
            raise UsageError(f"--{flag} {str(path)!r} is {other} as well. Give each output a file of its own.")


def identity(path: Path) -> tuple[int, int] | str:
    """What two names of one file have in common."""
    if path.exists():
        info = path.stat()
        return info.st_dev, info.st_ino
    return os.path.realpath(path)


def check_output(path: Path) -> None:
    """Refuse a file that cannot be written."""
    try:
        check_writable(path)
    except OSError as exc:
        raise UsageError(str(exc)) from exc


def check_folder(path: Path) -> None:
    """Make a folder, or refuse it, before any work is done."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError as exc:
        raise UsageError(f"cannot write into {str(path)!r}: it is a file. Give the name of a folder.") from exc
    except OSError as exc:
        raise UsageError(f"cannot make the folder {str(path)!r}: {exc.strerror}.") from exc
    if not os.access(path, os.W_OK):
        raise UsageError(f"cannot write into {str(path)!r}: no permission.")


def write_all(jobs: Mapping[Path, Callable[[], object]]) -> bool:
    """Write each file; what fails is told, and the others are written all the same. Return whether all were."""
    whole = True
    for path, write in jobs.items():
        try:
            write()
        except Exception as exc:  # an hour of work must not be lost with one of its files
            tell("error", f"{str(path)!r} was not written: {words(exc)}")
            whole = False
    return whole


def write_table(frame: pd.DataFrame, path: Path, index: bool = True) -> None:
    """Write a table as Parquet where the name ends so, else as CSV, compressed where the name says so."""
    if path.suffix.lower() in PARQUET:
        table = frame.reset_index() if index else frame
        named = table.set_axis([str(column) for column in table.columns], axis=1)  # Parquet has no other names
        write_atomically(path, lambda stream: named.to_parquet(stream, index=False, engine="pyarrow"))
        return
    options: dict = {"index": index, "mode": "wb", "compression": COMPRESSED.get(path.suffix.lower())}
    write_atomically(path, lambda stream: frame.to_csv(stream, **options))


def write_figure(figure: Figure, path: Path) -> None:
    """Write a chart in the format that its name says."""
    kind = path.suffix.lower().removeprefix(".")
    write_atomically(path, lambda stream: figure.savefig(stream, format=kind, dpi=120))
