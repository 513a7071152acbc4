"""Edit distances of many pairs at once, and the ways behind them, against the textbook's table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrolled.prepare.alignment import aligned, distances
from unrolled.prepare.spelling import alphabet, cut, guessed, joined, padded, stacked, texts_of

_STRINGS = st.lists(st.integers(0, 3), max_size=7)


def _table(one: Sequence[int], other: Sequence[int]) -> int:
    """Levenshtein's distance by its recursion."""
    if not one or not other:
        return len(one) + len(other)
    exchanged = _table(one[1:], other[1:]) + (one[0] != other[0])
    return exchanged if one[0] == other[0] else min(exchanged, _table(one[1:], other) + 1, _table(one, other[1:]) + 1)


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [("", "", 0), ("abc", "", 3), ("", "ab", 2), ("kitten", "sitting", 3), ("314", "3145", 1), ("12", "21", 2)],
)
def test_known_distances(one: str, other: str, distance: int) -> None:
    first, second = padded([list(map(ord, one))]), padded([list(map(ord, other))])
    assert distances(first, second).tolist() == distances(second, first).tolist() == [distance]


@given(st.lists(st.tuples(_STRINGS, _STRINGS), min_size=1, max_size=6))
def test_all_pairs_at_once_as_one_by_one(pairs: list[tuple[list[int], list[int]]]) -> None:
    found = distances(padded([one for one, _ in pairs]), padded([other for _, other in pairs]))
    assert found.tolist() == [_table(one, other) for one, other in pairs]


@given(_STRINGS, _STRINGS)
def test_a_way_is_shortest_and_spells_both(one: list[int], other: list[int]) -> None:
    way = aligned(one, other)
    assert [first for first, _ in way if first is not None] == one
    assert [second for _, second in way if second is not None] == other
    assert sum(first != second for first, second in way) == _table(one, other)
    assert (None, None) not in way


def test_an_exchange_is_shown_as_such() -> None:
    assert aligned([1, 2, 3], [1, 4, 3]) == [(1, 1), (2, 4), (3, 3)]
    assert aligned([1, 2], [2]) == [(1, None), (2, 2)]


def test_strings_are_cut_and_joined() -> None:
    assert guessed(["3 1", "4"]) == "words" and guessed([" 31 ", "4"]) == "characters"
    assert cut(" 31 ", "characters") == ("3", "1") and cut("yes  no", "words") == ("yes", "no")
    assert cut("a b", "characters") == ("a", " ", "b")
    assert alphabet(["10 2", "9"], "words") == ("2", "9", "10") and alphabet(["ba", "c"], "characters") == tuple("abc")
    assert joined(["yes", "no"], "words") == "yes no" and joined("31", "characters") == "31"


def test_codes_of_pieces_are_put_one_under_another() -> None:
    codes = stacked([padded([[0, 1], []]), padded([[2]])])
    np.testing.assert_array_equal(codes, [[0, 1], [np.nan, np.nan], [2, np.nan]])
    assert texts_of(codes, "xyz", "characters") == ["xy", "", "z"]
