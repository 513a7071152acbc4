"""Operations on one vector at a time, in torch; their meaning is written in ``program.ops.dense``."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unrolled.nets.trace import op, tracing
from unrolled.program.ops.types import Activation


def _gelu(x: Tensor) -> Tensor:
    return F.gelu(x, approximate="tanh")


_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": torch.relu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "gelu": _gelu,
    "silu": F.silu,
    "elu": F.elu,
}


@op()
def linear(x: Tensor, /, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    return F.linear(x, weight, bias)


@op()
def embedding(codes: Tensor, /, weight: Tensor) -> Tensor:
    codes = codes[..., 0]
    unknown = len(weight) - 1
    known = (codes >= 0) & (codes <= unknown)
    return F.embedding(torch.where(known, codes, unknown).long(), weight)


@op()
def activation(x: Tensor, /, *, kind: Activation) -> Tensor:
    return _ACTIVATIONS[kind](x)


@op()
def layer_norm(x: Tensor, /, weight: Tensor, bias: Tensor, *, eps: float) -> Tensor:
    return F.layer_norm(x, weight.shape, weight, bias, eps)


def batch_norm(x: Tensor, lengths: Tensor | None, norm: nn.BatchNorm1d) -> Tensor:
    """``(B, T, D)``; in training the statistics are those of the steps inside each length."""
    if tracing(x) is not None or not norm.training:
        return _batch_norm(
            x,
            weight=norm.weight,
            bias=norm.bias,
            running_mean=cast(Tensor, norm.running_mean),
            running_var=cast(Tensor, norm.running_var),
            eps=norm.eps,
        )
    if lengths is None:
        return cast(Tensor, norm(x.transpose(1, 2))).transpose(1, 2)  # the layout in which a convolution left it
    inside = torch.arange(x.shape[1], device=x.device) < lengths.to(x.device)[:, None]
    y = torch.zeros_like(x)
    y[inside] = norm(x[inside])
    return y


@op(name="batch_norm")
def _batch_norm(
    x: Tensor, /, weight: Tensor, bias: Tensor, running_mean: Tensor, running_var: Tensor, *, eps: float
) -> Tensor:
    scale = weight * torch.rsqrt(running_var + eps)
    return torch.addcmul(bias - running_mean * scale, x, scale)


def dropout(x: Tensor, rate: float, training: bool, *, whole: bool = False) -> Tensor:
    """Nothing outside training, so nothing in a plan; ``whole`` zeroes columns of ``(B, T, D)`` at all steps."""
    if not training or not rate or tracing(x) is not None:
        return x
    return x * F.dropout(torch.ones_like(x[:, :1]), rate) if whole else F.dropout(x, rate)


def noise(x: Tensor, deviation: float, training: bool) -> Tensor:
    """Gaussian noise in training, nothing in a plan."""
    return x + deviation * torch.randn_like(x) if training and deviation and tracing(x) is None else x
