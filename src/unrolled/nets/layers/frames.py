"""A small two-dimensional CNN on the picture of each step: video as a sequence of features.

Donahue et al. 2015 (long-term recurrent convolutional networks, CVPR, arXiv 1411.4389).

Letters: B batch, T time, P places (height times width), C channels of the pictures, N columns that leave.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field
from torch import nn

from unrolled.core.errors import ConfigError
from unrolled.nets import ops
from unrolled.nets.flow import Flow, Shape
from unrolled.nets.layer import Layer, LayerSpec, Rate, Size, need_sequence
from unrolled.program.ops.frames import Places, Side
from unrolled.program.ops.types import Activation


def _odd(kernel: int) -> int:
    if kernel % 2 == 0:
        raise ValueError("must be odd, so that it has a middle")
    return kernel


class FramesSpec(LayerSpec):
    """The columns of a step are a picture, row by row, its channels side by side, of one channel where it is square.

    One convolution for each number in ``channels``, with activation; every ``stride``-th row and column stays. All
    places of the last one leave, or each channel's mean or greatest value over them (``pool``).
    """

    name: ClassVar[str] = "frames"

    height: Side | None = None
    width: Side | None = None
    channels: Annotated[tuple[Size, ...], Field(min_length=1, max_length=32)] = (16, 32)
    kernel: Annotated[int, Field(ge=1, le=31), AfterValidator(_odd)] = 3
    stride: Annotated[int, Field(ge=1, le=16)] = 2
    activation: Activation | None = "relu"
    pool: Places | None = None
    dropout: Rate = 0.0

    def build(self, shape: Shape) -> Layer:
        return Frames(self, shape)


class Frames(Layer):
    """``(B, T, P C)`` to ``(B, T, N)``."""

    def __init__(self, spec: FramesSpec, shape: Shape) -> None:
        super().__init__()
        need_sequence(shape, "frames")
        self.spec = spec
        height, width = _sides(spec, shape.size)
        channels = shape.size // (height * width)
        self.convolutions = nn.ModuleList()
        self.sides: list[tuple[int, int]] = []
        for after in spec.channels:
            self.convolutions.append(nn.Conv2d(channels, after, spec.kernel))
            self.sides.append((height, width))
            channels, height, width = after, -(-height // spec.stride), -(-width // spec.stride)
        self.shape = shape.mixed(channels if spec.pool else height * width * channels)

    def forward(self, flow: Flow) -> Flow:
        spec, x = self.spec, flow.x
        for convolution, (height, width) in zip(self.convolutions, self.sides, strict=True):
            assert isinstance(convolution, nn.Conv2d)
            x = ops.conv2d(
                x,
                weight=convolution.weight,
                bias=convolution.bias,
                height=height,
                width=width,
                stride=spec.stride,
            )
            if spec.activation:
                x = ops.activation(x, kind=spec.activation)
        if spec.pool:
            x = ops.places(x, channels=spec.channels[-1], kind=spec.pool)
        return flow.changed(ops.dropout(x, spec.dropout, self.training))


def _sides(spec: FramesSpec, columns: int) -> tuple[int, int]:
    """Height and width, with what was left out taken from the number of columns."""
    height, width = spec.height, spec.width
    if height is None and width is None:
        height = width = round(columns**0.5)
        fits = height * width == columns
    else:
        height, width = height or columns // (width or 1), width or columns // (height or 1)
        fits = height * width > 0 and columns % (height * width) == 0
    if not fits:
        said = ", ".join(f"{name} {side}" for name, side in (("height", spec.height), ("width", spec.width)) if side)
        raise ConfigError(
            f"{columns} columns make no pictures of {said or 'one channel as high as wide'}",
            mend="give height and width; the columns of a step are height x width x channels numbers and nothing else",
        )
    return height, width
