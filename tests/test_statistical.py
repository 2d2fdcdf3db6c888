"""ARIMA: forecasts are those of statsmodels, parameters come back from simulated series, the search finds orders."""

import pickle
import re
import time
import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import ConvergenceWarning
from statsmodels.tsa.arima.model import ARIMA
from statsmodels.tsa.arima_process import arma_generate_sample

from tsrnn.exceptions import DataError, DataWarning
from tsrnn.forecasters import ARIMAForecaster, AutoARIMAForecaster, NaiveForecaster
from tsrnn.forecasters.arima_model import (
    Spec,
    difference,
    fit_model,
    forecast_deviation,
    fourier_terms,
    lag_polynomials,
)
from tsrnn.forecasters.arima_search import choose_harmonics, count_differences, seasonal_strength


def series(values, freq="h", start="2024-01-01"):
    index = pd.date_range(start, periods=len(values), freq=freq)
    return pd.Series(np.asarray(values, dtype=float), index=index, name="y")


def simulate(ar=(), ma=(), n=400, seed=0, d=0):
    noise = np.random.default_rng(seed)
    lags = np.append(1.0, -np.asarray(ar)), np.append(1.0, ma)
    values = arma_generate_sample(*lags, n, distrvs=noise.standard_normal, burnin=100)
    for _ in range(d):
        values = values.cumsum()
    return values


def example(n=120, seed=0):
    """A series with trend, season, a covariate and missing values."""
    rng = np.random.default_rng(seed)
    drive = rng.normal(size=n)
    values = simulate((0.6,), (0.3,), n, seed) + 3 + 0.05 * np.arange(n) + np.sin(np.arange(n) * np.pi / 2) + 2 * drive
    values[[7, 8, 50, n - 6]] = np.nan
    return pd.DataFrame({"y": values, "drive": drive}, index=series(values).index)


def oracle(model, df, cutoff, steps, names):
    """The forecast and its standard error by statsmodels, from the data up to the cutoff alone."""
    spec = model._specs()[0]
    exog = df[names] if names else None
    y = df["y"].to_numpy()
    given = None if exog is None else exog.to_numpy()
    reference = ARIMA(
        y[: cutoff + 1],
        exog=None if given is None else given[: cutoff + 1],
        order=spec.order,
        seasonal_order=spec.seasonal_order,
        trend=list(spec.trend) and [int("c" in spec.trend), int("t" in spec.trend)] if spec.trend else "n",
        trend_offset=1,
    )
    ahead = None if given is None else given[cutoff + 1 : cutoff + 1 + steps]
    return reference.smooth(model.params_[0]).get_forecast(steps, exog=ahead)


# ---------------------------------------------------------------------- one model


@pytest.mark.parametrize(
    ("params", "names"),
    [
        ({"order": (1, 0, 1), "trend": "c"}, []),
        ({"order": (2, 0, 0), "trend": "ct"}, []),
        ({"order": (2, 1, 2)}, []),
        ({"order": (0, 1, 1), "trend": "t"}, []),
        ({"order": (1, 2, 1)}, []),
        ({"order": (0, 1, 0)}, []),
        ({"order": (1, 0, 0), "trend": "c", "future_covariates": ["drive"]}, ["drive"]),
        ({"order": (1, 1, 1), "future_covariates": ["drive"]}, ["drive"]),
        ({"order": (0, 1, 1), "seasonal_order": (0, 1, 1, 4)}, []),
        ({"order": (1, 0, 0), "seasonal_order": (1, 1, 0, 4), "future_covariates": ["drive"], "trend": "t"}, ["drive"]),
        ({"order": (1, 0, 0), "seasonal_order": (1, 0, 1, 4), "trend": "c"}, []),
    ],
    ids=str,
)
def test_forecasts_are_those_of_statsmodels(params, names):
    df = example()
    model = ARIMAForecaster(target="y", max_iter=500, **params).fit(df)
    cutoffs = [40, 49, 50, 51, 90, 112]
    tidy = model.predict_cutoffs(6, df, df.index[cutoffs])
    for cutoff in cutoffs:
        expected = oracle(model, df, cutoff, 6, names)
        part = tidy["y_pred"][tidy["cutoff"] == df.index[cutoff]]
        assert_allclose(part, expected.predicted_mean, atol=2e-5)


@pytest.mark.parametrize(
    "params",
    [
        {"order": (2, 1, 2)},
        {"order": (1, 0, 1), "trend": "c"},
        {"order": (1, 1, 0), "seasonal_order": (1, 1, 0, 4)},
        {"order": (1, 0, 0), "seasonal_order": (0, 1, 1, 4), "trend": "t"},
    ],
    ids=str,
)
@pytest.mark.parametrize("missing", [[], [298, 299], list(range(280, 300)), [150, 152, 290, 296, 297]], ids=len)
def test_interval_is_that_of_statsmodels(params, missing):
    df = example(300).interpolate()
    df.iloc[missing, 0] = np.nan
    model = ARIMAForecaster(target="y", max_iter=500, **params).fit(df[["y"]])
    cutoffs = [60, 151, 299]
    tidy = model.predict_cutoffs(8, df[["y"]], df.index[cutoffs], coverage=0.9)
    for cutoff in cutoffs:
        expected = np.diff(oracle(model, df, cutoff, 8, []).conf_int(alpha=0.1)).ravel()
        part = tidy[tidy["cutoff"] == df.index[cutoff]]
        assert_allclose(part["upper_90"] - part["lower_90"], expected, rtol=1e-4)


@pytest.mark.parametrize("order", [(0, 1, 0), (1, 0, 0), (0, 1, 1)])
def test_intervals_widen_with_the_rows_missing_at_the_end(order):
    """One step after 24 missing rows is 25 steps after the last observation."""
    values = series(np.random.default_rng(0).normal(size=300).cumsum())
    gone = values.copy()
    gone.iloc[-24:] = np.nan
    model = ARIMAForecaster(order).fit(values)
    assert_allclose(
        model.predict_interval(3, history=gone), model.predict_interval(27, history=values.iloc[:-24]).iloc[24:]
    )
    rows = model.predict_interval(gone.index[275:279])  # fitted values stand on the rows before each
    assert_allclose(rows["y_upper_90"] - rows["y_lower_90"], rows["y_upper_90"].iloc[0] - rows["y_lower_90"].iloc[0])


def test_rows_before_the_first_observation_are_no_history():
    values = series(100 + simulate(d=1, n=80))
    later = pd.concat([pd.Series(np.nan, pd.date_range("2023-12-30", periods=48, freq="h")), values]).rename("y")
    for params in ({"order": (1, 1, 1)}, {"order": (0, 1, 0), "seasonal_order": (0, 1, 0, 6)}):
        model = ARIMAForecaster(**params).fit(values)
        assert_allclose(model.predict_interval(4, history=later), model.predict_interval(4))
        assert_allclose(model.predict(later.index[49:], history=later), model.predict(values.index[1:]))


@pytest.mark.parametrize("params", [{"order": (2, 0, 1), "trend": "c"}, {"order": (1, 1, 1)}, {"order": (0, 2, 2)}])
def test_likelihood_is_as_high_as_that_of_statsmodels(params):
    df = example(300)
    model = ARIMAForecaster(target="y", future_covariates=["drive"], max_iter=500, **params).fit(df)
    reference = ARIMA(
        df["y"].to_numpy(),
        exog=df["drive"].to_numpy(),
        order=params["order"],
        trend={"c": "c"}.get(params.get("trend"), "n"),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its start values
        best = reference.fit(method_kwargs={"maxiter": 500}).llf
    assert reference.loglike(model.params_[0]) > best - 0.05


def test_parameters_of_a_simulated_series_come_back():
    drive = np.random.default_rng(1).normal(size=3000)
    values = 50 + 4 * drive + simulate((0.7,), (0.4,), 3000)
    df = pd.DataFrame({"y": values, "drive": drive}, index=series(values).index)
    model = ARIMAForecaster((1, 0, 1), trend="c", target="y", future_covariates=["drive"]).fit(df)
    assert_allclose(model.params_[0], [50, 4, 0.7, 0.4, 1], atol=0.3)
    assert_allclose(model.params_[0][1:], [4, 0.7, 0.4, 1], atol=0.08)
    assert model.n_parameters_ == 5
    assert model.converged_ == [True]


@pytest.mark.parametrize("factor", [1e-12, 3e-9, 1e-6, 1e7, 1e12])
@pytest.mark.parametrize("of_covariate", [1.0, 1e-12, 1e12])
def test_forecasts_scale_with_the_data(factor, of_covariate):
    df = example()
    future = df[["drive"]].iloc[:5].set_axis(series(np.zeros(125)).index[120:])
    model = ARIMAForecaster((1, 1, 1), target="y", future_covariates=["drive"], max_iter=500)
    one = model.fit(df).predict_interval(future)
    two = model.fit(df * [factor, of_covariate]).predict_interval(future * of_covariate)
    assert_allclose(two / factor, one, atol=1e-3)


@pytest.mark.parametrize("params", [{"order": (1, 0, 0), "trend": "c"}, {"order": (1, 1, 0)}], ids=["level", "change"])
@pytest.mark.parametrize("level", [-1e9, 1e6])
def test_the_level_of_a_covariate_does_not_matter(params, level):
    df = example()
    future = df[["drive"]].iloc[:5].set_axis(series(np.zeros(125)).index[120:])
    model = ARIMAForecaster(target="y", future_covariates=["drive"], **params)
    one = model.fit(df).predict_interval(future)
    two = model.fit(df + [0, level]).predict_interval(future + level)
    assert_allclose(two, one, atol=1e-3)


@pytest.mark.parametrize("level", [1e4, -1e9])
def test_a_model_around_zero_is_told_of_a_high_level(level):
    values = series(simulate((0.6,)))
    ARIMAForecaster((1, 0, 0)).fit(values + 10)
    said = re.escape(f"around {level:.4g}, but ARIMA(1, 0, 0) without a constant") + ".*Set trend='c', or subtract"
    with pytest.warns(DataWarning, match=said):
        ARIMAForecaster((1, 0, 0)).fit(values + level)
    near, far = (ARIMAForecaster((1, 0, 0), trend="c").fit(values + k).predict_interval(3) - k for k in (0, level))
    assert_allclose(far, near, atol=1e-3)


@pytest.mark.parametrize("exponent", [7, 9, 12])
def test_a_random_walk_is_forecast_by_its_last_value_in_any_unit(exponent):
    walk = 100 + np.random.default_rng(0).normal(size=80).cumsum()
    small = ARIMAForecaster((0, 1, 0)).fit(series(walk * 10.0**-exponent)).forecast(1)["y"]
    assert_allclose(small * 10.0**exponent, walk[-1], rtol=1e-9)


@pytest.mark.parametrize(
    "make", [lambda: ARIMAForecaster((1, 1, 1)), lambda: ARIMAForecaster((1, 0, 0), (0, 1, 1, 4)), AutoARIMAForecaster]
)
def test_a_level_of_a_billion_changes_does_not_matter(make):
    values = series(simulate(d=1, n=150) + np.sin(np.arange(150) * np.pi / 2))
    values.iloc[70:73] = np.nan
    near, far = make().fit(values), make().fit(values + 1e9)
    assert near.order_ == far.order_
    assert_allclose(far.predict_interval(5) - 1e9, near.predict_interval(5), atol=1e-3)


def test_collinear_and_constant_covariates_do_no_harm():
    df = example()
    df["twice"] = 2 * df["drive"]
    df["always"] = 1.0
    future = df[["drive", "twice", "always"]].iloc[:4].set_axis(series(np.zeros(124)).index[120:])
    one = ARIMAForecaster((1, 1, 1), target="y", future_covariates=["drive"]).fit(df).predict(future)
    every = ["drive", "twice", "always"]
    all_three = ARIMAForecaster((1, 1, 1), target="y", future_covariates=every).fit(df).predict(future)
    assert_allclose(all_three, one, atol=1e-3)


def test_a_constant_series_stays_as_it_is():
    for model in (ARIMAForecaster(), ARIMAForecaster((2, 0, 1)), AutoARIMAForecaster(), AutoARIMAForecaster(1)):
        fitted = model.fit(series(np.full(60, 7.5)))
        assert_allclose(fitted.forecast(5), 7.5)
        assert_allclose(fitted.predict_interval(5), 7.5, rtol=1e-6)
        assert_allclose(fitted.predict(series(np.zeros(60)).index), 7.5)


def test_a_straight_line_goes_on():
    for model in (ARIMAForecaster((0, 1, 0), trend="t"), ARIMAForecaster((0, 2, 0)), AutoARIMAForecaster(1)):
        assert_allclose(model.fit(series(np.arange(60.0))).forecast(3)["y"], [60, 61, 62], atol=1e-3)
    assert model.order_ == (0, 1, 0)


def test_phase_and_trend_follow_time_not_the_row():
    n = 24 * 20
    values = series(0.01 * np.arange(n) + np.sin(2 * np.pi * np.arange(n) / 24) + 0.05 * simulate(n=n))
    model = ARIMAForecaster((1, 0, 0), trend="ct", harmonics=2).fit(values)
    assert_allclose(model.predict(6, history=values.iloc[101:])["y"], model.predict(6)["y"], atol=1e-6)
    later = series(np.zeros(5), start="2024-02-20 05:00")
    forecast = model.predict(24, history=later.iloc[:1] + np.nan_to_num(1.0))["y"]
    truth = 0.01 * (24 * 50 + 6 + np.arange(24)) + np.sin(2 * np.pi * (6 + np.arange(24)) / 24)
    # an AR(1) near 0 forgets the one row given at once
    assert_allclose(forecast.iloc[3:], truth[3:], atol=0.15)


def test_fitted_values_before_the_differences_are_the_last_observation():
    values = series(np.arange(30.0) ** 2)
    fitted = ARIMAForecaster((0, 1, 0), seasonal_order=(0, 1, 0, 4)).fit(values).predict(values.index)["y"]
    assert_array_equal(fitted.iloc[1:5], values.iloc[:4])
    assert_allclose(fitted.iloc[6:], (values.shift(1) + values.shift(4) - values.shift(5)).iloc[6:], atol=1e-2)


def test_a_fit_on_the_last_rows_still_reads_the_whole_history():
    values = series(simulate((0.9,), n=300))
    model = ARIMAForecaster((1, 0, 0), trend="c", max_fit_rows=100).fit(values)
    tail = ARIMAForecaster((1, 0, 0), trend="c").fit(values.iloc[-100:])
    assert_allclose(model.params_[0], tail.params_[0], rtol=1e-6)
    assert len(model.predict(values.index)) == 300


def test_targets_are_fitted_each_by_itself():
    df = pd.DataFrame({"a": simulate((0.8,)), "b": simulate((0.1,), seed=1)}, index=series(np.zeros(400)).index)
    both = ARIMAForecaster((1, 0, 0)).fit(df)
    for k, name in enumerate("ab"):
        assert_array_equal(both.params_[k], ARIMAForecaster((1, 0, 0)).fit(df[[name]]).params_[0])
    assert both.order_ == [(1, 0, 0), (1, 0, 0)]
    assert both.n_parameters_ == 4


def test_nothing_of_statsmodels_is_kept():
    model = ARIMAForecaster((1, 1, 1)).fit(series(simulate(n=2000)))
    assert b"statsmodels" not in pickle.dumps(model)


# ---------------------------------------------------------------------- refusals and warnings


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"order": (1, 1)}, DataError, r"order must be 3 integers \(p, d, q\), got \(1, 1\)"),
        ({"order": (1, -1, 0)}, ValueError, r"order\[1\] must be an integer of at least 0, got -1"),
        ({"order": "arima"}, DataError, "order must be 3 integers"),
        ({"seasonal_order": (1, 0, 0)}, DataError, r"seasonal_order must be 4 integers \(P, D, Q, s\)"),
        ({"seasonal_order": (1, 0, 0, 1)}, DataError, "must be at least 2"),
        ({"trend": "q"}, ValueError, "trend must be one of None, 'c', 't', 'ct', got 'q'"),
        ({"trend": "c"}, DataError, r"trend='c' holds a constant.*order=\(1, 1, 1\).*Use trend='t'"),
        ({"harmonics": 13}, DataError, "harmonics=13, but a season of 24 rows has at most 12"),
        ({"max_iter": 0}, ValueError, "max_iter must be an integer of at least 1"),
        ({"max_fit_rows": 0}, ValueError, "max_fit_rows must be an integer of at least 1 or None"),
    ],
)
def test_impossible_parameters(params, error, message):
    with pytest.raises(error, match=message):
        ARIMAForecaster(**params).fit(series(simulate(n=100)))


def test_too_few_observations_are_refused_with_the_numbers():
    with pytest.raises(DataError, match=r"'y' has 20 observations.*ARIMA\(2, 1, 2\)\(0, 1, 0, 24\).* at least 31"):
        ARIMAForecaster((2, 1, 2), seasonal_order=(0, 1, 0, 24)).fit(series(np.arange(20)))
    model = ARIMAForecaster((0, 1, 0), seasonal_order=(0, 1, 0, 4)).fit(series(simulate(n=50)))
    with pytest.raises(DataError, match="history has 4 rows .* need at least 5"):
        model.predict(1, history=series(np.arange(4)))


def test_a_covariate_missing_beside_an_observation_is_refused():
    df = example()
    df.iloc[20, 1] = np.nan
    model = ARIMAForecaster((1, 0, 0), target="y", future_covariates=["drive"])
    with pytest.raises(DataError, match=r"covariate\(s\) drive are missing where .* observed: 2024-01-01 20:00:00"):
        model.fit(df)
    # beside a missing observation it does not matter
    df = example()
    df.iloc[50, 1] = np.nan
    other = example()
    other.iloc[50, 1] = 1e3
    assert_allclose(model.fit(df).params_[0], model.fit(other).params_[0], atol=1e-3)


# What the orders can describe exactly, or nearly so: the likelihood is unbounded, and start values are not stationary.
NOISELESS = {
    "line": lambda t: 2 * np.pi * t / 999,
    "sine": lambda t: np.sin(t / 5),
    "two sines": lambda t: np.sin(t / 5) + np.sin(t / 50),
    "growth": lambda t: 1.01**t,
    "parabola": lambda t: t**2.0,
    "alternation": lambda t: (-1.0) ** t,
}


@pytest.mark.parametrize("name", NOISELESS)
@pytest.mark.parametrize(
    "params", [{"order": (2, 0, 0), "trend": "c"}, {"order": (2, 0, 2), "trend": "c"}, {"order": (3, 1, 1)}]
)
def test_a_series_without_noise_goes_on_or_the_failure_is_told(name, params):
    t = np.arange(1_000 if name == "line" else 300)
    values = NOISELESS[name](t)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        model = ARIMAForecaster(**params).fit(series(values))
    error = abs(model.forecast(1)["y"].iloc[0] - NOISELESS[name](len(t)))
    told = any("did not converge" in str(warning.message) for warning in said)
    assert told == (model.converged_ == [False])
    assert told or error < 0.5 * np.abs(np.diff(values)).max()
    assert np.isfinite(model.predict_interval(3)).all().all()


def test_a_failure_other_than_lack_of_iterations_is_told(monkeypatch):
    from tsrnn.forecasters import arima_model

    def fail(model, start, max_iter, method="lbfgs"):
        return arima_model.Fit(np.asarray(start), 1.0, 0.0, False, False)

    monkeypatch.setattr(arima_model, "climb", fail)
    with pytest.warns(ConvergenceWarning, match=r"ARIMA\(1, 1, 1\) of target 'y' did not converge, from other start"):
        assert ARIMAForecaster((1, 1, 1)).fit(series(simulate(d=1))).converged_ == [False]


def test_candidates_that_do_not_converge_are_passed_over(monkeypatch):
    from tsrnn.forecasters import arima_search

    original = arima_search.fit_model

    def only_small_ones(y, regressors, spec, *args, **options):
        fit = original(y, regressors, spec, *args, **options)
        large = sum(spec.order[::2]) > 1
        return fit._replace(
            converged=not large, out_of_iterations=False, log_likelihood=fit.log_likelihood + 100 * large
        )

    monkeypatch.setattr(arima_search, "fit_model", only_small_ones)
    p, _, q = AutoARIMAForecaster(seasonal=None).fit(series(simulate((0.6, -0.3), (0.5,)))).order_
    assert p + q <= 1


def test_no_convergence_is_one_warning_that_says_what_to_do():
    model = ARIMAForecaster((2, 1, 2), max_iter=1)
    with pytest.warns(
        ConvergenceWarning, match=r"ARIMA\(2, 1, 2\) of target 'y' .* 1 iterations. Raise max_iter"
    ) as caught:
        model.fit(series(simulate((0.5,), d=1)))
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert model.converged_ == [False]


# ---------------------------------------------------------------------- pieces


@pytest.mark.parametrize(("season", "harmonics", "columns"), [(24, 3, 6), (4, 2, 3), (7, 3, 6), (5, 0, 0)])
def test_fourier_terms_repeat_and_are_independent(season, harmonics, columns):
    terms = fourier_terms(np.arange(-2 * season, 3 * season), season, harmonics)
    assert terms.shape == (5 * season, columns)
    assert_allclose(terms[:season], terms[season : 2 * season], atol=1e-12)
    assert np.linalg.matrix_rank(np.column_stack([np.ones(len(terms)), terms])) == columns + 1


def test_difference_undoes_sums():
    spec = Spec((0, 2, 0), (0, 1, 0, 4))
    values = np.random.default_rng(0).normal(size=30)
    by_hand = pd.Series(values).diff(4).diff().diff().dropna()
    assert_allclose(difference(values, spec), by_hand)
    assert spec.n_lost == 6


def test_lag_polynomials_multiply_out():
    spec = Spec((1, 0, 1), (1, 0, 1, 3))
    ar, ma = lag_polynomials(np.array([9.0, 0.5, 0.2, 0.3, 0.4, 1.0]), spec)  # 9 is a trend
    assert_allclose(ar, [1, -0.5, 0, -0.3, 0.15])
    assert_allclose(ma, [1, 0.2, 0, 0.4, 0.08])


def test_forecast_deviation_of_known_models():
    assert_allclose(forecast_deviation(np.array([4.0]), Spec((0, 1, 0)), 4), 2 * np.sqrt([1, 2, 3, 4]))
    assert_allclose(forecast_deviation(np.array([0.5, 1.0]), Spec((1, 0, 0)), 3) ** 2, [1, 1.25, 1.3125])
    assert_allclose(forecast_deviation(np.array([1.0]), Spec((0, 0, 0), (0, 1, 0, 2)), 5) ** 2, [1, 1, 2, 2, 3])


def test_strength_of_seasonality():
    rng = np.random.default_rng(0)
    wave = np.sin(2 * np.pi * np.arange(120) / 12)
    assert seasonal_strength(wave + 0.1 * rng.normal(size=120), 12) > 0.9
    assert seasonal_strength(rng.normal(size=120), 12) < 0.6


@pytest.mark.parametrize(("d", "values"), [(0, simulate((0.5,))), (1, simulate(d=1)), (2, simulate(d=2))])
def test_differences_are_counted(d, values):
    assert count_differences(values, 2) == d
    assert count_differences(values, 0) == 0


@pytest.mark.parametrize(
    ("tz", "first", "last", "freq", "harmonics"),
    [
        ("Europe/London", "2024-03-01", "2024-04-03 23:00", "h", 6),
        ("America/New_York", "2024-10-10", "2024-11-06 12:00", "h", 6),
        ("Australia/Lord_Howe", "2024-09-10", "2024-10-08 00:00", "30min", 4),
    ],
)
def test_harmonics_follow_the_wall_clock(tz, first, last, freq, harmonics):
    index = pd.date_range(pd.Timestamp(first, tz=tz), pd.Timestamp(last, tz=tz) + pd.Timedelta(days=1), freq=freq)
    hour = index.hour + index.minute / 60
    y = pd.Series(
        10 * np.cos(2 * np.pi * hour / 24) + np.random.default_rng(0).normal(0, 0.1, len(index)), index, name="y"
    )
    model = ARIMAForecaster((0, 0, 0), trend="c", harmonics=harmonics).fit(y[: pd.Timestamp(last, tz=tz)])
    forecast = model.forecast(20)["y"]
    assert_allclose(forecast, y.reindex(forecast.index), atol=1)  # an hour too late would be 2.5 off


def test_harmonics_are_counted():
    position = np.arange(24 * 40)
    wave = sum(np.sin(2 * np.pi * k * position / 24 + k) for k in (1, 3))
    values = wave + simulate((0.7,), n=len(position))
    none = np.empty((len(position), 0))
    assert choose_harmonics(values, none, position, 24, 6) in (3, 4)
    assert choose_harmonics(values[:40], none[:40], position[:40], 24, 6) == 0
    assert choose_harmonics(values, none, position, 24, 2) in (1, 2)


# ---------------------------------------------------------------------- the search


@pytest.mark.parametrize(
    ("order", "simulation"),
    [
        ((1, 0, 0), {"ar": (0.8,)}),
        ((2, 0, 0), {"ar": (1.2, -0.6)}),
        ((0, 0, 1), {"ma": (0.7,)}),
        ((0, 1, 0), {"d": 1}),
        ((0, 1, 1), {"ma": (-0.6,), "d": 1}),
        ((1, 1, 0), {"ar": (0.6,), "d": 1}),
    ],
    ids=str,
)
def test_orders_of_simulated_series_are_found(order, simulation):
    # AICc takes one term too many now and then, so the most frequent of five finds counts.
    finds = [
        AutoARIMAForecaster(seasonal=None).fit(series(simulate(n=600, seed=seed, **simulation))).order_
        for seed in range(5)
    ]
    assert max(set(finds), key=finds.count) == order


def test_the_search_is_no_worse_than_any_model_on_its_way():
    values = series(simulate((0.6, -0.3), (0.5,), n=500))
    auto = AutoARIMAForecaster(seasonal=None).fit(values)
    found = np.log(auto.params_[0][-1]) * 500 + 2 * auto.n_parameters_
    for order in [(1, 0, 0), (0, 0, 1), (1, 0, 1), (2, 0, 1), (3, 0, 0)]:
        model = ARIMAForecaster(order, trend="c").fit(values)
        assert found < np.log(model.params_[0][-1]) * 500 + 2 * model.n_parameters_ + 6


def test_a_monthly_season_gets_seasonal_terms_and_beats_naive():
    rng = np.random.default_rng(0)
    n = 144
    level = 0.02 * np.arange(n) + 0.05 * rng.normal(size=n).cumsum()
    values = series(level + np.tile(rng.normal(size=12), 12) + 0.1 * rng.normal(size=n), freq="MS")
    train, test = values.iloc[:120], values.iloc[120:]
    model = AutoARIMAForecaster().fit(train)
    assert model.seasonal_order_[1:] in [(1, q, 12) for q in (0, 1)]
    assert model.harmonics_ == 0
    errors = [np.abs(m.forecast(24)["y"] - test).mean() for m in (model, NaiveForecaster().fit(train))]
    assert errors[0] < 0.5 * errors[1]


def test_a_long_season_gets_fourier_terms_and_beats_naive():
    n = 24 * 30
    values = series(5 * np.sin(2 * np.pi * np.arange(n) / 24) + simulate((0.5,), n=n))
    train, test = values.iloc[:-24], values.iloc[-24:]
    model = AutoARIMAForecaster().fit(train)
    assert model.harmonics_ >= 1
    assert model.seasonal_order_ == (0, 0, 0, 0)
    errors = [np.abs(m.forecast(24)["y"] - test).mean() for m in (model, NaiveForecaster().fit(train))]
    assert errors[0] < 0.5 * errors[1]
    # the wave stands where it was, whatever the first row of the history
    assert_allclose(model.predict(24, history=train.iloc[55:])["y"], model.forecast(24)["y"], atol=0.05)


def test_auto_arima_uses_covariates():
    df = example(300)
    future = df[["drive"]].iloc[:5].set_axis(series(np.zeros(305)).index[300:])
    model = AutoARIMAForecaster(4, target="y", future_covariates=["drive"]).fit(df)
    flat = model.predict(future * 0)["y"]
    assert_allclose(model.predict(future)["y"] - flat, 2 * future["drive"], atol=0.5)


def test_seasonal_none_leaves_the_season_out():
    values = series(np.sin(2 * np.pi * np.arange(240) / 24) + 0.1 * simulate(n=240))
    model = AutoARIMAForecaster(seasonal=None, max_iter=500).fit(values)
    assert model.harmonics_ == 0
    assert model.seasonal_order_ == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"seasonal": "yes"}, "seasonal must be one of 'auto', 'arima', 'fourier', None, got 'yes'"),
        ({"max_p": -1}, "max_p must be an integer of at least 0"),
        ({"season_length": 0}, "season_length must be an integer of at least 1"),
    ],
)
def test_impossible_search_parameters(params, message):
    with pytest.raises(ValueError, match=message):
        AutoARIMAForecaster(**params).fit(series(simulate(n=100)))


@pytest.mark.slow
def test_a_year_of_hours_is_fitted_in_seconds():
    n = 8700
    values = simulate((1.2, -0.3), (0.3,), n) + 8 * np.sin(2 * np.pi * np.arange(n) / 24)
    for model, limit in ((ARIMAForecaster((2, 1, 2)), 8), (AutoARIMAForecaster(), 40)):
        start = time.process_time()
        model.fit(series(values))
        assert time.process_time() - start < limit


def test_scaled_fit_reports_parameters_in_the_units_of_the_data():
    values = simulate((0.5,), n=500)
    none = np.empty((500, 0))
    small = fit_model(values, none, Spec((1, 0, 0)), 100).params
    large = fit_model(1000 * values, none, Spec((1, 0, 0)), 100).params
    assert_allclose(large, small * [1, 1e6], rtol=1e-3)
