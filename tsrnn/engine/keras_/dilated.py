"""Dilated recurrence: a layer whose state goes several steps back, by Keras's own layers.

The steps t, t + k, t + 2 k, ... make a chain, and k chains beside each other are k sequences for an ordinary recurrent
layer (Chang et al., 2017, figure 2). Imports layers for their types.
"""

from __future__ import annotations

import keras
from keras import ops

from .layers import Tensor

__all__ = ["run_dilated"]

MERGES = {"concat": keras.layers.Concatenate, "sum": keras.layers.Add, "ave": keras.layers.Average}


def _split(h: Tensor, dilation: int) -> Tensor:
    """(B, n, C) -> (B * dilation, n / dilation, C): every `dilation`-th step, chain by chain."""
    _, n, channels = h.shape
    h = ops.transpose(ops.reshape(h, (-1, n // dilation, dilation, channels)), (0, 2, 1, 3))
    return ops.reshape(h, (-1, n // dilation, channels))


def _join(h: Tensor, dilation: int) -> Tensor:
    """(B * dilation, n, C) -> (B, n * dilation, C), undoing `_split`."""
    _, n, channels = h.shape
    h = ops.transpose(ops.reshape(h, (-1, dilation, n, channels)), (0, 2, 1, 3))
    return ops.reshape(h, (-1, n * dilation, channels))


def _fill_up(h: Tensor, mask: Tensor | None, dilation: int) -> tuple[Tensor, Tensor | None]:
    """Put empty steps in front, so that the chains are equally long; the mask says which steps are empty."""
    padding = -h.shape[1] % dilation
    if not padding:
        return h, mask
    mask = ops.ones_like(h[..., 0], dtype="bool") if mask is None else mask
    mask = ops.cast(ops.pad(ops.cast(mask, "int32"), [(0, 0), (padding, 0)]), "bool")
    return ops.pad(h, [(0, 0), (padding, 0), (0, 0)]), mask


def _last(states: Tensor, chain: int | Tensor) -> Tensor:
    """Pick from the states of chains (B, dilation, units) that of one chain for each window: a position or (B,)."""
    if isinstance(chain, int):
        return states[:, chain]
    return ops.sum(states * ops.one_hot(chain, states.shape[1])[..., None], axis=1)


def run_dilated(
    layer: keras.Layer, h: Tensor, mask: Tensor | None, states: list[Tensor] | None, dilation: int, merge_mode: str
) -> Tensor:
    """Run a recurrent layer whose state goes `dilation` steps back; the first steps start from the initial state.

    Parameters
    ----------
    layer : keras.layers.Layer
        The layer; a bidirectional one has ``merge_mode=None``.
    h : tensor of shape (B, n, C)
        What it reads.
    mask : bool tensor of shape (B, n) or None
        False where a step is empty: leading steps only.
    states : list of tensors of shape (B, units) or None
        Initial states.
    dilation : int
        Steps between one state and the next.
    merge_mode : {"concat", "sum", "ave"}
        How the two directions of a bidirectional layer are merged.
    """
    n = h.shape[1]
    h, mask = _fill_up(h, mask, dilation)
    given = {"mask": mask, "initial_state": states}
    if mask is not None:
        given["mask"] = ops.cast(_split(ops.cast(mask, "int32")[..., None], dilation)[..., 0], "bool")
    if states is not None:
        given["initial_state"] = [ops.repeat(state, dilation, axis=0) for state in states]
    outputs = layer(_split(h, dilation), **{name: value for name, value in given.items() if value is not None})
    outputs = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
    if layer.return_sequences:
        outputs = [_join(output, dilation)[:, -n:] for output in outputs]
    else:
        # Each direction ends at its own last step: the last of the window, and the first that is not empty.
        first = 0 if mask is None else ops.argmax(ops.cast(mask, "int32"), axis=1) % dilation
        ends = [dilation - 1, first]
        outputs = [
            _last(ops.reshape(output, (-1, dilation, output.shape[-1])), chain)
            for output, chain in zip(outputs, ends, strict=False)
        ]
    return outputs[0] if len(outputs) == 1 else MERGES[merge_mode]()(outputs)
