"""Files that are written whole or not at all. Imports nothing of tsrnn."""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, BinaryIO

try:
    import fcntl
except ImportError:  # not on Windows, where a file that is open cannot be replaced either
    fcntl = None  # type: ignore[assignment]

__all__ = ["check_writable", "write_atomically"]

KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def write_atomically(path: str | os.PathLike, write: Callable[[BinaryIO], Any]) -> None:
    """Write a file beside the target and move it into place when it is whole.

    A file that is replaced keeps its mode and owner, and a link goes on pointing at it. Whatever happens meanwhile,
    the target is the old file or the new one; what killed processes have left of earlier attempts is removed.

    Parameters
    ----------
    path : str or path-like
    write : callable
        Is given a binary stream.

    Raises
    ------
    OSError
        If the file cannot be written, see `check_writable`.
    """
    target = check_writable(path)
    remove_leftovers(target)
    before = status(target)
    temporary, stream = open_temporary(target, private=before is not None)
    try:
        with stream:
            if before is not None:
                take_over(path, before, stream.fileno())
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
            if fcntl is not None:  # its lock says until then that it is at work
                os.replace(temporary, target)
        if fcntl is None:
            os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def check_writable(path: str | os.PathLike) -> Path:
    """Return where a file is to be written, links followed, or say why it cannot be: before the work of making it.

    Raises
    ------
    FileNotFoundError
        If its folder does not exist.
    IsADirectoryError
        If it is a folder.
    FileExistsError
        If it is anything else that is no regular file: a pipe, a device, a socket.
    PermissionError
        If it is there and write-protected, or nothing may be written in its folder.
    """
    name = os.fspath(path)
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(f"cannot save to {name!r}: there is no folder {str(target.parent)!r}. Create it first.")
    found = status(target)
    if found is None:
        if not os.access(target.parent, os.W_OK | os.X_OK):
            raise PermissionError(f"cannot save to {name!r}: the folder {str(target.parent)!r} is write-protected.")
        return target
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(f"cannot save to {name!r}: it is a folder. Give the name of a file.")
    if not stat.S_ISREG(found.st_mode):
        kind = KINDS.get(stat.S_IFMT(found.st_mode), "something else")
        raise FileExistsError(f"cannot save to {name!r}: it is {kind}, not a regular file. Give the name of a file.")
    if not os.access(target, os.W_OK):
        raise PermissionError(f"cannot save to {name!r}: the file is write-protected. Choose another, or unprotect it.")
    return target


def status(target: Path) -> os.stat_result | None:
    """Return what the system says of a file, None if there is none."""
    try:
        return target.stat()
    except FileNotFoundError:
        return None


def take_over(path: str | os.PathLike, before: os.stat_result, descriptor: int) -> None:
    """Give the new file the owner, group and mode of the one that it replaces."""
    if not hasattr(os, "fchown"):
        return
    now = os.fstat(descriptor)
    if (now.st_uid, now.st_gid) != (before.st_uid, before.st_gid):
        try:
            os.fchown(descriptor, before.st_uid, before.st_gid)
        except PermissionError as exc:
            raise PermissionError(
                f"cannot save to {os.fspath(path)!r}: the file belongs to user {before.st_uid} and group "
                f"{before.st_gid}, which a new one in its place would not. Remove it first, or choose another name."
            ) from exc
    os.fchmod(descriptor, stat.S_IMODE(before.st_mode))


# ---------------------------------------------------------------------- temporary files


def prefix_of(target: Path) -> str:
    """Return how the temporary files of a target begin: by its name, but not as long."""
    return f".{hashlib.blake2b(os.fsencode(target.name), digest_size=6).hexdigest()}-"


def open_temporary(target: Path, *, private: bool) -> tuple[Path, BinaryIO]:
    """Open a new file beside the target, locked as long as it is open; readable to the user alone if `private`."""
    while True:
        temporary = target.parent / f"{prefix_of(target)}{secrets.token_hex(8)}.tsrnn.tmp"
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)
        stream = open(os.open(temporary, flags, 0o600 if private else 0o666), "wb")
        # Another save may have taken it for a leftover before it was locked.
        if not lock(stream, wait=True) or os.fstat(stream.fileno()).st_nlink:
            return temporary, stream
        stream.close()


def lock(stream: IO, *, wait: bool) -> bool:
    """Lock a file until it is closed or its process ends; False if it is locked already, or cannot be."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    return True


def remove_leftovers(target: Path) -> None:
    """Remove the temporary files of this target that nobody is writing any more, since their process was killed."""
    for path in target.parent.glob(f"{prefix_of(target)}*.tsrnn.tmp"):
        try:
            if path.is_symlink() or not path.is_file():
                continue
            with open(path, "rb") as stream:
                if lock(stream, wait=False):
                    path.unlink(missing_ok=True)
        except OSError:  # of another user, or gone meanwhile
            continue
