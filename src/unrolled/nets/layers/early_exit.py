"""A stack that answers as soon as it is sure (Teerapittayanon et al. 2016, BranchyNet, ICPR, arXiv 1709.01686).

Letters: B batch, T time, D inputs, E exits, S steps, M targets, V values.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from unrolled.core.errors import ConfigError
from unrolled.core.records import Note
from unrolled.nets import ops
from unrolled.nets.chain import Chain
from unrolled.nets.flow import Flow, Shape
from unrolled.nets.layer import Layer, Layers, LayerSpec, Rate, need_sequence
from unrolled.nets.layers.head import LinearSpec
from unrolled.nets.layers.pool import Kind, PoolSpec
from unrolled.nets.ops.exits import certainty
from unrolled.nets.trace import tracing


class EarlyExitSpec(LayerSpec):
    """After each of the ``layers`` stands an exit: ``pool`` over time and a linear map.

    A sequence leaves at the first exit whose likeliest class has the probability ``threshold``, and the layers after it
    are not run for it. Training minimises the mean of the losses of all exits.
    """

    name: ClassVar[str] = "early_exit"
    part: ClassVar[Literal["head"]] = "head"
    inner: ClassVar[tuple[str, ...]] = ("layers",)

    layers: Layers
    threshold: Annotated[float, Field(ge=0.0, le=1.0)] = 0.9
    pool: Kind = "last"
    dropout: Rate = 0.0

    def build(self, shape: Shape) -> Layer:
        return EarlyExit(self, shape)


class EarlyExit(Layer):
    """``(B, T, D)`` to ``(B, S, M, V)``; ``threshold`` may be changed at any time."""

    def __init__(self, spec: EarlyExitSpec, shape: Shape) -> None:
        super().__init__()
        need_sequence(shape, "early_exit")
        if shape.outputs.values < 2:
            raise ConfigError(
                "early_exit waits until one class is likely enough, and there are no classes to choose from",
                mend="use it for classification",
            )
        self.threshold = spec.threshold
        self.layers = Chain(spec.layers, replace(shape, targets=0))
        exits = []
        for index, part in enumerate(self.layers.parts):
            if part.shape.form != "sequence":
                raise ConfigError(f"layers[{index}] leaves no steps", mend="leave pooling to the exits")
            exits.append(Chain((PoolSpec(kind=spec.pool), LinearSpec()), part.shape, f"exits[{index}]"))
        self.exits, self.dropout = nn.ModuleList(exits), spec.dropout
        self.shape = exits[-1].shape

    def forward(self, flow: Flow) -> Flow:
        if tracing(flow.x) is None and not self.training:
            return self._leaving(flow)
        answers = []
        for layer, leave in zip(self.layers, self.exits, strict=True):
            flow = layer(flow)
            answers.append(leave(self._dropped(flow)).x)
        if tracing(flow.x) is None:
            return replace(_answered(flow, answers[-1]), others=tuple(answers[:-1]))
        return _answered(flow, *ops.first_sure(*answers, threshold=self.threshold))

    def _leaving(self, flow: Flow) -> Flow:
        """Only the sequences that have not left go on."""
        rows = torch.arange(len(flow.x), device=flow.x.device)
        answers, order, depths = [], [], []
        for depth, (layer, leave) in enumerate(zip(self.layers, self.exits, strict=True), start=1):
            flow = layer(flow)
            answer: Tensor = leave(flow).x
            last = depth == len(self.exits)
            sure = torch.full_like(rows, last, dtype=torch.bool) | (certainty(answer) >= self.threshold)
            answers.append(answer[sure])
            order.append(rows[sure])
            depths.append(torch.full_like(rows[sure], depth))
            rows, flow = rows[~sure], _some(flow, ~sure)
            if not len(rows):
                break
        back = torch.cat(order).argsort()
        return _answered(flow, torch.cat(answers)[back], torch.cat(depths)[back])

    def _dropped(self, flow: Flow) -> Flow:
        return replace(flow, x=ops.dropout(flow.x, self.dropout, self.training))

    def obstacle(self) -> Note | None:
        first = self.exits[0]
        assert isinstance(first, Chain)
        return self.layers.obstacle() or first.obstacle()


def _answered(flow: Flow, x: Tensor, depth: Tensor | None = None) -> Flow:
    return replace(flow, x=x, lengths=None, state=(), encoder=None, depth=depth)


def _some(flow: Flow, kept: Tensor) -> Flow:
    """The sequences of a flow that are ``kept`` ``(B,)``."""

    def of(value: Tensor | None) -> Tensor | None:
        return None if value is None else value[kept.to(value.device)]

    return replace(
        flow,
        x=flow.x[kept],
        lengths=of(flow.lengths),
        static=of(flow.static),
        known=of(flow.known),
        state=(),
        encoder=None,
        cells=(),
        attention=None,
    )
