"""A net as data: a short list of layers, from YAML or Python, validated and written back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from unrolled.core.errors import ConfigError
from unrolled.core.validation import nearest, validated
from unrolled.nets.layer import LayerSpec
from unrolled.nets.layers import layer_kinds
from unrolled.nets.layers.head import LinearSpec
from unrolled.nets.layers.pool import PoolSpec
from unrolled.nets.presets import preset

_MOST_LAYERS = 200


@dataclass(frozen=True)
class NetSpec:
    """The layers of a net, in order, with every option resolved; the last one is the head."""

    layers: tuple[LayerSpec, ...]

    @classmethod
    def parse(cls, source: NetSpec | Sequence[Any] | Mapping[str, Any] | str, **parameters: int) -> NetSpec:
        """Read a list of layers, a mapping with the list under ``net``, or the name of a preset or a single layer.

        A head is added where there is none, and pooling before a linear head that has none.

        Args:
            source: such as ``[{"lstm": {"size": 64}}, "dropout", {"linear": {"hidden": [32]}}]``.
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
        if not isinstance(source, Sequence) or isinstance(source, bytes):
            raise ConfigError(f"must be a list of layers, it is {_brief(source)}", where="net")
        if not 0 < len(source) <= _MOST_LAYERS:
            raise ConfigError(f"has {len(source)} layers, must have 1 to {_MOST_LAYERS}", where="net")
        return cls(_complete([_layer(entry, f"net[{index}]") for index, entry in enumerate(source)]))

    def dump(self) -> list[dict[str, dict[str, Any]]]:
        """The list that ``parse`` reads, with every option."""
        return [{layer.name: layer.model_dump(mode="json")} for layer in self.layers]


def _only_net(source: Mapping[str, Any]) -> Any:
    for key in source:
        if key != "net":
            raise ConfigError(f"unknown key {str(key)[:40]!r}", where="net spec", mend="the one key is 'net'")
    if "net" not in source:
        raise ConfigError("has no key 'net'", where="net spec", mend="write the list of layers under 'net'")
    return source["net"]


def _layer(entry: Any, where: str) -> LayerSpec:
    """One entry of the list: ``{name: options}``, or a bare name."""
    if isinstance(entry, str):
        entry = {entry: {}}
    if not isinstance(entry, Mapping) or len(entry) != 1:
        raise ConfigError(
            f"must be one layer, name and options, it is {_brief(entry)}",
            where=where,
            mend="write it as {lstm: {size: 64}}",
        )
    ((name, options),) = entry.items()
    kinds = layer_kinds()
    if name not in kinds:
        raise ConfigError(f"there is no layer {str(name)[:40]!r}", where=where, mend=nearest(str(name), kinds))
    if options is not None and not isinstance(options, Mapping):
        raise ConfigError(
            f"its options must be a mapping, they are {_brief(options)}",
            where=f"{where}.{name}",
            mend=f"write {{{name}: {{option: value}}}}",
        )
    return validated(kinds[name], options or {}, where=f"{where}.{name}")


def _complete(layers: list[LayerSpec]) -> tuple[LayerSpec, ...]:
    """With a head at the end, and pooling before a linear one."""
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
    if isinstance(layers[-1], LinearSpec) and not any(layer.part == "pool" for layer in layers):
        layers = [*layers[:-1], PoolSpec(), layers[-1]]
    return tuple(layers)


def _brief(value: Any) -> str:
    """A value as messages show it."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
