"""Messages of the library in words of the terminal: no Python reaches who types flags."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tsrnn.terminal.advice import for_the_terminal

PACKAGE = Path(__file__).parent.parent / "tsrnn"
#: What the commands call; the rest of the library is out of their reach.
REACHED = ["frames/*", "forecasters/*", "backtest", "comparison", "splits", "windows", "metrics", "plots", "datasets"]


def raised(path):
    """Yield the message of each error and warning in a module, 7 for what it fills in."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name.endswith(("Error", "Warning", "warn")) and (text := written(node.args[0])):
            yield " ".join(text.split())


def written(node):
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(written(part) if isinstance(part, ast.Constant) else "7" for part in node.values)
    return ""


MESSAGES = sorted({text for kind in REACHED for path in PACKAGE.glob(f"{kind}.py") for text in raised(path)})


def test_messages_are_found():
    assert len(MESSAGES) > 60 and any("df." in text for text in MESSAGES)


@pytest.mark.parametrize("message", MESSAGES)
def test_no_python_is_advised_in_the_terminal(message):
    text = for_the_terminal(message)
    _, *advice = re.split(r"(?<=[.!?]) (?=[A-Z])", text)
    assert text and not re.search(r"\bdf\b|\bpd\.|\bnp\.|=None|\b[Pp]ass \w+=|set_output|\bfreq=|n_windows", text)
    assert not any(re.search(r"\w+\(|\w=\S", sentence) for sentence in advice)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("X is not sorted by time. Use df.sort_index().", "the data are not sorted by time. Say --sort."),
        ("Pass freq='D' or freq='B'.", "Give --freq D or --freq B."),
        (
            "500 windows of horizon=3 need 99 rows. Lower n_windows, pass more history, or pass season_length=1.",
            "500 windows of --horizon 3 need 99 rows. Lower --windows, give more history, or give --season 1.",
        ),
        ("covariate 'a' is missing. Fill it first, e.g. df.ffill().", "covariate 'a' is missing. Fill it first."),
        ("it has gaps. Fit with missing_indicator=True to allow them, or fill the gap.", "it has gaps. Fill the gap."),
        ("a NaiveForecaster stands in the way", "a naive stands in the way"),
        ("x has duplicated rows. Call fit(df[[]], df['temp']).", "x has duplicated rows."),
        ("time 2024-01-01 10:00=bad", "time 2024-01-01 10:00=bad"),
    ],
)
def test_flags_stand_where_there_is_one_and_python_goes(message, text):
    assert for_the_terminal(message) == text
