"""What the rows that a forecaster has seen must be: checked when it is saved and when it is loaded.

Each attribute by itself is checked by the tables `_saved` of the classes, and what they must be to each other by
`_check_state`. A file may say anything: sizes are compared with the arrays that are there before anything is built from
them. Imports frames and the schema of files.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from .._archive.schema import are_names, require
from ..frames import TimeGrid, as_names, check_frame, check_on_grid
from ..frames.infer import SPARSEST_GRID

__all__ = ["check_data", "check_handed_on"]

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
    if getattr(model, "transform_", None) is not None:
        model.transform_.check(len(model.targets_))
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


def check_handed_on(model: Any, fitted: Any) -> None:
    """Check the parameters that are handed on where another regressor is trained, for intervals.

    A fitted one stands for those that the data settle.
    """
    shared = fitted.get_params(deep=False)
    for name, value in model.get_params(deep=False).items():
        if name in shared and not (isinstance(value, str) and value == "auto"):
            shared[name] = value
    type(fitted)(**shared).__check_parameters__()
    check_random_state(model.random_state)
