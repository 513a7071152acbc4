"""Policy and value from one recurrent layer (Hausknecht & Stone 2015, arXiv 1507.06527; Mnih et al. 2016, 1602.01783).

Letters: B batch, T time, D what is observed, H hidden, A actions.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from unrolled.engine import State
from unrolled.nets import Recurrent


class Policy(nn.Module):
    """Scores of A actions and a value of what was observed so far.

    Args:
        observed: D.
        actions: A.
        cell: name of the recurrent cell; None for a layer that remembers nothing.
        size: H.
    """

    def __init__(self, observed: int, actions: int, cell: str | None = "lstm", size: int = 64) -> None:
        super().__init__()
        self.mean, self.scale = nn.Buffer(torch.zeros(observed)), nn.Buffer(torch.ones(observed))
        self.first = nn.Linear(observed, size)
        self.rnn = None if cell is None else Recurrent(cell, size, size)
        self.plain = nn.Linear(size, size) if cell is None else None
        self.actor, self.critic = nn.Linear(size, actions), nn.Linear(size, 1)
        with torch.no_grad():
            self.actor.weight.mul_(0.01)  # all actions alike at first

    def standardise(self, mean: Tensor, deviation: Tensor) -> None:
        """What is observed is from now on counted from this mean, in these deviations, both ``(D,)``."""
        self.mean.copy_(mean)
        self.scale.copy_(deviation)

    def forward(
        self, x: Tensor, state: State | None = None, *, lengths: Tensor | None = None
    ) -> tuple[Tensor, Tensor, State]:
        """``(B, T, D)`` to scores ``(B, T, A)``, values ``(B, T)`` and the final state, one ``(1, B, H)`` a part."""
        y = torch.tanh(self.first((x - self.mean) / self.scale))
        after: State = ()
        if self.rnn is not None:
            y, after = self.rnn(y, state or None, lengths=lengths)
        elif self.plain is not None:
            y = torch.tanh(self.plain(y))
        return self.actor(y), self.critic(y)[..., 0], after
