"""Tables on stdout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["out", "show"]


def out() -> Console:
    """Console on stdout, made when needed so that it writes where stdout points now."""
    return Console()


def show(frame: pd.DataFrame, title: str) -> None:
    """Print a table: drawn on a terminal wide enough for its numbers, plain columns elsewhere."""
    console = out()
    cells = frame.astype(object).where(frame.notna(), None).map(cell)
    numbers = [dtype.kind in "if" for dtype in frame.dtypes]
    headers = [str(name).replace("_", " ") for name in frame.columns]
    widths = [least_width(cells.iloc[:, k], headers[k], numbers[k] or k == 0) for k in range(len(headers))]
    gap = 2 if sum(widths) + 2 * (len(widths) - 1) <= console.width else 1
    if not console.is_terminal or sum(widths) + gap * (len(widths) - 1) > console.width:
        console.print(f"{title}\n{cells.to_string(index=False)}\n", markup=False, highlight=False, soft_wrap=True)
        return
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, show_edge=False, padding=(0, gap - 1, 0, 0))
    for k, (header, number, width) in enumerate(zip(headers, numbers, widths, strict=True)):
        fixed = width if number or k == 0 else None
        table.add_column(header, justify="right" if number else "left", width=fixed, min_width=width, overflow="fold")
    for row in cells.itertuples(index=False):
        table.add_row(*row)
    console.print(table)
    console.print()


def least_width(cells: pd.Series, header: str, whole: bool) -> int:
    """Return the width that a column needs: for whole cells, or for text that may break; headings break at blanks."""
    longest = max(map(len, cells), default=0)
    return max([longest if whole else min(longest, 12), *map(len, header.split())])


def cell(value) -> str:
    """Four significant digits for floats, a dash for what is missing."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return "-" if value is None else str(value)
