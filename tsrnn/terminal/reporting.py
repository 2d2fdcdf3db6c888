"""What goes wrong, told in one line on stderr, in the words of the terminal. Imports advice."""

from __future__ import annotations

import functools
import os
import sys
import warnings
from collections.abc import Callable
from typing import ParamSpec, TextIO, TypeVar

import typer

from .advice import for_the_terminal
from .usage import FileError, UsageError

__all__ = ["reported", "settle_streams", "tell", "words"]

#: The exit status of a program that a signal ended, as shells count: 128 and the number of SIGINT, of SIGPIPE.
INTERRUPTED, PIPE_CLOSED = 130, 141

P = ParamSpec("P")
R = TypeVar("R")


def reported(command: Callable[P, R]) -> Callable[P, R]:
    """Turn what a command raises into one line on stderr and an exit status, and each warning into one line."""

    @functools.wraps(command)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            with warnings.catch_warnings():
                warnings.showwarning = lambda message, *where: tell("warning", for_the_terminal(str(message)))
                result = command(*args, **kwargs)
                sys.stdout.flush()  # a pipe that was closed is to be noticed here
                return result
        except typer.Exit:
            raise
        except BrokenPipeError:
            silence(sys.stdout)
            raise typer.Exit(PIPE_CLOSED) from None
        except (Exception, KeyboardInterrupt) as exc:
            if os.environ.get("TSRNN_TRACEBACK") and not isinstance(exc, (UsageError, KeyboardInterrupt)):
                raise
            tell("error", words(exc))
            raise typer.Exit(status(exc)) from exc

    return wrapper


def status(exc: BaseException) -> int:
    """2 where the command was not right, 130 after Ctrl-C, 1 otherwise."""
    return 2 if isinstance(exc, UsageError) else INTERRUPTED if isinstance(exc, KeyboardInterrupt) else 1


def words(exc: BaseException) -> str:
    """Say in one sentence or two what happened."""
    text = for_the_terminal(str(exc))
    if isinstance(exc, (FileError, UsageError)):
        return str(exc)
    if isinstance(exc, KeyboardInterrupt):
        return "interrupted; files that were not yet written are as they were."
    if isinstance(exc, MemoryError):
        reason = f" ({text})" if text else ""
        return f"out of memory{reason}. Lower --horizon or --windows, give fewer rows, or take a smaller model."
    if isinstance(exc, RecursionError):
        return f"too deeply nested: {text}."
    if isinstance(exc, ArithmeticError):
        return f"the numbers went out of range ({text or type(exc).__name__}). Look for wrong cells, or rescale."
    if isinstance(exc, (ValueError, RuntimeError, OSError, ImportError)):  # DataError is a ValueError
        return text or type(exc).__name__
    return f"{type(exc).__name__}: {text}. This is a fault of tsrnn; with TSRNN_TRACEBACK=1 it says where."


def tell(what: str, message: object) -> None:
    """Print one line on stderr; where nobody reads it any more, go on."""
    try:
        sys.stderr.write(f"{what}: {' '.join(str(message).split())}\n")
        sys.stderr.flush()
    except OSError:
        silence(sys.stderr)


def settle_streams() -> None:
    """Let nothing that is printed fail for want of a sign in the terminal's encoding, or of a stream."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by the caller
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def silence(stream: TextIO) -> None:
    """Let a stream whose reader is gone go nowhere, so that Python does not complain of it at exit."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except (OSError, ValueError, AttributeError):
        return
