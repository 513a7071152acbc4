"""Categories and their codes.

Letters: N rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.prepare.pages import pieces, taken

_Codes = npt.NDArray[np.int64]

SEPARATOR = "|"
"""Between the labels of a sequence that has several."""


def factorize(column: npt.NDArray[Any]) -> tuple[_Codes, list[str]]:
    """``(N,)`` codes in order of first appearance (-1 = missing) and the names they stand for."""
    heads, codes, names = runs(column)
    return np.repeat(codes, np.diff(heads, append=len(column))), names


def runs(column: npt.NDArray[Any]) -> tuple[_Codes, _Codes, list[str]]:
    """First row ``(R,)`` and code ``(R,)`` of each run of equal cells, and the names of the codes, as ``factorize``.

    Columns that name something come in runs; memory is needed for these only.
    """
    heads = [np.zeros(0, dtype=np.int64)]
    last: Any = None
    for begin, piece in pieces(column):
        fresh = np.append(begin == 0 or piece[0] != last, piece[1:] != piece[:-1])
        heads.append(begin + np.flatnonzero(fresh))
        last = piece[-1]
    rows = np.concatenate(heads)
    return rows, *_factorize(taken(column, rows))


def _factorize(column: npt.NDArray[Any]) -> tuple[_Codes, list[str]]:
    if column.dtype == object:
        seen: dict[str | None, int] = {None: -1}
        codes = np.fromiter((seen.setdefault(value, len(seen) - 1) for value in column), np.int64, len(column))
        return codes, [str(name) for name in seen if name is not None]
    values, first, codes = np.unique(column, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    order = order[~np.isnan(values[order])]
    rank = np.full(len(values), -1, dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank[codes.reshape(-1)], [name_of(value) for value in values[order]]


def name_of(value: Any) -> str:
    """The label that a cell stands for: whole numbers without a decimal point."""
    if isinstance(value, float | np.floating):
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    return str(value)


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Sorted labels: as numbers where all are numbers, as text otherwise."""
    distinct = sorted(set(names))
    try:
        return tuple(sorted(distinct, key=float))
    except ValueError:
        return tuple(distinct)


def encode(column: npt.NDArray[Any], known: Sequence[str]) -> tuple[npt.NDArray[np.float32], tuple[str, ...]]:
    """Codes of a column, and the labels they index: ``known`` ones first, then those met for the first time.

    Returns:
        ``(N,)`` float32 codes (NaN = missing) and all labels.
    """
    codes, names = factorize(column)
    fresh = in_order(set(names) - set(known))
    labels = (*known, *fresh)
    place = {label: code for code, label in enumerate(labels)}
    table = np.array([*(place[name] for name in names), np.nan], dtype=np.float32)
    return table[codes], labels


def split_labels(column: npt.NDArray[Any]) -> tuple[list[frozenset[str] | None], tuple[str, ...]]:
    """The labels of every row (None = missing) of a column that holds several a row, and all of them in order."""
    rows = [
        None if text is None else frozenset(part.strip() for part in str(text).split(SEPARATOR) if part.strip())
        for text in column
    ]
    return rows, in_order(label for row in rows if row is not None for label in row)


def recoding(source: Sequence[str], own: Sequence[str]) -> npt.NDArray[np.float32]:
    """Table from codes of ``source`` to codes of ``own``; foreign ones, and its last entry, are ``len(own)``."""
    place = {label: code for code, label in enumerate(own)}
    return np.array([*(place.get(label, len(own)) for label in source), len(own)], dtype=np.float32)
