"""Missing numbers decay from their last observation to the mean (Che et al. 2018, GRU-D, Scientific Reports 8:6085).

Letters: B batch, T time, D inputs, M inputs with marks of missing values.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import torch
from torch import nn

from unrolled.core.errors import ConfigError
from unrolled.nets import ops
from unrolled.nets.flow import Flow, Shape
from unrolled.nets.layer import Layer, LayerSpec


class DecaySpec(LayerSpec):
    """The more time has passed since a number was seen, the nearer it stands to the training mean."""

    name: ClassVar[str] = "decay"

    def build(self, shape: Shape) -> Layer:
        return Decay(shape)


class Decay(Layer):
    """``(B, T, D)`` to ``(B, T, D + M)``: for each number that can be missing, log2(1 + time since it was seen) more.

    How fast an input decays is learned, one rate and one bias each.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        inputs = shape.inputs
        if inputs is None:
            raise ConfigError(
                "decay reads the inputs as the data gives them, and layers before it have changed them",
                mend="make it the first layer",
            )
        count = len(inputs.masked)
        self.columns, self.marks = inputs.masked, inputs.numbers - count
        self.elapsed = self.marks - 1 if inputs.time_delta else None
        if not count:
            raise ConfigError(
                "decay fills in missing numbers, and no input has marks of them",
                mend="prepare the data with missing: mask, or leave decay out where no number is missing",
            )
        if not all(0 <= at < self.marks - inputs.time_delta for at in inputs.masked):
            raise ConfigError(f"the inputs {inputs.masked} with marks are not among its {inputs.numbers} numbers")
        self.weight, self.bias = nn.Parameter(torch.full((count,), 0.1)), nn.Parameter(torch.zeros(count))
        self.shape = replace(shape, size=shape.size + count)

    def forward(self, flow: Flow) -> Flow:
        x, since, *_ = ops.decay(
            flow.x, weight=self.weight, bias=self.bias, columns=self.columns, marks=self.marks, elapsed=self.elapsed
        )
        return replace(flow, x=ops.merge(x, since, kind="concat"))
