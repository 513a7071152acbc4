"""The frontier against its definition."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from unrolled.search import frontier

POINTS = st.lists(st.tuples(*[st.integers(0, 4)] * 3), max_size=12)


def _dominates(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))


@given(POINTS)
def test_the_frontier_is_what_nothing_dominates(points: list[tuple[int, int, int]]) -> None:
    found = frontier(points)
    expected = [at for at, point in enumerate(points) if not any(_dominates(other, point) for other in points)]
    assert sorted(found) == expected
    assert [points[at] for at in found] == sorted(points[at] for at in expected)


def test_what_was_not_measured_is_left_out() -> None:
    assert frontier([(1.0, math.nan), (2.0, 2.0), (3.0, 1.0), (3.0, 3.0)]) == [1, 2]
    assert frontier([]) == []
