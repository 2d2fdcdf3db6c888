"""scikit-learn regressors as forecasters. Imports windowed for everything that concerns time, and exceptions."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils import get_tags

from .._archive.schema import require
from .._parameters import FORECAST, estimator, group, param
from ..exceptions import DataError
from ..windows import WindowArray
from .examples import CHUNK
from .saved import check_handed_on
from .windowed import WindowForecaster, count_between

__all__ = ["RegressionForecaster"]


def check_learner(name: str, value: Any) -> None:
    """Raise unless `value` is an instance of what can be fitted."""
    if isinstance(value, type) or not hasattr(value, "fit"):
        its_name = getattr(value, "__name__", None)
        fix = f"write {its_name}()" if isinstance(value, type) else "e.g. Ridge() of sklearn.linear_model"
        raise DataError(f"{name} must be a scikit-learn regressor, got {value!r}; {fix}.")


@group(FORECAST)
class Learner:
    """What learns from windows.

    Parameters
    ----------
    estimator : scikit-learn regressor
        Cloned in `fit`. One that has a single output is wrapped in `MultiOutputRegressor`.
    """

    estimator: Any = param(rule=check_learner, kw_only=False)


@estimator
class RegressionForecaster(WindowForecaster, Learner):
    """Forecast with any scikit-learn regressor on lagged values.

    Attributes
    ----------
    regressor_ : the fitted regressor

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

    def _check_state(self) -> None:
        super()._check_state()
        fitted = type(self.regressor_) is type(self.estimator) and hasattr(self.regressor_, "n_outputs_")
        require(fitted, f"regressor_ is not a fitted {type(self.estimator).__name__}")
        self.regressor_.__check_reads__(*self._window_shape(), self._n_outputs())
        check_handed_on(self.estimator, self.regressor_)

    def _make_regressor(self) -> Any:
        from sklearn.multioutput import MultiOutputRegressor  # 8 MB that no network needs

        estimator = clone(self.estimator)
        single = self._n_outputs() == 1
        return estimator if single or get_tags(estimator).target_tags.multi_output else MultiOutputRegressor(estimator)

    def _training_cutoffs(self, values: np.ndarray) -> np.ndarray:
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

    def _takes_missing(self) -> bool:
        """Ask the part that meets the data first: a Pipeline does not say what its first step takes."""
        from sklearn.pipeline import Pipeline

        estimator = self.estimator
        while isinstance(estimator, Pipeline):
            estimator = next((step for _, step in estimator.steps if step not in (None, "passthrough")), None)
        return estimator is not None and get_tags(estimator).input_tags.allow_nan

    def _missing_advice(self) -> str:
        name = type(self.estimator).__name__
        return (
            f"{name} cannot take them. Put an imputer in front, make_pipeline(SimpleImputer(), {name}()), fill the "
            "gaps (df.interpolate()), use a shorter window, or an estimator that takes NaN "
            "(HistGradientBoostingRegressor)."
        )

    def _fit_regressor(self, windows: WindowArray, y: np.ndarray) -> Any:
        X = np.asarray(windows).reshape(len(windows), -1)
        return self._make_regressor().fit(X, y[:, 0] if y.shape[1] == 1 else y)

    def _apply(self, regressor: Any, windows: WindowArray) -> np.ndarray:
        parts = [windows[i : i + CHUNK] for i in range(0, len(windows), CHUNK)]
        return np.concatenate([self._apply_dense(regressor, np.asarray(part)) for part in parts])

    def _apply_dense(self, regressor: Any, windows: np.ndarray) -> np.ndarray:
        X = windows.reshape(len(windows), -1)
        incomplete = int(np.isnan(X).any(axis=1).sum())
        if incomplete and not self._takes_missing():
            raise DataError(f"{incomplete} of {len(X)} newest windows hold missing values. {self._missing_advice()}")
        return regressor.predict(X)
