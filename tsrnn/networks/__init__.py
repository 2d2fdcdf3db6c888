"""What a network is, apart from any engine that computes it: its description, its initial weights and its equations."""

from .initial import initial_weights
from .model_spec import ModelSpec
from .spec import ACTIVATIONS, CELLS, HEADS, MERGE_MODES, MINIMAL_CELLS, STATIC_TO, NetworkSpec

__all__ = [
    "ACTIVATIONS",
    "CELLS",
    "HEADS",
    "MERGE_MODES",
    "MINIMAL_CELLS",
    "STATIC_TO",
    "ModelSpec",
    "NetworkSpec",
    "initial_weights",
]
