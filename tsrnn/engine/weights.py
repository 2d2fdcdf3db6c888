"""What may be set as the weights of a network: real, finite numbers of its shapes. Imports NumPy only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["check_weights"]


def check_weights(weights: Sequence[Any], shapes: Sequence[tuple[int, ...]]) -> list[np.ndarray]:
    """Return weights as float32 arrays.

    Parameters
    ----------
    weights : sequence of array-like
        Set by a user, a callback or a file.
    shapes : sequence of tuple
        What the network has.

    Raises
    ------
    TypeError
        If one does not hold real numbers.
    ValueError
        If one has another shape, or is infinite, NaN or too large for float32.
    """
    arrays = [np.asarray(weight) for weight in weights]
    found = [array.shape for array in arrays]
    if found != list(shapes):
        raise ValueError(f"the weights must have the shapes {list(shapes)}, got {found}.")
    checked = []
    for i, array in enumerate(arrays):
        if array.dtype.kind not in "fiu":
            raise TypeError(f"weights must be real numbers, but array {i} of {len(arrays)} is of dtype {array.dtype}.")
        with np.errstate(over="ignore"):
            checked.append(array.astype(np.float32, copy=False))
        if not np.isfinite(checked[-1]).all():
            place = tuple(int(k) for k in np.argwhere(~np.isfinite(checked[-1]))[0])
            raise ValueError(
                f"weights must be finite and fit into float32, but array {i} of {len(arrays)} holds {array[place]} at "
                f"{place}. Set them to finite numbers, or fit anew."
            )
    return checked
