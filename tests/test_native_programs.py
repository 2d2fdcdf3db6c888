"""Native programs: which networks and windows they take, and that Ctrl-C ends them."""

import signal
import time

import numpy as np
import pytest
from native_examples import SANITIZED, Example, make_data, make_network, make_spec, random_weights

from tsrnn.engine import ForwardKey, ProgramKey, TrainerKey
from tsrnn.engine.native import available
from tsrnn.engine.native.program import NativeProgram, shortfall
from tsrnn.engine.program import Numbers


def test_shortfall_names_what_it_does_not_compute():
    key = Example(make_spec()).key()
    assert available() and shortfall(key) is None and shortfall(ProgramKey(key.forward)) is None
    assert "loss='hinge'" in shortfall(ProgramKey(key.forward, TrainerKey(8, loss="hinge")))
    many = tuple(np.linspace(0.001, 0.999, 200))
    assert "128 quantiles, not 200" in shortfall(ProgramKey(key.forward, TrainerKey(8, loss="pinball", quantiles=many)))
    assert "optimizer='lion'" in shortfall(ProgramKey(key.forward, TrainerKey(8, optimizer="lion")))
    assert "cell='lmu'" in shortfall(ProgramKey(ForwardKey(make_spec("lmu"), 3, 2)))


def test_windows_that_do_not_fit_the_program_are_refused():
    plain, ragged, centred = (Example(make_spec(), **kind) for kind in ({}, {"ragged": True}, {"centred": True}))
    program, data = plain.program(random_weights(plain.spec))
    with pytest.raises(ValueError, match="made for full windows"):
        program.bind(ragged.windows, ragged.missing)
    with pytest.raises(ValueError, match="without offset"):
        program.bind(centred.windows, centred.missing)
    longer = Example(make_spec(), n_steps=6)
    data = program.bind(longer.windows, longer.missing)
    with pytest.raises(ValueError, match="the windows have 6 steps of 2 features, but the network was made for 5"):
        program.predict(data)
    with pytest.raises(ValueError, match="the weights must have the shapes"):
        program.load(random_weights(make_spec(units=(4,))))
    with pytest.raises(ValueError, match="must be 16 arrays|must be 12 arrays"):
        program.reset_trainer(0, [np.array(0), np.array(0.1)])


def test_predictions_of_nothing_are_nothing():
    example = Example(make_spec())
    program, _ = example.program(random_weights(example.spec))
    data = program.bind(example.windows.take(slice(0, 0)), example.missing)
    assert program.predict(data).shape == (0, 2)


def test_a_program_for_prediction_does_not_train():
    example = Example(make_spec())
    program = NativeProgram(ProgramKey(example.key().forward))
    data = program.bind(example.windows, example.missing, example.y)
    with pytest.raises(ValueError, match="prediction only"):
        program.train_steps(data, example.order, Numbers(0.1))


def test_ctrl_c_is_seen_between_calls():
    spec = make_spec("lstm", (64,), n_outputs=1)
    example = Example(spec, n_windows=70, n_steps=100, batch_size=64)
    program, data = example.program(random_weights(spec, scale=0.1))
    calls = []
    train = program._network.train

    class Spy:
        n_moments = program._network.n_moments

        def train(self, data, rows, **options):
            calls.append(len(rows))
            if len(calls) == 4:
                raise KeyboardInterrupt
            return train(data, rows, **options)

    program._network = Spy()
    with pytest.raises(KeyboardInterrupt):
        program.train_steps(data, np.repeat(example.order, 100_000, axis=0), Numbers(0.001))
    assert calls[0] == 1 and max(calls) < 10_000


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers here")
@pytest.mark.parametrize("n_threads", [1, 2])
def test_ctrl_c_ends_even_one_long_step_and_leaves_the_weights(n_threads):
    network = make_network(units=(256,), n_steps=1000, batch_size=2048)  # a step of some ten seconds
    weights = np.random.default_rng(0).normal(scale=0.02, size=network.n_parameters).astype(np.float32)
    network.set_values(weights)
    data = make_data(np.zeros((1000, 2)), (0,), (0,), 1000, y=np.zeros((1, 1)))

    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    start = time.perf_counter()
    try:
        with pytest.raises(KeyboardInterrupt):
            network.train(data, np.zeros((1, 2048), np.int32), learning_rate=0.1, n_threads=n_threads)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    if not SANITIZED:  # whose steps are slow
        assert time.perf_counter() - start < 3  # half a second where nobody else uses the machine
    np.testing.assert_array_equal(network.get_values(), weights)
    assert network.iterations == 0
