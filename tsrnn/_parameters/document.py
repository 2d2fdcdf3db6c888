"""Docstrings of estimators, put together from those of their groups and bases. Imports rules beside it.

A class writes what is its own. Added are the parameters, each with type and default: described by the first class, from
the estimator to its bases, whose docstring has it. So are attributes and warnings that only a base describes, the notes
of the nearest that has some, and the references of the bases below those of the class.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Literal, NamedTuple, get_args, get_origin

from .rules import parts

__all__ = ["document"]

ORDER = ("Parameters", "Attributes", "Raises", "Warns", "Notes", "References", "Examples")
#: Sections whose entries are inherited.
INHERITED = ("Attributes", "Raises", "Warns")
#: Parameters that need no table of contents.
FEW = 16
HEADING = re.compile(r"^(\w[\w ]*)\n-{3,}$\n?", re.MULTILINE)


class Entry(NamedTuple):
    """What a section says about one or more names: their type, where it is written, and lines of text."""

    kind: str
    text: str


def document(cls: type, known: Mapping[str, Any]) -> str:
    """The docstring of a class with these parameters."""
    ours = [base for base in cls.__mro__ if base is not object and not base.__module__.startswith("sklearn.")]
    lineage = [parse(base.__doc__) for base in ours if base.__doc__]
    summary, own = lineage[0]
    sections = dict(own)
    texts = inherited("Parameters", lineage)
    described = {name: texts[name]._replace(kind=kind_of(each, texts[name])) for name, each in known.items()}
    sections["Parameters"] = write(described)
    for name in INHERITED:
        sections[name] = write(inherited(name, lineage))
    sections["Notes"] = next((found["Notes"] for _, found in lineage if "Notes" in found), "")
    references = dict.fromkeys(found["References"] for _, found in lineage if "References" in found)
    sections["References"] = "\n\n".join(references)
    written = [f"{name}\n{'-' * len(name)}\n{sections[name]}" for name in ORDER if sections.get(name)]
    return "\n\n".join([summary, *contents(known), *written]) + "\n"


@cache
def parse(text: str) -> tuple[str, dict[str, str]]:
    """Return what stands before the first section of a docstring, and the sections."""
    summary, *rest = HEADING.split(inspect.cleandoc(text))
    return summary.strip(), {name: body.strip("\n") for name, body in zip(rest[::2], rest[1::2], strict=True)}


@cache
def entries(section: str) -> dict[str, Entry]:
    """What a section says about each name."""
    found = {}
    for block in re.split(r"\n+(?=\S)", section):
        header, _, text = block.partition("\n")
        names, _, kind = header.partition(" : ")
        entry = Entry(kind, text.rstrip())
        found.update(dict.fromkeys(re.split(r",\s*", names), entry))
    return found


def inherited(section: str, lineage: Sequence[tuple[str, dict[str, str]]]) -> dict[str, Entry]:
    """What the nearest class says about each name in a section."""
    found: dict[str, Entry] = {}
    for _, sections in lineage:
        if section in sections:
            found = found | {name: entry for name, entry in entries(sections[section]).items() if name not in found}
    return found


def write(described: Mapping[str, Entry]) -> str:
    """A section; names that stand together and share an entry share its lines."""
    blocks: list[tuple[list[str], Entry]] = []
    for name, entry in described.items():
        if blocks and blocks[-1][1] == entry and entry.text:
            blocks[-1][0].append(name)
        else:
            blocks.append(([name], entry))
    return "\n".join(
        ", ".join(names) + (f" : {entry.kind}" if entry.kind else "") + (f"\n{entry.text}" if entry.text else "")
        for names, entry in blocks
    )


def contents(known: Mapping[str, Any]) -> list[str]:
    """Which parameters decide what, where there are many."""
    topics: dict[str, list[str]] = {}
    for name, parameter in known.items():
        topics.setdefault(parameter.topic, []).append(f"`{name}`")
    if len(known) <= FEW or len(topics) < 2:
        return []
    lines = (f"- {topic}: {', '.join(names)};" for topic, names in topics.items())
    items = "\n".join(textwrap.fill(line, 116, subsequent_indent="  ") for line in lines)
    return [f"The parameters say\n\n{items.removesuffix(';')}."]


# ---------------------------------------------------------------------- types and defaults


def kind_of(parameter: Any, entry: Entry) -> str:
    """Type and default of a parameter in numpydoc's words."""
    kind = entry.kind or spell(parameter.hint)
    return kind if parameter.required else f"{kind}, default={show(parameter.default)}"


def show(value: Any) -> str:
    """A default as it would be written."""
    return f'"{value}"' if isinstance(value, str) else repr(value)


def spell(hint: Any) -> str:
    """A type in words: int, sequence of int or "auto"."""
    *first, last = map(spell_one, parts(hint))
    return f"{', '.join(first)} or {last}" if first else last


def spell_one(hint: Any) -> str:
    origin, args = get_origin(hint), get_args(hint)
    if hint is type(None):
        return "None"
    if origin is Literal:
        return show(args[0]) if len(args) == 1 else f"{{{', '.join(map(show, args))}}}"
    if origin is Callable:
        return "callable"
    if origin in (Sequence, tuple):
        return f"{origin.__name__.lower()} of {spell(args[0])}"
    return getattr(origin or hint, "__name__", str(hint))
