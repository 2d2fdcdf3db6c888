"""What the demonstration says of its numbers."""

from __future__ import annotations

import pandas as pd
import pytest

from tsrnn.terminal.demo import worth_it


class Told:
    """A comparison whose verdicts are known."""

    def __init__(self, against):
        self.against = against

    def leaderboard(self):
        return pd.DataFrame({"model": ["gru", "lstm", "arima", "naive", "snaive"]})

    def verdict(self, model, against):
        return f"{model} is {self.against[against]} than {against}."


@pytest.mark.parametrize(
    ("arima", "naive", "answer"), [("better", "better", "Yes"), ("better", "worse", "No"), ("worse", "better", "No")]
)
def test_the_network_is_worth_it_only_if_it_beats_both(arima, naive, answer):
    text = worth_it(Told({"arima": arima, "naive": naive}))
    assert text == f"Is the neural network worth it? {answer}. gru is {arima} than arima. gru is {naive} than naive."
