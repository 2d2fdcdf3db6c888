"""Write the imports that type checkers read, in the packages that load their names lazily, from the registry.

    python tests/write_imports.py

Run it when `tsrnn/_public.py` has changed. `test_public.py` and `test_types.py` hold the blocks against the registry.
"""

from __future__ import annotations

import re
from pathlib import Path

import tsrnn
from tsrnn._public import PUBLIC, Public

PACKAGE = Path(tsrnn.__file__).parent
LAZY = ("", "forecasters", "regressors")
BLOCK = re.compile(r"(?<=\nif TYPE_CHECKING:)([^\n]*\n)((?:    from [^\n]*\n)+)")


def statement(row: Public, below: str) -> str:
    module = "" if row.kind == "module" else row.module.removeprefix(f"{below}.")
    return f"    from .{module} import {row.name} as {row.name}\n"


def written(text: str, below: str) -> str:
    """Return the text of a package's ``__init__.py`` with its imports as the registry has them."""
    rows = [row for row in PUBLIC if row.module.startswith(f"{below}.")] if below else [*PUBLIC]
    rows = [row for row in rows if below or row.kind != "base"]
    statements = "".join(sorted(statement(row, below) for row in rows))
    return BLOCK.sub(lambda found: found[1] + statements, text, count=1)


def main(folder: Path = PACKAGE) -> None:
    for below in LAZY:
        path = folder / below / "__init__.py"
        path.write_text(written(path.read_text(encoding="utf-8"), below), encoding="utf-8")


if __name__ == "__main__":
    main()
