"""The units of what a policy meets, learnt as it goes: neither observations nor rewards need be of any given size.

Letters: n rows, E environments side by side, T steps.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from unrolled.policy.rollout import Rollout


@dataclass
class Moments:
    """Mean and deviation of all rows so far (Chan, Golub & LeVeque 1983, American Statistician 37)."""

    count: int = 0
    mean: Tensor = field(default_factory=lambda: torch.zeros((), dtype=torch.float64))
    squares: Tensor = field(default_factory=lambda: torch.zeros((), dtype=torch.float64))

    def add(self, rows: Tensor) -> None:
        """``(n, ...)``, each column by itself."""
        if not len(rows):
            return
        rows = rows.double()
        mean = rows.mean(0)
        apart, total = mean - self.mean, self.count + len(rows)
        self.squares = self.squares + (rows - mean).square().sum(0) + apart.square() * self.count * len(rows) / total
        self.mean, self.count = self.mean + apart * len(rows) / total, total

    @property
    def deviation(self) -> Tensor:
        """1 where nothing varies."""
        found = (self.squares / max(1, self.count)).sqrt()
        return torch.where(found > 1e-8, found, 1.0)


@dataclass
class Gains:
    """The deviation of discounted gains, in which rewards are counted (Engstrom et al. 2020, arXiv 2005.12729).

    Without it the value's error, which grows with the square of rewards, leaves the policy no gradient.
    """

    discount: float
    moments: Moments = field(default_factory=Moments)
    running: Tensor = field(default_factory=lambda: torch.zeros(()))

    def unit(self, rollout: Rollout) -> float:
        """After this rollout as well."""
        sums = []
        for rewards, ended in zip(rollout.rewards.T, rollout.ended.T, strict=True):
            self.running = self.running * self.discount + rewards
            sums.append(self.running)
            self.running = self.running * ~ended
        self.moments.add(torch.stack(sums, 1)[rollout.valid])
        return float(self.moments.deviation)
