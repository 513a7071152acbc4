"""Answers in the units of the user, and as a table.

Letters: n samples, S steps, M targets, K classes, Q probability levels, R ranks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from unrolled.prepare.spelling import Spelling, stacked, texts_of
from unrolled.prepare.table import Table

Values = npt.NDArray[np.floating[Any]]

_EACH = ("value", "quantiles", "probability", "score", "ranking")  # what there is for each prediction


@dataclass(frozen=True)
class Answer:
    """Predictions of n samples.

    Attributes:
        task: what was decoded.
        value: of the truth's shape, ``(n, S, M)`` or ``(n, M)``: numbers in original units, class codes, or
            1 for an alarm and 0 for none. Where answers are one a row, n is the number of rows. Of strings of labels
            ``(n, L)`` codes, NaN behind the end of each.
        quantiles: ``value.shape + (Q,)``, ascending along the last axis, or None.
        levels: the Q probabilities.
        probability: ``(n, M, K)`` of each class (a failure: "no", "yes"), ``(n, M, R)`` of ranked items,
            ``(n, 1, 1)`` of the string, or None.
        score: ``(n, M)`` how unusual it is, where that is asked, or None.
        threshold: the score above which there is an alarm.
        targets: the M names.
        classes: names of each target's classes.
        ranking: ``(n, M, R)`` codes of the likeliest classes, best first, where not all are kept.
        spelling: how labels make a string, where the answer is one.
    """

    task: Literal["forecast", "regress", "classify", "failure", "tag", "anomaly", "recommend", "pairs", "ctc"]
    value: Values
    quantiles: Values | None = None
    levels: tuple[float, ...] = ()
    probability: Values | None = None
    score: Values | None = None
    threshold: float | None = None
    targets: tuple[str, ...] = ()
    classes: tuple[tuple[str, ...], ...] = ()
    ranking: npt.NDArray[np.int64] | None = None
    spelling: Spelling | None = None

    def __len__(self) -> int:
        return len(self.value)

    def __getitem__(self, index: npt.NDArray[np.int64]) -> Answer:
        """Some of the predictions."""
        given = {name: getattr(self, name) for name in _EACH}
        some: dict[str, Any] = {name: None if part is None else part[index] for name, part in given.items()}
        return replace(self, **some)


def joined(parts: Sequence[Answer]) -> Answer:
    """Answers of pieces of the samples, one after another."""

    def whole(name: str) -> Any:
        values = [getattr(part, name) for part in parts]
        if values[0] is None:
            return None
        strings = parts[0].spelling is not None and name == "value"
        return stacked(values) if strings else np.concatenate(values)

    return replace(parts[0], **{name: whole(name) for name in _EACH})


def table(answer: Answer, ids: Sequence[str], times: npt.NDArray[Any] | None = None) -> Table:
    """The answer as columns, one row a sample and step, or a sample and rank.

    Args:
        answer: n samples.
        ids: n names of sequences.
        times: ``(n, S)`` or ``(n,)`` time stamps that the predictions are for, or None.
    """
    if answer.ranking is not None:
        return _ranked(answer, answer.ranking[:, 0], ids, times)
    steps = answer.value.shape[1] if answer.value.ndim == 3 else 1
    columns: dict[str, npt.NDArray[Any]] = {"id": np.repeat(np.asarray(ids, dtype=object), steps)}
    if times is not None:
        columns["time"] = np.asarray(times).reshape(-1)
    if answer.value.ndim == 3:
        columns["step"] = np.tile(np.arange(1.0, steps + 1), len(answer))
    for at, target in enumerate(answer.targets):
        columns |= _columns(answer, at, target)
    return Table(columns=columns, source="predictions")


def _ranked(
    answer: Answer, ranking: npt.NDArray[np.int64], ids: Sequence[str], times: npt.NDArray[Any] | None
) -> Table:
    """One row a sample and rank: the item, and its probability."""
    assert answer.probability is not None
    top = ranking.shape[1]
    columns: dict[str, npt.NDArray[Any]] = {"id": np.repeat(np.asarray(ids, dtype=object), top)}
    if times is not None:
        columns["time"] = np.repeat(times, top)
    columns["rank"] = np.tile(np.arange(1.0, top + 1), len(answer))
    columns[answer.targets[0]] = np.asarray(answer.classes[0], dtype=object)[ranking.reshape(-1)]
    columns["probability"] = answer.probability[:, 0].reshape(-1)
    return Table(columns=columns, source="predictions")


def _columns(answer: Answer, at: int, target: str) -> dict[str, npt.NDArray[Any]]:
    if answer.spelling is not None:
        assert answer.probability is not None
        texts = np.array(texts_of(answer.value, answer.classes[0], answer.spelling), dtype=object)
        return {target: texts, "probability": answer.probability[:, 0, 0].astype(np.float64)}
    value = answer.value[..., at].reshape(-1).astype(np.float64)
    if answer.score is not None:
        limit = np.full(len(value), np.nan if answer.threshold is None else answer.threshold)
        return {"score": answer.score[:, at].astype(np.float64), "threshold": limit, "alarm": value}
    if answer.probability is None:
        columns: dict[str, npt.NDArray[Any]] = {target: value}
        if answer.quantiles is not None:
            columns[f"{target}_low"] = answer.quantiles[..., at, 0].reshape(-1).astype(np.float64)
            columns[f"{target}_high"] = answer.quantiles[..., at, -1].reshape(-1).astype(np.float64)
        return columns
    if answer.task == "failure":
        return {"probability": answer.probability[:, at, 1].astype(np.float64), "alarm": value}
    classes = answer.classes[at]
    columns = {target: np.asarray(classes, dtype=object)[value.astype(np.int64)]}
    for code, label in enumerate(classes):
        columns[f"{target}_probability_{label}"] = answer.probability[:, at, code].astype(np.float64)
    return columns
