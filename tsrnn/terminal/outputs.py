"""The files that a command writes, checked before the work."""

from __future__ import annotations

import os
from pathlib import Path

from .reporting import UsageError

__all__ = ["check_chart", "check_outputs"]

CHARTS = (".png", ".pdf", ".svg")


def check_outputs(*paths: Path | None) -> None:
    """Refuse an output that cannot be written before any work is done."""
    for path in filter(None, paths):
        if not path.parent.is_dir():
            raise UsageError(f"there is no folder {str(path.parent)!r} to write {path.name!r} in.")
        if path.is_dir():
            raise UsageError(f"cannot write {str(path)!r}: it is a folder. Give the name of a file in it.")
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            raise UsageError(f"cannot write {str(path)!r}: no permission.")


def check_chart(path: Path | None) -> None:
    """Refuse a chart whose name does not say what it is."""
    if path is not None and path.suffix.lower() not in CHARTS:
        raise UsageError(f"--plot {str(path)!r} must end in one of {', '.join(CHARTS)}.")
