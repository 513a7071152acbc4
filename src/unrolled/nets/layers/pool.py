"""Pooling over time: one vector a sequence.

Letters: B batch, T time, D inputs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

from torch import Tensor

from unrolled.core.errors import ConfigError
from unrolled.nets import ops
from unrolled.nets.flow import Flow, Shape
from unrolled.nets.layer import Layer, LayerSpec, need_sequence

Kind = Literal["last", "mean", "max", "mean_max"]


class PoolSpec(LayerSpec):
    """``last`` keeps the final step (of backward columns the first), the others look at every step."""

    name: ClassVar[str] = "pool"
    part: ClassVar[Literal["pool"]] = "pool"

    kind: Kind = "last"

    def build(self, shape: Shape) -> Layer:
        return Pool(self.kind, shape)


class Pool(Layer):
    """``(B, T, D)`` to ``(B, D)``; "mean_max" joins both to ``(B, 2 D)``."""

    def __init__(self, kind: Kind, shape: Shape) -> None:
        super().__init__()
        need_sequence(shape, "pooling")
        if kind == "last" and shape.added:
            raise ConfigError(
                "no step has seen the whole sequence where two directions are added",
                mend="use merge: concat in the layer before, or another pooling",
            )
        self.kind, self.backward, self.pace = kind, shape.backward, shape.pace
        size = shape.size * (2 if kind == "mean_max" else 1)
        self.shape = replace(shape, form="vector", size=size, targets=0, backward=0, added=False)

    def forward(self, flow: Flow) -> Flow:
        if flow.steps is not None:
            return self._each(flow, flow.steps)
        if self.kind == "mean_max":
            both = (ops.pool(flow.x, flow.lengths, kind=kind, backward=0) for kind in ("mean", "max"))
            return replace(flow, x=ops.merge(*both, kind="concat"), lengths=None)
        return replace(flow, x=ops.pool(flow.x, flow.lengths, kind=self.kind, backward=self.backward), lengths=None)

    def _each(self, flow: Flow, steps: Tensor) -> Flow:
        """Each of the ``(B, T)`` steps as the last one of a sequence of its own; slower ones until the next."""
        if self.kind != "last" or self.backward:
            raise ConfigError(
                "only a pool of the kind last, after layers that look back, answers at every step", where="pool"
            )
        static = None if flow.static is None else flow.static.repeat_interleave(steps.sum(1), dim=0)
        x = flow.x.repeat_interleave(self.pace, dim=1)[:, : steps.shape[1]] if self.pace > 1 else flow.x
        return replace(flow, x=x[steps], static=static, lengths=None, steps=None)
