"""Comparisons by metrics of the user's own."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from comparison_examples import hourly
from sklearn.metrics import mean_absolute_error, mean_pinball_loss

from tsrnn.comparison import compare
from tsrnn.exceptions import DataError
from tsrnn.forecasters.naive import DriftForecaster
from tsrnn.metrics import Metric, mase, pinball


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
