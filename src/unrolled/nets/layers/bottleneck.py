"""The narrow middle of an autoencoder: one vector a sequence, from which every step must be told again.

Letters: B batch, T time, D inputs, N width.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from torch import nn

from unrolled.core.records import Note
from unrolled.nets import ops
from unrolled.nets.flow import Flow, Shape
from unrolled.nets.layer import Layer, LayerSpec, Size
from unrolled.nets.layers.pool import Pool


class BottleneckSpec(LayerSpec):
    """The final step, in ``size`` numbers, at each step (the composite LSTM autoencoder of Srivastava et al. 2015).

    Layers before it are the encoder, layers after it the decoder, which gets nothing else.
    """

    name: ClassVar[str] = "bottleneck"

    size: Size = 16

    def build(self, shape: Shape) -> Layer:
        return Bottleneck(self.size, shape)


class Bottleneck(Layer):
    """``(B, T, D)`` to ``(B, T, N)``, the same at all steps."""

    def __init__(self, size: int, shape: Shape) -> None:
        super().__init__()
        self.pool = Pool("last", shape)
        self.linear = nn.Linear(self.pool.shape.size, size)
        self.shape = replace(shape.mixed(size), added=False)

    def forward(self, flow: Flow) -> Flow:
        last = self.pool(flow).x
        code = ops.linear(last, weight=self.linear.weight, bias=self.linear.bias)
        return flow.changed(ops.spread(code, flow.x))

    def obstacle(self) -> Note | None:
        return Note(
            code="reads_ahead",
            en="a bottleneck has read the whole sequence before its first step",
            zh="瓶颈层须读完整个序列才能给出第一步",
        )
