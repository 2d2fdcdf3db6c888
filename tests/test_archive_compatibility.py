"""Files that were written stay readable: those of each version load, and answer as they did then."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from write_archives import MODELS, answers

from tsrnn import load
from tsrnn._archive import ESTIMATORS

DATA = Path(__file__).parent / "data"
FILES = sorted(DATA.glob("archives_*/*.tsrnn"))
#: Relative to the largest number: float32 on another processor.
TOLERANCE = 1e-4
#: Answers of version 0.1.0 that were wrong, and the first rows that were right: future covariates that nobody gave were
#: made up, and intervals did not count the missing values at the end of the history.
WRONG = {
    "GRUForecaster-covariates": {"fitted": 0},
    "Seq2SeqForecaster": {"predict": 3, "fitted": 0},
    "NaiveForecaster-gaps": {"predict_interval": 0},
}


def expected_of(path: Path) -> dict:
    return json.loads((path.parent / "expected.json").read_text())[path.stem]


def assert_answers(got, expected) -> None:
    """Assert that numbers are close and all else is equal; answers that are not expected do not matter."""
    if isinstance(expected, dict):
        for name, value in expected.items():
            assert_answers(got[name], value)
    elif isinstance(expected, list) and expected and isinstance(expected[0], str):
        assert got == expected
    else:
        wanted = np.asarray(expected, dtype=float)
        scale = np.abs(wanted).max(initial=0.0, where=np.isfinite(wanted))
        np.testing.assert_allclose(np.asarray(got, dtype=float), wanted, rtol=TOLERANCE, atol=TOLERANCE * scale)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name[9:]}-{path.stem}")
def test_a_file_of_an_earlier_version_answers_as_it_did(path, tmp_path):
    expected = expected_of(path)
    for answer, n_right in WRONG.get(path.stem, {}).items() if path.parent.name == "archives_0.1.0" else ():
        right = {part: expected[answer][part][:n_right] for part in ("index", "values")}
        expected |= {answer: expected[answer] | right} if n_right else {answer: {}}
    model = load(path)
    assert type(model).__name__ == expected.pop("class")
    assert_answers(answers(model), expected)
    # What this version adds to a model that it has read, it can read as well.
    model.save(tmp_path / "again")
    assert_answers(answers(load(tmp_path / "again")), expected)


def test_there_is_a_file_of_each_class_that_version_0_1_0_saved():
    classes = {expected_of(path)["class"] for path in FILES if path.parent.name == "archives_0.1.0"}
    assert len(classes) == 26
    assert classes <= set(ESTIMATORS)


def test_the_next_version_will_write_a_file_of_each_class():
    assert {name.partition("-")[0] for name in MODELS} == set(ESTIMATORS)


NEW = [name for name in MODELS if not any(path.stem == name for path in FILES)]


@pytest.mark.parametrize("name", NEW)
def test_what_no_version_has_written_yet_comes_back_and_answers_the_same(name, tmp_path):
    model = MODELS[name]()
    model.save(tmp_path / "m")
    assert_answers(answers(load(tmp_path / "m")), json.loads(json.dumps(answers(model))))
