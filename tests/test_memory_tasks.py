"""The made data of benchmarks/memory_tasks.py, and what it claims of Elman's network, LSTM and GRU."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

SCRIPT = Path(__file__).parent.parent / "benchmarks" / "memory_tasks.py"


def load_script():
    """Import the script, which is no part of the package."""
    sys.path.append(str(SCRIPT.parent))  # where it finds what benchmarks share
    spec = importlib.util.spec_from_file_location("memory_tasks", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    sys.modules["memory_tasks"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


tasks = load_script()
seeds = st.integers(0, 2**32 - 1)


def draw(make, n_windows=200, seed=0, **options):
    return make(np.random.default_rng(seed), n_windows, **options)


@given(seeds, st.integers(2, 30))
def test_adding_marks_one_value_in_each_half_and_asks_for_their_sum(seed, n_steps):
    X, y = draw(tasks.adding, 5, seed, n_steps=n_steps)
    for window, target in zip(X, y, strict=True):
        first, second = np.flatnonzero(window[:, 1])
        assert first < n_steps // 2 <= second
        assert target == window[first, 0] + window[second, 0]


def test_adding_mean_predicts_with_a_loss_of_a_sixth():
    _, y = draw(tasks.adding, 100_000, n_steps=4)
    assert y.var() == pytest.approx(1 / 6, rel=0.02)


@given(seeds, st.integers(1, 12), st.integers(1, 5), st.integers(2, 4))
def test_copy_gives_the_first_symbols_back_after_the_mark(seed, delay, n_symbols, n_kinds):
    X, y = draw(tasks.copy_memory, 3, seed, delay=delay, n_symbols=n_symbols, n_kinds=n_kinds)
    n_steps, blank, mark = delay + 2 * n_symbols, n_kinds, n_kinds + 1
    assert X.shape == (3, n_steps, n_kinds + 2) and y.shape == (3, n_steps, n_kinds)
    assert (X.sum(axis=2) == 1).all()
    for codes, target in zip(X.argmax(axis=2), y, strict=True):
        symbols = list(codes[:n_symbols])
        assert max(symbols) < n_kinds
        assert list(codes[n_symbols:]) == [blank] * (delay - 1) + [mark] + [blank] * n_symbols
        assert not target[:-n_symbols].any()
        assert (target[-n_symbols:] == np.eye(n_kinds)[symbols]).all()


def test_copy_without_memory_has_the_loss_of_guessing():
    _, y = draw(tasks.copy_memory, 20_000, delay=20)
    loss = ((y - y.mean(axis=0)) ** 2).mean()
    assert loss == pytest.approx(7 / 64 * 10 / 40, rel=0.01)  # guessing at 10 of 40 steps


@given(seeds, st.integers(1, 6))
def test_echo_is_the_input_delayed(seed, delay):
    X, y = draw(tasks.delayed_echo, 3, seed, delay=delay)
    for window, target in zip(X[..., 0], y, strict=True):
        for t in range(3 * delay):
            assert target[t] == (window[t - delay] if t >= delay else 0)


@given(seeds)
def test_regime_switch_changes_the_period_once_in_the_middle_half(seed):
    X, y = draw(tasks.regime_switch, 3, seed, n_steps=40, horizon=10, noise=0)
    for values in np.concatenate([X[..., 0], y], axis=1):
        # A sine of period p obeys x[t-1] + x[t+1] = 2 cos(2 pi / p) x[t].
        middle, sides = values[1:-1], values[:-2] + values[2:]
        first, last = (
            np.linalg.lstsq(middle[at, None], sides[at], rcond=None)[0] for at in (slice(8), slice(-19, None))
        )
        assert all(5.99 < 2 * np.pi / np.arccos(cosine[0] / 2) < 24.01 for cosine in (first, last))
        follows_first, follows_last = (np.abs(sides - cosine * middle) < 1e-4 for cosine in (first, last))
        # The last step before the switch obeys neither: one neighbour is of each period.
        switches = [s for s in range(10, 31) if follows_first[: s - 2].all() and follows_last[s - 1 :].all()]
        assert switches


def test_regime_switch_amplitude_and_noise_are_as_said():
    _, y = draw(tasks.regime_switch, 20_000, n_steps=40)
    assert y.var() == pytest.approx(0.5 + 0.01, rel=0.02)


def slow_context(window):
    """Schuster and Paliwal's weights in a loop; what lies outside the window counts as 0."""
    weights = {d: (1 - abs(d) / 10) / 10 if d < 0 else (1 - d / 20) / 20 for d in range(-10, 20)}
    scale = np.sqrt(sum(w**2 for w in weights.values()))
    n = len(window)
    return [sum(w * window[t + d] for d, w in weights.items() if 0 <= t + d < n) / scale for t in range(n)]


@given(seeds, st.integers(1, 40))
def test_context_is_a_weighted_mean_of_what_lies_around(seed, n_steps):
    X, y = draw(tasks.context, 2, seed, n_steps=n_steps)
    for window, target in zip(X[..., 0].astype(float), y, strict=True):
        np.testing.assert_allclose(target, slow_context(window), atol=1e-6)


def test_context_bound_is_the_error_of_a_linear_map_of_the_past():
    X, y = draw(tasks.context, 20_000, n_steps=12)
    errors = []
    for t in range(12):
        past = X[:, : t + 1, 0]
        coefficients = np.linalg.lstsq(past, y[:, t], rcond=None)[0]
        errors.append(((past @ coefficients - y[:, t]) ** 2).mean())
    assert np.mean(errors) == pytest.approx(tasks.context_bound(12), rel=0.02)


@pytest.mark.parametrize("name", tasks.TASKS)
def test_parts_of_a_task_differ_and_come_back_the_same(name):
    task = tasks.TASKS[name]
    first, again = task.part("validation"), task.part("validation")
    other = task.part("test")
    assert len(first[0]) == len(first[1]) == task.n_held
    for values, repeated, different in zip(first, again, other, strict=True):
        assert (values == repeated).all()
        assert not (values == different).all()


def test_early_stopping_holds_out_exactly_the_validation_windows():
    task = tasks.Task(tasks.TASKS["echo of 5 steps ago"].make, epochs=1, n_train=70, n_held=30)
    X, y = (np.concatenate(values) for values in zip(task.part("train"), task.part("validation"), strict=True))
    model = tasks.build(task, "GRU", 0, sequences=True).fit(X, y)
    held = ((model.predict(X[70:]) - y[70:]) ** 2).mean()
    assert model.n_windows_ == 70
    assert model.history_["val_loss"][0] == pytest.approx(held, rel=1e-5)


def test_script_prints_a_table_and_keeps_what_it_measured(tmp_path, capsys, monkeypatch):
    task = tasks.Task(tasks.TASKS["echo of 5 steps ago"].make, epochs=1, networks=("GRU",), n_train=50, n_held=50)
    monkeypatch.setitem(tasks.TASKS, "small", task)
    path = str(tmp_path / "results.jsonl")
    arguments = ["memory_tasks.py", "--task", "small", "--seeds", "2", "--json", path]
    monkeypatch.setattr(sys, "argv", arguments)
    tasks.main()
    first = capsys.readouterr().out
    tasks.main()
    assert capsys.readouterr().out == first  # nothing was measured again: seconds would differ
    assert len(Path(path).read_text().splitlines()) == 2
    head, _, *rows = first.split("\n\n")[0].splitlines()
    assert [line.count("|") for line in rows] == [head.count("|")] * 3
    assert rows[-1].startswith("| small | GRU |")


@pytest.mark.slow
@pytest.mark.parametrize("network", ["LSTM", "GRU"])
def test_gated_networks_solve_the_adding_problem(network):
    task = tasks.TASKS["adding, 100 steps"]
    assert tasks.measure(task, network, 0)["loss"] < 0.02


@pytest.mark.slow
def test_elman_network_does_not_solve_the_adding_problem_over_200_steps():
    task = tasks.TASKS["adding, 200 steps"]
    assert tasks.measure(task, "Elman", 0)["loss"] > 0.15


@pytest.mark.slow
def test_reading_in_both_directions_beats_the_bound_of_reading_forward():
    task = tasks.TASKS["context, 50 steps"]
    forward, both = (tasks.measure(task, name, 0) for name in ("LSTM", "LSTM, bidirectional"))
    assert forward["parameters"] >= both["parameters"]
    bound = tasks.context_bound(50)
    assert both["loss"] < 0.1 * bound
    assert 0.95 * bound < forward["loss"] < 1.1 * bound
