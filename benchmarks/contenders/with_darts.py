"""darts' BlockRNNModel, as its guide has it: float32 series, Scaler, Lightning without bar, log or checkpoint."""

import logging
import warnings

import pandas as pd
import protocol as p
from darts import TimeSeries
from darts.dataprocessing.transformers import Scaler
from darts.models import BlockRNNModel
from protocol import A, B, Job
from sklearn.preprocessing import StandardScaler

warnings.simplefilter("ignore")
for name in ("pytorch_lightning", "pytorch_lightning.utilities.rank_zero", "darts"):
    logging.getLogger(name).setLevel(logging.ERROR)
QUIET = {
    "accelerator": "cpu",
    "enable_progress_bar": False,
    "enable_model_summary": False,
    "enable_checkpointing": False,
    "logger": False,
}


def fit(series, job: Job, units, learning_rate):
    model = BlockRNNModel(
        model="LSTM",
        input_chunk_length=job.window,
        output_chunk_length=job.horizon,
        hidden_dim=units,
        n_rnn_layers=1,
        dropout=0.0,
        batch_size=job.batch_size,
        n_epochs=job.epochs,
        optimizer_kwargs={"lr": learning_rate},
        pl_trainer_kwargs=QUIET,
        random_state=0,
    )
    return model.fit(series, verbose=False)


def read(n_last=None):
    hours, values = p.jfk()
    values = values[-n_last:] if n_last else values
    index = pd.DatetimeIndex(hours[-len(values) :], freq="h")
    return TimeSeries.from_times_and_values(index, values.astype("float32")), values


def scaled(series, n_train):
    scaler = Scaler(StandardScaler())
    return scaler, scaler.fit_transform(series[:n_train]), scaler.transform(series)


def job_a():
    series, values = read()
    scaler, train, whole = scaled(series, len(values) - p.N_TEST)
    model, fit_seconds = p.timed(lambda: fit(train, A, p.UNITS, p.LEARNING_RATE))

    def backtest():
        rows = p.origins(len(values))
        found = model.predict(24, [whole[: row + 1] for row in rows], verbose=False)
        return [scaler.inverse_transform(one).values()[:, 0] for one in found]

    forecasts, backtest_seconds = p.timed(backtest)
    _, one = p.timed(lambda: scaler.inverse_transform(model.predict(24, verbose=False)), 5)
    return {"fit": fit_seconds, "backtest": backtest_seconds, "one": one, "mae": p.mae(p.truth(values), forecasts)}


def job_b():
    series, values = read(p.N_HOURS_B)
    errors = []
    for units in p.SIZES:
        for rate in p.RATES:
            for n_train in p.folds(len(values)):
                _, train, whole = scaled(series, n_train)
                model = fit(train, B, units, rate)
                forecasts = model.predict(1, [whole[: n_train + i] for i in range(p.FOLD)], verbose=False)
                actual = whole.values()[n_train : n_train + p.FOLD, 0]
                errors.append(p.mae(actual, [one.values()[0, 0] for one in forecasts]))
    return {"mae": float(p.np.mean(errors)), "n_fits": len(errors)}


if __name__ == "__main__":
    p.serve(None, "darts", "torch", "pytorch-lightning", job_a=job_a, job_b=job_b)
