"""Trivial forecasts in the place of networks that do not beat them."""

import dataclasses
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from recurrent_examples import FAST, FORECASTERS, noise_around, walk

from tsrnn.exceptions import ArchiveError
from tsrnn.forecasters import GRUForecaster, LSTMForecaster, NaiveForecaster, SeasonalNaiveForecaster
from tsrnn.persistence import load


def repeated_days(n=1500, seed=0):
    """A day of random values, over and over, with noise: hardly smooth, so that only the day before helps."""
    rng = np.random.default_rng(seed)
    values = np.tile(10 * rng.normal(size=24), -(-n // 24))[:n] + 0.1 * rng.normal(size=n).cumsum()
    return pd.DataFrame({"y": values}, pd.date_range("2024-01-01", periods=n, freq="h"))


def around_zero(n=1200):
    """Noise whose mean is 0.03, as chance would have it, and exactly balanced around 0 in the validation part."""
    values = np.random.default_rng(0).normal(size=n)
    split = int(0.79 * n)
    values[:split] += 0.03 - values[:split].mean()
    values[split + 1 :: 2] = -values[split:-1:2]
    return pd.DataFrame({"y": values}, pd.date_range("2020-01-01", periods=n, freq="D"))


FALLEN = {
    # name of the trivial forecast -> data, window, and what it forecasts from the last rows
    "last value": (walk(1500, seed=1).rename(columns={"price": "y"}), 12, lambda df: df["y"].iloc[-1]),
    "season": (repeated_days(), 48, lambda df: df["y"].iloc[-24:-21]),
    "mean": (noise_around(5.0), 14, lambda df: df["y"].mean()),
    "zero": (around_zero(), 14, lambda df: 0.0),
}


@pytest.mark.parametrize("forecaster", FORECASTERS)
@pytest.mark.parametrize("name", FALLEN)
def test_networks_that_do_not_beat_a_trivial_forecast_leave_it_to_that(name, forecaster):
    df, window, expected = FALLEN[name]
    model = forecaster(window=window, horizon=3, linear=False, **FAST).fit(df)
    assert (model.trivial_, model.fallback_, model.beats_last_value_) == (name, name, False)
    np.testing.assert_allclose(model.forecast()["y"], expected(df), rtol=1e-12)
    words = {"last value": "the last value", "season": "the last season", "mean": "the mean", "zero": "zero"}
    assert model.summary()["layer"].iloc[-2] == f"not used: the forecast is {words[name]}"
    assert model.history_["val_loss"] and model.n_parameters_ == model.summary()["parameters"].iloc[-1]


@pytest.mark.parametrize("name", FALLEN)
def test_a_trivial_forecast_has_intervals_backtests_files_and_goes_on(name, tmp_path):
    df, window, expected = FALLEN[name]
    model = GRUForecaster(window=window, horizon=3, linear=False, loss="gaussian", **FAST).fit(df[:-5])
    assert model.fallback_ == name
    band = model.predict_interval(8, coverage=0.8)
    assert ((band["y_lower_80"] < band["y"]) & (band["y"] < band["y_upper_80"])).all()
    # held-out errors: those of the trivial forecast on the last fifth of the windows
    cutoffs = df.index[model._training_cutoffs(df[:-5].to_numpy())]
    held = cutoffs[-int(0.2 * len(cutoffs)) :]
    out = model.predict_cutoffs(1, df, held)
    errors = df["y"].loc[out["ds"]].to_numpy() - out["y_pred"].to_numpy()
    low, high = (band[column].iloc[0] - band["y"].iloc[0] for column in ("y_lower_80", "y_upper_80"))
    np.testing.assert_allclose([low, high], np.quantile(errors, [0.1, 0.9]), atol=0.1 * errors.std())
    model.update(df[-5:])
    if name != "mean":  # the mean is that of the rows fitted
        np.testing.assert_allclose(model.forecast()["y"], expected(df), rtol=1e-12)
    model.save(tmp_path / "model.tsrnn")
    again = load(tmp_path / "model.tsrnn")
    assert (again.trivial_, again.fallback_, again.network_share_) == (name, name, model.network_share_)
    pd.testing.assert_frame_equal(again.predict_interval(30), model.predict_interval(30))
    pd.testing.assert_frame_equal(again.summary(), model.summary())
    pd.testing.assert_frame_equal(pickle.loads(pickle.dumps(model)).forecast(30), model.forecast(30))


def test_the_trivial_forecast_of_several_targets_is_one_for_all():
    df = around_zero().assign(z=noise_around(50.0, seed=4)["y"])
    model = GRUForecaster(window=14, horizon=2, **FAST).fit(df)
    assert model.fallback_ == "mean"  # zero is out of the question for z
    np.testing.assert_allclose(model.forecast(), np.tile(df.mean(), (2, 1)))
    together = GRUForecaster(window=14, horizon=2, shared=False, **FAST).fit(df)
    pd.testing.assert_frame_equal(together.forecast(), model.forecast())


def test_the_best_trivial_forecast_is_that_of_the_validation_part_with_gaps_in_it():
    df = repeated_days().assign(other=lambda frame: 5 - 2 * frame["y"].shift(24, fill_value=0.0))
    df = df.mask(np.random.default_rng(1).random(df.shape) < 0.1)
    model = GRUForecaster(window=48, horizon=3, linear=False, **FAST).fit(df)
    assert model.fallback_ == "season"
    values, held = df.to_numpy(), df.index[-300:-3]
    rows = df.index.get_indexer(held)[:, None] + np.arange(1, 4)
    error = {}
    for name, baseline in (("last value", NaiveForecaster()), ("season", SeasonalNaiveForecaster())):
        ahead = baseline.fit(df).predict_cutoffs(3, df, held)["y_pred"].to_numpy().reshape(-1, 3, 2)
        error[name] = np.nanmean(np.abs(ahead - values[rows]))
    assert error["season"] < error["last value"]
    np.testing.assert_allclose(model.forecast(), SeasonalNaiveForecaster().fit(df).forecast(3))


def hours_of_a_clock(start, n=1500, tz="Europe/Berlin"):
    """`repeated_days` by the wall clock: 08:00 repeats 08:00, also where a day has 23 or 25 hours."""
    index = pd.date_range(start, periods=n, freq="h", tz=tz)
    values = 10 * np.random.default_rng(0).normal(size=24)[index.hour]
    return pd.DataFrame({"y": values + 0.1 * np.random.default_rng(1).normal(size=n).cumsum()}, index)


@pytest.mark.parametrize("change", ["2024-03-31", "2024-10-27"])
def test_the_season_in_the_place_of_networks_follows_the_wall_clock(change):
    change = pd.Timestamp(change, tz="Europe/Berlin")
    df = hours_of_a_clock(change - pd.Timedelta(hours=1500 - 10))  # ends ten hours after midnight: the clocks changed
    model = GRUForecaster(window=48, horizon=3, linear=False, **FAST).fit(df)
    naive = SeasonalNaiveForecaster().fit(df)
    assert model.fallback_ == "season"
    pd.testing.assert_frame_equal(model.forecast(30), naive.forecast(30))
    cutoffs = df.index[-40:-30]
    pd.testing.assert_frame_equal(model.predict_cutoffs(30, df, cutoffs), naive.predict_cutoffs(30, df, cutoffs))
    pd.testing.assert_frame_equal(model.predict(df[-50:]), naive.predict(df[-50:]))
    # Past errors are those of the clock as well: none of them is as large as the steps between hours.
    band = model.predict_interval(30)
    assert (band["y_upper_90"] - band["y_lower_90"]).max() < 3
    again = model.fit(df)  # the second fit starts as the first did
    pd.testing.assert_frame_equal(again.predict_interval(30), band)


def test_the_season_is_weighed_by_the_wall_clock_before_it_takes_the_place_of_networks():
    change = pd.Timestamp("2024-10-27", tz="Europe/Berlin")
    index = hours_of_a_clock(change - pd.Timedelta(hours=1400)).index
    day = 10 * np.random.default_rng(0).normal(size=24)
    df = pd.DataFrame({"y": day[index.hour]}, index)
    model = GRUForecaster(window=48, horizon=3, linear=False, **FAST).fit(df)
    assert model.fallback_ == "season"
    np.testing.assert_array_equal(model.predict_interval(24), np.repeat(model.forecast(24).to_numpy(), 3, axis=1))


def test_a_season_that_no_window_holds_is_no_candidate():
    model = GRUForecaster(window=20, horizon=3, linear=False, **FAST).fit(repeated_days())
    assert model.trivial_ != "season"


def test_networks_on_uncentred_windows_are_tested_too():
    model = GRUForecaster(window=14, horizon=3, level=None, **FAST).fit(noise_around(5.0))
    assert model.fallback_ == "mean"


def test_files_of_before_say_what_they_can():
    folder = Path(__file__).parent / "data" / "archives_0.1.0"
    fallen, used = (load(folder / f"LSTMForecaster-stopped{name}.tsrnn") for name in ("-last-value", ""))
    assert (fallen.trivial_, fallen.fallback_, fallen.network_share_) == ("last value", "last value", 0.0)
    assert fallen.summary()["layer"].iloc[-2] == "not used: the forecast is the last value"
    assert (used.trivial_, used.fallback_, used.network_share_) == ("last value", None, None)
    assert used.summary()["layer"].iloc[-2] == "share of the networks: not measured"


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("mean", {"constant": np.zeros(3)}),
        ("mean", {"constant": None}),
        ("mean", {"constant": np.array([np.nan])}),
        ("season", {"season": 49}),
        ("season", {"season": 1}),
        ("last value", {"season": 0}),
        ("last value", {"name": "the moon"}),
        ("last value", {"name": "season"}),
    ],
    ids=str,
)
def test_a_file_with_a_trivial_forecast_that_cannot_be_is_refused(name, change, tmp_path, monkeypatch):
    df, window, _ = FALLEN[name]
    model = GRUForecaster(window=window, horizon=3, linear=False, **FAST).fit(df)
    model.regressor_ = dataclasses.replace(model.regressor_, **change)
    monkeypatch.setattr(GRUForecaster, "_check_state", lambda model: None)
    model.save(tmp_path / "model.tsrnn")
    monkeypatch.undo()
    with pytest.raises(ArchiveError, match=r"season of|constant of|trivial forecast"):
        load(tmp_path / "model.tsrnn")


@pytest.mark.parametrize("seed", [0, 1])
def test_returns_are_never_left_to_the_last_value(seed):
    """A GARCH-like series: the size of returns can be told from the past, their sign cannot."""
    rng, size, returns = np.random.default_rng(seed), 0.01, []
    for _ in range(1500):
        returns.append(size * rng.normal())
        size = np.sqrt(1e-6 + 0.1 * returns[-1] ** 2 + 0.88 * size**2)
    df = pd.DataFrame({"return": returns}, pd.bdate_range("2015-01-01", periods=1500))
    model = LSTMForecaster(**FAST).fit(df)
    assert model.fallback_ in ("zero", "mean")
    assert abs(model.forecast().to_numpy()).max() < 0.1 * df["return"].std()
