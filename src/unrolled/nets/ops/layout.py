"""Operations that move numbers and compute none, in torch; their meaning is written in ``program.ops.layout``."""

from __future__ import annotations

from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor

from unrolled.nets.ops.time import inside_only
from unrolled.nets.trace import op
from unrolled.program.ops.types import Align, Mark, Merge

Maybe = TypeVar("Maybe", Tensor, Tensor | None)


@op()
def slice_axis(x: Tensor, /, *, axis: int, start: int, stop: int) -> Tensor:
    return x[..., start:stop] if axis == -1 else x[:, start:stop]


@op()
def merge(*xs: Tensor, kind: Merge) -> Tensor:
    if kind == "concat":
        return torch.cat([x.expand(*xs[0].shape[:-1], -1) for x in xs], dim=-1)
    total = xs[0]
    for x in xs[1:]:
        total = total + x
    return total if kind == "sum" else total / len(xs)


@op()
def repeat(x: Maybe, /, *, times: int) -> Maybe:
    return None if x is None else x.repeat_interleave(times, dim=0)


@op()
def tile(like: Tensor, /, weight: Tensor) -> Tensor:
    return weight.repeat(len(like) // len(weight), *(1 for _ in weight.shape[1:]))


@op()
def reshape(x: Tensor, /, *, shape: tuple[int, ...]) -> Tensor:
    return x.reshape(-1, *shape)


@op()
def unflatten(x: Tensor, /, *, shape: tuple[int, ...]) -> Tensor:
    return x.reshape(*x.shape[:-1], *shape)


@op()
def spread(x: Tensor, like: Tensor, /) -> Tensor:
    return x.unsqueeze(1).expand(-1, like.shape[1], -1)


@op()
def fold_channels(x: Tensor, /, *, channels: int) -> Tensor:
    batch, time, size = x.shape
    own = x[..., :channels].transpose(1, 2).unsqueeze(-1)
    if size == channels:
        return own.reshape(batch * channels, time, 1)
    others = x[:, None, :, channels:].expand(batch, channels, time, size - channels)
    return torch.cat([own, others], dim=-1).view(batch * channels, time, -1)


@op()
def unfold_channels(y: Tensor, /, *, channels: int) -> Tensor:
    _, horizon, _, values = y.shape
    return y.view(-1, channels, horizon, values).transpose(1, 2)


@op(outputs=2)
def patch(x: Tensor, lengths: Tensor | None, /, *, length: int, align: Align) -> tuple[Tensor, Tensor | None]:
    batch, time, size = x.shape
    count = -(-time // length)
    missing = count * length - time
    if lengths is not None:
        x = inside_only(x, lengths)
    if align == "end" and lengths is not None:
        x = _shift(x, -lengths.to(x.device) % length, count * length)
    elif missing:
        x = F.pad(x, (0, 0, missing, 0) if align == "end" else (0, 0, 0, missing))
    return x.reshape(batch, count, length * size), None if lengths is None else -(-lengths // length)


@op()
def reverse(x: Tensor, lengths: Tensor | None, /) -> Tensor:
    if lengths is None:
        return x.flip(1)
    time = torch.arange(x.shape[1], device=x.device)
    length = lengths.to(x.device)[:, None]
    mirrored = torch.where(time < length, length - 1 - time, time)
    return x.gather(1, mirrored[..., None].expand(-1, -1, x.shape[2]))


@op(outputs=3)
def pieces(x: Tensor, lengths: Tensor | None, /, *, length: int) -> tuple[Tensor, Tensor | None, Tensor | None]:
    batch, time, size = x.shape
    count = -(-time // length)
    if lengths is not None:
        x = inside_only(x, lengths)
    elif time % length:
        lengths = torch.full((batch,), time)
    cut = F.pad(x, (0, 0, 0, count * length - time)).reshape(batch * count, length, size)
    if lengths is None:
        return cut, None, None
    starts = torch.arange(count, device=lengths.device) * length
    return cut, (lengths[:, None] - starts).clamp(1, length).reshape(-1), -(-lengths // length)


@op(outputs=3)
def marked_pieces(x: Tensor, lengths: Tensor | None, /, *, column: int, mark: Mark) -> tuple[Tensor, Tensor, Tensor]:
    batch, time, size = x.shape
    steps = torch.arange(time, device=x.device)
    end = (torch.full((batch,), time) if lengths is None else lengths).to(x.device)[:, None]
    at = x[:, :, column]
    begins = torch.ones(batch, time, dtype=torch.bool, device=x.device)
    begins[:, 1:] = at[:, 1:] != at[:, :-1] if mark == "change" else at[:, 1:] > 0
    begins &= steps < end
    counts = begins.sum(1)
    first = torch.where(begins, steps, time).sort(1).values[:, : int(counts.max())]
    stop = torch.minimum(torch.cat([first[:, 1:], end], 1), end)
    own = (stop - first).clamp(min=1)
    index = first[..., None] + torch.arange(int(own.max()), device=x.device)
    taken = x.gather(1, index.clamp(max=time - 1).reshape(batch, -1, 1).expand(-1, -1, size)).view(*index.shape, size)
    cut = taken.masked_fill((index >= stop[..., None])[..., None], 0)
    return cut.flatten(0, 1), own.flatten(), counts


@op()
def group(x: Tensor, like: Tensor, /) -> Tensor:
    return x.reshape(len(like), -1, x.shape[-1])


@op()
def columns(x: Tensor, /, *, index: tuple[int, ...]) -> Tensor:
    return x[..., list(index)]


def _shift(x: Tensor, delay: Tensor, time: int) -> Tensor:
    """Sequence b begins ``delay[b]`` steps later, after zeros; the result has ``time`` steps."""
    index = torch.arange(time, device=x.device) - delay[:, None]
    taken = x.gather(1, index.clamp(0, x.shape[1] - 1)[..., None].expand(-1, -1, x.shape[2]))
    return taken.masked_fill((index < 0)[..., None], 0)
