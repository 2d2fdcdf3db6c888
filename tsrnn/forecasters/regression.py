"""scikit-learn regressors as forecasters. Imports windowed for everything that concerns time, and exceptions."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils import get_tags

from .. import _types as t
from .._archive.schema import require
from ..exceptions import DataError
from .saved import check_parameters, check_regressor
from .windowed import CHUNK, WindowForecaster, count_between

__all__ = ["RegressionForecaster"]


class RegressionForecaster(WindowForecaster):
    """Forecast with any scikit-learn regressor on lagged values.

    Parameters
    ----------
    estimator : scikit-learn regressor
        Cloned in `fit`. One that has a single output is wrapped in `MultiOutputRegressor`.
    target : str or list of str, optional
        Column(s) of X to forecast when no y is given; None means all.
    window : int, optional
        Past rows that the regressor sees. By default a week and a day where a day has several rows, else four
        seasons or periods; at most 1,000, and a quarter of the history.
    horizon : int, optional
        Steps forecast at once by strategy "direct". None stands for 1, and is set by `tsrnn.compare`.
    strategy : {"direct", "recursive"}
        All steps of the horizon at once, or one step fed back again and again. Steps beyond the horizon are fed back
        block by block.
    level : {"last", None}
        "last" subtracts the last observation from each window and adds it back to the forecast.
    shared : bool
        Forecast each of several targets from its own past by one regressor, fitted on all of them; False forecasts all
        from the past of all.
    past_covariates, future_covariates : list of str, optional
        Columns known up to the cutoff, and columns known ahead.
    freq : str, optional
        Frequency of the index where it cannot be inferred.

    Attributes
    ----------
    regressor_ : the fitted regressor
    window_, horizon_ : int

    Raises
    ------
    DataError
        In `fit` if every training window holds missing values, in `predict` if the newest window does and the
        estimator cannot take them.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> import pandas as pd
    >>> days = pd.date_range("2024-01-01", periods=60, freq="D")
    >>> df = pd.DataFrame({"load": [10.0 + day.day_of_week for day in days]}, index=days)
    >>> model = RegressionForecaster(Ridge(1e-6), window=14, horizon=7).fit(df)
    >>> model.forecast(2).round(2)
                load
    2024-03-01  14.0
    2024-03-02  15.0
    """

    def __init__(
        self,
        estimator: Any,
        target: t.Labels | None = None,
        window: int | None = None,
        horizon: int | None = None,
        strategy: t.Strategy = "direct",
        level: t.Level | None = "last",
        shared: bool = True,
        past_covariates: t.Labels | None = None,
        future_covariates: t.Labels | None = None,
        freq: str | None = None,
    ) -> None:
        self.estimator = estimator
        self.target = target
        self.window = window
        self.horizon = horizon
        self.strategy = strategy
        self.level = level
        self.shared = shared
        self.past_covariates = past_covariates
        self.future_covariates = future_covariates
        self.freq = freq

    def _check_state(self) -> None:
        super()._check_state()
        fitted = type(self.regressor_) is type(self.estimator) and hasattr(self.regressor_, "n_outputs_")
        require(fitted, f"regressor_ is not a fitted {type(self.estimator).__name__}")
        check_regressor(self, self.regressor_)
        check_parameters(self.estimator, self.regressor_)

    def _settle(self, values):
        if isinstance(self.estimator, type) or not hasattr(self.estimator, "fit"):
            name = getattr(self.estimator, "__name__", None)
            fix = f"write {name}()" if isinstance(self.estimator, type) else "e.g. Ridge() of sklearn.linear_model"
            raise DataError(f"estimator must be a scikit-learn regressor, got {self.estimator!r}; {fix}.")
        super()._settle(values)

    def _make_regressor(self):
        from sklearn.multioutput import MultiOutputRegressor  # 8 MB that no network needs

        estimator = clone(self.estimator)
        single = self.block_ * self._n_together() == 1
        return estimator if single or get_tags(estimator).target_tags.multi_output else MultiOutputRegressor(estimator)

    def _training_cutoffs(self, values):
        """Keep the windows that the estimator can take: all targets observed, and no NaN unless it says it copes."""
        cutoffs = super()._training_cutoffs(values)
        unseen = np.isnan(values[:, : len(self.targets_)]).any(axis=1)
        usable = count_between(unseen, cutoffs + 1, cutoffs + 1 + self.block_) == 0
        if not usable.any():
            raise DataError(
                f"none of {len(usable)} training windows is followed by {self.block_} row(s) whose targets are all "
                "observed. Fill the gaps (df.interpolate()), use a shorter horizon or strategy='recursive', or a "
                "recurrent forecaster, which learns from the steps observed."
            )
        if not self._takes_missing():
            missing = np.isnan(self._scaled(values)).any(axis=1)
            usable &= count_between(missing, cutoffs - self.window_ + 1, cutoffs + 1) == 0
        if not usable.any():
            raise DataError(
                f"all {len(usable)} training windows hold missing values. {self._missing_advice()} If the rows come "
                "from a shuffled KFold, use TimeSeriesSplit."
            )
        return cutoffs[usable]

    def _takes_missing(self):
        """Ask the part that meets the data first: a Pipeline does not say what its first step takes."""
        from sklearn.pipeline import Pipeline

        estimator = self.estimator
        while isinstance(estimator, Pipeline):
            estimator = next((step for _, step in estimator.steps if step not in (None, "passthrough")), None)
        return estimator is not None and get_tags(estimator).input_tags.allow_nan

    def _missing_advice(self):
        name = type(self.estimator).__name__
        return (
            f"{name} cannot take them. Put an imputer in front, make_pipeline(SimpleImputer(), {name}()), fill the "
            "gaps (df.interpolate()), use a shorter window, or an estimator that takes NaN "
            "(HistGradientBoostingRegressor)."
        )

    def _fit_regressor(self, windows, y):
        X = np.asarray(windows).reshape(len(windows), -1)
        return self._make_regressor().fit(X, y[:, 0] if y.shape[1] == 1 else y)

    def _apply(self, regressor, windows):
        parts = [windows[i : i + CHUNK] for i in range(0, len(windows), CHUNK)]
        return np.concatenate([self._apply_dense(regressor, np.asarray(part)) for part in parts])

    def _apply_dense(self, regressor, windows):
        X = windows.reshape(len(windows), -1)
        incomplete = int(np.isnan(X).any(axis=1).sum())
        if incomplete and not self._takes_missing():
            raise DataError(f"{incomplete} of {len(X)} newest windows hold missing values. {self._missing_advice()}")
        return regressor.predict(X)
