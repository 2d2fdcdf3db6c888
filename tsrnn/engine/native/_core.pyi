"""Types of the compiled binding; see _core.pyx."""

from collections.abc import Sequence
from typing import Any

import numpy as np

CELLS: tuple[str, ...]
ACTIVATIONS: tuple[str, ...]
LOSSES: tuple[str, ...]
OPTIMIZERS: tuple[str, ...]
HEADS: tuple[str, ...]
STATIC_TO: tuple[str, ...]
MAX_LAYERS: int
MAX_QUANTILES: int
MAX_THREADS: int
MAX_UNITS: int

def instruction_sets() -> tuple[str, ...]: ...

class Data:
    n_windows: int
    n_features: int
    n_steps: int
    n_targets: int
    n_carried: int
    def __init__(
        self,
        series: Any,
        starts: Any,
        lead: Any,
        n_steps: int,
        offset: Any,
        means: Any,
        y: Any = None,
        weight: Any = None,
        scale: Any = None,
        states: np.ndarray | None = None,
        carry: Any = None,
    ) -> None: ...
    def __len__(self) -> int: ...

class Network:
    n_steps: int
    n_features: int
    n_outputs: int
    n_targets: int
    n_values: int
    batch_size: int
    n_parameters: int
    n_moments: int
    n_carried: int
    isa: str
    def __init__(
        self,
        *,
        cell: str,
        units: Sequence[int],
        n_steps: int,
        n_features: int,
        n_outputs: int,
        activation: str = "tanh",
        bidirectional: bool = False,
        segment: int = 1,
        head: str = "last",
        static: Sequence[int] = (),
        static_to: str = "both",
        indicators: Sequence[int] = (),
        batch_size: int = 0,
        loss: str = "mse",
        optimizer: str = "adam",
        momentum: float = 0.0,
        nesterov: bool = False,
        recurrent_dropout: float = 0.0,
        quantiles: Sequence[float] = (),
        carried: bool = False,
        isa: str | None = None,
    ) -> None: ...
    def set_values(self, values: Any, which: int = -1) -> None: ...
    def get_values(self, which: int = -1) -> np.ndarray: ...
    @property
    def iterations(self) -> int: ...
    def set_clock(self, iterations: int, seed: int) -> None: ...
    def train(
        self,
        data: Data,
        order: Any,
        *,
        learning_rate: float,
        l1: float = 0.0,
        l2: float = 0.0,
        clipnorm: float = ...,
        dropout: float = 0.0,
        weight_decay: float = 0.0,
        n_threads: int = 1,
        loss: float = 0.0,
        weight: float = 0.0,
    ) -> tuple[float, float]: ...
    def predict(self, data: Data, start: int = 0, stop: int | None = None, n_threads: int = 1) -> np.ndarray: ...
