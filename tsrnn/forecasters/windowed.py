"""Forecasters that learn from windows: the part shared by networks and scikit-learn regressors.

Series are scaled on the training rows, cut into lazy windows, each centred on its own level, and handed to a regressor
that knows nothing of time. Imports frames, windows, exceptions, and examples,
global windows, past errors and scaling beside it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .._archive.schema import Attribute, array, integer, require
from .._parameters import parameters
from .._warnings import warn_user
from ..exceptions import DataError, DataWarning
from ..frames import some
from ..windows import WindowArray
from .examples import CHUNK, Examples
from .global_windows import LearnsPanels, empty_before
from .groups import Windowing
from .past_errors import MeasuresErrors
from .requests import check_steps
from .scaling import fit_scaling, lonely_values
from .window_length import segment_for, usual_window

__all__ = ["WindowForecaster"]

#: Steps that `forecast` gives unasked: no more than this because a file says so.
LONGEST_HORIZON = 10**6
#: Movements of the series beyond which a value is no number to compute with: its square nears the end of float32.
LARGEST_SCALED = 1e15


class WindowForecaster(LearnsPanels, MeasuresErrors, Windowing):
    """Shared part of `RegressionForecaster` and the recurrent forecasters.

    A subclass implements ``_fit_regressor(windows, y)``, which returns a fitted regressor, and ``_apply(regressor,
    windows)``, with y and the result of shape (n_windows, block * targets in a window).

    With ``shared`` a window holds one target, and each cutoff has one window for each target, next to each other.

    Attributes
    ----------
    window_, horizon_ : int
    """

    _takes_covariates = True
    _not_shown: tuple[str, ...] = ("block_", "mean_", "n_rows_fit_", "scale_")
    _is_global = True
    regressor_: Any
    #: Of the windows and targets that the regressor is given.
    _dtype: type = np.float64
    #: Of a series of a panel: whether windows may begin before it, where it is short.
    _may_be_short = False
    _saved = {
        "horizon_": integer(1),
        "block_": integer(1),
        "window_": integer(1),
        "n_rows_fit_": integer(2),
        "mean_": array(np.float64, 1),
        "scale_": array(np.float64, 1),
        "regressor_": Attribute("a fitted regressor", lambda value: hasattr(value, "predict")),
    }

    # ------------------------------------------------------------------ fit

    def _settle(self, values: np.ndarray) -> None:
        super()._settle(values)
        self.horizon_ = 1 if self.horizon is None else check_steps(self.horizon)
        self.block_ = self.horizon_ if self.strategy == "direct" else 1
        self.window_ = self._choose_window(values)
        self.n_rows_fit_ = len(values)
        self.mean_, self.scale_ = fit_scaling(values, len(self.targets_), self.block_, self.level)
        self._check_lonely_values(values)
        self._check_windows(self._windows(self._scaled(values), self._training_cutoffs(values))[0])

    def _fit(self, values: np.ndarray) -> None:
        self.gap_residuals_ = {}
        self._check_lonely_values(values, warn=True)
        self.regressor_ = self._trained_on(values, self._training_cutoffs(values))

    def _check_lonely_values(self, values: np.ndarray, warn: bool = False) -> None:
        """Refuse what single precision cannot learn beside all the rest, or warn of what is left out of the scale."""
        for k in np.flatnonzero(lonely_values(values).any(axis=0)).tolist():
            sizes = np.abs(values[:, k] - self.mean_[k]) / self.scale_[k]
            row = int(np.nanargmax(sizes))
            value, stamp = values[row, k], self._seen().index[row]
            name = self.data_.columns[k]
            said = f"column {name!r} holds {value:g} at {stamp}, {sizes[row]:.2g} times what it moves by"
            fix = f"If it is a code for a missing value, replace it: df.replace({value:g}, np.nan)."
            if sizes[row] > LARGEST_SCALED:
                raise DataError(f"{said}, too much to learn from both. {fix}")
            if warn:
                warn_user(f"{said}. It is learnt from, but left out of the scale. {fix}", DataWarning)

    def _check_together(self) -> None:
        super()._check_together()
        if self.strategy == "recursive" and self.past_:
            raise DataError(
                f"strategy='recursive' feeds forecasts back, but past covariates {some(self.past_)} are not known "
                "beyond the cutoff. Use strategy='direct', or make them future_covariates."
            )

    def _choose_window(self, values: np.ndarray) -> int:
        """Take the window given, or the usual one where the history allows."""
        window, n_rows = self.window, len(values)
        if window is None:
            usual = usual_window(self.grid_, values[:, : len(self.targets_)])
            window = max(1, min(max(usual, 8), (n_rows - self.block_) // 4))
        if n_rows < window + self.block_:
            raise DataError(
                f"history has {n_rows} rows, but window={window} and horizon={self.block_} need at least "
                f"{window + self.block_}. Pass more history or use a smaller window."
            )
        return self._wide_enough(int(window))

    def _wide_enough(self, window: int) -> int:
        """Return the window, or raise if it has no room for what is known ahead."""
        if self.future_ and window < self.block_:
            raise DataError(
                f"window={window} is shorter than horizon={self.block_}: the window could not hold the future "
                f"covariates of every step. Use window={self.block_} or more."
            )
        return window

    def _training_cutoffs(self, values: np.ndarray) -> np.ndarray:
        """Rows after which a window can be trained on: full windows with something observed on both sides."""
        seen = np.isfinite(values[:, : len(self.targets_)]).any(axis=1)
        cutoffs = np.arange(self.window_ - 1, len(values) - self.block_)
        before = count_between(seen, cutoffs - self.window_ + 1, cutoffs + 1)
        after = count_between(seen, cutoffs + 1, cutoffs + 1 + self.block_)
        cutoffs = cutoffs[(before > 0) & (after > 0)]
        if not len(cutoffs):
            raise DataError(f"no window of {self.window_} rows with observed targets is followed by any.")
        return cutoffs

    def _trained_on(self, values: np.ndarray, cutoffs: np.ndarray) -> Any:
        return self._learn(self._examples(values, cutoffs))

    def _learn(self, examples: Examples) -> Any:
        """Fit a fresh regressor on these windows."""
        return self._fit_regressor(examples.windows, examples.y)

    def _examples(self, values: np.ndarray, cutoffs: np.ndarray) -> Examples:
        """Return the windows that end at these rows, and what follows them."""
        windows, following = self._lazy_examples(values, cutoffs)

        def trivial(rows: Any) -> tuple[list[Any], list[np.ndarray]]:
            return self._trivial(values, windows[rows])

        return Examples(windows, following, self._gap(), self.block_, trivial, self._dtype)

    def _lazy_examples(self, values: np.ndarray, cutoffs: np.ndarray) -> tuple[WindowArray, WindowArray]:
        """Return the windows that end at these rows and the windows of scaled targets, one block, that follow them.

        Those behind which none is observed are left out: of several targets, one may not be.
        """
        windows, level = self._windows(self._scaled(values), cutoffs)
        targets = (values[:, : len(self.targets_)] - self.mean_[: len(self.targets_)]) / self._target_scale()
        base = np.concatenate(np.split(targets, self._n_views(), axis=1))  # one below the other, as the windows' base
        starts = windows.starts + self.window_
        following = WindowArray(base, starts, self.block_, level.reshape(len(starts), -1))
        seen = ~np.isnan(base).all(axis=1)
        known = count_between(seen, starts, starts + self.block_) > 0
        return (windows, following) if known.all() else (windows[known], following[known])

    def _handed_on(self, kind: type, windows: WindowArray) -> dict[str, Any]:
        """The parameters that a regressor shares with this forecaster; where they are "auto", as they are settled."""
        settled, known = self._settled(windows), parameters(kind)
        given = {name: value for name, value in self.get_params(deep=False).items() if name in known}
        auto = {name for name, value in given.items() if isinstance(value, str) and value == "auto"}
        return given | {name: value for name, value in settled.items() if name in auto}

    def _settled(self, windows: WindowArray) -> dict[str, Any]:
        """What "auto" stands for."""
        return {"missing_indicator": self._has_gaps(windows), "segment": segment_for(self.window_)}

    def _gap(self) -> int:
        """Windows to leave out between two parts in time: neighbouring windows share target rows."""
        return self.block_ * self._n_views()

    def _n_views(self) -> int:
        """Windows at each cutoff: one for all targets together, or one for each."""
        return len(self.targets_) if self.shared else 1

    def _n_together(self) -> int:
        """Targets in a window."""
        return len(self.targets_) // self._n_views()

    def _window_shape(self) -> tuple[int, int]:
        """Rows and columns of a window."""
        return self.window_, len(self.data_.columns) - len(self.targets_) + self._n_together()

    def _n_outputs(self) -> int:
        """Numbers that forecast one block from a window."""
        return self.block_ * self._n_together()

    # ------------------------------------------------------------------ windows

    def _target_scale(self) -> np.ndarray:
        return self.scale_[: len(self.targets_)]

    def _scaled(self, values: np.ndarray) -> np.ndarray:
        """Scale all columns and move each future covariate up by one block.

        Row i of a moved column holds the covariate of row i + block, so that the window up to a cutoff reaches the
        covariates of every step it forecasts, and none later. Beyond the end of the array nothing is known: NaN.
        """
        scaled = (values - self.mean_) / self.scale_
        if (large := np.abs(scaled) > LARGEST_SCALED).any():
            row, column = np.argwhere(large)[0]
            raise DataError(
                f"column {self.data_.columns[column]!r} holds {values[row, column]:g}, {abs(scaled[row, column]):.2g} "
                "times what it moved by in the rows fitted. If it is a code for a missing value, replace it by NaN; "
                "else fit on data that reach as far."
            )
        n_future = len(self.future_)
        if n_future:
            future = scaled[self.block_ :, -n_future:].copy()
            scaled[: len(future), -n_future:] = future
            scaled[len(future) :, -n_future:] = np.nan
        return scaled.astype(self._dtype)

    def _windows(self, scaled: np.ndarray, cutoffs: np.ndarray) -> tuple[WindowArray, np.ndarray]:
        """Return the windows that end at these rows, cutoff by cutoff, and the level (n_cutoffs, n_targets)."""
        n_targets, n_views = len(self.targets_), self._n_views()
        level = np.zeros((len(cutoffs), n_targets), dtype=scaled.dtype)
        if self.level == "last":
            # A window without any observation has the mean as its level: scaled, 0.
            level = np.nan_to_num(last_observed(scaled[:, :n_targets], cutoffs, self.window_))
        base = scaled
        if n_views > 1:  # one below the other: each target, with the covariates beside it
            others = scaled[:, n_targets:]
            base = np.concatenate([np.hstack([scaled[:, [k]], others]) for k in range(n_targets)])
        starts = (cutoffs - self.window_ + 1)[:, None] + len(scaled) * np.arange(n_views)
        offset = None
        if self.level == "last":
            offset = np.zeros((starts.size, base.shape[1]), dtype=scaled.dtype)
            offset[:, : self._n_together()] = level.reshape(starts.size, -1)
        return WindowArray(base, starts.ravel(), self.window_, offset), level

    def _has_gaps(self, windows: WindowArray) -> bool:
        """Whether a value is missing in the rows that training windows come from, beyond the reach of covariates aside.

        Gaps that no training window happens to hold may yet come: the last row may miss.
        """
        missing = np.isnan(windows.base).reshape(self._n_views(), -1, windows.shape[2])
        missing[:, -self.block_ :, windows.shape[2] - len(self.future_) :] = False
        return bool(missing.any())

    # ------------------------------------------------------------------ forecasts

    def _check_history(self, values: np.ndarray, cutoffs: np.ndarray) -> None:
        if self._may_be_short:
            super()._check_history(values, cutoffs)
            values, cutoffs = self._lengthened(values, cutoffs)
        if cutoffs.min() < self.window_ - 1:
            raise DataError(
                f"history has {int(cutoffs.min()) + 1} rows up to the cutoff, but window={self.window_} needs at "
                f"least {self.window_}. Pass more history or fit with a smaller window."
            )
        last = last_observed(values[:, : len(self.targets_)], cutoffs, self.window_)
        unseen = [name for name, missing in zip(self.targets_, np.isnan(last).any(axis=0), strict=True) if missing]
        if unseen:
            raise DataError(
                f"target(s) {some(unseen)} hold no observation in the {self.window_} rows up to the cutoff, which are "
                "all that the model sees. End the history earlier, fill the gap, or fit with a larger window."
            )

    def _lengthened(self, values: np.ndarray, cutoffs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Put empty rows before a short series, so that each cutoff has a whole window, which begins before it."""
        n = max(0, self.window_ - 1 - int(cutoffs.min()))
        return empty_before(values, n), cutoffs + n

    def _forecast(self, values: np.ndarray, cutoffs: np.ndarray, steps: int) -> np.ndarray:
        if self._may_be_short:
            values, cutoffs = self._lengthened(values, cutoffs)
        out = np.empty((len(cutoffs), steps, len(self.targets_)))
        full = cutoffs >= self.window_ - 1
        if not full.all():
            # Fitted values of the first rows, before any full window: the last observation.
            level = last_observed(values[:, : len(self.targets_)], cutoffs[~full], self.window_)
            out[~full] = level[:, None, :]
        if full.any():
            scaled = self._roll if steps > self.block_ else self._single_block
            forecasts = scaled(values, cutoffs[full], steps)
            out[full] = forecasts * self._target_scale() + self.mean_[: len(self.targets_)]
        return out

    def _single_block(self, values: np.ndarray, cutoffs: np.ndarray, steps: int) -> np.ndarray:
        first = cutoffs.min() - self.window_ + 1  # rows before are not read, and need not be scaled
        values, cutoffs = values[first:], cutoffs - first
        windows, level = self._windows(self._scaled(values), cutoffs)
        return self._block(windows, level, steps)

    def _block(self, windows: WindowArray, level: np.ndarray, steps: int) -> np.ndarray:
        """Forecast the first steps of one block, in scaled units: (n_windows, steps, n_targets)."""
        block = self._by_target(self._apply(self.regressor_, windows), len(level))[..., 0]
        return np.asarray(block[:, :steps], dtype=np.float64) + level[:, None, :]

    def _by_target(self, outputs: np.ndarray, n_cutoffs: int) -> np.ndarray:
        """Order what was computed for windows, block * n_together numbers or more, by step and target.

        Returns (n_cutoffs, block, n_targets, numbers for each).
        """
        by_view = outputs.reshape(n_cutoffs, self._n_views(), self.block_, self._n_together(), -1)
        # (n, V, H, T, Q) -> (n, H, V, T, Q) -> (n, H, K, Q)
        return np.moveaxis(by_view, 1, 2).reshape(n_cutoffs, self.block_, len(self.targets_), -1)

    def _roll(self, values: np.ndarray, cutoffs: np.ndarray, steps: int) -> np.ndarray:
        """Forecast block after block, each read as if it had been observed."""
        self._check_fed_back(steps)
        parts = np.array_split(cutoffs, -(-len(cutoffs) // CHUNK))
        return np.concatenate([self._roll_chunk(values, part, -(-steps // self.block_))[:, :steps] for part in parts])

    def _check_fed_back(self, steps: int) -> None:
        if self.past_ and steps > self.block_:
            raise DataError(
                f"forecasting {steps} steps with horizon={self.block_} feeds forecasts back, but past covariates "
                f"{some(self.past_)} are not known beyond the cutoff. Fit with horizon={steps}."
            )

    def _check_future_known(self, frame: pd.DataFrame, rows: np.ndarray, steps: int) -> None:
        super()._check_future_known(frame, rows, steps)
        self._check_fed_back(steps)

    def _roll_chunk(self, values: np.ndarray, cutoffs: np.ndarray, blocks: int) -> np.ndarray:
        n_targets, length = len(self.targets_), self.window_ + blocks * self.block_
        # The rows after each cutoff hide their targets.
        dense = self._dense(values, cutoffs, blocks * self.block_)
        dense[:, self.window_ :, :n_targets] = np.nan
        out, known = np.full((len(cutoffs), blocks * self.block_, n_targets), np.nan), np.arange(len(cutoffs))
        for done in range(0, blocks * self.block_, self.block_):
            ahead = slice(self.window_ + done, self.window_ + done + self.block_)
            # Past errors are measured up to the end of the data: what needs covariates from beyond stays unknown.
            ended = np.isnan(dense[:, ahead, dense.shape[2] - len(self.future_) :]).any(axis=(1, 2))
            dense, known = dense[~ended], known[~ended]
            if not len(known):
                break
            # Each series is scaled by itself: a moved covariate must not run over into the next one's rows.
            scaled = np.concatenate([self._scaled(series) for series in dense])
            windows, level = self._windows(scaled, np.arange(len(known)) * length + self.window_ - 1 + done)
            block = self._block(windows, level, self.block_)
            out[known, done : done + self.block_] = block
            dense[:, ahead, :n_targets] = block * self._target_scale() + self.mean_[:n_targets]
        return out

    def _dense(self, values: np.ndarray, cutoffs: np.ndarray, ahead: int) -> np.ndarray:
        """The windows and the rows after them, (n_cutoffs, window + ahead, C); NaN beyond the end of the array."""
        rows = cutoffs[:, None] + np.arange(1 - self.window_, ahead + 1)
        dense = values[np.minimum(rows, len(values) - 1)]
        dense[rows >= len(values)] = np.nan
        return dense

    def _steps_read(self, steps: int) -> int:
        return -(-steps // self.block_) * self.block_

    def _season_given(self) -> int | None:
        return self.season_length

    def _default_steps(self) -> int:
        super()._default_steps()
        return self.horizon_

    def _check_state(self) -> None:
        """Check sizes and scaling."""
        super()._check_state()
        horizon, block, n_columns = self.horizon_, self.block_, len(self.data_.columns)
        require(horizon <= LONGEST_HORIZON, f"horizon_ is {horizon}, at most {LONGEST_HORIZON} are allowed")
        require(block == (horizon if self.strategy == "direct" else 1), f"block_ is {block} with horizon_ {horizon}")
        rows, needed, seen = self.n_rows_fit_, 1 if self._may_be_short else self.window_ + block, len(self._seen())
        require(needed <= rows <= seen, f"n_rows_fit_ is {rows}, where {needed} are needed and {seen} were seen")
        require(not self.future_ or self.window_ >= block, f"window_ is {self.window_}, shorter than block_ {block}")
        for name in ("mean_", "scale_"):
            shape = getattr(self, name).shape
            require(shape == (n_columns,), f"{name} has shape {shape}, where there are {n_columns} columns")
        require((self.scale_ > 0).all(), "scale_ holds numbers that are not positive")

    # ------------------------------------------------------------------ hooks

    def _check_windows(self, windows: WindowArray) -> None:
        """Raise what the regressor would raise for its parameters, or for windows of this size."""

    def _trivial(self, values: np.ndarray, windows: WindowArray) -> tuple[list[Any], list[np.ndarray]]:
        """Return the trivial forecasts that fit a series, and the error of each on these windows of it."""
        raise NotImplementedError

    def _fit_regressor(self, windows: WindowArray, y: np.ndarray) -> Any:
        raise NotImplementedError

    def _apply(self, regressor: Any, windows: WindowArray) -> np.ndarray:
        raise NotImplementedError


# ---------------------------------------------------------------------- pure helpers


def last_observed(values: np.ndarray, cutoffs: np.ndarray, window: int) -> np.ndarray:
    """Last value of each column that is not NaN within `window` rows up to each cutoff; NaN where there is none."""
    rows = np.where(np.isnan(values), -1, np.arange(len(values))[:, None])
    last = np.maximum.accumulate(rows, axis=0)[cutoffs]  # (n_cutoffs, K)
    inside = last > cutoffs[:, None] - window
    return np.where(inside & (last >= 0), values[last.clip(0), np.arange(values.shape[1])], np.nan).astype(values.dtype)


def count_between(flags: np.ndarray, first: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """How many flags are set in rows first .. stop - 1, for each pair."""
    total = np.concatenate([[0], np.cumsum(flags)])
    return total[stop] - total[first]
