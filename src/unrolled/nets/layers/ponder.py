"""Adaptive computation time (Graves 2016, arXiv 1603.08983): a recurrent layer with as many updates as a step needs.

Letters: B batch, T time, D inputs, H hidden.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from unrolled.nets import ops
from unrolled.nets.flow import Flow, Shape
from unrolled.nets.layer import Layer, LayerSpec, Size, need_sequence
from unrolled.nets.ops.time import mask
from unrolled.nets.recurrent import Recurrent
from unrolled.nets.trace import tracing
from unrolled.program.ops.ponder import Most, Thinker


class PonderSpec(LayerSpec):
    """``size`` units of a ``cell`` update their state 1 to ``most`` times a step, until they are likely to be done.

    Training adds ``cost`` times the ponder cost of a step (updates, and what the last had left), its mean, to the loss.
    """

    name: ClassVar[str] = "ponder"

    cell: Thinker = "gru"
    size: Size = 64
    most: Most = 10
    cost: Annotated[float, Field(ge=0.0, le=1000.0)] = 0.01

    def build(self, shape: Shape) -> Layer:
        return Ponder(self, shape)


class Ponder(Layer):
    """``(B, T, D)`` to ``(B, T, H)``."""

    def __init__(self, spec: PonderSpec, shape: Shape) -> None:
        super().__init__()
        need_sequence(shape, "ponder")
        self.spec = spec
        self.rnn = Recurrent(spec.cell, shape.size + 1, spec.size)
        self.halt = nn.Linear(spec.size, 1)
        with torch.no_grad():
            self.halt.bias.fill_(1.0)  # few updates at first, as in the paper
        self.shape = replace(shape.mixed(spec.size), added=shape.backwards)

    def forward(self, flow: Flow) -> Flow:
        (weights,) = self.rnn.weights()
        x, counts, rests, _ = ops.ponder(
            flow.x,
            cell=self.spec.cell,
            most=self.spec.most,
            **weights,
            weight_halt=self.halt.weight,
            bias_halt=self.halt.bias,
        )
        flow = flow.changed(x)
        if tracing(x) is not None:
            return flow
        costs = self.spec.cost * _mean(counts + rests, flow.lengths).mean()
        return replace(flow, penalties=(*flow.penalties, costs), depth=_mean(counts, flow.lengths))


def _mean(values: Tensor, lengths: Tensor | None) -> Tensor:
    """``(B, T, 1)`` to ``(B,)`` over the true steps."""
    if lengths is None:
        return values.mean((1, 2))
    inside = values[..., 0].masked_fill(~mask(lengths, values), 0)
    return inside.sum(1) / lengths.to(values.device).clamp(min=1)
