"""What fits of regressors take of memory, and that they give it back."""

import os
import subprocess
import sys

import pytest

MEASURE = """
import gc, warnings, numpy as np, psutil, resource, threading, time
warnings.simplefilter("ignore")
import tsrnn.engine.keras_
from tsrnn.regressors import LSTMRegressor
from tsrnn.windows import WindowArray
process = psutil.Process()
def rss():
    return process.memory_info().rss / 2**20
"""


def measure(code):
    done = subprocess.run(
        [sys.executable, "-c", MEASURE + code], capture_output=True, text=True, timeout=600, env=os.environ
    )
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


@pytest.mark.slow
def test_fifty_fits_of_one_shape_do_not_grow():
    code = """
X, y = np.random.default_rng(0).normal(size=(100, 10, 1)), np.zeros(100)
for i in range(53):
    if i == 3:
        gc.collect()
        before = rss()
    LSTMRegressor(8, epochs=2, learning_rate=0.001 * (1 + i), dropout=0.01 * (1 + i)).fit(X, y).predict(X)
gc.collect()
print(rss() - before)
"""
    assert measure(code) < 20


@pytest.mark.slow
def test_long_series_is_trained_on_without_copying_its_windows():
    # All windows at once would take 80 MB in float32, and as much again for each copy.
    code = """
base = np.random.default_rng(0).normal(size=(200_100, 1)).astype(np.float32)
X, y = WindowArray(base, np.arange(200_000), 100), base[100:, 0]
before, peak = rss(), [0]
def watch():
    while True:
        peak[0] = max(peak[0], rss())
        time.sleep(0.01)
threading.Thread(target=watch, daemon=True).start()
LSTMRegressor(8, epochs=1, batch_size=256, early_stopping=True, random_state=0).fit(X, y).predict(X)
print(peak[0] - before)
"""
    assert measure(code) < 150
