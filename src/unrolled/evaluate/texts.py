"""The simple method for pairs of texts: how many words they share, rare ones counting more.

Letters: n samples.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unrolled.core.optional import require
from unrolled.evaluate.contest import Contest
from unrolled.evaluate.part import Part
from unrolled.prepare.answer import Answer
from unrolled.prepare.calibrate import platt
from unrolled.prepare.pairing import SIDE, TOKEN
from unrolled.program.functions import sigmoid


def tfidf(contest: Contest) -> Answer | None:
    """Cosine of TF-IDF vectors, alike from the threshold on that is right most often in the training part.

    The probability that goes with it is a logistic function of the cosine, fitted there too.
    """
    train, names = contest.train, [column.name for column in contest.part.series.row_columns]
    if train is None or TOKEN not in names or SIDE not in names:
        return None
    text = require("sklearn.feature_extraction.text", extra="train", purpose="the TF-IDF baseline")
    vectors = text.TfidfVectorizer(analyzer=str.split).fit([side for pair in _texts(train) for side in pair])

    def cosine(part: Part) -> npt.NDArray[np.float64]:
        first, second = (vectors.transform(list(side)) for side in zip(*_texts(part), strict=True))
        return np.asarray(first.multiply(second).sum(axis=1)).ravel()

    known = np.isfinite(train.truth[:, 0])
    seen, label = cosine(train)[known], train.truth[known, 0].astype(np.int64)
    alike = cosine(contest.part)
    scale, bias = platt(seen, label)
    chance = sigmoid(scale * alike + bias)
    return Answer(
        "pairs",
        (alike >= _most_right(seen, label))[:, None].astype(np.float64),
        probability=np.stack([1 - chance, chance], axis=-1)[:, None],
        targets=contest.names,
        classes=contest.classes,
    )


def _texts(part: Part) -> list[tuple[str, str]]:
    """Both sides of each sample, its words as ``w17`` for the code 17, with blanks between them."""
    series = part.series
    at = {column.name: series.index(column) for column in series.row_columns}
    found = []
    for begin, end in zip(part.samples.begin.tolist(), part.samples.end.tolist(), strict=True):
        rows = series.values[begin:end]
        words = np.char.add("w", rows[:, at[TOKEN]].astype(np.int64).astype(str))
        second = rows[:, at[SIDE]] > 0.5
        found.append((" ".join(words[~second]), " ".join(words[second])))
    return found


def _most_right(score: npt.NDArray[np.float64], label: npt.NDArray[np.int64]) -> float:
    """The threshold with the fewest errors: midway between two scores, or beyond all of them."""
    order = np.argsort(score, kind="stable")
    ordered, positive = score[order], label[order] == 1
    errors = (
        np.concatenate([[0], np.cumsum(positive)]) + (~positive).sum() - np.concatenate([[0], np.cumsum(~positive)])
    )
    between = np.concatenate([[True], np.diff(ordered) > 0, [True]])
    best = int(np.argmin(np.where(between, errors, len(label) + 1)))
    edges = np.concatenate([[ordered[0] - 1], ordered, [ordered[-1] + 1]])
    return float((edges[best] + edges[best + 1]) / 2)
