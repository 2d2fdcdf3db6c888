"""What every forecaster promises: networks, regressors on windows, ARIMA and naive methods run the same tests."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal, assert_series_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, KFold, TimeSeriesSplit, cross_validate
from sklearn.pipeline import make_pipeline

from tsrnn.exceptions import CapacityWarning, DataError, SilentNetworkWarning
from tsrnn.forecasters import (
    ARIMAForecaster,
    AutoARIMAForecaster,
    ConvForecaster,
    DriftForecaster,
    EchoStateForecaster,
    FeedForwardForecaster,
    GRUForecaster,
    LSTMForecaster,
    MeanForecaster,
    MinGRUForecaster,
    MinLSTMForecaster,
    NaiveForecaster,
    OutputRecurrentForecaster,
    RegressionForecaster,
    RidgeForecaster,
    SeasonalNaiveForecaster,
    Seq2SeqForecaster,
    SimpleRNNForecaster,
)

NETWORK = {"window": 8, "horizon": 4, "units": 3, "epochs": 1, "random_state": 0}
# name -> a fresh forecaster, from parameters of the protocol. A new forecaster is one line here.
FORECASTERS = {
    "naive": NaiveForecaster,
    "seasonal naive": lambda **params: SeasonalNaiveForecaster(**{"season_length": 4, **params}),
    "drift": DriftForecaster,
    "mean": MeanForecaster,
    "moving mean": lambda **params: MeanForecaster(**{"window": 8, **params}),
    "arima": lambda **params: ARIMAForecaster(**{"order": (1, 1, 1), "max_iter": 500, **params}),
    "seasonal arima": lambda **params: ARIMAForecaster(
        **{"order": (1, 0, 0), "seasonal_order": (0, 1, 1, 4), "max_iter": 500, **params}
    ),
    "auto arima": lambda **params: AutoARIMAForecaster(**{"max_p": 1, "max_q": 1, "max_iter": 500, **params}),
    "regression": lambda **params: RegressionForecaster(
        **{"estimator": make_pipeline(SimpleImputer(), Ridge()), "window": 8, "horizon": 4, **params}
    ),
    "ridge": lambda **params: RidgeForecaster(**{"window": 8, "horizon": 4, **params}),
    "lstm": lambda **params: LSTMForecaster(**{**NETWORK, **params}),
    "gru": lambda **params: GRUForecaster(**{**NETWORK, **params}),
    "rnn": lambda **params: SimpleRNNForecaster(**{**NETWORK, **params}),
    "echo state": lambda **params: EchoStateForecaster(
        **{"window": 8, "horizon": 4, "units": 10, "random_state": 0, **params}
    ),
    "feed forward": lambda **params: FeedForwardForecaster(**{**NETWORK, **params}),
    "conv": lambda **params: ConvForecaster(
        **{"window": 8, "horizon": 4, "filters": 3, "epochs": 1, "random_state": 0, **params}
    ),
    "output recurrent": lambda **params: OutputRecurrentForecaster(**{**NETWORK, **params}),
    "seq2seq": lambda **params: Seq2SeqForecaster(**{**NETWORK, "attention": "dot", **params}),
    "min gru": lambda **params: MinGRUForecaster(**{**NETWORK, **params}),
    "min lstm": lambda **params: MinLSTMForecaster(**{**NETWORK, **params}),
    "axes": lambda **params: LSTMForecaster(
        **{**NETWORK, "units": (3, 3), "segment": 2, "peephole": True, "residual": True, "dilation": (1, 2), **params}
    ),
    "deep": lambda **params: GRUForecaster(
        **{
            **NETWORK,
            "transition_depth": 2,
            "input_layers": (3,),
            "output_layers": (3,),
            "bidirectional": True,
            "merge_mode": "sum",
            **params,
        }
    ),
    "distribution": lambda **params: GRUForecaster(**{**NETWORK, "loss": "gaussian", **params}),
}
WITH_COVARIATES = [name for name, make in FORECASTERS.items() if "future_covariates" in make().get_params()]
# Each new shape is compiled: tens of seconds in all.
ON_KERAS = ("feed forward", "conv", "output recurrent", "seq2seq", "min gru", "min lstm", "axes", "deep")


def each(names):
    return [pytest.param(name, marks=pytest.mark.slow) if name in ON_KERAS else name for name in names]


EVERY = pytest.mark.parametrize("name", each(FORECASTERS))
COVARIATES = pytest.mark.parametrize("name", each(WITH_COVARIATES))
# float32 networks; sums differ with the number of windows
CLOSE = {"rtol": 1e-5, "atol": 1e-5}


def table(n=80, freq="h", start="2024-01-01", tz=None, seed=0):
    """A table with a daily wave, a walk and a covariate that drives the first column."""
    rng = np.random.default_rng(seed)
    index = pd.date_range(start, periods=n, freq=freq, tz=tz)
    drive = rng.normal(size=n)
    load = 10 + np.sin(2 * np.pi * np.arange(n) / 4) + 0.5 * drive + 0.1 * rng.normal(size=n)
    return pd.DataFrame({"load": load, "price": rng.normal(size=n).cumsum(), "drive": drive}, index=index)


@pytest.fixture(scope="module")
def df():
    return table()


@pytest.fixture(scope="module")
def fitted(df):
    """One fitted forecaster per name, fitted on first use and shared by tests that do not change it."""

    class Fitted(dict):
        def __missing__(self, name):
            self[name] = FORECASTERS[name](target="load").fit(df)
            return self[name]

    return Fitted()


# ---------------------------------------------------------------------- shapes, names, index


@EVERY
def test_forecast_goes_on_from_the_last_row(name, fitted, df):
    forecast = fitted[name].forecast(6)
    assert isinstance(forecast, pd.DataFrame)
    assert list(forecast.columns) == ["load"]
    assert_array_equal(forecast.index, pd.date_range(df.index[-1], periods=7, freq="h")[1:])
    assert np.isfinite(forecast.to_numpy()).all()
    assert len(fitted[name].forecast()) >= 1


@EVERY
def test_steps_index_and_frame_ask_for_the_same_forecast(name, fitted, df):
    future = pd.date_range(df.index[-1], periods=4, freq="h")[1:]
    by_steps = fitted[name].predict(3)
    assert_frame_equal(fitted[name].predict(future), by_steps, check_freq=False)
    assert_frame_equal(fitted[name].predict(pd.DataFrame(index=future)), by_steps, check_freq=False)


@EVERY
def test_a_part_of_the_future_is_the_same_part_of_the_forecast(name, fitted):
    whole = fitted[name].predict(4)
    assert_frame_equal(fitted[name].predict(whole.index[[1, 3]]), whole.iloc[[1, 3]], check_freq=False)


@EVERY
def test_a_one_dimensional_y_comes_back_as_a_series(name, df):
    forecast = FORECASTERS[name]().fit(df[[]], df["load"]).predict(2)
    assert isinstance(forecast, pd.Series)
    assert forecast.name == "load"


@EVERY
def test_y_and_target_describe_the_same_fit(name, fitted, df):
    model = FORECASTERS[name]().fit(df[[]], df["load"])
    assert_allclose(model.predict(3), fitted[name].predict(3)["load"], **CLOSE)


@EVERY
def test_a_series_alone_is_a_target(name, fitted, df):
    assert_allclose(FORECASTERS[name]().fit(df["load"]).forecast(3), fitted[name].forecast(3), **CLOSE)


@EVERY
def test_several_targets_are_forecast_together(name, df):
    model = FORECASTERS[name](target=["load", "price"]).fit(df)
    forecast = model.forecast(3)
    assert list(forecast.columns) == ["load", "price"]
    assert np.isfinite(forecast.to_numpy()).all()
    # each nearer its own series than the other's
    own, other = (df[columns].tail(4).mean().to_numpy() for columns in (["load", "price"], ["price", "load"]))
    assert (abs(forecast.mean() - own) < abs(forecast.mean() - other)).all()
    tidy = model.predict_cutoffs(3, df, df.index[[40, 60]])
    assert len(tidy) == 2 * 3 * 2
    both = tidy[tidy["cutoff"] == df.index[60]].pivot(index="ds", columns="target", values="y_pred")
    assert_allclose(both, model.predict(3, history=df.iloc[:61]), **CLOSE)


# ---------------------------------------------------------------------- history, cutoffs, no leak


@EVERY
def test_history_ends_at_the_cutoff_of_predict_cutoffs(name, fitted, df):
    cutoffs = df.index[[30, 47, 79]]
    tidy = fitted[name].predict_cutoffs(4, df, cutoffs)
    assert list(tidy.columns) == ["cutoff", "ds", "step", "target", "y_pred"]
    for cutoff in cutoffs:
        part = tidy[tidy["cutoff"] == cutoff]
        single = fitted[name].predict(4, history=df.loc[:cutoff])
        assert_array_equal(part["ds"], single.index)
        assert_array_equal(part["step"], [1, 2, 3, 4])
        assert_allclose(part["y_pred"], single["load"], **CLOSE)


@EVERY
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cutoff=st.integers(20, 70), value=st.one_of(st.floats(-1e3, 1e3), st.just(np.nan)))
def test_no_row_after_a_cutoff_changes_its_forecast(name, fitted, df, cutoff, value):
    changed = df.copy()
    changed.iloc[cutoff + 1 :, :2] = value
    stamps = df.index[[cutoff - 5, cutoff]]
    one, two = (fitted[name].predict_cutoffs(4, frame, stamps, coverage=0.8) for frame in (df, changed))
    assert_frame_equal(one, two)


@EVERY
def test_nothing_is_refitted_by_forecasts(name, fitted, df):
    model = fitted[name]
    before = {key: pickle.dumps(value) for key, value in vars(model).items() if key != "residuals_"}
    model.predict(2)
    model.predict(2, history=df.iloc[:50])
    model.predict_cutoffs(2, df, df.index[[40]])
    assert {key: pickle.dumps(value) for key, value in vars(model).items() if key != "residuals_"} == before


@EVERY
def test_update_goes_on_like_a_longer_history(name, df):
    model = FORECASTERS[name](target="load").fit(df.iloc[:60])
    expected = model.predict(3, history=df.iloc[:70])
    assert model.update(df.iloc[60:70]) is model
    assert_frame_equal(model.predict(3), expected, check_freq=False)


@EVERY
def test_update_refuses_rows_already_known(name, df):
    model = FORECASTERS[name](target="load").fit(df.iloc[:60])
    with pytest.raises(DataError, match=r"2024-01-03 10:00:00.* not after the last known row, 2024-01-03 11:00:00"):
        model.update(df.iloc[58:65])


@EVERY
def test_fitted_values_are_one_step_forecasts(name, fitted, df):
    values = fitted[name].predict(df.index)
    assert values.notna().all(axis=None)
    tidy = fitted[name].predict_cutoffs(1, df, df.index[30:50])
    assert_allclose(values["load"].iloc[31:51], tidy["y_pred"], **CLOSE)


@EVERY
def test_past_and_future_can_be_asked_for_together(name, fitted, df):
    stamps = pd.date_range(df.index[-2], periods=4, freq="h")
    both = fitted[name].predict(stamps)
    assert_allclose(both.iloc[:2], fitted[name].predict(df.index[-2:]), **CLOSE)
    assert_allclose(both.iloc[2:], fitted[name].predict(2), **CLOSE)


# ---------------------------------------------------------------------- scikit-learn


@EVERY
def test_clone_and_pickle(name, fitted):
    model = FORECASTERS[name](target="load", freq="h")
    assert clone(model).get_params().keys() == model.get_params().keys()
    assert clone(model).get_params()["target"] == "load"
    assert not hasattr(clone(fitted[name]), "data_")
    assert_frame_equal(pickle.loads(pickle.dumps(fitted[name])).predict(3), fitted[name].predict(3))


@EVERY
def test_cross_validate_scores_forecasts(name, df):
    cv = TimeSeriesSplit(2, test_size=4)
    model = FORECASTERS[name]()
    scores = cross_validate(model, df[[]], df["load"], cv=cv, scoring="neg_mean_absolute_error", error_score="raise")
    for score, (train, test) in zip(scores["test_score"], cv.split(df), strict=True):
        by_hand = clone(model).fit(df[["load"]].iloc[train]).forecast(4)["load"]
        assert_allclose(-score, np.abs(by_hand.to_numpy() - df["load"].iloc[test].to_numpy()).mean(), **CLOSE)


@EVERY
def test_grid_search_runs_unmodified(name, df):
    grid = {"freq": [None, "h"]}
    cv = TimeSeriesSplit(2, test_size=4)
    search = GridSearchCV(FORECASTERS[name](), grid, cv=cv, scoring="neg_root_mean_squared_error", error_score="raise")
    search.fit(df[[]], df["load"])
    assert len(search.best_estimator_.forecast(4)) == 4


@EVERY
def test_shuffled_folds_are_refused(name, df):
    cv = KFold(3, shuffle=True, random_state=0)
    with pytest.raises(DataError, match="TimeSeriesSplit"):
        cross_validate(FORECASTERS[name](freq="h"), df[[]], df["load"], cv=cv, error_score="raise")


@EVERY
def test_predict_before_fit(name):
    with pytest.raises(NotFittedError):
        FORECASTERS[name]().predict(3)
    with pytest.raises(NotFittedError):
        FORECASTERS[name]().forecast()


# ---------------------------------------------------------------------- intervals


@EVERY
def test_intervals_hold_the_forecast_and_are_ordered(name, df):
    model = FORECASTERS[name](target=["load", "price"]).fit(df)
    wide = model.predict_interval(4, coverage=0.9)
    narrow = model.predict_interval(4, coverage=0.5)
    for target in ("load", "price"):
        assert_allclose(wide[target], model.predict(4)[target], **CLOSE)
        assert (wide[f"{target}_lower_90"] <= narrow[f"{target}_lower_50"]).all()
        assert (narrow[f"{target}_upper_50"] <= wide[f"{target}_upper_90"]).all()
        assert (wide[f"{target}_lower_90"] < wide[f"{target}_upper_90"]).all()


FROM_FORMULAS = ["naive", "seasonal naive", "drift", "mean", "moving mean", "arima", "seasonal arima", "auto arima"]


@pytest.mark.parametrize("name", FROM_FORMULAS)
def test_intervals_from_a_formula_widen_or_stay_and_lie_about_the_forecast(name, fitted):
    interval = fitted[name].predict_interval(12, coverage=0.8)
    width = interval["load_upper_80"] - interval["load_lower_80"]
    # Some phases of a season are a little better known than others, where its filter has not settled.
    assert (np.diff(width) >= -1e-5 * width.iloc[1:]).all()
    assert_allclose(interval[["load_upper_80", "load_lower_80"]].mean(axis=1), interval["load"])


@EVERY
def test_quantiles_are_ordered_and_named(name, fitted):
    quantiles = fitted[name].predict_quantiles(3, quantiles=(0.1, 0.5, 0.9))
    assert list(quantiles.columns) == ["load_q10", "load_q50", "load_q90"]
    assert (np.diff(quantiles.to_numpy(), axis=1) >= 0).all()


@EVERY
@pytest.mark.parametrize("coverage", [0, 1, 1.5, "much"])
def test_impossible_coverage(name, fitted, coverage):
    with pytest.raises(DataError, match="coverage must lie strictly between 0 and 1"):
        fitted[name].predict_interval(3, coverage=coverage)


# ---------------------------------------------------------------------- what is refused


@EVERY
def test_an_unknown_target_is_named_with_the_nearest_column(name, df):
    with pytest.raises(
        DataError, match=r"target 'lode' is not in the data. Did you mean 'load'\? Columns: load, price"
    ):
        FORECASTERS[name](target="lode").fit(df)


@EVERY
def test_bad_columns_are_refused(name, df):
    text = df.assign(load=df["load"].astype(str))
    with pytest.raises(DataError, match=r"column 'load' is not numeric.*pd.to_numeric"):
        FORECASTERS[name](target="load").fit(text)
    infinite = df.copy()
    infinite.iloc[3, 0] = np.inf
    with pytest.raises(DataError, match="column 'load' holds infinity .*2024-01-01 03:00:00"):
        FORECASTERS[name](target="load").fit(infinite)
    with pytest.raises(DataError, match=r"load hold no observation at all"):
        FORECASTERS[name](target="load").fit(df.assign(load=np.nan))


@EVERY
def test_bad_stamps_are_refused(name, df):
    model = FORECASTERS[name](target="load")
    with pytest.raises(DataError, match=r"duplicated timestamps: 2024-01-01 02:00:00\. Keep one row"):
        model.fit(df.iloc[[0, 1, 2, 2, 3]])
    with pytest.raises(DataError, match=r"not sorted by time.*2024-01-01 01:00:00.*sort_index"):
        model.fit(df.iloc[[0, 2, 1, 3]])
    with pytest.raises(DataError, match=r"no time index \(got RangeIndex\).*set_output"):
        model.fit(df.reset_index(drop=True))
    with pytest.raises(DataError, match="time zone"):
        FORECASTERS[name](target="load").fit(df).predict(pd.date_range("2024-02-01", periods=2, freq="h", tz="UTC"))


@EVERY
@pytest.mark.parametrize("steps", [0, -1])
def test_impossible_steps(name, fitted, steps):
    with pytest.raises(DataError, match=f"steps must be an integer of at least 1, got {steps}"):
        fitted[name].forecast(steps)
    with pytest.raises(DataError, match=f"steps must be an integer of at least 1, got {steps}"):
        fitted[name].predict(steps)


@EVERY
def test_forecasts_off_the_grid_are_refused(name, fitted, df):
    with pytest.raises(DataError, match=r"2024-01-04 08:30:00 are not on the grid"):
        fitted[name].predict(pd.DatetimeIndex(["2024-01-04 08:30"]))


# ---------------------------------------------------------------------- covariates


@COVARIATES
def test_columns_beside_y_are_known_ahead(name, df):
    past, future = df.iloc[:72], df.iloc[72:76]
    model = FORECASTERS[name]().fit(past[["drive"]], past["load"])
    forecast = model.predict(future[["drive"]])
    assert_array_equal(forecast.index, future.index)
    named = FORECASTERS[name](target="load", future_covariates=["drive"]).fit(past)
    assert_allclose(named.predict(future[["drive"]])["load"], forecast, **CLOSE)
    tidy = named.predict_cutoffs(4, df.iloc[:76], past.index[[-1]])
    assert_allclose(tidy["y_pred"], forecast, **CLOSE)


@COVARIATES
def test_missing_future_covariates_are_listed(name, df):
    past, future = df.iloc[:72], df.iloc[72:76]  # a whole horizon
    model = FORECASTERS[name]().fit(past[["drive"]], past["load"])
    with pytest.raises(DataError, match=r"(?s)'?drive'? are needed .*2024-01-04 00:00:00, 2024-01-04 01:00:00"):
        model.predict(2)
    with pytest.raises(DataError, match=r"missing timestamps: 2024-01-04 01:00:00\."):
        model.predict(future[["drive"]].drop(future.index[1]))
    unknown = future[["drive"]].copy()
    unknown.iloc[1] = np.nan
    with pytest.raises(DataError, match=r"missing timestamps: 2024-01-04 01:00:00\."):
        model.predict(unknown)
    with pytest.raises(DataError, match=r"must be known .*2024-01-04 00:00:00"):
        model.predict_cutoffs(2, past, past.index[[-1]])


@pytest.mark.parametrize("name", sorted(set(FORECASTERS) - set(WITH_COVARIATES)))
def test_forecasters_without_covariates_ignore_columns_beside_y(name, df):
    with_columns = FORECASTERS[name]().fit(df[["drive"]], df["load"]).predict(3)
    assert_series_equal(with_columns, FORECASTERS[name]().fit(df[[]], df["load"]).predict(3))


# ---------------------------------------------------------------------- time


@EVERY
def test_gaps_are_missing_rows(name, df):
    holes = df.drop(df.index[[30, 31, 50]])
    filled = df.copy()
    filled.iloc[[30, 31, 50], :2] = np.nan
    gap, missing = (FORECASTERS[name](target="load").fit(frame) for frame in (holes, filled))
    assert_allclose(gap.forecast(3), missing.forecast(3), **CLOSE)
    assert gap.predict(holes.index).notna().all(axis=None)
    with pytest.raises(DataError, match=r"2024-01-02 06:00:00 lie before the end of the history"):
        gap.predict(df.index[[30]])


@EVERY
def test_missing_values_at_the_end_of_the_history(name, df):
    late = df.copy()
    late.iloc[[20, -2, -1], 0] = np.nan
    assert np.isfinite(FORECASTERS[name](target="load").fit(late).forecast(3).to_numpy()).all()


@EVERY
@pytest.mark.parametrize(
    ("freq", "start", "tz", "future"),
    [
        ("D", "2024-01-01", None, ["2024-03-21", "2024-03-22"]),
        ("h", "2024-03-28", "Europe/Berlin", ["2024-03-31 09:00", "2024-03-31 10:00"]),
        ("D", "2024-01-11", "Europe/Berlin", ["2024-03-31", "2024-04-01"]),
        ("W-SAT", "2023-01-07", None, ["2024-07-20", "2024-07-27"]),
        ("MS", "2015-01-01", None, ["2021-09-01", "2021-10-01"]),
        ("ME", "2015-01-31", None, ["2021-09-30", "2021-10-31"]),
        ("B", "2024-01-01", None, ["2024-04-22", "2024-04-23"]),
        ("30min", "2024-01-01", None, ["2024-01-02 16:00", "2024-01-02 16:30"]),
    ],
)
def test_the_index_goes_on_with_its_frequency(name, freq, start, tz, future):
    df = table(freq=freq, start=start, tz=tz)
    df.index.freq = None
    forecast = FORECASTERS[name](target="load").fit(df).forecast(2)
    assert_array_equal(forecast.index, pd.DatetimeIndex(future, tz=tz))


@EVERY
def test_trading_days_are_one_step_apart(name):
    df = table(n=85, freq="B")
    trading = df.drop(df.index[[20, 41, 42, 60, 80]])
    model = FORECASTERS[name](target="load").fit(trading)
    assert model.grid_.calendar
    # a holiday in the stamps asked for is not a step
    asked = pd.DatetimeIndex(["2024-04-30", "2024-05-02"])
    assert_allclose(model.predict(asked), model.predict(2), **CLOSE)
    numbered = trading.set_axis(pd.date_range("2024-01-01", periods=80, freq="h"))
    if name != "auto arima":  # its season depends on the frequency
        assert_allclose(model.predict(2), FORECASTERS[name](target="load").fit(numbered).predict(2), **CLOSE)


@EVERY
def test_warns_of_nothing_on_ordinary_data(name, df):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", CapacityWarning)  # networks: a few windows,
        warnings.simplefilter("ignore", SilentNetworkWarning)  # for one epoch
        warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)  # Keras's, see pyproject.toml
        FORECASTERS[name](target="load").fit(df).predict_interval(3)
