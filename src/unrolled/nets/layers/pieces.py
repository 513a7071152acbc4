"""Hierarchy: one stack inside each piece (a beat, an hour, a sentence), the layers after it over the pieces.

El Hihi & Bengio 1995 (NIPS 8); Yang et al. 2016, Hierarchical attention networks (NAACL).

Letters: B batch, T time, D inputs, P pieces, N width of a piece.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar

from pydantic import Field
from torch import Tensor

from unrolled.core.errors import ConfigError
from unrolled.core.records import Note
from unrolled.nets import ops
from unrolled.nets.chain import Chain
from unrolled.nets.flow import Flow, Shape
from unrolled.nets.layer import Layer, Layers, LayerSpec, need_sequence
from unrolled.nets.layers.pool import PoolSpec
from unrolled.program.ops.types import Mark


class PiecesSpec(LayerSpec):
    """Every ``length`` steps, or those that ``column`` marks, are a sequence of their own for ``layers``.

    The inner layers end in one vector a piece; ``pool: {kind: last}`` is added where they do not pool. By ``mark`` a
    piece begins where the column is another than before ("change": a number of the beat, a day), or above 0 ("start":
    a flag on first steps). The inner layers do not see it. With ``length`` the last piece may be shorter.
    """

    name: ClassVar[str] = "pieces"
    inner: ClassVar[tuple[str, ...]] = ("layers",)

    length: Annotated[int, Field(ge=2, le=100_000)] | None = None
    column: Annotated[int, Field(ge=0, le=16383)] | None = None
    mark: Mark = "change"
    layers: Layers

    def build(self, shape: Shape) -> Layer:
        return Pieces(self, shape)


class Pieces(Layer):
    """``(B, T, D)`` to ``(B, P, N)``, of pieces of one length P = ceil(T / length)."""

    def __init__(self, spec: PiecesSpec, shape: Shape) -> None:
        super().__init__()
        need_sequence(shape, "pieces")
        _check(spec, shape)
        self.spec = spec
        layers = spec.layers if any(layer.pools() for layer in spec.layers) else (*spec.layers, PoolSpec())
        self.others = tuple(column for column in range(shape.size) if column != spec.column)
        inside = replace(shape, size=len(self.others), length=spec.length, targets=0, sides=False)
        self.layers = Chain(layers, inside if spec.column is None else replace(inside, inputs=None))
        end = self.layers.shape
        if end.form != "vector":
            raise ConfigError("its layers must leave one vector a piece", mend="end them in a pool layer")
        self.shape = shape.coarser(end.size, spec.length) if spec.length else shape.uneven(end.size, spec.column or 0)

    def forward(self, flow: Flow) -> Flow:
        cut, own, lengths = self._cut(flow)
        inside: Flow = self.layers(replace(flow, x=cut, lengths=own))
        return replace(inside.changed(ops.group(inside.x, flow.x)), lengths=lengths, attention=None, depth=None)

    def obstacle(self) -> Note:
        return Note(
            code="pieces_wait",
            en="pieces takes a whole piece at a time",
            zh="pieces 每次需要一个完整的片段",
        )

    def _cut(self, flow: Flow) -> tuple[Tensor, Tensor | None, Tensor | None]:
        if self.spec.length:
            return ops.pieces(flow.x, flow.lengths, length=self.spec.length)
        cut, own, lengths = ops.marked_pieces(flow.x, flow.lengths, column=self.spec.column or 0, mark=self.spec.mark)
        return ops.columns(cut, index=self.others), own, lengths


def _check(spec: PiecesSpec, shape: Shape) -> None:
    if (spec.length is None) == (spec.column is None):
        raise ConfigError("it needs either length or column", mend="length: 24, or column: 0 (columns count from 0)")
    if spec.column is not None and spec.column >= shape.size:
        raise ConfigError(
            f"column {spec.column} marks the pieces, and there are {shape.size}", mend="columns count from 0"
        )
    if spec.column is not None and shape.size == 1:
        raise ConfigError("the column that marks the pieces is the only one", mend="give it a second one to read")
    if spec.length is not None and spec.mark != "change":
        raise ConfigError("mark says how a column marks pieces, and these have a length", mend="leave mark out")
