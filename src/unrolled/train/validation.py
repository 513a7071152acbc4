"""One pass over the validation part: its loss, and the figure of the task."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from unrolled.core.records import Metric
from unrolled.data.batch import Batch
from unrolled.train.protocols import Batches, Loss, Measure
from unrolled.train.watch import NotFinite


@torch.no_grad()
def validate(
    net: nn.Module, batches: Batches, loss: Loss, measure: Measure | None, device: torch.device
) -> tuple[Metric, Metric | None]:
    """Mean loss a sample, and what ``measure`` says of the same outputs.

    Raises:
        NotFinite: a loss is NaN or infinite.
    """
    net.eval()
    losses: list[Tensor] = []
    sizes: list[int] = []

    def pairs() -> Iterator[tuple[Tensor, Batch]]:
        for batch in batches.epoch(0):
            batch = batch.to(device)
            output = net(**batch.inputs())
            losses.append(loss(output, batch))
            sizes.append(len(batch))
            yield output, batch

    outputs = pairs()
    metric = None if measure is None else measure(outputs)
    for _ in outputs:  # what the measure did not read counts in the loss all the same
        pass
    values = torch.stack(losses).tolist()
    for number, value in enumerate(values):
        if not math.isfinite(value):
            raise NotFinite(value, math.nan, number, part="validation")
    mean = sum(value * size for value, size in zip(values, sizes, strict=True)) / sum(sizes)
    return Metric(name="loss", value=mean), metric
