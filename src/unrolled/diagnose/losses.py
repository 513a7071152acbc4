"""The loss of every single sample.

Letters: n samples, S steps, M targets, V values of the net.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from unrolled.data import Batch
from unrolled.diagnose.recording import Loss


@torch.inference_mode()
def answers(net: nn.Module, batches: Sequence[Batch]) -> list[Tensor]:
    """Outputs ``(B, S, M, V)`` of every batch, outside training."""
    training = net.training
    net.eval()
    found = [net(**batch.inputs()) for batch in batches]
    net.train(training)
    return found


@torch.inference_mode()
def by_sample(outputs: Sequence[Tensor], batches: Sequence[Batch], loss: Loss) -> Tensor:
    """``(n,)`` losses."""
    return torch.stack(
        [
            loss(output[at : at + 1], taken(batch, slice(at, at + 1)))
            for output, batch in zip(outputs, batches, strict=True)
            for at in range(len(batch))
        ]
    ).double()


def taken(batch: Batch, chosen: slice) -> Batch:
    """Some samples of a batch."""
    return replace(batch, **{name: value[chosen] for name, value in vars(batch).items() if value is not None})
