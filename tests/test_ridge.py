"""The ridge forecaster: against scikit-learn, against the network whose linear part it is, and in small memory."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from tsrnn.exceptions import DataError
from tsrnn.forecasters import GRUForecaster, NaiveForecaster, RidgeForecaster
from tsrnn.forecasters.linear import PENALTIES
from tsrnn.persistence import load

# A learning rate of next to nothing leaves the head of the network at zero: what is left is its linear part.
SILENT = {"linear": True, "learning_rate": 1e-30, "epochs": 1, "units": 2, "random_state": 0}


def series(n=700, seed=0):
    """Two waves of a day with noise, on a covariate that drives the first."""
    index = pd.date_range("2024-01-01", periods=n, freq="h")
    rng, t = np.random.default_rng(seed), np.arange(n)
    drive = rng.normal(size=n)
    load = 20 + 5 * np.sin(t * 2 * np.pi / 24) + 2 * drive + 0.3 * rng.normal(size=n)
    price = 50 + 3 * np.cos(t * 2 * np.pi / 24) + 0.1 * rng.normal(size=n).cumsum()
    return pd.DataFrame({"load": load, "price": price, "drive": drive}, index=index)


def with_gaps(df, seed=1):
    holes = np.random.default_rng(seed).random(df.shape) < 0.03
    return df.mask(holes)


OPTIONS = [
    {"target": "load", "window": 24, "horizon": 6},
    {"target": "load", "window": 24, "horizon": 6, "strategy": "recursive"},
    {"target": ["load", "price"], "window": 24, "horizon": 6},
    {"target": ["load", "price"], "window": 24, "horizon": 6, "shared": False},
    {"target": "load", "window": 24, "horizon": 6, "past_covariates": ["drive"]},
    {"target": "load", "horizon": 3, "future_covariates": ["drive"]},
]


@pytest.mark.parametrize("gaps", [False, True], ids=["whole", "gaps"])
@pytest.mark.parametrize("n", [150, 700], ids=["no validation part", "validation part"])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_it_is_the_network_whose_head_stays_zero(options, n, gaps):
    df = series(n)
    if gaps:
        df[["load", "price"]] = with_gaps(df[["load", "price"]])
    ridge, network = RidgeForecaster(**options).fit(df), GRUForecaster(**options, **SILENT).fit(df)
    assert ridge.window_ == network.window_
    assert ridge.regressor_.penalty == network.regressor_.parts[0].linear.penalty
    given = {"history": df[:-12].assign(drive=df["drive"])} if "future_covariates" in options else {"history": df[:-12]}
    asked = df[["drive"]][-12:-9] if "future_covariates" in options else 6
    np.testing.assert_allclose(ridge.predict(asked, **given), network.predict(asked, **given), rtol=1e-6)
    np.testing.assert_allclose(ridge.predict_interval(asked, **given), network.predict_interval(asked, **given), 1e-6)


def test_it_is_scikit_learns_ridge_with_the_penalty_that_is_best_on_the_last_fifth():
    df = series(600)[["load"]]
    model = RidgeForecaster(window=12, horizon=3, level=None).fit(df)
    scaled = ((df["load"] - df["load"].mean()) / df["load"].std(ddof=0)).to_numpy()
    windows = np.lib.stride_tricks.sliding_window_view(scaled, 15)
    X, y, n = windows[:, :12], windows[:, 12:], len(windows)
    held = round(0.2 * n)

    def fit(penalty, rows):
        unit = np.linalg.eigvalsh(np.cov(X[rows].T, bias=True)).mean()
        return Ridge(penalty * unit * len(X[rows])).fit(X[rows], y[rows])

    first = [fit(penalty, slice(n - held - 3)) for penalty in PENALTIES]
    best = int(np.argmin([np.abs(one.predict(X[-held:]) - y[-held:]).mean() for one in first]))
    expected = fit(PENALTIES[best], slice(None)).predict(scaled[None, -12:])[0]
    np.testing.assert_allclose(
        model.forecast()["load"], expected * df["load"].std(ddof=0) + df["load"].mean(), rtol=1e-5
    )
    assert model.n_parameters_ == 13 * 3


def test_steps_beyond_the_horizon_are_fed_back():
    df = series()[["load"]]
    model = RidgeForecaster(window=48, horizon=6).fit(df)
    first = model.predict(6)
    longer = pd.concat([df, first])
    np.testing.assert_allclose(model.forecast(12)[6:], model.predict(6, history=longer), rtol=1e-6)


def test_gaps_cost_little():
    df = series(1500)[["load"]]
    truth = df["load"].iloc[1200:].to_numpy()

    def error(history):
        model = RidgeForecaster(window=48, horizon=1).fit(history[:1200])
        return np.abs(model.predict_cutoffs(1, history, df.index[1199:-1])["y_pred"] - truth).mean()

    assert error(df) <= error(with_gaps(df)) < 1.1 * error(df)


def test_a_long_horizon_takes_little_memory():
    """The targets of 20,000 windows of 500 steps are 40 MB in single precision; dense windows would be as many."""
    index = pd.date_range("2024-01-01", periods=20_600, freq="h")
    t = np.arange(len(index))
    df = pd.DataFrame({"load": np.sin(t / 24) + np.random.default_rng(0).normal(size=len(t))}, index=index)
    tracemalloc.start()
    RidgeForecaster(window=100, horizon=500).fit(df)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100e6


@pytest.mark.parametrize("n", [14, 18])
def test_few_windows_take_the_largest_penalty(n):
    df = series(n)[["load"]]
    model = RidgeForecaster(window=8, horizon=5).fit(df)
    assert model.regressor_.penalty == PENALTIES[-1] and model.stopped_ is None
    assert np.isfinite(model.forecast()).all().all()


def test_windows_whose_equations_would_be_too_large_are_refused_with_the_way_out():
    df = series()
    with pytest.raises(
        DataError, match=r"2,100 inputs.*at most 2,000.*window=666 or less, fewer covariates, or shared"
    ):
        RidgeForecaster(["load", "price", "drive"], window=700, horizon=1, shared=False).fit(series(900))
    with pytest.raises(DataError, match=r"2,001 inputs.*window=2000 or less\.$"):
        RidgeForecaster("load", window=2001).fit(series(2500))
    assert RidgeForecaster("load", window=100, past_covariates=["drive"]).fit(df).window_ == 100


def test_a_step_without_targets_is_named():
    df = series(30)[["load"]]
    df.iloc[9:, 0] = np.nan
    df.iloc[[20, 28], 0] = 1.0
    with pytest.raises(DataError, match=r"fewer than two are followed by an observed target.*strategy='recursive'"):
        RidgeForecaster(window=8, horizon=20).fit(df)


def test_a_random_walk_is_forecast_near_its_last_value():
    walk = pd.Series(np.random.default_rng(0).normal(size=3000).cumsum(), pd.date_range("2020", periods=3000, freq="h"))
    frame = walk.to_frame("price")
    cutoffs = frame.index[2000:2990:5]

    def error(model):
        out = model.fit(frame[:2000]).predict_cutoffs(6, frame, cutoffs)
        return np.abs(out["y_pred"].to_numpy() - frame["price"].loc[out["ds"]].to_numpy()).mean()

    assert error(RidgeForecaster(window=24, horizon=6)) < 1.05 * error(NaiveForecaster())


def test_it_is_saved_with_its_intervals(tmp_path):
    model = RidgeForecaster(window=24, horizon=4).fit(series()[["load", "price"]])
    model.save(tmp_path / "ridge.tsrnn")
    again = load(tmp_path / "ridge.tsrnn")
    pd.testing.assert_frame_equal(again.forecast(9), model.forecast(9))
    pd.testing.assert_frame_equal(again.predict_interval(), model.predict_interval())
