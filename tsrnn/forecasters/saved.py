"""What the attributes of a fitted forecaster must be to each other: checked when it is saved and when it is loaded.

Each attribute by itself is checked by the tables `_saved` of the classes. A file may say anything: sizes are compared
with the arrays that are there before anything is built from them. Imports frames, the regressors' base, and the parts
that a forecaster is made of.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from .._archive.schema import are_names, array, require
from ..frames import TimeGrid, as_names, check_frame, check_on_grid
from ..frames.infer import SPARSEST_GRID
from .arima_model import Spec
from .ensemble import Ensemble, Part
from .linear import LinearMap

__all__ = ["check_data", "check_ensemble", "check_linear", "check_specs", "check_trivial", "check_windows"]

#: Steps that `forecast` gives unasked: no more than this because a file says so.
LONGEST_HORIZON = 10**6
DAY = pd.Timedelta(days=1)
#: A time that no clock change, month end or leap year is near.
SOME_TIME = pd.Timestamp("2001-06-05 12:00")


def check_data(model: Any) -> None:
    """Check the rows that a forecaster has seen, their grid, and the names of their columns."""
    data, grid = model.data_, model.grid_
    used = [*model.targets_, *model.past_, *model.future_]
    require(list(data.columns) == used, f"data_ does not have the columns {used!r:.200}")
    require(len(set(used)) == len(used), "a column has more than one role")
    require(len(data) > 0, "data_ has no rows")
    for role in ("target", "past_covariates", "future_covariates"):
        require(are_names(as_names(getattr(model, role, None))), f"{role} does not name columns")
    require(all(dtype == np.float64 for dtype in data.dtypes), "data_ holds columns that are not of float64")
    check_frame(data, "data_")
    require(grid.freq.n > 0, f"grid_ goes back in time: {grid.freq!r}")
    check_sparse(data.index, grid)
    check_on_grid(data.index, grid, "grid_")
    same = (
        type(model.origin_) is pd.Timestamp
        and str(model.origin_.tz) == str(data.index.tz)
        and model.origin_ == data.index[0]
    )
    require(same, f"origin_ is {model.origin_}, where the first row of data_ is {data.index[0]}")
    one = model.container_ == "frame" or len(model.targets_) == 1
    require(one, f"container_ is {model.container_!r}, and there are {len(model.targets_)} targets")


def check_sparse(index: pd.DatetimeIndex, grid: TimeGrid) -> None:
    """Refuse a grid that has far more steps than there are rows, before anyone counts them one by one."""
    four = SOME_TIME + 4 * grid.freq - SOME_TIME  # of months, four are about as long as they are on average
    step = min(four / 4, DAY) if grid.calendar else four / 4  # a calendar is counted by days
    if grid.sessions:
        step = 7 * DAY / grid.rows_a_week
    n_steps = (index[-1] - index[0]) / step
    many = n_steps > 2 * SPARSEST_GRID * len(index) + 100
    require(not many, f"grid_ has about {n_steps:.0f} steps of {grid.freq.freqstr!r:.60} between {len(index)} rows")


def n_regular(model: Any) -> int:
    """Return how many steps of the grid the rows seen span, on a trading calendar those with a row."""
    return len(model.grid_.regularise(model.data_))


# ---------------------------------------------------------------------- windows


def check_windows(model: Any) -> None:
    """Check the sizes of a forecaster that reads windows, and its scaling."""
    horizon, block = model.horizon_, model.block_
    require(horizon <= LONGEST_HORIZON, f"horizon_ is {horizon}, at most {LONGEST_HORIZON} are allowed")
    require(block == (horizon if model.strategy == "direct" else 1), f"block_ is {block} with horizon_ {horizon}")
    rows, needed, seen = model.n_rows_fit_, model.window_ + block, n_regular(model)
    require(needed <= rows <= seen, f"n_rows_fit_ is {rows}, where {needed} are needed and {seen} were seen")
    require(not model.future_ or model.window_ >= block, f"window_ is {model.window_}, shorter than block_ {block}")
    n_columns = len(model.data_.columns)
    for name in ("mean_", "scale_"):
        shape = getattr(model, name).shape
        require(shape == (n_columns,), f"{name} has shape {shape}, where there are {n_columns} columns")
    require((model.scale_ > 0).all(), "scale_ holds numbers that are not positive")
    residuals = getattr(model, "residuals_", None)
    if residuals is not None:
        n_targets = len(model.targets_)
        fits = len(residuals) > 0 and residuals.shape[2] == n_targets
        require(fits, f"residuals_ have shape {residuals.shape}, where there are {n_targets} targets")


def n_features(model: Any) -> int:
    """Return the columns of a window."""
    return len(model.data_.columns) - len(model.targets_) + model._n_together()


def check_regressor(model: Any, regressor: Any) -> None:
    """Check that a regressor reads the windows of a forecaster, as they are or flattened, and forecasts one block."""
    n_steps, per_step, n_outputs = model.window_, n_features(model), model.block_ * model._n_together()
    found = regressor.n_steps_in_, regressor._n_features_per_step
    reads = found == (n_steps, per_step) or found == (n_steps * per_step, 1)
    require(
        reads, f"a network reads {found[0]} steps of {found[1]} columns, where windows have {n_steps} of {per_step}"
    )
    require(regressor.n_outputs_ == n_outputs, f"a network gives {regressor.n_outputs_} outputs, not {n_outputs}")


def check_parameters(model: Any, fitted: Any) -> None:
    """Check the parameters that are handed on where another regressor is trained, for intervals.

    A fitted one stands for those that the data settle.
    """
    shared = fitted.get_params(deep=False)
    for name, value in model.get_params(deep=False).items():
        if name in shared and not (isinstance(value, str) and value == "auto"):
            shared[name] = value
    type(fitted)(**shared)._check_parameters()
    check_random_state(model.random_state)


def check_linear(model: Any, linear: Any) -> None:
    """Check that a linear map reads the windows of a forecaster."""
    n_inputs, n_outputs = model.window_ * n_features(model), model.block_ * model._n_together()
    for name, shape in (("coef", (n_inputs, n_outputs)), ("intercept", (n_outputs,))):
        values: Any = getattr(linear, name, None)
        good = array(np.float32, len(shape)).holds(values) and values.shape == shape
        require(type(linear) is LinearMap and good, f"{name} of a linear map is not float32 of shape {shape}")


def check_ensemble(model: Any, ensemble: Any) -> None:
    """Check the networks and linear maps that are averaged, each as `Part` describes it."""
    together, loss = model._n_together(), model.loss
    require(ensemble.parts, "an Ensemble has no parts")
    for part in ensemble.parts:
        require(type(part) is Part, "an Ensemble holds what is no Part")
        require(part.networks and part.n_targets == together, "a part does not have the targets of a window")
        require(part.n_scaled in (0, together), f"a part scales {part.n_scaled} of {together} targets")
        if part.linear is not None:
            check_linear(model, part.linear)
        for network in part.networks:
            fitted = type(network) is model._regressor_class and hasattr(network, "weights_")
            require(fitted, f"a network of {type(model).__name__} is not a fitted {model._regressor_class.__name__}")
            check_regressor(model, network)
            learnt = network._loss == loss and (loss != "pinball" or network._quantiles == tuple(model.quantiles))
            require(learnt, f"loss={loss!r}, but a network was trained with {network._loss!r} {network._quantiles}")


def check_trivial(model: Any, trivial: Any) -> None:
    """Check a trivial forecast that stands in the place of networks, which are kept."""
    constant, shape = trivial.constant, (len(model.targets_),)
    kept = model.beats_last_value_ is False and model.trivial_ == trivial.name and type(model.stopped_) is Ensemble
    require(kept, f"a trivial forecast, {trivial.name!r:.60}, stands where networks were not beaten by it")
    if trivial.name in ("mean", "zero"):
        good = array(np.float64, 1).holds(constant) and constant.shape == shape
        require(good, f"the constant of {trivial.name!r} is not float64 of shape {shape}")
    else:
        longest = model.window_ if trivial.name == "season" else 1
        good = constant is None and (trivial.season == 1) == (trivial.name == "last value")
        require(good and 1 <= trivial.season <= longest, f"a season of {trivial.season} for {trivial.name!r:.60}")


# ---------------------------------------------------------------------- ARIMA


def check_specs(model: Any) -> None:
    """Check that there is one ARIMA model for each target, with as many parameters as its orders say."""
    n_targets, n_rows = len(model.targets_), n_regular(model)
    for name in ("specs_", "params_", "scale_", "converged_"):
        require(len(getattr(model, name)) == n_targets, f"{name} is not one for each of {n_targets} targets")
    for values, params, scale in zip(model.specs_, model.params_, model.scale_, strict=True):
        require(is_spec(values, n_rows), f"specs_ holds {values!r:.100}, which is no model of {n_rows} rows")
        n_params = count_parameters(Spec(*values), len(model.future_))
        require(len(params) == n_params, f"params_ holds {len(params)} numbers where {values!r:.100} has {n_params}")
        require(params[-1] >= 0 and scale > 0, "a variance or scale is not positive")


def is_spec(values: tuple, n_rows: int) -> bool:
    """Say whether these are the fields of a `Spec` whose state is no larger than the rows that it was fitted to."""
    if len(values) != len(Spec._fields):
        return False
    order, seasonal_order, trend, harmonics, season = values
    sizes = [(order, 3), (seasonal_order, 4), ((harmonics, season), 2)]
    for numbers, length in sizes:
        whole = isinstance(numbers, tuple) and all(type(number) is int for number in numbers)
        if not whole or len(numbers) != length or not all(0 <= number <= n_rows + 1 for number in numbers):
            return False
    (p, d, q), (P, D, Q, s) = order, seasonal_order
    return (
        trend in (None, "c", "t", "ct")
        and season >= 1
        and 2 * harmonics <= season
        and (s > 1 or not (P or D or Q))
        and max(p + P * s, q + Q * s) + d + D * s <= 2 * n_rows
    )


def count_parameters(spec: Spec, n_covariates: int) -> int:
    """Return the parameters of a model: trend, covariates, Fourier terms, those of ARMA, and the variance."""
    fourier = 2 * spec.harmonics - (2 * spec.harmonics == spec.season)
    lags = sum(spec.order[::2]) + sum(spec.seasonal_order[:3:2])
    return len(spec.trend or "") + n_covariates + max(fourier, 0) + lags + 1
