"""Successive halving (Jamieson & Talwalkar 2016): all get a little, the better half gets more, to the end.

Letters: n candidates, R rounds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from unrolled.core.trial import Budget, Trial

FINALISTS = 2


@dataclass(frozen=True)
class Round:
    """How many take part, and what each of them has been given by its end."""

    size: int
    budget: Budget


def by_time(count: int, seconds: float) -> list[Round]:
    """Rounds that share ``seconds`` of training equally; in each, the candidates share what it has.

    Budgets count what was spent in earlier rounds.
    """
    sizes = _sizes(count)
    spent, found = 0.0, []
    for size in sizes:
        spent += seconds / len(sizes) / size
        found.append(Round(size, Budget(seconds=spent)))
    return found


def by_share(count: int, largest: float) -> list[Round]:
    """Rounds in which the share of the epochs doubles, up to ``largest``."""
    sizes = _sizes(count)
    return [Round(size, Budget(share=largest / 2 ** (len(sizes) - 1 - at))) for at, size in enumerate(sizes)]


def order(trial: Trial) -> tuple[float, float]:
    """By which trials are ranked, lower first: the headline, then the log loss, since accuracies of few samples tie."""
    loss = next((metric.value for metric in trial.metrics if metric.name == "log_loss"), 0.0)
    return (math.inf if trial.cost is None else trial.cost), loss


def halve(
    names: Sequence[str],
    rounds: Sequence[Round],
    run: Callable[[str, Budget], Trial | None],
    rank: Callable[[Trial], tuple[float, float]] = order,
) -> dict[str, list[Trial]]:
    """What each candidate gave in the rounds that it was in.

    Args:
        names: candidates, the most promising first.
        rounds: as ``by_time`` or ``by_share`` gives them.
        run: trains further; None where there is no time left, which ends everything.
        rank: lower is better; infinite for one that should not be chosen.
    """
    found: dict[str, list[Trial]] = {}
    left = list(names)
    for stage in rounds:
        left = left[: stage.size]
        for name in left:
            trial = run(name, stage.budget)
            if trial is None:
                return found
            found.setdefault(name, []).append(trial)
        usable = [name for name in left if found[name][-1].state != "failed"]
        left = sorted(usable, key=lambda name: rank(found[name][-1]))
    return found


def _sizes(count: int) -> list[int]:
    """How many are in each round: half as many in the next, down to the finalists."""
    sizes = [count]
    while sizes[-1] > FINALISTS:
        sizes.append(max(FINALISTS, -(-sizes[-1] // 2)))
    return sizes
