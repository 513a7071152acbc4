"""Segments of consecutive steps folded into one, so that a long look-back is a short sequence.

Letters: B batch, T time, D inputs, P patch length.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar

from pydantic import Field
from torch import nn

from unrolled.core.records import Note
from unrolled.nets import ops
from unrolled.nets.flow import Flow, Shape
from unrolled.nets.layer import Layer, LayerSpec, Rate, Size, need_sequence
from unrolled.program.ops.types import Activation


class PatchSpec(LayerSpec):
    """``length`` steps become one of ``size`` numbers; zeros complete the first patch of a shorter sequence."""

    name: ClassVar[str] = "patch"

    length: Annotated[int, Field(ge=1, le=100_000)] = 24
    size: Size = 64
    activation: Activation | None = "relu"
    dropout: Rate = 0.0

    def build(self, shape: Shape) -> Layer:
        return Patch(self, shape)


class Patch(Layer):
    """``(B, T, D)`` to ``(B, ceil(T / P), size)``."""

    def __init__(self, spec: PatchSpec, shape: Shape) -> None:
        super().__init__()
        need_sequence(shape, "patch")
        self.spec = spec
        self.linear = nn.Linear(spec.length * shape.size, spec.size)
        self.shape = shape.coarser(spec.size, spec.length)

    def forward(self, flow: Flow) -> Flow:
        x, lengths = ops.patch(flow.x, flow.lengths, length=self.spec.length, align="end")
        x = ops.linear(x, weight=self.linear.weight, bias=self.linear.bias)
        if self.spec.activation:
            x = ops.activation(x, kind=self.spec.activation)
        return replace(flow.changed(ops.dropout(x, self.spec.dropout, self.training)), lengths=lengths)

    def obstacle(self) -> Note:
        return Note(
            code="patch_waits",
            en=f"patch takes {self.spec.length} steps at a time",
            zh=f"patch 每次需要 {self.spec.length} 个时间步",
        )
