"""Simple methods for the next item of a session: what is popular, and what followed the last item before.

Letters: n samples, K items, R ranks, P pairs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.evaluate.contest import Contest
from unrolled.evaluate.part import Part
from unrolled.prepare.answer import Answer
from unrolled.prepare.labels import recoding
from unrolled.prepare.pages import taken

_Float = npt.NDArray[np.float64]
_Codes = npt.NDArray[np.int64]
_RANKS = 20


def popularity(contest: Contest) -> Answer:
    """The items that follow most often, for everybody."""
    share = _shares(contest, contest.train or contest.part)
    best = np.argsort(-share, kind="stable")[:_RANKS]
    shape = (len(contest.part), len(best))
    return _ranked(contest, np.broadcast_to(best, shape), np.broadcast_to(share[best], shape))


def transitions(contest: Contest) -> Answer | None:
    """What followed the last item most often (a Markov chain of order one), then what is popular.

    The probability is ``(count + share) / (total + 1)``: one more observation, spread by popularity.
    """
    if contest.train is None:
        return None
    share, items = _shares(contest, contest.train), len(contest.classes[0])
    popular = np.argsort(-share, kind="stable")[:_RANKS]
    first, following, count = _pairs(_last(contest, contest.train), contest.train.truth[:, 0], items)
    last, member = np.unique(_last(contest, contest.part), return_inverse=True)
    best = np.empty((len(last), len(popular)), dtype=np.int64)
    chance = np.empty(best.shape)
    begin, end = np.searchsorted(first, last), np.searchsorted(first, last, side="right")
    for at, (low, high) in enumerate(zip(begin.tolist(), end.tolist(), strict=True)):
        seen = following[low:high]
        codes = np.concatenate([seen, np.setdiff1d(popular, seen)])
        score = share[codes]
        score[: high - low] += count[low:high]
        order = np.argsort(-score, kind="stable")[: len(popular)]
        best[at], chance[at] = codes[order], score[order] / (count[low:high].sum() + 1)
    return _ranked(contest, best[member], chance[member])


def _shares(contest: Contest, part: Part) -> _Float:
    """``(K,)`` how often each item follows."""
    items = len(contest.classes[0])
    codes = part.truth[part.truth[:, 0] < items, 0].astype(np.int64)
    shares: _Float = np.bincount(codes, minlength=items) / max(1, len(codes))
    return shares


def _last(contest: Contest, part: Part) -> _Codes:
    """``(n,)`` code of the last item of each sample; K for one that is not in the catalogue."""
    column = part.series.of_role("target")[0]
    table = recoding(column.categories, contest.classes[0])
    raw = taken(part.series.values[:, part.series.index(column)], part.samples.end - 1)
    found: _Codes = table[np.where(np.isnan(raw), len(table) - 1, raw).astype(np.int64)].astype(np.int64)
    return found


def _pairs(last: _Codes, truth: npt.NDArray[Any], items: int) -> tuple[_Codes, _Codes, _Codes]:
    """``(P,)`` first item, second item and count of every pair of the catalogue that occurs, in that order."""
    known = (last < items) & (truth < items)
    pair, count = np.unique(last[known] * items + truth[known].astype(np.int64), return_counts=True)
    return pair // items, pair % items, count


def _ranked(contest: Contest, best: _Codes, chance: _Float) -> Answer:
    return Answer(
        "recommend",
        best[:, :1].astype(np.float64),
        probability=chance[:, None],
        targets=contest.names,
        classes=contest.classes,
        ranking=best[:, None],
    )
