"""The layers of a network as a list: what each gives out, and how many parameters it has. Pure Python."""

from __future__ import annotations

import math
from collections.abc import Iterable

__all__ = ["Layer", "LayerList"]

#: Name, shape of the output for one window, and number of parameters.
Layer = tuple[str, tuple[int, ...], int]


class LayerList:
    """Layers in the order of the weights, each with the number of its parameters.

    Parameters
    ----------
    shapes : iterable of tuple of int
        Of the weights.
    """

    def __init__(self, shapes: Iterable[tuple[int, ...]]):
        self.rows: list[Layer] = []
        self._sizes = [math.prod(shape) for shape in shapes]

    def add(self, name: str, shape: tuple[int, ...], n_arrays: int = 2) -> None:
        """Add the layer that the next arrays belong to."""
        self.rows.append((name, shape, sum(self._sizes[:n_arrays])))
        del self._sizes[:n_arrays]
