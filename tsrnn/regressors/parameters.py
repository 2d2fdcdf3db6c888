"""Parameters that several regressors have, in the form in which a network is described."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from typing import Any

__all__ = ["check_median", "feature_channels", "layer_units"]


def layer_units(units: Any) -> tuple[int, ...]:
    """Return the width of each layer; one number stands for one layer."""
    return (int(units),) if isinstance(units, Integral) else tuple(int(u) for u in units)


def check_median(name: str, quantiles: Sequence[float]) -> None:
    """Raise if there are several quantiles, and none of them is what `predict` returns."""
    if len(tuple(quantiles)) > 1 and 0.5 not in quantiles:
        raise ValueError(
            f"with several quantiles predict returns the median, but {name}={quantiles!r} do not hold 0.5. Add it, or "
            "fit a single quantile."
        )


def feature_channels(
    name: str, features: Sequence[int] | None, n_features: int, indicators: tuple[int, ...]
) -> tuple[int, ...]:
    """Return the channels of some features: the features, and the missing indicators that they have.

    Parameters
    ----------
    name : str
        The parameter that names the features.
    features : sequence of int or None
        Their positions in a step.
    n_features : int
        Features of a step.
    indicators : tuple of int
        Features that have a missing indicator; the indicators come after the features.

    Raises
    ------
    ValueError
        If a step has no such feature.
    """
    if features is None:
        return ()
    chosen = [int(i) for i in features]
    if max(chosen) >= n_features:
        raise ValueError(
            f"{name} names feature {max(chosen)}, but a step of X has {n_features}: positions 0 to "
            f"{n_features - 1}. Name positions within a step; a 2-D X is divided into steps by n_steps."
        )
    return (*chosen, *(n_features + i for i, feature in enumerate(indicators) if feature in chosen))
