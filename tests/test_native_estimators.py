"""The native engine through the estimators: interrupts, forks, threads, the same bits, odd inputs, no TensorFlow."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit

from tsrnn.engine import pool
from tsrnn.regressors import GRURegressor, LSTMRegressor, SimpleRNNRegressor

pytest.importorskip("tsrnn.engine.native._core", reason="the native engine was not compiled")

CLASSES = [LSTMRegressor, GRURegressor, SimpleRNNRegressor]
ROOT = Path(__file__).parent.parent


def regressor(cls=GRURegressor, **changes):
    return cls(**{"units": 3, "epochs": 2, "random_state": 0, "engine": "native", **changes})


def data(n=40, n_steps=5, n_features=2):
    """Windows of small integers, which every kind of number can hold."""
    X = np.random.default_rng(0).integers(-3, 4, size=(n, n_steps, n_features)).astype(float)
    return X, X[:, -2:, 0].sum(axis=1)


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a.weights_, b.weights_, strict=True))


def run(code, **environment):
    """Run Python in a process of its own, and return what it prints."""
    env = os.environ | {"PYTHONWARNINGS": "ignore", **environment}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


# -- Ctrl-C ----------------------------------------------------------------------------------------------------------

LONG_FIT = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # who runs the tests in the background ignores it
import sys, time
import numpy as np
from tsrnn.regressors import LSTMRegressor
X, y = np.random.default_rng(0).normal(size=(2000, {n_steps}, 2)), np.zeros(2000)
model = LSTMRegressor({units}, epochs=10**6, batch_size={batch_size}, engine="{engine}", warm_start={warm_start},
                      early_stopping=False)
said = []
def started(epoch):
    if epoch == {after} and not said:
        said.append(True)
        print("training", flush=True)
    return 1.0
try:
    model.set_params(learning_rate_schedule=started).fit(X, y)
except KeyboardInterrupt:
    print("stopped", hasattr(model, "weights_"), flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for one process")
@pytest.mark.parametrize(
    ("engine", "sizes"),
    [
        ("native", {"units": 8, "n_steps": 10, "batch_size": 32}),
        ("native", {"units": 128, "n_steps": 100, "batch_size": 2000}),  # a step takes seconds
        pytest.param("keras", {"units": 8, "n_steps": 10, "batch_size": 32}, marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("warm_start", [False, True])
def test_ctrl_c_stops_a_long_fit_at_once(engine, sizes, warm_start):
    after = 1 if sizes["units"] == 8 else 0
    code = LONG_FIT.format(engine=engine, warm_start=warm_start, after=after, **sizes)
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "training\n"
            time.sleep(0.3)
            sent = time.perf_counter()
            process.send_signal(signal.SIGINT)
            answer, took = process.stdout.readline(), time.perf_counter() - sent
            assert process.wait(60) == 0
        finally:
            process.kill()
    assert answer == f"stopped {warm_start}\n"
    assert took < 2  # half a second where nobody else uses the machine


# -- processes and threads -------------------------------------------------------------------------------------------

FORK = """
import multiprocessing, threading
import numpy as np
from tsrnn.regressors import GRURegressor
X = np.random.default_rng(0).normal(size=(60, 8, 2))
def fit(seed):
    return GRURegressor(4, epochs=3, random_state=seed, engine="native").fit(X, X[:, -1, 0]).predict(X)
expected = [fit(0), fit(1)]  # the parent's pool now holds a program
busy = threading.Thread(target=lambda: [fit(2) for _ in range(300)])
busy.start()  # and another thread is using one when the processes are forked
with multiprocessing.get_context("fork").Pool(2) as processes:
    got = processes.map(fit, [0, 1])
busy.join()
print(np.array_equal(got, expected))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_process_trains_as_its_parent_did():
    assert run(FORK) == "True"


@pytest.mark.parametrize("cls", CLASSES)
def test_a_search_over_threads_gives_the_same_bits_as_one_after_the_other(cls):
    X, y = data(300, 12)
    grid = {"units": [3, 20], "learning_rate": [0.01, 0.001]}
    search = GridSearchCV(regressor(cls, dropout=0.1), grid, cv=TimeSeriesSplit(2), error_score="raise")
    serial = clone(search).fit(X, y)
    with joblib.parallel_config(backend="threading", n_jobs=2):
        parallel = clone(search).fit(X, y)
    for split in ("split0_test_score", "split1_test_score"):
        np.testing.assert_array_equal(serial.cv_results_[split], parallel.cv_results_[split])
    assert same(serial.best_estimator_, parallel.best_estimator_)


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize(
    "options", [{}, {"units": (20, 5), "bidirectional": True, "dropout": 0.2}], ids=["small", "all"]
)
def test_bits_depend_neither_on_the_run_nor_on_threads(cls, options, monkeypatch):
    X, y = data(200, 20)
    fits = []
    for n_threads in ("1", "1", "2", "8"):
        monkeypatch.setenv("TSRNN_NUM_THREADS", n_threads)
        pool.clear()
        fits.append(regressor(cls, batch_size=64, epochs=3, **options).fit(X, y))
    for other in fits[1:]:
        assert same(fits[0], other) and other.history_ == fits[0].history_
        np.testing.assert_array_equal(fits[0].predict(X), other.predict(X))


@pytest.mark.parametrize(("n_threads", "most"), [("1", 1), ("2", 2)])
def test_tsrnn_num_threads_is_the_limit(n_threads, most, monkeypatch):
    from tsrnn.engine.native import program

    monkeypatch.setenv("TSRNN_NUM_THREADS", n_threads)
    used = []
    note = program._Pace.note
    monkeypatch.setattr(program._Pace, "note", lambda self, n, *args: (used.append(n), note(self, n, *args)))
    pool.clear()
    X, y = data(200, 20)
    regressor(units=64, batch_size=64).fit(X, y)
    assert max(used) == most


# -- divergence ------------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize("cls", CLASSES)
def test_divergence_names_the_epoch_and_spoils_neither_this_estimator_nor_the_next(cls):
    X, y = data()
    expected = regressor(cls).fit(X, y)
    model = regressor(cls, learning_rate=1e38, clipnorm=None, epochs=9)
    with pytest.raises(FloatingPointError, match=r"became (nan|inf) in epoch \d.*Try a smaller learning_rate"):
        model.fit(X, y)
    assert not hasattr(model, "weights_")
    # the search's next candidate gets the same program from the pool
    assert same(regressor(cls).fit(X, y), expected)


@pytest.mark.filterwarnings("ignore:overflow")
def test_divergence_of_a_warm_start_leaves_the_weights_before():
    X, y = data()
    model = regressor(warm_start=True).fit(X, y)
    before = [weight.copy() for weight in model.weights_]
    with pytest.raises(FloatingPointError, match="in epoch"):
        model.set_params(learning_rate=1e38, clipnorm=None, epochs=9).fit(X, y)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.weights_, strict=True))
    assert model.n_iter_ == 2
    model.set_params(learning_rate=0.01).fit(X, y)


# -- odd inputs ------------------------------------------------------------------------------------------------------


def frozen(array):
    array = array.copy()
    array.flags.writeable = False
    return array


def misaligned(array):
    return np.frombuffer(b"x" + array.tobytes(), array.dtype, offset=1).reshape(array.shape)


LAYOUTS = {
    "fortran": np.asfortranarray,
    "every_second": lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
    "backwards": lambda a: a[::-1].copy()[::-1],
    "read_only": frozen,
    "misaligned": misaligned,
    "float16": lambda a: a.astype(np.float16),
    "int8": lambda a: a.astype(np.int8),
    "object": lambda a: a.astype(object),
    "big_endian": lambda a: a.astype(">f8"),
    "long_double": lambda a: a.astype(np.longdouble),
    "list": lambda a: a.tolist(),
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_any_layout_and_kind_of_number_gives_the_same_bits(layout):
    X, y = data()
    expected = regressor().fit(X, y)
    model = regressor().fit(layout(X), layout(y), layout(np.ones(len(y))))
    assert same(model, expected)
    np.testing.assert_array_equal(model.predict(layout(X)), expected.predict(X))
    flat = layout(X.reshape(len(X), -1))
    np.testing.assert_array_equal(regressor(n_steps=5).fit(flat, layout(y)).predict(flat), expected.predict(X))


def test_booleans_are_numbers():
    X, y = data()
    assert same(regressor().fit(X > 0, y > 0), regressor().fit((X > 0) * 1.0, (y > 0) * 1.0))


def test_no_rows_are_refused():
    X, y = data()
    with pytest.raises(ValueError, match="0 sample"):
        regressor().fit(X[:0], y[:0])
    with pytest.raises(ValueError, match="0 sample"):
        regressor().fit(X, y).predict(X[:0])


@pytest.mark.parametrize("units", [10**6, 10**20, (3, 10**6)])
@pytest.mark.parametrize("engine", ["native", "auto", "keras"])
def test_a_network_too_large_is_refused_before_its_memory_is_asked_for(units, engine):
    X, y = data()
    with pytest.raises(
        ValueError, match=r"make a network of .* weights; at most 2.1e\+09 are allowed. Use fewer units"
    ):
        regressor(units=units, engine=engine).fit(X, y)


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize("units", [1, 512])
def test_one_unit_and_many_train(cls, units):
    X, y = data(6, 3)
    model = regressor(cls, units=units, epochs=1, recurrent_initializer="glorot_uniform").fit(X, y)
    assert np.isfinite(model.predict(X)).all() and model.weights_[0].shape[1] % units == 0


@pytest.mark.parametrize("batch_size", [1, 2, 3, 13, 39, 40, 41, 10**6])
def test_batches_of_any_size_and_remainder_train(batch_size):
    X, y = data(40)
    model = regressor(batch_size=batch_size, learning_rate=0.01, epochs=30, shuffle=False).fit(X, y)
    assert model.history_["loss"][-1] < model.history_["loss"][0]
    assert regressor(batch_size=batch_size).fit(X[:1], y[:1]).predict(X[:1]).shape == (1,)


def test_a_batch_larger_than_the_data_is_the_data():
    X, y = data(40)
    assert same(regressor(batch_size=10**5).fit(X, y), regressor(batch_size=40).fit(X, y))


@pytest.mark.parametrize("scale", [2.0**-1000, 2.0**-10, 2.0**1000])
def test_only_the_ratios_of_sample_weights_count(scale):
    X, y = data()
    weight = np.random.default_rng(0).uniform(0.5, 2, len(y))
    assert same(regressor().fit(X, y, weight * scale), regressor().fit(X, y, weight))


# -- without TensorFlow ----------------------------------------------------------------------------------------------

WITHOUT_KERAS = """
import sys, tempfile, pathlib
import tsrnn
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
frame = tsrnn.datasets.load_jfk_weather().iloc[:600]
model = tsrnn.LSTMForecaster(target="temp", window=24, horizon=6, units=4, epochs=2, random_state=0)
model.fit(frame).forecast()
with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder) / "model.tsrnn"
    model.save(path)
    tsrnn.load(path).forecast()
folds = TimeSeriesSplit(2, test_size=6)
GridSearchCV(model, {"learning_rate": [0.01, 0.001]}, cv=folds, error_score="raise").fit(frame)
rivals = {"lstm": model, "naive": tsrnn.NaiveForecaster(), "arima": tsrnn.ARIMAForecaster()}
tsrnn.compare(rivals, frame, target="temp", horizon=6, n_windows=2).leaderboard()
print([name for name in ("keras", "tensorflow", "jax", "torch") if name in sys.modules])
"""


def test_fit_forecast_save_load_search_and_compare_load_no_framework():
    assert run(WITHOUT_KERAS) == "[]"
