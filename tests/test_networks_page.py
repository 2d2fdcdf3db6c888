"""The page docs/networks.md: every network is on it, with a picture and code that exists."""

import ast
import inspect
import re
import runpy
from pathlib import Path

import pytest

import tsrnn

DOCS = Path(__file__).parents[1] / "docs"
pytestmark = pytest.mark.skipif(not DOCS.is_dir(), reason="the documentation is not part of the source distribution")

PAGE = (DOCS / "networks.md").read_text(encoding="utf-8") if DOCS.is_dir() else ""
ROWS = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in PAGE.splitlines() if line.startswith("| ")]
NETWORKS = [row[:2] for row in ROWS[1:]]  # name, how to get it
CODE = sorted(set(re.findall(r"`([^`]+)`", PAGE)))
REGRESSORS = [name for name in tsrnn.__all__ if name.endswith("Regressor")]


@pytest.mark.parametrize(("name", "cell"), [row for row in NETWORKS if row[0] != "your own"])
def test_each_network_has_a_picture(name, cell):
    (picture,) = re.findall(rf'<img src="([^"]+)" width="220" alt="{re.escape(name)}">', cell)
    assert (DOCS / picture).is_file()


def test_the_pictures_are_what_the_script_draws():
    script = runpy.run_path(str(DOCS / "figures" / "networks.py"))
    drawn = {f"{network.__name__}.svg": script["draw"](network) for network in script["NETWORKS"]}
    kept = {path.name: path.read_text(encoding="utf-8") for path in (DOCS / "figures").glob("*.svg")}
    assert kept == drawn


def test_every_network_is_on_the_page():
    forecasters = {name.replace("Regressor", "Forecaster") for name in REGRESSORS} & set(tsrnn.__all__)
    assert {*REGRESSORS, *forecasters} <= set(re.findall(r"\w+", PAGE))


@pytest.mark.parametrize("code", CODE)
def test_the_code_on_the_page_exists(code):
    """It is a name, which may be called, or parameters, which some regressor has."""
    call = ast.parse(f"page({code})", mode="eval").body
    owners = [getattr(tsrnn, name) for name in REGRESSORS]
    if call.args:
        name = code.removeprefix("tsrnn.").partition("(")[0]
        owners = [getattr(tsrnn if hasattr(tsrnn, name) else tsrnn.GRURegressor, name)]
    calls = [call, *(value for value in call.args if isinstance(value, ast.Call))]
    parameters = {keyword.arg for one in calls for keyword in one.keywords}
    assert not parameters or any(parameters <= set(inspect.signature(owner).parameters) for owner in owners)
