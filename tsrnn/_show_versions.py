"""The versions to put in a bug report, read from package metadata without importing the packages."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

__all__ = ["show_versions"]

PACKAGES = (
    "tsrnn",
    "keras",
    "tensorflow",
    "numpy",
    "scipy",
    "scikit-learn",
    "pandas",
    "statsmodels",
    "joblib",
    "matplotlib",
    "narwhals",
    "rich",
    "threadpoolctl",
    "typer",
)


def installed_version(package: str) -> str:
    """Return the version of a distribution, or "not installed"."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def native_engine() -> str:
    """Return the instruction sets that the native engine can use here, or that it was not compiled."""
    try:
        from .engine.native import _core
    except ImportError as error:
        return f"not compiled, Keras trains ({error})"
    return ", ".join(_core.instruction_sets())


def show_versions() -> str:
    """Return the versions of Python, the platform, tsrnn and what it stands on, one a line.

    Returns
    -------
    str
        Lines of the form "name: version", to print or to paste into a bug report.

    Examples
    --------
    >>> print(show_versions())
    python: 3...
    platform: ...
    tsrnn: ...
    """
    versions = {"python": platform.python_version(), "platform": platform.platform()}
    versions |= {package: installed_version(package) for package in PACKAGES}
    versions["native engine"] = native_engine()
    return "\n".join(f"{name}: {number}" for name, number in versions.items())
