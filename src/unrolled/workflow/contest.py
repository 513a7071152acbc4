"""Wirings trained from scratch within a time, by successive halving: many a little, the best to the end."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator

from unrolled.advise.halving import order
from unrolled.core.search import Tried
from unrolled.core.trial import Budget, Trial
from unrolled.search.ladder import Ladder
from unrolled.search.wiring import Wiring

Train = Callable[[Wiring, Budget, Tried | None], Tried]
"""(wiring, budget with what it had before included, how far it came until now) -> how far it came."""

_SLACK = 1.2  # of the time that the end of a training takes, with what is measured after it


class Contest:
    """Who of the wirings is trained next, and for how long.

    Args:
        wirings: the most promising first; none twice.
        train: goes on with one.
        seconds: for all of it, what ``wirings`` itself takes included; one is begun in any case.
    """

    def __init__(self, wirings: Iterator[Wiring], train: Train, seconds: float) -> None:
        self._wirings, self._train = wirings, train
        self._end = time.monotonic() + seconds
        self._ladder: Ladder[Wiring] = Ladder()
        self._tried: dict[Wiring, Tried] = {}

    def run(self) -> None:
        """Train until the time is over, nothing is left to do, or Ctrl-C."""
        while (turn := self._next()) is not None:
            wiring, share = turn
            before = self._tried.get(wiring)
            spent = 0.0 if before is None else before.trial.seconds
            budget = Budget(share=share, seconds=spent + max(1.0, self._left))
            tried = self._tried[wiring] = self._train(wiring, budget, before)
            if tried.trial.state == "interrupted":
                return
            self._ladder.tell(wiring, order(tried.trial), whole=tried.trial.whole)

    @property
    def _left(self) -> float:
        return self._end - time.monotonic()

    def _next(self) -> tuple[Wiring, float] | None:
        """One that goes on, or a new one, and the share of its training by the end of its turn; None at the end."""
        if self._tried and self._left <= 0:
            return None
        late = self._late()
        wiring = self._ladder.climber(eager=late) or next(self._wirings, None) or self._ladder.climber(eager=True)
        return None if wiring is None else (wiring, 1.0 if late else self._ladder.share(wiring))

    def _late(self) -> bool:
        """Whether it is time to bring the best to its end, so that one is trained as far as its config asks for."""
        best = self._ladder.climber(eager=True)
        if best is None or any(tried.trial.whole for tried in self._tried.values()):
            return False
        return self._left < _SLACK * _needed(self._tried[best].trial)


def _needed(trial: Trial) -> float:
    """Seconds until its training has ended."""
    return trial.seconds * (trial.epochs_wanted / trial.epochs - 1) if trial.epochs else math.inf
