"""Who goes on and who begins, against successive halving by hand."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from unrolled.search.ladder import SHARES, Ladder


def _climbed(costs: list[float]) -> dict[int, float]:
    """The share of its training that each candidate comes to, until all have begun and nobody climbs."""
    ladder, new = Ladder[int](), iter(range(len(costs)))
    shares: dict[int, float] = {}
    while True:
        climber = ladder.climber()
        one = next(new, None) if climber is None else climber
        if one is None:
            return shares
        shares[one] = ladder.share(one)
        ladder.tell(one, (costs[one], 0.0), whole=shares[one] == 1)


def test_nine_candidates_leave_one() -> None:
    shares = _climbed([5, 4, 3, 2, 1, 6, 7, 8, 9])
    assert [shares[at] for at in range(9)] == [1 / 9, 1 / 9, 1 / 3, 1 / 3, 1.0, 1 / 9, 1 / 9, 1 / 9, 1 / 9]


@given(st.lists(st.floats(0, 1), min_size=9, max_size=30, unique=True))
def test_the_best_comes_to_the_end_and_few_others_do(costs: list[float]) -> None:
    shares = _climbed(costs)
    assert len(shares) == len(costs) and shares[costs.index(min(costs))] == 1
    reached = [sum(share >= least for share in shares.values()) for least in SHARES]
    # A rung grows while those below it do, so that some went on that would not have in the end.
    assert reached[0] // 3 <= reached[1] and reached[1] // 3 <= reached[2] < reached[1] < reached[0]


def test_ties_are_broken_and_one_that_failed_goes_no_further() -> None:
    ladder = Ladder[str]()
    for one, cost in {"failed": (math.inf, 0.0), "second": (1.0, 0.5), "first": (1.0, 0.4)}.items():
        ladder.tell(one, cost, whole=False)
    assert ladder.climber() == "first"
    ladder.tell("first", (1.0, 0.0), whole=True)
    assert ladder.climber() is None and ladder.climber(eager=True) == "second"
    ladder.tell("second", (1.0, 0.0), whole=True)
    assert ladder.climber(eager=True) is None
