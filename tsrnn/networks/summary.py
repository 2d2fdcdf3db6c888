"""The layers of a network as a list: what each gives out, and how many parameters it has. Pure Python."""

from __future__ import annotations

import math

from .spec import NetworkSpec

__all__ = ["list_layers"]

NAMES = {"lstm": "LSTM", "gru": "GRU", "simple_rnn": "SimpleRNN", "min_lstm": "minLSTM", "min_gru": "minGRU"}


def list_layers(spec: NetworkSpec, n_steps: int) -> list[tuple[str, tuple[int, ...], int]]:
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
    sizes = [math.prod(weight.shape) for weight in spec.weights]
    steps = (spec.n_segments(n_steps),)
    layers: list[tuple[str, tuple[int, ...], int]] = []

    def add(name: str, shape: tuple[int, ...], n_arrays: int = 2) -> None:
        layers.append((name, shape, sum(sizes[:n_arrays])))
        del sizes[:n_arrays]

    if spec.static:
        add("dense, to the initial states", (sum(spec.state_widths),))
    for width in spec.input_layers:
        add("dense", (*steps, width))
    name = NAMES.get(spec.cell, spec.cell) + ", bidirectional" * spec.bidirectional
    for i, units in enumerate(spec.units):
        after = steps if spec.head == "sequence" or i < len(spec.units) - 1 else ()
        add(name, (*after, spec.width(units)), spec.directions * len(spec._direction_weights(1, units)))
    for width in (*spec.output_layers, spec.n_outputs):
        add("dense", (*(steps if spec.head == "sequence" else ()), width))
    return layers
