"""Measure the package as a house to live in: how much code there is, how often one thing is said, who knows whom.

    python benchmarks/house.py [FOLDER]

prints one table for the checkout that FOLDER is in (this one by default), so that two states of it can be compared
with the same ruler. Reads source files only; imports nothing of tsrnn.
"""

from __future__ import annotations

import argparse
import ast
import io
import re
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

#: Names of recurrent cells, as parameters and files have them.
CELLS = {"lstm", "gru", "simple_rnn", "min_lstm", "min_gru"}
#: Where cells may be told apart.
ROOMS = ("networks/cells/", "engine/keras_/cells.py")
#: Lines in a row that make a repeated block.
BLOCK = 6
#: What stands for "adding one": files that name the cell, baseline and metric that came last of their kind.
WITNESSES = {
    "a cell": r"min_?gru",
    "a baseline": r"DriftForecaster|\bdrift\b",
    "a metric": r"\bsmape\b",
}
#: Names with an underscore that Python documents as public.
DOCUMENTED = {"_asdict", "_fields", "_getframe", "_make", "_replace"}
EMPTY = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


def code_lines(source: str, tree: ast.AST) -> list[tuple[int, str]]:
    """Return the numbered lines that hold code, without docstrings, comments and blanks."""
    prose = {n for doc in docstrings(tree) for n in range(doc.lineno, doc.end_lineno + 1)}
    held: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in EMPTY:
            held.update(range(token.start[0], token.end[0] + 1))
    lines = source.splitlines()
    return [(n, lines[n - 1].split("  #")[0].strip()) for n in sorted(held - prose)]


def docstrings(tree: ast.AST) -> Iterator[ast.Expr]:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and body and isinstance(body[0], ast.Expr):
            if isinstance(body[0].value, ast.Constant) and isinstance(body[0].value.value, str):
                yield body[0]


def init_lines(tree: ast.AST) -> int:
    """Lines of constructors."""
    inits = (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name == "__init__")
    return sum(node.end_lineno - node.lineno + 1 for node in inits)


def compares_cells(node: ast.AST) -> bool:
    """Whether a comparison or a table asks which cell it is."""
    if isinstance(node, ast.Compare):
        named = {part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and part.value in CELLS}
        return bool(named) or any(isinstance(part, ast.Name) and "MINIMAL" in part.id for part in ast.walk(node))
    if isinstance(node, ast.Dict):
        keys = {key.value for key in node.keys if isinstance(key, ast.Constant)}
        return len(keys & CELLS) > 1
    return False


def switches_on_spec(node: ast.AST) -> bool:
    """Whether this is isinstance(something, ...Spec)."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance"):
        return False
    return any(isinstance(part, ast.Name) and part.id.endswith("Spec") for part in ast.walk(node.args[1]))


def foreign_reaches(tree: ast.AST) -> int:
    """Reads and writes of `other._name` where this module does not define the name."""
    own = {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))} | DOCUMENTED
    own |= {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    mine = [node for node in attributes if isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")]
    own |= {node.attr for node in mine if isinstance(node.ctx, ast.Store)}
    return sum(
        node.attr.startswith("_") and not node.attr.startswith("__") and node.attr not in own and node not in mine
        and not (isinstance(node.value, ast.Call) and getattr(node.value.func, "id", "") == "super")
        for node in attributes
    )  # fmt: skip


def annotated(tree: ast.AST) -> tuple[int, int]:
    """Count the annotated and all slots (parameters and results) of public functions and methods."""
    given = slots = 0
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and (not node.name.startswith("_") or node.name == "__init__"):
            arguments = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
            arguments = [a for a in arguments if a.arg not in ("self", "cls")]
            slots += len(arguments) + (node.name != "__init__")
            given += sum(a.annotation is not None for a in arguments)
            given += node.returns is not None and node.name != "__init__"
    return given, slots


def repeated_lines(files: dict[str, list[tuple[int, str]]]) -> int:
    """Lines that stand in a run of `BLOCK` lines which also stands elsewhere, imports left out."""
    places = defaultdict(list)
    for path, numbered in files.items():
        lines = [(n, text) for n, text in numbered if not re.match(r"(from|import) |[)\]}(\[{,]*$", text)]
        for i in range(len(lines) - BLOCK + 1):
            run = lines[i : i + BLOCK]
            places[tuple(text for _, text in run)].append((path, [n for n, _ in run]))
    twice = [place for found in places.values() if len(found) > 1 for place in found]
    return len({(path, n) for path, numbers in twice for n in numbers})


def measure(root: Path) -> list[tuple[str, object]]:
    package = root / "tsrnn"
    paths = sorted(package.rglob("*.py"))
    sources = {str(p.relative_to(package)): p.read_text() for p in paths}
    trees = {name: ast.parse(text) for name, text in sources.items()}
    code = {name: code_lines(text, trees[name]) for name, text in sources.items()}
    outside = {name: tree for name, tree in trees.items() if not name.startswith(ROOMS)}
    nodes = [node for tree in outside.values() for node in ast.walk(tree)]
    every = [node for tree in trees.values() for node in ast.walk(tree)]
    counts = Counter({name: text.count("\n") for name, text in sources.items()})
    longest, length = counts.most_common(1)[0]
    slots = [annotated(tree) for tree in trees.values()]
    native = [p for p in (package / "engine/native").rglob("*") if p.suffix in {".c", ".h", ".pyx", ".pyi"}]
    native = [p for p in native if p.name != "_core.c"]
    texts = {**sources, **{str(p.relative_to(package)): p.read_text() for p in native}}
    rows: list[tuple[str, object]] = [
        ("modules", len(sources)),
        ("lines of code", sum(map(len, code.values()))),
        ("lines of constructors", sum(map(init_lines, trees.values()))),
        (f"lines in repeated blocks of {BLOCK} or more", repeated_lines(code)),
        ("comparisons of cells outside their rooms", sum(map(compares_cells, nodes))),
        ("isinstance on specs", sum(map(switches_on_spec, every))),
        ("reaches into others' underscore names", sum(map(foreign_reaches, trees.values()))),
        ("longest module", f"{length} ({longest})"),
        ("modules over 500 lines", sum(n > 500 for n in counts.values())),
        ("annotated slots of public functions", f"{100 * sum(s[0] for s in slots) / sum(s[1] for s in slots):.0f} %"),
    ]
    for what, pattern in WITNESSES.items():
        n_files = sum(bool(re.search(pattern, text, re.IGNORECASE)) for text in texts.values())
        rows.append((f"files that name {what} ({pattern})", n_files))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    here = Path(__file__).parents[1]
    parser.add_argument("folder", nargs="?", type=Path, default=here, help="a checkout; this one by default")
    folder = parser.parse_args().folder
    if not (folder / "tsrnn" / "__init__.py").is_file():
        parser.error(f"{folder} is no checkout: it has no package tsrnn. Name the folder in which tsrnn/ lies.")
    for what, value in measure(folder):
        print(f"{what:<72}{value!s:>12}")


if __name__ == "__main__":
    main()
