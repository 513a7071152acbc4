"""Strings of labels: the simple method beside them, and which labels are taken for which.

Letters: n strings, L labels of the longest.
"""

from __future__ import annotations

import numpy as np

from unrolled.core.records import ConfusionPicture
from unrolled.evaluate.contest import Contest
from unrolled.evaluate.matrix import confusion_picture
from unrolled.prepare.alignment import aligned, distances
from unrolled.prepare.answer import Answer
from unrolled.tasks.task import Values

_MOST = 500  # training strings among which the median is looked for
_ALIGNED = 5000  # strings whose labels are compared, at most
_NOTHING = "-"


def median_string(contest: Contest) -> Answer:
    """Always the training string that is nearest to all others (the set median of Kohonen 1985)."""
    truth = (contest.train or contest.part).truth
    known = truth[np.isfinite(truth).any(axis=1)]
    some = known[np.unique(np.linspace(0, len(known) - 1, min(len(known), _MOST)).astype(np.int64))]
    total = [int(distances(np.broadcast_to(one, some.shape), some).sum()) for one in some]
    best, count = some[int(np.argmin(total))], len(contest.part)
    share = float((distances(np.broadcast_to(best, some.shape), some) == 0).mean())
    (target,) = contest.part.series.of_role("target")
    return Answer(
        "ctc",
        np.tile(best[np.isfinite(best)], (count, 1)),
        probability=np.full((count, 1, 1), share),
        targets=contest.names,
        classes=contest.classes,
        spelling=target.spelling,
    )


def string_pictures(truth: Values, answer: Answer) -> tuple[ConfusionPicture, ...]:
    """Which label stands where another should, "-" for none; as a shortest way from truth to answer has it."""
    labels = answer.classes[0]
    nothing = len(labels)
    pairs: list[tuple[int | None, int | None]] = []
    for true, said in zip(truth[:_ALIGNED], answer.value[:_ALIGNED], strict=True):
        if np.isfinite(true).any():
            pairs += aligned(_codes(true), _codes(said))
    if not pairs:
        return ()
    codes = np.array([[nothing if code is None else code for code in pair] for pair in pairs])
    return (confusion_picture(codes[:, 0], codes[:, 1], (*labels, _NOTHING)),)


def _codes(row: Values) -> list[int]:
    return [int(code) for code in row[np.isfinite(row)]]
