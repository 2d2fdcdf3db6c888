"""A training loop written by hand: nn.LSTM, Adam, squared error, windows gathered by index from one tensor.

    python with_torch.py [threads]

Without a number of threads, 1 and 2 are tried for each case and the faster is kept.
"""

import sys

import protocol as p
import torch
from protocol import A, B, Job
from torch import nn

THREADS = [int(sys.argv[1])] if len(sys.argv) > 1 else [1, 2]
RECURRENT = {"lstm": nn.LSTM, "gru": nn.GRU}
torch.set_num_threads(THREADS[0])


class Network(nn.Module):
    def __init__(self, n_features, units, n_outputs, cell="lstm", layers=1, bidirectional=False):
        super().__init__()
        self.recurrent = RECURRENT[cell](n_features, units, layers, batch_first=True, bidirectional=bidirectional)
        self.head = nn.Linear(units * (2 if bidirectional else 1), n_outputs)

    def forward(self, x):
        _, state = self.recurrent(x)
        last = state[0] if isinstance(state, tuple) else state
        # (layers * directions, N, units): the last layer's states, as Keras joins them
        return self.head(torch.cat([*last[-2:]], 1) if self.recurrent.bidirectional else last[-1])


def train(network, windows, y, epochs, batch_size, learning_rate):
    """Windows are a view (n, n_steps, n_features) of the series; each batch gathers its own."""
    optimizer = torch.optim.Adam(network.parameters(), lr=learning_rate)
    for _ in range(epochs):
        for rows in torch.randperm(len(y)).split(batch_size):
            optimizer.zero_grad(set_to_none=True)
            loss = nn.functional.mse_loss(network(windows[rows]), y[rows])
            loss.backward()
            optimizer.step()
    return network


def view(rows, n_steps):
    return torch.from_numpy(rows).unfold(0, n_steps, 1).transpose(1, 2)  # (n, n_steps, n_features), nothing copied


def make_training(case):
    rows, y = p.series(case)
    windows, y = view(rows, case.n_steps)[: len(y)], torch.from_numpy(y)
    network = Network(case.n_features, case.units, 1, case.cell, case.layers, case.bidirectional)

    def run(epochs, n_threads, n_windows=case.n_windows):
        torch.set_num_threads(n_threads)
        train(network, windows[:n_windows], y[:n_windows], epochs, case.batch_size, 1e-3)

    quarter = case.n_windows // 4
    for n_threads in THREADS:
        run(1, n_threads, quarter)
    best = min(THREADS, key=lambda n_threads: p.timed(lambda: run(1, n_threads, quarter), 3)[1])
    return lambda epochs: run(epochs, best)


def fit(values, job: Job, units, learning_rate):
    """Train on all windows of one scaled series."""
    rows = values.astype(p.np.float32)[:, None]
    n = len(rows) - job.window - job.horizon + 1
    windows = view(rows, job.window)[:n]
    y = torch.from_numpy(rows[job.window :, 0].copy()).unfold(0, job.horizon, 1)[:n]
    network = Network(1, units, job.horizon)
    return train(network, windows, y, job.epochs, job.batch_size, learning_rate)


def predict(network, values, rows, window):
    X = p.np.array([values[row - window + 1 : row + 1] for row in rows], p.np.float32)[:, :, None]
    with torch.inference_mode():
        return network(torch.from_numpy(X)).numpy()


def job_a():
    torch.manual_seed(0)
    _, values = p.jfk()
    n_train = len(values) - p.N_TEST
    scaled, mean, scale = p.standardised(values, n_train)
    network, fit_seconds = p.timed(lambda: fit(scaled[:n_train], A, p.UNITS, p.LEARNING_RATE))
    rows = p.origins(len(values))
    forecasts, backtest_seconds = p.timed(lambda: predict(network, scaled, rows, A.window) * scale + mean)
    _, one = p.timed(lambda: predict(network, scaled, rows[:1], A.window) * scale + mean, 100)
    return {"fit": fit_seconds, "backtest": backtest_seconds, "one": one, "mae": p.mae(p.truth(values), forecasts)}


def job_b():
    torch.manual_seed(0)
    values = p.jfk()[1][-p.N_HOURS_B :]
    errors = []
    for units in p.SIZES:
        for rate in p.RATES:
            for n_train in p.folds(len(values)):
                scaled, *_ = p.standardised(values, n_train)
                network = fit(scaled[:n_train], B, units, rate)
                forecasts = predict(network, scaled, range(n_train - 1, n_train + p.FOLD - 1), B.window)[:, 0]
                errors.append(p.mae(scaled[n_train : n_train + p.FOLD], forecasts))
    return {"mae": float(p.np.mean(errors)), "n_fits": len(errors)}


if __name__ == "__main__":
    p.serve(make_training, "torch", job_a=job_a, job_b=job_b)
