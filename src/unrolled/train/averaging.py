"""Averaged weights: often better than the last ones, at the price of a second copy.

``ema``: exponential moving average after every step, its decay rising as (1 + t) / (10 + t) so that the first weights
are soon forgotten. ``swa``: mean of the weights at the end of the late epochs (Izmailov et al. 2018, arXiv 1803.05407).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from unrolled.train.settings import TrainSettings


class Average:
    """The average of a net's trained weights; its buffers are taken as they are."""

    def __init__(self, net: nn.Module, settings: TrainSettings) -> None:
        self._settings = settings
        self._first = settings.swa_start * settings.epochs
        self._names = [name for name, value in net.named_parameters() if value.requires_grad]
        self._weights = [value for value in net.parameters() if value.requires_grad]
        self._means: list[Tensor] = []
        self._count = 0

    @torch.no_grad()
    def after_step(self) -> None:
        if self._settings.averaging == "ema":
            self._add(1 - min(self._settings.ema_decay, (1 + self._count) / (10 + self._count)))

    @torch.no_grad()
    def after_epoch(self, epoch: int) -> None:
        """``epoch`` is the number of epochs done."""
        if self._settings.averaging == "swa" and epoch > self._first:
            self._add(1 / (self._count + 1))

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The net has the averaged weights inside the block (its own ones while there is no average)."""
        kept = [value.detach().clone() for value in self._weights] if self._means else []
        self._put(self._means)
        try:
            yield
        finally:
            self._put(kept)

    def settle(self) -> None:
        """Leave the averaged weights in the net."""
        self._put(self._means)

    def state_dict(self) -> dict[str, Tensor | int]:
        return {"count": self._count, **dict(zip(self._names, self._means, strict=False))}

    def load_state_dict(self, state: dict[str, Tensor | int]) -> None:
        means = [state[name] for name in self._names if name in state]
        self._means = [m.to(w.device) for m, w in zip(means, self._weights, strict=False) if isinstance(m, Tensor)]
        self._count = int(state["count"])

    def _add(self, share: float) -> None:
        """Move the averages towards the weights by ``share`` of the way."""
        if self._means:
            for mean, weight in zip(self._means, self._weights, strict=True):
                mean.lerp_(weight, share)
        else:
            self._means = [weight.detach().clone() for weight in self._weights]
        self._count += 1

    @torch.no_grad()
    def _put(self, values: list[Tensor]) -> None:
        if values:
            for weight, value in zip(self._weights, values, strict=True):
                weight.copy_(value)
