"""Groups of parameters, and constructors and checks made of them. Imports rules and document beside it.

    @group(TRAINING)
    class Stopping:
        \"\"\"When to stop.

Parameters
----------
        patience
            Epochs without an improvement.
        \"\"\"

        patience: int = param(default=5, rule=check_int)

An estimator inherits the groups that it has, and is decorated by `estimator`, which makes its `__init__`: explicit, as
scikit-learn and editors read it, and nothing but assignments. A class that wants another default writes the line again,
``patience: int = param(default=8)``; the rule and the text stay, unless it gives its own.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, make_dataclass, replace
from typing import Any, TypeVar, dataclass_transform

from .document import document
from .rules import Rule, rule_of

__all__ = [
    "COST",
    "FORECAST",
    "NETWORK",
    "READING",
    "TRAINING",
    "check_parameters",
    "estimator",
    "group",
    "param",
    "parameters",
]

#: What a group decides, in the order in which parameters are listed.
FORECAST = "what is forecast"
NETWORK = "how the network looks"
READING = "what it reads and predicts"
TRAINING = "how it is trained"
COST = "what it costs, and what is seen of it"
TOPICS = (FORECAST, NETWORK, READING, TRAINING, COST)

T = TypeVar("T")


@dataclass(frozen=True)
class Parameter:
    """One parameter of a class.

    Attributes
    ----------
    hint : type
    default : object
        `dataclasses.MISSING` where it is required.
    rule : callable or None
        ``rule(name, value)`` raises unless the value is allowed.
    kw_only : bool or None
    topic : str
        What its group decides. What an estimator adds by itself says how its network looks.
    """

    default: Any = MISSING
    rule: Rule | None = None
    kw_only: bool | None = None
    hint: Any = None
    topic: str = NETWORK

    @property
    def required(self) -> bool:
        return self.default is MISSING

    def over(self, other: Parameter | None) -> Parameter:
        """Return this one with what it leaves open taken from the one of a base."""
        if other is None:
            return self
        kw_only = other.kw_only if self.kw_only is None else self.kw_only
        return replace(self, rule=self.rule or other.rule, kw_only=kw_only, topic=other.topic)


def param(*, default: Any = MISSING, rule: Rule | None = None, kw_only: bool | None = None) -> Any:
    """Declare a parameter: the value of an annotated name in the body of a class.

    Parameters
    ----------
    default : object, optional
        Without one it is required.
    rule : callable, optional
        ``rule(name, value)`` raises unless the value is allowed. Types that say it all, bool and Literal, have theirs.
    kw_only : bool, optional
        False for one that may be passed by its place.
    """
    return Parameter(default, rule, kw_only)


@dataclass_transform(kw_only_default=True, eq_default=False, field_specifiers=(param,))
def group(topic: str) -> Callable[[type[T]], type[T]]:
    """Make a class a group of parameters that decide one thing; its docstring describes each."""

    def decorate(cls: type[T]) -> type[T]:
        declare(cls, topic)
        return cls

    return decorate


@dataclass_transform(kw_only_default=True, eq_default=False, field_specifiers=(param,))
def estimator(cls: type[T]) -> type[T]:
    """Give a class the constructor and the documentation of its parameters and those of its groups."""
    declare(cls, None)
    known = cls._parameters = collect(cls)  # type: ignore[attr-defined]
    cls.__init__ = constructor(cls, known)  # type: ignore[method-assign]
    if cls.__doc__ is not None:  # `python -OO` strips them
        cls.__doc__ = document(cls, known)
    return cls


def declare(cls: type, topic: str | None) -> None:
    """Take the parameters out of the body of a class.

    Raises
    ------
    TypeError
        If a name is annotated that is no parameter: type checkers would take it for one.
    """
    own = {name: value for name, value in vars(cls).items() if isinstance(value, Parameter)}
    hints = inspect.get_annotations(cls, eval_str=True)
    if different := hints.keys() ^ own.keys():
        raise TypeError(
            f"{cls.__name__}: {', '.join(sorted(different))} must be annotated and be param(...), or neither: what is "
            "annotated here is a parameter. Annotate attributes in a base class that is not decorated."
        )
    for name in own:
        delattr(cls, name)
    cls._declared = {  # type: ignore[attr-defined]
        name: replace(parameter, hint=hints[name], topic=topic or parameter.topic) for name, parameter in own.items()
    }


def collect(cls: type) -> dict[str, Parameter]:
    """All parameters of a class in their order: what may be passed by its place, then topic by topic."""
    known: dict[str, Parameter] = {}
    for base in reversed(cls.__mro__):
        for name, parameter in vars(base).get("_declared", {}).items():
            known[name] = parameter.over(known.get(name))
    for name, parameter in known.items():
        rule, kw_only = parameter.rule or rule_of(parameter.hint), parameter.kw_only is not False
        if rule is None:
            raise TypeError(f"{cls.__name__}: the parameter {name} has no rule, and its type does not say it all.")
        known[name] = replace(parameter, rule=rule, kw_only=kw_only)
    return dict(sorted(known.items(), key=lambda item: (item[1].kw_only, TOPICS.index(item[1].topic))))


def constructor(cls: type, known: Mapping[str, Parameter]) -> Any:
    """An `__init__` with these parameters that only assigns."""
    fields = [
        (name, each.hint, field(default=each.default, kw_only=bool(each.kw_only))) for name, each in known.items()
    ]
    # A class of its own lets parameters stand in our order, not in that of the bases.
    made = make_dataclass(cls.__name__, fields, eq=False, repr=False, namespace={"__doc__": cls.__name__})
    init: Any = vars(made)["__init__"]
    init.__module__, init.__qualname__ = cls.__module__, f"{cls.__qualname__}.__init__"
    return init


def parameters(cls: type) -> Mapping[str, Parameter]:
    """The parameters that a class of estimators declares, by name: none, where it writes its own constructor."""
    return getattr(cls, "_parameters", {})


def check_parameters(model: Any, cls: type | None = None) -> None:
    """Raise unless each parameter of an estimator, taken by itself, has a value that is allowed.

    With `cls`, the model is what such an estimator has made of its parameters: of those, it has some.
    """
    for name, parameter in parameters(cls or type(model)).items():
        if cls is None or hasattr(model, name):
            parameter.rule(name, getattr(model, name))  # type: ignore[misc]
