"""Sequences as a net learns them that answers at every step: one pass, a truth a step, and a few candidates to score.

Letters: B batch, T time, N rows, K values of the target, n answered steps, C candidates.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.prepare.arrays import Arrays
from unrolled.prepare.preprocess import Preprocessor
from unrolled.prepare.samples import Samples
from unrolled.prepare.series import Series


@dataclass(frozen=True)
class Candidates:
    """Which values a batch scores: all that are the truth somewhere in it, and some drawn by how frequent they are.

    Attributes:
        chance: ``(K,)`` probability to be drawn.
        count: how many are drawn for a batch (Hidasi & Karatzoglou 2018, section 3.1).
        seed: of the drawing; the same samples in a batch bring the same draw.
    """

    chance: npt.NDArray[np.float64]
    count: int
    seed: int = 0

    def of(self, truth: npt.NDArray[np.int64], samples: Samples) -> npt.NDArray[np.int64]:
        """``(C,)`` ascending codes, each once."""
        random = np.random.default_rng([self.seed, *samples.begin.tolist()])
        drawn = np.searchsorted(np.cumsum(self.chance), random.random(self.count), side="right")
        return np.unique(np.concatenate([truth, np.minimum(drawn, len(self.chance) - 1)]))


@dataclass(frozen=True)
class EveryStep:
    """Gathers sequences with the truth of each step; steps whose truth is not known are not answered.

    Attributes:
        preprocessor: fitted, of one categorical target.
        candidates: None scores all values.
    """

    preprocessor: Preprocessor
    candidates: Candidates | None = None

    def arrays(self, series: Series, samples: Samples, *, truth: bool = True) -> Arrays:
        """``Arrays`` with ``steps`` and their truth."""
        found = self.preprocessor.arrays(series, samples, truth=False)
        if not truth:
            return found
        row = samples.begin[:, None] + np.arange(found.x.shape[1])
        inside = row < samples.end[:, None]
        codes = self._codes(series, samples, row, inside)
        known = codes < len(self.preprocessor.classes[0])  # False where it is NaN
        steps = np.zeros_like(inside)
        steps[inside] = known
        y = codes[known].astype(np.float32)[:, None]
        only = None if self.candidates is None else self.candidates.of(y[:, 0].astype(np.int64), samples)
        return replace(found, y=y, steps=steps, only=only)

    def _codes(self, series: Series, samples: Samples, row: Any, inside: Any) -> npt.NDArray[np.float64]:
        """Truth after each row inside its sample, in the order of ``row[inside]``."""
        ends = row[inside] + 1
        member = np.repeat(samples.series, samples.lengths)
        codes: npt.NDArray[np.float64] = self.preprocessor.truth(series, Samples(ends - 1, ends, member))[:, 0, 0]
        return codes
