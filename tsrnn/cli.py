"""The command line: compare models on a CSV file, forecast one, list the data sets, and a demonstration.

Each command is put together from the parts in `terminal`. pandas, the networks and matplotlib come in inside the
commands, so that help is there at once. Results go to stdout, progress and errors to stderr. Exit status 1 means that
the data did not serve, 2 that the command was not right. With TSRNN_TRACEBACK=1 in the environment errors keep their
traceback.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from .terminal.charts import draw_comparison, draw_forecast
from .terminal.demo import run_demo
from .terminal.display import out, show
from .terminal.models import check_choice, make_model, model_names
from .terminal.options import (
    Coverage,
    Csv,
    Decimal,
    Epochs,
    File,
    Freq,
    Horizon,
    Model,
    Models,
    Plot,
    Refit,
    Seed,
    Sep,
    Step,
    Target,
    Time,
    TimeFormat,
    Windows,
)
from .terminal.outputs import check_chart, check_outputs
from .terminal.reading import read_csv
from .terminal.reporting import UsageError, reported

__all__ = ["app", "main"]

app = typer.Typer(
    name="tsrnn",
    help="Forecast time series with recurrent networks, and hold them against classical baselines.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.command("compare")
@reported
def compare_command(
    file: File,
    time: Time,
    target: Target,
    horizon: Horizon,
    models: Models = "lstm,gru,arima,snaive",
    windows: Windows = 20,
    step: Step = None,
    freq: Freq = None,
    time_format: TimeFormat = None,
    sep: Sep = ",",
    decimal: Decimal = ".",
    refit: Refit = False,
    epochs: Epochs = None,
    seed: Seed = 0,
    coverage: Coverage = None,
    csv: Csv = None,
    plot: Plot = None,
) -> None:
    """Backtest models on a CSV file, beside naive forecasts, and print the leaderboard."""
    named = {name: make_model(name, seed, epochs) for name in model_names(models)}
    check_outputs(csv, plot)
    check_chart(plot)
    frame = read_csv(file, time, target, freq, time_format, sep, decimal)
    from .comparison import compare

    result = compare(
        named,
        frame,
        target=target,
        horizon=horizon,
        n_windows=windows,
        step=step,
        refit=refit,
        coverage=coverage,
        progress=True,
    )
    title = f"{', '.join(target)}: {windows} origins, {horizon} steps ahead"
    show(result.leaderboard(), title)
    out().print(result.predictability(), markup=False, highlight=False, soft_wrap=not out().is_terminal)
    if csv:
        result.to_csv(csv)
    if plot:
        draw_comparison(result, plot, title)


@app.command("forecast")
@reported
def forecast_command(
    file: File,
    time: Time,
    target: Target,
    horizon: Horizon,
    model: Model = "lstm",
    freq: Freq = None,
    time_format: TimeFormat = None,
    sep: Sep = ",",
    decimal: Decimal = ".",
    epochs: Epochs = None,
    seed: Seed = 0,
    coverage: Coverage = None,
    csv: Csv = None,
    plot: Plot = None,
    save: Annotated[Path | None, typer.Option(help="Save the fitted model here (.tsrnn).", show_default=False)] = None,
) -> None:
    """Fit a model to a CSV file and print what comes next."""
    forecaster = make_model(model, seed, epochs)
    check_outputs(csv, plot, save)
    check_chart(plot)
    frame = read_csv(file, time, target, freq, time_format, sep, decimal)
    forecaster.set_params(target=target if len(target) > 1 else target[0])
    if "horizon" in forecaster.get_params(deep=False):
        forecaster.set_params(horizon=horizon)
    with Console(stderr=True).status(f"Fitting {model} ..."):
        forecaster.fit(frame)
    if coverage is None:
        result = forecaster.forecast(horizon)
    else:
        result = forecaster.predict_interval(horizon, coverage=coverage)
    result.index.name = time
    readable = result.set_axis(result.index.astype(str).rename(time))  # no hours where all are midnight
    show(readable.reset_index(), f"{model}: {', '.join(target)}")
    if csv:
        result.to_csv(csv)
    if plot:
        draw_forecast(frame, result, target, plot)
    if save:
        forecaster.save(save)


@app.command("datasets")
@reported
def datasets_command(
    name: Annotated[str | None, typer.Argument(help="Data set to export.", show_default=False)] = None,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write it here.", show_default=False)] = None,
) -> None:
    """List the data sets that come with tsrnn, or export one as CSV."""
    from . import datasets

    table = datasets.list_datasets()
    if name is None:
        if csv is not None:
            raise UsageError("--csv needs the name of a data set to export, as in: tsrnn datasets NAME --csv FILE.")
        show(table[["name", "rows", "frequency", "description", "units"]], "Data sets")
        return
    check_choice(name, list(table["name"]), "data set")
    check_outputs(csv)
    frame = getattr(datasets, table.set_index("name")["loader"][name])()
    if csv is None:
        summary = frame.describe().T.astype({"count": int}).drop(columns=["25%", "75%"])
        show(summary.reset_index(names="column"), f"{name}: {len(frame)} rows")
    else:
        frame.to_csv(csv)


@app.command("demo")
@reported
def demo_command(
    output: Annotated[Path, typer.Option(metavar="DIR", help="Folder for charts and forecasts.")] = Path("demo-output"),
    epochs: Epochs = None,
    seed: Seed = 0,
) -> None:
    """Hold LSTM and GRU networks against ARIMA and naive forecasts, on a sensor and on a stock."""
    import numpy as np
    import pandas as pd

    from .datasets import load_aapl, load_jfk_weather

    output.mkdir(parents=True, exist_ok=True)
    temperature = load_jfk_weather()[["temp"]]
    title = "Temperature at JFK airport, °F, hourly"
    # Orders set by hand, better here than those that the search finds: ARIMA is to have its best chance.
    arima = {"order": (2, 0, 1), "trend": "c", "harmonics": 3}
    run_demo(temperature, "temp", 24, 20, title, output / "jfk_temp", seed, epochs, arima)
    prices = pd.DataFrame({"log_price": np.log(load_aapl()["adj_close"])})
    title = "Log price of Apple shares, trading days"
    run_demo(prices, "log_price", 5, 50, title, output / "aapl_log_price", seed, epochs, {"order": (1, 1, 1)})
    out().print(f"Charts and forecasts are in {output}.", markup=False, highlight=False, soft_wrap=True)


def main() -> None:
    """Run the command line."""
    app()
