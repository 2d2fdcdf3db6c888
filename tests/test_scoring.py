"""`score` takes what `fit` takes, and leaves out what is not known."""

import numpy as np
import pytest
from sklearn.metrics import r2_score

from tsrnn import EchoStateRegressor, GRURegressor, LSTMRegressor, OutputRecurrentRegressor
from tsrnn.regressors.scoring import r2_of_known
from tsrnn.windows import WindowArray

pytestmark = pytest.mark.filterwarnings("ignore::tsrnn.exceptions.CapacityWarning")
CLASSES = [LSTMRegressor, EchoStateRegressor]


def make(cls=GRURegressor, **changes):
    training = {} if cls is EchoStateRegressor else {"epochs": 2}
    return cls(**{"units": 4, "random_state": 0} | training | changes)


def data(n=80, n_steps=5):
    X = np.random.default_rng(0).normal(size=(n, n_steps, 2))
    return X, X[:, -1, 0] * 0.7 + X[:, -2, 1] * 0.3


def slow_r2(y, predicted, weight=None):
    """Mean of R2 over the numbers of a window, each over the windows where it is known."""
    y, predicted = (np.asarray(a, float).reshape(len(a), -1) for a in (y, predicted))
    weight = np.ones(len(y)) if weight is None else np.asarray(weight)
    scores = []
    for target, forecast in zip(y.T, predicted.T, strict=True):
        known = ~(np.isnan(target) | np.isnan(forecast))
        if known.sum() < 2:
            continue
        t, f, w = target[known], forecast[known], weight[known]
        scores.append(1 - (w * (t - f) ** 2).sum() / (w * (t - np.average(t, weights=w)) ** 2).sum())
    return np.mean(scores)


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize("shape", [(), (1,), (3,), (3, 2), (1, 2)])
@pytest.mark.parametrize("weighted", [False, True])
def test_targets_of_any_shape_are_scored_as_scikit_learn_does(cls, shape, weighted):
    X, y = data()
    y = y.reshape(-1, *[1] * len(shape)) * np.arange(1, 1 + np.prod(shape, dtype=int)).reshape(shape)
    y = y + np.random.default_rng(1).normal(size=y.shape)
    weight = np.arange(80.0) if weighted else None
    model = make(cls).fit(X, y)
    expected = r2_score(y.reshape(80, -1), model.predict(X).reshape(80, -1), sample_weight=weight)
    assert model.score(X, y, weight) == pytest.approx(expected, abs=1e-12)
    assert model.score(WindowArray(X.reshape(-1, 2), np.arange(0, 400, 5), 5), y.tolist(), weight) == model.score(
        X, y, weight
    )


@pytest.mark.parametrize("cls", CLASSES)
def test_targets_that_are_missing_do_not_count(cls):
    X, y = data()
    Y = np.stack([y, 2 * y, y - 1], axis=1)
    model = make(cls).fit(X, Y)
    Y[::3, 0], Y[1:, 2] = np.nan, np.nan  # the last is known once
    weight = np.linspace(1, 2, 80)
    assert model.score(X, Y, weight) == pytest.approx(slow_r2(Y, model.predict(X), weight))
    held = np.ma.masked_invalid(np.where(np.isnan(Y), 1e20, Y))
    held[held == 1e20] = np.ma.masked
    assert model.score(X, held, weight) == model.score(X, Y, weight)
    with pytest.raises(ValueError, match="no target is known in two of the 80 windows"):
        model.score(X, np.full_like(Y, np.nan))


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize("n_targets", [None, 2])
def test_sequences_of_any_length_are_scored(cls, n_targets):
    X, _ = data()
    sequences = [x[: 2 + i % 4] for i, x in enumerate(X)]
    y = [x.cumsum(axis=0)[:, 0] if n_targets is None else x.cumsum(axis=0) for x in sequences]
    model = make(cls, return_sequences=True).fit(sequences, y)
    padded = np.full(model.predict(sequences).shape, np.nan)
    for row, target in zip(padded, y, strict=True):
        row[len(row) - len(target) :] = target
    assert model.score(sequences, y) == pytest.approx(slow_r2(padded, model.predict(sequences)))
    # The same windows as one array: empty leading steps do not count, whatever stands there.
    array = np.full((80, 5, 2), np.nan)
    for row, x in zip(array, sequences, strict=True):
        row[5 - len(x) :] = x
    assert model.score(array, np.nan_to_num(padded)) == pytest.approx(model.score(sequences, y))
    assert model.score(array[:, 1:], padded[:, 1:]) > -10  # fewer steps than in fit


@pytest.mark.parametrize("targets", [1, 2])
def test_a_single_sequence_is_scored_over_its_steps(targets):
    X = np.random.default_rng(0).normal(size=(1, 300, 2))
    y = X.cumsum(axis=1)[..., :targets] / 9
    y = y[..., 0] if targets == 1 else y
    y[:, :20] = np.nan
    model = make(return_sequences=True, tbptt_steps=20).fit(X, y)
    expected = r2_score(y[0, 20:], model.predict(X)[0, 20:])
    assert model.score(X, y) == pytest.approx(expected)
    assert model.score(X, y, sample_weight=[3.0]) == pytest.approx(expected)


def test_targets_of_another_shape_are_refused():
    X, y = data()
    model = make().fit(X, np.stack([y] * 3, axis=1))
    with pytest.raises(ValueError, match=r"y has shape \(80, 2\), but GRURegressor predicts \(80, 3\)"):
        model.score(X, np.stack([y] * 2, axis=1))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.score(X, np.stack([y] * 3, axis=1)[:9])
    with pytest.raises(ValueError, match="one weight per window"):
        model.score(X, np.stack([y] * 3, axis=1), sample_weight=np.ones(9))


@pytest.mark.slow
def test_networks_with_feedback_are_scored():
    X, y = data()
    Y = np.stack([np.stack([y, y], 1)] * 3, 2)
    model = make(OutputRecurrentRegressor).fit(X, Y)
    assert model.score(X, Y) == pytest.approx(slow_r2(Y, model.predict(X)))


def test_a_target_that_does_not_move_scores_as_in_scikit_learn():
    y, forecast = np.ones((5, 2)), np.ones((5, 2))
    forecast[0, 1] = 2
    gap = y.copy()
    gap[3, 0] = np.nan
    assert r2_of_known(y, forecast) == r2_of_known(gap, forecast) == r2_score(y, forecast) == 0.5
