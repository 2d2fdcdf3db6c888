"""skforecast's ForecasterRnn on Keras and TensorFlow. Its grid search returns an empty table, so job B is a loop."""

import warnings

import pandas as pd
import protocol as p
from keras.losses import MeanSquaredError
from keras.optimizers import Adam
from protocol import A, B, Job
from skforecast.deep_learning import ForecasterRnn, create_and_compile_model
from skforecast.model_selection import TimeSeriesFold, backtesting_forecaster_multiseries
from sklearn.preprocessing import StandardScaler

warnings.simplefilter("ignore")


def make(frame, job: Job, units, learning_rate):
    network = create_and_compile_model(
        frame,
        lags=job.window,
        steps=job.horizon,
        levels="temp",
        recurrent_layer="LSTM",
        recurrent_units=units,
        dense_units=None,
        compile_kwargs={"optimizer": Adam(learning_rate), "loss": MeanSquaredError()},
    )
    return ForecasterRnn(
        network,
        levels="temp",
        lags=job.window,
        transformer_series=StandardScaler(),
        fit_kwargs={"epochs": job.epochs, "batch_size": job.batch_size, "verbose": 0},
    )


def fit(frame, job: Job, units, learning_rate):
    forecaster = make(frame, job, units, learning_rate)
    forecaster.fit(frame)
    return forecaster


def backtest(forecaster, frame, job: Job):
    """Forecasts of every hour that the forecaster was not fitted on, block by block, without refitting."""
    cv = TimeSeriesFold(steps=job.horizon, initial_train_size=None, refit=False)
    _, found = backtesting_forecaster_multiseries(
        forecaster, frame, cv, "mean_absolute_error", levels="temp", show_progress=False, suppress_warnings=True
    )
    return found["pred"].to_numpy()


def read(n_last=None):
    hours, values = p.jfk()
    frame = pd.DataFrame({"temp": values}, index=pd.DatetimeIndex(hours, freq="h"))
    frame = frame.iloc[-n_last:] if n_last else frame
    return frame, frame["temp"].to_numpy()


def job_a():
    frame, values = read()
    n_train = len(values) - p.N_TEST
    model, fit_seconds = p.timed(lambda: fit(frame.iloc[:n_train], A, p.UNITS, p.LEARNING_RATE))
    _, one = p.timed(lambda: model.predict(suppress_warnings=True), 5)
    rest = frame.iloc[n_train - A.window :]
    forecasts, backtest_seconds = p.timed(lambda: backtest(model, rest, A)[-p.N_TEST :])
    return {"fit": fit_seconds, "backtest": backtest_seconds, "one": one, "mae": p.mae(values[-p.N_TEST :], forecasts)}


def job_b():
    frame, values = read(p.N_HOURS_B)
    errors = []
    for units in p.SIZES:
        for rate in p.RATES:
            for n_train in p.folds(len(values)):
                model = fit(frame.iloc[:n_train], B, units, rate)
                # One step is forecast and scored, not 24: its backtest would take longer than the fit.
                forecast = model.predict(suppress_warnings=True)["pred"]
                errors.append(p.mae(values[n_train : n_train + 1], forecast) / values.std())
    return {"mae": float(p.np.mean(errors)), "n_fits": len(errors)}


if __name__ == "__main__":
    p.serve(None, "skforecast", "keras", "tensorflow", job_a=job_a, job_b=job_b)
