"""What teacher forcing saves and what it costs: seconds of an epoch, and errors with and without a teacher.

    python benchmarks/teacher_forcing.py

Prints two tables in Markdown; about four minutes on one core.

- Jordan's network, whose only recurrence is through its output, on sequences of several lengths. "Parallel": the true
  targets are fed back, all steps of a window are trained together. "Sequential": the same network and equations, step
  after step, since each target is fed back only if a coin says so; the coin always does. "Free running": its own
  outputs are fed back, and gradients go back through them.
- Forecasts of the temperature at JFK for 24 hours: the last fifth of the windows are the test part. Free running and
  teacher-forced errors of networks trained with a teacher, without, and with one that goes.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from importlib.metadata import version
from statistics import median

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from reporting import head, row

from tsrnn import OutputRecurrentRegressor, Seq2SeqRegressor, datasets, make_windows

LENGTHS = (24, 96, 384)
ROUNDS = 5
FORCINGS = {"teacher": 1.0, "linear": "linear", "half": 0.5, "free": 0.0}
NETWORKS = {
    "Jordan": lambda **options: OutputRecurrentRegressor("dense", 64, **options),
    "output-recurrent GRU": lambda **options: OutputRecurrentRegressor("gru", 32, **options),
    "encoder-decoder, GRU": lambda **options: Seq2SeqRegressor("gru", 32, segment=8, **options),
}


def epoch_seconds(n_steps: int, forcing, epochs: int = 3) -> float:
    """Return the time of one epoch over 2,048 windows: that of a fit less that of one with an epoch fewer."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2048, n_steps, 4)).astype(np.float32)
    y = np.cumsum(X[:, :, 0], axis=1) / np.sqrt(n_steps)
    seconds = []
    for n in (1, 1 + epochs):
        model = OutputRecurrentRegressor(
            "dense", 64, teacher_forcing=forcing, return_sequences=True, epochs=n, early_stopping=False, random_state=0
        )
        start = time.perf_counter()
        model.fit(X, y)
        seconds.append(time.perf_counter() - start)
    return (seconds[1] - seconds[0]) / epochs


def speed() -> None:
    print("\n#### Jordan's network, seconds of an epoch\n")
    head("steps", "parallel", "sequential", "free running", "sequential / parallel", "free running / parallel")
    ways = {"parallel": 1.0, "sequential": lambda _: 1.0, "free": 0.0}
    for n_steps in LENGTHS:
        for forcing in ways.values():
            epoch_seconds(n_steps, forcing, 1)  # compiles
        rounds = [[epoch_seconds(n_steps, forcing) for forcing in ways.values()] for _ in range(ROUNDS)]
        parallel, sequential, free = (median(times) for times in zip(*rounds, strict=True))
        ratios = (f"{sequential / parallel:.1f}", f"{free / parallel:.1f}")
        row(str(n_steps), *(f"{seconds:.3f}" for seconds in (parallel, sequential, free)), *ratios)


def errors() -> None:
    print("\n#### Temperature at JFK, root mean squared error in standard deviations, at 1 / 24 hours and over all\n")
    temperature = datasets.load_jfk_weather()[["temp"]].interpolate()
    n_training = int(0.8 * len(temperature))
    scaled = (temperature - temperature[:n_training].mean()) / temperature[:n_training].std()
    X, y = make_windows(scaled, window=96, horizon=24, stride=3)
    split = int(0.8 * len(X))
    X_train, y_train, X_test, y_test = X[: split - 8], y[: split - 8], X[split:], y[split:]
    head("network", "teacher in training", "teacher-forced", "free running", "seconds")
    for name, make in NETWORKS.items():
        for forcing, share in FORCINGS.items():
            start = time.perf_counter()
            model = make(teacher_forcing=share, epochs=30, random_state=0, early_stopping=True).fit(X_train, y_train)
            seconds = time.perf_counter() - start
            table = model.exposure_bias(X_test, y_test)
            whole = np.sqrt((table**2).mean())
            cells = [
                f"{table[how].iloc[0]:.3f} / {table[how].iloc[-1]:.3f}; {whole[how]:.3f}"
                for how in ("teacher_forced", "free_running")
            ]
            row(name, forcing, *cells, f"{seconds:.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", choices=("speed", "errors"), help="run one of the two only")
    part = parser.parse_args().part
    packages = ", ".join(f"{name} {version(name)}" for name in ("tsrnn", "keras", "tensorflow", "numpy"))
    print(f"{os.cpu_count()} cores, {platform.machine()}, one thread; Python {platform.python_version()}, {packages}.")
    if part != "errors":
        speed()
    if part != "speed":
        errors()


if __name__ == "__main__":
    main()
