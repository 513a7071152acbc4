"""Which rows make which training example: an index, never a copy of the data.

Letters: n samples, N rows with an answer, T rows of the longest sample.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Samples:
    """Sample i reads rows ``begin[i]:end[i]`` of the buffer, all of sequence ``series[i]``.

    A forecast's truth is rows ``end[i]:end[i] + horizon``. Where each step has its own answer, the truth stands at
    rows ``begin[i] + lead[i]:end[i]``. Any other task's truth stands at row ``end[i] - 1`` (row-level target) or at
    case ``series[i]`` (case-level target).
    """

    begin: IntArray  # (n,)
    end: IntArray  # (n,)
    series: IntArray  # (n,)
    lead: IntArray | None = None  # (n,) first rows, which are read and have their answer elsewhere; None: all answer

    def __len__(self) -> int:
        return len(self.begin)

    def __getitem__(self, index: npt.NDArray[np.int64] | npt.NDArray[np.bool_] | slice) -> Samples:
        lead = None if self.lead is None else self.lead[index]
        return Samples(self.begin[index], self.end[index], self.series[index], lead)

    @property
    def lengths(self) -> IntArray:
        """``(n,)`` input steps of each sample."""
        return self.end - self.begin

    @property
    def counts(self) -> IntArray:
        """``(n,)`` rows of each sample that have an answer, where every step has one."""
        return self.lengths if self.lead is None else self.lengths - self.lead

    @property
    def typical_count(self) -> int:
        """``counts`` on average, at least 1."""
        return max(1, int(self.counts.mean())) if len(self) else 1

    def answered(self) -> npt.NDArray[np.bool_]:
        """``(n, T)`` the steps that have an answer, where every step has one."""
        place, lengths = np.arange(self.lengths.max(initial=0)), self.lengths[:, None]
        found: npt.NDArray[np.bool_] = place < lengths
        return found if self.lead is None else found & (place >= self.lead[:, None])

    def rows(self) -> Samples:
        """One sample for each of the N rows that have an answer, ending there."""
        counts = self.counts
        own = np.repeat(np.arange(len(self)), counts)
        place = np.arange(len(own)) - np.repeat(np.cumsum(counts) - counts, counts)
        row = (self.end - counts)[own] + place
        return Samples(self.begin[own], row + 1, self.series[own])
