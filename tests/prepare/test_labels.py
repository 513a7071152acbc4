from __future__ import annotations

from functools import partial
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.prepare.labels import encode, factorize, in_order, recoding, runs, split_labels
from unrolled.prepare.pages import pieces

_CELLS = st.lists(st.one_of(st.none(), st.sampled_from(["a", "b", "c", "10", "9"])), max_size=30)


@given(_CELLS)
def test_factorize_names_every_cell(cells: list[str | None]) -> None:
    codes, names = factorize(np.array([*cells, None], dtype=object)[:-1])
    assert [None if code < 0 else names[code] for code in codes] == cells
    assert names == list(dict.fromkeys(cell for cell in cells if cell is not None))


@given(st.lists(st.one_of(st.just(float("nan")), st.integers(-3, 3).map(float)), max_size=30))
def test_factorize_numbers(cells: list[float]) -> None:
    codes, names = factorize(np.array(cells, dtype=np.float64))
    read = [None if code < 0 else float(names[code]) for code in codes]
    assert read == [None if np.isnan(cell) else cell for cell in cells]


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@given(st.lists(st.integers(0, 2), max_size=30))
def test_runs_are_those_of_the_whole_however_it_is_read(size: int, cells: list[int]) -> None:
    column = np.array(cells, dtype=np.float32)
    with mock.patch("unrolled.prepare.labels.pieces", partial(pieces, size=size)):
        heads, codes, names = runs(column)
    expected = [at for at in range(len(cells)) if at == 0 or cells[at] != cells[at - 1]]
    assert heads.tolist() == expected and [names[code] for code in codes] == [str(cells[at]) for at in expected]


def test_whole_numbers_have_no_decimal_point() -> None:
    assert factorize(np.array([1.0, 2.5, -0.0]))[1] == ["1", "2.5", "0"]


def test_order_is_numeric_where_all_are_numbers() -> None:
    assert in_order({"10", "9", "-1"}) == ("-1", "9", "10")
    assert in_order({"10", "9", "x"}) == ("10", "9", "x")


def test_encode_puts_strangers_behind_the_known() -> None:
    cells: Any = np.array(["b", None, "z", "a", "y"], dtype=object)
    codes, labels = encode(cells, ("a", "b"))
    assert labels == ("a", "b", "y", "z")
    np.testing.assert_array_equal(codes, np.array([1, np.nan, 3, 0, 2], dtype=np.float32))


@given(_CELLS)
def test_recoding_keeps_names(cells: list[str | None]) -> None:
    own = ("c", "a")
    codes, labels = encode(np.array([*cells, None], dtype=object)[:-1], ())
    table = recoding(labels, own)
    for cell, code in zip(cells, codes, strict=True):
        if cell is not None:
            assert table[int(code)] == (own.index(cell) if cell in own else len(own))


def test_several_labels_a_row() -> None:
    rows, labels = split_labels(np.array(["b|a", None, "a | c|", ""], dtype=object))
    assert rows == [frozenset("ab"), None, frozenset("ac"), frozenset()]
    assert labels == ("a", "b", "c")
