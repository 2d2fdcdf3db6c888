"""One model of windows learnt from many series: their windows stand side by side in the order of time.

Each series has its own mean and scale; errors that intervals are made from are pooled in units of these scales. Imports
panels, examples, scaling and exceptions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from .._archive.schema import Attribute, integer, optional, require
from .._progress import work
from ..exceptions import DataError
from ..frames import season_length
from ..windows import WindowArray
from .examples import Examples, stack_windows
from .panels import ForecastsPanels
from .requests import check_steps
from .scaling import fit_scaling
from .trivial import Trivial
from .window_length import usual_window

__all__ = ["LearnsPanels"]

#: Windows that max_windows="auto" stands for.
MOST_WINDOWS = 32_768
#: Windows on whose errors the intervals of a panel are measured.
CALIBRATION_WINDOWS = 20_000
#: A window of a short series begins before it, but at least one in so many of its rows lies in it.
LEAST_SHARE = 4
#: Attributes of a series of its own.
OWN = ("mean_", "scale_", "n_rows_fit_", "transform_")


class LearnsPanels(ForecastsPanels):
    """Fits one regressor to the windows of all series."""

    _not_shown: tuple[str, ...] = ("held_from_",)
    _saved: ClassVar[dict[str, Attribute]] = {"held_from_": optional(integer(-(2**62), 2**62))}

    def _fit_ones(self: Any, ones: list[Any], ids: pd.Index, problems: dict[int, str]) -> list[dict[str, Any] | None]:
        self.__check_parameters__()
        self.__dict__.pop("residuals_", None)
        self.gap_residuals_: dict[tuple[int, int], np.ndarray] = {}
        self.regressor_: Any = None
        self.horizon_ = 1 if self.horizon is None else check_steps(self.horizon)
        self.block_ = self.horizon_ if self.strategy == "direct" else 1
        tables: list[Any] = [None if one is None else one._values(one._seen()) for one in ones]
        self.window_ = self._window_of_panel([len(table) for table in tables if table is not None], ones, tables)
        self._scale_filled([table for table in tables if table is not None])
        for i, (one, values) in enumerate(zip(ones, tables, strict=True)):
            if one is None:
                continue
            try:
                self._join(one, values)
                tables[i] = values = one._padded(values)
                one._training_cutoffs(values)
            except DataError as error:
                problems[i], ones[i] = str(error), None
        self._tell(problems, ids)
        good = [(one, values) for one, values in zip(ones, tables, strict=True) if one is not None]
        examples = self._examples_of_panel(*zip(*good, strict=True))
        self.n_rows_fit_ = max(len(values) for _, values in good)
        self._check_windows(examples.windows)
        self.regressor_ = self._learn(examples)
        self.held_from_ = self._first_held(examples)
        return [None if one is None else self._learnt_by(one) for one in ones]

    def _window_of_panel(self: Any, lengths: Sequence[int], ones: list[Any], tables: list[Any]) -> int:
        """Take the window given, or the usual one where half of the series allow, in whole seasons."""
        if self.window is not None:
            return self._wide_enough(int(self.window))
        longest = max((i for i, table in enumerate(tables) if table is not None), key=lambda i: len(tables[i]))
        usual = max(usual_window(self.grid_, tables[longest][:, : len(self.targets_)]), 8)
        room = int((np.median(lengths) - self.block_) // 4)
        season = season_length(self.grid_)
        if season > 1 and usual > room:
            # Of the short history of a panel, a season or a few are worth more than a fraction of the usual window.
            whole = max(room // season, 1) * season
            room = whole if whole + self.block_ <= np.median(lengths) else room
        return max(1, self.block_ if self.future_ else 1, min(usual, room))

    def _join(self: Any, one: Any, values: np.ndarray) -> None:
        """Scale a series by its own rows."""
        for name in ("horizon_", "block_", "window_"):
            setattr(one, name, getattr(self, name))
        one.n_rows_fit_ = len(values)
        one.mean_, one.scale_ = fit_scaling(values, len(self.targets_), self.block_, self.level)
        filled = [i for i, name in enumerate(one.data_.columns) if name in self._filled_in()]
        one.mean_[filled], one.scale_[filled] = self.mean_[filled], self.scale_[filled]
        one._check_lonely_values(values)

    def _scale_filled(self: Any, tables: Sequence[np.ndarray]) -> None:
        """Scale what is constant in a series by all series, since it would be 0 in each; the calendar is as it is."""
        columns = [*self.targets_, *self.past_, *self.future_]
        self.mean_, self.scale_ = np.zeros(len(columns)), np.ones(len(columns))
        at = [columns.index(name) for name in self.static_]
        values = np.stack([table[0, at] for table in tables])
        spread = values.std(axis=0)
        self.mean_[at], self.scale_[at] = values.mean(axis=0), np.where(spread > 0, spread, 1.0)

    def _room(self: Any, n_rows: int) -> int:
        """Return how many empty rows are put before a series in which no window finds room."""
        if n_rows >= self.window_ + self.block_:
            return 0
        least = -(-self.window_ // LEAST_SHARE)
        return max(0, min(self.window_ + self.block_ - n_rows + n_rows // 2, self.window_ - least))

    def _padded(self: Any, values: np.ndarray) -> np.ndarray:
        return empty_before(values, self._room(len(values)))

    def _meet(self: Any, one: Any) -> None:
        one._learn_transform()
        values = one._values(one._seen())
        self._join(one, values)

    def _learnt_by(self: Any, one: Any) -> dict[str, Any]:
        return {name: getattr(one, name) for name in OWN}

    # ------------------------------------------------------------------ examples

    def _examples_of_panel(
        self: Any, ones: Sequence[Any], tables: Sequence[np.ndarray], cutoffs: Sequence[np.ndarray] | None = None
    ) -> Examples:
        """Return the windows of all series in the order of time, or a sample of them."""
        if cutoffs is None:
            cutoffs = [one._training_cutoffs(values) for one, values in zip(ones, tables, strict=True)]
        parts = [one._lazy_examples(*table) for one, *table in zip(ones, tables, cutoffs, strict=True)]
        time = np.concatenate(
            [one._time_of(values, one._ends_of(part[0])) for one, values, part in zip(ones, tables, parts, strict=True)]
        )
        series = np.repeat(np.arange(len(parts)), [len(windows) for windows, _ in parts])
        order = np.lexsort((series, time))
        kept = self._sample(len(order))
        order = order if kept is None else order[kept]
        windows = stack_windows([windows for windows, _ in parts])[order]
        following = stack_windows([following for _, following in parts])[order]
        first = np.cumsum([0, *(len(windows.base) for windows, _ in parts)])

        def trivial(rows: Any) -> tuple[list[Any], list[np.ndarray]]:
            return self._trivial_of_panel(ones, tables, windows[rows], series[order][rows], first)

        return Examples(windows, following, self._gap(), self.block_, trivial, self._dtype, time[order])

    def _sample(self: Any, n_windows: int) -> np.ndarray | None:
        """Draw the windows that are learnt from, where there are more than enough."""
        most = self._pool(MOST_WINDOWS if self.max_windows == "auto" else int(self.max_windows))
        if n_windows <= most:
            return None
        rng = check_random_state(getattr(self, "random_state", 0))
        return np.sort(
            np.random.default_rng(rng.randint(np.iinfo(np.int32).max)).choice(n_windows, most, replace=False)
        )

    def _pool(self, most: int) -> int:
        """Return how many windows are kept of many series: those of one reading, unless each epoch draws its own."""
        return most

    def _ends_of(self: Any, windows: WindowArray) -> np.ndarray:
        """Return the row in which each window of a series ends."""
        return windows.starts % (len(windows.base) // self._n_views()) + self.window_ - 1

    def _time_of(self: Any, values: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return when rows of a series are: their stamps, or where they are numbered, how far from its end."""
        if self.grid_.numbered:
            return rows - len(values)
        index = pd.DatetimeIndex(self._seen().index)[: self.n_rows_fit_]
        return index.as_unit("us").asi8[rows - (len(values) - len(index))]

    def _first_held(self: Any, examples: Examples) -> int:
        """Return when the first window ends whose errors say how wide intervals are to be."""
        try:
            _, held = examples.split(self._calibration_fraction(), True)
        except DataError:
            held = slice(-1, None)
        return int(examples.time[held][0])

    def _trivial_of_panel(
        self: Any,
        ones: list[Any],
        tables: list[np.ndarray],
        windows: WindowArray,
        series: np.ndarray,
        first: np.ndarray,
    ) -> tuple[list[Any], list[np.ndarray]]:
        """Measure each trivial forecast on windows of all series; one that fits half of them is a candidate."""
        errors: dict[str, np.ndarray] = {}
        for i in np.unique(series):
            at = np.flatnonzero(series == i)
            part = WindowArray(windows.base[first[i] : first[i + 1]], windows.starts[at] - first[i], windows.n_steps)
            for one, error in zip(*ones[i]._trivial(tables[i], part), strict=True):
                errors.setdefault(one.name, np.full(len(series), np.nan))[at] = error
        names = [name for name, error in errors.items() if np.isfinite(error).sum() >= len(error) / 2]
        candidates = [Trivial(name, season_length(self.grid_) if name == "season" else 1) for name in names]
        return candidates, [errors[name] for name in names]

    # ------------------------------------------------------------------ forecasts

    def _one(self: Any, data: pd.DataFrame, grid: Any, learnt: dict[str, Any] | None = None) -> Any:
        one = super()._one(data, grid, learnt)
        one._pooled_errors, one._may_be_short = self._errors_of_panel, True
        trivial = getattr(self, "regressor_", None)
        if isinstance(trivial, Trivial) and trivial.name in ("mean", "zero") and "mean_" in vars(one):
            n = len(self.targets_)
            one.regressor_ = replace(trivial, constant=one.mean_[:n] if trivial.name == "mean" else np.zeros(n))
        return one

    def _check_series(self: Any) -> None:
        super()._check_series()
        for name in ("mean_", "scale_"):
            shape = getattr(self, name).shape
            require(shape == (len(self.data_.columns),), f"{name} has shape {shape}")
        require((self.scale_ > 0).all(), "scale_ holds numbers that are not positive")
        require(self.n_rows_fit_ <= len(self._seen()), f"n_rows_fit_ is {self.n_rows_fit_}, more than there are")

    def _errors_of_panel(self: Any, steps: int, gap: int, hidden: int) -> np.ndarray:
        """Errors (n_windows, steps, n_targets) on the last windows of all series, in units of their scales."""
        known = self.gap_residuals_.get((gap, hidden))
        if known is None or known.shape[1] < steps:
            known = self.gap_residuals_[gap, hidden] = self._calibrate_panel(steps, gap, hidden)
        return known[:, :steps]

    def _calibrate_panel(self: Any, steps: int, gap: int, hidden: int) -> np.ndarray:
        ones = self._ones()
        frames, tables, held, early = [], [], [], []
        for one in ones:
            frame = one._seen().iloc[: one.n_rows_fit_]
            values = one._padded(frame.to_numpy())
            rows = one._training_cutoffs(values)
            last = one._time_of(values, rows) >= self.held_from_
            frames.append(frame)
            tables.append(values)
            held.append(rows[last])
            early.append(rows[: max(0, np.count_nonzero(~last) - self.block_ + 1)] if last.any() else rows)
        regressor = self._held_out()
        if regressor is None:
            # The gap keeps rows that training targets share with calibration targets out of both.
            some_left = any(map(len, early))
            regressor = self._copy_fitted()._learn(self._examples_of_panel(ones, tables, early if some_left else held))
        step = -(-sum(map(len, held)) // CALIBRATION_WINDOWS) or 1
        errors = []
        with work("Measuring errors", len(ones)) as progress:
            for one, frame, rows in zip(ones, frames, held, strict=True):
                one.regressor_ = one.regressor_ if isinstance(regressor, Trivial) else regressor
                ends = rows[::-step][::-1] - one._room(len(frame))
                if len(ends):
                    errors.append(one._errors_at(frame, ends, steps, gap, hidden) / one._target_scale())
                progress.done += 1
        return np.concatenate(errors)


def empty_before(values: np.ndarray, n: int) -> np.ndarray:
    """Put n rows of NaN before the values of a series."""
    if not n:
        return values
    before = np.full((n, values.shape[1]), np.nan)
    return np.vstack([before, values])
