"""From a net's raw output to an answer in the user's units; the settings travel in the bundle as JSON.

Letters: n samples, S steps, M targets, V values of the net, K classes, Q probability levels, R ranks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from unrolled.core.records import Record
from unrolled.prepare import scores
from unrolled.prepare.arrays import Arrays
from unrolled.prepare.table import Table
from unrolled.program.functions import sigmoid

Values = npt.NDArray[np.floating[Any]]
_NEVER = 1e300  # a threshold that no score reaches; JSON has no infinity
Invert = Callable[[Values], Values]
"""Model scale to original units; takes and returns the shape of the truth, or that with an axis of Q at the end."""


class NumberDecoding(Record):
    """How numbers are read, of a forecast (truth ``(n, S, M)``) or a regression (truth ``(n, M)``).

    Attributes:
        task: decides the shape of the answer.
        targets: names, in the order of the net's output.
        horizon: steps to forecast; more than the net's own steps means that the net is rolled out.
        quantiles: probability of each of the net's values; empty when the net gives one point.
        levels: probabilities of the calibrated quantiles; the first and the last make the interval.
        offsets: ``(Q, S, M)`` in model scale, added to the point (or to the net's own quantile) to give the
            calibrated quantile; empty when nothing was calibrated.
        summed: for each target, whether its steps are changes that add up to the forecast: its offsets then belong
            to their running sum. Empty means no target.
        calibrated_on: how many samples the offsets rest on.
        bounds: smallest and largest possible answer, in original units.
    """

    task: Literal["forecast", "regress"]
    targets: tuple[str, ...]
    horizon: int = 1
    quantiles: tuple[float, ...] = ()
    levels: tuple[float, ...] = ()
    offsets: tuple[tuple[tuple[float, ...], ...], ...] = ()
    summed: tuple[bool, ...] = ()
    calibrated_on: int = 0
    bounds: tuple[float | None, float | None] = (None, None)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        targets = len(self.targets)
        rows = [row for level in self.offsets for row in level]
        if self.offsets and (
            len(self.offsets) != len(self.levels)
            or (self.quantiles and len(self.quantiles) != len(self.levels))
            or {len(level) for level in self.offsets} != {self.horizon}
            or {len(row) for row in rows} != {targets}
        ):
            raise ValueError("offsets must be one number for each level, step and target")
        if len(self.summed) not in (0, targets):
            raise ValueError("summed must say yes or no for each target")
        return self

    @property
    def point(self) -> int:
        """Which of the net's values is the prediction: the one nearest to the median."""
        return int(np.argmin(np.abs(np.asarray(self.quantiles) - 0.5))) if self.quantiles else 0


class ClassDecoding(Record):
    """How labels are read: a softmax over each target's classes, its logits divided by a temperature."""

    task: Literal["classify", "tag"] = "classify"
    targets: tuple[str, ...]
    classes: tuple[tuple[str, ...], ...]  # of each target
    temperatures: tuple[float, ...] = ()  # of each target; empty means 1


class AlarmDecoding(Record):
    """How a probability of failure is read: ``sigmoid(scale * logit + bias)``, alarm from ``threshold`` on."""

    task: Literal["failure"] = "failure"
    target: str
    horizon: int
    scale: float = 1.0
    bias: float = 0.0
    threshold: float = 0.5


Table2 = tuple[tuple[float, ...], ...]


class AnomalyDecoding(Record):
    """How errors are read: standardised, summed up to a score, alarm above ``threshold``.

    Attributes:
        target: the column with the labels, "" where there is none.
        channels: the numeric inputs that are forecast or reconstructed.
        kind: what the net does.
        ahead: steps that it forecasts.
        center, scale: of the errors, ``(ahead, channels)``; empty before they were fitted.
        warm_up: rows at the beginning of a sequence, or of what is read of it, that have no score (0).
        by_row: scores are one a row, not one a sequence.
        combine: how the scores of rows become that of a sequence.
        threshold: in standard deviations of the errors; 1e300 before it was fitted.
        false_alarms: the share of usual rows or sequences that the threshold was to let through.
    """

    task: Literal["anomaly"] = "anomaly"
    target: str = ""
    channels: tuple[str, ...]
    kind: scores.Kind
    ahead: int = Field(1, ge=1, le=10_000)
    warm_up: int = Field(0, ge=0)
    center: Table2 = ()
    scale: Table2 = ()
    by_row: bool = True
    combine: scores.Combine = "mean"
    threshold: float = _NEVER
    false_alarms: float = 0.01

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for table in (self.center, self.scale):
            if table and (len(table) != self.ahead or {len(row) for row in table} != {len(self.channels)}):
                raise ValueError("center and scale must be one number for each step ahead and channel")
        return self

    def row_scores(self, errors: Values) -> npt.NDArray[np.float64]:
        """``(N,)`` scores of errors ``(N, ahead, channels)``."""
        plain = np.ones((self.ahead, len(self.channels)))
        return scores.row_scores(errors, np.asarray(self.center or 0 * plain), np.asarray(self.scale or plain))

    def score(self, errors: Values, counts: npt.NDArray[np.int64] | None) -> npt.NDArray[np.float64]:
        """Scores of rows, or of the sequences that have ``counts`` rows each."""
        rows = self.row_scores(errors)
        if self.by_row or counts is None:
            return rows
        return scores.sequence_scores(rows, counts, self.combine)

    def answer(self, score: npt.NDArray[np.float64]) -> Answer:
        """Scores ``(n,)`` with their alarms."""
        alarm = (score > self.threshold).astype(np.float64)
        return Answer(
            self.task,
            alarm[:, None],
            score=score[:, None],
            threshold=self.threshold,
            targets=(self.target,),
            classes=(("no", "yes"),),
        )


class PairDecoding(Record):
    """How a pair is read: similar with the probability ``sigmoid(scale * score + bias)``."""

    task: Literal["pairs"] = "pairs"
    targets: tuple[str]
    classes: tuple[str, str]  # the second is that of pairs that are alike
    scale: float = 1.0
    bias: float = 0.0


class RankDecoding(Record):
    """How scores of items are read: the ``top`` best, with their share of a softmax over all."""

    task: Literal["recommend"] = "recommend"
    targets: tuple[str]
    items: tuple[str, ...] = Field(min_length=1)
    top: int = Field(20, ge=1)
    temperature: float = Field(1.0, gt=0)


Decoding = Annotated[
    NumberDecoding | ClassDecoding | AlarmDecoding | AnomalyDecoding | PairDecoding | RankDecoding,
    Field(discriminator="task"),
]


@dataclass(frozen=True)
class Answer:
    """Predictions of n samples.

    Attributes:
        task: what was decoded.
        value: of the truth's shape, ``(n, S, M)`` or ``(n, M)``: numbers in original units, class codes, or
            1 for an alarm and 0 for none. Where answers are one a row, n is the number of rows.
        quantiles: ``value.shape + (Q,)``, ascending along the last axis, or None.
        levels: the Q probabilities.
        probability: ``(n, M, K)`` of each class (a failure: "no", "yes"), ``(n, M, R)`` of ranked items, or None.
        score: ``(n, M)`` how unusual it is, where that is asked, or None.
        threshold: the score above which there is an alarm.
        targets: the M names.
        classes: names of each target's classes.
        ranking: ``(n, M, R)`` codes of the likeliest classes, best first, where not all are kept.
    """

    task: Literal["forecast", "regress", "classify", "failure", "tag", "anomaly", "recommend", "pairs"]
    value: Values
    quantiles: Values | None = None
    levels: tuple[float, ...] = ()
    probability: Values | None = None
    score: Values | None = None
    threshold: float | None = None
    targets: tuple[str, ...] = ()
    classes: tuple[tuple[str, ...], ...] = ()
    ranking: npt.NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.value)


def every(decoding: Decoding) -> bool:
    """Whether each step of a sample has its own answer."""
    return decoding.task in ("tag", "anomaly")


def each_row(decoding: Decoding) -> bool:
    """Whether answers are one a row, and not one a sample."""
    return decoding.by_row if isinstance(decoding, AnomalyDecoding) else every(decoding)


def by_row(output: Values, arrays: Arrays, decoding: Decoding) -> Values:
    """What ``decode`` reads, from a net's output ``(B, T, M, V)`` that has an answer for every step.

    Of tags ``(N, 1, M, V)`` for the N rows that have an answer; of anomalies their errors ``(N, ahead, channels, 1)``.
    """
    assert arrays.answered is not None
    if isinstance(decoding, AnomalyDecoding):
        assert arrays.y is not None
        errors = scores.errors(output, arrays.y, decoding.kind)
        errors[:, : decoding.warm_up] = np.nan
        return errors[arrays.answered][..., None]
    return output[arrays.answered][:, None]


def decode(
    output: Values,
    decoding: Decoding,
    invert: Invert | None = None,
    *,
    counts: npt.NDArray[np.int64] | None = None,
) -> Answer:
    """Read the net's output.

    Args:
        output: ``(n, S, M, V)`` in model scale, or what ``by_row`` makes of it.
        decoding: fitted settings.
        invert: to original units; None leaves numbers in model scale.
        counts: rows of each sample, where each step has its own answer.
    """
    if isinstance(decoding, AnomalyDecoding):
        return decoding.answer(decoding.score(output[..., 0], counts))
    if isinstance(decoding, NumberDecoding):
        return _numbers(output, decoding, invert or (lambda values: values))
    if isinstance(decoding, ClassDecoding):
        return _labels(output[:, 0], decoding)
    if isinstance(decoding, PairDecoding):
        return _alike(output[:, 0, :, 0], decoding)
    if isinstance(decoding, RankDecoding):
        return _ranks(output[:, 0, 0], decoding)
    return _alarms(output[:, 0, :, 0], decoding)


def joined(parts: Sequence[Answer]) -> Answer:
    """Answers of pieces of the samples, one after another."""

    def whole(name: str) -> Any:
        values = [getattr(part, name) for part in parts]
        return None if values[0] is None else np.concatenate(values)

    kept = ("value", "quantiles", "probability", "score", "ranking")
    return replace(parts[0], **{name: whole(name) for name in kept})


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


def _numbers(output: Values, decoding: NumberDecoding, invert: Invert) -> Answer:
    def original(values: Values) -> Values:
        found = invert(values[:, 0] if decoding.task == "regress" else values)
        return np.clip(found, *decoding.bounds) if decoding.bounds != (None, None) else found

    levels = decoding.levels if decoding.offsets else decoding.quantiles
    if not levels:
        return Answer(decoding.task, original(output[..., 0]), targets=decoding.targets)
    base = output if decoding.quantiles else output[..., [0] * len(levels)]
    if decoding.offsets:
        base = base + np.moveaxis(_by_step(decoding), 0, -1).astype(output.dtype)
    found = np.sort(original(base), axis=-1)  # quantiles must not cross (Chernozhukov et al. 2010)
    if decoding.quantiles:
        return Answer(decoding.task, found[..., decoding.point], found, levels, targets=decoding.targets)
    value = original(output[..., 0])
    return Answer(decoding.task, value, _around(value, found, levels), levels, targets=decoding.targets)


def _by_step(decoding: NumberDecoding) -> npt.NDArray[np.float64]:
    """``(Q, S, M)`` offsets of single steps, whose running sum is the offset where steps are summed."""
    offsets = np.asarray(decoding.offsets, dtype=np.float64)
    if not any(decoding.summed):
        return offsets
    return np.where(decoding.summed, np.diff(offsets, axis=1, prepend=0), offsets)


def _around(value: Values, quantiles: Values, levels: Sequence[float]) -> Values:
    """Quantiles widened where they leave out the prediction itself, as after a biased net; no coverage is lost."""
    level, own = np.asarray(levels), value[..., None]
    widened = np.where(level < 0.5, np.minimum(quantiles, own), quantiles)
    return np.where(level > 0.5, np.maximum(widened, own), widened)


def _labels(logits: Values, decoding: ClassDecoding) -> Answer:
    logits = logits.astype(np.float64)
    probability = np.zeros(logits.shape)
    for at, classes in enumerate(decoding.classes):
        temperature = decoding.temperatures[at] if decoding.temperatures else 1.0
        probability[:, at, : len(classes)] = softmax(logits[:, at, : len(classes)] / temperature)
    value = probability.argmax(-1).astype(np.float64)
    return Answer(decoding.task, value, probability=probability, targets=decoding.targets, classes=decoding.classes)


def _alarms(logits: Values, decoding: AlarmDecoding) -> Answer:
    failing = sigmoid(decoding.scale * logits.astype(np.float64) + decoding.bias)
    return Answer(
        decoding.task,
        (failing >= decoding.threshold).astype(np.float64),
        probability=np.stack([1 - failing, failing], axis=-1),
        targets=(decoding.target,),
        classes=(("no", "yes"),),
    )


def _alike(scores: Values, decoding: PairDecoding) -> Answer:
    chance = sigmoid(decoding.scale * scores.astype(np.float64) + decoding.bias)
    value, both = (chance >= 0.5).astype(np.float64), np.stack([1 - chance, chance], axis=-1)
    return Answer(decoding.task, value, probability=both, targets=decoding.targets, classes=(decoding.classes,))


def _ranks(scores: Values, decoding: RankDecoding) -> Answer:
    """The best of ``(n, K)`` scores; equal ones in the order of the catalogue."""
    scores = scores.astype(np.float64) / decoding.temperature
    count, top = scores.shape[1], min(decoding.top, scores.shape[1])
    best = np.argpartition(-scores, min(top, count - 1), axis=1)[:, :top]
    best.sort(axis=1)
    order = np.argsort(-np.take_along_axis(scores, best, 1), axis=1, kind="stable")
    best = np.take_along_axis(best, order, 1).astype(np.int64)
    highest = scores.max(1, keepdims=True)
    total = np.exp(scores - highest).sum(1, keepdims=True)
    chance = np.exp(np.take_along_axis(scores, best, 1) - highest) / total
    return Answer(
        decoding.task,
        best[:, :1].astype(np.float64),
        probability=chance[:, None],
        targets=decoding.targets,
        classes=(decoding.items,),
        ranking=best[:, None],
    )


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


def softmax(logits: Values) -> npt.NDArray[np.float64]:
    """Softmax over the last axis, in float64."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(-1, keepdims=True))
    result: npt.NDArray[np.float64] = shifted / shifted.sum(-1, keepdims=True)
    return result
