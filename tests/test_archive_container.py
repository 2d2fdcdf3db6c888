"""Damaged and hostile archives: a file that is anything else is refused without running it."""

from __future__ import annotations

import io
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from archive_files import load_or_refuse, npy, pack, unpack
from saved_models import assert_same, meta_of

from tsrnn._archive import container
from tsrnn.exceptions import ArchiveError
from tsrnn.persistence import load

pytestmark = pytest.mark.usefixtures("holding_forecaster_is_listed")

ROOT = Path(__file__).parent.parent


# -- damage ----------------------------------------------------------------------------------------------------------


def test_a_truncated_file_is_refused(saved, tmp_path):
    content = saved.read_bytes()
    damaged = tmp_path / "damaged"
    lengths = {*range(100), *range(100, len(content), 61), *range(len(content) - 500, len(content))}
    for length in sorted(lengths):
        damaged.write_bytes(content[:length])
        with pytest.raises(ArchiveError, match="cannot load"):
            load(damaged)


def test_a_flipped_bit_is_refused_or_changes_nothing(saved, model, tmp_path):
    content = saved.read_bytes()
    damaged = tmp_path / "damaged"
    rng = np.random.default_rng(0)
    table = content.index(b"PK\x01\x02")
    headers = [at + i for at in range(len(content)) if content.startswith(b"PK\x03\x04", at) for i in range(30)]
    positions = [*headers, *range(table, len(content)), *rng.integers(0, table, 500).tolist()]
    refused = 0
    for position in positions:
        changed = bytearray(content)
        changed[position] ^= 1 << int(rng.integers(8))
        damaged.write_bytes(changed)
        after = load_or_refuse(damaged)
        refused += after is None
        if after is not None:
            assert_same(after, model)
    assert refused > len(positions) / 2


def test_garbage_around_an_archive_is_refused(saved, tmp_path):
    content = saved.read_bytes()
    for changed in (b"#!/bin/sh\n" + content, content + b"\n", content + content, content[:30] + b"x" + content[30:]):
        (tmp_path / "m").write_bytes(changed)
        with pytest.raises(ArchiveError):
            load(tmp_path / "m")


# -- hostile files ---------------------------------------------------------------------------------------------------


class Payload:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_the_helpers_make_files_that_load(saved, model, tmp_path):
    assert_same(load(pack(tmp_path / "m", *unpack(saved))), model)
    assert load(pack(tmp_path / "m", meta_of({"kind": "array", "member": 0}), [npy(np.arange(3))])).extra.sum() == 3


def test_a_pickle_is_refused_and_not_run(tmp_path):
    trace = tmp_path / "trace"
    (tmp_path / "m").write_bytes(pickle.dumps(Payload(trace)))
    with pytest.raises(ArchiveError, match="looks like a pickle"):
        load(tmp_path / "m")
    assert not trace.exists()
    pickle.loads((tmp_path / "m").read_bytes()).close()
    assert trace.exists()  # it would have run


def test_a_pickle_in_an_array_is_refused_and_not_run(tmp_path):
    trace = tmp_path / "trace"
    content = npy(np.array([Payload(trace)], dtype=object), allow_pickle=True)
    with pytest.raises(ArchiveError, match=r"arrays/0.npy does not start|dtype '\|O'"):
        load(pack(tmp_path / "m", meta_of({"kind": "array", "member": 0}), [content]))
    assert not trace.exists()
    np.load(io.BytesIO(content), allow_pickle=True)[0].close()
    assert trace.exists()


def test_loading_hostile_files_runs_and_writes_nothing(saved, tmp_path):
    """Watch the interpreter itself: no unpickling, no process, no file opened for writing."""
    meta, members = unpack(saved)
    folder = tmp_path / "hostile"
    folder.mkdir()
    (folder / "pickle").write_bytes(pickle.dumps(Payload(tmp_path / "trace")))
    pack(
        folder / "npy",
        meta,
        [npy(np.array([Payload(tmp_path / "trace")], dtype=object), allow_pickle=True), *members[1:]],
    )
    pack(folder / "paths", meta, members, names=["meta.json", *(f"../../{i}.npy" for i in range(len(members)))])
    pack(folder / "class", meta_of(**{"class": "os.system"}))
    pack(folder / "zone", meta_of({"kind": "timestamp", "value": 0, "unit": "s", "zone": "dateutil//etc/localtime"}))
    code = """
import sys, os
from pathlib import Path
import tsrnn.forecasters.naive
from tsrnn import load
from tsrnn.exceptions import ArchiveError
seen = []
def hook(event, args):
    if event in ("pickle.find_class", "os.system", "os.exec", "subprocess.Popen", "os.posix_spawn", "os.remove"):
        seen.append(event)
    if event == "open" and (args[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        seen.append(args)
    if event == "open" and "localtime" in str(args[0]):
        seen.append(args)
files = sorted(Path(sys.argv[1]).iterdir())
sys.dont_write_bytecode = True
sys.addaudithook(hook)
for path in files:
    try:
        load(path)
    except ArchiveError:
        continue
    raise SystemExit(f"{path} was loaded")
raise SystemExit(str(seen) if seen else 0)
"""
    done = subprocess.run([sys.executable, "-c", code, str(folder)], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


HUGE = (
    b"\x93NUMPY\x01\x00"
    + (118).to_bytes(2, "little")
    + b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }".ljust(117)
    + b"\n"
)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x93NUMPY",
        npy(np.arange(3))[:-1],
        npy(np.arange(3)) + b"\x00",
        npy(np.array(["text"])),
        npy(np.array([b"bytes"])),
        npy(np.zeros(2, dtype="i4,f8")),
        npy(np.zeros(2, dtype=np.longdouble)),
        npy(np.zeros(2, dtype=complex)),
        npy(np.zeros(2, dtype="V4")),
        npy(np.zeros(2, dtype="datetime64")),
        npy(np.zeros(3, dtype=bool))[:-1] + b"\x07",
        HUGE,
        HUGE + bytes(80),
        HUGE.replace(b"1000000000000", b"0, 1000000000"),
        HUGE.replace(b"(1000000000000,)", b"(9223372036854775807, 0)"[:16].ljust(16)),
        HUGE.replace(b"(1000000000000,)", b"(-1, -10)".ljust(16)) + bytes(80),
        HUGE.replace(b"'<f8'", b"'|O' ") + bytes(80),
        HUGE.replace(b"1000000000000,", b"10**12       ,"),
        HUGE.replace(b"\x01\x00v", b"\x02\x00v"),
        b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 65535,
        b"\x93NUMPY\x01\x00\x20\x00__import__('os').system('true')\n ",
    ],
    ids=lambda content: content[10:90].decode("latin1").strip() or "short",
)
def test_an_array_that_is_not_plain_numbers_of_its_own_size_is_refused(content, tmp_path):
    with pytest.raises(ArchiveError):
        load(pack(tmp_path / "m", meta_of({"kind": "array", "member": 0}), [content]))


def test_a_declared_size_allocates_nothing(tmp_path):
    import tracemalloc

    pack(tmp_path / "m", meta_of({"kind": "array", "member": 0}), [HUGE])
    tracemalloc.start()
    try:
        with pytest.raises(ArchiveError):
            load(tmp_path / "m")
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_compressed_members_are_refused_unread(tmp_path):
    bomb = npy(np.zeros(10_000_000))
    pack(tmp_path / "m", meta_of({"kind": "array", "member": 0}), [bomb], compression=zipfile.ZIP_DEFLATED)
    assert (tmp_path / "m").stat().st_size < 100_000
    with pytest.raises(ArchiveError, match="compressed"):
        load(tmp_path / "m")


def test_members_that_overlap_are_refused(saved, tmp_path):
    content = bytearray(saved.read_bytes())
    first = content.index(b"PK\x01\x02")
    second = content.index(b"PK\x01\x02", first + 4)
    content[second + 42 : second + 46] = content[first + 42 : first + 46]  # both entries point at one member
    (tmp_path / "m").write_bytes(content)
    with pytest.raises(ArchiveError, match="out of place"):
        load(tmp_path / "m")


def test_a_member_that_is_too_large_is_refused(saved, monkeypatch):
    monkeypatch.setattr(container, "MAX_JSON_BYTES", 100)
    with pytest.raises(ArchiveError, match=r"meta.json has \d+ bytes"):
        load(saved)
    monkeypatch.setattr(container, "MAX_BYTES", 100)
    with pytest.raises(ArchiveError, match=r"it has \d+ bytes"):
        load(saved)


def test_too_many_members_are_refused_before_they_are_listed(tmp_path, monkeypatch):
    pack(tmp_path / "m", meta_of(), [b""] * 12_000)
    monkeypatch.setattr(zipfile, "ZipFile", None)
    with pytest.raises(ArchiveError, match="table of contents"):
        load(tmp_path / "m")


def test_a_zip_of_64_bits_is_refused(saved, tmp_path):
    content = saved.read_bytes()
    record = b"PK\x06\x06" + (44).to_bytes(8, "little") + bytes(44)
    locator = b"PK\x06\x07" + bytes(4) + (len(content) - 22).to_bytes(8, "little") + bytes(4)
    (tmp_path / "m").write_bytes(content[:-22] + record + locator + content[-22:])
    with pytest.raises(ArchiveError, match="table of contents"):
        load(tmp_path / "m")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    "names",
    [
        ["meta.json", "../../../tmp/0.npy"],
        ["meta.json", "/etc/passwd"],
        ["meta.json", "arrays\\0.npy"],
        ["meta.json", "arrays/../arrays/0.npy"],
        ["meta.json", "arrays/00.npy"],
        ["meta.json", "arrays/1.npy"],
        ["meta.json", "arrays/0.pkl"],
        ["meta.json", "meta.json"],
        ["arrays/0.npy", "meta.json"],
        ["meta.json", "arrays/0.npy", "arrays/0.npy"],
        ["meta.json", "arrays/0.npy", "notes.txt"],
        ["meta.json", "arrays/0.npy", "arrays/"],
    ],
    ids=str,
)
def test_members_of_any_other_name_are_refused(names, tmp_path):
    members = [npy(np.arange(3))] * (len(names) - 1)
    with pytest.raises(ArchiveError):
        load(pack(tmp_path / "m", meta_of({"kind": "array", "member": 0}), members, names))
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_a_name_that_goes_on_after_a_nul_is_refused(tmp_path):
    # zipfile cuts such a name off at the NUL
    path = pack(
        tmp_path / "m", meta_of({"kind": "array", "member": 0}), [npy(np.arange(3))], ["meta.json", "arrays/0.npy?.exe"]
    )
    path.write_bytes(path.read_bytes().replace(b"npy?.exe", b"npy\x00.exe"))
    with pytest.raises(ArchiveError):
        load(path)


# -- other files -----------------------------------------------------------------------------------------------------


def test_keras_files_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as file:
        for name in ("metadata.json", "config.json", "model.weights.h5"):
            file.writestr(name, "{}")
    with pytest.raises(ArchiveError, match="looks like a Keras model"):
        load(tmp_path / "m.keras")
    (tmp_path / "m.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(1000))
    with pytest.raises(ArchiveError, match="HDF5"):
        load(tmp_path / "m.h5")


@pytest.mark.parametrize("content", [b"", b"PK", b"PK\x05\x06" + bytes(18), bytes(1000), b"a,b\n1,2\n" * 50])
def test_other_files_are_refused(content, tmp_path):
    (tmp_path / "m").write_bytes(content)
    with pytest.raises(ArchiveError, match="cannot load"):
        load(tmp_path / "m")
