"""From a net's raw output to an answer in the user's units.

Letters: n samples, S steps, M targets, V values of the net, K classes, Q probability levels, R ranks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from unrolled.prepare import ctc, scores
from unrolled.prepare.answer import Answer, Values
from unrolled.prepare.arrays import Arrays
from unrolled.prepare.decoding import (
    AlarmDecoding,
    AnomalyDecoding,
    ClassDecoding,
    Decoding,
    NumberDecoding,
    PairDecoding,
    RankDecoding,
    StringDecoding,
)
from unrolled.prepare.spelling import padded
from unrolled.program.functions import sigmoid

Invert = Callable[[Values], Values]
"""Model scale to original units; takes and returns the shape of the truth, or that with an axis of Q at the end."""


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
        output: ``(n, S, M, V)`` in model scale (for strings of labels of all S steps), or what ``by_row`` makes of it.
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
    if isinstance(decoding, StringDecoding):
        return _strings(output[:, :, 0], decoding)
    if isinstance(decoding, RankDecoding):
        return _ranks(output[:, 0, 0], decoding)
    return _alarms(output[:, 0, :, 0], decoding)


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


def _strings(logits: Values, decoding: StringDecoding) -> Answer:
    """The label sequence of each of ``(n, S, V)``, with the probability of all its paths."""
    shifted = logits.astype(np.float64) - logits.max(-1, keepdims=True)
    rows = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    found = [ctc.greedy(own) if decoding.width == 1 else ctc.beam(own, decoding.width)[0][0] for own in rows]
    codes = padded(found)
    return Answer(
        decoding.task,
        codes - 1,
        probability=np.exp(ctc.log_likelihood(rows, codes))[:, None, None],
        targets=decoding.targets,
        classes=(decoding.labels,),
        spelling=decoding.spelling,
    )


def softmax(logits: Values) -> npt.NDArray[np.float64]:
    """Softmax over the last axis, in float64."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(-1, keepdims=True))
    result: npt.NDArray[np.float64] = shifted / shifted.sum(-1, keepdims=True)
    return result
