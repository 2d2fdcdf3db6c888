"""The names that models have in the terminal. The forecasters are imported when one is made."""

from __future__ import annotations

import difflib
import importlib

from .usage import UsageError

__all__ = ["MODELS", "check_choice", "make_model", "model_names"]

# Name on the command line -> module of tsrnn.forecasters, class, what it is.
MODELS = {
    "lstm": ("recurrent", "LSTMForecaster", "long short-term memory network"),
    "gru": ("recurrent", "GRUForecaster", "gated recurrent unit network"),
    "rnn": ("recurrent", "SimpleRNNForecaster", "Elman network"),
    "min_gru": ("minimal", "MinGRUForecaster", "minimal gated recurrent unit network"),
    "min_lstm": ("minimal", "MinLSTMForecaster", "minimal long short-term memory network"),
    "output_recurrent": ("feedback", "OutputRecurrentForecaster", "recurrent network that reads its own forecasts"),
    "seq2seq": ("feedback", "Seq2SeqForecaster", "encoder and decoder"),
    "echo_state": ("echo_state", "EchoStateForecaster", "random reservoir with a ridge readout"),
    "feed_forward": ("controls", "FeedForwardForecaster", "dense layers"),
    "conv": ("controls", "ConvForecaster", "temporal convolutional network"),
    "arima": ("statistical", "AutoARIMAForecaster", "ARIMA, its orders searched"),
    "naive": ("naive", "NaiveForecaster", "repeats the last value"),
    "snaive": ("naive", "SeasonalNaiveForecaster", "repeats the last season"),
    "drift": ("naive", "DriftForecaster", "goes on along the line from first to last value"),
    "mean": ("mean", "MeanForecaster", "the mean of all values"),
    "zero": ("mean", "MeanForecaster", "always zero"),
    "ridge": ("ridge", "RidgeForecaster", "ridge regression of whole windows, the linear part of the networks"),
}


def model_names(text: str) -> list[str]:
    """Split a comma-separated list of models and check each."""
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise UsageError(f"--models names no model. Choose from {', '.join(MODELS)}.")
    for name in names:
        check_choice(name, list(MODELS), "model")
    return names


def check_choice(name: str, choices: list[str], what: str) -> None:
    """Raise `UsageError`, with the nearest choice, unless the name is one."""
    if name not in choices:
        begun = [choice for choice in choices if name and choice.startswith(name)]
        near = begun or difflib.get_close_matches(name, choices, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise UsageError(f"no {what} {name!r}.{hint} Choose from {', '.join(choices)}.")


def make_model(name: str, seed: int, epochs: int | None, freq: str | None = None):
    """Return an unfitted forecaster of the registry."""
    check_choice(name, list(MODELS), "model")
    module, cls, _ = MODELS[name]
    forecaster = getattr(importlib.import_module(f"..forecasters.{module}", __package__), cls)
    given: dict = {"random_state": seed, "freq": freq} | ({} if epochs is None else {"epochs": epochs})
    given |= {"value": 0.0} if name == "zero" else {}
    taken = forecaster().get_params(deep=False)
    return forecaster(**{key: value for key, value in given.items() if key in taken})
