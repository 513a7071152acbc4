"""Soft alignment: beside each step of one side of a pair stands what it is most like on the other side.

Decomposable attention (Parikh et al. 2016, arXiv 1606.01933, eq. 1 and 2), compared as in ESIM (Chen et al. 2017,
arXiv 1609.06038, eq. 11 to 15).

Letters: B pairs, T time, D inputs.
"""

from __future__ import annotations

from typing import ClassVar

from unrolled.core.errors import ConfigError
from unrolled.core.records import Note
from unrolled.nets import ops
from unrolled.nets.flow import Flow, Shape
from unrolled.nets.layer import Layer, LayerSpec, need_sequence


class AlignSpec(LayerSpec):
    """Inside ``siamese``: each step x gets y, a mean over the steps of the other side, weighted by a softmax of their
    dot products with x over the root of their width; what leaves is x, y, x - y and x y.

    What both sides share is told step by step, before anything is pooled, and words that training has seen once or
    twice are found again by their own embedding.
    """

    name: ClassVar[str] = "align"

    def build(self, shape: Shape) -> Layer:
        return Align(shape)


class Align(Layer):
    """``(2 B, T, D)`` to ``(2 B, T, 4 D)``."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        need_sequence(shape, "align")
        if not shape.sides:
            raise ConfigError("it needs the two sides of a pair", mend="put it inside the layers of siamese")
        self.shape = shape.mixed(4 * shape.size)

    def forward(self, flow: Flow) -> Flow:
        other, lengths = ops.swap_sides(flow.x, flow.lengths)
        aligned = ops.self_attend(flow.x, other, other, lengths, heads=1, causal=False, window=0, recency=False)
        return flow.changed(ops.compare(flow.x, aligned))

    def obstacle(self) -> Note:
        return Note(
            code="align_waits",
            en="align looks at every step of the other sequence",
            zh="align 需要看到另一序列的全部时间步",
        )
