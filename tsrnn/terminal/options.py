"""The words that may follow a command, as typer reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .models import MODELS
from .reporting import UsageError, stop


def at_least(low: int):
    """Return a callback that refuses a number below `low` in one line, where typer would print the usage as well."""

    def check(param: typer.CallbackParam, value: int | None) -> int | None:
        if value is not None and value < low:
            stop(UsageError(f"{param.opts[0]} must be at least {low}, got {value}."), 2)
        return value

    return check


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
