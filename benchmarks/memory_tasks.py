"""Tasks that tell recurrent networks apart, on made data: how long, and how exactly, does each network remember?

    python benchmarks/memory_tasks.py [--task "adding, 200 steps" ...] [--networks LSTM GRU] [--seeds 3]
    ... --json results.jsonl     keep what was measured, and measure only what the file does not hold
    ... --tune                   the least validation loss at several learning rates instead, without the test part

Prints one GitHub table with the machine and the versions; progress goes to the standard error stream. About 20 minutes
on one core, more than half of it for the networks that Keras computes.

Training, validation and test windows of a task are drawn with seeds of their own; the seeds of the table are those of
the networks. All are trained in the same way (`SETTINGS`) but for their learning rates, which were chosen on the
validation windows (--tune), once for all tasks. The validation windows also say which epoch's weights are kept; the
test part is only scored. Within a task the trained networks have about as many parameters; minGRU has fewer.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
from reporting import head, row
from sklearn.linear_model import LinearRegression

from tsrnn.exceptions import CapacityWarning
from tsrnn.regressors import (
    ConvRegressor,
    EchoStateRegressor,
    FeedForwardRegressor,
    GRURegressor,
    LSTMRegressor,
    MinGRURegressor,
    SimpleRNNRegressor,
)

Windows = tuple[np.ndarray, np.ndarray]  # X (n_windows, n_steps, n_features) and y
Key = tuple[str, str, int, float | None]  # the learning rate is None but where several are tried
FIELDS = ("task", "network", "seed", "learning_rate")

# ------------------------------------------------------------------ tasks


def adding(rng: np.random.Generator, n_windows: int, n_steps: int) -> Windows:
    """The adding problem: the sum of two marked values, one in each half of the window.

    Feature 0 is uniform on [0, 1]; feature 1 is 1 at the two marked steps and 0 elsewhere. The mean predicts with a
    loss of 2 / 12 = 0.167. Hochreiter and Schmidhuber (1997); Le, Jaitly and Hinton (2015); one mark in each half as in
    Arjovsky, Shah and Bengio (2016).
    """
    X = np.zeros((n_windows, n_steps, 2), dtype=np.float32)
    X[..., 0] = rng.random((n_windows, n_steps))
    first = rng.integers(0, n_steps // 2, n_windows)
    second = rng.integers(n_steps // 2, n_steps, n_windows)
    rows = np.arange(n_windows)
    X[rows, first, 1] = X[rows, second, 1] = 1
    return X, X[rows, first, 0] + X[rows, second, 0]


def copy_memory(rng: np.random.Generator, n_windows: int, delay: int, n_symbols: int = 10, n_kinds: int = 8) -> Windows:
    """The copying problem: symbols are to be given back in their order, when a mark says so.

    A window holds the symbols, `delay` - 1 blanks, the mark, and as many blanks as symbols; the target is blank up to
    the mark, and the symbols after it. The inputs are one-hot: a feature for each kind of symbol, the blank and the
    mark. The target has a channel for each kind, all 0 for a blank, so that it can be regressed on. Without memory the
    best prediction of a symbol is 1 / `n_kinds` in each channel: for 8 kinds a squared error of 7 / 64 at each of the
    last steps. Arjovsky, Shah and Bengio (2016), where it is a classification.
    """
    symbols = rng.integers(n_kinds, size=(n_windows, n_symbols))
    codes = np.full((n_windows, delay + 2 * n_symbols), n_kinds)
    codes[:, :n_symbols] = symbols
    codes[:, n_symbols + delay - 1] = n_kinds + 1
    y = np.zeros((*codes.shape, n_kinds), dtype=np.float32)
    y[:, -n_symbols:] = np.eye(n_kinds)[symbols]
    return np.eye(n_kinds + 2, dtype=np.float32)[codes], y


def delayed_echo(rng: np.random.Generator, n_windows: int, delay: int) -> Windows:
    """The input of `delay` steps ago, at each of 3 * `delay` steps; 0 where there was none.

    The input is uniform on [-1, 1]: 0 predicts with a loss of 1 / 3 at the last two thirds of the steps. Jaeger (2002),
    Short term memory in echo state networks, GMD Report 152.
    """
    X = rng.uniform(-1, 1, (n_windows, 3 * delay)).astype(np.float32)
    y = np.zeros_like(X)
    y[:, delay:] = X[:, :-delay]
    return X[..., np.newaxis], y


def regime_switch(
    rng: np.random.Generator, n_windows: int, n_steps: int, horizon: int = 10, noise: float = 0.1
) -> Windows:
    """A noisy sine whose period changes once, in the middle half of the window; the next steps are to be forecast.

    Both periods are uniform on [6, 24] steps, the phase goes on at the switch, and no forecast goes below the
    variance of the noise, 0.01. Regimes in the sense of Hamilton (1989), Econometrica 57(2); the task is ours.
    """
    periods = rng.uniform(6, 24, (n_windows, 2))
    switch = rng.integers(n_steps // 4, 3 * n_steps // 4, (n_windows, 1))
    period = np.where(np.arange(n_steps + horizon) < switch, periods[:, :1], periods[:, 1:])
    cycles = rng.random((n_windows, 1)) + np.cumsum(1 / period, axis=1)
    values = np.sin(2 * np.pi * cycles) + rng.normal(0, noise, cycles.shape)
    return values[:, :n_steps, np.newaxis].astype(np.float32), values[:, n_steps:]


#: Weights of the inputs 10 steps back to 19 steps ahead, scaled to a target of variance 1.
OFFSETS = np.arange(-10, 20)
CONTEXT = np.where(OFFSETS < 0, (1 + OFFSETS / 10) / 10, (1 - OFFSETS / 20) / 20)
CONTEXT /= np.sqrt((CONTEXT**2).sum())


def context(rng: np.random.Generator, n_windows: int, n_steps: int) -> Windows:
    """At each step a weighted mean of what came before it and what comes after it in the window.

    The weights fall to 0 linearly, over 10 steps backward and 20 forward. The input has mean 0 and variance 1, is
    uniform, and counts as 0 beyond the ends of the window. After Schuster and Paliwal (1997), IEEE Transactions on
    Signal Processing 45(11), whose inputs lie on [0, 1].
    """
    X = rng.uniform(-np.sqrt(3), np.sqrt(3), (n_windows, n_steps))
    padded = np.pad(X, ((0, 0), (-OFFSETS[0], OFFSETS[-1])))
    y = np.lib.stride_tricks.sliding_window_view(padded, len(OFFSETS), axis=1) @ CONTEXT
    return X[..., np.newaxis].astype(np.float32), y


def context_bound(n_steps: int) -> float:
    """Return the least squared error of `context` for a network that reads forward: the variance of what is to come."""
    ahead = np.arange(n_steps)[::-1, np.newaxis]  # steps of the window after each step
    return float((CONTEXT**2 * ((OFFSETS > 0) & (OFFSETS <= ahead))).sum(axis=1).mean())


# ------------------------------------------------------------------ networks


#: Name: class and parameters. About 4,400 weights for a task with one or two features and one target.
NETWORKS: dict[str, tuple[type, dict]] = {
    "Elman": (SimpleRNNRegressor, {"units": 64, "learning_rate": 1e-3}),
    "LSTM": (LSTMRegressor, {"units": 32}),
    "GRU": (GRURegressor, {"units": 36}),
    "LSTM, bidirectional": (LSTMRegressor, {"units": 22, "bidirectional": True}),
    "GRU, bidirectional": (GRURegressor, {"units": 25, "bidirectional": True}),
    "Elman, dilated": (
        SimpleRNNRegressor,
        {"units": (36, 36), "dilation": (1, 4), "learning_rate": 1e-3, "jit_compile": True},
    ),
    "minGRU": (MinGRURegressor, {"units": (32, 32), "learning_rate": 1e-2, "jit_compile": True}),
    "convolution": (ConvRegressor, {"filters": 12, "jit_compile": True}),
    "feed-forward": (FeedForwardRegressor, {"units": 64, "jit_compile": True}),
    "echo state": (EchoStateRegressor, {"units": 200}),
}
#: All else is as it comes. The loss of a gated network can rest on a plateau for longer than the patience that it
#: comes with, so each is trained to the end and its best epoch kept.
SETTINGS = {"learning_rate": 3e-3, "early_stopping": True, "n_iter_no_change": 10_000}
RATES = (1e-3, 3e-3, 1e-2)  # of --tune
PLAIN = ("Elman", "LSTM", "GRU", "echo state")


@dataclass(frozen=True)
class Task:
    """What is drawn, and how long which networks are trained on it."""

    make: Callable[[np.random.Generator, int], Windows]
    epochs: int
    networks: tuple[str, ...] = PLAIN
    wider: int = 1  # times as many units
    n_train: int = 10_000
    n_held: int = 2_000  # validation windows, and as many test windows
    bounds: dict[str, float] = field(default_factory=dict)  # least loss of a kind of network

    def part(self, name: str) -> Windows:
        return self.make(np.random.default_rng(PARTS[name]), self.n_train if name == "train" else self.n_held)


PARTS = {"train": 0, "validation": 1, "test": 3}  # seeds; first trials looked at the windows of 2
BOTH_WAYS = ("Elman", "LSTM", "LSTM, bidirectional", "GRU", "GRU, bidirectional", "echo state")
TASKS = {
    "adding, 50 steps": Task(partial(adding, n_steps=50), 30),
    "adding, 100 steps": Task(partial(adding, n_steps=100), 30, (*PLAIN, "minGRU", "convolution")),
    "adding, 200 steps": Task(partial(adding, n_steps=200), 30),
    "copy memory, delay 20": Task(partial(copy_memory, delay=20), 40, wider=2),
    "echo of 5 steps ago": Task(partial(delayed_echo, delay=5), 30),
    "echo of 10 steps ago": Task(partial(delayed_echo, delay=10), 30),
    "echo of 20 steps ago": Task(partial(delayed_echo, delay=20), 30),
    "sine with a regime switch": Task(
        partial(regime_switch, n_steps=60),
        30,
        (*PLAIN, "LSTM, bidirectional", "Elman, dilated", "minGRU", "convolution", "feed-forward"),
    ),
    "context, 50 steps": Task(
        partial(context, n_steps=50),
        30,
        BOTH_WAYS,
        n_train=3_000,
        bounds={"bound of reading forward alone": context_bound(50)},
    ),
}


# ------------------------------------------------------------------ measuring


def build(task: Task, name: str, seed: int, sequences: bool, learning_rate: float | None = None):
    """Return the regressor of a network, with the settings of a task."""
    kind, options = NETWORKS[name]
    options = dict(options, random_state=seed)
    if task.wider > 1:
        options["units"] *= task.wider
    if sequences:
        options["return_sequences"] = True
    if kind is not EchoStateRegressor:
        share = task.n_held / (task.n_train + task.n_held)
        options = SETTINGS | {"epochs": task.epochs, "validation_fraction": share} | options
    if learning_rate is not None:
        options["learning_rate"] = learning_rate
    return kind(**options)


def measure(task: Task, name: str, seed: int, learning_rate: float | None = None) -> dict:
    """Fit a network and score it on the test part; with a learning rate to try, on the validation part."""
    # The last windows are those that early stopping holds out.
    X, y = (np.concatenate(values) for values in zip(task.part("train"), task.part("validation"), strict=True))
    model = build(task, name, seed, y.shape[1:2] == X.shape[1:2], learning_rate)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CapacityWarning)  # a window with a target at each step teaches more than one
        start = time.process_time()  # of all threads; other work on the machine does not count
        model.fit(X, y)
    seconds = time.process_time() - start
    X, y = task.part("test" if learning_rate is None else "validation")
    loss = float(np.mean((model.predict(X) - y) ** 2))
    return {"loss": loss, "parameters": model.n_parameters_, "seconds": seconds}


def floors(task: Task) -> dict[str, float]:
    """Return the test losses of what has no state, fitted on the training windows, and the task's bounds."""
    (X, y), (X_test, y_test) = task.part("train"), task.part("test")
    predictions = {"mean of each target": y.mean(axis=0)}
    if task.make.func is regime_switch:
        predictions["last value"] = X_test[:, -1]
    rows = X.reshape(len(X), -1), y.reshape(len(y), -1)
    linear = LinearRegression().fit(*rows).predict(X_test.reshape(len(X_test), -1))
    predictions["linear regression on the window"] = linear.reshape(y_test.shape)
    return {name: float(np.mean((values - y_test) ** 2)) for name, values in predictions.items()} | task.bounds


def read_lines(path: str | None) -> dict[Key, dict]:
    """Read the results kept in a file; of two for the same the later one counts."""
    if path is None or not Path(path).exists():
        return {}
    lines = [json.loads(text) for text in Path(path).read_text().splitlines()]
    return {tuple(line[key] for key in FIELDS): line for line in lines}


def results(keys: list[Key], path: str | None) -> dict[Key, dict]:
    """Measure what the file does not hold, add it there, and return all that was asked for."""
    kept = read_lines(path)
    for key in keys:
        if key in kept:
            continue
        task, *arguments = key
        kept[key] = measure(TASKS[task], *arguments)
        line = dict(zip(FIELDS, key, strict=True)) | kept[key]
        print(f"{time.strftime('%H:%M:%S')} {json.dumps(line)}", file=sys.stderr, flush=True)
        if path:
            with Path(path).open("a") as file:
                file.write(json.dumps(line) + "\n")
    return {key: kept[key] for key in keys}


# ------------------------------------------------------------------ tables


def with_range(values: list[float]) -> str:
    middle, *ends = (f"{value:.3g}" for value in (np.median(values), min(values), max(values)))
    return middle if len(values) == 1 else f"{middle} ({ends[0]} to {ends[1]})"


def percent(share: float) -> str:
    return f"{100 * share:.3g}" if share >= 1e-4 else "below 0.01"


def report(tasks: list[str], networks: list[str], n_seeds: int, path: str | None) -> None:
    """Print the table of test losses."""
    head("task", "", "squared error", "% of the mean's", "parameters", "fit (CPU s)")
    for task in tasks:
        known = floors(TASKS[task])
        trivial = known["mean of each target"]
        for name, loss in known.items():
            row(task, f"*{name}*", f"{loss:.3g}", percent(loss / trivial), "", "")
        for name in filter(networks.__contains__, TASKS[task].networks):
            keys = [(task, name, seed, None) for seed in range(n_seeds)]
            found = list(results(keys, path).values())
            losses, seconds = ([line[key] for line in found] for key in ("loss", "seconds"))
            share, parameters = percent(np.median(losses) / trivial), f"{found[0]['parameters']:,}"
            row(task, name, with_range(losses), share, parameters, with_range(seconds))


def report_tuning(tasks: list[str], networks: list[str], path: str | None) -> None:
    """Print the validation loss of each network at each learning rate, with the first seed."""
    head("task", "", *(f"learning rate {rate:g}" for rate in RATES))
    for task in tasks:
        for name in filter(networks.__contains__, TASKS[task].networks):
            if name != "echo state":  # which has none
                found = results([(task, name, 0, rate) for rate in RATES], path)
                row(task, name, *(f"{line['loss']:.3g}" for line in found.values()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", nargs="+", choices=TASKS, default=list(TASKS), metavar="TASK", help=", ".join(TASKS))
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS), metavar="NAME")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tune", action="store_true", help="validation losses at several learning rates")
    parser.add_argument("--json", metavar="PATH", help="file of results, one line for each fit; added to")
    arguments = parser.parse_args()
    if arguments.tune:
        report_tuning(arguments.task, arguments.networks, arguments.json)
    else:
        report(arguments.task, arguments.networks, arguments.seeds, arguments.json)
    print(f"\n{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}")
    print(", ".join(f"{package} {version(package)}" for package in ("tsrnn", "numpy", "scikit-learn", "tensorflow")))


if __name__ == "__main__":
    main()
