"""The demonstration: networks against ARIMA, ridge regression and trivial forecasts, on a sensor and on a stock."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .._files import write_atomically
from .charts import draw_comparison
from .display import plain, readable, say, show
from .models import make_model
from .outputs import write_all, write_figure, write_table

if TYPE_CHECKING:
    import pandas as pd

    from ..comparison import Comparison

__all__ = ["SCENES", "Scene", "make_models", "run_demo", "worth_it"]

#: Rows of the forecast that are shown.
SHOWN = 3
#: Characters in a line of the text that is written.
WIDTH = 110


@dataclass(frozen=True)
class Scene:
    """One series of the demonstration, and how it is forecast.

    Attributes
    ----------
    stem : str
        Of the names of its files.
    title : str
    load : callable
        Returns the series as a frame of one column.
    horizon, windows : int
        Steps ahead, and origins to forecast from.
    arima : dict
        Parameters of ARIMA. Set by hand, better here than what a search finds: it is to have its best chance.
    """

    stem: str
    title: str
    load: Callable[[], pd.DataFrame]
    horizon: int
    windows: int
    arima: dict


def load_temperature() -> pd.DataFrame:
    from ..datasets import load_jfk_weather

    return load_jfk_weather()[["temp"]]


def load_prices() -> pd.DataFrame:
    import numpy as np
    import pandas as pd

    from ..datasets import load_aapl

    return pd.DataFrame({"log_price": np.log(load_aapl()["adj_close"])})


#: Which networks are compared.
NETWORKS = ("lstm", "gru")

SCENES = (
    Scene(
        "jfk_temp",
        "Temperature at JFK airport, °F, hourly",
        load_temperature,
        24,
        60,
        {"order": (2, 0, 1), "trend": "c", "harmonics": 3},
    ),
    Scene("aapl_log_price", "Log price of Apple shares, trading days", load_prices, 5, 50, {"order": (1, 1, 1)}),
)


def make_models(scene: Scene, seed: int, epochs: int | None) -> dict:
    """Return the models that are compared; naive forecasts and a ridge regression join them unasked."""
    from ..forecasters.statistical import ARIMAForecaster

    return {name: make_model(name, seed, epochs) for name in NETWORKS} | {"arima": ARIMAForecaster(**scene.arima)}


def run_demo(scene: Scene, folder: Path, seed: int, epochs: int | None) -> bool:
    """Compare and forecast; write chart, forecasts and text, then show the text. Return whether all was written."""
    from ..comparison import compare

    frame, models = scene.load(), make_models(scene, seed, epochs)
    (target,) = frame.columns
    result = compare(models, frame, target=target, horizon=scene.horizon, n_windows=scene.windows, progress="auto")
    title = f"{scene.title}: {scene.windows} origins, {scene.horizon} steps ahead"
    coming = models["lstm"].set_params(target=target, horizon=scene.horizon).fit(frame).predict_interval(coverage=0.9)
    board = result.leaderboard(), title
    ahead = readable(coming[:SHOWN].rename_axis("time")), "What comes next, by the LSTM network"
    said = [result.predictability(), worth_it(result), result.networks()]
    paragraphs = [f"{textwrap.fill(each, WIDTH)}\n" for each in said]
    whole = write_files(folder / scene.stem, result, title, "\n".join([plain(*board), *paragraphs, plain(*ahead)]))
    show(*board)
    for sentence in said:
        say(f"{sentence}\n")
    show(*ahead)
    return whole


def write_files(stem: Path, result: Comparison, title: str, story: str) -> bool:
    """Write forecasts, text and chart. Return whether all was written."""
    forecasts, text, chart = (stem.with_name(stem.name + end) for end in ("_forecasts.csv", ".txt", ".png"))
    return write_all(
        {
            forecasts: lambda: write_table(result.forecasts, forecasts, index=False),
            text: lambda: write_atomically(text, lambda stream: stream.write(story.encode())),
            chart: lambda: write_figure(draw_comparison(result, title), chart),
        }
    )


def worth_it(result: Comparison) -> str:
    """Say from the numbers whether a network is worth it: the better one against ridge, ARIMA and the best trivial."""
    order = list(result.leaderboard()["model"])
    network = next(name for name in order if name in NETWORKS)
    (trivial,) = set(result.best_trivial.values())
    said = [result.verdict(network, name) for name in ("ridge", "arima", trivial)]
    worth = all(verdict.better for verdict in said)
    return f"Is the neural network worth it? {'Yes' if worth else 'No'}. {' '.join(said)}"
