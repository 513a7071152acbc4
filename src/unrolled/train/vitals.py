"""A look inside the net every so many steps of training: how far a step moves the weights, and which units are dead.

Steps 1, 2, 4, ... and then every so many are looked at. Such a step costs a copy of the weights and a few sums; the
others cost nothing.

Letters: B batch, T time, H hidden.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn

from unrolled.core.diagnosis import Finding
from unrolled.nets.recurrent import Recurrent
from unrolled.train.wording import alarm

STILL = 1e-4
"""Standard deviation of an output below which a unit is dead: float32 of values near 1 resolves 1e-7, and a head that
turns 1e-4 into anything needs weights of thousands."""

FAST = 0.1
"""Change of the weights in one step, over their norm, from which on a learning rate is too high: ten such steps
rewrite all that was learnt. 0.001 is the usual advice (Karpathy, CS231n notes, "ratio of weights:updates"); the
tuning runs of ``benchmarks/advice/faults.py`` begin at 0.012 to 0.017, with a rate 100 times as high at 0.45."""

SLOW = 1e-6
"""Below it a thousand steps do not change the third digit of a weight."""

CLIPPED = 0.95
"""Share of clipped steps from which on clipping, meant for the unusual step, shortens nearly all of them. Healthy small
nets clipped at 1.0 have shares of up to 0.86 (the tuning runs of ``benchmarks/advice/faults.py``)."""

_SMALL = 0.01  # root mean square below which weights are taken for as large: those that begin at 0 have no size yet
_DEAD = 0.3  # share of the units
_SPIKES = 3  # in one epoch


class Vitals:
    """Looks at a net while it is trained.

    Args:
        net: what is trained.
        every: optimiser steps between two looks; None never looks.

    Attributes:
        ratios: norm of the change over the norm of the weights, by layer, at the looks of the running epoch.
        dead: share of dead recurrent units at the last look; None where there was none.
    """

    def __init__(self, net: nn.Module, every: int | None) -> None:
        self._every = every
        self._layers = _matrices(net)
        self._recurrent = [module for module in net.modules() if isinstance(module, Recurrent)]
        self.ratios: dict[str, list[float]] = {}
        self.dead: float | None = None
        self.told: list[str] = []

    def due(self, step: int) -> bool:
        """Whether optimiser step ``step`` is looked at, the first being 0."""
        every = self._every
        return every is not None and (step % every == 0 if step >= every else step & (step - 1) == 0)

    @contextmanager
    def looking(self, step: int) -> Iterator[None]:
        """Around one optimiser step, from the first forward to the update."""
        if not (self._layers and self.due(step)):
            yield
            return
        before = {name: [value.detach().clone() for value in values] for name, values in self._layers.items()}
        outputs: list[Tensor] = []
        hooks = [layer.register_forward_hook(_keeper(outputs), with_kwargs=True) for layer in self._recurrent]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()
        self._measure(before, outputs)

    @torch.no_grad()
    def _measure(self, before: Mapping[str, list[Tensor]], outputs: list[Tensor]) -> None:
        moved = torch.stack([_ratio(before[name], values) for name, values in self._layers.items()])
        for name, ratio in zip(self._layers, moved.tolist(), strict=True):
            self.ratios.setdefault(name, []).append(ratio)
        still = [(y.std(0, correction=0) <= STILL).float() for y in outputs if len(y) > 1]
        self.dead = float(torch.cat(still).mean()) if still else None

    def row(self) -> dict[str, float]:
        """Figures of the epoch so far; empty where no step of it was looked at."""
        if not self.ratios:
            return {}
        usual = {"update_ratio": median(self.ratios[self.fastest])}
        return usual | ({"dead_units": self.dead} if self.dead else {})

    @property
    def fastest(self) -> str:
        """The layer whose weights change most, beside their size."""
        return max(self.ratios, key=lambda name: median(self.ratios[name]), default="")

    def reset(self) -> None:
        """Begin a new epoch."""
        self.ratios = {}

    def alarms(self, row: Mapping[str, float]) -> list[Finding]:
        """What an epoch's row warns of for the first time in this run; ask before :meth:`reset`."""
        found = [one for one in alarms(row, self.fastest) if one.code not in self.told]
        self.told += [one.code for one in found]
        return found

    def state_dict(self) -> dict[str, Any]:
        return {"ratios": self.ratios, "dead": self.dead, "told": self.told}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)


def alarms(row: Mapping[str, float], layer: str = "") -> Iterator[Finding]:
    """What the row of one epoch warns of; ``layer`` is the one whose weights change most."""
    ratio, dead, spikes = row.get("update_ratio", math.nan), row.get("dead_units", 0.0), row.get("loss_spikes", 0.0)
    if ratio > FAST:
        yield alarm("learning_rate_high", layer, ratio=ratio, rate=row.get("lr", math.nan) / 10)
    if ratio < SLOW:
        yield alarm("learning_rate_low", layer, ratio=ratio, rate=row.get("lr", math.nan) * 10)
    if dead >= _DEAD:
        yield alarm("units_die", dead=dead)
    if spikes >= _SPIKES:
        yield alarm("loss_spikes", spikes=spikes)
    if row.get("clip_rate", 0.0) > CLIPPED:
        yield alarm("clipped_often", share=row["clip_rate"])


def _matrices(net: nn.Module) -> dict[str, list[Tensor]]:
    """Trained weight matrices by layer; biases begin at 0, and so have no size to compare with."""
    found: dict[str, list[Tensor]] = {}
    for name, value in net.named_parameters():
        if value.requires_grad and value.dim() > 1:
            found.setdefault(".".join(name.split(".")[:2]), []).append(value)
    return found


def _ratio(before: list[Tensor], after: list[Tensor]) -> Tensor:
    change = torch.stack([(new - old).norm() for old, new in zip(before, after, strict=True)]).norm()
    size = torch.stack([old.norm() for old in before]).norm()
    ratio: Tensor = change / size.clamp_min(_SMALL * math.sqrt(sum(old.numel() for old in before)))
    return ratio


def _keeper(kept: list[Tensor]) -> Any:
    """A forward hook that keeps the outputs ``(rows, H)`` of all true steps."""

    def keep(layer: nn.Module, given: tuple[Any, ...], options: dict[str, Any], result: tuple[Tensor, Any]) -> None:
        y, lengths = result[0].detach(), options.get("lengths")
        if lengths is not None:
            y = y[torch.arange(y.shape[1], device=y.device) < lengths[:, None]]
        kept.append(y.reshape(-1, y.shape[-1]))

    return keep
