"""What a network is, apart from any engine that computes it: its description, its initial weights and its equations."""

from .cells import CELLS, Cell
from .feedback import (
    ATTENTIONS,
    FEEDBACK_CELLS,
    FeedbackSpec,
    run_feedback,
)
from .initial import initial_weights
from .model_spec import ModelSpec
from .spec import HEADS, NetworkSpec, Spec
from .without_recurrence import (
    ConvSpec,
    FeedForwardSpec,
    NonRecurrentSpec,
    covering_blocks,
    initial_non_recurrent_weights,
)

__all__ = [
    "ATTENTIONS",
    "CELLS",
    "Cell",
    "HEADS",
    "ModelSpec",
    "NetworkSpec",
    "Spec",
    "NonRecurrentSpec",
    "ConvSpec",
    "FEEDBACK_CELLS",
    "FeedForwardSpec",
    "FeedbackSpec",
    "covering_blocks",
    "initial_non_recurrent_weights",
    "initial_weights",
    "run_feedback",
]
