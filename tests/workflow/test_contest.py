"""Wirings in a contest, with a clock and trainings made up."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice

import pytest

from unrolled.core.records import Metric
from unrolled.core.search import Tried
from unrolled.core.trial import Budget, Trial
from unrolled.search.wiring import Wiring, draw
from unrolled.workflow.contest import Contest

EPOCHS, SECOND = 18, 1.0  # of a whole training, and the time of an epoch


class _Bench:
    """Trains by the clock; the error falls with the epochs towards the place of the wiring in ``wirings``."""

    def __init__(self, wirings: list[Wiring], monkeypatch: pytest.MonkeyPatch) -> None:
        self.wirings, self.now = wirings, 0.0
        self.turns: list[tuple[int, int]] = []  # wiring, epochs by the end of its turn
        monkeypatch.setattr("unrolled.workflow.contest.time.monotonic", lambda: self.now)

    def train(self, wiring: Wiring, budget: Budget, before: Tried | None) -> Tried:
        at, done = self.wirings.index(wiring), 0 if before is None else before.trial.epochs
        assert budget.seconds is not None
        wanted = min(round(budget.share * EPOCHS), int(budget.seconds / SECOND))
        self.now += SECOND * (wanted - done)
        self.turns.append((at, wanted))
        trial = Trial(
            name=str(at),
            state="done",
            metric=Metric(name="rmse", value=at + 10 / wanted, better="lower"),
            stopped="epochs" if wanted == EPOCHS else "budget",
            seconds=SECOND * wanted,
            epochs=wanted,
            epochs_wanted=EPOCHS,
        )
        return Tried(number=at, values={}, trial=trial)


@pytest.fixture
def wirings() -> list[Wiring]:
    generator = random.Random(0)
    return list(dict.fromkeys(draw(4, (4, 8), generator) for _ in range(40)))


def _slow(bench: _Bench, seconds: float) -> Iterator[Wiring]:
    bench.now += seconds
    yield from bench.wirings


def test_the_best_of_nine_is_trained_to_its_end(wirings: list[Wiring], monkeypatch: pytest.MonkeyPatch) -> None:
    bench = _Bench(wirings, monkeypatch)
    Contest(iter(wirings[:9]), bench.train, seconds=1000).run()
    shares = dict(bench.turns)  # the last turn of each
    assert shares[0] == EPOCHS  # and, nothing else being left, the others follow
    assert bench.turns[: bench.turns.index((0, EPOCHS))].count((0, 6)) == 1
    assert set(shares.values()) == {EPOCHS}


def test_when_time_runs_out_the_best_is_brought_to_its_end(
    wirings: list[Wiring], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = _Bench(wirings, monkeypatch)
    Contest(iter(wirings), bench.train, seconds=26).run()  # nine beginners and a whole training would take 34
    assert bench.turns[-1][1] <= EPOCHS and (0, EPOCHS) in bench.turns
    assert 1 < len({at for at, _ in bench.turns}) < 9 and bench.now <= 26 + SECOND


def test_what_the_proposals_take_counts_and_one_is_trained_in_any_case(
    wirings: list[Wiring], monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = _Bench(wirings, monkeypatch)
    Contest(_slow(bench, 30), bench.train, seconds=20).run()
    assert bench.turns == [(0, 1)]


def test_ctrl_c_ends_it(wirings: list[Wiring], monkeypatch: pytest.MonkeyPatch) -> None:
    bench = _Bench(wirings, monkeypatch)

    def interrupted(wiring: Wiring, budget: Budget, before: Tried | None) -> Tried:
        tried = bench.train(wiring, budget, before)
        return tried.model_copy(update={"trial": tried.trial.model_copy(update={"state": "interrupted"})})

    Contest(islice(wirings, 5), interrupted, seconds=100).run()
    assert len(bench.turns) == 1
