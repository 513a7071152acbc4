"""Layers with a way around them (He et al. 2016, arXiv 1512.03385; recurrent: Kim et al. 2017, arXiv 1701.03360).

Letters: B batch, T time, D inputs, N width inside.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar, Literal

from pydantic import Field
from torch import Tensor, nn

from unrolled.core.records import Note
from unrolled.nets import ops
from unrolled.nets.chain import Chain
from unrolled.nets.flow import Flow, Shape
from unrolled.nets.layer import Layer, Layers, LayerSpec, Rate, keep_steps, need_sequence


class ResidualSpec(LayerSpec):
    """``x + layers(x)``, ``repeat`` times in a row with weights of their own; a linear map where widths differ.

    ``norm`` puts a layer norm before the inner layers (deep stacks train more easily), after the sum, or nowhere.
    """

    name: ClassVar[str] = "residual"
    inner: ClassVar[tuple[str, ...]] = ("layers",)

    layers: Layers
    repeat: Annotated[int, Field(ge=1, le=64)] = 1
    norm: Literal["before", "after"] | None = "before"
    dropout: Rate = 0.0

    def build(self, shape: Shape) -> Layer:
        return Residual(self, shape)


class Residual(Layer):
    """``(B, T, D)`` to ``(B, T, N)``."""

    def __init__(self, spec: ResidualSpec, shape: Shape) -> None:
        super().__init__()
        need_sequence(shape, "residual")
        blocks = []
        for _ in range(spec.repeat):
            blocks.append(_Block(spec, shape))
            shape = blocks[-1].shape
        self.blocks, self.shape = nn.ModuleList(blocks), shape

    def forward(self, flow: Flow) -> Flow:
        for block in self.blocks:
            flow = block(flow)
        return flow

    def obstacle(self) -> Note | None:
        block = self.blocks[0]
        assert isinstance(block, _Block)
        return block.layers.obstacle()


class _Block(nn.Module):
    """One way around."""

    def __init__(self, spec: ResidualSpec, shape: Shape) -> None:
        super().__init__()
        self.layers = Chain(spec.layers, replace(shape, targets=0, inputs=None))
        inside = self.layers.shape
        keep_steps(inside, shape, "residual")
        self.project = nn.Linear(shape.size, inside.size, bias=False) if inside.size != shape.size else None
        self.before = nn.LayerNorm(shape.size) if spec.norm == "before" else None
        self.after = nn.LayerNorm(inside.size) if spec.norm == "after" else None
        self.dropout = spec.dropout
        self.shape = inside.mixed(inside.size)

    def forward(self, flow: Flow) -> Flow:
        around = flow.x
        inside: Flow = self.layers(replace(flow, x=_normed(flow.x, self.before)))
        if self.project is not None:
            around = ops.linear(around, weight=self.project.weight)
        y = ops.dropout(inside.x, self.dropout, self.training)
        return inside.changed(_normed(ops.merge(around, y, kind="sum"), self.after))


def _normed(x: Tensor, norm: nn.LayerNorm | None) -> Tensor:
    return x if norm is None else ops.layer_norm(x, weight=norm.weight, bias=norm.bias, eps=norm.eps)
