"""The words that may follow a command, as typer reads them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from .models import MODELS
from .reporting import tell
from .usage import UsageError

#: Limits of what is asked for at once: beyond them lie slips of the keyboard, and tables that no memory holds.
MOST_STEPS = MOST_ORIGINS = 100_000
MOST_EPOCHS = 1_000_000
MOST_FORECASTS = 10_000_000


def between(low: int, high: int) -> Callable[[typer.CallbackParam, int | None], int | None]:
    """Return a callback that refuses a number out of range in one line, where typer would print the usage as well."""

    def check(param: typer.CallbackParam, value: int | None) -> int | None:
        if value is not None and not low <= value <= high:
            limit = f"at least {low}" if value < low else f"at most {high}"
            refuse(f"{param.opts[0]} must be {limit}, got {value}.")
        return value

    return check


def share(param: typer.CallbackParam, value: float | None) -> float | None:
    """Refuse what is no share of the observations."""
    if value is not None and not 0 < value < 1:
        percent = f" {value:g} percent are {value / 100:g}." if 1 < value < 100 else ""
        refuse(f"{param.opts[0]} must lie strictly between 0 and 1, got {value:g}.{percent}")
    return value


def refuse(text: str) -> None:
    """Say what is wrong with the command, and exit."""
    tell("error", text)
    raise typer.Exit(2)


File = Annotated[
    Path,
    typer.Argument(metavar="FILE", help="CSV or Parquet file, also compressed; - reads stdin.", show_default=False),
]
Time = Annotated[
    list[str],
    typer.Option(
        "--time", metavar="COL", help="Column of the time; named twice where date and hour are two.", show_default=False
    ),
]
Target = Annotated[
    list[str], typer.Option("--target", metavar="COL", help="Column to forecast; may be repeated.", show_default=False)
]
Horizon = Annotated[
    int, typer.Option(callback=between(1, MOST_STEPS), help="Steps ahead, at least 1.", show_default=False)
]
Models = Annotated[str, typer.Option(help=f"Models, separated by commas: {', '.join(MODELS)}.")]
Model = Annotated[str, typer.Option(help=f"One of {', '.join(MODELS)}.")]
Windows = Annotated[
    int,
    typer.Option(
        callback=between(1, MOST_ORIGINS), help="Origins to forecast from; the last forecast ends at the last row."
    ),
]
Step = Annotated[
    int | None, typer.Option(callback=between(1, MOST_STEPS), help="Rows between origins; the horizon by default.")
]
Refit = Annotated[bool, typer.Option("--refit", help="Fit every model afresh at each origin.")]
RefitEvery = Annotated[
    int | None,
    typer.Option(
        "--refit-every",
        callback=between(1, MOST_ORIGINS),
        help="Fit every model at the first origin and every so many after it.",
        show_default=False,
    ),
]
Season = Annotated[
    int | None,
    typer.Option(
        callback=between(1, MOST_STEPS),
        help="Rows in a season; by default the usual one of the frequency, none where rows are numbered.",
        show_default=False,
    ),
]
Epochs = Annotated[
    int | None,
    typer.Option(
        callback=between(1, MOST_EPOCHS), help="Epochs of the networks, instead of their default.", show_default=False
    ),
]
Seed = Annotated[int, typer.Option(callback=between(0, 2**32 - 1), help="Seed of the networks.")]
Coverage = Annotated[
    float | None,
    typer.Option(callback=share, help="Add an interval that is to hold this share, e.g. 0.9.", show_default=False),
]
Output = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "--csv",
        metavar="FILE",
        help="Write the table here: Parquet if the name ends in .parquet, else CSV.",
        show_default=False,
    ),
]
Plot = Annotated[Path | None, typer.Option("--plot", help="Write a chart here (PNG, PDF or SVG).", show_default=False)]
Save = Annotated[Path | None, typer.Option("--save", help="Save the fitted model here (.tsrnn).", show_default=False)]


def check_size(horizon: int, windows: int, models: int, targets: int) -> None:
    """Refuse more forecasts than a table can hold."""
    total = horizon * windows * models * targets
    if total > MOST_FORECASTS:
        raise UsageError(
            f"--horizon {horizon} from --windows {windows} origins, for {models} model(s) and {targets} target(s), are "
            f"{total} forecasts; at most {MOST_FORECASTS} are made at once. Lower --horizon or --windows."
        )
