"""Pairs of arrays as sequences with two sides.

Letters: S pairs, T and U steps, D channels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from unrolled.core.errors import DataError
from unrolled.prepare.pairing import SIDE
from unrolled.prepare.readers.sequences import sequences
from unrolled.prepare.table import Array, Hints, Table


def pairs(first: Sequence[Array], second: Sequence[Array], labels: Mapping[str, Array], source: str) -> Table:
    """Pairs of arrays ``(T_i, D)`` and ``(U_i, D)``, with one value of each label a pair.

    Raises:
        DataError: the two sides differ in number or in columns.
    """
    if len(first) != len(second) or {one.shape[1:] for one in (*first, *second)} != {first[0].shape[1:]}:
        raise DataError(
            f"{len(first)} first and {len(second)} second sequences are no pairs, or their columns differ",
            where=source,
            mend="give two arrays (S, T) or (S, T, D) with the same S and D",
        )
    joined = [np.concatenate([one, other]) for one, other in zip(first, second, strict=True)]
    table = sequences(joined, source, labels=labels)
    sides = [np.repeat([0.0, 1.0], [len(one), len(other)]) for one, other in zip(first, second, strict=True)]
    hints = Hints(target=table.hints.target, task="pairs")
    return replace(table, columns={SIDE: np.concatenate(sides), **table.columns}, hints=hints)
