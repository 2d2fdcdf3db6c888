"""What the regressors share whose networks Keras alone computes: the parameters of training."""

from __future__ import annotations

from collections.abc import Sequence

from .. import _types as t
from ..engine.distributions import n_parameters
from .base import NetworkRegressor

__all__ = ["KerasTrainedRegressor"]


class KerasTrainedRegressor(NetworkRegressor):
    """Base of the regressors that have no choice of engine; the parameters are described in `LSTMRegressor`."""

    # What `NetworkRegressor` reads and these networks do not have.
    engine = "keras"
    recurrent_dropout = 0.0

    def __init__(
        self,
        *,
        activation: t.Activation | t.ControlActivation = "relu",
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
        self.activation = activation
        self.dropout = dropout
        self.l1 = l1
        self.l2 = l2
        self.head_initializer = head_initializer
        self.loss = loss
        self.quantiles = quantiles
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.nesterov = nesterov
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.learning_rate_schedule = learning_rate_schedule
        self.epochs = epochs
        self.batch_size = batch_size
        self.jit_compile = jit_compile
        self.shuffle = shuffle
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.validation_gap = validation_gap
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.n_steps = n_steps
        self.missing_indicator = missing_indicator
        self.callbacks = callbacks
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def _n_numbers(self) -> int:
        """Return how many numbers the network gives out for a window."""
        return self.n_outputs_ * n_parameters(self._loss, self._quantiles)
