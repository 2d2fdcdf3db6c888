"""Networks without recurrence as regressors: what a recurrent network is to be compared with. Keras computes them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .. import _types as t
from .._checks import check_choice, check_int, check_units
from ..networks import (
    CONTROL_ACTIVATIONS,
    ControlSpec,
    ConvSpec,
    FeedForwardSpec,
    covering_blocks,
    initial_control_weights,
)
from .keras_trained import KerasTrainedRegressor
from .parameters import layer_units

__all__ = ["ConvRegressor", "FeedForwardRegressor"]

_MAX_BLOCKS = 20  # the last one's dilation is half a million steps


class _ControlRegressor(KerasTrainedRegressor):
    """What the two share: all but what says how large the network is."""

    _spec: ControlSpec
    _spec_class: type[ControlSpec]

    def _initial_weights(self, rng: np.random.Generator) -> list[np.ndarray]:
        return initial_control_weights(self._spec, rng, head=self.head_initializer)

    def _check_network_parameters(self) -> None:
        check_choice("activation", self.activation, CONTROL_ACTIVATIONS)
        check_choice("head_initializer", self.head_initializer, ("glorot_uniform", "zeros"))


class FeedForwardRegressor(_ControlRegressor):
    """Feed-forward network, dense layers on all values of a window, that maps windows to targets.

    It has no notion of order: what a recurrent network does better on the same windows, it owes to reading them in
    time. Empty leading steps of a shorter window are read as 0.

    Parameters
    ----------
    units : int or tuple of int, default=64
        Width of the hidden layer; a tuple stacks layers.
    activation : {"relu", "tanh"}, default="relu"
        Of the hidden layers.
    dropout : float, default=0.0
        Rate of dropout after each hidden layer.
    l1, l2 : float, default=0.0
        Penalties on the absolute and squared values of all kernels.
    head_initializer : {"glorot_uniform", "zeros"}, default="glorot_uniform"
        Initial kernel of the last layer. The others are Glorot-uniform.
    jit_compile : bool or "auto", default=False
        On TensorFlow: compile the training step with XLA. "auto" is False here.
    loss, quantiles, optimizer, learning_rate, momentum, nesterov, weight_decay, clipnorm, learning_rate_schedule, \
epochs, batch_size, shuffle, early_stopping, validation_fraction, validation_gap, n_iter_no_change, tol, n_steps, \
missing_indicator, callbacks, warm_start, random_state, verbose
        As in `LSTMRegressor`.

    Attributes
    ----------
    weights_ : list of ndarray
        Kernel and bias of each layer, the last layer's at the end. A kernel has shape (n_inputs, units); the first
        one's inputs are time-major.
    model_, n_parameters_, n_iter_, best_iteration_, history_, initial_val_loss_, n_features_in_, feature_names_in_, \
n_steps_in_, n_outputs_
        As in `LSTMRegressor`.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn.regressors import FeedForwardRegressor
    >>> X = np.random.default_rng(0).normal(size=(50, 6, 2))  # (n_windows, n_steps, n_features)
    >>> FeedForwardRegressor(units=2, epochs=2, random_state=0).fit(X, X[:, -3:, 0]).predict(X).shape
    (50, 3)
    """

    _spec_class = FeedForwardSpec

    def __init__(
        self,
        units: t.Layers = 64,
        *,
        activation: t.ControlActivation = "relu",
        dropout: float = 0.0,
        l1: float = 0.0,
        l2: float = 0.0,
        head_initializer: t.HeadInitializer = "glorot_uniform",
        loss: t.Loss = "mse",
        quantiles: Sequence[float] = (0.1, 0.5, 0.9),
        optimizer: t.Optimizer = "adam",
        learning_rate: float = 3e-3,
        momentum: float = 0.9,
        nesterov: bool = True,
        weight_decay: float = 0.004,
        clipnorm: float | None = 1.0,
        learning_rate_schedule: t.Schedule | None = None,
        epochs: int = 100,
        batch_size: int = 32,
        jit_compile: t.AutoBool = False,
        shuffle: bool = True,
        early_stopping: t.AutoBool = "auto",
        validation_fraction: float = 0.1,
        validation_gap: int = 0,
        n_iter_no_change: int = 5,
        tol: float = 1e-4,
        n_steps: int | None = None,
        missing_indicator: t.AutoBool = "auto",
        callbacks: t.Callbacks = None,
        warm_start: bool = False,
        random_state: t.RandomState | None = None,
        verbose: t.Verbose = "auto",
    ) -> None:
        super().__init__(
            activation=activation,
            dropout=dropout,
            l1=l1,
            l2=l2,
            head_initializer=head_initializer,
            loss=loss,
            quantiles=quantiles,
            optimizer=optimizer,
            learning_rate=learning_rate,
            momentum=momentum,
            nesterov=nesterov,
            weight_decay=weight_decay,
            clipnorm=clipnorm,
            learning_rate_schedule=learning_rate_schedule,
            epochs=epochs,
            batch_size=batch_size,
            jit_compile=jit_compile,
            shuffle=shuffle,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            validation_gap=validation_gap,
            n_iter_no_change=n_iter_no_change,
            tol=tol,
            n_steps=n_steps,
            missing_indicator=missing_indicator,
            callbacks=callbacks,
            warm_start=warm_start,
            random_state=random_state,
            verbose=verbose,
        )
        self.units = units

    def _network(self, n_inputs: int) -> FeedForwardSpec:
        return FeedForwardSpec(layer_units(self.units), self.n_steps_in_, n_inputs, self._n_numbers(), self.activation)

    def _check_network_parameters(self) -> None:
        super()._check_network_parameters()
        check_units("units", self.units)

    def _is_network(self, spec: FeedForwardSpec) -> bool:
        sizes = spec.units and min(spec.units) > 0 and spec.n_steps == self.n_steps_in_
        return bool(sizes) and spec.activation in CONTROL_ACTIVATIONS


class ConvRegressor(_ControlRegressor):
    """Temporal convolutional network [1]_ that maps windows to targets.

    Causal dilated convolutions in residual blocks read the window, and the last step's channels are mapped to the
    targets. It knows the order of the steps, but has no state: it sees no further back than its
    kernels reach. A shorter
    window is read as it is.

    Parameters
    ----------
    filters : int, default=32
        Channels of each block.
    kernel_size : int, default=3
        Steps that a convolution reads, 2**i steps apart in block i.
    n_blocks : int or "auto", default="auto"
        Residual blocks of two convolutions. "auto": as many as let the last step see the whole window.
    activation : {"relu", "tanh"}, default="relu"
        Of the convolutions and blocks.
    dropout : float, default=0.0
        Rate of dropout after each convolution.
    l1, l2, head_initializer, loss, quantiles, optimizer, learning_rate, momentum, nesterov, weight_decay, clipnorm, \
learning_rate_schedule, epochs, batch_size, jit_compile, shuffle, early_stopping, validation_fraction, validation_gap, \
n_iter_no_change, tol, n_steps, missing_indicator, callbacks, warm_start, random_state, verbose
        As in `FeedForwardRegressor`.

    Attributes
    ----------
    weights_ : list of ndarray
        Kernel and bias of the linear map of each step, of each convolution and of the last layer, in Keras's layout.
    model_, n_parameters_, n_iter_, best_iteration_, history_, initial_val_loss_, n_features_in_, feature_names_in_, \
n_steps_in_, n_outputs_
        As in `LSTMRegressor`.

    References
    ----------
    .. [1] Bai, S., Kolter, J. Z. and Koltun, V. (2018). An empirical evaluation of generic convolutional and recurrent
       networks for sequence modeling. arXiv:1803.01271.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn.regressors import ConvRegressor
    >>> X = np.random.default_rng(0).normal(size=(100, 6, 2))  # (n_windows, n_steps, n_features)
    >>> ConvRegressor(filters=2, epochs=2, random_state=0).fit(X, X[:, -3:, 0]).predict(X).shape
    (100, 3)
    """

    _spec_class = ConvSpec

    def __init__(
        self,
        filters: int = 32,
        *,
        kernel_size: int = 3,
        n_blocks: int | t.Auto = "auto",
        activation: t.ControlActivation = "relu",
        dropout: float = 0.0,
        l1: float = 0.0,
        l2: float = 0.0,
        head_initializer: t.HeadInitializer = "glorot_uniform",
        loss: t.Loss = "mse",
        quantiles: Sequence[float] = (0.1, 0.5, 0.9),
        optimizer: t.Optimizer = "adam",
        learning_rate: float = 3e-3,
        momentum: float = 0.9,
        nesterov: bool = True,
        weight_decay: float = 0.004,
        clipnorm: float | None = 1.0,
        learning_rate_schedule: t.Schedule | None = None,
        epochs: int = 100,
        batch_size: int = 32,
        jit_compile: t.AutoBool = False,
        shuffle: bool = True,
        early_stopping: t.AutoBool = "auto",
        validation_fraction: float = 0.1,
        validation_gap: int = 0,
        n_iter_no_change: int = 5,
        tol: float = 1e-4,
        n_steps: int | None = None,
        missing_indicator: t.AutoBool = "auto",
        callbacks: t.Callbacks = None,
        warm_start: bool = False,
        random_state: t.RandomState | None = None,
        verbose: t.Verbose = "auto",
    ) -> None:
        super().__init__(
            activation=activation,
            dropout=dropout,
            l1=l1,
            l2=l2,
            head_initializer=head_initializer,
            loss=loss,
            quantiles=quantiles,
            optimizer=optimizer,
            learning_rate=learning_rate,
            momentum=momentum,
            nesterov=nesterov,
            weight_decay=weight_decay,
            clipnorm=clipnorm,
            learning_rate_schedule=learning_rate_schedule,
            epochs=epochs,
            batch_size=batch_size,
            jit_compile=jit_compile,
            shuffle=shuffle,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            validation_gap=validation_gap,
            n_iter_no_change=n_iter_no_change,
            tol=tol,
            n_steps=n_steps,
            missing_indicator=missing_indicator,
            callbacks=callbacks,
            warm_start=warm_start,
            random_state=random_state,
            verbose=verbose,
        )
        self.filters = filters
        self.kernel_size = kernel_size
        self.n_blocks = n_blocks

    def _network(self, n_inputs: int) -> ConvSpec:
        kernel_size = int(self.kernel_size)
        covering = covering_blocks(self.n_steps_in_, kernel_size)
        n_blocks = covering if self.n_blocks == "auto" else int(self.n_blocks)
        return ConvSpec(int(self.filters), n_blocks, kernel_size, n_inputs, self._n_numbers(), self.activation)

    def _check_network_parameters(self) -> None:
        super()._check_network_parameters()
        check_int("filters", self.filters)
        check_int("kernel_size", self.kernel_size)
        if self.n_blocks != "auto":
            check_int("n_blocks", self.n_blocks, 1, _MAX_BLOCKS)

    def _is_network(self, spec: ConvSpec) -> bool:
        sizes = min(spec.filters, spec.kernel_size, spec.n_blocks) > 0 and spec.n_blocks <= _MAX_BLOCKS
        return sizes and spec.activation in CONTROL_ACTIVATIONS
