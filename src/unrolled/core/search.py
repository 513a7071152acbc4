"""What a search leaves: every trial with the values that it had, and what they say together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from unrolled.core.records import Note, Record
from unrolled.core.trial import Trial

Value = str | int | float | bool | None

OBJECTIVES: dict[str, str] = {
    "metric": "cost",
    "bytes": "bytes",
    "parameters": "parameters",
    "predict": "predict_us",
    "step": "step_us",
    "seconds": "seconds",
}
"""What a search can aim at -> where a trial has it, lower being better."""


class Tried(Record):
    """A trial and the values by path that were chosen for it."""

    number: int
    values: dict[str, Value]
    trial: Trial


class AxisFacts(Record):
    """What could be chosen: options, or a range."""

    path: str
    options: tuple[Value, ...] = ()
    low: float = 0.0
    high: float = 0.0
    log: bool = False


class SearchRecord(Record):
    """A search, for its report.

    Attributes:
        name: of the folder.
        task, target: what was predicted.
        settings: as given, see ``search.SearchSettings``.
        axes: what could be chosen.
        tried: in order.
        importance: share of the differences in the first objective that an axis explains, by path (fANOVA, Hutter et
            al. 2014); empty where too few trials say anything.
        frontier: numbers of the trials that nothing beats in all of metric, bytes and latency.
        best: number of the best trial; None where none was finished.
        seconds: from first to last, all workers together on the clock.
        command: trains the best config.
    """

    name: str
    task: str = ""
    target: tuple[str, ...] = ()
    settings: dict[str, Any]
    axes: tuple[AxisFacts, ...]
    tried: tuple[Tried, ...]
    importance: dict[str, float] = {}
    frontier: tuple[int, ...] = ()
    best: int | None = None
    seconds: float = 0.0
    command: str = ""
    created: str = ""
    environment: dict[str, str] = {}
    notes: tuple[Note, ...] = ()

    def of(self, number: int) -> Tried:
        """The trial of that number."""
        return next(one for one in self.tried if one.number == number)


def objective(trial: Trial, name: str) -> float | None:
    """What a trial reached of an objective, lower being better; None where it has none."""
    value = getattr(trial, OBJECTIVES[name])
    return None if value is None else float(value)


def best_of(tried: Sequence[Tried], first: str = "metric") -> Tried | None:
    """The lowest of an objective, among the trials that were trained as far as they should be, else of all."""
    measured = [one for one in tried if objective(one.trial, first) is not None]
    whole = [one for one in measured if one.trial.whole]
    return min(whole or measured, key=lambda one: objective(one.trial, first) or 0.0, default=None)
