"""The command line: compare models on a CSV file, forecast one, list the data sets, and a demonstration.

Only typer and rich are imported here; pandas, the networks and matplotlib come in inside the commands, so that help is
there at once. Results go to stdout, progress and errors to stderr. Exit status 1 means that the data did not serve, 2
that the command was not right. With TSRNN_TRACEBACK=1 in the environment errors keep their traceback.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    import pandas as pd

    from .comparison import Comparison

__all__ = ["app", "main"]

app = typer.Typer(
    name="tsrnn",
    help="Forecast time series with recurrent networks, and hold them against classical baselines.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

# Name on the command line -> module of tsrnn.forecasters, class, what it is.
MODELS = {
    "lstm": ("recurrent", "LSTMForecaster", "long short-term memory network"),
    "gru": ("recurrent", "GRUForecaster", "gated recurrent unit network"),
    "rnn": ("recurrent", "SimpleRNNForecaster", "Elman network"),
    "min_gru": ("minimal", "MinGRUForecaster", "minimal gated recurrent unit network"),
    "min_lstm": ("minimal", "MinLSTMForecaster", "minimal long short-term memory network"),
    "output_recurrent": ("feedback", "OutputRecurrentForecaster", "recurrent network that reads its own forecasts"),
    "seq2seq": ("feedback", "Seq2SeqForecaster", "encoder and decoder"),
    "echo_state": ("echo_state", "EchoStateForecaster", "random reservoir with a ridge readout"),
    "feed_forward": ("controls", "FeedForwardForecaster", "dense layers"),
    "conv": ("controls", "ConvForecaster", "temporal convolutional network"),
    "arima": ("statistical", "AutoARIMAForecaster", "ARIMA, its orders searched"),
    "naive": ("naive", "NaiveForecaster", "repeats the last value"),
    "snaive": ("naive", "SeasonalNaiveForecaster", "repeats the last season"),
    "drift": ("naive", "DriftForecaster", "goes on along the line from first to last value"),
    "ridge": ("windowed", "RegressionForecaster", "ridge regression on lagged values"),
}
CHARTS = (".png", ".pdf", ".svg")


class UsageError(Exception):
    """The command as typed cannot be run."""


def reported(command):
    """Turn what a command raises into one line on stderr and an exit status, and each warning into one line."""

    @functools.wraps(command)
    def wrapper(*args, **kwargs):
        try:
            with warnings.catch_warnings():
                warnings.showwarning = lambda message, *where: tell("warning", message)
                return command(*args, **kwargs)
        except UsageError as exc:
            stop(exc, 2)
        except (ValueError, RuntimeError, OSError, ImportError) as exc:  # DataError is a ValueError
            if os.environ.get("TSRNN_TRACEBACK"):
                raise
            stop(exc, 1)

    return wrapper


def stop(exc: Exception, status: int) -> NoReturn:
    """Print an error in one line and exit."""
    tell("error", exc)
    raise typer.Exit(status)


def tell(what: str, message: Warning | Exception | str) -> None:
    """Print one line on stderr."""
    text = " ".join(str(message).split())
    Console(stderr=True, soft_wrap=True).print(f"{what}: {text}", markup=False, highlight=False)


def at_least(low: int):
    """Return a callback that refuses a number below `low` in one line, where typer would print the usage as well."""

    def check(param: typer.CallbackParam, value: int | None) -> int | None:
        if value is not None and value < low:
            stop(UsageError(f"{param.opts[0]} must be at least {low}, got {value}."), 2)
        return value

    return check


# ---------------------------------------------------------------------- options

File = Annotated[Path, typer.Argument(metavar="FILE.csv", help="CSV file with a header line.", show_default=False)]
Time = Annotated[str, typer.Option("--time", metavar="COL", help="Column that holds the time.", show_default=False)]
Target = Annotated[
    list[str], typer.Option("--target", metavar="COL", help="Column to forecast; may be repeated.", show_default=False)
]
Horizon = Annotated[int, typer.Option(callback=at_least(1), help="Steps ahead, at least 1.", show_default=False)]
Models = Annotated[str, typer.Option(help=f"Models, separated by commas: {', '.join(MODELS)}.")]
Model = Annotated[str, typer.Option(help=f"One of {', '.join(MODELS)}.")]
Windows = Annotated[
    int,
    typer.Option(callback=at_least(1), help="Origins to forecast from; the last forecast ends at the last row."),
]
Step = Annotated[int | None, typer.Option(callback=at_least(1), help="Rows between origins; the horizon by default.")]
Freq = Annotated[
    str | None,
    typer.Option(help="Frequency as pandas writes it (h, D, B, W, MS); found from the data by default."),
]
Sep = Annotated[str, typer.Option("--sep", metavar="CHAR", help="What separates the columns; 'tab' for a tabulator.")]
Decimal = Annotated[str, typer.Option("--decimal", metavar="CHAR", help="Decimal point of the numbers.")]
TimeFormat = Annotated[
    str | None,
    typer.Option(help="Format of the time column, e.g. '%d/%m/%Y'; ISO 8601 by default."),
]
Refit = Annotated[bool, typer.Option("--refit", help="Fit every model afresh at each origin.")]
Epochs = Annotated[
    int | None,
    typer.Option(callback=at_least(1), help="Epochs of the networks, instead of their default.", show_default=False),
]
Seed = Annotated[int, typer.Option(callback=at_least(0), help="Seed of the networks.")]
Coverage = Annotated[
    float | None, typer.Option(help="Add an interval that is to hold this share, e.g. 0.9.", show_default=False)
]
Csv = Annotated[Path | None, typer.Option("--csv", help="Write the forecasts here.", show_default=False)]
Plot = Annotated[Path | None, typer.Option("--plot", help="Write a chart here (PNG, PDF or SVG).", show_default=False)]


# ---------------------------------------------------------------------- commands


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
    if save and model == "ridge":  # it holds an estimator of scikit-learn, which a file of numbers cannot bring back
        raise UsageError("--save cannot save the model 'ridge'. Leave --save out, or take another --model.")
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


def run_demo(frame, target, horizon, windows, title, stem: Path, seed, epochs, arima: dict) -> None:
    """One comparison of the demonstration: table, sentence, chart and CSV."""
    from .comparison import compare
    from .forecasters import ARIMAForecaster

    named = {name: make_model(name, seed, epochs) for name in ("lstm", "gru", "snaive", "naive")}
    named["arima"] = ARIMAForecaster(**arima)
    result = compare(named, frame, target=target, horizon=horizon, n_windows=windows, progress=True)
    title = f"{title}: {windows} origins, {horizon} steps ahead"
    show(result.leaderboard(), title)
    out().print(
        f"{result.predictability()} {worth_it(result)}\n",
        markup=False,
        highlight=False,
        soft_wrap=not out().is_terminal,
    )
    draw_comparison(result, stem.with_suffix(".png"), title)
    result.to_csv(stem.with_name(f"{stem.name}_forecasts.csv"))


def worth_it(result: Comparison) -> str:
    """Say from the numbers whether a network is worth it: the better one against ARIMA and the naive forecast."""
    order = list(result.leaderboard()["model"])
    network = next(name for name in order if name in ("lstm", "gru"))
    naive = next(name for name in order if name in ("naive", "snaive"))
    against_arima, against_naive = (result.verdict(network, name) for name in ("arima", naive))
    worth = all(text.startswith(f"{network} is better") for text in (against_arima, against_naive))
    return f"Is the neural network worth it? {'Yes' if worth else 'No'}. {against_arima} {against_naive}"


# ---------------------------------------------------------------------- models


def model_names(text: str) -> list[str]:
    """Split a comma-separated list of models and check each."""
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise UsageError(f"--models names no model. Choose from {', '.join(MODELS)}.")
    for name in names:
        check_choice(name, list(MODELS), "model")
    return names


def check_choice(name: str, choices: list[str], what: str) -> None:
    """Raise `UsageError`, with the nearest choice, unless the name is one."""
    if name not in choices:
        begun = [choice for choice in choices if name and choice.startswith(name)]
        near = begun or difflib.get_close_matches(name, choices, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise UsageError(f"no {what} {name!r}.{hint} Choose from {', '.join(choices)}.")


def make_model(name: str, seed: int, epochs: int | None):
    """Return an unfitted forecaster of the registry."""
    check_choice(name, list(MODELS), "model")
    module, cls, _ = MODELS[name]
    forecaster = getattr(importlib.import_module(f".forecasters.{module}", __package__), cls)
    if name == "ridge":
        from sklearn.impute import SimpleImputer
        from sklearn.linear_model import Ridge
        from sklearn.pipeline import make_pipeline

        return forecaster(make_pipeline(SimpleImputer(keep_empty_features=True), Ridge()))
    given = {"random_state": seed} if epochs is None else {"random_state": seed, "epochs": epochs}
    taken = forecaster().get_params(deep=False)
    return forecaster(**{key: value for key, value in given.items() if key in taken})


# ---------------------------------------------------------------------- input


def read_csv(
    file: Path,
    time: str,
    targets: list[str],
    freq: str | None = None,
    time_format: str | None = None,
    sep: str = ",",
    decimal: str = ".",
) -> pd.DataFrame:
    """Read the targets of a CSV file on their time index."""
    if not file.is_file():
        raise UsageError(f"there is no file {str(file)!r}.")
    sep = "\t" if sep in ("tab", "\\t") else sep
    for option, char in (("--sep", sep), ("--decimal", decimal)):
        if len(char) != 1 or char.isalnum():
            raise UsageError(f"{option} must be one sign, like ',' or ';', got {char!r}.")
    twice = {name for name in targets if targets.count(name) > 1}
    if twice:
        raise UsageError(f"--target names {', '.join(sorted(twice))} more than once.")
    import pandas as pd

    from .exceptions import DataError
    from .frames import check_columns, check_time_index, infer_grid

    try:
        table = pd.read_csv(file, dtype={time: str}, sep=sep, decimal=decimal)
    except UnicodeDecodeError as exc:
        raise DataError(f"{str(file)!r} is not text in UTF-8 ({exc}). Save it as CSV in UTF-8.") from exc
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as exc:
        raise DataError(f"{str(file)!r} cannot be read as CSV: {exc}") from exc
    if len(table.columns) == 1 and time not in table.columns:
        header = str(table.columns[0])
        raise DataError(f"with --sep {sep!r} the file has a single column, {header!r}. Say what separates: --sep ';'.")
    check_columns(table, [time], "time column")
    check_columns(table, targets, "target")
    index = check_time_index(parse_times(table[time], time_format), "the time column")
    frame = pd.DataFrame({name: parse_numbers(table[name]).to_numpy() for name in targets}, index=index)
    if freq is not None:
        frame = frame.reindex(infer_grid(index, freq).between(index[0], index[-1]))
    return frame


def parse_times(column: pd.Series, time_format: str | None) -> pd.DatetimeIndex:
    """Parse every row, or name the first that is no time. Nothing is guessed: 01/02 is January in one country only."""
    from .exceptions import DataError

    if column.empty:
        raise DataError("the file has a header but no rows.")
    missing = column.isna()
    if missing.any():
        raise DataError(
            f"time column {column.name!r}, row {int(missing.to_numpy().argmax()) + 1}: the time is missing."
        )
    times = to_times(column, time_format)
    if times is not None:
        return times
    good, bad = 0, len(column)
    while bad - good > 1:  # the first `good` rows parse, the first `bad` do not
        middle = (good + bad) // 2
        good, bad = (good, middle) if to_times(column.iloc[:middle], time_format) is None else (middle, bad)
    how = f"in the format {time_format!r}" if time_format else "in ISO 8601 (like 2024-01-31 18:00)"
    raise DataError(
        f"time column {column.name!r}, row {bad}: {column.iloc[bad - 1]!r} is not a time "
        f"{how}, or its time zone is not that of the rows before. Mend it, or give the right --time-format."
    )


def to_times(column: pd.Series, time_format: str | None) -> pd.DatetimeIndex | None:
    """Return the times, or None unless all rows parse."""
    import pandas as pd

    try:
        return pd.DatetimeIndex(pd.to_datetime(column, format=time_format or "ISO8601"), name=column.name)
    except ValueError:
        return None


def parse_numbers(column: pd.Series) -> pd.Series:
    """Return the column as numbers or name the first row that is none."""
    import pandas as pd

    from .exceptions import DataError

    values = pd.to_numeric(column, errors="coerce")
    bad = values.isna() & column.notna()
    if bad.any():
        row = int(bad.to_numpy().argmax())
        raise DataError(
            f"column {column.name!r}, row {row + 1}: {column.iloc[row]!r} is not a number. Leave missing values "
            "empty; give --decimal ',' if that is the decimal point."
        )
    return values


def check_outputs(*paths: Path | None) -> None:
    """Refuse an output that cannot be written before any work is done."""
    for path in filter(None, paths):
        if not path.parent.is_dir():
            raise UsageError(f"there is no folder {str(path.parent)!r} to write {path.name!r} in.")
        if path.is_dir():
            raise UsageError(f"cannot write {str(path)!r}: it is a folder. Give the name of a file in it.")
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            raise UsageError(f"cannot write {str(path)!r}: no permission.")


def check_chart(path: Path | None) -> None:
    """Refuse a chart whose name does not say what it is."""
    if path is not None and path.suffix.lower() not in CHARTS:
        raise UsageError(f"--plot {str(path)!r} must end in one of {', '.join(CHARTS)}.")


# ---------------------------------------------------------------------- output


def out() -> Console:
    """Console on stdout, made when needed so that it writes where stdout points now."""
    return Console()


def show(frame: pd.DataFrame, title: str) -> None:
    """Print a table: drawn on a terminal wide enough for its numbers, plain columns elsewhere."""
    console = out()
    cells = frame.astype(object).where(frame.notna(), None).map(cell)
    numbers = [dtype.kind in "if" for dtype in frame.dtypes]
    headers = [str(name).replace("_", " ") for name in frame.columns]
    widths = [least_width(cells.iloc[:, k], headers[k], numbers[k] or k == 0) for k in range(len(headers))]
    gap = 2 if sum(widths) + 2 * (len(widths) - 1) <= console.width else 1
    if not console.is_terminal or sum(widths) + gap * (len(widths) - 1) > console.width:
        console.print(f"{title}\n{cells.to_string(index=False)}\n", markup=False, highlight=False, soft_wrap=True)
        return
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, show_edge=False, padding=(0, gap - 1, 0, 0))
    for k, (header, number, width) in enumerate(zip(headers, numbers, widths, strict=True)):
        fixed = width if number or k == 0 else None
        table.add_column(header, justify="right" if number else "left", width=fixed, min_width=width, overflow="fold")
    for row in cells.itertuples(index=False):
        table.add_row(*row)
    console.print(table)
    console.print()


def least_width(cells: pd.Series, header: str, whole: bool) -> int:
    """Return the width that a column needs: for whole cells, or for text that may break; headings break at blanks."""
    longest = max(map(len, cells), default=0)
    return max([longest if whole else min(longest, 12), *map(len, header.split())])


def cell(value) -> str:
    """Four significant digits for floats, a dash for what is missing."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return "-" if value is None else str(value)


def draw_comparison(result: Comparison, path: Path, title: str) -> None:
    """Write the last forecasts and the leaderboard side by side."""
    from matplotlib.figure import Figure

    from .plots import plot_leaderboard

    figure = Figure(figsize=(14, 4.8), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[3, 1])
    result.plot(ax=left)
    plot_leaderboard(result.leaderboard(), ax=right)
    figure.suptitle(title, x=0.01, ha="left")
    figure.savefig(path, dpi=120)


def draw_forecast(frame: pd.DataFrame, result: pd.DataFrame, targets: list[str], path: Path) -> None:
    """Write one chart per target, below each other."""
    from matplotlib.figure import Figure

    from .plots import plot_forecast

    figure = Figure(figsize=(10, 3.8 * len(targets)), layout="constrained")
    for ax, target in zip(figure.subplots(len(targets), squeeze=False)[:, 0], targets, strict=True):
        plot_forecast(frame, result, ax=ax, target=target)
    figure.savefig(path, dpi=120)


def main() -> None:
    """Run the command line."""
    app()
