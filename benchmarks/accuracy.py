"""How accurate are the defaults? Named protocols on public data, beside published results and floors of the same run.

    TSRNN_BENCH_DATA=folder python benchmarks/accuracy.py [--only ETTh1 "NYC taxi" ...] [--models LSTM GRU] [--seeds 3]
    ... --json results.jsonl     keep what was measured, and measure only what the file does not hold
    ... --table results.jsonl    print the tables of such files; measure nothing
    ... --tuned                  also networks tuned by a grid search, on small protocols or those named by --only

The folder holds the files of each protocol (see accuracy_protocols.py) as .csv.gz, one column of times first. Without
--tuned nothing is tuned: every forecaster is fitted as its user would get it, with the horizon, and the look-back where
the protocol fixes one. A fit on what comes before the test part serves all origins. The floors are the last value, the
last season, and ridge regressions on windows centred on their last value. Networks are fitted once for each seed; the
table shows the mean and the standard deviation over the seeds.

Each fit is measured in a process of its own: peak memory is that of Python, the data, the fit and the forecasts.
Seconds are those of the fit (of the whole search where tuned); those of the processor count all threads, and say more
where other work shares the machine.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from pathlib import Path

import numpy as np
from accuracy_protocols import PROTOCOLS, SMALL, Protocol
from reporting import head, peak_mb, row

from tsrnn import GRUForecaster, LSTMForecaster

NETWORKS = {"LSTM": LSTMForecaster, "GRU": GRUForecaster}
TUNED = ", tuned"
#: Each holds the default, so that a search may find nothing better.
GRID = {"units": [32, 128], "learning_rate": [5e-4, 2e-3]}

Key = tuple[str, str, int | None]  # protocol, model, seed
Lines = dict[Key, dict]  # lines of a file of results


# ------------------------------------------------------------------ measuring


def measure(name: str, model_name: str, seed: int | None) -> dict:
    """Fit one model on one protocol and score it; what is returned is a line of the file of results."""
    warnings.simplefilter("error")
    protocol = PROTOCOLS[name]()
    line = {"protocol": name, "model": model_name, "seed": seed}
    network = NETWORKS.get(model_name.removesuffix(TUNED))
    if network is None:
        model = protocol.floors()[model_name]
    else:
        options = {} if protocol.window is None else {"window": protocol.window}
        model = network(horizon=protocol.horizon, random_state=seed, **options)
    wall, cpu = time.perf_counter(), time.process_time()
    if model_name.endswith(TUNED):
        model, line["chosen"] = protocol.tune(model, GRID)
    else:
        protocol.fit(model)
    line |= {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}
    line["metrics"] = protocol.score(model)
    return line | {"peak_mb": peak_mb(), "beats_last_value": getattr(model, "beats_last_value_", None)}


def measure_apart(*arguments) -> dict:
    """Measure in a fresh process, whose memory and imports are shared with no other model."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(measure, *arguments).result()


def plan(name: str, protocol: Protocol, networks: list[str], n_seeds: int, tuned: bool) -> list[Key]:
    """What is to be measured on a protocol, in order."""
    networks = networks + [network + TUNED for network in networks if tuned]
    floors = [(name, floor, None) for floor in protocol.floors()]
    return floors + [(name, network, seed) for network in networks for seed in range(n_seeds)]


def read_lines(paths: list[str]) -> Lines:
    """Join files of results; of two lines for the same the later one counts."""
    lines = (json.loads(text) for path in paths for text in Path(path).read_text().splitlines())
    return {(line["protocol"], line["model"], line["seed"]): line for line in lines}


# ------------------------------------------------------------------ tables


def number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def spread(values: list[float]) -> str:
    return number(values[0]) if len(values) == 1 else f"{np.mean(values):.4g} ± {np.std(values, ddof=1):.2g}"


def costs(lines: list[dict]) -> list[str]:
    seconds = [spread([line[key] for line in lines]) for key in ("seconds", "cpu_seconds")]
    return seconds + [f"{max(line['peak_mb'] for line in lines):.0f}"]


def result_row(metrics: tuple[str, ...], lines: list[dict]) -> None:
    """One model: the mean over its seeds."""
    name = lines[0]["model"]
    label = name if lines[0]["seed"] is None else f"tsrnn {name}"
    fell = sum(line["beats_last_value"] is False for line in lines)
    if fell:
        label += f" (no evidence of predictability beyond the last value: {fell} of {len(lines)} seeds)"
    if "chosen" in lines[0]:
        chosen = dict.fromkeys(", ".join(f"{key}={value}" for key, value in line["chosen"].items()) for line in lines)
        label += f" ({'; '.join(chosen)})"
    row(label, *(spread([line["metrics"][metric] for line in lines]) for metric in metrics), *costs(lines))


def report(name: str, protocol: Protocol, lines: list[dict]) -> None:
    """Print the table of a protocol, and below it that of the tuned models."""
    models: dict[str, list[dict]] = {}
    for line in sorted(lines, key=lambda line: -1 if line["seed"] is None else line["seed"]):
        models.setdefault(line["model"], []).append(line)
    columns = [*protocol.metrics, "fit, s", "CPU, s", "peak MB"]
    print(f"\n**{name}**: {protocol.describe()}\n")
    head("", *columns)
    for published, values in protocol.published.items():
        row(f"{published} (published)", *(number(values.get(metric)) for metric in protocol.metrics), "", "", "")
    for model, found in models.items():
        if not model.endswith(TUNED):
            result_row(protocol.metrics, found)
    tuned = [found for model, found in models.items() if model.endswith(TUNED)]
    if tuned:
        print("\nTuned by a grid search on the rows before the test part:\n")
        head("", *columns)
        for found in tuned:
            result_row(protocol.metrics, found)


# ------------------------------------------------------------------ command line


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", help="names of protocols, or how they begin; all by default")
    parser.add_argument("--models", nargs="*", choices=NETWORKS, default=list(NETWORKS), help="none: the floors alone")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--tuned", action="store_true", help="add networks tuned by a grid search")
    parser.add_argument("--json", metavar="PATH", help="file of results, one line for each model and seed; added to")
    parser.add_argument("--table", nargs="+", metavar="PATH", help="print the tables of such files")
    arguments = parser.parse_args()
    for wanted in arguments.only or []:
        if not any(name.startswith(wanted) for name in PROTOCOLS):
            parser.error(f"no protocol begins with {wanted!r}; there are {', '.join(PROTOCOLS)}")
    return arguments


def main() -> None:
    arguments = parse()
    kept = [arguments.json] if arguments.json and Path(arguments.json).exists() else []
    lines = read_lines(arguments.table or kept)
    for name, make in PROTOCOLS.items():
        if not any(name.startswith(wanted) for wanted in arguments.only or PROTOCOLS):
            continue
        protocol = make() if not arguments.table or any(key[0] == name for key in lines) else None
        if not arguments.table:
            tuned = arguments.tuned and bool(arguments.only or name in SMALL)
            for key in plan(name, protocol, arguments.models, arguments.seeds, tuned):
                if key not in lines:
                    lines[key] = measure_apart(*key)
                    keep(lines[key], arguments.json)
        if protocol is not None:
            report(name, protocol, [line for key, line in lines.items() if key[0] == name])
    if not arguments.table:
        print(f"\n{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}")
        print(", ".join(f"{package} {version(package)}" for package in ("tsrnn", "numpy", "pandas", "scikit-learn")))


def keep(line: dict, path: str | None) -> None:
    if path:
        with Path(path).open("a") as file:
            file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
