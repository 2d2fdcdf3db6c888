"""What a network is, apart from any engine that computes it: its description and its initial weights. NumPy only."""

from .initial import initial_weights
from .spec import ACTIVATIONS, CELLS, NetworkSpec

__all__ = ["ACTIVATIONS", "CELLS", "NetworkSpec", "initial_weights"]
