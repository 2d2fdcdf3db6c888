"""Keras's own `fit`: dense windows and defaults as a tutorial writes it, or tuned.

    KERAS_BACKEND=tensorflow|jax python with_keras.py default|tuned

"tuned" compiles with XLA and runs 32 steps per call.
"""

import sys

import keras
import protocol as p
from protocol import A, B, Job

TUNED = sys.argv[1] == "tuned"
LAYERS = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU}


def build(layers, learning_rate, n_outputs, n_steps, n_features, steps_per_execution=1):
    model = keras.Sequential([keras.Input((n_steps, n_features)), *layers, keras.layers.Dense(n_outputs)])
    options = {"jit_compile": True, "steps_per_execution": steps_per_execution} if TUNED else {}
    model.compile(keras.optimizers.Adam(learning_rate), "mse", **options)
    return model


def make_training(case):
    rows, y = p.series(case)
    X = p.dense(rows, case.n_steps)[: len(y)]
    layers = [LAYERS[case.cell](case.units, return_sequences=i < case.layers - 1) for i in range(case.layers)]
    if case.bidirectional:
        layers = [keras.layers.Bidirectional(layer) for layer in layers]
    # More steps than an epoch has are not allowed.
    steps = min(32, case.n_windows // case.batch_size)
    model = build(layers, 1e-3, 1, case.n_steps, case.n_features, steps)
    return lambda epochs: model.fit(X, y, batch_size=case.batch_size, epochs=epochs, verbose=0)


def fit(values, job: Job, units, learning_rate):
    X, y = p.windows_of(values, job)
    model = build([keras.layers.LSTM(units)], learning_rate, job.horizon, job.window, 1)
    model.fit(X, y, batch_size=job.batch_size, epochs=job.epochs, verbose=0)
    return model


def last_windows(values, rows, window):
    return p.np.array([values[row - window + 1 : row + 1] for row in rows], p.np.float32)[:, :, None]


def job_a():
    _, values = p.jfk()
    n_train = len(values) - p.N_TEST
    scaled, mean, scale = p.standardised(values, n_train)
    model, fit_seconds = p.timed(lambda: fit(scaled[:n_train], A, p.UNITS, p.LEARNING_RATE))
    X = last_windows(scaled, p.origins(len(values)), A.window)
    forecasts, backtest_seconds = p.timed(lambda: model.predict(X, verbose=0) * scale + mean)
    _, one = p.timed(lambda: model.predict(X[:1], verbose=0) * scale + mean, 5)
    return {"fit": fit_seconds, "backtest": backtest_seconds, "one": one, "mae": p.mae(p.truth(values), forecasts)}


def job_b():
    values = p.jfk()[1][-p.N_HOURS_B :]
    errors = []
    for units in p.SIZES:
        for rate in p.RATES:
            for n_train in p.folds(len(values)):
                scaled, *_ = p.standardised(values, n_train)
                model = fit(scaled[:n_train], B, units, rate)
                X = last_windows(scaled, range(n_train - 1, n_train + p.FOLD - 1), B.window)
                errors.append(p.mae(scaled[n_train : n_train + p.FOLD], model.predict(X, verbose=0)[:, 0]))
    return {"mae": float(p.np.mean(errors)), "n_fits": len(errors)}


if __name__ == "__main__":
    backend = {"tensorflow": "tensorflow", "jax": "jax"}[keras.backend.backend()]
    p.serve(make_training, "keras", backend, job_a=job_a, job_b=job_b)
