"""One linear map with activation at every step.

Letters: B batch, T time, D inputs, N width.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar

from pydantic import Field
from torch import nn

from unrolled.nets import ops
from unrolled.nets.flow import Flow, Shape
from unrolled.nets.layer import Layer, LayerSpec, Rate, Size, need_sequence
from unrolled.program.ops.types import Activation


class DenseSpec(LayerSpec):
    """The same small map for each step; ``dropout`` acts after it."""

    name: ClassVar[str] = "dense"

    size: Size = 64
    activation: Activation | None = "relu"
    dropout: Rate = 0.0

    def build(self, shape: Shape) -> Layer:
        return Dense(self, shape)


class Dense(Layer):
    """``(B, T, D)`` to ``(B, T, N)``."""

    def __init__(self, spec: DenseSpec, shape: Shape) -> None:
        super().__init__()
        need_sequence(shape, "dense")
        self.spec, self.linear = spec, nn.Linear(shape.size, spec.size)
        self.shape = shape.mixed(spec.size)

    def forward(self, flow: Flow) -> Flow:
        x = ops.linear(flow.x, weight=self.linear.weight, bias=self.linear.bias)
        if self.spec.activation:
            x = ops.activation(x, kind=self.spec.activation)
        return flow.changed(ops.dropout(x, self.spec.dropout, self.training))


class PositionsSpec(LayerSpec):
    """Sines and cosines of the step are added (Vaswani et al. 2017), wavelengths from 2 pi to 2 pi ``longest``."""

    name: ClassVar[str] = "positions"

    longest: Annotated[int, Field(ge=2, le=1_000_000)] = 10_000

    def build(self, shape: Shape) -> Layer:
        return Positions(self.longest, shape)


class Positions(Layer):
    """``(B, T, D)`` to the same."""

    def __init__(self, longest: int, shape: Shape) -> None:
        super().__init__()
        need_sequence(shape, "positions")
        self.longest, self.shape = longest, replace(shape, targets=0)

    def forward(self, flow: Flow) -> Flow:
        return replace(flow, x=ops.positions(flow.x, longest=self.longest))
