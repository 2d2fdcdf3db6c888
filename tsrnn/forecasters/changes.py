"""Forecasts of changes from row to row, returns or differences, added up. Imports intervals and exceptions."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..exceptions import DataError
from ..intervals import residual_quantiles

__all__ = ["AddsUpChanges"]

#: Past paths on which intervals of sums of changes are measured.
MOST_PATHS = 500


class AddsUpChanges:
    """Part of a forecaster that adds forecast changes up to the levels of the target."""

    def _added_up(self: Any, changes: np.ndarray, levels: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
        """Return where forecast changes (n_cutoffs, steps, K) lead, and quantiles of it.

        These are measured on whole paths of the past: quantiles of single changes do not add up.
        """
        path = np.cumsum(changes, axis=1)[..., None]
        out = path
        if len(quantiles):
            bands = path + residual_quantiles(self._path_errors(changes.shape[1]), quantiles)
            around = np.where(quantiles < 0.5, np.minimum(bands, path), np.maximum(bands, path))
            out = np.concatenate([path, np.where(quantiles == 0.5, path, around)], axis=-1)
        return self._given_back_in_unit(self.transform_.add_to(levels[:, None, :, None], out))

    def _path_errors(self: Any, steps: int) -> np.ndarray:
        """Errors (n_paths, steps, K) of sums of changes: of forecasts from the second half of the rows seen."""
        values = self._values(self._seen())
        cutoffs = np.arange(len(values) // 2, len(values) - steps)
        cutoffs = cutoffs[:: -(-len(cutoffs) // MOST_PATHS) or 1]
        if not len(cutoffs):
            raise DataError(
                f"{len(values)} rows are too few to measure errors of {steps} steps on, so there is no interval. Pass "
                "more history, or ask for fewer steps."
            )
        truth = values[cutoffs[:, None] + np.arange(1, steps + 1), : len(self.targets_)]
        return np.cumsum(truth - self._forecast(values, cutoffs, steps), axis=1)
