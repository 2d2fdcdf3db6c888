"""The package's front door: lazy public names, the version, and what the packaging files promise."""

from __future__ import annotations

import configparser
import importlib
import inspect
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

import tsrnn

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", tsrnn.__all__)
def test_public_name_is_the_object_of_its_home_module(name):
    value = getattr(tsrnn, name)
    home = importlib.import_module(f"tsrnn.{tsrnn._HOMES.get(name, name)}")
    assert value is (getattr(home, name) if name in tsrnn._HOMES else home)
    assert name in dir(tsrnn)


@pytest.mark.parametrize("name", ["tsrnn", "tsrnn.forecasters", "tsrnn.regressors"])
def test_completion_offers_public_names_and_modules_only(name):
    package = importlib.import_module(name)
    offered = {name for name in dir(package) if not name.startswith("_")}
    others = offered - set(package.__all__)
    assert all(inspect.ismodule(getattr(package, name)) for name in others), others


def test_no_public_name_is_also_another_module():
    modules = {path.stem for path in (ROOT / "tsrnn").iterdir()} - set(tsrnn._SUBMODULES)
    assert modules.isdisjoint(tsrnn._HOMES)


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'tsrnn' has no attribute 'LSTM'"):
        _ = tsrnn.LSTM


@pytest.mark.parametrize("first", ["tsrnn.comparison", "tsrnn"])
def test_compare_is_the_function_whichever_import_comes_first(first):
    code = f"import {first}, tsrnn; from tsrnn import compare; assert callable(compare) and compare is tsrnn.compare"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_version_is_that_of_the_installed_distribution(monkeypatch):
    assert tsrnn._version() == PROJECT["project"]["version"]

    def not_installed(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", not_installed)
    assert tsrnn._version() == "0+unknown"


def test_show_versions_names_every_dependency():
    lines = dict(line.split(": ", 1) for line in tsrnn.show_versions().splitlines())
    dependencies = {re.match(r"[\w-]+", requirement)[0] for requirement in PROJECT["project"]["dependencies"]}
    assert set(lines) == {"python", "platform", "tsrnn", "native engine", *dependencies}
    assert lines["numpy"] == metadata.version("numpy")


def test_lowest_versions_are_the_lower_bounds():
    pins = (ROOT / "tests" / "lowest-versions.txt").read_text(encoding="utf-8").splitlines()
    pinned = sorted(line.replace("==", ">=") for line in pins if not line.startswith("#"))
    assert pinned == sorted(PROJECT["project"]["dependencies"])


def test_every_package_folder_is_packaged():
    folders = {path.parent for path in (ROOT / "tsrnn").rglob("*.py")}
    names = {".".join(folder.relative_to(ROOT).parts) for folder in folders}
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == {*names, "tsrnn._datasets"}


def test_setup_cfg_holds_only_command_options():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    assert set(config.sections()) <= {"sdist", "bdist_wheel", "build_ext"}


def test_import_leaves_other_packages_as_they_are():
    # The module that stands under a name in sys.modules is the one that its finder made.
    code = """
import sys, importlib, tsrnn
from tsrnn import LSTMForecaster, compare
import scipy.stats as stats
assert stats.__doc__ and importlib.reload(stats) is stats
found = [name for name, module in sys.modules.items() if getattr(module, "__spec__", None) is not None
         and module.__spec__.loader is None and module.__spec__.submodule_search_locations is None]
assert not found, found
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
