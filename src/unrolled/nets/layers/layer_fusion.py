"""Attention over the outputs of all layers (cross-layer fusion; Dou et al. 2018, arXiv 1810.10181, for recurrent nets).

Letters: B batch, T time, D inputs, N width.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from torch import Tensor

from unrolled.core.records import Note
from unrolled.nets.chain import Chain
from unrolled.nets.flow import Flow, Shape
from unrolled.nets.layer import Layer, Layers, LayerSpec, keep_steps, need_sequence
from unrolled.nets.layers.fusion import Fusion


class LayerFusionSpec(LayerSpec):
    """The ``layers`` run one after the other; what leaves is the mean of all their outputs, weighted step by step."""

    name: ClassVar[str] = "layer_fusion"
    inner: ClassVar[tuple[str, ...]] = ("layers",)

    layers: Layers

    def build(self, shape: Shape) -> Layer:
        return LayerFusion(self, shape)


class LayerFusion(Layer):
    """``(B, T, D)`` to ``(B, T, N)``, as wide as the first inner layer."""

    def __init__(self, spec: LayerFusionSpec, shape: Shape) -> None:
        super().__init__()
        need_sequence(shape, "layer_fusion")
        self.layers = Chain(spec.layers, replace(shape, targets=0))
        ends = [part.shape for part in self.layers.parts]
        for end in ends:
            keep_steps(end, shape, "layer_fusion")
        self.fuse = Fusion("attention", [end.size for end in ends])
        backwards = any(end.backwards for end in ends)
        self.shape = replace(ends[-1].mixed(self.fuse.size), added=backwards)

    def forward(self, flow: Flow) -> Flow:
        outputs: list[Tensor] = []
        for part in self.layers.parts:
            flow = part(flow)
            outputs.append(flow.x)
        return flow.changed(self.fuse(outputs))

    def obstacle(self) -> Note | None:
        return self.layers.obstacle()
