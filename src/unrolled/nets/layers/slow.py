"""Layers at a slower pace than those around them: the slow stream of two, or a slow view of all.

A clockwork of two rates (El Hihi & Bengio 1995, NIPS 8; Koutnik et al. 2014, arXiv 1402.3511).

Letters: B batch, T time, D inputs, N width.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar

from pydantic import Field

from unrolled.core.records import Note
from unrolled.nets import ops
from unrolled.nets.chain import Chain
from unrolled.nets.flow import Flow, Shape
from unrolled.nets.layer import Layer, Layers, LayerSpec, keep_steps, need_sequence


class SlowSpec(LayerSpec):
    """The ``layers`` see steps 0, ``every``, 2 ``every``, ...; what they say is held until they are asked again.

    Where they pool, their one vector leaves.
    """

    name: ClassVar[str] = "slow"
    inner: ClassVar[tuple[str, ...]] = ("layers",)

    every: Annotated[int, Field(ge=2, le=100_000)]
    layers: Layers

    def build(self, shape: Shape) -> Layer:
        return Slow(self, shape)

    def pools(self) -> bool:
        return any(layer.pools() for layer in self.layers)


class Slow(Layer):
    """``(B, T, D)`` to ``(B, T, N)``, or ``(B, N)`` where the layers pool."""

    def __init__(self, spec: SlowSpec, shape: Shape) -> None:
        super().__init__()
        need_sequence(shape, "slow")
        self.every = spec.every
        thinned = replace(shape.coarser(shape.size, spec.every), backward=shape.backward, added=shape.added)
        self.layers = Chain(spec.layers, thinned)
        end = self.layers.shape
        self.pooled = end.form == "vector"
        if not self.pooled:
            keep_steps(end, thinned, "slow")
        self.shape = end.mixed(end.size) if self.pooled else replace(shape.mixed(end.size), added=end.backwards)

    def forward(self, flow: Flow) -> Flow:
        x, lengths, _ = ops.thin(flow.x, flow.lengths, every=self.every)
        inside: Flow = self.layers(replace(flow, x=x, lengths=lengths))
        if self.pooled:
            return inside.changed(inside.x)
        x, *_ = ops.hold(inside.x, flow.x, every=self.every)
        return replace(inside.changed(x), lengths=flow.lengths)

    def obstacle(self) -> Note | None:
        return self.layers.obstacle()
