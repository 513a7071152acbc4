"""Sparse changes and sparse activations: fewer products in the layers after them.

Delta networks (Neil et al. 2017, arXiv 1612.05571); k winners (Makhzani & Frey 2014, arXiv 1312.5663).

Letters: B batch, T time, D columns.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Annotated, ClassVar

from pydantic import Field

from unrolled.nets import ops
from unrolled.nets.flow import Flow, Shape
from unrolled.nets.layer import Layer, LayerSpec, need_sequence


class DeltaSpec(LayerSpec):
    """A number is passed on once it has moved by more than ``threshold`` since it last was; until then as it was.

    In model scale. Before ``gru_delta`` it saves the products with inputs that stand still.
    """

    name: ClassVar[str] = "delta"

    threshold: Annotated[float, Field(ge=0.0, le=1e6)] = 0.1

    def build(self, shape: Shape) -> Layer:
        return Delta(self.threshold, shape)


class Delta(Layer):
    """``(B, T, D)`` to the same."""

    def __init__(self, threshold: float, shape: Shape) -> None:
        super().__init__()
        need_sequence(shape, "delta")
        self.threshold, self.shape = threshold, replace(shape, state=0, reads=0)

    def forward(self, flow: Flow) -> Flow:
        return replace(flow, x=ops.delta(flow.x, threshold=self.threshold)[0], state=(), encoder=None)


class TopKSpec(LayerSpec):
    """Of each step, or of the pooled vector, the share ``keep`` furthest from zero; the rest becomes 0."""

    name: ClassVar[str] = "top_k"

    keep: Annotated[float, Field(gt=0.0, le=1.0)] = 0.25

    def build(self, shape: Shape) -> Layer:
        return TopK(self.keep, shape)


class TopK(Layer):
    """``(..., D)`` to the same."""

    def __init__(self, keep: float, shape: Shape) -> None:
        super().__init__()
        self.count = math.ceil(keep * shape.size)
        self.shape = replace(shape, state=0, reads=0)

    def forward(self, flow: Flow) -> Flow:
        return replace(flow, x=ops.top_k(flow.x, count=self.count), state=(), encoder=None)
