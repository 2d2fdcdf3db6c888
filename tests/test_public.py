"""The registry of public things, and that one file and one row of it make a baseline known everywhere."""

from __future__ import annotations

import ast
import importlib
import inspect
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import write_imports

import tsrnn
from tsrnn import _public
from tsrnn._archive import SaveMixin
from tsrnn._public import PUBLIC, short_name
from tsrnn.terminal.models import MODELS, make_model

PACKAGE = Path(tsrnn.__file__).parent


@pytest.mark.parametrize("row", PUBLIC, ids=lambda row: row.name)
def test_a_row_names_what_its_module_defines(row):
    thing = row.load()
    if row.kind == "module":
        assert inspect.ismodule(thing) and thing.__name__ == f"tsrnn.{row.name}"
    else:
        assert (thing.__name__, thing.__module__) == (row.name, f"tsrnn.{row.module}")
    assert row.title and not row.title.endswith(".")


def test_nothing_stands_in_the_registry_twice():
    names = [row.name for row in PUBLIC]
    assert len(set(names)) == len(names)
    terminal = [name for row in PUBLIC for name in (row.terminal, *(v.name for v in row.variants)) if name]
    assert len(set(terminal)) == len(terminal) == len(MODELS)


@pytest.mark.parametrize("row", [row for row in PUBLIC if row.saved], ids=lambda row: row.name)
def test_what_a_file_may_hold_can_be_saved(row):
    assert issubclass(row.load(), SaveMixin)


@pytest.mark.parametrize("package", ["forecasters", "regressors"])
def test_a_subpackage_has_the_names_of_its_rows_alone_and_type_checkers_see_them(package):
    module = importlib.import_module(f"tsrnn.{package}")
    rows = {row.name: row.module.removeprefix(f"{package}.") for row in PUBLIC if row.module.startswith(f"{package}.")}
    assert set(module.__all__) == set(rows) <= set(dir(module))
    assert all(getattr(module, row.name) is row.load() for row in PUBLIC if row.name in rows)
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    assert all(alias.asname == alias.name for node in block.body for alias in node.names)
    assert {alias.name: node.module for node in block.body for alias in node.names} == rows
    with pytest.raises(AttributeError, match=rf"module 'tsrnn\.{package}' has no attribute 'LSTM'"):
        _ = module.LSTM


@pytest.mark.parametrize("package", write_imports.LAZY)
def test_the_imports_for_type_checkers_are_as_they_are_written_from_the_registry(package):
    text = (PACKAGE / package / "__init__.py").read_text(encoding="utf-8")
    assert write_imports.written(text, package) == text
    first = next(line for line in text.splitlines(keepends=True) if line.startswith("    from ."))
    assert write_imports.written(text.replace(first, first.replace("import", "import Old,")), package) == text


def test_names_in_tables():
    class MyForecaster:
        pass

    class Forecaster:
        pass

    assert [short_name(cls) for cls in (MyForecaster, Forecaster)] == ["my", "Forecaster"]
    assert short_name(tsrnn.SeasonalNaiveForecaster) == "snaive"
    assert _public.baseline_names() == {"naive", "snaive", "drift", "mean", "zero"}


def test_a_variant_is_made_with_its_parameters():
    assert make_model("zero", seed=0, epochs=None).get_params()["value"] == 0.0
    assert make_model("mean", seed=0, epochs=None).get_params()["value"] is None


BASELINE = '''
import numpy as np

from .naive import NaiveForecaster


class LargestForecaster(NaiveForecaster):
    """Forecasts the largest value that was observed."""

    def _forecast(self, values, cutoffs, steps):
        largest = np.array([np.nanmax(self._targets(values)[: cutoff + 1], axis=0) for cutoff in cutoffs])
        return np.repeat(largest[:, np.newaxis], steps, axis=1)
'''
ROW = '_baseline("LargestForecaster", "largest", "the largest value so far", "largest"),'
USED = """
import sys, pandas as pd, tsrnn
from tsrnn.backtest import model_name
from tsrnn.forecasters import LargestForecaster
from tsrnn.plots import _is_baseline
from tsrnn.terminal.models import make_model

assert tsrnn.__file__.startswith(sys.argv[1]) and tsrnn.LargestForecaster is LargestForecaster
days = pd.date_range("2024-01-01", periods=40, name="day")
df = pd.DataFrame({"load": [float(i % 7) for i in range(40)]}, index=days)
result = tsrnn.compare([LargestForecaster()], df, target="load", horizon=3, n_windows=4, season_length=1)
assert "largest" in set(result.leaderboard()["model"]) and _is_baseline("largest")
model = make_model("largest", seed=0, epochs=None).set_params(target="load").fit(df)
model.save(sys.argv[1] + "/m.tsrnn")
assert (tsrnn.load(sys.argv[1] + "/m.tsrnn").forecast(3)["load"] == 6.0).all()
"""


def test_one_file_and_one_row_make_a_baseline(tmp_path):
    copy = tmp_path / "tsrnn"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__", "*.so", "*.c", "*.h", "src"))
    (copy / "forecasters" / "largest.py").write_text(BASELINE, encoding="utf-8")
    registry = (copy / "_public.py").read_text(encoding="utf-8")
    place = '    _baseline("MeanForecaster"'
    assert place in registry
    (copy / "_public.py").write_text(registry.replace(place, f"    {ROW}\n{place}"), encoding="utf-8")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{USED}"
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
