"""Loss and gradient norm of every step: summed up for the epoch's row, and watched for values that are not finite."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

_RECENT = 64  # steps kept to judge by when a value is not finite
_SPIKE = 8.0  # times the usual spread of recent losses above their median
_ENOUGH = 16  # steps that must be known before one can be unusual
_SKIPS = 24  # skipped fp16 steps in a row: each halves the scale, which begins at 2 ** 16


class NotFinite(Exception):
    """A loss or gradient norm is NaN or infinite; ``batch`` is its number in the part's epoch."""

    def __init__(self, loss: float, norm: float, batch: int, part: str = "training") -> None:
        super().__init__(f"{part} batch {batch}: loss {loss}, gradient norm {norm}")
        self.loss, self.norm, self.batch, self.part = loss, norm, batch, part


class Watch:
    """Figures of the running epoch.

    Reading a number from a GPU waits for all work given to it, so steps are gathered and read ``every`` so many.

    Args:
        every: optimiser steps between two readings.
        clip_norm: gradient norm above which a step counts as clipped.
        scaled: fp16 gradient scaling is on: an infinite gradient only makes it skip a step.
    """

    def __init__(self, every: int, clip_norm: float | None, scaled: bool = False) -> None:
        self._every, self._clip_norm, self._scaled = every, clip_norm, scaled
        self._pending: list[tuple[Tensor, Tensor, int, int]] = []
        self.recent: deque[tuple[float, float]] = deque(maxlen=_RECENT)
        self._skipped = 0
        self.reset()

    def reset(self) -> None:
        """Begin a new epoch."""
        self.samples = 0
        self.steps = self.clipped = self.spikes = 0
        self.loss_sum = self.norm_sum = self.norm_max = 0.0

    def record(self, loss: Tensor, norm: Tensor, samples: int, batch: int) -> None:
        """Take in one step: mean loss and gradient norm (scalars), its samples, its first batch in the epoch."""
        self._pending.append((loss, norm, samples, batch))
        if len(self._pending) >= self._every:
            self.read()

    def read(self) -> None:
        """Read what was gathered.

        Raises:
            NotFinite: for the first step that is not.
        """
        if not self._pending:
            return
        pending, self._pending = self._pending, []
        losses = torch.stack([loss for loss, *_ in pending]).tolist()
        norms = torch.stack([norm for _, norm, *_ in pending]).tolist()
        for loss, norm, (_, _, samples, batch) in zip(losses, norms, pending, strict=True):
            skippable = self._scaled and self._skipped < _SKIPS
            if not math.isfinite(loss) or not (math.isfinite(norm) or skippable):
                raise NotFinite(loss, norm, batch)
            self._add(loss, norm, samples)

    @property
    def loss(self) -> float:
        """Mean loss a sample, of the epoch so far."""
        return self.loss_sum / self.samples if self.samples else math.nan

    def row(self) -> dict[str, float]:
        """Of the epoch so far: mean and largest norm before clipping, share of clipped steps, any spikes."""
        steps = max(self.steps, 1)
        figures = {
            "grad_norm": self.norm_sum / steps,
            "grad_norm_max": self.norm_max,
            "clip_rate": self.clipped / steps,
        }
        return figures | ({"loss_spikes": float(self.spikes)} if self.spikes else {})

    def state_dict(self) -> dict[str, Any]:
        names = ("samples", "steps", "clipped", "spikes", "loss_sum", "norm_sum", "norm_max", "_skipped")
        return {**{name: getattr(self, name) for name in names}, "recent": list(self.recent)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, deque(value, maxlen=_RECENT) if name == "recent" else value)

    def _add(self, loss: float, norm: float, samples: int) -> None:
        self.samples += samples
        self.loss_sum += loss * samples
        if not math.isfinite(norm):
            self._skipped += 1
            return
        self._skipped = 0
        self.steps += 1
        self.norm_sum += norm
        self.norm_max = max(self.norm_max, norm)
        self.clipped += self._clip_norm is not None and norm > self._clip_norm
        self.spikes += spiked(loss, [before for before, _ in self.recent])
        self.recent.append((loss, norm))


def spiked(loss: float, recent: Sequence[float]) -> bool:
    """Whether a loss stands out of those before it: by eight times their usual spread, and by as much as their median.

    The spread is that between the quartiles, which a few earlier spikes do not move.
    """
    if len(recent) < _ENOUGH:
        return False
    ordered = sorted(recent)
    low, middle, high = (ordered[len(ordered) * k // 4] for k in (1, 2, 3))
    return loss - middle > max(_SPIKE * (high - low), abs(middle))
