"""Masked arrays of NumPy: what is masked is missing, and stands as NaN in all arrays of tsrnn. Imports NumPy only."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["unmasked"]


def unmasked(values: Any) -> Any:
    """Return values with NaN where they are masked; `numpy.asarray` would show what is under the mask.

    Parameters
    ----------
    values : any
        A masked array, or a list or tuple that holds some. Everything else comes back as it is.

    Returns
    -------
    any
        Integers and booleans with a masked value among them become float64.

    Examples
    --------
    >>> import numpy as np
    >>> unmasked(np.ma.masked_equal([1, -9999, 3], -9999))
    array([ 1., nan,  3.])
    """
    if isinstance(values, np.ma.MaskedArray):
        if not np.ma.is_masked(values):
            return np.asarray(values.data)
        return (
            values.filled(np.nan)
            if values.dtype.kind in "fcO"
            else np.ma.asarray(values, dtype=np.float64).filled(np.nan)
        )
    if isinstance(values, (list, tuple)) and any(isinstance(v, (np.ma.MaskedArray, list, tuple)) for v in values):
        return [unmasked(value) for value in values]
    return values
