"""What the displays share when they draw. matplotlib is imported when something is drawn; imports plots for colours."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..plots import COLOURS

__all__ = ["draw_by_lag", "panels", "set_log", "single", "tidy"]


def single(ax: Any, size: tuple[float, float]) -> Any:
    """Return the axes given, or those of a new figure."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=size, layout="constrained")[1]


def panels(ax: Any, n: int, width: float, height: float) -> list[Any]:
    """Return `n` axes one above the other: those given, or made in the place of the one given or in a new figure."""
    if ax is None:
        import matplotlib.pyplot as plt

        figure = plt.figure(figsize=(width, height * n), layout="constrained")
        return list(figure.subplots(n, squeeze=False).flat)
    if isinstance(ax, (list, tuple, np.ndarray)):
        axes = list(np.ravel(np.asarray(ax, dtype=object)))
        if len(axes) != n:
            raise ValueError(f"ax must be one Axes or {n} of them, one for each panel, got {len(axes)}.")
        return axes
    ax.set_axis_off()
    place = ax.get_subplotspec().subgridspec(n, 1)
    return [ax.figure.add_subplot(place[i, 0]) for i in range(n)]


def tidy(ax: Any) -> None:
    """Leave out the frame on top and on the right."""
    ax.spines[["top", "right"]].set_visible(False)


def set_log(ax: Any) -> None:
    """Make the vertical axis logarithmic, or say on it that there is nothing above 0 to draw."""
    if any(np.isfinite(line.get_ydata(orig=True).astype(float)).any() for line in ax.get_lines()):
        ax.set_yscale("log")
    else:
        ax.text(0.5, 0.5, "0 at every lag", transform=ax.transAxes, ha="center", color="0.4")


def draw_by_lag(ax: Any, table: pd.DataFrame, column: str, label: str, *, log: bool) -> None:
    """Draw a number by lag: a line for each channel, or a map if there are more channels than colours."""
    ax.set_xlabel("lag: steps before the last of the window")
    ax.xaxis.get_major_locator().set_params(integer=True)
    if "channel" not in table:
        table = table.assign(channel="all")
    if table["channel"].nunique() > len(COLOURS):
        _draw_map(ax, table, column, label)
        return
    for (channel, rows), colour in zip(table.groupby("channel", sort=False), COLOURS, strict=False):
        values = rows[column].where(rows[column] > 0) if log else rows[column]  # 0 has no logarithm
        ax.plot(rows["lag"], values, color=colour, marker="o" if len(rows) == 1 else None, label=str(channel))
    if log:
        set_log(ax)
    ax.set_ylabel(label)
    ax.margins(x=0.01)
    if table["channel"].nunique() > 1:
        ax.legend(title="channel", frameon=False)
    tidy(ax)


def _draw_map(ax: Any, table: pd.DataFrame, column: str, label: str) -> None:
    wide = table.pivot(index="channel", columns="lag", values=column).reindex(table["channel"].unique())
    mesh = ax.pcolormesh(wide.columns, np.arange(len(wide)), wide.to_numpy(), shading="nearest", cmap="viridis")
    mesh.set_rasterized(True)
    ax.set_yticks(np.arange(len(wide)), [str(name) for name in wide.index])
    ax.invert_yaxis()
    ax.set_ylabel("channel")
    ax.figure.colorbar(mesh, ax=ax, label=label, pad=0.01)
