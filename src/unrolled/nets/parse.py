"""One layer of a net spec, from ``{name: options}`` to its checked options; layers inside it likewise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unrolled.core.errors import ConfigError
from unrolled.core.validation import nearest, validated
from unrolled.nets.layer import LayerSpec
from unrolled.nets.layers import layer_kinds

MOST_LAYERS = 200


def parse_layers(source: Any, where: str) -> tuple[LayerSpec, ...]:
    """A list of layers.

    Raises:
        ConfigError: it is no such list, or a layer or option in it is wrong; the message names the place.
    """
    if not isinstance(source, list | tuple):
        raise ConfigError(f"must be a list of layers, it is {brief(source)}", where=where)
    if len(source) > MOST_LAYERS:
        raise ConfigError(f"has {len(source)} layers, must have at most {MOST_LAYERS}", where=where)
    return tuple(_layer(entry, f"{where}[{index}]") for index, entry in enumerate(source))


def _layer(entry: Any, where: str) -> LayerSpec:
    """One entry of the list: ``{name: options}``, or a bare name."""
    if isinstance(entry, LayerSpec):
        return entry
    if isinstance(entry, str):
        entry = {entry: {}}
    if not isinstance(entry, Mapping) or len(entry) != 1:
        raise ConfigError(
            f"must be one layer, name and options, it is {brief(entry)}",
            where=where,
            mend="write it as {lstm: {size: 64}}",
        )
    ((name, options),) = entry.items()
    kinds = layer_kinds()
    if name not in kinds:
        raise ConfigError(f"there is no layer {str(name)[:40]!r}", where=where, mend=nearest(str(name), kinds))
    place = f"{where}.{name}"
    if options is not None and not isinstance(options, Mapping):
        raise ConfigError(
            f"its options must be a mapping, they are {brief(options)}",
            where=place,
            mend=f"write {{{name}: {{option: value}}}}",
        )
    kind = kinds[name]
    given = dict(options or {})
    for field in kind.inner:
        if field in given:
            given[field] = _inner(given[field], f"{place}.{field}")
    return validated(kind, given, where=place)


def _inner(source: Any, where: str) -> tuple[Any, ...]:
    """A list of layers, or a list of such lists."""
    if isinstance(source, list | tuple) and source and all(isinstance(entry, list | tuple) for entry in source):
        return tuple(parse_layers(entry, f"{where}[{index}]") for index, entry in enumerate(source))
    return parse_layers(source, where)


def brief(value: Any) -> str:
    """A value as messages show it."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
