"""What a recurrent cell is: everything that the rest of the package may ask of it. Imports NumPy only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

__all__ = [
    "CELLS",
    "SLOPES",
    "SQUASH",
    "Cell",
    "Gates",
    "Pull",
    "Pulled",
    "Slope",
    "Squash",
    "State",
    "Step",
    "Weights",
    "register",
]

State = tuple[np.ndarray, ...]
Gates = dict[str, np.ndarray]
Weights = Sequence[np.ndarray]
Squash = Callable[[np.ndarray], np.ndarray]
Slope = Callable[[np.ndarray], np.ndarray]


def softsign(x: np.ndarray) -> np.ndarray:
    """Squash x to x / (1 + |x|), which saturates later than tanh (Glorot and Bengio, 2010)."""
    return x / (1 + np.abs(x))


SQUASH: dict[str, Squash] = {"tanh": np.tanh, "softsign": softsign}
#: Slope of each activation, from its value: tanh' = 1 - tanh^2, and softsign'(x) = 1 / (1 + |x|)^2.
SLOPES: dict[str, Slope] = {"tanh": lambda y: 1 - y**2, "softsign": lambda y: (1 - np.abs(y)) ** 2}


class Pulled(NamedTuple):
    """One step backward: gradients of what was computed in it."""

    memory: State  # of an LSTM's memory cell after the step, everything counted
    columns: np.ndarray  # of the sums of the input product, block by block
    recurrent: np.ndarray  # of the sums of the recurrent product
    before: State  # of the state before the step, less what goes through the recurrent product


Step = Callable[[np.ndarray, State, Weights, Squash], tuple[State, Gates]]
Pull = Callable[[State, State, State, Gates, Weights, Squash, Slope], Pulled]


@dataclass(frozen=True, eq=False)
class Cell:
    """A recurrent cell: how its weights lie, what it computes, and what it is called.

    Attributes
    ----------
    name : str
        In parameters and files.
    title : str
        In tables and pictures.
    blocks : tuple of str
        The gate of each block of `units` columns in its kernels, in Keras's order.
    step : callable
        One step in double precision: (x, state, weights, squash) -> (state, gates).
    pull : callable or None
        The way back through a step: (gradient of the state, state before, state after, gates, weights, squash, slope)
        -> `Pulled`. None where it is not written down.
    states : tuple of str
        What is handed from step to step, the hidden state h first; none for a layer without a state.
    recurrent_kernel : bool
        Whether gates and candidate read the state.
    n_biases : int
        Rows of the bias: Keras's GRU keeps those of the input product and of the recurrent product apart.
    remembers : int or None
        The block whose bias starts at `forget_bias`.
    peepholes : bool
        Whether its gates can see its memory.
    in_windows, in_feedback : bool
        Whether it can read windows, and stand in a network that reads its own outputs.
    """

    name: str
    title: str
    blocks: tuple[str, ...]
    step: Step
    pull: Pull | None = None
    states: tuple[str, ...] = ("h",)
    recurrent_kernel: bool = True
    n_biases: int = 1
    remembers: int | None = None
    peepholes: bool = False
    in_windows: bool = True
    in_feedback: bool = True

    @property
    def n_arrays(self) -> int:
        """Arrays of weights of one layer in one direction: kernels and bias."""
        return 2 + self.recurrent_kernel

    def n_columns(self, units: int) -> int:
        """Return the columns of a kernel."""
        return len(self.blocks) * units

    def bias_shape(self, units: int) -> tuple[int, ...]:
        """Return the shape of the bias."""
        columns = self.n_columns(units)
        return (columns,) if self.n_biases == 1 else (self.n_biases, columns)

    def bias_gradient(self, columns: np.ndarray, recurrent: np.ndarray) -> np.ndarray:
        """Return the gradient of the bias from those of the sums of the two products, (n, columns) each."""
        return columns.sum(0) if self.n_biases == 1 else np.stack([columns.sum(0), recurrent.sum(0)])


#: Every cell by its name.
CELLS: dict[str, Cell] = {}


def register(cell: Cell) -> Cell:
    """Make a cell known under its name, and return it.

    Raises
    ------
    ValueError
        If another cell has that name.
    """
    if cell.name in CELLS:
        raise ValueError(f"there is a cell {cell.name!r} already. Give the new one a name of its own.")
    CELLS[cell.name] = cell
    return cell
