"""A whole stack from both ends (Schuster & Paliwal 1997, IEEE Trans. Signal Processing 45:2673-2681).

Letters: B batch, T time, D inputs, N width of the stack.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from torch import nn

from unrolled.core.records import Note
from unrolled.nets import ops
from unrolled.nets.chain import Chain
from unrolled.nets.flow import Flow, Shape
from unrolled.nets.layer import Layer, Layers, LayerSpec, keep_steps, need_sequence
from unrolled.nets.layers.stack import READS_BACKWARDS
from unrolled.program.ops.types import Merge


class BidirectionalSpec(LayerSpec):
    """The ``layers`` twice: on the sequence, and on its mirror; both meet only at the end.

    ``bidirectional: true`` of a recurrent layer joins the directions after each of its layers instead.
    """

    name: ClassVar[str] = "bidirectional"
    inner: ClassVar[tuple[str, ...]] = ("layers",)

    layers: Layers
    merge: Merge = "concat"

    def build(self, shape: Shape) -> Layer:
        return Bidirectional(self, shape)


class Bidirectional(Layer):
    """``(B, T, D)`` to ``(B, T, N)``, or ``(B, T, 2 N)`` where the directions are joined."""

    def __init__(self, spec: BidirectionalSpec, shape: Shape) -> None:
        super().__init__()
        need_sequence(shape, "bidirectional")
        inner = replace(shape, targets=0, inputs=None)
        self.directions = nn.ModuleList(Chain(spec.layers, inner) for _ in range(2))
        self.merge = spec.merge
        end: Shape = self._chain(0).shape
        keep_steps(end, shape, "bidirectional")
        joined = spec.merge == "concat"
        mixed = end.mixed(2 * end.size if joined else end.size)
        self.shape = replace(mixed, backward=end.size if joined else 0, added=end.backwards or not joined)

    def forward(self, flow: Flow) -> Flow:
        there: Flow = self._chain(0)(flow)
        back: Flow = self._chain(1)(replace(flow, x=ops.reverse(flow.x, flow.lengths), cells=(), penalties=()))
        x = ops.merge(there.x, ops.reverse(back.x, flow.lengths), kind=self.merge)
        return replace(
            there.changed(x), cells=(*there.cells, *back.cells), penalties=(*there.penalties, *back.penalties)
        )

    def obstacle(self) -> Note:
        return READS_BACKWARDS

    def _chain(self, index: int) -> Chain:
        chain = self.directions[index]
        assert isinstance(chain, Chain)
        return chain
