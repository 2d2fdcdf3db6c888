"""Echo state networks: the reservoir against a loop over its equations, the readout against scikit-learn's Ridge."""

import dataclasses
import pickle

import numpy as np
import pandas as pd
import pytest
from archive_files import save_unchecked
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge

from tsrnn.engine import Missing, WindowData
from tsrnn.engine import reservoir as reservoir_module
from tsrnn.engine.reservoir import fit_readout, make_reservoir, read_inputs, spectral_radius_of
from tsrnn.exceptions import ArchiveError, DataError
from tsrnn.forecasters import EchoStateForecaster, RegressionForecaster
from tsrnn.persistence import load
from tsrnn.regressors import EchoStateRegressor
from tsrnn.windows import WindowArray

DRAW = {"spectral_radius": 0.9, "leak_rate": 0.7, "input_scaling": 1.0, "bias_scaling": 0.2, "density": 0.3}


def reservoir(n_inputs=2, units=12, seed=0, **changes):
    return make_reservoir(n_inputs, units, np.random.default_rng(seed), **{**DRAW, **changes})


def regressor(**changes):
    return EchoStateRegressor(**{"units": 15, "random_state": 0, **changes})


def data(n=40, n_steps=6, n_features=2, seed=0, ragged=False):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, n_steps, n_features))
    if ragged:
        for row in range(0, n, 3):
            X[row, : 1 + row % 5] = np.nan
    return X, np.nan_to_num(X[:, -3:, 0]).sum(axis=1)


def by_loop(reservoir, X):
    """The states of each window after each step, neuron by neuron; empty leading steps are skipped."""
    W, a = reservoir.recurrent_weights.toarray(), reservoir.leak_rate
    out = np.zeros((*X.shape[:2], len(W)))
    for window, rows in enumerate(X):
        h = np.zeros(len(W))
        for step, x in enumerate(rows):
            if np.isnan(x).all():
                continue
            new = np.empty(len(W))
            for i in range(len(W)):
                drive = reservoir.bias[i]
                drive += sum(reservoir.input_weights[i, j] * x[j] for j in range(len(x)))
                drive += sum(W[i, j] * h[j] for j in range(len(W)))
                new[i] = (1 - a) * h[i] + a * np.tanh(drive)
            h = out[window, step] = new
    return out


# -- the reservoir ---------------------------------------------------------------------------------------------------


def test_states_follow_the_equations_of_leaky_integrators():
    X, _ = data(4, ragged=True)
    drawn = reservoir()
    states = np.stack(list(drawn.states(np.nan_to_num(X), np.isnan(X).all(axis=2))), axis=1)
    read = ~np.isnan(X).all(axis=2)
    np.testing.assert_allclose(states[read], by_loop(drawn, X)[read], atol=1e-12)


def test_one_neuron_by_hand():
    one = dataclasses.replace(
        reservoir(1, 1),
        input_weights=np.array([[0.5]]),
        bias=np.array([0.1]),
        strengths=np.array([[0.8]]),
        leak_rate=0.5,
    )
    states = [float(h[0, 0]) for h in one.states(np.array([[[1.0], [2.0]]]), np.zeros((1, 2), bool))]
    first = 0.5 * np.tanh(0.6)
    assert states == pytest.approx([first, 0.5 * first + 0.5 * np.tanh(0.1 + 1.0 + 0.8 * first)])


@given(st.integers(1, 40), st.floats(0.05, 1.0), st.floats(0.1, 1.5), st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_reservoirs_have_their_spectral_radius_and_density(units, density, radius, seed):
    drawn = reservoir(units=units, seed=seed, density=density, spectral_radius=radius)
    W = drawn.recurrent_weights.toarray()
    found = np.abs(np.linalg.eigvals(W)).max()
    # Connections without a cycle have none; rounding scatters their zeros by eps ** (1 / units).
    assert found == pytest.approx(radius, rel=1e-6) or found < 0.2
    assert (np.count_nonzero(W, axis=1) <= max(1, round(density * units))).all()
    assert (np.diff(drawn.sources, axis=1) > 0).all()  # no source twice


def test_the_iterated_spectral_radius_is_that_of_all_eigenvalues(monkeypatch):
    weights = reservoir(units=80).recurrent_weights
    exact = np.abs(np.linalg.eigvals(weights.toarray())).max()
    assert spectral_radius_of(weights) == pytest.approx(exact)
    monkeypatch.setattr(reservoir_module, "MANY_UNITS", 1)
    assert spectral_radius_of(weights) == pytest.approx(exact, rel=1e-6)


def test_two_initial_states_converge_below_a_spectral_radius_of_one():
    """The echo state property (Jaeger, 2001): the state depends on the inputs alone, in the long run."""
    x, empty = np.random.default_rng(0).normal(size=(1, 300, 2)), np.zeros((1, 300), bool)
    starts = [np.full((1, 50), value) for value in (-1.0, 1.0)]

    def gap(**changes):
        drawn = reservoir(units=50, **changes)
        ends = [list(drawn.states(x, empty, start))[-1] for start in starts]
        return np.abs(ends[0] - ends[1]).max()

    assert gap(spectral_radius=0.9) < 1e-9
    # Far above one, and with little input, it goes on for ever.
    assert gap(spectral_radius=4.0, input_scaling=0.01) > 0.1


def test_inputs_are_filled_flagged_and_read_in_segments():
    X, _ = data(3, n_steps=5)
    X[0, :1] = np.nan
    X[1, 3, 1] = np.nan
    windows = WindowData.from_windows(X)
    missing = Missing(np.array([10, 20], np.float32), (1,))
    ((_, x),) = read_inputs(windows, missing, segment=2)
    assert x.shape == (3, 3, 6)  # two steps of two features and an indicator
    flat = x.reshape(3, 6, 3)[:, 1:]  # the first step fills up
    assert not x.reshape(3, 6, 3)[:, 0].any()
    assert not flat[0, 0].any()
    np.testing.assert_array_equal(flat[1, 3], [np.float32(X[1, 3, 0]), 20, 1])
    np.testing.assert_array_equal(flat[2, :, :2], X[2].astype(np.float32))


# -- the readout -----------------------------------------------------------------------------------------------------


def test_readout_is_ridge_regression():
    rng = np.random.default_rng(0)
    F, y, w = rng.normal(size=(60, 5)) + 1e4, rng.normal(size=(60, 2)), rng.uniform(0, 2, 60)
    parts = [(F[i : i + 7], y[i : i + 7], w[i : i + 7]) for i in range(0, 60, 7)]
    readout = fit_readout(parts, 0.3)
    oracle = Ridge(0.3 * w.sum(), tol=1e-12).fit(F, y, w)
    np.testing.assert_allclose(readout.coef, oracle.coef_.T, rtol=1e-6)
    np.testing.assert_allclose(F @ readout.coef + readout.intercept, oracle.predict(F), atol=1e-6)


def test_without_a_penalty_redundant_features_share_the_least_squares_solution():
    rng = np.random.default_rng(0)
    F = rng.normal(size=(30, 2))
    readout = fit_readout([(np.column_stack([F, F[:, 0]]), F @ [[2.0], [3.0]] + 1, np.ones(30))], 0.0)
    np.testing.assert_allclose(readout.coef[:, 0], [1, 3, 1], atol=1e-9)
    np.testing.assert_allclose(readout.intercept, 1, atol=1e-9)


def test_each_target_is_fitted_to_the_rows_that_have_it():
    rng = np.random.default_rng(0)
    F, w = rng.normal(size=(4000, 3)), rng.uniform(1, 2, 4000)
    y = F @ rng.normal(size=(3, 2)) + 5
    holes = y.copy()
    holes[::2, 1] = np.nan
    whole, sparse = fit_readout([(F, y, w)], 0.1), fit_readout([(F, holes, w)], 0.1)
    np.testing.assert_allclose(sparse.coef[:, 0], whole.coef[:, 0], rtol=1e-9)
    np.testing.assert_allclose(sparse.coef[:, 1], whole.coef[:, 1], atol=0.1)
    assert sparse.intercept[1] == pytest.approx(5, abs=0.2)


@pytest.mark.parametrize("changes", [{}, {"leak_rate": 0.3, "alpha": 0.1}, {"density": 1.0}], ids=str)
def test_regressor_is_ridge_regression_of_last_input_and_state(changes):
    X, y = data(ragged=True)
    targets = np.column_stack([y, X[:, -1, 1]])
    model = regressor(**changes).fit(X, targets)
    states = by_loop(model._reservoir, X.astype(np.float32))
    F = np.hstack([X[:, -1], states[:, -1]])
    oracle = Ridge(model.alpha * len(X)).fit(F, targets)
    np.testing.assert_allclose(model.predict(X), oracle.predict(F), atol=1e-5)
    assert model.n_parameters_ == (2 + 15 + 1) * 2
    np.testing.assert_array_equal(model.reservoir_.toarray(), model._reservoir.recurrent_weights.toarray())


def test_sequences_are_ridge_regressions_of_all_steps_after_the_washout():
    X, _ = data(ragged=True)
    y = np.nan_to_num(X).cumsum(axis=1)[..., :1]
    model = regressor(return_sequences=True, washout=2).fit(X, y)
    states = by_loop(model._reservoir, X.astype(np.float32))
    read = (~np.isnan(X).all(axis=2)).cumsum(axis=1)
    F = np.concatenate([X, states], axis=2)
    oracle = Ridge(model.alpha * (read > 2).sum()).fit(F[read > 2], y[read > 2])
    predictions = model.predict(X)
    assert predictions.shape == (40, 6, 1)
    np.testing.assert_allclose(predictions[read > 0, 0], oracle.predict(F[read > 0]).ravel(), atol=1e-5)
    assert np.isnan(predictions[read == 0]).all()
    assert model.predict(X[:, 2:]).shape == (40, 4, 1)


def test_windows_not_longer_than_the_washout_do_not_teach():
    X, y = data(ragged=True)
    long = ~np.isnan(X[:, 2]).all(axis=1)
    model = regressor(washout=3).fit(X, y)
    np.testing.assert_array_equal(model.coef_, regressor(washout=3).fit(X[long], y[long]).coef_)
    with pytest.raises(ValueError, match="no window is longer than washout=6: the longest is read in 6 step"):
        regressor(washout=6).fit(X, y)


# -- what it shares with the other regressors ------------------------------------------------------------------------


def test_learns_a_sine_and_a_sum():
    series = np.sin(np.arange(400) / 5)
    X = np.lib.stride_tricks.sliding_window_view(series[:-1], 12)[..., None]
    assert regressor().fit(X[:300], series[12:312]).score(X[300:], series[312:]) > 0.999
    X, y = data(2000)
    assert regressor(units=200).fit(X[:1500], y[:1500]).score(X[1500:], y[1500:]) > 0.9


def test_lists_windows_tables_and_arrays_give_the_same_network():
    X, y = data(ragged=True)
    model = regressor().fit(X, y)
    as_list = [x[~np.isnan(x).all(axis=1)] for x in X]
    np.testing.assert_array_equal(model.coef_, regressor().fit(as_list, y).coef_)
    np.testing.assert_array_equal(model.predict(X), model.predict(as_list))
    table = pd.DataFrame(X.reshape(40, -1)).rename(columns=str)
    np.testing.assert_array_equal(model.coef_, regressor(n_steps=6).fit(table, y).coef_)
    steps = np.random.default_rng(0).normal(size=(45, 2))
    lazy = WindowArray(steps, np.arange(40), 6)
    np.testing.assert_array_equal(
        regressor().fit(lazy, y).predict(lazy), regressor().fit(np.asarray(lazy), y).predict(np.asarray(lazy))
    )


def test_sequences_of_lists_have_targets_as_long():
    X, _ = data(ragged=True)
    as_list = [x[~np.isnan(x).all(axis=1)] for x in X]
    model = regressor(return_sequences=True).fit(as_list, [x[:, 0] for x in as_list])
    np.testing.assert_array_equal(model.coef_, regressor(return_sequences=True).fit(X, X[..., 0]).coef_)


def test_missing_values_are_filled_and_flagged_or_refused():
    X, y = data()
    X[3, 2, 1] = np.nan
    model = regressor().fit(X, y)
    assert model._missing.indicators == (1,)
    assert model.coef_.shape == (3 + 15, 1)
    with pytest.raises(ValueError, match="feature 0 is missing at step 1 of window 0"):
        model.predict(np.where(np.arange(6)[:, None] == 1, [np.nan, 0.0], X[:1]))
    with pytest.raises(ValueError, match="no missing indicator"):
        regressor(missing_indicator=False).fit(X, y)
    assert regressor(missing_indicator=True).fit(*data()).coef_.shape == (4 + 15, 1)


def test_nan_targets_are_refused_in_public_and_left_out_inside():
    X, y = data()
    y = np.column_stack([y, y])
    y[3, 1] = np.nan
    with pytest.raises(ValueError, match="Input y contains NaN"):
        regressor().fit(X, y)
    model = regressor().__fit_windows__(X, y)
    np.testing.assert_allclose(model.coef_[:, 0], regressor().fit(X, y[:, 0]).coef_[:, 0], rtol=1e-9)
    y[:, 1] = np.nan
    with pytest.raises(ValueError, match="target 1 of 2 is NaN in every window"):
        regressor().__fit_windows__(X, y)


def test_weights_are_repeats_and_the_order_does_not_matter():
    X, y = data()
    weighted = regressor().fit(X, y, sample_weight=np.where(np.arange(40) < 5, 2, 1))
    repeated = regressor().fit(np.concatenate([X, X[:5]])[::-1], np.append(y, y[:5])[::-1])
    np.testing.assert_array_equal(weighted.coef_, repeated.coef_)
    np.testing.assert_allclose(regressor().fit(X, y, np.full(40, 7.0)).coef_, regressor().fit(X, y).coef_, rtol=1e-9)


def test_random_state_repeats_a_fit_and_leaves_the_global_generator_alone():
    X, y = data()
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first, again, other = (regressor(random_state=seed, units=501).fit(X, y) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.coef_, again.coef_)
    assert not np.array_equal(first.coef_, other.coef_)
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("units", 0),
        ("spectral_radius", -0.1),
        ("leak_rate", 0.0),
        ("leak_rate", 1.1),
        ("density", 0.0),
        ("input_scaling", "much"),
        ("bias_scaling", np.inf),
        ("segment", 0),
        ("washout", -1),
        ("alpha", -1.0),
        ("return_sequences", 1),
        ("missing_indicator", "always"),
        ("n_steps", 0),
    ],
)
def test_parameters_are_checked_in_fit_with_name_and_value(name, value):
    with pytest.raises((TypeError, ValueError), match=name):
        regressor(**{name: value}).fit(*data())
    with pytest.raises(ValueError, match="Set segment=1"):
        regressor(return_sequences=True, segment=2).fit(*data())


def test_a_refused_fit_leaves_the_former_one():
    X, y = data()
    model = regressor().fit(X, y)
    before = model.predict(X)
    with pytest.raises(ValueError, match="washout"):
        model.set_params(washout=9).fit(X[:, :4], y)
    np.testing.assert_array_equal(model.predict(X), before)


@pytest.mark.parametrize("changes", [{}, {"return_sequences": True}, {"segment": 4}], ids=str)
def test_files_and_pickles_bring_the_network_back(changes, tmp_path):
    X, y = data(ragged=True)
    X[1, 4, 0] = np.nan
    model = regressor(**changes).fit(X, X[..., 1] if changes.get("return_sequences") else y)
    model.save(tmp_path / "model.tsrnn")
    for again in (load(tmp_path / "model.tsrnn"), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(again.predict(X), model.predict(X))


@pytest.mark.parametrize(
    "change",
    [
        lambda model: setattr(model, "coef_", model.coef_[1:]),
        lambda model: setattr(model, "intercept_", np.zeros(2)),
        lambda model: setattr(model, "_segment", 2),
        lambda model: setattr(model, "_target_shape", (2,)),
        lambda model: setattr(model, "_missing", Missing(np.zeros(2, np.float32), (2,))),
        lambda model: setattr(model, "_missing", Missing(np.zeros(3, np.float32), ())),
        lambda model: setattr(model, "_reservoir", model._missing),
        lambda model: model._reservoir.sources.__setitem__((0, 0), 15),
        lambda model: setattr(model, "_reservoir", dataclasses.replace(model._reservoir, bias=np.zeros(3))),
    ],
)
def test_files_of_networks_that_cannot_be_are_refused(change, tmp_path):
    model = regressor().fit(*data())
    change(model)
    save_unchecked(model, tmp_path / "model.tsrnn")
    with pytest.raises(ArchiveError):
        load(tmp_path / "model.tsrnn")


# -- the forecaster --------------------------------------------------------------------------------------------------


def test_forecaster_reads_logistic_chaos_that_a_ridge_regression_cannot():
    """x(t+1) = 4 x(t) (1 - x(t)): the past is linearly uncorrelated with what follows."""
    x = [0.3]
    for _ in range(1199):
        x.append(4 * x[-1] * (1 - x[-1]))
    df = pd.DataFrame({"x": x}, index=pd.date_range("2024-01-01", periods=1200, freq="h"))

    def error(model):
        tidy = model.fit(df[:1000]).predict_cutoffs(1, df, df.index[1000:1199])
        return np.abs(tidy["y_pred"].to_numpy() - df["x"].to_numpy()[1001:]).mean()

    linear = error(RegressionForecaster(Ridge(), window=8, level=None))
    assert linear > 0.8 * df["x"].std()
    network = EchoStateForecaster(window=8, units=100, segment=1, level=None, alpha=1e-6, random_state=0)
    assert error(network) < 0.1 * linear


def test_targets_that_are_never_observed_are_refused():
    df = pd.DataFrame({"x": np.arange(40.0)}, index=pd.date_range("2024-01-01", periods=40, freq="h"))
    df.iloc[10:, 0] = np.nan
    with pytest.raises(DataError, match="no training window is followed by an observed target 3 step"):
        EchoStateForecaster(window=8, horizon=3, units=5).fit(df)


def test_a_forecaster_comes_back_from_a_file(tmp_path):
    df = pd.DataFrame({"x": np.sin(np.arange(80.0))}, index=pd.date_range("2024-01-01", periods=80, freq="h"))
    model = EchoStateForecaster(window=12, horizon=3, units=7, random_state=0).fit(df)
    model.save(tmp_path / "model.tsrnn")
    again = load(tmp_path / "model.tsrnn")
    pd.testing.assert_frame_equal(again.forecast(5), model.forecast(5))
    pd.testing.assert_frame_equal(again.predict_interval(3), model.predict_interval(3))


def test_parameters_reach_the_regressor():
    df = pd.DataFrame({"x": np.sin(np.arange(80.0))}, index=pd.date_range("2024-01-01", periods=80, freq="h"))
    model = EchoStateForecaster(window=12, units=7, leak_rate=0.5, segment=3, random_state=0).fit(df)
    assert model.regressor_.get_params()["leak_rate"] == 0.5
    assert model.regressor_.segment == 3
    assert EchoStateForecaster(window=12, units=7, random_state=0).fit(df).regressor_.segment == 3  # four steps
    assert model.n_parameters_ == 3 + 7 + 1
