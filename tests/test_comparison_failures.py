"""Models that fail are rows of a comparison, and what can be checked is checked before the first fit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from comparison_examples import BrokenForecaster, hourly, ridge
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import Ridge

from tsrnn.comparison import compare
from tsrnn.exceptions import DataError
from tsrnn.forecasters.echo_state import EchoStateForecaster
from tsrnn.forecasters.mean import MeanForecaster
from tsrnn.forecasters.naive import DriftForecaster, NaiveForecaster, SeasonalNaiveForecaster
from tsrnn.forecasters.recurrent import GRUForecaster
from tsrnn.forecasters.regression import RegressionForecaster
from tsrnn.forecasters.statistical import ARIMAForecaster

# -- failures --------------------------------------------------------------------------------------------------------


class NoLuck(RegressorMixin, BaseEstimator):
    """A regressor that cannot be fitted."""

    def fit(self, X, y):
        raise RuntimeError("no luck")

    def predict(self, X):
        return np.zeros(len(X))


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


def test_a_ridge_regression_that_nobody_asked_for_fails_without_a_warning():
    names = [f"c{k}" for k in range(100)]
    wide = pd.concat([hourly(), pd.DataFrame(0.0, hourly().index, names)], axis=1)
    model = EchoStateForecaster(window=24, past_covariates=names, units=5, random_state=0)
    result = compare({"echo": model}, wide, target="temp", horizon=2, n_windows=2)
    assert list(result.failures) == ["ridge"] and "2,000" in result.leaderboard()["error"].iloc[-1]


# -- what is checked before the first fit ----------------------------------------------------------------------------


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
