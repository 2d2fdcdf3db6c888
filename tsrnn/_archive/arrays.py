"""Arrays to the bytes of ``.npy`` files and back. Imports tables only.

The header is read here and not by NumPy, so that nothing is evaluated and nothing allocated on a file's word.
"""

from __future__ import annotations

import io
import math

import numpy as np

from ..exceptions import ArchiveError
from .tables import DTYPE, DTYPES, MAX_BYTES, MAX_DIMENSIONS, MAX_EMPTY, NPY_HEADER


def read_dtype(text: str) -> np.dtype:
    """Return a dtype that is plain numbers or dates."""
    if not DTYPE.fullmatch(text):
        raise ArchiveError(f"dtype {text!r:.60} is not one of {DTYPES}")
    return np.dtype(text)


def check_shape(shape: list[int], itemsize: int) -> tuple[int, ...]:
    """Return a shape that memory could hold, of which a length of 0 does not excuse the others."""
    size = math.prod(n or 1 for n in shape[:MAX_DIMENSIONS])
    most = MAX_EMPTY if 0 in shape else MAX_BYTES // itemsize
    if len(shape) > MAX_DIMENSIONS or size > most or any(n < 0 for n in shape):
        raise ArchiveError(f"an array says that it has shape {tuple(shape)!r:.100}")
    return tuple(shape)


def read_numbers(content: bytes, dtype: np.dtype, name: str, start: int = 0) -> np.ndarray:
    """Return the numbers that bytes hold from `start` on. A truth value is 0 or 1; NumPy lets others be unequal."""
    if dtype.kind == "b" and np.frombuffer(content, np.uint8, offset=start).max(initial=0) > 1:
        raise ArchiveError(f"{name} holds truth values other than 0 and 1")
    return np.frombuffer(content, dtype, offset=start)


def array_to_npy(array: np.ndarray) -> bytes:
    """Return the array as the content of a ``.npy`` file, version 1.0."""
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, version=(1, 0), allow_pickle=False)
    return stream.getvalue()


def array_from_npy(content: bytes, name: str) -> np.ndarray:
    """Return the array of a ``.npy`` file; the size it declares must be the size that is there."""
    start = 10 + int.from_bytes(content[8:10], "little")
    match = NPY_HEADER.fullmatch(content[10:start].decode("latin1"))
    if content[:8] != b"\x93NUMPY\x01\x00" or match is None:
        raise ArchiveError(f"{name} does not start with the header of a plain array")
    dtype = read_dtype(match[1])
    shape = check_shape([int(n) for n in match[3].replace(",", " ").split()], dtype.itemsize)
    if math.prod(shape) * dtype.itemsize != len(content) - start:
        raise ArchiveError(f"{name} says {shape} of {dtype}, but holds {len(content) - start} bytes")
    flat = read_numbers(content, dtype, name, start)
    # A copy, which the model may write to and which is aligned.
    return flat.reshape(shape, order="F" if match[2] == "True" else "C").copy(order="K")
