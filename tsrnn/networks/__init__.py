"""What a network is, apart from any engine that computes it: its description, its initial weights and its equations."""

from .cells import CELLS, Cell
from .feedback import (
    ATTENTIONS,
    FEEDBACK_CELLS,
    FEEDBACK_READS,
    FeedbackSpec,
    run_feedback,
)
from .initial import initial_weights
from .model_spec import ModelSpec
from .spec import ACTIVATIONS, HEADS, MERGE_MODES, STATIC_TO, NetworkSpec, Spec
from .without_recurrence import (
    NON_RECURRENT_ACTIVATIONS,
    ConvSpec,
    FeedForwardSpec,
    NonRecurrentSpec,
    covering_blocks,
    initial_non_recurrent_weights,
)

__all__ = [
    "ACTIVATIONS",
    "ATTENTIONS",
    "CELLS",
    "Cell",
    "HEADS",
    "MERGE_MODES",
    "STATIC_TO",
    "ModelSpec",
    "NetworkSpec",
    "Spec",
    "NON_RECURRENT_ACTIVATIONS",
    "NonRecurrentSpec",
    "ConvSpec",
    "FEEDBACK_CELLS",
    "FEEDBACK_READS",
    "FeedForwardSpec",
    "FeedbackSpec",
    "covering_blocks",
    "initial_non_recurrent_weights",
    "initial_weights",
    "run_feedback",
]
