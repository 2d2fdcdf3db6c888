"""The states in which a network left sequences, from which a further training goes on. Imports NumPy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["SequenceStates"]


@dataclass(frozen=True, eq=False)
class SequenceStates:
    """What the next pieces of sequences go on from.

    Attributes
    ----------
    read : ndarray of float32, shape (n_sequences, n_states)
        States after the last step, with the weights that were kept: what `state_` holds by layer.
    left : ndarray of float32, shape (n_sequences, n_states)
        States in which training left the sequences, as its weights were on the way: a series that is trained on piece
        by piece goes on as if it had come in one. Those of `read` where training did not read a sequence in one go.
    n_seen : ndarray of int, shape (n_sequences,)
        Steps that the states have in them, from the first with a value on.
    """

    read: np.ndarray
    left: np.ndarray
    n_seen: np.ndarray

    def may_be_empty(self, n_sequences: int) -> np.ndarray:
        """Say for each sequence whether leading steps of NaN are before its beginning: if nothing was seen of it yet.

        Raises
        ------
        ValueError
            If there are not as many sequences as states.
        """
        if n_sequences != len(self.n_seen):
            raise ValueError(
                f"X holds {n_sequences} sequences, but the fitted state is that of {len(self.n_seen)}. With "
                "state='fitted', pass the next piece of each, in the same order; a piece of NaN where there is none."
            )
        return self.n_seen == 0
