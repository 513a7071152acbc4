"""All segments of the horizon at once, each one cell step away from the encoder's final state.

Parallel multi-step forecasting of SegRNN (Lin et al. 2023, arXiv 2308.11200, sections 3.3 and 3.4).

Letters: B batch, D inputs of the cell, H hidden, P segment length, S segments, E embedding, K static inputs, F known
inputs, M targets, V values.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from unrolled.core.errors import ConfigError
from unrolled.nets import ops
from unrolled.nets.flow import Flow, Shape
from unrolled.nets.layer import Layer, LayerSpec, Rate, Size, need_state
from unrolled.nets.recurrent import Recurrent


class SegmentDecoderSpec(LayerSpec):
    """Segments of ``length`` steps; ``embed`` numbers tell them apart (as many as the cell reads when not given).

    ``shared`` goes on with the weights of the recurrent layer before it, as SegRNN does: less to learn.
    """

    name: ClassVar[str] = "segment_decoder"
    part: ClassVar[Literal["head"]] = "head"

    length: Annotated[int, Field(ge=1, le=100_000)] = 24
    embed: Size | None = None
    shared: bool = False
    dropout: Rate = 0.0

    def build(self, shape: Shape) -> Layer:
        return SegmentDecoder(self, shape)


class SegmentDecoder(Layer):
    """The encoder's final state ``(B, H)`` to ``(B, S * P, M, V)``, cut to the horizon.

    The step that leads to segment s reads the embedding of its position, that of the channel where targets were
    folded, the static inputs, and the known covariates of the segment's steps.
    """

    def __init__(self, spec: SegmentDecoderSpec, shape: Shape) -> None:
        super().__init__()
        cell = need_state(shape, "segment_decoder")
        if spec.shared and not shape.reads:
            raise ConfigError(
                "shared goes on with the weights of the recurrent layer before it, and there must be only one",
                mend="use layers: 1 there, or shared: false",
            )
        out = shape.outputs
        self.spec, self.outputs, self.known = spec, out, shape.known
        self.segments = -(-out.steps // spec.length)
        embed = spec.embed or (shape.reads if spec.shared else shape.state)
        own = embed // 2 if shape.channels > 1 else 0
        self.position = nn.Parameter(torch.randn(self.segments, embed - own))
        self.channel = nn.Parameter(torch.randn(shape.channels, own)) if own else None
        size = embed + shape.static + shape.known * spec.length
        self.rnn = None if spec.shared else Recurrent(cell, size, shape.state)
        self.project = nn.Linear(size, shape.reads) if spec.shared and size != shape.reads else None
        self.linear = nn.Linear(shape.state, spec.length * out.targets * out.values)
        self.shape = replace(shape, form="output", size=out.targets * out.values)

    def forward(self, flow: Flow) -> Flow:
        out = self.outputs
        state = tuple(ops.repeat(part, times=self.segments) for part in flow.state)
        x = self._inputs(flow, state[0])
        if self.project is not None:
            x = ops.linear(x, weight=self.project.weight, bias=self.project.bias)
        rnn = self.rnn or flow.encoder
        assert rnn is not None
        _, (h, *_), _ = ops.recurrent(rnn, ops.reshape(x, shape=(1, rnn.input_size)), None, state)
        h = ops.dropout(h, self.spec.dropout, self.training)
        y = ops.linear(h, weight=self.linear.weight, bias=self.linear.bias)
        y = ops.reshape(y, shape=(self.segments * self.spec.length, out.targets, out.values))
        return replace(flow, x=ops.slice_axis(y, axis=1, start=0, stop=out.steps), lengths=None)

    def _inputs(self, flow: Flow, like: Tensor) -> Tensor:
        """What the decoder's step reads, ``(B * S, ...)``."""
        parts = [ops.tile(like, weight=self.position)]
        if self.channel is not None:
            own = ops.tile(flow.state[0], weight=self.channel)
            parts.append(ops.repeat(own, times=self.segments))
        if flow.static is not None:
            parts.append(ops.repeat(flow.static, times=self.segments))
        if flow.known is not None:
            ahead, _ = ops.patch(flow.known, None, length=self.spec.length, align="start")
            parts.append(ops.reshape(ahead, shape=(self.known * self.spec.length,)))
        return ops.merge(*parts, kind="concat")
