"""Whether the net uses the order of steps: its loss with the steps of each sequence shuffled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from unrolled.core.diagnosis import Finding
from unrolled.data import Batch
from unrolled.diagnose.recording import Loss
from unrolled.diagnose.wording import finding

_SAME = 0.02  # of the loss
_SHUFFLES = 5


def order(net: nn.Module, batches: Sequence[Batch], loss: Loss, seed: int = 0) -> Finding:
    """A permutation test: the mean loss of several shuffles, over the loss in order."""
    random = torch.Generator().manual_seed(seed)
    training = net.training
    net.eval()
    with torch.inference_mode():
        straight = _mean(net, batches, loss)
        mixed = [_mean(net, [shuffled(batch, random) for batch in batches], loss) for _ in range(_SHUFFLES)]
    net.train(training)
    ratio = sum(mixed) / len(mixed) / straight if straight else 1.0
    same = abs(ratio - 1) < _SAME
    return finding(
        "order_unused" if same else "order_matters",
        "watch" if same else "fine",
        probe="order",
        figures={"ratio": ratio, "loss": straight},
    )


def shuffled(batch: Batch, random: torch.Generator) -> Batch:
    """The batch with the true steps of each sequence in another order."""
    count, time = batch.x.shape[:2]
    lengths = torch.full((count,), time) if batch.lengths is None else batch.lengths
    places = torch.rand(count, time, generator=random)
    beyond = torch.arange(time) >= lengths[:, None]
    places = torch.where(beyond, 2 + torch.arange(time), places).argsort(1)
    return replace(batch, x=batch.x.gather(1, places[..., None].expand_as(batch.x)))


def _mean(net: nn.Module, batches: Sequence[Batch], loss: Loss) -> float:
    values: list[Tensor] = [loss(net(**batch.inputs()), batch) * len(batch) for batch in batches]
    return float(torch.stack(values).sum()) / sum(map(len, batches))
