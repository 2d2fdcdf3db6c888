"""Modules that are imported when they are read."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tsrnn._deferred import defer


def run(code: str) -> str:
    """Run code in a process that has imported nothing yet."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize(
    "reading",
    [
        "import scipy.stats; scipy.stats.norm",
        "from scipy.stats import norm",
        "import scipy; scipy.stats.norm",
        "import scipy.stats.qmc; scipy.stats.norm",
        "from scipy.stats import distributions; import scipy.stats as stats; stats.norm",
        "import pickle, scipy.stats; pickle.loads(pickle.dumps(scipy.stats.norm(0, 1))).cdf(0)",
        "from sklearn.model_selection import RandomizedSearchCV",
        "import scipy.stats; assert 'norm' in dir(scipy.stats)",
        "from unittest import mock; mock.patch('scipy.stats.norm').start(); import scipy.stats; "
        "assert isinstance(scipy.stats.norm, mock.Mock); mock.patch.stopall(); scipy.stats.norm.cdf(0)",
    ],
)
def test_a_deferred_module_is_there_when_it_is_read(reading):
    code = f"import sys, tsrnn, sklearn.base; before = type(sys.modules['scipy.stats']).__name__; {reading}"
    assert run(f"{code}; print(before, type(sys.modules['scipy.stats']).__name__)") == "_Deferred module"


def test_threads_that_read_it_at_once_all_find_it():
    code = """
import sys, threading, tsrnn, scipy.stats
held, found, start = sys.modules["scipy.stats"], [], threading.Barrier(8)
def read():
    start.wait()
    found.append(held.norm.cdf(0.0))
threads = [threading.Thread(target=read) for _ in range(8)]
[thread.start() for thread in threads]; [thread.join() for thread in threads]
print(found == [0.5] * 8)
"""
    assert run(code) == "True"


def test_a_module_that_is_loaded_stays():
    before = sys.modules["subprocess"]
    defer("subprocess")
    assert sys.modules["subprocess"] is before


def test_a_module_that_is_not_installed_stays_unknown():
    defer("no_such_module")
    assert "no_such_module" not in sys.modules
