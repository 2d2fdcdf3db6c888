"""What is masked is missing, in windows and targets of any form."""

import numpy as np
import pytest

from tsrnn._masked import unmasked
from tsrnn.regressors import EchoStateRegressor, GRURegressor
from tsrnn.windows import WindowArray

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.exceptions.CapacityWarning")


def regressor(**changes):
    return GRURegressor(**{"units": 3, "epochs": 2, "random_state": 0, **changes})


def masked(array, *places):
    """The array with a monstrous value under a mask at these places, and with NaN there."""
    held, gone = np.ma.masked_array(array.copy(), mask=np.zeros(array.shape, bool)), array.astype(float)
    for place in places:
        held.data[place] = 1e9 if array.dtype.kind == "f" else 99
        held[place] = np.ma.masked
        gone[place] = np.nan
    return held, gone


def whole_numbers(n=60):
    return np.random.default_rng(0).integers(-3, 4, size=(n, 5, 2))


@pytest.mark.parametrize("dtype", [float, np.float32, int])
@pytest.mark.parametrize("cls", [GRURegressor, EchoStateRegressor])
def test_masked_values_are_missing_in_windows_of_any_form(cls, dtype):
    X = whole_numbers().astype(dtype)
    y = X[:, -1, 0].astype(float)
    held, gone = masked(X, (5, 3, 0), (7, 0), (9, slice(0, 2)))
    forms = {
        "3-D": (held, gone),
        "2-D": (held.reshape(60, -1), gone.reshape(60, -1)),
        "list": (list(held), list(gone)),
        "list of lists": ([list(window) for window in held], gone),
        "WindowArray": [WindowArray(a.reshape(-1, 2), np.arange(0, 300, 5), 5) for a in (held, gone)],
    }
    if dtype is not int:
        forms["ragged"] = ([x[i % 3 :] for i, x in enumerate(held)], [x[i % 3 :] for i, x in enumerate(gone)])
    for a, b in forms.values():
        params = {"n_steps": 5, "random_state": 0, "units": 3} | ({} if cls is EchoStateRegressor else {"epochs": 2})
        models = [cls(**params).fit(x, y) for x in (a, b)]
        np.testing.assert_array_equal(models[0].predict(a), models[1].predict(b))
        assert models[0]._missing.indicators


def test_masked_targets_are_unknown_and_masked_weights_refused():
    X = whole_numbers().astype(float)
    y, gone = masked(X.sum(axis=2), (3, 2))
    predictions = [regressor(return_sequences=True, tbptt_steps=5).fit(X, t).predict(X) for t in (y, gone)]
    np.testing.assert_array_equal(*predictions)
    with pytest.raises(ValueError, match="y contains NaN"):
        regressor().fit(X, y[:, 2])
    with pytest.raises(ValueError, match="sample_weight contains NaN"):
        regressor().fit(X, X[:, -1, 0], sample_weight=masked(np.ones(60), (4,))[0])


def test_what_holds_no_mask_comes_back_as_it_is():
    for values in (np.arange(3), [1, 2], [[1, 2], [3, 4]], None, "text", 3.0):
        assert np.array_equal(unmasked(values), values) or unmasked(values) is values
    array = np.arange(3)
    assert unmasked(array) is array
    assert unmasked(np.ma.masked_array([1, 2])).dtype == int  # nothing of it is masked
    assert type(unmasked(np.ma.masked_equal([1, 2], 2))) is np.ndarray


def test_a_stream_takes_masked_observations_for_missing_ones():
    X = whole_numbers().astype(float)
    streams = [regressor(missing_indicator=True).fit(X, X[:, -1, 0]).stream() for _ in range(2)]
    held, gone = masked(X[0], (2, 1))
    for a, b in zip(held, gone, strict=True):
        assert streams[0].update(a) == streams[1].update(b)
