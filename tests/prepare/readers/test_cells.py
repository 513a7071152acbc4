"""Text cells become values by one rule: numbers in every common style, truth, missing, text."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.core.errors import DataError
from unrolled.prepare.readers import numbers
from unrolled.prepare.readers.cells import Cells
from unrolled.prepare.readers.numbers import Mark
from unrolled.prepare.readers.options import ReadOptions


def read(cells: list[str], decimal: Mark | None = None, categorical: tuple[str, ...] = ()) -> list[object]:
    """Values of a column, missing ones as None."""
    column = Cells("x.csv", ReadOptions(decimal=decimal, categorical=categorical), 2).column("Close", cells)
    return [None if value is None or value != value else value for value in column.tolist()]


@pytest.mark.parametrize(
    ("cells", "decimal", "expected"),
    [
        (["1", "-2.5", "+.5", "3.", "1e3", "1E-2", " 7 "], None, [1, -2.5, 0.5, 3, 1000, 0.01, 7]),
        (["1,234.5", "12", "-1,234,567"], None, [1234.5, 12, -1234567]),
        (["1,234", "2,000"], None, [1234, 2000]),
        (["1,234", "2,000"], ",", [1.234, 2.0]),
        (["1.234,5", "12", "0,25"], None, [1234.5, 12, 0.25]),
        (["1.234", "12"], ",", [1234, 12]),
        (["12.5", "3.25"], ",", [12.5, 3.25]),
        (["1 234,5", "1\u00a0234", "2"], None, [1234.5, 1234, 2]),
        (["1'234.50", "9"], None, [1234.5, 9]),
        (["inf", "-Infinity", "2"], None, [math.inf, -math.inf, 2]),
        (["1e400", "-1e400"], None, [math.inf, -math.inf]),
        (["true", "False", "TRUE", ""], None, [1, 0, 1, None]),
        (["", "NA", "n/a", "NaN", "null", "None", "-", "?", "1"], None, [None] * 8 + [1]),
        (["", "NA"], None, [None, None]),
        (["up", "down", "?"], None, ["up", "down", None]),
        (["a", "b", "1"], None, ["a", "b", "1"]),
        (["1_0", "2_0"], None, ["1_0", "2_0"]),
        (["１", "２"], None, ["１", "２"]),
        (["1,23,4", "a"], None, ["1,23,4", "a"]),
    ],
)
def test_a_column_has_one_meaning(cells: list[str], decimal: Mark | None, expected: list[object]) -> None:
    assert read(cells, decimal) == expected


def test_all_missing_is_a_column_of_numbers() -> None:
    assert Cells("x", ReadOptions()).column("a", ["", "NA"]).dtype == np.float64


def test_a_category_is_never_a_number() -> None:
    assert read(["1", "02", "", "2024-01-01"], categorical=("Close",)) == ["1", "02", None, "2024-01-01"]


@pytest.mark.parametrize(
    ("cells", "row", "bad", "kind"),
    [
        (["1", "2", "09:30", "4"], 4, "09:30", "a number"),
        (["1.5", "2.5", "n.v.", "", "4"], 4, "n.v.", "a number"),
        (["1,234", "2,345", "3.4.5"], 4, "3.4.5", "a number"),
        (["2024-01-01", "2024-01-02", "soon"], 4, "soon", "a time stamp"),
        (["2024-01-01", "2024-02-30", "2024-01-02"], 3, "2024-02-30", "a time stamp"),
        (["x" * 100, "1", "2"], 2, "x" * 37 + "...", "a number"),
    ],
)
def test_a_few_bad_cells_are_an_error_that_names_the_first(cells: list[str], row: int, bad: str, kind: str) -> None:
    with pytest.raises(DataError) as caught:
        read(cells)
    assert caught.value.where == f"x.csv, row {row}, column 'Close'"
    assert caught.value.what.startswith(f"'{bad}' is not {kind}")
    assert "categorical" in caught.value.mend


def test_many_different_texts_are_text_whatever_follows() -> None:
    cells = [f"text {at}" for at in range(2000)]
    assert read([*cells, "1"]) == [*cells, "1"]


def test_half_text_is_text() -> None:
    assert read(["1", "2", "a", "b"]) == ["1", "2", "a", "b"]


def test_styles_are_told_once_for_all_columns() -> None:
    cells = Cells("x.csv", ReadOptions())
    for name in ("Open", "Close"):
        cells.column(name, ["1,234.5", "17"])
    cells.column("Volume", ["1,234", "2,345"])
    cells.column("Plain", ["1", "2.5"])
    style, ambiguous = cells.notes()
    assert style.code == "number_style" and "'Open', 'Close'" in style.en and "1234.5" in style.en
    assert (
        ambiguous.code == "number_ambiguous"
        and ambiguous.level == "warning"
        and "1,234 was read as 1234" in ambiguous.en
    )


def test_a_proven_decimal_mark_leaves_no_doubt() -> None:
    cells = Cells("x.csv", ReadOptions(), decimal=".", proven=True)
    cells.column("Volume", ["1,234", "2,345"])
    assert [note.code for note in cells.notes()] == ["number_style"]


@pytest.mark.parametrize(
    ("cells", "mark"),
    [
        (["12.5"], "."),
        (["12,5"], ","),
        (["1,234.5"], "."),
        (["1.234,5"], ","),
        (["0,123"], ","),
        (["1234,567"], ","),
        (["1,234"], None),
        (["12", "abc", ",", "."], None),
        (["12.5", "12,5"], None),
        (["01.02.2024", "1,234,567"], None),
    ],
)
def test_what_proves_a_decimal_mark(cells: list[str], mark: str | None) -> None:
    assert numbers.decimal_mark(cells) == mark


@given(st.lists(st.floats(allow_nan=False), min_size=1))
def test_any_float_comes_back_exactly(values: list[float]) -> None:
    assert read([repr(value) for value in values]) == values


@given(
    st.lists(st.integers(-(10**12), 10**12), min_size=1),
    st.sampled_from([(",", "."), (".", ","), (" ", ","), ("'", ".")]),
)
def test_groups_of_thousands_come_back(values: list[int], marks: tuple[str, Mark]) -> None:
    group, decimal = marks
    written = [f"{value:,}".replace(",", group) + f"{decimal}25" for value in values]
    assert read(written) == [float(f"{value}.25") for value in values]


@given(st.lists(st.text(st.characters(codec="ascii", categories=["L", "N", "P", "Z", "S"]), max_size=8), min_size=1))
def test_the_fast_way_and_the_careful_way_agree(cells: list[str]) -> None:
    plain = numbers.plain(cells, ".")
    if plain is not None:
        distinct = list(dict.fromkeys(cells))
        codes = np.array([distinct.index(cell) for cell in cells])
        np.testing.assert_array_equal(Cells("x", ReadOptions()).coded("a", codes, distinct), plain)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["$1,234.50", "-$0.10", "$7"], [1234.5, -0.1, 7]),
        (["12.5%", "-3 %", "+1e1%"], [12.5, -3, 10]),
        (["1.234,50 €", "7,5 €"], [1234.5, 7.5]),
        (["¥1.5", "￥2"], None),
        (["5%", "0.05"], None),
        (["1%%", "2%%"], None),
        (["%", "%"], None),
    ],
)
def test_a_sign_that_all_cells_carry_is_passed_over(cells: list[str], expected: list[float] | None) -> None:
    good = numbers.parse(cells, ".").good
    assert good.all() == (expected is not None)
    if expected is not None:
        assert numbers.parse(cells, ".").values.tolist() == expected


def test_a_sign_is_told_as_it_is_written() -> None:
    reader = Cells("prices.csv", ReadOptions(), proven=True)
    assert reader.column("Close", ["", "$5.00", "$1,000.25"]).tolist()[1:] == [5, 1000.25]
    (note,) = reader.notes()
    assert note.code == "number_style" and "$5.00 was read as 5.0" in note.en


def test_many_different_numbers_with_a_sign_are_no_text() -> None:
    cells = [f"{row / 100}%" for row in range(3000)]
    assert read(cells) == [row / 100 for row in range(3000)]
