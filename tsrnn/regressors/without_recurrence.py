"""Networks without recurrence as regressors: what a recurrent network is to be compared with. Keras computes them."""

from __future__ import annotations

import numpy as np

from .. import _types as t
from .._checks import check_int
from .._parameters import estimator, param
from ..networks import (
    ConvSpec,
    FeedForwardSpec,
    NonRecurrentSpec,
    covering_blocks,
    initial_non_recurrent_weights,
)
from .groups import Convolutions, NonRecurrentNetwork, Width
from .keras_trained import KerasTrainedRegressor
from .parameters import layer_units

__all__ = ["ConvRegressor", "FeedForwardRegressor"]


class _NonRecurrentRegressor(NonRecurrentNetwork, KerasTrainedRegressor):
    """What the two share: all but what says how large the network is."""

    _spec: NonRecurrentSpec
    _spec_class: type[NonRecurrentSpec]

    def _initial_weights(self, rng: np.random.Generator) -> list[np.ndarray]:
        return initial_non_recurrent_weights(self._spec, rng, head=self.head_initializer)


@estimator
class FeedForwardRegressor(_NonRecurrentRegressor, Width):
    """Feed-forward network, dense layers on all values of a window, that maps windows to targets.

    It has no notion of order: what a recurrent network does better on the same windows, it owes to reading them in
    time. Empty leading steps of a shorter window are read as 0.

    Parameters
    ----------
    units
        Width of the hidden layer; a tuple stacks layers.

    Attributes
    ----------
    weights_ : list of ndarray
        Kernel and bias of each layer, the last layer's at the end. A kernel has shape (n_inputs, units); the first
        one's inputs are time-major.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn.regressors import FeedForwardRegressor
    >>> X = np.random.default_rng(0).normal(size=(50, 6, 2))  # (n_windows, n_steps, n_features)
    >>> FeedForwardRegressor(units=2, epochs=2, random_state=0).fit(X, X[:, -3:, 0]).predict(X).shape
    (50, 3)
    """

    _spec_class = FeedForwardSpec

    units: t.Layers = param(default=64, kw_only=False)

    def _network(self, n_inputs: int) -> FeedForwardSpec:
        return FeedForwardSpec(layer_units(self.units), self.n_steps_in_, n_inputs, self._n_numbers(), self.activation)


@estimator
class ConvRegressor(Convolutions, _NonRecurrentRegressor):
    """Temporal convolutional network [1]_ that maps windows to targets.

    Causal dilated convolutions in residual blocks read the window, and the last step's channels are mapped to the
    targets. It knows the order of the steps, but has no state: it sees no further back than its kernels reach. A
    shorter window is read as it is.

    Parameters
    ----------
    filters
        Channels of each block.

    Attributes
    ----------
    weights_ : list of ndarray
        Kernel and bias of the linear map of each step, of each convolution and of the last layer, in Keras's layout.

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

    filters: int = param(default=32, rule=check_int, kw_only=False)

    def _network(self, n_inputs: int) -> ConvSpec:
        kernel_size = int(self.kernel_size)
        covering = covering_blocks(self.n_steps_in_, kernel_size)
        n_blocks = covering if self.n_blocks == "auto" else int(self.n_blocks)
        return ConvSpec(int(self.filters), n_blocks, kernel_size, n_inputs, self._n_numbers(), self.activation)
