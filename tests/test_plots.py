"""Charts: what is drawn is what the frames hold, and nothing outside the axes is touched."""

from __future__ import annotations

import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.dates import ConciseDateFormatter, date2num

from tsrnn.exceptions import DataError
from tsrnn.plots import plot_comparison, plot_forecast, plot_leaderboard

mpl.use("Agg")

HOURS = pd.date_range("2024-03-30", periods=60, freq="h", tz="Europe/Berlin", name="time")


def lines(ax):
    return {line.get_label(): line for line in ax.get_lines() if not line.get_label().startswith("_")}


def tidy(models=("lstm", "snaive"), n_origins=4, horizon=3, coverage=None, tz=None):
    days = pd.date_range("2024-01-01", periods=30, tz=tz)
    rows = [
        {
            "cutoff": days[10 + k * horizon],
            "ds": days[10 + k * horizon + h],
            "step": h,
            "target": "load",
            "model": model,
        }
        for model in models
        for k in range(n_origins)
        for h in range(1, horizon + 1)
    ]
    frame = pd.DataFrame(rows)
    frame["y_true"], frame["y_pred"] = np.arange(len(frame)) * 1.0, np.arange(len(frame)) + 0.5
    if coverage:
        frame[f"lower_{coverage}"], frame[f"upper_{coverage}"] = frame["y_pred"] - 1, frame["y_pred"] + 1
    return frame


def test_forecast_draws_the_end_of_the_history_and_the_forecast_in_utc_order(ax):
    series = pd.Series(np.arange(60.0), index=HOURS, name="temp")
    assert plot_forecast(series[:48], series[48:], ax=ax, n_history=20) is ax
    drawn = lines(ax)
    np.testing.assert_array_equal(drawn["observed"].get_ydata(), series[28:48])
    np.testing.assert_array_equal(drawn["forecast"].get_ydata(), series[48:])
    # the hour that the clock skips is no gap
    assert np.diff(date2num(drawn["observed"].get_xdata()) * 24) == pytest.approx(1.0)
    assert (ax.get_ylabel(), ax.get_xlabel()) == ("temp", "time (Europe/Berlin)")
    assert isinstance(ax.xaxis.get_major_formatter(), ConciseDateFormatter)


@pytest.mark.parametrize("steps", [1, 12])
def test_forecast_draws_the_interval_of_its_target_only(ax, steps):
    index = HOURS[-steps:]
    columns = ["a", "a_lower_90", "a_upper_90", "b", "b_lower_90", "b_upper_90"]
    forecast = pd.DataFrame(np.tile([0.0, -1.0, 1.0, 5.0, 3.0, 7.0], (steps, 1)), index=index, columns=columns)
    history = pd.DataFrame({"a": 0.0, "b": 5.0}, index=HOURS[:-steps])
    plot_forecast(history, forecast, ax=ax, target="b")
    (band,) = ax.collections
    heights = np.concatenate([path.vertices[:, 1] for path in band.get_paths()])
    assert (heights.min(), heights.max()) == (3.0, 7.0)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["observed", "forecast", "90 % interval"]


def test_forecast_of_an_unknown_target_is_refused(ax):
    series = pd.Series(np.arange(60.0), index=HOURS, name="temp")
    with pytest.raises(DataError, match="target 'wind' is not a column of the history"):
        plot_forecast(series[:48], series[48:], ax=ax, target="wind")


def test_comparison_draws_one_line_per_model_and_origin_with_one_legend_entry_each(ax):
    frame = tidy()
    assert plot_comparison(frame, ax=ax, n_origins=2) is ax
    assert list(lines(ax)) == ["observed", "lstm", "snaive"]
    last = frame[frame["cutoff"].isin(sorted(frame["cutoff"].unique())[-2:])]
    drawn = [line.get_ydata() for line in ax.get_lines() if len(line.get_ydata()) == 3]
    for (_, _), group in last.groupby(["model", "cutoff"]):
        assert any(np.array_equal(values, group["y_pred"]) for values in drawn)
    assert len(drawn) == 4


def test_comparison_shows_history_before_the_first_origin_and_picks_models(ax):
    history = pd.Series(np.arange(30.0), index=pd.date_range("2024-01-01", periods=30), name="load")
    plot_comparison(tidy(), history=history, ax=ax, models=["lstm"], n_origins=1)
    observed = lines(ax)["observed"]
    assert list(lines(ax)) == ["observed", "lstm"]
    assert observed.get_xdata()[0] < np.datetime64("2024-01-20") < observed.get_xdata()[-1]


def test_overlapping_origins_are_left_out(ax):
    frame = tidy(models=["lstm"], n_origins=4)
    shifted = frame.assign(cutoff=frame["cutoff"] + pd.Timedelta("1D"), ds=frame["ds"] + pd.Timedelta("1D"))
    plot_comparison(pd.concat([frame, shifted]).sort_values(["cutoff", "step"]), ax=ax)
    assert len([line for line in ax.get_lines() if line.get_color() == "#0072B2"]) == 4


@pytest.mark.parametrize(("models", "bands"), [(("a", "b"), 4), (("a", "b", "c"), 0)])
def test_intervals_are_drawn_for_two_models_at_most(ax, models, bands):
    plot_comparison(tidy(models, n_origins=2, coverage=90), ax=ax)
    assert len(ax.collections) == bands


def test_comparison_of_unknown_models_is_refused(ax):
    with pytest.raises(DataError, match=r"nothing to draw for target 'load' and models \['gru'\]"):
        plot_comparison(tidy(), ax=ax, models=["gru"])


def test_a_leaderboard_tells_the_chart_which_numbers_are_better():
    table = pd.DataFrame({"model": ["naive", "lstm"], "hits": [0.2, 0.7]})
    table.attrs["higher_is_better"] = ["hits"]
    assert [label.get_text() for label in plot_leaderboard(table, "hits").get_yticklabels()][-1] == "lstm"


@pytest.mark.parametrize(("metric", "top"), [("MAE", "lstm"), ("skill", "lstm")])
def test_leaderboard_has_the_best_on_top(ax, metric, top):
    table = pd.DataFrame({"model": ["naive", "lstm"], "MAE": [2.0, 1.0], "skill": [0.0, 0.5]})
    plot_leaderboard(table, metric, ax=ax)
    assert [tick.get_text() for tick in ax.get_yticklabels()][-1] == top
    assert sorted(bar.get_width() for bar in ax.patches) == sorted(table[metric])
    with pytest.raises(DataError, match="'mae' is not a column"):
        plot_leaderboard(table, "mae", ax=ax)


def test_leaderboard_puts_what_failed_at_the_bottom_with_a_dash(ax):
    table = pd.DataFrame({"model": ["lstm", "bad", "naive"], "MAE": [1.0, np.nan, 2.0], "skill": [0.5, np.nan, 0.0]})
    for metric in ("MAE", "skill"):
        plot_leaderboard(table, metric, ax=ax)
        assert [tick.get_text() for tick in ax.get_yticklabels()] == ["bad", "naive", "lstm"]
        assert ax.texts[0].get_text() == "-"
        ax.clear()


def test_trivial_forecasts_are_grey(ax):
    plot_comparison(tidy(["naive", "snaive", "mean", "zero", "lstm"]), ax=ax)
    shades = {line.get_label(): line.get_color() for line in ax.get_lines()}
    assert all(float(shades[name]) for name in ("naive", "snaive", "mean", "zero")) and shades["lstm"].startswith("#")


def test_with_axes_given_pyplot_is_not_even_imported():
    code = """
import sys, pandas as pd
from matplotlib.figure import Figure
from tsrnn.plots import plot_forecast
series = pd.Series(range(9), index=pd.date_range("2024", periods=9), name="y")
plot_forecast(series[:6], series[6:], ax=Figure().subplots()).figure.savefig("/dev/null", format="png")
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_axes_a_figure_is_made_and_the_style_stays():
    import matplotlib.pyplot as plt

    before = dict(mpl.rcParams)
    axes = [plot_comparison(tidy(tz="UTC")), plot_leaderboard(pd.DataFrame({"model": ["a"], "MAE": [1.0]}))]
    assert dict(mpl.rcParams) == before
    for ax in axes:
        ax.figure.canvas.draw()
        plt.close(ax.figure)


def test_periods_are_drawn_where_they_start(ax):
    months = pd.period_range("2024-01", periods=12, freq="M")
    series = pd.Series(np.arange(12.0), index=months, name="load")
    drawn = lines(plot_forecast(series[:10], series[10:], ax=ax))
    np.testing.assert_array_equal(drawn["forecast"].get_xdata(), months[10:].to_timestamp().to_numpy())
