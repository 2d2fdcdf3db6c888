"""Reading of CSV files: the targets on their time index, or the cell that is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .reporting import UsageError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_csv"]


def read_csv(
    file: Path,
    time: str,
    targets: list[str],
    freq: str | None = None,
    time_format: str | None = None,
    sep: str = ",",
    decimal: str = ".",
) -> pd.DataFrame:
    """Read the targets of a CSV file on their time index."""
    if not file.is_file():
        raise UsageError(f"there is no file {str(file)!r}.")
    sep = "\t" if sep in ("tab", "\\t") else sep
    for option, char in (("--sep", sep), ("--decimal", decimal)):
        if len(char) != 1 or char.isalnum():
            raise UsageError(f"{option} must be one sign, like ',' or ';', got {char!r}.")
    twice = {name for name in targets if targets.count(name) > 1}
    if twice:
        raise UsageError(f"--target names {', '.join(sorted(twice))} more than once.")
    import pandas as pd

    from ..exceptions import DataError
    from ..frames import check_columns, check_time_index, infer_grid

    try:
        table = pd.read_csv(file, dtype={time: str}, sep=sep, decimal=decimal)
    except UnicodeDecodeError as exc:
        raise DataError(f"{str(file)!r} is not text in UTF-8 ({exc}). Save it as CSV in UTF-8.") from exc
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as exc:
        raise DataError(f"{str(file)!r} cannot be read as CSV: {exc}") from exc
    if len(table.columns) == 1 and time not in table.columns:
        header = str(table.columns[0])
        raise DataError(f"with --sep {sep!r} the file has a single column, {header!r}. Say what separates: --sep ';'.")
    check_columns(table, [time], "time column")
    check_columns(table, targets, "target")
    index = check_time_index(parse_times(table[time], time_format), "the time column")
    frame = pd.DataFrame({name: parse_numbers(table[name]).to_numpy() for name in targets}, index=index)
    if freq is not None:
        frame = infer_grid(index, freq).regularise(frame)
    return frame


def parse_times(column: pd.Series, time_format: str | None) -> pd.DatetimeIndex:
    """Parse every row, or name the first that is no time. Nothing is guessed: 01/02 is January in one country only."""
    from ..exceptions import DataError

    if column.empty:
        raise DataError("the file has a header but no rows.")
    missing = column.isna()
    if missing.any():
        raise DataError(
            f"time column {column.name!r}, row {int(missing.to_numpy().argmax()) + 1}: the time is missing."
        )
    times = to_times(column, time_format)
    if times is not None:
        return times
    good, bad = 0, len(column)
    while bad - good > 1:  # the first `good` rows parse, the first `bad` do not
        middle = (good + bad) // 2
        good, bad = (good, middle) if to_times(column.iloc[:middle], time_format) is None else (middle, bad)
    how = f"in the format {time_format!r}" if time_format else "in ISO 8601 (like 2024-01-31 18:00)"
    raise DataError(
        f"time column {column.name!r}, row {bad}: {column.iloc[bad - 1]!r} is not a time "
        f"{how}, or its time zone is not that of the rows before. Mend it, or give the right --time-format."
    )


def to_times(column: pd.Series, time_format: str | None) -> pd.DatetimeIndex | None:
    """Return the times, or None unless all rows parse."""
    import pandas as pd

    try:
        return pd.DatetimeIndex(pd.to_datetime(column, format=time_format or "ISO8601"), name=column.name)
    except ValueError:
        return None


def parse_numbers(column: pd.Series) -> pd.Series:
    """Return the column as numbers or name the first row that is none."""
    import pandas as pd

    from ..exceptions import DataError

    values = pd.to_numeric(column, errors="coerce")
    bad = values.isna() & column.notna()
    if bad.any():
        row = int(bad.to_numpy().argmax())
        raise DataError(
            f"column {column.name!r}, row {row + 1}: {column.iloc[row]!r} is not a number. Leave missing values "
            "empty; give --decimal ',' if that is the decimal point."
        )
    return values
