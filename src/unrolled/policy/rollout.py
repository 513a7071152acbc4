"""What a policy met in its environments, and where episodes were cut.

Letters: E environments side by side, T steps, D what is observed, S segments, L steps of the longest.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unrolled.engine import State
from unrolled.policy.net import Policy


@dataclass(frozen=True)
class Rollout:
    """T steps of E environments; all tensors ``(E, T)``, ``x`` ``(E, T, D)``.

    ``valid`` is false in the step after an end, when the environment begins anew and heeds no action; the value there
    is that of the last observation of the episode. ``state`` is the policy's before the first step.
    """

    x: Tensor
    actions: Tensor
    logs: Tensor
    values: Tensor
    rewards: Tensor
    terminated: Tensor
    ended: Tensor
    valid: Tensor
    state: State
    last: Tensor


@dataclass
class Actor:
    """A policy in its environments, which go on from rollout to rollout."""

    envs: Any
    policy: Policy
    columns: tuple[int, ...] | None
    generator: torch.Generator
    seed: int
    state: State = ()
    total: Tensor = field(init=False)
    finished: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._seen = self._observed(self.envs.reset(seed=self.seed)[0])
        self._ended = torch.zeros(len(self._seen), dtype=torch.bool)
        self.total = torch.zeros(len(self._seen))

    @torch.no_grad()
    def collect(self, steps: int, *, greedy: bool = False) -> Rollout:
        """Act for ``steps`` steps; returns of episodes that end go to ``finished``."""
        begin, rows = self.state, []
        for _ in range(steps):
            scores, values, after = self.policy(self._seen[:, None], self.state)
            chances = torch.softmax(scores[:, 0], -1)
            actions = chances.argmax(-1) if greedy else torch.multinomial(chances, 1, generator=self.generator)[:, 0]
            logs = chances.gather(1, actions[:, None])[:, 0].log()
            seen, rewards, terminated, truncated, _ = self.envs.step(actions.numpy())
            gained, over = torch.as_tensor(rewards, dtype=torch.float32), torch.as_tensor(terminated | truncated)
            valid = ~self._ended
            rows.append((self._seen, actions, logs, values[:, 0], gained, torch.as_tensor(terminated), over, valid))
            # What was remembered ends with the episode: the next observation is the first of another one.
            self.state = tuple(part.masked_fill(~valid[None, :, None], 0) for part in after)
            self.total = torch.where(valid, self.total + gained, 0)
            self.finished += self.total[over].tolist()
            self._seen, self._ended = self._observed(seen), over
        last = self.policy(self._seen[:, None], self.state)[1][:, 0]
        x, actions, logs, values, rewards, terminated, ended, valid = (
            torch.stack(each, 1) for each in zip(*rows, strict=True)
        )
        return Rollout(x, actions, logs, values, rewards, terminated, ended, valid, begin, last)

    def _observed(self, seen: Any) -> Tensor:
        flat = np.asarray(seen, np.float32).reshape(len(seen), -1)
        return torch.from_numpy(np.ascontiguousarray(flat if self.columns is None else flat[:, list(self.columns)]))


def advantages(rollout: Rollout, discount: float, decay: float) -> tuple[Tensor, Tensor]:
    """Generalised advantage estimates (Schulman et al. 2016, arXiv 1506.02438, eq. 16) and returns, both ``(E, T)``."""
    steps, later, ahead = rollout.values.shape[1], rollout.last, torch.zeros_like(rollout.last)
    found = torch.empty_like(rollout.values)
    for t in reversed(range(steps)):
        error = rollout.rewards[:, t] + discount * later * ~rollout.terminated[:, t] - rollout.values[:, t]
        ahead = error + discount * decay * ahead * ~rollout.ended[:, t]
        found[:, t] = ahead
        later = rollout.values[:, t]
    return found, found + rollout.values


def segments(rollout: Rollout, chosen: Tensor) -> tuple[Tensor, Tensor, State]:
    """Where, in ``(E, T)`` flattened, the episodes of the ``chosen`` environments stand, each a sequence of its own.

    Returns:
        Places ``(S, L)``, 0 beyond each length; lengths ``(S,)``; and the state before each,
        zeros where it begins anew.
    """
    steps, pieces, begins = rollout.valid.shape[1], [], []
    for env in chosen.tolist():
        inside = np.flatnonzero(rollout.valid[env].numpy())
        for piece in np.split(inside, np.flatnonzero(np.diff(inside) > 1) + 1):
            if len(piece):
                pieces.append(torch.from_numpy(piece + env * steps))
                begins.append((env, piece[0] == 0))
    places = torch.nn.utils.rnn.pad_sequence(pieces, batch_first=True)
    lengths = torch.tensor([len(piece) for piece in pieces])
    rows, going = torch.tensor([env for env, _ in begins]), torch.tensor([bool(first) for _, first in begins])
    state = tuple(part[:, rows] * going[None, :, None] for part in rollout.state)
    return places, lengths, state
