"""Efficient neural architecture search (Pham et al. 2018, arXiv 1802.03268): weights are trained once, for all.

In an epoch of training children take turns, step by step, each updating its share. At first they are drawn evenly
(single path one-shot, Guo et al. 2020, arXiv 1904.00420), since weights that have not been trained say nothing. Then a
second phase alternates with it: the controller proposes children, is told how they do on the validation part with the
weights as they are, and learns. What comes out is a ranking by shared weights: a guess, from which the best are to be
trained from scratch.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle

import torch
from torch import Tensor, nn

from unrolled.data.batch import Batch
from unrolled.search.controller import Controller, Proposal
from unrolled.search.shared import Shared
from unrolled.search.wiring import Wiring
from unrolled.train.protocols import Batches, Loss

_TRAINING = 0.75  # share of the time for both phases; the rest is for the ranking
_UNTAUGHT = 0.4  # share of that by whose end the controller begins to learn
_ROUNDS, _GROUP = 2, 10  # rounds of the controller after each epoch, and the wirings of a round
_LEAST_RATE = 1e-2  # share of the learning rate at the end
_CLIP = 1.0  # largest norm of the gradient of the shared weights
_POOL = 8  # children that take turns in an epoch: a new one has to be translated for the kernels first
_PROPOSED = 24  # wirings drawn for the last ranking
_JUDGED_ON = 8  # batches of the validation part, at most
_FEWEST = 3  # wirings that are ranked even when the time is over


@dataclass(frozen=True)
class Ranked:
    """A wiring with its loss on the validation part under shared weights."""

    wiring: Wiring
    loss: float


def explore(
    net: nn.Module,
    shared: Shared,
    controller: Controller,
    train: Batches,
    valid: Batches,
    loss: Loss,
    *,
    learning_rate: float,
    seconds: float,
    epochs: int,
) -> tuple[Ranked, ...]:
    """Train super-net and controller, and rank what the controller then proposes, the best first.

    Args:
        net: holds ``shared`` in the place of its recurrent layer, see ``share``.
        shared: the super-net.
        controller: proposes children.
        train, valid: batches.
        loss: of a batch.
        learning_rate: of the shared weights, by Adam, at first; it falls along a cosine.
        seconds: time for all of it; a little is done in any case.
        epochs: at most.
    """
    explorer = _Explorer(net, shared, controller, valid, loss, learning_rate)
    began, clock = time.monotonic(), _Clock(_TRAINING * seconds, epochs)
    while clock.done < 1:
        explorer.train(train.epoch(clock.epoch), clock)
        clock.epoch += 1
        if clock.done > _UNTAUGHT:
            explorer.teach(clock)
    return explorer.ranking(began + seconds)


class _Clock:
    """How much of the training is done: the share of the time or of the epochs, whichever is larger."""

    def __init__(self, seconds: float, epochs: int) -> None:
        self._began, self._seconds, self._epochs = time.monotonic(), seconds, epochs
        self.epoch = 0

    @property
    def done(self) -> float:
        return max((time.monotonic() - self._began) / self._seconds, self.epoch / self._epochs)

    @property
    def fading(self) -> float:
        """Share of the learning rate, along a cosine: the last steps of other children must not hide what one can."""
        return max(_LEAST_RATE, 0.5 * (1 + math.cos(math.pi * min(1.0, self.done))))


class _Explorer:
    def __init__(
        self, net: nn.Module, shared: Shared, controller: Controller, valid: Batches, loss: Loss, rate: float
    ) -> None:
        self._net, self._shared, self._controller, self._loss = net, shared, controller, loss
        self._optimizer, self._rate = torch.optim.Adam(net.parameters(), lr=rate), rate
        self._valid = valid
        self._stream = _endless(valid)
        self._seen: dict[Wiring, None] = {}

    def train(self, batches: Iterator[Batch], clock: _Clock) -> None:
        """One step of the shared weights for each batch, the children of this epoch in turn."""
        self._net.train()
        children = cycle([self._propose() for _ in range(_POOL)])
        for batch, child in zip(batches, children, strict=False):
            self._shared.wiring = child
            loss = self._loss(self._net(**batch.inputs()), batch)
            self._optimizer.param_groups[0]["lr"] = self._rate * clock.fading
            self._optimizer.zero_grad()
            if torch.isfinite(loss):
                loss.backward()  # type: ignore[no-untyped-call]
                norm = nn.utils.clip_grad_norm_(self._net.parameters(), _CLIP)
                if torch.isfinite(norm):
                    self._optimizer.step()
            if clock.done > 1:
                return

    def teach(self, clock: _Clock) -> None:
        """Rounds of the controller; the wirings of a round are judged on the same validation batch."""
        for _ in range(_ROUNDS):
            proposals, batch = [self._sample() for _ in range(_GROUP)], next(self._stream)
            losses = [self._judge(proposal.wiring, [batch]) for proposal in proposals]
            self._controller.learn(proposals, losses)
            if clock.done > 1:
                return

    def ranking(self, end: float) -> tuple[Ranked, ...]:
        """Distinct proposals, then earlier ones, the latest first, on the same batches, as long as there is time.

        A controller that has settled proposes few, and would leave none to be tried next.
        """
        batches = [batch for _, batch in zip(range(_JUDGED_ON), self._valid.epoch(0), strict=False)]
        wirings = dict.fromkeys([*(self._propose() for _ in range(_PROPOSED)), *reversed(self._seen)])
        ranked: list[Ranked] = []
        for wiring in wirings:
            if len(ranked) >= _FEWEST and time.monotonic() > end:
                break
            ranked.append(Ranked(wiring, self._judge(wiring, batches)))
        return tuple(sorted(ranked, key=lambda one: one.loss if math.isfinite(one.loss) else math.inf))

    def _propose(self) -> Wiring:
        with torch.no_grad():
            return self._sample().wiring

    def _sample(self) -> Proposal:
        found = self._controller.sample()
        self._seen[found.wiring] = None
        return found

    @torch.no_grad()
    def _judge(self, wiring: Wiring, batches: list[Batch]) -> float:
        """Mean loss of a child with the weights as they are."""
        self._net.eval()
        self._shared.wiring = wiring
        losses: list[Tensor] = [self._loss(self._net(**batch.inputs()), batch) for batch in batches]
        sizes = torch.tensor([float(len(batch)) for batch in batches])
        return float((torch.stack(losses) * sizes).sum() / sizes.sum())


def _endless(batches: Batches) -> Iterator[Batch]:
    while True:
        yield from batches.epoch(0)
