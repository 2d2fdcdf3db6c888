"""Regressors as models of Keras: `model_`, and the files of `export_keras`."""

import numpy as np
import pytest
from regressor_examples import data, regressor
from sklearn.exceptions import NotFittedError

from tsrnn.regressors import LSTMRegressor


def test_model_is_a_keras_model_with_these_weights():
    X, y = data()
    model = regressor(LSTMRegressor, units=(3, 2), bidirectional=True, segment=2, dropout=0.1).fit(X, y)
    keras_model = model.model_
    assert sum(np.prod(w.shape) for w in keras_model.get_weights()) == model.n_parameters_
    np.testing.assert_allclose(keras_model.predict(X, verbose=0)[:, 0], model.predict(X), atol=1e-6)
    with pytest.raises(NotFittedError):
        _ = regressor().model_


@pytest.mark.parametrize("engine", ["native", "keras"])
def test_exported_network_predicts_the_same_in_keras(keras, tmp_path, engine):
    X, y = data()
    model = regressor(engine=engine, units=(3, 2), bidirectional=True, segment=2).fit(X, y)
    model.export_keras(tmp_path / "network.keras")
    loaded = keras.saving.load_model(tmp_path / "network.keras")
    np.testing.assert_allclose(loaded.predict(X, verbose=0)[:, 0], model.predict(X), atol=1e-6)


def test_export_says_what_is_wrong_with_the_path(keras, tmp_path):
    X, y = data()
    model = regressor()
    with pytest.raises(NotFittedError):
        model.export_keras(tmp_path / "network.keras")
    model.fit(X, y)
    with pytest.raises(ValueError, match=r"must end in '.keras', got '.*network.h5'"):
        model.export_keras(tmp_path / "network.h5")
    with pytest.raises(FileNotFoundError, match="does not exist"):
        model.export_keras(tmp_path / "nowhere" / "network.keras")
