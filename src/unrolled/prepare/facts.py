"""What is known of the data, for the report and the bundle.

Letters: N rows, S sequences.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.core.records import DataFacts, Note
from unrolled.prepare.pages import mapping, pieces, taken
from unrolled.prepare.schema import Schema
from unrolled.prepare.series import Column, Series
from unrolled.prepare.wording import say

_SAMPLED = 4096
_RARE = 0.1  # of an even share: below that a class counts as rare
_FAR = 1e6  # distances between the quartiles: of float32's seven digits nothing is left for the other values


def facts(series: Series, schema: Schema, source: str) -> DataFacts:
    """Lengths, missing values, frequency, span, class balance and a fingerprint of ``series``."""
    lengths = np.sort(series.lengths) if len(series.ids) else np.zeros(1, dtype=np.int64)
    missing, low, high = _columns(series.values)
    columns = []
    for column in series.columns:
        if column.role == "ignore":
            continue
        at = series.index(column)
        cells = series.cases[:, at : at + 1]
        share, least, most = (missing, low, high) if column.level == "row" else _columns(cells)
        place = at if column.level == "row" else 0
        if column.spelling is not None:  # in a series the strings follow its labels
            column = next(own for own in schema.columns if own.name == column.name)
        columns.append(_described(column, share[place], least[place], most[place]))
    return DataFacts(
        source=source,
        rows=len(series.values),
        series=len(series.ids),
        length=(int(lengths[0]), int(np.median(lengths)), int(lengths[-1])),
        columns=tuple(columns),
        frequency=None if schema.rhythm is None or not schema.rhythm.regular else str(schema.rhythm),
        span=_span(series),
        fingerprint=fingerprint(series),
        # items are no classes, and sessions recur
        notes=() if schema.session else (*_balance(series), *_repeats(series), *_far(series, low, high)),
    )


def fingerprint(series: Series) -> str:
    """SHA-256 of the shape, the columns and evenly spaced rows: equal for equal data, cheap for large data."""
    digest = hashlib.sha256()
    names = [(column.name, column.role, column.kind, column.level, column.categories) for column in series.columns]
    digest.update(repr((series.values.shape, series.cases.shape, names, series.ids)).encode())
    digest.update(np.ascontiguousarray(series.starts, dtype="<i8").tobytes())
    rows = np.unique(np.linspace(0, max(len(series.values) - 1, 0), _SAMPLED).astype(np.int64))
    if len(series.values):
        digest.update(np.ascontiguousarray(taken(series.values, rows), dtype="<f4").tobytes())
        if series.time is not None:
            digest.update(np.ascontiguousarray(taken(series.time, rows)).tobytes())
    digest.update(np.ascontiguousarray(series.cases, dtype="<f4").tobytes())
    return digest.hexdigest()


def _columns(values: npt.NDArray[np.float32]) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """Share of missing values, smallest and largest value of every column."""
    width = values.shape[1]
    missing = np.zeros(width, dtype=np.int64)
    low, high = np.full(width, np.nan), np.full(width, np.nan)
    for _, chunk in pieces(values):
        missing += np.isnan(chunk).sum(axis=0)
        low = np.fmin(low, np.fmin.reduce(chunk, axis=0))
        high = np.fmax(high, np.fmax.reduce(chunk, axis=0))
    return missing / max(len(values), 1), low, high


def _described(column: Column, missing: float, low: float, high: float) -> dict[str, Any]:
    told: dict[str, Any] = column.model_dump(include={"name", "role", "kind", "level"})
    told["missing"] = float(missing)
    if column.kind != "number":
        return told | {"categories": len(column.categories)}
    return told | {"low": None if np.isnan(low) else float(low), "high": None if np.isnan(high) else float(high)}


def _span(series: Series) -> tuple[str, str] | None:
    if series.time is None or not len(series.time):
        return None
    filled = series.lengths > 0
    first, last = (taken(series.time, rows[filled]) for rows in (series.starts[:-1], series.starts[1:] - 1))
    first, last = first.min(), last.max()
    if np.issubdtype(series.time.dtype, np.datetime64):
        return str(first.astype("datetime64[s]")), str(last.astype("datetime64[s]"))
    return f"{first:g}", f"{last:g}"


def _balance(series: Series) -> tuple[Note, ...]:
    """How the classes of each target are shared out, as a warning where one is rare."""
    notes = []
    for column in series.of_role("target"):
        if column.kind != "category":
            continue
        codes = (series.values if column.level == "row" else series.cases)[:, series.index(column)]
        counts = np.zeros(len(column.categories), dtype=np.int64)
        for _, piece in pieces(codes):
            counts += np.bincount(piece[~np.isnan(piece)].astype(np.int64), minlength=len(counts))
        total = max(int(counts.sum()), 1)
        shares = [f"{label} {count / total:.1%}" for label, count in zip(column.categories, counts, strict=True)]
        rare = counts.min() < _RARE * total / len(counts)
        notes.append(say("class_imbalance" if rare else "class_balance", column=column.name, shares=", ".join(shares)))
    return tuple(notes)


def _repeats(series: Series) -> tuple[Note, ...]:
    """How many sequences are copies of an earlier one; a memory map is not searched."""
    if len(series.ids) < 2 or mapping(series.values) is not None:
        return ()
    pairs = zip(series.starts[:-1], series.starts[1:], strict=True)
    distinct = {hashlib.sha256(series.values[a:b].tobytes()).digest() for a, b in pairs}
    count = len(series.ids) - len(distinct)
    return (say("repeated_sequences", count=count),) if count else ()


def _far(series: Series, low: npt.NDArray[Any], high: npt.NDArray[Any]) -> tuple[Note, ...]:
    """Columns with a value so far from all others that a scale made from it leaves these alike."""
    rows = np.unique(np.linspace(0, max(len(series.values) - 1, 0), _SAMPLED).astype(np.int64))
    some, notes = taken(series.values, rows).astype(np.float64) if len(series.values) else None, []
    for at, column in enumerate(series.row_columns):
        if some is None or column.kind != "number" or column.role == "ignore" or not np.isfinite(some[:, at]).any():
            continue
        below, above = np.nanquantile(some[:, at], (0.25, 0.75))
        far = max(float(high[at]) - above, below - float(low[at]))
        if above > below and far > _FAR * (above - below):
            value = high[at] if high[at] - above == far else low[at]
            notes.append(
                say("far_value", column=column.name, value=f"{value:.3g}", low=f"{below:.3g}", high=f"{above:.3g}")
            )
    return tuple(notes)
