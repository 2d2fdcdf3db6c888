"""Write an archive of every class that can be saved, and what each answers: files that later versions must read.

    python tests/write_archives.py FOLDER

``tests/data/archives_0.1.0`` was written so by version 0.1.0, before anything was added to what a model keeps, and is
never written again: `test_archive_compatibility.py` loads it and asks the same questions. When a release is made, or
the format of files changes, run it into a folder of that version's name and commit that as well.

All numbers come from formulas, none from a random generator but the models' own.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

import tsrnn
from tsrnn.exceptions import CapacityWarning

N = 60  # windows
TINY = {"units": 3, "epochs": 2, "random_state": 0}
SHORT = {"target": "a", "window": 8, "horizon": 3} | TINY


# ---------------------------------------------------------------------- data


def windows(n=N, n_steps=6, n_features=2) -> np.ndarray:
    """Windows (n, n_steps, n_features) around 0."""
    at = np.arange(n * n_steps * n_features).reshape(n, n_steps, n_features)
    return np.sin(at * 0.7) + 0.5 * np.cos(at**1.3)


def gappy(n=N) -> np.ndarray:
    X = windows(n)
    X[3, 2, 1] = X[9, 5, 1] = np.nan
    X[5, :2] = np.nan  # a shorter window
    return X


def ragged(n=12) -> list[np.ndarray]:
    return [windows(n)[i, : 3 + i % 4] for i in range(n)]


def table(n=160, index=None) -> pd.DataFrame:
    """Two series with a season of 24 rows, and a column c that moves both."""
    at = np.arange(n)
    c = np.cos(at * 0.37)
    a = 10 + 2 * np.sin(at * 2 * np.pi / 24) + 0.3 * np.sin(at**1.7) + 0.5 * c
    b = 0.05 * at + np.cos(at * 2 * np.pi / 24) + 0.2 * np.sin(at**1.6) - 0.5 * c
    index = pd.date_range("2024-01-01", periods=n, freq="h") if index is None else index
    return pd.DataFrame({"a": a, "b": b, "c": c}, index=index)


def walk(n=260) -> pd.DataFrame:
    """A series whose last value is the best forecast: the signs of its steps follow no rule."""
    digits = np.floor(np.modf(np.arange(1, n + 1) ** 1.5 * 1e3)[0] * 10)
    index = pd.date_range("2024-01-01", periods=n, freq="D")
    return pd.DataFrame({"a": 100 + np.cumsum(digits - 4.5)}, index=index)


def trading_days(n=60) -> pd.DataFrame:
    days = pd.bdate_range("2024-01-01", periods=n + 3)
    return table(n, days.delete([7, 20, 21]))


# ---------------------------------------------------------------------- models


def last(X) -> np.ndarray:
    return np.nan_to_num(X[:, -1, 0])


def steps(X) -> np.ndarray:
    return np.nan_to_num(X[:, -3:, 0])


def regressor(name, y=last, data=windows, **params):
    return lambda: getattr(tsrnn, name)(**TINY | params).fit(data(), y(data()))


def sequences(name, **params):
    """Fit to a target for each step."""
    return lambda: getattr(tsrnn, name)(return_sequences=True, **TINY | params).fit(windows(12), windows(12)[:, :, 0])


def ragged_sequences(name, **params):
    return lambda: getattr(tsrnn, name)(return_sequences=True, **TINY | params).fit(
        ragged(), [x[:, 0].cumsum() for x in ragged()]
    )


def named_features():
    X = pd.DataFrame(windows()[:, 0], columns=["load", "wind"])
    return tsrnn.GRURegressor(n_steps=1, **TINY).fit(X, X["load"] * 2)


def forecaster(name, data=table, only=("a",), **params):
    return lambda: getattr(tsrnn, name)(**SHORT | params).fit(data()[list(only)])


def plain(name, data=table, only=("a", "b"), **params):
    """Fit a forecaster that has no windows."""
    return lambda: getattr(tsrnn, name)(**params).fit(data()[list(only)])


def with_residuals():
    model = tsrnn.GRUForecaster(**SHORT).fit(table()[["a"]])
    model.predict_interval()
    return model


def updated():
    return tsrnn.SeasonalNaiveForecaster().fit(table()[["a"]].iloc[:-5]).update(table()[["a"]].iloc[-5:])


def gaps_at_the_end():
    data = table()[["a", "b"]]
    data.iloc[-3:, 0] = np.nan
    data.iloc[40:45, 1] = np.nan
    return tsrnn.NaiveForecaster().fit(data)


def constant_arima():
    return tsrnn.AutoARIMAForecaster().fit(pd.DataFrame({"a": 3.0}, table().index))


def zoned():
    return table(index=pd.date_range("2024-05-01", periods=160, freq="h", tz="Europe/Berlin"))


def periods():
    return table(index=pd.period_range("2010-01", periods=160, freq="M"))


def numbered():
    return table().rename(columns={"a": 0, "b": 1.5})


def holidays():
    offset = pd.offsets.CustomBusinessDay(holidays=["2024-01-01", "2024-05-01"])
    return table(index=pd.date_range("2023-12-28", periods=160, freq=offset))


MODELS: dict[str, Callable] = {
    "LSTMRegressor": regressor("LSTMRegressor"),
    "LSTMRegressor-unfitted": lambda: tsrnn.LSTMRegressor(units=(4, 2), dropout=0.1),
    "LSTMRegressor-warm-adam": regressor("LSTMRegressor", warm_start=True),
    "LSTMRegressor-warm-sgd": regressor("LSTMRegressor", warm_start=True, optimizer="sgd"),
    "LSTMRegressor-gaps": regressor("LSTMRegressor", steps, gappy),
    "LSTMRegressor-stopped": regressor("LSTMRegressor", early_stopping=True),
    "LSTMRegressor-gaussian": regressor("LSTMRegressor", steps, loss="gaussian"),
    "LSTMRegressor-tbptt": sequences("LSTMRegressor", tbptt_steps=2),
    "LSTMRegressor-ragged": ragged_sequences("LSTMRegressor"),
    "LSTMRegressor-ragged-tbptt": ragged_sequences("LSTMRegressor", tbptt_steps=2, warm_start=True),
    "LSTMRegressor-static": regressor("LSTMRegressor", static_features=(1,)),
    "LSTMRegressor-axes": regressor(
        "LSTMRegressor", units=(3, 3), bidirectional=True, merge_mode="sum", residual=True, segment=2
    ),
    "LSTMRegressor-deep": regressor(
        "LSTMRegressor", peephole=True, transition_depth=2, input_layers=(3,), output_layers=(2,), dilation=2
    ),
    "GRURegressor": regressor("GRURegressor", steps),
    "GRURegressor-partial": lambda: tsrnn.GRURegressor(**TINY).partial_fit(windows(), last(windows())),
    "GRURegressor-names": named_features,
    "GRURegressor-pinball": regressor("GRURegressor", steps, loss="pinball"),
    "GRURegressor-sequences": sequences("GRURegressor"),
    "GRURegressor-static-state": regressor("GRURegressor", static_features=(1,), static_to="state"),
    "SimpleRNNRegressor": regressor("SimpleRNNRegressor", loss="student_t"),
    "MinGRURegressor": regressor("MinGRURegressor"),
    "MinLSTMRegressor": regressor("MinLSTMRegressor"),
    "FeedForwardRegressor": regressor("FeedForwardRegressor", units=(3, 2)),
    "ConvRegressor": lambda: tsrnn.ConvRegressor(filters=2, epochs=1, random_state=0).fit(windows(), steps(windows())),
    "OutputRecurrentRegressor": regressor("OutputRecurrentRegressor", steps),
    "OutputRecurrentRegressor-sequences": sequences("OutputRecurrentRegressor", cell="gru"),
    "Seq2SeqRegressor": regressor("Seq2SeqRegressor", steps),
    "Seq2SeqRegressor-attention": regressor("Seq2SeqRegressor", steps, attention="additive", future_features=(1,)),
    "EchoStateRegressor": lambda: tsrnn.EchoStateRegressor(units=10, random_state=0).fit(gappy(), steps(gappy())),
    "EchoStateRegressor-sequences": lambda: tsrnn.EchoStateRegressor(
        units=10, washout=1, return_sequences=True, random_state=0
    ).fit(windows(12), windows(12)[:, :, 0]),
    "LSTMForecaster": forecaster("LSTMForecaster"),
    "LSTMForecaster-unfitted": lambda: tsrnn.LSTMForecaster(target=["a", "b"], quantiles=(0.1, 0.5)),
    "LSTMForecaster-stopped": forecaster("LSTMForecaster", early_stopping=True),
    "LSTMForecaster-stopped-last-value": forecaster("LSTMForecaster", walk, early_stopping=True),
    "LSTMForecaster-without-refit": forecaster("LSTMForecaster", early_stopping=True, refit=False),
    "LSTMForecaster-members": forecaster("LSTMForecaster", n_members=2, linear=False),
    "LSTMForecaster-pinball": forecaster("LSTMForecaster", loss="pinball"),
    "LSTMForecaster-gaussian-together": forecaster(
        "LSTMForecaster", only=("a", "b"), target=["a", "b"], shared=False, loss="gaussian"
    ),
    "GRUForecaster-covariates": forecaster(
        "GRUForecaster", only=("a", "b", "c"), past_covariates=["b"], future_covariates=["c"]
    ),
    "GRUForecaster-recursive": forecaster("GRUForecaster", strategy="recursive", level=None),
    "GRUForecaster-residuals": with_residuals,
    "GRUForecaster-several": forecaster("GRUForecaster", zoned, ("a", "b"), target=None),
    "GRUForecaster-trading-days": forecaster("GRUForecaster", trading_days),
    "SimpleRNNForecaster": forecaster("SimpleRNNForecaster"),
    "MinGRUForecaster": forecaster("MinGRUForecaster"),
    "MinLSTMForecaster": forecaster("MinLSTMForecaster"),
    "FeedForwardForecaster": forecaster("FeedForwardForecaster"),
    "ConvForecaster": lambda: tsrnn.ConvForecaster(
        target="a", window=8, horizon=3, filters=2, epochs=1, random_state=0
    ).fit(table()[["a"]]),
    "OutputRecurrentForecaster": forecaster("OutputRecurrentForecaster"),
    "Seq2SeqForecaster": forecaster("Seq2SeqForecaster", only=("a", "c"), future_covariates=["c"]),
    "EchoStateForecaster": lambda: tsrnn.EchoStateForecaster(window=8, horizon=3, units=10, random_state=0).fit(
        table()[["a", "b"]]
    ),
    "RegressionForecaster": lambda: tsrnn.RegressionForecaster(
        tsrnn.EchoStateRegressor(units=10, random_state=0), window=8, horizon=3
    ).fit(table()[["a", "b"]]),
    "NaiveForecaster": plain("NaiveForecaster"),
    "NaiveForecaster-unfitted": lambda: tsrnn.NaiveForecaster(freq="h"),
    "NaiveForecaster-gaps": gaps_at_the_end,
    "NaiveForecaster-numbered": plain("NaiveForecaster", numbered, (0, 1.5)),
    "NaiveForecaster-series": lambda: tsrnn.NaiveForecaster().fit(table()[[]], table()["a"]),
    "NaiveForecaster-array": lambda: tsrnn.NaiveForecaster().fit(table()[[]], table()["a"].to_numpy()),
    "NaiveForecaster-trading-days": plain("NaiveForecaster", trading_days),
    "NaiveForecaster-holidays": plain("NaiveForecaster", holidays),
    "SeasonalNaiveForecaster": plain("SeasonalNaiveForecaster", zoned),
    "SeasonalNaiveForecaster-updated": updated,
    "SeasonalNaiveForecaster-periods": plain("SeasonalNaiveForecaster", periods),
    "DriftForecaster": plain("DriftForecaster"),
    "MeanForecaster": plain("MeanForecaster"),
    "MeanForecaster-window": plain("MeanForecaster", window=20),
    "MeanForecaster-zero": plain("MeanForecaster", value=0.0),
    "RidgeForecaster": lambda: tsrnn.RidgeForecaster(window=8, horizon=3).fit(table()[["a", "b"]]),
    "RidgeForecaster-stopped": lambda: tsrnn.RidgeForecaster(window=8, horizon=3).fit(walk()),
    "ARIMAForecaster": plain("ARIMAForecaster", order=(1, 1, 1)),
    "ARIMAForecaster-covariate": plain(
        "ARIMAForecaster",
        only=("a", "b", "c"),
        target=["a", "b"],
        order=(1, 0, 1),
        trend="c",
        harmonics=2,
        future_covariates=["c"],
    ),
    "ARIMAForecaster-seasonal": plain("ARIMAForecaster", periods, order=(1, 0, 0), seasonal_order=(1, 1, 0, 12)),
    "AutoARIMAForecaster": plain("AutoARIMAForecaster"),
    "AutoARIMAForecaster-constant": constant_arima,
}


# ---------------------------------------------------------------------- questions


def answers(model) -> dict:
    """Ask a model what it is to answer for ever; numbers and times as JSON holds them."""
    if not any(name.endswith("_") for name in vars(model)):
        return {}  # it is not fitted
    found = of_regressor(model) if type(model).__name__.endswith("Regressor") else of_forecaster(model)
    return {name: to_json(value) for name, value in found.items()}


def of_regressor(model) -> dict:
    if hasattr(model, "feature_names_in_"):
        return {"predict": model.predict(pd.DataFrame(windows(4)[:, 1], columns=model.feature_names_in_))}
    X = windows(8)[2:6]
    found = {"predict": model.predict(X), "n_parameters": model.n_parameters_}
    if getattr(model, "_loss", None) in ("gaussian", "student_t", "pinball"):
        found["predict_quantiles"] = model.predict_quantiles(X, [0.1, 0.5, 0.9])
    if hasattr(model, "state_"):
        found["stream"] = model.stream(state="fitted").update(windows(12)[:, 0])
    return found


def of_forecaster(model) -> dict:
    found = {}
    # Past covariates are not known beyond the horizon, and windows read future ones of whole horizons.
    ahead = 3 if model.past_ or (model.future_ and hasattr(model, "window_")) else 5
    if model.future_:
        index = model.grid_.future(model.data_.index[-1], ahead)
        ahead = pd.DataFrame({"c": np.cos(np.arange(160, 160 + ahead) * 0.37)}, index=index)
    found["predict"] = model.predict(ahead)
    if measures(model):
        found["predict_interval"] = model.predict_interval(3 if isinstance(ahead, int) else ahead.iloc[:3])
    found["fitted"] = model.predict(model.data_.iloc[-4:])
    if hasattr(model, "n_parameters_"):
        found["n_parameters"] = model.n_parameters_
    return found


def measures(model) -> bool:
    """Say whether the file tells how wide intervals are. Else a copy is trained for it, as that version trains."""
    trained = hasattr(model, "regressor_")
    held = getattr(model, "stopped_", None) is not None or getattr(model, "beats_last_value_", None) is not None
    learnt = getattr(model, "loss", None) in ("pinball", "gaussian")
    return not trained or held or learnt or hasattr(model, "residuals_")


def to_json(value):
    """Return numbers as lists, and a table as its columns, with times where the index has them."""
    if isinstance(value, pd.Series):
        value = value.to_frame()
    if isinstance(value, pd.DataFrame):
        return {
            "index": [str(stamp) for stamp in value.index],
            "columns": [str(name) for name in value.columns],
            "values": value.to_numpy().tolist(),
        }
    return np.asarray(value).tolist()


def write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    expected = {}
    for name, build in MODELS.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", CapacityWarning)
            model = build()
            model.save(folder / f"{name}.tsrnn")
            expected[name] = {"class": type(model).__name__} | answers(model)
    lines = [f"{json.dumps(name)}: {json.dumps(answer)}" for name, answer in expected.items()]
    (folder / "expected.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
