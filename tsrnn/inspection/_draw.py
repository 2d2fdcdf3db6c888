"""What the displays share when they draw. matplotlib is imported when something is drawn; imports nothing of tsrnn."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["panels", "single", "tidy"]


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
