"""The controller of an architecture search: an LSTM that writes a wiring decision by decision (Pham et al. 2018).

It is trained by REINFORCE (Williams 1992): decisions that led to more reward than usual become more likely. As in the
paper's code, logits are flattened by a temperature and bounded by a tanh, and the entropy of the decisions is rewarded.

Letters: A options of a decision, E units.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from unrolled.search.wiring import ACTIVATIONS, Wiring

_UNITS = 64
_TEMPERATURE, _BOUND = 5.0, 2.5
_RATE, _ENTROPY, _MEMORY = 3.5e-3, 1e-3, 0.9
_CLIP = 5.0


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
        self._usual, self._spread = 0.0, 0.0  # moving mean and variance of the rewards

    def sample(self) -> tuple[Wiring, Tensor, Tensor]:
        """A wiring, the log probability of its decisions, and their entropy (both scalars)."""
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
        return self._wiring(chosen), torch.stack(logs).sum(), torch.stack(entropies).sum()

    def learn(self, reward: float, log: Tensor, entropy: Tensor) -> None:
        """One step of REINFORCE; rewards count by their distance from the usual one, in units of their spread."""
        gain = reward - self._usual
        self._usual += (1 - _MEMORY) * gain
        self._spread += (1 - _MEMORY) * (gain * gain - self._spread)
        loss = -gain / (math.sqrt(self._spread) + 1e-8) * log - _ENTROPY * entropy
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.parameters(), _CLIP)
        self._optimizer.step()

    def _wiring(self, chosen: list[int]) -> Wiring:
        width, rest = self.widths[chosen[0]], chosen[1:]
        activations = tuple(ACTIVATIONS[at] for at in rest[0::2])
        return Wiring(activations, tuple(at + 1 for at in rest[1::2]), width)
