"""One-dimensional convolution over time, with norm and activation.

Letters: B batch, T time, D inputs, C channels.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar, Literal

from pydantic import Field
from torch import nn

from unrolled.core.records import Note
from unrolled.nets import ops
from unrolled.nets.flow import Flow, Shape
from unrolled.nets.layer import Layer, LayerSpec, Rate, Size, need_sequence
from unrolled.program.ops.types import Activation


class ConvSpec(LayerSpec):
    """Convolution, then norm, activation and dropout; every ``stride``-th step stays.

    "same" padding looks as far ahead as back, "causal" only back. ``separable``: first a kernel for each column alone,
    then a linear map across them (Howard et al. 2017, arXiv 1704.04861), with D (K + C) weights in the place of D K C.
    """

    name: ClassVar[str] = "conv"

    channels: Size = 32
    kernel: Annotated[int, Field(ge=1, le=1025)] = 5
    stride: Annotated[int, Field(ge=1, le=1024)] = 1
    padding: Literal["same", "causal"] = "same"
    separable: bool = False
    norm: Literal["batch", "layer"] | None = "batch"
    activation: Activation | None = "relu"
    dropout: Rate = 0.0

    def build(self, shape: Shape) -> Layer:
        return Convolution(self, shape)


class Convolution(Layer):
    """``(B, T, D)`` to ``(B, ceil(T / stride), C)``."""

    def __init__(self, spec: ConvSpec, shape: Shape) -> None:
        super().__init__()
        need_sequence(shape, "a convolution")
        self.spec = spec
        self.left = spec.kernel - 1 if spec.padding == "causal" else (spec.kernel - 1) // 2
        biased = spec.norm != "batch"
        if spec.separable:
            self.conv = nn.Conv1d(shape.size, shape.size, spec.kernel, groups=shape.size, bias=False)
            self.across: nn.Linear | None = nn.Linear(shape.size, spec.channels, bias=biased)
        else:
            self.conv, self.across = nn.Conv1d(shape.size, spec.channels, spec.kernel, bias=biased), None
        norms = {"batch": nn.BatchNorm1d, "layer": nn.LayerNorm}
        self.norm = norms[spec.norm](spec.channels) if spec.norm else None
        self.shape = shape.coarser(spec.channels, spec.stride)

    def forward(self, flow: Flow) -> Flow:
        spec, norm = self.spec, self.norm
        right = spec.kernel - 1 - self.left
        x, lengths = ops.conv1d(
            flow.x,
            flow.lengths,
            weight=self.conv.weight,
            bias=self.conv.bias,
            stride=spec.stride,
            left=self.left,
            right=right,
            **({"each": True} if spec.separable else {}),
        )
        if self.across is not None:
            x = ops.linear(x, weight=self.across.weight, bias=self.across.bias)
        if isinstance(norm, nn.BatchNorm1d):
            x = ops.batch_norm(x, lengths, norm)
        elif isinstance(norm, nn.LayerNorm):
            x = ops.layer_norm(x, weight=norm.weight, bias=norm.bias, eps=norm.eps)
        if spec.activation:
            x = ops.activation(x, kind=spec.activation)
        return replace(flow.changed(ops.dropout(x, spec.dropout, self.training)), lengths=lengths)

    def obstacle(self) -> Note | None:
        ahead = self.spec.kernel - 1 - self.left
        if not ahead:
            return None
        return Note(
            code="conv_looks_ahead",
            en=f"the convolution looks {ahead} steps ahead (padding: causal would not)",
            zh=f"卷积会向前看 {ahead} 个时间步（padding: causal 则不会）",
        )
