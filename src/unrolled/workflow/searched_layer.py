"""The layer of a net that an architecture search is to find: ``enas: {size: {choice: [16, 32, 64]}, nodes: 4}``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from unrolled.core.errors import ConfigError
from unrolled.core.validation import nearest

LAYER = "enas"
_OPTIONS = ("nodes", "size")
_NODES, _MOST_NODES = 4, 8


@dataclass(frozen=True)
class SearchedLayer:
    """How many nodes the cell has, and the widths to choose from."""

    nodes: int
    widths: tuple[int, ...]

    @classmethod
    def of(cls, net: Any) -> SearchedLayer:
        """That of a net as it is written.

        Raises:
            ConfigError: it is not there once, or its options are wrong.
        """
        found = list(_layers(net))
        if len(found) != 1:
            raise ConfigError(
                f"one layer is to be found, and {len(found)} are written as {LAYER}",
                where="net",
                mend=f"write one layer as {LAYER}: {{size: {{choice: [16, 32, 64]}}, nodes: 4}}",
            )
        options = {"nodes": _NODES, **found[0]}
        for key in options:
            if key not in _OPTIONS:
                raise ConfigError(f"there is no option {key!r}", where=f"net.{LAYER}", mend=nearest(str(key), _OPTIONS))
        nodes, size = options["nodes"], options.get("size")
        if isinstance(nodes, bool) or not isinstance(nodes, int) or not 1 <= nodes <= _MOST_NODES:
            raise ConfigError(f"{nodes!r} is not a number from 1 to {_MOST_NODES}", where=f"net.{LAYER}.nodes")
        widths = size.get("choice") if isinstance(size, dict) else None
        if not isinstance(widths, list) or not widths or not all(type(width) is int and width > 0 for width in widths):
            raise ConfigError(
                f"{size!r} is not a choice of whole numbers", where=f"net.{LAYER}.size", mend="{choice: [16, 32, 64]}"
            )
        return cls(nodes, tuple(dict.fromkeys(widths)))


def replaced(tree: Any, layer: dict[str, Any]) -> Any:
    """A net with ``layer`` in the place of the one to be found."""
    if isinstance(tree, dict):
        return layer if set(tree) == {LAYER} else {key: replaced(part, layer) for key, part in tree.items()}
    return [replaced(part, layer) for part in tree] if isinstance(tree, list) else tree


def _layers(tree: Any) -> Iterator[dict[str, Any]]:
    """The options of every layer that is to be found."""
    if isinstance(tree, dict) and set(tree) == {LAYER}:
        yield tree[LAYER] or {}
    elif isinstance(tree, dict | list):
        for part in tree.values() if isinstance(tree, dict) else tree:
            yield from _layers(part)
