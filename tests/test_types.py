"""What an editor and a type checker see: the types of parameters, the public names, what methods return."""

from __future__ import annotations

import ast
import inspect
import os
import subprocess
import sys
import typing
from pathlib import Path

import jedi
import pytest
from sklearn.base import BaseEstimator

import tsrnn
from tsrnn import _types
from tsrnn.engine.distributions import LOSSES
from tsrnn.engine.pool import ENGINES
from tsrnn.engine.resumption import MOMENTS
from tsrnn.engine.training import SCHEDULES
from tsrnn.forecasters.groups import LEVELS, STRATEGIES
from tsrnn.forecasters.statistical import SEASONALS, TRENDS
from tsrnn.networks.cells import SQUASH
from tsrnn.networks.feedback import ATTENTIONS, FEEDBACK_CELLS
from tsrnn.networks.initial import INITIALIZERS

ESTIMATORS = [
    cls
    for cls in (getattr(tsrnn, name) for name in tsrnn.__all__)
    if isinstance(cls, type) and issubclass(cls, BaseEstimator)
]


@pytest.mark.parametrize(
    ("name", "choices"),
    [
        ("Activation", SQUASH),
        ("Attention", ATTENTIONS),
        ("NonRecurrentActivation", ["relu", "tanh"]),
        ("DecoderCell", FEEDBACK_CELLS[1:]),
        ("Engine", ENGINES),
        ("FeedbackCell", FEEDBACK_CELLS),
        ("KernelInitializer", set(INITIALIZERS) - {"zeros"}),
        ("Level", [level for level in LEVELS if level is not None]),
        ("Loss", LOSSES),
        ("MergeMode", ["concat", "sum", "ave"]),
        ("Optimizer", [name for name in MOMENTS if " " not in name]),
        ("Seasonal", [kind for kind in SEASONALS if kind is not None]),
        ("StaticTo", ["both", "state"]),
        ("Strategy", STRATEGIES),
        ("Trend", [trend for trend in TRENDS if trend is not None]),
    ],
)
def test_a_type_names_the_choices_that_fit_allows(name, choices):
    assert set(typing.get_args(getattr(_types, name))) == set(choices)


def test_a_schedule_is_one_of_those_known_or_a_function():
    named, function = typing.get_args(_types.Schedule)
    assert set(typing.get_args(named)) == set(SCHEDULES)
    assert typing.get_origin(function) is not None


@pytest.mark.parametrize("cls", ESTIMATORS, ids=lambda cls: cls.__name__)
def test_every_parameter_has_a_type_that_can_be_evaluated(cls):
    hints = typing.get_type_hints(cls.__init__)
    assert set(inspect.signature(cls).parameters) <= set(hints)
    assert hints["return"] is type(None)


@pytest.mark.parametrize("cls", ESTIMATORS, ids=lambda cls: cls.__name__)
def test_every_default_is_of_the_type_of_its_parameter(cls):
    hints = typing.get_type_hints(cls.__init__)
    for name, parameter in inspect.signature(cls).parameters.items():
        if parameter.default is not inspect.Parameter.empty:
            assert is_of(parameter.default, hints[name]), name


def is_of(value, hint) -> bool:
    """Say whether a value is of a type; enough for the types in use."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return any(type(value) is type(choice) and value == choice for choice in args)
    if origin is tuple:
        return isinstance(value, tuple) and all(map(is_of, value, args))
    if (args and not hasattr(origin, "__mro__")) or str(origin) == "<class 'types.UnionType'>":
        return any(is_of(value, arg) for arg in args)
    if hint is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if hint is typing.Any:
        return True
    return isinstance(value, origin or hint)


# -- public names --------------------------------------------------------------------------------------------------


def test_type_checkers_import_the_public_names_from_their_homes():
    tree = ast.parse(Path(tsrnn.__file__).read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    # `as` the same name says to a type checker that the name is public.
    assert all(alias.asname == alias.name for node in imports for alias in node.names)
    seen = {alias.name: node.module for node in imports for alias in node.names}
    assert seen == {**tsrnn._HOMES, **dict.fromkeys(tsrnn._SUBMODULES)}
    # Otherwise a type checker takes any name.
    assert not any(isinstance(node, ast.FunctionDef) and node.name == "__getattr__" for node in tree.body)


def names(completions) -> set[str]:
    return {completion.name for completion in completions}


def test_public_names_are_completed():
    code = "import tsrnn\ntsrnn.L"
    assert names(jedi.Script(code).complete(2, len("tsrnn.L"))) >= {"LSTMForecaster", "LSTMRegressor", "load"}
    assert names(jedi.Interpreter("tsrnn.See", [{"tsrnn": tsrnn}]).complete()) == set()
    assert names(jedi.Interpreter("tsrnn.Seq", [{"tsrnn": tsrnn}]).complete()) >= {"Seq2SeqForecaster"}


def test_methods_of_a_forecaster_that_was_just_made_are_completed():
    code = "from tsrnn import GRUForecaster\nmodel = GRUForecaster(units=3)\nmodel.predict_"
    found = names(jedi.Script(code).complete(3, len("model.predict_")))
    assert found >= {"predict_interval", "predict_quantiles"}
    chained = jedi.Interpreter("model.fit(df).fore", [{"model": tsrnn.GRUForecaster()}])
    assert names(chained.complete()) == {"forecast"}


TABLE = ["id_col", "time_col", "resample", "transform", "bounds", "errors"]


def test_an_editor_shows_the_parameters_of_a_constructor_and_not_those_of_its_base():
    code = "from tsrnn import SeasonalNaiveForecaster\nSeasonalNaiveForecaster("
    (signature,) = jedi.Script(code).get_signatures(2, len("SeasonalNaiveForecaster("))
    assert [parameter.name for parameter in signature.params] == ["season_length", "target", "freq", *TABLE]


USER = """
import tsrnn
from tsrnn import GRUForecaster, LSTMForecaster, make_windows

df = tsrnn.datasets.load_co2()
model = LSTMForecaster(target="co2", window=24, horizon=6, units=(8, 8))
reveal_type(model)
reveal_type(model.fit(df))
reveal_type(tsrnn.LSTMRegressor(units=3).fit([[0.0]], [0.0]))
reveal_type(tsrnn.EchoStateRegressor().fit([[0.0]], [0.0]))
reveal_type(tsrnn.SlidingWindow(3).fit(df).transform(df))
reveal_type(make_windows(df, 24, 6)[0])
reveal_type(tsrnn.compare([model], df, target=None, horizon=3))
for cls in (LSTMForecaster, GRUForecaster):
    cls()
LSTMForecaster(hidden=3)  # E: Unexpected keyword argument "hidden" for "LSTMForecaster"
GRUForecaster(hidden_size=3)  # E: Unexpected keyword argument "hidden_size" for "GRUForecaster"
tsrnn.NaiveForecaster(season=3)  # E: Unexpected keyword argument "season"
LSTMForecaster(optimizer="adamm")  # E: Argument "optimizer" to "LSTMForecaster" has incompatible type
GRUForecaster(units="many")  # E: Argument "units"
tsrnn.LSTMForcaster  # E: Module has no attribute "LSTMForcaster"
model.forecast("3")  # E: Argument 1 to "forecast"
"""
REVEALED = [
    *["tsrnn.forecasters.recurrent.LSTMForecaster"] * 2,
    "tsrnn.regressors.recurrent.LSTMRegressor",
    "tsrnn.regressors.echo_state.EchoStateRegressor",
    *["tsrnn.windows.WindowArray"] * 2,
    "tsrnn.comparison.Comparison",
]


@pytest.mark.slow
def test_mypy_knows_the_types_and_finds_the_misspelt_parameter_in_a_users_file(tmp_path):
    (tmp_path / "user.py").write_text(USER, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file=", "--cache-dir=cache", "user.py"],
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(Path(tsrnn.__file__).parent.parent)},
        capture_output=True,
        text=True,
    )
    lines = done.stdout.splitlines()
    revealed = [line.split('"')[1] for line in lines if "Revealed type" in line]
    assert revealed == REVEALED, done.stdout + done.stderr
    wanted = {i: line.split("# E: ")[1] for i, line in enumerate(USER.splitlines(), start=1) if "# E: " in line}
    found = {int(line.split(":")[1]): line for line in lines if ": error:" in line}
    assert found.keys() == wanted.keys(), done.stdout
    assert all(text in found[i] for i, text in wanted.items())
