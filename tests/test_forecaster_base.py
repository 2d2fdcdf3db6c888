"""The base of forecasters, by a forecaster that records what reaches its hooks."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from tsrnn.exceptions import DataError
from tsrnn.forecasters.base import BaseForecaster
from tsrnn.forecasters.requests import check_steps, interval_levels
from tsrnn.frames import as_names


class Recorder(BaseForecaster):
    """Forecasts the last value plus the step, and keeps the arrays it was given."""

    _takes_covariates = True

    def __init__(self, target=None, past_covariates=None, future_covariates=None, freq=None):
        self.target = target
        self.past_covariates = past_covariates
        self.future_covariates = future_covariates
        self.freq = freq

    def _fit(self, values):
        self.seen_ = values

    def _forecast(self, values, cutoffs, steps):
        self.given_ = values, cutoffs, steps
        last = values[cutoffs, : len(self.targets_)]
        return last[:, None, :] + np.arange(1, steps + 1)[:, None]

    def _spread(self, steps, quantiles):
        widths = np.arange(1.0, steps + 1)[:, None, None] * (quantiles - 0.5)
        return np.repeat(widths, len(self.targets_), axis=1)


class Clock(Recorder):
    """Adds the position of each row."""

    def _time_columns(self, index):
        return self.grid_.positions(index, self.origin_)[:, None].astype(float)


@pytest.fixture
def df():
    index = pd.date_range("2024-01-01", periods=10, freq="h")
    return pd.DataFrame({"a": np.arange(10.0), "b": 100 + np.arange(10.0), "c": 200 + np.arange(10.0)}, index=index)


# ---------------------------------------------------------------------- roles


def test_columns_reach_the_hooks_in_the_order_of_their_roles(df):
    model = Recorder(target="c", past_covariates=["b"], future_covariates=["a"]).fit(df)
    assert (model.targets_, model.past_, model.future_) == (["c"], ["b"], ["a"])
    assert_array_equal(model.seen_, df[["c", "b", "a"]])


def test_without_names_every_column_is_a_target(df):
    assert Recorder().fit(df).targets_ == ["a", "b", "c"]
    assert Recorder(past_covariates="b").fit(df).targets_ == ["a", "c"]


def test_columns_in_no_role_are_left_out(df):
    assert list(Recorder(target="a").fit(df.assign(note="text")).data_.columns) == ["a"]


def test_columns_beside_y_are_future_covariates(df):
    model = Recorder(past_covariates=["b"]).fit(df[["b", "c"]], df["a"])
    assert (model.targets_, model.past_, model.future_) == (["a"], ["b"], ["c"])


@pytest.mark.parametrize("given", ["array", "list", "series", "unnamed", "frame", "column"])
def test_y_in_every_form(df, given):
    y = {
        "array": df["a"].to_numpy(),
        "list": df["a"].tolist(),
        "series": df["a"],
        "unnamed": df["a"].rename(None),
        "frame": df[["a"]],
        "column": df[["a"]].to_numpy(),
    }[given]
    model = Recorder().fit(df[[]], y)
    assert_array_equal(model.seen_.ravel(), df["a"])
    assert model.targets_ == (["a"] if given in ("series", "frame") else ["y"])
    back = {"frame": pd.DataFrame, "column": pd.DataFrame, "array": np.ndarray}.get(given, pd.Series)
    assert isinstance(model.predict(2), back)


def test_a_target_names_the_columns_of_an_array(df):
    assert Recorder(target=["u", "v"]).fit(df[[]], df[["a", "b"]].to_numpy()).targets_ == ["u", "v"]
    assert Recorder().fit(df[[]], df[["a", "b"]].to_numpy()).targets_ == ["y0", "y1"]


@pytest.mark.parametrize(
    ("fit", "message"),
    [
        (lambda df: Recorder().fit(df[[]]), "nothing to forecast"),
        (lambda df: Recorder().fit(df[[]], df["a"].iloc[:5]), "X has 10 rows and y has 5"),
        (lambda df: Recorder().fit(df[[]], df["a"].shift(1, freq="h")), r"different time indexes.*y.loc\[X.index\]"),
        (lambda df: Recorder().fit(df, df["a"]), "target a stands in X as well as in y and would leak"),
        (lambda df: Recorder(target="b").fit(df[[]], df["a"]), r"target=\['b'\], but y holds \['a'\]"),
        (lambda df: Recorder().fit(df.to_numpy(), df["a"]), r"got ndarray.*fit\(df\[\[\]\], df\['temp'\]\)"),
        (lambda df: Recorder(target="a", past_covariates=["a"]).fit(df), "a are named in more than one role"),
        (
            lambda df: Recorder(past_covariates=["bb"]).fit(df),
            "past covariate 'bb' is not in the data. Did you mean 'b'",
        ),
        (lambda df: Recorder(future_covariates=["zz"]).fit(df), "future covariate 'zz' is not in the data"),
        (lambda df: Recorder().fit([1, 2, 3]), "must be a pandas DataFrame or Series .*got list"),
        (lambda df: Recorder(freq="hourly").fit(df), "freq='hourly' is not a frequency"),
    ],
)
def test_roles_refused(df, fit, message):
    with pytest.raises(DataError, match=message):
        fit(df)


# ---------------------------------------------------------------------- what the hooks see


def test_one_row_per_step_reaches_the_hooks(df):
    model = Recorder(target="a").fit(df.drop(df.index[[3, 4]]))
    assert_array_equal(np.isnan(model.seen_[:, 0]), np.isin(np.arange(10), [3, 4]))


def test_rows_to_forecast_hold_future_covariates_and_nothing_else(df):
    model = Recorder(target="a", past_covariates=["b"], future_covariates=["c"]).fit(df.iloc[:7])
    model.predict(df[["c"]].iloc[7:])
    values, cutoffs, steps = model.given_
    assert (cutoffs.tolist(), steps) == ([6], 3)
    assert np.isnan(values[7:, :2]).all()
    assert_array_equal(values[7:, 2], df["c"].iloc[7:])


def test_cutoffs_are_given_all_at_once(df):
    model = Recorder(target="a").fit(df)
    tidy = model.predict_cutoffs(3, df, df.index[[2, 9, 5]], coverage=0.5)
    assert_array_equal(model.given_[1], [2, 9, 5])
    assert list(tidy.columns) == ["cutoff", "ds", "step", "target", "y_pred", "lower_50", "upper_50"]
    assert tidy["y_pred"].tolist() == [3, 4, 5, 10, 11, 12, 6, 7, 8]
    assert tidy["ds"].iloc[5] == df.index[9] + pd.Timedelta(hours=3)
    assert_array_equal(tidy["upper_50"] - tidy["y_pred"], np.tile([0.25, 0.5, 0.75], 3))
    with pytest.raises(DataError, match=r"cutoff\(s\) 2025-01-01 00:00:00 are not rows of the history"):
        model.predict_cutoffs(3, df, ["2025-01-01"])


def test_cutoffs_keep_their_time_zone(df):
    zoned = df.tz_localize("Europe/Berlin")
    tidy = Recorder(target="a").fit(zoned).predict_cutoffs(2, zoned, zoned.index[[3, 5]])
    assert tidy["ds"].dt.tz is not None
    assert tidy["ds"].tolist() == [*zoned.index[[4, 5]], *zoned.index[[6, 7]]]


@pytest.mark.parametrize("make", [lambda m, df: m.predict(3), lambda m, df: m.predict_cutoffs(3, df, df.index[[9]])])
def test_time_columns_go_on_into_the_future(df, make):
    model = Clock(target="a").fit(df)
    assert_array_equal(model.seen_[:, -1], np.arange(10))
    make(model, df)
    assert_array_equal(model.given_[0][:, -1], np.arange(13))


def test_time_columns_count_from_the_first_row_fitted(df):
    model = Clock(target="a").fit(df.iloc[4:])
    model.predict(2, history=df.iloc[2:8])
    assert_array_equal(model.given_[0][:, -1], np.arange(-2, 6))
    model.predict(df.index[5:7])
    assert_array_equal(model.given_[0][:, -1], np.arange(6))


def test_history_needs_the_columns_of_the_fit(df):
    model = Recorder(target="a", past_covariates=["b"]).fit(df)
    with pytest.raises(DataError, match="column 'b' is not in the data"):
        model.predict(1, history=df[["a"]])
    with pytest.raises(DataError, match="history has no rows"):
        model.predict(1, history=df.iloc[:0])
    with pytest.raises(DataError, match="history must be a DataFrame or Series, got list"):
        model.predict(1, history=[1, 2])


def test_a_history_of_another_frequency_is_refused(df):
    other = df.set_axis(pd.date_range("2024-01-01", periods=10, freq="17min"))
    with pytest.raises(DataError, match="do not lie on freq=<Hour>"):
        Recorder(target="a").fit(df).predict(1, history=other)


def test_a_history_without_an_observation_is_refused(df):
    model = Recorder(target=["a", "b"]).fit(df)
    with pytest.raises(DataError, match=r"target\(s\) b hold no observation in the 10 rows up to the cutoff"):
        model.predict(1, history=df.assign(b=np.nan))
    late = df.copy()
    late.iloc[:4, 0] = np.nan
    with pytest.raises(DataError, match=r"target\(s\) a hold no observation in the 3 rows"):
        model.predict_cutoffs(1, late, df.index[[2, 8]])


def test_fitted_values_with_nothing_before_them_are_the_mean(df):
    late = df.copy()
    late.iloc[:4, 0] = np.nan
    fitted = Recorder(target=["a", "b"]).fit(late).predict(df.index)
    assert_array_equal(fitted["a"], [6.5] * 5 + [5, 6, 7, 8, 9])
    assert_array_equal(fitted["b"], [104.5, *np.arange(101, 110)])


def test_update_checks_what_it_takes_in(df):
    model = Recorder(target="a").fit(df.iloc[:6])
    assert len(model.update(df.iloc[6:8]).data_) == 8
    assert_array_equal(model.update(df[[]].iloc[8:], df["a"].iloc[8:]).data_["a"], df["a"])
    assert len(model.seen_) == 6
    with pytest.raises(DataError, match=r"fitted on target\(s\) \['a'\], but the update holds \['b'\]"):
        Recorder().fit(df[["a"]].iloc[:6]).update(df[["b"]].iloc[6:])


def test_stamps_to_predict_may_not_be_empty(df):
    with pytest.raises(DataError, match="X to predict has no rows"):
        Recorder(target="a").fit(df).predict(df.index[:0])


@pytest.mark.parametrize("quantiles", [(0, 0.5), (0.5, 1), (), 0.5])
def test_impossible_quantiles(df, quantiles):
    with pytest.raises(DataError, match="^quantiles.* must be"):
        Recorder(target="a").fit(df).predict_quantiles(2, quantiles)


def test_interval_columns_stand_beside_their_target(df):
    interval = Recorder(target=["a", "b"]).fit(df).predict_interval(2, coverage=0.955)
    assert list(interval.columns) == [f"{t}{s}" for t in "ab" for s in ("", "_lower_95.5", "_upper_95.5")]


def test_score_is_that_of_the_forecast(df):
    model = Recorder().fit(df[[]].iloc[:6], df["a"].iloc[:6])
    assert model.score(df[[]].iloc[6:], df["a"].iloc[6:]) == 1.0


# ---------------------------------------------------------------------- helpers


@pytest.mark.parametrize("steps", [0, 1.5, "two", True, None])
def test_impossible_steps(steps):
    with pytest.raises(DataError, match="steps must be an integer of at least 1"):
        check_steps(steps)


def test_names_in_every_form():
    assert as_names(None) == []
    assert as_names("a") == ["a"]
    assert as_names(3) == [3]
    assert as_names(("a", "b")) == as_names(pd.Index(["a", "b"])) == ["a", "b"]


def test_levels_of_an_interval():
    levels, suffix = interval_levels(0.9)
    np.testing.assert_allclose(levels, [0.05, 0.95])
    assert suffix == "90"
    assert interval_levels(0.955)[1] == "95.5"
