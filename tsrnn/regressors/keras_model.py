"""`KerasRegressor`: any Keras model of a window as a scikit-learn regressor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError

from .. import _types as t
from .._publishing import reads_one_state
from ..engine import WindowData
from ..engine.distributions import n_parameters
from ..exceptions import ArchiveError
from ..networks import ModelSpec
from .base import NetworkRegressor

__all__ = ["KerasRegressor"]


class KerasRegressor(NetworkRegressor):
    """A network that you write in Keras, trained as `LSTMRegressor` is.

    The training loop, its parameters and its guarantees are those of `LSTMRegressor`: the same result for the same
    `random_state`, early stopping on the last windows in time, weights of windows, missing values. Keras trains, on the
    backend that it is set to. Equal models share compiled programs, so a search over numbers compiles once.

    Parameters
    ----------
    build : callable
        ``build(n_steps, n_inputs, n_outputs, **build_params)`` returns a new keras.Model, functional or Sequential, not
        compiled, that maps (batch, n_steps, n_inputs) to (batch, n_outputs), both float32. Each fit calls it several
        times; Python's, NumPy's and Keras's global generators are seeded for that and then given back as they were.
        A function of a module, unlike a lambda, lets the regressor be pickled.
    build_params : dict, default=None
        Further keyword arguments of `build`. A search can go over several: ``{"build_params": [{"units": 8}, ...]}``.
    l1, l2 : float, default=0.0
        Penalties on the absolute and squared values of all trainable weights that Keras calls a kernel, added to the
        loss, and to the losses that the layers add themselves.
    loss : {"mse", "mae", "huber", "pinball", "gaussian", "student_t"}, default="mse"
        As in `LSTMRegressor`. A distribution has several outputs for each target; `n_outputs` counts them.
    jit_compile : bool or "auto", default=False
        On TensorFlow: compile the training step with XLA. "auto" is False here. JAX always compiles, torch never.
    quantiles, optimizer, learning_rate, momentum, nesterov, weight_decay, clipnorm, learning_rate_schedule, epochs, \
batch_size, shuffle, early_stopping, validation_fraction, validation_gap, n_iter_no_change, tol, n_steps, \
missing_indicator, callbacks, warm_start, random_state, verbose
        As in `LSTMRegressor`. The channels of `missing_indicator` follow the features: ``n_inputs`` counts them.

    Attributes
    ----------
    weights_ : list of ndarray
        The weights, in the order of `keras.Model.get_weights`: trained ones and running statistics.
    model_ : keras.Model
        A new model from `build` with these weights.
    n_parameters_, n_iter_, best_iteration_, history_, initial_val_loss_, n_windows_, n_features_in_, \
feature_names_in_, n_steps_in_, n_outputs_
        As in `LSTMRegressor`.

    Notes
    -----
    The model gets no mask: leading steps of NaN are missing values like others, and windows that begin before their
    series or are shorter than those of `fit` are refused. The statistics of
    BatchNormalization count each window of a batch once, whatever its weight, and equal windows are merged first unless
    ``shuffle=False``; the batches of an epoch hold what they hold in Keras. `save` refuses code; pickle the regressor,
    or write the network with `export_keras`.

    Examples
    --------
    >>> import keras
    >>> import numpy as np
    >>> from tsrnn import KerasRegressor
    >>> def build(n_steps, n_inputs, n_outputs, units=4):
    ...     return keras.Sequential(
    ...         [keras.Input((n_steps, n_inputs)), keras.layers.LSTM(units), keras.layers.Dense(n_outputs)]
    ...     )
    >>> wave = np.sin(np.arange(120) / 3)
    >>> X = np.lib.stride_tricks.sliding_window_view(wave[:-1], 10)[..., np.newaxis]  # (n_windows, n_steps, n_features)
    >>> y = wave[10:]
    >>> model = KerasRegressor(build, build_params={"units": 3}, learning_rate=0.01, random_state=0)
    >>> bool(model.fit(X[:100], y[:100]).score(X[100:], y[100:]) > 0.9)
    True
    """

    _spec: ModelSpec

    # What `NetworkRegressor` reads and this class does not offer: the model has its own dropout.
    engine = "keras"
    _masks = False
    dropout = recurrent_dropout = 0.0

    def __init__(
        self,
        build: Callable[..., Any],
        *,
        build_params: dict[str, Any] | None = None,
        l1: float = 0.0,
        l2: float = 0.0,
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
        self.build = build
        self.build_params = build_params
        self.l1 = l1
        self.l2 = l2
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

    @property
    @reads_one_state
    def model_(self) -> Any:
        """A new model from `build` with these weights; it takes windows (n, n_steps, channels).

        Its channels are the features and then one missing indicator for each feature that has one.
        """
        if not hasattr(self, "weights_"):
            raise NotFittedError(f"This {type(self).__name__} is not fitted yet, so it has no model_. Call fit first.")
        from ..engine.keras_ import make_user_model

        return make_user_model(self._spec, self.n_steps_in_, self.weights_)

    def save(self, path) -> None:
        """Refuse: the network is code, and a file of tsrnn holds none.

        Raises
        ------
        ArchiveError
            Always.
        """
        raise ArchiveError(
            f"cannot save {type(self).__name__}: its build is code, not data. Write the network with export_keras, or "
            "the regressor with joblib.dump(model, path), and joblib.load only files that you trust."
        )

    def _network(self, n_inputs: int) -> ModelSpec:
        from ..engine.keras_ import describe_model

        n_outputs = self.n_outputs_ * n_parameters(self._loss, self._quantiles)
        return describe_model(self.build, self.n_steps_in_, n_inputs, n_outputs, dict(self.build_params or {}))

    def _initial_weights(self, rng: np.random.Generator) -> list[np.ndarray]:
        from ..engine.keras_ import initial_model_weights

        return initial_model_weights(self._spec, self.n_steps_in_, int(rng.integers(2**31)))

    def _check_network_parameters(self) -> None:
        params: Any = self.build_params
        if params is not None and not (isinstance(params, dict) and all(isinstance(name, str) for name in params)):
            raise TypeError(f"build_params must be a dict of keyword arguments of build or None, got {params!r}.")
        from ..engine.keras_ import check_build

        check_build(self.build, params or {})

    def _check_windows(self, windows: WindowData) -> None:
        super()._check_windows(windows)
        if windows.ragged:
            raise ValueError(
                f"{np.count_nonzero(windows.lead)} of {len(windows)} windows begin before their series or are shorter "
                f"than {windows.n_steps} steps, and a model of build gets no mask for the steps that they lack. Drop "
                "such windows, or fill the steps with values or NaN."
            )
