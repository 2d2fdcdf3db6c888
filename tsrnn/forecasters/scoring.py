"""How well forecasts fit what was observed. Imports exceptions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ..exceptions import DataError

__all__ = ["observed_r2"]


def observed_r2(y: Any, forecasts: Any, targets: list[Any], sample_weight: Any = None) -> float:
    """Return the coefficient of determination on the rows where a target was observed, the mean over targets.

    Parameters
    ----------
    y, forecasts : array-like of shape (n_rows,) or (n_rows, n_targets)
        y is NaN where nothing was observed.
    targets : list
        Names of the targets.
    sample_weight : array-like of shape (n_rows,), optional
        Weights of the rows.

    Raises
    ------
    DataError
        If y has other rows or columns than the forecasts, or a target was not observed at all.
    """
    from sklearn.metrics import r2_score  # as scikit-learn's own `score`: no forecast needs it

    if isinstance(y, pd.DataFrame) and set(targets) <= set(y.columns):
        y = y[targets]
    truth = np.asarray(y, dtype=np.float64).reshape(len(y), -1)
    guess = np.asarray(forecasts, dtype=np.float64).reshape(len(forecasts), -1)
    if truth.shape != guess.shape:
        raise DataError(
            f"y has {truth.shape[0]} row(s) and {truth.shape[1]} column(s), and X asks for forecasts of "
            f"{guess.shape[0]} row(s) of {guess.shape[1]} target(s). Pass the targets of the same rows."
        )
    seen = ~np.isnan(truth)
    if empty := [str(name) for name, rows in zip(targets, seen.T, strict=True) if not rows.any()]:
        raise DataError(
            f"target(s) {', '.join(empty)} hold no observation in the {len(truth)} row(s) to score. Score rows that "
            "were observed."
        )
    weight = np.ones(len(truth)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    scores = [r2_score(truth[rows, k], guess[rows, k], sample_weight=weight[rows]) for k, rows in enumerate(seen.T)]
    return float(np.mean(scores))
