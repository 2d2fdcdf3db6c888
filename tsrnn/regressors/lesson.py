"""What a network is to learn: read, checked and set apart before anything is trained. Knows no estimator."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .. import _types as t
from .._canonical import canonical_rows
from ..engine import WindowData
from ..engine.data import features_with_gaps
from ..engine.examples import Examples, split_in_time, split_steps
from ..engine.pieces import Pieces, count_pieces
from ..networks import Spec
from .states import SequenceStates

__all__ = ["Lesson"]


@dataclass(frozen=True, eq=False)
class Lesson:
    """Examples to train on, and how they are read.

    Attributes
    ----------
    training : Examples
        What is learnt from.
    held_out : Examples or None
        What decides when to stop.
    piece : int or None
        Steps of the pieces in which sequences are read; None where windows are read whole.
    before : SequenceStates or None
        What the sequences go on from; None for nothing.
    """

    training: Examples
    held_out: Examples | None = None
    piece: int | None = None
    before: SequenceStates | None = None

    @property
    def parts(self) -> list[WindowData]:
        """The windows of both parts."""
        return [part.windows for part in (self.training, self.held_out) if part is not None]

    @property
    def n_windows(self) -> int:
        """Windows to train on; pieces, where sequences are read in pieces."""
        return len(self.training) if self.piece is None else int(count_pieces(self.parts[0], self.piece).sum())

    @property
    def n_examples(self) -> int:
        """What a network could learn by heart: windows or, since a piece has more than one target, steps."""
        windows = self.parts[0]
        return len(windows) if self.piece is None else int((windows.n_steps - windows.lead).sum())

    def split(self, fraction: float, gap: int) -> Lesson:
        """Hold out the last `fraction` in time, and drop `gap` windows (steps, of sequences) before it."""
        split = split_in_time if self.piece is None else split_steps
        training, held_out = split(self.training, fraction, gap)
        return replace(self, training=training, held_out=held_out)

    def canonical(self) -> Lesson:
        """Merge equal windows, in an order that does not depend on the one in which they were passed."""
        if self.before is not None:  # equal sequences may have come from different states
            return self
        rows, weight = canonical_rows(self.parts[0], self.training.y, self.training.weight)
        return replace(self, training=replace(self.training.take(rows), weight=weight))

    def indicators(self, wanted: t.AutoBool) -> tuple[int, ...]:
        """Return the features that get a missing indicator: all, none or, with "auto", those with gaps."""
        if wanted == "auto":
            return tuple(sorted({feature for windows in self.parts for feature in features_with_gaps(windows)}))
        return tuple(range(self.parts[0].n_features)) if wanted else ()

    def feed(self, batch_size: int, spec: Spec) -> Examples | Pieces:
        """Return what the training loop takes: whole windows, or the pieces of sequences."""
        if self.piece is None:
            return self.training
        start = None if self.before is None or self.training.rows is None else self.before.left[self.training.rows]
        return Pieces.cut(self.training, self.piece, batch_size, sum(spec.state_widths), start)
