"""`KerasRegressor`: any Keras model of a window as a scikit-learn regressor."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError

from .._parameters import NETWORK, estimator, group, param, unchecked
from .._publishing import reads_one_state
from ..engine import WindowData
from ..engine.distributions import n_parameters
from ..exceptions import ArchiveError
from ..networks import ModelSpec
from .base import NetworkRegressor

__all__ = ["KerasRegressor"]


def check_build_params(name: str, value: Any) -> None:
    """Raise unless `value` is a dict of keyword arguments, or None."""
    if value is not None and not (isinstance(value, dict) and all(isinstance(key, str) for key in value)):
        raise TypeError(f"{name} must be a dict of keyword arguments of build or None, got {value!r}.")


@group(NETWORK)
class Build:
    """What makes the network.

    Parameters
    ----------
    build
        ``build(n_steps, n_inputs, n_outputs, **build_params)`` returns a new keras.Model, functional or Sequential, not
        compiled, that maps (batch, n_steps, n_inputs) to (batch, n_outputs), both float32. Each fit calls it several
        times; Python's, NumPy's and Keras's global generators are seeded for that and then given back as they were.
        A function of a module, unlike a lambda, lets the regressor be pickled.
    build_params
        Further keyword arguments of `build`. A search can go over several: ``{"build_params": [{"units": 8}, ...]}``.
    """

    build: Callable[..., Any] = param(rule=unchecked, kw_only=False)
    build_params: dict[str, Any] | None = param(default=None, rule=check_build_params)


@estimator
class KerasRegressor(NetworkRegressor, Build):
    """A network that you write in Keras, trained by the loop that trains the networks of tsrnn.

    Its guarantees are theirs: the same result for the same `random_state`, early stopping on the last windows in time,
    weights of windows, missing values. Keras trains, on the backend that it is set to. Equal models share compiled
    programs, so a search over numbers compiles once.

    Parameters
    ----------
    l1, l2
        Penalties on the absolute and squared values of all trainable weights that Keras calls a kernel, added to the
        loss, and to the losses that the layers add themselves.
    loss
        What is minimised. The first three forecast a point. "pinball" learns the `quantiles`; "gaussian" and
        "student_t" learn a normal or Student's t distribution by their likelihood: several outputs for each target,
        which `n_outputs` counts. Their scale stays above 0.001 and starts from 1: scale y.
    missing_indicator
        Missing values inside a window are replaced by the feature's mean over the training windows, and a further input
        channel says where; these channels follow the features, and ``n_inputs`` counts them. "auto" gives this channel
        to the features that have missing values in `fit`, True to all; False refuses missing values.
    jit_compile
        On TensorFlow: compile the training step with XLA. "auto" is False here. JAX always compiles, torch never.

    Attributes
    ----------
    weights_ : list of ndarray
        The weights, in the order of `keras.Model.get_weights`: trained ones and running statistics.
    model_ : keras.Model
        A new model from `build` with these weights.

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

    # What `NetworkRegressor` reads and this class does not offer: the model has its own dropout.
    engine = "keras"
    _masks = False
    dropout = recurrent_dropout = 0.0

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

    def save(self, path: str | PathLike[str]) -> None:
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

    def _check_together(self) -> None:
        super()._check_together()
        from ..engine.keras_ import check_build

        check_build(self.build, self.build_params or {})

    def _check_windows(self, windows: WindowData) -> None:
        super()._check_windows(windows)
        if windows.ragged:
            raise ValueError(
                f"{np.count_nonzero(windows.lead)} of {len(windows)} windows begin before their series or are shorter "
                f"than {windows.n_steps} steps, and a model of build gets no mask for the steps that they lack. Drop "
                "such windows, or fill the steps with values or NaN."
            )
