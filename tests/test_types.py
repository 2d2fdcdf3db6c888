"""What an editor and a type checker see: the types of parameters, the public names, what methods return."""

from __future__ import annotations

import inspect
import typing

import pytest
from sklearn.base import BaseEstimator

import tsrnn
from tsrnn import _types
from tsrnn.engine.distributions import LOSSES
from tsrnn.engine.pool import ENGINES
from tsrnn.engine.training import SCHEDULES
from tsrnn.forecasters.statistical import SEASONALS, TRENDS
from tsrnn.forecasters.windowed import LEVELS, STRATEGIES
from tsrnn.networks import ACTIVATIONS, MERGE_MODES, STATIC_TO
from tsrnn.networks.controls import CONTROL_ACTIVATIONS
from tsrnn.networks.feedback import ATTENTIONS, FEEDBACK_CELLS
from tsrnn.regressors.base import _OPTIMIZERS
from tsrnn.regressors.recurrent import _KERNEL_INITIALIZERS

ESTIMATORS = [
    cls
    for cls in (getattr(tsrnn, name) for name in tsrnn.__all__)
    if isinstance(cls, type) and issubclass(cls, BaseEstimator)
]


@pytest.mark.parametrize(
    ("name", "choices"),
    [
        ("Activation", ACTIVATIONS),
        ("Attention", ATTENTIONS),
        ("ControlActivation", CONTROL_ACTIVATIONS),
        ("DecoderCell", FEEDBACK_CELLS[1:]),
        ("Engine", ENGINES),
        ("FeedbackCell", FEEDBACK_CELLS),
        ("KernelInitializer", _KERNEL_INITIALIZERS),
        ("Level", [level for level in LEVELS if level is not None]),
        ("Loss", LOSSES),
        ("MergeMode", MERGE_MODES),
        ("Optimizer", _OPTIMIZERS),
        ("Seasonal", [kind for kind in SEASONALS if kind is not None]),
        ("StaticTo", STATIC_TO),
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
