"""tsrnn as installed where no C compiler was. Not part of the suite: .ci/package runs it on such an installation."""

import sys

import numpy as np
import pytest

import tsrnn
from tsrnn.engine import native
from tsrnn.regressors import LSTMRegressor

X = np.random.default_rng(0).normal(size=(20, 4, 2))
Y = X[:, -1, 0]


def test_the_extension_is_not_there():
    assert not native.available()
    assert "native engine: not compiled, Keras trains" in tsrnn.show_versions()


def test_the_native_engine_is_refused_with_the_fix():
    with pytest.raises(ImportError, match="pip install needs a C compiler"):
        LSTMRegressor(units=2, epochs=1, engine="native").fit(X, Y)
    assert "keras" not in sys.modules


def test_keras_trains_instead():
    model = LSTMRegressor(units=2, epochs=2, random_state=0).fit(X, Y)
    assert model.engine_ == "keras"
    assert model.predict(X).shape == Y.shape
