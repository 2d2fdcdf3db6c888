"""Tables on stdout."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["fitting", "plain", "readable", "say", "show"]


class Out(Console):
    """Console on stdout, made when needed so that it writes where stdout points now."""

    def on_broken_pipe(self) -> None:
        """Leave it to the command to end as other programs do."""
        raise BrokenPipeError


@contextmanager
def fitting(name: str, forecaster) -> Iterator[None]:
    """Show on a terminal that a model is being fitted; networks show their progress themselves."""
    if "verbose" in forecaster.get_params(deep=False):
        yield
        return
    with Console(stderr=True).status(f"Fitting {name} ..."):
        yield


def say(text: str) -> None:
    """Print a sentence: broken at blanks on a terminal, one line elsewhere."""
    console = Out()
    console.print(text, markup=False, highlight=False, soft_wrap=not console.is_terminal)


def show(frame: pd.DataFrame, title: str) -> None:
    """Print a table: drawn on a terminal wide enough for its numbers, plain columns elsewhere."""
    console = Out()
    cells = frame.astype(object).where(frame.notna(), None).map(cell)
    numbers = [dtype.kind in "if" for dtype in frame.dtypes]
    headers = [str(name).replace("_", " ") for name in frame.columns]
    widths = [least_width(cells.iloc[:, k], headers[k], numbers[k] or k == 0) for k in range(len(headers))]
    gap = 2 if sum(widths) + 2 * (len(widths) - 1) <= console.width else 1
    if not console.is_terminal or sum(widths) + gap * (len(widths) - 1) > console.width:
        console.print(plain(frame, title), markup=False, highlight=False, soft_wrap=True)
        return
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, show_edge=False, padding=(0, gap - 1, 0, 0))
    for k, (header, number, width) in enumerate(zip(headers, numbers, widths, strict=True)):
        fixed = width if number or k == 0 else None
        table.add_column(header, justify="right" if number else "left", width=fixed, min_width=width, overflow="fold")
    for row in cells.itertuples(index=False):
        table.add_row(*row)
    console.print(table)
    console.print()


def readable(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a forecast with its times as a column of text, without hours where all are midnight."""
    return frame.set_axis(frame.index.astype(str).rename(frame.index.name)).reset_index()


def plain(frame: pd.DataFrame, title: str) -> str:
    """Return a table in plain columns."""
    cells = frame.astype(object).where(frame.notna(), None).map(cell)
    return f"{title}\n{cells.to_string(index=False)}\n"


def least_width(cells: pd.Series, header: str, whole: bool) -> int:
    """Return the width that a column needs: for whole cells, or for text that may break; headings break at blanks."""
    longest = max(map(len, cells), default=0)
    return max([longest if whole else min(longest, 12), *map(len, header.split())])


def cell(value) -> str:
    """Four significant digits for floats, a dash for what is missing."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return "-" if value is None else str(value)
