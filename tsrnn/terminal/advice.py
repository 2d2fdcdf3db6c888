"""The library's words in those of the terminal: flags for parameters, and no advice to write Python. Imports models."""

from __future__ import annotations

import re
import shlex
from functools import partial

from .models import MODELS

__all__ = ["for_the_terminal"]

#: Parameters of the library -> flags.
FLAGS = {
    "n_windows": "--windows",
    "horizon": "--horizon",
    "step": "--step",
    "season_length": "--season",
    "freq": "--freq",
    "coverage": "--coverage",
    "target": "--target",
    "epochs": "--epochs",
    "random_state": "--seed",
    "refit": "--refit",
}
PLURAL = {"has": "have", "is": "are", "holds": "hold"}
#: What the library does in Python and the terminal with a flag.
DONE_BY_FLAGS = (
    (r"\b(?:Use )?df\.sort_index\(\)", "say --sort"),
    (r"df\[~df\.index\.duplicated\(\)\]", "--duplicates first"),
    (r"df\.groupby\(level=0\)\.mean\(\)", "--duplicates mean"),
    (r"df\.resample\('(\w+)'\)\.mean\(\)", r"--resample \1"),
    (r"df\.asfreq\(\)", "--resample"),
    (r"[Uu]se (?:df\.)?tz_localize(?:\(\))?", "say --tz"),
)
#: What only Python can do: a sentence that says so is left out, unless it is the first, which says what is wrong.
PYTHON = re.compile(
    r"\w\(|\)\.|\b(?:df|pd|np)\b[.\[]|\b\w+=|\.\w+_\b|\bset_output\b|\bNone\b|\bTrue\b|\bFalse\b|\b[a-z]+_[a-z_]+\b"
)
CLASSES = {row.name: key for key, (row, _) in MODELS.items()}


def for_the_terminal(message: str) -> str:
    """Return a message of the library for someone who types flags.

    Parameters become flags where there is one, and words where there is none; classes become the names of models;
    sentences of advice that need Python are left out.

    Examples
    --------
    >>> for_the_terminal("df is not sorted by time. Use df.sort_index().")
    'the data are not sorted by time. Say --sort.'
    >>> for_the_terminal("history has 5 rows, but window=24 needs 24. Pass more history, or refit=False.")
    'history has 5 rows, but window 24 needs 24. Give more history.'
    """
    text = " ".join(message.split())
    for pattern, flag in DONE_BY_FLAGS:
        text = re.sub(pattern, flag, text)
    text = re.sub(r"\b(?:df|X) (has|is|must|holds)\b", r"the data \1", text)
    text = re.sub(r"the data (has|is|holds)\b", lambda m: f"the data {PLURAL[m[1]]}", text)
    for name, flag in FLAGS.items():
        text = re.sub(rf"\b(?<!-){name}=(True\b)?('[^']*'|[\w.+-]*\w)?", partial(with_value, flag), text)
    text = re.sub(r"(?<![(\w])n_windows\b", "--windows", text)
    text = re.sub(rf"\b({'|'.join(CLASSES)})\b(?!\()", lambda m: CLASSES[m[1]], text)
    first, *others = re.split(r"(?<=[.!?]) (?=[A-Z])", text)
    words = " ".join([plain(first), *filter(None, map(without_python, others))])
    words = re.sub(r"\b([Pp])ass(?= )", lambda m: "Give" if m[1] == "P" else "give", words)
    return re.sub(r"(?<=[.] )say\b", "Say", words)


def without_python(sentence: str) -> str:
    """Return what a sentence of advice says without Python: the alternatives that have none, "" where all have some."""
    sentence = re.sub(r" \([^()]*\w\([^()]*\)[^()]*\)", "", sentence)  # an example in brackets
    clauses = re.split(r", (?:e\.g\. |or )?", sentence.rstrip("."))
    if not PYTHON.search(sentence):
        return sentence
    kept = [clause for clause in clauses if not PYTHON.search(clause)]
    text = ", or ".join(kept)
    return f"{text[:1].upper()}{text[1:]}." if kept else ""


def with_value(flag: str, found: re.Match) -> str:
    """A flag, with its value as it is typed."""
    return flag if not found[2] else f"{flag} {shlex.quote(found[2].strip(chr(39)))}"


def plain(sentence: str) -> str:
    """Write name=value as words."""
    return re.sub(r"\b([A-Za-z_]+)=(?=\S)", lambda m: m[1].replace("_", " ").strip() + " ", sentence)
