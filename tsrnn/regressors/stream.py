"""A fitted network read one observation at a time: its state is carried, so that a step costs the same at any time.

Imports the equations of the cells, and what outputs mean; no engine is run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from .._masked import unmasked
from ..engine.distributions import point_forecast, quantile_forecast
from ..engine.weights import check_weights
from ..networks.cells import SQUASH, State
from ..networks.tracing import advance, check_known, dense, initial_states, split_weights

if TYPE_CHECKING:
    from .base import NetworkRegressor

__all__ = ["Stream"]


class Stream:
    """The state of a network between observations; made by the `stream` method of a recurrent regressor.

    After each observation it says what `predict` would say of a window that begins with the first and ends with the
    last, up to the rounding of the engine. The window may grow beyond the length that the network was fitted on. In
    double precision, and independent of later fits of the regressor.

    Parameters
    ----------
    regressor : recurrent regressor
        Fitted.
    n_streams : int
        Series that are read side by side.
    state : list of ndarray of shape (n_streams, units), optional
        What to start from instead of nothing: `state_` of the regressor.
    n_seen : ndarray of int, shape (n_streams,), optional
        Observations that this state has in it.

    Attributes
    ----------
    n_seen : ndarray of int, shape (n_streams,)
        Observations read, counted from the first with a value.

    Raises
    ------
    ValueError
        If the network cannot be read step by step: one that reads windows backward as well, or several steps at once.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn import GRURegressor
    >>> X = np.random.default_rng(0).normal(size=(200, 6, 2))  # (n_windows, n_steps, n_features)
    >>> model = GRURegressor(units=4, epochs=2, random_state=0).fit(X, X[:, -1, 0])
    >>> stream = model.stream()
    >>> for observation in X[0]:
    ...     prediction = stream.update(observation)
    >>> bool(abs(prediction - model.predict(X[:1])[0]) < 1e-6)
    True
    """

    _states: list[list[State]]  # by layer, those that its next steps start from

    def __init__(self, regressor: NetworkRegressor, n_streams: int = 1, *, state: Any = None, n_seen: Any = None):
        view = regressor.__network_view__()
        check_readable(view.spec)
        check_weights(view.weights, [weight.shape for weight in view.spec.weights])
        self.n_streams, self._n_features, self._shape = n_streams, len(view.channels), view.step_shape
        self._spec, self._missing, self._loss, self._quantiles = view.spec, view.missing, view.loss, view.quantiles
        self._weights = split_weights(view.spec, [np.asarray(values, dtype=np.float64) for values in view.weights])
        self.reset()
        if state is not None:
            parts = iter(np.asarray(part, dtype=np.float64) for part in state)
            self._states = [[tuple(next(parts) for _ in states[0])] for states in self._states]
            self.n_seen = np.array(n_seen)

    def reset(self) -> Stream:
        """Forget all observations, and the state that the stream began with. Returns the stream."""
        self.n_seen = np.zeros(self.n_streams, dtype=np.int64)
        nothing = np.ones(self.n_streams, dtype=bool)
        self._states = self._start(np.zeros((self.n_streams, len(self._spec.static))), nothing)
        return self

    def update(self, observation: ArrayLike) -> np.ndarray:
        """Read an observation of each series and predict.

        Parameters
        ----------
        observation : array-like of shape (n_features,), or (n_streams, n_features) of several series
            A missing value is NaN, as in the windows of `fit`. Before the first value of a series, an observation that
            is NaN in every feature is skipped.

        Returns
        -------
        ndarray
            In the shape of one window's target in `fit` (with `return_sequences`, of one step), and for several
            series with an axis of n_streams before it.

        Raises
        ------
        ValueError
            If the observation has another shape, is infinite, or misses a feature that never missed in `fit`.
        """
        return self._answer(point_forecast(self._loss, self._quantiles, self._advance(observation)))

    def update_quantiles(self, observation: ArrayLike, quantiles: Sequence[float]) -> np.ndarray:
        """Read an observation of each series and predict quantiles, as `predict_quantiles` does.

        Returns
        -------
        ndarray
            As `update`, with one more axis, of the quantiles.
        """
        outputs = self._advance(observation)
        return self._answer(quantile_forecast(self._loss, self._quantiles, outputs, quantiles), len(quantiles))

    def _answer(self, values: np.ndarray, *last: int) -> np.ndarray:
        values = values.reshape(self.n_streams, *self._shape, *last)
        return values[0] if self.n_streams == 1 else values

    def _advance(self, observation: ArrayLike) -> np.ndarray:
        """Move the states by one step and return the outputs (n_streams, n_outputs)."""
        spec, weights, squash = self._spec, self._weights, SQUASH[self._spec.activation]
        x, empty = self._read(observation)
        first = (self.n_seen == 0) & ~empty
        if spec.static and first.any():
            # What is constant over a window is read with its first value.
            started = self._start(x[:, list(spec.static)], ~first)
            self._states = [
                [merged(first, new, old) for new, old in zip(fresh, states, strict=True)]
                for fresh, states in zip(started, self._states, strict=True)
            ]
        self.n_seen += ~empty
        x = dense(weights.inputs, x[:, list(spec.inputs)], squash)[-1]
        for i, states in enumerate(self._states):
            before = states.pop(0)
            after, _ = advance(spec, x, before, weights.layers[i][0])
            states.append(merged(~empty, after, before))
            h = states[-1][0]
            x = x + h if spec.residual and i > 0 else h
        kernel, bias = weights.head
        outputs = dense(weights.outputs, x, squash)[-1] @ kernel + bias
        if spec.head == "sequence":
            outputs[empty] = np.nan
        return outputs

    def _read(self, observation: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Return the channels of the observation (n_streams, n_inputs), and which series have had no value yet."""
        x = np.asarray(unmasked(observation), dtype=np.float64)
        expected = (self._n_features,) if self.n_streams == 1 else (self.n_streams, self._n_features)
        if x.shape not in {expected, (self.n_streams, self._n_features)}:
            raise ValueError(f"an observation must have shape {expected}, got {x.shape}.")
        x = x.reshape(self.n_streams, self._n_features)
        if np.isinf(x).any():
            raise ValueError("an observation is infinite. Pass NaN where nothing was measured.")
        missing = np.isnan(x)
        empty = missing.all(axis=1) & (self.n_seen == 0)
        unknown = missing & ~empty[:, None]
        unknown[:, list(self._missing.indicators)] = False
        if unknown.any():
            raise ValueError(
                f"feature {int(np.argwhere(unknown)[0, 1])} is missing, and the network has no missing indicator for "
                "it. Fit with missing_indicator=True, or fill the gap."
            )
        return self._missing.channels(x), empty

    def _start(self, static: np.ndarray, nothing: np.ndarray) -> list[list[State]]:
        """Return the states that the next steps of each layer start from, as many as it goes back.

        Without static channels they are zero.
        """
        initial = initial_states(self._spec, self._weights.static, static, nothing)
        dilation = self._spec.dilation or [1] * len(initial)
        return [[layer[0]] * steps for layer, steps in zip(initial, dilation, strict=True)]


def check_readable(spec: Any) -> None:
    """Raise if a network cannot be read step by step."""
    check_known(spec)
    for name, value, plain in (("bidirectional", spec.bidirectional, False), ("segment", spec.segment, 1)):
        if value != plain:
            why = "reads each window from its end as well" if name == "bidirectional" else "reads several steps as one"
            raise ValueError(
                f"a network with {name}={value!r} cannot be read one observation at a time: it {why}. Fit one with "
                f"{name}={plain!r}, or call predict on windows."
            )


def merged(rows: np.ndarray, new: State, old: State) -> State:
    """Take the new state of some series and the old one of the others."""
    return tuple(np.where(rows[:, None], a, b) for a, b in zip(new, old, strict=True))
