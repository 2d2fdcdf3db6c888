"""Statements on differences of errors, held against tables worked out by hand and statsmodels."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from tsrnn.significance import mean_interval, one_sided_p
from tsrnn.verdicts import Errors, Verdict, listed, network_share, of_network


def errors(overlap=0, trivial=None, **columns):
    """Errors of one target, origin by origin."""
    n = len(next(iter(columns.values())))
    index = pd.MultiIndex.from_product([range(n), [0]])
    trivial = {"naive": "the last value", "zero": "zero"} if trivial is None else trivial
    return Errors(pd.DataFrame(columns, index), trivial, overlap)


def noisy(mean, seed, n=60, spread=0.5):
    return np.abs(mean + spread * np.random.default_rng(seed).normal(size=n))


def tidy(models, n=40, targets=("y",), seed=0):
    """Forecasts that miss by so much on average."""
    rng = np.random.default_rng(seed)
    rows = [
        {
            "cutoff": k,
            "ds": k + 1,
            "step": 1,
            "target": target,
            "model": model,
            "y_true": 0.0,
            "y_pred": miss[at] * rng.normal(),
        }
        for k in range(n)
        for at, target in enumerate(targets)
        for model, miss in models.items()
    ]
    return pd.DataFrame(rows)


def test_errors_are_means_over_steps_by_origin_and_target():
    forecasts = tidy({"a": (1.0, 2.0)}, n=3, targets=("x", "y"))
    forecasts = pd.concat([forecasts, forecasts.assign(step=2, y_pred=2 * forecasts["y_pred"])])
    forecasts.loc[forecasts["ds"] == 3, "y_true"] = np.nan
    table = Errors.of(forecasts, {"x": 2.0, "y": 4.0}, {}, 0).table
    first = forecasts[(forecasts["cutoff"] == 0) & (forecasts["target"] == "y")]["y_pred"].abs().mean() / 4
    assert table["a"][(0, 1)] == pytest.approx(first) and len(table) == 4


def test_the_best_trivial_forecast_is_that_of_the_smallest_error():
    found = errors(naive=[3.0, 3, 3], zero=[1.0, 2, 1], lstm=[0.5, 0.5, 0.5])
    assert found.best_trivial == {0: "zero"} and found.opponent_words() == "zero, the best trivial forecast"
    assert found.opponent().tolist() == [1.0, 2.0, 1.0]


def test_each_target_has_a_best_trivial_forecast_of_its_own():
    forecasts = tidy({"naive": (1.0, 9.0), "zero": (9.0, 1.0), "lstm": (1.5, 1.5)}, targets=(("a", 1), ("b", 2)))
    found = Errors.of(forecasts, {("a", 1): 1.0, ("b", 2): 1.0}, {"naive": "the last value", "zero": "zero"}, 0)
    assert found.best_trivial == {0: "naive", 1: "zero"}
    assert found.opponent_words() == "the best trivial forecast of each target (naive and zero)"
    assert found.verdict("lstm", "naive").startswith("lstm is better than naive")
    assert found.verdict("lstm", "naive").endswith(
        "But it is worse than the best trivial forecast of each target (naive and zero)."
    )


@pytest.mark.parametrize("seed", range(4))
def test_clearly_better_is_what_holm_leaves(seed):
    columns = {f"m{k}": noisy(1.0 - 0.05 * k, 10 * seed + k) for k in range(1, 8)}
    found = errors(naive=noisy(1.0, 99 + seed), trivial={"naive": "the last value"}, **columns)
    opponent = found.table["naive"]
    p = [one_sided_p((opponent - found.table[name]).to_numpy(), 0) for name in columns]
    kept = [name for name, reject in zip(columns, multipletests(p, 0.05, "holm")[0], strict=True) if reject]
    assert found.clearly_better(list(columns)) == kept
    assert 0 < len(kept) < sum(value < 0.05 for value in p) or len(kept) <= sum(value < 0.05 for value in p)


def test_one_good_look_of_many_is_not_clear():
    """A p-value of 3 % is clear for one model, and not for the best of seven."""
    gain = np.random.default_rng(5).normal(size=50)
    gain = gain - gain.mean() + 1.98 * gain.std() / np.sqrt(50)
    naive = np.full(50, 10.0)
    assert 0.02 < one_sided_p(gain, 0) < 0.04
    others = {f"m{k}": naive + gain.mean() - np.random.default_rng(k).permutation(gain) for k in range(6)}
    alone = errors(naive=naive, lucky=naive - gain)
    many = errors(naive=naive, lucky=naive - gain, **others)
    assert alone.predictability().startswith(
        "Clearly better than the last value (naive), the best trivial forecast: lucky"
    )
    assert many.predictability().startswith("There is no evidence of predictability")
    assert "none of 7 models has a clearly lower MAE, with Holm's correction for 7 models" in many.predictability()


def test_of_many_models_less_than_one_comparison_in_twenty_finds_one_where_there_is_none():
    rng = np.random.default_rng(0)
    found = 0
    for _ in range(120):
        columns = {f"m{k}": 5 + rng.normal(size=40) for k in range(6)}
        found += bool(
            errors(naive=5 + rng.normal(size=40), trivial={"naive": ""}, **columns).clearly_better(list(columns))
        )
    assert found / 120 < 0.1


def test_models_that_forecast_the_same_are_not_told_apart_by_rounding():
    naive = noisy(1.0, 0)
    found = errors(naive=naive, same=naive * (1 - 1e-7), shifted=naive - 3e-5)
    for name in ("same", "shifted"):
        assert "no clear difference" in found.verdict(
            name, "naive"
        ) and "MAE of " + name + " is the same" in found.verdict(name, "naive")
    assert found.predictability().startswith("There is no evidence")
    assert "closer at 0 of 60 origins" in found.verdict("same", "naive")


def test_a_forecast_without_any_error_cannot_be_beaten():
    perfect = errors(naive=[0.0] * 5, other=[1.0, 2, 1, 2, 1])
    assert "other is worse than naive: the MAE of other is inf % higher" in perfect.verdict("other", "naive")
    assert "no clear difference" in errors(naive=[0.0] * 5, other=[0.0] * 5).verdict("other", "naive")


def test_a_constant_gain_is_clear_and_a_single_origin_is_not():
    assert errors(naive=[2.0, 2, 2, 2], drift=[1.0, 1, 1, 1]).verdict("drift", "naive").startswith("drift is better")
    assert "no clear difference" in errors(naive=[2.0], drift=[1.0]).verdict("drift", "naive")


def test_overlapping_forecasts_make_the_test_stricter():
    walk = np.convolve(np.random.default_rng(2).normal(size=71), np.ones(12) / 12, "valid")
    gain = walk - walk.mean() + 2.5 * walk.std() / np.sqrt(60)
    apart, shared = (errors(overlap, naive=np.full(60, 5.0), lstm=5 - gain) for overlap in (0, 11))
    assert "is better" in apart.verdict("lstm", "naive") and "no clear difference" in shared.verdict("lstm", "naive")


def test_a_verdict_carries_the_facts_of_its_sentence():
    found = errors(naive=noisy(2.0, 0), lstm=noisy(1.0, 1), poor=noisy(3.0, 2))
    verdict = found.verdict("lstm", "naive")
    gain = (found.table["naive"] - found.table["lstm"]).to_numpy()
    level = found.table["naive"].mean()
    p = one_sided_p(gain, 0)
    assert isinstance(verdict, str) and (verdict.better, verdict.worse, verdict.tied) == (True, False, False)
    assert verdict.models == ("lstm", "naive") and verdict.p_value == 2 * min(p, 1 - p)
    assert verdict.difference == pytest.approx(-gain.mean() / level)
    assert verdict.interval == pytest.approx(tuple(-bound / level for bound in mean_interval(gain, 0)[::-1]))
    assert f"{-100 * verdict.difference:.1f} % lower" in verdict
    assert f"closer at {verdict.wins} of {verdict.origins} origins" in verdict and verdict.origins == 60
    assert found.verdict("poor", "naive").worse and found.verdict("poor", "naive").difference > 0
    assert found.verdict("lstm", "lstm").tied and found.verdict("lstm", "lstm").interval == (0.0, 0.0)


def test_a_verdict_without_another_model_names_the_best_trivial_forecasts():
    found = errors(naive=noisy(1.0, 0), zero=noisy(2.0, 1), lstm=noisy(0.4, 2))
    assert found.verdict("lstm", None).models == ("lstm", "naive")
    assert found.verdict("lstm", "zero").further is None


def test_a_second_sentence_has_facts_of_its_own():
    found = errors(naive=noisy(1.0, 0), zero=noisy(3.0, 1), lstm=noisy(1.0, 2))
    verdict = found.verdict("lstm", "zero")
    assert verdict.better and verdict.further.tied and verdict.further.models == ("lstm", "naive")
    assert verdict.endswith("But it is not clearly better than the last value (naive), the best trivial forecast.")


def test_facts_of_predictability_are_those_of_the_best_model():
    found = errors(naive=noisy(2.0, 0), fair=noisy(1.4, 1), good=noisy(1.0, 2), poor=noisy(3.0, 3))
    said = found.predictability()
    assert said.better and said.models == ("good", "fair")
    alone = found.verdict("good", "naive")
    assert (said.difference, said.wins, said.origins) == (alone.difference, alone.wins, alone.origins)
    none = errors(naive=noisy(1.0, 0), poor=noisy(3.0, 3)).predictability()
    assert not none.better and none.models == () and none.difference > 0 and none.p_value > 0.9


def test_a_verdict_on_nothing_has_no_facts():
    for said in (errors(a=[1.0, 2], trivial={}).predictability(), errors(naive=[1.0, 2]).predictability()):
        assert said.outcome is None and not (said.better or said.worse or said.tied)
        assert said.origins == 0 and np.isnan(said.difference) and np.isnan(said.p_value)
    with pytest.raises(TypeError, match="'winner' is no fact of a verdict: outcome, models"):
        Verdict("Nobody won.", winner=None)


def test_a_verdict_is_copied_and_pickled_with_its_facts():
    said = errors(naive=noisy(2.0, 0), lstm=noisy(1.0, 1)).verdict("lstm", "naive")
    for twin in (copy.deepcopy(said), pickle.loads(pickle.dumps(said))):
        assert type(twin) is Verdict and twin == said and twin.facts == said.facts


def test_without_trivial_forecasts_nothing_is_said_of_predictability():
    found = errors(a=[1.0, 2, 3], b=[1.0, 2, 2], trivial={})
    assert found.predictability().startswith("There is no trivial forecast in this comparison")
    assert "no clear difference" in found.verdict("a", "b")
    with pytest.raises(ValueError, match="no trivial forecast in this comparison. Name a model with against="):
        found.verdict("a", None)


class Network:
    """A fitted network that tells of itself."""

    def __init__(self, share, fallback=None):
        self.network_share_ = share
        self.fallback_ = fallback


def test_words_say_what_comes_from_the_networks():
    found = errors(naive=noisy(3.0, 0), ridge=noisy(1.0, 1), lstm=noisy(1.0, 1), gru=noisy(0.4, 2))
    assert of_network("lstm", Network(0.004), found, "ridge") == (
        "The networks of lstm add nothing to speak of (0.4% of the movement of its forecasts); it is not clearly "
        "better than ridge."
    )
    assert of_network("gru", Network(0.348), found, "ridge") == (
        "35% of the movement of gru's forecasts comes from its networks; it is better than ridge."
    )
    assert of_network("gru", Network(0.348), found, None).endswith("comes from its networks.")
    assert of_network("lstm", Network(0.3, "zero"), found, "ridge") == (
        "lstm did not beat zero on its validation part, and forecasts zero."
    )
    assert of_network("lstm", Network(0.3, "last value"), found, "ridge").endswith("and forecasts the last value.")
    assert of_network("naive", object(), found, "ridge") == of_network("old", Network(None), found, None) == ""


def test_a_network_that_is_not_used_has_no_share():
    assert network_share(Network(0.3)) == 0.3 and network_share(Network(0.3, "mean")) == 0.0
    assert np.isnan(network_share(object())) and np.isnan(network_share(Network(None)))


def test_lists_in_words():
    assert [listed("a"), listed("ab"), listed("abc")] == ["a", "a and b", "a, b and c"]
