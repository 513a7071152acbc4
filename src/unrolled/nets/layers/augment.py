"""Augmentation: in training each sequence is bent in time and scaled a little, so that few examples say more.

Letters: B batch, T time, D inputs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar

from pydantic import Field

from unrolled.nets import ops
from unrolled.nets.flow import Flow, Shape
from unrolled.nets.layer import Layer, LayerSpec, need_sequence

_Strength = Annotated[float, Field(ge=0.0, le=1.0)]


class AugmentSpec(LayerSpec):
    """Time warping and magnitude scaling (Um et al. 2017, "Data augmentation of wearable sensor data").

    ``warp`` is the standard deviation of three slow waves in the speed at which the sequence runs (0.2: most of it
    runs a fifth faster or slower), ``scale`` that of a factor on each sequence. It stands at the front of a net;
    outside training it does nothing.
    """

    name: ClassVar[str] = "augment"
    keeps: ClassVar[bool] = True

    warp: _Strength = 0.2
    scale: _Strength = 0.0

    def build(self, shape: Shape) -> Layer:
        return Augment(self, shape)


class Augment(Layer):
    """``(B, T, D)`` to ``(B, T, D)``, every length as it was."""

    bends: ClassVar[bool] = True

    def __init__(self, spec: AugmentSpec, shape: Shape) -> None:
        super().__init__()
        need_sequence(shape, "augmentation")
        self.spec, self.shape = spec, shape

    def forward(self, flow: Flow) -> Flow:
        x = ops.time_warp(flow.x, flow.lengths, self.spec.warp, self.training)
        return replace(flow, x=ops.scaling(x, self.spec.scale, self.training))
