"""Regressors inside unmodified scikit-learn: searches, pipelines, meta-estimators, inspection, parallel fits."""

import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import StackingRegressor
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    TimeSeriesSplit,
    cross_val_predict,
    cross_validate,
    learning_curve,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tsrnn.regressors import GRURegressor, LSTMRegressor, SimpleRNNRegressor
from tsrnn.windows import WindowArray

N = 80


def regressor(cls=SimpleRNNRegressor, **changes):
    return cls(**{"units": 3, "epochs": 2, "random_state": 0, **changes})


@pytest.fixture(scope="module")
def wave():
    series = np.sin(np.arange(N + 6) / 3)[:, None]
    return WindowArray(series, np.arange(N), 6), series[6:, 0]


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(N, 4)), columns=list("abcd"))
    return X, X["d"].to_numpy() * 2


def test_grid_search_over_lazy_windows_is_the_search_over_dense_ones(wave):
    X, y = wave
    grid = {"units": [2, 3], "learning_rate": [0.01, 0.001]}
    scores = []
    for windows in (X, np.asarray(X)):
        search = GridSearchCV(regressor(), grid, cv=TimeSeriesSplit(2)).fit(windows, y)
        scores.append(search.cv_results_["mean_test_score"])
    assert np.isfinite(scores[0]).all()
    np.testing.assert_array_equal(scores[0], scores[1])


def test_windows_stay_lazy_through_cross_validation(wave, monkeypatch):
    X, y = wave
    monkeypatch.setattr(WindowArray, "__array__", lambda self, dtype=None, copy=None: pytest.fail("materialised"))
    scores = cross_validate(regressor(), X, y, cv=TimeSeriesSplit(2), error_score="raise")["test_score"]
    assert np.isfinite(scores).all()


def test_halving_search_over_epochs(wave):
    X, y = wave
    search = HalvingGridSearchCV(
        regressor(), {"learning_rate": [0.1, 0.01, 0.001, 1e-4]}, resource="epochs", max_resources=4, factor=2
    )
    search.fit(np.asarray(X), y)
    assert search.n_resources_ == [1, 2, 4]
    assert search.best_estimator_.n_iter_ == 4


def test_learning_curve(wave):
    X, y = wave
    sizes, train_scores, test_scores = learning_curve(
        regressor(), X, y, cv=TimeSeriesSplit(2), train_sizes=[0.5, 1.0], error_score="raise"
    )
    assert train_scores.shape == test_scores.shape == (2, 2)
    assert sizes[0] < sizes[1]


def test_permutation_importance_finds_the_column_that_matters(table):
    X, y = table
    model = regressor(epochs=60, learning_rate=0.02).fit(X, y)
    importance = permutation_importance(model, X, y, n_repeats=2, random_state=0).importances_mean
    assert importance.argmax() == 3


def test_pipeline_with_a_scaler_that_returns_frames(table):
    X, y = table
    pipeline = make_pipeline(StandardScaler(), regressor(units=4)).set_output(transform="pandas").fit(X, y)
    assert pipeline[-1].feature_names_in_.tolist() == list("abcd")
    assert pipeline.predict(X).shape == (N,)
    with pytest.raises(ValueError, match="feature names"):
        pipeline.predict(X.rename(columns={"a": "z"}))


def test_transformed_target_and_stacking(table):
    X, y = table
    scaled = TransformedTargetRegressor(regressor(), transformer=StandardScaler()).fit(X, y * 100 + 50)
    assert abs(scaled.predict(X).mean() - 50) < 100
    stack = StackingRegressor([("rnn", regressor()), ("ridge", Ridge())], LinearRegression(), cv=2).fit(X, y)
    assert stack.score(X, y) > 0.9


def test_cross_val_predict_keeps_the_shape_of_several_targets(wave):
    X, y = wave
    assert cross_val_predict(regressor(), np.asarray(X), np.stack([y, -y], axis=1), cv=2).shape == (N, 2)


@pytest.mark.parametrize("backend", ["threading", pytest.param("loky", marks=pytest.mark.slow)])
def test_parallel_search_scores_as_the_serial_one(wave, backend):
    X, y = wave
    search = GridSearchCV(regressor(), {"units": [2, 3]}, cv=TimeSeriesSplit(2))
    serial = clone(search).fit(X, y).cv_results_["mean_test_score"]
    with joblib.parallel_config(backend=backend, n_jobs=2):
        parallel = clone(search).fit(X, y).cv_results_["mean_test_score"]
    np.testing.assert_array_equal(serial, parallel)


@pytest.mark.parametrize("cls", [LSTMRegressor, GRURegressor, SimpleRNNRegressor])
def test_pickle_and_joblib_round_trips(cls, wave, tmp_path):
    X, y = wave
    model = regressor(cls).fit(X, y)
    joblib.dump(model, tmp_path / "model.joblib")
    for copy in (pickle.loads(pickle.dumps(model)), joblib.load(tmp_path / "model.joblib")):
        np.testing.assert_array_equal(copy.predict(X), model.predict(X))


def test_clone_keeps_parameters_and_forgets_the_fit(wave):
    X, y = wave
    model = regressor(LSTMRegressor, units=(3, 2), forget_bias=2.0, callbacks=[]).fit(X, y)
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    assert not hasattr(copy, "weights_")
