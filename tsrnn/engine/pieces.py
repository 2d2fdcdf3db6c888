"""Long sequences read in pieces: truncated back-propagation through time, and predictions in bounded memory.

A piece is a window like any other, but starts from the state that the piece before it left: as a number, through which
no gradient flows. The pieces of a sequence follow each other in one row of `Carry`. Imports data and the protocol of a
program.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .data import Missing, WindowData, batches

if TYPE_CHECKING:
    from .examples import Examples
    from .program import Program

__all__ = ["Carry", "Pieces", "Reader"]


@dataclass(frozen=True, eq=False)
class Carry:
    """States between pieces.

    Attributes
    ----------
    states : ndarray of float32, shape (n_lanes, sum of `NetworkSpec.state_widths`)
        What the next piece of each lane starts from; overwritten by the program with what it left.
    lanes : ndarray of int32, shape (n_pieces,)
        Row of `states` of each piece.
    """

    states: np.ndarray
    lanes: np.ndarray

    @classmethod
    def zeros(cls, n_lanes: int, n_states: int, lanes: np.ndarray) -> Carry:
        return cls(np.zeros((n_lanes, n_states), np.float32), lanes.astype(np.int32))


@dataclass(frozen=True, eq=False)
class _Cut:
    """Sequences cut into pieces from their first step on; the last may be shorter, and is filled up on its left.

    Attributes
    ----------
    windows : WindowData
        The pieces, sequence by sequence.
    sequence, position : ndarray of int, shape (n_pieces,)
        Which sequence a piece is of, and its number there, from 0.
    stop : ndarray of int, shape (n_pieces,)
        Step of the sequence before which the piece ends.
    """

    windows: WindowData
    sequence: np.ndarray
    position: np.ndarray
    stop: np.ndarray

    @classmethod
    def make(cls, windows: WindowData, n_steps: int) -> _Cut:
        count = count_pieces(windows, n_steps)
        sequence = np.repeat(np.arange(len(windows)), count)
        position = np.arange(len(sequence)) - np.repeat(np.cumsum(count) - count, count)
        start = windows.lead[sequence] + position * n_steps
        stop = np.minimum(start + n_steps, windows.n_steps)
        pieces = windows.take(sequence)
        pieces = WindowData(
            windows.series,
            (pieces.starts + stop - n_steps).astype(np.int32),
            (n_steps - (stop - start)).astype(np.int32),
            n_steps,
            pieces.offset,
            pieces.scale,
        )
        return cls(pieces, sequence, position, stop)

    def steps(self, rows: np.ndarray | slice) -> tuple[np.ndarray, np.ndarray]:
        """Return the steps of the sequence that pieces hold, and which of them are not empty: both (n, n_steps)."""
        within = np.arange(self.windows.n_steps)
        return (
            self.stop[rows][:, None] - self.windows.n_steps + within,
            within >= self.windows.lead[rows][:, None],
        )


def count_pieces(windows: WindowData, n_steps: int) -> np.ndarray:
    """Count the pieces of `n_steps` steps of each sequence; a last, shorter one counts."""
    return -(-(windows.n_steps - windows.lead.astype(np.int64)) // n_steps)


@dataclass(frozen=True, eq=False)
class Pieces:
    """Examples to train on piece by piece. Stands in for `Examples` in the training loop.

    Sequences are read side by side, each in a lane of a batch. Where they would not fill a batch, each is cut into
    several lanes; the second lane starts from zero in the first epoch, later from the state in which the first one
    ended in the epoch before, and so on.

    Attributes
    ----------
    windows, y, weight
        As in `Examples`, with one row for each piece.
    carry : Carry
        The state of each lane.
    first, count : ndarray of int, shape (n_lanes,)
        First piece of a lane, and number of its pieces.
    follows : ndarray of bool, shape (n_lanes,)
        Whether a lane goes on where the one before it ends.
    start : ndarray of float32, shape (n_lanes, n_states), or None
        What the lanes that follow none start from; None for zero.
    """

    windows: WindowData
    y: np.ndarray
    weight: np.ndarray
    carry: Carry
    first: np.ndarray
    count: np.ndarray
    follows: np.ndarray
    start: np.ndarray | None = None

    @classmethod
    def cut(
        cls, examples: Examples, n_steps: int, batch_size: int, n_states: int, start: np.ndarray | None = None
    ) -> Pieces:
        """Cut sequences into pieces of `n_steps` steps, and lanes that fill a batch.

        With `start`, the states (n_sequences, n_states) in which they were left before, each is one lane.
        """
        cut = _Cut.make(examples.windows, n_steps)
        steps, full = cut.steps(slice(None))
        y = examples.y.reshape(len(examples), examples.windows.n_steps, -1)[cut.sequence[:, None], np.maximum(steps, 0)]
        y[~full] = np.nan
        counts = count_pieces(examples.windows, n_steps)
        per_lane = _pieces_per_lane(counts, batch_size) if start is None else int(counts.max())
        first = np.flatnonzero(cut.position % per_lane == 0)
        count = np.diff(first, append=len(cut.position))
        carry = Carry.zeros(len(first), n_states, np.repeat(np.arange(len(first)), count))
        weight = examples.weight[cut.sequence]
        return cls(cut.windows, y.reshape(len(y), -1), weight, carry, first, count, cut.position[first] > 0, start)

    def __len__(self) -> int:
        return len(self.windows)

    @property
    def n_rows(self) -> int:
        """Rows that a batch can have at most."""
        return len(self.first)

    @property
    def left(self) -> np.ndarray | None:
        """States in which training left the sequences, if each was read from its beginning to its end."""
        return None if self.follows.any() else self.carry.states.copy()

    def n_batches(self, batch_size: int, most: int | None = None) -> int:
        """Return the number of batches in an epoch that is not shuffled."""
        return int(np.maximum.reduceat(self.count, np.arange(0, len(self.count), batch_size)).sum())

    def batches(self, batch_size: int, rng: np.random.Generator | None, most: int | None = None) -> np.ndarray:
        """Begin an epoch: hand the states on to the lanes that follow, and return the order of the pieces."""
        ended = self.carry.states.copy()
        self.carry.states[:] = 0 if self.start is None else self.start
        following = np.flatnonzero(self.follows)
        self.carry.states[following] = ended[following - 1]
        order = []
        for lanes in batches(len(self.first), batch_size, rng):
            count = np.where(lanes >= 0, self.count[lanes], 0)
            position = np.arange(count.max(), dtype=np.int32)[:, None]
            order.append(np.where(position < count, self.first[lanes] + position, -1))
        return np.concatenate(order).astype(np.int32)


def _pieces_per_lane(count: np.ndarray, batch_size: int) -> int:
    """Return the fewest pieces in a lane with which all lanes fit into one batch; if that cannot be, all of a sequence.

    Parameters
    ----------
    count : ndarray of int, shape (n_sequences,)
        Pieces of each sequence.
    batch_size : int
        Lanes in a batch.
    """
    if len(count) >= batch_size:
        return int(count.max())
    per_lane = max(1, -(-int(count.sum()) // batch_size))
    while (-(-count // per_lane)).sum() > batch_size:
        per_lane += 1
    return per_lane


class Reader:
    """Computes the outputs for windows as often as wanted; a program that carries states reads them piece by piece.

    `start` are the states that sequences start from, None for zero.

    Attributes
    ----------
    states : ndarray of float32, shape (n_windows, sum of `NetworkSpec.state_widths`)
        Where states are carried: those after the last step of each sequence, once `outputs` was called.
    """

    def __init__(self, program: Program, windows: WindowData, missing: Missing, start: np.ndarray | None = None):
        forward = program.key.forward
        self._program, self._windows = program, windows
        if not forward.carried:
            self._data = program.bind(windows, missing)
            return
        cut = _Cut.make(windows, forward.n_steps)
        # Pieces that are read side by side stand one after the other.
        order = np.argsort(cut.position, kind="stable")
        self._cut = _Cut(cut.windows.take(order), cut.sequence[order], cut.position[order], cut.stop[order])
        carry = Carry.zeros(len(windows), forward.n_states, self._cut.sequence)
        self.states, self._start = carry.states, start
        self._data = program.bind(self._cut.windows, missing, carry=carry)

    def outputs(self) -> np.ndarray:
        """Return float32 (n_windows, ...), as `Program.predict` does."""
        if not self._program.key.forward.carried:
            return self._program.predict(self._data)
        self.states[:] = 0 if self._start is None else self._start
        n_outputs = self._program.key.forward.output_shape[-1]
        outputs = np.full((len(self._windows), self._windows.n_steps, n_outputs), np.nan, np.float32)
        start = 0
        for n_pieces in np.bincount(self._cut.position):
            rows = slice(start, start + n_pieces)
            read = self._program.predict(self._data, rows.start, rows.stop)
            steps, full = self._cut.steps(rows)
            sequence = np.broadcast_to(self._cut.sequence[rows][:, None], steps.shape)
            outputs[sequence[full], steps[full]] = read[full]
            start = rows.stop
        return outputs
