"""Layers, shapes and parameters of fitted networks, against Keras's own layers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tsrnn import GRURegressor, KerasRegressor, LSTMForecaster, LSTMRegressor, SimpleRNNRegressor, load
from tsrnn.networks import CELLS, NetworkSpec

VARIANTS = [
    {},
    {"units": (3, 2)},
    {"bidirectional": True, "units": (2, 3), "segment": 4},
    {"bidirectional": True, "merge_mode": "sum", "units": (3, 3)},
    {"head": "sequence"},
    {"static": (1,), "units": (3, 2)},
    {"input_layers": (5,), "output_layers": (4, 6), "transition_depth": 2},
    {"head": "sequence", "output_layers": (4,)},
]


def make_windows(n=60):
    X = np.random.default_rng(0).normal(size=(n, 6, 2))
    return X, X[:, -1]


@pytest.mark.parametrize("cell", [name for name, cell in CELLS.items() if cell.in_windows])
@pytest.mark.parametrize("variant", VARIANTS, ids=str)
def test_every_parameter_belongs_to_one_layer_and_the_last_gives_the_output(variant, cell):
    spec = NetworkSpec(**{"cell": cell, "units": (3,), "n_inputs": 2, "n_outputs": 2} | variant)
    if cell == "lstm":
        spec = replace(spec, peephole=True)
    layers = spec.layers(6)
    assert sum(size for _, _, size in layers) == spec.n_parameters
    assert layers[-1][1] == spec.output_shape(6)


@pytest.mark.slow
@pytest.mark.parametrize(
    "params",
    [
        {"units": (3, 2)},
        {"bidirectional": True, "units": (2, 3)},
        {"input_layers": (5,), "output_layers": (4, 6), "transition_depth": 2, "engine": "keras"},
    ],
    ids=str,
)
def test_shapes_and_parameters_are_those_of_keras_layers(params):
    X, y = make_windows()
    model = LSTMRegressor(**params, epochs=1, random_state=0).fit(X, y)
    ours = [(row["output_shape"], row["parameters"]) for row in model.summary()[:-1].to_dict("records")]
    layers = [layer for layer in model.model_.layers if layer.weights]
    assert ours == [(layer.output.shape[1:], layer.count_params()) for layer in layers]


def test_summary_of_a_regressor_by_hand():
    X, y = make_windows()
    table = GRURegressor(units=4, epochs=1, segment=2, bidirectional=True, random_state=0).fit(X, y).summary()
    assert table["layer"].tolist() == ["GRU, bidirectional", "dense", "total"]
    assert table["output_shape"].tolist() == [(8,), (2,), (2,)]
    recurrent = 2 * 3 * (4 * 4 + 4 * 4 + 2 * 4)  # directions, blocks, kernels and the two biases
    assert table["parameters"].tolist() == [recurrent, 8 * 2 + 2, recurrent + 18]
    np.testing.assert_allclose(table["per_window"], table["parameters"] / 60)


def test_windows_held_out_for_validation_are_not_counted():
    X, y = make_windows(200)
    settings = {"units": 2, "epochs": 1, "random_state": 0}
    model = SimpleRNNRegressor(early_stopping=True, validation_fraction=0.25, validation_gap=7, **settings).fit(X, y)
    assert model.n_windows_ == 143
    assert SimpleRNNRegressor(**settings).fit(np.repeat(X, 2, axis=0), np.repeat(y, 2, axis=0)).n_windows_ == 200


def test_a_model_without_the_number_of_windows_has_a_summary_without_their_share():
    X, y = make_windows()
    model = GRURegressor(units=2, epochs=1, random_state=0).fit(X, y)
    del model.n_windows_  # as in a file of an earlier version
    assert model.summary()["per_window"].isna().all()


def test_summary_outlives_saving(tmp_path):
    X, y = make_windows()
    model = GRURegressor(units=2, epochs=1, random_state=0).fit(X, y)
    model.save(tmp_path / "model.tsrnn")
    pd.testing.assert_frame_equal(load(tmp_path / "model.tsrnn").summary(), model.summary())


def test_summary_needs_a_fit():
    with pytest.raises(ValueError, match="not fitted"):
        LSTMRegressor().summary()


def test_summary_of_a_forecaster_adds_up_to_its_parameters():
    index = pd.date_range("2024-01-01", periods=120, freq="h")
    series = pd.Series(np.sin(np.arange(120) / 4), index, name="load")
    settings = {"window": 8, "horizon": 3, "units": 4, "epochs": 1, "early_stopping": False, "random_state": 0}
    model = LSTMForecaster("load", n_members=2, **settings).fit(series.to_frame())
    table = model.summary()
    assert table["network"].tolist() == [0, 0, 1, 1, 2, 2, 3, 3, "", "", ""]
    assert table["layer"].tolist() == ["LSTM", "dense"] * 4 + [
        "ridge regression",
        f"share of the networks: {100 * model.network_share_:.0f} %",
        "total",
    ]
    assert table["parameters"].iloc[:-1].sum() == table["parameters"].iloc[-1] == model.n_parameters_
    assert table["per_window"].iloc[-1] == pytest.approx(model.n_parameters_ / 110)  # 120 - 8 - 3 + 1


def build(n_steps, n_inputs, n_outputs):
    import keras

    flat = [keras.Input((n_steps, n_inputs)), keras.layers.Flatten(), keras.layers.Dense(n_outputs)]
    return keras.Sequential(flat)


@pytest.mark.slow
def test_summary_of_a_model_written_in_keras_is_that_of_its_layers():
    X, y = make_windows()
    table = KerasRegressor(build, epochs=1, random_state=0).fit(X, y).summary()
    assert table["parameters"].iloc[-2:].tolist() == [26, 26]
    assert table["output_shape"].iloc[-2:].tolist() == [(2,), (2,)]


def build_with_states(n_steps, n_inputs, n_outputs):
    import keras

    window = keras.Input((n_steps, n_inputs))
    sequence, last = keras.layers.SimpleRNN(3, return_sequences=True, return_state=True)(window)
    twice = keras.layers.Dense(3)
    total = keras.layers.Add()([twice(last), twice(sequence[:, 0])])
    return keras.Model(window, keras.layers.Dense(n_outputs)(total))


@pytest.mark.slow
def test_a_layer_of_several_outputs_has_no_shape():
    X, y = make_windows()
    table = KerasRegressor(build_with_states, epochs=1, random_state=0).fit(X, y).summary()
    rows = table[table["parameters"] > 0]
    assert rows["parameters"].tolist() == [18, 12, 8, 38]
    assert rows["output_shape"].tolist() == [(), (3,), (2,), (2,)]
