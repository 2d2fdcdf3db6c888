"""Results of the native engine depend on no threads, no neighbours and no cuts, to the last bit."""

import threading

import numpy as np
import pytest
from native_examples import CELLS, ISAS, Example, assert_close, make_spec, predict, random_weights

from tsrnn.engine.native import program as program_module
from tsrnn.engine.program import Numbers
from tsrnn.networks import initial_weights


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("axes", [{}, {"head": "sequence", "static": (0,)}], ids=["plain", "sequence"])
def test_prediction_does_not_depend_on_the_windows_beside_or_the_threads(cell, isa, axes, monkeypatch):
    monkeypatch.setenv("TSRNN_ISA", isa)
    spec = make_spec(cell, (20,), n_outputs=3, bidirectional=True, **axes)
    weights = random_weights(spec)
    X = np.random.default_rng(0).normal(size=(150, 7, 2))
    together = predict(spec, X, weights)
    for subset in (slice(3, 4), slice(0, 2), slice(5, 70), slice(0, 150, 7)):
        np.testing.assert_array_equal(predict(spec, X[subset], weights), together[subset])
    np.testing.assert_array_equal(predict(spec, X, weights, n_threads=3), together)
    X[0, :2] = np.nan  # a program with masks gives the same numbers for the full windows
    np.testing.assert_array_equal(predict(spec, X, weights)[1:], together[1:])


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("axes", [{}, {"head": "sequence", "static": (0,)}], ids=["plain", "sequence"])
def test_training_is_the_same_bit_for_bit_on_any_number_of_threads(cell, axes):
    spec = make_spec(cell, (19, 5), bidirectional=True, **axes)
    results = []
    for n_threads in (1, 1, 2, 2, 5):
        example = Example(spec, n_windows=90, n_steps=6, ragged=True, batch_size=83)
        numbers = Numbers(0.01, clipnorm=0.5, l2=1e-3, dropout=0.2)
        weights = initial_weights(spec, np.random.default_rng(0))
        program, data = example.program(weights, options={"n_threads": n_threads}, recurrent_dropout=0.1)
        totals = program.train_steps(data, np.repeat(example.order, 5, axis=0), numbers)
        results.append((totals, program.weights()))
    for totals, weights in results[1:]:
        assert totals == results[0][0]
        assert_close(weights, results[0][1], rtol=0, atol=0)


def test_how_calls_are_cut_changes_nothing():
    example = Example(make_spec())
    order = np.repeat(example.order, 7, axis=0)
    results = []
    for cuts in ([7], [1, 6], [3, 3, 1]):
        program, data = example.program(random_weights(example.spec))
        for rows in np.split(order, np.cumsum(cuts)[:-1]):
            program.train_steps(data, rows, Numbers(0.01, dropout=0.3))
        results.append(program.weights())
    for weights in results[1:]:
        assert_close(weights, results[0], rtol=0, atol=0)


def test_programs_train_side_by_side_in_threads():
    example = Example(make_spec(units=(16,)), n_windows=60, n_steps=30, batch_size=32)
    weights = random_weights(example.spec, scale=0.2)
    order = np.repeat(example.order, 20, axis=0)
    results = [None] * 4

    def work(i):
        program, data = example.program(weights)
        program.train_steps(data, order, Numbers(0.01))
        results[i] = program.weights()

    workers = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for got in results[1:]:
        assert_close(got, results[0], rtol=0, atol=0)


def test_threads_are_chosen_by_measurement():
    pace = program_module._Pace()
    allowed = range(1, 3)
    seen = []
    for _ in range(200):
        n_threads, steps = pace.choose(allowed)
        seen.append((n_threads, steps))
        pace.note(n_threads, steps, steps * {1: 1e-3, 2: 4e-3}[n_threads])  # the machine is busy
    assert sum(n == 2 for n, _ in seen) < 20
    assert seen[:2] == [(1, 1), (2, 1)] and seen[50] == (1, 100)
    assert max(steps * {1: 1e-3, 2: 4e-3}[n] for n, steps in seen) < 0.2
