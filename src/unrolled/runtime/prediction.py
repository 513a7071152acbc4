"""Answers with where they belong.

Letters: n samples, S steps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.core.records import Note
from unrolled.prepare.answer import Answer, table
from unrolled.prepare.table import Table


@dataclass(frozen=True)
class Prediction:
    """Answers with where they belong.

    Attributes:
        answer: n predictions in original units.
        ids: n names of sequences.
        times: ``(n, S)`` time stamps of forecast steps, ``(n,)`` of the row that was predicted, or after which the
            next item was (its number where the data has no time), or None for one answer a sequence.
        notes: what differs between this data and what the model learnt from, and what was left out.
    """

    answer: Answer
    ids: tuple[str, ...]
    times: npt.NDArray[Any] | None = None
    notes: tuple[Note, ...] = ()

    def __getitem__(self, index: npt.NDArray[np.int64]) -> Prediction:
        """Some of the predictions."""
        ids = tuple(self.ids[at] for at in index.tolist())
        return replace(
            self, answer=self.answer[index], ids=ids, times=None if self.times is None else self.times[index]
        )

    def table(self) -> Table:
        """As columns, one row a sample and step."""
        return table(self.answer, self.ids, self.times)
