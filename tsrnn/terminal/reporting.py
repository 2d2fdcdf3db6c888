"""What goes wrong, told in one line on stderr. Imports nothing of tsrnn."""

from __future__ import annotations

import functools
import os
import warnings
from typing import NoReturn

import typer
from rich.console import Console

__all__ = ["UsageError", "reported", "stop", "tell"]


class UsageError(Exception):
    """The command as typed cannot be run."""


def reported(command):
    """Turn what a command raises into one line on stderr and an exit status, and each warning into one line."""

    @functools.wraps(command)
    def wrapper(*args, **kwargs):
        try:
            with warnings.catch_warnings():
                warnings.showwarning = lambda message, *where: tell("warning", message)
                return command(*args, **kwargs)
        except UsageError as exc:
            stop(exc, 2)
        except (ValueError, RuntimeError, OSError, ImportError) as exc:  # DataError is a ValueError
            if os.environ.get("TSRNN_TRACEBACK"):
                raise
            stop(exc, 1)

    return wrapper


def stop(exc: Exception, status: int) -> NoReturn:
    """Print an error in one line and exit."""
    tell("error", exc)
    raise typer.Exit(status)


def tell(what: str, message: Warning | Exception | str) -> None:
    """Print one line on stderr."""
    text = " ".join(str(message).split())
    Console(stderr=True, soft_wrap=True).print(f"{what}: {text}", markup=False, highlight=False)
