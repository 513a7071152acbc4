"""A series tied to a fitted preprocessor: columns found, codes translated, samples gathered.

Letters: N rows, C numeric inputs, S sequences, B batch, T time, H steps ahead, K categorical inputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import DataError
from unrolled.prepare import calendar, gather
from unrolled.prepare.labels import recoding
from unrolled.prepare.layout import Layout
from unrolled.prepare.missing import fill_forward, interpolate
from unrolled.prepare.pages import Pages, mapping
from unrolled.prepare.samples import Samples
from unrolled.prepare.scaling import Contexts, Scaling
from unrolled.prepare.schema import Schema
from unrolled.prepare.series import Column, Series
from unrolled.prepare.transforms import Chain

Float = npt.NDArray[np.float32]

_CHUNK = 1 << 18
_LARGEST = 1 << 29
"""Bytes of a buffer up to which its transformed copy is kept."""


@dataclass(frozen=True)
class Fitted:
    """What a preprocessor learnt.

    Attributes:
        schema, layout: what the columns mean to the model.
        scaling: transforms of the numeric row inputs.
        static: transforms of the numeric case inputs.
        masked: positions in ``layout.numbers`` of the columns whose holes are inputs.
    """

    schema: Schema
    layout: Layout
    scaling: Scaling
    static: Chain
    masked: tuple[int, ...] = ()


class Windows(NamedTuple):
    """Gathered samples in model scale.

    Attributes:
        x: ``(B, T, D)`` inputs in the order of ``Arrays``; holes of numbers, and all of the padding, NaN.
        later_numbers, later_codes: ``(B, H, C)`` and ``(B, H, K)`` of the rows ahead; NaN beyond the series' end.
    """

    x: Float
    later_numbers: Float
    later_codes: Float


class Binding:
    """Gathers samples of one series for one fitted preprocessor."""

    def __init__(self, series: Series, fitted: Fitted) -> None:
        self.series, self.fitted = series, fitted
        self.values: npt.NDArray[np.float32] = np.asarray(series.values)
        self._pages = Pages(series.values)
        self._time_pages = Pages(self.time) if series.time is not None else None
        layout = fitted.layout
        self._numbers = [position(series, column) for column in layout.numbers]
        self._codes = [position(series, column) for column in layout.codes]
        self._tables = [recoding(labels_of(series, column), column.categories) for column in layout.codes]
        self._group = fitted.scaling.group_of(series.ids)
        self._ready = self._model_rows()
        self.static = self._cases()

    def windows(self, samples: Samples, ahead: int) -> Windows:
        """The inputs of ``samples``, and ``ahead`` rows that follow them."""
        scaling, width = self.fitted.scaling, len(self._numbers)
        lag, begun = scaling.lag, self._ready is not None
        if self._ready is not None:
            rows, later = self._past(self._ready, samples, lag), self._ahead(self._ready, samples, ahead)
            later_numbers, later_codes = later[..., :width], later[..., later.shape[2] - len(self._codes) :]
        else:
            rows, later = self._laid_out(samples, lag), self._ahead(self.values, samples, ahead)
            later_numbers, later_codes = later[..., self._numbers], self._recoded(later)
            self.read(len(samples), rows.shape[1] + ahead)
        x = rows[:, lag:]
        if scaling.local or not begun:
            x[..., :width], contexts = scaling.past(rows[..., :width], self._group[samples.series], begun=begun)
            later_numbers = scaling.future(later_numbers, contexts, begun=begun)
        return Windows(np.ascontiguousarray(x), later_numbers, later_codes)

    def contexts(self, samples: Samples) -> Contexts:
        """What inverting a forecast of ``samples`` needs to know of their past."""
        raw = self._past(self.values, samples, self.fitted.scaling.lag)
        self.read(len(samples), raw.shape[1])
        return self.fitted.scaling.past(self._filled(raw[..., self._numbers]), self._group[samples.series])[1]

    def read(self, pieces: int, rows: int) -> None:
        """Note that ``pieces`` stretches of ``rows`` rows of the buffer were read."""
        self._pages.touched(pieces, rows * self.values.shape[1] * self.values.itemsize)
        if self._time_pages is not None:
            self._time_pages.touched(pieces, rows * 8)

    @property
    def time(self) -> npt.NDArray[Any]:
        """``(N,)`` time of every row.

        Raises:
            DataError: there is none.
        """
        if self.series.time is None:
            raise DataError("the model needs the time column", where=self.series.source)
        return np.asarray(self.series.time)

    def _past(self, buffer: Float, samples: Samples, lag: int) -> Float:
        first = self.series.starts[samples.series]
        return gather.past(buffer, samples.begin, samples.end, lag=lag, first=first, blank=np.nan)

    def _ahead(self, buffer: Float, samples: Samples, steps: int) -> Float:
        stop = self.series.starts[samples.series + 1]
        return gather.ahead(buffer, samples.end, steps, stop=stop, blank=np.nan)

    def _filled(self, numbers: Float) -> Float:
        """Gathered numbers with their holes filled as the policy says."""
        policy = self.fitted.schema.missing
        if policy not in ("fill_forward", "interpolate") or not np.isnan(numbers).any():
            return numbers
        return fill_forward(numbers) if policy == "fill_forward" else interpolate(numbers)

    def _recoded(self, raw: Float) -> Float:
        """``(..., K)`` the model's own codes of gathered rows of the buffer."""
        out = np.empty((*raw.shape[:-1], len(self._codes)), dtype=np.float32)
        for at, (column, table) in enumerate(zip(self._codes, self._tables, strict=True)):
            out[..., at] = look_up(raw[..., column], table)
        return out

    def _laid_out(self, samples: Samples, lag: int) -> Float:
        """``(B, lag + T, D)`` rows in the order of the batch, numbers in original units with holes filled by policy."""
        raw = self._past(self.values, samples, lag)
        before = int(self.fitted.layout.time_delta)
        stamps = None
        if self.fitted.layout.from_time:
            time, first = self.time, self.series.starts[samples.series]
            blank = np.zeros((), dtype=time.dtype)
            stamps = gather.past(time, samples.begin, samples.end, lag=lag + before, first=first, blank=blank)
        numbers = raw[..., self._numbers]
        out = self._written(raw, numbers, stamps)
        out[..., : numbers.shape[-1]] = self._filled(numbers)
        return out

    def _written(self, raw: Float, numbers: Float, stamps: npt.NDArray[Any] | None) -> Float:
        """All columns of the batch but the numbers, for rows ``(..., n, C)`` with times ``(..., before + n)``."""
        layout, masked = self.fitted.layout, list(self.fitted.masked)
        width, codes = numbers.shape[-1], len(self._codes)
        after_time = width + layout.from_time
        out = np.empty((*raw.shape[:-1], after_time + len(masked) + codes), dtype=np.float32)
        if stamps is not None:
            self._write_time(out[..., width:after_time], stamps)
        out[..., after_time : after_time + len(masked)] = np.isnan(numbers[..., masked])
        out[..., after_time + len(masked) :] = self._recoded(raw)
        return out

    def _write_time(self, out: Float, stamps: npt.NDArray[Any]) -> None:
        """Calendar columns, then the time since the row before: binary logarithm, in usual steps; 0 at the start."""
        layout, schema = self.fitted.layout, self.fitted.schema
        width = len(layout.calendar)
        if width:
            calendar.fill(out[..., :width], stamps[..., int(layout.time_delta) :], schema.calendar)
        if layout.time_delta and schema.rhythm is not None:
            since = np.diff(stamps, axis=-1)
            seconds = since / np.timedelta64(1, "s") if schema.rhythm.stamps else since
            out[..., width] = np.log2(np.where(seconds > 0, seconds, schema.rhythm.step) / schema.rhythm.step)

    def _model_rows(self) -> Float | None:
        """``(N, D)`` the whole buffer as a batch has it, after the leading transforms that treat each value by itself.

        None where that would be too large, or where a window decides how its values are filled or scaled.
        """
        values, layout, starts = self.values, self.fitted.layout, self.series.starts
        width = len(self._numbers) + layout.from_time + len(self.fitted.masked) + len(self._codes)
        if mapping(self.series.values) is not None or len(values) * width * 4 > _LARGEST:
            return None
        fills = self.fitted.schema.missing in ("fill_forward", "interpolate")
        if (self._group < 0).any() or (fills and np.isnan(values).any()):
            return None
        ready = np.empty((len(values), width), dtype=np.float32)
        member = np.repeat(self._group, self.series.lengths)
        before = int(layout.time_delta)
        for begin in range(0, len(values), _CHUNK):
            end = min(begin + _CHUNK, len(values))
            raw, stamps = values[begin:end], None
            if layout.from_time:
                stamps = self.time[max(begin - before, 0) : end]
                stamps = np.concatenate([stamps[:1], stamps]) if before and not begin else stamps
            numbers = raw[:, self._numbers]
            ready[begin:end] = self._written(raw, numbers, stamps)
            ready[begin:end, : numbers.shape[1]] = self.fitted.scaling.rows(numbers, member[begin:end])
        if before:
            ready[starts[:-1][np.diff(starts) > 0], len(self._numbers) + len(layout.calendar)] = 0
        return ready

    def _cases(self) -> Float | None:
        """``(S, K)`` static inputs of every sequence: numbers in model scale, then codes."""
        layout, chain, cases = self.fitted.layout, self.fitted.static, self.series.cases
        if not (layout.static_numbers or layout.static_codes):
            return None
        numbers = cases[:, [position(self.series, column) for column in layout.static_numbers]]
        scaled = chain.past(numbers[:, None], np.zeros(len(cases), dtype=np.int64))[0][:, 0]
        parts = [np.where(np.isnan(scaled), chain.fill, scaled)]
        for column in layout.static_codes:
            table = recoding(labels_of(self.series, column), column.categories)
            parts.append(look_up(cases[:, position(self.series, column)], table)[:, None])
        return np.concatenate(parts, axis=1, dtype=np.float32)


def position(series: Series, column: Column) -> int:
    """Place of a model's column in the buffer (row level) or in the case values of a series.

    Raises:
        DataError: the series was not built with the model's schema.
    """
    names = [sibling.name for sibling in _siblings(series, column)]
    if column.name not in names:
        raise DataError(f"the series has no column {column.name!r}", where=series.source)
    return names.index(column.name)


def labels_of(series: Series, column: Column) -> tuple[str, ...]:
    """The labels that the codes of a model's column stand for in a series."""
    return _siblings(series, column)[position(series, column)].categories


def look_up(codes: npt.NDArray[Any], table: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Translate codes; a hole reads the table's last entry, "unknown"."""
    return table[np.where(np.isnan(codes), len(table) - 1, codes).astype(np.int64)]


def _siblings(series: Series, column: Column) -> Sequence[Column]:
    return series.row_columns if column.level == "row" else series.case_columns
