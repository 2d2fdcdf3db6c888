"""What may be set as weights: by a user, a callback or a file."""

import numpy as np
import pytest

from tsrnn import GRURegressor, load
from tsrnn.engine import native
from tsrnn.engine.weights import check_weights
from tsrnn.exceptions import ArchiveError

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.exceptions.CapacityWarning")
X = np.random.default_rng(0).normal(size=(60, 5, 2))
y = X[:, -1, 0]
WRONG = [
    (lambda w: w + 1j, TypeError, "array 1 of 5 is of dtype complex"),
    (lambda w: w.astype(object), TypeError, "dtype object"),
    (lambda w: w.astype(str), TypeError, "dtype <U"),
    (lambda w: w > 0, TypeError, "dtype bool"),
    (lambda w: np.where(w == w[1, 2], np.nan, w), ValueError, r"array 1 of 5 holds nan at \(1, 2\)"),
    (lambda w: np.where(w == w[0, 0], np.inf, w), ValueError, r"holds inf at \(0, 0\)"),
    (lambda w: np.where(w == w[0, 0], 1e39, w.astype(float)), ValueError, r"holds 1e\+39 at \(0, 0\)"),
    (lambda w: w[:2], ValueError, "must have the shapes"),
]


def fitted(**changes):
    return GRURegressor(**{"units": 3, "epochs": 2, "random_state": 0, **changes}).fit(X, y)


@pytest.mark.parametrize(
    "engine",
    [
        pytest.param("native", marks=pytest.mark.skipif(not native.available(), reason="not compiled")),
        pytest.param("keras", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize(("change", "error", "words"), WRONG)
def test_weights_that_cannot_be_are_refused_where_they_are_used(change, error, words, engine, tmp_path):
    model = fitted(engine=engine, warm_start=True)
    model.weights_[1] = change(model.weights_[1])
    for use in (
        lambda: model.predict(X),
        lambda: model.stream(),
        lambda: model.fit(X, y),
        lambda: model.partial_fit(X, y),
    ):
        with pytest.raises(error, match=words):
            use()
    with pytest.raises(ArchiveError, match="weights_"):
        model.save(tmp_path / "model")


def test_weights_of_a_callback_that_cannot_be_are_refused_and_nothing_is_published():
    keras = pytest.importorskip("keras")

    class Spoil(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.set_weights([np.full_like(w, np.nan) for w in self.model.get_weights()])

    model = fitted()
    before = [w.copy() for w in model.weights_]
    with pytest.raises(ValueError, match="array 0 of 5 holds nan"):
        model.set_params(callbacks=[Spoil()]).fit(X, y)
    for kept, old in zip(model.weights_, before, strict=True):
        np.testing.assert_array_equal(kept, old)


def test_real_numbers_of_any_kind_are_weights(tmp_path):
    shapes = [(2,), ()]
    for weights in ([[1, 2], 3.0], [np.array([1, 2], np.uint8), np.float64(3)], [np.ones(2, ">f4"), 1]):
        checked = check_weights(weights, shapes)
        assert [w.dtype for w in checked] == [np.float32] * 2
    model = fitted()
    expected = model.predict(X)
    model.weights_ = [w.astype(np.float64) for w in model.weights_]
    np.testing.assert_array_equal(model.predict(X), expected)
    model.weights_ = [w.astype(np.float32) for w in model.weights_]
    model.save(tmp_path / "model")
    np.testing.assert_array_equal(load(tmp_path / "model").predict(X), expected)
