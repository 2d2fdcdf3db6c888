"""The binding of the native engine checks everything that C trusts, whatever it is given."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from native_examples import CELLS, SANITIZED, make_data, make_network
from native_oracle import PARAMETERS, QUANTILES

from tsrnn.engine.native import _core


@pytest.mark.parametrize(
    "change",
    [
        {"units": ()},
        {"units": (0,)},
        {"units": (2**40,)},
        {"units": (3,) * 17},
        {"units": (2**15, 2**15, 2**15)},
        {"units": (2**15,), "bidirectional": True, "n_features": 2**24},
        {"n_steps": 0},
        {"n_steps": -1},
        {"n_steps": 2**70},
        {"n_features": 0},
        {"n_outputs": 0},
        {"n_outputs": 2**24, "units": (2**15,)},
        {"batch_size": -1},
        {"segment": 0},
        {"segment": 2**24, "n_features": 2**24},
        {"indicators": (2,)},
        {"indicators": (-1,)},
        {"indicators": (0, 1, 1)},
        {"head": "middle"},
        {"head": "sequence", "n_outputs": 2**24, "n_steps": 2**24},
        {"static": (2,)},
        {"static": (-1,)},
        {"static": (0, 0)},
        {"static": (0, 1), "static_to": "state"},
        {"static": (0,), "static_to": "inputs"},
        {"recurrent_dropout": 1.0},
        {"momentum": -1},
        {"cell": "rnn"},
        {"activation": "relu"},
        {"loss": "hinge"},
        {"loss": "pinball"},
        {"loss": "pinball", "quantiles": (0.5, 1.5)},
        {"loss": "pinball", "quantiles": (0.5, 0.9), "n_outputs": 3},
        {"loss": "pinball", "quantiles": (0.5,) * 129, "n_outputs": 129},
        {"loss": "mse", "quantiles": (0.5,)},
        {"loss": "gaussian", "n_outputs": 3},
        {"loss": "student_t", "n_outputs": 4},
        {"optimizer": "lion"},
        {"isa": "sse9"},
        {"n_steps": 2.5},
        {"n_steps": "4"},
        {"units": None},
        {"recurrent_dropout": float("nan")},
    ],
    ids=str,
)
def test_networks_that_cannot_be_are_refused(change):
    with pytest.raises((ValueError, TypeError, MemoryError)):
        make_network(**change)


@pytest.mark.skipif(SANITIZED, reason="the sanitizer needs the address space")
def test_a_batch_beyond_memory_is_an_error_and_leaves_the_network_usable():
    resource = pytest.importorskip("resource")
    network = make_network(units=(512,), n_steps=2**22)
    data = make_data(np.zeros((2**22, 2), np.float32), (0,), (0,), 2**22, y=np.zeros((1, 1)))
    limits = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (32 * 2**30, limits[1]))
    try:
        with pytest.raises(MemoryError, match="do not fit into memory"):
            network.train(data, np.zeros((1, 5), np.int32), learning_rate=0.1)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)
    assert network.get_values().shape == (network.n_parameters,)


@pytest.mark.parametrize(
    "change",
    [
        {"series": np.zeros((10, 2, 1))},
        {"series": np.zeros((10, 2), complex)},
        {"series": np.zeros((10, 2), object)},
        {"series": np.array([["a", "b"]])},
        {"series": np.zeros((0, 2))},
        {"series": np.zeros((10, 0)), "means": ()},
        {"starts": (0, 3, 7)},
        {"starts": (0, 3, 2**40)},
        {"starts": (0, 3, -(2**40))},
        {"starts": (0.0, 1.0, 2.0)},
        {"starts": ((0, 1, 2),)},
        {"lead": (0, 0)},
        {"lead": (0, 0, 5)},
        {"lead": (0, 0, -1)},
        {"n_steps": 0},
        {"n_steps": 11},
        {"means": (0,)},
        {"offset": np.zeros((2, 2))},
        {"offset": np.zeros((3, 3))},
        {"y": np.zeros((2, 1))},
        {"y": np.zeros(3)},
        {"y": np.zeros((3, 1)), "weight": np.zeros(2)},
    ],
    ids=str,
)
def test_data_that_cannot_be_are_refused(change):
    with pytest.raises((ValueError, TypeError)):
        make_data(**change)


@pytest.mark.parametrize(
    "order",
    [
        np.full((1, 5), 3),
        np.full((1, 5), -2),
        np.full((1, 5), 2**40),
        np.zeros((1, 4), np.int32),
        np.zeros(5, np.int32),
        np.zeros((1, 5)),
        np.zeros((1, 5), object),
        None,
        np.full((1, 5), 2**64 - 1, np.uint64),
    ],
    ids=str,
)
def test_orders_that_cannot_be_are_refused(order):
    with pytest.raises((ValueError, TypeError)):
        make_network().train(make_data(y=np.zeros((3, 1))), order, learning_rate=0.1)


def test_windows_may_begin_before_the_series():
    series = np.arange(1.0, 21.0).reshape(10, 2)
    data = make_data(series, starts=(-3, -4, -9), lead=(3, 4, 4))
    network = make_network()
    rng = np.random.default_rng(0)
    network.set_values(rng.normal(size=network.n_parameters))
    whole = network.predict(data)
    shorter = _core.Data(series, np.array([0]), np.array([0]), 1, None, np.zeros(2))
    one = make_network(n_steps=1)
    one.set_values(network.get_values())
    np.testing.assert_array_equal(whole[0], one.predict(shorter)[0])
    assert whole[1] == whole[2] == network.get_values()[-1]  # nothing but the bias of the head


def test_any_layout_and_kind_of_number_gives_the_same():
    network = make_network(batch_size=3)
    rng = np.random.default_rng(0)
    network.set_values(rng.normal(size=network.n_parameters))
    base, y, order = rng.integers(-5, 6, size=(10, 2)), rng.integers(0, 3, size=(3, 1)), np.array([[0, 1, 2]])
    frozen = base.astype(np.float32)
    frozen.flags.writeable = False
    misaligned = np.frombuffer(b"x" + base.astype(np.float32).tobytes(), np.float32, offset=1).reshape(10, 2)
    variants = [
        base,
        frozen,
        misaligned,
        base.astype(np.float16),
        base.astype(np.int8),
        base.astype(">f8"),
        np.asfortranarray(base),
        np.repeat(base, 2, axis=1)[:, ::2],
        base[::-1][::-1],
        base.tolist(),
    ]
    expected = network.predict(make_data(base.astype(np.float32)))
    for series in variants:
        np.testing.assert_array_equal(network.predict(make_data(series)), expected)
    losses = set()
    for kind in (np.int8, np.int32, np.int64, np.uint8):
        for targets in (y.astype(np.float64), y.astype(np.int16), y.astype(bool) * y):
            data = make_data(base, y=targets, weight=np.ones(3, np.int32))
            losses.add(network.train(data, order.astype(kind), learning_rate=0.0)[0])
    assert len(losses) == 1


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_the_binding_survives_anything(data):
    """Sizes, dtypes, strides and contents at random: a result of the right shape, or an error."""
    small = st.integers(-1, 6)
    dtypes = st.sampled_from([np.float32, np.float64, np.float16, np.int32, np.int64, np.uint8, object, "U3", bool])
    draw = data.draw

    def array(shape, low=-3, high=8):
        kind = draw(dtypes)
        values = np.random.default_rng(draw(st.integers(0, 99))).integers(low, high, size=[max(0, n) for n in shape])
        values = values.astype(kind, order=draw(st.sampled_from("CF")))
        if draw(st.booleans()):
            values = np.repeat(values, 2, axis=-1)[..., ::2] if values.ndim else values
        if draw(st.booleans()):
            values.flags.writeable = False
        return values

    n, n_steps, n_features, n_targets, batch = (draw(small) for _ in range(5))
    loss = draw(st.sampled_from(_core.LOSSES))
    n_outputs = n_targets * PARAMETERS.get(loss, 1) + draw(st.sampled_from([0, 0, 0, 1]))
    try:
        network = _core.Network(
            cell=draw(st.sampled_from(CELLS)),
            units=draw(st.lists(st.integers(0, 40), min_size=0, max_size=3)),
            n_steps=n_steps,
            n_features=n_features,
            n_outputs=n_outputs,
            batch_size=batch,
            bidirectional=draw(st.booleans()),
            segment=draw(small),
            indicators=draw(st.lists(small, max_size=3)),
            head=draw(st.sampled_from(_core.HEADS)),
            static=draw(st.lists(small, max_size=3)),
            static_to=draw(st.sampled_from(_core.STATIC_TO)),
            recurrent_dropout=draw(st.sampled_from([0.0, 0.5, 1.0, -1.0])),
            optimizer=draw(st.sampled_from(_core.OPTIMIZERS)),
            loss=loss,
            quantiles=QUANTILES if loss == "pinball" else (),
        )
        windows = _core.Data(
            array((draw(st.integers(0, 20)), n_features + draw(st.sampled_from([0, 0, 0, 1])))),
            array((n,), -4, 6),
            array((n + draw(st.sampled_from([0, 0, 0, 1])),), 0, 4),
            n_steps,
            draw(st.sampled_from([None, None, 1])) and array((n, n_features)),
            array((n_features,)),
            array((n, network.n_targets)),
            draw(st.sampled_from([None, 1])) and array((n,)),
        )
        out = network.predict(windows, n_threads=draw(st.integers(0, 3)))
        assert out.shape == (n, network.n_values)
        order = array((draw(st.integers(0, 3)), batch + draw(st.sampled_from([0, 0, 0, 1]))), -1, max(n, 1))
        loss, weight = network.train(
            windows, order, learning_rate=draw(st.floats(-1, 1)), dropout=draw(st.sampled_from([0.0, 0.3, 1.0]))
        )
        assert isinstance(loss, float) and isinstance(weight, float)
        assert network.get_values().shape == (network.n_parameters,)
    except (ValueError, TypeError, OverflowError):
        pass


ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-2, 9),
    st.sampled_from(
        [2**31, 2**63, 2**64, -(2**63), 2**200, "", "lstm", b"x", np.int8(3), np.float32(2.5), np.bool_(True)]
    ),
    st.floats(),
    st.lists(st.integers(-2, 5) | st.floats() | st.none(), max_size=4),
    st.sampled_from([(), (0,), (5,), (1, 5), (2, 5), (0, 5), (10, 2), (3, 1), (3, 1, 1), (2, 0)]).map(np.ones),
    st.sampled_from([(1, 5), (0, 5), (3,), (3, 2)]).map(lambda shape: np.zeros(shape, np.int64)),
)
CALLS = {
    "train": [
        "order",
        "learning_rate",
        "l1",
        "l2",
        "clipnorm",
        "dropout",
        "weight_decay",
        "n_threads",
        "loss",
        "weight",
    ],
    "predict": ["start", "stop", "n_threads"],
    "set_values": ["values", "which"],
    "get_values": ["which"],
    "set_clock": ["iterations", "seed"],
}


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_every_method_survives_any_argument(data):
    """Good arguments but for a few: a result, or an error that is not a crash; and the network still works."""
    network, windows = make_network(), make_data(y=np.zeros((3, 1)))
    name = data.draw(st.sampled_from(sorted(CALLS)))
    good = {"order": np.zeros((1, 5), np.int32), "learning_rate": 0.1} if name == "train" else {}
    if name == "set_values":
        good["values"] = np.zeros(network.n_parameters)
    if name == "set_clock":
        good |= {"iterations": 0, "seed": 0}
    bad = data.draw(st.dictionaries(st.sampled_from(CALLS[name]), ANYTHING, max_size=3))
    given = [windows] if name in ("train", "predict") else []
    if data.draw(st.integers(0, 9)) == 0:
        given = [data.draw(ANYTHING)]
    try:
        getattr(network, name)(*given, **good | bad)
    except (ValueError, TypeError, OverflowError):
        pass
    network.set_values(np.zeros(network.n_parameters))
    np.testing.assert_array_equal(network.predict(windows), np.zeros((3, 1)))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_the_constructors_survive_any_argument(data):
    network = {"cell": "gru", "units": (3,), "n_steps": 4, "n_features": 2, "n_outputs": 1, "batch_size": 5}
    optional = ["bidirectional", "segment", "indicators", "momentum", "recurrent_dropout", "static", "quantiles", "isa"]
    changes = data.draw(st.dictionaries(st.sampled_from([*network, *optional]), ANYTHING, max_size=3))
    windows = {"series": np.ones((9, 2)), "starts": np.arange(3), "lead": np.zeros(3, int), "n_steps": 4}
    windows |= {"offset": None, "means": np.zeros(2), "y": np.zeros((3, 1)), "weight": None}
    bad = data.draw(st.dictionaries(st.sampled_from(sorted(windows)), ANYTHING, max_size=3))
    try:
        made, bound = _core.Network(**network | changes), _core.Data(**windows | bad)
        if made.n_parameters < 10**6 and made.batch_size < 10**4:
            made.predict(bound)
            made.train(bound, np.zeros((1, made.batch_size), np.int32), learning_rate=0.1)
    except (ValueError, TypeError, OverflowError, MemoryError):
        pass


class Liar(tuple):
    def __len__(self):
        return 1


def test_sizes_are_counted_as_they_are_read():
    sizes = {name: np.int8(value) for name, value in {"n_steps": 100, "n_features": 2, "n_outputs": 3}.items()}
    assert make_network(head="sequence", **sizes).n_values == 300  # beyond an int8
    with pytest.raises(ValueError, match="number of layers"):
        make_network(units=Liar([3] * 40))
    with pytest.raises(ValueError, match="n_steps must be an integer"):
        make_network(n_steps=np.float32(4.5))
