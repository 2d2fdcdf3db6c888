"""Scales on which a target is modelled: logarithms, power transforms, scikit-learn's own, and changes from row to row.

Of single values each is monotone, so that quantiles go back as they are, and the median of a forecast stays the median.
Changes add up to a path; what is known of single ones says nothing of its quantiles, which are those of whole paths.
Imports exceptions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import special
from sklearn.base import clone

from .exceptions import DataError

__all__ = ["CHANGES", "NAMED", "Changes", "Fitted", "Transform", "check_bounds", "check_transform", "fit_transform"]

#: What can be named, and what it is in a sentence.
NAMED = {
    "log": "the logarithm",
    "log1p": "the logarithm of 1 + y",
    "boxcox": "the power transform of Box and Cox",
    "yeojohnson": "the power transform of Yeo and Johnson",
    "standard": "y less its mean, divided by its standard deviation",
    "robust": "y less its median, divided by the range of its middle half",
}


#: Changes from one row to the next.
CHANGES = {"returns": "the change of the logarithm", "difference": "the change"}
#: Of values that hardly differ any power fits, and a large one leaves the range of double precision.
LARGEST_POWER = 5.0


@dataclass(frozen=True, eq=False)
class Transform:
    """A named transform of several targets.

    Attributes
    ----------
    name : one of `NAMED`
    centre, unit : ndarray of shape (n_targets,)
        Of "standard" and "robust" what is subtracted and divides; of the power transforms the power and 1; else 0, 1.
    """

    name: str
    centre: np.ndarray
    unit: np.ndarray

    def forward(self, y: np.ndarray) -> np.ndarray:
        """Transform targets (n_rows, n_targets); NaN stay."""
        if self.name in ("log", "log1p"):
            return np.log(y) if self.name == "log" else np.log1p(y)
        if self.name == "boxcox":
            return special.boxcox(y, self.centre)
        if self.name == "yeojohnson":
            return _yeo_johnson(y, self.centre)
        return (y - self.centre) / self.unit

    def inverse(self, z: np.ndarray) -> np.ndarray:
        """Take numbers (..., n_targets) back to the unit of the targets."""
        if self.name in ("log", "log1p"):
            return np.exp(z) if self.name == "log" else np.expm1(z)
        if self.name == "boxcox":
            # Beyond the end of its range the transform of no value lies: that of 0 does.
            with np.errstate(divide="ignore"):
                end = np.where(self.centre == 0, np.inf, -1 / self.centre)
            z = np.where(self.centre > 0, np.maximum(z, end), np.where(self.centre < 0, np.minimum(z, end), z))
            return special.inv_boxcox(z, self.centre)
        if self.name == "yeojohnson":
            return _yeo_johnson_back(z, self.centre)
        return z * self.unit + self.centre

    def check(self, n_targets: int) -> None:
        """Raise `ValueError` unless this is a transform of so many targets."""
        sizes = {np.shape(self.centre), np.shape(self.unit)}
        good = (
            self.name in NAMED and sizes == {(n_targets,)} and np.isfinite(self.centre).all() and (self.unit > 0).all()
        )
        if not good:
            raise ValueError(f"transform_ is no transform of {n_targets} target(s)")


@dataclass(frozen=True)
class Changes:
    """Changes from one row to the next: "returns" of logarithms, or the "difference"."""

    name: str

    def forward(self, y: np.ndarray) -> np.ndarray:
        """Return the changes of targets (n_rows, n_targets): NaN in the first row, and where one of two is missing."""
        levels = np.log(y) if self.name == "returns" else y
        return np.diff(levels, axis=0, prepend=np.full((1, y.shape[1]), np.nan))

    def add_to(self, level: np.ndarray, path: np.ndarray) -> np.ndarray:
        """Return where sums of changes lead from a level."""
        return level * np.exp(path) if self.name == "returns" else level + path

    def check(self, n_targets: int) -> None:
        """Raise `ValueError` unless it is one."""
        if self.name not in CHANGES:
            raise ValueError(f"transform_ is none: {self.name!r:.60}")


@dataclass(frozen=True, eq=False)
class Fitted:
    """A transformer of scikit-learn for each target, fitted.

    Attributes
    ----------
    each : list of transformer
    falls : ndarray of bool, shape (n_targets,)
        Whether transformed values fall where those of the target rise.
    """

    each: list[Any]
    falls: np.ndarray

    def forward(self, y: np.ndarray) -> np.ndarray:
        """Transform targets (n_rows, n_targets); NaN stay."""
        return self._columns(y, "transform")

    def inverse(self, z: np.ndarray) -> np.ndarray:
        """Take numbers (..., n_targets) back to the unit of the targets."""
        return self._columns(z, "inverse_transform")

    def _columns(self, y: np.ndarray, method: str) -> np.ndarray:
        out = np.full(y.shape, np.nan)
        for k, transformer in enumerate(self.each):
            known = np.isfinite(y[..., k])
            if known.any():
                out[..., k][known] = np.asarray(getattr(transformer, method)(y[..., k][known].reshape(-1, 1))).ravel()
        return out


def check_transform(name: str, value: Any) -> None:
    """Raise `DataError` unless this is None, the name of a transform, or a transformer with an inverse."""
    if value is None or (isinstance(value, str) and value in NAMED | CHANGES):
        return
    if isinstance(value, str) or isinstance(value, type) or not hasattr(value, "inverse_transform"):
        raise DataError(
            f"{name} must be one of {', '.join(NAMED | CHANGES)}, or a transformer of scikit-learn that has an "
            f"inverse_transform, got {value!r}."
        )


def check_bounds(name: str, value: Any) -> None:
    """Raise `DataError` unless this is None or a pair of numbers, either of which may be None."""
    pair = isinstance(value, (tuple, list)) and len(value) == 2
    if value is None or (pair and all(end is None or isinstance(end, (int, float)) for end in value)):
        low, high = value or (None, None)
        if low is None or high is None or low < high:
            return
    raise DataError(f"{name} must be a pair (lowest, highest), either None, the first below the second; got {value!r}.")


def fit_transform(
    given: Any, targets: pd.DataFrame, bounds: Sequence[Any] | None = None
) -> Transform | Changes | Fitted | None:
    """Return a transform fitted to the rows where each target was observed; None for none.

    Raises
    ------
    DataError
        If a value has no transform, or lies outside the bounds; the message names column and time.
    """
    for at, end in enumerate(bounds or ()):
        if end is not None:
            beyond = targets < end if at == 0 else targets > end
            _refuse(targets, beyond, f"outside bounds={tuple(bounds or ())}", "Widen the bounds, or mend the value.")
    if given is None:
        return None
    if isinstance(given, str) and given in ("log", "boxcox", "returns"):
        what = (NAMED | CHANGES)[given]
        fix = "Use 'difference'." if given in CHANGES else "Use 'log1p' or 'yeojohnson'."
        _refuse(targets, targets <= 0, f"and {what} needs values above 0", fix)
    if isinstance(given, str) and given in CHANGES:
        return Changes(given)
    if isinstance(given, str) and given == "log1p":
        _refuse(targets, targets <= -1, "and log1p needs values above -1", "Use 'yeojohnson'.")
    columns = [targets[name].dropna().to_numpy(dtype=float) for name in targets.columns]
    if isinstance(given, str):
        pairs = np.array([_NUMBERS[given](column) for column in columns]).reshape(-1, 2)
        return Transform(given, pairs[:, 0].copy(), np.where(pairs[:, 1] > 0, pairs[:, 1], 1.0))
    each = [clone(given).fit(column.reshape(-1, 1)) for column in columns]
    return Fitted(each, np.array([_falls(one, column) for one, column in zip(each, columns, strict=True)]))


def _falls(transformer: Any, y: np.ndarray) -> bool:
    low, high = np.ravel(transformer.transform(np.array([[y.min()], [y.max()]])))
    return bool(low > high)


def _refuse(targets: pd.DataFrame, wrong: pd.DataFrame, why: str, fix: str) -> None:
    if wrong.to_numpy().any():
        row, column = np.argwhere(wrong.to_numpy())[0]
        raise DataError(
            f"target {targets.columns[column]!r} is {targets.iloc[row, column]:g} at {targets.index[row]}, {why}. {fix}"
        )


def _power(method: str) -> Callable[[np.ndarray], tuple[float, float]]:
    def fitted(y: np.ndarray) -> tuple[float, float]:
        from sklearn.preprocessing import PowerTransformer

        if len(y) < 3 or np.ptp(y) == 0:
            return 1.0, 1.0  # nothing to estimate a power from
        power = float(PowerTransformer(method, standardize=False).fit(y.reshape(-1, 1)).lambdas_[0])
        return float(np.clip(power, -LARGEST_POWER, LARGEST_POWER)), 1.0

    return fitted


def _quartiles(y: np.ndarray) -> tuple[float, float]:
    low, middle, high = np.percentile(y, [25, 50, 75])
    return float(middle), float(high - low)


_NUMBERS: dict[str, Callable[[np.ndarray], tuple[float, float]]] = {
    "log": lambda y: (0.0, 1.0),
    "log1p": lambda y: (0.0, 1.0),
    "boxcox": _power("box-cox"),
    "yeojohnson": _power("yeo-johnson"),
    "standard": lambda y: (float(y.mean()), float(y.std())),
    "robust": _quartiles,
}


def _yeo_johnson(y: np.ndarray, power: np.ndarray) -> np.ndarray:
    """Box-Cox on each side of 0: Yeo and Johnson (2000), A new family of power transformations, Biometrika 87, 2.1."""
    up, down = special.boxcox1p(np.maximum(y, 0), power), -special.boxcox1p(np.maximum(-y, 0), 2 - power)
    return np.where(y >= 0, up, np.where(np.isnan(y), np.nan, down))


def _yeo_johnson_back(z: np.ndarray, power: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        # Where the range of a side ends, no value lies beyond.
        top = np.where(power < 0, -1 / np.where(power == 0, 1, power), np.inf)
        bottom = np.where(power > 2, -1 / np.where(power == 2, 1, power - 2), -np.inf)
    z = np.clip(z, np.nextafter(bottom, 0), np.nextafter(top, 0))
    up, down = special.inv_boxcox1p(np.maximum(z, 0), power), -special.inv_boxcox1p(np.maximum(-z, 0), 2 - power)
    return np.where(z >= 0, up, np.where(np.isnan(z), np.nan, down))
