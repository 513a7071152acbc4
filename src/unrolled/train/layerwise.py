"""Some weights slower than others, or later, or no longer: training layer by layer.

Discriminative rates and gradual unfreezing as in ULMFiT (Howard & Ruder 2018, arXiv 1801.06146, section 3.2).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from torch import nn

from unrolled.core.errors import ConfigError
from unrolled.train.settings import TrainSettings
from unrolled.train.warm import matching

_LAYER = re.compile(r"layers\.(\d+)\.")
_BELOW = ("x.", "static.", "known.")  # embeddings of the inputs


@dataclass(frozen=True)
class Pace:
    """How a weight is trained: its rate, relative to the schedule's, and in which epochs, the first being 0."""

    rate: float = 1.0
    begin: int = 0
    end: int | None = None

    def trains(self, epoch: int) -> bool:
        return self.begin <= epoch and (self.end is None or epoch < self.end)


def parameter_groups(net: nn.Module, settings: TrainSettings) -> list[tuple[Pace, list[nn.Parameter]]]:
    """The weights of ``net`` that require a gradient, those of one pace together.

    Raises:
        ConfigError: a pattern matches nothing, the layers of the net are not numbered, or in some epoch nothing is
            trained.
    """
    own = {name: value for name, value in net.named_parameters() if value.requires_grad}
    paces = _by_depth(_by_rule(list(own), settings), settings)
    groups: dict[Pace, list[nn.Parameter]] = {}
    for name, value in own.items():
        groups.setdefault(paces[name], []).append(value)
    _refuse_idle(groups, settings)
    return list(groups.items())


def trained_share(groups: Sequence[tuple[Pace, Sequence[nn.Parameter]]], epoch: int) -> float:
    """Share of the weights that are trained in this epoch."""
    sizes = [(pace, sum(value.numel() for value in values)) for pace, values in groups]
    return sum(size for pace, size in sizes if pace.trains(epoch)) / sum(size for _, size in sizes)


def _by_rule(names: Sequence[str], settings: TrainSettings) -> dict[str, Pace]:
    """Each weight takes the first rule that matches it."""
    paces: dict[str, Pace] = {}
    for number, rule in enumerate(settings.layers):
        pace = Pace(rule.rate, rule.freeze_until, rule.freeze_from)
        for name in matching(names, rule.match, f"layers[{number}].match"):
            paces.setdefault(name, pace)
    return {name: paces.get(name, Pace()) for name in names}


def _by_depth(paces: Mapping[str, Pace], settings: TrainSettings) -> dict[str, Pace]:
    """With a rate that falls, and a beginning that is later, from each layer to the one below."""
    if settings.layer_decay == 1 and settings.thaw_epochs is None:
        return dict(paces)
    depths = _depths(list(paces))
    deepest: dict[str, Any] = {}
    for name, pace in paces.items():
        rate = pace.rate * settings.layer_decay ** depths[name]
        begin = max(pace.begin, (settings.thaw_epochs or 0) * depths[name])
        deepest[name] = replace(pace, rate=rate, begin=begin)
    return deepest


def _depths(names: Sequence[str]) -> dict[str, int]:
    """Layers with weights above each weight's own: 0 at the top; embeddings are below all layers."""
    found = {name: int(match[1]) for name in names if (match := _LAYER.match(name))}
    if not found:
        raise ConfigError(
            "the layers of this net are not numbered (no weight is called layers.0...)",
            where="layer_decay, thaw_epochs",
            mend="say with train.layers which weights are trained when, by pattern",
        )
    top = max(found.values()) + 1
    place = {name: found.get(name, -1 if name.startswith(_BELOW) else top) for name in names}
    order = sorted(set(place.values()), reverse=True)
    return {name: order.index(at) for name, at in place.items()}


def _refuse_idle(paces: Mapping[Pace, Any], settings: TrainSettings) -> None:
    changes = {0, *(pace.begin for pace in paces), *(pace.end for pace in paces if pace.end is not None)}
    for epoch in sorted(changes):
        if epoch < settings.epochs and not any(pace.trains(epoch) for pace in paces):
            raise ConfigError(
                f"in epoch {epoch + 1} every weight is frozen",
                where="train.layers",
                mend="let some layer begin earlier or end later",
            )
