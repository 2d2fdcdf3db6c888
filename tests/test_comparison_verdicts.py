"""What a comparison says in words: verdicts, predictability, and what networks add."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from comparison_examples import hourly, ridge

from tsrnn.comparison import compare
from tsrnn.exceptions import DataError, SilentNetworkWarning
from tsrnn.forecasters.naive import DriftForecaster, NaiveForecaster
from tsrnn.forecasters.ridge import RidgeForecaster


def test_verdict_counts_origins_and_calls_chance_chance(result):
    rows = result.forecasts.dropna(subset="y_true")
    error = (rows["y_true"] - rows["y_pred"]).abs().groupby([rows["cutoff"], rows["model"]]).mean().unstack()
    wins = int((error["ridge"] < error["naive"]).sum())
    text = result.verdict("ridge", "naive")
    assert text.startswith("ridge is better than naive") and f"closer at {wins} of 8 origins" in text
    assert (text.outcome, text.wins, text.origins) == ("better", wins, 8)
    assert text.difference == pytest.approx(error["ridge"].mean() / error["naive"].mean() - 1)
    assert "worse" in result.verdict("naive", "ridge")
    assert result.verdict("ridge", "ridge").startswith("There is no clear difference")
    with pytest.raises(DataError, match="no model 'lstm'"):
        result.verdict("lstm", "naive")


def test_verdict_without_another_model_is_against_the_best_trivial_forecast(result):
    assert result.best_trivial == {"temp": "snaive"}
    wanted, found = result.verdict("ridge", "snaive"), result.verdict("ridge")
    assert "the season before (snaive), the best trivial forecast: " in found
    assert found.split(": ")[1] == wanted.split(": ")[1]


def test_a_model_that_beats_a_poor_trivial_forecast_only_is_told(result):
    text = result.verdict("snaive", "drift")
    assert text.startswith("snaive is better than drift") and "But" not in text
    noise = pd.DataFrame({"r": np.random.default_rng(0).normal(size=500)}, index=pd.date_range("2020", periods=500))
    returns = compare({"ridge": ridge()}, noise, target="r", horizon=1, n_windows=100)
    text = returns.verdict("ridge", "naive")
    best = returns.best_trivial["r"]
    assert text.startswith("ridge is better than naive") and best in ("zero", "mean")
    assert "But it is" in text and text.endswith(f"than {'the ' * (best == 'mean')}{best}, the best trivial forecast.")


def test_one_origin_proves_nothing():
    result = compare([ridge()], hourly(), target="temp", horizon=6, n_windows=1)
    assert "no clear difference" in result.verdict("regression", "naive")
    assert "no evidence" in result.predictability()


def test_a_random_walk_shows_no_evidence_of_predictability():
    steps = np.random.default_rng(3).normal(size=600)
    frame = pd.DataFrame({"price": steps.cumsum()}, index=pd.date_range("2020-01-01", periods=600, freq="D"))
    result = compare([ridge()], frame, target="price", horizon=3, n_windows=60)
    sentence = (
        "There is no evidence of predictability beyond the last value (naive), the best trivial forecast: no model has "
        "a clearly lower MAE."
    )
    assert result.predictability() == sentence
    assert repr(result).endswith(sentence) and sentence in result._repr_html_()


def test_models_clearly_better_than_the_best_trivial_forecast_are_named_of_how_many():
    rng = np.random.default_rng(0)
    wave = 10 + 3 * np.sin(np.arange(600) * 2 * np.pi / 5) + rng.normal(size=600)  # no period of a day's usual season
    frame = pd.DataFrame({"y": wave}, index=pd.date_range("2020-01-01", periods=600, freq="D"))
    models = {"drift": DriftForecaster(), "ridge": ridge(), "few": ridge().set_params(window=5)}
    result = compare(models, frame, target="y", horizon=1, n_windows=100)
    assert result.predictability() == (
        "Clearly better than the mean, the best trivial forecast: ridge and few (2 of 3 models, with Holm's correction "
        "for 3 models)."
    )


def test_the_best_trivial_forecast_may_differ_from_target_to_target():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"noise": rng.normal(size=600), "walk": rng.normal(size=600).cumsum()})
    frame.index = pd.date_range("2020-01-01", periods=600, freq="D")
    result = compare([DriftForecaster()], frame, target=None, horizon=1, n_windows=100)
    best = result.best_trivial
    assert best["noise"] in ("zero", "mean") and best["walk"] == "naive"
    words = f"the best trivial forecast of each target ({best['noise']} and naive)"
    assert words in result.predictability() and words in result.verdict("drift")
    # Neither of the two is as good as both.
    assert all(result.verdict(name).startswith(f"{name} is worse than") for name in ("naive", best["noise"]))


class Silent(NaiveForecaster):
    """Says that a share of its forecast comes from networks."""

    def __init__(self, share=0.0, fallback=None, target=None, freq=None):
        self.share = share
        self.fallback = fallback
        self.target = target
        self.freq = freq

    def _fit(self, values):
        super()._fit(values)
        warnings.warn("adds nothing", SilentNetworkWarning, stacklevel=2)
        self.network_share_, self.fallback_ = self.share, self.fallback


def test_what_networks_add_is_a_column_and_words():
    models = {"lstm": Silent(0.0), "gru": Silent(0.4), "rnn": Silent(0.4, "zero"), "ridge": RidgeForecaster(window=24)}
    result = compare(models, hourly(), target="temp", horizon=6, n_windows=8)
    table = result.leaderboard().set_index("model")
    assert table["network_share"][["lstm", "gru", "rnn"]].tolist() == [0.0, 0.4, 0.0]
    assert table["network_share"].isna().sum() == len(table) - 3
    said = result.networks()
    assert said.startswith(
        "The networks of lstm add nothing to speak of (0.0% of the movement of its forecasts); it is "
    )
    assert "40% of the movement of gru's forecasts comes from its networks; it is worse than ridge." in said
    assert said.endswith("rnn did not beat zero on its validation part, and forecasts zero.")
    assert repr(result).endswith(said)
    assert result.leaderboard(sort="network_share")["model"].iloc[0] == "gru"
    without = compare([DriftForecaster()], hourly(), target="temp", horizon=2, n_windows=2)
    assert without.networks() == "" and "network_share" not in without.leaderboard()
