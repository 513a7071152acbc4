"""Two sequences through the same layers (Bromley et al. 1993), and the head that answers with their similarity.

Letters: B batch, T time, D inputs, N width of what a sequence becomes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

from unrolled.core.errors import ConfigError
from unrolled.core.records import Note
from unrolled.nets import ops
from unrolled.nets.chain import Chain
from unrolled.nets.flow import Flow, Shape
from unrolled.nets.layer import Layer, Layers, LayerSpec, need_sequence
from unrolled.nets.layers.pool import PoolSpec
from unrolled.prepare.pairing import SIDE
from unrolled.program.ops.types import Join
from unrolled.program.shapes import Inputs


class SiameseSpec(LayerSpec):
    """``layers`` read each side of a pair, with the same weights; ``join`` puts what both became together.

    ``all``: u, v, |u - v|, u v; ``symmetric``: |u - v|, u v, the same for either order of the two; ``cosine``: of the
    angle between them. It stands first: the first input says which side a step belongs to. ``pool: {kind: last}`` is
    added where the inner layers do not pool.
    """

    name: ClassVar[str] = "siamese"
    part: ClassVar[Literal["pool"]] = "pool"
    inner: ClassVar[tuple[str, ...]] = ("layers",)

    layers: Layers
    join: Join = "all"

    def build(self, shape: Shape) -> Layer:
        return Siamese(self, shape)


class Siamese(Layer):
    """``(B, T, D)`` to ``(B, 4 N)``, ``(B, 2 N)`` or ``(B, 1)``."""

    def __init__(self, spec: SiameseSpec, shape: Shape) -> None:
        super().__init__()
        need_sequence(shape, "siamese")
        if shape.inputs is None or not shape.inputs.numbers or shape.size < 2 or not _sided(shape.inputs):
            raise ConfigError(
                "the first input must say which side of a pair a step belongs to",
                mend="put it first, in a net for pairs",
            )
        layers = spec.layers if any(layer.pools() for layer in spec.layers) else (*spec.layers, PoolSpec())
        own = replace(
            shape, size=shape.size - 1, length=None, targets=0, static=0, known=0, inputs=None, table=0, sides=True
        )
        self.layers = Chain(layers, own)
        end = self.layers.shape
        if end.form != "vector":
            raise ConfigError("its layers must leave one vector a sequence", mend="end them in a pool layer")
        self.join = spec.join
        size = {"all": 4 * end.size, "symmetric": 2 * end.size, "cosine": 1}[spec.join]
        self.shape = replace(shape, form="vector", size=size, targets=0, state=0, reads=0, backward=0, added=False)

    def forward(self, flow: Flow) -> Flow:
        x, lengths = ops.split_sides(flow.x, flow.lengths)
        inside: Flow = self.layers(Flow(x=x, lengths=lengths))
        return replace(flow, x=ops.join_sides(inside.x, kind=self.join), lengths=None, cells=inside.cells)

    def obstacle(self) -> Note:
        return Note(
            code="siamese_waits",
            en="siamese compares two whole sequences",
            zh="siamese 比较两个完整的序列",
        )


def _sided(inputs: Inputs) -> bool:
    """Whether the first input says which side a step belongs to, as far as the names of the inputs tell."""
    return not inputs.targets and inputs.names[:1] in ((), (SIDE,))


class ScoreSpec(LayerSpec):
    """The one number that arrives is the answer, such as the cosine of ``siamese``."""

    name: ClassVar[str] = "score"
    part: ClassVar[Literal["head"]] = "head"

    def build(self, shape: Shape) -> Layer:
        return Score(shape)


class Score(Layer):
    """``(B, 1)`` to ``(B, 1, 1, 1)``."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        if shape.form != "vector" or shape.size != 1 or shape.outputs.size != 1:
            raise ConfigError(
                "it answers with one number", mend="put siamese with join: cosine before it, or use linear"
            )
        self.shape = replace(shape, form="output")

    def forward(self, flow: Flow) -> Flow:
        return replace(flow, x=ops.reshape(flow.x, shape=(1, 1, 1)))
