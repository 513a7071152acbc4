"""The parts of the data, made ready: which windows each one has.

Letters: S sequences.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from unrolled.core.errors import DataError
from unrolled.core.records import Note
from unrolled.data import Spans
from unrolled.prepare.samples import Samples
from unrolled.prepare.series import Series
from unrolled.tasks import Task
from unrolled.workflow.config import DataSettings
from unrolled.workflow.source import Source

_MOST_NUMBERS = 1 << 24  # of all answers; windows of larger parts are thinned out evenly
_MOST_LOOKED_AT = 200_000  # windows of a held-out part before they are thinned out
_SMALLEST = 11  # stride; smaller primes divide days, weeks and years
_MOST_WINDOWS = {"valid": 20_000, "test": 50_000}


@dataclass(frozen=True)
class Section:
    """One part.

    Attributes:
        name: "train", "valid" or "test".
        series: with the target that the net learns, see ``Task.derive``.
        spans: rows of this part.
        samples: its windows.
        lessons: what is learnt from it, see ``Task.lessons``; None in a part that is not.
        groups: ``(n,)`` number of the group (patient, engine) of each window, or None.
    """

    name: str
    series: Series
    spans: Spans
    samples: Samples
    lessons: Samples | None = None
    groups: npt.NDArray[np.int64] | None = None


def sections(source: Source, task: Task, data: DataSettings) -> tuple[dict[str, Section], tuple[Note, ...]]:
    """Sections by name; a validation or test part too short for a window is left out, with a note.

    Raises:
        DataError: the training part has no window.
    """
    found: dict[str, Section] = {}
    notes: list[Note] = []
    derived: dict[int, Series] = {}
    for name, part in source.parts.items():
        series = derived.setdefault(id(part.series), task.derive(part.series))
        try:
            stride = data.stride if name == "train" else 1 if task.outputs(series).every else _stride(part.spans)
            samples = _samples(task, series, part.spans, data.window, stride, again=name != "train")
            learnt = task.lessons(series, part.spans, window=data.window, stride=stride) if name == "train" else None
        except DataError as error:
            if name == "train":
                raise
            notes.append(_left_out(name, error))
            continue
        if name != "test":
            samples = _learnable(name, task, series, samples)
        if name != "train":
            most = _MOST_NUMBERS // task.answer_size(series, samples)
            samples = thinned(samples, max(1, min(most, _MOST_WINDOWS[name])))
        found[name] = Section(name, series, part.spans, samples, learnt, _numbered(part.groups, samples))
    return found, tuple(notes)


def _learnable(name: str, task: Task, series: Series, samples: Samples) -> Samples:
    """What the task may learn from; not less than something."""
    found = task.learnable(series, samples)
    if not len(found):
        raise DataError(
            f"every sample of the {name} part holds something unusual",
            where=series.source,
            mend="say with --set task.normal=... which labels are usual, or choose a smaller --window",
        )
    return found


def _left_out(name: str, error: DataError) -> Note:
    chinese = {"valid": "验证", "test": "测试"}[name]
    english = {"valid": "validation", "test": "test"}[name]
    return Note(
        code="part_left_out",
        en=f"There is no {english} part: {error.what}.",
        zh=f"没有{chinese}部分：数据不足以构成一个窗口。",
        level="warning",
    )


def _samples(task: Task, series: Series, spans: Spans, window: int | None, stride: int, *, again: bool) -> Samples:
    """Windows of a part; ``again``: every one of them where truth stands in few rows, and the stride met none."""
    try:
        return task.samples(series, spans, window=window, stride=stride)
    except DataError:
        if stride == 1 or not again:
            raise
    return task.samples(series, spans, window=window)


def _stride(spans: Spans) -> int:
    """Rows between two windows that are looked at, so that few need memory: a prime, to meet a season at all phases."""
    most = sum(end - begin for _, begin, end in spans) // _MOST_LOOKED_AT
    if most < _SMALLEST:
        return 1
    return next(n for n in range(most, 1, -1) if all(n % divisor for divisor in range(2, math.isqrt(n) + 1)))


def thinned(samples: Samples, most: int) -> Samples:
    """At most so many samples, evenly spread."""
    if len(samples) <= most:
        return samples
    return samples[np.linspace(0, len(samples) - 1, most).astype(np.int64)]


def _numbered(groups: Sequence[str] | None, samples: Samples) -> npt.NDArray[np.int64] | None:
    if groups is None:
        return None
    member: npt.NDArray[np.int64] = np.unique(np.asarray(groups), return_inverse=True)[1]
    return member[samples.series]
