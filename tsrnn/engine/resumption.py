"""What training leaves for the next one to go on from: the optimiser's state, and where random numbers have come to.

Both know whose they are. The state of one optimiser means nothing to another; random numbers go on as long as the
estimator's seed is the same. Imports NumPy only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["MOMENTS", "Draws", "TrainerState", "owner_of", "random_numbers"]

#: Owner of a state -> arrays that it holds for each weight.
MOMENTS = {"adam": 2, "adamw": 2, "rmsprop": 1, "adagrad": 1, "sgd": 0, "sgd with momentum": 1}

_WORD = 2**64


def owner_of(optimizer: str, momentum: float) -> str:
    """Return the name of an optimiser together with what shapes its state."""
    return "sgd with momentum" if optimizer == "sgd" and momentum > 0 else optimizer


@dataclass(frozen=True, eq=False)
class TrainerState:
    """State of an optimiser, and of the dropout masks that were drawn beside it.

    Attributes
    ----------
    owner : str
        The optimiser, see `owner_of`.
    arrays : tuple of ndarray
        Its state in Keras's order: iterations, learning rate, and for each weight its moments.
    generators : tuple of ndarray of uint32, shape (2,)
        Where the generators of the masks have come to. Version 0.1.0 did not keep them.
    """

    owner: str
    arrays: tuple[np.ndarray, ...]
    generators: tuple[np.ndarray, ...] = ()

    def fits(self, shapes: Sequence[tuple[int, ...]]) -> bool:
        """Say whether this is a state of its owner for trained weights of these shapes."""
        each = [shape for shape in shapes for _ in range(MOMENTS.get(self.owner, 0))]
        found = [array.shape if isinstance(array, np.ndarray) else None for array in self.arrays]
        generators = all(
            isinstance(array, np.ndarray) and array.dtype == np.uint32 and array.shape == (2,)
            for array in self.generators
        )
        return self.owner in MOMENTS and found == [(), (), *each] and generators


@dataclass(frozen=True, eq=False)
class Draws:
    """Where the random numbers of an estimator have come to: initial weights, the order of windows, seeds of masks.

    Attributes
    ----------
    seed : int
        What `random_state` gave when they began.
    state : ndarray of uint64, shape (6,)
        NumPy's PCG64: state and increment, each in two words, the high one first; whether half a word is left, and it.
    """

    seed: int
    state: np.ndarray

    @classmethod
    def of(cls, seed: int, rng: np.random.Generator) -> Draws:
        """Note where a generator that began with `seed` has come to."""
        noted = rng.bit_generator.state
        words = [word for number in noted["state"].values() for word in divmod(number, _WORD)]
        return cls(seed, np.array([*words, noted["has_uint32"], noted["uinteger"]], dtype=np.uint64))

    def go_on(self) -> np.random.Generator:
        """Return a generator that goes on from there.

        Raises
        ------
        ValueError
            If the state is none that a generator can have.
        """
        if not isinstance(self.state, np.ndarray) or self.state.dtype != np.uint64 or self.state.shape != (6,):
            raise ValueError("the state of random numbers must be six words")
        high, low, increment_high, increment_low, half, rest = map(int, self.state)
        if half > 1 or rest >= 2**32 or not increment_low % 2:
            raise ValueError("no generator of random numbers can be in this state")
        rng = np.random.Generator(np.random.PCG64())
        rng.bit_generator.state = {
            "bit_generator": "PCG64",
            "state": {"state": high * _WORD + low, "inc": increment_high * _WORD + increment_low},
            "has_uint32": half,
            "uinteger": rest,
        }
        return rng


def random_numbers(before: Draws | None, seed: int, epochs_done: int) -> np.random.Generator:
    """Return the generator of a training: the one before goes on if it had the same seed, else a new one begins."""
    if before is not None and before.seed == seed:
        return before.go_on()
    return np.random.default_rng([seed, epochs_done])
