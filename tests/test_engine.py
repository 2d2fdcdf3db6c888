"""Programs, the pool, the canonical set and the training loop: against slow loops with the equations written out."""

import os
import subprocess
import sys
import threading
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from tsrnn._canonical import canonical_rows, hash_rows
from tsrnn.engine import ForwardKey, Missing, ProgramKey, TrainerKey, WindowData, lease, native, pool
from tsrnn.engine.data import batches, check_gaps, count_gaps, features_with_gaps
from tsrnn.engine.examples import Examples
from tsrnn.engine.losses import mean_loss
from tsrnn.engine.program import Numbers
from tsrnn.engine.training import TrainingPlan, train
from tsrnn.networks import NetworkSpec, initial_weights
from tsrnn.windows import WindowArray

CELLS = ["lstm", "gru", "simple_rnn"]


@pytest.fixture(params=["native", "keras"])
def engine(request):
    if request.param == "native" and not native.available():
        pytest.skip("the native engine was not compiled")
    return request.param


# -- the oracle: one window, one step at a time ----------------------------------------------------------------------


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm_step(x, h, c, kernel, recurrent, bias):
    i, f, g, o = np.split(x @ kernel + h @ recurrent + bias, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru_step(x, h, c, kernel, recurrent, bias):
    xz, xr, xh = np.split(x @ kernel + bias[0], 3)
    hz, hr, hh = np.split(h @ recurrent + bias[1], 3)
    z, r = sigmoid(xz + hz), sigmoid(xr + hr)
    return z * h + (1 - z) * np.tanh(xh + r * hh), c


def simple_rnn_step(x, h, c, kernel, recurrent, bias):
    return np.tanh(x @ kernel + h @ recurrent + bias), c


STEPS = {"lstm": lstm_step, "gru": gru_step, "simple_rnn": simple_rnn_step}


def slow_layer(cell, xs, weights):
    h = c = np.zeros(len(weights[1]))
    states = []
    for x in xs:
        h, c = STEPS[cell](x, h, c, *weights)
        states.append(h)
    return states


def slow_forward(spec, window, weights):
    """Forward pass of one window (T, C) in float64."""
    weights = [values.astype(float) for values in weights]
    padding = spec.n_segments(len(window)) * spec.segment - len(window)
    window = np.concatenate([np.zeros((padding, window.shape[1])), window.astype(float)])
    xs = list(window.reshape(-1, spec.segment * window.shape[1]))
    for _ in spec.units:
        forward = slow_layer(spec.cell, xs, weights[:3])
        weights = weights[3:]
        if spec.bidirectional:
            backward = slow_layer(spec.cell, xs[::-1], weights[:3])[::-1]
            weights = weights[3:]
            # a layer that returns one state returns the last of each direction in its own reading order
            last = np.concatenate([forward[-1], backward[0]])
            xs = [np.concatenate(pair) for pair in zip(forward, backward, strict=True)]
        else:
            xs, last = forward, forward[-1]
    return last @ weights[0] + weights[1]


def random_weights(spec, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(scale=0.5, size=weight.shape).astype(np.float32) for weight in spec.weights]


def predict(spec, X, weights, engine, *, n_steps=None, missing=None):
    data = WindowData.from_windows(X, n_steps)
    missing = missing or Missing(np.zeros(data.n_features, np.float32), ())
    key = ForwardKey(
        spec, data.n_steps, data.n_features, missing.indicators, data.ragged, centred=data.offset is not None
    )
    with lease(ProgramKey(key), engine) as program:
        program.load(weights)
        return program.predict(program.bind(data, missing))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(
    "changes",
    [{}, {"units": (3, 4)}, {"bidirectional": True, "units": (3, 2)}, {"segment": 2}],
    ids=["plain", "stacked", "bidirectional", "segments"],
)
def test_forward_pass_follows_the_equations(engine, cell, changes):
    spec = NetworkSpec(**{"cell": cell, "units": (3,), "n_inputs": 2, "n_outputs": 2, **changes})
    X = np.random.default_rng(1).normal(size=(3, 5, 2))
    weights = random_weights(spec)
    expected = [slow_forward(spec, window, weights) for window in X]
    np.testing.assert_allclose(predict(spec, X, weights, engine), expected, atol=2e-6)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_leading_nan_steps_make_a_shorter_sequence(engine, cell, bidirectional):
    spec = NetworkSpec(cell, (3, 2), n_inputs=2, n_outputs=1, bidirectional=bidirectional)
    X = np.random.default_rng(1).normal(size=(4, 6, 2))
    weights = random_weights(spec)
    for window, lead in enumerate([0, 1, 3, 5]):
        X[window, :lead] = np.nan
    expected = [slow_forward(spec, window[~np.isnan(window).all(axis=1)], weights) for window in X]
    np.testing.assert_allclose(predict(spec, X, weights, engine), expected, atol=2e-6)


def test_empty_segments_are_masked_and_half_empty_ones_are_filled_with_zeros(engine):
    spec = NetworkSpec("gru", (3,), n_inputs=1, n_outputs=1, segment=3)
    weights = random_weights(spec)
    X = np.random.default_rng(1).normal(size=(1, 8, 1))
    X[0, :4] = np.nan  # padded to 9 steps: segments [., -, -], [-, -, x], [x, x, x]
    np.testing.assert_allclose(predict(spec, X, weights, engine)[0], slow_forward(spec, X[0, 4:], weights), atol=2e-6)


def test_a_window_without_any_value_gives_the_head_of_the_zero_state(engine):
    spec = NetworkSpec("lstm", (3,), n_inputs=1, n_outputs=2)
    weights = random_weights(spec)
    X = np.array([[[np.nan], [np.nan]], [[1.0], [2.0]]])
    np.testing.assert_array_equal(predict(spec, X, weights, engine)[0], weights[-1])


def test_missing_values_become_the_mean_and_an_indicator(engine):
    spec = NetworkSpec("gru", (3,), n_inputs=3, n_outputs=1)
    weights = random_weights(spec)
    X = np.array([[[1.0, 2.0], [np.nan, 3.0], [4.0, 5.0]]])
    filled = np.array([[1, 2, 0], [7, 3, 1], [4, 5, 0]])
    got = predict(spec, X, weights, engine, missing=Missing(np.array([7, 0], np.float32), (0,)))
    np.testing.assert_allclose(got[0], slow_forward(spec, filled, weights), atol=2e-6)


def test_prediction_does_not_depend_on_the_windows_beside(engine):
    spec = NetworkSpec("lstm", (5,), n_inputs=2, n_outputs=1)
    weights = random_weights(spec)
    X = np.random.default_rng(0).normal(size=(150, 7, 2))
    together = predict(spec, X, weights, engine)
    alone = np.concatenate([predict(spec, window[None], weights, engine) for window in X[::10]])
    np.testing.assert_array_equal(together[::10], alone)
    X[0, 0] = np.nan  # now a program with masks serves: same numbers for the full windows
    # JAX compiles the two into different instructions: there they are equal up to rounding.
    atol = 1e-7 if engine == "keras" and os.environ.get("KERAS_BACKEND") == "jax" else 0
    np.testing.assert_allclose(predict(spec, X, weights, engine)[1:], together[1:], rtol=0, atol=atol)


# -- window data -----------------------------------------------------------------------------------------------------


def ragged_example():
    base = np.random.default_rng(3).normal(size=(30, 2))
    base[4] = np.nan
    base[11, 1] = np.nan
    starts = np.array([-3, 0, 4, 8, 20])
    offset = np.arange(10.0).reshape(5, 2) * 1e3
    return WindowArray(base, starts, 6, offset)


def test_lazy_and_dense_windows_are_the_same_bits():
    lazy = ragged_example()
    dense = np.asarray(lazy)
    a, b = WindowData.from_windows(lazy), WindowData.from_windows(dense)
    assert a.lead.tolist() == b.lead.tolist() == [3, 0, 1, 0, 0]
    np.testing.assert_array_equal(a.dense(slice(None)), b.dense(slice(None)))
    np.testing.assert_array_equal(count_gaps(a), count_gaps(b))
    assert features_with_gaps(a) == (0, 1)  # row 4 lies inside the second window


def test_gap_without_indicator_names_feature_window_and_step():
    data = WindowData.from_windows(ragged_example()).take(np.array([2, 3]))
    assert features_with_gaps(data) == (1,)
    check_gaps(data, (1,))
    with pytest.raises(ValueError, match=r"feature 'b' is missing at step 3 of window 1.*missing_indicator=True"):
        check_gaps(data, (), ["a", "b"])


def test_shorter_windows_are_padded_on_the_left():
    data = WindowData.from_windows(np.arange(6.0).reshape(2, 3, 1), n_steps=5)
    assert data.lead.tolist() == [2, 2]
    np.testing.assert_array_equal(data.dense(slice(None))[1, :, 0], [np.nan, np.nan, 3, 4, 5])


def test_means_are_weighted_and_leave_the_lead_out():
    X = np.array([[[np.nan], [1.0], [3.0]], [[5.0], [np.nan], [5.0]]])
    missing = Missing.learn(WindowData.from_windows(X), np.array([1.0, 2.0]), (0,))
    assert missing.means == pytest.approx([(1 + 3 + 2 * (5 + 5)) / 6])


def test_infinity_and_values_beyond_float32_are_refused():
    for value in (np.inf, 1e300):
        with pytest.raises(ValueError, match="contains infinity|too large for float32"):
            WindowData.from_windows(np.full((1, 2, 1), value))


# -- the canonical set -----------------------------------------------------------------------------------------------


def test_canonical_set_merges_repeats_and_forgets_the_order():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(20, 4, 1)), rng.normal(size=(20, 2)).astype(np.float32)
    X[3, :2] = np.nan
    times = rng.integers(1, 4, size=20)
    repeated = rng.permutation(np.repeat(np.arange(20), times))
    a = WindowData.from_windows(X)
    b = WindowData.from_windows(X[repeated])
    rows_a, weight_a = canonical_rows(a, y, times.astype(float))
    rows_b, weight_b = canonical_rows(b, y[repeated], np.ones(len(repeated)))
    np.testing.assert_array_equal(a.dense(rows_a), b.dense(rows_b))
    np.testing.assert_array_equal(weight_a, weight_b)


def test_rows_with_equal_hashes_are_merged_only_if_equal(monkeypatch):
    monkeypatch.setattr("tsrnn._canonical._finalise", np.zeros_like)  # every hash collides
    X = np.array([1.0, 1.0, 2.0]).reshape(3, 1, 1)
    rows, weight = canonical_rows(WindowData.from_windows(X), np.zeros((3, 1), np.float32), np.ones(3))
    assert X[rows, 0, 0].tolist() == [1, 2]
    assert weight.tolist() == [2, 1]


def test_hashes_tell_apart_windows_targets_and_places():
    X = np.array([[1, 2], [2, 1], [1, 2], [0, 0], [-0.0, 0]]).reshape(5, 2, 1)
    y = np.array([[0], [0], [1], [0], [0]], dtype=np.float32)
    hashes = hash_rows(WindowData.from_windows(X), y)
    assert len(set(hashes[:4])) == 4
    assert hashes[3] == hashes[4]  # -0.0 equals 0.0


# -- losses and batches ----------------------------------------------------------------------------------------------


def test_losses_by_hand():
    y = np.array([[0.0, np.nan], [1.0, 2.0]])
    y_pred = np.array([[0.5, 9.0], [1.0, 5.0]])
    weight = np.array([1.0, 3.0])
    assert mean_loss("mse", y, y_pred, weight) == pytest.approx((0.25 + 3 * 9) / 7)
    assert mean_loss("mae", y, y_pred, weight) == pytest.approx((0.5 + 3 * 3) / 7)
    assert mean_loss("huber", y, y_pred, weight) == pytest.approx((0.125 + 3 * 2.5) / 7)


def test_batches_hold_every_row_once_and_fill_up_with_minus_one():
    order = batches(10, 4, np.random.default_rng(0))
    assert order.shape == (3, 4)
    assert sorted(order.ravel()) == [-1, -1, *range(10)]
    assert batches(5, 4, None).tolist() == [[0, 1, 2, 3], [4, -1, -1, -1]]


# -- training --------------------------------------------------------------------------------------------------------

SPEC = NetworkSpec("gru", (3,), n_inputs=1, n_outputs=2)
FORWARD = ForwardKey(SPEC, 4, 1)
MISSING = Missing(np.zeros(1, np.float32), ())


def examples(n=21, seed=0):
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(n, 4, 1)), rng.normal(size=(n, 2)).astype(np.float32)
    return Examples(WindowData.from_windows(X), y, rng.uniform(1, 2, size=n))


def plan(**changes):
    numbers = Numbers(0.01, clipnorm=1.0, dropout=0.2)
    return TrainingPlan(**{"epochs": 2, "batch_size": 8, "loss": "mse", "numbers": numbers, **changes})


def run(trainer, engine, seed=0, **changes):
    with lease(ProgramKey(FORWARD, trainer), engine) as program:
        weights = initial_weights(SPEC, np.random.default_rng(seed))
        return train(
            program, examples(), examples(9, 1), MISSING, plan(**changes), weights, np.random.default_rng(seed)
        )


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_used_program_gives_the_same_bits_as_a_new_one(engine, compiled, optimizer):
    trainer = TrainerKey(8, optimizer, 0.9, True, dropout=True, recurrent_dropout=0.1, compiled=compiled)
    pool.clear()
    first = run(trainer, engine)
    run(trainer, engine, seed=1, epochs=3)
    second = run(trainer, engine)
    assert first.history == second.history
    assert all(np.array_equal(a, b) for a, b in zip(first.weights, second.weights, strict=True))


@pytest.mark.parametrize("loss", ["mse", "mae", "huber"])
def test_step_reports_the_loss_before_it_and_ignores_padding_and_unknown_targets(engine, loss):
    data = examples(10)
    data.y[::3, 1] = np.nan
    with lease(ProgramKey(FORWARD, TrainerKey(8, loss=loss)), engine) as program:
        program.load(random_weights(SPEC))
        program.reset_trainer(0)
        y_pred = program.predict(program.bind(data.windows, MISSING))
        bound = program.bind(data.windows, MISSING, data.y, data.weight)
        order = np.array([[0, 1, 2, 3, 4, -1, -1, -1], [5, 6, 7, 8, 9, -1, -1, -1]], dtype=np.int32)
        total, weight = program.train_steps(bound, order, Numbers(0.0))
    assert weight == pytest.approx((data.weight[:, None] * ~np.isnan(data.y)).sum(), rel=1e-5)
    assert total / weight == pytest.approx(mean_loss(loss, data.y, y_pred, data.weight), rel=1e-5)


def test_gradient_of_a_step_against_finite_differences(engine):
    """One SGD step without momentum moves the weights by -rate * (gradient of loss and penalties), clipped."""
    data = examples(6)
    weights = random_weights(SPEC)
    penalties = {"l1": 0.01, "l2": 0.02}

    def objective(values):
        y_pred = np.array([slow_forward(SPEC, window, values) for window in data.windows.dense(slice(None))])
        kernels = [values[i] for i in SPEC.kernel_positions]
        penalty = sum(0.01 * np.abs(k).sum() + 0.02 * np.square(k).sum() for k in kernels)
        return mean_loss("mse", data.y, y_pred, data.weight) + penalty

    gradients = []
    for i, values in enumerate(weights):
        gradient = np.zeros(values.shape)
        for place in np.ndindex(values.shape):
            moved = [w.astype(float) for w in weights]
            moved[i][place] += 1e-5
            up = objective(moved)
            moved[i][place] -= 2e-5
            gradient[place] = (up - objective(moved)) / 2e-5
        gradients.append(gradient)
    norm = np.sqrt(sum(np.square(g).sum() for g in gradients))
    for clipnorm in (float("inf"), norm / 2):
        with lease(ProgramKey(FORWARD, TrainerKey(8, "sgd")), engine) as program:
            program.load(weights)
            program.reset_trainer(0)
            bound = program.bind(data.windows, MISSING, data.y, data.weight)
            program.train_steps(bound, batches(6, 8, None), Numbers(0.1, clipnorm=clipnorm, **penalties))
            moved = program.weights()
        for before, after, gradient in zip(weights, moved, gradients, strict=True):
            expected = -0.1 * gradient * min(1, clipnorm / norm)
            np.testing.assert_allclose(after - before, expected, atol=2e-5)


def test_patience_counts_from_the_last_fall_by_more_than_tol_and_best_may_be_the_start():
    class Flat:
        """A program that gets worse with every epoch."""

        key = ProgramKey(FORWARD)

        def __init__(self):
            self.bias = 0.0

        load = reset_trainer = lambda self, *args: None

        def weights(self):
            return [np.array([self.bias])]

        def generators(self):
            return []

        def trainer_state(self):
            return []

        def bind(self, windows, missing, y=None, weight=None, carry=None):
            return windows

        def train_steps(self, data, order, numbers):
            self.bias += 1.0
            return 1.0, 1.0

        def predict(self, data):
            return np.full((len(data), 2), self.bias)

    part = examples(4)
    part = Examples(part.windows, np.zeros((4, 2), np.float32), part.weight)
    outcome = train(Flat(), part, part, MISSING, plan(epochs=50, patience=3), [], np.random.default_rng(0))
    assert (outcome.n_iter, outcome.best_iteration) == (3, 0)
    assert outcome.initial_val_loss == 0
    assert outcome.history["val_loss"] == [1, 4, 9]


def test_schedules():
    rates = [plan(schedule="cosine", epochs=4).rate(epoch) for epoch in range(4)]
    np.testing.assert_allclose(rates, 0.01 * 0.5 * (1 + np.cos(np.pi * np.arange(4) / 4)))
    rates = [plan(schedule="exponential").rate(epoch) for epoch in range(5)]
    np.testing.assert_allclose(rates, [0.01, 0.01, 0.01, 0.008, 0.0064])
    assert plan(schedule=lambda epoch: 1 / (1 + epoch)).rate(1) == 0.005


# -- the pool --------------------------------------------------------------------------------------------------------


def test_pool_lends_each_program_to_one_thread_and_takes_it_back(engine):
    pool.clear()
    key = ProgramKey(FORWARD)
    with lease(key, engine) as first, lease(key, engine) as second:
        assert first is not second
    with lease(key, engine) as third:
        assert third is first  # the last one given back
    with pytest.raises(KeyError), lease(key, engine) as fourth:
        raise KeyError
    with lease(key, engine) as fifth:
        assert fifth is fourth


def test_a_training_program_predicts_but_not_the_other_way_round(engine):
    pool.clear()
    with lease(ProgramKey(FORWARD), engine) as predictor:
        pass
    with lease(ProgramKey(FORWARD, TrainerKey(8)), engine) as trainer:
        assert trainer is not predictor
    with lease(ProgramKey(FORWARD), engine) as again:
        assert again is trainer


def test_pool_is_bounded(monkeypatch):
    monkeypatch.setattr("tsrnn.engine.pool.CAPACITY", 2)
    pool.clear()
    for n_steps in (2, 3, 4):
        with lease(ProgramKey(ForwardKey(SPEC, n_steps, 1))):
            pass
    assert [entry.key.forward.n_steps for entry in pool._idle] == [3, 4]


def test_threads_train_side_by_side_with_equal_results(engine):
    trainer = TrainerKey(8)
    expected = run(trainer, engine)
    outcomes = {}
    threads = [threading.Thread(target=lambda i=i: outcomes.update({i: run(trainer, engine)})) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(outcomes[i].history == expected.history for i in range(3))


def run_python(code, **env):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **env}, timeout=120
    )


def test_import_of_regressors_and_engine_loads_no_keras():
    code = "import sys, tsrnn.regressors, tsrnn.engine; print([m for m in ('keras', 'tensorflow') if m in sys.modules])"
    assert run_python(code).stdout.strip() == "[]"


FIT = """
import numpy as np, warnings
warnings.simplefilter("ignore")
from tsrnn.regressors import SimpleRNNRegressor
def fit():
    model = SimpleRNNRegressor(2, epochs=1, engine="keras")
    return model.fit(np.ones((5, 3, 1)), np.ones(5)).predict(np.ones((1, 3, 1)))
"""


@pytest.mark.slow
@pytest.mark.parametrize("level", [None, "3"], ids=["on its own", "in a worker"])
def test_keras_fit_and_predict_write_nothing(monkeypatch, level):
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    done = run_python(FIT + "fit()", **({} if level is None else {"TF_CPP_MIN_LOG_LEVEL": level}))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.slow
def test_fork_after_keras_ran_raises_instead_of_hanging():
    code = FIT + (
        "import multiprocessing\nfit()\ndef child(queue):\n    try:\n        fit()\n    except RuntimeError as error:\n"
        "        queue.put(str(error))\n"
        "context = multiprocessing.get_context('fork')\nqueue = context.Queue()\n"
        "process = context.Process(target=child, args=(queue,))\nprocess.start()\nprint(queue.get(timeout=60))"
    )
    assert "loky" in run_python(code).stdout


@pytest.mark.slow
def test_another_keras_backend_is_refused_with_the_fix():
    done = run_python(FIT + "fit()", KERAS_BACKEND="numpy")
    assert done.returncode == 1
    assert "KERAS_BACKEND=tensorflow" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends_keep_what_these_tests_state(backend):
    if find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    files = ("test_engine.py", "test_native_keras.py", "test_keras_model.py", "test_feedback.py")
    chosen = ["-m", "slow or not slow", "-k", "(keras or test_feedback) and not estimator_check and not forecasters"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *chosen, *(str(Path(__file__).parent / name) for name in files)],
        env={**os.environ, "KERAS_BACKEND": backend},
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
