"""Commands whose parameters are told once: a dataclass of options as one argument. Imports nothing of tsrnn."""

from __future__ import annotations

import functools
import inspect
from dataclasses import MISSING, fields, is_dataclass
from typing import get_type_hints

__all__ = ["unfold"]


def unfold(command):
    """Return the command with each argument that is a dataclass replaced by the dataclass's fields.

    typer reads a command's signature, so that every field becomes a flag; the command gets the dataclass made of them.
    """
    hints = get_type_hints(command, include_extras=True)
    parameters, groups = [], {}
    for name, parameter in inspect.signature(command).parameters.items():
        if not is_dataclass(hints[name]):
            parameters.append(parameter.replace(annotation=hints[name]))
            continue
        own = get_type_hints(hints[name], include_extras=True)
        groups[name] = (hints[name], [entry.name for entry in fields(hints[name])])
        for entry in fields(hints[name]):
            default = inspect.Parameter.empty if entry.default is MISSING else entry.default
            parameters.append(
                inspect.Parameter(entry.name, parameter.KEYWORD_ONLY, default=default, annotation=own[entry.name])
            )

    @functools.wraps(command)
    def wrapper(**given):
        made = {name: kind(**{key: given.pop(key) for key in keys}) for name, (kind, keys) in groups.items()}
        return command(**given, **made)

    del wrapper.__wrapped__
    ordered = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
    wrapper.__signature__ = inspect.Signature(ordered)
    wrapper.__annotations__ = {parameter.name: parameter.annotation for parameter in ordered}
    return wrapper
