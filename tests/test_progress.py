"""How far long work has come: what is shown, when, and to whom."""

from __future__ import annotations

import contextvars
import multiprocessing
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.model_selection import GridSearchCV, cross_val_score

from tsrnn import _bar, _progress
from tsrnn._progress import Work, is_repeated, line, work

ROOT = Path(__file__).parent.parent
pty = pytest.importorskip("pty", reason="terminals are made by POSIX")


def done(title="", total=1, done=0.0, doing="", note="", started=0.0, **more) -> Work:
    made = Work(title, total, **more)
    made.done, made.doing, made.note, made.started = done, doing, note, started
    return made


def fit(note="loss 0.21  val_loss 0.34", now_epoch=15):
    """The works of the fit of a forecaster: trainings, networks, epochs."""
    return (
        done("GRUForecaster", 2, at_most=True),
        done("", 2, 0, "network 1 of 2"),
        done("GRURegressor", 30, now_epoch, f"epoch {now_epoch + 1} of up to 30", note, detail=True),
    )


# -- the line --------------------------------------------------------------------------------------------------------


def test_a_line_says_what_how_far_and_how_long():
    assert line(fit(), 140, now=20.0) == (
        "GRUForecaster: network 1 of 2  ━━──────────────────  epoch 16 of up to 30  loss 0.21  val_loss 0.34  20 s"
        "  up to 2 min left"
    )
    # Three of four networks are done, in 30 s.
    again = (done("GRUForecaster", 2, 1, "again, on all windows"), done("", 2, 1, "network 2 of 2"))
    assert line(again, 90, now=30.0) == (
        "GRUForecaster: again, on all windows, network 2 of 2  ━━━━━━──  30 s  about 10 s left"
    )


@pytest.mark.parametrize("width", [10, 20, 60, 79, 99, 100, 120, 200])
def test_a_line_keeps_to_its_width_and_gives_up_the_least_first(width):
    text = line(fit(), width, now=20.0)
    assert len(text) <= width
    assert text.startswith("GRUForeca")
    assert ("epoch 16 of up to 30" in text) == (width >= 60)
    assert ("up to 2 min left" in text) == (width >= 79)
    assert ("network 1 of 2" in text) == (width >= 79)
    assert ("val_loss 0.34" in text) == (width >= 99)
    assert ("  loss 0.21" in text) == (width >= 120)
    assert ("  20 s" in text) == (width >= 200)


def test_works_within_works_are_told_from_the_outermost_in():
    works = (done("Comparing", 5, 0, "gru (1 of 5)", even=False), done("", 2, 0, "fit 1 of 2"), *fit())
    works[2].doing = "again, on all windows"
    assert "gru (1 of 5), fit 1 of 2, again, on all windows, network 1 of 2  ─" in line(works, 160, now=20.0)
    narrow = line(works, 79, now=20.0)
    assert narrow.startswith("Comparing: gru (1 of 5)  ─")
    assert "epoch 16 of up to 30" in narrow
    assert narrow.endswith("for it")


@pytest.mark.parametrize("seed", range(5))
def test_the_share_done_is_that_of_units_within_units(seed):
    rng = np.random.default_rng(seed)
    totals = rng.integers(1, 6, size=3)
    counts = [int(rng.integers(0, total)) for total in totals]
    works = tuple(done("", int(total), count) for total, count in zip(totals, counts, strict=True))
    # As a slow count: all innermost units before this one.
    before = counts[2] + totals[2] * (counts[1] + totals[1] * counts[0])
    assert _progress._share(works) == pytest.approx(before / totals.prod())


def test_the_time_left_of_a_comparison_is_that_of_the_model_in_progress():
    models = done("Comparing", 5, 1, "gru, 2 of 5", even=False)
    works = (models, done("", 1, started=90.0), done("", 10, 5, started=90.0))
    assert _progress._left(works, now=100.0) == "about 10 s for it"
    assert _progress._left((models,), now=100.0) == ""


def test_nothing_is_said_of_the_time_left_before_something_is_done():
    assert _progress._left((done("", 10, 0),), now=100.0) == ""
    assert _progress._left((done("", 10, 10),), now=100.0) == ""


def test_the_first_epochs_are_timed_without_what_came_before_them():
    # 60 s of preparation, then 2 of 10 epochs of the first of 3 networks in 2 s: 28 epochs are left.
    works = (done("", 3, started=0.0), done("", 10, 2, started=60.0))
    assert _progress._left(works, now=62.0) == "about 30 s left"
    # A network that stopped early says nothing of the next: 19 epochs are left, of a second each.
    works = (done("", 2, 1, at_most=True, started=0.0), done("", 20, 1, started=6.0))
    assert _progress._left(works, now=7.0) == "up to 20 s left"
    # Once a network is done, networks are timed: 2 in 20 s, and a tenth of the third.
    works = (done("", 3, 2, started=0.0), done("", 10, 1, started=18.0))
    assert _progress._left(works, now=21.0) == "about 9 s left"


# -- works in works --------------------------------------------------------------------------------------------------


def test_units_are_counted_and_named():
    with work("fit", 2, show=0) as networks:
        seen = []
        for _ in range(2):
            with networks.unit("network", numbered=True):
                seen.append((networks.doing, networks.done))
        assert seen == [("network 1 of 2", 0), ("network 2 of 2", 1)]
        assert networks.done == 2
    with work("fit", 1, show=0) as networks, networks.unit("network", numbered=True):
        assert networks.doing == ""


def test_the_share_does_not_fall_when_the_work_that_was_a_unit_has_ended():
    with work("fit", 2, show=0) as networks:
        shares = []
        for _ in range(2):
            with networks.unit("network"):
                with work("", 3) as inner:
                    for _ in range(3):
                        inner.done += 1
                        shares.append(_progress._share((networks, inner)))
                shares.append(_progress._share((networks,)))
            shares.append(_progress._share((networks,)))
    assert shares == pytest.approx([1 / 6, 1 / 3, *[1 / 2] * 3, 2 / 3, 5 / 6, *[1] * 3])


def test_a_unit_that_fails_is_not_done():
    with work("fit", 2, show=0) as networks:
        with pytest.raises(ValueError), networks.unit("network"):
            raise ValueError
        assert networks.done == 0


def test_work_inside_work_is_a_part_of_it_and_leaves_it_after_an_error():
    with work("outer", 2, show=0):
        tracker = _progress._tracker.get()
        with pytest.raises(ValueError), work("inner", 3, show=1):
            assert [w.title for w in tracker.works] == ["outer", "inner"]
            raise ValueError
        assert [w.title for w in tracker.works] == ["outer"]
    assert _progress._tracker.get() is None


def test_a_thread_with_the_context_of_another_does_not_mix_in():
    def inner():
        with work("inner", 1):
            seen.append([w.title for w in _progress._tracker.get().works])

    seen = []
    with work("outer", 1, show=0):
        context = contextvars.copy_context()
        thread = threading.Thread(target=context.run, args=(inner,))
        thread.start()
        thread.join()
    assert seen == [["outer"]]


# -- one of many fits ------------------------------------------------------------------------------------------------


class Told(RegressorMixin, BaseEstimator):
    """Keeps whether its fit was one of many."""

    seen: list = []

    def __init__(self, a=0):
        self.a = a

    def fit(self, X, y):
        type(self).seen.append(is_repeated())
        return self

    def predict(self, X):
        return np.zeros(len(X))


def answer(_=None):
    return is_repeated()


def test_fits_of_searches_and_parallel_workers_are_known():
    assert not is_repeated()
    X, y = np.zeros((6, 1)), np.arange(6.0)
    Told.seen = []
    GridSearchCV(Told(), {"a": [1, 2]}, cv=2).fit(X, y)  # the last fit is that of the best
    cross_val_score(Told(), X, y, cv=2)
    assert Told.seen == [True] * (5 + 2)
    Told().fit(X, y)
    assert Told.seen[-1] is False
    for backend in ("sequential", "threading"):
        assert joblib.Parallel(n_jobs=2, backend=backend)([joblib.delayed(answer)()] * 2) == [True, True]


@pytest.mark.slow
def test_fits_of_worker_processes_are_known():
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(answer, [0]) == [True]
    assert joblib.Parallel(n_jobs=2, backend="loky")([joblib.delayed(answer)()] * 2) == [True, True]


@pytest.mark.parametrize(
    ("show", "environment", "seen", "delay"),
    [
        ("auto", {}, True, _progress.DELAY),
        ("auto", {"CI": "true"}, True, None),
        ("auto", {"CI": "false"}, True, _progress.DELAY),
        ("auto", {"PYTEST_CURRENT_TEST": "x"}, True, None),
        ("auto", {}, False, None),
        (0, {}, True, None),
        (False, {}, True, None),
        (1, {"CI": "true"}, False, 0.0),
    ],
)
def test_who_is_shown_a_bar(show, environment, seen, delay, monkeypatch):
    for name in ("CI", "PYTEST_CURRENT_TEST"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(_progress.Bar, "on_terminal", staticmethod(lambda: seen))
    assert _progress._delay(show) == delay
    other = []
    thread = threading.Thread(target=lambda: other.append(_progress._delay("auto")))
    thread.start()
    thread.join()
    assert other == [None]


# -- a terminal ------------------------------------------------------------------------------------------------------

SCRIPT = """
import sys, time, warnings
import numpy as np, pandas as pd
warnings.simplefilter("ignore")
import tsrnn
from tsrnn import _progress, _bar
_progress.DELAY, _bar.LOOK, _bar._Terminal.period, _bar._Notebook.period = 0.0, 0.01, 0.01, 0.05
X = np.random.default_rng(0).normal(size=(64, 20, 1))
y = X[:, -1, 0]
wave = pd.DataFrame({"y": np.sin(np.arange(400.0))}, pd.date_range("2024-01-01", periods=400, freq="h"))
class Slow:
    "A callback would load Keras: a schedule is called in each epoch as well."
    def __call__(self, epoch):
        time.sleep(0.08)
        return 1.0
quick = {"epochs": 6, "random_state": 0, "learning_rate_schedule": Slow()}
def regressor(**more):
    return tsrnn.GRURegressor(**{"units": 2} | quick | more)
def forecaster(**more):
    return tsrnn.GRUForecaster(**{"window": 24, "horizon": 3, "units": 2} | quick | more)
"""
LIVE = {"TERM": "xterm", "COLUMNS": "150", "LINES": "24"}


def on_terminal(code: str, *, environment=LIVE, interrupt_at: str | None = None, stdout=None) -> str:
    """Run code with stderr (and stdout) on a new terminal, and return all that was written there."""
    main, side = pty.openpty()
    env = {name: value for name, value in os.environ.items() if name not in ("CI", "PYTEST_CURRENT_TEST")}
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT + code],
        cwd=ROOT,
        env=env | environment,
        stdin=subprocess.DEVNULL,
        stdout=side if stdout is None else stdout,
        stderr=side,
    )
    os.close(side)
    written = b""
    while True:
        try:
            piece = os.read(main, 4096)
        except OSError:  # the other side is closed
            break
        if not piece:
            break
        written += piece
        if interrupt_at is not None and interrupt_at.encode() in written:
            process.send_signal(signal.SIGINT)
            interrupt_at = None
    os.close(main)
    process.wait(timeout=60)
    return written.decode("utf-8", "replace")


def epochs(text: str) -> list[int]:
    """The epochs shown, each once."""
    found = [int(number) for number in re.findall(r"epoch (\d+) of", text)]
    return [number for i, number in enumerate(found) if i == 0 or number != found[i - 1]]


def is_cleared(text: str) -> bool:
    """Whether the last line shown was erased, and the cursor is back."""
    return text.rfind("\x1b[2K") > text.rfind("epoch") and text.rfind("\x1b[?25h") > text.rfind("\x1b[?25l")


def test_a_fit_on_a_terminal_shows_its_epochs_and_clears_them():
    shown = on_terminal("regressor().fit(X, y)\nprint('after')")
    assert "GRURegressor" in shown
    assert len(epochs(shown)) >= 3
    assert epochs(shown) == sorted(epochs(shown))
    assert "loss 0." in shown or "loss 1." in shown
    assert is_cleared(shown)
    assert shown.rstrip().endswith("after")


def test_what_is_silent_and_what_is_not():
    shown = on_terminal(
        """
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
import joblib
def step(name):
    print(f"[{name}]", flush=True)
step("zero"); regressor(verbose=0).fit(X, y)
step("search"); GridSearchCV(regressor(verbose=1), {"units": [2]}, cv=2).fit(X, y)
step("threads"); joblib.Parallel(2, backend="threading")(joblib.delayed(regressor().fit)(X, y) for _ in range(2))
import os
for name, value in {"CI": "1", "PYTEST_CURRENT_TEST": "some test", "TERM": "dumb"}.items():
    before = os.environ.get(name, "")
    os.environ[name] = value
    step(name); regressor().fit(X, y)
    os.environ[name] = before
del os.environ["PYTEST_CURRENT_TEST"]
step("late"); _progress.DELAY = 60; regressor().fit(X, y)
step("one"); regressor(verbose=1).fit(X, y)
step("end")
"""
    )
    part = dict(re.findall(r"\[(\w+)\](.*?)(?=\[\w+\]\s)", shown, flags=re.S))
    assert {name for name, text in part.items() if "epoch" in text} == {"one"}
    assert set(part) == {"zero", "search", "threads", "CI", "PYTEST_CURRENT_TEST", "TERM", "late", "one"}
    # What was asked for leaves a line.
    assert "GRURegressor (native engine)" in part["one"] or "GRURegressor (Keras" in part["one"]
    assert re.search(r"epoch 6 of 6  loss \S+\s+\d+ s\s*$", part["one"])


def test_nothing_is_written_to_a_pipe_unless_it_was_asked_for():
    code = SCRIPT + "regressor().fit(X, y)\nforecaster().fit(wave)\nregressor(verbose=1).fit(X, y)"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout == ""
    assert re.fullmatch(r"GRURegressor \(.*\).*epoch 6 of 6  loss \S+  \d+ s\n", run.stderr)


def test_ctrl_c_takes_the_bar_away():
    code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\nregressor(epochs=500).fit(X, y)"
    shown = on_terminal(code, interrupt_at="loss")
    assert "TrainingInterrupted" in shown
    assert is_cleared(shown[: shown.index("Traceback")])


def test_what_is_printed_meanwhile_goes_where_it_was_sent(tmp_path):
    code = """
class Loud(Slow):
    def __call__(self, epoch):
        print("epoch by print", epoch, flush=True)
        return super().__call__(epoch)
regressor(learning_rate_schedule=Loud()).fit(X, y)
"""
    with open(tmp_path / "out", "wb") as stdout:
        shown = on_terminal(code, stdout=stdout)
    assert set((tmp_path / "out").read_text().splitlines()) == {f"epoch by print {i}" for i in range(6)}
    assert "by print" not in shown
    assert "GRURegressor" in shown


def test_a_line_is_drawn_in_the_characters_that_the_terminal_has():
    assert _bar._encodable("a  ━━──", "utf-8") == "a  ━━──"
    assert _bar._encodable("ä  ━━──", "ascii") == "?  ##--"
    assert _bar._encodable("a  ━━──", "latin-1") == "a  ##--"


def test_a_slow_reader_is_waited_for_by_nobody():
    # A bar that is due when the work is over is not drawn any more.
    bar = _progress.Bar(lambda width: "", 0.0, must_tell=False)
    start = time.monotonic()
    bar.close(None)
    assert time.monotonic() - start < 5


def test_a_forecaster_shows_its_networks_and_the_second_training():
    shown = on_terminal(
        """
learns = {"units": 8, "learning_rate": 0.05, "batch_size": 16, "linear": False, "normalize": False}
model = forecaster(early_stopping=True, n_members=2, epochs=8, **learns).fit(wave)
print("anew:", [network.n_iter_ for network in model.regressor_.networks])
"""
    )
    assert "GRURegressor" not in shown
    first, _, second = shown.partition("again, on all windows")
    for part in (first, second):
        assert "network 1 of 2" in part
        assert "network 2 of 2" in part
    assert {int(last) for last in re.findall(r"epoch \d+ of up to (\d+)", first)} == {8}
    # The second training is as long as was best.
    anew = {int(last) for last in re.findall(r"epoch \d+ of (\d+)", second)}
    assert anew == set(map(int, re.findall(r"\d+", shown[shown.index("anew:") :])))
    assert is_cleared(shown)


@pytest.mark.slow
def test_a_notebook_shows_a_line_that_moves_and_goes():
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    seen = []

    class Client(nbclient.NotebookClient):
        def process_message(self, msg, cell, cell_index):
            if msg["msg_type"] in ("display_data", "update_display_data"):
                seen.append(msg["content"]["data"]["text/plain"])
            return super().process_message(msg, cell, cell_index)

    code = SCRIPT + "regressor(epochs=20).fit(X, y)\nregressor(verbose=0).fit(X, y);"
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    quiet = {name: os.environ.pop(name) for name in ("CI", "PYTEST_CURRENT_TEST") if name in os.environ}
    try:
        Client(book, timeout=120).execute()
    finally:
        os.environ.update(quiet)
    assert seen[0] == seen[-1] == ""
    assert len(epochs("\n".join(seen))) >= 3
    assert [output.output_type for output in book.cells[0].outputs] == ["display_data"]


def test_a_comparison_has_one_bar_which_the_fits_move():
    shown = on_terminal(
        """
models = {"gru": forecaster(verbose=1, linear=False), "rnn": tsrnn.SimpleRNNForecaster(window=24, units=2, **quick)}
result = tsrnn.compare(models, wave, target="y", horizon=3, n_windows=2, refit=True)
_progress.DELAY = 60
tsrnn.compare({"gru": forecaster()}, wave, target="y", horizon=3, n_windows=1, progress=False)
"""
    )
    assert "Comparing: gru (1 of" in shown
    assert "Comparing: rnn (2 of" in shown
    assert "fit 1 of 2" in shown
    assert "fit 2 of 2" in shown
    assert len(epochs(shown)) > 6
    assert "GRUForecaster" not in shown
    assert is_cleared(shown)
    # The bar goes forward only.
    full = [len(bar) for bar in re.findall(r"  (━*)─", shown)]
    assert full == sorted(full)
    assert full[-1] > full[0]
