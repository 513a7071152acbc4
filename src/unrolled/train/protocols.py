"""What the loop asks of the data, the loss and the measure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from torch import Tensor

from unrolled.core.records import Metric
from unrolled.data.batch import Batch


class Batches(Protocol):
    """Batches whose order depends on a seed and the epoch's number alone.

    ``epoch(number, start)`` leaves out the first ``start`` batches, so that a resumed run goes on where it was. In
    data-parallel training each process is given its own share of each batch.
    """

    def __len__(self) -> int: ...

    def epoch(self, number: int = 0, start: int = 0) -> Iterator[Batch]: ...


Loss = Callable[[Tensor, Batch], Tensor]
"""(output of the net, batch) -> scalar: the mean over the batch's samples."""

Measure = Callable[[Iterable[tuple[Tensor, Batch]]], Metric]
"""All (output, batch) pairs of the validation part, in order -> one figure."""
