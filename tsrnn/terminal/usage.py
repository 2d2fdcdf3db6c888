"""The errors of the terminal, in its own words. Imports nothing of tsrnn."""

__all__ = ["FileError", "UsageError"]


class UsageError(Exception):
    """The command as typed cannot be run."""


class FileError(Exception):
    """A file does not serve; the message says where in it, and which flag mends it."""
