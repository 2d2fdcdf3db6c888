"""The names of models in the terminal."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from terminal import run

import tsrnn
from tsrnn.terminal.models import MODELS, make_model


@pytest.mark.parametrize("name", MODELS)
def test_every_model_of_the_table_can_be_made(name):
    model = make_model(name, seed=3, epochs=2)
    assert type(model).__name__ == MODELS[name][0].name
    params = model.get_params(deep=False)
    assert params.get("random_state", 3) == 3 and params.get("epochs", 2) == 2


def test_every_network_can_be_named():
    stems = {name.removesuffix("Regressor") for name in tsrnn.__all__ if name.endswith("Regressor")}
    networks = {f"{stem}Forecaster" for stem in stems} & set(tsrnn.__all__)
    assert networks <= {row.name for row, _ in MODELS.values()}


def test_a_ridge_regression_is_forecast_and_saved(load_csv, tmp_path):
    csv, path = tmp_path / "out.csv", tmp_path / "model.tsrnn"
    args = ["--time", "time", "--target", "load", "--horizon", 3, "--model", "ridge", "--csv", csv, "--save", path]
    done = run("forecast", load_csv, *args)
    assert done.exit_code == 0, done.stderr
    np.testing.assert_allclose(tsrnn.load(path).forecast()["load"], pd.read_csv(csv)["load"])
