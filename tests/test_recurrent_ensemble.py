"""The parts of recurrent forecasters: the linear part, members, shared networks, and training again."""

import numpy as np
import pandas as pd
import pytest
from recurrent_examples import QUICK, held_out, wave

from tsrnn.exceptions import DataError
from tsrnn.forecasters import GRUForecaster
from tsrnn.forecasters.ensemble import window_scale
from tsrnn.persistence import load
from tsrnn.windows import WindowArray


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
