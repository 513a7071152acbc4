"""Answers with where they belong.

Letters: n samples, S steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from unrolled.core.records import Note
from unrolled.prepare import decode
from unrolled.prepare.decode import Answer
from unrolled.prepare.table import Table


@dataclass(frozen=True)
class Prediction:
    """Answers with where they belong.

    Attributes:
        answer: n predictions in original units.
        ids: n names of sequences.
        times: ``(n, S)`` time stamps of forecast steps, ``(n,)`` of the row that was predicted (its number where
            the data has no time), or None for one answer a sequence.
        notes: what differs between this data and what the model learnt from, and what was left out.
    """

    answer: Answer
    ids: tuple[str, ...]
    times: npt.NDArray[Any] | None = None
    notes: tuple[Note, ...] = ()

    def table(self) -> Table:
        """As columns, one row a sample and step."""
        return decode.table(self.answer, self.ids, self.times)


def joined(parts: Sequence[Answer]) -> Answer:
    """Answers of chunks, one after another."""

    def together(name: str) -> Any:
        values = [getattr(part, name) for part in parts]
        return None if values[0] is None else np.concatenate(values)

    kept = ("value", "quantiles", "probability", "score")
    return replace(parts[0], **{name: together(name) for name in kept})
