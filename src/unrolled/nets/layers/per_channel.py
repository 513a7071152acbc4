"""Each target as its own univariate sequence, all through the same weights.

Channel independence (Nie et al. 2023, arXiv 2211.14730): the batch grows, the net stays small.

Letters: B batch, T time, M targets, F other inputs, E embedding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from unrolled.core.errors import ConfigError
from unrolled.nets import ops
from unrolled.nets.flow import Flow, Shape
from unrolled.nets.layer import Bracket, LayerSpec, need_sequence


class PerChannelSpec(LayerSpec):
    """``embed`` numbers learned for each target stand beside its steps, so that the shared layers can tell them."""

    name: ClassVar[str] = "per_channel"

    embed: Annotated[int, Field(ge=0, le=1024)] = 0

    def build(self, shape: Shape) -> Bracket:
        return PerChannel(self.embed, shape)


class PerChannel(Bracket):
    """``(B, T, M + F)`` to ``(B * M, T, 1 + F + E)``, and the output back to all M targets."""

    def __init__(self, embed: int, shape: Shape) -> None:
        super().__init__()
        need_sequence(shape, "per_channel")
        if not shape.targets:
            raise ConfigError(
                "per_channel needs the targets' own past as leading inputs, and there is none here",
                mend="use it in forecasts only, before layers that mix columns",
            )
        if shape.channels > 1:
            raise ConfigError("the targets are already apart", mend="use per_channel once")
        self.channels = shape.targets
        self.embedding = nn.Parameter(torch.randn(shape.targets, embed)) if embed else None
        self.shape = replace(
            shape,
            size=shape.size - shape.targets + 1 + embed,
            targets=1,
            channels=shape.targets,
            outputs=shape.outputs.model_copy(update={"targets": 1}),
        )

    def forward(self, flow: Flow, inner: Callable[[Flow], Flow]) -> Flow:
        channels = self.channels
        x = ops.fold_channels(flow.x, channels=channels)
        if self.embedding is not None:
            own = ops.reshape(ops.tile(x, weight=self.embedding), shape=(1, self.embedding.shape[1]))
            x = ops.merge(x, own, kind="concat")

        def repeated(value: Tensor | None) -> Tensor | None:
            return None if value is None else ops.repeat(value, times=channels)

        result = inner(
            replace(
                flow,
                x=x,
                lengths=repeated(flow.lengths),
                static=repeated(flow.static),
                known=repeated(flow.known),
            )
        )
        return replace(result, x=ops.unfold_channels(result.x, channels=channels))
