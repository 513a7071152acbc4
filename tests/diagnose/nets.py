"""Small nets and batches for the tests of diagnosis."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from unrolled.data import Batch
from unrolled.nets import Net, Recurrent
from unrolled.program.shapes import Inputs, Outputs


def net_of(*layers: Any, inputs: int = 3) -> Net:
    torch.manual_seed(0)
    return Net(list(layers), Inputs(numbers=inputs), Outputs())


def recurrent_of(net: Net) -> Recurrent:
    return next(module for module in net.modules() if isinstance(module, Recurrent))


def batch_of(count: int = 12, time: int = 30, inputs: int = 3, *, ragged: bool = False) -> Batch:
    random = torch.Generator().manual_seed(1)
    lengths = torch.randint(4, time + 1, (count,), generator=random) if ragged else None
    return Batch(
        x=torch.randn(count, time, inputs, generator=random), y=torch.randn(count, 1, generator=random), lengths=lengths
    )


def squared(output: Tensor, batch: Batch) -> Tensor:
    return (output.reshape(len(batch), -1) - batch.y).square().mean()
