"""The data sets: the files are the ones documented, and the loaders return them as they are."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pandas as pd
import pytest

from tsrnn import datasets

FOLDER = Path(__file__).parent.parent / "datasets"
README = (FOLDER / "README.md").read_text(encoding="utf-8")
NAMES = list(datasets.CATALOGUE)
FILES = [name for name in NAMES if datasets.CATALOGUE[name].part is None]
LONG = [name for name, entry in datasets.CATALOGUE.items() if entry.series]
WIDE = [name for name in NAMES if name not in LONG]
#: Checksums of the stamps and values of the files that their sources gave of these series alone.
JFK = "c3daf8004f260fde062203f14b1bc0d0abfc5104b989356010433a0486a4ae40"
AAPL = "7311a8da2fdfe33e1cc1573c696ce215a7280900b47137951c841833ad4dc27a"
UTC = ["jfk_weather_hourly", "buoy_sea_temperature_30min"]


def load(name: str) -> pd.DataFrame:
    return getattr(datasets, datasets.CATALOGUE[name].loader)()


def table_row(name: str) -> list[str]:
    line = next(line for line in README.splitlines() if line.startswith(f"| {name}.csv"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def steps(index: pd.DatetimeIndex) -> pd.Series:
    return index.to_series().diff().dropna()


def test_catalogue_readme_and_folder_hold_the_same_files():
    files = sorted(path.name for path in FOLDER.glob("*.csv"))
    assert files == sorted(f"{name}.csv" for name in FILES)
    assert files == sorted(set(re.findall(r"^\| (\w+\.csv)", README, flags=re.MULTILINE)))


@pytest.mark.parametrize("name", FILES)
def test_bytes_have_the_checksum_in_the_readme(name):
    digest = hashlib.sha256((FOLDER / f"{name}.csv").read_bytes()).hexdigest()
    assert f"{digest}  {name}.csv" in README.splitlines()


@pytest.mark.parametrize("name", NAMES)
def test_shape_and_columns_are_the_documented_ones(name):
    frame, entry = load(name), datasets.CATALOGUE[name]
    assert frame.shape == (entry.rows, len(entry.units))
    assert list(frame.columns) == list(entry.units)


@pytest.mark.parametrize("name", FILES)
def test_readme_row_agrees_with_the_catalogue(name):
    entry = datasets.CATALOGUE[name]
    _, what, shape, units, frequency, gaps, licence, source = table_row(name)
    assert what == entry.description
    assert shape == f"{entry.rows} x {len(entry.units)}"
    assert units == ", ".join(f"{column} ({unit})" for column, unit in entry.units.items())
    assert licence.startswith(entry.licence.rstrip(")"))
    assert frequency and gaps and source


@pytest.mark.parametrize("name", NAMES)
def test_docstring_names_every_column_and_the_shape_licence_and_source(name):
    entry, frame = datasets.CATALOGUE[name], load(name)
    doc = getattr(datasets, entry.loader).__doc__
    assert f"DataFrame of shape {frame.shape}" in doc
    assert "Licence: " in doc and "Source: " in doc and ">>> " in doc
    for column in frame.columns:
        assert re.search(rf"^ +- .*\b{column}\b", doc, flags=re.MULTILINE), column


@pytest.mark.parametrize("name", LONG)
def test_a_long_table_says_of_each_row_which_series_and_when(name):
    frame, entry = load(name), datasets.CATALOGUE[name]
    series, time = frame.columns[:2]
    assert series == entry.series and not frame.duplicated([series, time]).any()
    for _, part in frame.groupby(series):
        assert part[time].is_monotonic_increasing
    assert str(frame[time].dt.tz) == ("UTC" if "hourly" in name else "None")


@pytest.mark.parametrize(("name", "checksum"), [("jfk_weather_hourly", JFK), ("aapl_daily", AAPL)])
def test_one_series_of_a_long_table_is_the_one_its_source_has_alone(name, checksum):
    frame, entry = load(name), datasets.CATALOGUE[name]
    table, series = entry.part
    assert frame.index.freq is None and frame.index.name == datasets.read(table).columns[1]
    assert series == {"jfk_weather_hourly": "JFK", "aapl_daily": "AAPL"}[name]
    assert entry.licence == datasets.CATALOGUE[table].licence
    stamps = frame.index.as_unit("s").asi8.tobytes()
    values = b"".join(column.to_numpy().astype("<f8").tobytes() for _, column in frame.items())
    assert hashlib.sha256(stamps + values).hexdigest() == checksum


@pytest.mark.parametrize("name", WIDE)
def test_index_is_sorted_time_with_the_zone_of_the_stamps(name):
    index = load(name).index
    assert isinstance(index, pd.DatetimeIndex)
    assert index.is_monotonic_increasing
    assert str(index.tz) == ("UTC" if name in UTC else "None")


@pytest.mark.parametrize("name", NAMES)
def test_numbers_are_numbers_and_only_weather_is_a_category(name):
    frame = load(name)
    categories = list(frame.select_dtypes("category").columns)
    assert categories == (["weather"] if name == "seattle_weather_daily" else [])
    numbers = frame.drop(columns=[*categories, *(frame.columns[:2] if name in LONG else [])])
    kinds = {column: "i" if column == "volume" else "f" for column in numbers.columns}
    assert {column: dtype.kind for column, dtype in numbers.dtypes.items()} == kinds


def test_jfk_gaps_and_missing_values_are_left_as_they_are():
    frame = datasets.load_jfk_weather()
    late = steps(frame.index) > pd.Timedelta(hours=1)
    assert late.sum() == 14
    assert len(pd.date_range(frame.index[0], frame.index[-1], freq="h")) - len(frame) == 24
    assert frame.isna().sum().loc[lambda n: n > 0].to_dict() == {"wind_dir": 51, "wind_speed": 3, "pressure": 831}
    assert frame.index.freq is None


def test_buoy_gaps_and_duplicated_stamp_are_left_as_they_are():
    frame = datasets.load_buoy_temperature()
    long = steps(frame.index).loc[lambda step: step > pd.Timedelta(minutes=30)]
    assert long.to_dict() == {
        pd.Timestamp("2016-06-14 14:00", tz="UTC"): pd.Timedelta(hours=1),
        pd.Timestamp("2016-07-08 13:30", tz="UTC"): pd.Timedelta(hours=12),
    }
    assert list(frame.index[frame.index.duplicated()]) == [pd.Timestamp("2017-03-21 16:30", tz="UTC")]
    assert not frame.isna().any(axis=None)


def test_apple_prices_have_no_row_on_123_business_days():
    index = datasets.load_aapl().index
    assert len(pd.bdate_range(index[0], index[-1])) - len(index) == 123
    assert index.freq is None and index.is_unique


@pytest.mark.parametrize(
    ("name", "freq", "empty"),
    [("wti_crude_daily", "B", 290), ("co2_mauna_loa_weekly", "W-SAT", 59), ("seattle_weather_daily", "D", 0)],
)
def test_a_complete_index_has_its_frequency_and_its_empty_cells(name, freq, empty):
    frame = load(name)
    assert frame.index.freqstr == freq
    assert frame.isna().sum().sum() == empty


def test_list_datasets_has_a_loader_and_a_description_for_every_file():
    table = datasets.list_datasets()
    assert list(table["name"]) == NAMES
    assert all(loader in datasets.__all__ for loader in table["loader"])
    assert (table[["frequency", "description", "units", "licence"]].map(len) > 0).all(axis=None)
    assert sorted([*table["loader"], "list_datasets"]) == datasets.__all__


@pytest.mark.parametrize("name", FILES)
def test_the_licence_texts_of_a_data_set_ship_with_it(name):
    licences = README[README.index("## Licences") : README.index("## Checksums")]
    row = next(line for line in licences.splitlines() if line.startswith(f"| {name}.csv"))
    texts = {file: (datasets.folder() / "LICENSES" / file).read_text("utf-8") for file in re.findall(r"S/(.+?)\)", row)}
    assert texts and all(len(text) > 400 for text in texts.values())
    if "PUBLIC-DOMAIN.txt" in texts:
        assert f"\n{name}.csv\n" in texts["PUBLIC-DOMAIN.txt"]


def test_every_licence_text_is_that_of_a_data_set():
    named = set(re.findall(r"\(LICENSES/(.+?)\)", README))
    assert {path.name for path in (FOLDER / "LICENSES").iterdir()} == named
