"""Covariates that the time alone tells: hours, weekdays, holidays, Fourier terms. Known as far ahead as there is time.

Pure functions of a time index and its wall clock. Imports frames and exceptions.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from .exceptions import DataError

__all__ = ["CALENDAR", "calendar_columns", "check_calendar"]


def _hour(time: pd.DatetimeIndex) -> np.ndarray:
    return np.asarray((time - time.normalize()) / pd.Timedelta(days=1))


def _of_month(time: pd.DatetimeIndex) -> np.ndarray:
    return np.asarray((time.day - 1) / time.days_in_month)


def _of_year(time: pd.DatetimeIndex) -> np.ndarray:
    return np.asarray(time.day_of_year - 1) / np.where(time.is_leap_year, 366, 365)


#: What can be named, and the share of its cycle that has passed at a time of the wall clock.
CALENDAR: dict[str, Callable[[pd.DatetimeIndex], Any]] = {
    "hour": _hour,
    "weekday": lambda time: time.day_of_week / 7,
    "day": _of_month,
    "month": lambda time: (time.month - 1) / 12,
    "yearday": _of_year,
}
HOLIDAY = "holiday"
#: Methods of calendars that return the open days between two.
SESSIONS = ("valid_days", "sessions_in_range")


def check_calendar(calendar: Any, fourier: Any, holidays: Any) -> None:
    """Raise `DataError` unless these name columns that can be made of a time index."""
    names = [calendar] if isinstance(calendar, str) else list(calendar or ())
    allowed = [*CALENDAR, HOLIDAY]
    for name in names:
        if name not in allowed:
            raise DataError(f"calendar must name some of {', '.join(allowed)}, got {name!r}.")
    if (HOLIDAY in names) != (holidays is not None):
        raise DataError(
            "calendar=['holiday'] needs holidays=, a country such as 'US', a list of dates or the calendar of an "
            f"exchange; and holidays= is read for it alone. Got calendar={calendar!r} and holidays={holidays!r:.100}."
        )
    if not isinstance(fourier, (Mapping, type(None))):
        raise DataError(f"fourier must be a dict of period to number of terms, e.g. {{'D': 2}}, got {fourier!r}.")
    for period, order in (fourier or {}).items():
        _span(period)
        if isinstance(order, bool) or not isinstance(order, (int, np.integer)) or order < 1:
            raise DataError(f"fourier[{period!r}] must be an integer of at least 1, got {order!r}.")


def calendar_columns(
    index: pd.DatetimeIndex,
    calendar: str | Sequence[str] | None = None,
    fourier: Mapping[Any, int] | None = None,
    holidays: Any = None,
) -> pd.DataFrame:
    """Return covariates made of the time alone.

    Parameters
    ----------
    index : DatetimeIndex of shape (n_rows,)
        In the zone whose wall clock counts.
    calendar : str or sequence of str
        "hour" (of the day, with its minutes), "weekday", "day" (of the month), "month", "yearday": two columns each,
        sine and cosine of the share of the cycle that has passed; "holiday": 1 on a holiday, else 0.
    fourier : dict of period to int
        Sines and cosines of a period and of its halves, thirds, ...: so many pairs. A period is a frequency or a span
        of time ("D", "7D", "365.25D"), or a number of rows where rows are numbered.
    holidays : str, list of dates, mapping or calendar of an exchange
        A country, "US" or "US-NY" with a part of it, of the package `holidays`; the dates themselves; or an object that
        knows the open days: ``valid_days(start, end)``, as calendars of `pandas_market_calendars` have it, or
        ``sessions_in_range(start, end)``, as those of `exchange_calendars`. Every other day is a holiday then, weekends
        among them.

    Returns
    -------
    DataFrame of shape (n_rows, n_columns), float64

    Raises
    ------
    DataError
        If a name, period or country is not known, or a calendar does not reach over the index.
    ModuleNotFoundError
        If a country is named and the package `holidays` is not installed.

    Examples
    --------
    >>> days = pd.date_range("2024-12-24", periods=3)
    >>> calendar_columns(days, ["weekday", "holiday"], holidays=["2024-12-25"]).round(2)
                weekday_sin  weekday_cos  holiday
    2024-12-24         0.78         0.62      0.0
    2024-12-25         0.97        -0.22      1.0
    2024-12-26         0.43        -0.90      0.0
    """
    check_calendar(calendar, fourier, holidays)
    time = index.tz_localize(None)  # what the clock shows
    columns: dict[str, np.ndarray] = {}
    for name in [calendar] if isinstance(calendar, str) else calendar or ():
        if name == HOLIDAY:
            columns[name] = np.asarray(_are_holidays(holidays, time), dtype=float)
        else:
            _add_waves(columns, name, np.asarray(CALENDAR[name](time), dtype=float), 1)
    for period, order in (fourier or {}).items():
        passed = np.asarray((time - pd.Timestamp(0)) / _span(period))
        _add_waves(columns, f"every_{period}", passed, order)
    return pd.DataFrame(columns, index=index, dtype=float)


def _add_waves(columns: dict[str, np.ndarray], name: str, passed: np.ndarray, order: int) -> None:
    for k in range(1, order + 1):
        suffix = "" if order == 1 else str(k)
        angle = 2 * np.pi * ((k * passed) % 1.0)
        columns[f"{name}_sin{suffix}"], columns[f"{name}_cos{suffix}"] = np.sin(angle), np.cos(angle)


def _span(period: Any) -> pd.Timedelta:
    if isinstance(period, (int, float, np.integer, np.floating)) and not isinstance(period, bool) and period > 0:
        return pd.Timedelta(seconds=float(period))  # rows that are numbered stand for seconds
    try:
        text = period if not isinstance(period, str) or period[:1].isdigit() else f"1{period}"
        span = pd.Timedelta(text)
    except (ValueError, TypeError):
        raise DataError(
            f"fourier has the period {period!r}, which is no span of time. Write 'D', '7D' or '365.25D', or a number "
            "of rows where rows are numbered."
        ) from None
    if span <= pd.Timedelta(0):
        raise DataError(f"fourier has the period {period!r}, which must be longer than 0.")
    return span


def _are_holidays(holidays: Any, time: pd.DatetimeIndex) -> np.ndarray:
    """Say which times lie on a holiday."""
    days = time.normalize()
    opened = next((getattr(holidays, name) for name in SESSIONS if callable(getattr(holidays, name, None))), None)
    if opened is None:
        return days.isin(_dates(holidays, time))
    return ~days.isin(_open_days(opened, days.min(), days.max(), holidays)) if len(days) else np.zeros(0, dtype=bool)


def _open_days(opened: Callable[..., Any], first: pd.Timestamp, last: pd.Timestamp, calendar: Any) -> pd.DatetimeIndex:
    """Ask a calendar for its open days, `first` to `last`."""
    try:
        sessions = pd.DatetimeIndex(opened(first, last))
    except Exception as error:  # each package has errors of its own, e.g. of a range that its calendar does not hold
        raise DataError(
            f"holidays={type(calendar).__name__} does not say which days are open from {first:%Y-%m-%d} to "
            f"{last:%Y-%m-%d}: {error}. Take a calendar that reaches as far as the data and the forecast."
        ) from error
    return sessions.tz_localize(None).normalize()


def _dates(holidays: Any, time: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return the holidays as days."""
    if isinstance(holidays, str):
        holidays = _of_country(holidays, range(time.min().year, time.max().year + 1)) if len(time) else []
    dates: Iterable[Any] = holidays.keys() if isinstance(holidays, Mapping) else holidays
    try:
        return pd.DatetimeIndex(pd.to_datetime(list(dates))).tz_localize(None).normalize()
    except (ValueError, TypeError) as error:
        raise DataError(
            f"holidays must be a country, dates, or an object with {' or '.join(SESSIONS)}: {error}."
        ) from None


def _of_country(name: str, years: Iterable[int]) -> list[dt.date]:
    try:
        from holidays import country_holidays
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            f"holidays={name!r} needs the package holidays: pip install 'tsrnn[holidays]'. Or pass the dates."
        ) from None
    country, _, part = name.partition("-")
    try:
        return list(country_holidays(country, subdiv=part or None, years=years))
    except (NotImplementedError, KeyError) as error:
        raise DataError(f"holidays={name!r} is no country that the package holidays knows: {error}") from None
