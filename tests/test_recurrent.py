"""Recurrent forecasters: what they learn, what reaches them, and scikit-learn's own search over them."""

import dataclasses
import pickle
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit

from tsrnn.datasets import load_jfk_weather
from tsrnn.exceptions import ArchiveError, CapacityWarning, DataError, SilentNetworkWarning
from tsrnn.forecasters import (
    GRUForecaster,
    LSTMForecaster,
    NaiveForecaster,
    RidgeForecaster,
    SeasonalNaiveForecaster,
    SimpleRNNForecaster,
)
from tsrnn.forecasters.ensemble import window_scale
from tsrnn.forecasters.networks import batch_size_for
from tsrnn.forecasters.window_length import segment_for
from tsrnn.persistence import load
from tsrnn.windows import WindowArray

FORECASTERS = [LSTMForecaster, GRUForecaster, SimpleRNNForecaster]
QUICK = {"units": 4, "epochs": 3, "random_state": 0}


def wave(n=400, noise=0.05):
    index = pd.date_range("2024-01-01", periods=n, freq="h")
    rng = np.random.default_rng(0)
    values = 20 + 5 * np.sin(np.arange(n) * 2 * np.pi / 24) + noise * rng.normal(size=n)
    return pd.DataFrame({"load": values, "x": rng.normal(size=n)}, index=index)


def walk(n=2_500, seed=0):
    steps = np.random.default_rng(seed).normal(size=n)
    return pd.DataFrame({"price": steps.cumsum()}, index=pd.date_range("2024-01-01", periods=n, freq="h"))


@pytest.mark.parametrize("forecaster", FORECASTERS)
def test_beats_persistence_on_a_sine(forecaster):
    df = wave(700)
    model = forecaster("load", window=48, horizon=12, units=8, epochs=40, learning_rate=1e-2, random_state=0)
    model.fit(df[:600])
    cutoffs = df.index[600:680:7]
    truth = df["load"].loc[model.predict_cutoffs(12, df, cutoffs)["ds"]].to_numpy()

    def error(fitted):
        return np.abs(fitted.predict_cutoffs(12, df, cutoffs)["y_pred"] - truth).mean()

    assert error(model) < 0.25 * error(NaiveForecaster("load").fit(df[:600]))


@pytest.mark.parametrize("forecaster", FORECASTERS)
def test_the_last_observation_reaches_the_first_step(forecaster):
    """On a random walk with unit steps the best step 1 has RMSE 1; without the last 23 values it would have 4.9."""
    df = walk()
    model = forecaster("price", window=48, horizon=24, units=16, epochs=5, early_stopping=False, random_state=0)
    model.fit(df[:2_000])
    out = model.predict_cutoffs(24, df, df.index[2_000:2_470])
    errors = out["y_pred"].to_numpy() - df["price"].loc[out["ds"]].to_numpy()
    rmse = np.sqrt(pd.Series(errors**2).groupby(out["step"].to_numpy()).mean())
    assert rmse[1] < 1.15
    assert rmse[24] > 3


def test_a_random_walk_is_left_to_the_last_value():
    df = walk()
    model = LSTMForecaster(window=24, horizon=6, units=8, random_state=0).fit(df)
    assert model.beats_last_value_ is False
    np.testing.assert_allclose(model.forecast()["price"], df["price"].iloc[-1], rtol=1e-6)


def test_what_can_be_learnt_is_kept():
    model = LSTMForecaster("load", window=24, horizon=6, units=8, epochs=10, learning_rate=1e-2, random_state=0)
    assert model.fit(wave(1_500)).beats_last_value_ is True


# -- trivial forecasts in the place of networks ----------------------------------------------------------------------

FAST = {"units": 4, "epochs": 4, "random_state": 0}


def noise_around(level, n=1200, seed=0, freq="D"):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"y": level + rng.normal(size=n)}, pd.date_range("2020-01-01", periods=n, freq=freq))


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


# -- what networks add -----------------------------------------------------------------------------------------------


def test_the_share_of_networks_is_that_of_their_absolute_forecasts_on_the_validation_part():
    df = wave(1200, noise=5.0)[["load"]]
    model = GRUForecaster(window=24, horizon=4, refit=False, units=8, epochs=8, learning_rate=0.01, random_state=0)
    model.fit(df)
    windows, _ = held_out(model, df)
    one, other = model.regressor_.parts
    linear = np.asarray(windows)[..., 0] @ one.linear.coef + one.linear.intercept
    added = (one.predict(windows) - linear + other.predict(windows)) / 2
    expected = np.abs(added).sum() / (np.abs(added).sum() + np.abs(linear / 2).sum())
    assert model.network_share_ == pytest.approx(expected, rel=1e-4)
    assert 0.2 < expected < 0.8
    assert model.summary()["layer"].iloc[-2] == f"share of the networks: {100 * expected:.0f} %"


def test_without_a_validation_part_the_share_is_that_on_the_training_windows():
    df = wave(150)[["load"]]
    model = GRUForecaster(window=24, horizon=4, units=8, epochs=8, linear=True, random_state=0).fit(df)
    windows = model._examples(df.to_numpy(), model._training_cutoffs(df.to_numpy())).windows
    (part,) = model.regressor_.parts
    linear = part.linear.predict(windows)
    added = np.abs(part.predict(windows) - linear).sum()
    assert model.network_share_ == pytest.approx(added / (added + np.abs(linear).sum()), rel=1e-4)


@pytest.mark.parametrize("linear", ["auto", True])
@pytest.mark.parametrize("change", [{"learning_rate": 1e-9}, {"epochs": 1, "learning_rate": 1e-30}], ids=str)
def test_a_network_that_learns_nothing_beyond_its_ridge_regression_says_so(linear, change):
    df = wave(1200)[["load"]]  # noiseless almost: a ridge regression forecasts it as well as can be
    model = GRUForecaster(window=48, horizon=6, linear=linear, **FAST | change)
    with pytest.warns(SilentNetworkWarning, match="nothing to the ridge.*epochs.*learning_rate") as said:
        model.fit(df)
    assert said[0].filename == __file__
    assert model.fallback_ is None and model.network_share_ < 1e-4
    np.testing.assert_allclose(model.forecast(), RidgeForecaster(window=48, horizon=6).fit(df).forecast(), rtol=1e-5)


def test_a_head_of_zeros_has_a_share_of_exactly_nothing():
    model = GRUForecaster(window=48, horizon=6, linear=True, **FAST | {"learning_rate": 1e-30}).fit(
        wave(1200)[["load"]]
    )
    assert model.network_share_ == 0.0


def test_a_silent_network_whose_ridge_regression_is_no_better_names_both():
    with pytest.warns(SilentNetworkWarning, match="ridge regression.*not clearly better than the mean"):
        GRUForecaster(window=14, horizon=2, linear=True, **FAST | {"learning_rate": 1e-30}).fit(noise_around(5.0))


def test_a_network_that_learns_or_falls_back_after_learning_says_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = LSTMForecaster("load", window=24, horizon=6, units=8, epochs=10, learning_rate=1e-2, random_state=0)
        assert model.fit(wave(1_500, noise=1.0)).network_share_ > 0.2
        assert GRUForecaster(window=12, linear=False, **FAST).fit(noise_around(5.0)).fallback_ == "mean"


def test_candidates_of_a_search_that_tie_say_so_once():
    df = wave(400)
    search = GridSearchCV(
        GRUForecaster("load", window=24, horizon=6, linear=True, **FAST | {"learning_rate": 1e-30}),
        {"units": [2, 4], "epochs": [1, 2]},
        cv=TimeSeriesSplit(2, test_size=24),
    )
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("default")
        search.fit(df[[]], df["load"])
    silent = [str(one.message) for one in said if issubclass(one.category, SilentNetworkWarning)]
    assert len(set(silent)) == 1 and "Candidates of a search that differ in the network alone would tie" in silent[0]
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], search.best_score_, rtol=1e-6)


class TestSearch:
    def test_grid_search_scores_true_forecasts(self):
        df = wave(240)
        search = GridSearchCV(
            LSTMForecaster("load", window=24, horizon=24, epochs=2, random_state=0),
            {"units": [2, 4], "learning_rate": [1e-3, 1e-2]},
            cv=TimeSeriesSplit(3, test_size=24),
            error_score="raise",
        ).fit(df[[]], df["load"])
        by_hand = []
        for train, test in TimeSeriesSplit(3, test_size=24).split(df):
            best = clone(search.estimator).set_params(**search.best_params_)
            best.fit(df[[]].iloc[train], df["load"].iloc[train])
            by_hand.append(best.score(df[[]].iloc[test], df["load"].iloc[test]))
        assert search.best_score_ == pytest.approx(np.mean(by_hand), abs=1e-6)
        assert search.best_estimator_.forecast().index[0] == df.index[-1] + pd.Timedelta(hours=1)

    def test_no_row_after_the_cutoff_of_a_fold_changes_its_forecast(self):
        df = wave(240)

        def forecasts(frame):
            out = []
            for train, test in TimeSeriesSplit(3, test_size=24).split(frame):
                model = LSTMForecaster("load", window=24, horizon=24, **QUICK)
                model.fit(frame[[]].iloc[train], frame["load"].iloc[train])
                out.append(model.predict(frame[[]].iloc[test]).to_numpy())
            return out

        plain = forecasts(df)
        for fold, (train, _) in enumerate(TimeSeriesSplit(3, test_size=24).split(df)):
            changed = df.copy()
            changed.iloc[train[-1] + 1 :] = -1e3
            np.testing.assert_array_equal(forecasts(changed)[fold], plain[fold])


class TestState:
    def test_same_seed_same_forecast(self):
        one, two = (LSTMForecaster("load", window=24, horizon=3, **QUICK).fit(wave()).forecast() for _ in range(2))
        pd.testing.assert_frame_equal(one, two)

    def test_refitting_starts_from_new_weights(self):
        model = LSTMForecaster("load", window=24, horizon=3, **QUICK).fit(wave())
        before = model.forecast()
        pd.testing.assert_frame_equal(model.fit(wave()).forecast(), before)

    def test_pickle_keeps_the_forecast(self):
        model = GRUForecaster("load", window=24, horizon=3, **QUICK).fit(wave())
        pd.testing.assert_frame_equal(pickle.loads(pickle.dumps(model)).forecast(), model.forecast())

    def test_keras_model_agrees(self):
        df = wave()
        options = {"linear": False, "normalize": False, "early_stopping": False, **QUICK}
        model = LSTMForecaster("load", window=24, horizon=3, **options).fit(df)
        scaled = ((df[["load"]].to_numpy()[-24:] - model.mean_) / model.scale_)[None]
        level = scaled[:, -1:, 0]
        steps = np.asarray(model.model_((scaled - level[..., None]).astype("float32"))) + level
        np.testing.assert_allclose(steps[0] * model.scale_ + model.mean_, model.forecast()["load"], rtol=1e-5)

    def test_exported_network_is_the_model(self, tmp_path):
        forecaster = LSTMForecaster("load", window=24, horizon=3, **QUICK)
        with pytest.raises(NotFittedError):
            forecaster.export_keras(tmp_path / "network.keras")
        forecaster.fit(wave()).export_keras(tmp_path / "network.keras")
        network = pytest.importorskip("keras").saving.load_model(tmp_path / "network.keras")
        for exported, weight in zip(network.get_weights(), forecaster.regressor_.networks[0].weights_, strict=True):
            np.testing.assert_array_equal(exported, weight)

    def test_nothing_is_printed_at_verbose_0(self, capfd):
        LSTMForecaster("load", window=24, horizon=3, **QUICK).fit(wave()).forecast()
        assert capfd.readouterr() == ("", "")


def test_a_gap_is_a_missing_value_and_no_seam():
    df = wave(300).drop(index=wave(300).index[[100, 101, 180]])
    model = LSTMForecaster("load", window=24, horizon=6, **QUICK).fit(df)
    assert np.isfinite(model.predict(6, history=df[:110])).all().all()
    assert model.regressor_.networks[0]._spec.n_inputs == 2 * 1 * 1  # the value, and where it is missing


def test_a_gap_at_the_very_end_of_the_history_is_forecast_from():
    df = wave(300)[["load"]]
    df.iloc[-2:] = np.nan
    model = LSTMForecaster(window=24, horizon=6, **QUICK).fit(df)
    assert np.isfinite(model.forecast()).all().all()


def test_a_gap_that_no_training_window_holds_is_still_a_missing_value():
    df = wave(300)[["load"]]
    df.iloc[-7:] = np.nan  # no window before it is followed by anything observed
    assert np.isfinite(LSTMForecaster(window=24, horizon=6, **QUICK).fit(df).forecast()).all().all()


def test_a_history_without_an_observation_in_the_window_is_refused():
    df = wave(300)[["load"]]
    model = LSTMForecaster(window=24, horizon=6, **QUICK).fit(df)
    df.iloc[-24:] = np.nan
    with pytest.raises(DataError, match="load hold no observation in the 24 rows up to the cutoff"):
        model.predict(6, history=df)


@pytest.mark.parametrize("name", ["segment", "validation_fraction", "dropout"])
def test_parameters_are_checked_before_they_are_used(name):
    with pytest.raises((TypeError, ValueError), match=f"{name} must be"):
        LSTMForecaster("load", window=24, **{name: "big"}).fit(wave(100))


def test_a_gap_that_training_did_not_have_is_refused_with_the_fix():
    df = wave(300)
    model = LSTMForecaster("load", window=24, horizon=6, **QUICK).fit(df)
    with pytest.raises(ValueError, match="missing_indicator=True"):
        model.predict(6, history=df.drop(index=df.index[290]))


def test_targets_and_covariates_in_one_network():
    df = wave(300).assign(second=lambda frame: -frame["load"])
    model = LSTMForecaster(["load", "second"], window=24, horizon=6, future_covariates=["x"], **QUICK)
    model.fit(df[:280])
    out = model.predict(df[["x"]].iloc[280:286])
    assert out.shape == (6, 2) and list(out.columns) == ["load", "second"]
    with pytest.raises(DataError, match="missing timestamps"):
        model.forecast()


@pytest.mark.parametrize(("window", "segment"), [(1, 1), (20, 5), (24, 6), (96, 24), (97, 1), (168, 42), (192, 48)])
def test_a_window_is_read_in_at_least_four_steps(window, segment):
    assert segment_for(window) == segment


@pytest.mark.parametrize(("n_windows", "size"), [(1, 16), (500, 16), (3_000, 32), (12_000, 128), (10**6, 512)])
def test_an_epoch_has_about_a_hundred_steps_within_limits(n_windows, size):
    assert batch_size_for(n_windows) == size


@pytest.mark.parametrize(("n_rows", "units", "warns"), [(200, 64, True), (200, "auto", False), (900, 64, False)])
def test_a_width_given_is_warned_of_where_no_validation_part_watches_over_it(n_rows, units, warns):
    model = LSTMForecaster("load", window=24, horizon=3, units=units, epochs=1, random_state=0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", CapacityWarning)
        model.fit(wave(n_rows))
    assert any(issubclass(warning.category, CapacityWarning) for warning in caught) is warns


def test_default_beats_naive_on_real_weather_with_gaps():
    df = load_jfk_weather().iloc[:3_000]
    model = GRUForecaster("temp", horizon=24, epochs=8, random_state=0).fit(df[:2_760])
    cutoffs = df.index[2_760:2_970:24]
    truth = df["temp"].reindex(model.predict_cutoffs(24, df, cutoffs)["ds"]).to_numpy()
    naive = NaiveForecaster("temp").fit(df[:2_760])
    error = [np.nanmean(abs(m.predict_cutoffs(24, df, cutoffs)["y_pred"] - truth)) for m in (model, naive)]
    assert error[0] < error[1]


# -- quantiles from the network --------------------------------------------------------------------------------------

DISTRIBUTIONS = ["gaussian", "student_t", "pinball"]


def autoregression(n=3000, sigma=2.0, seed=0, noise=None):
    """50 + y with y_t = 0.6 y_{t-1} + e_t; e is normal with deviation sigma."""
    e = sigma * np.random.default_rng(seed).normal(size=n) * (1 if noise is None else noise)
    y = np.zeros(n)
    for t in range(1, n):
        y[t] = 0.6 * y[t - 1] + e[t]
    return pd.DataFrame({"y": y + 50}, index=pd.date_range("2024-01-01", periods=n, freq="h"))


@pytest.mark.parametrize("loss", DISTRIBUTIONS)
def test_intervals_of_the_network_cover_what_they_say(loss):
    df = autoregression()
    options = {"level": None, "learning_rate": 3e-3, "epochs": 30, "units": 8, "random_state": 0}
    model = GRUForecaster("y", window=12, horizon=3, loss=loss, **options).fit(df[:2000])
    assert model.beats_last_value_
    out = model.predict_cutoffs(3, df, df.index[2000:2990], coverage=0.8)
    y = df["y"].loc[out["ds"]].to_numpy()
    inside = ((out["lower_80"] <= y) & (y <= out["upper_80"])).groupby(out["step"]).mean()
    width = (out["upper_80"] - out["lower_80"]).groupby(out["step"]).mean()
    deviation = 2 * np.sqrt(np.cumsum(0.36 ** np.arange(3)))  # of the error 1, 2, 3 steps ahead
    np.testing.assert_allclose(inside, 0.8, atol=0.05)
    np.testing.assert_allclose(width, 2 * 1.2816 * deviation, rtol=0.15)


def test_intervals_of_the_network_follow_the_noise_of_the_day():
    hours = np.arange(4000) % 24
    loud = hours >= 12
    df = autoregression(4000, noise=np.where(loud, 3.0, 0.5)).assign(loud=loud.astype(float))
    model = GRUForecaster(
        "y", window=12, future_covariates=["loud"], units=8, loss="gaussian", learning_rate=3e-3, random_state=0
    )
    model.fit(df[:3000])
    out = model.predict_cutoffs(1, df, df.index[3000:3900], coverage=0.8)
    y = df["y"].loc[out["ds"]].to_numpy()
    inside = (out["lower_80"] <= y) & (y <= out["upper_80"])
    width = out["upper_80"] - out["lower_80"]
    of_day = df["loud"].loc[out["ds"]].to_numpy() > 0
    np.testing.assert_allclose([inside[of_day].mean(), inside[~of_day].mean()], 0.8, atol=0.1)
    assert width[of_day].mean() > 3 * width[~of_day].mean()  # 6 with the true deviations


@pytest.mark.parametrize("loss", DISTRIBUTIONS)
def test_quantiles_of_the_network_are_unscaled_and_ordered_about_the_forecast(loss):
    df = wave(300).assign(other=lambda frame: 1000 - 50 * frame["load"])
    targets = ["load", "other"]
    model = LSTMForecaster(targets, window=24, horizon=4, loss=loss, linear=True, **QUICK).fit(df)
    frame = model.predict_quantiles(quantiles=(0.1, 0.5, 0.9))
    for name in targets:
        low, middle, high = (frame[f"{name}_q{percent}"] for percent in (10, 50, 90))
        assert (low <= middle).all() and (middle <= high).all()
        np.testing.assert_allclose(middle, model.forecast()[name], rtol=1e-6)
    interval = model.predict_interval()
    np.testing.assert_allclose(interval[targets], model.forecast(), rtol=1e-12)
    # the network's own numbers: the window scaled and centred on its last value, scaled and moved back by hand
    last = df[targets].to_numpy()[-24:]
    scaled = (last - model.mean_) / model.scale_
    windows = (scaled - scaled[-1]).T[:, :, None]  # one for each target
    (part,) = model.regressor_.parts
    raw = part.networks[0].predict_quantiles(windows, [0.9])[..., 0]
    rest = windows[..., 0] @ part.linear.coef + part.linear.intercept
    expected = ((raw + rest).T + scaled[-1]) * model.scale_ + model.mean_
    np.testing.assert_allclose(frame[[f"{name}_q90" for name in targets]], expected, rtol=1e-5)


def test_a_network_that_fell_back_has_intervals_from_errors():
    df = walk(3000)
    fallen = LSTMForecaster("price", window=12, loss="gaussian", random_state=0, epochs=5, units=4).fit(df)
    assert fallen.beats_last_value_ is False
    interval = fallen.predict_interval(coverage=0.8)
    assert interval["price"].iloc[0] == pytest.approx(df["price"].iloc[-1], rel=1e-6)
    low, high = np.quantile(np.diff(df["price"])[-600:], [0.1, 0.9])
    np.testing.assert_allclose(interval.iloc[0, 1:] - interval["price"].iloc[0], [low, high], atol=0.1)


def test_steps_beyond_the_horizon_have_intervals_from_errors():
    df = autoregression(500)
    model = GRUForecaster("y", window=12, horizon=2, loss="gaussian", **QUICK).fit(df)
    narrow, wide = model.predict_interval(2), model.predict_interval(6)
    assert not hasattr(GRUForecaster("y", window=12, horizon=2, loss="gaussian", **QUICK).fit(df), "residuals_")
    assert model.residuals_.shape[1] == 6
    assert len(narrow) == 2 and len(wide) == 6


def test_fitted_rows_before_the_first_window_have_intervals_too():
    df = autoregression(300)
    model = GRUForecaster("y", window=12, loss="student_t", **QUICK).fit(df)
    bands = model.predict_interval(df.index)
    assert np.isfinite(bands.to_numpy()).all()
    assert (bands["y_lower_90"] < bands["y_upper_90"]).all()
    alone = model.predict_interval(df.index[100:120])
    np.testing.assert_allclose(bands.iloc[100:120], alone, rtol=1e-5)


def test_pinball_answers_the_default_questions_and_names_the_levels_it_knows():
    model = GRUForecaster("load", window=24, loss="pinball", **QUICK).fit(wave(200))
    assert model.predict_interval().shape == (1, 3) and model.predict_quantiles().shape == (1, 3)
    with pytest.raises(ValueError, match=r"not learnt the quantile\(s\) \[0\.25\], only \[0\.05, 0\.1, 0\.5"):
        model.predict_quantiles(quantiles=(0.25, 0.5))


def test_a_single_high_quantile_is_not_measured_against_the_last_value():
    df = autoregression(1500)
    model = GRUForecaster("y", window=12, loss="pinball", quantiles=(0.9,), units=4, epochs=20, random_state=0)
    model.fit(df[:1200])
    assert model.beats_last_value_ is None
    out = model.predict_cutoffs(1, df, df.index[1200:1499])
    assert (df["y"].loc[out["ds"]].to_numpy() < out["y_pred"]).mean() == pytest.approx(0.9, abs=0.06)


# -- the linear part, members and shared networks --------------------------------------------------------------------


def test_training_starts_at_the_linear_forecast_and_keeps_it_where_nothing_learnt_is_better():
    df = wave(1200)[["load"]]
    options = {"window": 48, "horizon": 6, "random_state": 0, "units": 4, "epochs": 3}
    model = GRUForecaster(linear=True, learning_rate=1e-12, **options).fit(df[:1000])
    windows, level = model._windows(model._scaled(df.to_numpy()), np.arange(1000, 1190))
    steps = model.regressor_.parts[0].linear.predict(windows) + level
    forecast = model.predict_cutoffs(6, df, df.index[1000:1190])["y_pred"].to_numpy().reshape(-1, 6)
    np.testing.assert_allclose(forecast, steps * model.scale_ + model.mean_, rtol=1e-5)
    without = GRUForecaster(linear=False, **options).fit(df[:1000])
    assert without.stopped_.parts[0].linear is None
    truth = df["load"].to_numpy()[np.arange(1000, 1190)[:, None] + np.arange(1, 7)]
    error = [
        np.abs(m.predict_cutoffs(6, df, df.index[1000:1190])["y_pred"].to_numpy().reshape(-1, 6) - truth).mean()
        for m in (model, without)
    ]
    assert error[0] < error[1]


def test_members_differ_and_are_averaged():
    df = wave(700)[["load"]]
    options = {"window": 24, "horizon": 4, "linear": False, "units": 4, "epochs": 3, "random_state": 0}
    options |= {"normalize": False, "early_stopping": False}
    model = GRUForecaster(n_members=3, **options).fit(df)
    members = model.regressor_.networks
    windows, level = model._windows(model._scaled(df.to_numpy()), np.array([699]))
    each = [member.predict(windows) for member in members]
    assert len(members) == 3 and not np.allclose(each[0], each[1])
    expected = (np.mean(each, axis=0) + level) * model.scale_ + model.mean_
    np.testing.assert_allclose(model.forecast()["load"], expected[0], rtol=1e-6)
    assert model.n_parameters_ == sum(weights.size for member in members for weights in member.weights_)
    first = GRUForecaster(n_members=1, **options).fit(df)
    np.testing.assert_array_equal(first.regressor_.networks[0].weights_[0], members[0].weights_[0])
    with pytest.raises(ValueError, match="n_members must be"):
        GRUForecaster(n_members=0, **options).fit(df)


def test_two_networks_are_averaged_unless_one_is_clearly_better():
    df = wave(1200)[["load"]]
    options = {"window": 48, "horizon": 6, "random_state": 0, "units": 8, "epochs": 5, "refit": False}
    linear_alone = GRUForecaster(linear=True, **options).fit(df)
    chosen = GRUForecaster(**options).fit(df)  # a noiseless wave, which a ridge regression forecasts exactly
    assert len(chosen.regressor_.parts) == 1
    np.testing.assert_allclose(chosen.forecast(), linear_alone.forecast(), rtol=1e-6)
    noisy = df + np.random.default_rng(0).normal(0, 5, df.shape)
    averaged = GRUForecaster(**options).fit(noisy)
    windows, y = held_out(averaged, noisy)
    one, other = (part.predict(windows) for part in averaged.regressor_.parts)
    np.testing.assert_allclose(averaged.regressor_.predict(windows), (one + other) / 2, rtol=1e-6)
    assert min(np.abs(one - y).mean(), np.abs(other - y).mean()) > 0.95 * np.abs((one + other) / 2 - y).mean()
    with pytest.raises(ValueError, match="linear must be one of"):
        GRUForecaster(linear="maybe", **options).fit(df)


@pytest.mark.parametrize("shared", [True, False])
def test_a_network_on_scaled_windows_forecasts_ten_times_the_series_ten_times_as_far(shared):
    df = wave(700)[["load"]].assign(other=lambda frame: frame["load"].shift(3, fill_value=20.0))
    options = {"window": 24, "horizon": 4, "linear": False, "shared": shared, "early_stopping": False, **QUICK}
    for normalize, alike in (("auto", True), (False, False)):
        model = GRUForecaster(normalize=normalize, **options).fit(df)
        moves = model.forecast() - df.iloc[-1]
        larger = model.predict(4, history=100 + 10 * df) - (100 + 10 * df).iloc[-1]
        assert np.allclose(larger, 10 * moves, rtol=1e-3, atol=1e-3) is alike


def test_the_scale_of_a_window_is_that_of_its_observed_targets():
    base = np.array([[1.0, 7.0], [np.nan, 7.0], [3.0, 9.0], [np.nan, 1.0], [np.nan, 1.0], [5.0, 2.0], [5.01, 2.0]])
    windows = WindowArray(base, [0, 3, 4, 3], 3, offset=np.full((4, 2), 5.0))
    # of 1 and 3; of 5 alone and of 5 and 5.01, whose scale is the least there is
    np.testing.assert_allclose(window_scale(windows, 1)[:3, 0], [1.0, 0.1, 0.1])
    np.testing.assert_allclose(window_scale(windows, 2)[0], [1.0, np.std([7, 7, 9])])
    nothing = WindowArray(np.full((3, 1), np.nan), [0], 3)
    assert window_scale(nothing, 1)[0, 0] == 1


def test_networks_are_trained_again_on_all_windows_and_intervals_come_from_before():
    df = wave(1200)[["load"]] + np.random.default_rng(0).normal(size=(1200, 1))
    options = {"window": 24, "horizon": 4, "epochs": 6, "units": 8, "learning_rate": 0.01, "random_state": 0}
    model, stopped = (GRUForecaster(refit=refit, **options).fit(df) for refit in (True, False))
    assert stopped.stopped_ is None
    windows, _ = model._windows(model._scaled(df.to_numpy()), np.array([1199]))
    np.testing.assert_array_equal(model.stopped_.predict(windows), stopped.regressor_.predict(windows))
    for before, after in zip(model.stopped_.networks, model.regressor_.networks, strict=True):
        assert after.n_iter_ == min(6, -(-3 * before.best_iteration_ // 2)) and "val_loss" not in after.history_
    assert (model.forecast() != stopped.forecast()).any().all()
    assert "val_loss" in model.history_
    width = [(frame.iloc[:, 2] - frame.iloc[:, 1]) for frame in (model.predict_interval(), stopped.predict_interval())]
    np.testing.assert_allclose(*width, rtol=1e-9)


def test_a_long_horizon_leaves_no_validation_part_unless_it_is_asked_for():
    df = wave(1100)[["load"]]
    options = {"window": 24, "units": 4, "epochs": 1, "random_state": 0}
    assert GRUForecaster(horizon=200, **options).fit(df).beats_last_value_ is not None
    assert GRUForecaster(horizon=300, **options).fit(df).beats_last_value_ is None
    assert GRUForecaster(horizon=300, early_stopping=True, **options).fit(df).beats_last_value_ is not None


def held_out(model, df):
    """The windows of the validation part, and their targets."""
    values = df.to_numpy()
    cutoffs = model._training_cutoffs(values)
    cutoffs = cutoffs[-round(0.2 * len(cutoffs)) :]
    scaled = model._scaled(values)
    windows, level = model._windows(scaled, cutoffs)
    return windows, scaled[cutoffs[:, None] + np.arange(1, model.block_ + 1), 0] - level


def test_a_shared_network_reads_each_target_alone():
    df = wave(600)[["load"]].assign(second=lambda frame: 300 - 7 * frame["load"].shift(5, fill_value=20))
    model = GRUForecaster(window=24, horizon=4, **QUICK).fit(df)
    network = model.regressor_.networks[0]
    assert network.n_outputs_ == 4 and network._spec.n_inputs == 1
    changed = df.copy()
    changed.iloc[-10:, 1] += 5.0
    before, after = model.predict(4, history=df), model.predict(4, history=changed)
    pd.testing.assert_series_equal(before["load"], after["load"])
    assert (before["second"] != after["second"]).all()
    joint = GRUForecaster(window=24, horizon=4, shared=False, **QUICK).fit(df)
    network = joint.regressor_.networks[0]
    assert network.n_outputs_ == 8 and network._spec.n_inputs == 2
    assert (joint.predict(4, history=df)["load"] != joint.predict(4, history=changed)["load"]).any()


def test_a_target_that_is_missing_for_weeks_does_not_keep_the_others_from_being_learnt():
    df = wave(1200)[["load"]].assign(second=lambda frame: frame["load"] + 3)
    df.iloc[850:1150, 1] = np.nan  # most of the validation part
    model = GRUForecaster(window=24, horizon=4, **QUICK).fit(df)
    assert np.isfinite(model.forecast()).all().all()
    assert np.isfinite(model.predict_interval()).all().all()


def test_a_forecaster_with_all_parts_is_saved_and_loaded(tmp_path):
    df = wave(700)[["load"]].assign(second=lambda frame: frame["load"] ** 2)
    model = GRUForecaster(window=24, horizon=4, n_members=2, **QUICK).fit(df)
    model.save(tmp_path / "model.tsrnn")
    pd.testing.assert_frame_equal(load(tmp_path / "model.tsrnn").forecast(), model.forecast())


def test_too_little_history_for_early_stopping_is_refused_with_the_way_out():
    with pytest.raises(DataError, match="early stopping takes the last 7 and leaves out the 40"):
        GRUForecaster("load", window=8, horizon=40, early_stopping=True, **QUICK).fit(wave(84))


@pytest.mark.parametrize("quantiles", [(0.9,), (0.05, 0.5, 0.95)], ids=["one", "three"])
def test_learnt_quantiles_hold_the_forecast_at_its_own_level(quantiles):
    """A network of one quantile forecasts that: what lies above the median may be below the forecast."""
    df = autoregression(300)
    model = GRUForecaster("y", window=12, horizon=2, loss="pinball", quantiles=quantiles, **QUICK).fit(df)
    assert model._own_level() == (0.9 if len(quantiles) == 1 else 0.5)
    tidy = model.predict_cutoffs(2, df, df.index[250:260])
    for level in quantiles:
        bands = [model.predict_quantiles(2, [level], history=df[:cutoff]).to_numpy() for cutoff in df.index[250:260]]
        above = np.concatenate(bands).ravel() - tidy["y_pred"].to_numpy()
        low, high = (level - model._own_level()) * above.min(), (level - model._own_level()) * above.max()
        assert min(low, high) >= -1e-6
