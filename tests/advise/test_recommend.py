"""A recommendation says what intervals, seeds and budgets show, and no more."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from unrolled.advise.recommend import chosen, recommend
from unrolled.core.advice import Entrant, Recommendation, Wishes
from unrolled.core.diagnosis import Text
from unrolled.core.records import Metric
from unrolled.core.trial import Budget, Trial
from unrolled.evaluate import Resampler
from unrolled.evaluate.standings import Standings
from unrolled.tasks.statistic import mean


def entrant(
    name: str,
    value: float | None,
    *,
    model: str = "net",
    seeds: tuple[float, ...] = (),
    stopped: str = "early",
    **facts: Any,
) -> Entrant:
    trial = Trial(
        name=name,
        model=model,
        state="failed" if value is None else "done",
        metric=None if value is None else Metric(name="accuracy", value=value, better="higher"),
        parameters=1000,
        predict_us=500.0,
        seconds=10.0,
        stopped=stopped,
        epochs=5,
        epochs_wanted=20,
        budget=Budget(seconds=10.0),
    )
    return Entrant(name=name, why=Text(), trial=trial, seeds=seeds, **facts)


def standings(hits: dict[str, float], count: int = 400) -> Standings:
    """Answers that are right at the rates given, by themselves."""
    random = np.random.default_rng(1)
    right = {name: mean("accuracy", (random.random(count) < rate)[:, None].astype(float), "higher")
             for name, rate in hits.items()}  # fmt: skip
    return Standings(right, Resampler(np.arange(count), resamples=500))


def made(entrants: list[Entrant], hits: dict[str, float], **changes: Any) -> Recommendation:
    best = chosen(entrants)
    assert best is not None
    given = {"part": "test", "count": 400, "wishes": Wishes(), "config": {}, **changes}
    return recommend(best, entrants, standings(hits), **given)


def said(texts: tuple[Text, ...]) -> str:
    assert all(text.en and text.zh for text in texts)
    return "\n".join(text.en for text in texts)


def test_a_clear_difference_is_supported_and_a_small_one_is_not() -> None:
    found = made(
        [entrant("gru", 0.9, rung=2), entrant("lstm", 0.89, rung=2), entrant("linear", 0.6, model="linear")],
        {"gru": 0.9, "lstm": 0.895, "linear": 0.6},
    )
    assert found.entrant == "gru" and "Train 'gru'" in found.said.en
    assert "better than the linear model" in said(found.supported) and "'lstm'" not in said(found.supported)
    assert "better than 'lstm'" in said(found.unsupported)
    gains = {one.other: one for one in found.comparisons}
    assert gains["linear"].low is not None and gains["linear"].low > 0.2
    more = said(found.more)
    assert "'lstm'" in more and ("samples to judge on" in more or "More data will not settle" in more)


def test_a_rival_that_is_ahead_is_named_first() -> None:
    found = made([entrant("gru", 0.7), entrant("boosting", 0.9, model="boosting")], {"gru": 0.7, "boosting": 0.9})
    assert found.entrant == "gru" and found.said.en.startswith("No net does better than boosted trees")
    assert "is not better than boosted trees" in said(found.unsupported)


def test_the_last_round_and_the_limits_come_before_the_figure() -> None:
    early, late = entrant("early", 0.99, rung=1), entrant("late", 0.8, rung=2)
    assert chosen([early, late]) == late
    assert chosen([late, entrant("large", 0.95, rung=2, fits=False)]) == late
    assert chosen([entrant("broken", None), entrant("linear", 0.9, model="linear")]) is None


@pytest.mark.parametrize(
    ("seeds", "supported"),
    [(((0.90, 0.91, 0.92), (0.70, 0.71, 0.72)), True), (((0.90, 0.80, 0.95), (0.89, 0.92, 0.78)), False)],
)
def test_seeds(seeds: tuple[tuple[float, ...], tuple[float, ...]], supported: bool) -> None:
    one, two = entrant("one", 0.9, seeds=seeds[0]), entrant("two", 0.89, seeds=seeds[1])
    found = made([one, two], {"one": 0.9, "two": 0.7})
    assert ("held over 3 seeds" in said(found.unsupported)) == supported
    assert ("seeds" in said(found.more)) != supported


def test_one_seed_a_cut_training_and_another_machine_are_admitted() -> None:
    found = made(
        [entrant("gru", 0.9, stopped="time")], {"gru": 0.9}, wishes=Wishes(device="watch", size=8e3, latency=1e-3)
    )
    open_ = said(found.unsupported)
    assert "trained once" in open_ and "5 of 20 epochs" in open_ and "on a watch" in open_
    assert "30 s more" in said(found.more)  # 10 s for 5 of 20 epochs
    kept = said(found.supported)
    assert "4 kB of weights, 8 kB" in kept and "0.5 ms an answer, 1 ms" in kept


def test_without_a_test_part_the_figures_flatter() -> None:
    assert "flatter" in said(made([entrant("gru", 0.9)], {"gru": 0.9}, part="valid").unsupported)
