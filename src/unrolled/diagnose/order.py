"""Whether the net uses the order of steps, and whether the data has one.

Letters: B batch, T time, D inputs, n samples.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from unrolled.core.diagnosis import Finding
from unrolled.data import Batch
from unrolled.diagnose.losses import answers, by_sample
from unrolled.diagnose.recording import Loss
from unrolled.diagnose.wording import finding

_RISE = 0.02  # of the loss: less does not matter to anybody
_SURE = 2.0  # standard errors
_SHUFFLES = 5
_ENOUGH, _ROOM = 100, 0.1  # steps; distance from 1 that chance explains at so many (one standard error)


def order(
    net: nn.Module, batches: Sequence[Batch], loss: Loss, *, measured: int | None = None, seed: int = 0
) -> Iterator[Finding]:
    """The loss with the steps of each sequence shuffled, sample by sample, against the loss in order.

    Args:
        net, batches, loss: as of ``examine``.
        measured: leading inputs that come from the data and not from its time stamps; None: all.
        seed: of the shuffles.
    """
    random = torch.Generator().manual_seed(seed)
    straight = by_sample(answers(net, batches), batches, loss)
    mixed = torch.zeros_like(straight)
    for _ in range(_SHUFFLES):
        other = [shuffled(batch, random) for batch in batches]
        mixed += by_sample(answers(net, other), other, loss) / _SHUFFLES
    rise, error = mixed - straight, _standard_error(mixed - straight)
    usual = float(straight.mean())
    share = float(rise.mean()) / max(abs(usual), 1e-12)
    used = share > _RISE and float(rise.mean()) > _SURE * error
    figures = {"ratio": 1 + share, "loss": usual, "sure": float(rise.mean()) / error if error else 0.0}
    yield finding(
        "order_matters" if used else "order_unused", "fine" if used else "watch", probe="order", figures=figures
    )
    smooth = roughness(batches, measured)
    if smooth is not None and smooth > 1 - _ROOM:
        yield finding("steps_shuffled", "watch", probe="order", figures={"roughness": smooth})


def roughness(batches: Sequence[Batch], measured: int | None = None) -> float | None:
    """Mean square of the changes from step to step over twice the variance within sequences (von Neumann 1941).

    Of the smoothest column; 1 on average where steps are in random order, near 0 where each is like the one before.
    None where there is too little to judge by.
    """
    changes, spread, count = (torch.zeros(batches[0].x.shape[2], dtype=torch.float64) for _ in range(3))
    for batch in batches:
        x, lengths = batch.x.double(), _lengths(batch)
        inside = (torch.arange(x.shape[1]) < lengths[:, None])[..., None]
        mean = torch.where(inside, x, 0).sum(1, keepdim=True) / lengths.clamp_min(1)[:, None, None]
        steps = (lengths - 1).clamp_min(1)[:, None]
        changes += (torch.where(inside[:, 1:], x.diff(dim=1), 0).square().sum(1) / steps).sum(0)
        spread += (torch.where(inside, x - mean, 0).square().sum(1) / steps).sum(0)
        count += int(lengths.sum())
    kept = slice(measured)
    moving = spread[kept] > 1e-12
    if int(count[0]) < _ENOUGH or not bool(moving.any()):
        return None
    return float((changes[kept][moving] / (2 * spread[kept][moving])).min())


def shuffled(batch: Batch, random: torch.Generator) -> Batch:
    """The batch with the true steps of each sequence in another order."""
    count, time = batch.x.shape[:2]
    lengths = _lengths(batch)
    places = torch.rand(count, time, generator=random)
    beyond = torch.arange(time) >= lengths[:, None]
    places = torch.where(beyond, 2 + torch.arange(time), places).argsort(1)
    return replace(batch, x=batch.x.gather(1, places[..., None].expand_as(batch.x)))


def _lengths(batch: Batch) -> Tensor:
    return torch.full((len(batch),), batch.x.shape[1]) if batch.lengths is None else batch.lengths


def _standard_error(values: Tensor) -> float:
    return float(values.std(correction=0)) / math.sqrt(len(values))
