"""What a fitted regressor shows of its network to streams and to inspection. Knows no estimator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..engine import Missing, ProgramKey, WindowData
from ..engine.examples import Examples
from ..engine.pieces import Pieces
from ..engine.training import TrainingPlan
from .inputs import Windows

__all__ = ["NetworkView", "Rehearsal"]


@dataclass(frozen=True, eq=False)
class NetworkView:
    """A trained network, what it reads and what it gives out.

    Attributes
    ----------
    spec : Spec
    weights : list of ndarray
    missing : Missing
        How missing values are filled.
    channels : list
        What the features of a step are called: columns or positions.
    target_shape : tuple of int
        Of one window's target.
    loss : str
    quantiles : tuple of float
        What was learnt.
    read : callable
        Reads X as windows of the regressor, not copied.
    prepare : callable
        Brings them into the form that engines read, as long as those of `fit`.
    """

    spec: Any
    weights: list[np.ndarray]
    missing: Missing
    channels: list[Any]
    target_shape: tuple[int, ...]
    loss: str
    quantiles: tuple[float, ...]
    read: Callable[[Any], Windows]
    prepare: Callable[[Windows], WindowData]

    @property
    def step_shape(self) -> tuple[int, ...]:
        """Shape of the target of a window or, of a sequence, of a step."""
        return self.target_shape[1:] if self.spec.head == "sequence" else self.target_shape

    def inputs(self, X: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return windows as the network reads them, gaps filled and missing indicators added, and their empty steps.

        Returns
        -------
        inputs : ndarray of float64, shape (n_windows, n_steps, n_inputs)
            The steps are those of `fit`: a shorter window is filled up on the left. (With `tbptt_steps`, those of X.)
        lead : ndarray of int, shape (n_windows,)
            Empty leading steps of each window.
        """
        windows = self.prepare(self.read(X))
        return self.missing.channels(windows.dense(slice(None)).astype(np.float64)), windows.lead


@dataclass(frozen=True, eq=False)
class Rehearsal:
    """A training that is described and has not begun.

    Attributes
    ----------
    examples : Examples
        All that there is to learn from.
    feed : Examples or Pieces
        The same as the training loop takes it.
    plan : TrainingPlan
    key : ProgramKey
        The program that trains.
    engine : {"auto", "native", "keras"}
    rng : numpy.random.Generator
        Has drawn the initial weights.
    """

    examples: Examples
    feed: Examples | Pieces
    plan: TrainingPlan
    key: ProgramKey
    engine: Any
    rng: np.random.Generator
