"""Each window's targets relative to the window itself, undone in the output.

Reversible instance normalisation (Kim et al. 2022, RevIN), and NLinear's simpler form, minus the last value
(Zeng et al. 2023, arXiv 2205.13504).

Letters: M targets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

import torch
from torch import nn

from unrolled.core.errors import ConfigError
from unrolled.core.records import Note
from unrolled.nets import ops
from unrolled.nets.flow import Flow, Shape
from unrolled.nets.layer import Bracket, LayerSpec, need_sequence
from unrolled.program.ops.types import Norm


class WindowNormSpec(LayerSpec):
    """``last`` subtracts the last value; ``mean_std`` standardises; ``affine`` learns a scale and shift a target."""

    name: ClassVar[str] = "window_norm"

    kind: Norm = "last"
    affine: bool = False

    def build(self, shape: Shape) -> Bracket:
        return WindowNorm(self, shape)


class WindowNorm(Bracket):
    """Normalises the leading M columns of ``x``, runs the layers inside, and returns to the window's scale."""

    eps = 1e-5

    def __init__(self, spec: WindowNormSpec, shape: Shape) -> None:
        super().__init__()
        need_sequence(shape, "window_norm")
        if not shape.targets:
            raise ConfigError(
                "window_norm needs the targets' own past as leading inputs, and there is none here",
                mend="use it in forecasts only, before layers that mix columns",
            )
        self.kind, self.targets, self.shape = spec.kind, shape.targets, shape
        self.weight = nn.Parameter(torch.ones(shape.targets)) if spec.affine else None
        self.bias = nn.Parameter(torch.zeros(shape.targets)) if spec.affine else None

    def forward(self, flow: Flow, inner: Callable[[Flow], Flow]) -> Flow:
        affine = {"weight": self.weight, "bias": self.bias}
        x, centre, scale = ops.window_norm(
            flow.x, flow.lengths, kind=self.kind, targets=self.targets, eps=self.eps, **affine
        )
        result = inner(replace(flow, x=x))
        return replace(result, x=ops.window_denorm(result.x, centre, scale, **affine))

    def obstacle(self) -> Note:
        return Note(
            code="window_norm_needs_window",
            en="window_norm needs the whole window before its first step",
            zh="window_norm 在第一步之前就需要整个窗口",
        )
