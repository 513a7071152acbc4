"""Operations across time, in torch; their meaning is written in ``program.ops.time``.

Letters: B batch, T time, D inputs, H hidden.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from unrolled.nets.trace import op
from unrolled.program.ops.time import IMPOSSIBLE
from unrolled.program.ops.types import Pool


def mask(lengths: Tensor, x: Tensor) -> Tensor:
    """``(B, T)``, true inside each length of ``x`` ``(B, T, D)``."""
    return torch.arange(x.shape[1], device=x.device) < lengths.to(x.device)[:, None]


def inside_only(x: Tensor, lengths: Tensor) -> Tensor:
    """``x`` with zeros beyond each length, whatever stood there."""
    return x.masked_fill(~mask(lengths, x)[..., None], 0)


def last_step(x: Tensor, lengths: Tensor | None) -> Tensor:
    """``(B, D)``, the last step inside each length."""
    if lengths is None:
        return x[:, -1]
    index = (lengths.to(x.device) - 1).clamp(min=0)
    return x.gather(1, index[:, None, None].expand(-1, 1, x.shape[2]))[:, 0]


@op(outputs=2)
def conv1d(
    x: Tensor,
    lengths: Tensor | None,
    /,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    stride: int,
    left: int,
    right: int,
    each: bool = False,
) -> tuple[Tensor, Tensor | None]:
    if lengths is not None:
        x = inside_only(x, lengths)
    x = x.transpose(1, 2)
    if left != right:
        x = F.pad(x, (left, right))
    y = F.conv1d(x, weight, bias, stride, padding=left if left == right else 0, groups=x.shape[1] if each else 1)
    return y.transpose(1, 2), None if lengths is None else -(-lengths // stride)


@op()
def pool(x: Tensor, lengths: Tensor | None, /, *, kind: Pool, backward: int) -> Tensor:
    if kind == "last":
        last = last_step(x, lengths)
        if not backward:
            return last
        forward = x.shape[2] - backward
        return torch.cat([last[:, :forward], x[:, 0, forward:]], dim=-1)
    if lengths is None:
        return x.mean(dim=1) if kind == "mean" else x.amax(dim=1)
    inside = mask(lengths, x)[..., None]
    if kind == "max":
        return x.masked_fill(~inside, -torch.inf).amax(dim=1)
    count = lengths.to(x.device).clamp(min=1)[:, None]
    return x.masked_fill(~inside, 0).sum(dim=1) / count


@op(outputs=2)
def attend(x: Tensor, scores: Tensor, lengths: Tensor | None, /) -> tuple[Tensor, Tensor]:
    scores = scores.squeeze(-1)
    if lengths is not None:
        scores = scores.masked_fill(~mask(lengths, x), -torch.inf)
        x = inside_only(x, lengths)
    weights = torch.softmax(scores, dim=1)
    return torch.bmm(weights.unsqueeze(1), x).squeeze(1), weights


@op()
def end_in_blank(x: Tensor, lengths: Tensor | None, /) -> Tensor:
    if lengths is None:
        return x
    certain = x.new_full((x.shape[2],), IMPOSSIBLE)
    certain[0] = 0
    return torch.where(mask(lengths, x)[..., None], x, certain)
