"""Folds that ask for forecasts of the past are refused before the first fit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    PredefinedSplit,
    ShuffleSplit,
    TimeSeriesSplit,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    train_test_split,
    validation_curve,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tsrnn import NaiveForecaster, SeasonalNaiveForecaster
from tsrnn._folds import strange_rows
from tsrnn.exceptions import DataError

y = pd.Series(np.sin(np.arange(120.0)), pd.date_range("2024-01-01", periods=120), name="y")
X = y.to_frame()[[]]
SHUFFLED = KFold(4, shuffle=True, random_state=0)


class Counted(NaiveForecaster):
    """Counts its fits, of all clones."""

    fits = 0

    def _fit(self, values):
        type(self).fits += 1
        return super()._fit(values)


@pytest.fixture(autouse=True)
def count():
    Counted.fits = 0


@pytest.mark.parametrize(
    "run",
    [
        lambda: GridSearchCV(Counted(), {}, cv=SHUFFLED).fit(X, y),
        lambda: GridSearchCV(Counted(), {}).fit(X, y),
        lambda: GridSearchCV(make_pipeline(TransformedTargetRegressor(Counted())), {}, cv=SHUFFLED).fit(X, y),
        lambda: GridSearchCV(TransformedTargetRegressor(Counted(), transformer=StandardScaler()), {}, cv=3).fit(X, y),
        lambda: cross_validate(Counted(), X, y, cv=SHUFFLED),
        lambda: cross_val_score(Counted(), X, y, cv=ShuffleSplit(2, random_state=0)),
        lambda: cross_val_predict(Counted(), X, y, cv=SHUFFLED),
        lambda: learning_curve(Counted(), X, y, cv=SHUFFLED),
        lambda: validation_curve(Counted(), X, y, param_name="freq", param_range=["D"], cv=SHUFFLED),
        lambda: cross_val_score(Counted(), X, y, cv=PredefinedSplit(np.arange(120) % 2)),
        lambda: cross_val_score(Counted(), X, y, cv=[(np.arange(120) > 60, np.arange(120) <= 60)]),
    ],
    ids="grid cv_none pipeline wrapper validate shuffle predict learning validation predefined masks".split(),
)
def test_folds_of_the_past_are_refused_before_the_first_fit(run):
    with pytest.raises(DataError, match=r"a fold asks for forecasts of \d+ row\(s\) of the past.*TimeSeriesSplit"):
        run()
    assert Counted.fits == 0


@pytest.mark.parametrize(
    "cv",
    [
        TimeSeriesSplit(3),
        TimeSeriesSplit(3, gap=2, test_size=10, max_train_size=40),
        [(np.arange(100), np.arange(100))],  # fitted values
        [(list(range(80)), list(range(80, 90)))],
        [(np.arange(120) < 90, np.arange(120) >= 90)],
    ],
)
def test_folds_that_go_forward_are_fitted(cv):
    assert np.isfinite(cross_val_score(Counted(), X, y, cv=cv, error_score="raise")).all()
    assert Counted.fits == len(cross_val_score(NaiveForecaster(), X, y, cv=cv))


def test_data_with_gaps_are_no_shuffled_folds():
    seen = np.sort(np.random.default_rng(0).permutation(120)[:90])
    search = GridSearchCV(SeasonalNaiveForecaster(), {"season_length": [2, 7]}, cv=TimeSeriesSplit(3))
    assert np.isfinite(search.fit(X.iloc[seen], y.iloc[seen]).best_score_)


def test_parts_drawn_by_hand_are_refused_when_the_past_is_asked_for():
    parts = train_test_split(X, y, random_state=0)
    with pytest.raises(DataError, match="not sorted by time"):
        NaiveForecaster().fit(parts[0], parts[2])
    model = NaiveForecaster().fit(parts[0].sort_index(), parts[2].sort_index())
    with pytest.raises(DataError, match="Forecasts go forward in time"):
        model.predict(parts[1].sort_index())


def test_strange_rows_are_those_inside_the_training_part_that_it_leaves_out():
    slow = [t for t in [0, 3, 5, 9] if t < 7 and t not in (1, 3, 7)]
    assert strange_rows(np.array([1, 3, 7]), np.array([0, 3, 5, 9])).tolist() == slow
    assert strange_rows(np.array([], dtype=int), np.array([1])).size == 0
