"""The native program: the C engine behind the protocol that the training loop and the pool know. NumPy only.

Importing this module needs the compiled extension; `tsrnn.engine.native.available` says whether it is there.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..data import Missing, WindowData
from ..pieces import Carry
from ..program import Numbers, ProgramKey
from ..weights import check_weights
from . import _core

__all__ = ["NativeProgram", "instruction_sets", "shortfall"]

_CALL_SECONDS = 0.1  # a call into C is to take no longer: Ctrl-C is seen between calls
_TRIAL_SECONDS = 0.005  # of a call that measures how fast another number of threads is
_TRIALS = 3  # of each number of threads before one is preferred
_TRIAL_EVERY = 20  # calls between later trials: other work comes and goes
_TRAINING_THREADS = 2  # the engine splits a batch in two
_ROWS_PER_THREAD = 32  # windows that are worth a further thread of prediction
_SEED_STEP = 0xD1342543DE82EF95  # between the seeds of the masks of two steps, in engine.c
_WORK_PER_THREAD = 200_000  # multiply-adds that are worth a further thread: some 5 us
_COMPUTES = {
    "cell": _core.CELLS,
    "activation": _core.ACTIVATIONS,
    "head": _core.HEADS,
    "loss": _core.LOSSES,
    "optimizer": _core.OPTIMIZERS,
}

instruction_sets = _core.instruction_sets


def shortfall(key: ProgramKey) -> str | None:
    """Say what of this key the native engine does not compute; None if it computes all of it."""
    spec, trainer = key.forward.spec, key.trainer
    demands = spec.demands()
    if demands is None:
        return "the native engine computes recurrent networks, not others, nor Keras models"
    if len(spec.units) > _core.MAX_LAYERS or max(spec.units) > _core.MAX_UNITS:
        return (
            f"the native engine computes up to {_core.MAX_LAYERS} layers of {_core.MAX_UNITS} units, not {spec.units}"
        )
    if trainer is not None:
        demands |= {"loss": trainer.loss, "optimizer": trainer.optimizer}
        if len(trainer.quantiles) > _core.MAX_QUANTILES:
            return f"the native engine computes up to {_core.MAX_QUANTILES} quantiles, not {len(trainer.quantiles)}"
    lacking = (f"{name}={value!r}" for name, value in demands.items() if value not in _COMPUTES.get(name, ()))
    return next((f"the native engine does not compute {what}" for what in lacking), None)


# Training and predicting calls in progress in this process. Small networks want one thread each where several train at
# once, as in a grid search over threads; the numbers do not depend on how many threads a call gets.
_busy = 0
_busy_lock = threading.Lock()


def _reset_after_fork() -> None:
    """A fork copies what other threads of the parent were doing, but not the threads."""
    global _busy, _busy_lock
    _busy, _busy_lock = 0, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_after_fork)


@contextmanager
def _threads(wanted: int) -> Iterator[int]:
    """Lend up to `wanted` threads; one if other calls are in progress."""
    global _busy
    with _busy_lock:
        _busy += 1
        alone = _busy == 1
    try:
        yield min(wanted, _max_threads()) if alone else 1
    finally:
        with _busy_lock:
            _busy -= 1


def _max_threads() -> int:
    """Return the number of threads that a call may use: TSRNN_NUM_THREADS, OMP_NUM_THREADS, or the processors.

    joblib sets OMP_NUM_THREADS in its worker processes, so that they do not get in each other's way.
    """
    for name in ("TSRNN_NUM_THREADS", "OMP_NUM_THREADS"):
        value = os.environ.get(name, "")
        if value.isdigit() and int(value) > 0:
            return min(int(value), _core.MAX_THREADS)
    try:
        processors = len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        processors = os.cpu_count() or 1
    return min(processors, _core.MAX_THREADS)


@dataclass
class _Pace:
    """Chooses threads and steps of the next training call by how long earlier ones took.

    On a machine that is busy with other work, two threads that wait for each other are slower than one.
    """

    _step_seconds: dict[int, float] = field(default_factory=dict)  # threads -> the latest measurement
    _measured: Counter[int] = field(default_factory=Counter)
    _calls: int = 0

    def choose(self, allowed: range) -> tuple[int, int]:
        """Return one of the `allowed` numbers of threads, and the number of steps."""
        self._calls += 1
        n_threads = min(allowed, key=self._measured.__getitem__)
        on_trial = self._measured[n_threads] < _TRIALS or self._calls % _TRIAL_EVERY == 0
        if n_threads not in self._step_seconds:
            return n_threads, 1
        if not on_trial:
            n_threads = min(allowed, key=self._step_seconds.__getitem__)
        seconds = _TRIAL_SECONDS if on_trial else _CALL_SECONDS
        return n_threads, max(1, int(seconds / self._step_seconds[n_threads]))

    def note(self, n_threads: int, steps: int, seconds: float) -> None:
        self._measured[n_threads] += 1
        self._step_seconds[n_threads] = max(seconds / steps, 1e-7)


def make_network(key: ProgramKey) -> _core.Network:
    """Lay out the network of a program, with what trains it if anything does."""
    forward, trainer = key.forward, key.trainer
    spec = forward.spec
    training: dict[str, Any] = {}
    if trainer is not None:
        sgd = trainer.optimizer == "sgd"
        training = {
            "batch_size": trainer.batch_size,
            "optimizer": trainer.optimizer,
            "momentum": trainer.momentum if sgd else 0.0,
            "nesterov": trainer.nesterov and sgd,
            "loss": trainer.loss,
            "recurrent_dropout": trainer.recurrent_dropout,
            "quantiles": trainer.quantiles,
        }
    return _core.Network(
        cell=spec.cell,
        units=spec.units,
        activation=spec.activation,
        bidirectional=spec.bidirectional,
        segment=spec.segment,
        n_steps=forward.n_steps,
        n_features=forward.n_features,
        indicators=forward.indicators,
        n_outputs=spec.n_outputs,
        head=spec.head,
        static=spec.static,
        static_to=spec.static_to,
        carried=forward.carried,
        isa=os.environ.get("TSRNN_ISA") or None,
        **training,
    )


class NativeProgram:
    """Fills in the `Program` protocol with the C engine.

    Parameters
    ----------
    key : ProgramKey
        One without a `shortfall`. `compiled` means nothing here.
    n_threads : int or None
        Threads of a call; None: as many as there are processors, but one if another call is in progress. The numbers
        are the same on any number of threads.

    Notes
    -----
    The environment variable TSRNN_ISA forces one of `instruction_sets()`; the first is the default. Their results
    differ in the last bits.
    """

    def __init__(self, key: ProgramKey, n_threads: int | None = None):
        self.key = key
        self._n_threads = n_threads
        spec, n_steps = key.forward.spec, key.forward.n_steps
        self._network = make_network(key)
        self._shapes = [weight.shape for weight in spec.weights]
        self._stops = np.cumsum([math.prod(shape) for shape in self._shapes])
        self._learning_rate = np.float32(1e-3)  # Keras keeps it in the optimiser's state
        # multiply-adds of one window: forward, and about twice that backward
        self._work = spec.n_parameters * spec.n_segments(n_steps)
        self._pace = _Pace()
        self._seed = self._drawn = 0  # of the dropout masks, and steps since it was set

    # -- state -------------------------------------------------------------------------------------------------------

    def _split(self, values: np.ndarray) -> list[np.ndarray]:
        parts = np.split(values, self._stops[:-1])
        return [part.reshape(shape).copy() for part, shape in zip(parts, self._shapes, strict=True)]

    def _join(self, arrays: list[np.ndarray]) -> np.ndarray:
        shapes = [np.shape(array) for array in arrays]
        if shapes != self._shapes:
            raise ValueError(f"the moments of the weights must have the shapes {self._shapes}, got {shapes}.")
        return np.concatenate([np.asarray(array, dtype=np.float32).ravel() for array in arrays])

    def load(self, weights: list[np.ndarray]) -> None:
        self._network.set_values(self._join(check_weights(weights, self._shapes)))

    def weights(self) -> list[np.ndarray]:
        return self._split(self._network.get_values())

    def reset_trainer(
        self, seed: int, state: Sequence[np.ndarray] | None = None, generators: Sequence[np.ndarray] = ()
    ) -> None:
        trainer = self.key.trainer
        moments = self._network.n_moments
        if state is None:
            new = 0.1 if trainer is not None and trainer.optimizer == "adagrad" else 0.0  # Keras's initial accumulator
            iterations = 0
            arrays = [[np.full(shape, new, np.float32) for shape in self._shapes]] * moments
        else:
            # Keras's order: iterations, learning rate, then for each weight its moments
            iterations, self._learning_rate = int(state[0]), np.float32(state[1])
            if len(state) != 2 + moments * len(self._shapes):
                raise ValueError(
                    f"the state of the optimiser must be {2 + moments * len(self._shapes)} arrays, got {len(state)}."
                )
            arrays = [list(state[2 + i :: moments]) for i in range(moments)]
        for i, values in enumerate(arrays):
            self._network.set_values(self._join(values), i)
        if generators:
            high, low = map(int, generators[0])
            seed = high * 2**32 + low
        self._seed, self._drawn = seed, 0
        self._network.set_clock(iterations, seed)

    def trainer_state(self) -> list[np.ndarray]:
        moments = [self._split(self._network.get_values(i)) for i in range(self._network.n_moments)]
        state: list[np.ndarray] = [
            np.array(self._network.iterations, np.int64),
            np.array(self._learning_rate, np.float32),
        ]
        return state + [array for of_one_weight in zip(*moments, strict=True) for array in of_one_weight]

    def generators(self) -> list[np.ndarray]:
        # Masks go by the seed and the number of the step: a seed moved on by the steps made stands for both.
        moved = (self._seed + _SEED_STEP * self._drawn) % 2**64
        return [np.array(divmod(moved, 2**32), dtype=np.uint32)]

    # -- calls -------------------------------------------------------------------------------------------------------

    def bind(
        self,
        windows: WindowData,
        missing: Missing,
        y: np.ndarray | None = None,
        weight: np.ndarray | None = None,
        carry: Carry | None = None,
    ) -> _core.Data:
        forward = self.key.forward
        if (windows.offset is not None) != forward.centred:
            raise ValueError(
                "the program was made for windows " + ("with" if forward.centred else "without") + " offset."
            )
        if windows.ragged and not forward.ragged:
            raise ValueError("the program was made for full windows, but some have empty leading steps.")
        return _core.Data(
            windows.series,
            windows.starts,
            windows.lead,
            windows.n_steps,
            windows.offset,
            missing.means,
            y,
            weight,
            windows.scale,
            None if carry is None else carry.states,
            None if carry is None else carry.lanes,
        )

    def _lend(self, work: float, parts: int) -> AbstractContextManager[int]:
        """Lend as many threads as `parts` of some work in all are worth."""
        if self._n_threads is not None:
            return nullcontext(self._n_threads)
        return _threads(max(1, min(parts, int(work / _WORK_PER_THREAD))))

    def train_steps(self, data: _core.Data, order: np.ndarray, numbers: Numbers) -> tuple[float, float]:
        loss = weight = 0.0
        self._learning_rate = np.float32(numbers.learning_rate)
        given = {name: number for name, number in numbers._asdict().items() if name != "teacher_forcing"}
        done = 0
        while done < len(order):
            with self._lend(3 * self._work * order.shape[1], _TRAINING_THREADS) as limit:
                n_threads, steps = self._pace.choose(range(self._n_threads or 1, limit + 1))
                rows = order[done : done + steps]
                start = time.perf_counter()
                # One running sum: how many steps a call makes depends on the clock, and must not show in the loss.
                loss, weight = self._network.train(data, rows, n_threads=n_threads, loss=loss, weight=weight, **given)
                self._pace.note(n_threads, len(rows), time.perf_counter() - start)
            done += len(rows)
            self._drawn += len(rows)
        return loss, weight

    def predict(self, data: _core.Data, start: int = 0, stop: int | None = None) -> np.ndarray:
        stop = len(data) if stop is None else stop
        out = np.empty((stop - start, self._network.n_values), np.float32)
        # 1e9 multiply-adds a second and more, on any processor of these years
        block = max(_ROWS_PER_THREAD, int(_CALL_SECONDS * 1e9 / self._work))
        for first in range(start, stop, block):
            last = min(first + block, stop)
            with self._lend(self._work * (last - first), -(-(last - first) // _ROWS_PER_THREAD)) as n_threads:
                out[first - start : last - start] = self._network.predict(data, first, last, n_threads)
        return out.reshape(len(out), *self.key.forward.output_shape)
