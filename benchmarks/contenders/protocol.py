"""What every contender of engine.py shares: the protocol, the data and the work. NumPy and the standard library only.

A contender is a script that answers requests, a JSON object a line on its standard input, with a JSON object a line:
`{"do": "train", "case": "W1 LSTM"}` -> `{"rate": 17361.0}`, or `{"error": "..."}`. It stays alive between requests, so
that imports and compilation are paid once where they are not what is measured. Everything a library prints goes to the
standard error stream.
"""

from __future__ import annotations

import csv
import json
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

CSV = Path(__file__).parents[2] / "datasets" / "ny_airports_weather_hourly.csv"
ROUND_SECONDS = float(os.environ.get("ROUND_SECONDS", "1.5"))  # of one measurement of training


class Case(NamedTuple):
    """A network and the windows that it is trained on: many-to-one, one output, Adam, squared error."""

    cell: str
    layers: int
    bidirectional: bool
    n_steps: int
    n_features: int
    units: int
    batch_size: int
    n_windows: int  # of one epoch: a multiple of the batch size


W1, W2, W3 = (24, 1, 32, 32, 8192), (96, 7, 64, 64, 2048), (168, 7, 128, 128, 512)
CASES = {
    "W1 LSTM": Case("lstm", 1, False, *W1),
    "W2 LSTM": Case("lstm", 1, False, *W2),
    "W3 LSTM": Case("lstm", 1, False, *W3),
    "W2 GRU": Case("gru", 1, False, *W2),
    "W2 2 layers": Case("lstm", 2, False, *W2),
    "W2 bidirectional": Case("lstm", 1, True, *W2),
}


class Job(NamedTuple):
    """What one network of jobs A and B is trained with."""

    window: int
    horizon: int
    epochs: int
    batch_size: int = 32


A, B = Job(window=168, horizon=24, epochs=5), Job(window=24, horizon=1, epochs=3)
UNITS, LEARNING_RATE = 32, 1e-3  # of job A
N_TEST, N_ORIGINS = 480, 20  # hours held back in job A, and origins in them, 24 hours apart
SIZES, RATES, FOLDS, FOLD = (16, 32, 64), (1e-3, 3e-3), 3, 24  # of job B; each fold is scored on 24 hours
N_HOURS_B = 2000


def series(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Return rows (n_windows + n_steps, n_features) and the target of each window; noise will do to measure speed."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(case.n_windows + case.n_steps, case.n_features)).astype(np.float32)
    return rows, rng.normal(size=(case.n_windows, 1)).astype(np.float32)


def dense(rows: np.ndarray, n_steps: int) -> np.ndarray:
    """All windows but the last, which nothing follows: (n, n_steps, n_features), contiguous."""
    view = np.lib.stride_tricks.sliding_window_view(rows[:-1], n_steps, axis=0)
    return np.ascontiguousarray(np.moveaxis(view, -1, 1))


def jfk() -> tuple[np.ndarray, np.ndarray]:
    """Hours and temperatures at JFK on the full hourly grid, gaps interpolated."""
    with CSV.open(newline="") as lines:
        rows = [row for row in csv.reader(lines) if row[0] == "JFK"]
    pairs = [(row[1].removesuffix("Z"), float(row[2] or "nan")) for row in rows]
    stamps, values = np.array([p[0] for p in pairs], "datetime64[h]"), np.array([p[1] for p in pairs])
    grid, known = np.arange(stamps[0], stamps[-1] + 1), np.isfinite(values)
    hours = (stamps - stamps[0]).astype(int)
    return grid.astype("datetime64[s]"), np.interp(np.arange(len(grid)), hours[known], values[known])


def origins(n_rows: int) -> list[int]:
    """Row of the last known hour of each origin of job A."""
    return [n_rows - N_TEST - 1 + 24 * i for i in range(N_ORIGINS)]


def folds(n_rows: int) -> list[int]:
    """How many rows each fold of job B trains on, as TimeSeriesSplit(FOLDS, test_size=FOLD) has it."""
    return [n_rows - FOLD * i for i in range(FOLDS, 0, -1)]


def windows_of(values: np.ndarray, job: Job) -> tuple[np.ndarray, np.ndarray]:
    """Windows (n, window, 1) and what follows each (n, horizon), float32: how a script without a library begins."""
    values = values.astype(np.float32)
    y = np.lib.stride_tricks.sliding_window_view(values[job.window :], job.horizon)
    X = np.lib.stride_tricks.sliding_window_view(values, job.window)[: len(y)]
    return X[:, :, None], y


def standardised(values: np.ndarray, n_train: int) -> tuple[np.ndarray, float, float]:
    mean, scale = values[:n_train].mean(), values[:n_train].std()
    return (values - mean) / scale, mean, scale


def timed(function: Callable[[], Any], repeats: int = 1) -> tuple[Any, float]:
    """Return what the function gives and the median of its seconds."""
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = function()
        seconds.append(time.perf_counter() - start)
    return result, sorted(seconds)[len(seconds) // 2]


def since_start() -> float:
    """Seconds since engine.py started this process: the interpreter and every import so far."""
    return time.time() - float(os.environ.get("SPAWNED", time.time()))


def peak_mb() -> float:
    """Largest resident memory of this process so far, in MB (2**20 bytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def resident_mb() -> float:
    """Resident memory of this process now, in MB."""
    with open("/proc/self/statm") as numbers:
        return int(numbers.read().split()[1]) * resource.getpagesize() / 2**20


def mae(actual: np.ndarray, forecast: np.ndarray) -> float:
    """Shown beside the times, so that a contender that learnt nothing would be seen."""
    return float(np.abs(np.asarray(actual) - np.asarray(forecast)).mean())


def truth(values: np.ndarray) -> np.ndarray:
    """What came after each origin of job A: (N_ORIGINS, 24)."""
    return np.array([values[row + 1 : row + 25] for row in origins(len(values))])


class Pace:
    """Trains for about `ROUND_SECONDS` at a time: `run(epochs)` is called with as many epochs as that takes."""

    def __init__(self, run: Callable[[int], Any], n_windows: int):
        self._run, self._n_windows = run, n_windows
        run(1)  # compiles
        _, seconds = timed(lambda: run(1))
        self._epochs = max(1, round(ROUND_SECONDS / seconds))

    def rate(self) -> float:
        """Windows per second: forward, backward and update, over shuffled batches, without validation."""
        _, seconds = timed(lambda: self._run(self._epochs))
        return self._n_windows * self._epochs / seconds


def serve(make_training: Callable[[Case], Callable[[int], Any]] | None, *packages: str, **others: Callable) -> None:
    """Answer requests until the standard input ends.

    Parameters
    ----------
    make_training : callable
        From a case to `run(epochs)`, which trains a network for that many epochs.
    *packages : str
        Whose versions the answer to "versions" holds.
    **others : callable
        More requests: each function takes the request's other entries by name and returns a dictionary.
    """
    import_seconds = since_start()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    paces: dict[str, Pace] = {}

    def train(case: str) -> dict:
        if case not in paces:
            paces[case] = Pace(make_training(CASES[case]), CASES[case].n_windows)
            return {}  # made ready
        return {"rate": paces[case].rate()}

    def versions() -> dict:
        return {package: version(package) for package in packages}

    requests = {"train": train, "versions": versions, **others}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = requests[request.pop("do")](**request)
            answer = {"import": import_seconds, "peak": peak_mb(), **answer}
        except Exception as exc:
            traceback.print_exc()
            answer = {"error": f"{type(exc).__name__}: {exc}"}
        print(json.dumps(answer), file=answers, flush=True)
