"""Attention pooling with a learned query.

Additive (Bahdanau et al. 2015, arXiv 1409.0473, eq. 6), scaled dot-product and multi-head (Vaswani et al. 2017,
arXiv 1706.03762, section 3.2).

Letters: B batch, T time, D inputs, A attention units, N heads.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from unrolled.core.errors import ConfigError
from unrolled.core.records import Note
from unrolled.nets import ops
from unrolled.nets.flow import Flow, Shape
from unrolled.nets.layer import Layer, LayerSpec, Size, need_sequence

NEEDS_ALL = Note(
    code="attention_needs_all_steps",
    en="attention looks at every step of the sequence",
    zh="注意力需要看到序列的全部时间步",
)


class AttentionSpec(LayerSpec):
    """A mean over all steps whose weights are learned; ``size`` is the width of W.

    "additive": ``softmax(v . tanh(W x_t + b))``; "dot": ``softmax(q . W x_t / sqrt(size))``; "multi_head": ``heads``
    means, each of its own part of ``V x_t``, side by side.
    """

    name: ClassVar[str] = "attention"
    part: ClassVar[Literal["pool"]] = "pool"

    kind: Literal["additive", "dot", "multi_head"] = "additive"
    size: Size = 64
    heads: Annotated[int, Field(ge=1, le=64)] = 4

    def build(self, shape: Shape) -> Layer:
        need_sequence(shape, "attention")
        return MultiHead(self, shape) if self.kind == "multi_head" else Attention(self, shape)


class Attention(Layer):
    """``(B, T, D)`` to ``(B, D)``; the weights ``(B, T)`` stay in the flow for inspection."""

    def __init__(self, spec: AttentionSpec, shape: Shape) -> None:
        super().__init__()
        self.kind = spec.kind
        self.hidden = nn.Linear(shape.size, spec.size)
        self.score = nn.Linear(spec.size, 1, bias=False)
        if spec.kind == "dot":
            with torch.no_grad():  # q / sqrt(size), as one weight
                self.score.weight.normal_().div_(math.sqrt(spec.size))
        self.shape = replace(shape, form="vector", targets=0, backward=0)

    def forward(self, flow: Flow) -> Flow:
        hidden = ops.linear(flow.x, weight=self.hidden.weight, bias=self.hidden.bias)
        if self.kind == "additive":
            hidden = ops.activation(hidden, kind="tanh")
        x, weights = ops.attend(flow.x, ops.linear(hidden, weight=self.score.weight), flow.lengths)
        return replace(flow, x=x, lengths=None, attention=weights)

    def obstacle(self) -> Note:
        return NEEDS_ALL


class MultiHead(Layer):
    """``(B, T, D)`` to ``(B, D)``; the weights ``(B, T)`` in the flow are the mean over the heads."""

    def __init__(self, spec: AttentionSpec, shape: Shape) -> None:
        super().__init__()
        divisible(shape.size, spec.heads)
        self.heads, self.width = spec.heads, shape.size // spec.heads
        self.value = nn.Linear(shape.size, shape.size)
        self.score = nn.Linear(shape.size, spec.heads, bias=False)
        self.shape = replace(shape, form="vector", targets=0, backward=0)

    def forward(self, flow: Flow) -> Flow:
        values = ops.linear(flow.x, weight=self.value.weight, bias=self.value.bias)
        scores = ops.linear(flow.x, weight=self.score.weight)
        xs: list[Tensor] = []
        weights: list[Tensor] = []
        for head in range(self.heads):
            own = ops.slice_axis(values, axis=-1, start=head * self.width, stop=(head + 1) * self.width)
            score = ops.slice_axis(scores, axis=-1, start=head, stop=head + 1)
            x, weight = ops.attend(own, score, flow.lengths)
            xs.append(x)
            weights.append(weight)
        attention = ops.merge(*weights, kind="mean")
        return replace(flow, x=ops.merge(*xs, kind="concat"), lengths=None, attention=attention)

    def obstacle(self) -> Note:
        return NEEDS_ALL


def divisible(size: int, heads: int) -> None:
    """Refuse heads that do not divide the columns."""
    if size % heads:
        raise ConfigError(f"{heads} heads cannot share {size} columns equally", mend="choose heads that divide them")
