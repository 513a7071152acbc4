"""Which rows make which training example: an index, never a copy of the data.

Letters: n samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Samples:
    """Sample i reads rows ``begin[i]:end[i]`` of the buffer, all of sequence ``series[i]``.

    A forecast's truth is rows ``end[i]:end[i] + horizon``; any other task's truth stands at row ``end[i] - 1``
    (row-level target) or at case ``series[i]`` (case-level target).
    """

    begin: IntArray  # (n,)
    end: IntArray  # (n,)
    series: IntArray  # (n,)

    def __len__(self) -> int:
        return len(self.begin)

    def __getitem__(self, index: npt.NDArray[np.int64] | npt.NDArray[np.bool_] | slice) -> Samples:
        return Samples(self.begin[index], self.end[index], self.series[index])

    @property
    def lengths(self) -> IntArray:
        """``(n,)`` input steps of each sample."""
        return self.end - self.begin
