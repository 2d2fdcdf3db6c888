"""The file itself: a zip written in one step, and checked before anything in it is read."""

from __future__ import annotations

import itertools
import json
import math
import os
import stat
import zipfile
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any, BinaryIO

import numpy as np

from .._files import write_atomically
from ..exceptions import ArchiveError
from .arrays import array_from_npy, array_to_npy
from .decode import Decoder
from .encode import Encoder, advice
from .tables import (
    FORMAT,
    FORMAT_VERSION,
    MAX_ARRAYS,
    MAX_BYTES,
    MAX_INT_BITS,
    MAX_JSON_BYTES,
    MAX_VALUES,
    expect,
    is_listed,
)

END_RECORD = 22  # bytes of a zip's end record without comment
LOCAL_HEADER = 30  # bytes in front of a member, without its name


def write_archive(model: Any, path: str | os.PathLike[str]) -> None:
    """Save a model; see `SaveMixin.save`."""
    if not is_listed(type(model)):
        raise ArchiveError(f"cannot save {type(model).__name__}: {advice(model)}")
    encoder = Encoder()
    node = encoder.encode(model, type(model).__name__)
    meta = {"format": FORMAT, "version": FORMAT_VERSION, "tsrnn": release(), "model": node}
    text = json.dumps(meta, allow_nan=False, separators=(",", ":")).encode("ascii")
    if len(text) > MAX_JSON_BYTES:
        raise ArchiveError(
            f"cannot save {type(model).__name__}: what it holds outside arrays takes {len(text)} bytes, at most "
            f"{MAX_JSON_BYTES} are allowed. Turn long lists into arrays."
        )
    if (n_values := count_values(text)) > MAX_VALUES:
        raise ArchiveError(
            f"cannot save {type(model).__name__}: what it holds outside arrays are about {n_values} values, at most "
            f"{MAX_VALUES} are allowed. Turn long lists into arrays."
        )
    size = len(text) + sum(array.nbytes + 4096 for array in encoder.arrays)
    if size > MAX_BYTES:
        raise ArchiveError(f"cannot save {type(model).__name__}: {size} bytes, at most {MAX_BYTES} are allowed.")
    write_atomically(path, lambda stream: write_members(stream, text, encoder.arrays))


def release() -> str:
    """Return the installed version of tsrnn, for the reader of a file."""
    try:
        return version("tsrnn")
    except PackageNotFoundError:
        return "0+unknown"


def member_names(n_arrays: int) -> list[str]:
    """Return the names of the members of a file, in their order."""
    return ["meta.json", *(f"arrays/{i}.npy" for i in range(n_arrays))]


def write_members(stream: BinaryIO, meta: bytes, arrays: list[np.ndarray]) -> None:
    """Write the zip. It says nothing of when and where: equal models give equal bytes."""
    contents = itertools.chain([meta], map(array_to_npy, arrays))  # one array's bytes at a time
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED, allowZip64=False) as file:
        for name, content in zip(member_names(len(arrays)), contents, strict=True):
            info = zipfile.ZipInfo(name)  # dated 1980, the earliest that a zip can hold
            info.create_system = 3  # as on Unix, whatever the platform
            info.external_attr = 0o644 << 16
            file.writestr(info, content)


def read_archive(path: str | os.PathLike[str], find_class: Callable[[str], type]) -> Any:
    """Read a model from a file that nobody vouches for.

    Parameters
    ----------
    path : str or path-like
        Opened for reading; the file cannot make another one be opened.
    find_class : callable
        Name of a class of `ESTIMATORS` or `DATACLASSES` -> the class. What it raises as ImportError passes through.

    Returns
    -------
    estimator

    Raises
    ------
    ArchiveError
        If the file is anything but an undamaged archive.
    OSError
        If there is no such file, or it cannot be opened.
    """
    name = os.fspath(path)
    if not stat.S_ISREG(os.stat(path).st_mode):  # opening a pipe would wait for ever
        raise ArchiveError(f"{name!r} is not a file. Give the path that the model was saved to.")
    with open(path, "rb") as stream:
        try:
            return read_model(stream, find_class)
        except ImportError:
            raise
        except ArchiveError as exc:
            raise ArchiveError(f"cannot load {name!r}: {exc}.") from exc
        except Exception as exc:
            # Damage can make zipfile, json, NumPy and pandas fail in many ways. To the caller it is one.
            reason = f"{type(exc).__name__}: {exc!s:.200}"
            raise ArchiveError(f"cannot load {name!r}: the file is damaged ({reason}).") from exc


def read_model(stream: BinaryIO, find_class: Callable[[str], type]) -> Any:
    """Check the container, the JSON and the arrays, in this order, and build the model."""
    check_container(stream)
    with zipfile.ZipFile(stream) as file:
        members = check_members(file)
        meta = read_json(file.read(members[0]))
        for key in ("format", "version", "tsrnn", "model"):
            if key not in meta:
                raise ArchiveError(f"meta.json has no {key!r}")
        if len(meta) != 4 or meta["format"] != FORMAT or type(meta["version"]) is not int:
            raise ArchiveError("meta.json is not that of a tsrnn archive")
        writer = expect(meta["tsrnn"], str)
        if meta["version"] != FORMAT_VERSION:
            raise ArchiveError(
                f"it was written by tsrnn {writer:.20} in version {meta['version']} of the format, "
                f"and this is tsrnn {release()}, which reads version {FORMAT_VERSION}. Upgrade tsrnn"
            )
        arrays = [array_from_npy(file.read(info), info.filename) for info in members[1:]]
    return Decoder(arrays, find_class).model(meta["model"])


def check_container(stream: BinaryIO) -> None:
    """Check what a zip says of itself at its end before `zipfile` makes an object for each member."""
    size = stream.seek(0, os.SEEK_END)
    if size > MAX_BYTES:
        raise ArchiveError(f"it has {size} bytes, at most {MAX_BYTES} are allowed")
    stream.seek(0)
    head = stream.read(8)
    stream.seek(max(0, size - END_RECORD - 20))
    tail = stream.read()
    end = tail[-END_RECORD:]
    if head[:4] != b"PK\x03\x04" or len(end) < END_RECORD or end[:4] != b"PK\x05\x06":
        raise ArchiveError(f"it is not a tsrnn archive, or only part of one{guess(head)}")
    count, length, start = (int.from_bytes(end[a:b], "little") for a, b in ((10, 12), (12, 16), (16, 20)))
    whole = start + length + END_RECORD == size and tail[:4] != b"PK\x06\x07"
    # One entry per member: 46 bytes and the name, which the check of the names keeps as short as ours.
    if not whole or not 1 <= count <= MAX_ARRAYS + 1 or length > 80 * count:
        raise ArchiveError("its table of contents is not that of a tsrnn archive")


def guess(head: bytes) -> str:
    """Name another kind of file by its first bytes, for the message."""
    if head[:1] == b"\x80":
        return "; it looks like a pickle, which runs code when loaded: use joblib.load only if you trust its origin"
    if head == b"\x89HDF\r\n\x1a\n":
        return "; it is an HDF5 file, which tsrnn does not read"
    return ""


def check_members(file: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the members if they are the ones `write_members` writes, one behind the other, nothing compressed."""
    members = file.infolist()
    names = [info.filename for info in members]
    if names != member_names(len(names) - 1):
        keras = "; it looks like a Keras model" if "config.json" in names else ""
        raise ArchiveError(f"its members {sorted(names)[:5]!r:.200} are not those of a tsrnn archive{keras}")
    position = 0
    for info in members:
        plain = info.compress_type == zipfile.ZIP_STORED and info.flag_bits == 0 and not info.extra and not info.comment
        if not plain or info.file_size != info.compress_size or info.header_offset != position:
            raise ArchiveError(f"{info.filename} is compressed, encrypted or out of place")
        position += LOCAL_HEADER + len(info.filename) + info.file_size
    if position != file.start_dir:
        raise ArchiveError("it holds bytes that belong to no member")
    if members[0].file_size > MAX_JSON_BYTES:
        raise ArchiveError(f"meta.json has {members[0].file_size} bytes, at most {MAX_JSON_BYTES} are allowed")
    return members


def count_values(content: bytes) -> int:
    """Return how many values a JSON text has at most, keys and what stands between quotes counted in."""
    return sum(map(content.count, (b",", b"[", b"{", b":")))


def read_json(content: bytes) -> dict[str, Any]:
    """Parse JSON without NaN, infinity, huge numbers and keys that stand twice, and of not too many values."""
    if count_values(content) > MAX_VALUES:
        raise ArchiveError(f"meta.json has more than {MAX_VALUES} values")

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        if len(result) != len(pairs):
            raise ArchiveError("meta.json has a key twice")
        return result

    def integer(text: str) -> int:
        if len(text) > MAX_INT_BITS or (number := int(text)).bit_length() > MAX_INT_BITS:
            raise ArchiveError("meta.json holds an integer that is too long")
        return number

    def finite(text: str) -> float:
        number = float(text)
        if not math.isfinite(number):
            raise ArchiveError(f"meta.json holds {text[:20]}, which is not a finite number")
        return number

    hooks: dict[str, Any] = {
        "object_pairs_hook": unique,
        "parse_int": integer,
        "parse_float": finite,
        "parse_constant": finite,
    }
    return expect(json.loads(content.decode("ascii"), **hooks), dict)
