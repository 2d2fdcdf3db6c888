"""The description of networks and their initial weights."""

import numpy as np
import pytest

from tsrnn.networks import NetworkSpec, initial_weights
from tsrnn.networks.initial import glorot_uniform, orthogonal


def spec(cell="lstm", **changes):
    return NetworkSpec(**{"cell": cell, "units": (4,), "n_inputs": 3, "n_outputs": 2, **changes})


# Textbook counts: LSTM 4 (u (i + u) + u), Keras's GRU 3 (u (i + u) + 2 u), Elman u (i + u) + u; head (u + 1) k.
@pytest.mark.parametrize(("cell", "recurrent"), [("lstm", 128), ("gru", 108), ("simple_rnn", 32)])
def test_number_of_parameters(cell, recurrent):
    assert spec(cell).n_parameters == recurrent + 10


def test_second_layer_reads_both_directions_of_the_first():
    shapes = [weight.shape for weight in spec("gru", units=(4, 5), bidirectional=True).weights]
    assert shapes[:6] == [(3, 12), (4, 12), (2, 12)] * 2
    assert shapes[6:9] == [(8, 15), (5, 15), (2, 15)]
    assert shapes[-2:] == [(10, 2), (2,)]


def test_segment_widens_the_input_and_rounds_the_number_of_steps_up():
    network = spec(segment=5)
    assert network.weights[0].shape == (15, 16)
    assert [network.n_segments(n) for n in (1, 5, 6, 10)] == [1, 1, 2, 2]


def test_kernel_positions_leave_the_biases_out():
    network = spec("gru", units=(4, 4))
    assert [network.weights[i].role for i in network.kernel_positions] == ["kernel", "recurrent_kernel"] * 2 + [
        "head_kernel"
    ]


def test_orthogonal_has_orthonormal_rows_or_columns():
    wide = orthogonal((4, 16), np.random.default_rng(0)).astype(float)
    np.testing.assert_allclose(wide @ wide.T, np.eye(4), atol=1e-6)
    tall = orthogonal((16, 4), np.random.default_rng(0)).astype(float)
    np.testing.assert_allclose(tall.T @ tall, np.eye(4), atol=1e-6)


def test_glorot_uniform_fills_its_range():
    values = glorot_uniform((100, 200), np.random.default_rng(0))
    assert 0.99 * np.sqrt(6 / 300) < np.abs(values).max() <= np.sqrt(6 / 300)


def test_initial_weights_are_float32_and_forget_bias_is_in_its_block():
    weights = initial_weights(spec(units=(4, 4)), np.random.default_rng(0), forget_bias=2.5, head="zeros")
    assert {values.dtype for values in weights} == {np.dtype(np.float32)}
    for bias in (weights[2], weights[5]):
        assert bias.tolist() == [0] * 4 + [2.5] * 4 + [0] * 8
    assert not weights[-2].any()


def test_initial_weights_repeat_with_the_seed():
    first, second = (initial_weights(spec(), np.random.default_rng(7)) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_initial_states_have_one_dense_layer_each_side_by_side():
    network = spec("lstm", units=(4, 5), bidirectional=True, static=(0, 2))
    assert network.state_widths == (4, 4, 4, 4, 5, 5, 5, 5)
    roles = [(weight.role, weight.shape) for weight in network.weights[:3]]
    assert roles == [("state_kernel", (2, 36)), ("state_bias", (36,)), ("kernel", (3, 16))]
    kernel, bias = initial_weights(network, np.random.default_rng(0))[:2]
    limits = [np.abs(part).max() for part in np.split(kernel, np.cumsum(network.state_widths)[:-1], axis=1)]
    assert all(limit <= np.sqrt(6 / (2 + width)) for limit, width in zip(limits, network.state_widths, strict=True))
    assert max(limits) > np.sqrt(6 / 38) and not bias.any()
    assert network.kernel_positions[0] == 0 and 1 not in network.kernel_positions


def test_static_channels_are_inputs_as_well_unless_they_go_to_the_state_only():
    assert spec(static=(0, 2)).inputs == (0, 1, 2)
    network = spec("gru", static=(0, 2), static_to="state", segment=2)
    assert network.inputs == (1,)
    assert network.weights[2].shape == (2, 12)


def test_a_sequence_has_its_outputs_for_each_segment():
    assert [spec(segment=2, head=head).output_shape(5) for head in ("last", "sequence")] == [(2,), (3, 2)]
