"""Scales on which a target is modelled: forward and back, in all models, and what has none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from sklearn.preprocessing import (
    FunctionTransformer,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)
from test_panels import LONG, small_gru, table

from tsrnn import (
    ARIMAForecaster,
    DriftForecaster,
    GRUForecaster,
    MeanForecaster,
    NaiveForecaster,
    RidgeForecaster,
    SeasonalNaiveForecaster,
    compare,
)
from tsrnn.exceptions import ArchiveError, DataError
from tsrnn.persistence import load
from tsrnn.transforms import NAMED, fit_transform


def growing(n=160, seed=0) -> pd.DataFrame:
    """A level that grows by a share of itself, with weeks."""
    rng = np.random.default_rng(seed)
    days = pd.date_range("2024-01-01", periods=n)
    level = np.exp(0.02 * np.arange(n) + 0.3 * np.sin(np.arange(n) * 2 * np.pi / 7) + rng.normal(scale=0.02, size=n))
    return pd.DataFrame({"sales": level}, index=days)


SKLEARN = {
    "boxcox": PowerTransformer("box-cox", standardize=False),
    "yeojohnson": PowerTransformer(standardize=False),
    "standard": StandardScaler(),
    "robust": RobustScaler(),
}


@pytest.mark.parametrize("name", SKLEARN)
def test_named_transforms_are_those_of_scikit_learn(name):
    y = np.random.default_rng(0).gamma(2, size=(200, 2)) * [1, 30]
    frame = pd.DataFrame(y, columns=["a", "b"], index=pd.date_range("2024-01-01", periods=200))
    frame.iloc[5, 0] = np.nan
    transform = fit_transform(name, frame)
    for k, column in enumerate(frame):
        known = frame[[column]].dropna().to_numpy()
        expected = SKLEARN[name].fit(known)
        forward = transform.forward(frame.to_numpy())[:, k]
        np.testing.assert_allclose(forward[np.isfinite(forward)], expected.transform(known).ravel(), rtol=1e-6)
    assert np.isnan(transform.forward(frame.to_numpy())[5, 0])


@given(st.lists(st.floats(-50, 50), min_size=4, max_size=20), st.sampled_from(sorted(NAMED)))
def test_back_is_where_it_came_from(values, name):
    y = np.array(values)[:, None]
    y = np.abs(y) + 0.1 if name in ("log", "log1p", "boxcox") else y
    frame = pd.DataFrame(y, columns=["y"], index=pd.date_range("2024-01-01", periods=len(y)))
    transform = fit_transform(name, frame)
    np.testing.assert_allclose(transform.inverse(transform.forward(y)), y, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", sorted(NAMED))
def test_the_way_back_keeps_the_order_however_far_out(name):
    frame = pd.DataFrame({"y": np.random.default_rng(1).gamma(1, size=50) + 0.1}, pd.date_range("2024", periods=50))
    z = np.linspace(-30, 30, 500)[:, None]
    back = fit_transform(name, frame).inverse(z).ravel()
    assert not np.isnan(back).any() and (np.diff(back) >= 0).all()


MODELS = [
    lambda **given: NaiveForecaster(**given),
    lambda **given: SeasonalNaiveForecaster(7, **given),
    lambda **given: DriftForecaster(**given),
    lambda **given: MeanForecaster(window=14, **given),
    lambda **given: ARIMAForecaster(order=(1, 1, 0), **given),
    lambda **given: RidgeForecaster(window=14, horizon=7, **given),
    lambda **given: GRUForecaster(window=14, horizon=7, units=4, epochs=3, random_state=0, **given),
]


@pytest.mark.parametrize("make", MODELS)
def test_a_model_of_the_logarithm_is_the_model_of_logarithms(make):
    df = growing()
    inside = make(transform="log").fit(df[:140])
    outside = make().fit(np.log(df[:140]))
    found, expected = inside.predict_interval(7, coverage=0.8), np.exp(outside.predict_interval(7, coverage=0.8))
    np.testing.assert_allclose(found.to_numpy(), expected.to_numpy(), rtol=1e-6)
    np.testing.assert_allclose(inside.predict(df.index[:20]), np.exp(outside.predict(df.index[:20])), rtol=1e-6)
    later, later_too = (
        inside.update(df[140:]).predict_quantiles(3),
        outside.update(np.log(df[140:])).predict_quantiles(3),
    )
    np.testing.assert_allclose(later, np.exp(later_too), rtol=1e-6)
    history = growing(seed=5)
    np.testing.assert_allclose(
        inside.predict(3, history=history), np.exp(outside.predict(3, history=np.log(history))), rtol=1e-6
    )


def test_growth_in_shares_goes_on_with_a_logarithm():
    found = compare(
        {"plain": DriftForecaster(), "logs": DriftForecaster(transform="log")},
        growing(),
        target=None,
        horizon=14,
        n_windows=5,
    ).leaderboard()
    errors = found.set_index("model")["MAE"]
    assert errors["logs"] < errors["plain"]


@pytest.mark.parametrize("transform", [StandardScaler(), QuantileTransformer(n_quantiles=50)])
def test_any_transformer_of_scikit_learn_serves(transform):
    df = growing()
    model = RidgeForecaster(window=14, horizon=7, transform=transform).fit(df)
    assert np.isfinite(model.predict_interval(7).to_numpy()).all()
    assert not hasattr(transform, "n_features_in_")  # a clone was fitted


@pytest.mark.parametrize("make", MODELS)
def test_a_mirrored_series_has_the_mirrored_forecast_with_its_quantiles_in_order(make):
    df = growing()
    mirror = FunctionTransformer(np.negative, inverse_func=np.negative)
    inside, outside = make(transform=mirror).fit(df), make().fit(-df)
    found = inside.predict_quantiles(5, quantiles=[0.1, 0.3, 0.5, 0.9]).to_numpy()
    expected = -outside.predict_quantiles(5, quantiles=[0.9, 0.7, 0.5, 0.1]).to_numpy()
    np.testing.assert_allclose(found, expected)
    assert (np.diff(found, axis=1) > 0).all()
    bounds = inside.predict_interval(df.index[:3]).to_numpy()  # the first of which has nothing before it
    np.testing.assert_allclose(bounds, -outside.predict_interval(df.index[:3]).to_numpy()[:, [0, 2, 1]])


def test_learnt_quantiles_of_a_mirrored_series_are_in_order():
    mirror = FunctionTransformer(np.negative, inverse_func=np.negative)
    model = MODELS[-1](transform=mirror, loss="pinball", normalize=True, linear=False).fit(growing())
    found = model.predict_quantiles(5, quantiles=[0.05, 0.1, 0.5, 0.9]).to_numpy()
    assert (np.diff(found, axis=1) >= 0).all()


def test_each_target_is_turned_by_itself():
    df = growing().assign(other=lambda given: given["sales"] ** 2)
    fitted = fit_transform(FunctionTransformer(np.negative, inverse_func=np.negative), df)
    assert fitted.falls.tolist() == [True, True]
    model = NaiveForecaster(transform=StandardScaler()).fit(df)
    plain = model.predict_interval(2).to_numpy()
    model.transform_.falls[:] = [False, True]
    # Intervals of a random walk are symmetric: asked for from the other end they change places.
    np.testing.assert_allclose(model.predict_interval(2).to_numpy(), plain[:, [0, 1, 2, 3, 5, 4]])


def test_each_series_has_a_transform_of_its_own():
    df = table(lengths=(120, 120))
    model = small_gru(transform="standard", **LONG).fit(df)
    assert [one.transform_.centre.round(6).tolist() for one in model._ones()] == [
        [round(load.mean(), 6)] for _, load in df.groupby("site")["load"]
    ]
    assert np.isfinite(model.predict_interval(6).iloc[:, 2:].to_numpy()).all()


def test_only_the_rows_to_fit_settle_a_transform():
    df = growing()
    changed = df.copy()
    changed.iloc[140:] *= 50
    model, other = (RidgeForecaster(window=14, horizon=7, transform="boxcox").fit(data[:140]) for data in (df, changed))
    assert_frame_equal(model.predict(7), other.predict(7))


@pytest.mark.parametrize("make", [small_gru, lambda **given: DriftForecaster(target="load", **given)])
def test_a_transform_comes_back_from_a_file(make, tmp_path):
    df = table(lengths=(120, 150))
    model = make(transform="yeojohnson", bounds=(0, None), **LONG).fit(df)
    model.save(tmp_path / "model.tsrnn")
    assert_frame_equal(load(tmp_path / "model.tsrnn").predict_interval(6), model.predict_interval(6))


def test_a_transformer_of_scikit_learn_is_no_data(tmp_path):
    with pytest.raises(ArchiveError, match="StandardScaler"):
        NaiveForecaster(transform=StandardScaler()).fit(growing()).save(tmp_path / "model.tsrnn")


def test_forecasts_stay_within_their_bounds():
    falling = pd.DataFrame({"stock": np.linspace(20, 0.5, 60)}, pd.date_range("2024-01-01", periods=60))
    plain, bounded = (DriftForecaster(bounds=bounds).fit(falling).predict_interval(9) for bounds in (None, (0, None)))
    assert (plain.to_numpy() < 0).any()
    assert_frame_equal(bounded, plain.clip(lower=0))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"transform": "log"}, "target 'sales' is 0 at 2024-01-05 .*needs values above 0. Use 'log1p'"),
        ({"transform": "boxcox"}, "target 'sales' is 0 at 2024-01-05 .*needs values above 0"),
        ({"transform": "ln"}, "transform must be one of log, log1p, .*got 'ln'"),
        ({"transform": StandardScaler}, "transform must be one of"),
        ({"bounds": (1, None)}, "target 'sales' is 0 at 2024-01-05 .*outside bounds=.1, None.. Widen the bounds"),
        ({"bounds": (5, 2)}, "bounds must be a pair"),
        ({"bounds": 0}, "bounds must be a pair"),
    ],
)
def test_what_cannot_be_transformed(given, message):
    df = growing()
    df.iloc[4] = 0
    with pytest.raises(DataError, match=message):
        NaiveForecaster(**given).fit(df)


def test_a_later_value_without_a_transform_is_refused():
    df = growing()
    model = RidgeForecaster(window=14, horizon=7, transform="log").fit(df[:140])
    later = df[140:].copy()
    later.iloc[2] = -1
    with pytest.raises(DataError, match="target 'sales' is -1 at 2024-05-22 .* has no transform='log'"):
        model.update(later).predict(7)


def test_a_constant_is_in_the_unit_of_the_target():
    found = MeanForecaster(value=3.0, transform="log").fit(growing()).predict_interval(2)
    np.testing.assert_allclose(found["sales"], 3.0)


# ---------------------------------------------------------------------- changes that add up


def walk(n=600, seed=0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    steps = rng.normal(scale=0.01, size=n)
    return pd.DataFrame({"price": 100 * np.exp(steps.cumsum())}, index=pd.bdate_range("2020-01-01", periods=n))


@pytest.mark.parametrize(("transform", "forward"), [("returns", np.log), ("difference", np.asarray)])
def test_the_mean_of_changes_goes_on_along_the_line_from_first_to_last(transform, forward):
    df = walk()
    found = MeanForecaster(transform=transform).fit(df).predict(5)["price"].to_numpy()
    levels = forward(df["price"].to_numpy())
    slope = (levels[-1] - levels[0]) / (len(df) - 1)
    path = levels[-1] + slope * np.arange(1, 6)
    np.testing.assert_allclose(found, np.exp(path) if transform == "returns" else path)


@pytest.mark.parametrize("make", MODELS)
@pytest.mark.parametrize("transform", ["returns", "difference"])
def test_models_of_changes_forecast_levels(make, transform):
    df = walk(300)
    model = make(transform=transform).fit(df[:280])
    found = model.predict_interval(7, coverage=0.8)
    values = found.to_numpy()
    assert (values[:, 1] <= values[:, 0]).all() and (values[:, 0] <= values[:, 2]).all()
    assert (np.abs(values[:, 0] / df["price"].iloc[279] - 1) < 0.2).all()
    tidy = model.predict_cutoffs(7, df, df.index[[270, 279]], coverage=0.8)
    np.testing.assert_allclose(tidy["y_pred"][7:], values[:, 0], rtol=1e-5)
    fitted = model.predict(df.index[100:110])["price"]
    assert np.abs(fitted / df["price"].iloc[99:109].to_numpy() - 1).max() < 0.1
    later = model.update(df[280:]).predict(2)["price"]
    assert (np.abs(later / df["price"].iloc[-1] - 1) < 0.1).all()


@pytest.mark.parametrize("make", [MODELS[3], MODELS[5]])
def test_intervals_of_prices_hold_as_often_as_they_say_at_every_step(make):
    held = []
    for seed in range(12):
        df = walk(700, seed)
        tidy = make(transform="returns").fit(df[:500]).predict_cutoffs(7, df, df.index[500:690:10], coverage=0.8)
        truth = df["price"].reindex(tidy["ds"]).to_numpy()
        held.append(((tidy["lower_80"] <= truth) & (truth <= tidy["upper_80"])).to_numpy().reshape(-1, 7))
    by_step = np.nanmean(np.concatenate(held), axis=0)
    assert ((by_step > 0.72) & (by_step < 0.88)).all()


def test_changes_across_a_gap_are_not_known_and_levels_start_from_the_last_value():
    df = walk(100)
    df.iloc[40:43] = np.nan
    model = NaiveForecaster(transform="difference").fit(df)
    changes = model._seen()["price"]
    assert np.flatnonzero(changes.isna()).tolist() == [0, 40, 41, 42, 43]
    ended = df.copy()
    ended.iloc[-2:] = np.nan
    found = MeanForecaster(value=0.0, transform="returns").fit(ended).predict(2)["price"]
    np.testing.assert_allclose(found, df["price"].iloc[-3])


def test_models_of_returns_come_back_from_a_file(tmp_path):
    df = table(lengths=(150, 120))
    df["load"] += 1
    model = small_gru(transform="returns", **LONG).fit(df)
    model.save(tmp_path / "model.tsrnn")
    assert_frame_equal(load(tmp_path / "model.tsrnn").predict_interval(6), model.predict_interval(6))


def test_returns_of_what_is_not_above_zero_are_refused():
    df = walk(60)
    df.iloc[5] = -1
    with pytest.raises(DataError, match="the change of the logarithm needs values above 0. Use 'difference'"):
        NaiveForecaster(transform="returns").fit(df)
