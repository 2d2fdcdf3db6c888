"""Shows a line that moves, on a terminal or in a notebook, from a thread of its own. Imports nothing of tsrnn.

rich and IPython are imported when there is something to show.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

__all__ = ["Bar"]

#: Seconds between two looks at whether there is something to show.
LOOK = 0.2
#: Looks after which a thread that found nothing ends.
PATIENCE = 50


class Bar:
    """A line that is drawn from some seconds on and taken away again when the work is done.

    One thread looks now and then whether a bar is due, so that work that is done before costs nothing. There is one bar
    at a time.

    Parameters
    ----------
    line : callable
        ``line(width)`` returns the line as it stands now.
    delay : float
        Seconds to wait first.
    must_tell : bool
        Whether to leave a line when all is done, also where there is no terminal.
    """

    _lock = threading.Lock()
    _thread: threading.Thread | None = None
    _current: Bar | None = None

    def __init__(self, line: Callable[[int], str], delay: float, *, must_tell: bool):
        self.line, self.must_tell = line, must_tell
        self.due = time.monotonic() + delay
        self.over, self._drawn, self._cleared = threading.Event(), False, threading.Event()

    @staticmethod
    def in_notebook() -> bool:
        """Say whether this process answers a notebook."""
        ipython = sys.modules.get("IPython")
        return ipython is not None and hasattr(ipython.get_ipython(), "kernel")

    @staticmethod
    def on_terminal() -> bool:
        """Say whether errors go to a terminal that can take a line back."""
        try:
            return sys.stderr.isatty() and os.environ.get("TERM", "") != "dumb"
        except (AttributeError, ValueError):  # None, or closed
            return False

    def start(self) -> None:
        if not (self.in_notebook() or self.on_terminal()):
            return
        with Bar._lock:
            if Bar._current is not None:
                return
            Bar._current = self
            if Bar._thread is None or not Bar._thread.is_alive():
                Bar._thread = threading.Thread(target=_watch, name="tsrnn progress", daemon=True)
                Bar._thread.start()

    def close(self, last: str | None) -> None:
        """Take the line away; `last` is what stays where something must, None after an error."""
        with Bar._lock:
            if Bar._current is self:
                Bar._current = None
        if self._drawn:
            self.over.set()
            self._cleared.wait()
        if self.must_tell and last is not None and sys.stderr is not None:
            sys.stderr.write(_encodable(last, sys.stderr.encoding) + "\n")

    @classmethod
    def take_due(cls) -> Bar | None:
        """Return the bar that is to be drawn now, if one is; it is then waited for until `draw` has ended."""
        with cls._lock:
            bar = cls._current
            if bar is None or time.monotonic() < bar.due:
                return None
            bar._drawn = True
            return bar

    @classmethod
    def give_up(cls, thread: threading.Thread) -> bool:
        """Say whether the thread that watches may end, as nothing is to be shown."""
        with cls._lock:
            idle = cls._current is None
            if idle and cls._thread is thread:
                cls._thread = None
            return idle

    def draw(self) -> None:
        display: _Terminal | _Notebook | None = None
        try:
            display = _Notebook() if self.in_notebook() else _Terminal()
            while True:
                display.show(self.line(display.width))
                if self.over.wait(display.period):
                    break
        finally:
            if display is not None:
                display.clear()
            self._cleared.set()


def _watch() -> None:
    """Draw the bars that are due, one after the other, as long as there is work."""
    idle = 0
    while idle < PATIENCE or not Bar.give_up(threading.current_thread()):
        time.sleep(LOOK)
        idle += 1
        if (bar := Bar.take_due()) is not None:
            with suppress(OSError, ValueError):  # the terminal is gone
                bar.draw()
            idle = 0


def _encodable(text: str, encoding: str | None) -> str:
    """Return the line in characters that the terminal has."""
    try:
        text.encode(encoding or "utf-8")
    except UnicodeEncodeError:
        text = text.replace("━", "#").replace("─", "-")
        text = text.encode("ascii", "replace").decode("ascii")
    return text


class _Terminal:
    """The last line of a terminal. What is printed meanwhile goes above it."""

    period = 0.1  # seconds between two pictures

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live

        self._console = Console(stderr=True)
        # What goes to a file must not be sent to the terminal instead.
        both = sys.stdout is not None and sys.stdout.isatty()
        self._live = Live(console=self._console, auto_refresh=False, transient=True, redirect_stdout=both)
        self._live.start()

    @property
    def width(self) -> int:
        return self._console.width - 1

    def show(self, text: str) -> None:
        from rich.text import Text

        text = _encodable(text, self._console.encoding)
        self._live.update(Text(text, no_wrap=True, overflow="crop"), refresh=True)

    def clear(self) -> None:
        self._live.stop()


class _Notebook:
    """An output of a cell. rich would need ipywidgets for it."""

    width, period = 110, 0.5  # the page is further away

    def __init__(self) -> None:
        from IPython.display import display

        self._handle = display({"text/plain": ""}, raw=True, display_id=True)

    def show(self, text: str) -> None:
        self._handle.update({"text/plain": text}, raw=True)

    def clear(self) -> None:
        self._handle.update({"text/plain": ""}, raw=True)
