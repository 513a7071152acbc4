"""Named nets, one YAML file each: what it is for, and its layers with parameters to fill in."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from pydantic import Field

from unrolled.core.errors import ConfigError
from unrolled.core.records import Language, Record
from unrolled.core.validation import nearest


class Preset(Record):
    """A net by name.

    ``parameters`` are the defaults of the words ``$name`` in ``net``.
    """

    name: str
    task: tuple[str, ...]
    purpose: dict[Language, str]
    parameters: dict[str, int] = Field(default_factory=dict)
    net: list[Any]

    def layers(self, **parameters: int) -> list[Any]:
        """The layers with the parameters in place.

        Raises:
            ConfigError: the preset has no such parameter.
        """
        for name in parameters:
            if name not in self.parameters:
                raise ConfigError(
                    f"it has no parameter {name!r}",
                    where=f"preset {self.name!r}",
                    mend=nearest(name, self.parameters) if self.parameters else "it has no parameters at all",
                )
        filled = {**self.parameters, **parameters}
        return [_fill(entry, filled) for entry in self.net]


@cache
def presets() -> tuple[Preset, ...]:
    """All presets, by task and name; needs no torch."""
    folder = files(__name__)
    texts = [entry.read_text(encoding="utf-8") for entry in folder.iterdir() if entry.name.endswith(".yaml")]
    found = [Preset.model_validate(yaml.safe_load(text)) for text in texts]
    return tuple(sorted(found, key=lambda preset: (preset.task, preset.name)))


def preset(name: str) -> Preset:
    """The preset of that name.

    Raises:
        ConfigError: there is none.
    """
    known = {entry.name: entry for entry in presets()}
    if name not in known:
        raise ConfigError(f"there is no preset {name[:40]!r}", where="net", mend=nearest(name, known))
    return known[name]


def _fill(value: Any, parameters: Mapping[str, int]) -> Any:
    """``value`` with each word ``$name`` replaced by its number."""
    if isinstance(value, Mapping):
        return {key: _fill(item, parameters) for key, item in value.items()}
    if isinstance(value, list):
        return [_fill(item, parameters) for item in value]
    return parameters[value[1:]] if isinstance(value, str) and value.startswith("$") else value


__all__ = ["Preset", "preset", "presets"]
