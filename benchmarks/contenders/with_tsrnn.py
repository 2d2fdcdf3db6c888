"""tsrnn through its public API.

    python with_tsrnn.py native|keras

"keras" trains with Keras's programs of tsrnn, compiled by XLA.
"""

import sys

import protocol as p
from protocol import A, B

ENGINE = sys.argv[1]
REGRESSORS = {"lstm": "LSTMRegressor", "gru": "GRURegressor"}


def make_training(case):
    import tsrnn

    rows, y = p.series(case)
    X = tsrnn.WindowArray(rows, p.np.arange(len(y)), case.n_steps)
    make = getattr(tsrnn, REGRESSORS[case.cell])
    model = make(
        (case.units,) * case.layers,
        bidirectional=case.bidirectional,
        learning_rate=1e-3,
        clipnorm=None,
        batch_size=case.batch_size,
        early_stopping=False,
        engine=ENGINE,
        jit_compile=ENGINE == "keras",
        random_state=0,
    )
    silence_capacity_warnings()
    return lambda epochs: model.set_params(epochs=epochs).fit(X, y)


def silence_capacity_warnings():
    """The larger networks have more parameters than windows, which is of no interest here."""
    import warnings

    from tsrnn.exceptions import CapacityWarning

    warnings.simplefilter("ignore", CapacityWarning)


def forecaster(job, **others):
    """The network of the jobs: read step by step, no dropout, no early stopping, as the other contenders have it."""
    from tsrnn import LSTMForecaster

    options = {
        "window": job.window,
        "horizon": job.horizon,
        "epochs": job.epochs,
        "batch_size": job.batch_size,
        "units": p.UNITS,
        "learning_rate": p.LEARNING_RATE,
        "segment": 1,
        "linear": False,
        "normalize": False,
        "learning_rate_schedule": None,
        "dropout": 0.0,
        "loss": "mse",
        "early_stopping": False,
        "engine": ENGINE,
        "random_state": 0,
    }
    return LSTMForecaster(**options | others)


def frame(hours, values):
    import pandas as pd

    return pd.DataFrame({"temp": values}, index=pd.DatetimeIndex(hours))


def job_a():
    import tsrnn.forecasters.recurrent  # noqa: F401

    imported = p.since_start()
    hours, values = p.jfk()
    data = frame(hours, values)
    model = forecaster(A)
    _, fit_seconds = p.timed(lambda: model.fit(data.iloc[: -p.N_TEST]))
    cutoffs = data.index[p.origins(len(data))]
    tidy, backtest_seconds = p.timed(lambda: model.predict_cutoffs(24, data, cutoffs))
    _, one = p.timed(model.forecast, 100)
    forecasts = tidy["y_pred"].to_numpy().reshape(p.N_ORIGINS, 24)
    seconds = {"import": imported, "fit": fit_seconds, "backtest": backtest_seconds, "one": one}
    return {**seconds, "mae": p.mae(p.truth(values), forecasts)}


def job_b():
    """A plain grid search: scikit-learn makes the folds and forecasts each of them, 24 steps fed back one by one."""
    from sklearn.model_selection import GridSearchCV, TimeSeriesSplit

    import tsrnn.forecasters.recurrent  # noqa: F401

    imported = p.since_start()
    hours, values = p.jfk()
    data = frame(hours, values).iloc[-p.N_HOURS_B :]
    silence_capacity_warnings()
    search = GridSearchCV(
        forecaster(B),
        {"units": list(p.SIZES), "learning_rate": list(p.RATES)},
        scoring="neg_mean_absolute_error",
        cv=TimeSeriesSplit(p.FOLDS, test_size=p.FOLD),
        refit=False,
    ).fit(data[[]], data["temp"])
    results = search.cv_results_
    errors = [-results[f"split{i}_test_score"] for i in range(p.FOLDS)]
    return {"import": imported, "mae": float(p.np.mean(errors) / values.std()), "n_fits": p.np.size(errors)}


# ------------------------------------------------------------------ overheads, each asked of a fresh process


def small_forecaster():
    return forecaster(B, window=24, epochs=1, units=8)


def sine(n):
    noise = 0.1 * p.np.random.default_rng(0).normal(size=n)
    return p.np.sin(p.np.arange(n) * 2 * p.np.pi / 24) + noise


def sine_frame(n):
    return frame(p.np.datetime64("2000-01-01T00", "s") + p.np.arange(n) * p.np.timedelta64(3600, "s"), sine(n))


def windows(n, window):
    from tsrnn import WindowArray

    silence_capacity_warnings()
    base = sine(n + window).astype(p.np.float32)[:, None]
    return WindowArray(base, p.np.arange(n), window), base[window:, 0]


def regressor(**options):
    from tsrnn import LSTMRegressor

    return LSTMRegressor(32, early_stopping=False, engine=ENGINE, random_state=0, **options)


def small_fits():
    """Fits of one batch, one epoch: all but nothing of them is arithmetic."""
    X, y = windows(32, 24)
    regressor(epochs=1).fit(X, y)
    data = sine_frame(24 + 32)
    silence_capacity_warnings()
    small_forecaster().fit(data)
    return {
        "regressor": p.timed(lambda: regressor(epochs=1).fit(X, y), 50)[1],
        "forecaster": p.timed(lambda: small_forecaster().fit(data), 50)[1],
    }


def one_forecast():
    """Of a fitted forecaster with 200 rows of history and with 8,000, and of a regressor."""
    silence_capacity_warnings()
    found = {}
    for n in (200, 8000):
        model = forecaster(B, epochs=1).fit(sine_frame(n))
        model.forecast()
        found[f"history {n}"] = p.timed(model.forecast, 200)[1]
    X, y = windows(32, 24)
    model = regressor(epochs=1).fit(X, y)
    model.predict(X[:1])
    return {**found, "regressor": p.timed(lambda: model.predict(X[:1]), 200)[1]}


def import_tsrnn():
    return {"import tsrnn": p.timed(lambda: __import__("tsrnn"))[1]}


def cold():
    """Import, fit and forecast, in a process that has imported NumPy alone."""
    values = sine(500)

    def run():
        import tsrnn

        silence_capacity_warnings()
        model = tsrnn.LSTMForecaster(window=24, horizon=6, epochs=5, engine=ENGINE, random_state=0)
        return model.fit(frame(p.np.datetime64("2000-01-01T00", "s") + p.np.arange(500) * 3600, values)).forecast()

    _, seconds = p.timed(run)
    return {"cold": seconds, "tensorflow": "tensorflow" in sys.modules}


def memory_of_regressor():
    import tsrnn.engine.native.program
    import tsrnn.regressors  # noqa: F401

    before = p.peak_mb()
    X, y = windows(200_000, 100)
    _, seconds = p.timed(lambda: regressor(epochs=1).fit(X, y))
    return {"above": p.peak_mb() - before, "fit": seconds}


def memory_of_forecaster():
    import tsrnn.engine.native.program
    import tsrnn.forecasters.recurrent  # noqa: F401

    before = p.peak_mb()
    data = sine_frame(200_100)
    _, seconds = p.timed(lambda: forecaster(B, window=100, epochs=1).fit(data))
    return {"above": p.peak_mb() - before, "fit": seconds}


def growth():
    """Resident memory gained by 50 fits, after three."""
    X, y = windows(200, 24)
    for _ in range(3):
        regressor(epochs=1).fit(X, y)
    before = p.resident_mb()
    for _ in range(50):
        regressor(epochs=1).fit(X, y)
    return {"grown": p.resident_mb() - before}


if __name__ == "__main__":
    overheads = (small_fits, one_forecast, import_tsrnn, cold, memory_of_regressor, memory_of_forecaster, growth)
    p.serve(
        make_training,
        *("tsrnn", "numpy", "pandas", "scikit-learn", "keras", "tensorflow"),
        job_a=job_a,
        job_b=job_b,
        **{function.__name__: function for function in overheads},
    )
