"""Strings of labels: the truth of a sequence that has a shorter sequence of labels (the digits that somebody says).

In a series such a column holds a code for each whole string, as a category does; what is learnt are the labels in it.
Letters: n strings, L labels of the longest of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from unrolled.prepare.labels import in_order

Spelling = Literal["characters", "words"]
Codes = npt.NDArray[np.float64]


def guessed(texts: Iterable[str]) -> Spelling:
    """Words where one of the strings has white space inside, characters otherwise."""
    return "words" if any(len(text.split()) > 1 for text in texts) else "characters"


def cut(text: str, spelling: Spelling) -> tuple[str, ...]:
    """The labels of a string; white space around it is none."""
    return tuple(text.split()) if spelling == "words" else tuple(text.strip())


def joined(labels: Iterable[str], spelling: Spelling) -> str:
    """The string of labels."""
    return (" " if spelling == "words" else "").join(labels)


def alphabet(texts: Iterable[str], spelling: Spelling) -> tuple[str, ...]:
    """Every label that stands in one of the strings, in order."""
    return in_order(label for text in texts for label in cut(text, spelling))


def padded(rows: Sequence[Sequence[Any]], least: int = 0) -> Codes:
    """``(n, L)`` codes, NaN behind the end of each string."""
    out = np.full((len(rows), max(least, max(map(len, rows), default=0))), np.nan)
    for own, row in zip(out, rows, strict=True):
        own[: len(row)] = row
    return out


def stacked(parts: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """``(n, L)`` codes of pieces with different L, one after another."""
    widest = max(part.shape[1] for part in parts)
    return np.concatenate(
        [np.pad(part, ((0, 0), (0, widest - part.shape[1])), constant_values=np.nan) for part in parts]
    )


def lengths(codes: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """``(n,)`` labels of each string of ``(n, L)`` codes."""
    count: npt.NDArray[np.int64] = np.isfinite(codes).sum(1)
    return count


def texts_of(codes: npt.NDArray[Any], labels: Sequence[str], spelling: Spelling) -> list[str]:
    """What ``(n, L)`` codes spell."""
    return [joined((labels[int(code)] for code in row[np.isfinite(row)]), spelling) for row in codes]
