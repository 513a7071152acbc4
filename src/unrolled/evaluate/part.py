"""One part of the data with its truth: what a model is trained on, or judged on.

Letters: n samples, S steps, M targets, N rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.prepare.missing import last_known
from unrolled.prepare.pages import taken
from unrolled.prepare.samples import Samples
from unrolled.prepare.series import Series
from unrolled.tasks.task import Values

_CHUNK = 1024  # windows at once


@dataclass(frozen=True)
class Part:
    """Samples of a series and their truth.

    Attributes:
        series: the data in original units.
        samples: n windows.
        truth: ``(n, S, M)`` of a forecast, ``(n, M)`` otherwise, in original units, class codes, or 0 and 1.
        drawn_from: the samples of which these were drawn, where not all could be kept with their truth.
    """

    series: Series
    samples: Samples
    truth: Values
    drawn_from: Samples | None = None

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: npt.NDArray[np.int64] | slice) -> Part:
        return Part(self.series, self.samples[index], self.truth[index])

    @property
    def targets(self) -> list[int]:
        """Columns of ``series.values`` that are targets."""
        return [self.series.index(c) for c in self.series.of_role("target") if c.level == "row"]

    def rows(self) -> list[tuple[int, int, int]]:
        """``(sequence, first row, end row)`` that all samples and a forecast's truth reach over."""
        ahead = self.truth.shape[1] if self.truth.ndim == 3 else 0
        samples = self.samples if self.drawn_from is None else self.drawn_from
        order = np.argsort(samples.series, kind="stable")
        names, first = np.unique(samples.series[order], return_index=True)
        if not len(names):
            return []
        begins = np.minimum.reduceat(samples.begin[order], first)
        ends = np.maximum.reduceat(samples.end[order], first) + ahead
        stops = np.minimum(ends, self.series.starts[names + 1])
        return [(int(s), int(a), int(b)) for s, a, b in zip(names, begins, stops, strict=True)]

    def fresh(self) -> npt.NDArray[np.bool_]:
        """``(n,)`` of samples that follow row by row, whether this one goes on with nothing."""
        row, series = self.samples.end, self.samples.series
        found = np.ones(len(self), dtype=bool)
        found[1:] = (np.diff(row) != 1) | (np.diff(series) != 0)
        return found

    def last(self) -> Values:
        """``(n, M)`` last observed value of each target in the window, NaN where there is none."""
        columns, begin, end = self.targets, self.samples.begin, self.samples.end
        found = taken(self.series.values, end - 1)[:, columns]
        holes = np.flatnonzero(np.isnan(found).any(axis=1))
        for at in range(0, len(holes), _CHUNK):
            some = holes[at : at + _CHUNK]
            longest = int((end - begin)[some].max())
            rows = np.maximum(end[some, None] - longest + np.arange(longest), begin[some, None])
            found[some] = last_known(taken(self.series.values, rows)[..., columns])
        return found

    def times(self) -> npt.NDArray[Any]:
        """``(n, S)`` time stamps of a forecast's truth, or ``(n,)`` of the last row; row numbers without time."""
        row = self.samples.end - 1
        if self.truth.ndim == 3:
            row = self.samples.end[:, None] + np.arange(self.truth.shape[1])
        if self.series.time is not None:
            return taken(self.series.time, np.minimum(row, len(self.series.time) - 1))
        start = self.series.starts[self.samples.series]
        return np.asarray(row - (start[:, None] if row.ndim == 2 else start) + 1)
