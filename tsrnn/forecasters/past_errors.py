"""How sure forecasts from windows are: from the errors on windows that the model was not trained on.

They are measured when they are first asked for, and again for each number of missing values before a forecast. Imports
base, examples, intervals, observed and exceptions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import clone

from .._archive.schema import array, optional, require, unsaved
from ..exceptions import DataError
from ..intervals import residual_quantiles
from .base import BaseForecaster
from .examples import CHUNK
from .observed import rows_since_observed

__all__ = ["CALIBRATION_FRACTION", "MeasuresErrors"]

#: Share of the training windows, the last in time, on whose errors intervals are calibrated.
CALIBRATION_FRACTION = 0.2


class MeasuresErrors(BaseForecaster):
    """Part of a forecaster that reads windows: intervals from past errors (split conformal, signed)."""

    _not_shown: tuple[str, ...] = ("gap_residuals_", "residuals_")
    window_: int
    gap_residuals_: dict[tuple[int, int], np.ndarray]
    #: Of a series of a panel: the errors of all, in units of their scales.
    _pooled_errors: Callable[..., np.ndarray] | None = None
    _saved = {
        "residuals_": optional(array(np.float64, 3, nan=True)),
        "gap_residuals_": unsaved(lambda model: {}),
    }

    def _check_state(self) -> None:
        super()._check_state()
        n_targets = len(self.targets_)
        if (residuals := getattr(self, "residuals_", None)) is not None:
            fits = len(residuals) > 0 and residuals.shape[2] == n_targets
            require(fits, f"residuals_ have shape {residuals.shape}, where there are {n_targets} targets")

    def _bands(
        self, values: np.ndarray, cutoffs: np.ndarray, forecasts: np.ndarray, quantiles: np.ndarray
    ) -> np.ndarray:
        """Quantiles from past errors, measured with as much missing before the forecast as there is here."""
        if not self._takes_missing():  # no window with a gap is forecast; the rows before the first window may be
            return super()._bands(values, cutoffs, forecasts, quantiles)
        gaps = np.minimum(rows_since_observed(values[:, : len(self.targets_)], cutoffs), self.window_)
        blind = np.minimum(self._rows_without_covariates(values, cutoffs), self.window_)
        bands = np.empty((*forecasts.shape, len(quantiles)))
        for k in range(len(self.targets_)):
            for gap, hidden in np.unique(np.column_stack([gaps[:, k], blind]), axis=0).tolist():
                same = (gaps[:, k] == gap) & (blind == hidden)
                spread = self._error_quantiles(self._errors(forecasts.shape[1], gap, hidden), quantiles)
                bands[same, :, k] = forecasts[same, :, k, None] + spread[:, k]
        return bands

    def _rows_without_covariates(self, values: np.ndarray, cutoffs: np.ndarray) -> np.ndarray:
        """How many rows at the end of each window hold no past covariate at all."""
        n_targets = len(self.targets_)
        past = values[:, n_targets : n_targets + len(self.past_)]
        return rows_since_observed(past, cutoffs).min(axis=1) if self.past_ else np.zeros(len(cutoffs), int)

    def _spread(self, steps: int, quantiles: np.ndarray) -> np.ndarray:
        return self._error_quantiles(self._errors(steps), quantiles)

    def _errors(self: Any, steps: int, gap: int = 0, hidden: int = 0) -> np.ndarray:
        """Past errors (n_windows, steps, n_targets), measured once for each gap, as far ahead as was asked for."""
        if self._pooled_errors is not None:
            return self._pooled_errors(steps, gap, hidden) * self._target_scale()
        if not gap and not hidden:
            if getattr(self, "residuals_", np.empty((0, 0))).shape[1] < steps:
                self.residuals_ = self._calibrate(steps)
            return self.residuals_[:, :steps]
        known = self.gap_residuals_.get((gap, hidden))
        if known is None or known.shape[1] < steps:
            known = self.gap_residuals_[gap, hidden] = self._calibrate(steps, gap, hidden)
        return known[:, :steps]

    def _path_errors(self, steps: int) -> np.ndarray:
        """Errors (n_windows, steps, K) of sums of changes, on the windows that the model was not trained on."""
        return np.cumsum(self._errors(steps), axis=1)

    def _error_quantiles(self, residuals: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
        """Quantiles of the errors, step by step, on the last windows in time (split conformal, signed)."""
        measured = np.isfinite(residuals).any(axis=0).all(axis=1)  # (steps,)
        if not measured.all():
            raise DataError(
                f"no error of a forecast {int(measured.argmin()) + 1} steps ahead could be measured on the last "
                f"{len(residuals)} windows of the data fitted, so there is no interval for it. Ask for fewer steps, "
                "fit with a longer horizon, or on more rows."
            )
        return residual_quantiles(residuals, quantiles)

    def _calibrate(self: Any, steps: int, gap: int = 0, hidden: int = 0) -> np.ndarray:
        """Errors (n_windows, steps, n_targets) on the calibration windows of a model that was not trained on them.

        The last `gap` targets of each window, and the last `hidden` rows of its past covariates, are hidden from it.
        """
        frame = self._seen().iloc[: self.n_rows_fit_]
        cutoffs = self._training_cutoffs(frame.to_numpy())
        split = max(1, len(cutoffs) - max(1, int(self._calibration_fraction() * len(cutoffs))))
        model = self._copy_fitted()
        model.regressor_ = self._held_out()
        if model.regressor_ is None:
            # The gap keeps rows that training targets share with calibration targets out of both.
            early = cutoffs[: max(1, split - self.block_ + 1)]
            model.regressor_ = model._trained_on(frame.to_numpy(), early)
        held = cutoffs[split:] if split < len(cutoffs) else cutoffs[-1:]
        return model._errors_at(frame, held, steps, gap, hidden)

    def _errors_at(self, frame: pd.DataFrame, held: np.ndarray, steps: int, gap: int, hidden: int) -> np.ndarray:
        """Errors (n_cutoffs, steps, n_targets) of the forecasts from these rows."""
        # Steps beyond the end of the data have no error; dropping their windows would drop errors of nearer steps.
        values = self._values(self._longer(frame, steps))
        truth = values[held[:, None] + np.arange(1, steps + 1), : len(self.targets_)]
        return truth - self._forecast_hiding(values, held, steps, gap, hidden)

    def _forecast_hiding(
        self: Any, values: np.ndarray, cutoffs: np.ndarray, steps: int, gap: int, hidden: int
    ) -> np.ndarray:
        """Forecast from windows whose last rows are taken for missing."""
        if not gap and not hidden:
            return self._forecast(values, cutoffs, steps)
        n_targets, end, parts = len(self.targets_), self.window_, []
        for i in range(0, len(cutoffs), CHUNK):
            dense = self._dense(values, cutoffs[i : i + CHUNK], self._steps_read(steps))
            dense[:, end - gap : end, :n_targets] = np.nan
            dense[:, end - hidden : end, n_targets : n_targets + len(self.past_)] = np.nan
            ends = np.arange(len(dense)) * dense.shape[1] + end - 1
            parts.append(self._forecast(dense.reshape(-1, dense.shape[2]), ends, steps))
        return np.concatenate(parts)

    def _copy_fitted(self) -> Self:
        """A shallow copy whose regressor can be replaced without touching this model."""
        copy = clone(self)
        copy.__dict__.update({name: value for name, value in vars(self).items() if name.endswith("_")})
        return copy

    # ------------------------------------------------------------------ hooks

    def _trained_on(self, values: np.ndarray, cutoffs: np.ndarray) -> Any:
        """A regressor fitted on the windows that end at these rows."""
        raise NotImplementedError

    def _takes_missing(self) -> bool:
        """Whether windows with missing values can be forecast."""
        return True

    def _held_out(self) -> Any:
        """The regressor that was kept from training on the last windows, if there is one."""
        return None

    def _calibration_fraction(self) -> float:
        return CALIBRATION_FRACTION
