"""Metrics against values worked out by hand, slow loops and scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from sklearn import metrics as sk

from tsrnn.exceptions import DataError
from tsrnn.metrics import USUAL, Metric, as_metric, coverage, mae, mase, pinball, rmse, skill_score, smape

NAN = float("nan")
PAIRWISE = [mae, rmse, smape]
# as fractions of 1024 so that sums and differences are exact
VALUES = st.integers(-(2**20), 2**20).map(lambda n: n / 1024)
SERIES = st.lists(VALUES, min_size=1, max_size=30)


@st.composite
def pairs(draw, extra: int = 0):
    """Two (or 2 + extra) float arrays of one shape."""
    shape = draw(array_shapes(max_dims=3, max_side=5))
    return [draw(arrays(np.float64, shape, elements=VALUES)) for _ in range(2 + extra)]


def slow(name: str, truth: np.ndarray, forecast: np.ndarray) -> float:
    total, count = 0.0, 0
    for y, f in zip(truth.ravel().tolist(), forecast.ravel().tolist(), strict=True):
        if math.isnan(y):
            continue
        count += 1
        if name == "mae":
            total += abs(y - f)
        elif name == "rmse":
            total += (y - f) ** 2
        elif y != f:
            total += 200 * abs(y - f) / (abs(y) + abs(f))
    return math.sqrt(total / count) if name == "rmse" else total / count


def slow_scale(train: list[float], season: int) -> float:
    changes = [abs(train[t] - train[t - season]) for t in range(season, len(train))]
    changes = [c for c in changes if not math.isnan(c)]
    return sum(changes) / len(changes)


# --- values worked out by hand


def test_hand_computed_values():
    y, f = [3.0, -0.5, 2.0, 7.0], [2.5, 0.0, 2.0, 8.0]
    assert mae(y, f) == 0.5
    assert rmse(y, f) == pytest.approx(math.sqrt(1.5 / 4))
    # 0.5/5.5, 0.5/0.5, 0/4, 1/15
    assert smape(y, f) == pytest.approx(50 * (1 / 11 + 1 + 0 + 1 / 15))


def test_mase_by_hand():
    train = [10.0, 20.0, 13.0, 24.0, 15.0]
    # m=1: changes 10, 7, 11, 9, mean 9.25; m=2: changes 3, 4, 2, mean 3; the error is 2
    assert mase([20.0, 30.0], [21.0, 27.0], train) == pytest.approx(2 / 9.25)
    assert mase([20.0, 30.0], [21.0, 27.0], train, season_length=2) == pytest.approx(2 / 3)


def test_smape_is_0_for_two_zeros_and_200_for_one():
    assert smape([0.0], [0.0]) == 0.0
    assert smape([0.0], [1e-300]) == 200.0
    assert smape([2.0], [-3.0]) == 200.0


def test_skill_score_is_1_when_perfect_0_at_the_baseline_and_negative_when_worse():
    y, baseline = [1.0, 2.0, 3.0], [0.0, 1.0, 2.0]
    assert skill_score(y, y, baseline) == 1.0
    assert skill_score(y, baseline, baseline) == 0.0
    assert skill_score(y, [3.0, 4.0, 5.0], baseline) == -1.0
    assert skill_score(y, [1.0, 2.0, 4.0], baseline, metric=rmse) == pytest.approx(1 - math.sqrt(1 / 3))


def test_a_seasonal_naive_forecast_in_sample_has_mase_1():
    train = np.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0])
    assert mase(train[3:], train[:-3], train, season_length=3) == pytest.approx(1.0)


# --- oracles


@given(pairs(), st.data())
def test_pairwise_metrics_agree_with_a_loop_also_with_missing_truth(pair, data):
    truth, forecast = pair
    missing = data.draw(arrays(np.bool_, truth.shape))
    assume(not missing.all())
    truth = np.where(missing, NAN, truth)
    for metric in PAIRWISE:
        assert metric(truth, forecast) == pytest.approx(slow(metric.__name__, truth, forecast), rel=1e-12)


@given(pairs())
def test_mae_and_rmse_agree_with_scikit_learn(pair):
    truth, forecast = (values.ravel() for values in pair)
    assert mae(truth, forecast) == pytest.approx(sk.mean_absolute_error(truth, forecast), rel=1e-12)
    assert rmse(truth, forecast) == pytest.approx(sk.root_mean_squared_error(truth, forecast), rel=1e-12)


@given(st.lists(st.one_of(VALUES, st.just(NAN)), min_size=3, max_size=30), st.integers(1, 6), SERIES)
def test_mase_agrees_with_a_loop(train, season, truth):
    assume(len(train) > season)
    changes = [abs(a - b) for a, b in zip(train[season:], train[:-season], strict=True)]
    assume(any(change > 0 for change in changes))
    forecast = [value + 1.0 for value in truth]
    assert mase(truth, forecast, train, season) == pytest.approx(1.0 / slow_scale(train, season), rel=1e-12)


# --- properties


@given(pairs())
def test_ranges(pair):
    assert 0 <= mae(*pair) <= rmse(*pair) * (1 + 1e-12)
    assert 0 <= smape(*pair) <= 200


@given(pairs())
def test_symmetric_in_truth_and_forecast_and_zero_when_equal(pair):
    truth, forecast = pair
    for metric in PAIRWISE:
        assert metric(truth, forecast) == metric(forecast, truth)
        assert metric(truth, truth) == 0.0


@given(pairs(), st.integers(-8, 8))
def test_scaling_the_unit_scales_mae_and_rmse_and_leaves_smape(pair, power):
    truth, forecast = pair
    factor = 2.0**power
    assert mae(truth * factor, forecast * factor) == mae(truth, forecast) * factor
    assert rmse(truth * factor, forecast * factor) == pytest.approx(rmse(truth, forecast) * factor, rel=1e-12)
    assert smape(truth * factor, forecast * factor) == smape(truth, forecast)


@given(st.lists(VALUES, min_size=2, max_size=30), SERIES, VALUES, st.integers(-8, 8))
def test_mase_does_not_depend_on_unit_or_level(train, truth, level, power):
    assume(any(a != b for a, b in zip(train[1:], train[:-1], strict=True)))
    train, truth, factor = np.array(train), np.array(truth), 2.0**power
    moved = mase(truth * factor + level, (truth + 1) * factor + level, train * factor + level)
    assert moved == pytest.approx(mase(truth, truth + 1, train))


@given(pairs(extra=1))
def test_skill_score_is_at_most_1_and_positive_exactly_when_better(trio):
    truth, forecast, baseline = trio
    assume(mae(truth, baseline) > 0)
    skill = skill_score(truth, forecast, baseline)
    assert skill <= 1
    assert (skill > 0) == (mae(truth, forecast) < mae(truth, baseline))


# --- missing values and errors


@pytest.mark.parametrize("metric", PAIRWISE)
def test_a_missing_true_value_is_left_out_whatever_its_forecast(metric):
    expected = metric([1.0, 3.0], [2.0, 5.0])
    assert metric([1.0, NAN, 3.0], [2.0, 100.0, 5.0]) == expected
    assert metric([1.0, NAN, 3.0], [2.0, NAN, 5.0]) == expected


@pytest.mark.parametrize("metric", PAIRWISE)
@pytest.mark.parametrize(
    ("truth", "forecast", "message"),
    [
        ([NAN, NAN], [1.0, 2.0], "no known value in 2 elements"),
        ([], [], "no known value in 0 elements"),
        ([1.0, 2.0], [1.0, NAN], "y_pred is NaN in 1 of 2 elements"),
        ([1.0, 2.0], [[1.0], [2.0]], r"y_true has shape \(2,\) and y_pred \(2, 1\)"),
        ([1.0, 2.0], 1.0, "not broadcast"),
        ([1.0, math.inf], [1.0, 2.0], "y_true holds 1 infinite"),
        ([1.0, 2.0], [-math.inf, math.inf], "y_pred holds 2 infinite"),
    ],
)
def test_what_cannot_be_scored_is_refused(metric, truth, forecast, message):
    with pytest.raises(DataError, match=message):
        metric(truth, forecast)


@pytest.mark.parametrize(
    ("train", "season", "message"),
    [
        ([1.0], 1, "1 rows, but season_length=1 needs at least 2"),
        ([1.0, 2.0, 3.0], 3, "needs at least 4"),
        ([2.0, 2.0, 2.0], 1, "repeats itself exactly every 1 steps"),
        ([1.0, 5.0, 1.0, 5.0], 2, "repeats itself exactly every 2 steps"),
        ([1.0, NAN, 2.0, NAN], 1, "no two known values 1 steps apart"),
        ([[1.0], [2.0]], 1, r"got shape \(2, 1\)"),
        ([1.0, math.inf], 1, "y_train holds 1 infinite"),
        ([1.0, 2.0], 0, "season_length must be an integer of at least 1, got 0"),
    ],
)
def test_mase_refuses_a_training_part_without_scale(train, season, message):
    with pytest.raises(ValueError, match=message):
        mase([1.0], [2.0], train, season)


@pytest.mark.parametrize("season", [1.0, True, "1", None])
def test_mase_refuses_a_season_that_is_no_integer(season):
    with pytest.raises(TypeError, match="season_length must be an integer"):
        mase([1.0], [2.0], [1.0, 2.0], season)


def test_mase_leaves_out_differences_with_a_missing_side():
    # changes: 1, NaN, NaN, 3
    assert mase([1.0], [3.0], [1.0, 2.0, NAN, 4.0, 7.0]) == 1.0


def test_skill_score_refuses_a_perfect_baseline():
    with pytest.raises(DataError, match="baseline's error is zero"):
        skill_score([1.0, 2.0], [1.0, 3.0], [1.0, 2.0])


def test_pandas_objects_are_compared_by_position():
    truth = pd.Series([1.0, 2.0, None], index=[5, 6, 7])
    assert mae(truth, pd.Series([2.0, 2.0, 2.0])) == 0.5
    assert isinstance(rmse(truth, [1.0, 2.0, 3.0]), float)


@pytest.mark.parametrize("unit", [1e-320, 1e-310, 1e-200, 1e160, 1e200, 1e307])
def test_errors_are_right_up_to_the_ends_of_double_precision(unit):
    truth, forecast = np.array([1.0, -2.0, 3.0, 4.0]), np.array([-1.0, 2.0, 3.0, 8.0])
    for metric in (mae, rmse):
        assert metric(truth * unit, forecast * unit) == pytest.approx(metric(truth, forecast) * unit, rel=1e-3)
    assert smape(truth * unit, forecast * unit) == pytest.approx(smape(truth, forecast), rel=1e-3)
    scaled = [mase(truth * k, forecast * k, np.array([1.0, 3.0, 2.0, -3.0]) * k) for k in (1.0, unit)]
    assert scaled[1] == pytest.approx(scaled[0], rel=1e-3)


@given(st.lists(st.tuples(st.floats(-1e100, 1e100), st.floats(-1e100, 1e100)), min_size=1))
def test_scaling_by_a_power_of_two_changes_no_bit(pairs):
    truth, forecast = (np.array(values) for values in zip(*pairs, strict=True))
    truth, forecast = np.round(truth / 1e90), np.round(forecast / 1e90)  # none so small that a bit could be lost
    assert mae(truth, forecast) == np.mean(np.abs(truth - forecast))
    assert rmse(truth, forecast) == np.sqrt(np.mean((truth - forecast) ** 2))


# --- quantiles


def test_the_pinball_loss_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    y, low, high = rng.normal(size=(3, 50))
    expected = np.mean([sk.mean_pinball_loss(y, f, alpha=q) for q, f in ((0.05, low), (0.95, high))])
    assert pinball(y, y, {0.05: low, 0.95: high}) == pytest.approx(expected)
    assert pinball([*y, NAN], [*y, 0.0], {0.5: [*low, 9.0]}) == pytest.approx(mae(y, low) / 2)


def test_coverage_counts_observations_on_a_bound_and_skips_missing_ones():
    bounds = {0.9: [1.0, 1.0, 1.0, 1.0], 0.1: [0.0, 0.0, 0.0, 0.0]}
    assert coverage([0.0, 1.0, 2.0, NAN], [0.5] * 4, bounds) == pytest.approx(2 / 3)


# --- metrics as a table knows them


def worst(y_true, y_pred):
    return float(np.abs(y_true - y_pred).max())


def test_a_plain_function_is_in_the_unit_of_the_target_and_better_low():
    metric = as_metric(worst)
    assert (metric.name, metric.unit, metric.better, metric.needs) == ("worst", "target", "lower", ())
    assert not metric.dimensionless and as_metric(metric) is metric


@pytest.mark.parametrize("function", [mae, rmse, smape, mase, skill_score, pinball])
def test_a_function_of_this_module_is_the_metric_of_its_name(function):
    assert as_metric(function) is as_metric(as_metric(function).name)


def test_scores_of_the_usual_metrics():
    y, f, naive = np.array([3.0, -0.5, 2.0, 7.0]), np.array([2.5, 0.0, 2.0, 8.0]), np.array([2.0, 0.0, 0.0, 6.0])
    given = {"scale": 2.0, "reference": naive, "quantiles": None}
    expected = [mae(y, f), rmse(y, f), smape(y, f), mae(y, f) / 2, skill_score(y, f, naive)]
    assert [metric.score(y, f, **given) for metric in USUAL] == expected


def test_what_needs_something_that_is_missing_has_no_number():
    y = np.ones(3)
    assert math.isnan(as_metric("MASE").score(y, y, scale=NAN))
    assert math.isnan(as_metric("skill").score(y, y, reference=y))  # nothing is better than a perfect reference
    assert math.isnan(as_metric("pinball").score(y, y, quantiles=None))


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: Metric(3), "a metric is a function f.y_true, y_pred., got 3"),
        (lambda: Metric(lambda y, f: 0.0), "has no name. Give it one: Metric"),
        (lambda: Metric(worst, better="low"), "better='low' of metric 'worst' is not one of 'lower', 'higher'"),
        (lambda: Metric(worst, unit=None), "unit=None of metric 'worst' is not text"),
        (
            lambda: Metric(worst, needs=("train",)),
            "needs 'train', which is not one of 'scale', 'reference', 'quantiles'",
        ),
        (
            lambda: Metric(worst, needs="scale"),
            r"is called as worst\(y_true, y_pred, scale=...\), but takes \(y_true, y",
        ),
        (lambda: Metric(lambda y: 0.0, "one"), r"metric 'one' is called as one\(y_true, y_pred\), but takes \(y\)"),
        (lambda: as_metric("mae"), "there is no metric 'mae'. Known by name: MAE, RMSE, sMAPE, MASE, skill, pinball"),
        (lambda: as_metric(None), "a metric is a function .* got None"),
        (lambda: Metric(lambda y, f: y - f, "all").score(np.ones(2), np.ones(2)), r"array of shape \(2,\)"),
        (
            lambda: Metric(lambda y, f: "x", "text").score(np.ones(2), np.ones(2)),
            "metric 'text' failed with ValueError",
        ),
        (lambda: Metric(lambda y, f: 1 // 0, "none").score(np.ones(2), np.ones(2)), "failed with ZeroDivisionError"),
    ],
)
def test_what_is_no_metric_is_refused(make, match):
    with pytest.raises(DataError, match=match):
        make()
