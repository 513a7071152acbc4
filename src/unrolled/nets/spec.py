"""A net as data: a short list of layers, from YAML or Python, validated and written back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from unrolled.core.errors import ConfigError
from unrolled.nets.layer import LayerSpec, dump
from unrolled.nets.layers import layer_kinds
from unrolled.nets.layers.head import LinearSpec
from unrolled.nets.layers.items import ItemsSpec
from unrolled.nets.layers.pool import PoolSpec
from unrolled.nets.parse import parse_layers
from unrolled.nets.presets import preset


@dataclass(frozen=True)
class NetSpec:
    """The layers of a net, in order, with every option resolved; the last one is the head."""

    layers: tuple[LayerSpec, ...]

    @classmethod
    def parse(
        cls, source: NetSpec | Sequence[Any] | Mapping[str, Any] | str, *, every: bool = False, **parameters: int
    ) -> NetSpec:
        """Read a list of layers, a mapping with the list under ``net``, or the name of a preset or a single layer.

        A head is added where there is none, and pooling before a head that reads a vector and has none.

        Args:
            source: such as ``[{"lstm": {"size": 64}}, "dropout", {"linear": {"hidden": [32]}}]``.
            every: each step is to have its own answer, see ``Outputs``.
            parameters: values of the preset's parameters.

        Raises:
            ConfigError: an unknown layer or option (with the nearest known one), a size out of its bounds, or an
                order that makes no sense; it names the place, such as ``net[2].lstm.siz``.
        """
        if isinstance(source, NetSpec):
            return source
        if isinstance(source, Mapping):
            source = _only_net(source)
        if isinstance(source, str):
            source = [source] if source in layer_kinds() else preset(source).layers(**parameters)
        if not source:
            raise ConfigError("has no layers, must have at least one", where="net")
        return cls(_complete(list(parse_layers(source, "net")), every))

    def dump(self) -> list[dict[str, dict[str, Any]]]:
        """The list that ``parse`` reads, with every option."""
        return dump(self.layers)


def _only_net(source: Mapping[str, Any]) -> Any:
    for key in source:
        if key != "net":
            raise ConfigError(f"unknown key {str(key)[:40]!r}", where="net spec", mend="the one key is 'net'")
    if "net" not in source:
        raise ConfigError("has no key 'net'", where="net spec", mend="write the list of layers under 'net'")
    return source["net"]


def _complete(layers: list[LayerSpec], every: bool) -> tuple[LayerSpec, ...]:
    """With a head at the end, and pooling before one that reads a vector."""
    heads = [index for index, layer in enumerate(layers) if layer.part == "head"]
    if not heads:
        heads = [len(layers)]
        layers = [*layers, LinearSpec()]
    if heads != [len(layers) - 1]:
        raise ConfigError(
            f"layer {layers[heads[0]].name!r} gives the answer, nothing can follow it",
            where=f"net[{heads[0]}]",
            mend="make it the last layer",
        )
    if every and not layers[-1].each_step:
        raise ConfigError(
            f"the task asks for an answer at each step, which {layers[-1].name!r} does not give",
            where=f"net[{len(layers) - 1}]",
            mend="use the head linear",
        )
    if not every and isinstance(layers[-1], LinearSpec | ItemsSpec) and not any(layer.pools() for layer in layers):
        layers = [*layers[:-1], PoolSpec(), layers[-1]]
    return tuple(layers)
