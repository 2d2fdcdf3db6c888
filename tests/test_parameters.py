"""Parameters declared once: the constructors, checks and docstrings that are made of them."""

from __future__ import annotations

import inspect
import pickle
import re
from functools import partial
from typing import Literal

import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import Ridge

import tsrnn
from tsrnn._checks import check_int, check_real
from tsrnn._estimator import Estimator
from tsrnn._parameters import (
    FORECAST,
    TRAINING,
    auto_or,
    check_parameters,
    choice,
    estimator,
    group,
    none_or,
    param,
    parameters,
    unchecked,
)
from tsrnn._parameters.document import entries, parse, spell

ESTIMATORS = [
    cls
    for cls in (getattr(tsrnn, name) for name in tsrnn.__all__)
    if isinstance(cls, type) and issubclass(cls, BaseEstimator)
]
each_estimator = pytest.mark.parametrize("cls", ESTIMATORS, ids=lambda cls: cls.__name__)


@group(TRAINING)
class Speed:
    """How fast.

    Parameters
    ----------
    rate, factor
        Share of the way, in metres.
    patience
        Epochs to wait.

    References
    ----------
    A. Bee (1999).
    """

    rate: float = param(default=0.1, rule=partial(check_real, low=0))
    factor: float = param(default=0.1, rule=partial(check_real, low=0))
    patience: int = param(default=5, rule=check_int)


class Base(Estimator, Speed):
    """What both share.

    Attributes
    ----------
    found_ : int
        What was found.
    """

    found_: int


@group(FORECAST)
class Size:
    """How large.

    Parameters
    ----------
    units
        Width.
    """

    units: int = param(default=3, rule=check_int, kw_only=False)


@estimator
class Toy(Base, Size):
    """A toy.

    Parameters
    ----------
    patience
        Epochs to wait, of a toy.
    kind
        What it is.

    Examples
    --------
    >>> 1 + 1
    2
    """

    patience: int = param(default=8)
    kind: Literal["a", "b"] | None = param(default="a")


@estimator
class Wrapper(Base):
    """What needs a part.

    Parameters
    ----------
    part
        The part.
    """

    part: object = param(rule=unchecked, kw_only=False)


# ---------------------------------------------------------------------- constructors


def test_the_constructor_names_each_parameter_with_its_default():
    signature = inspect.signature(Toy)
    assert str(signature).startswith("(units: int = 3, *, kind: ")
    defaults = {name: each.default for name, each in signature.parameters.items()}
    assert defaults == {"units": 3, "kind": "a", "rate": 0.1, "factor": 0.1, "patience": 8}
    with pytest.raises(TypeError, match="takes from 1 to 2 positional arguments"):
        Toy(3, 4)


def test_the_constructor_only_assigns():
    units = object()
    assert vars(Toy(units)) == {"units": units, "kind": "a", "rate": 0.1, "factor": 0.1, "patience": 8}


def test_a_required_parameter_comes_first():
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'part'"):
        Wrapper()
    assert Wrapper("x").part == "x"


def test_clones_and_pickles_have_the_parameters():
    model = Toy(7, rate=1.0)
    for copy in (clone(model), pickle.loads(pickle.dumps(model))):
        assert copy.get_params() == model.get_params()


def test_a_default_written_again_changes_no_base():
    assert parameters(Wrapper)["patience"].default == 5


@each_estimator
def test_constructors_are_those_of_the_declarations(cls):
    signature = inspect.signature(cls).parameters
    assert list(signature) == list(parameters(cls))
    for name, each in parameters(cls).items():
        assert each.required or signature[name].default == each.default


# ---------------------------------------------------------------------- what is no parameter


def test_an_annotated_attribute_cannot_become_a_parameter_by_accident():
    with pytest.raises(TypeError, match="Toy: found_ must be annotated and be param"):
        estimator(type("Toy", (Base,), {"__annotations__": {"found_": int}}))
    with pytest.raises(TypeError, match="Toy: other must be annotated"):
        estimator(type("Toy", (Base,), {"other": param(default=1), "__module__": __name__}))


@each_estimator
def test_only_what_is_declared_is_a_parameter(cls):
    """Annotations of bases, such as fitted attributes, are none; and what is declared is nothing else as well."""
    annotated = {name for base in cls.__mro__ for name in vars(base).get("__annotations__", {})}
    declared = {name for base in cls.__mro__ for name in vars(base).get("_declared", {})}
    assert set(cls._get_param_names()) == declared
    assert declared <= annotated
    assert not any(name.endswith("_") or name.startswith("_") for name in declared)


# ---------------------------------------------------------------------- rules


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"rate": -1}, "rate must be a number in [0, inf), got -1."),
        ({"patience": 0}, "patience must be an integer of at least 1, got 0."),
        ({"kind": "c"}, "kind must be one of 'a', 'b', None, got 'c'."),
    ],
)
def test_rules_are_those_of_the_group_and_of_the_type(wrong, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        check_parameters(Toy(**wrong))
    check_parameters(Toy(kind=None))


def test_a_parameter_without_a_rule_is_refused():
    with pytest.raises(TypeError, match="the parameter size has no rule"):

        @estimator
        class Sized(Base):
            size: int = param(default=1)


@pytest.mark.parametrize("rule", [auto_or(check_int), none_or(check_int), choice("auto", None, 3)])
def test_rules_are_put_together(rule):
    rule("size", 3)
    with pytest.raises((TypeError, ValueError), match="size must be"):
        rule("size", "many")
    with pytest.raises((TypeError, ValueError), match="size must be"):
        rule("size", 0)


def test_a_class_with_a_constructor_of_its_own_has_no_rules():
    class Own(Base):
        def __init__(self, rate=-1):
            self.rate = rate

    check_parameters(Own())


@each_estimator
def test_defaults_are_allowed(cls):
    required = {name: Ridge() for name, each in parameters(cls).items() if each.required}
    check_parameters(cls(**required))


# ---------------------------------------------------------------------- docstrings


def test_a_docstring_is_put_together():
    assert (
        Toy.__doc__
        == """A toy.

Parameters
----------
units : int, default=3
    Width.
kind : {"a", "b"} or None, default="a"
    What it is.
rate, factor : float, default=0.1
    Share of the way, in metres.
patience : int, default=8
    Epochs to wait, of a toy.

Attributes
----------
found_ : int
    What was found.

References
----------
A. Bee (1999).

Examples
--------
>>> 1 + 1
2
"""
    )


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (int | None, "int or None"),
        (tsrnn._types.Layers | Literal["auto"], 'int, sequence of int or "auto"'),
        (tsrnn._types.Schedule | None, '{"cosine", "exponential"}, callable or None'),
        (tsrnn._types.AutoBool, 'bool or "auto"'),
        (tuple[int, int, int], "tuple of int"),
        (dict[str, int] | None, "dict or None"),
    ],
)
def test_types_are_spelt_in_words(hint, words):
    assert spell(hint) == words


@each_estimator
def test_every_parameter_is_described_with_its_default(cls):
    found = entries(parse(cls.__doc__)[1]["Parameters"])
    assert list(found) == list(parameters(cls))
    for name, entry in found.items():
        required = parameters(cls)[name].required
        assert entry.kind and (required or ", default=" in entry.kind), name
        assert len(entry.text.split()) >= 3, name


@each_estimator
def test_no_docstring_sends_the_reader_to_another_class(cls):
    assert re.findall(r"(?:[Aa]s in|those of|that of|described in|see)\s+`[A-Z]\w+`", cls.__doc__) == []


@each_estimator
def test_lines_of_docstrings_fit(cls):
    assert max(map(len, cls.__doc__.splitlines())) <= 120


@pytest.mark.parametrize("name", ["GRUForecaster", "LSTMRegressor", "ConvForecaster"])
def test_many_parameters_are_listed_by_what_they_decide(name):
    cls = getattr(tsrnn, name)
    summary, _ = parse(cls.__doc__)
    listed = re.findall(r"`(\w+)`", summary.split("The parameters say")[1])
    assert listed == list(parameters(cls))
