"""What a method makes is published at once, and what reads an estimator reads one state of it: of every estimator."""

import inspect
import sys
import threading
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

import tsrnn
from tsrnn._publishing import KeptWork, publishes, reads_one_state
from tsrnn._warnings import warn_user

SMALL = {
    "units": 3,
    "filters": 2,
    "epochs": 3,
    "window": 8,
    "horizon": 2,
    "random_state": 0,
    "order": (1, 0, 0),
    "season_length": 4,
    "estimator": Ridge(),
}
# Keras trains the others, which takes seconds to import.
ON_KERAS = ("Conv", "FeedForward", "OutputRecurrent", "Seq2Seq", "MinGRU", "MinLSTM", "Keras")
ESTIMATORS = [
    pytest.param(name, marks=pytest.mark.slow if name.startswith(ON_KERAS) else ())
    for name in tsrnn._HOMES
    if inspect.isclass(getattr(tsrnn, name)) and hasattr(getattr(tsrnn, name), "predict")
]


def build(n_steps, n_inputs, n_outputs):
    import keras

    return keras.Sequential([keras.Input((n_steps, n_inputs)), keras.layers.Flatten(), keras.layers.Dense(n_outputs)])


def make(name, cls=None):
    """A small estimator, and two lessons of different content for it."""
    cls = cls or getattr(tsrnn, name)
    known = inspect.signature(getattr(tsrnn, name)).parameters
    params = {key: value for key, value in SMALL.items() if key in known}
    if name == "KerasRegressor":
        params["build"] = build
    if name == "EchoStateForecaster":
        params["units"] = 20
    rng = np.random.default_rng(0)
    if name.endswith("Regressor"):
        X = rng.normal(size=(120, 6, 2))
        return cls(**params), (X, X[:, -1, 0]), (X, X[:, -2, 1] * 100)
    values = np.sin(np.arange(120) * np.pi / 2) + rng.normal(size=120) / 9
    table = pd.DataFrame({"y": values}, pd.date_range("2024-01-01", periods=120, freq="D"))
    return cls(**params), (table,), (table * 100 + 7,)


def answer(name, model, lesson):
    return model.predict(lesson[0]) if name.endswith("Regressor") else model.predict(3).to_numpy()


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.mark.parametrize("name", ESTIMATORS)
def test_predictions_during_a_refit_are_the_old_ones_or_the_new_ones(name):
    model, first, second = make(name)
    old = answer(name, model.fit(*first), first)
    new = answer(name, make(name)[0].fit(*second), first)
    assert not np.array_equal(old, new)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        thread = threading.Thread(target=lambda: [model.fit(*lesson) for lesson in (second, first) * 5])
        thread.start()
        seen = []
        while thread.is_alive():
            seen.append(answer(name, model, first))
        thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert all(np.array_equal(got, old) or np.array_equal(got, new) for got in seen)
    np.testing.assert_array_equal(answer(name, model, first), old)


@pytest.mark.parametrize("name", ESTIMATORS)
@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, MemoryError])
def test_a_refit_touches_nothing_until_it_is_done(name, error):
    model, first, second = make(name)
    model.fit(*first)
    old, state = answer(name, model, first), vars(model)
    before, armed = state.copy(), [True]

    class Watched(type(model)):
        def __setattr__(self, attribute, value):
            # The first attribute that a fit sets last of all: whatever else it sets has been set by then.
            if armed[0] and attribute in LAST:
                raise error
            super().__setattr__(attribute, value)

    LAST = ("regressor_", "n_windows_", "intercept_", "models_", "params_", "drift_", "container_")
    model.__class__ = Watched
    with pytest.raises(error):
        model.fit(*second)
    assert vars(model) is state
    assert all(state[attribute] is before[attribute] for attribute in before) and len(state) == len(before)
    np.testing.assert_array_equal(answer(name, model, first), old)
    armed[0] = False
    assert not np.array_equal(answer(name, model.fit(*second), first), old)


class Counter:
    def __init__(self):
        self.first, self.second = 1, 1

    @publishes
    def move(self, error=None):
        self.first += 1
        if error is not None:
            raise error
        self.second += 1
        return self

    @publishes
    def twice(self):
        return self.move().move()

    @reads_one_state
    def pair(self, meanwhile=lambda: None):
        first = self.first
        meanwhile()
        self.seen = True
        return first, self.second


def test_what_a_method_sets_is_published_together_and_the_estimator_is_returned():
    counter = Counter()
    assert counter.move() is counter and counter.twice() is counter
    assert counter.pair() == (4, 4)


def test_an_error_publishes_nothing_unless_it_keeps_the_work():
    counter = Counter()
    for error in (ValueError(), KeyboardInterrupt()):
        with pytest.raises(type(error)):
            counter.move(error)
        assert vars(counter) == {"first": 1, "second": 1}
    with pytest.raises(KeyboardInterrupt):
        counter.move(KeptWork())
    assert vars(counter) == {"first": 2, "second": 1}


def test_a_reader_sees_the_state_that_it_began_with_and_keeps_notes_in_it():
    counter = Counter()
    assert counter.pair(meanwhile=counter.move) == (1, 1)
    assert not hasattr(counter, "seen")  # of the state before
    assert counter.pair() == (2, 2)
    assert counter.seen


def test_a_copying_protocol_that_leaves_attributes_out_is_not_used():
    class Forgetful(Counter):
        def __getstate__(self):
            return {}

    assert Forgetful().move().pair() == (2, 2)


def test_a_warning_names_the_line_that_called_the_package():
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        tsrnn.LSTMRegressor(units=8, epochs=1, random_state=0).fit(np.zeros((5, 3, 1)), np.arange(5.0))
        warn_user("from here", UserWarning)
    assert {warning.filename for warning in seen} == {__file__}
    assert len(seen) == 2
