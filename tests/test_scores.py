"""Metrics by model on tidy frames, against hand-computed cells."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tsrnn.exceptions import DataError
from tsrnn.metrics import USUAL
from tsrnn.scores import best_first, scales, score_blocks, score_models, units

TIDY = pd.DataFrame(
    {
        "cutoff": [0, 0, 1, 1] * 2,
        "step": [1, 1, 1, 1] * 2,
        "target": ["a", ("b", "c")] * 4,
        "model": ["naive"] * 4 + ["lstm"] * 4,
        "y_true": [10.0, 1.0, 10.0, 1.0] * 2,
        "y_pred": [12.0, 0.0, 8.0, 2.0, 11.0, 1.0, 10.0, 0.0],
    }
)
SCALE = {"a": 4.0, ("b", "c"): 0.5}


def test_metrics_of_several_targets_are_means_with_what_has_no_unit_first():
    table = score_models(TIDY, SCALE, "naive", USUAL).set_index("model")
    assert list(table.columns) == ["MASE", "skill", "sMAPE", "MAE", "RMSE"]
    assert table["MAE"].tolist() == [1.5, 0.5] and table["MASE"].tolist() == [(0.5 + 2) / 2, (0.125 + 1) / 2]
    assert table["skill"].tolist() == [0.0, (0.75 + 0.5) / 2]


def test_of_one_target_the_table_leads_with_the_error_in_its_unit():
    table = score_models(TIDY[TIDY["target"] == "a"], {"a": 4.0}, "naive", USUAL)
    assert list(table.columns) == ["model", "MAE", "RMSE", "sMAPE", "MASE", "skill"]
    assert table["RMSE"].tolist() == [2.0, pytest.approx(np.sqrt(0.5))]


def test_blocks_have_their_value_first_and_are_sorted_within():
    table = best_first(score_blocks(TIDY, "target", SCALE, "naive", USUAL), "MAE", USUAL)
    assert table.columns[0] == "target" and "_block" not in table
    assert table["target"].tolist() == ["a", "a", ("b", "c"), ("b", "c")]
    assert table["model"].tolist() == ["lstm", "naive", "lstm", "naive"]
    by_cutoff = best_first(score_blocks(TIDY, "cutoff", SCALE, "naive", USUAL), "skill", USUAL)
    assert by_cutoff["cutoff"].tolist() == [0, 0, 1, 1] and by_cutoff["model"].tolist()[:2] == ["lstm", "naive"]
    with pytest.raises(DataError, match="sort='_block' is not one of 'target', 'model'"):
        best_first(score_blocks(TIDY, "target", SCALE, "naive", USUAL), "_block", USUAL)


def test_a_reference_without_error_leaves_no_skill():
    perfect = TIDY.assign(y_pred=TIDY["y_pred"].where(TIDY["model"] == "lstm", TIDY["y_true"]))
    assert score_models(perfect, SCALE, "naive", USUAL)["skill"].isna().all()


def test_scales_and_units():
    train = pd.DataFrame({"season": [1.0, 2, 1, 2], "moves": [0.0, 1, 3, 2], "still": 7.0, "nothing": 0.0})
    scale = scales(train, 2)
    assert scale["moves"] == 2.0 and all(np.isnan(scale[name]) for name in ("season", "still", "nothing"))
    assert units(train, scale) == {"season": 1.0, "moves": 2.0, "still": 7.0, "nothing": 1.0}
