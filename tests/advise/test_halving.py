"""Halving spends what it is given, keeps the better half, and lives with failures and the end of time."""

from __future__ import annotations

import pytest

from unrolled.advise.frontier import frontier
from unrolled.advise.halving import by_share, by_time, halve
from unrolled.core.records import Metric
from unrolled.core.trial import Budget, Trial

COSTS = {"a": 3.0, "b": 1.0, "c": 2.0, "d": 5.0, "e": 4.0}


def trial(name: str, cost: float | None, **facts: object) -> Trial:
    metric = None if cost is None else Metric(name="rmse", value=cost)
    return Trial.model_validate(
        {"name": name, "state": "failed" if cost is None else "done", "metric": metric, **facts}
    )


@pytest.mark.parametrize("count", [1, 2, 3, 5, 6, 9])
def test_time_is_spent_and_no_more(count: int) -> None:
    rounds = by_time(count, 100.0)
    spent, before = 0.0, 0.0
    for stage in rounds:
        assert stage.budget.seconds is not None
        spent += stage.size * (stage.budget.seconds - before)
        before = stage.budget.seconds
    assert spent == pytest.approx(100.0) and rounds[0].size == count and rounds[-1].size <= 2


def test_shares_double_up_to_the_largest() -> None:
    assert [(stage.size, stage.budget.share) for stage in by_share(6, 0.5)] == [(6, 0.125), (3, 0.25), (2, 0.5)]


def test_the_better_half_goes_on() -> None:
    found = halve(list(COSTS), by_share(5, 1.0), lambda name, _: trial(name, COSTS[name]))
    assert {name: len(trials) for name, trials in found.items()} == {"a": 2, "b": 3, "c": 3, "d": 1, "e": 1}


def test_what_failed_does_not_go_on() -> None:
    def run(name: str, _: Budget) -> Trial:
        return trial(name, None if name in "bc" else COSTS[name])

    found = halve(list(COSTS), by_share(5, 1.0), run)
    assert len(found["b"]) == len(found["c"]) == 1 and len(found["a"]) == 3


def test_all_that_was_measured_is_kept_when_time_ends() -> None:
    left = iter(range(4))

    def run(name: str, _: Budget) -> Trial | None:
        return trial(name, COSTS[name]) if next(left, None) is not None else None

    found = halve(list(COSTS), by_share(5, 1.0), run)
    assert list(found) == ["a", "b", "c", "d"]


def test_equal_accuracies_are_told_apart_by_the_log_loss() -> None:
    def run(name: str, _: Budget) -> Trial:
        metric = Metric(name="accuracy", value=0.8, better="higher")
        losses = {"a": 0.9, "b": 0.3, "c": 0.5, "d": 0.7}
        return trial(name, None).model_copy(
            update={"state": "done", "metric": metric, "metrics": (metric, Metric(name="log_loss", value=losses[name]))}
        )

    found = halve(list("abcd"), by_share(4, 1.0), run)
    assert {name for name, trials in found.items() if len(trials) == 2} == {"b", "c"}


def test_the_frontier() -> None:
    trials = {
        "best": trial("best", 1.0, parameters=100, predict_us=50.0),
        "small": trial("small", 2.0, parameters=10, predict_us=50.0),
        "fast": trial("fast", 3.0, parameters=200, predict_us=5.0),
        "beaten": trial("beaten", 2.0, parameters=100, predict_us=60.0),
        "failed": trial("failed", None),
    }
    assert frontier(trials) == {"best", "small", "fast"}
