"""What the model is compared with: true values, true classes, and whether training shows every class.

Letters: B batch, H horizon, M targets, S sequences.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import DataError
from unrolled.core.records import Note
from unrolled.prepare import gather
from unrolled.prepare.binding import Binding, labels_of, look_up, position
from unrolled.prepare.labels import recoding
from unrolled.prepare.pages import taken
from unrolled.prepare.pairing import TOKEN
from unrolled.prepare.samples import Samples
from unrolled.prepare.schema import Schema
from unrolled.prepare.series import Column, Series
from unrolled.prepare.spelling import cut, padded
from unrolled.prepare.training import Spans, sequences, stream_rows
from unrolled.prepare.wording import listed, say

_Truth = npt.NDArray[np.float64]
_VOCABULARY = 200  # categories from which those of tagged rows are taken for words
_CHUNK = 4096  # samples at once


def ahead(bound: Binding, samples: Samples, horizon: int) -> _Truth:
    """``(B, H, M)`` targets of the rows that follow, in original units; NaN where missing or beyond the series."""
    columns = [position(bound.series, column) for column in bound.fitted.layout.targets]
    truth = np.empty((len(samples), horizon, len(columns)))
    for at in range(0, len(samples), _CHUNK):
        some = samples[at : at + _CHUNK]
        stop = bound.series.starts[some.series + 1]
        rows = gather.ahead(bound.values, some.end, horizon, stop=stop, blank=np.nan)
        truth[at : at + _CHUNK] = rows[..., columns]
        bound.read(len(some), horizon)
    return truth


def at_end(bound: Binding, samples: Samples) -> _Truth:
    """``(B, 1, M)`` targets at each sample's last row or of its sequence, in original units or codes; NaN: unknown.

    Strings of labels are ``(B, 1, L)`` codes, NaN behind the end of each. In a session it is the item of the row that
    follows: NaN behind the last one, and a code after those of the known items for one that the model does not know.

    Raises:
        DataError: a label is none of those the model knows.
    """
    if bound.fitted.schema.spelled:
        return _strings(bound, samples)
    truth = np.empty((len(samples), 1, len(bound.fitted.layout.targets)))
    session = bound.fitted.schema.session
    for at, column in enumerate(bound.fitted.layout.targets):
        place = position(bound.series, column)
        if column.level == "case":
            raw = bound.series.cases[samples.series, place]
        else:
            raw = _next(bound, place, samples) if session else taken(bound.values[:, place], samples.end - 1)
        truth[:, 0, at] = raw if column.kind == "number" else _classes(bound, column, raw)
    return truth


def _strings(bound: Binding, samples: Samples) -> _Truth:
    """``(B, 1, L)`` codes of the labels of each sequence's string."""
    series, column = bound.series, bound.fitted.layout.targets[0]
    assert column.spelling is not None
    texts, place = labels_of(series, column), {label: code for code, label in enumerate(column.categories)}
    rows: list[list[int]] = []
    for own in samples.series.tolist():
        cell = series.cases[own, position(series, column)]
        labels = () if np.isnan(cell) else cut(texts[int(cell)], column.spelling)
        if not (labels or np.isnan(cell)):
            raise DataError(
                "the string of labels is empty",
                where=f"{series.source}, column {column.name!r}, sequence {series.ids[own]!r}",
                mend="give it a label, or leave the cell out: then the sequence is passed over",
            )
        strange = [label for label in labels if label not in place]
        if strange:
            raise DataError(
                f"the model does not know the label {listed(sorted(set(strange)))} in {texts[int(cell)]!r}",
                where=f"{series.source}, column {column.name!r}, sequence {series.ids[own]!r}",
                mend=f"it knows {listed(column.categories)}; correct the string, or train with examples of new ones",
            )
        rows.append([place[label] for label in labels])
    return padded(rows)[:, None]


def _next(bound: Binding, place: int, samples: Samples) -> npt.NDArray[np.float32]:
    """``(B,)`` codes of the rows after the samples, in the series' own numbering."""
    inside = samples.end < bound.series.starts[samples.series + 1]
    found = taken(bound.values[:, place], np.minimum(samples.end, len(bound.values) - 1))
    return np.where(inside, found, np.nan).astype(np.float32)


def _classes(bound: Binding, column: Column, raw: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    labels, schema = labels_of(bound.series, column), bound.fitted.schema
    codes = np.where(np.isnan(raw), np.nan, look_up(raw, recoding(labels, column.categories)))
    strange = codes == len(column.categories)
    if strange.any() and not schema.session:
        found = sorted({labels[int(code)] for code in raw[strange]})
        known = column.categories
        if schema.several is not None:
            known = tuple(target.name.removeprefix(f"{schema.several}=") for target in schema.of_role("target"))
        raise DataError(
            f"the model does not know the label {listed(found)}",
            where=f"{bound.series.source}, column {schema.several or column.name!r}",
            mend=f"it knows {listed(known)}; correct the labels, or train with examples of the new ones",
        )
    return codes


def refuse_one_class(schema: Schema, series: Series, spans: Spans) -> tuple[Note, ...]:
    """Notes on classes without an example in the training part.

    Raises:
        DataError: the training part shows one class only.
    """
    notes = []
    for column in schema.of_role("target"):
        if column.kind != "category":
            continue
        counts = _counts(series, column, spans)
        if np.count_nonzero(counts) < 2:
            raise DataError(
                "the training part has one class only",
                where=f"{series.source}, column {column.name!r}",
                mend="give more examples of the other classes, or divide the data in another way",
            )
        absent = [label for label, count in zip(column.categories, counts, strict=True) if not count]
        if absent:
            notes.append(say("class_absent", column=column.name, columns=absent))
    return tuple(notes)


def narrowed(schema: Schema, series: Series, spans: Spans, least: int = 1) -> Schema:
    """The schema with each categorical input limited to the categories of the training part.

    Args:
        schema, series, spans: what is read, and the training part of it.
        least: rows in which an item of a session, or a word of a text, must stand to be kept.
    """
    columns = []
    roles = ("feature", "known", "static", *(("target",) if schema.session else ()))
    for column in schema.columns:
        if column.kind == "category" and column.role in roles:
            counts = _counts(series, column, spans)
            words = schema.task == "tag" and column.level == "row" and len(counts) >= _VOCABULARY
            limited = column.role == "target" or column.name == TOKEN
            enough = 2 if words else least if limited else 1  # words seen once teach what an unknown one is like
            kept = tuple(label for label, count in zip(column.categories, counts, strict=True) if count >= enough)
            column = column.model_copy(update={"categories": kept})
        columns.append(column)
    return schema.model_copy(update={"columns": tuple(columns)})


def _counts(series: Series, column: Column, spans: Spans) -> npt.NDArray[np.int64]:
    """How often each category of ``column`` stands in the training part."""
    place, labels = position(series, column), labels_of(series, column)
    table = recoding(labels, column.categories)
    if column.level == "case":
        chunks = [series.cases[sequences(spans), place]]
    else:
        chunks = [chunk.values[:, 0] for chunk in stream_rows(series.values, [place], spans).chunks()]
    size = len(column.categories)
    counts = np.zeros(size + 1, dtype=np.int64)
    for codes in chunks:
        counts += np.bincount(look_up(codes, table).astype(np.int64), minlength=size + 1)
    return counts[:size]
