"""Comparisons: every cell of the leaderboard from scikit-learn's metrics on the tidy frame; fair and loud."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from comparison_examples import hourly, ridge
from matplotlib.figure import Figure
from sklearn.metrics import mean_absolute_error, root_mean_squared_error

from tsrnn.backtest import backtest
from tsrnn.comparison import compare
from tsrnn.exceptions import DataError
from tsrnn.forecasters.mean import MeanForecaster
from tsrnn.forecasters.naive import DriftForecaster, NaiveForecaster, SeasonalNaiveForecaster

# -- leaderboards ----------------------------------------------------------------------------------------------------


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


# -- fairness --------------------------------------------------------------------------------------------------------


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


# -- tables of any kind ----------------------------------------------------------------------------------------------


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


# -- what is shown ---------------------------------------------------------------------------------------------------


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
