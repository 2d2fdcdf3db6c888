"""Tables on stdout."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from .advice import for_the_terminal

if TYPE_CHECKING:
    import pandas as pd

    from ..comparison import Comparison
    from ..forecasters.base import BaseForecaster

__all__ = ["fitting", "plain", "readable", "say", "show", "show_comparison"]


class Out(Console):
    """Console on stdout, made when needed so that it writes where stdout points now."""

    def on_broken_pipe(self) -> None:
        """Leave it to the command to end as other programs do."""
        raise BrokenPipeError


@contextmanager
def fitting(name: str, forecaster: BaseForecaster) -> Iterator[None]:
    """Show on a terminal that a model is being fitted; networks show their progress themselves."""
    if "verbose" in forecaster.get_params(deep=False):
        yield
        return
    with Console(stderr=True).status(f"Fitting {name} ..."):
        yield


#: Targets, or series, that have a table of their own each.
MOST_TARGETS = 5


def say(text: str) -> None:
    """Print a sentence: broken at blanks on a terminal, one line elsewhere."""
    console = Out()
    console.print(text, markup=False, highlight=False, soft_wrap=not console.is_terminal)


def show(frame: pd.DataFrame, title: str) -> None:
    """Print a table: drawn on a terminal, in blocks of columns where it is narrow; plain columns elsewhere."""
    console = Out()
    cells = frame.astype(object).where(frame.notna(), None).map(cell)
    if not console.is_terminal:
        console.print(plain(frame, title), markup=False, highlight=False, soft_wrap=True)
        return
    columns = [Column(cells, k, frame.dtypes.iloc[k].kind in "if") for k in range(cells.shape[1])]
    gap = 2 if sum(column.width + 2 for column in columns) - 2 <= console.width else 1
    for k, block in enumerate(blocks(columns, gap, console.width)):
        console.print(draw(block, gap, title if k == 0 else None))
        console.print()


def show_comparison(result: Comparison, title: str) -> None:
    """Print the leaderboard, of several targets also that of each, and what it is worth in words."""
    show(in_words(result.leaderboard()), title)
    if len(result.scale) > MOST_TARGETS:
        say(f"The numbers are means over {len(result.scale)} series.")
    elif len(result.scale) > 1:
        for target, table in result.leaderboard(by="target").groupby("target", sort=False):
            show(in_words(table.drop(columns="target")), str(target))
    for sentence in filter(None, (result.predictability(), result.networks())):
        say(sentence)


def in_words(table: pd.DataFrame) -> pd.DataFrame:
    """Return a leaderboard whose errors are in words of the terminal."""
    if "error" not in table:
        return table
    return table.assign(error=table["error"].map(for_the_terminal, na_action="ignore"))


class Column:
    """A column as it is drawn: first ones and numbers whole, other text in parts if need be."""

    def __init__(self, cells: pd.DataFrame, k: int, number: bool):
        self.header = str(cells.columns[k]).replace("_", " ")
        self.cells = cells.iloc[:, k].tolist()
        self.number = number
        self.whole = number or k == 0
        longest = max(map(len, self.cells), default=0)
        # Headings break at blanks.
        self.width = max([longest if self.whole else min(longest, 12), *map(len, self.header.split())])


def blocks(columns: list[Column], gap: int, width: int) -> Iterator[list[Column]]:
    """Yield as many columns at a time as fit beside the first one."""
    first, *others = columns
    block, used = [first], first.width
    for column in others:
        if len(block) > 1 and used + gap + column.width > width:
            yield block
            block, used = [first], first.width
        block.append(column)
        used += gap + column.width
    yield block


def draw(columns: list[Column], gap: int, title: str | None) -> Table:
    """Return a table of these columns."""
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, show_edge=False, padding=(0, gap - 1, 0, 0))
    for column in columns:
        table.add_column(
            column.header,
            justify="right" if column.number else "left",
            width=column.width if column.whole else None,
            min_width=column.width,
            overflow="fold",
        )
    for row in zip(*(column.cells for column in columns), strict=True):
        table.add_row(*row)
    return table


def readable(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a forecast with its times as a column of text, without hours where all are midnight."""
    return frame.set_axis(frame.index.astype(str).rename(frame.index.name)).reset_index()


def plain(frame: pd.DataFrame, title: str) -> str:
    """Return a table in plain columns."""
    cells = frame.astype(object).where(frame.notna(), None).map(cell)
    return f"{title}\n{cells.to_string(index=False)}\n"


def cell(value: object) -> str:
    """Four significant digits for floats, a dash for what is missing."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return "-" if value is None else str(value)
