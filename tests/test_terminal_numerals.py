"""Cells that are numbers: what was written is what is read, in every way to write it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsrnn.terminal.layout import Layout
from tsrnn.terminal.numerals import to_numbers

FINITE = st.floats(allow_nan=False, allow_infinity=False)
WAYS = [(".", ""), (".", ","), (".", "'"), (".", "space"), (",", ""), (",", "."), (",", "'"), (",", "space")]


@given(st.lists(FINITE, min_size=1, max_size=20))
def test_numbers_are_read_to_the_last_bit(numbers):
    values, bad = to_numbers([repr(number) for number in numbers], Layout())
    assert not bad.any()
    np.testing.assert_array_equal(values, numbers)


@pytest.mark.parametrize(("point", "thousands"), WAYS)
@given(st.lists(st.decimals(-(10**9), 10**9, places=3), min_size=1, max_size=20))
def test_numbers_are_read_in_every_way_to_write_them(point, thousands, numbers):
    signs = {",": {"space": "\u202f"}.get(thousands, thousands), ".": point}
    cells = [f"{number:,.3f}".translate({ord(sign): new for sign, new in signs.items()}) for number in numbers]
    values, bad = to_numbers(cells, Layout(decimal=point, thousands=thousands or None))
    assert not bad.any()
    np.testing.assert_array_equal(values, [float(number) for number in numbers])


@given(st.text(max_size=12))
def test_a_cell_is_missing_or_a_finite_number_or_bad(cell):
    layout = Layout()
    (value,), (bad,) = to_numbers([cell.strip()], layout)
    missing = cell.strip() in layout.markers
    assert (missing and math.isnan(value) and not bad) or bad == (not math.isfinite(value))
    if not bad and not missing:
        assert value == float(cell.strip().replace("\u2212", "-"))


@pytest.mark.parametrize(
    "cell",
    ["1_000", "0x10", "inf", "-Infinity", "1e999", "1,5", "1 5", "1.5.2", "--5", "5-", "٣", "½", "1e", "e5", "True"],
)
def test_what_only_looks_like_a_number_is_none(cell):
    assert to_numbers([cell, "1"], Layout())[1].tolist() == [True, False]
    assert to_numbers([cell, "1"], Layout(thousands="'"))[1].tolist() == [True, False]


@pytest.mark.parametrize(("cell", "number"), [("+5", 5), (".5", 0.5), ("5.", 5), ("1E3", 1000), ("\u22125", -5)])
def test_numbers_are_read_as_people_write_them(cell, number):
    assert to_numbers([cell], Layout())[0].tolist() == [number]


@pytest.mark.parametrize("marker", ["-999", "-999.0", "-999.00", "\u2212999"])
def test_a_number_that_means_missing_does_so_however_it_is_written(marker):
    values, bad = to_numbers([marker, "-999.5", "1"], Layout(missing=["-999"]))
    assert np.isnan(values).tolist() == [True, False, False] and not bad.any()


def test_signs_are_left_out_around_numbers_only():
    values, bad = to_numbers(["$ 5", "5 $", "$5.5$", "5$5"], Layout(strip="$"))
    assert values[:3].tolist() == [5, 5, 5.5] and bad.tolist() == [False, False, False, True]
