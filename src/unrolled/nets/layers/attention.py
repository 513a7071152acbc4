"""Additive attention pooling (Bahdanau et al. 2015, arXiv 1409.0473, with a learned query).

Letters: B batch, T time, D inputs, A attention units.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

from torch import nn

from unrolled.core.records import Note
from unrolled.nets import ops
from unrolled.nets.flow import Flow, Shape
from unrolled.nets.layer import Layer, LayerSpec, Size, need_sequence


class AttentionSpec(LayerSpec):
    """A mean over all steps whose weights are learned: ``softmax(v . tanh(W x_t + b))``."""

    name: ClassVar[str] = "attention"
    part: ClassVar[Literal["pool"]] = "pool"

    kind: Literal["additive"] = "additive"
    size: Size = 64

    def build(self, shape: Shape) -> Layer:
        return Attention(self.size, shape)


class Attention(Layer):
    """``(B, T, D)`` to ``(B, D)``; the weights ``(B, T)`` stay in the flow for inspection."""

    def __init__(self, size: int, shape: Shape) -> None:
        super().__init__()
        need_sequence(shape, "attention")
        self.hidden = nn.Linear(shape.size, size)
        self.score = nn.Linear(size, 1, bias=False)
        self.shape = replace(shape, form="vector", targets=0, backward=0)

    def forward(self, flow: Flow) -> Flow:
        hidden = ops.linear(flow.x, weight=self.hidden.weight, bias=self.hidden.bias)
        scores = ops.linear(ops.activation(hidden, kind="tanh"), weight=self.score.weight)
        x, weights = ops.attend(flow.x, scores, flow.lengths)
        return replace(flow, x=x, lengths=None, attention=weights)

    def obstacle(self) -> Note:
        return Note(
            code="attention_needs_all_steps",
            en="attention looks at every step of the sequence",
            zh="注意力需要看到序列的全部时间步",
        )
