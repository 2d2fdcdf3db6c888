"""Parameters that are none, and the ones that were meant."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import tsrnn
from tsrnn._near_misses import _SYNONYMS, nearest

ESTIMATORS = [
    cls
    for cls in (getattr(tsrnn, name) for name in tsrnn.__all__)
    if isinstance(cls, type) and issubclass(cls, BaseEstimator)
]


@pytest.mark.parametrize(
    ("cls", "word", "meant"),
    [
        ("GRUForecaster", "hidden_size", "units"),  # torch
        ("MinGRUForecaster", "input_chunk_length", "window"),  # darts
        ("LSTMForecaster", "max_steps", "epochs"),  # neuralforecast
        ("Seq2SeqForecaster", "h", "horizon"),
        ("LSTMRegressor", "lr", "learning_rate"),
        ("LSTMRegressor", "lookback", "n_steps"),  # a regressor has no window
        ("ConvForecaster", "hidden_dim", "filters"),  # nor have convolutions units
        ("ConvRegressor", "n_layers", "n_blocks"),
        ("GRUForecaster", "n_layers", "units"),
        ("EchoStateForecaster", "seed", "random_state"),
        ("SeasonalNaiveForecaster", "period", "season_length"),
        ("ARIMAForecaster", "exog", "future_covariates"),
        ("SlidingWindow", "lookback", "window"),
        ("NaiveForecaster", "Target", "target"),
        ("KerasRegressor", "epoch", "epochs"),
        ("RegressionForecaster", "horizn", "horizon"),
    ],
)
def test_a_near_parameter_is_named_with_the_class_that_was_written(cls, word, meant):
    cls = getattr(tsrnn, cls)
    message = f"{cls.__name__} has no parameter {word!r}. Did you mean {meant!r}\\?"
    with pytest.raises(TypeError, match=f"^{message}"):
        cls(**{word: 3})
    required = {name: Ridge for name in ("estimator", "build") if name in cls._get_param_names()}
    with pytest.raises(ValueError, match=f"^{message}"):
        cls(**required).set_params(**{word: 3})


def Ridge(*args, **params):
    """Stands where an estimator or a function is required."""


@pytest.mark.parametrize("cls", ESTIMATORS, ids=lambda cls: cls.__name__)
def test_every_estimator_refuses_what_is_no_parameter_of_it(cls):
    with pytest.raises(TypeError, match=f"^{cls.__name__} has no parameter 'xyzzy'. (It has|help)"):
        cls(xyzzy=1)


def test_all_unknown_parameters_are_named():
    with pytest.raises(TypeError, match="'lr'.*'learning_rate'.*'hidden'.*'units'"):
        tsrnn.LSTMForecaster(lr=1e-3, window=24, hidden=3)


def test_every_synonym_leads_to_a_parameter_of_an_estimator():
    parameters = {name for cls in ESTIMATORS for name in cls._get_param_names()}
    assert {name for ours in _SYNONYMS for name in ours.split()} <= parameters


def test_a_word_that_is_near_nothing_means_nothing():
    assert nearest("xyzzy", ["units", "horizon"]) is None


def test_a_search_over_an_unknown_parameter_stops_before_the_first_fit():
    y = pd.Series(np.arange(60.0), pd.date_range("2024-01-01", periods=60), name="y")
    search = GridSearchCV(tsrnn.GRUForecaster(window=4), {"hidden_size": [2, 4]}, cv=TimeSeriesSplit(3))
    with pytest.raises(ValueError, match="GRUForecaster has no parameter 'hidden_size'. Did you mean 'units'"):
        search.fit(y.to_frame()[[]], y)


def test_parameters_of_parts_are_set_as_before():
    pipeline = make_pipeline(StandardScaler(), tsrnn.GRURegressor())
    assert pipeline.set_params(gruregressor__units=5)[-1].units == 5
    with pytest.raises(ValueError, match="GRURegressor has no parameter 'hidden'"):
        pipeline.set_params(gruregressor__hidden=5)


def test_a_subclass_has_the_parameters_of_its_own_constructor():
    model = Sized(size=3)
    assert (model.units, clone(model).units, pickle.loads(pickle.dumps(model)).units) == (3, 3, 3)
    with pytest.raises(TypeError, match="^Sized has no parameter 'units'. It has size."):
        Sized(units=3)
    assert Anything(whatever=1).units == 32


class Sized(tsrnn.GRURegressor):
    def __init__(self, size=2):
        super().__init__(units=size)
        self.size = size


class Anything(tsrnn.GRURegressor):
    def __init__(self, **more):
        super().__init__()


def test_too_many_or_too_few_arguments_are_left_to_python():
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'estimator'"):
        tsrnn.RegressionForecaster()
    with pytest.raises(TypeError, match="positional argument"):
        tsrnn.NaiveForecaster(None, None, None)
