"""How many past rows a forecast is made from where the user does not say, and are read together. Imports frames."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..frames import TimeGrid, season_length

__all__ = ["dominant_period", "segment_for", "usual_window"]

#: Rows beyond which a window is not chosen: its linear forecast would have as many inputs.
LONGEST = 1_000
#: Rows of a window where no period is known: a few hours of minutes.
UNKNOWN = 200
#: Recurrent steps in which segment="auto" reads a window.
READS = 4
#: Rise of the autocorrelation from its trough to a peak that speaks for a period.
RISE = 0.3


def usual_window(grid: TimeGrid | pd.offsets.BaseOffset, values: np.ndarray) -> int:
    """Return the rows of a window for a series on this grid, or of this frequency.

    Where a day has several rows a week and a day, since days of work differ from others; else four seasons, or as many
    as there is room for. If not even two fit, as with seconds, four of the periods that the series itself shows.

    Parameters
    ----------
    grid : TimeGrid or pandas offset
    values : ndarray of shape (n_rows, n_targets)
        The targets, NaN where they were not observed.

    Examples
    --------
    >>> from pandas.tseries.frequencies import to_offset
    >>> [usual_window(to_offset(freq), np.zeros((9, 1))) for freq in ("h", "5min", "D", "s")]
    [192, 864, 28, 200]
    """
    season = season_length(grid)
    freq = grid.freq if isinstance(grid, TimeGrid) else grid
    below_a_day = isinstance(freq, pd.offsets.Tick) and pd.Timedelta(freq) < pd.Timedelta(days=1)
    days = 1 + (grid.days_a_week if isinstance(grid, TimeGrid) else 7)
    if below_a_day and days * season <= LONGEST:
        return days * season
    if season > 1 and 2 * season <= LONGEST:
        return min(4, LONGEST // season) * season
    periods = [dominant_period(column, LONGEST // 4) for column in values.T]
    return 4 * max(periods) if any(periods) else 8 if season == 1 else UNKNOWN


def segment_for(window: int) -> int:
    """The largest divisor of the window that lets it be read in at least `READS` steps."""
    return max(k for k in range(1, max(1, window // READS) + 1) if window % k == 0)


def dominant_period(values: np.ndarray, longest: int) -> int:
    """Return the lag at which the autocorrelation, less a linear trend, peaks; 0 if none stands out.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
        NaN where nothing was observed.
    longest : int
        Largest lag, which is also kept below a quarter of the rows.

    References
    ----------
    Vlachos, Yu and Castelli (2005). On periodicity detection and structural periodic similarity. SIAM SDM, section 3:
    periods are read from the autocorrelation, where they are hills.

    Examples
    --------
    >>> rows = np.arange(600)
    >>> dominant_period(np.sin(rows * 2 * np.pi / 37) + rows / 50, longest=100)
    37
    """
    seen = np.flatnonzero(~np.isnan(values))
    longest = min(longest, len(values) // 4)
    if longest < 2 or len(seen) < 2:
        return 0
    centred = np.zeros(len(values))
    centred[seen] = values[seen] - np.polyval(np.polyfit(seen, values[seen], 1), seen)
    power = np.abs(np.fft.rfft(centred, 2 * len(values))) ** 2
    autocovariance = np.fft.irfft(power)[: longest + 2]
    # A constant or straight series leaves nothing but rounding, whatever its level.
    if autocovariance[0] <= 1e-12 * np.square(values[seen] - values[seen[0]]).sum():
        return 0
    r = autocovariance / autocovariance[0]
    trough = np.minimum.accumulate(r)
    lags = np.arange(2, longest + 1)
    peaks = lags[(r[lags] >= r[lags - 1]) & (r[lags] > r[lags + 1]) & (r[lags] - trough[lags] > RISE)]
    # Its multiples peak as well; the first of those that are about as high is the period.
    return int(peaks[r[peaks] > 0.9 * r[peaks].max()][0]) if len(peaks) else 0
