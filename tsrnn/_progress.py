"""How far long work has come. Whoever works says so; what is shown is one line for all of it. Imports the bar.

Work has units, and a unit may be work itself: models of a comparison, networks of a fit, epochs. `work` begins some;
inside other work of the same thread it becomes a part of that, and only the outermost is shown.
"""

from __future__ import annotations

import math
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

from ._bar import Bar

__all__ = ["Work", "is_repeated", "line", "work"]

#: Seconds after which show="auto" shows what is still going on.
DELAY = 3.0
#: Code that fits an estimator again and again, and would have a bar for each fit.
REPEATING = ("joblib.", "sklearn.feature_selection.", "sklearn.model_selection.")

Show = int | Literal["auto"]


class Work:
    """Some units of work, the share of them that is done, and what is being done.

    Attributes
    ----------
    total : int
        Units.
    done : float
        Units done.
    doing : str
        The unit in progress, such as "network 1 of 2".
    note : str
        What it has reached, such as losses.
    at_most : bool
        Whether it may end early.
    even : bool
        Whether the units take about as long each, so that those done say how long the others will take.
    detail : bool
        Whether the unit in progress stands behind the bar, such as an epoch, and not in front.
    """

    def __init__(self, title: str, total: int, *, at_most: bool = False, even: bool = True, detail: bool = False):
        self.title, self.total, self.at_most, self.even, self.detail = title, max(1, total), at_most, even, detail
        self.done, self.doing, self.note = 0.0, "", ""
        self.inside = 0.0  # the share of the unit in progress that is done, when the work that it was has ended
        self.started = time.monotonic()

    @contextmanager
    def unit(self, name: str, *, numbered: bool = False) -> Iterator[None]:
        """Do one unit; `name` is shown, with its number where units are numbered and there are several."""
        if numbered:
            name = f"{name} {int(self.done) + 1} of {self.total}" if self.total > 1 else ""
        self.doing = name
        yield
        self.done, self.inside = self.done + 1, 0.0


class Tracker:
    """The works that one thread is in, the outermost first, and the bar that shows them."""

    def __init__(self, show: Show):
        self.works: list[Work] = []
        self.thread = threading.get_ident()
        delay = _delay(show)
        self.bar = None if delay is None else Bar(self._line, delay, must_tell=show != "auto")

    def _line(self, width: int) -> str:
        return line(tuple(self.works), width, time.monotonic())


_tracker: ContextVar[Tracker | None] = ContextVar("tracker", default=None)


@contextmanager
def work(
    title: str,
    total: int,
    *,
    show: Show = "auto",
    at_most: bool = False,
    even: bool = True,
    detail: bool = False,
) -> Iterator[Work]:
    """Begin work; the caller counts its units in what is yielded.

    Parameters
    ----------
    title : str
        Stands in front where nothing is around this work.
    total : int
        Units.
    show : int or "auto"
        Of the outermost work: 0 never, 1 at once, "auto" after three seconds on a terminal or in a notebook. Inside
        scikit-learn's searches and parallel workers nothing is shown.
    at_most, even, detail : bool
        See `Work`.
    """
    new, outer = Work(title, total, at_most=at_most, even=even, detail=detail), _tracker.get()
    if outer is not None:
        with _inside(outer, new):
            yield new
        return
    tracker, last = Tracker(show), None
    token = _tracker.set(tracker)
    try:
        with _inside(tracker, new):
            if tracker.bar is not None:
                tracker.bar.start()
            yield new
        new.doing = new.doing if detail else ""
        last = line((new,), 200, time.monotonic())
    finally:
        _tracker.reset(token)
        if tracker.bar is not None:
            tracker.bar.close(last)


@contextmanager
def _inside(tracker: Tracker, new: Work) -> Iterator[None]:
    if tracker.thread != threading.get_ident():  # a thread that was given this one's context
        yield
        return
    around = tracker.works[-1] if tracker.works else None
    tracker.works.append(new)
    try:
        yield
        if around is not None:
            around.inside = 1.0
    finally:
        tracker.works.remove(new)


# -- whether to show anything ------------------------------------------------------------------------------------------


def _delay(show: Show) -> float | None:
    """Return the seconds after which to show the work, None for never."""
    if show == "auto":
        seen = threading.current_thread() is threading.main_thread() and _has_reader()
        return DELAY if seen and not is_repeated() else None
    return 0.0 if show and not is_repeated() else None


def _has_reader() -> bool:
    """Whether somebody is looking: at a terminal or a notebook, and not at the log of a test or of a server."""
    quiet = os.environ.get("CI", "").lower() not in ("", "0", "false") or "PYTEST_CURRENT_TEST" in os.environ
    return not quiet and (Bar.in_notebook() or Bar.on_terminal())


def is_repeated() -> bool:
    """Say whether this is called for one of many fits: in a search, a cross-validation or a parallel worker.

    scikit-learn leaves no other mark for an estimator that is fitted in its process than its functions on the stack.
    """
    if multiprocessing.parent_process() is not None or multiprocessing.current_process().name != "MainProcess":
        return True
    frame = sys._getframe(1)
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith(REPEATING):
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False


# -- what is shown -----------------------------------------------------------------------------------------------------


def line(works: tuple[Work, ...], width: int, now: float) -> str:
    """Return one line of at most `width` characters: what, a bar, how far, and how long it will take.

    What is less important makes way where the line is short.
    """
    if not works:
        return ""
    size = LONG_BAR if width >= WIDE else SHORT_BAR
    for what, behind in _wordings(works, now):
        if len(what) + len(behind) + size + 4 <= width:
            break
    full = round(size * _share(works))
    return f"{what}  {FULL * full}{EMPTY * (size - full)}  {behind}"[:width].rstrip()


def _wordings(works: tuple[Work, ...], now: float) -> Iterator[tuple[str, str]]:
    """Yield what stands before and behind the bar, in ever fewer words."""
    first, last = works[0], works[-1]
    parts = [part.doing for part in works if part.doing and not part.detail]
    doing, note = (last.doing, last.note) if last.detail else ("", "")
    passed, left = _seconds(now - first.started), _left(works, now)
    short = note.rpartition("  ")[2]
    for n in range(len(parts), -1, -1):
        what = ": ".join(text for text in (first.title, ", ".join(parts[:n])) if text)
        for texts in [(doing, note, passed, left), (doing, note, left), (doing, short, left), (doing, left or passed)]:
            yield what, "  ".join(text for text in texts if text)


FULL, EMPTY = "━", "─"
#: Characters of the bar, whatever stands beside it, on lines of so many characters and on shorter ones.
LONG_BAR, SHORT_BAR, WIDE = 20, 8, 110


def _share(works: tuple[Work, ...]) -> float:
    """Return the share that is done of the first of these works, each the unit in progress of the one before."""
    share = works[-1].inside
    for part in reversed(works):
        share = min(1.0, (part.done + share) / part.total)
    return share


def _left(works: tuple[Work, ...], now: float) -> str:
    """Say how long the work will still take, by the time that its units took so far; of a comparison, one model's."""
    at = next((i for i, part in enumerate(works) if part.even), None)
    if at is None:
        return ""
    timed = works[at:]
    may_end_early = any(part.at_most for part in timed)
    # By whole units where one is done, unless it may have ended early and the next will not. Otherwise by the smallest:
    # what comes before the first epoch does not come again.
    whole_units = (i for i, part in enumerate(timed) if part.done >= 1 and not may_end_early)
    by = next(whole_units, len(timed) - 1)
    share, passed = _share(timed[by:]), now - timed[by].started
    if not 0 < share < 1 or passed < 1:
        return ""
    whole = passed / share * math.prod(part.total for part in timed[:by])
    about = "up to" if may_end_early else "about"
    return f"{about} {_roughly(whole * (1 - _share(timed)))} " + ("for it" if at else "left")


def _roughly(seconds: float) -> str:
    """Return a duration that is not known well.

    Examples
    --------
    >>> [_roughly(s) for s in (0.4, 12, 44, 75, 200, 5000)]
    ['1 s', '10 s', '45 s', '1 min', '3 min', '1 h 20 min']
    """
    if seconds < 60:
        return _seconds(max(1, seconds) if seconds < 10 else 5 * round(seconds / 5))
    return _seconds(60 * round(seconds / 60) if seconds < 3600 else 600 * round(seconds / 600))


def _seconds(seconds: float) -> str:
    """Return a duration in two digits or so.

    Examples
    --------
    >>> [_seconds(s) for s in (0.4, 12, 75, 3000, 5400)]
    ['0 s', '12 s', '1 min 15 s', '50 min', '1 h 30 min']
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 600:
        return f"{whole // 60} min {whole % 60} s" if whole % 60 else f"{whole // 60} min"
    minutes = round(whole / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"
