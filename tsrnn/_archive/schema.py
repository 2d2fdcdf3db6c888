"""What a fitted model holds: the table against which its attributes are checked, when saved and when loaded.

A class says in `_saved` which fitted attributes it has and what may stand in them; a subclass says what it adds.
Nothing else is written, and a file that holds or lacks another is refused. What attributes must be to each other is
checked by the method `_check_state`. A user's file outlives the version that wrote it, so a table changes in these ways
only:

- a new attribute is `added(..., value)`: what it was for models fitted before there was one, None as a rule;
- one that is there in some models only, or on demand, is `optional(...)`;
- one that no file can keep, such as the user's objects, is `unsaved(value)`: what it is after loading;
- one that was renamed, dropped or is kept in another form: `_from_earlier` gets the state that a file holds and returns
  it as it is written today.

A dataclass of the table `DATACLASSES` takes defaults for the fields that a file lacks. Parameters that a file lacks are
at their default as well. `tests/test_archive_compatibility.py` loads what each version wrote.
"""

from __future__ import annotations

import math
import reprlib
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..exceptions import ArchiveError

REQUIRED, OPTIONAL = object(), object()
#: Steps and rows of one thing: more than any memory holds of them.
MOST = 2**40


@dataclass(frozen=True)
class Attribute:
    """What may stand in an attribute."""

    what: str  # in words, for messages
    holds: Callable[[Any], bool]
    lacking: Any = REQUIRED  # the value where a file has none
    saved: bool = True


def added(attribute: Attribute, value: Any) -> Attribute:
    """Files of earlier versions lack it: there it is this value, or what this function of the model returns."""
    return replace(attribute, lacking=value)


def optional(attribute: Attribute) -> Attribute:
    """Some models have it, and others do not."""
    return replace(attribute, lacking=OPTIONAL)


def unsaved(value: Any) -> Attribute:
    """No file holds it; after loading it is this value."""
    return Attribute("left out of files", lambda held: False, value, saved=False)


# ---------------------------------------------------------------------- what may stand there


def instance(kind: type, what: str = "") -> Attribute:
    """An object of exactly this class."""
    return Attribute(what or f"a {kind.__name__}", lambda value: type(value) is kind)


def integer(low: int = 0, high: int = MOST) -> Attribute:
    def holds(value: Any) -> bool:
        return isinstance(value, Integral) and not isinstance(value, bool) and low <= int(value) <= high

    return Attribute(f"an integer of at least {low}" + (f" and at most {high}" if high < MOST else ""), holds)


def real(low: float = -math.inf, high: float = math.inf) -> Attribute:
    def holds(value: Any) -> bool:
        number = isinstance(value, Real) and not isinstance(value, bool)
        return number and math.isfinite(value) and low <= value <= high

    ends = "" if low == -math.inf and high == math.inf else f" from {low:g} to {high:g}"
    return Attribute(f"a finite number{ends}", holds)


def choice(*values: Any) -> Attribute:
    """One of these values; True is not 1."""

    def holds(value: Any) -> bool:
        return any(type(value) is type(each) and value == each for each in values)

    return Attribute(f"one of {', '.join(map(repr, values))}", holds)


def none_or(attribute: Attribute) -> Attribute:
    return replace(attribute, what=f"{attribute.what} or None", holds=lambda v: v is None or attribute.holds(v))


def either(one: Attribute, other: Attribute) -> Attribute:
    return Attribute(f"{one.what} or {other.what}", lambda value: one.holds(value) or other.holds(value))


def list_of(attribute: Attribute, least: int = 0) -> Attribute:
    """A list, of at least so many."""

    def holds(value: Any) -> bool:
        return type(value) is list and len(value) >= least and all(map(attribute.holds, value))

    return Attribute(f"a list, each {attribute.what}", holds)


def tuple_of(attribute: Attribute, least: int = 0) -> Attribute:
    """A tuple, of at least so many."""

    def holds(value: Any) -> bool:
        return type(value) is tuple and len(value) >= least and all(map(attribute.holds, value))

    return Attribute(f"a tuple, each {attribute.what}", holds)


def array(dtype: Any, n_dimensions: int, *, nan: bool = False) -> Attribute:
    """A plain array of this dtype, finite throughout unless NaN is allowed."""
    wanted = np.dtype(dtype)

    def holds(value: Any) -> bool:
        if type(value) is not np.ndarray or value.dtype != wanted or value.ndim != n_dimensions:
            return False
        return wanted.kind != "f" or not (np.isinf(value) if nan else ~np.isfinite(value)).any()

    numbers = f"{wanted}" + (", finite" if wanted.kind == "f" and not nan else "")
    return Attribute(f"an array of {n_dimensions} dimension(s) of {numbers}", holds)


def are_names(values: Iterable[Any]) -> bool:
    """Say whether each can name a column; pandas takes a list of truth values for a mask."""
    return all(isinstance(name, Hashable) and not isinstance(name, (bool, np.bool_)) for name in values)


def names(least: int = 0) -> Attribute:
    """A list of different column names."""

    def holds(value: Any) -> bool:
        return type(value) is list and len(value) >= least and are_names(value) and len(set(value)) == len(value)

    return Attribute("a list of different column names" + (f", at least {least}" if least else ""), holds)


# ---------------------------------------------------------------------- checks of a model


class Saved:
    """What an estimator fills in: `_saved`, the table of its fitted attributes, and how these are checked."""

    _saved: ClassVar[dict[str, Attribute]] = {}

    if TYPE_CHECKING:  # scikit-learn's

        def get_params(self, deep: bool = True) -> dict[str, Any]: ...

    def _check_state(self) -> None:
        """Raise `ArchiveError` or `ValueError` if the attributes, each what `_saved` allows, do not fit each other."""

    def _check_whole(self) -> None:
        """Check the state, and that of each model that stands below this one."""
        self._check_state()

    def _from_earlier(self, state: dict[str, Any]) -> dict[str, Any]:
        """Return the fitted attributes that a file holds, not checked yet, as they are written today.

        The model has its parameters, and no other attributes yet.
        """
        return state


def schema_of(cls: type) -> dict[str, Attribute]:
    """Return the table of a class: its own and that of the classes it builds on."""
    table: dict[str, Attribute] = {}
    for base in reversed(cls.__mro__):
        table |= vars(base).get("_saved", {})
    return table


def require(condition: Any, message: str) -> None:
    """Raise `ArchiveError` with this message unless the condition holds."""
    if not condition:
        raise ArchiveError(message)


def fitted_state(model: Saved) -> dict[str, Any]:
    """Return the attributes of a model that a file is to hold, none of one that is not fitted; check them all."""
    schema, params = schema_of(type(model)), model.get_params(deep=False)
    held = {name: value for name, value in vars(model).items() if name not in params}
    for name in held:
        require(name in schema, f"its attribute {name!r} is none that it learns. Delete it: del model.{name}")
    state = {name: value for name, value in held.items() if schema[name].saved}
    if state:
        check_attributes(model, state)
        model._check_whole()
    return state


def restore(model: Saved, state: dict[str, Any]) -> None:
    """Give a new model the attributes that a file holds, and those that it lacks because it is older."""
    schema = schema_of(type(model))
    state = model._from_earlier(dict(state))
    for name in state:
        known = name in schema and schema[name].saved
        require(known, f"{type(model).__name__} cannot have a fitted attribute {name!r:.60}")
    if not state:
        return
    check_attributes(model, state)
    vars(model).update(state)
    for name, attribute in schema.items():
        value = attribute.lacking
        if name not in state and value is not OPTIONAL:
            vars(model)[name] = value(model) if callable(value) else value
    model._check_whole()


def check_attributes(model: Any, state: dict[str, Any]) -> None:
    """Raise `ArchiveError` if one is absent that each fitted model has, or is not what may stand there."""
    own = getattr(state.get("members_"), "own", ())  # of many series, each has these of its own
    for name, attribute in schema_of(type(model)).items():
        if name in state:
            value = state[name]
            good = attribute.holds(value)
            require(good, f"{name} is {shortened(value)}, where {attribute.what} belongs")
        elif name not in own:
            require(
                attribute.lacking is not REQUIRED, f"a fitted {type(model).__name__} needs {name!r}, which is absent"
            )


def shortened(value: Any) -> str:
    """Say what a value is in a few words, however large."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} of {value.dtype}"
    plain = isinstance(value, (str, int, float, list, tuple, dict, type(None)))
    return reprlib.repr(value) if plain else f"a {type(value).__name__}"
