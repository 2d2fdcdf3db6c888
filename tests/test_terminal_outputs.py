"""Files that are written: checked before the work, whole or not at all, and before anything is shown."""

from __future__ import annotations

import gzip
import os
import stat
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from terminal import run

from tsrnn.forecasters.naive import NaiveForecaster

ARGS = ["--time", "time", "--target", "load", "--horizon", 2]


def names(folder):
    return {path.name for path in folder.iterdir()}


def shell(command, folder):
    """Run a shell command in which tsrnn is the first word of a pipe; its status, and stderr."""
    tsrnn = f"{sys.executable} -m tsrnn"
    script = f"set -o pipefail; {tsrnn} {command}"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)}
    done = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, env=environment)
    return done.returncode, done.stderr


@pytest.mark.parametrize("reader", ["| true", "2>&1 | true", "| head -1"])
def test_a_closed_pipe_loses_no_file_and_says_nothing(load_csv, tmp_path, reader):
    more = "--model naive --csv p.csv --save p.tsrnn --plot p.svg --coverage 0.9"
    status, told = shell(f"forecast load.csv --time time --target load --horizon 3000 {more} {reader}", tmp_path)
    assert names(tmp_path) == {"load.csv", "p.csv", "p.tsrnn", "p.svg"}
    assert len(pd.read_csv(tmp_path / "p.csv")) == 3000
    assert status in (0, 141) and told == ""


def test_a_closed_pipe_ends_a_command_as_it_ends_others(tmp_path):
    assert shell("datasets | true", tmp_path) == (141, "")


def test_a_comparison_is_written_before_it_is_shown(load_csv, tmp_path, monkeypatch):
    def show(*args):
        assert names(tmp_path) == {"load.csv", "c.csv", "c.png"}
        raise MemoryError

    monkeypatch.setattr("tsrnn.cli.show_comparison", show)
    outputs = ["--csv", tmp_path / "c.csv", "--plot", tmp_path / "c.png"]
    done = run("compare", load_csv, *ARGS, "--models", "drift", "--windows", 2, *outputs)
    assert done.exit_code == 1 and "error: out of memory. Lower --horizon or --windows" in done.stderr


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--csv", "load.csv"], "--output 'load.csv' is the file that is read as well"),
        (["--save", "other.csv"], "--save 'other.csv' is the file that is read as well"),
        (["--csv", "p.png", "--plot", "./p.png"], "is --output as well"),
        (["--csv", "nowhere/p.csv"], "there is no folder '"),
        (["--csv", "."], "it is a folder"),
        (["--csv", "/dev/null"], "cannot save to '/dev/null': it is a device"),
        (["--csv", "pipe"], "cannot save to 'pipe': it is a pipe"),
        (["--plot", "chart"], "--plot 'chart' must end in one of .png, .pdf, .svg"),
    ],
)
def test_outputs_that_cannot_be_are_refused_before_the_work(load_csv, tmp_path, monkeypatch, flags, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "other.csv").hardlink_to(load_csv)
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr(NaiveForecaster, "fit", lambda *args: pytest.fail("the work was begun"))
    before = load_csv.read_bytes()
    done = run("forecast", "load.csv", *ARGS, "--model", "naive", *flags)
    assert (done.exit_code, done.stdout) == (2, "") and message in done.stderr
    assert load_csv.read_bytes() == before and names(tmp_path) == {"load.csv", "other.csv", "pipe"}


def test_a_folder_without_permission_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK)
    done = run("datasets", "aapl_daily", "--csv", tmp_path / "a.csv")
    assert done.exit_code == 2 and "write-protected" in done.stderr
    done = run("demo", "--output", tmp_path)
    assert done.exit_code == 2 and "no permission" in done.stderr


def test_demo_needs_a_folder(load_csv):
    done = run("demo", "--output", load_csv)
    assert done.exit_code == 2 and "it is a file. Give the name of a folder." in done.stderr


def test_one_file_that_fails_loses_neither_the_others_nor_the_table(load_csv, tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", full)
    files = ["--csv", tmp_path / "p.csv", "--plot", tmp_path / "p.svg", "--save", tmp_path / "p.tsrnn"]
    done = run("forecast", load_csv, *ARGS, "--model", "naive", *files)
    assert done.exit_code == 1 and done.stdout.startswith("naive: load")
    assert done.stderr.count("\n") == 1 and "p.csv' was not written: [Errno 28] No space left" in done.stderr
    assert names(tmp_path) == {"load.csv", "p.svg", "p.tsrnn"}


def test_an_output_that_fails_leaves_the_old_file_as_it_was(load_csv, tmp_path, monkeypatch):
    def fail(frame, stream, **options):
        stream.write(b"half")
        raise OSError(28, "No space left on device")

    (tmp_path / "p.csv").write_text("old")
    monkeypatch.setattr(pd.DataFrame, "to_csv", fail)
    run("forecast", load_csv, *ARGS, "--model", "naive", "--csv", tmp_path / "p.csv")
    assert (tmp_path / "p.csv").read_text() == "old" and names(tmp_path) == {"load.csv", "p.csv"}


def test_an_output_keeps_the_mode_of_the_file_that_it_replaces(load_csv, tmp_path):
    (tmp_path / "p.csv").write_text("old")
    (tmp_path / "p.csv").chmod(0o640)
    run("forecast", load_csv, *ARGS, "--model", "naive", "--csv", tmp_path / "p.csv")
    assert stat.S_IMODE((tmp_path / "p.csv").stat().st_mode) == 0o640
    assert len(pd.read_csv(tmp_path / "p.csv")) == 2


def test_a_table_is_compressed_as_its_name_says(load_csv, tmp_path):
    run("forecast", load_csv, *ARGS, "--model", "naive", "--csv", tmp_path / "p.csv")
    run("forecast", load_csv, *ARGS, "--model", "naive", "--csv", tmp_path / "p.csv.gz")
    assert gzip.decompress((tmp_path / "p.csv.gz").read_bytes()) == (tmp_path / "p.csv").read_bytes()
