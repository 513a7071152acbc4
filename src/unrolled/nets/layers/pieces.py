"""Hierarchy: one stack inside each piece (a beat, an hour, a sentence), the layers after it over the pieces.

El Hihi & Bengio 1995 (NIPS 8); Yang et al. 2016, Hierarchical attention networks (NAACL).

Letters: B batch, T time, D inputs, P pieces, N width of a piece.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar

from pydantic import Field

from unrolled.core.errors import ConfigError
from unrolled.core.records import Note
from unrolled.nets import ops
from unrolled.nets.chain import Chain
from unrolled.nets.flow import Flow, Shape
from unrolled.nets.layer import Layer, Layers, LayerSpec, need_sequence
from unrolled.nets.layers.pool import PoolSpec


class PiecesSpec(LayerSpec):
    """Every ``length`` steps are a sequence of their own for ``layers``, which end in one vector a piece.

    The last piece may be shorter. ``pool: {kind: last}`` is added where the inner layers do not pool.
    """

    name: ClassVar[str] = "pieces"
    inner: ClassVar[tuple[str, ...]] = ("layers",)

    length: Annotated[int, Field(ge=2, le=100_000)]
    layers: Layers

    def build(self, shape: Shape) -> Layer:
        return Pieces(self, shape)


class Pieces(Layer):
    """``(B, T, D)`` to ``(B, ceil(T / length), N)``."""

    def __init__(self, spec: PiecesSpec, shape: Shape) -> None:
        super().__init__()
        need_sequence(shape, "pieces")
        self.length = spec.length
        layers = spec.layers if any(layer.pools() for layer in spec.layers) else (*spec.layers, PoolSpec())
        self.layers = Chain(layers, replace(shape, length=spec.length, targets=0))
        end = self.layers.shape
        if end.form != "vector":
            raise ConfigError("its layers must leave one vector a piece", mend="end them in a pool layer")
        self.shape = shape.coarser(end.size, spec.length)

    def forward(self, flow: Flow) -> Flow:
        cut, own, lengths = ops.pieces(flow.x, flow.lengths, length=self.length)
        inside: Flow = self.layers(replace(flow, x=cut, lengths=own))
        return replace(inside.changed(ops.group(inside.x, flow.x)), lengths=lengths, attention=None, depth=None)

    def obstacle(self) -> Note:
        return Note(
            code="pieces_wait",
            en=f"pieces takes {self.length} steps at a time",
            zh=f"pieces 每次需要 {self.length} 个时间步",
        )
