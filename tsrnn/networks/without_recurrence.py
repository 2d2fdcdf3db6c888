"""Networks without recurrence, which say what recurrence is worth: their descriptions and initial weights. NumPy only.

They stand where a `NetworkSpec` stands; only the Keras engine computes them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .spec import WeightedSpec, WeightShape

__all__ = [
    "NonRecurrentSpec",
    "ConvSpec",
    "FeedForwardSpec",
    "covering_blocks",
    "initial_non_recurrent_weights",
]


class NonRecurrentSpec(WeightedSpec):
    """What the two descriptions share: all but their weights."""

    n_inputs: int
    n_outputs: int
    head = "last"

    def output_shape(self, n_steps: int) -> tuple[int, ...]:
        return (self.n_outputs,)

    def _head(self, width: int) -> list[WeightShape]:
        return [WeightShape("head_kernel", (width, self.n_outputs)), WeightShape("head_bias", (self.n_outputs,))]


@dataclass(frozen=True)
class FeedForwardSpec(NonRecurrentSpec):
    """Dense layers on all values of a window side by side; empty leading steps are 0.

    Parameters
    ----------
    units : tuple of int
        Width of each hidden layer.
    n_steps : int
        Steps of a window.
    n_inputs : int
        Channels of a window step.
    n_outputs : int
        Numbers that the last layer returns.
    activation : {"relu", "tanh"}
        Of the hidden layers.

    Examples
    --------
    >>> spec = FeedForwardSpec((8,), n_steps=5, n_inputs=2, n_outputs=1)
    >>> [weight.shape for weight in spec.weights]
    [(10, 8), (8,), (8, 1), (1,)]
    """

    units: tuple[int, ...]
    n_steps: int
    n_inputs: int
    n_outputs: int
    activation: str = "relu"

    def check(self, n_steps: int | None = None) -> None:
        if n_steps not in (None, self.n_steps):
            raise ValueError(f"it reads {self.n_steps} steps, and windows have {n_steps}")

    @property
    def segment(self) -> int:
        return self.n_steps  # the whole window is one

    @property
    def weights(self) -> tuple[WeightShape, ...]:
        shapes, width = [], self.n_steps * self.n_inputs
        for units in self.units:
            shapes += [WeightShape("kernel", (width, units)), WeightShape("bias", (units,))]
            width = units
        return (*shapes, *self._head(width))


@dataclass(frozen=True)
class ConvSpec(NonRecurrentSpec):
    """Temporal convolutional network [1]_: causal dilated convolutions, of which the last step is the state.

    A linear map of each step comes first, so that all residual blocks have the same width. Block i, from 0, holds two
    convolutions of dilation 2**i: ``h + f(conv(f(conv(h))))``, f the activation, which also squashes the sum. There is
    no weight normalisation. An empty leading step is 0 in every layer, which is what causal padding is: a shorter
    window gives what it gives by itself.

    Parameters
    ----------
    filters : int
        Channels of each block.
    n_blocks : int
    kernel_size : int
        Steps that one convolution reads.
    n_inputs : int
        Channels of a window step.
    n_outputs : int
        Numbers that the dense layer returns for the last step.
    activation : {"relu", "tanh"}

    References
    ----------
    .. [1] Bai, Kolter and Koltun (2018). An empirical evaluation of generic convolutional and recurrent networks for
       sequence modeling. arXiv:1803.01271, section 3.

    Examples
    --------
    >>> spec = ConvSpec(4, n_blocks=2, kernel_size=3, n_inputs=2, n_outputs=1)
    >>> spec.reach
    13
    >>> spec.n_parameters
    225
    """

    filters: int
    n_blocks: int
    kernel_size: int
    n_inputs: int
    n_outputs: int
    activation: str = "relu"

    @property
    def segment(self) -> int:
        return 1

    @property
    def reach(self) -> int:
        """Steps, the last one included, that the last state depends on: 1 + 2 (k - 1) (2**n_blocks - 1)."""
        return 1 + 2 * (self.kernel_size - 1) * (2**self.n_blocks - 1)

    @property
    def weights(self) -> tuple[WeightShape, ...]:
        width = self.filters
        convolution = [WeightShape("kernel", (self.kernel_size, width, width)), WeightShape("bias", (width,))]
        first = [WeightShape("kernel", (self.n_inputs, width)), WeightShape("bias", (width,))]
        return (*first, *(2 * self.n_blocks * convolution), *self._head(width))


def covering_blocks(n_steps: int, kernel_size: int) -> int:
    """Return the number of blocks of a `ConvSpec` that lets its last step see the whole window."""
    if kernel_size == 1:
        return 1
    return max(1, math.ceil(math.log2((n_steps - 1) / (2 * (kernel_size - 1)) + 1)))


def initial_non_recurrent_weights(
    spec: NonRecurrentSpec, rng: np.random.Generator, *, head: str = "glorot_uniform"
) -> list[np.ndarray]:
    """Draw the weights of `spec`; float32 arrays in the order of `spec.weights`.

    Kernels are uniform in +-sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010, eq. 16); that of the head is 0 if
    `head` is "zeros". Biases are 0.
    """

    def draw(weight: WeightShape) -> np.ndarray:
        if weight.role.endswith("bias") or (weight.role == "head_kernel" and head == "zeros"):
            return np.zeros(weight.shape, np.float32)
        reach = math.prod(weight.shape[:-2])  # steps of a convolution
        limit = np.sqrt(6.0 / (reach * (weight.shape[-2] + weight.shape[-1])))
        return rng.uniform(-limit, limit, weight.shape).astype(np.float32)

    return [draw(weight) for weight in spec.weights]
