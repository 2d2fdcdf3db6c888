"""The command line: compare models on a CSV or Parquet file, forecast one, list the data sets, and a demonstration.

Each command is put together from the parts in `terminal`. pandas, the networks and matplotlib come in inside the
commands, so that help is there at once. Results go to stdout, progress and errors to stderr. Exit status 1 means that
the data did not serve, 2 that the command was not right. With TSRNN_TRACEBACK=1 in the environment errors keep their
traceback.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .terminal.charts import draw_comparison, draw_forecast
from .terminal.demo import SCENES, run_demo
from .terminal.display import fitting, readable, say, show, show_comparison
from .terminal.layout import Layout
from .terminal.models import check_choice, make_model, model_names
from .terminal.options import (
    Coverage,
    Epochs,
    File,
    Horizon,
    Model,
    Models,
    Output,
    Plot,
    Refit,
    RefitEvery,
    Save,
    Season,
    Seed,
    Step,
    Target,
    Time,
    Windows,
    check_size,
)
from .terminal.outputs import check_folder, check_outputs, write_all, write_figure, write_table
from .terminal.reporting import reported, settle_streams, tell
from .terminal.signatures import unfold
from .terminal.usage import UsageError

if TYPE_CHECKING:
    from .forecasters.base import BaseForecaster

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
@unfold
def compare_command(
    file: File,
    time: Time,
    target: Target,
    horizon: Horizon,
    models: Models = "lstm,gru,arima,snaive",
    windows: Windows = 20,
    step: Step = None,
    refit: Refit = False,
    refit_every: RefitEvery = None,
    season: Season = None,
    epochs: Epochs = None,
    seed: Seed = 0,
    coverage: Coverage = None,
    output: Output = None,
    plot: Plot = None,
    *,
    layout: Layout,
) -> None:
    """Backtest models on a CSV or Parquet file, beside trivial forecasts, and print the leaderboard."""
    named = {name: make_model(name, seed, epochs, layout.freq, season) for name in model_names(models)}
    check_size(horizon, windows, len(named), len(target))
    check_outputs(file, output=output, plot=plot)
    from .terminal.reading import as_numbered, columns_of_series, read_table

    frame = read_table(file, time, target, layout)
    of_series = columns_of_series(frame, target)
    check_plot(plot, of_series)
    from .comparison import compare

    result = compare(
        named,
        frame,
        target=target,
        horizon=horizon,
        n_windows=windows,
        step=step,
        refit=refit_every or refit,
        coverage=coverage,
        season_length=season,
        progress="auto",
        **of_series,
    )
    title = f"{', '.join(target)}: {windows} origins, {horizon} steps ahead"
    jobs = {output: lambda: write_table(as_numbered(result.forecasts, frame), output, index=False)} if output else {}
    jobs |= {plot: lambda: write_figure(draw_comparison(result, title), plot)} if plot else {}
    whole = write_all(jobs)
    show_comparison(result, title)
    finish(whole and not named.keys() & result.failures.keys())


@app.command("forecast")
@reported
@unfold
def forecast_command(
    file: File,
    time: Time,
    target: Target,
    horizon: Horizon,
    model: Model = "lstm",
    season: Season = None,
    epochs: Epochs = None,
    seed: Seed = 0,
    coverage: Coverage = None,
    output: Output = None,
    plot: Plot = None,
    save: Save = None,
    *,
    layout: Layout,
) -> None:
    """Fit a model to a CSV or Parquet file and print what comes next."""
    forecaster = make_model(model, seed, epochs, layout.freq, season)
    check_size(horizon, 1, 1, len(target))
    check_outputs(file, output=output, plot=plot, save=save)
    from .terminal.reading import check_future, columns_of_series, read_table

    frame = read_table(file, time, target, layout)
    of_series = columns_of_series(frame, target)
    check_plot(plot, of_series)
    check_future(frame, horizon)
    forecaster.set_params(**of_series)
    forecaster.set_params(target=target if len(target) > 1 else target[0])
    if "horizon" in forecaster.get_params(deep=False):
        forecaster.set_params(horizon=horizon)
    with fitting(model, forecaster):
        forecaster.fit(frame)
    if coverage is None:
        result = forecaster.forecast(horizon)
    else:
        result = forecaster.predict_interval(horizon, coverage=coverage)
    tell_fallback(model, forecaster)
    if not of_series:
        result.index.name = " ".join(time)
    jobs = {output: lambda: write_table(result, output, index=not of_series)} if output else {}
    jobs |= {save: lambda: forecaster.save(save)} if save else {}
    jobs |= {plot: lambda: write_figure(draw_forecast(frame, result, target), plot)} if plot else {}
    whole = write_all(jobs)
    show(result if of_series else readable(result), f"{model}: {', '.join(target)}")
    finish(whole)


@app.command("datasets")
@reported
def datasets_command(
    name: Annotated[str | None, typer.Argument(help="Data set to export.", show_default=False)] = None,
    output: Output = None,
) -> None:
    """List the data sets that come with tsrnn, or export one as a file."""
    from . import datasets

    table = datasets.list_datasets()
    if name is None:
        if output is not None:
            raise UsageError(
                "--output needs the name of a data set to export, as in: tsrnn datasets NAME --output FILE."
            )
        show(table[["name", "rows", "frequency", "description", "units"]], "Data sets")
        return
    check_choice(name, list(table["name"]), "data set")
    check_outputs(output=output)
    frame = getattr(datasets, table.set_index("name")["loader"][name])()
    if output is None:
        summary = frame.describe().T.astype({"count": int}).drop(columns=["25%", "75%"])
        show(summary.reset_index(names="column"), f"{name}: {len(frame)} rows")
    else:
        finish(write_all({output: lambda: write_table(frame, output, index=frame.index.name is not None)}))


@app.command("demo")
@reported
def demo_command(
    output: Annotated[Path, typer.Option(metavar="DIR", help="Folder for charts and forecasts.")] = Path("demo-output"),
    epochs: Epochs = None,
    seed: Seed = 0,
) -> None:
    """Hold LSTM and GRU networks against ARIMA and naive forecasts, on a sensor and on a stock."""
    check_folder(output)
    written = [run_demo(scene, output, seed, epochs) for scene in SCENES]
    finish(all(written))
    say(f"Charts and forecasts are in {output}.")


def check_plot(plot: Path | None, of_series: dict[str, str]) -> None:
    """Refuse a chart of many series, or of numbered rows."""
    if plot is not None and of_series:
        column = of_series.get("id_col")
        if column is None:
            raise UsageError("--plot draws times, and these rows have numbers. Leave it out.")
        raise UsageError(f"--plot draws one series: choose it with --id {column}=VALUE, or leave --plot out.")


def tell_fallback(name: str, forecaster: BaseForecaster) -> None:
    """Say where a network gave way to a trivial forecast."""
    fallback = getattr(forecaster, "fallback_", None)
    if fallback is not None:
        tell(
            "note", f"{name} did not beat the best trivial forecast ({fallback}) on the last rows, and forecasts that."
        )


def finish(whole: bool) -> None:
    """Exit with status 1 where a file was not written or a model failed, which has been told."""
    if not whole:
        raise typer.Exit(1)


def main() -> None:
    """Run the command line."""
    settle_streams()
    app()
