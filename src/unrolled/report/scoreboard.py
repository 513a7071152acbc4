"""Models beside each other: which figures stand in which row, and which of them are best."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from unrolled.core.records import Evaluation, Metric, Scores
from unrolled.report.format import MISSING, interval, number
from unrolled.report.words import Words

_DETAIL = ":"  # between a measure and the class or target it is about


@dataclass(frozen=True)
class Cell:
    """One figure as text, with its interval ("" where there is none)."""

    text: str
    interval: str = ""
    best: bool = False


@dataclass(frozen=True)
class Row:
    """One measure and what each model, baseline or run reached in it."""

    name: str
    cells: tuple[Cell, ...]


def scoreboard(everyone: Sequence[Scores], words: Words) -> tuple[Row, ...]:
    """The measures of the first one, a row each; measures of single classes or targets stand in ``detail``."""
    return tuple(
        Row(_arrowed(metric, words), row_of(metric.name, everyone))
        for metric in everyone[0].metrics
        if _DETAIL not in metric.name
    )


def detail(model: Scores, words: Words) -> tuple[tuple[str, ...], tuple[Row, ...]]:
    """Measures of single classes or targets (``f1:V``): names of the columns, one row a class or target."""
    split = {tuple(metric.name.split(_DETAIL, 1)): metric for metric in model.metrics if _DETAIL in metric.name}
    measures = list(dict.fromkeys(measure for measure, _ in split))
    labels = dict.fromkeys(label for _, label in split)
    rows = tuple(Row(label, tuple(cell(split.get((name, label))) for name in measures)) for label in labels)
    return tuple(words.name(name) for name in measures), rows


def row_of(name: str, everyone: Sequence[Scores], *, mark: bool = True) -> tuple[Cell, ...]:
    """The figure ``name`` of everyone, the best marked where there is a choice."""
    metrics = [find(scores, name) for scores in everyone]
    best = best_of(metrics) if mark else None
    return tuple(cell(metric, best) for metric in metrics)


def cell(metric: Metric | None, best: float | None = None) -> Cell:
    """A figure as text; a dash where there is none."""
    if metric is None:
        return Cell(MISSING)
    return Cell(number(metric.value), interval(metric), best is not None and metric.value == best)


def best_of(metrics: Sequence[Metric | None]) -> float | None:
    """The best value, or None where fewer than two are finite or neither more nor less is better."""
    finite = [metric for metric in metrics if metric is not None and math.isfinite(metric.value)]
    if len(finite) < 2 or finite[0].better == "nominal":
        return None
    values = [metric.value for metric in finite]
    return min(values) if finite[0].better == "lower" else max(values)


def find(scores: Scores, name: str) -> Metric | None:
    """A figure by name, or None."""
    return next((metric for metric in scores.metrics if metric.name == name), None)


def main_metric(evaluation: Evaluation) -> Metric | None:
    """The measure the verdict is about: evaluations put it first."""
    return next(iter(evaluation.model.metrics), None)


def best_baseline(evaluation: Evaluation) -> tuple[Scores, Metric] | None:
    """The baseline with the best finite main measure."""
    main = main_metric(evaluation)
    if main is None:
        return None
    rivals = [(scores, find(scores, main.name)) for scores in evaluation.baselines]
    finite = [(scores, metric) for scores, metric in rivals if metric and math.isfinite(metric.value)]
    sign = 1 if main.better == "lower" else -1
    return min(finite, key=lambda rival: sign * rival[1].value, default=None)


def caution(evaluation: Evaluation, words: Words) -> str | None:
    """The sentence that must stand under the table when a baseline wins or the model has no figure."""
    main, rival = main_metric(evaluation), best_baseline(evaluation)
    if main is None:
        return None
    if not evaluation.baselines:
        return words("no_baselines")
    if not math.isfinite(main.value):
        return words("metric_unknown", metric=words.name(main.name))
    if rival is None or (rival[1].value >= main.value if main.better == "lower" else rival[1].value <= main.value):
        return None
    return words(
        "baseline_wins",
        metric=words.name(main.name),
        baseline_name=words.name(rival[0].name),
        baseline=number(rival[1].value),
        model=number(main.value),
    )


def _arrowed(metric: Metric, words: Words) -> str:
    arrow = {"lower": " ↓", "higher": " ↑", "nominal": ""}[metric.better]
    return f"{words.name(metric.name)}{arrow}"
