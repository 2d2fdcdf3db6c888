"""Recurrent networks as regressors: `LSTMRegressor`, `GRURegressor`, `SimpleRNNRegressor` differ in their cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from .._archive.schema import array, list_of, optional, require
from .._checks import check_choice, check_int
from .._parameters import estimator
from .._publishing import reads_one_state
from ..engine.distributions import n_parameters
from ..networks import NetworkSpec, initial_weights
from .base import NetworkRegressor
from .groups import Engine, Head, MemoryCell, Recurrence, Segment, Sequences, Width
from .lesson import Lesson
from .parameters import feature_channels, layer_units
from .saved import FLOAT32
from .states import SequenceStates
from .stream import Stream

__all__ = ["GRURegressor", "LSTMRegressor", "SimpleRNNRegressor"]


class _RecurrentRegressor(NetworkRegressor, Engine, Sequences, Head, Segment, Recurrence, Width):
    """What the recurrent regressors share: everything but the cell.

    Attributes
    ----------
    state_ : list of ndarray of shape (n_sequences, units)
        With `tbptt_steps`: the state after the last step of each sequence of X. By layer; of an LSTM h, then c.
    """

    _cell: str
    _spec: NetworkSpec
    _spec_class = NetworkSpec
    _saved = {
        "state_": optional(list_of(FLOAT32)),
        "_n_seen": optional(array(np.int64, 1)),
        "_left_state": optional(array(np.float32, 2)),
    }

    def _network(self, n_inputs: int) -> NetworkSpec:
        n_targets = self.n_outputs_ // (self.n_steps_in_ if self.return_sequences else 1)
        n_outputs = n_targets * n_parameters(self._loss, self._quantiles)
        spec = replace(self._axes(), n_inputs=n_inputs, n_outputs=n_outputs, static=self._static_channels())
        spec.check(self.n_steps_in_)
        return spec

    def _axes(self) -> NetworkSpec:
        """Describe what the parameters alone say of the network."""
        units = layer_units(self.units)
        return NetworkSpec(
            cell=self._cell,
            units=units,
            n_inputs=1,
            n_outputs=1,
            activation=self.activation,
            bidirectional=bool(self.bidirectional),
            segment=int(self.segment),
            head="sequence" if self.return_sequences else "last",
            # What changes nothing is left at its default: such networks are equal, and the native engine computes them.
            merge_mode=self.merge_mode if self.bidirectional else "concat",
            residual=bool(self.residual) and len(units) > 1,
            transition_depth=int(self.transition_depth),
            input_layers=tuple(int(width) for width in self.input_layers),
            output_layers=tuple(int(width) for width in self.output_layers),
            peephole=bool(getattr(self, "peephole", False)),
            static_to=self.static_to,
            dilation=self._dilations(len(units)),
        )

    @reads_one_state
    def stream(self, n_streams: int | None = None, *, state: str | None = None) -> Stream:
        """Return a reader of single observations that carries the state of the network from one to the next.

        Predictions of a growing window cost a step each instead of the whole window. See `Stream`.

        Parameters
        ----------
        n_streams : int, default=None
            Series to be read side by side. None: one or, with ``state="fitted"``, as many as there were in `fit`.
        state : {None, "fitted"}, default=None
            "fitted" goes on from `state_`, right after the last step of each training sequence, in their order; it
            needs a fit with `tbptt_steps`. None starts from nothing.

        Returns
        -------
        Stream

        Raises
        ------
        ValueError
            If the network reads windows backward as well, or several steps at once; or if there is no fitted state, or
            not as many as `n_streams`.

        Examples
        --------
        >>> import numpy as np
        >>> from tsrnn import LSTMRegressor
        >>> X = np.random.default_rng(0).normal(size=(50, 6, 2))  # (n_windows, n_steps, n_features)
        >>> model = LSTMRegressor(units=2, epochs=1, random_state=0).fit(X, X[:, -1, 0])
        >>> model.stream().update(X[0, 0]).shape
        ()
        """
        check_is_fitted(self)
        check_int("n_streams", n_streams, none=True)
        check_choice("state", state, (None, "fitted"))
        if state is None:
            return Stream(self, 1 if n_streams is None else n_streams)
        self._check_fitted_state("stream from the first observation on")
        if n_streams not in (None, len(self._n_seen)):
            raise ValueError(
                f"n_streams={n_streams}, but the fitted state is that of {len(self._n_seen)} sequences. Leave it out, "
                "or set state=None."
            )
        return Stream(self, len(self._n_seen), state=self.state_, n_seen=self._n_seen)

    def _dilations(self, n_layers: int) -> tuple[int, ...]:
        """Return the dilation of each layer, or () if no state goes further back than one step."""
        given, plain = self.dilation, (1,) * n_layers
        dilations = tuple(map(int, given)) if isinstance(given, Sequence) else (int(given),) * n_layers
        return () if dilations == plain else dilations

    def _static_channels(self) -> tuple[int, ...]:
        """Return the channels of `static_features`: the features, and the missing indicators that they have."""
        n_features = self._n_features_per_step
        channels = feature_channels("static_features", self.static_features, n_features, self._missing.indicators)
        if self.static_to == "state" and set(range(n_features)) <= set(channels):
            raise ValueError(
                f"static_features names all {n_features} features, and static_to='state' leaves none of them to read "
                "at each step. Name fewer, or set static_to='both'."
            )
        return channels

    def _wanted_piece(self) -> int | None:
        return None if self.tbptt_steps is None else int(self.tbptt_steps)

    def _check_fitted_state(self, otherwise: str) -> None:
        if not hasattr(self, "state_"):
            raise ValueError(
                "state='fitted' needs the state in which the training sequences ended, and only a completed fit with "
                f"tbptt_steps keeps it. Fit with tbptt_steps, or {otherwise}."
            )

    def _states_before(self) -> SequenceStates:
        self._check_fitted_state("leave state out")
        if self.tbptt_steps is None:
            raise ValueError(
                "state='fitted' goes on from the state of sequences that are read in pieces, but tbptt_steps=None "
                "reads them whole. Set tbptt_steps, or leave state out."
            )
        read = np.concatenate(self.state_, axis=1)
        return SequenceStates(read, getattr(self, "_left_state", read), self._n_seen)

    def _keep_states(self, X: Any, lesson: Lesson, left: np.ndarray | None) -> None:
        if lesson.piece is None:
            return
        X, before = self._read_windows(X), lesson.before
        # Those in which training left the sequences are of weights that it has changed since.
        windows = self._window_data(X, None if before is None else before.may_be_empty(len(X)))
        states = self._read(windows, None if before is None else before.read)[1].states
        self.state_ = [part.copy() for part in np.split(states, np.cumsum(self._spec.state_widths)[:-1], axis=1)]
        self._n_seen = windows.n_steps - windows.lead.astype(np.int64) + (0 if before is None else before.n_seen)
        if left is not None:
            self._left_state = states.copy()
            self._left_state[lesson.training.rows] = left

    def _initial_weights(self, rng: np.random.Generator) -> list[np.ndarray]:
        return initial_weights(
            self._spec,
            rng,
            kernel=self.kernel_initializer,
            recurrent=self.recurrent_initializer,
            head=self.head_initializer,
            forget_bias=getattr(self, "forget_bias", 0.0),
        )

    def _check_together(self) -> None:
        super()._check_together()
        self._axes().check()
        self._check_tbptt_steps()

    def _check_tbptt_steps(self) -> None:
        if self.tbptt_steps is None:
            return
        if not self.return_sequences:
            raise ValueError(
                f"tbptt_steps={self.tbptt_steps} trains on one piece of a sequence after the other, each with targets, "
                "but return_sequences=False has one target after the last step. Set return_sequences=True and pass a y "
                "with a target for each step."
            )
        refused = {
            "bidirectional": (False, "reads a sequence from its end as well"),
            "static_features": (None, "sets the state that a sequence starts from"),
            "dilation": (1, "lets the state go back further than one step"),
        }
        for name, (plain, why) in refused.items():
            value = getattr(self, name)
            if value != plain and (name != "dilation" or set(np.ravel(value)) != {1}):
                raise ValueError(
                    f"{name}={value!r} {why}, so the state cannot be carried from one piece of tbptt_steps="
                    f"{self.tbptt_steps} steps to the next. Set {name}={plain!r}, or tbptt_steps=None."
                )

    # -- files ---------------------------------------------------------------------------------------------------------

    def _is_mine(self, spec: NetworkSpec) -> bool:
        # More transitions than arrays would only cost the time to count them.
        return spec.cell == self._cell and 1 <= spec.transition_depth <= len(self.weights_)

    def _check_state(self) -> None:
        super()._check_state()
        spec, piece, n_seen = self._spec, self._piece, getattr(self, "_n_seen", np.zeros(0, np.int64))
        require((n_seen >= 0).all(), "_n_seen does not count steps")
        if piece is not None:
            longest = max(self.n_steps_in_, int(n_seen.max(initial=0)))
            good = piece <= longest and spec.carries
            require(good, f"_piece: {spec!r:.300} does not read sequences in pieces of {piece} steps")
        shapes = [(len(n_seen), width) for width in spec.state_widths] if piece is not None and len(n_seen) else []
        found = [state.shape for state in getattr(self, "state_", [])]
        require(found == shapes, f"state_ has the shapes {found!r:.200} instead of {shapes!r:.200}")
        left, width = getattr(self, "_left_state", None), sum(spec.state_widths)
        require(left is None or (shapes and left.shape == (len(n_seen), width)), "_left_state does not fit state_")


@estimator
class LSTMRegressor(_RecurrentRegressor, MemoryCell):
    """Long short-term memory network [1]_ that maps windows to targets.

    The network reads a window step by step (or `segment` by segment) and maps its last state to the targets through one
    dense layer. It passes scikit-learn's estimator checks, so it goes wherever a regressor goes: pipelines, searches,
    stacking, permutation importance. X and y are used as they are: scale them, or use a forecaster, which does.

    References
    ----------
    .. [1] Hochreiter, S. and Schmidhuber, J. (1997). Long short-term memory. Neural Computation 9(8), 1735-1780.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn.regressors import LSTMRegressor
    >>> wave = np.sin(np.arange(120) / 3)
    >>> X = np.lib.stride_tricks.sliding_window_view(wave[:-1], 10)[..., np.newaxis]  # (n_windows, n_steps, n_features)
    >>> y = wave[10:]
    >>> model = LSTMRegressor(units=3, learning_rate=0.01, random_state=0).fit(X[:100], y[:100])
    >>> bool(model.score(X[100:], y[100:]) > 0.9)
    True

    A target for each step, here the mean so far:

    >>> X = np.random.default_rng(0).normal(size=(50, 10))
    >>> y = X.cumsum(axis=1) / np.arange(1, 11)
    >>> LSTMRegressor(units=2, return_sequences=True, epochs=1, random_state=0).fit(X, y).predict(X).shape
    (50, 10)

    One long series, read in pieces of 50 steps, and the forecast right after its end:

    >>> X = np.sin(np.arange(2001) / 3)[np.newaxis, :, np.newaxis]  # (n_sequences, n_steps, n_features)
    >>> model = LSTMRegressor(units=8, return_sequences=True, tbptt_steps=50, learning_rate=0.01, random_state=0)
    >>> stream = model.fit(X[:, :-1], X[:, 1:, 0]).stream(state="fitted")
    >>> bool(abs(stream.update(X[0, -1]) - np.sin(2001 / 3)) < 0.1)
    True
    """

    _cell = "lstm"


@estimator
class GRURegressor(_RecurrentRegressor):
    """Network of gated recurrent units that maps windows to targets.

    A GRU has three quarters of an LSTM's parameters. The reset gate acts after the recurrent product, as in Keras and
    cuDNN.

    References
    ----------
    Cho, K. et al. (2014). Learning phrase representations using RNN encoder-decoder for statistical machine
    translation. EMNLP.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn.regressors import GRURegressor
    >>> X = np.random.default_rng(0).normal(size=(50, 6, 2))  # (n_windows, n_steps, n_features)
    >>> y = X[:, -3:, 0]
    >>> GRURegressor(units=2, epochs=2, random_state=0).fit(X, y).predict(X).shape
    (50, 3)
    """

    _cell = "gru"


@estimator
class SimpleRNNRegressor(_RecurrentRegressor):
    """Elman's network, one tanh layer with feedback, that maps windows to targets.

    It has a quarter of an LSTM's parameters and forgets sooner.

    References
    ----------
    Elman, J. L. (1990). Finding structure in time. Cognitive Science 14(2), 179-211.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn.regressors import SimpleRNNRegressor
    >>> X = np.random.default_rng(0).normal(size=(50, 6))  # six steps of one feature
    >>> SimpleRNNRegressor(units=2, epochs=2, random_state=0).fit(X, X.sum(axis=1)).predict(X).shape
    (50,)
    """

    _cell = "simple_rnn"
