"""What the demonstration says of its numbers."""

from __future__ import annotations

import ast
import re
import runpy
import textwrap
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import tsrnn
from tsrnn.cli import app
from tsrnn.terminal.demo import SCENES, make_models, worth_it
from tsrnn.verdicts import Verdict

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCS = ROOT / "docs"
DOCUMENTED = pytest.mark.skipif(not DOCS.is_dir(), reason="the documentation is not part of the source distribution")


class Told:
    """A comparison whose verdicts are known."""

    best_trivial = {"temp": "naive"}

    def __init__(self, **against):
        self.against = against

    def leaderboard(self):
        return pd.DataFrame({"model": ["gru", "lstm", "ridge", "arima", "naive", "snaive"]})

    def verdict(self, model, against):
        word = self.against[against]
        return Verdict(f"{model} is {word} than {against}.", outcome=word)


@pytest.mark.parametrize("worse", [None, "ridge", "arima", "naive"])
def test_the_network_is_worth_it_only_if_it_beats_all(worse):
    told = dict.fromkeys(["ridge", "arima", "naive"], "better") | ({worse: "worse"} if worse else {})
    answer = "No" if worse else "Yes"
    said = " ".join(f"gru is {word} than {name}." for name, word in told.items())
    assert worth_it(Told(**told)) == f"Is the neural network worth it? {answer}. {said}"


def code():
    """The example of the README, as a syntax tree."""
    block = re.search(r"```python\n(.*?)```", README, flags=re.DOTALL).group(1)
    return ast.parse(block)


def call_of(name):
    calls = [node for node in ast.walk(code()) if isinstance(node, ast.Call)]
    return next(call for call in calls if getattr(call.func, "id", "") == name)


def test_the_readme_compares_what_the_demonstration_compares():
    scene = SCENES[0]
    call = call_of("compare")
    given = {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}
    (target,) = scene.load().columns
    assert given == {"target": target, "horizon": scene.horizon, "n_windows": scene.windows}
    names = {name: getattr(tsrnn, name) for name in tsrnn.__all__ if name.endswith("Forecaster")}
    for name, made in (("model", "LSTMForecaster"), ("arima", "ARIMAForecaster")):
        names[name] = eval(compile(ast.Expression(call_of(made)), "README", "eval"), names)
    models = eval(compile(ast.Expression(call.args[0]), "README", "eval"), names)
    shown = {name: model.get_params() for name, model in models.items()}
    demonstrated = {name: model.get_params() for name, model in make_models(scene, seed=0, epochs=None).items()}
    set_by_both = {"target": target, "horizon": scene.horizon}  # `compare` sets them as well
    for params in [*shown.values(), *demonstrated.values()]:
        params.update((name, value) for name, value in set_by_both.items() if name in params)
    assert shown == demonstrated


@DOCUMENTED
def test_the_readme_shows_what_the_demonstration_said():
    story = (DOCS / "images" / "jfk_temp.txt").read_text(encoding="utf-8")
    assert textwrap.indent(story.rstrip(), "    ") in README
    rows = story.splitlines()
    assert rows[0] == f"{SCENES[0].title}: {SCENES[0].windows} origins, {SCENES[0].horizon} steps ahead"
    first = rows.index("")
    assert {row.split()[0] for row in rows[2:first]} >= {"lstm", "gru", "ridge", "arima", "naive", "snaive"}
    assert "docs/images/jfk_temp.png" in README


@DOCUMENTED
def test_the_text_of_the_demonstration_is_put_where_the_old_one_was():
    old = "# tsrnn\n\n<!-- demo -->\n\n    a\n\n<!-- end -->\n\nand so on\n"
    with_story = runpy.run_path(str(DOCS / "update_readme.py"))["with_story"]
    new = with_story(old, "title\n x  1\n\nSaid.\n")
    assert new == "# tsrnn\n\n<!-- demo -->\n\n    title\n     x  1\n\n    Said.\n\n<!-- end -->\n\nand so on\n"
    assert with_story(new, "title\n x  1\n\nSaid.\n") == new


@DOCUMENTED
@pytest.mark.slow
def test_demo_writes_charts_forecasts_and_its_text(tmp_path):
    done = CliRunner().invoke(app, ["demo", "--output", str(tmp_path / "demo"), "--epochs", "1"])
    assert done.exit_code == 0, done.stderr
    assert done.stdout.count("Is the neural network worth it?") == 2
    stems = ("jfk_temp", "aapl_log_price")
    names = {stem + end for stem in stems for end in (".png", ".txt", "_forecasts.csv")}
    assert {path.name for path in (tmp_path / "demo").iterdir()} == names
    forecasts = pd.read_csv(tmp_path / "demo" / "jfk_temp_forecasts.csv")
    origins = forecasts.groupby("model")["cutoff"].nunique()
    assert set(origins) == {SCENES[0].windows}
    assert set(origins.index) >= {"lstm", "gru", "ridge", "arima", "snaive", "naive"}
    made, stored = ((folder / "jfk_temp.txt").read_text() for folder in (tmp_path / "demo", DOCS / "images"))
    assert " ".join(made.split()) in " ".join(done.stdout.split())
    tables = [text.split("\n\n")[0].splitlines() for text in (made, stored)]
    assert tables[0][0] == tables[1][0] and tables[0][1].split() == tables[1][1].split()  # the title, and the columns
    models = [{row.split()[0] for row in table[2:]} for table in tables]
    assert models[0] == models[1] == set(origins.index)
