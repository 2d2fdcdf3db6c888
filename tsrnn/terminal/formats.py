"""What a Parquet file is known by, and what it needs. Imports usage."""

from __future__ import annotations

from importlib.util import find_spec

from .usage import UsageError

__all__ = ["MAGIC", "PARQUET", "check_pyarrow"]

#: First bytes of a Parquet file, and what its name ends in.
MAGIC, PARQUET = b"PAR1", (".parquet", ".pq")


def check_pyarrow(what: str) -> None:
    """Refuse what needs pyarrow where it is not installed."""
    if find_spec("pyarrow") is None:
        raise UsageError(f"{what} needs pyarrow: pip install 'tsrnn[parquet]'. Or use CSV.")
