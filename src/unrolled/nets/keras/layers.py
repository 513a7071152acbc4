"""Keras' other layers in torch: each takes ``(x, mask)`` and gives both.

Letters: B batch, T time, D inputs, C channels, K kernel width.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from unrolled.core.errors import ConfigError
from unrolled.nets.keras.activations import ACTIVATIONS
from unrolled.nets.keras.recurrent import Masked

Padding = Literal["valid", "same", "causal"]


class Plain(nn.Module):
    """Any module that looks at one step, or keeps the mask as it is."""

    def __init__(self, module: nn.Module, activation: str = "linear", *, keeps_mask: bool = True) -> None:
        super().__init__()
        self.module, self.activation, self.keeps_mask = module, activation, keeps_mask

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Masked:
        """Run the module, then the activation."""
        return ACTIVATIONS[self.activation](self.module(x)), mask if self.keeps_mask else None


class Embedding(nn.Module):
    """Codes ``(B, T)`` to rows; code 0 is masked where ``mask_zero``."""

    def __init__(self, weight: Tensor, mask_zero: bool) -> None:
        super().__init__()
        self.weight, self.mask_zero = nn.Parameter(weight), mask_zero

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Masked:
        """Look up."""
        return F.embedding(x.long(), self.weight), x != 0 if self.mask_zero else mask


class Masking(nn.Module):
    """Steps that hold only ``value`` do not count."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Masked:
        """Zero them, and say which."""
        counts = (x != self.value).any(-1)
        return x * counts[..., None], counts


class Convolution(nn.Module):
    """``Conv1D``: ``(B, T, D)`` to ``(B, T', C)``; its weight is ``(C, D, K)``."""

    def __init__(self, weight: Tensor, bias: Tensor | None, padding: Padding, options: dict[str, Any]) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight)
        self.bias = None if bias is None else nn.Parameter(bias)
        self.padding, self.options = padding, options

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Masked:
        """Run; Keras drops the mask here."""
        options = {name: self.options[name] for name in ("stride", "dilation", "groups")}
        span = (self.weight.shape[2] - 1) * options["dilation"] + 1
        padded = F.pad(x.transpose(1, 2), _padding(self.padding, x.shape[1], span, options["stride"]))
        y = F.conv1d(padded, self.weight, self.bias, **options).transpose(1, 2)
        return ACTIVATIONS[self.options["activation"]](y), None


class Pooling(nn.Module):
    """``MaxPooling1D`` and ``AveragePooling1D``; padding counts for nothing."""

    def __init__(self, kind: Literal["max", "mean"], size: int, stride: int, padding: Padding) -> None:
        super().__init__()
        self.kind, self.size, self.stride, self.padding = kind, size, stride, padding

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Masked:
        """Run; Keras drops the mask here."""
        around = _padding(self.padding, x.shape[1], self.size, self.stride)
        v = x.transpose(1, 2)
        if self.kind == "max":
            y = F.max_pool1d(F.pad(v, around, value=-torch.inf), self.size, self.stride)
        else:
            ones = F.pad(torch.ones_like(v[:1, :1]), around)
            y = F.avg_pool1d(F.pad(v, around), self.size, self.stride)
            y = y / F.avg_pool1d(ones, self.size, self.stride)
        return y.transpose(1, 2), None


class GlobalPooling(nn.Module):
    """``(B, T, D)`` to ``(B, D)``; the mean is over the steps that count, the maximum, as in Keras, over all."""

    def __init__(self, kind: Literal["max", "mean"], keep: bool) -> None:
        super().__init__()
        self.kind, self.keep = kind, keep

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Masked:
        """Run."""
        if self.kind == "max":
            return x.amax(1, keepdim=self.keep), None
        if mask is None:
            return x.mean(1, keepdim=self.keep), None
        counts = mask[..., None].to(x.dtype)
        return (x * counts).sum(1, keepdim=self.keep) / counts.sum(1, keepdim=self.keep), None


class Normalization(nn.Module):
    """``BatchNormalization`` and ``LayerNormalization`` over the last axis."""

    def __init__(self, norm: nn.BatchNorm1d | nn.LayerNorm) -> None:
        super().__init__()
        self.norm = norm

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Masked:
        """Run; the statistics of training are those of all steps, masked or not."""
        if isinstance(self.norm, nn.BatchNorm1d) and x.dim() == 3:
            return self.norm(x.transpose(1, 2)).transpose(1, 2), mask
        return self.norm(x), mask


class Repeat(nn.Module):
    """``RepeatVector``: ``(B, D)`` to ``(B, n, D)``."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Masked:
        """Run."""
        return x[:, None].expand(-1, self.times, -1), None


class Merging(nn.Module):
    """``Add``, ``Multiply``, ``Average``, ``Subtract``, ``Maximum``, ``Minimum`` and ``Concatenate``."""

    def __init__(self, kind: str, axis: int = -1) -> None:
        super().__init__()
        self.kind, self.axis = kind, axis

    def forward(self, xs: list[Tensor], masks: list[Tensor | None]) -> Masked:
        """Merge values; where all have a mask, a step counts that counts in any of them."""
        known = [mask for mask in masks if mask is not None]
        if known and self.axis == 1:
            raise ConfigError("masked sequences are joined in time", where=self.kind)
        mask = torch.stack(known).any(0) if known and len(known) == len(masks) else None
        if self.kind == "Concatenate":
            return torch.cat(xs, self.axis), mask
        if self.kind == "Subtract":
            return xs[0] - xs[1], mask
        if self.kind in _FIRST:
            return _where_known(_FIRST[self.kind], xs, masks), mask
        if self.kind == "Multiply":
            pairs = zip(xs, masks, strict=True)
            factors = [x if known is None else torch.where(known[..., None], x, 1) for x, known in pairs]
            product = math.prod(factors[1:], start=factors[0])
            return product if mask is None else torch.where(mask[..., None], product, 0), mask
        total = sum(xs[1:], start=xs[0])
        return total / len(xs) if self.kind == "Average" else total, mask


_FIRST = {"Maximum": torch.maximum, "Minimum": torch.minimum}


def _where_known(choose: Callable[[Tensor, Tensor], Tensor], xs: list[Tensor], masks: list[Tensor | None]) -> Tensor:
    """The largest or smallest; a value whose step does not count gives way to the other, as in Keras."""
    result, known = xs[0], masks[0]
    for x, mask in zip(xs[1:], masks[1:], strict=True):
        other = x if mask is None else torch.where(mask[..., None], x, result)
        result = choose(result if known is None else torch.where(known[..., None], result, other), other)
        known = None if known is None or mask is None else known | mask
    return result


def _padding(padding: Padding, time: int, span: int, stride: int) -> tuple[int, int]:
    """Steps added before and after, as Keras adds them."""
    if padding == "valid":
        return 0, 0
    if padding == "causal":
        return span - 1, 0
    total = max(0, (-(-time // stride) - 1) * stride + span - time)
    return total // 2, total - total // 2
