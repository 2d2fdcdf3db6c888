"""How time goes on from one row to the next. Imports clock, calendar, sessions, months, checks and exceptions."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd

from ..exceptions import DataError
from .calendar import LONGEST_HOLIDAY, fill_holes, is_day_calendar, open_range, too_many_extras
from .checks import some
from .clock import DAY, existing, is_clock, localise, span, time_of_day, unskip, wall
from .months import month_start, on_day
from .sessions import OUTSIDE, WEEKS, Blocks, check_blocks, in_words, open_days, rows_of_days, stamps_of

MICROSECOND = pd.Timedelta(microseconds=1)


def stamps_of_numbers(numbers: np.ndarray) -> pd.DatetimeIndex:
    """Stamps that stand for the numbers of rows: as many seconds since 1970."""
    return pd.DatetimeIndex(np.asarray(numbers, dtype="int64").astype("datetime64[s]"))


def numbers_of(stamps: pd.DatetimeIndex) -> pd.Index:
    """Numbers of rows that stamps stand for."""
    return pd.Index(stamps.as_unit("s").asi8)


@dataclass(frozen=True, repr=False)
class TimeGrid:
    """How time advances from one row to the next.

    Attributes
    ----------
    freq : pandas offset
        The step. Steps of hours and less are spans of time, of 23 or 25 hours a day when the clocks change; all others
        are counted on the calendar and the wall clock of the zone.
    calendar : bool
        True for a calendar of open days or sessions, of which some (holidays) were absent. Rows that follow each other
        are one step apart, whatever the dates between them; a rare row on a closed day is one as well. So are rows of
        open days that come without a holiday at first; only the stamps ahead are then every open day.
    holiday : int
        Most open days in a row that are absent as a holiday. More are a hole in the data.
    day : int
        Of steps of months: the day of the month, or the last one where a month is shorter. 0: as `freq` has it.
    wall : bool
        Steps of hours are counted on the wall clock: 00:00, 04:00, 08:00 on every day of the year.
    time : int or None
        What the wall clock shows on the first step of a day, in microseconds since midnight; None: as the stamps have
        it. It tells which time was meant on a day on which the clock skips it.
    sessions : tuple of (weekday, first, last)
        The hours that are open, where nights are no rows; see `tsrnn.frames.sessions`.
    periods : str
        Frequency of the periods that the data were indexed by; empty for stamps.
    numbered : bool
        The rows have numbers instead of stamps, which stand for seconds since 1970.
    season : int
        Steps in a season, where the user says so; 0: as `freq` has it.
    """

    freq: pd.offsets.BaseOffset
    calendar: bool = False
    holiday: int = LONGEST_HOLIDAY
    day: int = 0
    wall: bool = False
    time: int | None = None
    sessions: Blocks = ()
    periods: str = ""
    numbered: bool = False
    season: int = 0

    def __post_init__(self) -> None:
        check_blocks(self.sessions)
        if (self.wall or self.sessions) and not (is_clock(self.freq) and DAY % self._span == pd.Timedelta(0)):
            raise ValueError(f"steps of {self.freq!r} do not divide a day")
        if not 0 <= self.day <= 31 or self.holiday < 0 or not 0 <= (self.time or 0) < 86_400_000_000:
            raise ValueError(f"no grid of time has day={self.day}, holiday={self.holiday}, time={self.time}")
        if self.periods:
            pd.PeriodDtype(self.periods)  # which raises where there are none of this name

    def __repr__(self) -> str:
        shown = ["freq", "calendar"] + [f.name for f in fields(self)[2:] if getattr(self, f.name) != f.default]
        values = {name: repr(getattr(self, name)) for name in shown} | {"sessions": in_words(self.sessions)}
        return f"TimeGrid({', '.join(f'{name}={values[name]}' for name in shown)})"

    def with_season(self, season: int | None) -> TimeGrid:
        """The same grid with the season that the user says, if any."""
        return self if season is None else replace(self, season=int(season))

    @property
    def name(self) -> str:
        """The step in words, for messages."""
        where = f" on day {self.day}" if self.day else " of the wall clock" if self.wall else ""
        if isinstance(self.freq, pd.offsets.CustomBusinessDay):
            where = f" ({self.freq.weekmask})"
        return f"{self.freq.freqstr!r}{where}{' in sessions' if self.sessions else ''}"

    @property
    def counts_rows(self) -> bool:
        """Whether a season is so many rows, whatever their dates: on a calendar of open days."""
        return self.calendar and not self.sessions

    @property
    def days_a_week(self) -> int:
        """On how many days of the week there are sessions; 7 where there are none within the day."""
        return int(open_days(self.sessions).sum()) if self.sessions else 7

    @property
    def rows_a_week(self) -> int:
        """How many rows a week of sessions has."""
        return int(rows_of_days(self.sessions, self._span).sum())

    @property
    def _may_close(self) -> bool:
        """Whether absent rows may be holidays: also where none was seen in the fit, as in its first weeks."""
        return self.calendar or is_day_calendar(self.freq)

    @property
    def is_span(self) -> bool:
        """Whether a step is a span of time, the same whatever the calendar and the clock say."""
        return is_clock(self.freq) and not self.wall and not self.sessions

    # ------------------------------------------------------------------ stamps

    def between(self, first: pd.Timestamp, last: pd.Timestamp) -> pd.DatetimeIndex:
        """All stamps of the grid from `first` to `last`, both included."""
        if self.is_span:
            return pd.date_range(first, last, freq=self.freq)
        ends = pd.DatetimeIndex([first, last])
        return self._localise(self._steps(*self._meant(ends)), ends.tz)

    def future(self, last: pd.Timestamp, steps: int) -> pd.DatetimeIndex:
        """The `steps` stamps that follow `last`."""
        if self.is_span:
            return pd.date_range(last, periods=steps + 1, freq=self.freq)[1:]
        stamps = self._localise(self._goes_on(self._meant(pd.DatetimeIndex([last]))[0], steps + 1), last.tz)
        return stamps[stamps > last][:steps]

    def rows(self, index: pd.DatetimeIndex) -> pd.DatetimeIndex:
        """The index with the stamps that are absent from it.

        On a calendar days that are absent are holidays, up to `holiday` in a row; sessions of which a row is known
        are whole.
        """
        if len(index) < 2:
            return index
        if self.is_span:
            return pd.date_range(index[0], index[-1], freq=self.freq)
        naive = self._meant(index)
        if self._may_close:
            return self._localise(self._absent(naive), index.tz).union(index)
        steps = self._steps(naive[0], naive[-1])
        stamps = localise(steps, index.tz)
        # Of a time that the clock shows twice the one that is known stands.
        slots = steps.get_indexer(naive)
        other = (slots >= 0) & (stamps[slots] != index)
        return stamps.delete(slots[other]).union(index[other]) if other.any() else stamps

    def _absent(self, naive: pd.DatetimeIndex) -> pd.DatetimeIndex:
        """What a calendar lacks between its rows, and maybe some of the rows."""
        if not self.sessions:
            return fill_holes(self._steps(naive[0], naive[-1]), naive, self.holiday)
        days = naive.normalize().unique()
        every = pd.date_range(days[0], days[-1], freq="D")
        open_every = every[open_days(self.sessions)[every.day_of_week]]
        stamps = stamps_of(days.union(fill_holes(open_every, days, self.holiday)), self.sessions, self._span)
        return stamps[(stamps >= naive[0]) & (stamps <= naive[-1])]

    @property
    def _span(self) -> pd.Timedelta:
        return span(self.freq)

    def _localise(self, naive: pd.DatetimeIndex, tz: dt.tzinfo | None) -> pd.DatetimeIndex:
        return existing(naive, tz) if self.sessions else localise(naive, tz)

    def _meant(self, index: pd.DatetimeIndex) -> pd.DatetimeIndex:
        """Times of the wall clock as the grid has them, also of stamps that follow a time which the clock skipped."""
        naive = wall(index)
        if index.tz is None or self.sessions:
            return naive
        each = (self._span if self.wall else DAY) // MICROSECOND
        time = (time_of_day(naive[:1])[0] if self.time is None else self.time) % each
        shift = pd.Timedelta(microseconds=int(time))
        meant = unskip(index, (naive - shift).floor(f"{each}us") + shift)
        if self.time is None and time:
            # A first stamp on a day without a midnight: midnight was meant.
            meant = unskip(index, naive.floor(f"{each}us")) if (meant[:1] == naive[:1]).all() else meant
        return meant

    def _steps(self, first: pd.Timestamp, last: pd.Timestamp) -> pd.DatetimeIndex:
        """Stamps of the wall clock, from `first` to `last`."""
        if self.sessions:
            stamps = stamps_of(pd.date_range(first.normalize(), last, freq="D"), self.sessions, self._span)
            return stamps[(stamps >= first) & (stamps <= last)]
        if self.day:
            stamps = on_day(pd.date_range(month_start(first), last, freq=self.freq), self.day)
            return stamps[(stamps >= first) & (stamps <= last)]
        if is_day_calendar(self.freq):
            return open_range(first, last, self.freq)
        return pd.date_range(first, last, freq=self.freq)

    def _goes_on(self, first: pd.Timestamp, n: int) -> pd.DatetimeIndex:
        """At least n stamps of the wall clock from `first` on."""
        if self.sessions:
            weeks = n // self.rows_a_week + 2
            return self._steps(first, first + weeks * 7 * DAY)
        if self.day:
            return on_day(pd.date_range(month_start(first), periods=n, freq=self.freq), self.day)
        return pd.date_range(first, periods=n, freq=self.freq)

    # ------------------------------------------------------------------ rows and steps

    def slots(self, index: pd.DatetimeIndex, what: str = "the grid of the data") -> np.ndarray:
        """Which slot of the grid each stamp has, from 0 for the first; `DataError` if one lies beside the grid.

        On a calendar the slots are those of `rows`: holidays have none.
        """
        slots, beside = self._place(index)
        if beside.any():
            raise DataError(
                f"timestamps {some(index[beside])} do not lie on {what} ({self.name} from {index[0]}). "
                "Pass the right freq=, or put the data on a regular grid: with resample='mean' beside freq=, or by "
                "df.resample('h').mean()."
            )
        return slots

    def holds(self, index: pd.DatetimeIndex) -> bool:
        """Whether every stamp lies on the grid, the first one on its first slot."""
        return not self._place(index)[1].any()

    def _place(self, index: pd.DatetimeIndex) -> tuple[np.ndarray, np.ndarray]:
        """Slots, and which stamps lie beside the grid."""
        if self.is_span:
            since = index - index[0]
            return (since // self._span).to_numpy(), np.asarray(since % self._span != pd.Timedelta(0))
        naive = self._meant(index)
        if self._may_close:
            return self.rows(index).get_indexer(index), self._strays(naive)
        slots = self._steps(naive[0], naive[-1]).get_indexer(naive)
        return slots, (slots < 0) | pd.Index(slots).duplicated()

    def _strays(self, naive: pd.DatetimeIndex) -> np.ndarray:
        """Which rows cannot belong to a calendar: of another time of day, or too many on days that are closed."""
        time = time_of_day(naive)
        if self.sessions:
            beside = (time - self.sessions[0][1]) % (self._span // MICROSECOND) != 0
            return beside | self._outside(naive)
        strays = time != (time[0] if self.time is None else self.time)
        days = naive.normalize()
        is_open = days.isin(open_range(days[0], days[-1], self.freq)) if is_day_calendar(self.freq) else ~strays
        return strays | ~is_open if too_many_extras(days, is_open) else strays

    def _outside(self, naive: pd.DatetimeIndex) -> np.ndarray:
        """Rows outside the sessions, if those of the last weeks are more than one extra session: the hours changed."""
        stamps = stamps_of(naive.normalize().unique(), self.sessions, self._span)
        outside = ~naive.isin(stamps)
        recent = naive > naive[-1] - WEEKS * 7 * DAY
        few = max(rows_of_days(self.sessions, self._span).max(), OUTSIDE * recent.sum())
        return outside & recent if (outside & recent).sum() > few else np.zeros(len(naive), dtype=bool)

    def positions(self, index: pd.DatetimeIndex, origin: pd.Timestamp) -> np.ndarray:
        """How many steps after `origin` each stamp lies, negative before it. Holidays count, so that weekdays recur."""
        if self.is_span:
            return ((index - origin) // self._span).to_numpy()
        naive = self._meant(index.insert(0, origin))
        steps = self._steps(naive.min(), naive.max())
        return steps.searchsorted(naive[1:]) - steps.searchsorted(naive[0])

    def clock_positions(self, index: pd.DatetimeIndex, origin: pd.Timestamp, season: int) -> np.ndarray:
        """`positions` as a season of so many steps counts them.

        Steps of hours are counted on the wall clock of the zone where the season is made of whole days or parts them:
        the hour that is skipped counts, and the one that comes twice counts once.
        """
        if not self.is_span or index.tz is None:
            return self.positions(index, origin)
        length = self._span * season
        if length % DAY and DAY % length:
            return self.positions(index, origin)
        return ((wall(index) - origin.tz_localize(None)) // self._span).to_numpy()

    def regularise(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the frame with one row per step: rows of NaN stand where stamps are absent, but not on holidays."""
        full = self.rows(pd.DatetimeIndex(frame.index))
        return frame if len(full) == len(frame) else frame.reindex(full)

    def follows(self, index: pd.DatetimeIndex) -> np.ndarray:
        """Whether each row comes one step after the row before it: False for the first, and after each gap."""
        if not len(index):
            return np.empty(0, dtype=bool)
        return np.diff(self.slots(index), prepend=-2) == 1

    def rows_ahead(self, last: pd.Timestamp, stamps: pd.DatetimeIndex) -> pd.DatetimeIndex:
        """All rows after `last` up to the last of the later, sorted `stamps`.

        On a calendar the stamps given say which days are open: the first of them is the next one, unless more open
        days lie between than a holiday explains. Where no holiday was seen, every open day is a step.
        """
        index = stamps.insert(0, last)
        rows = self.rows(index) if self.calendar or not self._may_close else self.between(last, stamps[-1])
        beside = ~index.isin(rows) | self._place(index)[1]
        if beside.any():
            raise DataError(
                f"timestamps {some(index[beside])} are not on the grid of the data, which goes on from {last} in "
                f"steps of {self.name}."
            )
        return rows[1:]

    def steps_ahead(self, last: pd.Timestamp, stamps: pd.DatetimeIndex) -> np.ndarray:
        """How many steps after `last` each of the later, sorted `stamps` lies, from 1; see `rows_ahead`."""
        return self.rows_ahead(last, stamps).get_indexer(stamps) + 1 if len(stamps) else np.empty(0, dtype=int)

    def give_back(self, stamps: pd.DatetimeIndex) -> pd.Index:
        """The stamps as the data were indexed: as periods, if by periods, and as numbers, if by numbers."""
        if self.numbered:
            return numbers_of(stamps)
        return stamps.to_period(self.periods) if self.periods else stamps
