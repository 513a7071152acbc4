"""Samples of a part to look at, with their place in the file: the worst ones, and labels that may be wrong.

Letters: n samples, S steps, M targets, V values of the net.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from unrolled.core.diagnosis import Example, Finding
from unrolled.diagnose.suspects import label_suspects, worst
from unrolled.diagnose.wording import finding
from unrolled.prepare.decode import decode
from unrolled.prepare.samples import Samples
from unrolled.workflow.asked import numbers
from unrolled.workflow.names import stamp
from unrolled.workflow.reply import Reply

_LISTED = 10
_FEW, _RATE = 3, 0.02  # suspects, and their share, from which on labels are to be looked at
_UNSURE = 0.3  # share of suspects beyond which it is the net that is wrong
_ENOUGH = 20  # samples


def suspects(reply: Reply, samples: Samples, outputs: Tensor | None, losses: Tensor) -> Iterator[Finding]:
    """The samples with the largest loss; of classes also those whose label is suspect.

    Args:
        reply: reads outputs.
        samples: n of them, with their truth.
        outputs: ``(n, S, M, V)``; None where each step has its own answer.
        losses: ``(n,)``.
    """
    found = losses.numpy()
    order = worst(found, _LISTED)
    total, mean = float(np.nansum(found)), float(np.nanmean(found))
    if len(order) < np.isfinite(found).sum() and total > 0:  # where all are listed, nothing stands out
        figures = {
            "count": float(len(order)),
            "share": float(found[order].sum()) / total,
            "times": float(found[order[0]]) / mean,
        }
        examples = _examples(reply, samples, outputs, order, found[order])
        yield finding("worst_examples", "fine", probe="examples", figures=figures, examples=examples)
    if reply.model.task.name == "classify" and outputs is not None:
        yield from _labels(reply, samples, outputs)


def _labels(reply: Reply, samples: Samples, outputs: Tensor) -> Iterator[Finding]:
    probability = decode(outputs.numpy(), reply.model.decoding).probability
    truth = reply.model.truth(reply.series, samples)
    assert probability is not None
    known = np.flatnonzero(np.isfinite(truth[:, reply.target]))
    if len(known) < _ENOUGH:
        return
    found = label_suspects(probability[known, reply.target], truth[known, reply.target].astype(np.int64))
    figures = {"samples": float(len(known)), "count": float(len(found.samples)), "rate": found.share}
    if not len(found.samples) or len(found.samples) > _UNSURE * len(known):
        code = "labels_unjudged" if len(found.samples) else "labels_agree"
        yield finding(code, "fine", probe="labels", figures=figures)
        return
    order = known[found.samples][:_LISTED]
    many = len(found.samples) >= _FEW and len(found.samples) > _RATE * len(known)
    examples = _examples(reply, samples, outputs, order, found.margins[:_LISTED])
    yield finding("label_suspects", "watch" if many else "fine", probe="labels", figures=figures, examples=examples)


def _examples(
    reply: Reply, samples: Samples, outputs: Tensor | None, chosen: npt.NDArray[np.int64], figures: npt.NDArray[Any]
) -> list[Example]:
    some, nothing = samples[chosen], [""] * len(chosen)
    answers = nothing if outputs is None else reply.said(outputs[chosen], some)
    truth = nothing if outputs is None else reply.truth(some)
    whole = all(column.level == "case" for column in reply.model.preprocessor.schema.of_role("target"))
    return [
        Example(
            id=reply.series.ids[int(some.series[at])],
            at="" if whole else stamp(reply.series, int(some.end[at]) - 1),
            row=int(number),
            truth=truth[at],
            answer=answers[at],
            figure=float(figure),
        )
        for at, (figure, number) in enumerate(zip(figures, numbers(reply.model, reply.series, some), strict=True))
    ]
