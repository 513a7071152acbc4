"""How far two strings of labels are apart, and which label stands for which.

The distance of Levenshtein 1966 ("Binary codes capable of correcting deletions, insertions and reversals"): the fewest
labels to leave out, to put in or to exchange.

Letters: n pairs, L and N labels of the longest strings.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.prepare.spelling import lengths

Codes = npt.NDArray[Any]


def distances(one: Codes, other: Codes) -> npt.NDArray[np.int64]:
    """``(n,)`` edit distances of the strings ``(n, L)`` and ``(n, N)``, NaN behind the end of each.

    Wagner & Fischer 1974, one label of ``one`` at a time for all pairs. Along a row, ``d[j] = min(c[j], d[j - 1] + 1)``
    is the running minimum of ``c[j] - j``.
    """
    place = np.arange(other.shape[1] + 1)
    row = np.broadcast_to(place, (len(one), len(place))).astype(np.int64)
    for at in range(one.shape[1]):
        label = one[:, at, None]
        exchanged = row[:, :-1] + (other != label)
        reached = np.concatenate([row[:, :1] + 1, np.minimum(exchanged, row[:, 1:] + 1)], axis=1)
        grown = np.minimum.accumulate(reached - place, axis=1) + place
        row = np.where(np.isfinite(label), grown, row)
    found: npt.NDArray[np.int64] = row[np.arange(len(row)), lengths(other)]
    return found


def aligned(one: Sequence[int], other: Sequence[int]) -> list[tuple[int | None, int | None]]:
    """Pairs of labels of a shortest way from ``one`` to ``other``, in order; None where the other has none.

    Of equal ways the one that exchanges rather than leaves out, from the end.
    """
    table = np.zeros((len(one) + 1, len(other) + 1), dtype=np.int64)
    table[0], table[:, 0] = np.arange(len(other) + 1), np.arange(len(one) + 1)
    for at, label in enumerate(one, start=1):
        for place, candidate in enumerate(other, start=1):
            ways = table[at - 1, place - 1] + (label != candidate), table[at - 1, place] + 1, table[at, place - 1] + 1
            table[at, place] = min(ways)
    pairs: list[tuple[int | None, int | None]] = []
    at, place = len(one), len(other)
    while at or place:
        exchange = at and place and table[at, place] == table[at - 1, place - 1] + (one[at - 1] != other[place - 1])
        left_out = not exchange and at and table[at, place] == table[at - 1, place] + 1
        first = one[at - 1] if exchange or left_out else None
        second = None if left_out else other[place - 1]
        pairs.append((first, second))
        at, place = at - (first is not None), place - (second is not None)
    return pairs[::-1]
