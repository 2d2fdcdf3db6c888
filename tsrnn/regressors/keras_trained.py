"""What the regressors share whose networks Keras alone computes."""

from __future__ import annotations

from ..engine.distributions import n_parameters
from .base import NetworkRegressor
from .groups import Head

__all__ = ["KerasTrainedRegressor"]


class KerasTrainedRegressor(NetworkRegressor, Head):
    """Base of the regressors that have no choice of engine."""

    # What `NetworkRegressor` reads and these networks do not have.
    engine = "keras"
    recurrent_dropout = 0.0

    def _n_numbers(self) -> int:
        """Return how many numbers the network gives out for a window."""
        return self.n_outputs_ * n_parameters(self._loss, self._quantiles)
