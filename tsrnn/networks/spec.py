"""The description of a network: which cell, how many units, how the window is read. Pure Python, imports no engine.

A network is a pure function of its weights, and the weights are a list of arrays in Keras's layout. `NetworkSpec` says
which arrays these are; every engine reads the same list.
"""

from __future__ import annotations

import itertools
import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

from .cells import CELLS, Cell
from .layer_list import Layer, LayerList

__all__ = [
    "HEADS",
    "NetworkSpec",
    "Spec",
    "WeightShape",
    "WeightedSpec",
]

HEADS = ("last", "sequence")


@dataclass(frozen=True)
class WeightShape:
    """One array of the weights: what it is for, and its shape in Keras's layout."""

    # "kernel", "recurrent_kernel" or "bias"; of a dense layer "state_kernel", "state_bias", and so with "input",
    # "transition", "output" and "head"
    role: str
    shape: tuple[int, ...]


def _dense_weights(name: str, *widths: int) -> list[WeightShape]:
    """Return kernel and bias of each of the dense layers that lead from a width to the next."""
    return [
        weight
        for before, after in itertools.pairwise(widths)
        for weight in (WeightShape(f"{name}_kernel", (before, after)), WeightShape(f"{name}_bias", (after,)))
    ]


def cell_weights(cell: Cell, width: int, units: int) -> list[WeightShape]:
    """Return the arrays of one layer, in one direction, that reads `width` channels."""
    columns = cell.n_columns(units)
    shapes = [WeightShape("kernel", (width, columns))]
    if cell.recurrent_kernel:
        shapes.append(WeightShape("recurrent_kernel", (units, columns)))
    return [*shapes, WeightShape("bias", cell.bias_shape(units))]


class Spec(ABC):
    """What the description of any network answers, so that nobody has to ask which network it is.

    It also has `n_inputs`, `n_outputs`, `n_parameters`, `segment`, and `head`, one of `HEADS`.
    """

    #: Whether it holds code of the user, which no file keeps.
    is_code = False
    #: What else there is to look at where states and gates cannot be looked into; None where they can.
    instead_of_states: str | None = "effective_memory and permutation_importance need its predictions only."

    def check(self, n_steps: int | None = None) -> None:  # noqa: B027 - some numbers go together whatever they are
        """Raise ValueError unless its numbers, each allowed by itself, make a network.

        It may come from a user's parameters, `n_steps` of a window not known yet, or from a file.
        """

    @abstractmethod
    def n_segments(self, n_steps: int) -> int:
        """Return how many times a window of `n_steps` is read from."""

    @abstractmethod
    def output_shape(self, n_steps: int) -> tuple[int, ...]:
        """Return the shape of what the network returns for a window of `n_steps`."""

    @property
    def state_widths(self) -> tuple[int, ...]:
        """Sizes of the states that it can hand from one piece of a sequence to the next."""
        return ()

    def demands(self) -> dict[str, Any] | None:
        """Return what an engine must compute of the cells and axes that it may lack; None: of a kind of its own."""
        return None

    def small_steps(self, n_steps: int) -> int:
        """Return how many small products follow each other in a pass over a window; 0 where none do."""
        return 0

    def layers(self, n_steps: int) -> list[Layer] | None:
        """Return the layers in the order of the weights, for a window of `n_steps`; None where Keras has to tell."""
        return None


class WeightedSpec(Spec):
    """What follows from the weights of a network, whatever network it is."""

    @property
    @abstractmethod
    def weights(self) -> tuple[WeightShape, ...]:
        """The arrays of this network, in Keras's order and layout."""

    @property
    def kind(self) -> Cell:
        """What its layers are made of; only recurrent networks have a cell."""
        return CELLS[self.cell]  # type: ignore[attr-defined]

    @property
    @abstractmethod
    def segment(self) -> int:
        """Steps of the window that are read together."""

    def n_segments(self, n_steps: int) -> int:
        """Return the number of recurrent steps for a window of `n_steps`; a first, partial segment counts."""
        return -(-n_steps // self.segment)

    @cached_property
    def kernel_positions(self) -> tuple[int, ...]:
        """Positions in `weights` of the kernels: what l1 and l2 penalise; biases are free."""
        return tuple(i for i, weight in enumerate(self.weights) if weight.role.endswith("kernel"))

    @cached_property
    def n_parameters(self) -> int:
        return sum(math.prod(weight.shape) for weight in self.weights)


def _axis(plain: Any) -> Any:
    """A field that an engine may compute at its default only."""
    return field(default=plain, metadata={"axis": True})


@dataclass(frozen=True)
class NetworkSpec(WeightedSpec):
    """A recurrent network that reads a window and maps its states to the outputs through one dense layer.

    Parameters
    ----------
    cell : {"lstm", "gru", "simple_rnn", "min_lstm", "min_gru"}
        LSTM [1]_, GRU with the reset gate after the recurrent product [2]_, Elman network [3]_, or the minimal LSTM and
        GRU, whose gates depend on the input only [8]_.
    units : tuple of int
        State size of each recurrent layer, first layer first.
    n_inputs : int
        Channels of a window step.
    n_outputs : int
        Numbers that the dense layer returns for a state.
    activation : {"tanh", "softsign"}
        Squashes the candidate state. The gates are sigmoid. The candidates of minimal cells are linear.
    bidirectional : bool
        Read the window in both directions, in every layer.
    merge_mode : {"concat", "sum", "ave"}
        Whether the states of the two directions are concatenated, added, or averaged [5]_.
    segment : int
        Steps of the window that one recurrent step reads together.
    head : {"last", "sequence"}
        Whether the dense layer maps the last state only or the state after each recurrent step.
    static : tuple of int
        Channels that are constant over the window. Their vector, read at its last step, sets the initial state of every
        layer and direction (LSTM: of the memory cell as well) through a linear dense layer [4]_. None of them: the
        initial state is zero.
    static_to : {"both", "state"}
        Whether those channels are inputs of each step as well, or set the initial state only.
    residual : bool
        Add the input of each layer from the second on to its output [6]_; `units` are all the same then. To the one
        state of a last layer that gives one, the input at the last step is added.
    transition_depth : int
        Layers from one state to the next: the cell's own step and dense layers of as many units after it, through which
        the state h goes (an LSTM's memory cell does not) [7]_.
    input_layers, output_layers : tuple of int
        Widths of dense layers between what is read at a step and the first recurrent layer, and between the last state
        and the head [7]_. These and the layers of a deep transition have the `activation`.
    peephole : bool
        Let the gates of an LSTM see its memory cell, through one weight for each gate and unit [9]_: rows i, f, o.
    dilation : tuple of int
        How many recurrent steps the state of each layer goes back [10]_; the steps before which there are not so many
        start from the initial state. None of them: one step back, in all layers.

    References
    ----------
    .. [1] Hochreiter and Schmidhuber (1997). Long short-term memory. Neural Computation 9(8).
    .. [2] Cho et al. (2014). Learning phrase representations using RNN encoder-decoder. EMNLP.
    .. [3] Elman (1990). Finding structure in time. Cognitive Science 14(2).
    .. [4] Vinyals et al. (2015). Show and tell: a neural image caption generator. CVPR.
    .. [5] Schuster and Paliwal (1997). Bidirectional recurrent neural networks. IEEE Trans. Signal Processing 45(11).
    .. [6] He et al. (2016). Deep residual learning for image recognition. CVPR, eq. 1.
    .. [7] Pascanu et al. (2014). How to construct deep recurrent neural networks. ICLR, section 3.3.
    .. [8] Feng et al. (2024). Were RNNs all we needed? arXiv:2410.01201, sections 3.1 and 3.2.
    .. [9] Gers, Schraudolph and Schmidhuber (2002). Learning precise timing with LSTM recurrent networks. Journal of
       Machine Learning Research 3.
    .. [10] Chang et al. (2017). Dilated recurrent neural networks. NeurIPS, eq. 2.

    Examples
    --------
    >>> spec = NetworkSpec("gru", units=(8,), n_inputs=3, n_outputs=1)
    >>> [weight.shape for weight in spec.weights]
    [(3, 24), (8, 24), (2, 24), (8, 1), (1,)]
    >>> spec.n_parameters
    321
    """

    cell: str
    units: tuple[int, ...]
    n_inputs: int
    n_outputs: int
    activation: str = "tanh"
    bidirectional: bool = False
    segment: int = 1
    head: str = "last"
    static: tuple[int, ...] = ()
    static_to: str = "both"
    merge_mode: str = _axis("concat")
    residual: bool = _axis(False)
    transition_depth: int = _axis(1)
    input_layers: tuple[int, ...] = _axis(())
    output_layers: tuple[int, ...] = _axis(())
    peephole: bool = _axis(False)
    dilation: tuple[int, ...] = _axis(())

    instead_of_states = None

    def check(self, n_steps: int | None = None) -> None:
        if self.residual and len(set(self.units)) > 1:
            raise ValueError(
                "residual=True adds the input of a layer to its output, so all layers must have the same number of "
                f"units, got units={self.units!r}. Make them equal, or set residual=False."
            )
        if self.head == "sequence" and self.segment > 1:
            raise ValueError(
                f"return_sequences=True gives a prediction for each step, but segment={self.segment} reads that many "
                "steps as one. Set segment=1 for it."
            )
        if self.transition_depth > 1 and not self.kind.recurrent_kernel:
            raise ValueError(
                f"transition_depth={self.transition_depth} acts between one state and the next, where a "
                f"{self.kind.title} has no weights. Leave transition_depth=1; dropout, units, input_layers and "
                "output_layers act elsewhere."
            )
        self._check_dilation(n_steps)
        known = sorted(self.static) == sorted(set(self.static) & set(range(self.n_inputs)))
        if self.head not in HEADS or not known or not self.inputs:
            raise ValueError(f"{self!r:.300} does not say what is read and given out")
        if self.peephole > self.kind.peepholes or (self.merge_mode != "concat" and not self.bidirectional):
            raise ValueError(f"{self!r:.300} merges or sees what is not there")

    def _check_dilation(self, n_steps: int | None) -> None:
        dilation, units = (numbers[0] if len(numbers) == 1 else numbers for numbers in (self.dilation, self.units))
        if self.dilation and len(self.dilation) != len(self.units):
            raise ValueError(
                f"dilation={dilation!r} must hold one number for each layer, and units={units!r} makes "
                f"{len(self.units)}. Pass as many, or one integer for all."
            )
        if n_steps is None:
            return
        n_reads = self.n_segments(n_steps)
        if max(self.dilation, default=1) > max(1, n_reads - 1):
            raise ValueError(
                f"dilation={dilation!r} goes back further than a window of {n_reads} recurrent steps ({n_steps} steps, "
                f"segment={self.segment}) allows: at most {max(1, n_reads - 1)}. Use a smaller dilation or segment, or "
                "longer windows."
            )

    def output_shape(self, n_steps: int) -> tuple[int, ...]:
        return (self.n_segments(n_steps), self.n_outputs) if self.head == "sequence" else (self.n_outputs,)

    @property
    def carries(self) -> bool:
        """Whether the state after one piece of a sequence is all that the next piece needs of it."""
        return self.head == "sequence" and not (self.bidirectional or self.static or self.dilation)

    @property
    def directions(self) -> int:
        return 2 if self.bidirectional else 1

    def width(self, units: int) -> int:
        """Return the channels that a recurrent layer of `units` gives to the next layer."""
        return self.directions * units if self.merge_mode == "concat" else units

    @cached_property
    def inputs(self) -> tuple[int, ...]:
        """The channels that are read at each step."""
        unread = self.static if self.static_to == "state" else ()
        return tuple(i for i in range(self.n_inputs) if i not in unread)

    @cached_property
    def state_widths(self) -> tuple[int, ...]:
        """Sizes of the initial states, in the order of the state kernel's columns: by layer, direction, h and c."""
        states = self.directions * len(self.kind.states)
        return tuple(units for units in self.units for _ in range(states))

    @cached_property
    def weights(self) -> tuple[WeightShape, ...]:
        """The arrays of this network, in Keras's order: dense layers of the input, recurrent ones, those after them.

        The dense layers of the initial states come first, side by side in one kernel.
        """
        shapes = []
        if self.static:
            total = sum(self.state_widths)
            shapes = [WeightShape("state_kernel", (len(self.static), total)), WeightShape("state_bias", (total,))]
        shapes += _dense_weights("input", len(self.inputs) * self.segment, *self.input_layers)
        width = (len(self.inputs) * self.segment, *self.input_layers)[-1]
        for units in self.units:
            shapes += self.directions * self._direction_weights(width, units)
            width = self.width(units)
        shapes += _dense_weights("output", width, *self.output_layers)
        return (*shapes, *_dense_weights("head", (width, *self.output_layers)[-1], self.n_outputs))

    def demands(self) -> dict[str, Any]:
        """Return cell, activation and head, and the further axes that are not at their default."""
        asked = {name: getattr(self, name) for name in ("cell", "activation", "head")}
        axes = {each.name: each.default for each in fields(self) if each.metadata.get("axis")}
        return asked | {name: getattr(self, name) for name, plain in axes.items() if getattr(self, name) != plain}

    def small_steps(self, n_steps: int) -> int:
        return self.n_segments(n_steps) * len(self.units) * self.directions

    def layers(self, n_steps: int) -> list[Layer]:
        """Return name, shape of the output for one window, and number of parameters of each layer.

        Examples
        --------
        >>> spec = NetworkSpec("lstm", units=(8, 4), n_inputs=3, n_outputs=1)
        >>> for layer in spec.layers(n_steps=24):
        ...     print(layer)
        ('LSTM', (24, 8), 384)
        ('LSTM', (4,), 208)
        ('dense', (1,), 5)
        """
        layers = LayerList(weight.shape for weight in self.weights)
        steps = (self.n_segments(n_steps),)
        if self.static:
            layers.add("dense, to the initial states", (sum(self.state_widths),))
        for width in self.input_layers:
            layers.add("dense", (*steps, width))
        name = self.kind.title + ", bidirectional" * self.bidirectional
        for i, units in enumerate(self.units):
            after = steps if self.head == "sequence" or i < len(self.units) - 1 else ()
            layers.add(name, (*after, self.width(units)), self.directions * len(self._direction_weights(1, units)))
        for width in (*self.output_layers, self.n_outputs):
            layers.add("dense", (*(steps if self.head == "sequence" else ()), width))
        return layers.rows

    def _direction_weights(self, width: int, units: int) -> list[WeightShape]:
        """Return the arrays of one direction of a recurrent layer that reads `width` channels."""
        return [
            *cell_weights(self.kind, width, units),
            *([WeightShape("peephole_kernel", (3, units))] if self.peephole else []),
            *_dense_weights("transition", *[units] * self.transition_depth),
        ]
