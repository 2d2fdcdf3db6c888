"""A model to nodes, the JSON of a file, and the arrays that they refer to."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset

from ..exceptions import ArchiveError
from .schema import fitted_state
from .tables import (
    DATACLASSES,
    DTYPE,
    DTYPES,
    FREQUENCY,
    MAX_ARRAYS,
    MAX_DEPTH,
    MAX_EMPTY,
    MAX_HOLIDAYS,
    MAX_INT_BITS,
    MAX_OBJECTS,
    MAX_RANGE,
    MAX_TEXT,
    OBJECTS,
    check_hashes,
    is_listed,
)
from .times import build_datetime_index, encode_zone


def advice(value: Any) -> str:
    """Say what a value is that cannot be saved, and what to do."""
    cls = type(value)
    what = f"{cls.__module__}.{cls.__qualname__}"
    trusted = "joblib.dump(model, path), and joblib.load only for files that you trust"
    if isinstance(value, (np.random.RandomState, np.random.Generator)):
        return f"a random generator ({what}) is not data. Pass an int as random_state."
    if cls.__module__.split(".")[0] == "keras":
        return f"a Keras object ({what}) is not data. Set it by name or to None, e.g. callbacks=None, or use {trusted}."
    if hasattr(value, "get_params"):
        return f"{what} is not one of tsrnn's models, and only pickle could bring it back. Use {trusted}."
    if callable(value):
        return f"{value!r} is code, not data. Name it by a string, set it to None, or use {trusted}."
    return f"a value of type {what} is not data that a file can hold. Replace it by numbers or text, or use {trusted}."


def check_dtype(dtype: np.dtype, where: str) -> str:
    """Return the dtype as text, or raise `ArchiveError` if a file cannot hold it."""
    if not DTYPE.fullmatch(dtype.str):
        raise ArchiveError(f"cannot save {where}: dtype {dtype} is not one of {DTYPES}.")
    return dtype.str


class Encoder:
    """Turns a model into nodes; `arrays` collects the arrays that they refer to by position."""

    def __init__(self) -> None:
        self.arrays: list[np.ndarray] = []
        self.depth = self.n_objects = 0

    def encode(self, value: Any, where: str) -> Any:
        """Return the node for a value; `where` is its name in messages, such as ``LSTMForecaster.regressor_``."""
        if self.depth == MAX_DEPTH:
            raise ArchiveError(f"cannot save {where[:200]}: it is nested deeper than {MAX_DEPTH} levels.")
        self.depth += 1
        node = self._node(value, where)  # if this raises, nobody encodes on
        self.depth -= 1
        if isinstance(node, dict) and node["kind"] in OBJECTS:
            self._count(1, where)
        return node

    def _count(self, n, where):
        self.n_objects += n
        if self.n_objects > MAX_OBJECTS:
            raise ArchiveError(
                f"cannot save {where}: the model holds more than {MAX_OBJECTS} tables, indexes or estimators."
            )

    def _node(self, value, where):
        exact = type(value)  # a subclass would come back as its base class
        if value is None or exact is bool or exact is str:
            return value
        if exact in self._BY_TYPE:
            return self._BY_TYPE[exact](self, value, where)
        if value is pd.NaT:
            return {"kind": "nat"}
        if isinstance(value, np.generic):
            return self._scalar(value, where)
        if isinstance(value, pd.offsets.BaseOffset):
            return self._offset(value, where)
        if DATACLASSES.get(exact.__qualname__) == exact.__module__:
            return self._dataclass(value, where)
        if is_listed(exact):
            return self._estimator(value, where)
        raise ArchiveError(f"cannot save {where}: {advice(value)}")

    def _int(self, value, where):
        if (bits := value.bit_length()) > MAX_INT_BITS:
            raise ArchiveError(f"cannot save {where}: an integer of {bits} bits, at most {MAX_INT_BITS} are allowed.")
        return value

    def _float(self, value, where):
        # JSON has no NaN and no infinity.
        return value if math.isfinite(value) else {"kind": "float", "value": repr(value)}

    def _list(self, value, where):
        return [self.encode(item, f"{where}[{i}]") for i, item in enumerate(value)]

    def _tuple(self, value, where):
        return {"kind": "tuple", "items": self._list(value, where)}

    def _dict(self, value, where):
        # Pairs and not a JSON object, because column names that are keys may be numbers.
        odd = [key for key in value if type(key) not in (str, int, bool, type(None))]
        if odd:
            raise ArchiveError(f"cannot save {where}: its key {odd[0]!r} is not a str or int.")
        check_hashes(value, f"cannot save {where}: its keys")
        return {"kind": "dict", "items": [[key, self.encode(item, f"{where}[{key!r}]")] for key, item in value.items()]}

    def _scalar(self, value, where):
        if isinstance(value, np.str_):
            return str(value)
        return {"kind": "scalar", "dtype": check_dtype(value.dtype, where), "hex": value.tobytes().hex()}

    def _array(self, value, where):
        if value.dtype == object or value.dtype.kind == "U":
            text = value.dtype.kind == "U"
            if text and value.nbytes > MAX_TEXT:
                raise ArchiveError(f"cannot save {where}: {value.nbytes} bytes of text, at most {MAX_TEXT} allowed.")
            items = self._labels(value.ravel().tolist(), where)
            return {"kind": "text" if text else "objects", "shape": list(value.shape), "items": items}
        check_dtype(value.dtype, where)
        if not value.size and math.prod(n or 1 for n in value.shape) > MAX_EMPTY:
            raise ArchiveError(f"cannot save {where}: an empty array of shape {value.shape}.")
        if len(self.arrays) == MAX_ARRAYS:
            raise ArchiveError(f"cannot save {where}: the model holds more than {MAX_ARRAYS} arrays.")
        self.arrays.append(value)
        return {"kind": "array", "member": len(self.arrays) - 1}

    def _labels(self, values, where):
        items = [self._label(value, where) for value in values]
        check_hashes(values, f"cannot save {where}: its names or objects")
        return items

    def _label(self, value, where):
        """Encode a column name or an element of an object array."""
        if not isinstance(value, (str, int, float, tuple, np.generic, pd.Timestamp, type(None), type(pd.NaT))):
            raise ArchiveError(f"cannot save {where}: it holds {value!r}, which is not text, a number or a timestamp.")
        return self.encode(value, where)

    # ------------------------------------------------------------------ pandas

    def _timestamp(self, value, where):
        # asm8 is UTC
        number = int(value.asm8.view(np.int64))
        return {"kind": "timestamp", "value": number, "unit": value.unit, "zone": encode_zone(value.tz, where)}

    def _timedelta(self, value, where):
        return {"kind": "timedelta", "value": int(value.asm8.view(np.int64)), "unit": value.unit}

    def _offset(self, value, where):
        node = {"kind": "offset", "freq": value.freqstr}
        if type(value) is pd.offsets.CustomBusinessDay and len(value.holidays) > MAX_HOLIDAYS:
            raise ArchiveError(f"cannot save {where}: {len(value.holidays)} holidays, at most {MAX_HOLIDAYS} allowed.")
        try:
            if type(value) is pd.offsets.CustomBusinessDay:
                holidays = np.array(value.holidays, dtype="M8[D]")
                same = value == pd.offsets.CustomBusinessDay(value.n, weekmask=value.weekmask, holidays=list(holidays))
                node = {"kind": "trading_day", "n": int(value.n), "weekmask": value.weekmask}
                node["holidays"] = self._array(holidays, where)
            else:
                same = value == to_offset(value.freqstr) and bool(FREQUENCY.fullmatch(value.freqstr))
        except (ValueError, TypeError):  # the name is none, or the week mask a list, which pandas cannot compare
            same = False
        if same:
            return node
        raise ArchiveError(
            f"cannot save {where}: the offset {value!r} is more than its name {value.freqstr!r} says. Use a frequency "
            "that pandas can read from a string, such as 'h', 'B', 'MS' or 'W-SUN'."
        )

    def _datetime_index(self, value, where):
        zone = encode_zone(value.tz, where)
        freq = value.freq
        if freq is not None:
            try:
                build_datetime_index(value.asi8, value.unit, zone, freq)
            except ValueError:
                freq = None  # pandas itself would not accept it back: the stamps stand without it
        return {
            "kind": "datetime_index",
            "stamps": self._array(value.asi8, where),
            "unit": value.unit,
            "zone": zone,
            "freq": self.encode(freq, f"{where}.freq"),
            "name": self._label(value.name, f"{where}.name"),
        }

    def _index(self, value, where):
        name = self._label(value.name, f"{where}.name")
        if type(value) is pd.RangeIndex and len(value) <= MAX_RANGE:
            node = {"kind": "range_index", "start": value.start, "stop": value.stop, "step": value.step}
        elif isinstance(value.dtype, np.dtype) and value.dtype != object:
            node = {"kind": "number_index", "values": self._array(value.to_numpy(), where)}
        elif value.dtype == object or isinstance(value.dtype, pd.StringDtype):
            items = self._labels(value.tolist(), where)
            node = {"kind": "label_index", "dtype": "object" if value.dtype == object else "str", "items": items}
        else:
            raise ArchiveError(f"cannot save {where}: an index of dtype {value.dtype}.")
        return node | {"name": name}

    def _multi_index(self, value, where):
        return {
            "kind": "multi_index",
            "items": self._labels(value.tolist(), where),
            "names": [self._label(name, f"{where}.names") for name in value.names],
        }

    def _column(self, value, where):
        """Encode the values of a Series."""
        if isinstance(value.dtype, np.dtype):
            return self._array(value.to_numpy(), where)
        return self.encode(pd.Index(value.array), where)

    def _series(self, value, where):
        return {
            "kind": "series",
            "values": self._column(value, where),
            "index": self.encode(value.index, f"{where}.index"),
            "name": self._label(value.name, f"{where}.name"),
        }

    def _frame(self, value, where):
        dtypes = set(value.dtypes)
        if len(dtypes) == 1 and isinstance(dtype := dtypes.pop(), np.dtype) and dtype.kind != "O":
            values = self._array(value.to_numpy(), where)  # keeps the memory order, on which float sums depend
        else:
            columns = [value.iloc[:, i] for i in range(value.shape[1])]
            self._count(len(columns), where)
            values = [self._column(column, f"{where}[{column.name!r}]") for column in columns]
        return {
            "kind": "frame",
            "values": values,
            "index": self.encode(value.index, f"{where}.index"),
            "columns": self.encode(value.columns, f"{where}.columns"),
        }

    # ------------------------------------------------------------------ objects of tsrnn

    def _dataclass(self, value, where):
        names = [field.name for field in dataclasses.fields(value) if field.init]
        fields = {name: self.encode(getattr(value, name), f"{where}.{name}") for name in names}
        return {"kind": "dataclass", "class": type(value).__qualname__, "fields": fields}

    def _estimator(self, value, where):
        cls = type(value)
        params = value.get_params(deep=False)
        # Sorted: the order in which attributes were set is not part of the model.
        nodes = {name: self.encode(params[name], f"{where}.{name}") for name in sorted(params)}
        try:
            state = fitted_state(value)
        except (ArchiveError, TypeError, ValueError) as exc:
            raise ArchiveError(f"cannot save {where}: {str(exc).rstrip('.')}.") from exc
        return {
            "kind": "estimator",
            "class": cls.__qualname__,
            "params": nodes,
            "state": {name: self.encode(state[name], f"{where}.{name}") for name in sorted(state)},
        }

    _BY_TYPE = {
        int: _int,
        float: _float,
        list: _list,
        tuple: _tuple,
        dict: _dict,
        np.ndarray: _array,
        pd.Timestamp: _timestamp,
        pd.Timedelta: _timedelta,
        pd.DatetimeIndex: _datetime_index,
        pd.Index: _index,
        pd.MultiIndex: _multi_index,
        pd.RangeIndex: _index,
        pd.Series: _series,
        pd.DataFrame: _frame,
    }
