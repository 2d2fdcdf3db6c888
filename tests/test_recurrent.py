"""Recurrent forecasters: what they learn, what reaches them, and scikit-learn's own search over them."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from recurrent_examples import FORECASTERS, QUICK, walk, wave
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit

from tsrnn.datasets import load_jfk_weather
from tsrnn.exceptions import CapacityWarning, DataError
from tsrnn.forecasters import GRUForecaster, LSTMForecaster, NaiveForecaster
from tsrnn.forecasters.networks import batch_size_for
from tsrnn.forecasters.window_length import segment_for


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
