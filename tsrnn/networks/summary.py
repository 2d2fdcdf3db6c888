"""The layers of a network as a list: what each gives out, and how many parameters it has. Pure Python."""

from __future__ import annotations

import math

from .feedback import FeedbackSpec
from .spec import NetworkSpec, WeightedSpec

__all__ = ["list_feedback_layers", "list_layers"]

Layer = tuple[str, tuple[int, ...], int]


class _Layers:
    """Layers in the order of the weights, each with the number of its parameters."""

    def __init__(self, spec: WeightedSpec):
        self.rows: list[Layer] = []
        self._sizes = [math.prod(weight.shape) for weight in spec.weights]

    def add(self, name: str, shape: tuple[int, ...], n_arrays: int = 2) -> None:
        self.rows.append((name, shape, sum(self._sizes[:n_arrays])))
        del self._sizes[:n_arrays]


def list_layers(spec: NetworkSpec, n_steps: int) -> list[Layer]:
    """Return name, shape of the output for one window, and number of parameters of each layer, in the order of weights.

    Parameters
    ----------
    spec : NetworkSpec
        The network.
    n_steps : int
        Steps of a window.

    Examples
    --------
    >>> spec = NetworkSpec("lstm", units=(8, 4), n_inputs=3, n_outputs=1)
    >>> for layer in list_layers(spec, n_steps=24):
    ...     print(layer)
    ('LSTM', (24, 8), 384)
    ('LSTM', (4,), 208)
    ('dense', (1,), 5)
    """
    layers = _Layers(spec)
    steps = (spec.n_segments(n_steps),)
    if spec.static:
        layers.add("dense, to the initial states", (sum(spec.state_widths),))
    for width in spec.input_layers:
        layers.add("dense", (*steps, width))
    name = spec.kind.title + ", bidirectional" * spec.bidirectional
    for i, units in enumerate(spec.units):
        after = steps if spec.head == "sequence" or i < len(spec.units) - 1 else ()
        layers.add(name, (*after, spec.width(units)), spec.directions * len(spec._direction_weights(1, units)))
    for width in (*spec.output_layers, spec.n_outputs):
        layers.add("dense", (*(steps if spec.head == "sequence" else ()), width))
    return layers.rows


def list_feedback_layers(spec: FeedbackSpec) -> list[Layer]:
    """Return the layers of a network that reads what it gave out before, as `list_layers` does.

    Examples
    --------
    >>> spec = FeedbackSpec("dense", (8,), "steps", n_steps=5, n_inputs=2, n_targets=1, horizon=5)
    >>> list_feedback_layers(spec)
    [('dense', (5, 8), 32), ('dense', (5, 1), 9)]
    """
    layers, n_arrays = _Layers(spec), spec.kind.n_arrays
    if spec.reads == "encoder":
        for units in spec.units:
            layers.add(f"encoder, {spec.cell}", (spec.n_segments(spec.n_steps), units), n_arrays)
    for units in spec.units:
        layers.add(f"{'decoder, ' if spec.reads == 'encoder' else ''}{spec.cell}", (spec.horizon, units), n_arrays)
    if spec.attention:
        layers.add(
            f"{spec.attention} attention", (spec.horizon, spec.units[-1]), 5 if spec.attention == "additive" else 2
        )
    layers.add("dense", spec.output_shape(spec.n_steps))
    return layers.rows
