"""Initial weights of a network, drawn with NumPy in Keras's layout. Imports the description of the network only.

Keras's own initialisers draw their seeds from Python's global generator, which would change under the user's feet; and
every engine must start from the same numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["INITIALIZERS", "glorot_uniform", "initial_weights", "orthogonal", "zeros"]


def glorot_uniform(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Uniform in +-sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio, 2010, eq. 16)."""
    limit = np.sqrt(6.0 / (shape[0] + shape[1]))
    return rng.uniform(-limit, limit, shape).astype(np.float32)


def orthogonal(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Orthonormal rows or columns, whichever are fewer, uniform over all such matrices (Saxe et al., 2014)."""
    rows, columns = shape
    q = rng.standard_normal((min(shape), max(shape)))
    # Gram-Schmidt, twice for each vector ("twice is enough"; Parlett, 1998, section 6.9). LAPACK's QR would set the
    # threads of BLAS to work, which take seconds for these small products where other threads are busy.
    for i in range(len(q)):
        for _ in range(2):
            q[i] -= np.einsum("j,jk->k", np.einsum("jk,k->j", q[:i], q[i]), q[:i])
        q[i] /= np.sqrt(np.square(q[i]).sum())
    return np.ascontiguousarray(q.T if rows >= columns else q, dtype=np.float32)


def zeros(shape: tuple[int, ...], rng: np.random.Generator | None = None) -> np.ndarray:
    """All zero; draws nothing."""
    return np.zeros(shape, dtype=np.float32)


INITIALIZERS = {"glorot_uniform": glorot_uniform, "orthogonal": orthogonal, "zeros": zeros}


def initial_weights(
    spec: Any,
    rng: np.random.Generator,
    *,
    kernel: str = "glorot_uniform",
    recurrent: str = "orthogonal",
    head: str = "glorot_uniform",
    forget_bias: float = 1.0,
) -> list[np.ndarray]:
    """Draw the weights of `spec`; float32 arrays in the order of `spec.weights`.

    Parameters
    ----------
    spec : NetworkSpec or FeedbackSpec
        The network.
    rng : numpy.random.Generator
        Source of the random numbers.
    kernel, recurrent, head : {"glorot_uniform", "orthogonal", "zeros"}
        Initialiser of the input kernels and those of the dense layers of input, output and attention, of the recurrent
        kernels and those of deep transitions, and of the kernel of the dense head. Those of the initial states are
        Glorot-uniform, each for itself. Biases are 0, and so are peepholes: the LSTM starts as one without.
    forget_bias : float
        Bias of the LSTM's forget gate: at 1 the cell remembers from the first epoch on (Jozefowicz et al., 2015).
    """

    def state_kernel(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
        return np.concatenate([glorot_uniform((shape[0], width), rng) for width in spec.state_widths], axis=1)

    draw = {
        "state_kernel": state_kernel,
        "kernel": INITIALIZERS[kernel],
        "input_kernel": INITIALIZERS[kernel],
        "output_kernel": INITIALIZERS[kernel],
        "attention_kernel": INITIALIZERS[kernel],
        "attention_query_kernel": INITIALIZERS[kernel],
        "attention_key_kernel": INITIALIZERS[kernel],
        "attention_score_kernel": INITIALIZERS[kernel],
        "recurrent_kernel": INITIALIZERS[recurrent],
        "transition_kernel": INITIALIZERS[recurrent],
        "head_kernel": INITIALIZERS[head],
    }
    weights = [draw.get(weight.role, zeros)(weight.shape, rng) for weight in spec.weights]
    if spec.kind.remembers is not None:
        for weight, values in zip(spec.weights, weights, strict=True):
            if weight.role == "bias":
                values.reshape(len(spec.kind.blocks), -1)[spec.kind.remembers] = forget_bias
    return weights
