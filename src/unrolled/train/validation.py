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
    total, samples = 0.0, 0

    def pairs() -> Iterator[tuple[Tensor, Batch]]:
        nonlocal total, samples
        for number, batch in enumerate(batches.epoch(0)):
            batch = batch.to(device)
            output = net(**batch.inputs())
            value = float(loss(output, batch))
            if not math.isfinite(value):  # before a measure stumbles over it
                raise NotFinite(value, math.nan, number, part="validation")
            total, samples = total + value * len(batch), samples + len(batch)
            yield output, batch

    outputs = pairs()
    metric = None if measure is None else measure(outputs)
    for _ in outputs:  # what the measure did not read counts in the loss all the same
        pass
    return Metric(name="loss", value=total / samples), metric
