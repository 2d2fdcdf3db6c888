"""Windows over time series, without copying them.

`WindowArray` is a duck array of shape (n_windows, n_steps, n_features) that holds one base array and the row at which
each window starts. `make_windows` cuts a frame into windows and their targets; `SlidingWindow` does it inside a
scikit-learn pipeline. Imports only frames, checks and exceptions.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any, Literal, Self, overload

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, DTypeLike
from sklearn.utils.validation import check_is_fitted

from . import _types as t
from ._estimator import Estimator, TransformerMixin
from ._masked import unmasked
from ._parameters import estimator, param, unchecked
from ._publishing import publishes, reads_one_state
from .exceptions import DataError
from .frames import (
    TimeGrid,
    as_names,
    check_columns,
    check_frame,
    check_length,
    in_zone,
    infer_grid,
    is_wide,
    read_rows,
)

__all__ = ["SlidingWindow", "WindowArray", "make_windows"]


class WindowArray:
    """Lazy array of equally long windows over one base array.

    Nothing is copied until `numpy.asarray` is called: 200,000 windows of 100 steps over a univariate float32 series
    take 2.4 MB instead of 80 MB. Indexing by rows (slice, mask, integer array) gives a `WindowArray` on the same base,
    so scikit-learn's splitters work on it unchanged; an integer gives one window as an ndarray.

    Parameters
    ----------
    base : ndarray of shape (n_rows, n_features)
        The series, one row per time step. Kept by reference and never written to. Where it is masked, it is NaN.
    starts : array-like of int, shape (n_windows,)
        First base row of each window. A start may be negative: the rows before the base read as NaN, which is how
        a window that begins before the series does (a shorter sequence) is written.
    n_steps : int
        Rows per window.
    offset : ndarray of shape (n_windows, n_features), optional
        Subtracted from every step of the window: the window's own level.
    scale : ndarray of shape (n_windows, n_features), optional
        Divides every step of the window, less its level. Positive.

    Attributes
    ----------
    shape : tuple of int
        (n_windows, n_steps, n_features).

    Raises
    ------
    ValueError
        If a window reaches beyond the end of the base, the shapes do not agree, or a scale is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> base = np.arange(5.0).reshape(-1, 1)
    >>> windows = WindowArray(base, starts=[0, 1, 2], n_steps=3)
    >>> windows.shape
    (3, 3, 1)
    >>> windows[1].ravel()
    array([1., 2., 3.])
    >>> np.asarray(windows[::2])[..., 0]
    array([[0., 1., 2.],
           [2., 3., 4.]])
    """

    ndim = 3

    def __init__(
        self,
        base: ArrayLike,
        starts: ArrayLike,
        n_steps: int,
        offset: ArrayLike | None = None,
        scale: ArrayLike | None = None,
    ):
        base = np.asarray(unmasked(base))
        if np.ma.is_masked(starts):
            raise ValueError("starts holds masked rows: every window needs a row to start at. Leave such windows out.")
        starts = np.asarray(starts, dtype=np.int64)
        n_steps = int(n_steps)
        check_places(base, starts, n_steps)
        if (offset is not None or scale is not None) and not np.issubdtype(base.dtype, np.floating):
            base = base.astype(np.float64)
        self.base, self.starts, self.n_steps = base, starts, n_steps
        self.offset, self.scale = self._by_window("offset", offset), self._by_window("scale", scale)
        if self.scale is not None and not (self.scale > 0).all():
            raise ValueError("scale must be positive: every window is divided by its own.")

    def _by_window(self, name: str, values: ArrayLike | None) -> np.ndarray | None:
        if values is None:
            return None
        values = np.asarray(unmasked(values), dtype=self.base.dtype)
        expected = (len(self.starts), self.base.shape[1])
        if values.shape != expected:
            raise ValueError(f"{name} must have shape {expected}, one row per window, got {values.shape}.")
        return values

    @property
    def shape(self) -> tuple[int, int, int]:
        return len(self.starts), self.n_steps, self.base.shape[1]

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.base.dtype

    def __len__(self) -> int:
        return len(self.starts)

    def __repr__(self) -> str:
        return f"WindowArray(shape={self.shape}, dtype={self.dtype})"

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, tuple):
            # scikit-learn takes rows as X[rows, ...]
            if len(key) != 2 or key[1] is not Ellipsis:
                return np.asarray(self)[key]
            key = key[0]
        if isinstance(key, (int, np.integer)):
            return np.asarray(self[[int(key)]])[0]
        if not isinstance(key, slice):
            key = np.asarray(key)
            if key.size == 0:
                key = key.astype(np.int64)
        offset = None if self.offset is None else self.offset[key]
        scale = None if self.scale is None else self.scale[key]
        return WindowArray(self.base, self.starts[key], self.n_steps, offset, scale)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        if copy is False:
            raise ValueError("a WindowArray cannot be read as one ndarray without copying; drop copy=False.")
        # (n_windows, 1) + (n_steps,) -> (n_windows, n_steps)
        rows = self.starts[:, None] + np.arange(self.n_steps)
        before = rows < 0
        out = self.base[np.where(before, 0, rows)]
        if before.any():
            if not np.issubdtype(out.dtype, np.floating):
                out = out.astype(np.float64)
            out[before] = np.nan
        if self.offset is not None:
            out = out - self.offset[:, None, :]
        if self.scale is not None:
            out = out / self.scale[:, None, :]
        return out if dtype is None else out.astype(dtype, copy=False)

    def __getstate__(self) -> dict[str, Any]:
        """Drop the base rows that no window reads, so that a slice pickles at its own size."""
        first = stop = 0
        if len(self.starts):
            # A window that starts before the base (negative start) must go on starting before it.
            first = max(int(self.starts.min()), 0)
            stop = int(self.starts.max()) + self.n_steps
        return {
            "base": np.ascontiguousarray(self.base[first:stop]),
            "starts": self.starts - first,
            "n_steps": self.n_steps,
            "offset": self.offset,
            "scale": self.scale,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)


def check_places(base: np.ndarray, starts: np.ndarray, n_steps: int) -> None:
    """Raise unless windows of so many steps that start at these rows fit a table."""
    if base.ndim != 2:
        raise ValueError(f"base must be 2-D (n_rows, n_features), got {base.ndim} dimension(s).")
    if starts.ndim != 1:
        raise ValueError(f"starts must be 1-D, got {starts.ndim} dimensions.")
    if n_steps < 1:
        raise ValueError(f"n_steps must be at least 1, got {n_steps}.")
    if starts.size and (starts.max() + n_steps > len(base) or starts.min() <= -n_steps):
        raise ValueError(
            f"windows of {n_steps} steps starting at rows {starts.min()}..{starts.max()} do not fit a base of "
            f"{len(base)} rows. Every window must end inside the base and hold at least one of its rows."
        )


@overload
def make_windows(
    frame: pd.DataFrame | pd.Series,
    window: int,
    horizon: int,
    target: t.Labels | None = None,
    stride: int = 1,
    freq: str | None = None,
    return_cutoffs: Literal[False] = False,
) -> tuple[WindowArray, np.ndarray]: ...


@overload
def make_windows(
    frame: pd.DataFrame | pd.Series,
    window: int,
    horizon: int,
    target: t.Labels | None = None,
    stride: int = 1,
    freq: str | None = None,
    *,
    return_cutoffs: Literal[True],
) -> tuple[WindowArray, np.ndarray, pd.Index]: ...


def make_windows(
    frame: pd.DataFrame | pd.Series,
    window: int,
    horizon: int,
    target: t.Labels | None = None,
    stride: int = 1,
    freq: str | None = None,
    return_cutoffs: bool = False,
) -> tuple[WindowArray, np.ndarray] | tuple[WindowArray, np.ndarray, pd.Index]:
    """Cut a table into windows and the targets that follow them.

    No window reaches across a gap in time, or from one series into the next. Windows whose target was not observed
    (NaN) are left out; NaN inside a window stays.

    Parameters
    ----------
    frame : DataFrame or Series of shape (n_rows, n_columns)
        Indexed by time, or by (series, time) for several series.
    window : int
        Past rows in each window.
    horizon : int
        Rows after the window to forecast.
    target : str or list of str, optional
        Column(s) to forecast; all when None. Every column is a feature of the window.
    stride : int
        Rows between the starts of consecutive windows.
    freq : str, optional
        Frequency of the index where it cannot be inferred.
    return_cutoffs : bool
        Also return the last time (or series and time) of each window.

    Returns
    -------
    X : WindowArray of shape (n_windows, window, n_columns)
    y : ndarray of shape (n_windows, horizon) for one target, (n_windows, horizon, n_targets) for a list or several
    cutoffs : Index of shape (n_windows,)
        Only with ``return_cutoffs=True``.

    Raises
    ------
    DataError
        If no window fits between the gaps, a column is unknown, or the index is not clean.

    Examples
    --------
    >>> import pandas as pd
    >>> hours = pd.date_range("2024-01-01", periods=8, freq="h")
    >>> X, y = make_windows(pd.Series(range(8), hours, name="load"), window=3, horizon=2)
    >>> X.shape, y.shape
    ((4, 3, 1), (4, 2))
    >>> X[0].ravel(), y[0]
    (array([0., 1., 2.]), array([3., 4.]))
    """
    window, horizon = check_length(window, "window"), check_length(horizon, "horizon")
    stride = check_length(stride, "stride")
    frame = frame.to_frame() if isinstance(frame, pd.Series) else frame
    data, follows = _read_series(frame, freq)
    names = as_names(target, data.columns) or list(data.columns)
    check_columns(data, names, "target")
    values = data.to_numpy()
    cutoffs = np.arange(window - 1, len(values) - horizon)
    # A window and its targets lie in one run when the run of the last target row is long enough.
    run = np.arange(len(values)) - np.maximum.accumulate(np.where(follows, 0, np.arange(len(values))))
    cutoffs = cutoffs[run[cutoffs + horizon] >= window + horizon - 1] if len(cutoffs) else cutoffs
    y = data[names].to_numpy()[cutoffs[:, None] + np.arange(1, horizon + 1)]  # (n_windows, H, K)
    seen = np.isfinite(y).all(axis=(1, 2))
    # The stride is counted in rows, so that it does not depend on which targets are missing.
    keep = seen & ((cutoffs - (window - 1)) % stride == 0)
    if not keep.any():
        raise DataError(
            f"no window fits: {len(data)} rows, longest run without a gap {int(run.max(initial=-1)) + 1}, "
            f"window={window} and horizon={horizon} need {window + horizon} with observed targets."
        )
    X = WindowArray(values, cutoffs[keep] - window + 1, window)
    one = len(names) == 1 and not isinstance(target, list)
    y = y[keep][..., 0] if one else y[keep]
    return (X, y, data.index[cutoffs[keep]]) if return_cutoffs else (X, y)


def _read_series(frame: pd.DataFrame, freq: str | None) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the rows as one clean float frame, and whether each follows the row before it in the same series."""
    if not (isinstance(frame, pd.DataFrame) and isinstance(frame.index, pd.MultiIndex)):
        data = check_frame(frame, "frame")
        return data, _follows(data, freq)
    levels: list[Hashable] = [*range(frame.index.nlevels - 1)]
    parts, follows = [], []
    for key, part in frame.groupby(level=levels, sort=False, observed=True, dropna=False):
        data = check_frame(part.droplevel(levels), f"series {key!r}")
        follows.append(_follows(data, freq))
        parts.append(data.set_axis(part.index))
    if not parts:
        raise DataError("frame has no rows.")
    return pd.concat(parts), np.concatenate(follows)


def _follows(data: pd.DataFrame, freq: str | None) -> np.ndarray:
    index = pd.DatetimeIndex(data.index)
    return infer_grid(index, freq).follows(index)


@estimator
class SlidingWindow(TransformerMixin, Estimator):
    """Turn each row of a time-indexed table into the window of rows that ends there.

    The number of rows stays, so that it stands in a `Pipeline` between a scaler and a recurrent regressor and y needs
    no change. The rows before the data begin, or behind a gap, read as NaN: the regressors take them as shorter
    sequences. In `transform`, rows that directly continue the training rows see the end of these (found by their
    timestamps, never by the order of calls); rows after a gap do not.

    Parameters
    ----------
    window
        Rows per window, the row itself included.
    freq
        Frequency of the index where it cannot be inferred.
    id_col, time_col
        Columns of a long table that say which series a row is of, and when; an index of two levels, series and time,
        needs neither. No window holds rows of two series.

    Attributes
    ----------
    series_ : dict
        Of many series, what each of them has of its own, by name.
    grid_ : TimeGrid
    tail_ : DataFrame of shape (window - 1, n_features)
        The last training rows.

    Raises
    ------
    DataError
        If X has no clean time index. Scalers in front keep it after ``.set_output(transform="pandas")``.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> hours = pd.date_range("2024-01-01", periods=5, freq="h")
    >>> df = pd.DataFrame({"load": range(5)}, index=hours)
    >>> slide = SlidingWindow(3).fit(df[:3])
    >>> np.asarray(slide.transform(df[:3]))[..., 0]
    array([[nan, nan,  0.],
           [nan,  0.,  1.],
           [ 0.,  1.,  2.]])
    >>> np.asarray(slide.transform(df[3:]))[..., 0]
    array([[1., 2., 3.],
           [2., 3., 4.]])
    """

    window: int = param(default=24, rule=lambda name, value: check_length(value, name), kw_only=False)
    freq: str | None = param(default=None, rule=unchecked, kw_only=False)
    id_col: Hashable | None = param(default=None, rule=unchecked, kw_only=True)
    time_col: Hashable | None = param(default=None, rule=unchecked, kw_only=True)

    @publishes
    def fit(self, X: Any, y: Any = None) -> Self:
        self.__check_parameters__()
        self.__dict__.pop("series_", None)
        if not is_wide(X, self.id_col, self.time_col):
            self.series_ = {name: SlidingWindow(self.window, self.freq).fit(part) for name, part, _ in self._parts(X)}
            first: Any = next(iter(self.series_.values()))
            self.n_features_in_, self.feature_names_in_ = first.n_features_in_, first.feature_names_in_
            return self
        window = int(self.window)
        data = check_frame(X)
        self.grid_: TimeGrid = infer_grid(pd.DatetimeIndex(data.index), self.freq)
        self.n_features_in_ = data.shape[1]
        self.feature_names_in_ = np.asarray(data.columns, dtype=object)
        self.tail_ = data.iloc[len(data) - min(window - 1, len(data)) :]
        return self

    @reads_one_state
    def transform(self, X: Any) -> WindowArray:
        check_is_fitted(self)
        if hasattr(self, "series_"):
            return self._of_series(X)
        data = check_frame(X)
        if list(data.columns) != list(self.feature_names_in_):
            raise DataError(f"fitted on columns {list(self.feature_names_in_)}, got {list(data.columns)}.")
        if not len(data):
            raise DataError("X has no rows.")
        data = in_zone(data, pd.DatetimeIndex(self.tail_.index).tz)
        # Only the tail that lies before all of X: X may be the training rows themselves.
        joined = pd.concat([self.tail_[self.tail_.index < data.index[0]], data])
        padding = self.window - 1
        segment = np.cumsum(~self.grid_.follows(joined.index))  # 1, 2, ... one number per run without a gap
        # Behind each gap the window finds as many rows of NaN as it can reach.
        rows = np.arange(len(joined)) + padding * segment
        base = np.full((len(joined) + padding * int(segment[-1]), data.shape[1]), np.nan)
        base[rows] = joined.to_numpy()
        return WindowArray(base, rows[-len(data) :] - padding, self.window)

    def _parts(self, X: Any) -> Iterator[tuple[Any, pd.DataFrame, np.ndarray]]:
        """Yield each series of a table: its name, its rows by time, and where they stand."""
        rows = read_rows(X, self.id_col, self.time_col)
        if not len(rows.codes):
            raise DataError("X has no rows.")
        panel, order = rows.panel(), rows.order()
        for i, name in enumerate(rows.ids):
            yield name, panel[i], order[panel.starts[i] : panel.starts[i + 1]]

    def _of_series(self, X: Any) -> WindowArray:
        """Return the windows of many series, each of its own rows, in the places of the rows."""
        bases, starts, places, before = [], [], [], 0
        for name, part, at in self._parts(X):
            # A series that was not there begins anew.
            slide = self.series_.get(name) or SlidingWindow(self.window, self.freq).fit(part)
            windows = slide.transform(part)
            bases.append(windows.base)
            starts.append(windows.starts + before)
            places.append(at)
            before += len(windows.base)
        ordered = np.empty(sum(map(len, places)), dtype=np.int64)
        ordered[np.concatenate(places)] = np.concatenate(starts)
        return WindowArray(np.concatenate(bases), ordered, self.window)

    def set_output(self, *, transform: str | None = None) -> Self:
        """Let a Pipeline set the output of its other steps: windows stay a `WindowArray`."""
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
