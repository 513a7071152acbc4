"""Asynchronous successive halving by one worker (Li et al. 2020, arXiv 1810.05934): many begin, the best go on.

On the rungs of the ladder a candidate has been trained for 1/9, 1/3 and all of its training. One in three of those on a
rung goes on to the next, as soon as there are three; where nobody does, another begins.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from itertools import pairwise
from typing import Generic, TypeVar

SHARES = (1 / 9, 1 / 3, 1.0)
_REDUCTION = 3

Candidate = TypeVar("Candidate", bound=Hashable)
Cost = tuple[float, float]
"""By which candidates are ranked, lower first; one that begins with infinity goes no further."""


class Ladder(Generic[Candidate]):
    """Who stands where."""

    def __init__(self) -> None:
        self._rungs: list[dict[Candidate, Cost]] = [{} for _ in SHARES]

    def share(self, candidate: Candidate) -> float:
        """Of its training, by the end of the next rung."""
        return SHARES[self._height(candidate)]

    def tell(self, candidate: Candidate, cost: Cost, *, whole: bool) -> None:
        """A candidate was measured on its next rung; where its training has ended by itself, on all above too."""
        for rung in self._rungs[self._height(candidate) :]:
            rung[candidate] = cost
            if not whole:
                return

    def climber(self, *, eager: bool = False) -> Candidate | None:
        """Who goes on, from the highest rung where somebody does; None where another should begin.

        Args:
            eager: the best of a rung goes on, however few there are on it.
        """
        for below, above in reversed(list(pairwise(self._rungs))):
            able = sorted((one for one in below if math.isfinite(below[one][0])), key=lambda one: below[one])
            for candidate in able if eager else able[: len(below) // _REDUCTION]:
                if candidate not in above:
                    return candidate
        return None

    def _height(self, candidate: Candidate) -> int:
        """Rungs that it has been on."""
        return sum(candidate in rung for rung in self._rungs)
