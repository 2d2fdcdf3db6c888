"""What a saved model may hold: the tables of classes, the limits and patterns, and the checks made against them.

Writing and reading use the same ones. Classes stand here by name: public ones are those of the registry that are saved.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable
from typing import Any

from .._public import PUBLIC
from ..exceptions import ArchiveError

FORMAT = "tsrnn"
FORMAT_VERSION = 1

# Everything that a file may bring to life: class -> the module that defines it.
ESTIMATORS = {row.name: f"tsrnn.{row.module}" for row in PUBLIC if row.saved}
DATACLASSES = {
    "Changes": "tsrnn.transforms",
    "ConvSpec": "tsrnn.networks.without_recurrence",
    "Draws": "tsrnn.engine.resumption",
    "Ensemble": "tsrnn.forecasters.ensemble",
    "FeedForwardSpec": "tsrnn.networks.without_recurrence",
    "FeedbackSpec": "tsrnn.networks.feedback",
    "Form": "tsrnn.frames.forms",
    "LinearMap": "tsrnn.forecasters.linear",
    "Members": "tsrnn.forecasters.members",
    "Missing": "tsrnn.engine.data",
    "NetworkSpec": "tsrnn.networks.spec",
    "Part": "tsrnn.forecasters.ensemble",
    "Reservoir": "tsrnn.engine.reservoir",
    "TimeGrid": "tsrnn.frames.grid",
    "TrainerState": "tsrnn.engine.resumption",
    "Transform": "tsrnn.transforms",
    "Trivial": "tsrnn.forecasters.trivial",
}

# Limits of a file, the same for writing and reading: what was saved can be loaded.
MAX_BYTES = 2**31 - 1  # below the size where zip needs its 64-bit fields, which are refused
MAX_JSON_BYTES = 32 * 2**20
MAX_VALUES = 500_000  # of JSON: as Python objects they take some hundred bytes each
MAX_ARRAYS = 10_000
MAX_OBJECTS = 10_000  # estimators, tables, indexes: what takes microseconds and kilobytes to build
MAX_RANGE = 1_000_000  # rows of an index that takes no bytes; a longer one is written as numbers
MAX_TEXT = 2**24  # bytes of an array of text, whose items all take the room of the longest
MAX_HOLIDAYS = 100_000
MAX_EMPTY = 2**20  # numbers that an array without any would have if its lengths of 0 were 1
MAX_ALIKE = 64  # different names or keys of one hash, each of which is compared with all others
MAX_DEPTH = 64
MAX_DIMENSIONS = 32
MAX_INT_BITS = 1024

# The kinds of nodes that are counted as objects.
OBJECTS = {
    "dataclass",
    "datetime_index",
    "estimator",
    "frame",
    "label_index",
    "multi_index",
    "number_index",
    "offset",
    "range_index",
    "series",
    "trading_day",
}
# bool, integers, floats of at most 8 bytes, and datetime64 of a plain unit. No objects, records, text or long doubles.
DTYPE = re.compile(r"\|b1|\|[iu]1|[<>][iu][248]|[<>]f[248]|[<>]M8\[(?:Y|M|W|D|h|m|s|ms|us|ns)\]")
DTYPES = "bool, int, uint, float of up to 64 bits, datetime64"
# What numpy.lib.format writes and nothing else: NumPy's own reader evaluates the text as a Python literal.
NPY_HEADER = re.compile(
    r"\{'descr': '([^']{2,12})', 'fortran_order': (True|False), 'shape': \(((?:\d{1,19}, )*(?:\d{1,19},?)?)\), \} *\n"
)
FREQUENCY = re.compile(r"[A-Za-z0-9+:.-]{1,64}")
# A name of the time zone database. pandas would read "dateutil/<path>" from any file, so that prefix is refused.
ZONE = re.compile(r"(?!dateutil/)[A-Za-z][A-Za-z0-9_+-]{0,31}(?:/[A-Za-z0-9_+-]{1,31}){0,2}")
UNITS = ("s", "ms", "us", "ns")


def check_hashes(values: Iterable[Hashable], what: str) -> None:
    """Refuse names or keys that were chosen to have the same hash: a table of them would take quadratic time."""
    values = list(values)
    count = Counter(map(hash, values))
    different: dict[int, list[Hashable]] = {}
    for value in values:
        if count[number := hash(value)] > MAX_ALIKE:
            known = different.setdefault(number, [])
            if value not in known:
                known.append(value)
            if len(known) > MAX_ALIKE:
                raise ArchiveError(f"{what} are chosen so that they collide")


def is_listed(cls: type) -> bool:
    """Whether the class may stand in a file: the one that the table names, not one of the same name."""
    return ESTIMATORS.get(cls.__qualname__) == cls.__module__


def expect(value: Any, *kinds: type) -> Any:
    """Return the value if it is of one of the types, a bool being no int; raise `ArchiveError` otherwise."""
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        wanted = " or ".join(kind.__name__ for kind in kinds)
        raise ArchiveError(f"a {type(value).__name__} stands where {wanted} belongs")
    return value
