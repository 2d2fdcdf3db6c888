"""The names that models have in the terminal. The forecasters are imported when one is made."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from .._public import terminal_models
from .usage import UsageError

if TYPE_CHECKING:
    from ..forecasters.base import BaseForecaster

__all__ = ["MODELS", "check_choice", "make_model", "model_names"]

#: Name on the command line -> row of the registry, and the variant meant.
MODELS = terminal_models()


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


def make_model(
    name: str, seed: int, epochs: int | None, freq: str | None = None, season: int | None = None
) -> BaseForecaster:
    """Return an unfitted forecaster of the registry; what it does not have, a seed or a season, it is not told."""
    check_choice(name, list(MODELS), "model")
    row, variant = MODELS[name]
    forecaster = row.load()
    given: dict[str, Any] = {"random_state": seed, "freq": freq, "season_length": season}
    given |= {} if epochs is None else {"epochs": epochs}
    taken = forecaster().get_params(deep=False)
    return forecaster(**{key: value for key, value in given.items() if key in taken}, **variant.params)
