"""Validation of time-indexed frames, and the grid on which their time advances.

pandas comes in here and goes out again in the forecasters; everything between works on arrays and row positions.
In reading order: `checks` (frames), `clock` (the wall clock of a zone), `calendar` (which days are open), `sessions`
(which hours are), `months` (days of the month), `grid` (how time goes on), `season`, `infer` (the grid of an index),
`panel` (many series), `forms` (how users hold them).
Imports warnings and exceptions.
"""

from __future__ import annotations

from .checks import (
    as_names,
    check_columns,
    check_frame,
    check_length,
    check_not_tiny,
    check_time_index,
    check_unique_columns,
    in_zone,
    is_length,
    some,
    warn_of_empty_columns,
)
from .forms import Form, Rows, is_wide, read_rows, rows_of_array
from .grid import TimeGrid
from .infer import check_on_grid, infer_grid
from .panel import Panel, infer_grids
from .season import season_length

__all__ = [
    "Form",
    "Panel",
    "Rows",
    "TimeGrid",
    "as_names",
    "check_columns",
    "check_frame",
    "check_length",
    "check_not_tiny",
    "check_on_grid",
    "check_time_index",
    "check_unique_columns",
    "in_zone",
    "infer_grid",
    "infer_grids",
    "is_length",
    "is_wide",
    "read_rows",
    "rows_of_array",
    "season_length",
    "some",
    "warn_of_empty_columns",
]
