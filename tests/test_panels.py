"""Many series in one table: the same forecasts from every form, rows in their places, no series reading another."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from sklearn.metrics import r2_score

from tsrnn import (
    DriftForecaster,
    GRUForecaster,
    MeanForecaster,
    NaiveForecaster,
    RegressionForecaster,
    RidgeForecaster,
    SeasonalNaiveForecaster,
)
from tsrnn.exceptions import ArchiveError, DataError
from tsrnn.inspection import effective_memory
from tsrnn.persistence import load
from tsrnn.plots import plot_forecast

LONG = {"id_col": "site", "time_col": "time"}
LOCAL = [NaiveForecaster, SeasonalNaiveForecaster, DriftForecaster, MeanForecaster]


def table(lengths=(120, 90, 150), start="2024-01-01", tz=None, seed=0) -> pd.DataFrame:
    """Hourly series of different lengths and scales that end at one time, one below the other."""
    rng = np.random.default_rng(seed)
    end = pd.Timestamp(start, tz=tz) + pd.Timedelta(hours=max(lengths))
    parts = []
    for i, n in enumerate(lengths):
        time = pd.date_range(end=end, periods=n, freq="h")
        load = 10.0**i * (np.sin(np.arange(n) * 2 * np.pi / 24 + i) + 0.1 * rng.normal(size=n) + 5)
        parts.append(pd.DataFrame({"site": f"s{i}", "time": time, "load": load, "wind": rng.normal(size=n)}))
    return pd.concat(parts, ignore_index=True)


def ridge(**given):
    return RidgeForecaster(target="load", window=24, horizon=6, **given)


def small_gru(**given):
    return GRUForecaster(
        target="load", window=24, horizon=6, units=4, epochs=3, early_stopping=False, random_state=0, **given
    )


# ---------------------------------------------------------------------- forms


def forms(df: pd.DataFrame) -> dict:
    """The same rows in each form, and what a model must be told of it."""
    return {
        "long": (df, LONG),
        "levels": (df.set_index(["site", "time"]), {}),
        "levels, time first": (df.set_index(["time", "site"]), {}),
        "time in the index": (df.set_index("time"), {"id_col": "site"}),
        "polars": (pl.from_pandas(df), LONG),
        "pyarrow": (pa.Table.from_pandas(df, preserve_index=False), LONG),
    }


def plain(result) -> np.ndarray:
    """The forecasts of a result in any form."""
    if isinstance(result, pa.Table):
        return result["load"].to_numpy()
    return result["load"].to_numpy()


@pytest.mark.parametrize("make", [ridge, lambda **given: SeasonalNaiveForecaster(target="load", **given)])
def test_all_forms_have_the_same_forecasts(make):
    df = table()
    expected = plain(make(**LONG).fit(df).predict(6))
    for name, (X, given) in forms(df).items():
        np.testing.assert_array_equal(plain(make(**given).fit(X).predict(6)), expected, err_msg=name)


def test_forecasts_come_back_in_the_form_of_the_table():
    df = table(tz="Europe/Berlin")
    found = {name: ridge(**given).fit(X).predict(2) for name, (X, given) in forms(df).items()}
    long = found["long"]
    assert list(long.columns) == ["site", "time", "load"] and isinstance(long.index, pd.RangeIndex)
    assert long["site"].tolist() == ["s0"] * 2 + ["s1"] * 2 + ["s2"] * 2
    assert long["time"].dtype == df["time"].dtype
    assert found["levels"].index.names == ["site", "time"] and list(found["levels"].columns) == ["load"]
    assert found["levels, time first"].index.names == ["time", "site"]
    assert found["time in the index"].index.dtype == df["time"].dtype
    assert isinstance(found["polars"], pl.DataFrame) and found["polars"].columns == ["site", "time", "load"]
    assert found["polars"]["time"].dtype.time_zone == "Europe/Berlin"
    assert found["polars"]["time"].to_list() == long["time"].dt.to_pydatetime().tolist()
    assert isinstance(found["pyarrow"], pa.Table)


def test_a_wide_table_and_a_long_one_of_the_same_series_are_forecast_alike():
    df = table(lengths=(120, 120, 120)).drop(columns="wind")
    wide = df.pivot(index="time", columns="site", values="load")
    apart = ridge(**LONG).fit(df).predict(6)["load"].to_numpy().reshape(3, 6).T
    together = RidgeForecaster(window=24, horizon=6, shared=True).fit(wide).predict(6)
    np.testing.assert_allclose(together.to_numpy(), apart, rtol=1e-4)


def test_periods_and_categories_come_back():
    df = table()
    df["time"], df["site"] = df["time"].dt.to_period("h"), df["site"].astype("category")
    found = ridge(**LONG).fit(df).predict(2)
    assert found["time"].dtype == df["time"].dtype and found["site"].dtype == "category"


def test_numbered_rows_are_numbered_on():
    df = table()
    df["time"] = df.groupby("site").cumcount() * 10 + 1990
    found = SeasonalNaiveForecaster(target="load", season_length=24, **LONG).fit(df).predict(2)
    last = df.groupby("site")["time"].max()
    assert found["time"].tolist() == [last[site] + step for site in last.index for step in (10, 20)]
    expected = df.groupby("site")["load"].apply(lambda load: load.to_numpy()[-24:-22])
    np.testing.assert_array_equal(found["load"], np.concatenate(expected.tolist()))


def test_the_season_of_numbered_rows_is_that_of_the_frequency_given():
    df = table(lengths=(200, 200))
    df["time"] = df.groupby("site").cumcount()
    assert RidgeForecaster(target="load", freq="h", **LONG).fit(df).grid_.season == 24
    assert RidgeForecaster(target="load", season_length=12, **LONG).fit(df).grid_.season == 12


# ---------------------------------------------------------------------- invariants


@settings(max_examples=20)
@drawn(st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(random):
    df = table()
    order = list(range(len(df)))
    random.shuffle(order)
    shuffled = df.iloc[order]
    expected = ridge(**LONG).fit(df).predict(3).set_index(["site", "time"]).sort_index()
    found = ridge(**LONG).fit(shuffled).predict(3).set_index(["site", "time"]).sort_index()
    assert_frame_equal(found, expected, rtol=1e-4)


def test_rows_keep_their_places():
    df = table(lengths=(60, 60))
    model = NaiveForecaster(target="load", **LONG).fit(df.groupby("site").head(50))
    ahead = df.groupby("site").tail(10).sample(frac=1, random_state=0)
    found = model.predict(ahead)
    assert found.index.equals(ahead.index)
    assert found["site"].tolist() == ahead["site"].tolist() and found["time"].tolist() == ahead["time"].tolist()


@pytest.mark.parametrize("make", [ridge, small_gru])
def test_names_of_series_do_not_matter(make):
    df = table()
    renamed = df.assign(site=df["site"].map({"s0": "z", "s1": "y", "s2": "x"}))
    np.testing.assert_array_equal(plain(make(**LONG).fit(df).predict(6)), plain(make(**LONG).fit(renamed).predict(6)))


@pytest.mark.parametrize("cls", LOCAL)
def test_a_series_more_does_not_change_what_local_models_say_of_the_others(cls):
    df = table()
    few = df[df["site"] != "s2"]
    all_of_them = cls(target="load", **LONG).fit(df).predict_interval(5)
    without = cls(target="load", **LONG).fit(few).predict_interval(5)
    assert_frame_equal(all_of_them[all_of_them["site"] != "s2"].reset_index(drop=True), without)


@pytest.mark.parametrize("cls", LOCAL)
def test_a_local_model_says_of_each_series_what_it_says_of_it_alone(cls):
    df = table()
    found = cls(target="load", **LONG).fit(df).predict_interval(5)
    for site, part in df.groupby("site"):
        alone = cls(target="load").fit(part.set_index("time")[["load"]]).predict_interval(5)
        of_site = found[found["site"] == site].drop(columns=["site", "time"])
        np.testing.assert_array_equal(of_site.to_numpy(), alone.to_numpy())


@pytest.mark.parametrize("make", [ridge, small_gru])
def test_a_zone_more_to_the_east_changes_nothing_but_the_stamps(make):
    df = table(tz="UTC")
    moved = df.assign(time=df["time"].dt.tz_convert("Asia/Tokyo"))
    found, expected = make(**LONG).fit(moved).predict(6), make(**LONG).fit(df).predict(6)
    np.testing.assert_array_equal(found["load"], expected["load"])
    assert (found["time"] == expected["time"]).all() and str(found["time"].dt.tz) == "Asia/Tokyo"


@pytest.mark.parametrize("make", [ridge, small_gru])
def test_each_series_may_be_in_a_unit_of_its_own(make):
    df = table(lengths=(150, 150, 150))
    factor = df["site"].map({"s0": 8.0, "s1": 1.0, "s2": 0.125})
    level = df["site"].map({"s0": 0.0, "s1": 64.0, "s2": -32.0})
    found = make(**LONG).fit(df.assign(load=df["load"] * factor + level)).predict_interval(6)
    expected = make(**LONG).fit(df).predict_interval(6)
    factor, level = factor[::150].repeat(6).to_numpy(), level[::150].repeat(6).to_numpy()
    for column in ("load", "load_lower_90", "load_upper_90"):
        np.testing.assert_allclose(found[column], expected[column] * factor + level, rtol=1e-3)


# ---------------------------------------------------------------------- windows


def test_windows_never_cross_series():
    # Each series is a constant of its own: a window over two of them would hold two values.
    df = table()
    df["load"] = df["site"].map({"s0": 1.0, "s1": 2.0, "s2": 3.0}) + 1e-9 * np.arange(len(df))
    seen = []

    class Looking(RegressionForecaster):
        def _fit_regressor(self, windows, y):
            seen.append((np.asarray(windows)[..., 0], y))
            return super()._fit_regressor(windows, y)

    from sklearn.linear_model import LinearRegression

    Looking(LinearRegression(), target="load", window=12, horizon=3, level=None, **LONG).fit(df)
    ((windows, y),) = seen
    n_rows = df["site"].value_counts()
    assert len(windows) == (n_rows - 12 - 3 + 1).sum()
    # In units of its own scale a constant that creeps is a straight line.
    steps = np.diff(np.hstack([windows, y]), axis=1)
    np.testing.assert_allclose(steps, np.broadcast_to(steps[:, :1], steps.shape), rtol=1e-3)


@pytest.mark.parametrize("make", [ridge, small_gru])
def test_what_comes_after_a_cutoff_is_not_read(make):
    df = table()
    cutoff = df["time"].max() - pd.Timedelta(hours=10)
    model = make(**LONG).fit(df[df["time"] <= cutoff])
    changed = df.assign(load=df["load"].where(df["time"] <= cutoff, -1e3))
    before, after = (model.predict_cutoffs(6, history, [cutoff], coverage=0.8) for history in (df, changed))
    assert_frame_equal(before, after)
    assert before["site"].unique().tolist() == ["s0", "s1", "s2"]


def test_forecasts_from_cutoffs_are_those_of_a_history_that_ends_there():
    df = table()
    cutoff = df["time"].max() - pd.Timedelta(hours=10)
    model = ridge(**LONG).fit(df)
    found = model.predict_cutoffs(6, df, [cutoff])["y_pred"]
    np.testing.assert_allclose(found, model.predict(6, history=df[df["time"] <= cutoff])["load"], rtol=1e-6)


def test_a_short_series_is_forecast_from_windows_that_begin_before_it():
    df = table(lengths=(200, 200, 12))
    found = ridge(**LONG).fit(df).predict_interval(6)
    assert np.isfinite(found["load"]).all() and len(found) == 18
    of_short = found[found["site"] == "s2"]["load"]
    assert of_short.between(300, 800).all()  # where the series is


def test_a_global_model_forecasts_series_that_it_never_saw():
    df = table()
    model = ridge(**LONG).fit(df[df["site"] != "s2"])
    new = df[df["site"] == "s2"].assign(site="new")
    found = model.predict_interval(6, history=new)
    assert found["site"].unique().tolist() == ["new"] and np.isfinite(found["load"]).all()
    assert found["load"].between(300, 800).all()
    updated = model.update(new).predict(6)
    np.testing.assert_array_equal(updated[updated["site"] == "new"]["load"], found["load"])


def test_a_local_model_refuses_series_that_it_never_saw():
    df = table()
    model = NaiveForecaster(target="load", **LONG).fit(df[df["site"] != "s2"])
    with pytest.raises(DataError, match="series 's2' were not in the data fitted.*a model for each series"):
        model.predict(3, history=df)


def test_new_rows_of_some_series_are_taken_in():
    df = table(lengths=(60, 60))
    model = NaiveForecaster(target="load", **LONG).fit(df.groupby("site").head(50))
    model.update(df[(df["site"] == "s0")].tail(10))
    found = model.predict(1).set_index("site")
    assert found.loc["s0", "load"] == df[df["site"] == "s0"]["load"].iloc[-1]
    assert found.loc["s1", "load"] == df[df["site"] == "s1"]["load"].iloc[49]


@pytest.mark.parametrize("make", [ridge, small_gru])
def test_few_windows_are_drawn_where_there_are_many(make):
    df = table()
    found = make(max_windows=50, **LONG).fit(df)
    assert np.isfinite(found.predict(6)["load"]).all()
    np.testing.assert_array_equal(plain(found.predict(6)), plain(make(max_windows=50, **LONG).fit(df).predict(6)))


def test_future_covariates_of_each_series_are_its_own():
    df = table(lengths=(120, 120))
    df["load"] = df["wind"] * 3 + df["site"].map({"s0": 10.0, "s1": -10.0})
    past, ahead = df.groupby("site").head(114), df.groupby("site").tail(6)
    model = RidgeForecaster(target="load", future_covariates="wind", window=12, horizon=6, **LONG).fit(past)
    np.testing.assert_allclose(model.predict(ahead.drop(columns="load"))["load"], ahead["load"], atol=0.05)
    with pytest.raises(DataError, match="series 's0': future covariates wind are needed"):
        model.predict(6)


# ---------------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda df: pd.concat([df, df.tail(3)]), "several rows for one series and time: series 's2' .3 row"),
        (lambda df: df.assign(site=df["site"].where(df.index != 5)), "1 row.s. of X do not say which series.*row 5"),
        (lambda df: df.assign(site=df["site"].astype(object).where(df.index > 5, 7)), "labels of several types"),
        (lambda df: df.assign(time=df["time"].where(df.index != 5)), "1 missing timestamps in its column 'time'"),
        (lambda df: df.drop(columns="time"), "'time' is not in the data"),
        (lambda df: df.assign(load="much"), "column 'load' is not numeric"),
        (lambda df: df.assign(load=df["load"].where(df["site"] != "s1")), "1 of 3 series cannot be forecast. 's1'"),
        (lambda df: df[(df["site"] != "s1") | (df["time"].dt.hour == 0)], "different frequencies: .*'s0', 's2'.*'s1'"),
    ],
)
def test_what_a_panel_may_not_be(change, message):
    with pytest.raises(DataError, match=message):
        ridge(**LONG).fit(change(table()))


def test_a_window_without_room_for_what_is_known_ahead_is_refused():
    with pytest.raises(DataError, match="window=3 is shorter than horizon=6: .* Use window=6 or more"):
        RidgeForecaster(target="load", future_covariates="wind", window=3, horizon=6, **LONG).fit(table())


def test_an_empty_table_is_refused():
    with pytest.raises(DataError, match="X has no rows"):
        ridge(**LONG).fit(table()[:0])


def test_the_score_of_a_table_is_that_of_its_rows_in_any_order():
    df = table()
    cutoff = df["time"].max() - pd.Timedelta(hours=6)
    model, ahead = ridge(**LONG).fit(df[df["time"] <= cutoff]), df[df["time"] > cutoff]
    expected = r2_score(ahead["load"], model.predict(ahead)["load"])
    assert model.score(ahead) == pytest.approx(expected)
    assert model.score(ahead.sample(frac=1, random_state=0)) == pytest.approx(expected)
    assert model.score(ahead.drop(columns="load"), ahead["load"]) == pytest.approx(expected)


def test_charts_and_inspection_say_that_they_look_at_one_series():
    df = table()
    model = small_gru(**LONG).fit(df)
    with pytest.raises(DataError, match="forecast has no time index .*Of many series draw one at a time"):
        plot_forecast(df[df["site"] == "s0"].set_index("time"), model.predict_interval(6))
    with pytest.raises(DataError, match="fitted on many series, and inspection looks at windows of one"):
        effective_memory(model)


def test_an_index_of_three_levels_is_refused():
    df = table().assign(land="x").set_index(["land", "site", "time"])
    with pytest.raises(DataError, match="index of 3 levels .land, site, time.; two are read"):
        ridge().fit(df)


def test_a_table_without_an_index_needs_the_column_of_time():
    with pytest.raises(DataError, match="polars, which has no index: name the column that holds the time, time_col="):
        ridge().fit(pl.from_pandas(table()))


@pytest.mark.parametrize("make", [ridge, small_gru, lambda **given: NaiveForecaster(target="load", **given)])
def test_bad_series_do_not_lose_good_ones(make):
    df = table()
    df.loc[df["site"] == "s1", "load"] = np.nan
    model = make(errors="report", **LONG).fit(df)
    assert model.problems_["series"].tolist() == ["s1"]
    assert "hold no observation" in model.problems_["problem"][0]
    good = make(**LONG).fit(df[df["site"] != "s1"])
    np.testing.assert_array_equal(plain(model.predict(3)), plain(good.predict(3)))


def test_one_series_of_a_long_table_is_a_panel_of_one():
    df = table(lengths=(150,))
    found = ridge(**LONG).fit(df).predict(3)
    alone = RidgeForecaster(window=24, horizon=6).fit(df.set_index("time")[["load"]]).predict(3)
    assert list(found.columns) == ["site", "time", "load"]
    np.testing.assert_array_equal(found["load"], alone["load"])


# ---------------------------------------------------------------------- files


@pytest.mark.parametrize("make", [ridge, small_gru, *(lambda cls=cls, **g: cls(target="load", **g) for cls in LOCAL)])
def test_a_model_of_many_series_comes_back_from_a_file_and_a_pickle(make, tmp_path):
    df = table()
    model = make(**LONG).fit(df)
    model.save(tmp_path / "model.tsrnn")
    expected = model.predict_interval(5)
    for back in (load(tmp_path / "model.tsrnn"), pickle.loads(pickle.dumps(model))):
        assert_frame_equal(back.predict_interval(5), expected)
        later = df.groupby("site").tail(1).assign(time=lambda rows: rows["time"] + pd.Timedelta(hours=1))
        assert_frame_equal(back.update(later).predict(2), make(**LONG).fit(df).update(later).predict(2))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: replace(m, starts=m.starts[::-1].copy()), "starts does not ascend"),
        (lambda m: replace(m, starts=m.starts[:-1]), "starts is no array of 4 integers"),
        (lambda m: replace(m, which=m.which + 1), "which names a grid that is none"),
        (lambda m: replace(m, ids=pd.Index(["a", "a", "b"])), "ids do not name series"),
        (lambda m: replace(m, stamps=m.stamps[:-1]), "frame and stamps differ"),
        (lambda m: replace(m, learnt=m.learnt | {"regressor_": [1, 2, 3]}), "regressor_ is 1, where"),
        (lambda m: replace(m, learnt=m.learnt | {"evil": [1, 2, 3]}), "learnt holds what no series has"),
        (lambda m: replace(m, learnt=m.learnt | {"scale_": -m.learnt["scale_"]}), "not positive"),
        (lambda m: replace(m, learnt=m.learnt | {"mean_": m.learnt["mean_"][:, :0]}), "mean_ has shape"),
    ],
)
def test_a_file_whose_series_do_not_fit_is_refused(change, message, tmp_path):
    model = ridge(**LONG).fit(table())
    model.members_ = change(model.members_)
    with pytest.raises(ArchiveError, match=message):
        model.save(tmp_path / "model.tsrnn")
