"""Layer normalisation between layers."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from torch import nn

from unrolled.nets import ops
from unrolled.nets.flow import Flow, Shape
from unrolled.nets.layer import Layer, LayerSpec


class LayerNormSpec(LayerSpec):
    """Each step, or the pooled vector, to mean 0 and variance 1, then a learned scale (Ba et al. 2016)."""

    name: ClassVar[str] = "layer_norm"

    def build(self, shape: Shape) -> Layer:
        return LayerNorm(shape)


class LayerNorm(Layer):
    """``nn.LayerNorm`` over the last axis."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(shape.size)
        self.shape = replace(shape, targets=0, state=0, reads=0)

    def forward(self, flow: Flow) -> Flow:
        norm = self.norm
        return flow.changed(ops.layer_norm(flow.x, weight=norm.weight, bias=norm.bias, eps=norm.eps))
