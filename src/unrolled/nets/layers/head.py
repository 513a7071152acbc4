"""The linear or multi-layer head: from one vector a sequence, or each step's vector, to all outputs.

Letters: B batch, T time, D inputs, K static inputs, H horizon, F known inputs, E numbers a step, M targets, V values.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Annotated, ClassVar, Literal

from pydantic import Field
from torch import Tensor, nn

from unrolled.core.errors import ConfigError
from unrolled.nets import ops
from unrolled.nets.flow import Flow, Shape
from unrolled.nets.layer import Layer, LayerSpec, Rate, Size
from unrolled.program.ops.types import Activation


class LinearSpec(LayerSpec):
    """``hidden`` lists the sizes of layers before the last one, each with activation and dropout.

    Known covariates, where there are any, are joined step by step: the vector becomes ``step_size`` numbers for each
    step of the horizon, and one small network reads them with the covariates of that step. Where the task asks for an
    answer at each step, the same head reads every step.
    """

    name: ClassVar[str] = "linear"
    part: ClassVar[Literal["head"]] = "head"
    each_step: ClassVar[bool] = True

    hidden: Annotated[tuple[Size, ...], Field(max_length=16)] = ()
    activation: Activation = "relu"
    dropout: Rate = 0.0
    step_size: Size = 16

    def build(self, shape: Shape) -> Layer:
        return Head(self, shape)


class Head(Layer):
    """``(B, D)``, static inputs and known covariates to ``(B, H, M, V)``; ``(B, T, D)`` to ``(B, T, M, V)``."""

    def __init__(self, spec: LinearSpec, shape: Shape) -> None:
        super().__init__()
        out = shape.outputs
        _need_form(shape)
        wide = out.targets * out.values
        self.spec, self.outputs = spec, out
        self.known = shape.known
        last = out.steps * spec.step_size if shape.known else out.size
        self.trunk = _linears((shape.size + shape.static, *spec.hidden, last))
        self.step = _linears((spec.step_size + shape.known, spec.step_size, wide)) if shape.known else None
        self.shape = replace(shape, form="output", size=wide)

    def forward(self, flow: Flow) -> Flow:
        out = self.outputs
        x, static = flow.x, flow.static
        if static is not None:
            x = ops.merge(x, ops.spread(static, x) if out.every else static, kind="concat")
        x = self._run(x, self.trunk)
        if out.blank:
            x = ops.end_in_blank(x, flow.lengths)
        if out.every:
            return replace(flow, x=ops.unflatten(x, shape=(out.targets, out.values)))
        if self.step is not None and flow.known is not None:
            steps = ops.reshape(x, shape=(out.steps, self.spec.step_size))
            x = self._run(ops.merge(steps, flow.known, kind="concat"), self.step)
        return replace(flow, x=ops.reshape(x, shape=(out.steps, out.targets, out.values)), lengths=None)

    def _run(self, x: Tensor, linears: Iterable[nn.Module]) -> Tensor:
        """Linear maps with activation and dropout between them."""
        for index, linear in enumerate(linears):
            if index:
                x = ops.dropout(ops.activation(x, kind=self.spec.activation), self.spec.dropout, self.training)
            assert isinstance(linear, nn.Linear)
            x = ops.linear(x, weight=linear.weight, bias=linear.bias)
        return x


def _need_form(shape: Shape) -> None:
    """Refuse anything but one vector a sequence, or the steps of the input where each has its answer."""
    if not shape.outputs.every and shape.form != "vector":
        raise ConfigError("a linear head reads one vector a sequence", mend="put a pool or attention layer before")
    if shape.outputs.blank:
        if shape.form != "sequence" or shape.pace < 1:
            raise ConfigError(
                "a string of labels is read from steps, and the layers before have left none that are evenly spaced",
                mend="leave pooling, and pieces that the data divides, out of the net",
            )
    elif shape.outputs.every and (shape.form != "sequence" or shape.pace != 1):
        raise ConfigError(
            "the task asks for an answer at each step, and the layers before have not kept every step",
            mend="leave pooling, strides and patches out of the net",
        )


def _linears(sizes: Sequence[int]) -> nn.ModuleList:
    return nn.ModuleList(nn.Linear(before, after) for before, after in pairwise(sizes))
