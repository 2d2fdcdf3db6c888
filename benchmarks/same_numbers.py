"""Check that a change of the code's shape changed no number: ten fits, their weights and forecasts, bit by bit.

    python benchmarks/same_numbers.py record FILE.npz     on the commit before the change
    python benchmarks/same_numbers.py compare FILE.npz    after it, on the same machine

The engines' sums depend on the processor, so a record says nothing on another machine. `compare` names what differs
and by how much, and exits with 1 if anything does.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd

import tsrnn


def table(n_rows: int = 900, seed: int = 0) -> pd.DataFrame:
    """Two related hourly series and a covariate, with a few gaps."""
    rng = np.random.default_rng(seed)
    hours = np.arange(n_rows)
    load = 10 * np.sin(hours * 2 * np.pi / 24) + rng.normal(size=n_rows).cumsum() / 5
    frame = pd.DataFrame(
        {"load": load, "heat": 0.5 * load + rng.normal(size=n_rows), "wind": rng.normal(size=n_rows)},
        index=pd.date_range("2024-01-01", periods=n_rows, freq="h"),
    )
    frame.iloc[100:104, 0] = np.nan
    return frame


def windows(n: int = 300, n_steps: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Windows of three features, some values missing, and a target."""
    X = np.random.default_rng(1).normal(size=(n, n_steps, 3))
    y = X[:, -1, 0] * 0.7 + X[:, -3, 1] * 0.3
    X[::17, 4, 2] = np.nan
    return X, y


def regressor(name: str, **params) -> Callable[[], list[np.ndarray]]:
    def run() -> list[np.ndarray]:
        X, y = windows()
        model = getattr(tsrnn, name)(random_state=0, epochs=4, **params).fit(X, y)
        return [*model.weights_, model.predict(X)]

    return run


def forecaster(name: str, target="load", **params) -> Callable[[], list[np.ndarray]]:
    def run() -> list[np.ndarray]:
        df = table()
        model = getattr(tsrnn, name)(target=target, **params).fit(df[:-24])
        interval = model.predict_interval(24 if params.get("horizon") else 6)
        tidy = model.predict_cutoffs(6, df, df.index[[-120, -60, -30]])
        return [interval.to_numpy(), tidy["y_pred"].to_numpy()]

    return run


small = {"random_state": 0, "epochs": 4, "units": 8, "horizon": 24, "window": 48}
FITS = {
    "lstm regressor": regressor("LSTMRegressor", units=(8, 6), dropout=0.2, recurrent_dropout=0.1),
    "gru regressor, bidirectional": regressor("GRURegressor", units=8, bidirectional=True, early_stopping=True),
    "elman regressor, pinball": regressor("SimpleRNNRegressor", units=8, loss="pinball", optimizer="sgd"),
    "minimal regressor on Keras": regressor("MinGRURegressor", units=8),
    "output-recurrent regressor on Keras": regressor("OutputRecurrentRegressor", units=8, teacher_forcing=0.5),
    "lstm forecaster": forecaster("LSTMForecaster", **small),
    "gru forecaster, two targets": forecaster("GRUForecaster", target=["load", "heat"], shared=False, **small),
    "elman forecaster, gaussian": forecaster("SimpleRNNForecaster", loss="gaussian", past_covariates="wind", **small),
    "echo state forecaster": forecaster("EchoStateForecaster", random_state=0, horizon=24, window=48),
    "arima forecaster": forecaster("ARIMAForecaster", order=(2, 0, 1), trend="c", harmonics=2),
}


def measure() -> dict[str, np.ndarray]:
    arrays = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, run in FITS.items():
            arrays |= {f"{name}: array {i}": np.asarray(values) for i, values in enumerate(run())}
    return arrays


def main(argv: list[str]) -> int:
    if len(argv) != 2 or argv[0] not in ("record", "compare"):
        print(__doc__)
        return 2
    verb, path = argv
    now = measure()
    if verb == "record":
        np.savez(path, **now)
        print(f"{len(FITS)} fits, {len(now)} arrays, {sum(values.size for values in now.values())} numbers")
        return 0
    with np.load(path) as then:
        differ = [name for name in sorted({*now, *then}) if not same(then.get(name), now.get(name))]
    for name in differ:
        print(f"differs: {name}")
    print(f"{len(now) - len(differ)} of {len(now)} arrays are bitwise the same")
    return bool(differ)


def same(then, now) -> bool:
    return then is not None and now is not None and then.shape == now.shape and then.tobytes() == now.tobytes()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
