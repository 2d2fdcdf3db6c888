"""neuralforecast's LSTM: all steps at once, or one after the other.

python with_neuralforecast.py direct|recurrent
"""

import logging
import os
import sys
import warnings

os.environ.setdefault("NIXTLA_ID_AS_COL", "1")
warnings.simplefilter("ignore")

import pandas as pd  # noqa: E402
import protocol as p  # noqa: E402
from neuralforecast import NeuralForecast  # noqa: E402
from neuralforecast.losses.pytorch import MSE  # noqa: E402
from neuralforecast.models import LSTM  # noqa: E402
from protocol import A, B, Job  # noqa: E402

logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
RECURRENT = sys.argv[1] == "recurrent"


def fit(frame, job: Job, units, learning_rate):
    n_windows = len(frame) - job.window - job.horizon + 1
    model = LSTM(
        h=job.horizon,
        input_size=job.window,
        recurrent=RECURRENT,
        # The recurrent model unrolls its loss as far as it forecasts.
        h_train=job.horizon if RECURRENT else 1,
        encoder_n_layers=1,
        encoder_hidden_size=units,
        decoder_layers=1,
        decoder_hidden_size=units,
        loss=MSE(),
        # It counts steps, not epochs; one series a step, this many windows of it.
        max_steps=job.epochs * -(-n_windows // job.batch_size),
        batch_size=1,
        windows_batch_size=job.batch_size,
        learning_rate=learning_rate,
        scaler_type="identity",
        random_seed=0,
        accelerator="cpu",
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        logger=False,
    )
    forecaster = NeuralForecast([model], freq="h", local_scaler_type="standard")
    forecaster.fit(frame)
    return forecaster


def long_frame(hours, values, name="jfk"):
    return pd.DataFrame({"unique_id": name, "ds": pd.DatetimeIndex(hours), "y": values})


def ends(hours, values, rows, window):
    """One series for each origin, all forecast in one call."""
    parts = [
        long_frame(hours[row - window + 1 : row + 1], values[row - window + 1 : row + 1], f"origin {i:02}")
        for i, row in enumerate(rows)
    ]
    return pd.concat(parts)


def job_a():
    hours, values = p.jfk()
    n_train = len(values) - p.N_TEST
    train = long_frame(hours[:n_train], values[:n_train])
    model, fit_seconds = p.timed(lambda: fit(train, A, p.UNITS, p.LEARNING_RATE))

    def backtest():
        # Each series is scaled by what is passed of it: the window alone would be another scale.
        found = model.predict(ends(hours, values, p.origins(len(values)), n_train))
        return found["LSTM"].to_numpy().reshape(p.N_ORIGINS, 24)

    forecasts, backtest_seconds = p.timed(backtest)
    _, one = p.timed(model.predict, 5)
    return {"fit": fit_seconds, "backtest": backtest_seconds, "one": one, "mae": p.mae(p.truth(values), forecasts)}


def job_b():
    hours, values = (part[-p.N_HOURS_B :] for part in p.jfk())
    errors = []
    for units in p.SIZES:
        for rate in p.RATES:
            for n_train in p.folds(len(values)):
                model = fit(long_frame(hours[:n_train], values[:n_train]), B, units, rate)
                rows = range(n_train - 1, n_train + p.FOLD - 1)
                found = model.predict(ends(hours, values, rows, n_train))
                errors.append(p.mae(values[n_train : n_train + p.FOLD], found["LSTM"]) / values.std())
    return {"mae": float(p.np.mean(errors)), "n_fits": len(errors)}


if __name__ == "__main__":
    p.serve(None, "neuralforecast", "torch", "pytorch-lightning", job_a=job_a, job_b=job_b)
