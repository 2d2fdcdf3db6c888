"""What an engine offers to the training loop: the protocol of a program and the keys that programs are pooled by.

Everything that shapes the compiled code stands in a key; everything that is only a number is an argument of a call.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from .data import Missing, WindowData
from .pieces import Carry
from .resumption import owner_of

__all__ = ["ForwardKey", "Numbers", "Program", "ProgramKey", "TrainerKey"]


@dataclass(frozen=True)
class ForwardKey:
    """What the forward pass is compiled for."""

    spec: Any  # a `Spec`
    n_steps: int
    n_features: int
    indicators: tuple[int, ...] = ()
    ragged: bool = False  # windows may have empty leading steps
    centred: bool = False  # windows have an offset
    carried: bool = False  # windows start from states that are given, and give back theirs

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of what the network returns for a window: (n_outputs,), of a sequence (n_segments, n_outputs)."""
        return self.spec.output_shape(self.n_steps)

    @property
    def n_states(self) -> int:
        """Numbers in the states of a recurrent network after a window."""
        return sum(self.spec.state_widths)


@dataclass(frozen=True)
class TrainerKey:
    """What the training step is compiled for. A recurrent dropout rate is built into Keras's cells.

    `quantiles` are those of the loss "pinball". `teacher` says how often a network that reads its own outputs is given
    the true ones instead: "always", "sometimes" or "never".
    """

    batch_size: int
    optimizer: str = "adam"
    momentum: float = 0.0
    nesterov: bool = False
    loss: str = "mse"
    quantiles: tuple[float, ...] = ()
    dropout: bool = False
    recurrent_dropout: float = 0.0
    teacher: str = "never"
    compiled: bool = False

    @property
    def owner(self) -> str:
        """Whose state the optimiser's is."""
        return owner_of(self.optimizer, self.momentum)


@dataclass(frozen=True)
class ProgramKey:
    """A program for training and prediction, or, without a trainer, for prediction only."""

    forward: ForwardKey
    trainer: TrainerKey | None = None

    def serves(self, wanted: ProgramKey) -> bool:
        """Say whether a program of this key can do what is wanted: a trained one predicts as well."""
        return self.forward == wanted.forward and wanted.trainer in (None, self.trainer)


class Numbers(NamedTuple):
    """Hyperparameters of a training step that are not built into a program."""

    learning_rate: float
    l1: float = 0.0
    l2: float = 0.0
    clipnorm: float = float("inf")
    dropout: float = 0.0
    weight_decay: float = 0.0  # of "adamw"
    teacher_forcing: float = 0.0  # share of the outputs, for teacher="sometimes"


class Program(Protocol):
    """A compiled pair of training step and prediction. Holds no truth: weights are loaded before each use."""

    key: ProgramKey

    def load(self, weights: list[np.ndarray]) -> None:
        """Set the weights, in the order of `NetworkSpec.weights`."""

    def weights(self) -> list[np.ndarray]:
        """Return a copy of the weights."""

    def reset_trainer(
        self, seed: int, state: Sequence[np.ndarray] | None = None, generators: Sequence[np.ndarray] = ()
    ) -> None:
        """Set the optimiser to `state` (None: as new), and the dropout masks to `seed` or on from `generators`."""

    def trainer_state(self) -> list[np.ndarray]:
        """Return a copy of the optimiser's state."""

    def generators(self) -> list[np.ndarray]:
        """Return where the generators of the dropout masks have come to, if the engine has any."""

    def bind(
        self, windows: WindowData, missing: Missing, y: Any = None, weight: Any = None, carry: Carry | None = None
    ) -> Any:
        """Hand the data over once; the answer is what the calls below take.

        y is float32 (n_windows, n_targets), with NaN where there is no target, and weight is (n_windows,). The targets
        of a sequence stand segment by segment; those of empty segments must be NaN. A program that carries states needs
        `carry`, and overwrites what it holds: the windows of one batch, or of one call of `predict`, must be of
        different lanes.
        """

    def train_steps(self, data: Any, order: np.ndarray, numbers: Numbers) -> tuple[float, float]:
        """Run one step for each row of `order` (n_steps, batch_size): row numbers, -1 where a batch is not full.

        Returns the sum of weighted losses, each before its step, and the sum of weights.
        """

    def predict(self, data: Any, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Return float32 (stop - start, *output_shape) for the windows start..stop-1, by default all.

        A window's are the same whatever windows stand beside it. Of a sequence, the outputs of empty segments are NaN.
        """
