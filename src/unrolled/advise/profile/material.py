"""What a profile is made from: the training part of a job, and numbers taken from it.

Letters: n samples, T time, C channels, M targets.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.data import Spans
from unrolled.prepare.pages import taken
from unrolled.prepare.preprocess import Preprocessor
from unrolled.prepare.samples import Samples
from unrolled.prepare.schema import Schema
from unrolled.prepare.series import Column, Series
from unrolled.tasks.task import Task

Float = npt.NDArray[np.float64]

_STRETCHES, _ROWS = 100, 200_000  # that are looked at
_SAMPLES, _NUMBERS = 1500, 20_000_000  # whose inputs are held at once
_LONGEST = 1024  # steps of a sample that are looked at, the last ones
_ONE_ANSWER = ("classify", "failure", "forecast", "regress", "tag")


@dataclass(frozen=True)
class Material:
    """A part of the data as a task sees it.

    Attributes:
        task, schema: what is predicted from what.
        preprocessor: fitted to this part.
        series: as the task derives it.
        spans: rows of this part.
        samples: its windows.
        groups: ``(n,)`` what samples belong together (patient, engine), or None.
    """

    task: Task
    schema: Schema
    preprocessor: Preprocessor
    series: Series
    spans: Spans
    samples: Samples
    groups: npt.NDArray[np.int64] | None = None

    @property
    def classes(self) -> bool:
        """The truth is class codes."""
        return self.task.name in ("classify", "failure", "tag")

    def channels(self) -> tuple[Column, ...]:
        """Numeric columns of the rows that are read."""
        layout = self.preprocessor.layout
        return layout.numbers

    def stretches(self, column: Column) -> Iterator[Float]:
        """Values of a channel in original units, sequence by sequence: at most 100, evenly chosen, 200,000 rows."""
        at, left = self.series.index(column), _ROWS
        spans = [span for span in self.spans if span[2] - span[1] > 2]
        for place in np.unique(np.linspace(0, len(spans) - 1, min(_STRETCHES, len(spans))).astype(np.int64)):
            _, begin, end = spans[place]
            rows = np.arange(max(begin, end - left), end)
            if len(rows) < 3:
                return
            left -= len(rows)
            yield taken(self.series.values, rows)[:, at].astype(np.float64)


@dataclass(frozen=True)
class Answered:
    """Samples with one truth each.

    Attributes:
        x: ``(n, T, C)`` numeric inputs in model scale, the last step of each sample at T - 1, NaN before its first;
            of a forecast their changes from step to step, since levels go with the time of year.
        y: ``(n,)`` class codes or numbers; of a forecast the change to its first step.
        classes: y are codes.
        ordered: the samples follow each other in time, so that neighbours are alike.
    """

    x: Float
    y: Float
    classes: bool
    ordered: bool


def answered(material: Material) -> Answered | None:
    """At most 1,500 samples, evenly chosen, with the truth of the first target; None where a task has no such truth."""
    if material.task.name not in _ONE_ANSWER or not material.channels():
        return None
    samples = material.samples
    room = _NUMBERS // max(1, int(samples.lengths.max(initial=1)) * len(material.channels()))
    count = max(1, min(_SAMPLES, len(samples), room))
    chosen = samples[np.unique(np.linspace(0, len(samples) - 1, count).astype(np.int64))]
    arrays = material.preprocessor.arrays(material.series, chosen)
    if arrays.y is None:
        return None
    numbers = len(material.channels())
    x = _aligned(arrays.x[..., :numbers], arrays.lengths)
    y = _first_target(arrays.y, arrays.lengths, each=material.task.name == "tag")
    if material.schema.forecast:
        y, x = y - x[:, -1, 0], np.diff(x, axis=1, prepend=np.nan)
    known = np.isfinite(y)
    several = len(np.unique(chosen.series)) > len(chosen) / 2
    return Answered(x[known], y[known], material.classes, ordered=not several)


def _first_target(y: npt.NDArray[Any], lengths: npt.NDArray[np.int64] | None, *, each: bool) -> Float:
    """``(n,)`` truth of the first step of a forecast, of the last step where each has its own."""
    if y.ndim == 2:
        return y[:, 0].astype(np.float64)
    last = np.full(len(y), y.shape[1]) if lengths is None else lengths
    place = last - 1 if each else np.zeros(len(y), dtype=np.int64)
    found: Float = y[np.arange(len(y)), place, 0].astype(np.float64)
    return found


def _aligned(x: npt.NDArray[np.float32], lengths: npt.NDArray[np.int64] | None) -> Float:
    """Sequences moved so that all end at the last step."""
    count, time, _ = x.shape
    kept = min(time, _LONGEST)
    ends = np.full(count, time) if lengths is None else lengths
    place = ends[:, None] - kept + np.arange(kept)
    found = np.take_along_axis(x, np.maximum(place, 0)[..., None], axis=1).astype(np.float64)
    found[place < 0] = np.nan
    return found
