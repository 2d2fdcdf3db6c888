"""What a network learns from: windows with their targets and weights, and the parts of them that training takes apart.

Imports the data of the engine.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from .data import WindowData, batches

if TYPE_CHECKING:
    from .pieces import Carry

__all__ = ["Examples", "drop_silent", "split_in_time", "split_steps"]

NAN = np.float32(np.nan)


@dataclass(frozen=True, eq=False)
class Examples:
    """Windows, their targets (n, n_targets) in float32 with NaN for what is not known, and their weights (n,).

    `rows`, where it is kept, says which of the windows that were passed these are.
    """

    windows: WindowData
    y: np.ndarray
    weight: np.ndarray
    rows: np.ndarray | None = None
    carry: ClassVar[Carry | None] = None
    left: ClassVar[np.ndarray | None] = None  # no states are carried

    def __len__(self) -> int:
        return len(self.windows)

    def take(self, rows: np.ndarray | slice) -> Examples:
        kept = None if self.rows is None else self.rows[rows]
        return Examples(self.windows.take(rows), self.y[rows], self.weight[rows], kept)

    @property
    def n_rows(self) -> int:
        """Rows that a batch can have at most."""
        return len(self)

    def n_batches(self, batch_size: int, most: int | None = None) -> int:
        return -(-min(len(self), most or len(self)) // batch_size)

    def batches(self, batch_size: int, rng: np.random.Generator | None, most: int | None = None) -> np.ndarray:
        """Return the order of an epoch: row numbers (n_batches, batch_size), -1 where a batch is not full.

        With `most`, of so many windows, drawn anew each time.
        """
        return batches(len(self), batch_size, rng, most)


def drop_silent(examples: Examples, part: str = "data") -> Examples:
    """Drop the windows that cannot teach anything: of weight zero, or with no known target.

    Raises
    ------
    ValueError
        If there are no others; it names the `part`.
    """
    teaches = (examples.weight > 0) & ~np.isnan(examples.y).all(axis=1)
    if teaches.all():
        return examples
    if not teaches.any():
        raise ValueError(
            f"the {part} have no window with both a weight above zero and a target that is not NaN. Pass some whose "
            "targets are known."
        )
    return examples.take(np.flatnonzero(teaches))


def split_in_time(examples: Examples, fraction: float, gap: int) -> tuple[Examples, Examples]:
    """Take the last `fraction` of the windows for validation and drop `gap` windows before them."""
    n_validation = max(1, round(fraction * len(examples)))
    n_training = len(examples) - n_validation - gap
    if n_training < 1:
        raise ValueError(
            f"of {len(examples)} windows, early stopping takes the last {n_validation} for validation and drops "
            f"validation_gap={gap} before them, so none are left to train on. Pass more windows, a smaller "
            "validation_gap or validation_fraction, or early_stopping=False."
        )
    return examples.take(slice(0, n_training)), examples.take(slice(n_training + gap, None))


def split_steps(examples: Examples, fraction: float, gap: int) -> tuple[Examples, Examples]:
    """Take the last `fraction` of the known targets of each sequence for validation and drop `gap` steps before them.

    The validation part holds the whole sequences, with targets at those last steps only, so that the state in which a
    network comes to them is carried from the steps before. A sequence too short to give a step away is trained on.
    """
    windows, total = examples.windows, examples.windows.n_steps
    y = examples.y.reshape(len(examples), total, -1)
    known = ~np.isnan(y).all(axis=2)
    n_validation = np.round(fraction * known.sum(axis=1)).astype(np.int64)
    # The first step of the validation part: so many known ones follow, itself among them.
    from_here = known[:, ::-1].cumsum(axis=1)[:, ::-1]
    first = (known & (from_here == n_validation[:, None])).argmax(axis=1)
    dropped = np.where(n_validation > 0, total - first + gap, 0)
    lead = np.minimum(windows.lead + dropped, total)
    taught = known & (np.arange(total) < (total - dropped)[:, None])
    if not n_validation.any() or not taught.any():
        raise ValueError(
            f"of sequences with up to {int(known.sum(axis=1).max())} known targets, early stopping takes the last "
            f"{int(n_validation.max())} for validation and drops validation_gap={gap} steps before them: there must be "
            "known targets on both sides. Pass longer sequences, another validation_fraction, a smaller "
            "validation_gap, or early_stopping=False."
        )
    held_out = np.where((np.arange(total) < first[:, None])[..., None] | (n_validation == 0)[:, None, None], NAN, y)
    # What is left stands at the end of a row, as that of a shorter sequence does.
    earlier = np.arange(total) - dropped[:, None]
    kept = y[np.arange(len(y))[:, None], np.maximum(earlier, 0)]
    kept[earlier < 0] = np.nan
    training = replace(windows, starts=(windows.starts - dropped).astype(np.int32), lead=lead.astype(np.int32))
    return (
        drop_silent(replace(examples, windows=training, y=kept.reshape(len(y), -1))),
        drop_silent(replace(examples, y=held_out.reshape(len(y), -1))),
    )
