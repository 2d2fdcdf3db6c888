"""What a network is, apart from any engine that computes it: its description, its initial weights and its equations."""

from .cells import CELLS, Cell
from .controls import (
    CONTROL_ACTIVATIONS,
    ControlSpec,
    ConvSpec,
    FeedForwardSpec,
    covering_blocks,
    initial_control_weights,
)
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
    "CONTROL_ACTIVATIONS",
    "ControlSpec",
    "ConvSpec",
    "FEEDBACK_CELLS",
    "FEEDBACK_READS",
    "FeedForwardSpec",
    "FeedbackSpec",
    "covering_blocks",
    "initial_control_weights",
    "initial_weights",
    "run_feedback",
]
