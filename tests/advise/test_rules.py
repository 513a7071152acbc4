"""Rules speak where their conditions hold, say how near the limit is, and disagree aloud."""

from __future__ import annotations

from dataclasses import replace

import pytest

from unrolled.advise import RULES, Situation, ask, conflicts, wishes
from unrolled.advise.rules import QUESTIONS
from unrolled.advise.rules.rule import FIGURES, NEAR, WORDS, Among, Bound
from unrolled.core.errors import ConfigError
from unrolled.tasks import TASKS

QUIET = {"length": 75.0, "samples": 1000.0, "noise": 0.1, "missing": 0.0, "irregular": 0.0, "modalities": 1.0}


def situation(task: str = "regress", device: str = "", need: str = "", **figures: float) -> Situation:
    words = {"task": task, "device": device, "need": need}
    return Situation({**QUIET, **figures}, {kind: frozenset({word} - {""}) for kind, word in words.items()})


def said(state: str, given: Situation) -> set[str]:
    return {counsel.code for counsel in ask(given) if counsel.state == state}


def answers(question: str, given: Situation) -> set[str]:
    return {c.answers[question] for c in ask(given) if c.state == "fires" and question in c.answers}


@pytest.mark.parametrize(
    ("figures", "fires", "silent"),
    [
        ({"length": 49}, "short_sequences", "middle_sequences"),
        ({"length": 50}, "middle_sequences", "short_sequences"),
        ({"length": 100}, "middle_sequences", "long_sequences"),
        ({"length": 101}, "long_sequences", "very_long_sequences"),
        ({"length": 200}, "middle_sequences", "very_long_sequences"),
        ({"length": 201}, "very_long_sequences", "middle_sequences"),
        ({"samples": 99_999}, "small_data", "large_data"),
        ({"samples": 100_000}, "large_data", "small_data"),
        ({"noise": 0.2}, "noisy_sensors", "clean_signal"),
        ({"noise": 0.01}, "clean_signal", "noisy_sensors"),
        ({"missing": 0.05}, "missing_values", "irregular_times"),
        ({"irregular": 1}, "irregular_times", "missing_values"),
        ({"modalities": 2}, "several_modalities", "missing_values"),
        ({"latency_ms": 20}, "low_latency", "compute_bound"),
        ({"latency_ms": 9}, "compute_bound", "mobile"),
    ],
)
def test_limits(figures: dict[str, float], fires: str, silent: str) -> None:
    given = replace(situation(), figures={**QUIET, **figures})
    assert fires in said("fires", given) and silent not in said("fires", given)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (situation(device="watch"), "mobile"),
        (situation(device="phone"), "mobile"),
        (situation(device="gpu"), "ample_resources"),
        (situation(need="streaming"), "streaming"),
        (situation(need="generation"), "generation"),
        (situation(need="memory"), "memory_control"),
        (situation(task="classify"), "classification"),
        (situation(task="classify", imbalance=12.0), "rare_classes"),
        (situation(task="forecast", not_stationary=1.0), "drifting_level"),
    ],
)
def test_words(given: Situation, code: str) -> None:
    assert code in said("fires", given)
    assert code not in said("fires", situation())


def test_a_near_miss_says_by_how_much() -> None:
    near = {counsel.code: counsel for counsel in ask(situation(length=60)) if counsel.state == "nearly"}
    assert near["short_sequences"].margin == pytest.approx(-0.2)
    assert "short_sequences" not in said("nearly", situation(length=50 * (1 + NEAR) + 1))
    fired = {counsel.code: counsel for counsel in ask(situation(length=40)) if counsel.state == "fires"}
    assert fired["short_sequences"].margin == pytest.approx(0.2) and "40" in fired["short_sequences"].because.en


def test_an_unknown_figure_speaks_for_nothing() -> None:
    assert not said("fires", situation()) & {"low_latency", "compute_bound", "rare_classes"}


def test_guides_disagree_and_that_is_said() -> None:
    found = conflicts(ask(situation(length=150)))
    (cell,) = [conflict for conflict in found if conflict.question == "cell"]
    assert set(cell.sides) == {"gru", "lstm"}
    assert "in_doubt_gru" in cell.sides["gru"] and "long_sequences" in cell.sides["lstm"]
    assert "long_sequences" in cell.said.en and "long_sequences" in cell.said.zh


def test_streams_read_forward_only() -> None:
    assert answers("direction", situation(need="streaming")) == {"forward"}
    assert answers("direction", situation()) == set()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_a_rule_is_whole(rule: object) -> None:
    from unrolled.advise import Rule

    assert isinstance(rule, Rule)
    assert all(text.strip() for pair in (rule.advice, rule.reason) for text in pair) and rule.source
    assert rule.answers and set(rule.answers) <= set(QUESTIONS)
    for condition in rule.when:
        if isinstance(condition, Bound):
            assert condition.figure in FIGURES and condition.limit > 0
        else:
            assert isinstance(condition, Among) and condition.kind in WORDS
            assert condition.kind != "task" or set(condition.values) <= set(TASKS)


def test_codes_are_unique() -> None:
    assert len({rule.code for rule in RULES}) == len(RULES)


def test_a_device_affords_what_was_not_asked() -> None:
    found = wishes("watch", latency=0.001)
    assert (found.size, found.latency, found.assumed) == (250e3, 0.001, ("size",))
    assert wishes().assumed == () and wishes("server").size is None


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        ({"device": "phon"}, "--device"),
        ({"needs": ["stream"]}, "--need"),
        ({"size": 0.0}, "--size"),
        ({"latency": -1.0}, "--latency"),
    ],
)
def test_wishes_that_mean_nothing(arguments: dict[str, object], place: str) -> None:
    with pytest.raises(ConfigError, match=place):
        wishes(**arguments)  # type: ignore[arg-type]
