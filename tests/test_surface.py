"""The public surface: what every public class and function takes, held against a stored list.

    python tests/test_surface.py

writes the list, tests/data/surface.json, anew: after a change of the surface that is meant, and has its line in
CHANGELOG.md. What breaks no user's code needs no new list: names, parameters with a default and documentation may be
added, and a parameter may become keyword-only.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tsrnn

STORED = Path(__file__).parent / "data" / "surface.json"
SECTION = re.compile(r"^(\S.*)\n-{3,}$", re.MULTILINE)
KEYWORD = "KEYWORD_ONLY"


def public() -> Iterator[tuple[str, Any]]:
    """Yield the public classes, their public methods, and the public functions, each with its full name."""
    for name in tsrnn.__all__:
        thing = getattr(tsrnn, name)
        if inspect.ismodule(thing):
            yield from ((f"{name}.{each}", getattr(thing, each)) for each in thing.__all__)
            continue
        yield name, thing
        if inspect.isclass(thing):
            for method, _ in inspect.getmembers(thing, inspect.isroutine):
                home = getattr(getattr(thing, method), "__module__", None) or ""
                if home.startswith("tsrnn") and not method.startswith("_"):
                    yield f"{name}.{method}", getattr(thing, method)


def sections(text: str) -> dict[str, str]:
    """The numpydoc sections of a docstring."""
    parts = SECTION.split(text)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def documented(section: str) -> list[str]:
    """The names that a section describes."""
    headers = [line.split(" : ")[0] for line in section.splitlines() if line and not line.startswith(" ")]
    return [name.strip() for header in headers for name in header.split(",")]


def describe(thing: Any) -> dict[str, Any]:
    """What is stored of a class or function."""
    found = sections(inspect.getdoc(thing) or "")
    try:
        parameters = inspect.signature(thing).parameters
    except ValueError:  # what C or a decorator makes has none
        parameters = {}
    return {
        "parameters": {name: [each.kind.name, *default_of(each)] for name, each in parameters.items()},
        "sections": list(found),
        "documented": documented(found.get("Parameters", "")),
    }


def default_of(parameter: inspect.Parameter) -> list[str]:
    """The default in words, if there is one: of a function its name."""
    default = parameter.default
    return [] if default is parameter.empty else [getattr(default, "__qualname__", None) or repr(default)]


def surface() -> dict[str, dict[str, Any]]:
    return {name: describe(thing) for name, thing in public() if callable(thing)}


@pytest.fixture(scope="module")
def pairs() -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    now, before = surface(), json.loads(STORED.read_text(encoding="utf-8"))
    assert before.keys() - now.keys() == set()
    return [(name, now[name], before[name]) for name in before]


def test_parameters_and_defaults_are_those_stored(pairs):
    def defaults(described):
        return {name: default for name, (_, *default) in described["parameters"].items()}

    for name, now, before in pairs:
        now, before = defaults(now), defaults(before)
        assert {each: now.get(each) for each in before} == before, name
        assert [each for each in now.keys() - before.keys() if not now[each]] == [], name


def test_what_may_be_passed_by_its_place_has_its_place(pairs):
    """Keyword-only is what a parameter may become, and no other kind."""
    for name, now, before in pairs:
        now, before = now["parameters"], before["parameters"]
        assert all(now[parameter][0] in (KEYWORD, kind) for parameter, (kind, *_) in before.items()), name
        places = [parameter for parameter, (kind, *_) in now.items() if kind != KEYWORD]
        known = [parameter for parameter in before if parameter in places]
        assert places[: len(known)] == known == list(before)[: len(known)], name


def test_documentation_has_what_is_stored(pairs):
    lost = {
        f"{name}: {each}"
        for name, now, before in pairs
        for part in ("sections", "documented")
        for each in set(before[part]) - set(now[part])
    }
    assert lost == set()


def test_places_and_defaults_are_read():
    def function(a, *, b=1): ...

    assert describe(function)["parameters"] == {"a": ["POSITIONAL_OR_KEYWORD"], "b": [KEYWORD, "1"]}


if __name__ == "__main__":
    lines = (f"{json.dumps(name)}: {json.dumps(described)}" for name, described in surface().items())
    STORED.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
