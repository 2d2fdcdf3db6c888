"""What goes wrong is one line and an exit status, on any terminal."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from terminal import run

from tsrnn.exceptions import DataError
from tsrnn.forecasters.naive import NaiveForecaster
from tsrnn.terminal import reporting

ARGS = ["--time", "time", "--target", "load", "--horizon", 2, "--model", "naive"]


def python(code, **environment):
    """Run Python apart, with tsrnn on its path."""
    known = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)} | environment
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env=known,
    )


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (MemoryError(), 1, "out of memory. Lower --horizon or --windows"),
        (MemoryError("Unable to allocate 74.5 GiB"), 1, "out of memory (Unable to allocate 74.5 GiB)."),
        (FloatingPointError("overflow encountered in exp"), 1, "out of range (overflow encountered in exp)"),
        (OverflowError(), 1, "the numbers went out of range (OverflowError)"),
        (RecursionError("maximum recursion depth exceeded"), 1, "too deeply nested: maximum recursion depth"),
        (KeyError("x"), 1, "KeyError: 'x'. This is a fault of tsrnn; with TSRNN_TRACEBACK=1 it says where."),
        (KeyboardInterrupt(), 130, "interrupted"),
        (OSError(28, "No space left on device"), 1, "No space left on device"),
        (DataError("X has gaps.\nUse df.sort_index()."), 1, "the data have gaps. Say --sort."),
    ],
)
def test_every_error_is_one_line_and_a_status(load_csv, monkeypatch, error, status, words):
    def fit(*args):
        raise error

    monkeypatch.setattr(NaiveForecaster, "fit", fit)
    done = run("forecast", load_csv, *ARGS)
    assert done.exit_code == status and done.stdout == ""
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
    assert words in done.stderr


def test_ctrl_c_is_one_line(load_csv):
    code = f"""
import signal, sys, time
from tsrnn.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # a suite in the background ignores it
from tsrnn.forecasters.naive import NaiveForecaster
def fit(self, X, y=None):
    print("fitting", flush=True)
    time.sleep(60)
NaiveForecaster.fit = fit
sys.argv = ["tsrnn", "forecast", {str(load_csv)!r}, *{[str(arg) for arg in ARGS]!r}]
main()
"""
    process = python(code)
    assert process.stdout.readline() == "fitting\n"
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    assert process.communicate()[1] == "error: interrupted; files that were not yet written are as they were.\n"
    assert process.returncode == 130


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_terminal_that_lacks_signs_shows_the_rest(load_csv, encoding):
    load_csv.write_text(load_csv.read_text().replace("load", "läst ☃"), encoding="utf-8")
    code = f"""
import sys
from tsrnn.cli import main
sys.argv = ["tsrnn", "forecast", {str(load_csv)!r}, "--time", "time", "--target", "läst ☃", "--horizon", "2",
    "--model", "naive"]
main()
"""
    process = python(code, PYTHONIOENCODING=encoding, PYTHONUTF8="0")
    shown, told = process.communicate()
    assert process.returncode == 0 and told == ""
    assert shown.splitlines()[0].startswith("naive: l") and "2024-01-13 12:00:00" in shown


@pytest.mark.parametrize("closed", ["sys.stdout = None", "sys.stderr = None"])
def test_closed_streams_are_no_fault(load_csv, closed):
    arguments = ["tsrnn", "forecast", str(load_csv), *map(str, ARGS)]
    code = f"import sys\nfrom tsrnn.cli import main\nsys.argv = {arguments!r}\n{closed}\nmain()"
    process = python(code)
    assert process.communicate()[1] == "" and process.returncode == 0


def test_a_line_that_nobody_reads_is_no_error(monkeypatch):
    class Gone(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Gone())
    reporting.tell("note", "nobody listens")
