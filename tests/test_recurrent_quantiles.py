"""Quantiles and intervals that recurrent forecasters learn."""

import numpy as np
import pandas as pd
import pytest
from recurrent_examples import QUICK, walk, wave

from tsrnn.forecasters import GRUForecaster, LSTMForecaster

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
