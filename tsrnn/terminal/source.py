"""From a file to its text: compression, encoding, and the lines that do not count. Imports layout."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import re
import sys
import zipfile
from pathlib import Path

from .layout import Layout
from .usage import FileError, UsageError

__all__ = ["read_bytes", "text_of"]

MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
#: First bytes of files that are no text, and what they are.
STRANGERS = {
    b"\xd0\xcf\x11\xe0": "an Excel workbook (.xls). Save it as CSV",
    b"\x89HDF": "an HDF5 file. Write it as CSV",
    b"SQLite": "an SQLite database. Export the table as CSV",
    b"%PDF": "a PDF file. Export the table as CSV",
}


def text_of(raw: bytes, name: str, layout: Layout) -> str:
    """Return the text of a file, the lines and comments to leave out blank, so that lines keep their numbers."""
    text = decode(raw, name, layout.encoding)
    if layout.lines_left_out:
        lines = text.splitlines(keepends=True)
        for first, last in layout.lines_left_out:
            for i in range(first - 1, int(min(last, len(lines)))):
                lines[i] = "\n"
        text = "".join(lines)
    if layout.comment:
        quoted_or_comment = rf'("[^"]*")|{re.escape(layout.comment)}[^\r\n]*'
        text = re.sub(quoted_or_comment, lambda match: match[1] or "", text)
    return text


def read_bytes(file: Path) -> bytes:
    """Return the bytes of a file, of a compressed one what is in it; '-' is stdin."""
    if str(file) == "-":
        raw = sys.stdin.buffer.read()
    elif not file.exists():
        raise UsageError(f"there is no file {str(file)!r}.")
    elif file.is_dir():
        raise UsageError(f"{str(file)!r} is a folder. Give the name of a file in it.")
    else:
        raw = file.read_bytes()
    try:
        raw = decompress(raw, str(file))
    except (OSError, EOFError, lzma.LZMAError, zipfile.BadZipFile, RuntimeError) as exc:
        raise FileError(f"{str(file)!r} is compressed, and damaged: {exc}.") from exc
    for head, what in STRANGERS.items():
        if raw.startswith(head):
            raise FileError(f"{str(file)!r} is {what}.")
    return raw


def decompress(raw: bytes, name: str) -> bytes:
    """Undo gzip, bzip2, xz or zip, which the first bytes tell."""
    for head, undo in ((b"\x1f\x8b", gzip.decompress), (b"BZh", bz2.decompress), (b"\xfd7zXZ", lzma.decompress)):
        if raw.startswith(head):
            return undo(raw)
    if not raw.startswith(b"PK\x03\x04"):
        return raw
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        members = [member for member in archive.namelist() if not member.endswith("/")]
        if "[Content_Types].xml" in members:
            raise FileError(f"{name!r} is an Excel workbook (.xlsx). Save it as CSV.")
        if len(members) != 1:
            raise FileError(f"{name!r} holds {len(members)} files: {', '.join(members[:5])}. Unpack the one to read.")
        return archive.read(members[0])


def decode(raw: bytes, name: str, encoding: str | None) -> str:
    """Return the text, or name the line that is not in the encoding."""
    marked = next((known for mark, known in MARKS.items() if raw.startswith(mark)), None)
    if encoding is None and marked is None and b"\0" in raw[:4096]:
        raise FileError(f"{name!r} is not text in UTF-8. If it is text in UTF-16, say --encoding utf-16-le.")
    used = encoding or marked or "utf-8"
    try:
        return raw.decode(used).removeprefix("\ufeff")
    except LookupError as exc:
        raise UsageError(f"--encoding {used!r} is not an encoding that Python knows, such as latin-1.") from exc
    except UnicodeDecodeError as exc:
        line = raw.count(b"\n", 0, exc.start) + 1
        shown = raw[max(0, exc.start - 10) : exc.end + 10].decode("latin-1").split("\n")[0].strip()
        raise FileError(
            f"{name!r}, line {line}: the text is not in {used} (near {shown!r} if read as latin-1). Say --encoding "
            "latin-1, or the encoding that it was written in."
        ) from exc
