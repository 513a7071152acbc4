"""How unusual rows are as they arrive: what was forecast of each, measured when it is there.

Letters: T new rows, C channels, V steps ahead.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.prepare import scores
from unrolled.prepare.answer import Answer
from unrolled.prepare.decoding import AnomalyDecoding

_Values = npt.NDArray[Any]


class Unusual:
    """The scores of one sequence, row after row; they are those of the sequence as a whole.

    Where scores are one a sequence, the answer at each row is that of the sequence so far.
    """

    def __init__(self, decoding: AnomalyDecoding) -> None:
        self._decoding = decoding
        self._outputs = np.empty((0, len(decoding.channels), decoding.ahead), np.float32)
        self._seen, self._total, self._highest = 0, 0.0, 0.0

    def answers(self, output: _Values, truth: _Values) -> Answer:
        """Answers at T rows, from what the net says there ``(T, C, V)`` and what they hold ``(T, C)`` in its scale."""
        decoding, before, count = self._decoding, len(self._outputs), len(truth)
        said = np.concatenate([self._outputs, output])
        held = np.concatenate([np.full((before, truth.shape[1]), np.nan, truth.dtype), truth])
        errors = scores.errors(said[None], held[None], decoding.kind)[0, before:]
        errors[: max(0, decoding.warm_up - self._seen)] = np.nan
        self._outputs = said[max(0, len(said) - decoding.ahead) :]
        return decoding.answer(self._combined(decoding.row_scores(errors), count))

    def _combined(self, score: scores.Float, count: int) -> scores.Float:
        """Scores of the rows, or of the sequence up to each of them."""
        rows = np.arange(self._seen + 1, self._seen + count + 1)
        total = self._total + np.cumsum(score)
        highest = np.maximum(self._highest, np.maximum.accumulate(score))
        self._seen, self._total, self._highest = int(rows[-1]), float(total[-1]), float(highest[-1])
        if self._decoding.by_row:
            return score
        return highest if self._decoding.combine == "max" else total / rows
