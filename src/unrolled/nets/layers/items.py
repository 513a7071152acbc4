"""The head over a catalogue of items, which may share its table with the items that are read.

Letters: B batch, D inputs, K static inputs, V items, E numbers that stand for an item, C candidates.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from unrolled.core.errors import ConfigError
from unrolled.nets import ops
from unrolled.nets.flow import Flow, Shape
from unrolled.nets.layer import Layer, LayerSpec, Rate, Size


class ItemsSpec(LayerSpec):
    """A score for each item. ``tied``: the table that embeds the items read scores them too (Press & Wolf 2017).

    ``embed`` numbers stand for each item that is read; null takes the rule for categories. Tied scores have no more
    rank than that (Yang et al. 2018, "Breaking the softmax bottleneck", arXiv 1711.03953).
    """

    name: ClassVar[str] = "items"
    part: ClassVar[Literal["head"]] = "head"

    tied: bool = True
    embed: Size | None = None
    dropout: Rate = 0.0

    def embeds(self) -> int | None:
        return self.embed

    def build(self, shape: Shape) -> Layer:
        return Items(self, shape)


class Items(Layer):
    """``(B, D)`` and static inputs to ``(B, 1, 1, V)``; in training to the C candidates that are asked for."""

    def __init__(self, spec: ItemsSpec, shape: Shape) -> None:
        super().__init__()
        out, size = shape.outputs, shape.size + shape.static
        if shape.form != "vector" or (out.steps, out.targets) != (1, 1) or shape.known:
            raise ConfigError("it scores the items of one answer a sequence", mend="use the head linear")
        if (spec.tied or spec.embed) and not shape.table:
            raise ConfigError(
                "tied scores and embed need the same items as the first categorical input",
                mend="write items: {tied: false}",
            )
        self.spec, self.values = spec, out.values
        self.project = nn.Linear(size, shape.table) if spec.tied else None
        self.own = None if spec.tied else nn.Parameter(torch.empty(out.values, size).uniform_(-1, 1) * size**-0.5)
        self.bias = nn.Parameter(torch.zeros(out.values + spec.tied))  # a tied table has a row for unknown items
        self.shape = replace(shape, form="output", size=out.values)
        if self.project is not None:  # scores of variance one at first, with a table of variance one
            nn.init.normal_(self.project.weight, std=(size * shape.table) ** -0.5)
            nn.init.zeros_(self.project.bias)

    def forward(self, flow: Flow) -> Flow:
        x = flow.x if flow.static is None else ops.merge(flow.x, flow.static, kind="concat")
        x = ops.dropout(x, self.spec.dropout, self.training)
        if self.project is not None:
            x = ops.linear(x, weight=self.project.weight, bias=self.project.bias)
        weight = self._weight(flow.table)
        if flow.only is not None:
            scores = ops.linear(x, weight=weight[flow.only], bias=self.bias[flow.only])
            return replace(flow, x=scores[:, None, None], only=None, lengths=None)
        x = ops.linear(x, weight=weight, bias=self.bias)
        if self.spec.tied:
            x = ops.slice_axis(x, axis=-1, start=0, stop=self.values)
        return replace(flow, x=ops.reshape(x, shape=(1, 1, self.values)), lengths=None)

    def _weight(self, table: Tensor | None) -> Tensor:
        weight = self.own if self.own is not None else table
        assert weight is not None  # the constructor saw the table
        return weight
