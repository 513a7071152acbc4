"""What sets runs apart: which is better and how surely, what forbids comparing them, which settings differ."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from unrolled.core.errors import ConfigError
from unrolled.core.records import Metric, Run, Scores
from unrolled.report.format import MISSING, duration, interval, moment, number, simple, size
from unrolled.report.scoreboard import Row, find, row_of, scoreboard
from unrolled.report.words import Words


def several(runs: Sequence[Run], words: Words) -> tuple[str, ...]:
    """Names of the runs, numbered where two are called the same.

    Raises:
        ConfigError: fewer than two runs.
    """
    if len(runs) < 2:
        raise ConfigError(words("needs_two"), where="compare")
    total, seen = Counter(run.facts.name for run in runs), Counter[str]()
    names = []
    for run in runs:
        name = run.facts.name
        seen[name] += 1
        names.append(f"{name} ({seen[name]})" if total[name] > 1 else name)
    return tuple(names)


def shared_metric(runs: Sequence[Run]) -> str | None:
    """The first measure that is finite in every run, and of which less or more is better."""
    for metric in runs[0].evaluation.model.metrics:
        if metric.better == "nominal":
            continue
        everyone = [find(run.evaluation.model, metric.name) for run in runs]
        if all(one is not None and math.isfinite(one.value) for one in everyone):
            return metric.name
    return None


def standing(runs: Sequence[Run], words: Words) -> str:
    """Which run is better, in one sentence, and whether the intervals support it."""
    names = several(runs, words)
    if len({run.facts.task for run in runs}) > 1:
        return words("differs_task")
    name = shared_metric(runs)
    if name is None:
        return words("incomparable")
    found = [(label, run.evaluation.model[name]) for label, run in zip(names, runs, strict=True)]
    sign = 1 if found[0][1].better == "lower" else -1
    (best, first), (other, second) = sorted(found, key=lambda pair: sign * pair[1].value)[:2]
    if first.value == second.value:
        return words("equal", metric=words.name(name), value=number(first.value))
    return words(
        _certainty(first, second),
        best=best,
        other=other,
        metric=words.name(name),
        best_value=number(first.value),
        other_value=number(second.value),
    )


def _certainty(first: Metric, second: Metric) -> str:
    if not interval(first) or not interval(second):
        return "better_unknown"
    lower, upper = sorted((first, second), key=lambda metric: metric.value)
    return "better_clear" if (lower.high or 0.0) < (upper.low or 0.0) else "better_unclear"


def cautions(runs: Sequence[Run], words: Words) -> tuple[str, ...]:
    """What makes the figures of these runs hard or impossible to compare."""
    kinds: dict[str, set[Any]] = {
        "differs_task": {run.facts.task for run in runs},
        "differs_target": {run.facts.target for run in runs},
        "differs_data": {run.data.fingerprint for run in runs},
        "differs_part": {(run.evaluation.part, run.evaluation.count) for run in runs},
    }
    return tuple(words(key) for key, values in kinds.items() if len(values) > 1)


def figures(runs: Sequence[Run], words: Words) -> tuple[Row, ...]:
    """The measures of every run, best marked, and under them the main measure of each baseline."""
    rows = scoreboard([run.evaluation.model for run in runs], words)
    name = shared_metric(runs)
    if name is None:
        return rows
    baselines = dict.fromkeys(scores.name for run in runs for scores in run.evaluation.baselines)
    return rows + tuple(
        Row(
            words("of_baseline", metric=words.name(name), name=words.name(baseline)),
            row_of(name, [_baseline(run, baseline) for run in runs], mark=False),
        )
        for baseline in baselines
    )


def _baseline(run: Run, name: str) -> Scores:
    return next((scores for scores in run.evaluation.baselines if scores.name == name), Scores(name=name, metrics=()))


def facts(runs: Sequence[Run], words: Words) -> tuple[tuple[str, ...], ...]:
    """Name of a fact and its value in every run: data, size, effort."""
    parts = [(words.name(run.evaluation.part), f"{run.evaluation.count:,}") for run in runs]
    rows = (
        (words("verdict"), *(words(run.evaluation.verdict.level) for run in runs)),
        (words("target"), *(words.names(run.facts.target) for run in runs)),
        (words("source"), *(run.data.source for run in runs)),
        (words("measured_on"), *(words("part_samples", part=part, count=count) for part, count in parts)),
        (words("parameters"), *(f"{run.net.parameters:,}" for run in runs)),
        (words("size"), *(size(run.net.bytes) for run in runs)),
        (words("epochs"), *(f"{run.facts.epochs:,}" for run in runs)),
        (words("best_epoch"), *(f"{run.facts.best_epoch:,}" for run in runs)),
        (words("training_time"), *(duration(run.facts.seconds, words.language) for run in runs)),
        (words("created"), *(moment(run.facts.created) for run in runs)),
    )
    return rows


def settings(runs: Sequence[Run]) -> tuple[tuple[str, ...], ...]:
    """Dotted name of each setting that differs, and its value in every run."""
    flat = [_flat(simple(run.config)) for run in runs]
    names = dict.fromkeys(name for one in flat for name in one)
    rows = ((name, *(one.get(name, MISSING) for one in flat)) for name in names)
    return tuple(row for row in rows if len(set(row[1:])) > 1)


def _flat(value: Any, name: str = "") -> dict[str, str]:
    if isinstance(value, Mapping) and value:
        inner = (_flat(one, f"{name}.{key}" if name else str(key)) for key, one in value.items())
        return {key: text for part in inner for key, text in part.items()}
    return {name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}
