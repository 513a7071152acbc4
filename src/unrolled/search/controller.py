"""The controller of an architecture search: an LSTM that writes a wiring decision by decision (Pham et al. 2018).

It is trained by REINFORCE (Williams 1992): decisions of wirings that did better than those beside them become more
likely. As in the paper's code, logits are flattened by a temperature and bounded by a tanh, and the entropy of the
decisions is rewarded.

Letters: A options of a decision, E units, n wirings of a round.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from unrolled.search.wiring import ACTIVATIONS, Wiring

_UNITS = 64
_TEMPERATURE, _BOUND = 5.0, 2.5
_RATE, _ENTROPY = 3.5e-3, 1e-2
_CLIP = 5.0


@dataclass(frozen=True)
class Proposal:
    """A wiring, with the log probability of its decisions and their entropy (both scalars)."""

    wiring: Wiring
    log: Tensor
    entropy: Tensor


class Controller(nn.Module):
    """Proposes wirings of ``nodes`` nodes and one of ``widths``; ``generator`` draws the decisions."""

    def __init__(self, nodes: int, widths: tuple[int, ...], generator: torch.Generator) -> None:
        super().__init__()
        self.nodes, self.widths, self._generator = nodes, widths, generator
        self._sizes = [len(widths), len(ACTIVATIONS)]
        for node in range(2, nodes + 1):
            self._sizes += [node - 1, len(ACTIVATIONS)]  # what it reads, and its activation
        self.start = nn.Parameter(torch.zeros(1, _UNITS))
        self.cell = nn.LSTMCell(_UNITS, _UNITS)
        self.heads = nn.ModuleList(nn.Linear(_UNITS, size) for size in self._sizes)
        self.embeddings = nn.ModuleList(nn.Embedding(size, _UNITS) for size in self._sizes)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.uniform_(-0.1, 0.1, generator=generator)
        self._optimizer = torch.optim.Adam(self.parameters(), lr=_RATE)

    def sample(self) -> Proposal:
        """Draw one."""
        inputs, state = self.start, None
        chosen, logs, entropies = [], [], []
        for head, embedding in zip(self.heads, self.embeddings, strict=True):
            state = self.cell(inputs, state)
            logits = _BOUND * torch.tanh(head(state[0]) / _TEMPERATURE)
            log = torch.log_softmax(logits, dim=-1)[0]
            at = int(torch.multinomial(log.detach().exp(), 1, generator=self._generator))
            chosen.append(at)
            logs.append(log[at])
            entropies.append(-(log.exp() * log).sum())
            inputs = embedding(torch.tensor([at]))
        return Proposal(self._wiring(chosen), torch.stack(logs).sum(), torch.stack(entropies).sum())

    def learn(self, proposals: Sequence[Proposal], losses: Sequence[float]) -> None:
        """One step of REINFORCE. The reward is the rank: the least of the n losses gains 1, the largest -1.

        Ranks need no scale, bear a child that diverges, and their mean is the baseline.
        """
        ranks = torch.tensor(losses).nan_to_num(nan=math.inf).argsort().argsort()
        gains = 1 - 2 * ranks / max(1, len(losses) - 1)
        logs = torch.stack([proposal.log for proposal in proposals])
        entropies = torch.stack([proposal.entropy for proposal in proposals])
        loss = -(gains * logs + _ENTROPY * entropies).mean()
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.parameters(), _CLIP)
        self._optimizer.step()

    def _wiring(self, chosen: list[int]) -> Wiring:
        width, rest = self.widths[chosen[0]], chosen[1:]
        activations = tuple(ACTIVATIONS[at] for at in rest[0::2])
        return Wiring(activations, tuple(at + 1 for at in rest[1::2]), width)
