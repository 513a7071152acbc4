"""A bundle that reads rows as they arrive, carries the state of its net, and answers in the units of the file.

Letters: T new rows, n answers, D inputs, H horizon, F known inputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import ConfigError, DataError
from unrolled.core.validation import validated
from unrolled.prepare import decode
from unrolled.prepare.answer import Answer, joined
from unrolled.prepare.decoding import AnomalyDecoding, NumberDecoding, StringDecoding
from unrolled.prepare.missing import fill_forward
from unrolled.prepare.readers import ReadOptions, records
from unrolled.prepare.samples import Samples
from unrolled.prepare.series import Series
from unrolled.runtime.forward import PlanForward
from unrolled.runtime.prediction import Prediction
from unrolled.runtime.stream import Stream
from unrolled.runtime.unusual import Unusual

if TYPE_CHECKING:
    from unrolled.runtime.predictor import Predictor

_Values = npt.NDArray[Any]


@dataclass
class _Sequence:
    """What is carried of one sequence: the net's state, the last rows as they came and with holes filled, how many.

    Of anomalies also what was forecast of rows to come.
    """

    stream: Stream
    unusual: Unusual | None
    seen: _Values
    filled: _Values
    time: _Values | None
    count: int = 0


class RowStream:
    """Answers every row from it and all rows of its sequence before; made by ``Predictor.stream``.

    The answer to a row equals the net's on the whole sequence up to it: a forecast, a class, a tag, a score and its
    alarm, the next items of a session. A model that was trained on windows has been shown no more than a window at
    once: ``reset`` begins anew where a long past should be forgotten, and lets go of what was carried.

    Example:
        >>> stream = Predictor(Bundle.read("model.unrolled")).stream()
        >>> found = stream.step({"engine": "e7", "temperature": 21.5})
        >>> found.ids[0], found.table().columns

    Raises:
        ConfigError: the net or its preparation needs rows that are still to come; the message says which and why.
    """

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor
        self._sequences: dict[str, _Sequence] = {}
        self._count = 0
        preprocessor, settings = predictor.preprocessor, predictor.settings
        schema = preprocessor.schema
        self._kept = max(1, preprocessor.lag)
        if not isinstance(predictor.forward, PlanForward):
            raise _refused("it is computed by a module of its own", "the net")
        predictor.check_steps()
        if obstacle := preprocessor.obstacle():
            raise _refused(obstacle, "the preparation")
        decoding = settings.decoding
        if isinstance(decoding, AnomalyDecoding) and decoding.kind == "reconstruction":
            raise _refused("a reconstruction needs the whole sequence (task.score=forecast does not)", "the task")
        if isinstance(decoding, StringDecoding):
            raise _refused("a string of labels belongs to a whole sequence, and only of sound it grows", "the task")
        if isinstance(decoding, NumberDecoding) and decoding.horizon > predictor.outputs.steps and schema.forecast:
            raise _refused(f"a forecast of {decoding.horizon} steps is rolled out from one step", "the net")
        self._forward = predictor.forward
        self._reading = validated(ReadOptions, predictor.reading)
        self._new(None)  # whether every operation can stream

    def step(self, row: Mapping[str, Any]) -> Prediction:
        """Answer one row, ``{column: value}``; messages name it by its number. Errors as of ``process``."""
        self._count += 1
        table = records.read([(self._count, row)], self._reading, "the stream", first_row=self._count)
        return self.process(table)

    def process(self, source: Any, **options: Any) -> Prediction:
        """Answer each of the rows that come next.

        Args:
            source: rows as mappings, a frame, file, table or series; of one sequence or of several. Time goes on
                from the rows before.
            options: of the reader.

        Returns:
            one answer a row, in the order of sequences.

        Raises:
            DataError: the rows lack what the model needs, or are older than those before.
        """
        series = self._predictor.series(source, **options)
        parts = [self._sequence(series, s) for s in range(len(series.ids)) if series.lengths[s]]
        if not parts:
            raise DataError("there is no row", where=series.source)
        return _joined(parts, series)

    def reset(self, name: str | None = None) -> None:
        """Forget the past of one sequence, or of all of them."""
        if name is None:
            self._sequences.clear()
        else:
            self._sequences.pop(name, None)

    def _sequence(self, series: Series, s: int) -> Prediction:
        rows = slice(int(series.starts[s]), int(series.starts[s + 1]))
        known = self._sequences.get(series.ids[s])
        whole = self._continued(series, s, rows, known)
        before, count = len(whole.values) - (rows.stop - rows.start), rows.stop - rows.start
        numbers = [at for at, column in enumerate(whole.row_columns) if column.kind == "number"]
        past = None if known is None else known.filled
        filled = replace(whole, values=_filled(whole.values, past, numbers))
        policy = self._predictor.preprocessor.schema.missing
        ends = np.arange(before + 1, before + count + 1, dtype=np.int64)
        samples = Samples(ends - 1, ends, np.zeros(count, np.int64))
        arrays = self._predictor.preprocessor.arrays(
            filled if policy == "fill_forward" else whole, samples, truth=False
        )
        if known is None:
            static = None if arrays.static is None else arrays.static[:1]
            known = self._sequences[series.ids[s]] = self._new(static)
        ahead = None if arrays.known is None else arrays.known[None]
        output = known.stream.process(arrays.x.swapaxes(0, 1), ahead)[0]
        if known.unusual is not None:
            assert arrays.y is not None
            answer = known.unusual.answers(output[:, 0], arrays.y[:, 0])
        else:
            answer = self._decoded(output, filled, samples)
        keep = slice(max(0, len(whole.values) - self._kept), None)
        known.seen, known.filled = whole.values[keep].copy(), filled.values[keep].copy()
        known.time = None if whole.time is None else np.array(whole.time[keep])
        known.count += count
        return self._timed(answer, filled, samples, known.count)

    def _decoded(self, output: _Values, series: Series, samples: Samples) -> Answer:
        predictor = self._predictor
        return decode.decode(
            output, predictor.settings.decoding, lambda values: predictor.invert(values, series, samples)
        )

    def _timed(self, answer: Answer, series: Series, samples: Samples, count: int) -> Prediction:
        """The answers of the latest rows, of ``count`` so far, with their times."""
        times = self._predictor.times(series, samples)
        if series.time is None and times is not None and times.ndim == 1:
            times = np.arange(count - len(samples) + 1, count + 1)
        elif times is None and series.time is not None:
            times = np.asarray(series.time[samples.end - 1])
        return Prediction(answer, (series.ids[0],) * len(samples), times)

    def _new(self, static: _Values | None) -> _Sequence:
        plan, weights = self._forward.plan, self._forward.weights
        empty = np.empty((0, 0), np.float32)
        decoding = self._predictor.settings.decoding
        unusual = Unusual(decoding) if isinstance(decoding, AnomalyDecoding) else None
        return _Sequence(Stream(plan, weights, static=static), unusual, empty, empty, None)

    def _continued(self, series: Series, s: int, rows: slice, known: _Sequence | None) -> Series:
        """The new rows of a sequence behind the last ones before them."""
        values, time = np.asarray(series.values[rows]), series.time
        own: _Values | None = None if time is None else np.asarray(time[rows])
        if known is not None and len(known.seen):
            if known.time is not None and own is not None:
                together = self._predictor.preprocessor.schema.session and own[0] == known.time[-1]
                if own[0] <= known.time[-1] and not together:  # clicks may share a time, rows of a series may not
                    raise DataError(
                        f"time {_shown(own[0])} of sequence {series.ids[s]!r} is not after {_shown(known.time[-1])}, "
                        "the row before",
                        where=series.source,
                        mend="send rows in the order of time, or reset() the stream",
                    )
                own = np.concatenate([known.time, own])
            values = np.concatenate([known.seen, values])
        starts = np.array([0, len(values)], np.int64)
        return replace(
            series, values=values, cases=series.cases[s : s + 1], starts=starts, ids=(series.ids[s],), time=own
        )


def _shown(time: Any) -> str:
    """A time stamp to the second or finer where it is; a plain number as it is."""
    return str(time) if not isinstance(time, np.datetime64) else str(np.datetime_as_string(time, unit="auto"))


def _filled(values: _Values, past: _Values | None, numbers: list[int]) -> _Values:
    """Numbers with their holes filled forward; ``past`` are the first rows, filled already."""
    out = np.array(values)
    if past is not None:
        out[: len(past)] = past
    out[:, numbers] = fill_forward(out[None][..., numbers])[0]
    return out


def _joined(parts: list[Prediction], series: Series) -> Prediction:
    answer: Answer = joined([part.answer for part in parts])
    times = None if parts[0].times is None else np.concatenate([part.times for part in parts])
    return Prediction(answer, tuple(name for part in parts for name in part.ids), times, series.notes)


def _refused(why: str, where: str) -> ConfigError:
    return ConfigError(f"this bundle cannot stream: {why}", where=where, mend="predict whole sequences instead")
