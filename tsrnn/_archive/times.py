"""Time zones and time indexes, in both directions. Imports tables only."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pandas as pd

from ..exceptions import ArchiveError
from .tables import UNITS, ZONE, expect


def check_unit(unit: Any) -> str:
    """Return the unit of a time if pandas has it."""
    if unit not in UNITS:
        raise ArchiveError(f"unknown unit of time {unit!r:.60}")
    return unit


def encode_zone(zone: Any, where: str) -> str | int | None:
    """Return a time zone as its name or, where it has none, as its offset from UTC in seconds."""
    if zone is None:
        return None
    if isinstance(zone, datetime.timezone):
        seconds = zone.utcoffset(None).total_seconds()
        if seconds.is_integer():
            return int(seconds)
    # zoneinfo calls its name key, pytz zone
    name = getattr(zone, "key", getattr(zone, "zone", None))
    if isinstance(name, str) and ZONE.fullmatch(name):
        return name
    raise ArchiveError(f"cannot save {where}: time zone {zone!r} has no name. Use a named one, e.g. 'Asia/Tokyo'.")


def read_zone(zone: Any) -> str | datetime.timezone:
    """Return what `encode_zone` wrote in a form that tz_convert takes."""
    if type(zone) is int:
        return datetime.timezone(datetime.timedelta(seconds=zone)) if zone else datetime.UTC
    if not ZONE.fullmatch(expect(zone, str)):
        raise ArchiveError(f"{zone!r:.80} is not the name of a time zone")
    return zone


def build_datetime_index(stamps: np.ndarray, unit: str, zone: str | int | None, freq: Any) -> pd.DatetimeIndex:
    """Make an index of UTC stamps counted in `unit` since 1970; raises ValueError if they do not keep to `freq`."""
    if not isinstance(stamps, np.ndarray) or stamps.dtype != np.int64 or stamps.ndim != 1:
        raise ArchiveError("the stamps of a time index are not a row of 64-bit integers")
    index = pd.DatetimeIndex(stamps.view(f"M8[{unit}]"))
    if zone is not None:
        index = index.tz_localize("UTC").tz_convert(read_zone(zone))
    index.freq = freq  # type: ignore[misc]  # the stubs do not know that it can be set
    return index
