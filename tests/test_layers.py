"""The layers of the package: who may import whom, read from the source with `ast`.

A component is a module or a subpackage directly under tsrnn. It may import components of lower layers, its own modules,
and what the tables below allow; never the package root.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "tsrnn"

LAYERS = [
    {
        "_files",
        "exceptions",
        "_bar",
        "_checks",
        "_estimator",
        "_near_misses",
        "_masked",
        "_metric",
        "_parameters",
        "_progress",
        "_public",
        "_publishing",
        "_show_versions",
        "_types",
        "_warnings",
    },
    {
        "frames",
        "windows",
        "splits",
        "calendars",
        "transforms",
        "metrics",
        "datasets",
        "intervals",
        "significance",
        "_archive",
        "_canonical",
        "_folds",
    },
    {"networks", "engine"},
    {"regressors"},
    {"forecasters"},
    {"backtest", "baselines", "comparison", "persistence", "plans", "scores", "verdicts"},
    {"plots", "inspection"},
    {"cli", "__main__", "terminal"},
]
# Arrows inside a layer.
BESIDE = {
    "_estimator": {"_near_misses", "_parameters"},
    "_metric": {"exceptions"},
    "_parameters": {"_checks"},
    "_progress": {"_bar"},
    "windows": {"frames"},
    "splits": {"frames"},
    "engine": {"networks"},
    "backtest": {"plans"},
    "baselines": {"backtest", "plans"},
    "comparison": {"backtest", "baselines", "plans", "scores", "verdicts"},
    "scores": {"backtest"},
    "verdicts": {"backtest"},
    "inspection": {"plots"},
    "cli": {"terminal"},
    "__main__": {"cli"},
}
# Arrows that point up, allowed inside a function only: a method that offers a leaf, a report on what is installed.
LAZILY = {"comparison": {"plots"}, "_show_versions": {"engine"}}

KERAS = {"keras", "tensorflow", "jax", "torch"}
HEAVY = {*KERAS, "statsmodels", "matplotlib"}

LEVEL = {component: level for level, components in enumerate(LAYERS) for component in components}
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
COMPONENTS = {name: name.split(".")[1] for name in MODULES if name != "tsrnn"}


def imports(node: ast.AST, lazy: bool = False):
    """Yield (import statement, whether it stands inside a function) for the whole tree."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.Import, ast.ImportFrom)):
            yield child, lazy
        yield from imports(child, lazy or isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)))


def targets(module: str, is_package: bool, node: ast.Import | ast.ImportFrom) -> list[str]:
    """Full names of the modules that a statement in `module` imports; "tsrnn" when it takes a name from the root."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    base = node.module or ""
    if node.level:
        # one dot is the package of the module, each further dot its parent
        package = module.split(".") if is_package else module.split(".")[:-1]
        package = package[: len(package) - node.level + 1]
        base = ".".join([*package, base] if base else package)
    names = [f"{base}.{alias.name}" for alias in node.names]
    return [name if name in MODULES else base for name in names]


def imported(module: str, tree: ast.Module) -> set[tuple[str, bool]]:
    is_package = MODULES[module].name == "__init__.py"
    return {(target, lazy) for node, lazy in imports(tree) for target in targets(module, is_package, node)}


def refusal(component: str, target: str, lazy: bool) -> str | None:
    """Say why a component may not import the module `target`, or None if it may."""
    top, _, rest = target.partition(".")
    if top in KERAS and component != "engine":
        return f"{target}: only engine imports Keras"
    if top != "tsrnn":
        return None
    if not rest:
        return "the package root"
    other = rest.split(".")[0]
    if other not in LEVEL:
        return f"{target}: not a module of any layer"
    allowed = (
        other == component
        or LEVEL[other] < LEVEL[component]
        or other in BESIDE.get(component, ())
        or (lazy and other in LAZILY.get(component, ()))
    )
    return None if allowed else f"{target}, of layer {LEVEL[other]}, from layer {LEVEL[component]}"


def parse(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def test_every_module_has_exactly_one_layer():
    assert sum(map(len, LAYERS)) == len(LEVEL)
    assert set(COMPONENTS.values()) == set(LEVEL)


def test_exceptions_to_the_layers_are_needed_and_do_not_point_both_ways():
    assert all(LEVEL[a] == LEVEL[b] and a not in BESIDE.get(b, ()) for a in BESIDE for b in BESIDE[a])
    assert all(LEVEL[a] < LEVEL[b] for a in LAZILY for b in LAZILY[a])
    arrows = {
        (COMPONENTS[module], target.split(".")[1])
        for module in COMPONENTS
        for target, _ in imported(module, parse(module))
        if target.startswith("tsrnn.")
    }
    assert {(a, b) for table in (BESIDE, LAZILY) for a in table for b in table[a]} <= arrows


@pytest.mark.parametrize("module", COMPONENTS)
def test_module_imports_only_what_its_layer_allows(module):
    component = COMPONENTS[module]
    refused = [refusal(component, target, lazy) for target, lazy in imported(module, parse(module))]
    assert [reason for reason in refused if reason] == []


@pytest.mark.parametrize("module", [name for name in MODULES if COMPONENTS.get(name) not in ("cli", "terminal")])
def test_library_code_does_not_print(module):
    calls = [node for node in ast.walk(parse(module)) if isinstance(node, ast.Call)]
    assert [call.lineno for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"] == []


@pytest.mark.parametrize(
    ("component", "source", "refused"),
    [
        ("windows", "from .frames import check_frame", None),
        ("splits", "from .windows import make_windows", "layer 1"),
        ("splits", "from . import metrics", "layer 1"),
        ("metrics", "from . import LSTMRegressor", "root"),
        ("metrics", "import tsrnn", "root"),
        ("metrics", "from tsrnn.datasets import load_co2", "layer 1"),
        ("metrics", "def f():\n    import keras.ops", "Keras"),
        ("metrics", "import numpy as np, pandas", None),
    ],
)
def test_the_check_itself(component, source, refused):
    found = [refusal(component, *arrow) for arrow in imported(f"tsrnn.{component}", ast.parse(source))]
    reasons = [reason for reason in found if reason]
    assert not reasons if refused is None else refused in reasons[0]


def test_import_of_tsrnn_loads_nothing_heavy():
    code = f"import sys, tsrnn; dir(tsrnn); print({HEAVY!r} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_import_of_a_recurrent_forecaster_loads_what_it_needs_alone():
    others = {*HEAVY, "scipy.signal", "sklearn.model_selection", "sklearn.pipeline"}
    code = f"import sys\nfrom tsrnn import LSTMForecaster\nprint({others!r} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
