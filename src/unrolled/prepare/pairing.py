"""Tables of pairs: two texts in a row, or two stretches of rows under one name, as one sequence with two sides.

Letters: S pairs, N rows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import ConfigError, DataError
from unrolled.prepare.labels import factorize, name_of
from unrolled.prepare.roles import unknown_column
from unrolled.prepare.table import Array, Hints, Table
from unrolled.prepare.wording import say

SIDE, TOKEN, SHARED = "side", "token", "shared"
"""Columns that pairs get: 0 or 1, the word or character, and the name of all pairs that share a text."""

Unit = Literal["auto", "word", "character"]

_CJK = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+(?:['\u2019][^\W_]+)*|[^\w\s]|_")
_MOST_TOGETHER = 0.5  # of all pairs in one group, from which on groups make no parts


def tokens(text: str, unit: Unit) -> list[str]:
    """The words and signs of a text in lower case, a Chinese or Japanese character being a word; or all characters."""
    folded = text.casefold()
    return [sign for sign in folded if not sign.isspace()] if unit == "character" else _WORD.findall(folded)


def as_pairs(table: Table, pair: Sequence[str], unit: Unit = "auto", *, labels: Sequence[str] = ()) -> Table:
    """Turn a table of pairs into one with a sequence for each pair, the rows of its first side before the second's.

    Args:
        table: rows with two texts each, or (one name in ``pair``) rows with a value each.
        pair: the two columns of texts; or the column with two values that tells the sides of a pair apart, in a
            table whose pairs have names.
        unit: of texts, see ``tokens``; "auto" takes words.
        labels: columns with one value a pair, those that are absent passed over; none of them means, of texts, all
            others.

    In a long table the first other column that is called pair or id names the pairs.

    Raises:
        ConfigError: a column is not there, more than two are named, or none names the pairs.
        DataError: a text is empty, a pair lacks a side.
    """
    for name in pair:
        if name not in table.columns:
            raise unknown_column(name, table.columns, where=f"{table.source}, option pair")
    if len(set(pair)) == 2:
        return _of_texts(table, pair[0], pair[1], "word" if unit == "auto" else unit, labels)
    if len(pair) == 1:
        return _of_rows(table, pair[0], labels)
    raise ConfigError(
        f"{len(pair)} columns are no pair",
        where="option pair",
        mend="name two columns of texts, or the one of the sides",
    )


def _of_texts(table: Table, first: str, second: str, unit: Unit, labels: Sequence[str]) -> Table:
    sides: list[int] = []
    found: list[str] = []
    lengths = []
    for row, texts in enumerate(zip(table.columns[first], table.columns[second], strict=True)):
        before = len(found)
        for side, (name, text) in enumerate(zip((first, second), texts, strict=True)):
            own = [] if text is None or text != text else tokens(name_of(text), unit)
            if not own:
                raise DataError("there is no text", where=table.place(row, name), mend="fill it in, or remove the row")
            found += own
            sides += [side] * len(own)
        lengths.append(len(found) - before)
    token = np.empty(len(found), dtype=object)
    token[:] = found
    others = [name for name in table.columns if name not in (first, second)]
    named = [name for name in labels if name in table.columns] or others
    cases = {name: table.columns[name] for name in named}
    hints = Hints(target=tuple(cases), task="pairs", category=(TOKEN,))
    notes = [say("took_pairs", count=len(lengths), columns=[first, second])]
    groups = _together(table.columns[first], table.columns[second])
    if np.bincount(groups).max() <= _MOST_TOGETHER * len(groups):
        cases[SHARED] = groups.astype(np.float64)
        hints = replace(hints, group=SHARED)
    elif len(groups) > 1:
        notes.append(say("pairs_entangled"))
    return Table(
        columns={SIDE: np.array(sides, dtype=np.float64), TOKEN: token},
        source=table.source,
        starts=_starts(lengths),
        case_columns=cases,
        case_ids=tuple(str(row) for row in range(1, len(lengths) + 1)),
        hints=hints,
        notes=(*table.notes, *notes),
    )


def _of_rows(table: Table, side: str, labels: Sequence[str]) -> Table:
    code, names = factorize(table.columns[side])
    if len(names) != 2 or (code < 0).any():
        raise DataError(
            f"the sides of a pair have two names, this column has {len(names)}",
            where=f"{table.source}, column {side!r}",
            mend="name the column that says which of the two sequences a row belongs to",
        )
    naming = next((name for name in table.columns if re.fullmatch(r"(.*_)?(pair|id)|编号", name, re.IGNORECASE)), None)
    if naming is None:
        raise ConfigError("no column names the pairs", where=table.source, mend="call it pair")
    member, ids = factorize(table.columns[naming])
    second = (code != code[0]).astype(np.int64)
    rows = np.lexsort((second, member))
    there = np.bincount(member * 2 + second, minlength=2 * len(ids)).reshape(-1, 2)
    if (there == 0).any():
        raise DataError(
            f"the pair {ids[int(np.argmax((there == 0).any(1)))]!r} has one side only",
            where=f"{table.source}, column {side!r}",
        )
    lengths = there.sum(1)
    heads = rows[_starts(lengths)[:-1]]
    own = [name for name in table.columns if name not in (side, naming, *labels)]
    cases = {name: table.columns[name][heads] for name in labels if name in table.columns}
    return Table(
        columns={SIDE: second[rows].astype(np.float64), **{name: table.columns[name][rows] for name in own}},
        source=table.source,
        starts=_starts(lengths),
        case_columns=cases,
        case_ids=tuple(ids),
        hints=Hints(target=tuple(cases), task="pairs"),
        notes=(*table.notes, say("took_pairs", count=len(ids), columns=[side])),
    )


def _together(first: Array, second: Array) -> npt.NDArray[np.int64]:
    """``(S,)`` number of the group of each pair: pairs that share a text, directly or through others, have the same."""
    codes = {text: code for code, text in enumerate(dict.fromkeys([*first, *second]))}
    parent = list(range(len(codes)))

    def root(code: int) -> int:
        while parent[code] != code:
            parent[code] = code = parent[parent[code]]
        return code

    for one, other in zip(first, second, strict=True):
        parent[root(codes[one])] = root(codes[other])
    return np.unique([root(codes[one]) for one in first], return_inverse=True)[1].astype(np.int64)


def _starts(lengths: Sequence[int] | npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
