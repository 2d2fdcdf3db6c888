"""What a fit costs beside its arithmetic, in time and memory: tsrnn beside Keras as a tutorial writes it.

Prints one table. Each row runs in a process of its own, the two libraries in turn, three times each; medians are shown,
with the range in brackets. Run it with `python benchmarks/overhead.py`; the numbers last taken stand in README.md here.
"""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import textwrap
from importlib.metadata import version
from statistics import median

SETUP = """
import os, sys, time, json, warnings
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
warnings.simplefilter("ignore")
import numpy as np, psutil
def rss(): return psutil.Process().memory_info().rss / 2**20
def peak():
    import resource
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
def series(n):
    noise = 0.1 * np.random.default_rng(0).normal(size=n)
    return (np.sin(np.arange(n) * 2 * np.pi / 24) + noise).astype("float32")
out = {}
"""

TSRNN = """
from tsrnn.regressors import LSTMRegressor
from tsrnn.windows import WindowArray
import tsrnn.engine.keras_
def data(n, window):
    base = series(n + window)[:, None]
    X = WindowArray(base, np.arange(n), window)
    return X, base[window:, 0]
def fit(X, y, epochs, jit=False):
    return LSTMRegressor(32, epochs=epochs, jit_compile=jit, early_stopping=False, random_state=0).fit(X, y)
def predict_one(model, X):
    return model.predict(X[:1])
"""

KERAS = """
import keras, tensorflow as tf
def data(n, window):
    base = series(n + window)
    X = np.stack([base[i : i + window] for i in range(n)])[..., None]
    return X, base[window:]
def fit(X, y, epochs, jit=False):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input(X.shape[1:]), keras.layers.LSTM(32), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(3e-3, global_clipnorm=1.0), "mse", jit_compile=jit)
    model.fit(X, y, batch_size=32, epochs=epochs, verbose=0)
    return model
def predict_one(model, X):
    return model.predict(X[:1], verbose=0)
"""

JOBS = {
    "first small fit, 500 windows of 24 (s)": """
X, y = data(500, 24)
start = time.perf_counter(); fit(X, y, 1); out["value"] = time.perf_counter() - start
""",
    "same fit again (s)": """
X, y = data(500, 24); fit(X, y, 1)
start = time.perf_counter(); fit(X, y, 1); out["value"] = time.perf_counter() - start
""",
    "5 epochs of 8,000 windows of 168 (s)": """
X, y = data(8_000, 168)
start = time.perf_counter(); fit(X, y, 5); out["value"] = time.perf_counter() - start
""",
    "the same, compiled by XLA (s)": """
X, y = data(8_000, 168)
start = time.perf_counter(); fit(X, y, 5, jit=True); out["value"] = time.perf_counter() - start
""",
    "one prediction (ms)": """
X, y = data(500, 24); model = fit(X, y, 1); predict_one(model, X)
times = []
for _ in range(50):
    start = time.perf_counter(); predict_one(model, X); times.append(time.perf_counter() - start)
out["value"] = 1e3 * sorted(times)[25]
""",
    "50 fits: resident memory grows by (MiB)": """
X, y = data(200, 24)
for _ in range(3): fit(X, y, 1)
before = rss()
for _ in range(50): fit(X, y, 1)
out["value"] = rss() - before
""",
    "1 epoch of 200,000 windows of 100: peak above imports (MiB)": """
before = peak()
X, y = data(200_000, 100); fit(X, y, 1)
out["value"] = peak() - before
""",
}


def measure(library: str, job: str) -> float:
    code = SETUP + library + job + "print(json.dumps(out))"
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])["value"]


def main(repeats: int = 3) -> None:
    names = ("tensorflow", "keras", "scikit-learn", "numpy")
    print(f"Python {platform.python_version()}, " + ", ".join(f"{name} {version(name)}" for name in names))
    print("| | tsrnn | Keras | Keras / tsrnn |\n|---|---|---|---|")
    for name, job in JOBS.items():
        values = {"tsrnn": [], "keras": []}
        for _ in range(1 if "peak" in name else repeats):
            values["tsrnn"].append(measure(TSRNN, job))
            values["keras"].append(measure(KERAS, job))
        cells = [f"{median(v):.3g} ({min(v):.3g}-{max(v):.3g})" for v in values.values()]
        ratio = median(values["keras"]) / max(median(values["tsrnn"]), 1e-9)
        print(f"| {name} | {cells[0]} | {cells[1]} | {ratio:.1f} |", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
