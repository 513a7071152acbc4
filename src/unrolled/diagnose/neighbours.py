"""Which rows a net takes to be alike: distances between what its last layer reads.

Letters: B batch, T time, R numbers that the last layer reads, n samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from unrolled.data import Batch
from unrolled.nets.body import Body
from unrolled.nets.flow import Flow


@torch.inference_mode()
def represented(net: Body, batches: Sequence[Batch]) -> Tensor:
    """``(n, R)`` what the last layer reads; the mean over the steps where it reads each of them."""
    kept: list[Tensor] = []
    counts = iter([len(batch) for batch in batches])

    def keep(layer: nn.Module, given: tuple[Any, ...]) -> None:
        flow: Flow = given[0]
        x = flow.x
        if x.dim() == 3:
            if flow.lengths is not None:
                inside = (torch.arange(x.shape[1]) < flow.lengths[:, None])[..., None]
                x = torch.where(inside, x, 0).sum(1) / flow.lengths.clamp_min(1)[:, None]
            else:
                x = x.mean(1)
        kept.append(x.reshape(next(counts), -1))  # channels may have been folded into the batch

    hook = net.layers.parts[-1].register_forward_pre_hook(keep)
    training = net.training
    net.eval()
    try:
        for batch in batches:
            net(**batch.inputs())
    finally:
        hook.remove()
        net.train(training)
    return torch.cat(kept).double()


def nearest(places: Tensor, of: Tensor) -> tuple[Tensor, Tensor]:
    """Order ``(n,)`` of rows ``(n, R)`` by their distance to ``of`` ``(R,)``, and these distances, nearest first.

    Each number counts in its own standard deviation; two rows drawn at random are 1 apart, in the root mean square.
    """
    spread = places.std(0, correction=0).clamp_min(1e-9)
    away = ((places - of) / spread).square().mean(1).div(2).sqrt()
    order = away.argsort(stable=True)
    return order, away[order]
