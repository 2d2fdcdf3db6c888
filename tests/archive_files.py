"""Archives as tests want them: taken apart and put together again, with anything in them."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest

from tsrnn._archive import encode
from tsrnn._archive.schema import schema_of
from tsrnn.exceptions import ArchiveError
from tsrnn.persistence import load


def npy(array, **kwargs) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, **kwargs)
    return stream.getvalue()


def unpack(path) -> tuple[dict, list[bytes]]:
    with zipfile.ZipFile(path) as file:
        return json.loads(file.read("meta.json")), [file.read(name) for name in file.namelist()[1:]]


def pack(path, meta, members=(), names=None, compression=zipfile.ZIP_STORED):
    """Write an archive as hostile as a test wants it; sums and sizes of the zip are right."""
    text = meta if isinstance(meta, bytes) else json.dumps(meta).encode()
    names = names or ["meta.json", *(f"arrays/{i}.npy" for i in range(len(members)))]
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, content in zip(names, [text, *members], strict=True):
            file.writestr(zipfile.ZipInfo(name), content, compress_type=compression)
    return path


def places(node, path=()):
    """Yield the path of every value in a JSON tree."""
    yield path
    for key, item in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
        yield from places(item, (*path, key))


def save_unchecked(model, path):
    """Write a model that `save` refuses, as somebody else could."""

    def everything(held):
        left_out = {name for name, attribute in schema_of(type(held)).items() if not attribute.saved}
        left_out |= held.get_params(deep=False).keys()
        return {name: value for name, value in vars(held).items() if name not in left_out}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encode, "fitted_state", everything)
        model.save(path)


def load_or_refuse(path):
    """Load; None if refused. Any other exception is the failure that the tests look for."""
    try:
        return load(path)
    except ArchiveError:
        return None
