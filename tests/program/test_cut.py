"""The cheapest choice of what to keep, against trying every choice."""

from __future__ import annotations

from itertools import chain, combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from unrolled.program.cut import cheapest_cut


def price(
    kept: set[int], keeping: dict[int, int], computing: dict[int, int], args: dict[int, list[int]], wanted: set[int]
) -> int | None:
    """What a choice costs; None where something can neither be kept nor computed."""
    if not kept <= keeping.keys():
        return None
    total, seen, waiting = sum(keeping[v] for v in kept), set[int](), list(wanted)
    while waiting:
        v = waiting.pop()
        if v in seen or v in kept:
            continue
        if v not in computing:
            return None
        seen.add(v)
        total += computing[v]
        waiting += args[v]
    return total


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_no_choice_is_cheaper(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 8))
    args = {v: data.draw(st.lists(st.integers(0, v - 1), max_size=3, unique=True)) if v else [] for v in range(count)}
    keeping = {v: data.draw(st.integers(1, 9)) for v in range(count) if v == 0 or data.draw(st.booleans())}
    computing = {v: data.draw(st.integers(1, 9)) for v in range(count) if v not in keeping or data.draw(st.booleans())}
    wanted = set(data.draw(st.lists(st.integers(0, count - 1), min_size=1)))
    found = cheapest_cut(keeping, computing, args, wanted)
    choices = chain.from_iterable(combinations(keeping, size) for size in range(len(keeping) + 1))
    prices = [price({*choice}, keeping, computing, args, wanted) for choice in choices]
    assert price(found, keeping, computing, args, wanted) == min(p for p in prices if p is not None)


def test_a_first_choice_is_taken_back() -> None:
    """A case in which the flow has to be led another way."""
    keeping, computing = {0: 9, 2: 6, 3: 6, 4: 8, 5: 1, 7: 9, 8: 4}, {0: 3, 1: 1, 2: 3, 3: 2, 4: 3, 6: 3, 7: 1}
    args = {0: [], 1: [], 2: [0, 1], 3: [0], 4: [0, 2], 5: [], 6: [1, 3, 5], 7: [4, 5], 8: [0]}
    wanted = {1, 2, 4, 6}
    assert price(cheapest_cut(keeping, computing, args, wanted), keeping, computing, args, wanted) == 16
