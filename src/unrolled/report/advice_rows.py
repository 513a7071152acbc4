"""What of an advice stands in a table, the same in HTML and in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from unrolled.core.advice import Counsel, Entrant, Wishes
from unrolled.report.format import MISSING, duration, number, percent, size
from unrolled.report.scoreboard import Cell, cell
from unrolled.report.words import Words


def margin(said: Counsel) -> str:
    """How far the tightest condition is from its limit."""
    return MISSING if said.margin is None else f"{'−' if said.margin < 0 else '+'}{percent(abs(said.margin))}"


def wishes(asked: Wishes, words: Words) -> list[tuple[str, str]]:
    """Name and value of each wish."""
    found = [(words("device"), asked.device or "")]
    for key, value in (
        ("size", "" if asked.size is None else size(round(asked.size))),
        ("latency", "" if asked.latency is None else words("milliseconds", value=number(1000 * asked.latency, 3))),
    ):
        found.append((words(key), words("assumed_of", value=value) if key in asked.assumed else value))
    return [*found, (words("needs"), words("list").join(asked.needs))]


COSTS = ("parameters", "latency", "training_time")
DETAILS = ("seeds", "rounds")


def entrant_head(entrants: Sequence[Entrant], words: Words, columns: Sequence[str]) -> list[str]:
    """Heads of the columns of ``entrant_row``."""
    metric = next((words.name(one.metric.name) for one in entrants if one.metric is not None), words("figure"))
    parts = [words("on_part", metric=metric, part=words.name(part)) for part in ("valid", "test")]
    return [words("entrant"), *parts, *(words(key) for key in columns)]


def entrant_row(one: Entrant, recommended: bool, words: Words, columns: Sequence[str]) -> tuple[Cell, ...]:
    """Name with remarks, figures with intervals, and those ``columns``, of ``COSTS`` and ``DETAILS``."""
    trial = one.trial
    remarks = [
        *([words("recommended")] if recommended else []),
        *([words("on_frontier")] if one.on_frontier else []),
        *([] if one.fits else [words("breaks_limits")]),
        *([words("failed", why=trial.error)] if trial.metric is None else []),
    ]
    known = {
        "seeds": words("list").join(number(value, 3) for value in one.seeds) or MISSING,
        "parameters": MISSING if trial.parameters is None else f"{trial.parameters:,}",
        "latency": MISSING if one.latency is None else words("milliseconds", value=number(1000 * one.latency, 3)),
        "training_time": duration(trial.seconds, words.language),
        "rounds": str(one.rung) if trial.model == "net" else MISSING,
    }
    return (
        Cell(words.name(one.name) if trial.model != "net" else one.name, words("list").join(remarks)),
        cell(one.metric),
        cell(one.judged),
        *(Cell(known[key]) for key in columns),
    )
