"""Noise that only training sees: units dropped, inputs disturbed."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar

from pydantic import Field

from unrolled.nets import ops
from unrolled.nets.flow import Flow, Shape
from unrolled.nets.layer import Layer, LayerSpec, Rate, need_sequence


class DropoutSpec(LayerSpec):
    """Each number is zeroed with this probability in training (Srivastava et al. 2014).

    ``whole``: columns of a sequence are zeroed at all of its steps (spatial dropout, Tompson et al. 2015).
    """

    name: ClassVar[str] = "dropout"

    rate: Rate = 0.1
    whole: bool = False

    def build(self, shape: Shape) -> Layer:
        return Dropout(self, shape)


class Dropout(Layer):
    """Dropout of whatever flows, steps or a vector."""

    def __init__(self, spec: DropoutSpec, shape: Shape) -> None:
        super().__init__()
        if spec.whole:
            need_sequence(shape, "dropout of whole columns")
        self.spec, self.shape = spec, shape

    def forward(self, flow: Flow) -> Flow:
        return replace(flow, x=ops.dropout(flow.x, self.spec.rate, self.training, whole=self.spec.whole))


class NoiseSpec(LayerSpec):
    """Gaussian noise of this standard deviation, in model scale, added in training."""

    name: ClassVar[str] = "noise"

    deviation: Annotated[float, Field(ge=0.0, le=10.0)] = 0.1

    def build(self, shape: Shape) -> Layer:
        return Noise(self.deviation, shape)


class Noise(Layer):
    """Noise on whatever flows; at the front of a net, on its inputs."""

    def __init__(self, deviation: float, shape: Shape) -> None:
        super().__init__()
        self.deviation, self.shape = deviation, shape

    def forward(self, flow: Flow) -> Flow:
        return replace(flow, x=ops.noise(flow.x, self.deviation, self.training))
