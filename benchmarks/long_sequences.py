"""Long sequences: memory and time of training in pieces, and of forecasts one observation at a time.

    python benchmarks/long_sequences.py

Prints two tables in Markdown; about a minute on one core.

- One sequence of two features, LSTM of 32 units, native engine, three epochs: read whole, which unrolls the network
  over all steps, and in pieces of 100 steps with the state carried. Each line is a process of its own; memory is what
  the fit adds to the largest resident set.
- After n observations, the time of the next forecast: `predict` on all that was read so far, and `stream().update`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from importlib.metadata import version
from statistics import median

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from reporting import head, peak_mb, row

from tsrnn import LSTMRegressor

LENGTHS = (2_000, 20_000, 200_000)
EPOCHS = 3
ROUNDS = 3


def data(n_steps: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1, n_steps, 2)).astype(np.float32)
    return X, np.convolve(X[0, :, 0], 0.9 ** np.arange(50))[None, :n_steps].astype(np.float32)


def make(**options) -> LSTMRegressor:
    return LSTMRegressor(
        32, return_sequences=True, engine="native", early_stopping=False, random_state=0, shuffle=False, **options
    )


def measure_fit(n_steps: int, piece: int | None) -> dict:
    X, y = data(n_steps)
    make(epochs=1, tbptt_steps=piece and 10).fit(X[:, :200], y[:, :200])  # imports
    before, start = peak_mb(), time.perf_counter()
    model = make(epochs=EPOCHS, tbptt_steps=piece).fit(X, y)
    seconds = (time.perf_counter() - start) / EPOCHS
    error = float(np.square(model.predict(X) - y).mean() / y.var())
    return {"memory": peak_mb() - before, "seconds": seconds, "error": error}


def training() -> None:
    print("\n#### Training\n")
    head("steps", "read", "memory (MB)", "seconds of an epoch", "squared error / variance after 3 epochs")
    for n_steps in LENGTHS:
        for piece in (None, 100):
            runs = []
            for _ in range(ROUNDS):
                command = [sys.executable, __file__, "--fit", str(n_steps), str(piece or 0)]
                runs.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
            memory, seconds = (median(run[name] for run in runs) for name in ("memory", "seconds"))
            how = "whole" if piece is None else f"in pieces of {piece}"
            row(f"{n_steps:,}", how, f"{memory:.0f}", f"{seconds:.3f}", f"{runs[0]['error']:.3f}")


def streaming() -> None:
    print("\n#### The next forecast\n")
    head("observations so far", "predict (ms)", "stream (ms)", "largest difference")
    X, y = data(20_000)
    model = make(epochs=2, tbptt_steps=100).fit(X, y)
    for n_steps in (100, 1_000, 10_000):
        stream = model.stream()
        last = [stream.update(x) for x in X[0, :n_steps]][-1]
        seconds: dict[str, list[float]] = {"predict": [], "stream": []}
        for i in range(20):
            start = time.perf_counter()
            model.predict(X[:, : n_steps + i])
            middle = time.perf_counter()
            stream.update(X[0, n_steps + i])
            seconds["predict"].append(middle - start)
            seconds["stream"].append(time.perf_counter() - middle)
        difference = abs(last - model.predict(X[:, :n_steps])[0, -1])
        row(f"{n_steps:,}", *(f"{1000 * median(times):.3f}" for times in seconds.values()), f"{difference:.1g}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fit", nargs=2, type=int, help=argparse.SUPPRESS)  # one line of the table
    arguments = parser.parse_args()
    if arguments.fit:
        n_steps, piece = arguments.fit
        print(json.dumps(measure_fit(n_steps, piece or None)))
        return
    packages = ", ".join(f"{name} {version(name)}" for name in ("tsrnn", "numpy"))
    print(f"{os.cpu_count()} cores, {platform.machine()}, one thread; Python {platform.python_version()}, {packages}.")
    training()
    streaming()


if __name__ == "__main__":
    main()
