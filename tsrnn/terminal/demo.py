"""The demonstration: networks against ARIMA and naive forecasts, on a sensor and on a stock."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .charts import draw_comparison
from .display import say, show
from .models import make_model
from .outputs import write_all, write_figure, write_table

if TYPE_CHECKING:
    from ..comparison import Comparison

__all__ = ["run_demo", "worth_it"]


def run_demo(frame, target, horizon, windows, title, stem: Path, seed, epochs, arima: dict) -> bool:
    """One comparison of the demonstration: chart and CSV, then table and sentence. Return whether all was written."""
    from ..comparison import compare
    from ..forecasters import ARIMAForecaster

    named = {name: make_model(name, seed, epochs) for name in ("lstm", "gru", "snaive", "naive")}
    named["arima"] = ARIMAForecaster(**arima)
    result = compare(named, frame, target=target, horizon=horizon, n_windows=windows, progress=True)
    title = f"{title}: {windows} origins, {horizon} steps ahead"
    chart, table = stem.with_suffix(".png"), stem.with_name(f"{stem.name}_forecasts.csv")
    whole = write_all(
        {
            table: lambda: write_table(result.forecasts, table, index=False),
            chart: lambda: write_figure(draw_comparison(result, title), chart),
        }
    )
    show(result.leaderboard(), title)
    say(f"{result.predictability()} {worth_it(result)}\n")
    return whole


def worth_it(result: Comparison) -> str:
    """Say from the numbers whether a network is worth it: the better one against ARIMA and the naive forecast."""
    order = list(result.leaderboard()["model"])
    network = next(name for name in order if name in ("lstm", "gru"))
    naive = next(name for name in order if name in ("naive", "snaive"))
    against_arima, against_naive = (result.verdict(network, name) for name in ("arima", naive))
    worth = all(text.startswith(f"{network} is better") for text in (against_arima, against_naive))
    return f"Is the neural network worth it? {'Yes' if worth else 'No'}. {against_arima} {against_naive}"
