"""From a fitted estimator to one of its networks and the windows that this network reads.

Everything else in this package works on what these functions return. Imports regressors and forecasters.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from .._checks import check_int
from ..forecasters.ensemble import Part
from ..networks import NetworkSpec
from ..networks.tracing import Trace, trace
from ..regressors.base import NetworkRegressor

__all__ = [
    "before_training",
    "channel_names",
    "choose_rows",
    "find_network",
    "read_dense",
    "read_examples",
    "read_some_windows",
    "run_network",
    "spec_of",
    "take",
]


def find_network(estimator: Any, network: int = 0) -> tuple[NetworkRegressor, Part | None]:
    """Return a fitted regressor, and the part of a forecaster's ensemble that it belongs to.

    Parameters
    ----------
    estimator : LSTMRegressor, GRURegressor, SimpleRNNRegressor or a forecaster with one of them
        Fitted.
    network : int
        Which of the networks of a forecaster, counted from 0 through all parts.

    Raises
    ------
    TypeError
        If the estimator has no network.
    ValueError
        If the forecaster does not have as many networks.
    """
    if not hasattr(estimator, "fit"):
        raise TypeError(f"estimator must be a recurrent regressor or forecaster, got {estimator!r}.")
    check_is_fitted(estimator)
    members: list[tuple[NetworkRegressor, Part | None]] = [(estimator, None)]
    if not isinstance(estimator, NetworkRegressor):
        if not hasattr(estimator, "__ensemble_view__"):
            raise TypeError(
                f"{type(estimator).__name__} has no recurrent network to look into. Pass an LSTM, GRU or SimpleRNN "
                "regressor or forecaster; of a pipeline its last step, with the windows that the steps before it make."
            )
        members = [(member, part) for part in estimator.__ensemble_view__().parts for member in part.networks]
    check_int("network", network, 0, len(members) - 1)
    return members[network]


def spec_of(regressor: NetworkRegressor) -> NetworkSpec:
    """Return the description of a regressor's network if `trace` can follow its states."""
    spec: Any = regressor.__network_view__().spec
    if spec.instead_of_states is not None:
        raise TypeError(
            f"states and gradients of a {type(regressor).__name__} are not traced. {spec.instead_of_states}"
        )
    return spec


def run_network(regressor: NetworkRegressor, X: Any) -> Trace:
    """Run the network over windows as `predict` does, and keep its states and gates."""
    return trace(spec_of(regressor), regressor.weights_, *regressor.__network_view__().inputs(X))


def read_some_windows(estimator: Any, X: Any, network: int) -> tuple[NetworkRegressor, Any]:
    """Return a network and windows for its `predict`: X, or all full windows of what a forecaster knows."""
    regressor, part = find_network(estimator, network)
    if part is None:
        return regressor, _given(estimator, X, "X")
    _check_none(estimator, X)
    return regressor, part.view(estimator.__ensemble_view__().windows())[0]


def read_examples(
    estimator: Any, X: Any, y: Any, network: int, *, fresh: bool = False, fitted: bool = False
) -> tuple[NetworkRegressor, Any, np.ndarray]:
    """Return a network, windows for its `predict` and targets; for a forecaster those that it was fitted on.

    With `fresh`, and for a regressor that was not fitted unless it is to be `fitted`, the network is as it is before
    training.
    """
    if isinstance(estimator, NetworkRegressor):
        X, y = _given(estimator, X, "X"), _given(estimator, y, "y")
        if fresh or not (fitted or hasattr(estimator, "weights_")):
            return before_training(estimator, X, y), X, y
        return find_network(estimator, network)[0], X, y
    regressor, part = find_network(estimator, network)
    _check_none(estimator, X)
    _check_none(estimator, y)
    windows, y, *_ = part.lesson(*estimator.__ensemble_view__().examples())  # type: ignore[union-attr]
    return before_training(regressor, windows, y) if fresh else regressor, windows, y


def before_training(regressor: Any, X: Any, y: Any) -> NetworkRegressor:
    """Return a copy of a regressor with the weights that `fit` starts from, for windows and targets like these."""
    fresh: NetworkRegressor = clone(regressor)
    fresh.__rehearse__(X, y)
    return fresh


def _given(estimator: Any, values: Any, name: str) -> Any:
    if values is None:
        raise ValueError(
            f"{name} must be given with a {type(estimator).__name__}, which does not keep what it was fitted on."
        )
    if name == "X" and np.ndim(values) not in (2, 3):
        raise ValueError(f"X must hold windows, 3-D or 2-D as in fit, got {np.ndim(values)} dimension(s).")
    return values if hasattr(values, "shape") else np.asarray(values)


def _check_none(estimator: Any, values: Any) -> None:
    if values is not None:
        raise ValueError(
            f"X and y must be None with a {type(estimator).__name__}: its networks read scaled windows of the rows "
            "that it knows. To look at newer rows, hand them over with update()."
        )


def choose_rows(n_windows: int, max_windows: int) -> np.ndarray:
    """Return at most `max_windows` row numbers, evenly spread over all, the last one among them."""
    n = min(n_windows, check_int("max_windows", max_windows) or 1)
    return n_windows - 1 - np.arange(n)[::-1] * n_windows // n


def read_dense(regressor: NetworkRegressor, X: Any, max_windows: int, *further: np.ndarray) -> list[Any]:
    """Return at most `max_windows` windows as float32 (n, n_steps, n_features), NaN kept, and the rows of `further`."""
    rows = choose_rows(len(X), max_windows)
    dense = np.asarray(regressor.__network_view__().read(take(X, rows)), dtype=np.float32)
    return [dense, *(values[rows] for values in further)]


def take(X: Any, rows: Any) -> Any:
    """Return some windows; a table keeps its columns."""
    return X.iloc[rows] if hasattr(X, "iloc") else X[rows]


def channel_names(estimator: Any, regressor: NetworkRegressor) -> list[Any]:
    """Return what the channels of a window are called: columns of a forecaster, else positions."""
    view = regressor.__network_view__() if estimator is regressor else estimator.__ensemble_view__()
    return view.channels
