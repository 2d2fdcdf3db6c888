"""tsrnn's engines beside Keras, a hand-written torch loop, darts, neuralforecast and skforecast, in one run.

    python benchmarks/engine.py [--part training jobs overheads] [--quick] [--envs .bench-envs] [--rounds 5]

Prints GitHub tables with the machine, the date and the versions; progress goes to the standard error stream. tsrnn runs
in the environment of this script, from this checkout; every other contender gets an environment of its own under
--envs, made on first use, and is left out, with the reason, where it cannot be installed. The contenders are scripts
in contenders/; see protocol.py there. All are asked in turn, round by round, so that a disturbance meets all of them.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
import time
import venv
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

HERE = Path(__file__).parent
ROOT = HERE.parent
JOB_SECONDS = 60.0  # a contender repeats a job as often as fits in here, once at least

# Each step is one call of pip. torch comes first and by exact version: what depends on it would ask for any.
TORCH = ("torch==2.13.0", "numpy")
ENVIRONMENTS = {
    "torch": (TORCH,),
    "keras": (("keras==3.15.1", "tensorflow==2.21.0"),),
    "jax": (("keras==3.15.1", "jax[cpu]"),),
    "darts": (TORCH, ("torch==2.13.0", "darts[torch]==0.48.1")),
    "neuralforecast": (TORCH, ("torch==2.13.0", "neuralforecast==3.3.0")),
    "skforecast": (("skforecast[deeplearning]==0.26.0", "keras==3.15.1", "tensorflow==2.21.0"),),
}


@dataclass(frozen=True)
class Contender:
    """A script, its arguments, the environment that it runs in (None: this one) and variables set for it."""

    script: str
    arguments: tuple[str, ...] = ()
    environment: str | None = None
    variables: dict[str, str] = field(default_factory=dict)
    slow: bool = False  # takes a minute or so for a job: left out by --quick


TSRNN = {"PYTHONPATH": str(ROOT), "KERAS_BACKEND": "tensorflow"}
TENSORFLOW, JAX = {"KERAS_BACKEND": "tensorflow"}, {"KERAS_BACKEND": "jax"}

TRAINING = {
    "tsrnn, native": Contender("with_tsrnn.py", ("native",), variables=TSRNN),
    "tsrnn, Keras program": Contender("with_tsrnn.py", ("keras",), variables=TSRNN),
    "torch, written by hand": Contender("with_torch.py", (), "torch"),
    "Keras-JAX fit": Contender("with_keras.py", ("default",), "jax", JAX),
    "Keras-TensorFlow fit, tuned": Contender("with_keras.py", ("tuned",), "keras", TENSORFLOW),
    "Keras-TensorFlow fit": Contender("with_keras.py", ("default",), "keras", TENSORFLOW),
    "limit": Contender("with_numpy.py", ("2",)),
}
JOBS = {
    "tsrnn": Contender("with_tsrnn.py", ("native",), variables=TSRNN),
    "torch by hand, 1 thread": Contender("with_torch.py", ("1",), "torch"),
    "torch by hand, 2 threads": Contender("with_torch.py", ("2",), "torch"),
    "darts": Contender("with_darts.py", (), "darts"),
    "neuralforecast, direct": Contender("with_neuralforecast.py", ("direct",), "neuralforecast"),
    "neuralforecast, recurrent": Contender("with_neuralforecast.py", ("recurrent",), "neuralforecast", slow=True),
    "Keras as a tutorial has it": Contender("with_keras.py", ("default",), "keras", TENSORFLOW, slow=True),
    "skforecast": Contender("with_skforecast.py", (), "skforecast", TENSORFLOW, slow=True),
}
CASES = ("W1 LSTM", "W2 LSTM", "W3 LSTM", "W2 GRU", "W2 2 layers", "W2 bidirectional")

# Row of the table: request, entry of its answer, factor to the unit shown.
OVERHEADS = {
    "`import tsrnn` (s)": ("import_tsrnn", "import tsrnn", 1),
    "import, fit and forecast of a small LSTM, cold (s)": ("cold", "cold", 1),
    "repeated fit of one batch, `LSTMRegressor` (ms)": ("small_fits", "regressor", 1e3),
    "repeated fit of one batch, `LSTMForecaster` (ms)": ("small_fits", "forecaster", 1e3),
    "one prediction, `LSTMRegressor` (ms)": ("one_forecast", "regressor", 1e3),
    "one forecast, `LSTMForecaster`, 200 rows of history (ms)": ("one_forecast", "history 200", 1e3),
    "one forecast, `LSTMForecaster`, 8,000 rows of history (ms)": ("one_forecast", "history 8000", 1e3),
    "200,000 windows of 100, `LSTMRegressor`: peak above imports (MB)": ("memory_of_regressor", "above", 1),
    "200,000 windows of 100, `LSTMForecaster`: peak above imports (MB)": ("memory_of_forecaster", "above", 1),
    "50 fits: resident memory grows by (MB)": ("growth", "grown", 1),
}


def say(text: str) -> None:
    print(f"{datetime.datetime.now():%H:%M:%S} {text}", file=sys.stderr, flush=True)


# ------------------------------------------------------------------ environments and workers


class NotInstalled(Exception):
    """A contender's environment could not be made; the message says why."""


def interpreter(envs: Path, name: str | None) -> str:
    """Return the Python of an environment, which is made if it is not there yet."""
    if name is None:
        return sys.executable
    folder, steps = envs / name, ENVIRONMENTS[name]
    python, ready = folder / "bin" / "python", folder / "installed.json"
    wanted = json.dumps(steps)
    if not (ready.exists() and ready.read_text() == wanted):
        say(f"making the environment of {name}")
        venv.create(folder, with_pip=True, clear=True)
        for step in steps:
            done = subprocess.run([python, "-m", "pip", "install", "-q", *step], capture_output=True, text=True)
            if done.returncode:
                errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
                raise NotInstalled((errors or ["pip failed"])[-1])
        ready.write_text(wanted)
    return str(python)


class Worker:
    """A contender's process."""

    def __init__(self, contender: Contender, envs: Path):
        command = [interpreter(envs, contender.environment), str(HERE / "contenders" / contender.script)]
        self.started = time.time()
        variables = os.environ | contender.variables | {"SPAWNED": str(self.started)}
        self._process = subprocess.Popen(
            [*command, *contender.arguments],
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, **request) -> dict:
        """Return the answer; its "wall" is the seconds since the process was started."""
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            return {"error": f"the process ended with code {self._process.wait()}"}
        return {**json.loads(line), "wall": time.time() - self.started}

    def close(self) -> None:
        self._process.communicate()


def ask_once(contender: Contender, envs: Path, **request) -> dict:
    """Ask a fresh process."""
    worker = Worker(contender, envs)
    try:
        return worker.ask(**request)
    finally:
        worker.close()


def installed(contenders: dict[str, Contender], envs: Path, left_out: dict[str, str]) -> dict[str, Contender]:
    """Return those whose environment is there or can be made; note why the others are left out."""
    found = {}
    for name, contender in contenders.items():
        try:
            interpreter(envs, contender.environment)
            found[name] = contender
        except NotInstalled as exc:
            left_out[name] = str(exc)
    return found


# ------------------------------------------------------------------ tables


def number(value: float) -> str:
    """Three significant digits or all of an integer's: 17,361 or 0.0123."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def with_range(values: list[float]) -> str:
    """Median, and smallest and largest in brackets."""
    if not values:
        return "failed"
    spread = f" ({number(min(values))}-{number(max(values))})" if len(values) > 1 else ""
    return number(median(values)) + spread


def table(head: list[str], rows: list[list[str]]) -> None:
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print(flush=True)


def print_machine(envs: Path, contenders: dict[str, Contender], left_out: dict[str, str]) -> None:
    model = "unknown processor"
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), model)
    sys.path.insert(0, str(ROOT))
    from tsrnn.engine import native

    sets = "no native engine"
    if native.available():
        from tsrnn.engine.native.program import instruction_sets

        sets = f"native engine: {os.environ.get('TSRNN_ISA') or instruction_sets()[0]}"
    print(f"{os.cpu_count()} cores of {model}, {sets}, {platform.system()}, {datetime.date.today()}.")
    versions: dict[str, str] = {"Python": platform.python_version()}
    for contender in {(c.script, c.environment): c for c in contenders.values()}.values():
        answer = ask_once(contender, envs, do="versions")
        found = {name: text for name, text in answer.items() if isinstance(text, str) and name != "error"}
        versions = found | versions
    print("Versions: " + ", ".join(f"{name} {text}" for name, text in sorted(versions.items(), key=str)) + ".\n")
    for name, reason in left_out.items():
        print(f"Left out: {name} ({reason}).\n")


# ------------------------------------------------------------------ part 1: training


def training(contenders: dict[str, Contender], envs: Path, rounds: int, cases: list[str]) -> None:
    workers = {name: Worker(contender, envs) for name, contender in contenders.items()}
    rates: dict[str, dict[str, list[float]]] = {case: {name: [] for name in workers} for case in cases}
    problems = []
    try:
        for case in cases:
            for name, worker in workers.items():
                say(f"{case}: {name} gets ready")
                answer = worker.ask(do="train", case=case)
                if "error" in answer:
                    problems.append(f"{name}, {case}: {answer['error']}")
            for i in range(rounds):
                say(f"{case}: round {i + 1} of {rounds}")
                for name, worker in workers.items():
                    answer = worker.ask(do="train", case=case)
                    rates[case][name] += [answer["rate"]] if "rate" in answer else []
    finally:
        for worker in workers.values():
            worker.close()
    print("### Training, windows per second\n")
    print(
        f"Forward, backward and update over shuffled batches, no validation; medians of {rounds} rounds in turn, range "
        "in brackets. LSTM, GRU: one layer, last state to one output, float32, Adam, squared error. W1: 24 steps of 1 "
        "feature, 32 units, batches of 32. W2: 96 steps of 7, 64 units, batches of 64. W3: 168 steps of 7, 128 units, "
        "batches of 128. torch: the better of 1 and 2 threads. tuned: XLA, 32 steps per execution. limit: the matrix "
        "products alone, at the rate of NumPy's BLAS on 2 threads.\n"
    )
    table(["", *cases], [[name, *(with_range(rates[case][name]) for case in cases)] for name in workers])
    first = next(iter(workers))
    print(f"How many times as fast {first} is:\n")
    rows = [
        [name, *(times(rates[case][first], rates[case][name]) for case in cases)] for name in workers if name != first
    ]
    table(["", *cases], rows)
    for problem in problems:
        print(f"Failed: {problem}\n")


def times(ours: list[float], theirs: list[float]) -> str:
    return f"{median(ours) / median(theirs):.2g}" if ours and theirs else ""


# ------------------------------------------------------------------ part 2: jobs

TEXT_A = (
    "Job A: hourly temperature at JFK, look-back 168, horizon 24, LSTM of 32 units, batches of 32, Adam at 0.001, 5 "
    "epochs, no early stopping; trained on all but the last 480 hours; 20 origins without refit. Each line is a fresh "
    "process; import counts from its start, wall ends with the answer; memory is the largest resident set.\n"
)
TEXT_B = (
    "Job B: 18 fits (16, 32 or 64 units, learning rate 0.001 or 0.003, 3 folds) of an LSTM with look-back 24 and "
    "horizon 1, 3 epochs, on the last 2,000 hours; wall with imports. tsrnn runs under a plain `GridSearchCV` with "
    "`TimeSeriesSplit(3, test_size=24)` and forecasts 24 hours by feeding back; the others are loops and forecast one "
    "hour ahead, skforecast only the first of the 24.\n"
)


def run_job(job: str, contenders: dict[str, Contender], envs: Path, rounds: int) -> dict[str, list[dict]]:
    """Ask fresh processes in turn; one that takes long takes part in fewer rounds."""
    answers: dict[str, list[dict]] = {name: [] for name in contenders}
    for i in range(rounds):
        for name, contender in contenders.items():
            done = answers[name]
            if i == 0 or ("error" not in done[0] and i < round(JOB_SECONDS / done[0]["wall"])):
                say(f"{job}: round {i + 1}, {name}")
                done.append(ask_once(contender, envs, do=job))
    return answers


def jobs(contenders: dict[str, Contender], envs: Path, rounds: int) -> None:
    print("### Jobs\n")
    for job, text, columns in (
        (
            "job_a",
            TEXT_A,
            {
                "import (s)": ("import", 1),
                "fit (s)": ("fit", 1),
                "20 origins (s)": ("backtest", 1),
                "one forecast (ms)": ("one", 1e3),
                "wall (s)": ("wall", 1),
                "memory (MB)": ("peak", 1),
                "MAE (°F)": ("mae", 1),
            },
        ),
        ("job_b", TEXT_B, {"wall (s)": ("wall", 1), "memory (MB)": ("peak", 1), "MAE (scaled)": ("mae", 1)}),
    ):
        answers = run_job(job, contenders, envs, rounds)
        good = {name: [answer for answer in done if "error" not in answer] for name, done in answers.items()}
        ours = good[next(iter(good))]
        compared = [key for key in ("fit", "wall") if any(key == entry for entry, _ in columns.values())]
        rows = []
        for name, done in good.items():
            cells = [with_range([factor * answer[key] for answer in done]) for key, factor in columns.values()]
            ratios = [times([a[key] for a in done], [a[key] for a in ours]) for key in compared]
            rows.append([name, *cells, *ratios, str(len(done))])
        print(text)
        table(["", *columns, *(f"{key} / ours" for key in compared), "rounds"], rows)
        for name, done in answers.items():
            for answer in done:
                if "error" in answer:
                    print(f"Failed: {name}: {answer['error']}\n")


# ------------------------------------------------------------------ part 3: overheads


def overheads(contender: Contender, envs: Path, rounds: int) -> None:
    requests = dict.fromkeys(request for request, _, _ in OVERHEADS.values())
    answers: dict[str, list[dict]] = {request: [] for request in requests}
    for i in range(rounds):
        for request in requests:
            say(f"overheads: round {i + 1} of {rounds}, {request}")
            answers[request].append(ask_once(contender, envs, do=request))
    print("### Overheads of tsrnn\n")
    print(f"Each in a fresh process, medians of {rounds}, range in brackets. One batch: 32 windows of 24 steps.\n")
    rows = []
    for name, (request, key, factor) in OVERHEADS.items():
        rows.append([name, with_range([factor * answer[key] for answer in answers[request] if key in answer])])
    table(["", "tsrnn"], rows)
    loaded = any(answer.get("tensorflow") for answer in answers["cold"])
    print(f"TensorFlow was {'loaded' if loaded else 'not loaded'} by import, fit and forecast.\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = ("training", "jobs", "overheads")
    parser.add_argument("--part", nargs="+", choices=parts, default=parts)
    parser.add_argument("--quick", action="store_true", help="one short round, without the slow contenders")
    parser.add_argument("--envs", type=Path, default=ROOT / ".bench-envs", help="folder of the environments")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cases", nargs="+", choices=CASES, default=CASES, help="of the training")
    args = parser.parse_args()
    rounds, envs = (1 if args.quick else args.rounds), args.envs.resolve()
    if args.quick:
        os.environ["ROUND_SECONDS"] = "0.2"
    left_out: dict[str, str] = {}
    trained = installed(TRAINING, envs, left_out) if "training" in args.part else {}
    peers = {name: contender for name, contender in JOBS.items() if not (args.quick and contender.slow)}
    worked = installed(peers, envs, left_out) if "jobs" in args.part else {}
    print_machine(envs, trained | worked | {"tsrnn": JOBS["tsrnn"]}, left_out)
    if trained:
        training(trained, envs, rounds, args.cases)
    if worked:
        jobs(worked, envs, rounds)
    if "overheads" in args.part:
        overheads(JOBS["tsrnn"], envs, rounds)


if __name__ == "__main__":
    main()
