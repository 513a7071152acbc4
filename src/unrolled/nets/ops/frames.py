"""Pictures inside a sequence, in torch; the meaning is written in ``program.ops.frames``."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from unrolled.nets.trace import op
from unrolled.program.ops.frames import Places


@op()
def conv2d(x: Tensor, /, weight: Tensor, bias: Tensor | None = None, *, height: int, width: int, stride: int) -> Tensor:
    pictures = x.reshape(-1, height, width, weight.shape[1]).permute(0, 3, 1, 2)
    y = F.conv2d(pictures, weight, bias, stride, padding=weight.shape[2] // 2)
    return y.permute(0, 2, 3, 1).reshape(*x.shape[:2], -1)


@op()
def places(x: Tensor, /, *, channels: int, kind: Places) -> Tensor:
    pictures = x.reshape(*x.shape[:2], -1, channels)
    return pictures.mean(dim=2) if kind == "mean" else pictures.amax(dim=2)
