"""What the regressors share whose networks Keras alone computes: the parameters of training."""

from __future__ import annotations

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
        activation="relu",
        dropout=0.0,
        l1=0.0,
        l2=0.0,
        head_initializer="glorot_uniform",
        loss="mse",
        quantiles=(0.1, 0.5, 0.9),
        optimizer="adam",
        learning_rate=3e-3,
        momentum=0.9,
        nesterov=True,
        weight_decay=0.004,
        clipnorm=1.0,
        learning_rate_schedule=None,
        epochs=100,
        batch_size=32,
        jit_compile=False,
        shuffle=True,
        early_stopping="auto",
        validation_fraction=0.1,
        validation_gap=0,
        n_iter_no_change=5,
        tol=1e-4,
        n_steps=None,
        missing_indicator="auto",
        callbacks=None,
        warm_start=False,
        random_state=None,
        verbose=0,
    ):
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
