"""A net that answers at every step, from layers of a spec."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from unrolled.nets.chain import Chain
from unrolled.nets.flow import Flow, Shape
from unrolled.nets.parse import parse_layers
from unrolled.program.shapes import Outputs


class Stepwise(nn.Module):
    """``(B, T, columns)`` to ``(B, T, values)``: a dense layer stands above those of the spec."""

    def __init__(self, spec: list[Any], columns: int, values: int) -> None:
        super().__init__()
        layers = parse_layers([*spec, {"dense": {"size": values, "activation": None}}], "net")
        self.layers = Chain(layers, Shape(form="sequence", size=columns, outputs=Outputs()))

    def forward(self, x: Tensor) -> Tensor:
        flow: Flow = self.layers(Flow(x=x))
        return flow.x
