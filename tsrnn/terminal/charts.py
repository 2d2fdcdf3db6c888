"""Charts of a comparison and of a forecast. Imports plots and matplotlib, when one is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from ..comparison import Comparison

__all__ = ["draw_comparison", "draw_forecast"]


def draw_comparison(result: Comparison, title: str) -> Figure:
    """Draw the last forecasts and the leaderboard side by side."""
    from matplotlib.figure import Figure

    from ..plots import plot_leaderboard

    figure = Figure(figsize=(14, 4.8), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[3, 1])
    result.plot(ax=left)
    plot_leaderboard(result.leaderboard(), ax=right)
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def draw_forecast(frame: pd.DataFrame, result: pd.DataFrame, targets: list[str]) -> Figure:
    """Draw one chart per target, below each other."""
    from matplotlib.figure import Figure

    from ..plots import plot_forecast

    figure = Figure(figsize=(10, 3.8 * len(targets)), layout="constrained")
    for ax, target in zip(figure.subplots(len(targets), squeeze=False)[:, 0], targets, strict=True):
        plot_forecast(frame, result, ax=ax, target=target)
    return figure
