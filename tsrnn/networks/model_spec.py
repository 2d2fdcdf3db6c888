"""The description of a network that the user wrote in Keras. Imports no engine.

It stands where a `NetworkSpec` stands; only the Keras engine computes it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .spec import Spec

__all__ = ["ModelSpec"]


@dataclass(frozen=True)
class ModelSpec(Spec):
    """A Keras model from one window to the outputs.

    Two of them are equal if their programs can be shared: the models have the same configuration, and where that does
    not tell everything, since the model runs code of the user, they come from the same function.

    Parameters
    ----------
    config : str
        Keras's JSON of the model, with layers named by their place.
    code : callable or None
        The function that builds it, if it runs code that is not Keras's.
    n_inputs : int
        Channels of a window step.
    n_outputs : int
        Numbers that the model returns for a window.
    kernel_positions : tuple of int
        Positions of the kernels among the trainable weights: what l1 and l2 penalise.
    n_parameters : int
        Number of trainable parameters.
    build : callable
        ``build(n_steps, n_inputs, n_outputs, **build_params)`` returns the model.
    build_params : dict
        Further arguments of `build`.
    """

    config: str = field(repr=False)
    code: Callable[..., Any] | None
    n_inputs: int
    n_outputs: int
    kernel_positions: tuple[int, ...]
    n_parameters: int
    build: Callable[..., Any] = field(compare=False)
    build_params: dict[str, Any] = field(compare=False)

    head = "last"
    is_code = True
    instead_of_states = (
        "It holds a model that was written in Keras. Take it apart with Keras: keras.Model(model.inputs, layer.output)."
    )
    segment = 1

    def n_segments(self, n_steps: int) -> int:
        return n_steps

    def output_shape(self, n_steps: int) -> tuple[int, ...]:
        return (self.n_outputs,)
