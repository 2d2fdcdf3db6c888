"""The regressors' own promises: what they learn, shapes, missing values, errors."""

import warnings

import numpy as np
import pandas as pd
import pytest
from regressor_examples import CLASSES, data, regressor, same

from tsrnn.exceptions import CapacityWarning
from tsrnn.windows import WindowArray

# -- learning and shapes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", CLASSES)
def test_learns_a_sine_better_than_persistence(cls):
    series = np.sin(np.arange(400) / 5)
    X = np.lib.stride_tricks.sliding_window_view(series[:-1], 12)[..., None]
    y = series[12:]
    model = cls(units=8, epochs=25, learning_rate=0.01, random_state=0).fit(X[:300], y[:300])
    error = np.sqrt(np.mean((model.predict(X[300:]) - y[300:]) ** 2))
    persistence = np.sqrt(np.mean((X[300:, -1, 0] - y[300:]) ** 2))
    assert error < 0.5 * persistence


@pytest.mark.parametrize("shape", [(), (1,), (3,), (3, 2)])
def test_predictions_have_the_shape_of_y(shape):
    X, _ = data()
    y = np.random.default_rng(1).normal(size=(40, *shape))
    model = regressor().fit(X, y)
    assert model.predict(X[:7]).shape == (7, *shape)
    assert model.predict(X[:7]).dtype == np.float64
    assert model.n_outputs_ == np.prod(shape, dtype=int)


def test_outputs_are_in_the_order_of_y():
    X, _ = data(60)
    y = np.arange(6.0).reshape(3, 2) + np.zeros((60, 1, 1))
    model = regressor(epochs=150, learning_rate=0.05).fit(X, y)
    np.testing.assert_allclose(model.predict(X[:1])[0], y[0], atol=0.3)


def test_two_and_three_dimensions_and_windows_give_the_same_network():
    base = np.random.default_rng(0).normal(size=(44, 2))
    lazy = WindowArray(base, np.arange(40), 5)
    dense = np.asarray(lazy)
    y = base[4:, 0]
    models = [
        regressor().fit(lazy, y),
        regressor().fit(dense, y),
        regressor(n_steps=5).fit(dense.reshape(40, -1), y),
        regressor(n_steps=5).fit(pd.DataFrame(dense.reshape(40, -1)).rename(columns=str), y),
    ]
    assert all(same(models[0], model) for model in models[1:])
    assert [model.n_features_in_ for model in models] == [2, 2, 10, 10]
    assert {model.n_steps_in_ for model in models} == {5}
    np.testing.assert_array_equal(models[0].predict(dense), models[2].predict(dense.reshape(40, -1)))


def test_offset_of_lazy_windows_is_subtracted_exactly():
    base = 1e6 + np.random.default_rng(0).normal(size=(44, 1)).cumsum(axis=0)
    starts = np.arange(40)
    lazy = WindowArray(base, starts, 5, offset=base[starts + 4])
    y = np.zeros(40) + base[starts + 4, 0] - base[starts, 0]
    assert same(regressor().fit(lazy, y), regressor().fit(np.asarray(lazy), y))
    model = regressor().fit(lazy, y)
    np.testing.assert_array_equal(model.predict(lazy), model.predict(np.asarray(lazy)))


# -- missing values --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", CLASSES)
@pytest.mark.parametrize("changes", [{}, {"bidirectional": True, "units": (3, 2)}])
def test_leading_nan_are_a_shorter_window(cls, changes):
    X, y = data()
    model = regressor(cls, **changes).fit(X, y)
    padded = X.copy()
    padded[:, :2] = np.nan
    np.testing.assert_array_equal(model.predict(padded), model.predict(X[:, 2:]))
    assert np.abs(model.predict(padded) - model.predict(X)).max() > 1e-3


def test_windows_that_start_before_the_series_are_shorter():
    base = np.random.default_rng(0).normal(size=(20, 1))
    lazy = WindowArray(base, np.arange(-4, 15), 5)
    y = base[:19, 0]
    model = regressor().fit(lazy, y)
    assert same(model, regressor().fit(np.asarray(lazy), y))
    np.testing.assert_array_equal(model.predict(lazy[:1]), model.predict(base[None, :1]))


def test_gaps_are_filled_and_flagged_for_the_features_that_have_them():
    X, y = data()
    X[3, 2, 1] = np.nan
    model = regressor().fit(X, y)
    assert model.weights_[0].shape[0] == 3  # two features and one indicator
    filled = X.copy()
    filled[3, 2, 1] = np.nanmean(X[..., 1])
    assert model.predict(X)[3] != model.predict(filled)[3]
    X[5, 1, 0] = np.nan
    with pytest.raises(ValueError, match=r"feature 0 is missing at step 1 of window 5.*missing_indicator=True"):
        model.predict(X)


def test_missing_indicator_for_all_features_or_none():
    X, y = data()
    model = regressor(missing_indicator=True).fit(X, y)
    assert model.weights_[0].shape[0] == 4
    X[0, 2, 0] = np.nan
    assert np.isfinite(model.predict(X)).all()
    with pytest.raises(ValueError, match="NaN"):
        regressor(missing_indicator=False).fit(X, y)


def test_infinity_is_refused():
    X, y = data()
    X[0, 0, 0] = np.inf
    with pytest.raises(ValueError, match="infinity"):
        regressor().fit(X, y)
    with pytest.raises(ValueError, match="infinity"):
        regressor().fit(WindowArray(X.reshape(-1, 2), np.arange(40), 5), y)


def test_nan_targets_are_refused_in_public_and_carry_no_loss_inside():
    X, _ = data()
    y = np.random.default_rng(1).normal(size=(40, 2))
    y[::4, 1] = np.nan
    y[1] = np.nan
    with pytest.raises(ValueError, match="Input y contains NaN"):
        regressor().fit(X, y)
    model = regressor(epochs=5).__fit_windows__(X, y)
    assert np.isfinite(model.history_["loss"]).all()
    rest = np.delete(np.arange(40), 1)
    assert same(model, regressor(epochs=5).__fit_windows__(X[rest], y[rest]))


# -- errors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("units", 0),
        ("units", ()),
        ("units", (3, -1)),
        ("dropout", 1.0),
        ("learning_rate", 0),
        ("optimizer", "adamax"),
        ("loss", "quantile"),
        ("quantiles", ()),
        ("quantiles", (0.5, 0.1)),
        ("quantiles", (0.5, 0.5)),
        ("quantiles", (0.0, 0.5)),
        ("quantiles", "0.5"),
        ("quantiles", 0.5),
        ("quantiles", (0.5, None)),
        ("quantiles", (0.5, float("nan"))),
        ("weight_decay", -0.1),
        ("epochs", 0),
        ("epochs", 1.5),
        ("early_stopping", "yes"),
        ("early_stopping", 1),
        ("learning_rate_schedule", "linear"),
        ("clipnorm", -1),
        ("validation_fraction", 1.0),
        ("segment", 0),
        ("missing_indicator", "all"),
        ("shuffle", "no"),
        ("activation", "relu"),
        ("head_initializer", "orthogonal"),
        ("return_sequences", 1),
        ("static_features", 0),
        ("static_features", ()),
        ("static_features", (0, 0)),
        ("static_features", (-1,)),
        ("static_features", (0.5,)),
        ("static_to", "inputs"),
    ],
)
def test_parameters_are_checked_in_fit_with_name_and_value(name, value):
    X, y = data(10)
    with pytest.raises((ValueError, TypeError), match=f"{name}.*got"):
        regressor(**{name: value}).fit(X, y)


def test_shapes_that_do_not_fit_are_refused():
    X, y = data()
    model = regressor().fit(X, y)
    with pytest.raises(ValueError, match="X has 3 features, but GRURegressor is expecting 2"):
        model.predict(np.zeros((1, 5, 3)))
    with pytest.raises(ValueError, match="windows of 6 steps, but GRURegressor was fitted on 5"):
        model.predict(np.zeros((1, 6, 2)))
    with pytest.raises(ValueError, match="do not divide into n_steps=3"):
        regressor(n_steps=3).fit(np.zeros((10, 5)), np.zeros(10))
    with pytest.raises(ValueError, match="not be negative"):
        regressor().fit(X, y, sample_weight=np.r_[-1, np.ones(39)])


def test_capacity_warning_counts_parameters_and_windows():
    X, y = data(10)
    with pytest.warns(CapacityWarning, match=r"67 trainable parameters but only 10"):
        regressor(units=3, epochs=1).fit(X, y)
    X, y = data(100)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        regressor(units=3, epochs=1).fit(X, y)
