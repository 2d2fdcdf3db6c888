"""Comparisons: every cell of the leaderboard from scikit-learn's metrics on the tidy frame; fair and loud."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import FitFailedWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error, mean_pinball_loss, root_mean_squared_error
from sklearn.pipeline import make_pipeline

from tsrnn.backtest import backtest
from tsrnn.comparison import compare
from tsrnn.exceptions import DataError, SilentNetworkWarning
from tsrnn.forecasters.base import BaseForecaster
from tsrnn.forecasters.echo_state import EchoStateForecaster
from tsrnn.forecasters.mean import MeanForecaster
from tsrnn.forecasters.naive import DriftForecaster, NaiveForecaster, SeasonalNaiveForecaster
from tsrnn.forecasters.recurrent import GRUForecaster
from tsrnn.forecasters.regression import RegressionForecaster
from tsrnn.forecasters.ridge import RidgeForecaster
from tsrnn.forecasters.statistical import ARIMAForecaster
from tsrnn.metrics import Metric, mase, pinball


def hourly(n_rows=300, seed=0):
    rng = np.random.default_rng(seed)
    hours = pd.date_range("2024-01-01", periods=n_rows, freq="h")
    season = 10 * np.sin(np.arange(n_rows) * 2 * np.pi / 24)
    return pd.DataFrame(
        {"temp": 50 + season + rng.normal(size=n_rows), "wind": rng.gamma(2.0, size=n_rows)}, index=hours
    )


def ridge(**options):
    return RegressionForecaster(make_pipeline(SimpleImputer(), Ridge()), window=24, **options)


class BrokenForecaster(BaseForecaster):
    """Fails as it is told to; counts fits."""

    fits = 0

    def __init__(self, how="raise", target=None, freq=None):
        self.how = how
        self.target = target
        self.freq = freq

    def _fit(self, values):
        type(self).fits += 1
        if self.how == "late" and len(values) > 297:
            raise RuntimeError("out of luck")
        if self.how == "raise":
            raise ZeroDivisionError("no luck")
        if self.how == "refuse":
            raise DataError("not these data")

    def _forecast(self, values, cutoffs, steps):
        if self.how == "stop":
            raise KeyboardInterrupt
        forecasts = np.full((len(cutoffs), steps, 1), 0.0 if self.how == "late" else np.nan)
        return forecasts


class NoLuck(RegressorMixin, BaseEstimator):
    """A regressor that cannot be fitted."""

    def fit(self, X, y):
        raise RuntimeError("no luck")

    def predict(self, X):
        return np.zeros(len(X))


@pytest.fixture
def fits(monkeypatch):
    """How many models were fitted, of whatever class."""
    counted = []
    read = BaseForecaster.fit

    def fit(self, X, y=None):
        counted.append(type(self).__name__)
        return read(self, X, y)

    monkeypatch.setattr(BaseForecaster, "fit", fit)
    return counted


@pytest.fixture(scope="module")
def result():
    df = hourly().drop(hourly().index[[-5, -30, 100]])
    return compare(
        {"ridge": ridge(), "drift": DriftForecaster()}, df, target="temp", horizon=6, n_windows=8, coverage=0.8
    )


def test_cells_equal_scikit_learn_on_the_observed_rows(result):
    table = result.leaderboard().set_index("model")
    rows = result.forecasts.dropna(subset="y_true")
    assert set(table.index) == {"ridge", "drift", "naive", "snaive"}
    train = hourly()["temp"].drop(hourly().index[100]).asfreq("h").iloc[: 300 - 48]
    scale = train.diff(24).abs().mean()
    snaive = rows[rows["model"] == "snaive"]
    for model, group in rows.groupby("model"):
        cells, pair = table.loc[model], (group["y_true"], group["y_pred"])
        assert cells["MAE"] == pytest.approx(mean_absolute_error(*pair))
        assert cells["RMSE"] == pytest.approx(root_mean_squared_error(*pair))
        assert cells["sMAPE"] == pytest.approx(
            200 * ((pair[0] - pair[1]).abs() / (pair[0].abs() + pair[1].abs())).mean()
        )
        assert cells["MASE"] == pytest.approx(mean_absolute_error(*pair) / scale)
        assert cells["skill"] == pytest.approx(
            1 - mean_absolute_error(*pair) / mean_absolute_error(snaive["y_true"], snaive["y_pred"])
        )
        assert cells["coverage_80"] == ((pair[0] >= group["lower_80"]) & (pair[0] <= group["upper_80"])).mean()
    assert len(rows) == 4 * (48 - 2)


def test_leaderboard_is_sorted_best_first_with_timings(result):
    table = result.leaderboard()
    assert table["MAE"].is_monotonic_increasing
    assert result.leaderboard(sort="skill")["skill"].is_monotonic_decreasing
    assert (table[["fit_seconds", "predict_seconds"]] > 0).all(axis=None)
    assert str(table["parameters"].dtype) == "Int64"
    assert table["model"].iloc[0] == "ridge" and table.set_index("model")["skill"]["snaive"] == 0


@pytest.mark.parametrize("by", ["step", "cutoff"])
def test_by_gives_the_metrics_of_each_group(result, by):
    table = result.leaderboard(by=by)
    rows = result.forecasts.dropna(subset="y_true")
    expected = rows.assign(error=(rows["y_true"] - rows["y_pred"]).abs()).groupby([by, "model"])["error"].mean()
    pd.testing.assert_series_equal(
        table.set_index([by, "model"])["MAE"].sort_index(), expected.sort_index(), check_names=False
    )
    assert table.columns[0] == by and table[by].is_monotonic_increasing


def test_each_model_gets_what_a_backtest_alone_gives(result):
    df = hourly().drop(hourly().index[[-5, -30, 100]])
    for name, model in {"ridge": ridge(), "drift": DriftForecaster()}.items():
        alone = backtest(model, df, target="temp", horizon=6, n_windows=8, coverage=0.8, name=name).forecasts
        together = result.forecasts[result.forecasts["model"] == name].reset_index(drop=True)
        pd.testing.assert_frame_equal(alone, together)


def test_baselines_given_by_the_user_are_not_added_again():
    models = {"last": NaiveForecaster(), "week": SeasonalNaiveForecaster(season_length=12)}
    result = compare(models, hourly(), target="temp", horizon=6, n_windows=2)
    assert list(result.runs) == ["last", "week"] and result.reference == "week"


def test_without_a_season_skill_is_against_naive():
    result = compare([DriftForecaster()], hourly(), target="temp", horizon=2, n_windows=2, season_length=1)
    assert list(result.runs) == ["drift", "naive"] and result.reference == "naive"
    assert result.leaderboard().set_index("model")["skill"]["naive"] == 0


def test_a_name_kept_for_a_baseline_is_refused():
    with pytest.raises(DataError, match="the name 'naive' is kept for NaiveForecaster"):
        compare({"naive": DriftForecaster()}, hourly(), target="temp", horizon=2)


def test_names_of_a_list_come_from_the_classes_and_are_numbered():
    result = compare([ridge(), ridge(level=None), DriftForecaster()], hourly(), target="temp", horizon=2, n_windows=2)
    assert list(result.runs) == ["regression", "regression_2", "drift", "naive", "snaive"]


def test_horizon_left_open_is_set_and_one_given_is_kept():
    models = {"open": ridge(), "one": ridge(horizon=1)}
    result = compare(models, hourly(), target="temp", horizon=6, n_windows=2)
    assert result.runs["open"].forecaster.horizon == 6
    assert result.runs["one"].forecaster.horizon == 1
    assert result.forecasts["model"].value_counts().nunique() == 1
    assert models["open"].horizon is None and models["open"].target is None


# ---------------------------------------------------------------------- failures


@pytest.mark.parametrize(
    ("how", "error", "message"),
    [
        ("raise", RuntimeError, r"model 'bad' failed with ZeroDivisionError: no luck"),
        ("refuse", DataError, r"model 'bad': not these data"),
        ("empty", DataError, r"model 'bad' gave no finite value for 4 of 4 forecasts"),
    ],
)
def test_a_model_that_fails_stops_all_where_it_is_asked_to(how, error, message):
    with pytest.raises(error, match=message) as caught:
        compare({"bad": BrokenForecaster(how)}, hourly(), target="temp", horizon=2, n_windows=2, error_score="raise")
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize(
    ("model", "options", "said"),
    [
        (BrokenForecaster("raise"), {}, "ZeroDivisionError: no luck"),
        (BrokenForecaster("refuse"), {}, "DataError: not these data"),
        (BrokenForecaster("empty"), {}, "DataError: model 'bad' gave no finite value for 6 of 6 forecasts (first: "),
        (BrokenForecaster("late"), {"refit": True}, "RuntimeError: out of luck"),
        (RegressionForecaster(NoLuck(), window=8), {}, "RuntimeError: no luck"),
    ],
    ids=["early", "refusal", "empty", "late", "regressor"],
)
def test_a_model_that_fails_is_a_row_with_its_error_and_the_others_stand(model, options, said):
    task = {"target": "temp", "horizon": 2, "n_windows": 3, **options}
    models = {"drift": DriftForecaster(), "bad": model, "ridge": ridge()}
    with pytest.warns(FitFailedWarning, match="model 'bad' failed"):
        result = compare(models, hourly(), **task)
    alone = compare({"drift": DriftForecaster(), "ridge": ridge()}, hourly(), **task)
    pd.testing.assert_frame_equal(result.forecasts, alone.forecasts)
    table = result.leaderboard()
    assert table["model"].iloc[-1] == "bad" and table["error"].iloc[-1].startswith(said)
    assert table["error"].iloc[:-1].isna().all()
    assert table.drop(columns=["model", "error"]).iloc[-1].isna().all()
    assert result.failures == {"bad": table["error"].iloc[-1]} and "bad" not in result.runs


def test_everything_else_copes_with_a_model_that_failed():
    with pytest.warns(FitFailedWarning):
        result = compare(
            {"bad": BrokenForecaster(), "drift": DriftForecaster()}, hourly(), target="temp", horizon=2, n_windows=3
        )
    assert "bad" not in set(result.leaderboard(by="step")["model"])
    assert result.verdict("bad", "naive") == result.verdict("bad") == result.verdict("naive", "bad")
    assert result.verdict("bad") == "bad failed, and there is nothing to compare: ZeroDivisionError: no luck"
    assert result.verdict("bad").outcome is None
    assert "bad" not in result.predictability()
    assert "no luck" in repr(result) and "no luck" in result._repr_html_() and "of 4 models" in repr(result)
    with pytest.raises(DataError, match="model 'bad' failed and has no forecasts to draw: ZeroDivisionError"):
        result.plot(models=["bad", "drift"])


def test_where_all_given_models_fail_the_trivial_ones_are_left():
    with pytest.warns(FitFailedWarning) as seen:
        result = compare([BrokenForecaster("raise"), BrokenForecaster("empty")], hourly(), target="temp", horizon=2)
    assert len(seen) == 2 and set(result.failures) == {"broken", "broken_2"}
    assert result.predictability().startswith("No model was held against ")


def test_where_every_model_fails_the_errors_are_told(monkeypatch):
    def refuse(self, values):
        raise ValueError("nor here")

    for cls in (NaiveForecaster, SeasonalNaiveForecaster, MeanForecaster):
        monkeypatch.setattr(cls, "_fit", refuse)
    with (
        pytest.warns(FitFailedWarning),
        pytest.raises(DataError, match="every model failed. 'broken': ZeroDivisionError: no luck 'naive': .*nor here"),
    ):
        # So short that no trial before the first cutoff is made.
        compare([BrokenForecaster()], hourly(30), target="temp", horizon=4, n_windows=1, season_length=24)


def test_control_c_stops_whatever_error_score_says():
    with pytest.raises(KeyboardInterrupt):
        compare([BrokenForecaster("stop")], hourly(), target="temp", horizon=2, n_windows=2)


# ---------------------------------------------------------------------- what is checked before the first fit


def gappy_plan():
    df = hourly()
    df.loc[df.index[-3], "wind"] = np.nan
    return df


@pytest.mark.parametrize(
    ("models", "df", "message"),
    [
        (
            [DriftForecaster(), NaiveForecaster],
            hourly(),
            r"model 'naive': NaiveForecaster is a class.*write NaiveForecaster\(\)",
        ),
        ([DriftForecaster(), Ridge()], hourly(), "Ridge is not a tsrnn forecaster"),
        ({"a": DriftForecaster(), "b": None}, hourly(), "model 'b': NoneType is not a tsrnn forecaster"),
        ({"a": DriftForecaster(), 3: DriftForecaster()}, hourly(), "name of a model must be a string.*got 3"),
        ([("a", DriftForecaster())], hourly(), "got the pair"),
        ({}, hourly(), "no models to compare"),
        (
            {"a": DriftForecaster(), "b": DriftForecaster(target="wind")},
            hourly(),
            "model 'b': .*temp is to be forecast",
        ),
        ({"a": DriftForecaster(), "b": ridge(future_covariates=["wnd"])}, hourly(), "'b': .*Did you mean 'wind'"),
        ({"a": DriftForecaster(), "b": ridge(future_covariates=["temp"])}, hourly(), "'b': .*more than one role"),
        ({"a": DriftForecaster(), "b": ridge(future_covariates=["wind"])}, gappy_plan(), "'b': .*2024-01-13 09:00:00"),
        ({"a": DriftForecaster(), "b": ridge(past_covariates=["wind"], horizon=1)}, hourly(), "'b': .*feeds forecasts"),
        (
            {"a": DriftForecaster(), "b": RegressionForecaster(Ridge)},
            hourly(),
            "'b': estimator must be .*write Ridge()",
        ),
        ({"a": DriftForecaster(), "b": ridge(level="mean")}, hourly(), "'b': level must be one of"),
        ({"a": DriftForecaster(), "b": MeanForecaster(window=0)}, hourly(), "'b': window must be an integer"),
        ({"a": DriftForecaster(), "b": SeasonalNaiveForecaster(400)}, hourly(), "'b': history has 288 rows"),
        ({"a": DriftForecaster(), "b": ARIMAForecaster(order=(1, 2))}, hourly(), "'b': order"),
        (
            {"a": DriftForecaster(), "b": GRUForecaster(epochs=0)},
            hourly(),
            "'b': epochs must be an integer of at least 1",
        ),
        (
            {"a": DriftForecaster(), "b": GRUForecaster(window=299)},
            hourly(),
            "'b': history has 288 rows, but window=299",
        ),
        ({"a": DriftForecaster(), "b": EchoStateForecaster(units=0)}, hourly(), "'b': units must be"),
    ],
)
def test_what_can_be_checked_is_checked_before_the_first_fit(models, df, message, fits):
    with pytest.raises(DataError, match=message):
        compare(models, df, target="temp", horizon=6, n_windows=2)
    assert fits == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"refit": 0}, "refit must be False .* got 0"),
        ({"refit": 2.5}, "refit must be .* got 2.5"),
        ({"refit": "each"}, "refit must be .* got 'each'"),
        ({"refit": None}, "refit must be .* got None"),
        ({"coverage": 90}, "coverage must lie strictly between 0 and 1, got 90"),
        ({"season_length": 0}, "season_length must be an integer of at least 1 or None, got 0"),
        ({"season_length": 400}, "season_length=400"),
        ({"error_score": 0}, "error_score must be NaN .* or 'raise', got 0"),
        ({"error_score": "warn"}, "got 'warn'"),
        ({"progress": "maybe"}, "progress must be True, False or 'auto', got 'maybe'"),
        ({"n_windows": 0}, "n_windows must be an integer of at least 1, got 0"),
        ({"step": -1}, "step must be an integer of at least 1, got -1"),
        ({"horizon": 2.0}, "horizon must be an integer of at least 1, got 2.0"),
        ({"target": "tmp"}, "Did you mean 'temp'"),
    ],
)
def test_options_that_are_none_are_refused_before_the_first_fit(options, message, fits):
    with pytest.raises(ValueError, match=message):
        compare([DriftForecaster()], hourly(), **{"target": "temp", "horizon": 2, "n_windows": 2, **options})
    assert fits == []


def test_models_that_read_what_only_their_fit_sets_are_checked_there():
    class LateForecaster(NaiveForecaster):
        def _fit(self, values):
            super()._fit(values)
            self.least_ = 2

        def _check_history(self, values, cutoffs):
            if "data_" in vars(self) and cutoffs.min() < self.least_:
                raise DataError("too short")

    table = compare({"late": LateForecaster()}, hourly(), target="temp", horizon=2, n_windows=2).leaderboard()
    assert table.set_index("model")["MAE"].notna().all()


# ---------------------------------------------------------------------- fairness


def test_models_that_read_other_rows_from_the_data_are_refused():
    holidays = pd.to_datetime(["2024-01-15", "2024-06-19"])
    days = pd.date_range("2024-01-01", "2024-06-28", freq="B").difference(holidays)
    prices = pd.DataFrame({"price": np.arange(len(days), dtype=float) ** 2}, index=days)
    with pytest.raises(DataError, match="different frequencies"):
        compare(
            {"a": DriftForecaster(), "b": DriftForecaster(freq="D")}, prices, target="price", horizon=5, n_windows=5
        )


def test_metrics_of_several_targets_are_means_over_them():
    result = compare([DriftForecaster()], hourly(), target=["temp", "wind"], horizon=3, n_windows=3)
    mean, each = result.leaderboard(), result.leaderboard(by="target")
    assert len(each) == 2 * len(result.runs) and set(each["target"]) == {"temp", "wind"}
    columns = ["MAE", "RMSE", "sMAPE", "MASE", "skill"]
    expected = each.groupby("model")[columns].mean()
    pd.testing.assert_frame_equal(mean.set_index("model")[columns].sort_index(), expected.sort_index())


def test_targets_of_different_units_are_ranked_by_what_has_no_unit():
    df = hourly().assign(wind=lambda df: 1e6 * df["wind"])
    result = compare({"ridge": ridge()}, df, target=["temp", "wind"], horizon=3, n_windows=4)
    table = result.leaderboard()
    assert list(table.columns[:4]) == ["model", "MASE", "skill", "sMAPE"] and table["MASE"].is_monotonic_increasing
    assert list(table.columns).index("MAE") > list(table.columns).index("sMAPE")
    small = compare({"ridge": ridge()}, hourly(), target=["temp", "wind"], horizon=3, n_windows=4).leaderboard()
    pd.testing.assert_frame_equal(table[["model", "MASE", "skill"]], small[["model", "MASE", "skill"]], rtol=1e-6)
    assert "MAE and RMSE are means over targets, whose units may differ: leaderboard(by='target')" in repr(result)
    assert "means over targets" in result._repr_html_()
    by_target = result.leaderboard(by="target")
    assert by_target["target"].tolist() == ["temp"] * len(result.runs) + ["wind"] * len(result.runs)
    assert by_target.groupby("target")["MAE"].apply(lambda mae: mae.is_monotonic_increasing).all()


def test_a_target_without_scale_does_not_hide_the_others():
    df = hourly().assign(wind=np.arange(300.0) % 24)
    result = compare({"ridge": ridge()}, df, target=["temp", "wind"], horizon=3, n_windows=4)
    alone = compare({"ridge": ridge()}, df, target="temp", horizon=3, n_windows=4)
    mase, expected = (each.leaderboard().set_index("model")["MASE"] for each in (result, alone))
    own = ["naive", "snaive"]  # a ridge regression shares its weights between the targets
    pd.testing.assert_series_equal(mase[own], expected[own])
    assert result.best_trivial == {"temp": "snaive", "wind": "snaive"}
    assert "snaive" in result.predictability()


def test_a_constant_target_counts_in_what_is_said():
    df = hourly().assign(wind=5.0)
    result = compare({"drift": DriftForecaster(), "zero": MeanForecaster(value=0.0)}, df, target=None, horizon=2)
    assert result.best_trivial == {"temp": "snaive", "wind": "naive"}
    assert result.verdict("zero").startswith(
        "zero is worse than the best trivial forecast of each target (snaive and naive)"
    )
    still = compare([DriftForecaster()], df[[]].assign(a=5.0, b=0.0), target=None, horizon=2)
    assert set(still.best_trivial) == {"a", "b"} and still.verdict("drift").startswith("There is no clear difference")
    assert "no evidence" in still.predictability()


def test_refit_changes_what_is_fitted_on():
    df = hourly()
    options = {"target": "temp", "horizon": 6, "n_windows": 3}
    once, again = (compare([ridge()], df, refit=refit, **options).forecasts for refit in (False, True))
    first = once["cutoff"] == once["cutoff"].min()
    np.testing.assert_allclose(once.loc[first, "y_pred"], again.loc[first, "y_pred"], rtol=1e-6)
    assert not np.allclose(once["y_pred"], again["y_pred"])


def test_a_season_longer_than_the_training_part_is_told():
    with pytest.raises(DataError, match=r"leaves 20 rows.*season_length=24.*season_length=1"):
        compare([DriftForecaster()], hourly(40), target="temp", horizon=2, n_windows=10)


def test_an_exactly_periodic_series_has_no_mase_but_the_rest_stands():
    df = pd.DataFrame({"y": np.arange(100.0) % 7}, index=pd.date_range("2024-01-01", periods=100))
    table = compare([DriftForecaster()], df, target="y", horizon=7, n_windows=3).leaderboard().set_index("model")
    assert table["MASE"].isna().all() and table["skill"].isna().all()
    assert table["MAE"]["snaive"] == 0 < table["MAE"]["drift"]


def test_nothing_observed_is_an_error():
    df = hourly(100)
    df.iloc[-12:, 0] = np.nan
    # Said before any model is fitted: this list holds none that could be.
    with pytest.raises(DataError, match=f"temp hold no observation .* {df.index[-12]} to {df.index[-1]}: .*n_windows"):
        compare([object()], df, target="temp", horizon=6, n_windows=2)
    assert len(compare([DriftForecaster()], df, target="temp", horizon=6, n_windows=3).leaderboard()) == 3


def test_verdict_counts_origins_and_calls_chance_chance(result):
    rows = result.forecasts.dropna(subset="y_true")
    error = (rows["y_true"] - rows["y_pred"]).abs().groupby([rows["cutoff"], rows["model"]]).mean().unstack()
    wins = int((error["ridge"] < error["naive"]).sum())
    text = result.verdict("ridge", "naive")
    assert text.startswith("ridge is better than naive") and f"closer at {wins} of 8 origins" in text
    assert (text.outcome, text.wins, text.origins) == ("better", wins, 8)
    assert text.difference == pytest.approx(error["ridge"].mean() / error["naive"].mean() - 1)
    assert "worse" in result.verdict("naive", "ridge")
    assert result.verdict("ridge", "ridge").startswith("There is no clear difference")
    with pytest.raises(DataError, match="no model 'lstm'"):
        result.verdict("lstm", "naive")


def test_verdict_without_another_model_is_against_the_best_trivial_forecast(result):
    assert result.best_trivial == {"temp": "snaive"}
    wanted, found = result.verdict("ridge", "snaive"), result.verdict("ridge")
    assert "the season before (snaive), the best trivial forecast: " in found
    assert found.split(": ")[1] == wanted.split(": ")[1]


def test_a_model_that_beats_a_poor_trivial_forecast_only_is_told(result):
    text = result.verdict("snaive", "drift")
    assert text.startswith("snaive is better than drift") and "But" not in text
    noise = pd.DataFrame({"r": np.random.default_rng(0).normal(size=500)}, index=pd.date_range("2020", periods=500))
    returns = compare({"ridge": ridge()}, noise, target="r", horizon=1, n_windows=100)
    text = returns.verdict("ridge", "naive")
    best = returns.best_trivial["r"]
    assert text.startswith("ridge is better than naive") and best in ("zero", "mean")
    assert "But it is" in text and text.endswith(f"than {'the ' * (best == 'mean')}{best}, the best trivial forecast.")


def test_one_origin_proves_nothing():
    result = compare([ridge()], hourly(), target="temp", horizon=6, n_windows=1)
    assert "no clear difference" in result.verdict("regression", "naive")
    assert "no evidence" in result.predictability()


def test_a_random_walk_shows_no_evidence_of_predictability():
    steps = np.random.default_rng(3).normal(size=600)
    frame = pd.DataFrame({"price": steps.cumsum()}, index=pd.date_range("2020-01-01", periods=600, freq="D"))
    result = compare([ridge()], frame, target="price", horizon=3, n_windows=60)
    sentence = (
        "There is no evidence of predictability beyond the last value (naive), the best trivial forecast: no model has "
        "a clearly lower MAE."
    )
    assert result.predictability() == sentence
    assert repr(result).endswith(sentence) and sentence in result._repr_html_()


def test_models_clearly_better_than_the_best_trivial_forecast_are_named_of_how_many():
    rng = np.random.default_rng(0)
    wave = 10 + 3 * np.sin(np.arange(600) * 2 * np.pi / 5) + rng.normal(size=600)  # no period of a day's usual season
    frame = pd.DataFrame({"y": wave}, index=pd.date_range("2020-01-01", periods=600, freq="D"))
    models = {"drift": DriftForecaster(), "ridge": ridge(), "few": ridge().set_params(window=5)}
    result = compare(models, frame, target="y", horizon=1, n_windows=100)
    assert result.predictability() == (
        "Clearly better than the mean, the best trivial forecast: ridge and few (2 of 3 models, with Holm's correction "
        "for 3 models)."
    )


def test_the_best_trivial_forecast_may_differ_from_target_to_target():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"noise": rng.normal(size=600), "walk": rng.normal(size=600).cumsum()})
    frame.index = pd.date_range("2020-01-01", periods=600, freq="D")
    result = compare([DriftForecaster()], frame, target=None, horizon=1, n_windows=100)
    best = result.best_trivial
    assert best["noise"] in ("zero", "mean") and best["walk"] == "naive"
    words = f"the best trivial forecast of each target ({best['noise']} and naive)"
    assert words in result.predictability() and words in result.verdict("drift")
    # Neither of the two is as good as both.
    assert all(result.verdict(name).startswith(f"{name} is worse than") for name in ("naive", best["noise"]))


def test_targets_may_be_tuples():
    columns = pd.MultiIndex.from_product([["Close", "Open"], ["A", "B"]], names=["price", "ticker"])
    walks = np.random.default_rng(0).normal(size=(200, 4)).cumsum(axis=0) + 100
    two_levels = pd.DataFrame(walks, pd.bdate_range("2024-01-01", periods=200), columns)
    plain = two_levels.set_axis(["ca", "cb", "oa", "ob"], axis=1)
    names = dict(zip(two_levels.columns, plain.columns, strict=True))
    for target in (("Close", "B"), [("Open", "A"), ("Close", "A")], None):
        flat = target and (names[target] if isinstance(target, tuple) else [names[each] for each in target])
        options = {"horizon": 2, "n_windows": 10, "coverage": 0.8}
        tuples = compare({"ridge": ridge()}, two_levels, target=target, **options)
        strings = compare({"ridge": ridge()}, plain, target=flat, **options)
        for by in (None, "step", "target"):
            one, two = (result.leaderboard(by=by).filter(regex="MAE|MASE|model") for result in (tuples, strings))
            pd.testing.assert_frame_equal(one, two)
        assert {names[each]: name for each, name in tuples.best_trivial.items()} == strings.best_trivial
        assert tuples.predictability() == strings.predictability()
        assert tuples.leaderboard(by="target")["target"].map(names.get).tolist() == (
            strings.leaderboard(by="target")["target"].tolist()
        )
        assert str(("Close", "B")) in repr(tuples) or target == [("Open", "A"), ("Close", "A")]


class Silent(NaiveForecaster):
    """Says that a share of its forecast comes from networks."""

    def __init__(self, share=0.0, fallback=None, target=None, freq=None):
        self.share = share
        self.fallback = fallback
        self.target = target
        self.freq = freq

    def _fit(self, values):
        super()._fit(values)
        warnings.warn("adds nothing", SilentNetworkWarning, stacklevel=2)
        self.network_share_, self.fallback_ = self.share, self.fallback


def test_what_networks_add_is_a_column_and_words():
    models = {"lstm": Silent(0.0), "gru": Silent(0.4), "rnn": Silent(0.4, "zero"), "ridge": RidgeForecaster(window=24)}
    result = compare(models, hourly(), target="temp", horizon=6, n_windows=8)
    table = result.leaderboard().set_index("model")
    assert table["network_share"][["lstm", "gru", "rnn"]].tolist() == [0.0, 0.4, 0.0]
    assert table["network_share"].isna().sum() == len(table) - 3
    said = result.networks()
    assert said.startswith(
        "The networks of lstm add nothing to speak of (0.0% of the movement of its forecasts); it is "
    )
    assert "40% of the movement of gru's forecasts comes from its networks; it is worse than ridge." in said
    assert said.endswith("rnn did not beat zero on its validation part, and forecasts zero.")
    assert repr(result).endswith(said)
    assert result.leaderboard(sort="network_share")["model"].iloc[0] == "gru"
    without = compare([DriftForecaster()], hourly(), target="temp", horizon=2, n_windows=2)
    assert without.networks() == "" and "network_share" not in without.leaderboard()


def test_a_ridge_regression_that_nobody_asked_for_fails_without_a_warning():
    names = [f"c{k}" for k in range(100)]
    wide = pd.concat([hourly(), pd.DataFrame(0.0, hourly().index, names)], axis=1)
    model = EchoStateForecaster(window=24, past_covariates=names, units=5, random_state=0)
    result = compare({"echo": model}, wide, target="temp", horizon=2, n_windows=2)
    assert list(result.failures) == ["ridge"] and "2,000" in result.leaderboard()["error"].iloc[-1]


def hit_rate(y_true, y_pred):
    return np.mean(np.abs(y_true - y_pred) < 1)


def bias(y_true, y_pred, scale):
    return np.mean(y_true - y_pred) / scale


HITS = Metric(hit_rate, "hits", unit="share", better="higher")
BIAS = Metric(bias, "bias", unit="", needs=("scale",))
METRICS = [mean_absolute_error, HITS, mase, BIAS, "skill"]


def test_metrics_of_ones_own_are_the_columns(result):
    own = compare([DriftForecaster()], hourly(), target="temp", horizon=6, n_windows=8, metrics=METRICS)
    table = own.leaderboard()
    assert list(table.columns[:6]) == ["model", "mean_absolute_error", "hits", "MASE", "bias", "skill"]
    assert table["mean_absolute_error"].is_monotonic_increasing
    assert own.leaderboard(sort="hits")["hits"].is_monotonic_decreasing
    usual = compare([DriftForecaster()], hourly(), target="temp", horizon=6, n_windows=8)
    pd.testing.assert_frame_equal(own.forecasts, usual.forecasts)
    pd.testing.assert_frame_equal(table[["model", "MASE", "skill"]], usual.leaderboard()[["model", "MASE", "skill"]])
    for model, rows in own.forecasts.groupby("model"):
        cells, errors = table.set_index("model").loc[model], rows["y_true"] - rows["y_pred"]
        assert cells["mean_absolute_error"] == pytest.approx(errors.abs().mean())
        assert cells["hits"] == (errors.abs() < 1).mean()
        assert cells["bias"] == pytest.approx(errors.mean() / own.scale["temp"])
    assert own.leaderboard(by="step").columns[2:].tolist() == table.columns[1:6].tolist()


def test_of_several_targets_own_metrics_without_unit_stand_first_and_sort():
    metrics = [Metric(mean_absolute_error, "size"), HITS, BIAS]
    own = compare([DriftForecaster()], hourly(), target=["temp", "wind"], horizon=3, n_windows=3, metrics=metrics)
    table = own.leaderboard()
    assert list(table.columns[:4]) == ["model", "bias", "hits", "size"] and table["bias"].is_monotonic_increasing
    assert "size is a mean over targets, whose units may differ" in repr(own)
    free = compare([DriftForecaster()], hourly(), target=["temp", "wind"], horizon=3, n_windows=3, metrics=[HITS])
    assert "whose units may differ" not in repr(free) and free.leaderboard()["hits"].is_monotonic_decreasing


def test_a_metric_of_quantiles_reads_the_bounds_of_the_interval():
    own = compare([DriftForecaster()], hourly(), target="temp", horizon=6, n_windows=8, coverage=0.8, metrics=pinball)
    table = own.leaderboard().set_index("model")
    assert list(table.columns[:2]) == ["pinball", "coverage_80"]
    for model, rows in own.forecasts.groupby("model"):
        losses = [
            mean_pinball_loss(rows["y_true"], rows[bound], alpha=level)
            for bound, level in (("lower_80", 0.1), ("upper_80", 0.9))
        ]
        assert table["pinball"][model] == pytest.approx(np.mean(losses))


@pytest.mark.parametrize(
    ("metrics", "match"),
    [
        ([], "metrics is empty"),
        (["MAE", "mape"], "there is no metric 'mape'"),
        ([lambda y, f: 0.0], "has no name"),
        (["MAE", Metric(hit_rate, "MAE")], "two metrics are called 'MAE'"),
        ([Metric(hit_rate, "model")], "cannot be called 'model'"),
        ([Metric(hit_rate, "coverage_9")], "cannot be called 'coverage_9'"),
        (["pinball"], "metric 'pinball' needs quantiles. Pass coverage="),
        (3, "a metric is a function .*, got 3"),
    ],
)
def test_wrong_metrics_are_refused_before_the_first_fit(metrics, match, fits):
    with pytest.raises(DataError, match=match):
        compare([DriftForecaster()], hourly(), target="temp", horizon=2, n_windows=2, metrics=metrics)
    assert fits == []


def test_wrong_options_of_the_leaderboard_are_refused(result):
    with pytest.raises(DataError, match="by='model'"):
        result.leaderboard(by="model")
    with pytest.raises(DataError, match="sort='mae' is not one of 'model', 'MAE'"):
        result.leaderboard(sort="mae")


def test_representations_hold_the_leaderboard(result):
    assert repr(result).startswith("Comparison of 4 models on temp: 8 origins") and "ridge" in repr(result)
    assert "<NA>" not in repr(result) + result._repr_html_()
    assert "<table" in result._repr_html_() and "snaive" in result._repr_html_()


def test_csv_round_trip(result, tmp_path):
    result.to_csv(tmp_path / "forecasts.csv")
    back = pd.read_csv(tmp_path / "forecasts.csv", parse_dates=["cutoff", "ds"])
    pd.testing.assert_frame_equal(back, result.forecasts, check_dtype=False)


def test_progress_is_silent_where_there_is_no_terminal(capsys):
    compare([DriftForecaster()], hourly(), target="temp", horizon=2, n_windows=2, progress=True)
    assert capsys.readouterr() == ("", "")


def test_a_table_of_periods_is_forecast_in_periods():
    months = pd.period_range("2020-01", periods=40, freq="M")
    df = pd.DataFrame({"y": np.arange(40.0) % 12}, index=months)
    result = compare([DriftForecaster()], df, target="y", horizon=2, n_windows=3)
    stamped = compare([DriftForecaster()], df.to_timestamp(), target="y", horizon=2, n_windows=3)
    rows = result.forecasts[result.forecasts["model"] == "drift"]
    assert list(rows["ds"]) == list(months[-6:]) and list(rows["cutoff"].unique()) == list(months[[-7, -5, -3]])
    numbers = ["step", "target", "model", "y_true", "y_pred"]
    pd.testing.assert_frame_equal(result.forecasts[numbers], stamped.forecasts[numbers])
    assert result.predictability() == stamped.predictability()
    assert len(result.plot(Figure().subplots()).get_lines()) == len(stamped.plot(Figure().subplots()).get_lines())
