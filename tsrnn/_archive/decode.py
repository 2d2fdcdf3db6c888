"""Nodes back to a model. They come from a stranger: nothing is taken that `encode` would not have written."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import math
import types
import typing
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset

from ..exceptions import ArchiveError
from .arrays import check_shape, read_dtype, read_numbers
from .schema import restore
from .tables import (
    DATACLASSES,
    ESTIMATORS,
    FREQUENCY,
    MAX_DEPTH,
    MAX_HOLIDAYS,
    MAX_OBJECTS,
    MAX_RANGE,
    MAX_TEXT,
    OBJECTS,
    check_hashes,
    expect,
)
from .times import build_datetime_index, check_unit, read_zone


def fits(value: Any, hint: Any) -> bool:
    """Whether a value is what the annotation of a dataclass field says: a class, a union, a list or a tuple of them."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, arg) for arg in args)
    if origin is tuple:
        if not isinstance(value, tuple):
            return False
        kinds = [args[0]] * len(value) if args[-1:] == (Ellipsis,) else args
        return len(kinds) == len(value) and all(map(fits, value, kinds))
    if origin is list:
        return isinstance(value, list) and all(fits(item, args[0]) for item in value)
    if hint is float and type(value) is int:
        return True
    return isinstance(value, hint) and not (isinstance(value, bool) and hint is not bool)


@functools.cache
def parameters_of(cls: Callable) -> frozenset[str]:
    """Return the names of the parameters of a class."""
    return frozenset(inspect.signature(cls).parameters)


class Decoder:
    """Turns nodes back into values. Whatever is not exactly as `Encoder` writes it is refused.

    Parameters
    ----------
    arrays : list of ndarray
        The members of the file.
    find_class : callable
        Name of a class of `ESTIMATORS` or `DATACLASSES` -> the class.
    """

    def __init__(self, arrays: list[np.ndarray], find_class: Callable[[str], type]) -> None:
        self.arrays = dict(enumerate(arrays))
        self.find_class = find_class
        self.depth = self.n_objects = 0

    def decode(self, node: Any) -> Any:
        """Return the value of a node, or raise `ArchiveError`."""
        if node is None or type(node) in (bool, int, float, str):
            return node
        if self.depth == MAX_DEPTH:
            raise ArchiveError(f"values are nested deeper than {MAX_DEPTH} levels")
        self.depth += 1
        value = [self.decode(item) for item in node] if isinstance(node, list) else self._object(node)
        self.depth -= 1
        return value

    def model(self, node: Any) -> Any:
        """Return the model of the file, which must use all its arrays."""
        if not isinstance(node, dict) or node.get("kind") != "estimator":
            raise ArchiveError("it holds no model")
        model = self.decode(node)
        if self.arrays:
            raise ArchiveError(f"{len(self.arrays)} array(s) belong to nothing")
        return model

    def _object(self, node):
        kind = node.get("kind")
        if not isinstance(kind, str) or kind not in self._READERS:
            raise ArchiveError(f"unknown kind of value {kind!r:.60}")
        fields = {("class_name" if name == "class" else name): item for name, item in node.items() if name != "kind"}
        if set(fields) != self._FIELDS[kind]:
            raise ArchiveError(f"a {kind} holds {sorted(fields)!r:.200} instead of {sorted(self._FIELDS[kind])}")
        if kind in OBJECTS:
            self._count(1)
        return self._READERS[kind](self, **fields)

    def _count(self, n):
        """Count objects that take more than a moment to build."""
        self.n_objects += n
        if self.n_objects > MAX_OBJECTS:
            raise ArchiveError(f"it holds more than {MAX_OBJECTS} tables, indexes or estimators")

    def _float(self, value):
        return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[value]

    def _tuple(self, items):
        return tuple(self._list(items))

    def _list(self, items):
        return self.decode(expect(items, list))

    def _dict(self, items):
        pairs = [(expect(key, str, int, bool, type(None)), self.decode(item)) for key, item in expect(items, list)]
        check_hashes((key for key, _ in pairs), "the keys of a dict")
        result = dict(pairs)
        if len(result) != len(pairs):
            raise ArchiveError("a dict has a key twice")
        return result

    def _scalar(self, dtype, hex):
        return read_numbers(bytes.fromhex(expect(hex, str)), read_dtype(expect(dtype, str)), "a scalar").reshape(())[()]

    def _array(self, member):
        if expect(member, int) not in self.arrays:
            raise ArchiveError(f"array {member} is absent or used twice")
        return self.arrays.pop(member)

    def _objects(self, shape, items):
        shape = check_shape([expect(n, int) for n in expect(shape, list)], 8)
        return self._labels(items).reshape(shape)  # which raises if the shape is not theirs

    def _text(self, shape, items):
        array = self._objects(shape, items)
        longest = max((len(expect(item, str)) for item in array.flat), default=1)
        if 4 * longest * array.size > MAX_TEXT:
            raise ArchiveError(f"an array of text would take more than {MAX_TEXT} bytes")
        return array.astype(str)

    def _labels(self, items) -> np.ndarray:
        """Decode column names or the elements of an object array."""
        values = self._list(items)
        array = np.empty(len(values), dtype=object)
        for i, value in enumerate(values):
            array[i] = value
        check_hashes(values, "names or objects")
        return array

    # ------------------------------------------------------------------ pandas

    def _nat(self):
        return pd.NaT

    def _timestamp(self, value, unit, zone):
        stamp = pd.Timestamp(np.datetime64(expect(value, int), check_unit(unit)))
        return stamp if zone is None else stamp.tz_localize("UTC").tz_convert(read_zone(zone))

    def _timedelta(self, value, unit):
        return pd.Timedelta(np.timedelta64(expect(value, int), check_unit(unit)))

    def _offset(self, freq):
        if not FREQUENCY.fullmatch(expect(freq, str)):
            raise ArchiveError(f"{freq!r:.80} is not a frequency")
        offset = to_offset(freq)
        if offset is None or offset.freqstr != freq:
            raise ArchiveError(f"{freq!r} is not the name of a frequency")
        return offset

    def _trading_day(self, n, weekmask, holidays):
        array = expect(self.decode(holidays), np.ndarray)
        if array.dtype != np.dtype("M8[D]") or array.ndim != 1 or len(array) > MAX_HOLIDAYS:
            raise ArchiveError(f"the holidays of a calendar are not at most {MAX_HOLIDAYS} days")
        days = list(array)
        return pd.offsets.CustomBusinessDay(expect(n, int), weekmask=expect(weekmask, str), holidays=days)

    def _datetime_index(self, stamps, unit, zone, freq, name):
        freq = self.decode(freq)
        expect(freq, pd.offsets.BaseOffset, type(None))
        index = build_datetime_index(self.decode(stamps), check_unit(unit), zone, freq)
        return index.rename(self.decode(name))

    def _range_index(self, start, stop, step, name):
        for number in (start, stop, step):
            if abs(expect(number, int)) >= 2**62:
                raise ArchiveError(f"a range goes to {number}")
        index = pd.RangeIndex(start, stop, step, name=self.decode(name))
        if len(index) > MAX_RANGE:
            raise ArchiveError(f"a range has {len(index)} rows, at most {MAX_RANGE} are allowed")
        return index

    def _number_index(self, values, name):
        return pd.Index(expect(self.decode(values), np.ndarray), name=self.decode(name))

    def _label_index(self, dtype, items, name):
        if dtype not in ("object", "str"):
            raise ArchiveError(f"labels of dtype {dtype!r:.60}")
        return pd.Index(self._labels(items), dtype=dtype, name=self.decode(name))

    def _multi_index(self, items, names):
        labels, names = list(self._labels(items)), self._list(names)
        if not labels or not all(type(label) is tuple and len(label) == len(names) for label in labels):
            raise ArchiveError(f"labels of several levels are not tuples of {len(names)}")
        for level in zip(*labels, strict=True):  # pandas makes a table of each
            check_hashes(level, "names")
        return pd.MultiIndex.from_tuples(labels, names=names)

    def _column(self, values, index) -> Any:
        column = expect(self.decode(values), np.ndarray, pd.Index)
        if isinstance(column, pd.RangeIndex):  # as an array it takes memory that no bytes stand for
            raise ArchiveError("a range stands where the values of a column belong")
        if column.shape != (len(index),):
            raise ArchiveError(f"a column of shape {column.shape} stands beside an index of {len(index)} rows")
        return column if isinstance(column, np.ndarray) else column.array

    def _series(self, values, index, name):
        index = expect(self.decode(index), pd.Index)
        return pd.Series(self._column(values, index), index=index, name=self.decode(name), copy=False)

    def _frame(self, values, index, columns):
        index, columns = expect(self.decode(index), pd.Index), expect(self.decode(columns), pd.Index)
        if isinstance(values, list):
            self._count(len(values))
            parts = [pd.Series(self._column(node, index), index=index, copy=False) for node in values]
            frame = pd.concat(parts, axis=1) if parts else pd.DataFrame(index=index)
            if len(parts) != len(columns):
                raise ArchiveError(f"{len(parts)} columns have {len(columns)} names")
            frame.columns = columns
            return frame
        array = expect(self.decode(values), np.ndarray)
        return pd.DataFrame(array, index=index, columns=columns, copy=False)

    # ------------------------------------------------------------------ objects of tsrnn

    def _dataclass(self, class_name, fields):
        if class_name not in DATACLASSES:
            raise ArchiveError(f"unknown class {class_name!r:.60}")
        cls = self.find_class(class_name)
        values = {name: self.decode(node) for name, node in expect(fields, dict).items()}
        hints = typing.get_type_hints(cls)
        known = {field.name for field in dataclasses.fields(cls) if field.init}
        for name, value in values.items():
            if name not in known or not fits(value, hints[name]):
                raise ArchiveError(f"{class_name} cannot have {name!r:.60} = {value!r:.60}")
        return cls(**values)

    def _estimator(self, class_name, params, state):
        if class_name not in ESTIMATORS:
            raise ArchiveError(f"unknown class {class_name!r:.60}")
        # All values before the class, whose import takes more memory than most files.
        values = {name: self.decode(node) for name, node in expect(params, dict).items()}
        held = {name: self.decode(node) for name, node in expect(state, dict).items()}
        cls = self.find_class(class_name)
        for name in values:
            if name not in parameters_of(cls):
                raise ArchiveError(f"{class_name} has no parameter {name!r:.60}")
        model = cls(**values)
        restore(model, held)
        return model

    _READERS = {
        "float": _float,
        "tuple": _tuple,
        "dict": _dict,
        "scalar": _scalar,
        "array": _array,
        "objects": _objects,
        "text": _text,
        "nat": _nat,
        "timestamp": _timestamp,
        "timedelta": _timedelta,
        "offset": _offset,
        "trading_day": _trading_day,
        "datetime_index": _datetime_index,
        "range_index": _range_index,
        "number_index": _number_index,
        "label_index": _label_index,
        "multi_index": _multi_index,
        "series": _series,
        "frame": _frame,
        "dataclass": _dataclass,
        "estimator": _estimator,
    }
    # What an object of each kind holds beside its kind: the arguments of its reader.
    _FIELDS = {kind: set(inspect.getfullargspec(reader).args[1:]) for kind, reader in _READERS.items()}
