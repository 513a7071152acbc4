"""Chunks: stretches of rows whose tags say "begins here" and "goes on" (B-city, I-city, O), and how many are right.

A chunk is right when its first row, its last row and its type are (CoNLL-2000 shared task, Tjong Kim Sang & Buchholz;
seqeval's default). Broken tags are read as there: a chunk also begins where "I" follows something else than its type.
Letters: N rows, K classes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from unrolled.tasks.labels import counted_figures
from unrolled.tasks.statistic import Index, Statistic

Flags = npt.NDArray[np.bool_]

_TAG = re.compile(r"O|[BIES](-.+)?")
_OUTSIDE, _BEGIN, _INSIDE, _END, _SINGLE = range(5)
_PLACES = {"O": _OUTSIDE, "B": _BEGIN, "I": _INSIDE, "E": _END, "S": _SINGLE}


def are_chunks(classes: Sequence[str]) -> bool:
    """Whether labels are tags of chunks: O beside B, I, E or S, as a rule with a type; at least one begins."""
    tags = all(_TAG.fullmatch(label) for label in classes)
    return tags and "O" in classes and any(label[0] in "BS" for label in classes)


def chunk_figures(truth: Index, predicted: Index, classes: Sequence[str], fresh: Flags) -> tuple[Statistic, ...]:
    """``chunk_f1``, ``chunk_precision`` and ``chunk_recall``; 0 where there is nothing to divide by.

    Args:
        truth: ``(N,)`` codes, -1 where unknown, which is read as O.
        predicted: ``(N,)`` codes.
        classes: names of the K codes.
        fresh: ``(N,)`` where another sequence begins.
    """
    true_begin, true_type = spans(truth, classes, fresh)
    said_begin, said_type = spans(predicted, classes, fresh)
    actual, said = true_begin >= 0, said_begin >= 0
    hit = actual & (true_begin == said_begin) & (true_type == said_type)
    figures = {figure.name: figure for figure in counted_figures(hit, said, actual, before="chunk_")}
    return figures["chunk_f1"], figures["chunk_precision"], figures["chunk_recall"]


def spans(codes: Index, classes: Sequence[str], fresh: Flags) -> tuple[Index, Index]:
    """Of each row that ends a chunk, the row where that began (elsewhere -1), and the number of the row's type."""
    place, kind = _parsed(classes)
    place, kind = place[codes], kind[codes]
    before = np.where(fresh, _OUTSIDE, np.concatenate([[_OUTSIDE], place[:-1]]))
    before_kind = np.concatenate([[-1], kind[:-1]])
    inside, was_inside = place != _OUTSIDE, before != _OUTSIDE
    apart = ~was_inside | np.isin(before, (_END, _SINGLE)) | (kind != before_kind)
    begins = inside & (np.isin(place, (_BEGIN, _SINGLE)) | apart)
    goes_on = np.concatenate([inside[1:] & ~begins[1:], [False]]) if len(codes) else inside
    first = np.maximum.accumulate(np.where(begins, np.arange(len(codes)), -1))
    return np.where(inside & ~goes_on, first, -1), kind


def _parsed(classes: Sequence[str]) -> tuple[Index, Index]:
    """Place and number of the type of each class; the last entry, which -1 reads, is outside."""
    kinds: dict[str, int] = {}
    place = [_PLACES[label[0]] for label in classes]
    kind = [kinds.setdefault(label[2:], len(kinds)) for label in classes]
    return np.array([*place, _OUTSIDE]), np.array([*kind, -1])
