"""Files are written whole or not at all, and stay whose they were."""

from __future__ import annotations

import errno
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tsrnn import _files
from tsrnn._files import check_writable, write_atomically

posix = pytest.mark.skipif(os.name != "posix", reason="modes, pipes and locks of POSIX")
not_root = pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everything")


def save(path, content=b"new"):
    write_atomically(path, lambda stream: stream.write(content))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o666, 0o751])
def test_a_file_that_is_replaced_keeps_its_mode(mode, tmp_path):
    path = tmp_path / "m"
    save(path, b"old")
    path.chmod(mode)
    save(path)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert path.read_bytes() == b"new"


@posix
@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_a_new_file_has_the_mode_that_the_user_wants(mask, tmp_path):
    before = os.umask(mask)
    try:
        save(tmp_path / "m")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "m").stat().st_mode) == 0o666 & ~mask


@posix
def test_a_secret_is_not_readable_while_it_is_written(tmp_path):
    path = tmp_path / "m"
    save(path)
    path.chmod(0o600)
    seen = []
    write_atomically(path, lambda stream: seen.append(stat.S_IMODE(os.fstat(stream.fileno()).st_mode)))
    assert seen == [0o600]


@posix
def test_the_owner_is_kept_or_the_file_is(tmp_path, monkeypatch):
    path = tmp_path / "m"
    save(path, b"old")
    given = []
    found = path.stat()
    other = os.stat_result((*found[:4], 12345, 54321, *found[6:]))
    monkeypatch.setattr(_files, "status", lambda target: other)
    monkeypatch.setattr(os, "fchown", lambda descriptor, *owner: given.append(owner))
    save(path)
    assert given == [(12345, 54321)]

    def refused(*args):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "fchown", refused)
    with pytest.raises(PermissionError, match=r"belongs to user 12345 and group 54321.*Remove it first"):
        save(path, b"newer")
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["m"]


@posix
def test_what_is_no_regular_file_is_refused_before_anything_is_written(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        for path, what in [(tmp_path / "pipe", "a pipe"), (tmp_path / "socket", "a socket"), ("/dev/null", "a device")]:
            before = os.stat(path)
            for attempt in (check_writable, save):
                with pytest.raises(
                    FileExistsError, match=rf"it is {what}, not a regular file. Give the name of a file"
                ):
                    attempt(path)
            assert os.stat(path).st_ino == before.st_ino
    assert names(tmp_path) == ["pipe", "socket"]


def test_a_folder_and_a_missing_folder_are_named(tmp_path):
    for attempt in (check_writable, save):
        with pytest.raises(IsADirectoryError, match="it is a folder"):
            attempt(tmp_path)
        with pytest.raises(FileNotFoundError, match="there is no folder .*absent"):
            attempt(tmp_path / "absent" / "m")


@not_root
def test_a_write_protected_file_is_not_replaced(tmp_path):
    path = tmp_path / "m"
    save(path, b"old")
    path.chmod(0o444)
    with pytest.raises(PermissionError, match="the file is write-protected"):
        save(path)
    assert path.read_bytes() == b"old"


def test_a_protected_file_and_folder_are_named(tmp_path, monkeypatch):
    save(tmp_path / "m", b"old")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(PermissionError, match="the file is write-protected. Choose another"):
        save(tmp_path / "m")
    with pytest.raises(PermissionError, match="the folder .* is write-protected"):
        check_writable(tmp_path / "new")
    assert (tmp_path / "m").read_bytes() == b"old"


@posix
def test_links_are_written_through(tmp_path):
    (tmp_path / "sub").mkdir()
    for name, target in (("link", "file"), ("dangling", "sub/later")):
        (tmp_path / name).symlink_to(target)
    save(tmp_path / "file", b"old")
    for name in ("link", "dangling"):
        save(tmp_path / name)
        assert (tmp_path / name).is_symlink()
        assert (tmp_path / name).read_bytes() == b"new"
    assert names(tmp_path / "sub") == ["later"]
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "to_pipe").symlink_to("pipe")
    with pytest.raises(FileExistsError, match="not a regular file"):
        save(tmp_path / "to_pipe")


def test_a_writer_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "m"
    save(path, b"old")

    def full(stream):
        stream.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, full)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, lambda stream: (_ for _ in ()).throw(KeyboardInterrupt))
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["m"]


KILLED = """
import os, signal, sys
from tsrnn._files import write_atomically
def write(stream):
    stream.write(b"half")
    stream.flush()
    os.kill(os.getpid(), signal.SIGKILL)
write_atomically(sys.argv[1], write)
"""


@posix
def test_what_killed_saves_have_left_is_removed_by_the_next_one(tmp_path):
    for name in ("m", "m", "other"):
        done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / name)], check=False)
        assert done.returncode == -signal.SIGKILL
    assert len(names(tmp_path)) == 2  # the second attempt has removed what the first one left
    (tmp_path / ".unrelated.tsrnn.tmp").touch()
    save(tmp_path / "m")
    left = names(tmp_path)
    assert "m" in left and ".unrelated.tsrnn.tmp" in left
    assert len(left) == 3  # with what is left of the save to the other name
    save(tmp_path / "other")
    assert names(tmp_path) == [".unrelated.tsrnn.tmp", "m", "other"]


@posix
def test_a_save_that_is_going_on_is_not_taken_for_a_leftover(tmp_path):
    path = tmp_path / "m"
    inside, go_on = threading.Event(), threading.Event()

    def slow(stream):
        stream.write(b"slow")
        inside.set()
        assert go_on.wait(60)

    thread = threading.Thread(target=write_atomically, args=(path, slow))
    thread.start()
    assert inside.wait(60)
    for i in range(5):
        save(path, b"quick %d" % i)
    assert path.read_bytes() == b"quick 4"
    assert len(names(tmp_path)) == 2
    go_on.set()
    thread.join()
    assert path.read_bytes() == b"slow"
    assert names(tmp_path) == ["m"]


def test_two_writers_leave_a_whole_file(tmp_path):
    path = tmp_path / "m"
    contents = [bytes([i]) * 200_000 for i in range(4)]
    threads = [threading.Thread(target=lambda c=c: [save(path, c) for _ in range(10)]) for c in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_bytes() in contents
    assert names(tmp_path) == ["m"]


@posix
def test_a_file_system_without_locks_only_keeps_its_leftovers(tmp_path, monkeypatch):
    def unsupported(*args):
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(_files.fcntl, "flock", unsupported)
    leftover = tmp_path / f"{_files.prefix_of(tmp_path / 'm')}0123.tsrnn.tmp"
    leftover.touch()
    save(tmp_path / "m")
    assert names(tmp_path) == sorted(["m", leftover.name])


def test_long_names_can_be_saved(tmp_path):
    path = tmp_path / ("m" * 250)
    save(path)
    assert names(tmp_path) == [path.name]
