"""Layers one after the other: the body of a net, and of every layer that holds others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch import nn

from unrolled.core.errors import ConfigError
from unrolled.core.records import Note
from unrolled.nets.flow import Flow, Shape
from unrolled.nets.layer import Bracket, LayerSpec, Part


class Misplaced(ConfigError):
    """A layer cannot stand where the spec puts it; ``where`` is its path from the chain that holds it."""


class Chain(nn.ModuleList):
    """Built in order, each layer from the shape that the one before leaves; ``shape`` is what leaves the last.

    Args:
        specs: the layers.
        shape: what arrives at the first.
        where: what the list is called in messages.

    Raises:
        Misplaced: a layer cannot stand at its place.
    """

    def __init__(self, specs: Sequence[LayerSpec], shape: Shape, where: str = "layers") -> None:
        super().__init__()
        for index, spec in enumerate(specs):
            built = _build(spec, shape, f"{where}[{index}].{spec.name}")
            shape = built.shape if spec.keeps else replace(built.shape, inputs=None)
            self.append(built)
        self.shape = shape

    @property
    def parts(self) -> tuple[Part, ...]:
        """The layers, in order."""
        return tuple(part for part in self if isinstance(part, Part))

    def forward(self, flow: Flow, start: int = 0) -> Flow:
        """Run the layers from ``start`` on; a bracket runs those after it itself."""
        for index in range(start, len(self)):
            layer = self[index]
            if isinstance(layer, Bracket):
                result: Flow = layer(flow, lambda inner, after=index + 1: self(inner, after))
                return result
            flow = layer(flow)
        return flow

    def obstacle(self) -> Note | None:
        """Why the first layer that cannot run step by step cannot, or None."""
        return next((note for part in self.parts if (note := part.obstacle()) is not None), None)


def _build(spec: LayerSpec, shape: Shape, where: str) -> Part:
    try:
        return spec.build(shape)
    except ConfigError as error:
        place = f"{where}.{error.where}" if isinstance(error, Misplaced) else where
        raise Misplaced(error.what, where=place, mend=error.mend) from error
