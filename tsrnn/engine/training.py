"""The training loop: epochs, schedules, early stopping, hooks. It knows no engine, only the protocol of a program."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .data import Missing
from .examples import Examples
from .losses import mean_loss
from .pieces import Pieces, Reader
from .program import Numbers, Program
from .resumption import TrainerState

__all__ = [
    "SCHEDULES",
    "EpochState",
    "Hook",
    "Outcome",
    "TrainingInterrupted",
    "TrainingPlan",
    "train",
]


def cosine(epoch: int, epochs: int) -> float:
    """From 1 down along half a cosine, near 0 from the last epoch on (Loshchilov and Hutter, 2017)."""
    return 0.5 * (1 + math.cos(math.pi * min(epoch, epochs - 1) / epochs))


def exponential(epoch: int, epochs: int) -> float:
    """1 for three epochs, then a fifth less in each (the schedule of SegRNN; Lin et al., 2023)."""
    return 0.8 ** max(0, epoch - 2)


SCHEDULES: dict[str, Callable[[int, int], float]] = {"cosine": cosine, "exponential": exponential}


@dataclass(frozen=True)
class TrainingPlan:
    """How to train; the numbers of an estimator's parameters, checked.

    Epochs are counted from 0, by schedules and hooks alike, and go on from `start`. What falls over all `epochs` stays
    where it is after them.
    """

    epochs: int
    batch_size: int
    loss: str
    numbers: Numbers
    shuffle: bool = True
    most: int | None = None  # windows of an epoch, drawn anew for each; None for all
    schedule: str | Callable[[int], float] | None = None
    patience: int = 5
    tol: float = 1e-4
    quantiles: tuple[float, ...] = ()  # of the loss "pinball"
    # How often a network that reads its own outputs is given the true ones: a share, or one for each epoch.
    teacher_forcing: float | str | Callable[[int], float] = 0.0
    start: int = 0  # epochs that were trained before
    n_epochs: int | None = None  # to train now; None for all `epochs`

    @property
    def end(self) -> int:
        """Number of the epoch before which training ends."""
        return self.start + (self.epochs if self.n_epochs is None else self.n_epochs)

    def rate(self, epoch: int) -> float:
        """Return the learning rate of an epoch, counted from 0."""
        if self.schedule is None:
            return self.numbers.learning_rate
        if isinstance(self.schedule, str):
            return self.numbers.learning_rate * SCHEDULES[self.schedule](epoch, self.epochs)
        return self.numbers.learning_rate * float(self.schedule(epoch))

    def forcing(self, epoch: int) -> float:
        """Return the share of outputs that the teacher corrects in an epoch, counted from 0."""
        if self.teacher_forcing == "linear":
            return max(0.0, 1 - epoch / self.epochs)
        if not callable(self.teacher_forcing):
            return float(self.teacher_forcing)
        share = float(self.teacher_forcing(epoch))
        if not 0 <= share <= 1:
            raise ValueError(f"teacher_forcing({epoch}) must return a share between 0 and 1, got {share}.")
        return share

    def numbers_at(self, epoch: int, rate: float) -> Numbers:
        """Return the numbers of an epoch, counted from 0, at this learning rate."""
        return self.numbers._replace(learning_rate=rate, teacher_forcing=self.forcing(epoch))


@dataclass(eq=False)
class EpochState:
    """What hooks see and may change: `stop` ends the training after this epoch, `learning_rate` holds from then on.

    `history` is that of this training alone.
    """

    program: Program
    epochs: int  # that are to be done in the end
    epoch: int = 0  # epochs done, earlier trainings included
    learning_rate: float = 0.0
    stop: bool = False
    logs: dict[str, float] = field(default_factory=dict)
    history: dict[str, list[float]] = field(default_factory=dict)


class Hook:
    """Something that is called while a network trains. All methods do nothing here."""

    wants_batches = False  # whether on_batch_begin and on_batch_end are to be called: epochs then run batch by batch

    def on_train_begin(self, state: EpochState) -> None: ...

    def on_epoch_begin(self, state: EpochState) -> None: ...

    def on_batch_begin(self, state: EpochState, batch: int) -> None: ...

    def on_batch_end(self, state: EpochState, batch: int, loss: float) -> None: ...

    def on_epoch_end(self, state: EpochState) -> None: ...

    def on_train_end(self, state: EpochState) -> None: ...

    def close(self) -> None:
        """Clean up; called however the training ended."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """What training leaves behind."""

    weights: list[np.ndarray]
    trainer_state: TrainerState
    history: dict[str, list[float]]
    n_iter: int
    best_iteration: int
    initial_val_loss: float | None


class TrainingInterrupted(KeyboardInterrupt):
    """Ctrl-C during training; `outcome` is what had been reached by then."""

    def __init__(self, outcome: Outcome):
        super().__init__()
        self.outcome = outcome


class _BestWeights:
    """Keeps the weights with the lowest validation loss and says when it has not fallen for too long."""

    def __init__(self, program: Program, validation: Examples, missing: Missing, plan: TrainingPlan):
        self._program, self._validation, self._plan = program, validation, plan
        self._reader = Reader(program, validation.windows, missing)
        # Iteration 0 is the network before the first epoch: training must beat where it started from.
        self.initial = self.best = self._reference = self.score()
        self.iteration, self.weights, self._waited = 0, program.weights(), 0

    def score(self) -> float:
        outputs, examples = self._reader.outputs(), self._validation
        return mean_loss(self._plan.loss, examples.y, outputs, examples.weight, self._plan.quantiles)

    def update(self, epoch: int, loss: float) -> bool:
        if loss < self.best:
            self.best, self.iteration, self.weights = loss, epoch, self._program.weights()
        # As in scikit-learn: only a fall by more than tol starts the count anew.
        if loss < self._reference - self._plan.tol:
            self._reference, self._waited = loss, 0
        else:
            self._waited += 1
        return self._waited >= self._plan.patience


def _run_epoch(state: EpochState, data: Any, order: np.ndarray, numbers: Numbers, hooks: Sequence[Hook]) -> float:
    """Train on all batches, in one call unless a hook wants to see each, and return the weighted mean loss."""
    watchers = [hook for hook in hooks if hook.wants_batches]
    loss_sum = weight_sum = 0.0
    for batch, rows in enumerate(np.split(order, len(order)) if watchers else [order]):
        for hook in watchers:
            hook.on_batch_begin(state, batch)
        loss, weight = state.program.train_steps(data, rows, numbers)
        loss_sum, weight_sum = loss_sum + loss, weight_sum + weight
        for hook in watchers:
            hook.on_batch_end(state, batch, loss / weight if weight else math.nan)
        if watchers and state.stop:
            break
    return loss_sum / weight_sum if weight_sum else math.nan


def _check_finite(name: str, loss: float, state: EpochState) -> None:
    if not math.isfinite(loss):
        raise FloatingPointError(
            f"the {name} became {loss} in epoch {state.epoch} (learning rate {state.learning_rate:g}): training "
            "diverged. Try a smaller learning_rate or clipnorm, and check that X and y are scaled."
        )


def _run_epochs(
    state: EpochState,
    data: Any,
    training: Examples | Pieces,
    plan: TrainingPlan,
    rng: np.random.Generator,
    best: _BestWeights | None,
    hooks: Sequence[Hook],
) -> None:
    """Train until the plan, early stopping or a hook says so."""
    scale = 1.0  # what callbacks did to the learning rate, kept on top of the schedule
    for hook in hooks:
        hook.on_train_begin(state)
    while state.epoch < plan.end and not state.stop:
        state.learning_rate = plan.rate(state.epoch) * scale
        for hook in hooks:
            hook.on_epoch_begin(state)
        rate = state.learning_rate
        order = training.batches(plan.batch_size, rng if plan.shuffle else None, plan.most)
        numbers = plan.numbers_at(state.epoch, rate)
        state.epoch += 1
        loss = _run_epoch(state, data, order, numbers, hooks)
        _check_finite("training loss", loss, state)
        state.logs = {"loss": loss, "learning_rate": rate}
        if best is not None:
            state.logs["val_loss"] = best.score()
            _check_finite("validation loss", state.logs["val_loss"], state)
            state.stop |= best.update(state.epoch - plan.start, state.logs["val_loss"])
        for name, values in state.history.items():
            values.append(state.logs[name])
        for hook in hooks:
            hook.on_epoch_end(state)
        if state.learning_rate != rate:
            scale *= state.learning_rate / rate if rate else 1.0


def _set_trainer(program: Program, before: TrainerState | None, rng: np.random.Generator) -> None:
    """Let the optimiser and the dropout masks go on if the state is the optimiser's own, else start both afresh."""
    trainer = program.key.trainer
    own = before is not None and trainer is not None and before.owner == trainer.owner
    if before is not None and own and len(before.generators) == len(program.generators()):
        program.reset_trainer(0, before.arrays, before.generators)
    else:
        # Masks that cannot go on, for other layers, are not to be the first ones again either.
        program.reset_trainer(int(rng.integers(2**31)), before.arrays if before is not None and own else None)


def _outcome(state: EpochState, best: _BestWeights | None) -> Outcome:
    n_iter, program = len(state.history["loss"]), state.program
    owner = "" if program.key.trainer is None else program.key.trainer.owner
    return Outcome(
        weights=program.weights(),
        trainer_state=TrainerState(owner, tuple(program.trainer_state()), tuple(program.generators())),
        history=state.history,
        n_iter=n_iter,
        best_iteration=n_iter if best is None else best.iteration,
        initial_val_loss=None if best is None else best.initial,
    )


def train(
    program: Program,
    training: Examples | Pieces,
    validation: Examples | None,
    missing: Missing,
    plan: TrainingPlan,
    weights: list[np.ndarray],
    rng: np.random.Generator,
    *,
    trainer_state: TrainerState | None = None,
    hooks: Sequence[Hook] = (),
) -> Outcome:
    """Train a network from `weights` on and return the best weights (without a validation part, the last).

    Parameters
    ----------
    program : Program
        Leased for this caller; its state before does not matter.
    training : Examples or Pieces
        What to learn from.
    validation : Examples or None
        What decides when to stop; None to run all epochs.
    missing : Missing
        How gaps are filled.
    plan : TrainingPlan
        The hyperparameters.
    weights : list of ndarray
        Where to start.
    rng : numpy.random.Generator
        Shuffles the examples and seeds the dropout masks.
    trainer_state : TrainerState or None
        What the training before left. An optimiser goes on with its own state only.
    hooks : sequence of Hook
        Called in order.

    Raises
    ------
    FloatingPointError
        If a loss is not finite.
    TrainingInterrupted
        On Ctrl-C.
    """
    program.load(weights)
    _set_trainer(program, trainer_state, rng)
    data = program.bind(training.windows, missing, training.y, training.weight, training.carry)
    state = EpochState(program, plan.end, epoch=plan.start, learning_rate=plan.rate(plan.start))
    names = ["loss"] + ["val_loss"] * (validation is not None) + ["learning_rate"]
    state.history = {name: [] for name in names}
    best = None if validation is None else _BestWeights(program, validation, missing, plan)
    try:
        _run_epochs(state, data, training, plan, rng, best, hooks)
        if best is not None:
            program.load(best.weights)
        for hook in hooks:
            hook.on_train_end(state)
        outcome = _outcome(state, best)
        if not all(np.isfinite(values).all() for values in outcome.weights):
            _check_finite("weights", float("nan"), state)
        return outcome
    except KeyboardInterrupt:
        if best is not None:
            program.load(best.weights)
        raise TrainingInterrupted(_outcome(state, best)) from None
    finally:
        for hook in hooks:
            hook.close()
