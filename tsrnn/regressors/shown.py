"""What a fitted network shows of itself: its layers, their sizes, and itself as a Keras model."""

from __future__ import annotations

import math
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from .._publishing import reads_one_state

__all__ = ["ShowsNetwork"]


class ShowsNetwork:
    """Describes the network of a fitted regressor, and hands it out."""

    weights_: list[np.ndarray]
    n_steps_in_: int
    _spec: Any  # a `Spec`
    dropout: float
    recurrent_dropout: float

    @property
    @reads_one_state
    def model_(self) -> Any:
        """A new Keras model with these weights; it takes windows (n, n_steps, channels) without empty leading steps.

        Its channels are the features and then one missing indicator for each feature that has one.
        """
        if not hasattr(self, "weights_"):
            raise NotFittedError(f"This {type(self).__name__} is not fitted yet, so it has no model_. Call fit first.")
        from ..engine.keras_ import make_model

        return make_model(
            self._spec,
            self.n_steps_in_,
            self.weights_,
            dropout=self.dropout,
            recurrent_dropout=self.recurrent_dropout,
        )

    @reads_one_state
    def export_keras(self, path: str | PathLike[str]) -> None:
        """Write the network as a Keras model, for use without tsrnn.

        The file holds the network alone; `save` writes the whole estimator. With `transition_depth` above 1, with
        `peephole` and of `MinLSTMRegressor` and `MinGRURegressor` it holds layers that Keras does not have: ``import
        tsrnn.engine.keras_`` before `keras.models.load_model` reads it.

        Parameters
        ----------
        path : str or path-like
            Ends in ``.keras``. An existing file is replaced.

        Raises
        ------
        ValueError
            If the path does not end in ``.keras``, the format that Keras writes.
        FileNotFoundError
            If the folder does not exist.

        Examples
        --------
        >>> import tempfile
        >>> import numpy as np
        >>> from tsrnn import LSTMRegressor
        >>> X = np.random.default_rng(0).normal(size=(50, 6, 2))  # (n_windows, n_steps, n_features)
        >>> model = LSTMRegressor(units=2, epochs=1, random_state=0).fit(X, X[:, -1, 0])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.export_keras(f"{folder}/network.keras")
        """
        path = Path(path)
        if path.suffix != ".keras":
            raise ValueError(f"path must end in '.keras', got {str(path)!r}. Write to {path.stem + '.keras'!r}.")
        if not path.parent.is_dir():
            raise FileNotFoundError(f"the folder {str(path.parent)!r} does not exist; create it first.")
        self.model_.save(path)

    @property
    def n_parameters_(self) -> int:
        """Number of trainable parameters."""
        if not hasattr(self, "weights_"):
            raise NotFittedError(f"This {type(self).__name__} is not fitted yet. Call fit first.")
        return self._spec.n_parameters

    @reads_one_state
    def summary(self) -> pd.DataFrame:
        """Describe the fitted network layer by layer.

        Returns
        -------
        DataFrame
            One row for each layer, in the order of the weights, and one for the total: the shape of what the layer
            gives out for one window, its trainable parameters, and these divided by the number of training windows of
            the last fit. A total above 1 means that the network can learn its windows by heart.

        Examples
        --------
        >>> import numpy as np
        >>> from tsrnn import GRURegressor
        >>> X = np.random.default_rng(0).normal(size=(200, 12, 2))  # (n_windows, n_steps, n_features)
        >>> GRURegressor(units=4, epochs=1, random_state=0).fit(X, X[:, -3:, 0]).summary()
           layer output_shape  parameters  per_window
        0    GRU         (4,)          96        0.48
        1  dense         (3,)          15        0.07
        2  total         (3,)         111        0.55
        """
        check_is_fitted(self)
        layers = self._layers()
        layers.append(("total", layers[-1][1], sum(layer[2] for layer in layers)))
        table = pd.DataFrame(layers, columns=["layer", "output_shape", "parameters"])
        n_windows = getattr(self, "n_windows_", None)  # a model saved by version 0.1.0 does not say
        return table.assign(per_window=table["parameters"] / (np.nan if n_windows is None else n_windows))

    def _layers(self) -> list[tuple[str, tuple[int, ...], int]]:
        """Return name, output shape and number of trainable parameters of each layer."""
        return self._spec.layers(self.n_steps_in_) or [
            (layer.name, _output_shape(layer), sum(math.prod(w.shape) for w in layer.trainable_weights))
            for layer in self.model_.layers
        ]


def _output_shape(layer: Any) -> tuple[int, ...]:
    """Return what a Keras layer gives out for one window, () if these are several arrays."""
    try:
        return tuple(layer.output.shape[1:])
    except AttributeError:
        return ()
